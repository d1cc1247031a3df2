"""What the panel shows: modules, labs, exercises, how far the learner is, and the state of the learner's copies."""

import os
from functools import lru_cache
from math import ceil
from pathlib import Path
from typing import Any

from labs.kit import curriculum, paths, progress
from labs.kit.command import questions, report, where, workspace
from labs.kit.curriculum import Curriculum, Lab
from labs.kit.errors import LabsError
from labs.kit.exercise import Exercise
from labs.kit.load import exercises

UNBUILT = "unbuilt"

Stamp = tuple[int, int] | None
Told = dict[tuple[str, str], dict[str, Any]]


def read(root: Path | None) -> dict[str, Any]:
    """Return everything that the panel shows.

    Args:
        root: the folder that JupyterLab shows; None where it shows no folder of this machine.

    Raises:
        LabsError: the list of labs cannot be read.
    """
    found = known()
    happened = progress.events()
    done, answers = progress.states(happened), progress.answers(happened)
    modules = []
    for module in found.modules:
        labs = [_lab(found.lab(name), done, answers, root) for name in module.labs]
        modules.append({"name": module.name, "title": module.title, "labs": labs})
    return {
        "modules": modules,
        "go_on": _go_on(found, done),
        "workspace": str(paths.workspace()),
        # Whether this JupyterLab is there for the labs: `labs start` shows the workspace and nothing else.
        "home": root is not None and _real(root) == _real(paths.workspace()),
    }


def known() -> Curriculum:
    """Return the curriculum, read again only when a file of it has changed.

    Raises:
        LabsError: it cannot be read.
    """
    folder = paths.labs()
    cards = sorted(folder.glob("*/*/lab.py"))
    return _curriculum(tuple(map(_stamp, [folder / "curriculum.toml", *cards])))


def exercises_of(lab: Lab) -> dict[str, Exercise]:
    """Return the exercises of `lab`, read again only when its checks have changed.

    Raises:
        LabsError: its checks cannot be read.
    """
    try:
        return _exercises(lab, _stamp(lab.checks))
    except Exception as error:  # whatever an author's half-written module raises
        raise LabsError(
            f"The checks of {lab.name} cannot be read ({type(error).__name__}: {error})."
        ) from error


def shown_as(lab: Lab, root: Path | None) -> str | None:
    """Return the path of the learner's copy in this JupyterLab, or None if it lies where it shows nothing."""
    if root is None:
        return None
    copy = workspace.copy_of(lab)
    for path, folder in ((os.path.abspath(copy), os.path.abspath(root)), (_real(copy), _real(root))):
        if Path(path).is_relative_to(folder):
            parts = Path(path).relative_to(folder).parts
            # Jupyter's server gives out nothing hidden.
            return None if any(part.startswith(".") for part in parts) else "/".join(parts)
    return None


def _lab(lab: Lab, done: Told, answers: Told, root: Path | None) -> dict[str, Any]:
    card = {"name": lab.name, "title": lab.title, "promise": lab.promise, "level": lab.level}
    try:
        known, trouble = exercises_of(lab), ""
    except LabsError as error:
        known, trouble = {}, str(error)
    rows = [{**row, **_told(known[row["exercise"]], row)} for row in report.exercise_rows(lab, known, done)]
    left = sum(row["minutes"] for row in rows if row["state"] != "passed")
    return {
        **card,
        "minutes": lab.minutes,
        # The lab's minutes, of which reading is a part, in proportion to what is left to do.
        "minutes_left": ceil(lab.minutes * left / max(1, sum(row["minutes"] for row in rows))),
        "passed": sum(row["state"] == "passed" for row in rows),
        "points": sum(row["points"] for row in rows if row["state"] == "passed"),
        "of_points": sum(row["points"] for row in rows),
        "trouble": trouble,
        "copy": _copy(lab),
        "path": shown_as(lab, root),
        "exercises": rows,
        **questions.counts(lab, answers),
        "answers": {
            name: answers[lab.name, name] for name in questions.questions(lab) if (lab.name, name) in answers
        },
    }


def _told(exercise: Exercise, row: dict[str, Any]) -> dict[str, Any]:
    """Return the sentences that belong to a row: the task, what the last check said, the hints asked for."""
    try:
        says = exercise.misconception(row["diagnosis"]).says if row["diagnosis"] else ""
    except ValueError:
        says = ""  # from an older version of the lab
    return {
        "task": exercise.task,
        "says": "" if row["state"] == "passed" else says,
        "hint_texts": list(exercise.hints[: row["hints"]]),
        "of_hints": len(exercise.hints),
    }


def _go_on(found: Curriculum, done: dict[tuple[str, str], dict[str, Any]]) -> dict[str, Any] | None:
    if not found.labs:
        return None
    try:
        lab = where.go_on(found, done, exercises_of)
        left = where.unpassed(lab, done, exercises_of)
    except Exception:  # a lab whose checks cannot be read says so itself
        return None
    begun = any(name == lab.name for name, _ in done)
    return {
        "lab": lab.name,
        "title": lab.title,
        "begun": begun,
        "finished": not left,
        # A lab that was not begun begins at its top.
        "exercise": left[0] if begun and left else "",
    }


def _copy(lab: Lab) -> str:
    try:
        origin = _stamp(workspace.built(lab))
        return _copy_state(lab, workspace.copy_of(lab), _stamp(workspace.copy_of(lab)), origin)
    except LabsError:
        return UNBUILT


@lru_cache(1)
def _curriculum(stamps: tuple[Stamp, ...]) -> Curriculum:
    return curriculum.load()


@lru_cache(512)
def _exercises(lab: Lab, stamp: Stamp) -> dict[str, Exercise]:
    return exercises(lab)


@lru_cache(512)
def _copy_state(lab: Lab, copy: Path, stamp: Stamp, origin: Stamp) -> str:
    return workspace.state(lab)


def _stamp(path: Path) -> Stamp:
    try:
        found = path.stat()
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size)


def _real(path: Path) -> str:
    return os.path.realpath(path)
