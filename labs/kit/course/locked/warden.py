"""Looks after one locked-up process from outside its room: makes the room, counts its memory, ends it.

One for each; it is small in all but what it shares with the process that both are copies of.
"""

import json
import os
import resource
import select
import signal
import socket
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, dataclass
from pathlib import Path

from labs.kit.course.locked import guard, room, syscalls

_PAGE = resource.getpagesize()
_TICK_MS = 25
_IMPRECISE = 2
"""Seconds by which two counts of the kernel's, of the same processor time, may differ."""
_ROOM_FOR_SHARED = 64 << 20
_AT_ONCE = 24
"""Processes, each perhaps of many threads; more are a bomb, and would soon leave no time to count them."""


@dataclass(frozen=True)
class Limits:
    """What a locked-up process may take.

    Attributes:
        memory: bytes, beyond what it shares with others.
        disk: bytes of files.
        processes: processes and threads at once.
        seconds: of processor time, and twice as many on the clock.
        expendable: how soon the kernel ends it when the machine runs out of memory, up to 1000.
    """

    memory: int
    disk: int
    processes: int
    seconds: int
    expendable: int = 1000

    def as_dict(self) -> dict[str, int]:
        """Return all as a dict that JSON can hold."""
        return asdict(self)


def look_after(work: Callable[[], None], limits: Limits, control: socket.socket, locked: bool) -> None:
    """Fork a process that does `work` locked up, and stay until it has ended; never returns.

    Says in one line of JSON on `control` why it ended or is being ended; "could not start: ..." where that was before
    any of `work`. When the other end of `control` is closed, ends it.
    """
    try:
        os.setsid()
        syscalls.prctl(syscalls.PDEATHSIG, signal.SIGKILL)
        if locked:
            syscalls.unshare(syscalls.NEWNS | syscalls.NEWPID | syscalls.NEWIPC)
            room.own_files(limits.disk)
        base = _memory("self")
        settled, tell = os.pipe()
        pid = os.fork()
        if not pid:
            os.close(settled)
            _be_locked_up(work, limits, locked, tell)
        os.close(tell)
        # Until then `/proc` shows the processes of others.
        began = os.read(settled, 1)
        os.close(settled)
        if not began:
            _, status = os.waitpid(pid, 0)
            raise OSError(f"it ended with status {os.waitstatus_to_exitcode(status)}")
        _watch(pid, base, limits, control, locked)
    except Exception as error:
        _say(control, f"could not start: {error}", 1, 0)
    os._exit(0)


def _be_locked_up(work: Callable[[], None], limits: Limits, locked: bool, tell: int) -> None:
    status = 1
    try:
        os.setsid()
        syscalls.prctl(syscalls.PDEATHSIG, signal.SIGKILL)
        if locked:
            room.own_processes()
        with suppress(OSError):
            Path("/proc/self/oom_score_adj").write_text(str(limits.expendable))
        os.nice(5)  # whatever it starts, who looks after it comes first
        if locked:
            room.lock()
        room.limit(limits.memory, limits.disk, limits.processes if locked else None, limits.seconds)
        os.write(tell, b".")
        os.close(tell)
        work()
        status = 0
    except BaseException as error:
        # Before `work` this reaches who started the nursery; after, nobody: it is student code's own end.
        print(f"{type(error).__name__}: {error}", file=sys.stderr, flush=True)
    finally:
        os._exit(status)


def _watch(pid: int, base: int, limits: Limits, control: socket.socket, locked: bool) -> None:
    """Wait for the end of `pid`, or bring it about; `base` is what it shared with this process at its beginning."""
    ended = os.pidfd_open(pid)
    poll = select.poll()
    poll.register(ended, select.POLLIN)
    poll.register(control, select.POLLIN)
    began, why, most = time.monotonic(), "", 0
    while not why:
        ready = {file for file, _ in poll.poll(_TICK_MS)}
        if ended in ready:
            break
        if control.fileno() in ready:
            why = "told"
            break
        if locked and sum(name.isdigit() for name in os.listdir("/proc")) > _AT_ONCE:
            why = "processes"
            break
        used = _used(pid, base, locked)
        most = max(most, used)
        if used > limits.memory:
            why = "memory"
        if time.monotonic() - began > 2 * limits.seconds:
            why = "time"
    if why:
        # Before the end, which takes its time where there are many processes.
        _say(control, why, -signal.SIGKILL, most)
    with suppress(ProcessLookupError):
        # The first process of its namespace: with it, the kernel ends all others in it.
        (os.kill if locked else os.killpg)(pid, signal.SIGKILL)
    _, status, took = os.wait4(pid, 0)
    if not why:
        code = os.waitstatus_to_exitcode(status)
        _say(control, _reason(code, took.ru_utime + took.ru_stime, limits, locked), code, most)


def _say(control: socket.socket, why: str, status: int, memory: int) -> None:
    with suppress(OSError):
        report = {"why": why, "status": status, "memory": memory}
        control.sendall(json.dumps(report).encode("ascii") + b"\n")


def _reason(code: int, processor_seconds: float, limits: Limits, locked: bool) -> str:
    if code == guard.FOUND:
        return "tampering"
    if code == -signal.SIGKILL and processor_seconds > limits.seconds - _IMPRECISE:
        return "time"
    if code == -signal.SIGKILL and locked:
        return "killed"  # from outside: the first process of a namespace cannot be killed from within
    return {0: "exit", -signal.SIGXCPU: "time", -signal.SIGXFSZ: "disk"}.get(
        code, "exit" if code > 0 else "signal"
    )


def _used(pid: int, base: int, locked: bool) -> int:
    """Return the bytes in use: exact only where a quick count is above what any process may share."""
    if not locked:
        return max(0, _memory(str(pid)) - base)
    names = [name for name in os.listdir("/proc") if name.isdigit()]
    files = os.statvfs("/tmp")
    on_disk = (files.f_blocks - files.f_bfree) * files.f_frsize
    others = sum(_memory(name) for name in names if name != "1")
    if others > _ROOM_FOR_SHARED:
        others = sum(_own_memory(name) for name in names if name != "1")
    return max(0, _memory("1") - base) + others + on_disk


def _memory(process: str) -> int:
    """Return the bytes of memory that are no file's."""
    with suppress(OSError, ValueError):
        _, resident, shared, *_ = Path(f"/proc/{process}/statm").read_text().split()
        return (int(resident) - int(shared)) * _PAGE
    return 0


def _own_memory(process: str) -> int:
    """Return the bytes that only this process has, its part of those that several have, and what is swapped out."""
    with suppress(OSError, ValueError):
        lines = Path(f"/proc/{process}/smaps_rollup").read_text().splitlines()
        fields = {line.split(":")[0]: int(line.split()[1]) for line in lines[1:]}
        return 1024 * (fields["Pss_Anon"] + fields.get("Swap", 0))
    return _memory(process)
