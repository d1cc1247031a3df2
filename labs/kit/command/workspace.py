"""The learner's own notebooks: copied once, brought up to date beside the old ones, put back to the start.

Nothing here ever overwrites a file of the learner: what makes way for another is kept under a name with the date.
"""

import hashlib
import json
import os
import re
import shutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import date
from pathlib import Path
from typing import Any

from labs.kit import paths
from labs.kit.curriculum import Lab
from labs.kit.errors import LabsError

FRESH, CURRENT, OLDER, DAMAGED = "fresh", "current", "older", "damaged"


@dataclass(frozen=True)
class Upgrade:
    """What bringing a copy up to date did.

    Attributes:
        copy: the new notebook, under the name that the lab always has.
        kept: the old one.
        carried: names of the exercises whose answers stand in the new notebook.
        left: names of the exercises with an answer that the new lab no longer has.
        cells: how many cells of the learner's own stand in the old notebook only.
    """

    copy: Path
    kept: Path
    carried: tuple[str, ...]
    left: tuple[str, ...]
    cells: int

    def sentences(self) -> list[str]:
        """Return what to tell the learner."""
        carried = (
            f"your answers to {', '.join(self.carried)}" if self.carried else "no answers yet to carry over"
        )
        said = [f"The newer version is in place, with {carried}. Your old copy is {self.kept}"]
        if self.left:
            said.append(f"No longer in the lab, and only in the old copy: {', '.join(self.left)}.")
        if self.cells:
            said.append(f"Cells that you added, {self.cells} of them, are in the old copy only.")
        return said


def copy_of(lab: Lab, workspace: Path | None = None) -> Path:
    """Return where the learner's copy of `lab` is or will be."""
    folder = workspace or paths.workspace()
    return folder / _places(folder).get(lab.name, f"{lab.name}.ipynb")


def _places(folder: Path) -> dict[str, str]:
    """Return where in `folder` the notebooks of handed-out work lie, by lab, as its description says."""
    if folder != paths.handed_out():
        return {}
    try:
        described = json.loads((folder / paths.ASSIGNMENT).read_text("utf-8"))
        return {work["name"]: work["notebook"] for work in described["labs"]}
    except (OSError, ValueError, KeyError, TypeError):
        return {}


def built(lab: Lab) -> Path:
    """Return the built notebook that a copy is made of.

    Raises:
        LabsError: it is not built.
    """
    notebook = _origin(lab)
    if notebook.is_file():
        return notebook
    if paths.handed_out():
        raise LabsError(
            f"This assignment comes without a fresh notebook of {lab.name}: fetch it again where you got it."
        )
    raise LabsError(f"The notebook of {lab.name} is not built: run `labs build {lab.name}`.")


def _origin(lab: Lab) -> Path:
    return paths.notebooks() / "learn" / f"{lab.name}.ipynb"


def state(lab: Lab, workspace: Path | None = None) -> str:
    """Return whether the copy of `lab` is yet to be made, current, of an older version, or cannot be read."""
    copy = copy_of(lab, workspace)
    if not copy.exists():
        return FRESH
    mine = _read(copy)
    if mine is None:
        return DAMAGED
    if paths.handed_out() and not _origin(lab).is_file():
        return CURRENT  # an nbgrader assignment: there is nothing newer here
    version = mine["metadata"].get("labs", {}).get("source")
    return CURRENT if version == _source(_read(built(lab))) else OLDER


def place(lab: Lab, workspace: Path | None = None) -> Path:
    """Copy the learner's notebook of `lab` into the workspace if it is not there, and return where it is.

    Raises:
        LabsError: the notebook is not built, or the workspace cannot be written.
    """
    origin, copy = built(lab), copy_of(lab, workspace)
    with _written(copy):
        if not copy.exists():
            _put(copy, lambda half: shutil.copyfile(origin, half))
    return copy


def upgrade(lab: Lab, workspace: Path | None = None) -> Upgrade:
    """Put the newer version of `lab` in place with the learner's answers in it, and keep the old one.

    An answer is carried over by the name of its exercise, as it stands, right or wrong; an exercise that is
    still blank comes fresh.

    Raises:
        LabsError: the old copy is no notebook, the lab is not built, or the workspace cannot be written.
    """
    copy, fresh = copy_of(lab, workspace), _read(built(lab))
    mine = _read(copy)
    if mine is None:
        raise LabsError(
            f"{copy} is not a notebook any more: `labs reset {lab.name}` keeps it and begins anew."
        )
    answers, exercises = _exercises(mine), _exercises(fresh)
    written = {name: cell["source"] for name, cell in answers.items() if _is_written(name, cell, mine)}
    for name in written.keys() & exercises.keys():
        exercises[name]["source"] = written[name]
    # What belongs to the lab is known by its id in either version; a cell that was made in JupyterLab has one of its
    # own making, which looks different from a name.
    own = [cell for cell in mine["cells"] if _made_by_hand(cell)]
    with _written(copy):
        kept = _keep(copy)
        _replace(
            copy,
            lambda half: half.write_text(json.dumps(fresh, ensure_ascii=False, indent=1) + "\n", "utf-8"),
        )
    carried = tuple(name for name in exercises if name in written)
    left = tuple(name for name in written if name not in exercises)
    return Upgrade(copy, kept, carried, left, len(own))


def reset(lab: Lab, workspace: Path | None = None) -> Path | None:
    """Put a fresh copy of `lab` in place and return where the old one is kept, or None if there was none.

    Raises:
        LabsError: the notebook is not built, or the workspace cannot be written.
    """
    origin, copy = built(lab), copy_of(lab, workspace)
    if not copy.exists():
        place(lab, workspace)
        return None
    with _written(copy):
        kept = _keep(copy)
        _replace(copy, lambda half: shutil.copyfile(origin, half))
    return kept


def _read(notebook: Path) -> dict[str, Any] | None:
    """Return a notebook's content, or None for what is not one."""
    try:
        found = json.loads(notebook.read_text("utf-8"))
        assert isinstance(found["metadata"], dict)
        assert all(isinstance(cell, dict) for cell in found["cells"])
    except (OSError, ValueError, TypeError, KeyError, AssertionError):
        return None
    return found


def _source(notebook: dict[str, Any] | None) -> str | None:
    return notebook and notebook["metadata"].get("labs", {}).get("source")


def _text(cell: dict[str, Any]) -> str:
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def _exercises(notebook: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the exercise cells by the name of what they define; of two of a name, the last that is written."""
    found: dict[str, dict[str, Any]] = {}
    for cell in notebook["cells"]:
        if cell.get("cell_type") != "code" or not _is_exercise(cell):
            continue
        named = re.match(r"exercise-(\w+)", str(cell.get("id", "")))
        named = named or re.search(r"^(?:def|class)\s+(\w+)", _text(cell), re.M)
        if named and (named[1] not in found or _is_written(named[1], cell, notebook)):
            found[named[1]] = cell
    return found


def _is_exercise(cell: dict[str, Any]) -> bool:
    return "exercise" in cell.get("metadata", {}).get("tags", []) or str(cell.get("id")).startswith(
        "exercise-"
    )


def _is_written(name: str, cell: dict[str, Any], notebook: dict[str, Any]) -> bool:
    """Tell whether the learner has changed an exercise: its text is not the blank that the notebook came with."""
    blanks = notebook["metadata"].get("labs", {}).get("blanks", {})
    return fingerprint(_text(cell)) != blanks.get(name)


def fingerprint(source: str) -> str:
    """Return a short hash of a cell's text, the same with Windows' line ends and spaces at line ends."""
    lines = [line.rstrip() for line in source.strip().splitlines()]
    return hashlib.sha256("\n".join(lines).encode()).hexdigest()[:16]


def _made_by_hand(cell: dict[str, Any]) -> bool:
    identity = str(cell.get("id", ""))
    return bool(re.fullmatch(r"[0-9a-f]{8}(-[0-9a-f-]+)?", identity)) and bool(_text(cell).strip())


@contextmanager
def _written(copy: Path) -> Iterator[None]:
    try:
        copy.parent.mkdir(parents=True, exist_ok=True)
        yield
    except OSError as error:
        raise LabsError(
            f"Your copy {copy} cannot be written ({error.strerror or error}): make room or give yourself the "
            "right to write there, or set LABS_WORKSPACE to another folder."
        ) from error


def _put(copy: Path, write: Callable[[Path], Any]) -> bool:
    """Write a file that is not there yet: beside it and renamed, so that no half of it is ever left.

    Returns:
        Whether it was written; another start may have made it in the meantime: then it is the learner's.
    """
    with _half(copy, write) as half:
        try:
            os.link(half, copy)
        except FileExistsError:
            return False
        except OSError:  # a file system without links
            if copy.exists():
                return False
            os.replace(half, copy)
    return True


def _replace(copy: Path, write: Callable[[Path], Any]) -> None:
    with _half(copy, write) as half:
        os.replace(half, copy)


@contextmanager
def _half(copy: Path, write: Callable[[Path], Any]) -> Iterator[Path]:
    half = copy.with_suffix(f".ipynb.half-{os.getpid()}")
    try:
        write(half)
        yield half
    finally:
        half.unlink(missing_ok=True)


def _keep(copy: Path) -> Path:
    """Give the file a second name with the date, and return it; under its first name it is still there."""
    stem, number = f"{copy.stem}-{date.today().isoformat()}", 1
    while True:
        kept = copy.with_name(f"{stem}{f'-{number}' if number > 1 else ''}{copy.suffix}")
        number += 1
        # A second name for the same file would change with it, if someone still writes to it: a copy does not.
        if not kept.exists() and _put(kept, lambda half: shutil.copy2(copy, half)):
            return kept
