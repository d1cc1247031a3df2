"""All pages about a class, written from its records: one for each student, and the teacher's report."""

from collections.abc import Callable, Sequence
from pathlib import Path

from labs.kit.course import class_report, feedback_page
from labs.kit.course.records import Record
from labs.kit.curriculum import Curriculum

FEEDBACK = "feedback"


def write(
    out: Path,
    records: Sequence[Record],
    curriculum: Curriculum,
    on_page: Callable[[int, int], None] = lambda done, of: None,
) -> Path:
    """Write `feedback/STUDENT.html`, `report.html` and `misconceptions.csv` into `out`; return the report's path.

    What was there under these names is written anew: the records are what lasts.

    Args:
        out: made if it is not there.
        records: of the whole class; of several by one student for one lab, the last graded counts.
        curriculum: holds the labs that they are of.
        on_page: called after each student's page with how many are done and how many there are.
    """
    by_student: dict[str, list[Record]] = {}
    for record in class_report.latest(records):
        by_student.setdefault(record.student, []).append(record)
    order = {name: place for place, name in enumerate(curriculum.labs)}
    pages = {}
    for done, (student, own) in enumerate(by_student.items(), 1):
        own.sort(key=lambda record: (order.get(record.lab, len(order)), record.lab))
        path = feedback_page.write(out / FEEDBACK, student, own, curriculum)
        pages[student] = f"{FEEDBACK}/{path.name}"
        on_page(done, len(by_student))
    return class_report.write(out, records, curriculum, pages)
