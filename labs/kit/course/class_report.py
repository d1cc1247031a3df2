"""The teacher's report on a class: what passed, which misconceptions there are, who needs a look."""

import csv
import io
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from statistics import median
from typing import Any

from labs.kit.course import figures, page, wording
from labs.kit.course.lesson import Section, lesson
from labs.kit.course.records import Record
from labs.kit.curriculum import Curriculum
from labs.kit.diagnosis import COMMON
from labs.kit.exercise import Exercise
from labs.kit.load import exercises

MISCONCEPTIONS = "misconceptions.csv"
MOST_BARS = 15
WORTH_DISCUSSING = 0.1
"""A misconception is worth the class's time when this share of those who handed in has it, or more."""
MOST_TALKS = 6
MISSING = "missing"
"""The kind of flag that only says that nothing was handed in."""


@dataclass
class Found:
    """One misconception in the class.

    Attributes:
        lab, exercise, diagnosis: what and where.
        says, think: the misconception's own sentences, to the learner.
        students: who has it.
        section: where the lab teaches it.
    """

    lab: str
    exercise: str
    diagnosis: str
    says: str
    think: str
    students: list[str] = field(default_factory=list)
    section: Section | None = None

    @property
    def label(self) -> str:
        """What stands beside its bar."""
        return page.short(f"{self.exercise}: {self.diagnosis}")


def write(folder: Path, records: Sequence[Record], curriculum: Curriculum, pages: Mapping[str, str]) -> Path:
    """Write `report.html` and `misconceptions.csv` into `folder`; return the report's path.

    Args:
        folder: made if it is not there.
        records: of the whole class; of several by one student for one lab, the last graded counts.
        curriculum: holds the labs that they are of.
        pages: student to the address of their feedback page, as seen from `folder`.
    """
    path = folder / "report.html"
    page.write(path, html(records, curriculum, pages))
    page.write(folder / MISCONCEPTIONS, misconceptions_csv(records, curriculum))
    return path


def html(records: Sequence[Record], curriculum: Curriculum, pages: Mapping[str, str]) -> str:
    """Return the report; see `write`."""
    counted = latest(records)
    found = misconceptions(counted, curriculum)
    students = _students(counted, pages)
    totals = [one["got"] for one in students]
    most = max((one["of"] for one in students), default=0)
    return page.render(
        "report.html",
        {
            "labs": [_lab(name, counted, curriculum) for name in _labs(counted, curriculum)],
            "students": students,
            "older": len(records) - len(counted),
            "graded": max((record.graded for record in counted), default=""),
            "median": median(totals) if totals else 0,
            "most": most,
            "spread": figures.distribution(totals, most, _spread_title(totals, most)) if most else "",
            "bars": _bars(found),
            "common": [one for one in found if len(one.students) > 1],
            "single": [one for one in found if len(one.students) == 1],
            "discuss": _discuss(found, counted, curriculum),
            "flagged": [one for one in students if any(flag["kind"] != MISSING for flag in one["flags"])],
        },
    )


def misconceptions_csv(records: Sequence[Record], curriculum: Curriculum) -> str:
    """Return the misconceptions of the class as CSV, most common first."""
    counted = latest(records)
    handed_in = Counter(record.lab for record in counted if record.is_handed_in)
    text = io.StringIO()
    table = csv.writer(text, lineterminator="\r\n")
    table.writerow(["lab", "exercise", "misconception", "students", "share", "says", "think"])
    for one in misconceptions(counted, curriculum):
        number = len(one.students)
        share = f"{number / handed_in[one.lab]:.3f}"
        table.writerow([one.lab, one.exercise, one.diagnosis, number, share, one.says, one.think])
    return text.getvalue()


def latest(records: Sequence[Record]) -> list[Record]:
    """Return one record for each student and lab, the last graded, in the order of their first appearance."""
    last: dict[tuple[str, str], Record] = {}
    for record in records:
        key = (record.student, record.lab)
        if key not in last or record.graded >= last[key].graded:
            last[key] = record
    return list(last.values())


def misconceptions(records: Sequence[Record], curriculum: Curriculum) -> list[Found]:
    """Return every diagnosis that students received, most common first."""
    found: dict[tuple[str, str, str], Found] = {}
    for record in records:
        for graded in record.exercises:
            name = graded.verdict.get("diagnosis") if page.state(graded) in ("wrong", "error") else ""
            if not name:
                continue
            key = (record.lab, graded.name, name)
            if key not in found:
                found[key] = _described(*key, graded.verdict, curriculum)
            found[key].students.append(record.student)
    return sorted(found.values(), key=lambda one: (-len(one.students), one.lab, one.exercise, one.diagnosis))


def _described(lab: str, exercise: str, name: str, verdict: dict[str, Any], curriculum: Curriculum) -> Found:
    known = _exercise(lab, exercise, curriculum)
    declared = (known.misconceptions.get(name) if known else None) or COMMON.get(name)
    says = declared.says if declared else str(verdict.get("says", ""))
    think = declared.think if declared else str(verdict.get("think", ""))
    section = lesson(curriculum.labs[lab]).section_of(exercise) if known else None
    return Found(lab, exercise, name, says, think, section=section)


def _exercise(lab: str, name: str, curriculum: Curriculum) -> Exercise | None:
    return exercises(curriculum.labs[lab]).get(name) if lab in curriculum.labs else None


def _labs(records: Sequence[Record], curriculum: Curriculum) -> list[str]:
    there = {record.lab for record in records}
    return [*(name for name in curriculum.labs if name in there), *sorted(there - set(curriculum.labs))]


def _lab(name: str, records: Sequence[Record], curriculum: Curriculum) -> dict[str, Any]:
    everyone = [record for record in records if record.lab == name]
    of_lab = [record for record in everyone if record.is_handed_in]
    rows: dict[str, Counter] = {}
    if name in curriculum.labs:
        rows = {exercise: Counter() for exercise in exercises(curriculum.labs[name])}
    for record in of_lab:
        for graded in record.exercises:
            rows.setdefault(page.short(graded.name), Counter())[page.state(graded)] += 1
    rows = {exercise: row for exercise, row in rows.items() if row}
    hardest = min(rows, key=lambda exercise: rows[exercise]["passed"] / rows[exercise].total(), default="")
    title = (
        f"Hardest: {hardest}, passed by {rows[hardest]['passed']} of {rows[hardest].total()}" if rows else ""
    )
    taught = lesson(curriculum.labs[name]) if name in curriculum.labs else None
    return {
        "name": page.visible(name),
        "title": curriculum.labs[name].title if taught else "A lab that is not installed here",
        "handed_in": len(of_lab),
        "missing": len(everyone) - len(of_lab),
        "figure": figures.shares(rows, page.STATES, title) if rows else "",
        "rows": [
            {
                "exercise": exercise,
                "section": section.title if taught and (section := taught.section_of(exercise)) else "",
                "counts": {state: row.get(state, 0) for state in page.STATES},
                "share": row["passed"] / row.total(),
            }
            for exercise, row in rows.items()
        ],
    }


def _students(records: Sequence[Record], pages: Mapping[str, str]) -> list[dict[str, Any]]:
    by_student: dict[str, list[Record]] = {}
    for record in records:
        by_student.setdefault(record.student, []).append(record)
    return [
        {
            "name": student,
            "page": pages.get(student, ""),
            "got": sum(record.points for record in own),
            "of": sum(record.of_points for record in own),
            "labs": {record.lab: f"{record.points:g} of {record.of_points:g}" for record in own},
            "flags": [flag for record in own for flag in _flags(record)],
        }
        for student, own in sorted(by_student.items())
    ]


def _flags(record: Record) -> list[dict[str, str]]:
    """Return what a teacher should look at in a record, the gravest first."""
    flags = [
        {
            "kind": graded.stopped or "note",
            "where": f"{record.lab}, {graded.name}",
            "says": graded.teacher or graded.note,
        }
        for graded in record.exercises
        if graded.teacher or page.state(graded) == "stopped"
    ]
    unread = [wording.UNREADABLE] if page.is_unread(record) and not record.problems else []
    told = [*record.problems, *unread]
    kind = "problem" if record.is_handed_in else MISSING
    flags += [{"kind": kind, "where": record.lab, "says": sentence} for sentence in told]
    return sorted(flags, key=lambda flag: (flag["kind"] != "tampering", flag["kind"] in ("problem", MISSING)))


def _spread_title(totals: Sequence[float], most: float) -> str:
    return f"The median is {median(totals):g} of {page.points(most)}"


def _bars(found: Sequence[Found]) -> Any:
    if not found or len(found[0].students) == 1:  # bars that are all one high show nothing
        return ""
    shown = found[:MOST_BARS]
    alike = Counter(one.label for one in shown)
    named = {
        one.label if alike[one.label] == 1 else f"{one.label} ({one.lab})": len(one.students) for one in shown
    }
    title = page.short(f"{found[0].diagnosis} in {found[0].exercise}")
    return figures.most_common(named, f"Most common: {title}")


def _discuss(
    found: Sequence[Found], records: Sequence[Record], curriculum: Curriculum
) -> list[dict[str, Any]]:
    """Return what to talk about: exercises with common misconceptions, and the lab's own question on them."""
    handed_in = Counter(record.lab for record in records if record.is_handed_in)
    chosen: dict[tuple[str, str], list[Found]] = {}
    for one in found:
        common = len(one.students) >= max(2, WORTH_DISCUSSING * handed_in[one.lab])
        if common and one.diagnosis not in COMMON and one.lab in curriculum.labs:
            chosen.setdefault((one.lab, one.exercise), []).append(one)
    return [
        {
            "lab": curriculum.labs[lab].title,
            "exercise": exercise,
            "section": own[0].section.title if own[0].section else "",
            "found": own,
            "predictions": own[0].section.predictions if own[0].section else (),
        }
        for (lab, exercise), own in list(chosen.items())[:MOST_TALKS]
    ]
