"""(b) Execute the whole of notebooks/worked again, by four tools in turn: `python benchmarks/re_execute.py`.

    nbval       as shipped, with ordinary kernels and our patterns
    nbmake      as shipped, ordinary kernels
    nbclient    notebook by notebook (`jupyter execute`), ordinary kernels
    ours        as `make test` runs them: nbval with our plugin, one more at a time than cores, warm kernels

All run the same notebooks on the same machine, one tool after the other, round by round, so that a slow
moment of the machine falls on all; the two that only execute, and compare nothing, take part in the first
rounds only. The lower bound is what the cells themselves cost: the processor seconds of our kernels, divided
by the cores.
"""

import argparse
import json
import os
import re
import statistics
import subprocess
import sys
import tempfile
import time
from importlib.util import find_spec
from pathlib import Path

import psutil

from labs.kit.cores import cores

ROOT = Path(__file__).resolve().parent.parent
WORKED = ROOT / "notebooks" / "worked"
SANITIZE = ROOT / "labs" / "kit" / "author" / "sanitize.cfg"
PYTHON = sys.executable
ORDINARY = "python3"
ONLY_EXECUTE = ("nbmake", "nbclient")
WORKERS = cores() + 1


def commands(folder: Path) -> dict[str, list[list[str]]]:
    """Return, for each tool, the commands that execute all notebooks; what they write goes to `folder`."""
    notebooks = sorted(map(str, WORKED.rglob("*.ipynb")))
    pytest = [PYTHON, "-m", "pytest", "-q", "-p", "no:cacheprovider"]
    sanitize = ["--nbval-sanitize-with", str(SANITIZE)]
    plugin = ["-p", "labs.kit.author.nbval_plugin", "-n", str(WORKERS), "--dist", "loadscope"]
    return {
        "ours": [[PYTHON, "-m", "pytest", "-q", *plugin, "--nbval", *sanitize, str(WORKED)]],
        "nbval": [[*pytest, "--nbval", f"--nbval-kernel-name={ORDINARY}", *sanitize, str(WORKED)]],
        "nbmake": [[*pytest, "--nbmake", f"--nbmake-kernel={ORDINARY}", "--nbmake-timeout=600", str(WORKED)]],
        "nbclient": [
            [
                PYTHON,
                "-m",
                "jupyter",
                "execute",
                f"--kernel_name={ORDINARY}",
                "--output",
                str(folder / "x"),
                path,
            ]
            for path in notebooks
        ],
    }


def run(steps: list[list[str]], folder: Path) -> tuple[float, dict[str, dict[str, float]]]:
    """Return the wall seconds of running `steps` in turn, and what each notebook's kernel took if known."""
    table = folder / "table.md"
    table.unlink(missing_ok=True)
    env = os.environ | {"LABS_HOME": str(folder / "home"), "LABS_NOTEBOOK_TABLE": str(table)}
    begin = time.perf_counter()
    for step in steps:
        done = subprocess.run(
            step, cwd=folder, env=env, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True
        )
        if done.returncode:
            sys.exit(
                f"{done.stdout[-2000:]}\nThis failed, and a failed run is no measurement: {' '.join(step)}"
            )
    wall = time.perf_counter() - begin
    text = table.read_text() if table.is_file() else ""
    rows = re.findall(r"\| (\S+)\.ipynb \| ([\d.]+) \| ([\d.]+) \| ([\d.,]+) \|", text)
    costs = {
        "/".join(name.split("/")[-2:]): {
            "seconds": float(seconds),
            "cpu_seconds": float(cpu),
            "peak_mb": float(peak.replace(",", "")),
        }
        for name, seconds, cpu, peak in rows
    }
    return wall, costs


def shares(begin: tuple, end: tuple, kernels: float) -> dict[str, float]:
    """Return what all the machine's cores did between two moments, as shares of their time.

    Args:
        begin, end: what `psutil.cpu_times` gave at each.
        kernels: processor seconds of the notebooks' kernels in between.
    """
    spent = {name: getattr(end, name) - getattr(begin, name) for name in end._fields}
    for counted_twice in ("guest", "guest_nice"):
        spent.pop(counted_twice, None)
    total = sum(spent.values())
    idle = spent["idle"] + spent.get("iowait", 0.0)
    stolen = spent.get("steal", 0.0)
    parts = {
        "kernels compute": kernels,
        "the rest computes": total - idle - stolen - kernels,
        "idle": idle,
        "taken away by the host": stolen,
    }
    return {name: round(part / total, 3) for name, part in parts.items()}


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--rounds", type=int, default=3, help="how often each tool runs")
    parser.add_argument(
        "--others", type=int, default=1, help="in how many rounds those that only execute run"
    )
    given = parser.parse_args()
    if not find_spec("nbmake"):
        sys.exit("nbmake is not installed: `make bench` installs what is compared with.")
    walls: dict[str, list[float]] = {}
    processor, costs, did = [], {}, {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        (folder / "home").mkdir()
        for number in range(given.rounds):
            for tool, steps in commands(folder).items():
                if tool in ONLY_EXECUTE and number >= given.others:
                    continue
                begin = psutil.cpu_times()
                wall, took = run(steps, folder)
                walls.setdefault(tool, []).append(round(wall, 1))
                if tool == "ours":
                    processor.append(sum(one["cpu_seconds"] for one in took.values()))
                    costs, did = took, shares(begin, psutil.cpu_times(), processor[-1])
                print(f"{tool}: {wall:.1f} s", file=sys.stderr)
    bound = round(statistics.median(processor) / cores(), 1)
    ratios = {
        tool: [round(other / ours, 2) for other, ours in zip(times, walls["ours"], strict=False)]
        for tool, times in walls.items()
        if tool != "ours"
    }
    to_bound = round(statistics.median(walls["ours"]) / bound, 2)
    notebooks = len(list(WORKED.rglob("*.ipynb")))
    result = {"notebooks": notebooks, "cores": cores(), "seconds": walls, "times_ours": ratios}
    result |= {"costs": costs, "shares": did, "workers": WORKERS}
    print(json.dumps(result | {"lower_bound_seconds": bound, "ours_to_lower_bound": to_bound}, indent=2))


if __name__ == "__main__":
    main()
