"""A filter in the kernel that refuses system calls which no exercise needs and an escape might.

Namespaces already take away files, network and other processes; this takes away ways to hold memory that no
limit counts, to look into processes, and the parts of the kernel in which most ways out were found.
"""

import ctypes
import errno
import struct

from labs.kit.course.locked import syscalls

_ARCHITECTURES = {"x86_64": 0xC000003E, "aarch64": 0xC00000B7}
_X32 = 0x40000000

# Number on x86_64, number on aarch64; None where the architecture has no such call.
_REFUSED: dict[str, tuple[int, int | None]] = {
    "acct": (163, 89),
    "add_key": (248, 217),
    "bpf": (321, 280),
    "chroot": (161, 51),
    "fanotify_init": (300, 262),
    "finit_module": (313, 273),
    "fsmount": (432, 432),
    "fsopen": (430, 430),
    "init_module": (175, 105),
    "io_uring_enter": (426, 426),
    "io_uring_register": (427, 427),
    "io_uring_setup": (425, 425),
    "kcmp": (312, 272),
    "kexec_load": (246, 104),
    "keyctl": (250, 219),
    "memfd_create": (319, 279),
    "memfd_secret": (447, 447),
    "migrate_pages": (256, 238),
    "mount": (165, 40),
    "mount_setattr": (442, 442),
    "move_mount": (429, 429),
    "move_pages": (279, 239),
    "mq_open": (240, 180),
    "msgget": (68, 186),
    "name_to_handle_at": (303, 264),
    "open_by_handle_at": (304, 265),
    "open_tree": (428, 428),
    "perf_event_open": (298, 241),
    "pidfd_getfd": (438, 438),
    "pivot_root": (155, 41),
    "process_vm_readv": (310, 270),
    "process_vm_writev": (311, 271),
    "ptrace": (101, 117),
    "quotactl": (179, 60),
    "request_key": (249, 218),
    "seccomp": (317, 277),
    "semget": (64, 190),
    "setns": (308, 268),
    "shmget": (29, 194),
    "swapon": (167, 224),
    "syslog": (103, 116),
    "umount2": (166, 39),
    "unshare": (272, 97),
    "uselib": (134, None),
    "userfaultfd": (323, 282),
    "vmsplice": (278, 75),
}
_CLONE = (56, 220)
_CLONE3 = (435, 435)

# The kinds of instructions of the kernel's packet filter, and the filter's answers.
_LOAD, _JUMP_EQUAL, _JUMP_AT_LEAST, _JUMP_SET, _RETURN = 0x20, 0x15, 0x35, 0x45, 0x06
_ALLOW, _ERROR, _KILL = 0x7FFF0000, 0x00050000, 0x80000000
_NUMBER, _ARCHITECTURE, _FIRST_ARGUMENT = 0, 4, 16


def program() -> bytes:
    """Return the filter for this architecture, as instructions of 8 bytes."""
    column = list(_ARCHITECTURES).index(syscalls.machine())
    refuse = _instruction(_RETURN, _ERROR | errno.EPERM)
    lines = [
        _instruction(_LOAD, _ARCHITECTURE),
        _instruction(_JUMP_EQUAL, _ARCHITECTURES[syscalls.machine()], yes=1),
        _instruction(_RETURN, _KILL),
        _instruction(_LOAD, _NUMBER),
    ]
    if syscalls.machine() == "x86_64":
        lines += [_instruction(_JUMP_AT_LEAST, _X32, no=1), refuse]
    for numbers in _REFUSED.values():
        if numbers[column] is not None:
            lines += [_instruction(_JUMP_EQUAL, numbers[column], no=1), refuse]
    # What its arguments are lies behind a pointer, where no filter can look; glibc then asks by `clone`.
    lines += [_instruction(_JUMP_EQUAL, _CLONE3[column], no=1), _instruction(_RETURN, _ERROR | errno.ENOSYS)]
    lines += [
        _instruction(_JUMP_EQUAL, _CLONE[column], no=3),
        _instruction(_LOAD, _FIRST_ARGUMENT),
        _instruction(_JUMP_SET, syscalls.NAMESPACES & ~syscalls.NEWTIME, no=1),
        refuse,
        _instruction(_RETURN, _ALLOW),
    ]
    return b"".join(lines)


def install() -> None:
    """Put the filter on this process and all that it will start; needs `no_new_privs`."""
    code = program()
    buffer = ctypes.create_string_buffer(code, len(code))
    head = struct.pack("HxxxxxxP", len(code) // 8, ctypes.addressof(buffer))
    holder = ctypes.create_string_buffer(head, len(head))
    syscalls.prctl(syscalls.SECCOMP, syscalls.SECCOMP_FILTER, ctypes.addressof(holder))


def _instruction(code: int, value: int, yes: int = 0, no: int = 0) -> bytes:
    return struct.pack("HBBI", code, yes, no, value)
