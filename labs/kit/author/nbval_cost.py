"""What a notebook costs: seconds, CPU seconds and peak memory of its kernel, and the table of them."""

import time
from dataclasses import asdict, dataclass
from pathlib import Path

import psutil

HEADINGS = ("notebook", "seconds", "CPU seconds", "peak MB")


@dataclass
class Cost:
    """The cost of one notebook so far; the last sample stands when the kernel dies."""

    notebook: str
    seconds: float = 0.0
    cpu_seconds: float | None = None
    """User and system time of the kernel and of the children that it has waited for."""
    peak_mb: float | None = None
    """Peak resident memory of the kernel's own process, in 10^6 bytes."""

    def sample(self, pid: int | None, started: float) -> None:
        """Take the cost of the kernel `pid` whose start was begun at `started` (`time.monotonic`)."""
        self.seconds = time.monotonic() - started
        try:
            process = psutil.Process(pid) if pid else None
            if process and process.status() != psutil.STATUS_ZOMBIE:
                self.cpu_seconds = sum(process.cpu_times()[:4])
                self.peak_mb = _peak_bytes(process) / 1e6
        except psutil.Error:
            return

    def row(self) -> tuple[str, str, str, str]:
        """Return the cells of the table's line; a dash stands for what could not be measured."""
        cpu = "-" if self.cpu_seconds is None else f"{self.cpu_seconds:.1f}"
        peak = "-" if self.peak_mb is None else f"{self.peak_mb:,.0f}"
        return self.notebook, f"{self.seconds:.1f}", cpu, peak


def _peak_bytes(process: psutil.Process) -> int:
    try:
        for line in Path(f"/proc/{process.pid}/status").read_text().splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) * 1024
    except OSError:
        pass
    memory = process.memory_info()
    return getattr(memory, "peak_wset", memory.rss)


def packed(costs: list[Cost]) -> list[dict]:
    """Return the costs as plain data, fit to travel from a worker of xdist."""
    return [asdict(cost) for cost in costs]


def unpacked(plain: list[dict]) -> list[Cost]:
    """Return the costs that `packed` made plain."""
    return [Cost(**cost) for cost in plain]


def slowest_first(costs: list[Cost]) -> list[Cost]:
    """Return the costs in the order of the table."""
    return sorted(costs, key=lambda cost: -cost.seconds)


def as_lines(costs: list[Cost]) -> list[str]:
    """Return the table for a terminal."""
    rows = [HEADINGS, *(cost.row() for cost in slowest_first(costs))]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    return [
        "  ".join(
            cell.ljust(width) if i == 0 else cell.rjust(width) for i, (cell, width) in enumerate(columns)
        )
        for columns in (zip(row, widths, strict=True) for row in rows)
    ]


def as_markdown(costs: list[Cost]) -> str:
    """Return the table in Markdown, with an empty line before and after."""
    rows = [HEADINGS, ("---", "---:", "---:", "---:"), *(cost.row() for cost in slowest_first(costs))]
    return "\n" + "".join(f"| {' | '.join(row)} |\n" for row in rows) + "\n"
