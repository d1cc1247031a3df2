"""An exercise: its card, its cases, what is observed of an answer and what that means."""

import inspect
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from labs.kit.diagnosis import COMMON, Misconception

DIFFICULTIES = ("easy", "medium", "hard")
_PARTS = ("given", "when", "then")


@dataclass(frozen=True)
class Exercise:
    """One exercise, as a class under `@check` in a lab's `checks.py` describes it.

    Attributes:
        name: the function or class that the learner writes.
        task: the first line of the class's docstring.
        points, minutes, difficulty: its card.
        hints: a ladder; the last is nearly the answer.
        misconceptions: name to misconception, the most basic first.
        given: `given(rng)` yields cases, each a dict of plain data for `when` and `then`.
        when: `when(attempt, **case)` returns what the attempt did, as a dict of plain data.
        then: `then(seen, **case)` returns nothing, or raises `Misread`.
    """

    name: str
    task: str
    points: int
    minutes: int
    difficulty: str
    hints: tuple[str, ...]
    misconceptions: Mapping[str, Misconception]
    given: Callable[..., Iterator[dict[str, Any]]]
    when: Callable[..., dict[str, Any]]
    then: Callable[..., None]

    def misconception(self, name: str) -> Misconception:
        """Return the misconception called `name`, one of this exercise's or one that all have.

        Raises:
            ValueError: the check's own code names one that it does not declare.
        """
        found = self.misconceptions.get(name) or COMMON.get(name)
        if not found:
            raise ValueError(f"the check of {self.name} raises Misread({name!r}) but does not declare it")
        return found


def check(
    *, points: int, minutes: int, difficulty: str, hints: tuple[str, ...]
) -> Callable[[type], Exercise]:
    """Make an `Exercise` of a class with `misconceptions`, `given`, `when` and `then`.

    The class is named after the function or class that the learner writes; its parts are static
    methods, and only `when` touches the learner's code.

    Raises:
        TypeError: a part is missing, or the card is not complete; this is a mistake of the author.
    """

    def make(described: type) -> Exercise:
        name = described.__name__
        wrong = _mistakes(described, points, minutes, difficulty, hints)
        if wrong:
            raise TypeError(f"the check of {name} {wrong[0]}")
        return Exercise(
            name=name,
            task=inspect.getdoc(described).splitlines()[0],
            points=points,
            minutes=minutes,
            difficulty=difficulty,
            hints=tuple(hints),
            misconceptions=dict(described.misconceptions),
            **{part: getattr(described, part) for part in _PARTS},
        )

    return make


def _mistakes(described: type, points: int, minutes: int, difficulty: str, hints: tuple) -> list[str]:
    declared = vars(described).get("misconceptions") or {}
    rules = [
        (points >= 1 and minutes >= 1, "needs at least one point and one minute"),
        (difficulty in DIFFICULTIES, f"has a difficulty that is none of {', '.join(DIFFICULTIES)}"),
        (len(hints) == 3, f"needs three hints and has {len(hints)}"),
        (bool(described.__doc__), "needs a docstring that says the task in one line"),
        (len(declared) >= 2, "needs at least two misconceptions"),
        (all(isinstance(m, Misconception) for m in declared.values()), "declares something else"),
        (all(re.fullmatch(r"[a-z0-9]+(-[a-z0-9]+)*", n) for n in declared), "names one not-like-this"),
        (not set(declared) & set(COMMON), "declares a name that every exercise has already"),
        *((callable(getattr(described, part, None)), f"lacks `{part}`") for part in _PARTS),
    ]
    return [sentence for holds, sentence in rules if not holds]
