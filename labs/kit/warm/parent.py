"""The background process: imports TensorFlow once, and forks a kernel for each that asks.

It is started by `client`, with its listening socket as a file that it inherits, so that who asks while it is
still importing waits in that socket's queue. It has one thread, and never runs an op: only such a process
can be forked safely.
"""

import os
import selectors
import signal
import socket
import sys
import time
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labs.kit.warm import child, wire
from labs.kit.warm.freshness import Freshness
from labs.kit.warm.log import Log
from labs.kit.warm.memory import memory
from labs.kit.warm.preload import has_run_ops, preload, threads

ASKING_SECONDS = 5
"""For one message of someone who has connected: they have it ready, so a longer wait would be for nothing."""


@dataclass
class Kernel:
    """A forked kernel.

    Attributes:
        pid: its process.
        watch: a descriptor that becomes readable when it ends.
        connection: who asked for it; None once they have gone.
        began: when it was forked, in seconds since the epoch.
    """

    pid: int
    watch: int
    connection: socket.socket | None
    began: float = field(default_factory=time.time)


class Parent:
    """Answers those who connect, one message at a time.

    Args:
        listener: the listening socket.
        path: its file, removed at the end.
        idle: seconds without kernels after which the process ends.
        freshness: what it is made of.
        log: where to say what happens.
    """

    def __init__(self, listener: socket.socket, path: Path, idle: float, freshness: Freshness, log: Log):
        self._listener: socket.socket | None = listener
        self._path, self._inode = path, _inode(path)
        self._idle, self._freshness, self._log = idle, freshness, log
        self._kernels: dict[int, Kernel] = {}
        self._guests: set[socket.socket] = set()
        self._forks = 0
        self._began = time.time()
        self._asked = time.monotonic()
        self._stopped = False
        self._libraries = _open_files() - {listener.fileno()}
        self._selector = selectors.DefaultSelector()
        self._selector.register(listener, selectors.EVENT_READ, self._welcome)

    def serve(self) -> "child.Birth | None":
        """Serve until stopped or idle, and return None; in a fork, return what it is to become."""
        listener = self._listener
        listener.settimeout(ASKING_SECONDS)
        while not self._stopped and not self._is_done():
            for key, _ in self._selector.select(min(self._idle, 60)):
                # What came before in the same round may have ended this one.
                if key.fileobj in self._selector.get_map():
                    birth = key.data(key.fileobj)
                    if birth:
                        return birth
        self._retire("idle")
        return None

    def stop(self, *_: Any) -> None:
        """End at once; kernels live on."""
        self._retire("told to end")
        os._exit(0)

    def _is_done(self) -> bool:
        if self._kernels or self._guests:
            return False
        return self._listener is None or time.monotonic() - self._asked > self._idle

    def _retire(self, why: str) -> None:
        """Stop listening; kernels that run are still reported."""
        if self._listener is None:
            return
        self._log(f"listens no more: {why}")
        if _inode(self._path) == self._inode:
            self._path.unlink(missing_ok=True)
        self._selector.unregister(self._listener)
        self._listener.close()
        self._listener = None

    def _welcome(self, listener: socket.socket) -> None:
        with suppress(OSError):
            connection, _ = listener.accept()
            if not wire.peer_is_me(connection):
                connection.close()
                return
            connection.settimeout(ASKING_SECONDS)
            try:
                wire.send(connection, {"pid": os.getpid()})
            except OSError:
                connection.close()
                return
            self._guests.add(connection)
            self._selector.register(connection, selectors.EVENT_READ, self._hear)

    def _hear(self, connection: socket.socket) -> "child.Birth | None":
        files: list[int] = []
        try:
            message, files = wire.receive(connection)
            if message["do"] == "fork":
                return self._fork(connection, message, files)
            wire.send(connection, self._answer(message))
        except wire.Closed:
            self._leave(connection)
        except (OSError, ValueError, KeyError, TypeError) as error:
            self._log(f"could not answer: {error!r}")
            self._leave(connection)
        finally:
            for file in files:
                with suppress(OSError):
                    os.close(file)
        return None

    def _leave(self, connection: socket.socket) -> None:
        self._guests.discard(connection)
        for kernel in self._kernels.values():
            if kernel.connection is connection:
                kernel.connection = None
        with suppress(KeyError, ValueError):
            self._selector.unregister(connection)
        connection.close()

    def _answer(self, message: dict[str, Any]) -> dict[str, Any]:
        if message["do"] == "status":
            return self._status()
        if message["do"] == "stop":
            if message.get("only_if_idle") and self._kernels:
                return {"stops": False}
            self._stopped = True
            # Before the answer: who hears it may start another at once, and must not reach this process.
            self._retire("stopped")
            return {"stops": True}
        raise ValueError(f"unknown message {message['do']!r}")

    def _status(self) -> dict[str, Any]:
        return {
            "pid": os.getpid(),
            "began": self._began,
            "forks": self._forks,
            "idle_seconds": time.monotonic() - self._asked,
            "threads": threads(),
            "has_run_ops": has_run_ops(),
            "files": len(_open_files()),
            "memory": memory(os.getpid()),
            "kernels": [
                {"pid": kernel.pid, "began": kernel.began, "memory": memory(kernel.pid)}
                for kernel in self._kernels.values()
            ],
        }

    def _refusal(self) -> tuple[str, bool] | None:
        """Return why no kernel may be forked, and whether another process in this one's place could."""
        changed = self._freshness.changed()
        if changed:
            return f"{changed} has changed", True
        if threads() > 1 or has_run_ops():
            return "the background process has more than one thread or has run an op", True
        return None

    def _fork(
        self, connection: socket.socket, message: dict[str, Any], files: list[int]
    ) -> "child.Birth | None":
        refusal = self._refusal()
        if refusal:
            why, stale = refusal
            self._log(f"refuses: {why}")
            if stale:
                # Before the answer: who hears it asks again at once, and must not reach this process.
                self._retire(why)
            wire.send(connection, {"refused": why, "stale": stale})
            return None
        ready, tell = os.pipe()
        pid = os.fork()
        if not pid:
            os.close(ready)
            return self._become(message, files, tell)
        os.close(tell)
        # The number is told when the child leads its own group: a signal to the group must not come here.
        with os.fdopen(ready, "rb") as pipe:
            pipe.read(1)
        watch = os.pidfd_open(pid)
        self._forks += 1
        self._asked = time.monotonic()
        self._guests.discard(connection)
        self._kernels[pid] = Kernel(pid, watch, connection)
        self._selector.register(watch, selectors.EVENT_READ, lambda _: self._bury(pid))
        try:
            wire.send(connection, {"pid": pid}, [watch])
        except OSError:
            # They have given up and start another kernel on the same ports.
            os.kill(pid, signal.SIGKILL)
            raise
        self._log(f"forked {pid}")
        return None

    def _become(self, message: dict[str, Any], files: list[int], tell: int) -> "child.Birth":
        """Let go, in the fork, of everything that is the background process's."""
        try:
            self._selector.close()
            self._listener.close()
            for connection in [*self._guests, *(kernel.connection for kernel in self._kernels.values())]:
                if connection:
                    connection.close()
            listens, *owner = child.settle(files, tell, keep=self._libraries)
            return child.Birth(message, listens, owner[0] if owner else None)
        except BaseException as error:
            self._log(f"a fork cannot settle: {error!r}")
            # Never back into the loop of the background process, of which this is a copy.
            os._exit(1)

    def _bury(self, pid: int) -> None:
        """Reap a kernel that has ended and report its status."""
        kernel = self._kernels.pop(pid)
        self._selector.unregister(kernel.watch)
        os.close(kernel.watch)
        _, status = os.waitpid(pid, 0)
        self._asked = time.monotonic()
        self._log(f"{pid} ended: {os.waitstatus_to_exitcode(status)}")
        connection = kernel.connection
        if connection:
            with suppress(OSError):
                wire.send(connection, {"status": os.waitstatus_to_exitcode(status)})
            self._leave(connection)


def _inode(path: Path) -> int | None:
    with suppress(OSError):
        return path.stat().st_ino
    return None


def _open_files() -> set[int]:
    """Return the descriptors beyond the three standard ones."""
    listed = {int(name) for name in os.listdir("/proc/self/fd")}
    return {file for file in listed if file > 2 and _is_open(file)}


def _is_open(file: int) -> bool:
    try:
        os.fstat(file)
    except OSError:
        return False
    return True


def main() -> None:
    """Import, serve, and in a fork become a kernel.

    The command line gives the listening descriptor, the socket's path and the idle seconds.
    """
    began = time.time_ns()
    # As in an ordinary kernel, nothing is imported from the folder in which it happens to be started.
    if sys.path[:1] == [""]:
        del sys.path[0]
    listener = socket.socket(fileno=int(sys.argv[1]))
    listener.set_inheritable(False)
    path, idle = Path(sys.argv[2]), float(sys.argv[3])
    log = Log()
    for number in (signal.SIGINT, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    try:
        changes = preload()
        parent = Parent(listener, path, idle, Freshness(began), log)
    except BaseException as error:
        with suppress(OSError):
            path.with_suffix(".failed").write_text(f"{error}\n", "utf-8")
        path.unlink(missing_ok=True)
        log(f"cannot import: {error!r}")
        raise
    log(f"listens after {(time.time_ns() - began) / 1e9:.1f} s")
    signal.signal(signal.SIGTERM, parent.stop)
    birth = parent.serve()
    if birth:
        del parent, listener
        child.run(birth, changes)
