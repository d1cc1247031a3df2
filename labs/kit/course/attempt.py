"""One run of some of a notebook's cells in a process of its own, and what an exercise then does on inputs."""

import secrets
import time
from dataclasses import dataclass, field
from typing import Any

from labs.kit.course.extract import Decoy
from labs.kit.course.locked.client import Ended, Held, Nursery
from labs.kit.course.locked.frames import FrameError
from labs.kit.course.locked.warden import Limits
from labs.kit.course.plan import Step
from labs.kit.course.records import Options

_MIB = 1 << 20
_START_SECONDS = 20
_WHYS = {"told": "time", "signal": "exit", "killed": "exit", "lost": "exit"}
_FROM_OUTSIDE = {
    "killed": "the process was killed from outside, as a machine does that has run out of memory",
    "lost": "the process was lost, and nobody said why",
}
"""How no process ends that is locked up unless something outside ends it."""


@dataclass(frozen=True)
class Question:
    """What a process is asked for evidence on.

    Attributes:
        number: of the input.
        case: the input.
        seed: what it is observed under.
        decoy: the answer to observe in place of the student's own, if any.
    """

    number: int
    case: dict[str, Any]
    seed: int
    decoy: Decoy | None = None


@dataclass
class Ran:
    """What came of a run.

    Attributes:
        stopped: why the process ended before its time, one of `labs.kit.course.records.STOPPED`; empty if it did not.
        during: the step in which it ended; None while it was asked for evidence.
        errors: what cells raised, by their place in the notebook.
        missing: names that nothing defined.
        there: whether the cells have defined the exercise.
        mended: what of the libraries the cells had replaced.
        threads: what the cells had left running.
        seen: for each question its number, the decoy's name or an empty text, the evidence as it came, and the
            token that must be in it.
        failed: why the run says nothing about the notebook, for a reason that lies outside of it; empty if it does.
        touched: whether any code of the student's has run.
        seconds: wall time.
    """

    stopped: str = ""
    during: Step | None = None
    errors: dict[int, str] = field(default_factory=dict)
    missing: set[str] = field(default_factory=set)
    there: bool = False
    mended: list[str] = field(default_factory=list)
    threads: list[str] = field(default_factory=list)
    seen: list[list[Any]] = field(default_factory=list)
    failed: str = ""
    touched: bool = False
    seconds: float = 0.0


class Garbled(Exception):
    """The process has said what only student code can have said."""


def run(
    nursery: Nursery,
    steps: list[Step],
    exercise: str,
    when: str,
    questions: list[Question],
    options: Options,
) -> Ran:
    """Run `steps`, then ask for evidence.

    Args:
        nursery: where the process comes from.
        steps: cells, in order.
        exercise: its name.
        when: Python that says how to look at it.
        questions: what to ask, in order.
        options: what the process may take.
    """
    ran, begin = Ran(), time.monotonic()
    limits = Limits(
        memory=options.memory_mb * _MIB,
        disk=options.disk_mb * _MIB,
        processes=options.processes,
        seconds=int(options.exercise_seconds + options.cell_seconds * (1 + len(steps))) + 1,
    )
    try:
        held = nursery.ask("observer", limits)
    except Ended as error:
        return Ran(stopped="exit", failed=str(error).rstrip("."))
    try:
        _run_steps(held, steps, ran, options)
        ran.during = None
        _look(held, exercise, when, questions, ran, options)
    except (TimeoutError, EOFError, FrameError, Garbled) as error:
        why = held.end()["why"]
        garbled = isinstance(error, FrameError | Garbled)
        ran.stopped = "tampering" if garbled else _WHYS.get(why, why)
        ran.failed = _failed(why, ran, nursery.locked)
    else:
        held.leave()
    ran.seconds = round(time.monotonic() - begin, 2)
    return ran


def _failed(why: str, ran: Ran, locked: bool) -> str:
    if why.startswith("could not start"):
        return f"its process {why}"
    if locked and why in _FROM_OUTSIDE:
        return _FROM_OUTSIDE[why]
    # Nothing that ends a process before any of their code has run in it is a student's doing.
    return "" if ran.touched else f"the lab's own cells did not run to their end ({ran.stopped})"


def _run_steps(held: Held, steps: list[Step], ran: Ran, options: Options) -> None:
    for number, step in enumerate(steps):
        ran.during = step
        own = step.place >= 0
        ran.touched = ran.touched or own
        seconds = options.cell_seconds + (0 if number else _START_SECONDS)
        cell = {"do": "cell", "name": step.name, "source": step.source, "trusted": not own}
        told = _asked(held, cell, seconds)
        if told.get("error"):
            ran.errors[step.place] = str(told["error"])[:1000]
        if told.get("missing"):
            ran.missing.add(str(told["missing"])[:100])


def _look(
    held: Held, exercise: str, when: str, questions: list[Question], ran: Ran, options: Options
) -> None:
    told = _asked(
        held, {"do": "check", "step": "begin", "exercise": exercise, "source": when}, options.cell_seconds
    )
    ran.there = told.get("there") is True
    ran.mended, ran.threads = _texts(told.get("mended")), _texts(told.get("threads"))
    if not ran.there:
        return
    end = time.monotonic() + options.exercise_seconds
    for question in questions:
        asked = {"do": "check", "step": "observe", "case": question.case, "seed": question.seed}
        if question.decoy:
            asked |= {"decoy": question.decoy.source, "name": question.decoy.name}
        asked["token"] = secrets.token_hex(8)
        held.channel.send(asked, options.cell_seconds)
        frame = held.channel.receive_frame(max(end - time.monotonic(), 0.01))
        if not held.channel.is_quiet():
            raise Garbled
        decoy = question.decoy.name if question.decoy else ""
        ran.seen.append([question.number, decoy, frame, asked["token"]])


def _asked(held: Held, question: dict[str, Any], seconds: float) -> dict[str, Any]:
    token = secrets.token_hex(8)
    held.channel.send({**question, "token": token}, seconds)
    told = held.channel.receive(seconds)
    if not isinstance(told, dict) or told.get("token") != token or not held.channel.is_quiet():
        raise Garbled
    return told


def _texts(value: Any) -> list[str]:
    return [str(one)[:100] for one in value[:5]] if isinstance(value, list) else []
