"""(f) How `labs grade` grows: 10, 100 and 1,000 submissions on 1 and 2 cores: `python benchmarks/grading_growth.py`.

The submissions are the same ten notebooks over and over, each copy with a name of its own in its metadata, so that no
two files are alike and nothing can be taken for graded. `taskset` gives the cores. What a size costs beyond its
submissions, the start, shows in how the rate rises with the size.

    python benchmarks/grading_growth.py --sizes 10 100
"""

import argparse
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time
from datetime import date
from pathlib import Path

from labs.kit.course import rehearsal
from labs.kit.course.records import read_all
from labs.kit.curriculum import load

LAB = "foundations/tensors"
DIFFERENT = 10


def hand_in(folder: Path, size: int) -> dict[str, int]:
    """Write `size` submissions into the empty `folder`, and return the points that each must get."""
    made = folder / "class"
    handed = rehearsal.write(made, [load().lab(LAB)], min(size, DIFFERENT), seed=1)
    points: dict[str, int] = {}
    for one in handed:
        points[one.student] = points.get(one.student, 0) + one.points
    expected = {}
    for number in range(size):
        student = list(points)[number % len(points)]
        (path,) = (made / rehearsal.SUBMITTED / student).iterdir()
        notebook = json.loads(path.read_text("utf-8"))
        notebook["metadata"]["copy"] = number
        copy = folder / "submitted" / f"copy-{number:04}" / path.name
        copy.parent.mkdir(parents=True)
        copy.write_text(json.dumps(notebook), "utf-8")
        expected[copy.parent.name] = points[student]
    return expected


def grade(folder: Path, jobs: int) -> float:
    """Grade what stands in `folder` on `jobs` cores, and return the wall seconds."""
    out = folder / "graded"
    shutil.rmtree(out, ignore_errors=True)
    words = [sys.executable, "-m", "labs", "grade", folder / "submitted", "--out", out, "--jobs", jobs]
    allowed = sorted(os.sched_getaffinity(0))[:jobs]
    begin = time.perf_counter()
    ran = subprocess.run(
        list(map(str, words)),
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
        preexec_fn=lambda: os.sched_setaffinity(0, allowed),
    )
    seconds = time.perf_counter() - begin
    if ran.returncode:
        sys.exit(f"labs grade failed:\n{ran.stdout[-3000:]}")
    return seconds


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--sizes", type=int, nargs="+", default=[10, 100, 1000], help="submissions")
    parser.add_argument("--jobs", type=int, nargs="+", default=[1, 2], help="cores, and notebooks at a time")
    given = parser.parse_args()
    rows = []
    for size in given.sizes:
        with tempfile.TemporaryDirectory() as name:
            folder = Path(name)
            os.environ["LABS_HOME"] = str(folder / "home")
            expected = hand_in(folder, size)
            for jobs in given.jobs:
                seconds = grade(folder, jobs)
                points = {record.student: record.points for record in read_all(folder / "graded")}
                row = {
                    "submissions": size,
                    "cores": jobs,
                    "seconds": round(seconds, 1),
                    "a_minute": round(60 * size / seconds, 1),
                    "date": date.today().isoformat(),
                    "other_points": sum(points.get(student) != of for student, of in expected.items()),
                }
                print(row, file=sys.stderr)
                rows.append(row)
    print(json.dumps({"lab": LAB, "different": DIFFERENT, "rows": rows}, indent=2))


if __name__ == "__main__":
    main()
