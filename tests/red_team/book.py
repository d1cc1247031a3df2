"""A notebook as a student hands it in, made from what a learner is given."""

import copy
import json
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from labs.kit import curriculum, paths, reference

TENSORS, TAPE = "foundations/tensors", "training/gradient-tape"
SEQUENTIAL, GRAPHS = "keras/sequential", "foundations/graphs"


class Book:
    """A learner's notebook that can be changed as a person, or a script, might change it.

    Args:
        lab: the lab's name.
    """

    def __init__(self, lab: str = TENSORS):
        self.lab = curriculum.load().lab(lab)
        path = paths.notebooks() / "learn" / f"{lab}.ipynb"
        self.content: dict[str, Any] = json.loads(path.read_text("utf-8"))
        self.text: Callable[[str], str] = lambda text: text

    @property
    def cells(self) -> list[dict[str, Any]]:
        return self.content["cells"]

    def place(self, name: str) -> int:
        """Return where the cell with this id is."""
        return next(place for place, cell in enumerate(self.cells) if cell.get("id") == name)

    def answer(self, **answers: str) -> "Book":
        """Put code into the cells of exercises."""
        for name, code in answers.items():
            self.cells[self.place(f"exercise-{name}")]["source"] = code
        return self

    def solve(self, *names: str) -> "Book":
        """Put the lab's own solutions into the cells of exercises."""
        for name in names:
            self.answer(**{name: self.solution(name)})
        return self

    def solution(self, name: str) -> str:
        lines = reference.source(self.lab, name).splitlines()
        return "\n".join(line for line in lines if "### " not in line)

    def insert(self, code: str, before: str | None = None, after: str | None = None, **more: Any) -> "Book":
        """Add a code cell before or after the cell with an id; at the top if neither is given."""
        place = self.place(before) if before else self.place(after) + 1 if after else 1
        extra = {"cell_type": "code", "metadata": {}, "outputs": [], "execution_count": None, "source": code}
        self.cells.insert(place, {**extra, "id": f"extra-{len(self.cells)}", **more})
        return self

    def drop(self, keep: Callable[[dict[str, Any]], bool]) -> "Book":
        """Leave out all cells but some."""
        self.content["cells"] = [cell for cell in self.cells if keep(cell)]
        return self

    def copied(self) -> "Book":
        return copy.deepcopy(self)

    def data(self) -> bytes:
        return self.text(json.dumps(self.content, ensure_ascii=False, indent=1)).encode("utf-8")


@dataclass(frozen=True)
class Case:
    """One submission and what must come of it.

    Attributes:
        name: what it tries.
        files: path in the student's folder to bytes, a symbolic link's target, or a size for a file of nothing.
        points: exercise to points; those not named must get none.
        stopped: exercise to why it was stopped, where that matters.
        says: a pattern that must be found among the problems, notes and the teacher's sentences.
    """

    name: str
    files: dict[str, bytes | str | int]
    points: dict[str, int]
    stopped: dict[str, str] = field(default_factory=dict)
    says: str = ""


def write(case: Case, folder: Path) -> None:
    """Write a case as the folder of a student."""
    for name, content in case.files.items():
        path = folder / case.name / name
        path.parent.mkdir(parents=True, exist_ok=True)
        if isinstance(content, bytes):
            path.write_bytes(content)
        elif isinstance(content, str):
            path.symlink_to(content)
        else:
            with open(path, "wb") as stream:
                stream.truncate(content)


def title(function: Callable[..., Any]) -> str:
    """Return the name of a case from that of the function that makes it."""
    return re.sub(r"_+", "-", function.__name__).strip("-")


def put(folder: Path, *names: str, data: bytes | None = None) -> None:
    """Write `data`, a book's where it is not given, to each of the files called `names` in `folder`."""
    data = Book().data() if data is None else data
    for name in names:
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
