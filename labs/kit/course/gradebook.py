"""The points of a class as tables that other systems read."""

import csv
import io
from collections.abc import Sequence
from pathlib import Path

from labs.kit.course.records import Record, in_order, write_text

GRADES, MOODLE, CANVAS = "grades.csv", "moodle.csv", "canvas.csv"


def write(out: Path, records: Sequence[Record], title: str) -> list[Path]:
    """Write `grades.csv` for people, and for Moodle and Canvas what they import, where students came from them.

    Args:
        out: the results folder.
        records: of the class.
        title: what the work is called in the other system.

    Returns:
        the files written.
    """
    students = _by_student(records)
    written = [_table(out / GRADES, *grades(students))]
    if any("moodle" in _ids(own) for own in students.values()):
        written.append(_table(out / MOODLE, *moodle(students)))
    if any("canvas" in _ids(own) for own in students.values()):
        written.append(_table(out / CANVAS, *canvas(students, title)))
    return written


def grades(students: dict[str, list[Record]]) -> tuple[list[str], list[list[str]]]:
    """Return the head and the rows of `grades.csv`: a student's points in each lab and in all."""
    labs = sorted({record.lab for own in students.values() for record in own})
    head = ["student", *labs, "points", "of points", "look at", "moodle", "canvas"]
    rows = []
    for student, own in students.items():
        points = {record.lab: str(record.points) for record in own}
        stopped = [one for record in own for one in record.exercises if one.stopped]
        # Where nothing could be read, the problem of the whole notebook says it once.
        flags = [f"{one.name}: {one.stopped}" for one in stopped if one.stopped != "unreadable"]
        flags += [sentence for record in own for sentence in record.problems]
        ids = _ids(own)
        rows.append(
            [
                student,
                *(points.get(lab, "") for lab in labs),
                *_points(own),
                " | ".join(dict.fromkeys(flags)),
                ids.get("moodle", ""),
                ids.get("canvas", ""),
            ]
        )
    return head, rows


def moodle(students: dict[str, list[Record]]) -> tuple[list[str], list[list[str]]]:
    """Return what Moodle's offline grading worksheet reads: it knows students by the number in their folder.

    It refuses a worksheet without the last column, and leaves alone a grade that Moodle has from a later moment. The
    words are those of Moodle in English.
    """
    head = ["Identifier", "Full name", "Grade", "Maximum Grade", "Last modified (grade)"]
    rows = []
    for student, own, ids in _with(students, "moodle"):
        moment = max(record.graded for record in own)
        rows.append([f"Participant {ids['moodle']}", student, *_points(own), moment])
    return head, rows


def canvas(students: dict[str, list[Record]], title: str) -> tuple[list[str], list[list[str]]]:
    """Return what Canvas' grade book imports: its second line holds the points that can be had."""
    head = ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", title]
    rows = [
        [student, ids["canvas"], "", "", "", _points(own)[0]]
        for student, own, ids in _with(students, "canvas")
    ]
    of = max((int(_points(own)[1]) for own in students.values()), default=0)
    return head, [["    Points Possible", "", "", "", "", str(of)], *rows]


def _with(students: dict[str, list[Record]], system: str) -> list[tuple[str, list[Record], dict[str, str]]]:
    found = [(student, own, _ids(own)) for student, own in students.items()]
    return [(student, own, ids) for student, own, ids in found if system in ids]


def _by_student(records: Sequence[Record]) -> dict[str, list[Record]]:
    found: dict[str, list[Record]] = {}
    for record in in_order(records):
        found.setdefault(record.student, []).append(record)
    return found


def _ids(own: list[Record]) -> dict[str, str]:
    return {system: number for record in own for system, number in record.ids.items()}


def _points(own: list[Record]) -> list[str]:
    return [str(sum(record.points for record in own)), str(sum(record.of_points for record in own))]


def _table(path: Path, head: list[str], rows: list[list[str]]) -> Path:
    text = io.StringIO()
    writer = csv.writer(text, lineterminator="\r\n")
    writer.writerows([[_cell(value) for value in row] for row in [head, *rows]])
    write_text(path, text.getvalue())
    return path


def _cell(value: str) -> str:
    """Return `value` so that no spreadsheet takes it for a formula: names come from whoever handed in."""
    return f"'{value}" if value[:1] in ("=", "+", "-", "@", "\t", "\r") else value
