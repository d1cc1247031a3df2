"""A kernel for nbval that is watched: its death is noticed within a second."""

import os
import signal
import time
from pathlib import Path
from queue import Empty

from nbval.kernel import RunningKernel, start_new_kernel

from labs.kit.author.kernel_env import kernel_environment

LOOK_EVERY = 0.5
"""Seconds between two looks at whether the kernel's process is still there."""

LAST_WORDS = 0.3
"""Seconds given to messages that a kernel sent before it died."""


class KernelDied(Exception):
    """The kernel's process has ended while a message of it was awaited; the text says how."""


class WatchedKernel(RunningKernel):
    """nbval's kernel, started in the kernels' own environment and watched while it is listened to.

    nbval waits for a dead kernel until the cell's timeout, 2000 s unless told otherwise: it blocks on
    the channel and never looks at the process.
    """

    def __init__(self, kernel_name: str, cwd: str, home: Path, startup_timeout: float):
        """Start the kernel `kernel_name` in the folder `cwd`, with `home` as its `LABS_HOME`."""
        # The base class has no door for the environment, so its few lines stand here again.
        with open(os.devnull, "w") as nowhere:
            self.km, self.kc = start_new_kernel(
                startup_timeout=startup_timeout,
                kernel_name=kernel_name,
                stderr=nowhere,
                cwd=cwd,
                env=kernel_environment(home),
            )
        self._ensure_iopub_up()

    @property
    def pid(self) -> int | None:
        """The kernel's process id, or None where its provisioner has none."""
        manager = getattr(self, "km", None)
        return getattr(manager.provisioner, "pid", None) if manager else None

    def get_message(self, stream: str, timeout: float | None = None) -> dict:
        """Return the next message of the channel `stream`.

        Raises:
            queue.Empty: `timeout` seconds went by.
            KernelDied: the process has ended and has left no message.
        """
        end = None if timeout is None else time.monotonic() + timeout
        while True:
            left = LOOK_EVERY if end is None else min(LOOK_EVERY, end - time.monotonic())
            try:
                return super().get_message(stream, timeout=max(left, 0))
            except Empty:
                if not self.is_alive():
                    return self._last_message(stream)
                if end is not None and time.monotonic() >= end:
                    raise

    def _last_message(self, stream: str) -> dict:
        try:
            return super().get_message(stream, timeout=LAST_WORDS)
        except Empty:
            raise KernelDied(self.how_it_died()) from None

    def how_it_died(self) -> str:
        """Return in plain words how the process ended, as far as its exit status is known."""
        process = getattr(self.km.provisioner, "process", None)
        status = getattr(process, "returncode", None)
        if status is None:
            return "how it ended is not known"
        if status >= 0:
            return f"it ended itself with status {status}"
        try:
            name = signal.Signals(-status).name
        except ValueError:
            name = f"signal {-status}"
        likely = ": most often the machine ran out of memory" if name == "SIGKILL" else ""
        return f"it was ended by {name}{likely}"
