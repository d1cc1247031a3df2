"""An assignment as an nbgrader course: `source/`, `release/`, a grade book and the configuration.

nbgrader's own commands do the rest. What each kind of cell becomes, in its cell schema 3:

| cell of the lab | in nbgrader |
|---|---|
| the start, set-up | read-only: nbgrader puts back what a student has changed |
| an exercise | a solution cell: its blank is made by nbgrader itself |
| a check | an ordinary cell |
| after each check, a cell `lab.points("name", 2)` | autograder tests for that many points |

A check is not read-only, because nbgrader 0.9.6 puts a deleted test cell back only behind a solution or a test cell.

The value of the last is what nbgrader counts. Where it autogrades (`paths.grading`), the labs, data and checks are
the installed ones, whatever came with the notebook, all inputs are drawn afresh, and no check gives a reference away;
once an exercise has been counted, the cells below go on with a working version, and no second count changes that.
"""

import os
import shutil
import subprocess
import sys
from contextlib import suppress
from datetime import UTC, datetime
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from labs.kit import paths
from labs.kit.course import material, readme, student_kit
from labs.kit.course.assignment import Assignment, Work
from labs.kit.course.handout import Handout
from labs.kit.course.writing import writing
from labs.kit.curriculum import Curriculum
from labs.kit.errors import LabsError

CONFIG = "nbgrader_config.py"
_MADE = (CONFIG, "README.md", "gradebook.db", "kit", "release", "source")
SCHEMA = 3
SECONDS = 300

_NEEDED = """\
# The blank that the labs' checks know as one.
c.ClearSolutions.code_stub = {{"python": {stub!r}}}

# A lab trains small models: seconds a cell, and more where a machine grades many at a time.
c.Execute.timeout = {seconds}

# A test cell that a student has deleted comes back.
c.OverwriteCells.add_missing_cells = True"""

_CONFIG = '''\
"""nbgrader's configuration for this course, written by `labs assign`."""

from jupyter_client.kernelspec import KernelSpecManager

c = get_config()  # noqa: F821

c.CourseDirectory.course_id = {course!r}

{needed}

# The kernel of the labs starts in a fraction of a second, once `labs kernel install` has made it known.
if "tensorflow-labs" in KernelSpecManager().find_kernel_specs():
    c.Execute.kernel_name = "tensorflow-labs"
'''


def write(out: Path, handout: Handout) -> None:
    """Write an assignment into the course folder `out`, new or there already; whole, or not at all.

    Raises:
        LabsError: something else is there, the assignment is there, or nbgrader is not installed or refuses.
    """
    assignment = handout.assignment
    out = out.resolve()
    refuse(out, assignment)
    is_course, is_there = (out / CONFIG).is_file(), out.is_dir()
    source = out / "source" / assignment.id
    with writing(out):
        source.mkdir(parents=True)
    try:
        with writing(out):
            _write_source(source, handout)
            if not is_course:
                (out / CONFIG).write_text(config(out.name), "utf-8")
                (out / "README.md").write_text(readme.for_instructor(assignment, out), "utf-8")
            if not any((out / "kit").glob(f"*{assignment.kit}*.whl")):
                student_kit.write(out / "kit")
            _nbgrader(out, "generate_assignment", assignment.id)
            _due(out, assignment)
    except BaseException:
        # Half an assignment would stand in the way of the next try.
        if is_course:
            _take_back(out, assignment.id)
        else:
            for name in _MADE:
                shutil.rmtree(out / name, ignore_errors=True)
                with suppress(OSError):
                    (out / name).unlink(missing_ok=True)
            if not is_there:
                with suppress(OSError):
                    out.rmdir()
        raise


def _take_back(out: Path, assignment: str) -> None:
    """Remove an assignment from a course that has others."""
    for kind in ("source", "release"):
        shutil.rmtree(out / kind / assignment, ignore_errors=True)
    with suppress(LabsError):  # the grade book does not know it yet
        _nbgrader(out, "db", "assignment", "remove", assignment, "--force")


def _write_source(source: Path, handout: Handout) -> None:
    contents = material.notebooks(handout)
    for work in handout.assignment.labs:
        made = notebook(work, handout.curriculum, contents[work.name])
        (source / work.notebook).write_text(material.text(made), "utf-8")
    readme.write(source, handout, readme.NBGRADER)
    # Students fetch a notebook anew from nbgrader, so the material has none to begin anew from.
    material.write(source / paths.MATERIAL, handout, notebooks={})


def config(course: str) -> str:
    """Return the configuration of a course."""
    return _CONFIG.format(course=course, needed=_needed())


def _needed() -> str:
    """Return the lines that the configuration of any course needs that holds our assignments."""
    from labs.kit.author.source import BLANK

    return _NEEDED.format(stub=BLANK, seconds=SECONDS)


def notebook(work: Work, curriculum: Curriculum, handed_out: dict[str, Any]) -> dict[str, Any]:
    """Return the instructor's version of a notebook: as it is handed out, with solutions and nbgrader's metadata.

    Args:
        work: the lab and its points.
        curriculum: all labs.
        handed_out: the learner's notebook, as `material.notebook` gives it; it is changed.
    """
    from labs.kit.author.source import EXERCISE, SETUP, solved

    solutions = {cell.id: cell.source for cell in solved(curriculum.lab(work.name), curriculum).cells}
    of = {part.name: part.points for part in work.exercises}
    cells = []
    for cell in handed_out["cells"]:
        cells.append(cell)
        tags = cell["metadata"].get("tags", [])
        if cell["cell_type"] != "code":
            continue
        name = cell["id"].split("-", 1)[1]
        if EXERCISE in tags:
            cell["source"] = solutions[cell["id"]].splitlines(keepends=True)
            cell["metadata"]["nbgrader"] = _metadata(cell["id"], solution=True)
        elif cell["id"] == f"check-{name}" and name in of:
            cells.append(_points(name, of[name]))
        elif SETUP in tags or "labs.start(" in "".join(cell["source"]):
            cell["metadata"]["nbgrader"] = _metadata(cell["id"], locked=True)
    handed_out["cells"] = cells
    # Every Jupyter has this one; the course's configuration takes the labs' own where it is known.
    handed_out["metadata"]["kernelspec"] = {
        "display_name": "Python 3 (ipykernel)",
        "language": "python",
        "name": "python3",
    }
    return handed_out


def _points(name: str, of: int) -> dict[str, Any]:
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": f"points-{name}",
        "metadata": {"nbgrader": _metadata(f"points-{name}", locked=True, points=of)},
        "outputs": [],
        "source": [f'lab.points("{name}", {of})'],
    }


def _metadata(name: str, locked: bool = False, solution: bool = False, points: int = 0) -> dict[str, Any]:
    made: dict[str, Any] = {
        "grade": bool(points),
        "grade_id": name,
        "locked": locked,
        "schema_version": SCHEMA,
        "solution": solution,
        "task": False,
    }
    return {**made, "points": points} if points else made


def refuse(out: Path, assignment: Assignment) -> None:
    """Refuse what cannot be written, before any work is done.

    Raises:
        LabsError: something else is there, the assignment is there, or nbgrader is not installed.
    """
    if not (find_spec("nbgrader") and find_spec("jupytext")):
        raise LabsError(
            "An nbgrader course needs nbgrader and jupytext: run `pip install 'tensorflow-labs[teach]'`, "
            "or `make environment` in a checkout."
        )
    with writing(out):
        if out.exists() and not out.is_dir():
            raise LabsError(f"{out} is a file: name a folder.")
        if out.is_dir() and any(out.iterdir()) and not (out / CONFIG).is_file():
            raise LabsError(
                f"{out} is there already and is no nbgrader course: nothing is overwritten; name another."
            )
        if (out / CONFIG).is_file():
            _refuse_without_our_lines(out)
        for kind in ("source", "release"):
            if (out / kind / assignment.id).exists():
                raise LabsError(
                    f"{out / kind / assignment.id} is there already, and nothing is overwritten: "
                    "give this assignment another --title."
                )


def _refuse_without_our_lines(out: Path) -> None:
    """Refuse a course whose configuration gives other blanks, or leaves deleted tests out.

    Raises:
        LabsError: so it is, or the configuration cannot be read.
    """
    from traitlets.config.loader import PyFileConfigLoader

    from labs.kit.author.source import BLANK

    try:
        found = PyFileConfigLoader(CONFIG, str(out)).load_config()
    except Exception as error:  # it is a program of the instructor's own
        raise LabsError(f"{out / CONFIG} cannot be read ({type(error).__name__}: {error}).") from error
    blank = dict(found.ClearSolutions.get("code_stub", {})).get("python")
    if blank != BLANK or found.OverwriteCells.get("add_missing_cells") is not True:
        raise LabsError(
            f"{out / CONFIG} was not written by `labs assign`: add these lines to it, and repeat the command.\n\n"
            f"{_needed()}"
        )


def _due(out: Path, assignment: Assignment) -> None:
    """Make the assignment known to the grade book, with its due date: nbgrader keeps moments in UTC."""
    moment = datetime.fromisoformat(assignment.due).astimezone(UTC) if assignment.due else None
    due = [f"--duedate={moment:%Y-%m-%d %H:%M:%S} UTC"] if moment else []
    _nbgrader(out, "db", "assignment", "add", assignment.id, *due)


def _nbgrader(out: Path, *arguments: str) -> None:
    """Run one of nbgrader's own commands in the course.

    Raises:
        LabsError: it refuses; its last lines say why.
    """
    # It looks for its own helper, alembic, on the path.
    path = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    command = [sys.executable, "-m", "nbgrader", *arguments]
    ran = subprocess.run(command, cwd=out, capture_output=True, text=True, env={**os.environ, "PATH": path})
    if ran.returncode:
        said = "\n".join(ran.stderr.strip().splitlines()[-5:])
        raise LabsError(f"`nbgrader {' '.join(arguments)}` failed in {out}:\n{said}")
