"""What can be wrong with an answer: misconceptions, and the finding of one in an answer."""

import re
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Misconception:
    """A mistake that people really make in an exercise.

    Attributes:
        says: one sentence on what went wrong, to the learner.
        think: what to think about, or which line to look at; never the answer.
        raises: for a mistake that shows as an exception, a regular expression searched in
            `"TypeName: message"`; empty for the others.
    """

    says: str
    think: str
    raises: str = ""

    def explains(self, raised: str) -> bool:
        """Tell whether an exception, given as `"TypeName: message"`, is how this mistake shows."""
        return bool(self.raises) and bool(re.search(self.raises, raised))


class Misread(Exception):
    """Raised by a check's `then`: the answer shows the misconception called `name`.

    Args:
        name: a key of the exercise's `misconceptions`.
        expected: what a right answer would have given; plain data or a short text.
        got: what this answer gave; plain data or a short text.
    """

    def __init__(self, name: str, *, expected: Any = None, got: Any = None):
        super().__init__(name)
        self.name = name
        self.expected = expected
        self.got = got


RETURNS_NOTHING = "returns-nothing"
OTHER_FORM = "other-form"
RAISES = "raises"

COMMON = {
    RETURNS_NOTHING: Misconception(
        "Your code returned nothing: the result was None.",
        "Does every way through it end in `return`?",
    ),
    OTHER_FORM: Misconception(
        "Your code returned something of another form than the exercise asked for.",
        "Read the docstring's last words again: what should come back, and of which type?",
    ),
    RAISES: Misconception("Your code stopped with an exception.", ""),
}
"""Diagnoses that every exercise has, the most basic ones of all."""
