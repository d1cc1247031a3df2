"""The folder of a grading: what it began with, its log, its lock, and which records in it still hold."""

import hashlib
import json
import os
import re
import secrets
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
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


def refuse_other(out: Path) -> None:
    """Refuse a folder that holds something else than a grading.

    Raises:
        LabsError: it does.
    """
    if (out / STATE).is_file():
        return
    if out.exists() and (not out.is_dir() or any(out.iterdir())):
        raise LabsError(
            f"{out} is there already and holds no grading: nothing is overwritten; name another folder."
        )


def begin(out: Path) -> int:
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
    refuse_other(out)
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
def alone(out: Path) -> Iterator[None]:
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


def sorted_out(tasks: Sequence[Task], out: Path) -> tuple[list[Record], list[Task]]:
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
