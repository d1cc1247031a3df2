"""The README that students find in an assignment's folder, and the one for the instructor of an nbgrader course."""

import shutil
from datetime import datetime
from pathlib import Path

from labs.kit import catalog, paths
from labs.kit.course import material, student_kit
from labs.kit.course.assignment import Assignment, shown
from labs.kit.course.handout import Handout
from labs.kit.course.wording import count

FOLDER, NBGRADER, GIT = "folder", "nbgrader", "git"

_INSTALL = """\
## Install, once a term

You need Python 3.11, 3.12 or 3.13. In this folder:

```sh
python3 -m venv .venv
.venv/bin/pip install {kit}
```

On Windows write `py` for `python3`, and `.venv\\Scripts\\` for `.venv/bin/`, here and below. The next assignment can
use the same environment.

## Work

```sh
.venv/bin/labs start        # opens {first} in JupyterLab{another}
```

Type it in this folder: the kit finds the assignment by the files `assignment.json` and `material` beside this one.
Then `.venv/bin/labs check` runs all checks of a saved notebook, and `.venv/bin/labs progress` shows what has passed.
"""
_INSTALLED = """\
## Work

Open the notebooks here. The files `assignment.json` and `material` beside them belong to the assignment: leave them
where they are.
"""
_CHECKS = """\
Fill in the blanks and run the check below each: it says what is wrong, on which input, and what to think about.
`lab.hint(...)` helps. No solution comes with this assignment, so cells that use an exercise run with your version
of it, and stop where it is still blank; the other exercises can be done all the same. Keep the names of the functions
and classes that you are asked for.

Grading runs the same checks on other inputs{hidden}.
"""
_HAND_IN = {
    FOLDER: "Save the notebooks and hand in these files where your course collects them, under the same names:\n",
    NBGRADER: "Save the notebooks, then Submit in the Assignments tab. These are graded:\n",
    GIT: (
        "Save the notebooks, `git commit` and `git push`; what is pushed by the due date counts. The checks run on "
        "every push, and their page shows what has passed. These are graded:\n"
    ),
}


def write(folder: Path, handout: Handout, form: str, kit: str = "") -> None:
    """Write the README into the students' folder, and what it speaks of: the description and the licence.

    Args:
        folder: it is there.
        handout: what is handed out.
        form: `FOLDER`, `NBGRADER` or `GIT`.
        kit: the path of the kit's wheel in the folder, where it lies there.
    """
    told = for_students(handout.assignment, form, kit, material.data_of(handout.labs))
    (folder / "README.md").write_text(told, "utf-8")
    (folder / paths.ASSIGNMENT).write_text(handout.assignment.as_json(), "utf-8")
    shutil.copyfile(student_kit.licence(), folder / "LICENSE")


def for_students(assignment: Assignment, form: str, kit: str, data: list[str]) -> str:
    """Return the README of an assignment.

    Args:
        assignment: what is handed out.
        form: `FOLDER`, `NBGRADER` or `GIT`.
        kit: the path of the kit's wheel in the folder.
        data: names of the data sets in it.
    """
    parts = [f"# {assignment.title}\n\n{_summary(assignment)}\n\n{_table(assignment)}\n"]
    several = len(assignment.labs) > 1
    first = "the first notebook" if several else "the notebook"
    another = f"; `labs start {assignment.labs[-1].name}` opens that one" if several else ""
    parts.append(_INSTALLED if form == NBGRADER else _INSTALL.format(kit=kit, first=first, another=another))
    parts.append(
        _CHECKS.format(hidden=", some of them of a kind that you do not see here" * assignment.hidden)
    )
    names = "\n".join(f"- `{work.notebook}`" for work in assignment.labs)
    parts.append(f"## Hand in\n\n{_HAND_IN[form]}\n{names}\n")
    if data:
        parts.append(
            "## Data\n\n| set | licence | bytes |\n|---|---|---:|\n"
            + "".join(f"| {_set(name)} |\n" for name in data)
            + "\n`material/data/SOURCES.md` says where each is from.\n"
        )
    return "\n".join(parts)


def for_instructor(assignment: Assignment, course: Path) -> str:
    """Return the README of an nbgrader course."""
    return f"""\
# An nbgrader course

Written by `labs assign`. `source/` has the notebooks with their solutions, `release/` what students get; nbgrader's
own commands, its formgrader, its exchange and JupyterHub work on it as on any other course:

```sh
nbgrader release_assignment {assignment.id}
nbgrader collect {assignment.id}
nbgrader autograde {assignment.id}
nbgrader generate_feedback {assignment.id}
```

The machine that grades needs `tensorflow-labs` itself, with its labs: their checks give the points, on inputs drawn
afresh. Students need no more than the kit: install the newest wheel in `kit/` where they work.

nbgrader runs a student's code and the checks in one process: someone who wants to can sway them there, or read the
solutions, and what nbgrader hands back may show a solution that stood in for what was missing. `labs grade`, as in
`labs grade . --out graded`, grades the same submissions without that weakness: use it where grades matter.

`labs assign ... --as nbgrader --out {course.name}` adds another assignment here.
"""


def _summary(assignment: Assignment) -> str:
    due = f"Due **{shown(datetime.fromisoformat(assignment.due))}**. " if assignment.due else ""
    minutes = sum(work.minutes for work in assignment.labs)
    return f"{due}{count(assignment.points, 'point')}, about {count(minutes, 'minute')} of work."


def _table(assignment: Assignment) -> str:
    rows = ["| Lab | Exercise | Points |", "|---|---|---:|"]
    for work in assignment.labs:
        title = f"[{work.title}]({work.notebook})"
        for part in work.exercises:
            rows.append(f"| {title} | `{part.name}` | {part.points} |")
            title = ""
    return "\n".join(rows)


def _set(name: str) -> str:
    known = catalog.info(name)
    return f"{known.title} | {known.licence} | {known.bytes:,}"
