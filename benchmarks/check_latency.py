"""(d) How long a check takes to answer, by exercise: `python benchmarks/check_latency.py`.

Each exercise's reference is examined over and over in one process, as in a learner's kernel; the first
examination, in which TensorFlow meets some operations for the first time, is told apart. An examination trains
if anything is fitted in it, or an optimizer of Keras applies gradients.
"""

import argparse
import json
import statistics
import sys
import time
from types import FrameType
from typing import Any

sys.modules.setdefault("rfc3987_syntax", None)

from labs.kit import quiet
from labs.kit.author.proof import setup
from labs.kit.curriculum import Lab, load
from labs.kit.examine import examine
from labs.kit.exercise import Exercise
from labs.kit.load import exercises
from labs.kit.reference import reference

OPTIMIZERS = "keras/src/optimizers/"


def trains(exercise: Exercise, attempt: Any) -> bool:
    """Tell whether an examination of `attempt` trains something; runs one more, slowed by watching it."""
    seen = False

    def watch(frame: FrameType, event: str, _: Any) -> None:
        nonlocal seen
        code = frame.f_code
        fits = code.co_name == "fit" and ("/keras/" in code.co_filename or "/sklearn/" in code.co_filename)
        applies = code.co_name == "apply" and OPTIMIZERS in code.co_filename
        seen = seen or fits or applies

    sys.setprofile(watch)
    try:
        examine(exercise, attempt)
    finally:
        sys.setprofile(None)
    return seen


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
            "trains": trains(exercise, namespace[name]),
        }


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--runs", type=int, default=20, help="examinations of each exercise")
    parser.add_argument("labs", nargs="*", help="labs by name; all if none is given")
    given = parser.parse_args()
    curriculum, runs = load(), given.runs
    labs = [curriculum.lab(name) for name in given.labs or curriculum.labs]
    rows = [row for lab in labs for row in latencies(lab, curriculum, runs)]
    print(json.dumps({"runs": runs, "exercises": rows}, indent=2))


if __name__ == "__main__":
    main()
