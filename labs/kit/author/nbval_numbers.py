"""A tolerance for the numbers in an output's text."""

import copy
import re
from collections import defaultdict, deque
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from decimal import Decimal

from nbformat import NotebookNode

LONG = 3
"""Decimals from which a number counts as measured rather than as said."""

RELATIVE = Decimal("0.001")

FLOAT = re.compile(
    r"""(?<![\w.])                                                # not inside a name, not the 1.2 of 0.1.2
        [-+]?
        (?: (?:\d{1,3}(?:,\d{3})+|\d+)\.\d*(?:[eE][-+]?\d+)?      # 0.25  1,234.5  1.  2.5e-07
          | \.\d+(?:[eE][-+]?\d+)?                                # .25
          | \d+[eE][-+]?\d+                                       # 1e-05
        )
        (?!\d|\.\d)                                               # not the 2.21 of 2.21.0
    """,
    re.VERBOSE,
)

TAG = re.compile(r"tolerance-(?P<relative>\d+(?:\.\d+)?(?:e-?\d+)?)")


@dataclass(frozen=True)
class Tolerance:
    """How far apart two printed numbers may be.

    Each stands for everything that would be printed like it, so half a unit of its last decimal is
    allowed on either side besides `relative`: else 0.842 and 0.843 could not agree within 0.001.
    """

    relative: Decimal = RELATIVE
    decimals: int = LONG
    """A number needs so many decimals in one of the two texts, or an exponent; others must be equal."""

    @classmethod
    def of(cls, tags: list[str]) -> "Tolerance":
        """Return the tolerance that the cell's tags ask for; `tolerance-0.05` covers every decimal number.

        Raises:
            ValueError: a tag begins like a tolerance and is none.
        """
        asked = [tag for tag in tags if tag.startswith("tolerance")]
        if not asked:
            return cls()
        match = TAG.fullmatch(asked[-1])
        if not match:
            raise ValueError(f"the tag {asked[-1]!r} is no tolerance: write for example tolerance-0.05")
        return cls(Decimal(match["relative"]), decimals=1)

    def agree(self, stored: str, fresh: str) -> bool:
        """Return whether two numbers, as printed, are the same within the tolerance."""
        if stored == fresh:
            return True
        if max(_decimals(stored), _decimals(fresh)) < self.decimals:
            return False
        a, b = _value(stored), _value(fresh)
        rounding = (_unit(stored) + _unit(fresh)) / 2
        return abs(a - b) <= self.relative * max(abs(a), abs(b)) + rounding

    def settle(self, stored: str, fresh: str) -> str:
        """Return the fresh text with each number that agrees with its stored partner written like it.

        What is equal then is equal as text, and a difference that is left is a true one. NaN and infinity
        are words here: they agree with themselves alone. Spaces beside a number that agrees give way,
        because columns are padded to the width of their numbers.
        """
        ours, theirs = FLOAT.findall(fresh), FLOAT.findall(stored)
        our_words, their_words = FLOAT.split(fresh), FLOAT.split(stored)
        if len(ours) != len(theirs):
            return fresh
        agreed = [self.agree(a, b) for a, b in zip(theirs, ours, strict=True)]
        for i, (said, meant) in enumerate(zip(our_words, their_words, strict=True)):
            before, after = i > 0 and agreed[i - 1], i < len(agreed) and agreed[i]
            if _stripped(said, before, after) == _stripped(meant, before, after):
                our_words[i] = meant
        numbers = [a if same else b for a, b, same in zip(theirs, ours, agreed, strict=True)]
        return "".join(word + number for word, number in zip(our_words, [*numbers, ""], strict=True))


def _stripped(text: str, left: bool, right: bool) -> str:
    text = text.lstrip(" ") if left else text
    return text.rstrip(" ") if right else text


def _mantissa(number: str) -> str:
    return re.split("[eE]", number)[0]


def _decimals(number: str) -> int:
    return LONG if "e" in number.lower() else len(number.partition(".")[2])


def _value(number: str) -> Decimal:
    return Decimal(number.replace(",", ""))


def _unit(number: str) -> Decimal:
    exponent = re.split("[eE]", number)[1] if "e" in number.lower() else "0"
    return Decimal(1).scaleb(int(exponent) - len(_mantissa(number).partition(".")[2]))


def settle_outputs(
    stored: list[NotebookNode],
    fresh: list[NotebookNode],
    tolerance: Tolerance,
    sanitize: Callable[[str], str],
) -> list[NotebookNode]:
    """Return copies of the fresh outputs whose texts are sanitised and settled against the stored ones.

    Texts are paired as nbval pairs them: the n-th of a stream or of a MIME type with the n-th.
    """
    waiting = defaultdict(deque)
    for output in stored:
        for key, text, _ in _texts(output):
            waiting[key].append(sanitize(text))
    copies = [copy.deepcopy(output) for output in fresh]
    for output in copies:
        for key, text, put in list(_texts(output)):
            if waiting[key]:
                put(tolerance.settle(waiting[key].popleft(), sanitize(text)))
    return copies


def _texts(output: NotebookNode) -> Iterator[tuple[str, str, Callable[[str], None]]]:
    if output.output_type == "stream":
        yield output.name, output.text, lambda text: output.update(text=text)
    for mime, value in output.get("data", {}).items():
        if mime.startswith("text/") and isinstance(value, str):
            yield mime, value, lambda text, mime=mime: output.data.update({mime: text})
