"""Asking the background process for a kernel, and starting it if need be."""

import fcntl
import os
import select
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from typing import Any

from labs.kit.warm import inheritance, place, wire
from labs.kit.warm.process import Forked

PATIENCE = 60
"""Seconds to wait for a process that is still importing: it is as soon ready as an ordinary kernel would be."""

ATTEMPTS = 3
"""A process may have ended, or found itself stale, just as it was asked."""

ANSWER_SECONDS = 20
LISTEN_SECONDS = 20
START_SECONDS = 30
FAILED_SECONDS = 300
LOG_SECONDS = 7 * 24 * 3600

PROGRAM = "import os\nif os.fork(): os._exit(0)\nfrom labs.kit.warm.parent import main\nmain()"
"""What starts it: the first process ends at once, so that the second is nobody's child to be waited for."""


class Unavailable(Exception):
    """No kernel can be forked; the text says why."""


def idle_seconds() -> float:
    """Return after how many idle seconds a background process ends; `LABS_WARM_IDLE` sets them."""
    with suppress(ValueError):
        return max(float(os.environ.get("LABS_WARM_IDLE", "")), 1)
    return 1200


def most() -> int:
    """Return how many background processes a user may have; `LABS_WARM_MOST` sets it."""
    with suppress(ValueError):
        return int(os.environ.get("LABS_WARM_MOST", ""))
    return 3


def prepare(env: Mapping[str, str]) -> None:
    """See that a background process for the environment `env` runs or is starting, without waiting for it.

    Raises:
        Unavailable: it cannot be started.
        OSError: its folder cannot be used.
    """
    _connection(env).close()


def fork(arguments: list[str], env: dict[str, str], cwd: str, files: list[int], independent: bool) -> Forked:
    """Fork a kernel and return its process.

    Args:
        arguments: what an ordinary kernel's command would get, program first.
        env: all of its environment.
        cwd: its working directory.
        files: descriptors of its standard input, output and error.
        independent: whether it outlives this process.

    Raises:
        Unavailable: none can be forked.
        OSError: the background process cannot be reached.
    """
    request = {"do": "fork", "program": arguments[0], "argv": arguments[1:], "env": env, "cwd": cwd}
    request |= inheritance.mine()
    for _ in range(ATTEMPTS):
        connection = _connection(env)
        try:
            connection.settimeout(PATIENCE)
            wire.receive(connection)
            connection.settimeout(ANSWER_SECONDS)
            with ExitStack() as stack:
                ready, tell = os.pipe()
                stack.callback(os.close, ready)
                with ExitStack() as passed:
                    passed.callback(os.close, tell)
                    sent = [*files, tell]
                    if not independent:
                        sent.append(os.pidfd_open(os.getpid()))
                        passed.callback(os.close, sent[-1])
                    wire.send(connection, request, sent)
                answer, watches = wire.receive(connection)
                _await_end(ready)
        except (ConnectionError, TimeoutError) as error:
            connection.close()
            if isinstance(error, TimeoutError):
                raise Unavailable("the background process does not answer") from None
            continue  # it ended, idle, at this very moment; or it cannot import TensorFlow, and has noted so
        except BaseException:
            connection.close()
            raise
        if "pid" in answer:
            return Forked(answer["pid"], watches[0], connection, arguments)
        connection.close()
        if not answer["stale"]:
            raise Unavailable(answer["refused"])
    raise Unavailable("the background process ended before it answered")


def _await_end(ready: int) -> None:
    """Wait until the kernel listens: who connects earlier tries again only after a while that is longer."""
    poll = select.poll()
    poll.register(ready, select.POLLIN)
    poll.poll(LISTEN_SECONDS * 1000)


def _connection(env: Mapping[str, str]) -> socket.socket:
    """Connect to the background process for `env`, starting it where none listens."""
    folder, name = place.folder(), place.key(env)
    connection = place.connect(folder, name, ANSWER_SECONDS)
    if connection:
        return connection
    with _alone(folder):
        connection = place.connect(folder, name, ANSWER_SECONDS)
        if connection:
            return connection
        failure = failed(folder, name)
        if failure:
            raise Unavailable(failure)
        _make_room(folder, name)
        _start(folder, name, env)
        connection = place.connect(folder, name, ANSWER_SECONDS)
    if connection is None:
        raise Unavailable("the background process does not start")
    return connection


@contextmanager
def _alone(folder: Path) -> Iterator[None]:
    """Let one process at a time start a background process."""
    lock = os.open(folder / "lock", os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        end = time.monotonic() + START_SECONDS
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
                break
            except BlockingIOError:
                if time.monotonic() > end:
                    raise Unavailable(
                        "another start of a background process does not come to an end"
                    ) from None
                time.sleep(0.05)
        yield
    finally:
        os.close(lock)


def failed(folder: Path, name: str) -> str | None:
    """Return why a background process could not import TensorFlow a short while ago, or None."""
    note = folder / f"{name}.failed"
    with suppress(OSError):
        if 0 <= time.time() - note.stat().st_mtime < FAILED_SECONDS:
            return f"the background process could not import: {note.read_text('utf-8').strip()}"
        note.unlink()
    return None


def _make_room(folder: Path, name: str) -> None:
    """Remove what ended processes have left; end idle ones where there would be too many."""
    living = []
    for other in place.names(folder):
        if other == name:
            continue
        if asked(folder, other, {"do": "nothing"}, seconds=0) is None:
            (folder / f"{other}.socket").unlink(missing_ok=True)
        else:
            living.append(other)
    for log in folder.glob("*.log"):
        if log.stem not in living and time.time() - log.stat().st_mtime > LOG_SECONDS:
            log.unlink(missing_ok=True)
    over = len(living) + 1 - most()
    for other in living:
        if over > 0 and (asked(folder, other, {"do": "stop", "only_if_idle": True}, 1) or {}).get("stops"):
            over -= 1
    if over > 0:
        raise Unavailable(f"{most()} background processes with other settings have kernels open")


def asked(folder: Path, name: str, message: dict[str, Any], seconds: float) -> dict[str, Any] | None:
    """Return the answer of the background process `name`: empty if it is busy importing, None if it is gone.

    Args:
        folder: where its socket is.
        name: its name.
        message: what to ask; with 0 seconds it is not sent.
        seconds: how long to wait.
    """
    try:
        connection = place.connect(folder, name, max(seconds, 0.2))
        if connection is None:
            return None
        with connection:
            if not seconds:
                return {}
            wire.receive(connection)
            wire.send(connection, message)
            return wire.receive(connection)[0]
    except (OSError, ValueError):
        return {}


def _start(folder: Path, name: str, env: Mapping[str, str]) -> None:
    socket_file = folder / f"{name}.socket"
    socket_file.unlink(missing_ok=True)
    with ExitStack() as stack:
        listener = stack.enter_context(socket.socket(socket.AF_UNIX, socket.SOCK_STREAM))
        with place.address(folder, name) as short:
            listener.bind(short)
        socket_file.chmod(0o600)
        listener.listen(128)
        log = stack.enter_context(open(folder / f"{name}.log", "ab"))
        number = listener.fileno()
        try:
            subprocess.run(
                [sys.executable, "-c", PROGRAM, str(number), str(socket_file), str(idle_seconds())],
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                # A kernel's own: whoever reads them while importing would take them for every kernel.
                env={key: value for key, value in env.items() if not key.startswith(("JPY_", "PYTEST_"))},
                cwd=folder,
                pass_fds=[number],
                start_new_session=True,
                timeout=START_SECONDS,
                check=True,
            )
        except (OSError, subprocess.SubprocessError) as error:
            socket_file.unlink(missing_ok=True)
            raise Unavailable(f"the background process does not start: {error}") from None
