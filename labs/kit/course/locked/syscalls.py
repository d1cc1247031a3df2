"""The few calls to the kernel that Python 3.11 does not offer, by their names in Linux' manual pages."""

import ctypes
import os
import platform
import struct

NEWNS, NEWCGROUP, NEWUTS, NEWIPC = 0x00020000, 0x02000000, 0x04000000, 0x08000000
NEWUSER, NEWPID, NEWNET, NEWTIME = 0x10000000, 0x20000000, 0x40000000, 0x00000080
NAMESPACES = NEWNS | NEWCGROUP | NEWUTS | NEWIPC | NEWUSER | NEWPID | NEWNET | NEWTIME

NOSUID, NODEV, NOEXEC, RDONLY, BIND, REC, PRIVATE = 2, 4, 8, 1, 4096, 16384, 1 << 18
DETACH = 2

PDEATHSIG, DUMPABLE, KEEPCAPS, NO_NEW_PRIVS, CAPBSET_DROP, SECUREBITS = 1, 4, 8, 38, 24, 28
SECCOMP, SECCOMP_FILTER = 22, 2

_NUMBERS = {
    "x86_64": {"pivot_root": 155, "mount_setattr": 442},
    "aarch64": {"pivot_root": 41, "mount_setattr": 442},
}
_AT_FDCWD, _AT_RECURSIVE = -100, 0x8000
_ATTR_RDONLY, _ATTR_NOSUID, _ATTR_NODEV = 1, 2, 4
_CAPABILITY_VERSION_3 = 0x20080522

_libc = ctypes.CDLL(None, use_errno=True)


def machine() -> str:
    """Return the processor's architecture as the kernel names it."""
    return platform.machine()


def known() -> bool:
    """Tell whether this architecture's calls are known here."""
    return machine() in _NUMBERS


def unshare(flags: int) -> None:
    """Leave namespaces for new ones."""
    _checked(_libc.unshare(ctypes.c_int(flags)), "unshare")


def mount(source: str, target: str, kind: str | None, flags: int, options: str = "") -> None:
    """Make a file system, or a folder seen elsewhere, visible at `target`."""
    arguments = (source.encode(), target.encode(), kind.encode() if kind else None)
    _checked(_libc.mount(*arguments, ctypes.c_ulong(flags), options.encode() or None), f"mount {target}")


def bind(source: str, target: str, writable: bool = False) -> None:
    """Show `source` with all that is mounted below it at `target` as well; nothing in it may be a device."""
    mount(source, target, None, BIND | REC)
    _attributes(target, _ATTR_NOSUID | (0 if writable else _ATTR_RDONLY | _ATTR_NODEV))


def read_only(target: str) -> None:
    """Let nobody write to `target` and what is mounted below it; devices are not files."""
    _attributes(target, _ATTR_RDONLY)


def _attributes(target: str, attributes: int) -> None:
    packed = struct.pack("QQQQ", attributes, 0, 0, 0)
    number = _NUMBERS[machine()]["mount_setattr"]
    result = _libc.syscall(
        ctypes.c_long(number),
        ctypes.c_int(_AT_FDCWD),
        target.encode(),
        ctypes.c_uint(_AT_RECURSIVE),
        packed,
        ctypes.c_size_t(len(packed)),
    )
    _checked(result, f"mount_setattr {target}")


def unmount(target: str) -> None:
    """Take a mount away, even where it is in use."""
    _checked(_libc.umount2(target.encode(), DETACH), f"umount {target}")


def pivot_root(new: str, old: str) -> None:
    """Make `new` the root folder and show the old one at `old`."""
    number = _NUMBERS[machine()]["pivot_root"]
    _checked(_libc.syscall(ctypes.c_long(number), new.encode(), old.encode()), "pivot_root")


def prctl(option: int, *arguments: int) -> int:
    """Set something about this process."""
    padded = [*arguments, 0, 0, 0, 0][:4]
    result = _libc.prctl(ctypes.c_int(option), *(ctypes.c_ulong(one) for one in padded))
    return _checked(result, f"prctl {option}")


def drop_capabilities() -> None:
    """Give up every right beyond an ordinary user's, for good."""
    for capability in range(64):
        if _libc.prctl(CAPBSET_DROP, ctypes.c_ulong(capability), 0, 0, 0):
            break
    header = struct.pack("II", _CAPABILITY_VERSION_3, 0)
    _checked(_libc.capset(header, b"\0" * 24), "capset")
    prctl(NO_NEW_PRIVS, 1)


def _checked(result: int, what: str) -> int:
    if result < 0:
        number = ctypes.get_errno()
        raise OSError(number, f"{what}: {os.strerror(number)}")
    return result
