"""The room that student code is locked up in: what there is of the machine, and what one may do in it.

It is built from nothing: a root folder in memory to which only what Python and TensorFlow need is added, not to
be written to. What is not named here does not exist in it: no solution, no worked notebook, no answer, no
result, no home, no other submission, no network, no process of others.
"""

import os
import resource
import shutil
import sys
import sysconfig
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from labs.kit import paths
from labs.kit.course.locked import deny, syscalls
from labs.kit.errors import LabsError
from labs.kit.warm import preload

SYSTEM = ("/usr", "/bin", "/sbin", "/lib", "/lib32", "/lib64")
SETTINGS = ("alternatives", "fonts", "ld.so.cache", "ld.so.conf", "ld.so.conf.d", "localtime", "mime.types")
PACKAGES = ("site-packages", "dist-packages")
DEVICES = ("null", "zero", "full", "random", "urandom")
USER = 1000
"""Who one is inside; outside it is `NOBODY` for who started this as root, else who started it."""
NOBODY = 65534
HOME = "/tmp/home"
_NEW = "/sys"
"""Where the new root is built: a folder of which nothing is needed while that goes on."""


@dataclass(frozen=True)
class Furniture:
    """What of the machine is in the room.

    Attributes:
        shown: folders and files to be seen where they are, read-only.
        hidden: folders of which nothing is seen, even where one around them is shown.
        copied: the toolkit's own files, a copy of each.
    """

    shown: tuple[str, ...]
    hidden: tuple[str, ...]
    copied: tuple[str, ...]


def furniture() -> Furniture:
    """Return what Python, TensorFlow and the checks need of this machine."""
    python = {sys.prefix, sys.base_prefix, sys.exec_prefix, *sysconfig.get_paths().values()}
    here = str(paths.LABS.parent)
    needed = {*python, *(set(packages(sys.path)) - {here}), str(paths.data())}
    shown = {os.path.realpath(path) for path in needed if os.path.exists(path)}
    shown |= {path for path in python if os.path.isdir(path) and not os.path.islink(path)}
    checkout = [here] if (paths.ROOT / "pyproject.toml").exists() else []
    kit = [path for path in (paths.LABS / "kit").rglob("*.py") if "__pycache__" not in path.parts]
    copied = [str(path) for path in [paths.LABS / "__init__.py", *kit]]
    return Furniture(tuple(_outermost(shown)), (*checkout, str(paths.LABS)), tuple(copied))


def packages(places: Iterable[str]) -> list[str]:
    """Return those places of Python's path that hold installed packages alone.

    Whatever else `PYTHONPATH` and `.pth` files name may be a teacher's scripts, other submissions, results.
    """
    return [place for place in places if os.path.isabs(place) and Path(place).name in PACKAGES]


def _outermost(found: set[str]) -> list[str]:
    """Leave out what lies in another one of `found`, or in the system's own folders."""
    inside = lambda path, around: path == around or path.startswith(around.rstrip("/") + "/")  # noqa: E731
    left: list[str] = []
    for path in sorted(found):
        if not any(inside(path, around) for around in (*SYSTEM, *left)):
            left.append(path)
    return left


def obstacle() -> str:
    """Return why nothing can be locked up on this machine, as far as can be told without trying, or nothing."""
    if not sys.platform.startswith("linux"):
        return "it needs Linux"
    if not syscalls.known():
        return f"how to lock student code up on {syscalls.machine()} is not known"
    return ""


def enter(things: Furniture) -> None:
    """Go into a new room, for good. To be called by a process with one thread; its forks are inside too.

    Raises:
        OSError: the kernel or its settings do not allow it.
    """
    os.umask(0o022)
    preload.end_workers()
    _new_user()
    spaces = syscalls.NEWNS | syscalls.NEWNET | syscalls.NEWIPC | syscalls.NEWUTS | syscalls.NEWCGROUP
    syscalls.unshare(spaces | syscalls.NEWPID)
    syscalls.mount("none", "/", None, syscalls.REC | syscalls.PRIVATE)
    _build(things)


def _new_user() -> None:
    """Go into a namespace of users, in which root outside can become `NOBODY` and others stay who they are.

    Root keeps its own number there too, as long as it builds. A map with two users can only be written from
    outside, so a child does it.
    """
    user, group = os.geteuid(), os.getegid()
    if not _may_be_nobody(user):
        syscalls.unshare(syscalls.NEWUSER)
        _write_maps("self", f"{USER} {user} 1\n", f"{USER} {group} 1\n")
        return
    os.setgroups([])
    both = f"0 0 1\n{USER} {NOBODY} 1\n"
    parent = os.getpid()
    wait, entered = os.pipe()
    child = os.fork()
    if not child:
        code = 1
        with suppress(OSError):
            os.close(entered)
            os.read(wait, 1)
            _write_maps(str(parent), both, both)
            code = 0
        os._exit(code)
    os.close(wait)
    try:
        syscalls.unshare(syscalls.NEWUSER)
    finally:
        os.close(entered)
        _, status = os.waitpid(child, 0)
    if status:
        raise OSError("the new users could not be given numbers")


def _may_be_nobody(user: int) -> bool:
    """Tell whether this process may take on another user's number: it is root, and not of a namespace of one."""
    if user:
        return False
    numbers = [line.split() for line in Path("/proc/self/uid_map").read_text().splitlines()]
    return any(int(first) <= NOBODY < int(first) + int(count) for first, _, count in numbers)


def _write_maps(process: str, users: str, groups: str) -> None:
    Path(f"/proc/{process}/setgroups").write_text("deny")
    Path(f"/proc/{process}/gid_map").write_text(groups)
    Path(f"/proc/{process}/uid_map").write_text(users)


def become_user() -> None:
    """Be `USER` and nobody else from now on, but keep the rights inside the room, to furnish smaller ones."""
    syscalls.prctl(syscalls.KEEPCAPS, 1)
    syscalls.prctl(syscalls.SECUREBITS, 1 << 2)  # changing the user takes no right away
    os.setresgid(USER, USER, USER)
    os.setresuid(USER, USER, USER)
    _own_entry()


def _own_entry() -> None:
    """Make this process's entries in `/proc` its user's again: the kernel takes them away at a change of user."""
    syscalls.prctl(syscalls.DUMPABLE, 1)


def _build(things: Furniture) -> None:
    syscalls.mount("room", _NEW, "tmpfs", syscalls.NOSUID | syscalls.NODEV, "mode=755,size=64m,nr_inodes=16k")
    for path in SYSTEM:
        _show(path)
    places = [(path, _show) for path in things.shown] + [(path, _hide) for path in things.hidden]
    for path, put in sorted(places, key=lambda place: (place[0], place[1] is _show)):
        put(path)
    for path in things.copied:
        os.makedirs(os.path.dirname(_NEW + path), exist_ok=True)
        shutil.copyfile(path, _NEW + path)
    for name in SETTINGS:
        _show(f"/etc/{name}")
    _write("/etc/passwd", f"student:x:{USER}:{USER}::{HOME}:/bin/sh\n")
    _write("/etc/group", f"student:x:{USER}:\n")
    _write("/etc/hosts", "127.0.0.1 localhost\n")
    for name in DEVICES:
        _write(f"/dev/{name}", "")
        syscalls.bind(f"/dev/{name}", f"{_NEW}/dev/{name}", writable=True)
    os.symlink("/proc/self/fd", f"{_NEW}/dev/fd")
    os.symlink("/tmp/shm", f"{_NEW}/dev/shm")
    for name in ("tmp", "proc", "old"):
        os.makedirs(f"{_NEW}/{name}", exist_ok=True)
    os.chdir(_NEW)
    syscalls.pivot_root(".", "old")
    os.chdir("/")


def close() -> None:
    """Shut the door: let the old root go and make the new one read-only; from inside the new process namespace."""
    syscalls.read_only("/")
    syscalls.mount("proc", "/proc", "proc", syscalls.NOSUID | syscalls.NODEV | syscalls.NOEXEC)
    syscalls.unmount("/old")
    own_files(64 << 20)
    become_user()


def cover(folder: str) -> None:
    """Let a folder be empty from now on."""
    syscalls.mount(
        "hidden", folder, "tmpfs", syscalls.NOSUID | syscalls.NODEV | syscalls.RDONLY, "mode=755,size=64k"
    )


def own_files(size: int) -> None:
    """Give this process and its forks a home and a place for files of their own, empty, in memory.

    Args:
        size: bytes that fit in.
    """
    options = f"mode=1777,size={size},nr_inodes=8k"
    here = os.getcwd()
    kept = {name: os.open(f"/tmp/{name}", os.O_PATH | os.O_DIRECTORY) for name in _kept_in_tmp()}
    syscalls.mount("tmp", "/tmp", "tmpfs", syscalls.NOSUID | syscalls.NODEV, options)
    for name, folder in kept.items():
        os.mkdir(f"/tmp/{name}")
        os.fchdir(folder)
        syscalls.bind(".", f"/tmp/{name}")
        os.close(folder)
    os.chdir(here)
    for name in (HOME, "/tmp/shm"):
        os.mkdir(name)
        os.chmod(name, 0o777)


@cache
def _kept_in_tmp() -> tuple[str, ...]:
    """Return what stood in the room's `/tmp` from the first: the labs or their Python, if they are kept there."""
    return tuple(name for name in sorted(os.listdir("/tmp")) if os.path.isdir(f"/tmp/{name}"))


def own_processes() -> None:
    """Show in `/proc` only what this process, the first of its namespace, will start."""
    syscalls.mount("proc", "/proc", "proc", syscalls.NOSUID | syscalls.NODEV | syscalls.NOEXEC)


def _write(path: str, text: str) -> None:
    os.makedirs(os.path.dirname(_NEW + path), exist_ok=True)
    Path(_NEW + path).write_text(text)


def _show(path: str) -> None:
    if os.path.islink(path):
        if not os.path.lexists(_NEW + path):
            os.makedirs(os.path.dirname(_NEW + path), exist_ok=True)
            os.symlink(os.readlink(path), _NEW + path)
        return
    if os.path.isdir(path):
        os.makedirs(_NEW + path, exist_ok=True)
    elif os.path.exists(path):
        _write(path, "")
    else:
        return
    syscalls.bind(path, _NEW + path)


def _hide(path: str) -> None:
    """Cover a folder that one around it has brought in; elsewhere there is nothing to cover."""
    if os.path.isdir(_NEW + path) and os.path.lexists(_NEW + path):
        syscalls.mount("hidden", _NEW + path, "tmpfs", syscalls.NOSUID | syscalls.NODEV, "mode=755,size=64m")


def refuse(why: str) -> LabsError:
    """Return the error that says that student code cannot be locked up here."""
    return LabsError(
        f"Student code cannot be locked up on this machine: {why}. "
        "With `--no-sandbox` it runs all the same, and may then do whatever you yourself may."
    )


def limit(memory: int, disk: int, processes: int | None, seconds: int) -> None:
    """Set this process's limits, for good; after `lock`, so that nobody else's processes count.

    Args:
        memory: bytes of its own, beyond what it has already.
        disk: bytes of one file.
        processes: processes and threads of this user in this room; no limit if not given.
        seconds: of processor time.
    """
    has = int(Path("/proc/self/statm").read_text().split()[5]) * resource.getpagesize()
    for kind, value in (
        (resource.RLIMIT_DATA, has + memory),
        (resource.RLIMIT_FSIZE, disk),
        (resource.RLIMIT_NPROC, processes),
        (resource.RLIMIT_CPU, seconds),
        (resource.RLIMIT_NOFILE, 1024),
        (resource.RLIMIT_CORE, 0),
        (resource.RLIMIT_MEMLOCK, 0),
        (resource.RLIMIT_MSGQUEUE, 0),
    ):
        if value is not None:
            resource.setrlimit(kind, (value, value))


def lock() -> None:
    """Give up all rights, in a namespace of one's own."""
    syscalls.unshare(syscalls.NEWUSER)
    _own_entry()
    same = f"{USER} {USER} 1\n"
    _write_maps("self", same, same)
    syscalls.drop_capabilities()
    deny.install()
