"""What can be asked for in JupyterLab: open a lab, begin it anew, the next hint, remember an answer or a hint."""

from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any

from labs.kit import paths, progress
from labs.kit.command import questions, workspace
from labs.kit.curriculum import Lab, unknown
from labs.kit.errors import LabsError
from labs.kit.exercise import Exercise
from labs.kit.jupyterlab import state

_one_at_a_time = Lock()


class Unknown(LabsError):
    """There is no lab, exercise or question of that name."""


class Malformed(LabsError):
    """What was asked cannot be understood."""


def open_lab(asked: dict[str, Any], root: Path | None) -> dict[str, Any]:
    """Put the learner's copy of a lab in place if it is not there, and say where it is.

    Args:
        asked: `lab`, its name; `newer`, whether to take a newer version of it with the answers carried over.
        root: the folder that JupyterLab shows.

    Raises:
        LabsError: the lab is unknown or not built, its copy cannot be written, cannot be read, or is not shown here.
    """
    lab, newer = _lab(asked), asked.get("newer", False)
    if not isinstance(newer, bool):
        raise Malformed("`newer` must be true or false.")
    path, told = _shown(lab, root), []
    with _one_at_a_time:
        match workspace.state(lab):
            case workspace.FRESH:
                workspace.place(lab)
            case workspace.DAMAGED:
                raise LabsError(
                    "Your copy cannot be read as a notebook; it is kept as it is. Begin anew to put it aside."
                )
            case workspace.OLDER if newer:
                done = workspace.upgrade(lab)
                # Beside a file browser, its name says where it is.
                told = replace(done, kept=Path(done.kept.name)).sentences()
    return {"path": path, "says": " ".join(told)}


def reset(asked: dict[str, Any], root: Path | None) -> dict[str, Any]:
    """Put a fresh copy of a lab in place and keep what was there under a name with the date.

    Args:
        asked: `lab`, its name.
        root: the folder that JupyterLab shows.

    Raises:
        LabsError: the lab is unknown or not built, its copy cannot be written or is not shown here.
    """
    lab = _lab(asked)
    path = _shown(lab, root)
    with _one_at_a_time:
        kept = workspace.reset(lab)
    said = f" What you had is kept as {kept.name}, beside it." if kept else ""
    return {"path": path, "kept": kept and kept.name, "says": f"{lab.title} is fresh.{said}"}


def hint(asked: dict[str, Any], root: Path | None) -> dict[str, Any]:
    """Show the next hint of an exercise; after the last, the last again.

    Args:
        asked: `lab` and `exercise`, their names.
        root: not needed.

    Raises:
        LabsError: there is no such lab or exercise.
    """
    lab = _lab(asked)
    known, name = _exercise(lab, asked)
    with _one_at_a_time:
        number = progress.next_hint(lab.name, name, len(known[name].hints))
    return {"number": number, "of": len(known[name].hints), "text": known[name].hints[number - 1]}


def hint_seen(asked: dict[str, Any], root: Path | None) -> dict[str, Any]:
    """Remember that a hint was opened on the card of a check; one already seen is not counted again.

    Args:
        asked: `lab` and `exercise`, their names, and `number`, that of the hint, from 1.
        root: not needed.

    Raises:
        LabsError: there is no such lab, exercise or hint, or it cannot be saved.
    """
    lab = _lab(asked)
    (known, name), number = _exercise(lab, asked), asked.get("number")
    last = len(known[name].hints)
    if isinstance(number, bool) or not isinstance(number, int) or not 1 <= number <= last:
        raise Malformed(f"Say which hint: `number` must be from 1 to {last}.")
    with _one_at_a_time:
        if number > progress.hints_seen(lab.name, name):
            _saved(progress.record("hint", lab.name, name, number=number))
        return {"seen": progress.hints_seen(lab.name, name), "of": last}


def answer(asked: dict[str, Any], root: Path | None) -> dict[str, Any]:
    """Remember the answer to a question of the prose, and say whether it and the first one were right.

    Args:
        asked: `lab`, its name; `question`, its id; `value`, a number or a list of the question's options.
        root: not needed.

    Raises:
        LabsError: there is no such lab or question, this is no answer to it, or it cannot be saved.
    """
    lab = _lab(asked)
    known, name, value = questions.questions(lab), asked.get("question"), asked.get("value")
    if not isinstance(name, str):
        raise Malformed("Say which question: `question` must be the id of one.")
    if name not in known:
        raise Unknown(
            "This question is not in the lab as it is now, so the answer is not remembered: "
            "the panel offers the newer version."
        )
    try:
        right = questions.is_right(known[name], value)
    except LabsError as error:
        raise Malformed(str(error)) from error
    with _one_at_a_time:
        _saved(progress.record("answer", lab.name, "", question=name, value=value, right=right))
        return progress.answers()[lab.name, name]


def _saved(done: bool) -> None:
    if not done:
        raise LabsError(
            f"This could not be saved in {progress.path()}: is the disk full, or the folder write-protected? "
            "What was there is still there."
        )


def _exercise(lab: Lab, asked: dict[str, Any]) -> tuple[dict[str, Exercise], str]:
    known, name = state.exercises_of(lab), asked.get("exercise")
    if not isinstance(name, str):
        raise Malformed("Say which exercise: `exercise` must be the name of one.")
    if name not in known:
        raise Unknown(unknown("exercise", name, known))
    return known, name


def _lab(asked: dict[str, Any]) -> Lab:
    name, found = asked.get("lab"), state.known()
    if not isinstance(name, str):
        raise Malformed("Say which lab: `lab` must be the name of one.")
    if name not in found.labs:
        raise Unknown(unknown("lab", name, found.labs))
    return found.labs[name]


def _shown(lab: Lab, root: Path | None) -> str:
    path = state.shown_as(lab, root)
    if path is None:
        raise LabsError(
            f"Your labs are in {paths.workspace()}, which this JupyterLab does not show: open them with `labs start`."
        )
    return path
