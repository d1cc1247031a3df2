"""What the panel can have done: open a lab, begin it anew, show the next hint."""

from dataclasses import replace
from pathlib import Path
from threading import Lock
from typing import Any

from labs.kit import paths, progress
from labs.kit.command import workspace
from labs.kit.curriculum import Lab, unknown
from labs.kit.errors import LabsError
from labs.kit.jupyterlab import state

_one_at_a_time = Lock()


class Unknown(LabsError):
    """There is no lab or exercise of that name."""


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
    known, name = state.exercises_of(lab), asked.get("exercise")
    if not isinstance(name, str):
        raise Malformed("Say which exercise: `exercise` must be the name of one.")
    if name not in known:
        raise Unknown(unknown("exercise", name, known))
    with _one_at_a_time:
        number = progress.next_hint(lab.name, name, len(known[name].hints))
    return {"number": number, "of": len(known[name].hints), "text": known[name].hints[number - 1]}


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
