"""Read a notebook that someone handed in: nothing of it is run, and nothing of it is believed."""

import hashlib
import json
from dataclasses import dataclass, field
from typing import Any

from labs.kit.course.installed import text_of
from labs.kit.course.records import Cell

LARGEST = 50 << 20
MOST_CELLS, LONGEST_CELL, LONGEST_CODE = 2000, 200_000, 2_000_000
_LONGEST_ID = 200


@dataclass
class Notebook:
    """What is in a file that should be a notebook.

    Attributes:
        sha256: of its bytes.
        lab: the lab that it says it is of; empty if it says none.
        cells: its code cells in order; none if it cannot be read.
        problems: what is wrong with it, in sentences.
    """

    sha256: str
    lab: str = ""
    cells: tuple[Cell, ...] = ()
    problems: list[str] = field(default_factory=list)


def read(data: bytes) -> Notebook:
    """Return what is in the bytes of a notebook; never raises for what they are."""
    found = Notebook(hashlib.sha256(data).hexdigest())
    if len(data) > LARGEST:
        found.problems.append(too_large(len(data)))
        return found
    try:
        content = json.loads(data.decode("utf-8-sig"))
        cells = content["cells"] if "cells" in content else content["worksheets"][0]["cells"]
        cells = [cell for cell in cells if isinstance(cell, dict)]
    except UnicodeDecodeError:
        found.problems.append("The file is no notebook: it is not text in UTF-8.")
        return found
    except (ValueError, RecursionError):
        found.problems.append("The file is no notebook: it is not JSON, or not all of it.")
        return found
    except (KeyError, IndexError, TypeError, AttributeError):
        found.problems.append("The file is no notebook: it has no cells.")
        return found
    _describe(content, cells, found)
    return found


def too_large(size: int) -> str:
    """Return the sentence on a file of `size` bytes."""
    most = LARGEST / 1e6
    return (
        f"The file has {size / 1e6:.0f} MB and may have {most:.0f}: clear its outputs and hand it in again."
    )


def _describe(content: dict[str, Any], cells: list[dict[str, Any]], found: Notebook) -> None:
    metadata = _dict(content.get("metadata"))
    lab = _dict(metadata.get("labs")).get("name")
    found.lab = lab[:200] if isinstance(lab, str) else ""
    languages = {
        str(_dict(metadata.get(part)).get(key) or "python")[:40].lower()
        for part, key in (("kernelspec", "language"), ("language_info", "name"))
    }
    others = {one for one in languages if not one.startswith(("python", "ipython"))}
    if others:
        found.problems.append(
            f"The notebook says that it is written in {min(others)}; it was read as Python."
        )
    ids = [cell["id"] for cell in cells if isinstance(cell.get("id"), str)]
    if len(ids) != len(set(ids)):
        found.problems.append("Two cells of the notebook have the same id: it was put together by hand.")
    code = [cell for cell in cells if cell.get("cell_type") == "code" and not _is_graders(cell)]
    texts = [_text(cell) for cell in code]
    if len(code) > MOST_CELLS or sum(map(len, texts)) > LONGEST_CODE:
        found.problems.append(
            "The notebook has more code than anybody could have written: it was not graded."
        )
        return
    if any(len(text) > LONGEST_CELL for text in texts):
        found.problems.append(
            f"A cell of the notebook has more than {LONGEST_CELL:,} characters; it was left out."
        )
    found.cells = tuple(
        Cell(_id(cell), text, _exercise(cell)) for cell, text in zip(code, texts, strict=True) if text.strip()
    )
    if not found.cells:
        found.problems.append("The notebook has no code.")


def _text(cell: dict[str, Any]) -> str:
    """Return a cell's text with line ends as Python has them; nothing if it is too long or none."""
    try:
        text = text_of(cell if "source" in cell else {"source": cell.get("input", "")})
    except TypeError:
        return ""
    text = text.encode("utf-8", "replace").decode("utf-8").replace("\r\n", "\n").replace("\r", "\n")
    return "" if len(text) > LONGEST_CELL else text.replace("\0", "")


def _id(cell: dict[str, Any]) -> str:
    return str(cell.get("id") or "")[:_LONGEST_ID]


def _exercise(cell: dict[str, Any]) -> str:
    """Return the exercise that a cell is of, as its id or nbgrader's metadata say."""
    grade_id = _dict(_dict(cell.get("metadata")).get("nbgrader")).get("grade_id")
    for name in (_id(cell), grade_id):
        if isinstance(name, str) and name.startswith("exercise-"):
            return name.removeprefix("exercise-")[:_LONGEST_ID]
    return ""


def _is_graders(cell: dict[str, Any]) -> bool:
    """Tell whether a cell only counts points in nbgrader."""
    told = _dict(_dict(cell.get("metadata")).get("nbgrader"))
    return told.get("grade") is True and told.get("solution") is not True


def _dict(value: Any) -> dict[str, Any]:
    return value if isinstance(value, dict) else {}
