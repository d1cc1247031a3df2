"""One student's feedback: points, the card of each exercise as in the lab, and where to go on."""

from collections.abc import Sequence
from dataclasses import fields
from pathlib import Path, PurePath
from typing import Any

from markupsafe import Markup

from labs.kit.course import page
from labs.kit.course.lesson import Lesson, lesson, slug
from labs.kit.course.records import Graded, Record
from labs.kit.curriculum import Curriculum, Lab
from labs.kit.examine import STATES, Verdict
from labs.kit.exercise import Exercise
from labs.kit.feedback import verdict_card
from labs.kit.load import exercises

MOST_STEPS = 4


def write(folder: Path, student: str, records: Sequence[Record], curriculum: Curriculum) -> Path:
    """Write the page of `student` into `folder` and return its path.

    Args:
        folder: made if it is not there.
        student: as the grader calls them.
        records: all of theirs, in the order to show them in.
        curriculum: holds the labs that they are of.
    """
    path = folder / page.file_name(student)
    page.write(path, html(student, records, curriculum))
    return path


def html(student: str, records: Sequence[Record], curriculum: Curriculum) -> str:
    """Return the page of `student`; see `write`."""
    labs = [_lab(record, curriculum) for record in records]
    return page.render(
        "feedback.html",
        {
            "student": student,
            "labs": labs,
            "got": sum(record.points for record in records),
            "of": sum(record.of_points for record in records),
            "passed": all(page.state(one) == "passed" for record in records for one in record.exercises),
            "next": [step for one in labs for step in one["next"]][:MOST_STEPS],
        },
    )


def _lab(record: Record, curriculum: Curriculum) -> dict[str, Any]:
    lab = curriculum.labs.get(record.lab)
    known, taught = (exercises(lab), lesson(lab)) if lab else ({}, None)
    shown = [_exercise(graded, lab, known, taught) for graded in record.exercises]
    return {
        "name": page.visible(record.lab),
        "title": lab.title if lab else "A lab that is not installed here",
        "file": PurePath(record.file).name,  # where the teacher keeps it is nothing to a student
        "graded": record.graded,
        "got": record.points,
        "of": record.of_points,
        "problems": record.problems,
        # Six times the same sentence says no more than the problem itself.
        "exercises": [] if page.is_unread(record) else shown,
        "unread": page.is_unread(record),
        "notebook": f"{record.lab.split('/')[-1]}.ipynb",
        "next": [_step(one, lab, known) for one in shown if one["state"] not in ("passed", "unread")]
        if lab
        else [],
    }


def _exercise(
    graded: Graded, lab: Lab | None, known: dict[str, Exercise], taught: Lesson | None
) -> dict[str, Any]:
    section = taught.section_of(graded.name) if taught else None
    return {
        "name": graded.name,
        "anchor": slug(f"{lab.name if lab else 'lab'}-{graded.name}"),
        "section": section.title if section else "",
        "state": page.state(graded),
        "points": graded.points,
        "of_points": graded.of_points,
        "note": graded.note,
        "card": card(known.get(graded.name), graded),
        "think": page.visible(verdict.think) if (verdict := verdict_of(graded)) else "",
    }


def card(exercise: Exercise | None, graded: Graded) -> Markup:
    """Return the card that the lab would have shown, with the first hint; nothing where no verdict was reached.

    The card escapes what it takes from a verdict; no other text of ours is put into a page as it is.
    """
    verdict = verdict_of(graded)
    if exercise is None or verdict is None or graded.stopped:
        return Markup("")
    return Markup(verdict_card(exercise, verdict, len(exercise.hints), fallback=False).html)


def verdict_of(graded: Graded) -> Verdict | None:
    """Return the verdict that a record holds, or nothing if it holds none that this version can read."""
    names = {field.name for field in fields(Verdict)}
    try:
        known = {name: value for name, value in graded.verdict.items() if name in names}
        verdict = Verdict(**{name: _visible(value) for name, value in known.items()})
    except (TypeError, AttributeError):
        return None
    return verdict if verdict.state in STATES else None


def _visible(value: Any) -> Any:
    """Return plain data with all its texts fit for a page."""
    if isinstance(value, str):
        return page.visible(value)
    if isinstance(value, dict):
        return {page.visible(key): _visible(item) for key, item in value.items()}
    if isinstance(value, list | tuple):
        return type(value)(_visible(item) for item in value)
    return value


def _step(one: dict[str, Any], lab: Lab, known: dict[str, Exercise]) -> dict[str, Any]:
    exercise = known.get(one["name"])
    return {
        "exercise": page.visible(one["name"]),
        "anchor": one["anchor"],
        "section": one["section"],
        "lab": lab.title,
        "minutes": exercise.minutes if exercise else 0,
        "think": one["think"],
    }
