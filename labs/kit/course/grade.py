"""`labs grade`: grade what a class has handed in, and keep every result as soon as it is there."""

import sys
import traceback
from collections.abc import Callable, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import replace
from pathlib import Path
from typing import Any

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
from labs.kit.course import assignment, gradebook, records, results, submissions
from labs.kit.course.records import Options, Record, Task
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
        given: the `assignment.json` of what was handed out, for its points.
        scheduler: the address of a Dask cluster to grade on, in place of this machine.

    Raises:
        LabsError: nothing can be graded, or not here.
    """
    console = Console(stderr=True)
    curriculum = load()
    points = points_of(given or (path if _is_course(path) else None))
    if not sandbox:
        console.print(NO_SANDBOX, style="bold red", highlight=False)
    results.refuse_other(out)
    found, problems = submissions.tasks(path, curriculum, Options(seed=0), lab)
    options = Options(seed=results.begin(out), sandbox=sandbox)
    with results.alone(out):
        tasks = [replace(task, options=options, points=points.get(task.lab, {})) for task in found]
        log = results.Log(out / results.LOG)
        done, todo = results.sorted_out(tasks, out)
        log(f"{count(len(tasks), 'notebook')}, {len(done)} graded before")
        for problem in problems:
            log(problem)
        how = _on_cluster(scheduler) if scheduler else _here(jobs)
        failed = _graded(todo, out, how, console, log)
        return _finish(out, tasks, problems + failed, len(done), curriculum, console, bool(failed))


def _is_course(path: Path) -> bool:
    """Whether `path` is an nbgrader course that `labs assign` wrote, which says itself what exercises give."""
    return any(path.glob(f"source/*/{paths.ASSIGNMENT}"))


def points_of(given: Path | None) -> dict[str, dict[str, int]]:
    """Return for each lab what its exercises give, where the assignment says so.

    Raises:
        LabsError: it cannot be read, or two assignments of a course give other points for the same lab.
    """
    found: dict[str, dict[str, int]] = {}
    for one in assignment.read_all(given) if given else ():
        for work in one.labs:
            own = {part.name: part.points for part in work.exercises}
            if found.setdefault(work.name, own) != own:
                raise LabsError(
                    f"{given} has {work.name} twice, for other points: name the one with `--assignment`, for example "
                    f"{given / 'source' / one.id}."
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
            records.write(replace(record, key=results.key(task)), results.record_path(out, task))
            log(
                f"{record.student}, {record.lab}: {record.points} of {record.of_points} in {record.seconds} s"
            )
            shown.update(bar, advance=1, description=record.student[:24])

        failed = way(tasks, keep) if tasks else []
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
    wanted = [results.record_path(out, task) for task in tasks]
    graded = records.in_order(records.read(path) for path in wanted if path.is_file())
    gradebook.write(out, graded, title=out.resolve().name)
    report = _pages(out, graded, curriculum)
    for problem in problems:
        console.print(f"- {problem}", highlight=False, markup=False)
    flagged = [one for record in graded for one in record.exercises if one.teacher]
    got, of = sum(record.points for record in graded), sum(record.of_points for record in graded)
    earlier = f", {before} of them before" if before else ""
    look = f"{count(len(flagged), 'exercise')} to look at. " if flagged else ""
    print(
        f"{count(len(graded), 'notebook')} graded{earlier}; {got:,} of {count(of, 'point')}. {look}"
        f"Points: {out / gradebook.GRADES}. Report: {report}"
    )
    return int(failed)


def _pages(out: Path, graded: list[Record], curriculum: Curriculum) -> Any:
    from labs.kit.course import reports

    return reports.write(out, graded, curriculum)
