"""Where the background processes have their sockets, and which of them a kernel can be forked from."""

import hashlib
import json
import os
import socket
import stat
import sys
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path

import platformdirs

from labs.kit import paths
from labs.kit.warm import inheritance
from labs.kit.warm.variables import before_import
from labs.kit.warm.wire import PROTOCOL


def folder() -> Path:
    """Return the folder of the sockets, made if need be; only this user can look into it.

    `LABS_WARM_FOLDER` overrides the place that platformdirs gives for this operating system.

    Raises:
        OSError: it cannot be made, or it is not this user's alone.
    """
    chosen = os.environ.get("LABS_WARM_FOLDER")
    place = Path(chosen) if chosen else _user_folder()
    place.mkdir(mode=0o700, parents=True, exist_ok=True)
    found = place.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid():
        raise PermissionError(f"{place} does not belong to this user")
    if stat.S_IMODE(found.st_mode) & 0o077:
        # Not closed here: a folder named by mistake, such as the one for temporary files, would be for others.
        raise PermissionError(f"{place} is open to other users")
    return place


def _user_folder() -> Path:
    # Elsewhere platformdirs falls back to a place shared by all, which another user could have taken first.
    if os.environ.get("XDG_RUNTIME_DIR") or os.path.isdir(f"/run/user/{os.getuid()}"):
        return platformdirs.user_runtime_path(paths.APP, appauthor=False) / "warm"
    return platformdirs.user_cache_path(paths.APP, appauthor=False) / "warm"


def key(env: Mapping[str, str]) -> str:
    """Return the name of the background process that kernels with the environment `env` are forked from."""
    parts = [
        PROTOCOL,
        sys.executable,
        sys.version,
        str(paths.LABS),
        before_import(env),
        _relative_to(env),
        inheritance.fixed(),
    ]
    return hashlib.sha256(json.dumps(parts).encode()).hexdigest()[:16]


def _relative_to(env: Mapping[str, str]) -> str:
    """Return the working directory where the interpreter's own search path depends on it."""
    entries = env.get("PYTHONPATH", "").split(os.pathsep) if env.get("PYTHONPATH") else []
    return "" if all(map(os.path.isabs, entries)) else os.getcwd()


@contextmanager
def address(place: Path, name: str) -> Iterator[str]:
    """Give an address for the socket `name` in `place` that is short enough however long the path is."""
    opened = os.open(place, os.O_PATH | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{opened}/{name}.socket"
    finally:
        os.close(opened)


def connect(place: Path, name: str, seconds: float) -> socket.socket | None:
    """Connect to the background process `name`, or return None where none listens.

    Raises:
        OSError: it cannot be reached for another reason.
    """
    connection = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    connection.settimeout(seconds)
    try:
        with address(place, name) as short:
            connection.connect(short)
    except (FileNotFoundError, ConnectionRefusedError):
        connection.close()
        return None
    except BaseException:
        connection.close()
        raise
    return connection


def names(place: Path) -> list[str]:
    """Return the names of the sockets in `place`, the one used longest ago first; some may be left over."""
    found = []
    for path in place.glob("*.socket"):
        try:
            found.append((path.stat().st_mtime, path.stem))
        except FileNotFoundError:
            continue
    return [name for _, name in sorted(found)]
