"""The process that has imported TensorFlow inside the room, and forks a locked-up process for each that is asked for.

It has one thread and runs no op: only such a process can be forked safely. It never runs student code.
"""

import array
import gc
import json
import os
import select
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from labs.kit.course.locked import room
from labs.kit.course.locked.warden import Limits, look_after

AHEAD = (
    "tensorflow",
    "keras",
    "numpy.random",
    "matplotlib.pyplot",
    "matplotlib.backends.backend_agg",
    "IPython",
)
ENVIRONMENT = {
    "PATH": "/usr/local/bin:/usr/bin:/bin",
    "HOME": room.HOME,
    "LANG": "C.UTF-8",
    "TF_CPP_MIN_LOG_LEVEL": "3",
    "KERAS_BACKEND": "tensorflow",
    "CUDA_VISIBLE_DEVICES": "-1",
    "MPLBACKEND": "agg",
    "MPLCONFIGDIR": f"{room.HOME}/.matplotlib",
    "PYTHONDONTWRITEBYTECODE": "1",
}


def main() -> None:
    """Enter the room, import, and serve the socket whose number the command line gives."""
    number, locked = int(sys.argv[1]), sys.argv[2] == "locked"
    server = socket.socket(fileno=number)
    try:
        if locked:
            things = room.furniture()
            room.enter(things)
            child = os.fork()
            if child:
                server.close()
                _, status = os.waitpid(child, 0)
                os._exit(os.waitstatus_to_exitcode(status) & 0xFF)
            room.close()
    except OSError as error:
        _say(server, {"refused": str(error)})
        os._exit(1)
    try:
        roles = _import()
    except ImportError as error:
        _say(server, {"failed": str(error)})
        os._exit(1)
    _say(server, {"ready": os.getpid()})
    _serve(server, roles, locked)


def _import() -> dict[str, Callable[[socket.socket], None]]:
    """Import what student code and the grader use, and arrange memory so that forks share it."""
    import importlib

    from labs.kit import quiet
    from labs.kit.warm.preload import end_workers

    # jsonschema imports it eagerly for a check that is not used here, and it takes seconds.
    sys.modules.setdefault("rfc3987_syntax", None)
    quiet.tensorflow()
    for name in AHEAD:
        importlib.import_module(name)
    from labs.kit.course.locked import clerk, observer

    roles = {"observer": observer.prepare(), "clerk": clerk.main}
    _let_nobody_import("labs.kit.course")
    end_workers()
    gc.collect()
    gc.freeze()
    return roles


def _let_nobody_import(package: str) -> None:
    """Take the grader's modules out of the list of modules, and in the room also their files out of sight."""
    for name in [name for name in sys.modules if name == package or name.startswith(f"{package}.")]:
        del sys.modules[name]
    around, _, short = package.rpartition(".")
    delattr(sys.modules[around], short)
    if sys.argv[2] == "locked":
        room.cover(os.path.join(os.path.dirname(sys.modules[around].__file__), short))


def _serve(server: socket.socket, roles: dict[str, Callable[[socket.socket], None]], locked: bool) -> None:
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # So that a fork's end wakes the wait for messages, and leaves no process behind.
    wake, alarm = os.pipe()
    os.set_blocking(alarm, False)
    os.set_blocking(wake, False)
    signal.signal(signal.SIGCHLD, lambda *_: None)
    signal.set_wakeup_fd(alarm, warn_on_full_buffer=False)
    poll = select.poll()
    poll.register(server, select.POLLIN)
    poll.register(wake, select.POLLIN)
    while True:
        ready = {file for file, _ in poll.poll()}
        if wake in ready:
            with suppress(BlockingIOError):
                os.read(wake, 4096)
            _reap()
        if server.fileno() not in ready:
            continue
        message, files = _receive(server)
        if message is None:
            os._exit(0)
        if not os.fork():
            signal.set_wakeup_fd(-1)
            signal.signal(signal.SIGCHLD, signal.SIG_DFL)
            _become(message, files, roles, locked)
        for file in files:
            os.close(file)


def _become(message: dict[str, Any], files: list[int], roles: dict[str, Any], locked: bool) -> None:
    channel, control = (socket.socket(fileno=file) for file in files)
    nothing = os.open("/dev/null", os.O_RDWR)
    os.dup2(nothing, 0)
    os.dup2(nothing, 1)
    _close_all_but({0, 1, 2, channel.fileno(), control.fileno()})

    def work() -> None:
        control.close()
        os.dup2(1, 2)
        if message["cores"]:
            os.sched_setaffinity(0, message["cores"])
        gc.enable()
        sys.modules["numpy"].random.seed()
        roles[message["role"]](channel)

    look_after(work, Limits(**message["limits"]), control, locked)


def _close_all_but(kept: set[int]) -> None:
    before = 0
    for file in sorted(kept):
        if file > before:  # an empty range would be taken for one without end
            os.closerange(before, file)
        before = file + 1
    os.closerange(before, os.sysconf("SC_OPEN_MAX"))


def _reap() -> None:
    with suppress(ChildProcessError):
        while os.waitpid(-1, os.WNOHANG)[0]:
            pass


def _say(server: socket.socket, message: dict[str, Any]) -> None:
    with suppress(OSError):
        server.sendall(json.dumps(message).encode("utf-8"))


def _receive(server: socket.socket) -> tuple[dict[str, Any] | None, list[int]]:
    """Return a message and the descriptors that came with it; no message once the other end is gone."""
    data, sent, _, _ = server.recvmsg(65536, socket.CMSG_SPACE(16))
    files = array.array("i")
    for level, kind, content in sent:
        if (level, kind) == (socket.SOL_SOCKET, socket.SCM_RIGHTS):
            files.frombytes(content[: len(content) - len(content) % files.itemsize])
    return (json.loads(data) if data else None), list(files)


if __name__ == "__main__":
    main()
