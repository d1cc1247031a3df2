"""What a process has from the one that starts it, besides environment and files; a fork has it from elsewhere."""

import os
import resource
from pathlib import Path
from typing import Any

LIMITS = tuple(name for name in dir(resource) if name.startswith("RLIMIT_"))
BORN_WITH = ("Uid:", "Gid:", "Groups:", "Cap", "NoNewPrivs:", "Seccomp:")


def fixed() -> list[Any]:
    """Return what a fork cannot take over: rights, groups with limits of their own, what it sees, its cores.

    The number of cores belongs here, because libraries make their threads when they are loaded.
    """
    return [
        [line for line in _status() if line.startswith(BORN_WITH)],
        [os.readlink(f"/proc/self/ns/{name}") for name in sorted(os.listdir("/proc/self/ns"))],
        Path("/proc/self/cgroup").read_text(),
        os.readlink("/proc/self/root"),
        [resource.getrlimit(getattr(resource, name))[1] for name in LIMITS],
        sorted(os.sched_getaffinity(0)),
        os.getpriority(os.PRIO_PROCESS, 0),
    ]


def mine() -> dict[str, Any]:
    """Return what a fork for this process takes over."""
    return {
        "umask": next(int(line.split()[1], 8) for line in _status() if line.startswith("Umask:")),
        "limits": {name: resource.getrlimit(getattr(resource, name))[0] for name in LIMITS},
    }


def take_over(given: dict[str, Any]) -> None:
    """Set what `mine` returned in another process."""
    os.umask(given["umask"])
    for name, soft in given["limits"].items():
        kind = getattr(resource, name)
        _, hard = resource.getrlimit(kind)
        resource.setrlimit(kind, (soft, hard))


def _status() -> list[str]:
    return Path("/proc/self/status").read_text().splitlines()
