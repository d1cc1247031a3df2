"""Run every benchmark and renew `benchmarks/README.md` and its figure: `make bench`.

    python benchmarks/run.py            all of them, about an hour and a half
    python benchmarks/run.py --only open_lab memory

What was measured before and is not measured now keeps its numbers and its date.
"""

import argparse
import json
import os
import platform
import subprocess
import sys
from datetime import date
from pathlib import Path

from report import write

from labs.kit.cores import cores

FOLDER = Path(__file__).resolve().parent
NAMES = ("open_lab", "memory", "check_latency", "re_execute", "grading", "grading_growth")
RESULTS = FOLDER / "results.json"


def machine() -> str:
    """Return what the numbers were measured on, in a line."""
    about = Path("/proc/cpuinfo")
    lines = about.read_text().splitlines() if about.is_file() else []
    names = (line.split(":")[1].strip() for line in lines if line.startswith("model name"))
    model = next(names, platform.processor() or "unknown processor")
    memory = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES") / 2**30
    return f"{cores()} cores of {model}, {memory:.0f} GiB, {platform.system()}, Python {platform.python_version()}"


def with_other_sizes(now: dict, before: dict | None) -> list[dict]:
    """Return the rows of `grading_growth` now, with those of other sizes measured before in the same way."""
    rows = {(row["submissions"], row["cores"]): row for row in now["rows"]}
    if before and all(before[what] == now[what] for what in ("lab", "different", "machine")):
        rows = {(row["submissions"], row["cores"]): row for row in before["rows"]} | rows
    return [rows[key] for key in sorted(rows)]


def main() -> None:
    """Measure, keep the numbers, write the report."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--only", nargs="+", choices=NAMES, default=NAMES, help="which benchmarks")
    parser.add_argument("--rounds", type=int, default=3, help="how often re_execute and grading take turns")
    parser.add_argument(
        "--sizes", type=int, nargs="+", default=[10, 100], help="of classes in grading_growth"
    )
    given = parser.parse_args()
    rounds = ["--rounds", str(given.rounds)]
    options = {"re_execute": rounds, "grading": rounds, "grading_growth": ["--sizes", *map(str, given.sizes)]}
    results = json.loads(RESULTS.read_text()) if RESULTS.is_file() else {}
    for name in given.only:
        print(f"{name} ...", file=sys.stderr, flush=True)
        command = [sys.executable, FOLDER / f"{name}.py", *options.get(name, [])]
        done = subprocess.run(command, stdout=subprocess.PIPE, text=True)
        if done.returncode:
            sys.exit(f"benchmarks/{name}.py failed; the numbers measured before are kept.")
        result = json.loads(done.stdout) | {"date": date.today().isoformat(), "machine": machine()}
        if name == "grading_growth":
            result["rows"] = with_other_sizes(result, results.get(name))
        results[name] = result
        RESULTS.write_text(json.dumps(results, indent=1) + "\n")
    write(results, FOLDER)


if __name__ == "__main__":
    main()
