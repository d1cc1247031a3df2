"""(e) Submissions a minute: `labs grade`, `nbgrader autograde` and otter: `python benchmarks/grading.py`.

    labs grade            one notebook at a time, and as many as there are cores
    nbgrader              `nbgrader autograde` with an ordinary kernel, and with our warm one
    otter                 `otter run` for each notebook: `otter grade` does just that, in a container for each,
                          which needs Docker

All grade the same files: what an invented class hands in for an nbgrader course that `labs assign` wrote. nbgrader
and otter run every cell and get the points from the labs' own checks; `labs grade` runs what the exercises need,
locked up. The tools take turns, round by round, and what each gives is compared with what the class must get.

otter-grader asks for other versions of what we have, so it lives in an environment of its own, which sees ours.
"""

import argparse
import json
import os
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
import venv
import zipfile
from collections.abc import Callable
from pathlib import Path

from labs.kit.cores import cores
from labs.kit.course import rehearsal
from labs.kit.course.records import read_all
from labs.kit.curriculum import load
from labs.kit.warm import command

ROOT = Path(__file__).resolve().parent.parent
OTTER = ROOT / "build" / "otter"
OTTER_VERSION = "7.0.0"
PYTHON = sys.executable
LAB = "foundations/tensors"
_TEST = """\
OK_FORMAT = False
from otter.test_files import test_case

name = {name!r}
points = {points}


@test_case(points={points})
def passes(env):
    assert env["lab"].points({name!r}, {points}) == {points}
"""


def otter() -> Path | None:
    """Return otter's command in an environment that sees ours, made when it is not there; nothing without it."""
    tool = OTTER / "bin" / "otter"
    if not tool.exists():
        venv.create(OTTER, with_pip=True, clear=True)
        inside = next((OTTER / "lib").glob("python*/site-packages"))
        ours = next(path for path in sys.path if path.endswith("site-packages"))
        (inside / "ours.pth").write_text(f"{ours}\n{ROOT}\n")
        install = [OTTER / "bin" / "python", "-m", "pip", "install", "-q", f"otter-grader=={OTTER_VERSION}"]
        if subprocess.run(install, stdout=sys.stderr).returncode:
            shutil.rmtree(OTTER)
            return None
    return tool


def autograder(folder: Path, points: dict[str, int]) -> Path:
    """Write what otter calls an autograder: for each exercise a test that asks the lab's own check."""
    path = folder / "autograder.zip"
    with zipfile.ZipFile(path, "w") as packed:
        packed.writestr("otter_config.json", json.dumps({"print_summary": False, "print_score": False}))
        for name, worth in points.items():
            packed.writestr(f"tests/{name}.py", _TEST.format(name=name, points=worth))
    return path


class Class:
    """A course with what its students handed in, and each tool's way to grade it.

    Args:
        folder: where it all goes; empty.
        students: how many hand in.
    """

    def __init__(self, folder: Path, students: int):
        self.folder = folder
        self.course = folder / "course"
        run([PYTHON, "-m", "labs", "assign", LAB, "--out", self.course, "--as", "nbgrader"])
        self.assignment = next((self.course / "release").iterdir()).name
        handed = rehearsal.into_course(self.course, load(), students, seed=1)
        self.expected: dict[str, int] = {}
        for one in handed:
            self.expected[one.student] = self.expected.get(one.student, 0) + one.points
        of = {one.exercise: one.of_points for one in handed}
        self.notebooks = sorted((self.course / "submitted").rglob("*.ipynb"))
        self.autograder = autograder(folder, of)
        self.otter = otter()

    def tools(self) -> dict[str, Callable[[Path], dict[str, float]]]:
        """Return, by name, functions that grade into an empty folder and return each student's points."""
        found = {
            "labs grade": lambda out: self._labs(out, 1),
            f"labs grade, {cores()} jobs": lambda out: self._labs(out, cores()),
            "nbgrader": lambda out: self._nbgrader(out, "python3"),
            "nbgrader, our kernel": lambda out: self._nbgrader(out, "tensorflow-labs"),
        }
        return found | ({"otter": self._otter} if self.otter else {})

    def _labs(self, out: Path, jobs: int) -> dict[str, float]:
        submitted = self.course / "submitted"
        run([PYTHON, "-m", "labs", "grade", submitted, "--out", out / "graded", "--jobs", str(jobs)])
        return {record.student: record.points for record in read_all(out / "graded")}

    def _nbgrader(self, out: Path, kernel: str) -> dict[str, float]:
        from nbgrader.api import Gradebook

        grade = [PYTHON, "-m", "nbgrader", "autograde", self.assignment, "--force"]
        run([*grade, f"--Execute.kernel_name={kernel}", "--Application.log_level=WARN"], self.course)
        with Gradebook(f"sqlite:///{self.course / 'gradebook.db'}") as book:
            return {one.student.id: one.score for one in book.assignment_submissions(self.assignment)}

    def _otter(self, out: Path) -> dict[str, float]:
        points = {}
        for notebook in self.notebooks:
            student = notebook.relative_to(self.course / "submitted").parts[0]
            into = out / student
            into.mkdir(parents=True)
            run(
                [self.otter, "run", notebook, "-a", self.autograder, "-o", into, "--no-logo"], notebook.parent
            )
            tests = json.loads((into / "results.json").read_text())["tests"]
            points[student] = sum(one.get("score", 0) for one in tests)
        return points


def run(words: list, folder: Path | None = None) -> None:
    """Run a command; end with what it said if it fails."""
    # nbgrader looks for its helpers on the path.
    path = f"{Path(PYTHON).parent}{os.pathsep}{os.environ['PATH']}"
    env = os.environ | {"PATH": path, "LABS_GRADING": "yes"}
    ran = subprocess.run(
        list(map(str, words)),
        cwd=folder,
        env=env,
        stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT,
        text=True,
    )
    if ran.returncode:
        sys.exit(f"{' '.join(map(str, words))} failed:\n{ran.stdout[-3000:]}")


def main() -> None:
    """Print one JSON object."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("--students", type=int, default=10, help="how many hand in")
    parser.add_argument("--rounds", type=int, default=3, help="how often each tool grades them")
    parser.add_argument("--tools", nargs="+", help="only those whose names begin like this")
    given = parser.parse_args()
    seconds: dict[str, list[float]] = {}
    wrong: dict[str, int] = {}
    with tempfile.TemporaryDirectory() as name:
        folder = Path(name)
        os.environ |= {"LABS_WARM_FOLDER": str(folder / "warm"), "LABS_HOME": str(folder / "home")}
        the_class = Class(folder, given.students)
        tools = {
            tool: grade
            for tool, grade in the_class.tools().items()
            if not given.tools or tool.startswith(tuple(given.tools))
        }
        for number in range(given.rounds):
            for tool, grade in tools.items():
                out = folder / f"round-{number}" / tool
                out.mkdir(parents=True)
                begin = time.perf_counter()
                points = grade(out)
                seconds.setdefault(tool, []).append(round(time.perf_counter() - begin, 2))
                off = sum(points.get(student) != of for student, of in the_class.expected.items())
                wrong[tool] = max(off, wrong.get(tool, 0))
                print(f"{tool}: {seconds[tool][-1]} s, {off} of {given.students} otherwise", file=sys.stderr)
        for process in command.running():
            os.kill(process["pid"], 15)
    a_minute = {tool: [round(60 * given.students / s, 1) for s in took] for tool, took in seconds.items()}
    ratios = {
        tool: [round(s / ours, 2) for s, ours in zip(took, seconds["labs grade"], strict=True)]
        for tool, took in seconds.items()
        if "labs grade" in seconds and tool != "labs grade"
    }
    print(
        json.dumps(
            {
                "lab": LAB,
                "students": given.students,
                "seconds": seconds,
                "submissions_a_minute": a_minute,
                "median": {tool: statistics.median(rates) for tool, rates in a_minute.items()},
                "times_ours": ratios,
                "other_points": wrong,
                "otter": OTTER_VERSION if the_class.otter else "not measured: it could not be installed",
            },
            indent=2,
        )
    )


if __name__ == "__main__":
    main()
