"""How much memory a process has, and how much of it is its own."""

from pathlib import Path


def memory(pid: int) -> dict[str, int]:
    """Return bytes of process `pid`, empty if it has gone.

    Returns:
        `resident`: all that it sees; `proportional`: each shared page divided among those who share it;
        `private`: what no other process sees.
    """
    try:
        lines = Path(f"/proc/{pid}/smaps_rollup").read_text().splitlines()[1:]
    except OSError:
        return {}
    kilobytes = {line.split(":")[0]: int(line.split()[1]) for line in lines}
    return {
        "resident": kilobytes["Rss"] * 1024,
        "proportional": kilobytes["Pss"] * 1024,
        "private": (kilobytes["Private_Clean"] + kilobytes["Private_Dirty"]) * 1024,
    }
