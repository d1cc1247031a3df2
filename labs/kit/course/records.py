"""What goes into grading and what comes out: a `Task` for each notebook handed in, a `Record` for each graded.

Both are plain data that JSON can hold, so that a task can travel to another process or machine, and a record
can be read without the grader.
"""

import json
import os
import secrets
from collections.abc import Iterable
from contextlib import suppress
from dataclasses import asdict, dataclass, field, fields
from pathlib import Path
from typing import Any

from labs.kit.errors import LabsError

FORMAT = 1
STOPPED = ("time", "memory", "disk", "processes", "exit", "tampering", "unreadable")
"""Why an exercise was not graded by what it does; `Graded.stopped` is one of these, or empty."""


class NotGraded(Exception):
    """A notebook could not be graded, for a reason that is not in it; others can be."""


@dataclass(frozen=True)
class Options:
    """How to grade; the same for a whole class.

    Attributes:
        seed: what the inputs are drawn with; secret, and the same for all, so that all meet the same inputs.
        cell_seconds: how long one cell may take.
        exercise_seconds: how long all inputs of one exercise may take.
        memory_mb: how much memory a notebook may take beyond what TensorFlow itself takes.
        disk_mb: how much it may write.
        processes: how many processes and threads it may have at once.
        sandbox: whether student code is locked up; without it, it can do all that the teacher can.
    """

    seed: int
    cell_seconds: float = 20
    exercise_seconds: float = 30
    memory_mb: int = 2048
    disk_mb: int = 64
    processes: int = 128
    sandbox: bool = True


@dataclass(frozen=True)
class Cell:
    """One code cell of a notebook that was handed in.

    Attributes:
        id: as in the notebook; may be empty, and two may have the same.
        source: its text.
        exercise: the exercise that its metadata or id names, if any.
    """

    id: str
    source: str
    exercise: str = ""


@dataclass(frozen=True)
class Task:
    """One notebook to be graded: nothing has been run yet.

    Attributes:
        student: who handed it in, as the folder or the file's name says.
        lab: the lab's name.
        file: where it was found, for people.
        sha256: of the notebook's bytes.
        cells: its code cells in order.
        problems: what was wrong with it, in sentences.
        ids: what a learning management system calls the student, by the system's name.
        options: how to grade.
        points: what an exercise gives, where that is not what the lab says.
    """

    student: str
    lab: str
    file: str
    sha256: str
    options: Options
    cells: tuple[Cell, ...] = ()
    problems: tuple[str, ...] = ()
    ids: dict[str, str] = field(default_factory=dict)
    points: dict[str, int] = field(default_factory=dict)

    def as_dict(self) -> dict[str, Any]:
        """Return all as a dict that JSON can hold."""
        return asdict(self)

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Task":
        """Return the task that `as_dict` was called on."""
        made = {
            **data,
            "options": Options(**data["options"]),
            "cells": tuple(Cell(**cell) for cell in data["cells"]),
            "problems": tuple(data["problems"]),
        }
        return cls(**made)


@dataclass(frozen=True)
class Graded:
    """What one exercise came to.

    Attributes:
        name: the exercise.
        points, of_points: what it got, and what it can give.
        verdict: `labs.kit.examine.Verdict` as a dict.
        stopped: one of `STOPPED` if it was not graded by what it does, else empty.
        note: a sentence for the student; may be empty.
        teacher: a sentence for the teacher alone; may be empty.
        seconds: wall time.
    """

    name: str
    points: int
    of_points: int
    verdict: dict[str, Any]
    stopped: str = ""
    note: str = ""
    teacher: str = ""
    seconds: float = 0.0


@dataclass(frozen=True)
class Record:
    """What one notebook that was handed in came to.

    Attributes:
        student, lab, file, sha256, ids: as in the task; no file where the student handed in other labs only.
        points, of_points: over all exercises.
        exercises: in the lab's order.
        problems: what was wrong with the notebook as a whole, in sentences.
        met: those of `problems` that came up only while it was graded.
        graded: when, in ISO form with the time zone.
        seconds: wall time.
        key: what it was graded with: changes with the notebook, the lab, the kit, the points and the options.
    """

    student: str
    lab: str
    file: str
    sha256: str
    points: int
    of_points: int
    exercises: tuple[Graded, ...]
    problems: tuple[str, ...] = ()
    met: tuple[str, ...] = ()
    graded: str = ""
    seconds: float = 0.0
    ids: dict[str, str] = field(default_factory=dict)
    key: str = ""

    @property
    def is_handed_in(self) -> bool:
        """Whether the student handed in anything for this lab."""
        return bool(self.file)

    def as_dict(self) -> dict[str, Any]:
        """Return all as a dict that JSON can hold, with `format` first."""
        return {"format": FORMAT, **asdict(self)}

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> "Record":
        """Return the record that `as_dict` was called on; what a later version has added is passed over.

        Raises:
            LabsError: something is missing, or the format is another one.
        """
        if not isinstance(data, dict) or data.get("format") != FORMAT:
            raise LabsError("This is no record of a graded notebook, or one of another version of the labs.")
        try:
            made = {**_known(cls, data)}
            made["exercises"] = tuple(Graded(**_known(Graded, entry)) for entry in data["exercises"])
            made |= {name: tuple(data.get(name, ())) for name in ("problems", "met")}
            return cls(**made)
        except (TypeError, KeyError, AttributeError) as error:
            raise LabsError(f"A record of a graded notebook is not complete ({error}).") from error


def _known(kind: type, data: dict[str, Any]) -> dict[str, Any]:
    names = {one.name for one in fields(kind)}
    return {name: value for name, value in data.items() if name in names}


def write(record: Record, path: Path) -> None:
    """Write `record` to `path` so that a reader finds it whole or not at all, whenever the power goes."""
    write_text(path, json.dumps(record.as_dict(), indent=1, ensure_ascii=True) + "\n")


def write_text(path: Path, text: str, mode: int = 0o666) -> None:
    """Write `text` to `path` in one step: to a file beside it, to the disk, then under its name.

    Args:
        path: its folder is made if it is not there.
        text: what will be in it.
        mode: who may do what with it, as far as this process's umask allows.
    """
    path.parent.mkdir(parents=True, exist_ok=True)
    beside = path.parent / f"{beside_start(path)}{secrets.token_hex(8)}"
    try:
        with open(
            beside, "x", encoding="utf-8", newline="", opener=lambda name, flags: os.open(name, flags, mode)
        ) as stream:
            stream.write(text)
            stream.flush()
            os.fsync(stream.fileno())
        os.replace(beside, path)
    except BaseException:
        with suppress(OSError):
            os.unlink(beside)
        raise
    try:
        folder = os.open(path.parent, os.O_RDONLY)
    except PermissionError:  # Windows opens no folder
        return
    try:
        os.fsync(folder)
    finally:
        os.close(folder)


def beside_start(path: Path) -> str:
    """Return how the names begin of the files beside `path` that `write_text` writes first."""
    return f".{path.name[:100]}."


def read(path: Path) -> Record:
    """Read a record.

    Raises:
        LabsError: there is none, or it cannot be read.
    """
    try:
        return Record.from_dict(json.loads(path.read_text("utf-8")))
    except OSError as error:
        raise LabsError(f"{path} cannot be read ({error.strerror}).") from error
    except ValueError as error:
        raise LabsError(f"{path} is no record of a graded notebook: it is not JSON.") from error
    except LabsError as error:
        raise LabsError(f"{path}: {error}") from error


def read_all(folder: Path) -> list[Record]:
    """Return the records of a results folder, by student and lab.

    Raises:
        LabsError: one cannot be read.
    """
    return in_order(read(path) for path in (folder / "records").glob("*.json"))


def in_order(records: Iterable[Record]) -> list[Record]:
    """Return `records` by student and lab."""
    return sorted(records, key=lambda record: (record.student.casefold(), record.student, record.lab))
