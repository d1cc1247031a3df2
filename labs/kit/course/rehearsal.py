"""An invented class, to try the week with: submissions whose points are known because of how they are made.

Each student has a chance of their own to get an exercise right; what is wrong comes from the mistakes that the
lab's `answers.py` lists, some far more often than others, as in a real class.
"""

import copy
import csv
import io
import json
import tempfile
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

import numpy as np

from labs.kit import paths, reference
from labs.kit.answers import PASSED
from labs.kit.command.workspace import built
from labs.kit.course import assignment
from labs.kit.course.answer_source import Written, written
from labs.kit.course.collected import SUBMITTED
from labs.kit.course.wording import count
from labs.kit.course.writing import in_one_piece, refuse_taken, writing
from labs.kit.curriculum import Curriculum, Lab, load
from labs.kit.errors import LabsError
from labs.kit.exercise import Exercise
from labs.kit.load import exercises

BLANK = "blank"
CHEAP = "foundations/tensors"
"""The lab that a class hands in if none is named: it grades fast."""
EXPECTED = "expected.csv"
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

    Args:
        names: modules and labs; none for those of an nbgrader course.
        out: a new folder; or an nbgrader course that `labs assign` wrote, whose `submitted` is filled then.
        students: how many there are.
        seed: the same seed makes the same class.

    Raises:
        LabsError: there is no such lab, or `out` cannot be written.
    """
    curriculum = load()
    with writing(out):
        in_course = (out / "release").is_dir()
    if in_course and names:
        raise LabsError(f"{out} is a course: its labs are handed in, so name none.")
    if in_course:
        handed = into_course(out, curriculum, students, seed)
    else:
        labs = assignment.chosen(curriculum, names or [CHEAP])
        handed = write(out, labs, students, seed)
    counted = Counter(entry.expected for entry in handed)
    right, blank = counted[PASSED], counted[BLANK]
    print(
        f"{out / SUBMITTED} holds the notebooks of {count(students, 'student')} "
        f"({', '.join(dict.fromkeys(entry.lab for entry in handed))}): {count(right, 'answer')} right, "
        f"{len(handed) - right - blank} wrong, {blank} blank. {out / EXPECTED} says what each must get.\n"
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
    refuse_taken(folder, is_file=False)
    given = [Given(lab, Path(f"{lab.name.replace('/', '-')}.ipynb"), _read(built(lab))) for lab in labs]
    with in_one_piece(folder) as place:
        return _write(place, given, students, seed)


def into_course(course: Path, curriculum: Curriculum, students: int, seed: int) -> list[Handed]:
    """Fill `submitted` of an nbgrader course that `labs assign` wrote; see `write`.

    Raises:
        LabsError: somebody has handed in already, or nothing of the labs is released.
    """
    for taken in (course / SUBMITTED, course / EXPECTED):
        with writing(taken):
            if taken.is_file() or any(taken.glob("*")):
                raise LabsError(f"{taken} is there already: rehearse with a course of its own.")
    given = []
    for path in sorted((course / "release").glob(f"*/{paths.ASSIGNMENT}")):
        for work in assignment.read(path).labs:
            points = {part.name: part.points for part in work.exercises}
            place = Path(path.parent.name, work.notebook)
            given.append(Given(curriculum.lab(work.name), place, _read(path.parent / work.notebook), points))
    if not given:
        raise LabsError(f"{course / 'release'} holds no assignment that `labs assign` wrote.")
    with writing(course), tempfile.TemporaryDirectory(prefix=".labs-", dir=course) as beside:
        handed = _write(Path(beside), given, students, seed)
        if (course / SUBMITTED).is_dir():
            (course / SUBMITTED).rmdir()  # it is empty
        for name in (SUBMITTED, EXPECTED):
            Path(beside, name).rename(course / name)
    return handed


@dataclass(frozen=True)
class Given:
    """One notebook as it was handed out.

    Attributes:
        lab: the lab.
        place: where in a student's folder it is handed in.
        notebook: with its blanks.
        points: exercise to points, where they are not the lab's own.
    """

    lab: Lab
    place: Path
    notebook: dict
    points: Mapping[str, int] = field(default_factory=dict)


def _read(path: Path) -> dict:
    try:
        return json.loads(path.read_text("utf-8"))
    except (OSError, ValueError) as error:
        raise LabsError(f"{path} cannot be read: {error}.") from error


def _write(folder: Path, given: Sequence[Given], students: int, seed: int) -> list[Handed]:
    handed = []
    for student, place, notebook, entries in invent(given, students, seed):
        path = folder / SUBMITTED / student / place
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(json.dumps(notebook, ensure_ascii=False, indent=1) + "\n", "utf-8")
        handed += entries
    (folder / EXPECTED).write_bytes(as_csv(handed).encode("utf-8"))
    return handed


def invent(
    given: Sequence[Given], students: int, seed: int
) -> Iterator[tuple[str, Path, dict, list[Handed]]]:
    """Yield, student by student and notebook by notebook, what is handed in, where, and what it must receive."""
    rng = np.random.default_rng(seed)
    width = max(2, len(str(students)))
    choices = [_choices(one.lab, rng) for one in given]
    for number in range(1, students + 1):
        student = f"student-{number:0{width}}"
        ability = rng.beta(4, 2)
        for one, choice in zip(given, choices, strict=True):
            yield (student, one.place, *_handed_in(student, one, choice, ability, rng))


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
    student: str, given: Given, choices: Sequence[_Choices], ability: float, rng: np.random.Generator
) -> tuple[dict, list[Handed]]:
    notebook = copy.deepcopy(given.notebook)
    entries, sources = [], {}
    # Some do not get to the end of the lab.
    last = len(choices) if rng.random() < 0.5 + ability / 2 else int(rng.integers(0, len(choices)))
    for place, one in enumerate(choices):
        answer = _answer(one, ability, rng) if place < last else None
        exercise = one.exercise
        if answer:
            sources[f"exercise-{exercise.name}"] = answer.source
        name, expected = (answer.name, answer.expected) if answer else (BLANK, BLANK)
        of = given.points.get(exercise.name, exercise.points)
        got = of if expected == PASSED else 0
        entries.append(Handed(student, given.lab.name, exercise.name, name, expected, got, of))
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
