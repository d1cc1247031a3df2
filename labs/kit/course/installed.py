"""A lab as it is installed: what a learner's notebook began as, and what its exercises give."""

import ast
import json
from dataclasses import dataclass
from functools import lru_cache

from labs.kit import curriculum, paths
from labs.kit.course import extract
from labs.kit.curriculum import Lab
from labs.kit.errors import LabsError
from labs.kit.exercise import Exercise
from labs.kit.load import exercises
from labs.kit.observe import BLANK_MESSAGE

_BLANK = f'raise NotImplementedError("{BLANK_MESSAGE}")'


@dataclass(frozen=True)
class Installed:
    """A lab, read once.

    Attributes:
        lab: its card.
        exercises: by name, in order.
        setup: the cells that every exercise may lean on: id and source.
        blanks: exercise to the cell as it was handed out.
        given: the sources, normalized, of all cells that were handed out.
    """

    lab: Lab
    exercises: dict[str, Exercise]
    setup: tuple[tuple[str, str], ...]
    blanks: dict[str, str]
    given: frozenset[str]

    def unfilled(self, exercise: str) -> str:
        """Return the exercise's cell with nothing in its blanks: no answer, and known to be none."""
        trees = (ast.parse(source) for _, source in self.setup)
        leading = [ast.unparse(node) for tree in trees for node in tree.body if _is_plain(node)]
        return "\n".join([*leading, self.blanks[exercise].replace(_BLANK, "pass")])


def _is_plain(node: ast.stmt) -> bool:
    """Tell whether a statement only imports, or names a constant."""
    constant = isinstance(node, ast.Assign) and not any(isinstance(one, ast.Call) for one in ast.walk(node))
    return constant or isinstance(node, ast.Import | ast.ImportFrom)


@lru_cache(maxsize=32)
def installed(name: str) -> Installed:
    """Read the lab `name`.

    Raises:
        LabsError: there is no such lab, or its notebook has not been built.
    """
    lab = curriculum.load().lab(name)
    known = exercises(lab)
    path = paths.notebooks() / "learn" / f"{name}.ipynb"
    try:
        cells = json.loads(path.read_text("utf-8"))["cells"]
    except (OSError, ValueError, KeyError) as error:
        raise LabsError(f"{path} cannot be read ({error}): `labs build {name}` makes it.") from error
    code = [(c["id"], text_of(c), c["metadata"].get("tags", [])) for c in cells if c["cell_type"] == "code"]
    blanks = {i.removeprefix("exercise-"): text for i, text, tags in code if "exercise" in tags}
    missing = sorted(set(known) - set(blanks))
    if missing:
        raise LabsError(f"{path} has no cell for {missing[0]}: `labs build {name}` makes it anew.")
    return Installed(
        lab=lab,
        exercises=known,
        setup=tuple((i, text) for i, text, tags in code if "setup" in tags),
        blanks=blanks,
        given=frozenset(normal(text) for _, text, _ in code),
    )


def text_of(cell: dict) -> str:
    """Return a notebook cell's text, however it is stored."""
    source = cell.get("source", "")
    return source if isinstance(source, str) else "".join(source)


def normal(source: str) -> str:
    """Return a cell's text without what editors and systems change: line ends, blanks before them, empty lines."""
    lines = source.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    return "\n".join(line.rstrip() for line in lines).strip("\n")


def decoys(lab: Installed, exercise: str) -> list[extract.Decoy]:
    """Return what is known to be no answer to an exercise: wrong ones, and the blank with nothing in it."""
    wrong = extract.decoys(lab.lab.answers, exercise)
    return [*wrong, extract.Decoy(exercise, lab.unfilled(exercise))]
