"""See what an attempt does with one case, as plain data: the only step that touches a learner's code."""

import copy
import linecache
import random
import re
import sys
import types
from dataclasses import dataclass, field
from textwrap import dedent
from traceback import extract_tb
from typing import Any

import numpy as np

from labs.kit.diagnosis import OTHER_FORM, RETURNS_NOTHING, Misread
from labs.kit.exercise import Exercise
from labs.kit.meanings import meaning, message
from labs.kit.plain import NotPlainError, plain

BLANK_MESSAGE = "your turn"
_WIDE = 160
OUTCOMES = ("seen", "misread", "raised", "blank")


@dataclass(frozen=True)
class Observation:
    """What an attempt did with one case: plain data only, so that it can leave the process it was made in.

    Attributes:
        outcome: one of `OUTCOMES`.
        seen: what `when` returned, if it did.
        diagnosis, expected, got: if `when` itself could tell what was wrong: the misconception's name and
            what it carries; an object that is not plain is told by its type.
        raised: if `when` raised: `TypeName: text` of the exception, whole, in which misconceptions are searched.
        error: the same, short enough to be shown.
        means: what such an exception usually means.
        line, line_number: the learner's own line in which it arose, if any.
        around: that line with the one before and the one after, number to text, the indentation that they
            share left out.
    """

    outcome: str
    seen: dict[str, Any] | None = None
    diagnosis: str = ""
    expected: Any = None
    got: Any = None
    raised: str = ""
    error: str = ""
    means: str = ""
    line: str = ""
    line_number: int = 0
    around: dict[str, str] = field(default_factory=dict)


def observe(exercise: Exercise, attempt: Any, case: dict[str, Any], seed: int) -> Observation:
    """Run `exercise.when` with `attempt` on `case`.

    Args:
        exercise: the exercise.
        attempt: the learner's function or class.
        case: one of those that `exercise.given` yields; a copy of it is used.
        seed: what the random generators of Python, NumPy and TensorFlow are set to.
    """
    _seed(seed)
    try:
        seen = plain(exercise.when(attempt, **copy.deepcopy(case)))
    except NotPlainError as error:
        return Observation("misread", diagnosis=OTHER_FORM, got=str(error))
    except Misread as misread:
        # `when` may put the very object into it that it could not use.
        expected, got = _plain_or_words(misread.expected), _plain_or_words(misread.got)
        return Observation("misread", diagnosis=misread.name, expected=expected, got=got)
    except Exception as error:
        return _raised(attempt, error)
    return Observation("seen", seen=seen)


def _plain_or_words(value: Any) -> Any:
    try:
        return plain(value)
    except NotPlainError as error:
        return str(error)


def _raised(attempt: Any, error: Exception) -> Observation:
    if is_blank(error):
        return Observation("blank")
    file, number = own_line(attempt, error)
    text, kind = message(error), type(error).__name__
    if not file and "NoneType" in text:
        return Observation("misread", diagnosis=RETURNS_NOTHING, got="None")
    return Observation(
        "raised",
        raised=f"{kind}: {error}",
        error=f"{kind}: {text}" if text else kind,
        means=meaning(error),
        line=linecache.getline(file, number).strip(),
        line_number=number,
        around=around(file, number),
    )


def is_blank(error: BaseException | None) -> bool:
    """Tell whether `error`, or what caused it, is the blank's own `NotImplementedError`."""
    while error is not None:
        if f"{BLANK_MESSAGE}" in str(error) and "NotImplementedError" in f"{type(error).__name__} {error}":
            return True
        error = error.__cause__ or error.__context__
    return False


def own_line(attempt: Any, error: BaseException) -> tuple[str, int]:
    """Return the file and the number of the learner's deepest line under `error`; an empty name for none.

    AutoGraph runs a rewritten copy of the code, so its message is asked for the original line too, and
    Python for its text: TensorFlow's own list may leave it out.
    """
    files = _files(attempt)
    frames = [frame for frame in extract_tb(error.__traceback__) if frame.filename in files]
    if frames:
        return frames[-1].filename, frames[-1].lineno or 0
    places = re.findall(r'File "([^"]+)", line (\d+), in ', str(error))
    own = [(file, int(number)) for file, number in places if file in files]
    return own[-1] if own else ("", 0)


def around(file: str, number: int) -> dict[str, str]:
    """Return line `number` of `file` with its neighbours, number to text; empty ones at the ends are left out."""
    if not linecache.getline(file, number).strip():
        return {}
    numbers = [n for n in (number - 1, number, number + 1) if linecache.getline(file, n).strip()]
    lines = dedent("".join(linecache.getline(file, n).rstrip() + "\n" for n in numbers)).splitlines()
    return dict(zip(map(str, numbers), (line[:_WIDE] for line in lines), strict=True))


def _files(attempt: Any) -> set[str]:
    functions = [attempt, getattr(attempt, "python_function", None)]
    if isinstance(attempt, type):
        functions += [getattr(member, "__func__", member) for member in vars(attempt).values()]
    codes = (getattr(function, "__code__", None) for function in functions)
    return {code.co_filename for code in codes if isinstance(code, types.CodeType)}


def _seed(seed: int) -> None:
    random.seed(seed)
    np.random.seed(seed)
    if "tensorflow" in sys.modules:
        sys.modules["tensorflow"].random.set_seed(seed)
