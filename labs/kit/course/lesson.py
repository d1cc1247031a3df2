"""A lab as a teacher sees it: its sections, the questions in them and where each exercise stands.

Read from the learner's notebook, which every installation carries, so that no page about a lab can say
anything that the lab does not.
"""

import json
import re
from collections.abc import Iterable
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path

from labs.kit import paths
from labs.kit.curriculum import Lab
from labs.kit.errors import LabsError

EXPLAIN = "Explain it"
_DETAILS = re.compile(r"<details[^>]*>\s*<summary[^>]*>(.*?)</summary>(.*?)</details>", re.S)
_COMMENT = re.compile(r"<!--.*?-->", re.S)
_PREDICT = re.compile(r"\*\*Predict\.\*\*\s*(.*?)(?=\n\s*\n|<details|\Z)", re.S)


@dataclass(frozen=True)
class Question:
    """A question of the lab's, and what its text answers; both as markdown.

    Attributes:
        asks: the question.
        answers: what can be opened under it, each as heading and text.
    """

    asks: str
    answers: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Section:
    """What stands under one heading of the second level.

    Attributes:
        title: the heading.
        slug: its name in links, unique in the lab.
        says: the first paragraph, as markdown.
        predictions: what the learner is asked before running something.
        exercises: names of the exercises in it.
        text: all of its markdown.
    """

    title: str
    slug: str
    says: str = ""
    predictions: tuple[Question, ...] = ()
    exercises: tuple[str, ...] = ()
    text: str = field(default="", repr=False)


@dataclass(frozen=True)
class Lesson:
    """A lab, section by section.

    Attributes:
        lab: the lab.
        hook: the concrete problem that it begins with, as markdown.
        sections: from the first to the recap.
        explain: the questions of "Explain it", each with its model answer.
    """

    lab: Lab
    hook: str
    sections: tuple[Section, ...]
    explain: tuple[Question, ...]

    def section_of(self, exercise: str) -> Section | None:
        """Return the section that an exercise stands in, or nothing for an exercise that the lab has not."""
        return next((section for section in self.sections if exercise in section.exercises), None)


def lesson(lab: Lab) -> Lesson:
    """Read the learner's notebook of `lab`.

    Raises:
        LabsError: the notebook is not there or is none.
    """
    return _read(lab, paths.notebooks() / "learn" / f"{lab.name}.ipynb")


@lru_cache
def _read(lab: Lab, path: Path) -> Lesson:
    try:
        cells = json.loads(path.read_text("utf-8"))["cells"]
    except OSError as error:
        raise LabsError(f"The notebook of {lab.name} is missing: `labs build` makes {path}.") from error
    except (ValueError, KeyError) as error:
        raise LabsError(f"{path} is not a notebook: `labs build {lab.name}` makes it anew.") from error
    hook, grouped = _grouped(cells)
    sections = tuple(_section(*group) for group in grouped)
    asked = next((section.text for section in sections if section.title == EXPLAIN), "")
    return Lesson(lab, hook, sections, tuple(_interview(asked)))


def _grouped(cells: Iterable[dict]) -> tuple[str, list[tuple[str, str, list[str]]]]:
    """Return the text before the first section and, for each section, title, text and names of exercises."""
    hook: list[str] = []
    groups: list[tuple[str, list[str], list[str]]] = []
    for cell in cells:
        text = "".join(cell["source"])
        if cell["cell_type"] == "code":
            named = re.fullmatch(r"exercise-(\w+)", cell.get("id", ""))
            if named and groups:
                groups[-1][2].append(named[1])
            continue
        if cell.get("id") in ("card", "way-on"):
            continue
        before, *parts = re.split(r"^## (.+)$", text, flags=re.M)
        (groups[-1][1] if groups else hook).append(before)
        groups += [(title.strip(), [under], []) for title, under in zip(parts[::2], parts[1::2], strict=True)]
    joined = [(title, "\n\n".join(parts).strip(), names) for title, parts, names in groups]
    return "\n\n".join(hook).strip(), joined


def _section(title: str, text: str, exercises: list[str]) -> Section:
    shown = _COMMENT.sub("", text)
    first = next((part for part in re.split(r"\n\s*\n", shown) if _is_prose(part)), "")
    predictions = []
    for found in _PREDICT.finditer(shown):
        # What can be opened belongs to the question as long as nothing else stands between.
        under = re.match(r"\s*((?:<details.*?</details>\s*)*)", shown[found.end() :], re.S)[1]
        predictions.append(Question(_one_line(found[1]), tuple(_opened(under))))
    return Section(title, slug(title), _one_line(first), tuple(predictions), tuple(exercises), text)


def _is_prose(part: str) -> bool:
    return bool(part.strip()) and not re.match(r"\s*(#|\*\*Predict|<|\||```|- |\d+\. )", part)


def _interview(text: str) -> Iterable[Question]:
    """Yield the questions of "Explain it"; the quiz after them is not among them."""
    for asks, answer in _opened(re.split(r"^###", text, maxsplit=1, flags=re.M)[0]):
        yield Question(asks, ((asks, answer),))


def _opened(text: str) -> list[tuple[str, str]]:
    return [(_one_line(summary), inside.strip()) for summary, inside in _DETAILS.findall(text)]


def _one_line(text: str) -> str:
    return " ".join(text.split())


def slug(title: str) -> str:
    """Return `title` as it stands in links."""
    return re.sub(r"[^a-z0-9]+", "-", title.lower()).strip("-")
