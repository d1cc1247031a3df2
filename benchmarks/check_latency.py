"""(d) How long a check takes to answer, by exercise: `python benchmarks/check_latency.py`.

Each exercise's reference is examined over and over in one process, as in a learner's kernel; the first
examination, in which TensorFlow meets some operations for the first time, is told apart.
"""

import argparse
import json
import statistics
import sys
import time

sys.modules.setdefault("rfc3987_syntax", None)

from labs.kit import quiet
from labs.kit.author.proof import setup
from labs.kit.curriculum import Lab, load
from labs.kit.examine import examine
from labs.kit.load import exercises
from labs.kit.reference import reference


def latencies(lab: Lab, curriculum, runs: int):
    """Yield a dict for each exercise of `lab`: seconds of the first check, median and 95th percentile."""
    quiet.tensorflow()
    namespace = setup(lab, curriculum)
    for name, exercise in exercises(lab).items():
        namespace[name] = reference(lab, name, namespace)
        taken = []
        for _ in range(runs):
            begin = time.perf_counter()
            examine(exercise, namespace[name])
            taken.append(time.perf_counter() - begin)
        yield {
            "exercise": f"{lab.name}/{name}",
            "first": round(taken[0], 3),
            "median": round(statistics.median(taken), 3),
            "p95": round(statistics.quantiles(taken, n=20)[-1], 3),
        }


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=20, help="examinations of each exercise")
    runs = parser.parse_args().runs
    curriculum = load()
    rows = [row for lab in curriculum.labs.values() for row in latencies(lab, curriculum, runs)]
    print(json.dumps({"runs": runs, "exercises": rows}, indent=2))


if __name__ == "__main__":
    main()
