"""What is found out about an exercise before any student's answer to it is graded, on the same inputs.

The lab's own solution must pass here and now; otherwise nobody could, and nobody is graded. And of wrong answers it
is found out on which inputs they show as wrong, so that they can serve as decoys.
"""

import random
import re
import threading
from dataclasses import dataclass, replace

from labs.kit import reference
from labs.kit.course import attempt, extract
from labs.kit.course.attempt import Question
from labs.kit.course.extract import Decoy
from labs.kit.course.installed import Installed, decoys
from labs.kit.course.office import Broken, Cases, Office
from labs.kit.course.plan import Step
from labs.kit.course.records import Options
from labs.kit.errors import LabsError

WRONG_ANSWERS = 3
ATTEMPTS = 2
PATIENCE = 3
"""How many times as long as a student's a cell of the lab's own may take: here it shows how slow this machine is."""
_known: dict[tuple, "Calibration"] = {}
_locks: dict[tuple, threading.Lock] = {}
_all = threading.Lock()


@dataclass(frozen=True)
class Calibration:
    """What is known about an exercise.

    Attributes:
        cases: its inputs, each with the seed it is observed under.
        decoys: answers known to be wrong, each with the number of an input on which that shows.
        noise: names in libraries that the solution itself gives another meaning.
        seconds: how long the solution and the decoys took together.
    """

    cases: Cases
    decoys: tuple[tuple[Decoy, int], ...]
    noise: frozenset[str]
    seconds: float


def calibrated(lab: Installed, exercise: str, options: Options, office: Office) -> Calibration:
    """Return what is known about an exercise, found out when it is first asked for.

    Raises:
        LabsError: the lab's own solution does not pass here.
    """
    key = (lab.lab.name, exercise, options.seed, options.sandbox)
    with _all:
        lock = _locks.setdefault(key, threading.Lock())
    with lock:
        if key not in _known:
            _known[key] = _calibrate(lab, exercise, options, office)
        return _known[key]


def _calibrate(lab: Installed, exercise: str, options: Options, office: Office) -> Calibration:
    chance = random.Random(f"{options.seed} {lab.lab.name} {exercise}")
    wrong = decoys(lab, exercise)
    chosen = chance.sample(wrong[:-1], min(WRONG_ANSWERS, len(wrong) - 1)) + wrong[-1:]
    why = ""
    for _ in range(ATTEMPTS):
        try:
            return _tried(lab, exercise, options, office, chosen)
        except _FailedError as failed:
            why = str(failed)
    raise LabsError(
        f"The solution of `{exercise}` in {lab.lab.name} does not pass its own check here ({why}), so no answer "
        f"could. `labs verify {lab.lab.name}` says more."
    )


class _FailedError(Exception):
    pass


def _tried(
    lab: Installed, exercise: str, options: Options, office: Office, chosen: list[Decoy]
) -> Calibration:
    try:
        cases = office.draw(lab, exercise, options.seed)
    except Broken as broken:
        raise _FailedError(str(broken)) from None
    own = [Question(number, case, seed) for number, (case, seed) in enumerate(cases)]
    false = [replace(question, decoy=decoy) for decoy in chosen for question in own]
    steps = [Step(name, source) for name, source in lab.setup]
    steps += [Step(name, reference.source(lab.lab, name)) for name in _leads_to(lab, exercise)]
    ran = attempt.run(
        office.nursery,
        steps,
        exercise,
        extract.when(lab.lab.checks, exercise),
        own + false,
        replace(
            options,
            cell_seconds=options.cell_seconds * PATIENCE,
            exercise_seconds=options.exercise_seconds * (1 + len(chosen)),
        ),
    )
    if ran.failed or ran.stopped or ran.errors:
        raise _FailedError(ran.failed or ran.stopped or next(iter(ran.errors.values())))
    try:
        told = office.judge(lab, exercise, options.seed, ran.seen)
    except Broken as broken:
        raise _FailedError(str(broken)) from None
    if told["verdict"].get("state") != "passed":
        raise _FailedError(told["verdict"].get("diagnosis") or told["verdict"].get("error") or "no evidence")
    shown = {
        (question.decoy, question.number): outcome
        for question, outcome in zip(false, told["outcomes"][len(own) :], strict=True)
        if [question.decoy.name, question.number] not in told["passes"]
    }
    usable = [key for key, outcome in shown.items() if outcome == "seen"] or list(shown)
    return Calibration(cases, tuple(usable), frozenset([*told["mended"], *ran.mended]), ran.seconds)


def _leads_to(lab: Installed, exercise: str) -> list[str]:
    """Return the exercises that the solution of one uses, and itself, in the lab's order."""
    names = list(lab.exercises)
    wanted = {exercise}
    for name in reversed(names[: names.index(exercise) + 1]):
        if name in wanted:
            text = reference.source(lab.lab, name)
            wanted |= {one for one in names[: names.index(name)] if re.search(rf"\b{one}\b", text)}
    return [name for name in names if name in wanted]
