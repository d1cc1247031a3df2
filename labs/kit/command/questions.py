"""The questions in a lab's prose, as the built notebook holds them, and whether an answer to one is right."""

import json
import math
from functools import lru_cache
from pathlib import Path
from typing import Any

from labs.kit import progress
from labs.kit.command import workspace
from labs.kit.curriculum import Lab
from labs.kit.errors import LabsError

LARGEST = 1e15
"""Numbers beyond it are no answer to anything that a lab asks."""


def questions(lab: Lab) -> dict[str, dict[str, Any]]:
    """Return the questions of `lab` by their ids, in order, as `labs.kit.author.questions.described` gives them.

    A lab that is not built has none here.
    """
    try:
        notebook = workspace.built(lab)
        stamp = notebook.stat()
    except (LabsError, OSError):
        return {}
    return _questions(notebook, (stamp.st_mtime_ns, stamp.st_size))


def is_right(question: dict[str, Any], value: Any) -> bool:
    """Tell whether `value` answers `question`.

    Args:
        question: one of `questions`.
        value: a number, or a list with the chosen options, or with the steps in their order.

    Raises:
        LabsError: it cannot be an answer to this question.
    """
    if question["kind"] == "number":
        if isinstance(value, bool) or not isinstance(value, int | float) or not abs(value) <= LARGEST:
            raise LabsError("The answer must be one number.")
        off = abs(value - question["right"])
        return off <= question["tolerance"] or math.isclose(value, question["right"], rel_tol=1e-9)
    options = question["options"]
    if not isinstance(value, list) or len(value) > len(options):
        raise LabsError(f"The answer must be a list of at most {len(options)} choices.")
    places = [options.index(one) if one in options else None for one in value]
    if None in places or len(set(places)) < len(places):
        raise LabsError("The answer must name choices of this question, each once.")
    wanted = {"one": 1, "order": len(options)}.get(question["kind"], len(places))
    if not places or len(places) != wanted:
        raise LabsError(f"The answer must name {wanted or 'at least one'} of the choices.")
    return places == question["right"] if question["kind"] == "order" else sorted(places) == question["right"]


def rows(lab: Lab, done: dict[tuple[str, str], dict[str, Any]] | None = None) -> list[dict[str, Any]]:
    """Return one dict for each question of `lab`: its id and text, and the learner's answer, if there is one.

    Args:
        lab: the lab.
        done: what `progress.answers` gives, where it is at hand.
    """
    done = progress.answers() if done is None else done
    empty = {"first": None, "right": None, "value": None, "tries": 0}
    return [
        {
            "question": name,
            "asks": one["asks"],
            "kind": one["kind"],
            **empty,
            **done.get((lab.name, name), {}),
        }
        for name, one in questions(lab).items()
    ]


def counts(lab: Lab, done: dict[tuple[str, str], dict[str, Any]]) -> dict[str, int]:
    """Return how many `questions` there are, how many are `answered` and how many were `right_at_once`."""
    asked = questions(lab)
    answered = [done[lab.name, name] for name in asked if (lab.name, name) in done]
    return {
        "questions": len(asked),
        "answered": len(answered),
        "right_at_once": sum(one["first"] for one in answered),
    }


@lru_cache(512)
def _questions(notebook: Path, stamp: tuple[int, int]) -> dict[str, dict[str, Any]]:
    try:
        cells = json.loads(notebook.read_text("utf-8"))["cells"]
        asked = [one for cell in cells for one in cell["metadata"].get("labs", {}).get("questions", ())]
    except (OSError, ValueError, KeyError, TypeError):
        return {}
    return {one["id"]: one for one in asked}
