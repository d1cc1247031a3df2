"""`labs grade`: grade what a class has handed in, and keep every result as soon as it is there."""

import hashlib
import json
import os
import re
import secrets
import sys
import traceback
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path
from typing import Any

from filelock import FileLock, Timeout
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
from labs.kit.course import assignment, gradebook, records, submissions
from labs.kit.course.records import Options, Record, Task
from labs.kit.curriculum import Curriculum, load
from labs.kit.errors import LabsError

STATE, LOG, LOCK = "grading.json", "grading.log", ".grading.lock"
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
    points = _points(given)
    if not sandbox:
        console.print(NO_SANDBOX, style="bold red", highlight=False)
    seed = _begin(out)
    with _alone(out):
        options = Options(seed=seed, sandbox=sandbox)
        found, problems = submissions.tasks(path, curriculum, options, lab)
        tasks = [replace(task, points=points.get(task.lab, {})) for task in found]
        log = _Log(out / LOG)
        done, todo = _sorted_out(tasks, out)
        log(f"{len(tasks)} notebooks, {len(done)} of them graded before")
        for problem in problems:
            log(problem)
        how = _on_cluster(scheduler) if scheduler else _here(jobs)
        failed = _graded(todo, out, how, console, log)
        return _finish(out, tasks, problems + failed, len(done), curriculum, console, bool(failed))


@dataclass(frozen=True)
class _Log:
    """A file to which lines are only added.

    Attributes:
        path: the file.
    """

    path: Path

    def __call__(self, line: str) -> None:
        moment = datetime.now(UTC).isoformat(timespec="seconds")
        with open(self.path, "a", encoding="utf-8") as stream:
            stream.write(f"{moment} {line}\n")


def _points(given: Path | None) -> dict[str, dict[str, int]]:
    """Return for each lab what its exercises give, where the assignment says so."""
    if given is None:
        return {}
    file = given / paths.ASSIGNMENT if given.is_dir() else given
    return {
        work.name: {part.name: part.points for part in work.exercises} for work in assignment.read(file).labs
    }


def _begin(out: Path) -> int:
    """Return the secret that all inputs of this grading are drawn with, made when it begins.

    Raises:
        LabsError: `out` holds something else.
    """
    state = out / STATE
    if state.is_file():
        try:
            return int(json.loads(state.read_text("utf-8"))["seed"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise LabsError(f"{state} cannot be read ({error}): name another folder with `--out`.") from error
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise LabsError(
            f"{out} is there already and holds no grading: nothing is overwritten; name another folder."
        )
    try:
        seed = secrets.randbits(60)
        began = datetime.now(UTC).isoformat(timespec="seconds")
        text = json.dumps({"format": records.FORMAT, "seed": seed, "began": began}, indent=1) + "\n"
        records.write_text(state, text)
        os.chmod(state, 0o600)
    except OSError as error:
        raise LabsError(f"{out} cannot be written to ({error.strerror}).") from error
    return seed


@contextmanager
def _alone(out: Path) -> Iterator[None]:
    """Be the only grading into `out` for a block.

    Raises:
        LabsError: another one is at work there.
    """
    lock = FileLock(out / LOCK, timeout=0)
    try:
        lock.acquire()
    except Timeout:
        raise LabsError(
            f"Another `labs grade` is at work in {out}: wait for it, or name another folder."
        ) from None
    try:
        yield
    finally:
        lock.release()


def _sorted_out(tasks: Sequence[Task], out: Path) -> tuple[list[Record], list[Task]]:
    """Return the records that are there and still hold, and the tasks that are left."""
    done, todo = [], []
    for task in tasks:
        path = record_path(out, task)
        try:
            record = records.read(path) if path.is_file() else None
        except LabsError:
            record = None  # it is graded again, and written anew
        if record and record.key == key(task):
            done.append(record)
        else:
            todo.append(task)
    return done, todo


def record_path(out: Path, task: Task) -> Path:
    """Return where the record of a task lies; two students never have the same."""
    name = re.sub(r"[^A-Za-z0-9]+", "-", f"{task.student}--{task.lab}").strip("-").lower()[:80]
    tail = hashlib.sha256(f"{task.student}\0{task.lab}".encode()).hexdigest()[:8]
    return out / "records" / f"{name}-{tail}.json"


def key(task: Task) -> str:
    """Return what a record holds for: another notebook, lab, toolkit or way of grading has another key."""
    told = json.dumps([task.as_dict(), _digest(task.lab)], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()


_KIT = ("diagnosis", "examine", "exercise", "meanings", "observe", "plain", "reference")
_COURSE = ("attempt", "calibration", "extract", "grader", "installed", "notebook", "plan")


@cache
def _digest(lab: str) -> str:
    """Return what tells two versions of a lab, and of what decides on points, apart."""
    kit = paths.LABS / "kit"
    parts = [*(kit / f"{name}.py" for name in _KIT), *(kit / "course" / f"{name}.py" for name in _COURSE)]
    parts += [*sorted((kit / "course" / "locked").glob("*.py")), *sorted((paths.LABS / lab).glob("*.py"))]
    told = hashlib.sha256()
    for path in parts:
        told.update(path.name.encode() + b"\0" + path.read_bytes())
    return told.hexdigest()


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


def _graded(tasks: list[Task], out: Path, way: Way, console: Console, log: _Log) -> list[str]:
    """Grade `tasks`, writing each record when it comes; return what to say of those that could not be graded."""
    by_name = {(task.student, task.lab): task for task in tasks}
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn())
    with Progress(
        *columns, TimeElapsedColumn(), TimeRemainingColumn(), console=console, transient=True
    ) as shown:
        bar = shown.add_task("grading", total=len(tasks))

        def keep(record: Record) -> None:
            task = by_name[record.student, record.lab]
            records.write(replace(record, key=key(task)), record_path(out, task))
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
    wanted = [record_path(out, task) for task in tasks]
    graded = records.in_order(records.read(path) for path in wanted if path.is_file())
    gradebook.write(out, graded, title=out.resolve().name)
    report = _pages(out, graded, curriculum)
    for problem in problems:
        console.print(f"- {problem}", highlight=False, markup=False)
    flagged = [one for record in graded for one in record.exercises if one.teacher]
    got, of = sum(record.points for record in graded), sum(record.of_points for record in graded)
    print(
        f"{len(graded)} notebooks graded, {before} of them before; {got} of {of} points. "
        + (f"{len(flagged)} exercises to look at. " if flagged else "")
        + f"Points: {out / gradebook.GRADES}. Report: {report}"
    )
    return int(failed)


def _pages(out: Path, graded: list[Record], curriculum: Curriculum) -> Any:
    from labs.kit.course import reports

    return reports.write(out, graded, curriculum)
