"""`labs grade`: grade what a class has handed in, and keep every result as soon as it is there."""

import sys
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path

from rich.console import Console
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    Progress,
    TextColumn,
    TimeElapsedColumn,
    TimeRemainingColumn,
)

from labs.kit import paths
from labs.kit.cores import cores
from labs.kit.course import assignment, edited, gradebook, records, results, submissions
from labs.kit.course.collected import SUBMITTED
from labs.kit.course.records import NotGraded, Options, Record, Task
from labs.kit.course.wording import count
from labs.kit.curriculum import Curriculum, load
from labs.kit.errors import LabsError

NO_SANDBOX = (
    "WITHOUT A SANDBOX: what students wrote runs with all that you may do. It can read and delete your files, use "
    "your network, read the solutions and change its own points. Do this only with code that you trust."
)


def command(
    path: Path,
    out: Path,
    jobs: int = 1,
    lab: str | None = None,
    sandbox: bool = True,
    given: Path | None = None,
    scheduler: str | None = None,
) -> int:
    """Grade what lies at `path` into the folder `out`; return the exit status.

    Args:
        path: a folder, a zip or a notebook.
        out: a new folder, or one in which a grading has begun.
        jobs: how many notebooks at a time.
        lab: the lab of notebooks that do not name one.
        sandbox: whether to lock student code up.
        given: what `labs assign` wrote of what was handed out: its labs are required, and have its points.
        scheduler: the address of a Dask cluster to grade on, in place of this machine.

    Raises:
        LabsError: nothing can be graded, or not here.
    """
    console = Console(stderr=True)
    curriculum = load()
    points = points_of(_assigned(path, given))
    if not sandbox:
        console.print(NO_SANDBOX, style="bold red", highlight=False)
    if not scheduler and jobs > cores():
        console.print(
            f"--jobs {jobs} is more than the {count(cores(), 'core')} of this machine: notebooks will wait for each "
            "other, and what is slow anyway may run out of time.",
            highlight=False,
        )
    results.refuse_other(out)
    found, problems = submissions.tasks(
        path, curriculum, Options(seed=0), lab, assigned=tuple(points), out=out
    )
    with results.alone(out):
        options = Options(seed=results.begin(out), sandbox=sandbox)
        tasks = [replace(task, options=options, points=points.get(task.lab, {})) for task in found]
        log = results.Log(out / results.LOG)
        done, todo = results.sorted_out(tasks, out)
        with results.told_if_full(out):
            log(f"{count(len(tasks), 'notebook')}, {len(done)} graded before")
            for problem in problems:
                log(problem)
        how = _on_cluster(scheduler) if scheduler else _here(jobs)
        failed = _graded(todo, out, how, console, log)
        before = sum(bool(record.sha256) for record in done)
        return _finish(out, tasks, problems + failed, before, curriculum, console, bool(failed))


def _course_of(path: Path) -> Path | None:
    """Return the nbgrader course that `path` is, or whose `submitted` it is: it says itself what exercises give."""
    here = path.resolve()
    course = here.parent if here.name == SUBMITTED else here
    return course if any(course.glob(f"source/*/{paths.ASSIGNMENT}")) else None


def _assigned(path: Path, given: Path | None) -> list[assignment.Assignment]:
    """Return what was handed out, where that is known: what is named, or what a course has submissions of.

    Raises:
        LabsError: it cannot be read.
    """
    course = None if given else _course_of(path)
    found = assignment.read_all(given or course) if given or course else []
    begun = {one.name for one in (course / SUBMITTED).glob("*/*")} if course else set()
    # A course has next week's assignments too; of those nobody has handed in anything yet.
    return [one for one in found if not begun or one.id in begun]


def points_of(assigned: Sequence[assignment.Assignment]) -> dict[str, dict[str, int]]:
    """Return for each lab what its exercises give.

    Raises:
        LabsError: two assignments give other points for the same lab.
    """
    found: dict[str, dict[str, int]] = {}
    for one in assigned:
        for work in one.labs:
            own = {part.name: part.points for part in work.exercises}
            if found.setdefault(work.name, own) != own:
                raise LabsError(
                    f"The course has {work.name} twice, for other points: name the one with `--assignment`, for "
                    f"example source/{one.id}."
                )
    return found


Way = Callable[[Sequence[Task], Callable[[Record], None]], list[str]]
"""Grades tasks, hands over each record, and returns sentences on those that could not be graded."""


def _here(jobs: int) -> Way:
    def way(tasks: Sequence[Task], on_record: Callable[[Record], None]) -> list[str]:
        if sys.platform == "win32":
            raise LabsError("Grading works on Linux only, which Windows has as WSL: install the labs there.")
        from labs.kit.course.grader import grade_one

        failed = []
        with ThreadPoolExecutor(jobs, "grade") as pool:
            left = iter(tasks)
            running: dict[Future, Task] = {}
            try:
                while True:
                    # No more than needed: what waits in the pool would still be graded after Ctrl-C.
                    while len(running) < jobs and (task := next(left, None)):
                        running[pool.submit(grade_one, task)] = task
                    if not running:
                        return failed
                    for future in wait(running, return_when=FIRST_COMPLETED).done:
                        task = running.pop(future)
                        try:
                            on_record(future.result())
                        except LabsError:
                            raise
                        except NotGraded as error:
                            failed.append(f"{task.file} was not graded: {error}")
                        except Exception as error:
                            kind = f"{type(error).__name__}: {error}"
                            failed.append(f"{task.file} was not graded, by a fault of the labs: {kind}")
                            failed[-1] += "\n" + "".join(traceback.format_exception(error))
            except BaseException:
                from labs.kit.course.locked import client

                client.close()  # what runs ends at once
                raise

    return way


def _on_cluster(address: str) -> Way:
    def way(tasks: Sequence[Task], on_record: Callable[[Record], None]) -> list[str]:
        from labs.kit.course.distribute import grade

        return grade(tasks, address, on_record)

    return way


def _graded(tasks: list[Task], out: Path, way: Way, console: Console, log: results.Log) -> list[str]:
    """Grade `tasks`, writing each record when it comes; return what to say of those that could not be graded."""
    by_name = {(task.student, task.lab): task for task in tasks}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console, transient=True
    ) as shown:
        bar = shown.add_task("grading", total=len(tasks))

        def keep(record: Record) -> None:
            task = by_name[record.student, record.lab]
            with results.told_if_full(out):
                records.write(replace(record, key=results.key(task)), results.record_path(out, task))
                log(
                    f"{record.student}, {record.lab}: {record.points} of {record.of_points} in "
                    f"{record.seconds} s"
                )
            shown.update(bar, advance=1, description=record.student[:24])

        failed = way(tasks, keep) if tasks else []
    with results.told_if_full(out):
        for sentence in failed:
            log(sentence)
    return [sentence.splitlines()[0] for sentence in failed]


def _finish(
    out: Path,
    tasks: list[Task],
    problems: list[str],
    before: int,
    curriculum: Curriculum,
    console: Console,
    failed: bool,
) -> int:
    from labs.kit.course import class_report, reports

    tables = (gradebook.GRADES, gradebook.MOODLE, gradebook.CANVAS, class_report.MISCONCEPTIONS)
    held, left = results.sorted_out(tasks, out)
    graded = records.in_order(held)
    older = [task for task in left if results.record_path(out, task).is_file()]
    with results.told_if_full(out):
        kept = edited.keep(out, tables)
        gradebook.write(out, graded, title=out.resolve().name)
        report = reports.write(out, graded, curriculum)
        edited.remember(out, tables)
    problems += [
        f"{task.student}, {task.lab}: what {out} holds is of an earlier notebook, or graded in another way, and "
        "counts no more."
        for task in older
    ]
    problems += [f"{name} had been changed by hand: that is kept as {copy}." for name, copy in kept]
    for problem in problems:
        console.print(f"- {problem}", highlight=False, markup=False)
    flagged = [one for record in graded for one in record.exercises if one.teacher]
    got, of = sum(record.points for record in graded), sum(record.of_points for record in graded)
    there = sum(bool(record.sha256) for record in graded)
    earlier = f", {before} of them before" if before else ""
    missing = f", {len(graded) - there} missing" if len(graded) > there else ""
    look = f"{count(len(flagged), 'exercise')} to look at. " if flagged else ""
    print(
        f"{count(there, 'notebook')} graded{earlier}{missing}; {got:,} of {count(of, 'point')}. {look}"
        f"Points: {out / gradebook.GRADES}. Report: {report}"
    )
    return int(failed)
