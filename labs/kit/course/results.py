"""The folder of a grading: what it began with, its log, its lock, and which records in it still hold."""

import hashlib
import json
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass, replace
from datetime import UTC, datetime
from functools import cache
from pathlib import Path

from filelock import FileLock, Timeout

from labs.kit import paths
from labs.kit.course import records
from labs.kit.course.records import Record, Task
from labs.kit.errors import LabsError

STATE, LOG, LOCK = "grading.json", "grading.log", ".grading.lock"


@dataclass(frozen=True)
class Log:
    """A file to which lines are only added.

    Attributes:
        path: the file.
    """

    path: Path

    def __call__(self, line: str) -> None:
        """Add a line, with the moment before it."""
        moment = datetime.now(UTC).isoformat(timespec="seconds")
        with open(self.path, "a", encoding="utf-8") as stream:
            stream.write(f"{moment} {line}\n")


@contextmanager
def told_if_full(out: Path) -> Iterator[None]:
    """Say of a block, which only writes, that it could not.

    Raises:
        LabsError: the disk is full, or something else keeps `out` from being written to.
    """
    try:
        yield
    except OSError as error:
        raise LabsError(
            f"{out} cannot be written to ({error.strerror or error}). Mend that and run the same command again: what "
            "is graded stays graded."
        ) from error


def refuse_other(out: Path) -> None:
    """Refuse a folder that holds something else than a grading, or the beginning of one.

    Raises:
        LabsError: it does.
    """
    if (out / STATE).is_file():
        return
    if out.exists() and (not out.is_dir() or any(not _is_ours(path) for path in out.iterdir())):
        raise LabsError(
            f"{out} is there already and holds no grading: nothing is overwritten; name another folder."
        )


def _is_ours(path: Path) -> bool:
    """Tell whether a file is what a grading leaves that was killed before it had begun."""
    return path.name == LOCK or path.name.startswith(records.beside_start(Path(STATE)))


def begin(out: Path) -> int:
    """Return the secret that all inputs of this grading are drawn with, made when it begins; to be called `alone`.

    Raises:
        LabsError: `out` holds something else, or cannot be written to.
    """
    state = out / STATE
    if state.is_file():
        try:
            return int(json.loads(state.read_text("utf-8"))["seed"])
        except (OSError, ValueError, KeyError, TypeError) as error:
            raise LabsError(f"{state} cannot be read ({error}): name another folder with `--out`.") from error
    refuse_other(out)
    seed = secrets.randbits(60)
    began = datetime.now(UTC).isoformat(timespec="seconds")
    text = json.dumps({"format": records.FORMAT, "seed": seed, "began": began}, indent=1) + "\n"
    with told_if_full(out):
        records.write_text(state, text, mode=0o600)
    return seed


@contextmanager
def alone(out: Path) -> Iterator[None]:
    """Be the only grading into `out` for a block; it is made if it is not there.

    Raises:
        LabsError: another one is at work there, or it cannot be written to.
    """
    lock = FileLock(out / LOCK, timeout=0)
    with told_if_full(out):
        out.mkdir(parents=True, exist_ok=True)
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


def sorted_out(tasks: Sequence[Task], out: Path) -> tuple[list[Record], list[Task]]:
    """Return the records that are there and still hold, and the tasks that are left.

    A record that holds gets from its task what does not decide on points: where it lies now, and whose it is.

    Raises:
        LabsError: one of these records cannot be written.
    """
    done, todo = [], []
    for task in tasks:
        path, record = record_path(out, task), None
        with suppress(LabsError):  # what cannot be read is graded again, and written anew
            record = records.read(path) if path.is_file() else None
        if not record or record.key != key(task):
            todo.append(task)
            continue
        now = replace(record, file=task.file, ids=task.ids, problems=(*task.problems, *record.met))
        if now != record:
            with told_if_full(out):
                records.write(now, path)
        done.append(now)
    return done, todo


def record_path(out: Path, task: Task) -> Path:
    """Return where the record of a task lies; two students never have the same."""
    name = re.sub(r"[^A-Za-z0-9]+", "-", f"{task.student}--{task.lab}").strip("-").lower()[:80]
    tail = hashlib.sha256(f"{task.student}\0{task.lab}".encode()).hexdigest()[:8]
    return out / "records" / f"{name}-{tail}.json"


def key(task: Task) -> str:
    """Return what a record holds for: another notebook, lab, toolkit or way of grading has another key.

    Where the notebook was found and what came with it has none: downloads have another name each time.
    """
    decides = {name: value for name, value in asdict(task).items() if name in _DECIDES}
    told = json.dumps([decides, _digest(task.lab)], sort_keys=True)
    return hashlib.sha256(told.encode()).hexdigest()


_DECIDES = ("lab", "sha256", "cells", "options", "points")
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
