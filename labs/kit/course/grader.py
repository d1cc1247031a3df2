"""Grade one notebook: run each of its exercises locked up, and have what it did judged elsewhere.

Each exercise gets a process of its own, so that whatever happens in it is that exercise's affair alone. The process
gets inputs one at a time and gives evidence; it holds no solution of the exercise, no expected result, no judge.
Among the inputs, at places that nobody can foresee, it is asked for evidence on an answer known to be wrong: if that
passes, the evidence is worth nothing.
"""

import random
import re
import threading
import time
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from labs.kit import reference
from labs.kit.course import attempt, extract, plan, reasons, wording
from labs.kit.course.attempt import Question, Ran
from labs.kit.course.calibration import Calibration, calibrated
from labs.kit.course.installed import Installed, installed
from labs.kit.course.office import Broken, Office
from labs.kit.course.plan import Read, Step
from labs.kit.course.records import Graded, NotGraded, Options, Record, Task
from labs.kit.diagnosis import COMMON, RAISES
from labs.kit.examine import Verdict
from labs.kit.exercise import Exercise

DECOYS = 2
LOST_CELLS = 4
"""How many cells, none of them the exercise's own, may end the process before an exercise is given up."""

_here = threading.local()


def grade_one(task: Task) -> Record:
    """Grade one notebook.

    May be called from several threads at once; each keeps a clerk of its own.

    Raises:
        LabsError: the labs themselves do not work here, or nothing can be locked up; never for what a student did.
        NotGraded: something other than the notebook has ended its processes, and again those that came after.
    """
    begin = time.monotonic()
    lab = installed(task.lab)
    graded, problems = _Notebook(task, lab, office(task.options)).grade()
    return Record(
        student=task.student,
        lab=task.lab,
        file=task.file,
        sha256=task.sha256,
        points=sum(one.points for one in graded),
        of_points=sum(one.of_points for one in graded),
        exercises=tuple(graded),
        problems=(*task.problems, *problems),
        met=tuple(problems),
        graded=datetime.now(UTC).isoformat(timespec="seconds"),
        seconds=round(time.monotonic() - begin, 2),
        ids=task.ids,
    )


def office(options: Options) -> Office:
    """Return this thread's office.

    Raises:
        LabsError: nothing can be locked up here, or TensorFlow cannot be imported.
    """
    mine = getattr(_here, "office", None)
    if mine is None or mine.locked != options.sandbox or mine.closed:
        mine = _here.office = Office(options.sandbox)
    return mine


@dataclass(frozen=True)
class Result:
    """What one run of an exercise came to.

    Attributes:
        verdict: on the attempt.
        stopped: see `labs.kit.course.records.Graded`.
        note, teacher: sentences.
        missing: names that nothing defined.
    """

    verdict: Verdict
    stopped: str = ""
    note: str = ""
    teacher: str = ""
    missing: frozenset[str] = frozenset()

    @property
    def passed(self) -> bool:
        """Whether it gets its points."""
        return self.verdict.state == "passed" and not self.stopped


class _Notebook:
    """The grading of one notebook.

    Args:
        task: what was handed in.
        lab: as it is installed.
        office: reads, draws and judges.
    """

    def __init__(self, task: Task, lab: Installed, office: Office):
        self._task, self._lab, self._office = task, lab, office
        self._options = task.options
        self._cells: list[Read] = []
        self._lost: dict[int, str] = {}
        self._unsolved: dict[str, str] = {}
        self._ran_again = False

    def grade(self) -> tuple[list[Graded], list[str]]:
        """Return what each exercise came to, and what is wrong with the notebook as a whole."""
        points = self._task.points
        known = [
            replace(one, points=points.get(one.name, one.points)) for one in self._lab.exercises.values()
        ]
        if not self._task.cells:
            return [_graded(one, _unreadable(one.name), 0) for one in known], []
        try:
            told = self._office.read([cell.source for cell in self._task.cells])
        except Broken as broken:
            _give_up_unless_by_itself(broken)
            return [_graded(one, _unreadable(one.name), 0) for one in known], [wording.NO_PYTHON]
        self._cells = plan.read(self._task.cells, told, self._lab)
        graded = []
        for exercise in known:
            begin = time.monotonic()
            result = self._exercise(exercise)
            if not result.passed:
                self._unsolved[exercise.name] = reference.source(self._lab.lab, exercise.name)
            graded.append(_graded(exercise, result, time.monotonic() - begin))
        return graded, list(self._lost.values())

    def _exercise(self, exercise: Exercise) -> Result:
        """Try one plan after the other until one passes; else return what the first came to."""
        missing: set[str] = set()
        results: list[Result] = []
        for steps in plan.plans(self._cells, exercise.name, self._lab, self._unsolved, missing):
            result = self._with_what_runs(exercise, steps)
            if result.passed:
                places = plan.another(self._cells, exercise.name, steps)
                return self._says_which(result, exercise, *places) if places else result
            results.append(result)
            missing |= result.missing
        if not results:
            return self._undefined(exercise)
        # A name that was missing in the first run says only that the exercise leans on more than its own cells.
        first = next((one for one in results if not one.missing), results[0])
        told = first.stopped or first.note or first.teacher or first.verdict.state != "blank"
        # Run or not: where no cell defines it, why it counts as blank is worth a sentence.
        return first if told or plan.definitions(self._cells, exercise.name) else self._undefined(exercise)

    def _says_which(self, result: Result, exercise: Exercise, place: int, first: int) -> Result:
        told = reasons.another_passed(exercise.name, self._named(place), self._named(first))
        return replace(result, teacher=" ".join(filter(None, [result.teacher, told])))

    def _named(self, place: int) -> str:
        return reasons.named(place + 1, self._task.cells[place].source)

    def _undefined(self, exercise: Exercise) -> Result:
        """Return the result for an exercise that no cell defines."""
        own = [cell for cell in self._cells if cell.exercise == exercise.name and cell.own]
        slips = [cell for cell in own if cell.error] or [
            cell for cell in self._cells if cell.error and exercise.name in cell.source and cell.own
        ]
        if slips:
            cell = slips[-1]
            return Result(
                Verdict(
                    exercise.name,
                    "error",
                    diagnosis=RAISES,
                    says=COMMON[RAISES].says,
                    line=cell.line,
                    line_number=cell.line_number,
                    error=cell.error,
                )
            )
        blank = any(cell.blank == exercise.name for cell in self._cells)
        # What a cell imports is no other name for its exercise.
        made = r"(?m)^\s*(?:(?:async\s+)?def|class)\s+{0}\b|^{0}\s*="
        named = {name for cell in own for name in cell.defines if re.search(made.format(name), cell.source)}
        others = sorted(named - self._lab.exercises.keys())
        note = "" if blank else wording.renamed(exercise.name, others)
        return Result(Verdict(exercise.name, "blank"), note=note)

    def _with_what_runs(self, exercise: Exercise, steps: list[Step]) -> Result:
        """Run the steps; again without one of them where that ended the process and is not the exercise's own."""
        for _ in range(LOST_CELLS):
            left = [step for step in steps if step.place not in self._lost]
            ran, result, options = self._run(exercise, left)
            guilty = ran.during
            if not (ran.stopped and guilty and guilty.place >= 0):
                break
            if exercise.name in self._cells[guilty.place].defines:
                break
            self._lost[guilty.place] = reasons.left_out(ran.stopped, self._named(guilty.place), options)
        return result

    def _run(self, exercise: Exercise, steps: list[Step]) -> tuple[Ran, Result, Options]:
        """Return what came of a run, what that comes to, and the limits that it had."""
        known = calibrated(self._lab, exercise.name, self._options, self._office)
        when = extract.when(self._lab.lab.checks, exercise.name)
        questions = self._questions(exercise.name, known.cases, known.decoys)
        # On a slow machine the lab's own solution is slow, too.
        options = replace(
            self._options,
            cell_seconds=max(self._options.cell_seconds, 2 * known.seconds),
            exercise_seconds=max(self._options.exercise_seconds, 2 * known.seconds),
        )
        ran = self._ran(steps, exercise.name, when, questions, options)
        return ran, self._result(exercise, ran, known, options), options

    def _ran(self, *asked: Any) -> Ran:
        """Run; where something other than the notebook has ended that, once more, but for one run of it only."""
        ran = attempt.run(self._office.nursery, *asked)
        if ran.failed and not self._ran_again:
            self._ran_again = True
            ran = attempt.run(self._office.nursery, *asked)
        if ran.failed:
            raise NotGraded(reasons.not_graded(ran.failed))
        return ran

    def _result(self, exercise: Exercise, ran: Ran, known: Calibration, options: Options) -> Result:
        if ran.stopped:
            return self._stopped(exercise.name, ran.stopped, ran.during, options)
        if not ran.there:
            return self._not_there(exercise, ran)
        try:
            told = self._office.judge(self._lab, exercise.name, self._options.seed, ran.seen)
        except Broken as broken:
            _give_up_unless_by_itself(broken)
            return self._stopped(exercise.name, "tampering", None, options)
        if told["forged"]:
            return self._stopped(exercise.name, "tampering", None, options)
        verdict = Verdict(**told["verdict"])
        missing = frozenset({told["missing"]} - {""})
        swayed = wording.swayed(told["passes"], set(told["mended"]) - known.noise, ran.threads)
        if verdict.state == "passed" and swayed:
            stopped = self._stopped(exercise.name, "tampering", None, options)
            return replace(stopped, teacher=swayed)
        teacher = wording.replaced(ran.mended) if set(ran.mended) - known.noise else ""
        return Result(verdict, teacher=teacher, missing=missing)

    def _questions(self, exercise: str, cases: list, decoys: tuple) -> list[Question]:
        """Return all inputs in order, with decoys among them at places that cannot be foreseen."""
        chance = random.Random(f"{self._options.seed} {self._task.sha256} {exercise}")
        questions = [Question(number, case, seed) for number, (case, seed) in enumerate(cases)]
        for decoy, number in chance.sample(decoys, min(DECOYS, len(decoys))):
            place = chance.randint(1, len(questions))
            questions.insert(place, Question(number, *cases[number], decoy))
        return questions

    def _stopped(self, name: str, why: str, during: Step | None, options: Options) -> Result:
        cell = self._named(during.place) if during and during.place >= 0 else ""
        note = reasons.stopped(why, cell, options)
        verdict = Verdict(name, "error", diagnosis=RAISES, says=COMMON[RAISES].says, error=note)
        return Result(
            verdict, stopped=why, note=note, teacher=wording.TAMPERING if why == "tampering" else ""
        )

    def _not_there(self, exercise: Exercise, ran: Ran) -> Result:
        """Return the result where the cell ended before it defined the exercise."""
        mine = [cell.place for cell in plan.definitions(self._cells, exercise.name)]
        error = next((ran.errors[place] for place in mine if place in ran.errors), "")
        if not error:
            return Result(Verdict(exercise.name, "blank"), missing=frozenset(ran.missing))
        verdict = Verdict(exercise.name, "error", diagnosis=RAISES, says=COMMON[RAISES].says, error=error)
        return Result(verdict, missing=frozenset(ran.missing))


def _give_up_unless_by_itself(broken: Broken) -> None:
    if not broken.by_itself:
        raise NotGraded(reasons.not_graded(f"the process that looks at it did not answer ({broken})"))


def _unreadable(name: str) -> Result:
    return Result(Verdict(name, "blank"), stopped="unreadable", note=wording.UNREADABLE)


def _graded(exercise: Exercise, result: Result, seconds: float) -> Graded:
    verdict: dict[str, Any] = result.verdict.as_dict()
    return Graded(
        name=exercise.name,
        points=exercise.points if result.passed else 0,
        of_points=exercise.points,
        verdict=verdict,
        stopped=result.stopped,
        note=result.note,
        teacher=result.teacher,
        seconds=round(seconds, 2),
    )
