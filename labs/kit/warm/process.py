"""A forked kernel's process, with the methods of `subprocess.Popen` that a provisioner uses."""

import os
import select
import signal
import socket
import subprocess
from contextlib import suppress

from labs.kit.warm import wire

UNKNOWN = 255
"""The status of a kernel that ended after the background process that could have told it."""

LATE_SECONDS = 1
"""How long the status may come after the end; it is a matter of milliseconds."""


class Forked:
    """A process that is another one's child.

    Args:
        pid: its number.
        watch: a descriptor of the process, which never comes to mean another one as a number may.
        connection: where its status is told.
        args: what it was started with.

    Attributes:
        returncode: its exit status, negative for a signal; None while it runs.
    """

    stdin = stdout = stderr = None

    def __init__(self, pid: int, watch: int, connection: socket.socket, args: list[str]):
        self.pid, self.args = pid, args
        self.returncode: int | None = None
        self._watch: int | None = watch
        self._connection = connection
        connection.settimeout(LATE_SECONDS)

    def __del__(self) -> None:
        self._let_go()

    def poll(self) -> int | None:
        """Return the exit status, or None while the process runs."""
        if self.returncode is None and _readable(self._watch, 0):
            self.returncode = self._told()
            self._let_go()
        return self.returncode

    def wait(self, timeout: float | None = None) -> int:
        """Wait for the end and return the exit status.

        Raises:
            subprocess.TimeoutExpired: it still runs after `timeout` seconds.
        """
        if self.returncode is None and not _readable(self._watch, timeout):
            raise subprocess.TimeoutExpired(self.args, timeout)
        return self.poll()

    def send_signal(self, number: int) -> None:
        """Send a signal to the process, if it still runs."""
        if self.poll() is None:
            with suppress(ProcessLookupError):
                signal.pidfd_send_signal(self._watch, number)

    def terminate(self) -> None:
        """Ask the process to end."""
        self.send_signal(signal.SIGTERM)

    def kill(self) -> None:
        """End the process."""
        self.send_signal(signal.SIGKILL)

    def _told(self) -> int:
        try:
            return wire.receive(self._connection)[0]["status"]
        except (OSError, ValueError, KeyError):
            return UNKNOWN

    def _let_go(self) -> None:
        if self._watch is not None:
            os.close(self._watch)
            self._watch = None
            self._connection.close()


def _readable(watch: int, seconds: float | None) -> bool:
    poll = select.poll()
    poll.register(watch, select.POLLIN)
    return bool(poll.poll(None if seconds is None else seconds * 1000))
