"""Hold an attempt against its exercise: run every case, and find the most basic thing that is wrong."""

import copy
import linecache
import random
import re
import sys
import types
from dataclasses import asdict, dataclass, field
from traceback import extract_tb
from typing import Any

import numpy as np

from labs.kit.diagnosis import COMMON, OTHER_FORM, RAISES, RETURNS_NOTHING, Misconception, Misread
from labs.kit.exercise import Exercise
from labs.kit.meanings import meaning, message
from labs.kit.plain import NotPlainError, describe, plain

BLANK_MESSAGE = "your turn"
STATES = ("passed", "wrong", "blank", "error")


@dataclass(frozen=True)
class Verdict:
    """What an examination found, as plain data.

    Attributes:
        exercise: its name.
        state: one of `STATES`.
        cases, failed: how many cases were tried, and how many of them went wrong.
        diagnosis: the name of the most basic misconception found; empty when passed or blank.
        says, think: its sentences.
        given: argument name to description, of the case it was found on.
        expected, got: descriptions of what should have come and what came.
        line, line_number: the learner's own line in which an exception arose, if any.
        error: `TypeName: message` of that exception.
        means: what such an exception usually means.
    """

    exercise: str
    state: str
    cases: int = 0
    failed: int = 0
    diagnosis: str = ""
    says: str = ""
    think: str = ""
    given: dict[str, str] = field(default_factory=dict)
    expected: str = ""
    got: str = ""
    line: str = ""
    line_number: int = 0
    error: str = ""
    means: str = ""

    def as_dict(self) -> dict[str, Any]:
        """Return all attributes as a dict that JSON can hold."""
        return asdict(self)


class _Blank(Exception):
    """The attempt is still the blank."""


def examine(exercise: Exercise, attempt: Any, seed: int | None = None) -> Verdict:
    """Run all cases of `exercise` on `attempt` and return the verdict.

    Args:
        exercise: the exercise.
        attempt: the learner's function or class.
        seed: makes the cases and TensorFlow's random numbers repeatable; drawn afresh when not given.

    Raises:
        KeyboardInterrupt: the learner stopped it.
        ValueError: the check itself is wrong; a mistake of its author.
    """
    rng = np.random.default_rng(seed)
    found: list[tuple[int, Verdict]] = []
    cases = 0
    for case in exercise.given(rng):
        cases += 1
        _seed(int(rng.integers(2**31)))
        try:
            verdict = _one(exercise, attempt, case)
        except _Blank:
            return Verdict(exercise.name, "blank", cases)
        if verdict:
            found.append((_rank(exercise, verdict), verdict))
    if not cases:
        raise ValueError(f"the check of {exercise.name} gives no case, so it would pass everything")
    if not found:
        return Verdict(exercise.name, "passed", cases)
    _, worst = min(found, key=lambda pair: pair[0])
    return Verdict(**{**asdict(worst), "cases": cases, "failed": len(found)})


def _one(exercise: Exercise, attempt: Any, case: dict[str, Any]) -> Verdict | None:
    """Return what is wrong with `attempt` on one case, or nothing."""
    given = {name: describe(plain(value)) for name, value in case.items()}
    try:
        seen = exercise.when(attempt, **copy.deepcopy(case))
    except NotPlainError as error:
        return _wrong(exercise, Misread(OTHER_FORM, got=str(error)), given)
    except Misread as misread:
        return _wrong(exercise, misread, given)
    except Exception as error:
        return _raised(exercise, attempt, error, given)
    try:
        seen = plain(seen)
    except NotPlainError as error:
        return _wrong(exercise, Misread(OTHER_FORM, got=str(error)), given)
    if RETURNS_NOTHING not in exercise.misconceptions and any(v is None for v in seen.values()):
        return _wrong(exercise, Misread(RETURNS_NOTHING, got="None"), given)
    try:
        exercise.then(seen, **case)
    except Misread as misread:
        return _wrong(exercise, misread, given)
    except Exception:  # `then` reads what it asked for; a result that it cannot read has another form
        return _wrong(exercise, Misread(OTHER_FORM, got=describe(seen)), given)
    return None


def _wrong(exercise: Exercise, misread: Misread, given: dict[str, str]) -> Verdict:
    misconception = exercise.misconception(misread.name)
    return Verdict(
        exercise.name,
        "wrong",
        diagnosis=misread.name,
        says=misconception.says,
        think=misconception.think,
        given=given,
        expected=_in_words(misread.expected),
        got=_in_words(misread.got),
    )


def _in_words(value: Any) -> str:
    """Describe what a `Misread` carries; one raised in `when` may still carry an object."""
    if value is None:
        return ""
    try:
        return describe(plain(value))
    except NotPlainError as error:
        return str(error)


def _raised(exercise: Exercise, attempt: Any, error: Exception, given: dict[str, str]) -> Verdict:
    """Return the verdict on an exception that came out of `when`."""
    if is_blank(error):
        raise _Blank from None
    line, number, own = own_line(attempt, error)
    text = message(error)
    if not own and "NoneType" in text:
        return _wrong(exercise, Misread(RETURNS_NOTHING, got="None"), given)
    name, misconception = _explained(exercise, error)
    return Verdict(
        exercise.name,
        "error",
        diagnosis=name,
        says=misconception.says,
        think=misconception.think,
        given=given,
        line=line,
        line_number=number,
        error=f"{type(error).__name__}: {text}" if text else type(error).__name__,
        means="" if misconception.think else meaning(error),
    )


def _explained(exercise: Exercise, error: Exception) -> tuple[str, Misconception]:
    for name, misconception in exercise.misconceptions.items():
        if misconception.explains(error):
            return name, misconception
    return RAISES, COMMON[RAISES]


def _rank(exercise: Exercise, verdict: Verdict) -> int:
    """Place a diagnosis: code that does not run, then what it returns, then its own misconceptions."""
    order = [RAISES, RETURNS_NOTHING, OTHER_FORM, *exercise.misconceptions]
    return order.index(verdict.diagnosis)


def is_blank(error: BaseException | None) -> bool:
    """Tell whether `error`, or what caused it, is the blank's own `NotImplementedError`."""
    while error is not None:
        if f"{BLANK_MESSAGE}" in str(error) and "NotImplementedError" in f"{type(error).__name__} {error}":
            return True
        error = error.__cause__ or error.__context__
    return False


def own_line(attempt: Any, error: BaseException) -> tuple[str, int, bool]:
    """Return the learner's deepest line under `error`, its number, and whether there is one.

    AutoGraph runs a rewritten copy of the code, so its message is asked for the original line too.
    """
    files = _files(attempt)
    frames = [frame for frame in extract_tb(error.__traceback__) if frame.filename in files]
    if frames:
        return frames[-1].line or "", frames[-1].lineno or 0, True
    places = re.findall(r'File "([^"]+)", line (\d+), in ', str(error))
    own = [(file, int(number)) for file, number in places if file in files]
    if not own:
        return "", 0, False
    # TensorFlow's own list may leave the source lines out; they are where Python keeps them for tracebacks.
    return linecache.getline(*own[-1]).strip(), own[-1][1], True


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
