"""Ask for locked-up processes: one nursery for this process and all its threads."""

import array
import atexit
import itertools
import json
import os
import socket
import subprocess
import sys
import threading
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from labs.kit import paths
from labs.kit.course.locked import room
from labs.kit.course.locked.frames import Channel, FrameError
from labs.kit.course.locked.nursery import ENVIRONMENT
from labs.kit.course.locked.warden import Limits
from labs.kit.errors import LabsError

START_SECONDS = 180
TRY_SECONDS = 60
CORES_EACH = 2
END_SECONDS = 10


@dataclass
class Held:
    """A locked-up process.

    Attributes:
        channel: speaks with it.
    """

    channel: Channel
    _control: socket.socket

    def leave(self) -> None:
        """End it with all that it has started, without waiting to hear how."""
        self.channel.close()
        self._control.close()

    def end(self) -> dict[str, Any]:
        """End it with all that it has started, and return how it ended: `why`, `status`, `memory`.

        `why` is "told" if it would have gone on, else what ended it: "exit", "signal", "memory", "processes", "time",
        "disk", "tampering", "killed" by somebody outside, "could not start: ...", or "lost" where nobody can tell.
        """
        report = {"why": "lost", "status": 1, "memory": 0}
        with suppress(OSError, ValueError):
            # What has ended by itself has said why, or is about to.
            self._control.settimeout(0.05)
            data = _line(self._control)
            if not data:
                self._control.shutdown(socket.SHUT_WR)
                self._control.settimeout(END_SECONDS)
                data = _line(self._control)
            report |= json.loads(data)
        self.channel.close()
        self._control.close()
        return report


def _line(stream: socket.socket) -> bytes:
    data = b""
    with suppress(TimeoutError):
        while not data.endswith(b"\n"):
            part = stream.recv(4096)
            if not part:
                break
            data += part
    return data


class Ended(LabsError):
    """The process that others are forked from has ended."""


class Nursery:
    """The process that others are forked from.

    Args:
        locked: whether what it forks is locked up.

    Attributes:
        locked: the same.
        closed: whether this process has closed it.

    Raises:
        LabsError: nothing can be locked up here, or TensorFlow cannot be imported.
    """

    def __init__(self, locked: bool):
        if not sys.platform.startswith("linux"):
            raise LabsError(
                "Grading forks processes that have imported TensorFlow and locks them up, which works on Linux only: "
                "use a machine, a container or a WSL with Linux."
            )
        self.locked, self.closed, self._broken = locked, False, False
        if locked and room.obstacle():
            raise room.refuse(room.obstacle())
        self._lock = threading.Lock()
        self._turn = itertools.count()
        self._cores = sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []
        self._server, theirs = socket.socketpair(socket.AF_UNIX, socket.SOCK_SEQPACKET)
        environment = {**ENVIRONMENT, "PYTHONPATH": _path()}
        command = [sys.executable, "-P", "-s", "-m", "labs.kit.course.locked.nursery"]
        with theirs:
            self._process = subprocess.Popen(
                [*command, str(theirs.fileno()), "locked" if locked else "open"],
                pass_fds=[theirs.fileno()],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.DEVNULL,
                stderr=subprocess.PIPE,
                env=environment,
                cwd="/",
                start_new_session=True,
            )
        self._said = b""
        self._reader = threading.Thread(target=self._listen, daemon=True)
        self._reader.start()
        self._wait()
        self._try()

    def _listen(self) -> None:
        for line in self._process.stderr:
            self._said = (self._said + line)[-4000:]

    def _wait(self) -> None:
        self._server.settimeout(START_SECONDS)
        try:
            data = self._server.recv(65536)
        except TimeoutError:
            data = b""
        message = json.loads(data) if data else {}
        if "ready" in message:
            self._server.settimeout(None)
            return
        self.close()
        if "refused" in message:
            raise room.refuse(f"the kernel or its settings do not allow it ({message['refused']})")
        said = self._said.decode("utf-8", "replace").strip().splitlines()
        why = message.get("failed") or (said[-1] if said else "it ended without a word")
        raise LabsError(f"The process that student code is run in could not start: {why}. Try `labs doctor`.")

    def _try(self) -> None:
        """Lock one process up for nothing: what does not work here must not look like a student's fault."""
        held = self.ask("observer", Limits(memory=1 << 29, disk=1 << 20, processes=64, seconds=60))
        try:
            held.channel.send(
                {"do": "cell", "name": "1", "source": "", "trusted": True, "token": ""}, TRY_SECONDS
            )
            held.channel.receive(TRY_SECONDS)
        except (TimeoutError, EOFError, FrameError):
            why = held.end()["why"]
            self.close()
            said = self._said.decode("utf-8", "replace").strip().splitlines()
            raise room.refuse(f"a first process did not come up ({said[-1] if said else why})") from None
        held.leave()

    def ask(self, role: str, limits: Limits) -> Held:
        """Return a new locked-up process.

        Args:
            role: "observer" or "clerk".
            limits: what it may take.

        Raises:
            Ended: this process has ended; `shared` starts another.
        """
        mine, theirs = socket.socketpair()
        control, far = socket.socketpair()
        message = {"role": role, "limits": limits.as_dict(), "cores": self._some_cores()}
        files = array.array("i", [theirs.fileno(), far.fileno()])
        with theirs, far, self._lock:
            try:
                self._server.sendmsg(
                    [json.dumps(message).encode("ascii")], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, files)]
                )
            except OSError:
                self._broken = True
                mine.close()
                control.close()
                raise Ended("The process that student code is run in has ended; start again.") from None
        return Held(Channel(mine, largest=40 << 20), control)

    def _some_cores(self) -> list[int]:
        """Return the cores of the next process: a few, so that TensorFlow makes as many threads everywhere."""
        count, turn = len(self._cores), next(self._turn)
        return (
            sorted({self._cores[(turn * CORES_EACH + n) % count] for n in range(CORES_EACH)}) if count else []
        )

    @property
    def ended(self) -> bool:
        """Whether nothing can be asked of it any more."""
        return self.closed or self._broken or self._process.poll() is not None

    def close(self) -> None:
        """End it and all that it has forked."""
        self.closed = True
        self.clear()

    def clear(self) -> None:
        """End what may be left of it."""
        self._server.close()
        try:
            self._process.wait(END_SECONDS)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
        self._reader.join(1)
        self._process.stderr.close()


def _path() -> str:
    """Return where the nursery looks for the labs and for packages: `PYTHONPATH` may name much else."""
    given = os.environ.get("PYTHONPATH", "").split(os.pathsep)
    return os.pathsep.join([str(paths.LABS.parent), *room.packages(given)])


_nurseries: dict[bool, Nursery] = {}
_making = threading.Lock()


def shared(locked: bool) -> Nursery:
    """Return this process's nursery, started if there is none or if it has died.

    Raises:
        LabsError: nothing can be locked up here, or TensorFlow cannot be imported.
    """
    with _making:
        known = _nurseries.get(locked)
        if known is None or known.ended:
            if known:
                known.clear()
            _nurseries[locked] = Nursery(locked)
        return _nurseries[locked]


@atexit.register
def close() -> None:
    """End this process's nurseries."""
    with _making:
        while _nurseries:
            _nurseries.popitem()[1].close()
