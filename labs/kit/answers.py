"""Answers that hold the checks to their word: right ones written otherwise, and wrong ones that people give."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

PASSED = "passed"


@dataclass(frozen=True)
class Answer:
    """One answer to an exercise, and the verdict it must receive.

    Attributes:
        exercise: the exercise it answers.
        name: what it does, for reports.
        value: the function or class itself.
        expected: `passed`, or the name of the diagnosis.
    """

    exercise: str
    name: str
    value: Any
    expected: str

    @property
    def is_right(self) -> bool:
        """Whether it must pass."""
        return self.expected == PASSED


def right(exercise: str) -> Callable[[Any], Answer]:
    """Mark a function or class as a right answer to `exercise`, written differently from the reference."""
    return lambda value: Answer(exercise, value.__name__, value, PASSED)


def wrong(exercise: str, diagnosis: str) -> Callable[[Any], Answer]:
    """Mark a function or class as a wrong answer to `exercise` that must receive `diagnosis`."""
    return lambda value: Answer(exercise, value.__name__, value, diagnosis)
