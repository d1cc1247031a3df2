"""Hold each check to its word: blanks, the reference, other right answers and wrong ones."""

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

from labs.kit import quiet
from labs.kit.answers import PASSED, Answer
from labs.kit.author.source import SETUP, blank, solved, tags
from labs.kit.curriculum import Curriculum, Lab
from labs.kit.diagnosis import COMMON
from labs.kit.examine import Verdict, examine
from labs.kit.exercise import Exercise
from labs.kit.load import answers, exercises
from labs.kit.reference import build, source

RIGHT_SEEDS = (1, 2, 3)
WRONG_SEEDS = (4, 5)
LEAST_RIGHT, LEAST_WRONG, LEAST_DIAGNOSES = 1, 3, 3


@dataclass(frozen=True)
class Proof:
    """What was found when one exercise was held to its answers.

    Attributes:
        name: lab/exercise.
        right, wrong: how many answers of each kind there are.
        diagnoses: how many different diagnoses the wrong answers receive.
        problems: sentences on what does not hold; empty for a sound check.
        seconds: wall time of the slowest single examination.
    """

    name: str
    right: int
    wrong: int
    diagnoses: int
    problems: list[str] = field(default_factory=list)
    seconds: float = 0.0

    @property
    def ok(self) -> bool:
        """Whether everything holds."""
        return not self.problems


class AlwaysEqual:
    """An answer that claims to be equal to everything: no check may believe it."""

    def __eq__(self, other: object) -> bool:
        return True

    __hash__ = None


def worthless() -> dict[str, Callable[..., Any]]:
    """Return answers that no exercise may accept, by what they do."""
    return {
        "returns nothing": lambda *args, **kwargs: None,
        "returns its first argument": lambda *args, **kwargs: (*args, *kwargs.values(), None)[0],
        "returns an object equal to everything": lambda *args, **kwargs: AlwaysEqual(),
    }


def prove_lab(lab: Lab, curriculum: Curriculum) -> Iterator[Proof]:
    """Prove every exercise of `lab`, one after the other.

    Raises:
        LabsError: the lab cannot be read.
    """
    quiet.tensorflow()
    given = answers(lab)
    namespace = setup(lab, curriculum)
    known = exercises(lab)
    strangers = sorted({answer.exercise for answer in given} - set(known))
    for name, exercise in known.items():
        text = source(lab, name)
        reference = build(text, name, namespace, f"<reference {lab.name} {name}>")
        empty = build(blank(text), name, namespace, f"<blank {lab.name} {name}>")
        own = [answer for answer in given if answer.exercise == name]
        yield prove(f"{lab.name}/{name}", exercise, empty, reference, own)
        namespace[name] = reference
    for stranger in strangers:
        yield Proof(
            f"{lab.name}/{stranger}", 0, 0, 0, ["answers.py answers it, but checks.py has no such check"]
        )


def setup(lab: Lab, curriculum: Curriculum) -> dict[str, Any]:
    """Run the cells tagged `setup`, the only ones that an exercise may lean on, and return their names."""
    namespace: dict[str, Any] = {"__name__": f"labs:{lab.name}:lab"}
    for cell in solved(lab, curriculum).cells:
        if SETUP in tags(cell):
            namespace |= _run(cell.source, namespace, f"<setup {lab.name} {cell.id}>")
    return namespace


def prove(name: str, exercise: Exercise, empty: Any, reference: Any, given: list[Answer]) -> Proof:
    """Hold `exercise` to its blank, its reference, its `given` answers and worthless ones.

    Args:
        name: for reports.
        exercise: the exercise.
        empty: the attempt with the solution cleared.
        reference: the attempt as the lab solves it.
        given: right and wrong answers, each with the verdict it must receive.
    """
    rights = [answer for answer in given if answer.is_right]
    wrongs = [answer for answer in given if not answer.is_right]
    expected = {answer.expected for answer in wrongs}
    timed = _Timed(exercise)
    problems = [
        *timed.expect("the blank", empty, "blank", RIGHT_SEEDS[:1]),
        *timed.expect("the reference", reference, PASSED, RIGHT_SEEDS),
        *(problem for a in rights for problem in timed.expect(a.name, a.value, PASSED, RIGHT_SEEDS)),
        *(problem for a in wrongs for problem in timed.expect(a.name, a.value, a.expected, WRONG_SEEDS)),
        *(
            f"an answer that {what} passes"
            for what, attempt in worthless().items()
            if timed.examine(attempt, WRONG_SEEDS[0]).state == "passed"
        ),
    ]
    if len(rights) < LEAST_RIGHT:
        problems.append("has no right answer written differently from the reference")
    if len(wrongs) < LEAST_WRONG:
        problems.append(f"has {len(wrongs)} wrong answers; at least {LEAST_WRONG} are needed")
    if len(expected) < LEAST_DIAGNOSES:
        problems.append(f"tells only {len(expected)} mistakes apart; at least {LEAST_DIAGNOSES} are needed")
    for unproved in sorted(set(exercise.misconceptions) - expected):
        problems.append(f"no wrong answer shows the misconception {unproved}")
    for unknown in sorted(expected - set(exercise.misconceptions) - set(COMMON)):
        problems.append(f"an answer expects {unknown}, which the check does not declare")
    return Proof(name, len(rights), len(wrongs), len(expected), problems, round(timed.slowest, 2))


class _Timed:
    """Examines attempts at one exercise and remembers the slowest examination."""

    def __init__(self, exercise: Exercise):
        self.exercise, self.slowest = exercise, 0.0

    def examine(self, attempt: Any, seed: int) -> Verdict:
        begin = time.perf_counter()
        verdict = examine(self.exercise, attempt, seed)
        self.slowest = max(self.slowest, time.perf_counter() - begin)
        return verdict

    def expect(self, name: str, attempt: Any, expected: str, seeds: tuple[int, ...]) -> list[str]:
        """Return at most one sentence: `attempt` did not receive what it must."""
        for seed in seeds:
            verdict = self.examine(attempt, seed)
            got = verdict.diagnosis or verdict.state
            if got != expected:
                detail = (
                    f" ({verdict.error})" if verdict.error else f" (got {verdict.got})" if verdict.got else ""
                )
                return [f"{name} must receive `{expected}` and received `{got}`{detail}"]
        return []


def _run(text: str, namespace: dict[str, Any], filename: str) -> dict[str, Any]:
    scope = dict(namespace)
    exec(compile(text, filename, "exec"), scope)
    return scope
