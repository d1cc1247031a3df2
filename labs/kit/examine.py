"""Hold an attempt against its exercise: run every case, and find the most basic thing that is wrong."""

from collections.abc import Iterable, Iterator
from dataclasses import asdict, dataclass, field, replace
from typing import Any

import numpy as np

from labs.kit.diagnosis import OTHER_FORM, RAISES, RETURNS_NOTHING, Misread
from labs.kit.exercise import Exercise
from labs.kit.observe import Observation, observe
from labs.kit.plain import describe, plain
from labs.kit.sketch import Sketch, sketch

_LINE = 140
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
        differs: where expected and got differ, in a sentence.
        sketch: what a drawing of the two needs; see `labs.kit.sketch`.
        around: the learner's own line and its neighbours, number to text.
        tries: for each case in turn what was wrong with it, in a line; empty for one that came out right.
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
    differs: str = ""
    sketch: Sketch = field(default_factory=dict)
    around: dict[str, str] = field(default_factory=dict)
    tries: list[str] = field(default_factory=list)

    def as_dict(self) -> dict[str, Any]:
        """Return all attributes as a dict that JSON can hold."""
        return asdict(self)


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
    return conclude(
        exercise,
        ((case, observe(exercise, attempt, case, seed)) for case, seed in cases(exercise, seed)),
    )


def cases(exercise: Exercise, seed: int | None = None) -> Iterator[tuple[dict[str, Any], int]]:
    """Yield the cases of `exercise`, each with the seed that it is observed under."""
    rng = np.random.default_rng(seed)
    for case in exercise.given(rng):
        yield case, int(rng.integers(2**31))


def conclude(exercise: Exercise, observed: Iterable[tuple[dict[str, Any], Observation]]) -> Verdict:
    """Return the verdict on an attempt from what was observed on each case; stops at a blank.

    Args:
        exercise: the exercise.
        observed: cases, each with what the attempt did with it.

    Raises:
        ValueError: there was no case, or the check names a misconception that it does not declare.
    """
    found: list[Verdict] = []
    tries: list[str] = []
    for case, observation in observed:
        if observation.outcome == "blank":
            return Verdict(exercise.name, "blank", len(tries) + 1)
        verdict = judge(exercise, case, observation)
        tries.append(_in_a_line(verdict) if verdict else "")
        if verdict:
            found.append(verdict)
    if not tries:
        raise ValueError(f"the check of {exercise.name} gives no case, so it would pass everything")
    if not found:
        return Verdict(exercise.name, "passed", len(tries), tries=tries)
    worst = min(found, key=lambda verdict: _rank(exercise, verdict))
    return replace(worst, cases=len(tries), failed=len(found), tries=tries)


def judge(exercise: Exercise, case: dict[str, Any], observation: Observation) -> Verdict | None:
    """Return what is wrong with what was observed on one case, or nothing; touches no code of the learner."""
    given = {name: describe(plain(value)) for name, value in case.items()}
    if observation.outcome == "raised":
        return _raised(exercise, observation, given)
    if observation.outcome == "misread":
        misread = Misread(observation.diagnosis, expected=observation.expected, got=observation.got)
        return _wrong(exercise, misread, given)
    seen = observation.seen
    if not isinstance(seen, dict):
        return _wrong(exercise, Misread(OTHER_FORM, got=seen), given)
    if RETURNS_NOTHING not in exercise.misconceptions and any(v is None for v in seen.values()):
        return _wrong(exercise, Misread(RETURNS_NOTHING, got="None"), given)
    try:
        exercise.then(seen, **case)
    except Misread as misread:
        return _wrong(exercise, misread, given)
    except Exception:  # `then` reads what it asked for; a result that it cannot read has another form
        return _wrong(exercise, Misread(OTHER_FORM, got=seen), given)
    return None


def _wrong(exercise: Exercise, misread: Misread, given: dict[str, str]) -> Verdict:
    misconception = exercise.misconception(misread.name)
    expected, got = (None if value is None else plain(value) for value in (misread.expected, misread.got))
    drawn = sketch(expected, got)
    return Verdict(
        exercise.name,
        "wrong",
        diagnosis=misread.name,
        says=misconception.says,
        think=misconception.think,
        given=given,
        expected="" if expected is None else describe(expected),
        got="" if got is None else describe(got),
        differs=drawn.get("says", ""),
        sketch=drawn if drawn.get("kind") else {},
    )


def _in_a_line(verdict: Verdict) -> str:
    """Say what was wrong with one case."""
    compared = f"expected {verdict.expected}, got {verdict.got}" if verdict.expected else ""
    return _cut(verdict.error or verdict.differs or compared or verdict.says)


def _cut(text: str) -> str:
    return text if len(text) <= _LINE else f"{text[: _LINE - 4].rstrip()} ..."


def _raised(exercise: Exercise, observation: Observation, given: dict[str, str]) -> Verdict:
    """Return the verdict on an exception that came out of `when`."""
    known = (name for name, one in exercise.misconceptions.items() if one.explains(observation.raised))
    name = next(known, RAISES)
    misconception = exercise.misconception(name)
    return Verdict(
        exercise.name,
        "error",
        diagnosis=name,
        says=misconception.says,
        think=misconception.think,
        given=given,
        line=observation.line,
        line_number=observation.line_number,
        around=observation.around,
        error=observation.error,
        means="" if misconception.think else observation.means,
    )


def _rank(exercise: Exercise, verdict: Verdict) -> int:
    """Place a diagnosis: code that does not run, then what it returns, then its own misconceptions."""
    order = [RAISES, RETURNS_NOTHING, OTHER_FORM, *exercise.misconceptions]
    return order.index(verdict.diagnosis)
