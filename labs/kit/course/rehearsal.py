"""An invented class, to try the week with: submissions whose points are known because of how they are made.

Each student has a chance of their own to get an exercise right; what is wrong comes from the mistakes that the
lab's `answers.py` lists, some far more often than others, as in a real class.
"""

import csv
import io
import json
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np

from labs.kit import reference
from labs.kit.answers import PASSED
from labs.kit.command.workspace import built
from labs.kit.course.answer_source import Written, written
from labs.kit.curriculum import Lab, load
from labs.kit.errors import LabsError
from labs.kit.exercise import Exercise
from labs.kit.load import exercises

BLANK = "blank"
EXPECTED = "expected.csv"
SUBMITTED = "submitted"
_MARKERS = ("### BEGIN SOLUTION", "### END SOLUTION")


@dataclass(frozen=True)
class Handed:
    """What one student handed in for one exercise, and what it must receive.

    Attributes:
        student, lab, exercise: who and where.
        answer: the answer's name in `answers.py`, `reference` or `blank`.
        expected: `passed`, `blank`, or the name of the diagnosis.
        points, of_points: what it is worth, and what the exercise is worth.
    """

    student: str
    lab: str
    exercise: str
    answer: str
    expected: str
    points: int
    of_points: int


def command(names: Sequence[str], out: Path, students: int, seed: int) -> int:
    """Write an invented class, say what to do with it, and return the exit status.

    Raises:
        LabsError: there is no such lab, or `out` cannot be written.
    """
    curriculum = load()
    labs = [curriculum.lab(name) for name in dict.fromkeys(names)]
    handed = write(out, labs, students, seed)
    counted = Counter(entry.expected for entry in handed)
    right, blank = counted[PASSED], counted[BLANK]
    print(
        f"{out / SUBMITTED} holds {students} students' notebooks of {', '.join(lab.name for lab in labs)}: "
        f"{right} answers right, {len(handed) - right - blank} wrong, {blank} blank. "
        f"{out / EXPECTED} says what each must get.\n"
        f"Next: labs grade {out / SUBMITTED} --out {out / 'graded'}"
    )
    return 0


def write(folder: Path, labs: Sequence[Lab], students: int, seed: int) -> list[Handed]:
    """Write `submitted/STUDENT/LAB.ipynb` for an invented class, and `expected.csv` with what each must receive.

    Args:
        folder: made if it is not there; must be empty.
        labs: each student hands in a notebook for each.
        students: how many there are.
        seed: the same seed makes the same class.

    Returns:
        one entry for each student, lab and exercise.

    Raises:
        LabsError: the folder has something in it already, a lab is not built, or a file cannot be written.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise LabsError(f"{folder} has something in it already: name a folder that is new or empty.")
    handed = []
    try:
        for student, lab, notebook, entries in invent(labs, students, seed):
            path = folder / SUBMITTED / student / f"{lab.name.replace('/', '-')}.ipynb"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(json.dumps(notebook, ensure_ascii=False, indent=1) + "\n", "utf-8")
            handed += entries
        (folder / EXPECTED).write_bytes(as_csv(handed).encode("utf-8"))
    except OSError as error:
        raise LabsError(f"{folder} cannot be written ({error.strerror}).") from error
    return handed


def invent(labs: Sequence[Lab], students: int, seed: int) -> Iterator[tuple[str, Lab, dict, list[Handed]]]:
    """Yield, student by student and lab by lab, the notebook handed in and what it must receive."""
    rng = np.random.default_rng(seed)
    width = max(2, len(str(students)))
    choices = {lab.name: _choices(lab, rng) for lab in labs}
    for number in range(1, students + 1):
        student = f"student-{number:0{width}}"
        ability = rng.beta(4, 2)
        for lab in labs:
            yield (student, lab, *_handed_in(student, lab, choices[lab.name], ability, rng))


@dataclass(frozen=True)
class _Choices:
    """What can be handed in for one exercise: right answers, wrong ones and how often each is given."""

    exercise: Exercise
    rights: tuple[Written, ...]
    wrongs: tuple[Written, ...]
    weights: np.ndarray


def _choices(lab: Lab, rng: np.random.Generator) -> list[_Choices]:
    found = []
    for name, exercise in exercises(lab).items():
        own = [answer for answer in written(lab) if answer.exercise == name]
        wrongs = tuple(answer for answer in own if not answer.is_right)
        rights = (_reference(lab, name), *(answer for answer in own if answer.is_right))
        weights = rng.permutation(1 / np.arange(1, len(wrongs) + 1))
        found.append(_Choices(exercise, rights, wrongs, weights / weights.sum()))
    return found


def _reference(lab: Lab, name: str) -> Written:
    lines = reference.source(lab, name).splitlines()
    text = "\n".join(line for line in lines if line.strip() not in _MARKERS)
    return Written(name, "reference", PASSED, text, text)


def _handed_in(
    student: str, lab: Lab, choices: Sequence[_Choices], ability: float, rng: np.random.Generator
) -> tuple[dict, list[Handed]]:
    notebook = json.loads(built(lab).read_text("utf-8"))
    entries, sources = [], {}
    # Some do not get to the end of the lab.
    last = len(choices) if rng.random() < 0.5 + ability / 2 else int(rng.integers(0, len(choices)))
    for place, one in enumerate(choices):
        given = _answer(one, ability, rng) if place < last else None
        exercise = one.exercise
        if given:
            sources[f"exercise-{exercise.name}"] = given.source
        name, expected = (given.name, given.expected) if given else (BLANK, BLANK)
        got = exercise.points if expected == PASSED else 0
        entries.append(Handed(student, lab.name, exercise.name, name, expected, got, exercise.points))
    for cell in notebook["cells"]:
        if cell["id"] in sources:
            cell["source"] = sources[cell["id"]].rstrip("\n").splitlines(keepends=True)
    return notebook, entries


def _answer(one: _Choices, ability: float, rng: np.random.Generator) -> Written | None:
    """Return a right answer, a wrong one or none; harder exercises are got right less often."""
    harder = {"easy": 0.1, "medium": 0.0, "hard": -0.15}[one.exercise.difficulty]
    luck = rng.random()
    right, wrong = rng.integers(len(one.rights)), rng.choice(len(one.wrongs), p=one.weights)
    if luck < ability + harder:
        return one.rights[right]
    return one.wrongs[wrong] if rng.random() < 0.8 else None


def as_csv(handed: Sequence[Handed]) -> str:
    """Return the class as a table, one line for each student, lab and exercise."""
    text = io.StringIO()
    table = csv.writer(text)
    table.writerow(Handed.__dataclass_fields__)
    table.writerows(vars(entry).values() for entry in handed)
    return text.getvalue()
