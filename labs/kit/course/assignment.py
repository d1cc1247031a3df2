"""What an instructor hands out, as plain data: labs, points, the due date. `assignment.json` holds it.

The file lies in the students' folder and says nothing that they may not know. Whoever grades uses the instructor's
copy: what comes back with a notebook may have been changed.
"""

import json
import re
import unicodedata
import zipfile
from collections.abc import Iterable
from dataclasses import asdict, dataclass
from datetime import date, datetime, time
from pathlib import Path, PurePosixPath

from labs.kit.course.collected import UNREADABLE
from labs.kit.curriculum import Curriculum, Lab, unknown
from labs.kit.errors import LabsError
from labs.kit.load import exercises
from labs.kit.paths import ASSIGNMENT

FORMAT = 1


@dataclass(frozen=True)
class Part:
    """One exercise of an assignment: its name and the points that it gives."""

    name: str
    points: int


@dataclass(frozen=True)
class Work:
    """One lab of an assignment.

    Attributes:
        name: the lab.
        title: its heading.
        minutes: how long a student works on it.
        notebook: its notebook's path in the students' folder.
        exercises: in the lab's order.
    """

    name: str
    title: str
    minutes: int
    notebook: str
    exercises: tuple[Part, ...]

    @property
    def points(self) -> int:
        """What the whole lab gives."""
        return sum(part.points for part in self.exercises)


@dataclass(frozen=True)
class Assignment:
    """What is handed out.

    Attributes:
        id: a name for folders and grade books.
        title: a name for people.
        labs: in order.
        due: when it must be handed in, in ISO form with the offset from UTC; empty for no date.
        hidden: whether some inputs of each exercise are kept for grading.
        hints: how many hints of each exercise are handed out.
        kit: the version of the students' kit.
    """

    id: str
    title: str
    labs: tuple[Work, ...]
    due: str = ""
    hidden: bool = False
    hints: int = 2
    kit: str = ""

    @property
    def points(self) -> int:
        """What all labs give together."""
        return sum(work.points for work in self.labs)

    def as_json(self) -> str:
        """Return the text of `assignment.json`."""
        return json.dumps({"format": FORMAT, **asdict(self), "points": self.points}, indent=1) + "\n"


def read(path: Path) -> Assignment:
    """Read an `assignment.json`.

    Raises:
        LabsError: there is none, it is something else, or of another format.
    """
    try:
        return _from_json(path.read_text("utf-8"), path)
    except OSError as error:
        raise LabsError(f"{path} cannot be read ({error.strerror}).") from error
    except UnicodeDecodeError as error:
        raise LabsError(f"{path} is no assignment that `labs assign` has written.") from error


def read_all(path: Path) -> list[Assignment]:
    """Read what `labs assign` has written, in whatever form: one assignment, or all of an nbgrader course.

    Args:
        path: an `assignment.json`, a zip, a folder or a course.

    Raises:
        LabsError: there is none, it is something else, or of another format.
    """
    if path.is_dir():
        files = [path / ASSIGNMENT, *sorted(path.glob(f"source/*/{ASSIGNMENT}"))]
        found = [read(file) for file in files if file.is_file()]
    elif zipfile.is_zipfile(path):
        found = [_from_json(text, path) for text in _texts_in_zip(path)]
    else:
        return [read(path)]
    if not found:
        raise LabsError(f"{path} holds no assignment that `labs assign` has written.")
    return found


def _texts_in_zip(path: Path) -> list[str]:
    try:
        with zipfile.ZipFile(path) as packed:
            names = [name for name in packed.namelist() if PurePosixPath(name).match(f"*/{ASSIGNMENT}")]
            return [packed.read(name).decode("utf-8") for name in names if name.count("/") == 1]
    except UNREADABLE as error:
        raise LabsError(f"{path} is no zip that can be read ({error}).") from error


def _from_json(text: str, path: Path) -> Assignment:
    try:
        found = json.loads(text)
        if found["format"] != FORMAT:
            raise LabsError(f"{path} is of another version of the labs: its format is {found['format']}.")
        works = tuple(
            Work(**{**work, "exercises": tuple(Part(**part) for part in work["exercises"])})
            for work in found["labs"]
        )
        rest = {key: found[key] for key in ("id", "title", "due", "hidden", "hints", "kit")}
        return Assignment(labs=works, **rest)
    except (ValueError, KeyError, TypeError) as error:
        raise LabsError(f"{path} is no assignment that `labs assign` has written.") from error


def chosen(curriculum: Curriculum, names: Iterable[str]) -> list[Lab]:
    """Return the labs that `names`, of modules and labs, stand for, each once, in the curriculum's order.

    Raises:
        LabsError: no name is given, or one is unknown.
    """
    modules = {module.name: module.labs for module in curriculum.modules}
    wanted: set[str] = set()
    for name in names:
        name = name.strip("/")
        if name not in modules and name not in curriculum.labs:
            known = [*modules, *curriculum.labs]
            raise LabsError(unknown("module or lab", name, known) + " `labs list` shows them all.")
        wanted.update(modules.get(name, (name,)))
    if not wanted:
        raise LabsError("Name a module or a lab: `labs list` shows them all.")
    return [lab for lab in curriculum.labs.values() if lab.name in wanted]


def title_of(curriculum: Curriculum, labs: list[Lab]) -> str:
    """Return a title for `labs`: the lab's, the module's if it is a whole one, or all titles."""
    names = tuple(lab.name for lab in labs)
    whole = [module.title for module in curriculum.modules if module.labs == names]
    return whole[0] if whole and len(labs) > 1 else "; ".join(lab.title for lab in labs)


def points_of(labs: list[Lab], given: Iterable[str]) -> dict[tuple[str, str], int]:
    """Return the points of every exercise of `labs` by lab and name: the card's, or those `given`.

    Args:
        labs: the labs.
        given: texts such as `prepare=3`, or `keras/sequential:prepare=3` where two labs have a `prepare`.

    Raises:
        LabsError: a text cannot be read, or names no exercise or two.
    """
    found = {(lab.name, name): one.points for lab in labs for name, one in exercises(lab).items()}
    for text in given:
        match = re.fullmatch(r"(?:(?P<lab>[^:=]+):)?(?P<name>\w+)=(?P<points>\d{1,4})", text.strip())
        if not match or not int(match["points"]):
            raise LabsError(
                f"--points {text} cannot be read: write EXERCISE=N with N from 1 to 9999, for example prepare=3."
            )
        places = [key for key in found if key[1] == match["name"] and match["lab"] in (None, key[0])]
        if not places:
            names = [name for _, name in found]
            raise LabsError(f"--points {text}: {unknown('exercise', match['name'], names)}")
        if len(places) > 1:
            ways = " or ".join(f"{lab}:{name}={match['points']}" for lab, name in places)
            raise LabsError(f"--points {text}: several labs have such an exercise; write {ways}.")
        found[places[0]] = int(match["points"])
    return found


def due_date(text: str) -> datetime:
    """Return a date in ISO form as a moment with a time zone.

    A date alone means its last minute; without an offset from UTC, this machine's time zone is meant.

    Raises:
        LabsError: it is no such date.
    """
    try:
        if re.fullmatch(r"\d{4}-\d\d-\d\d", text):
            moment = datetime.combine(date.fromisoformat(text), time(23, 59))
        elif re.fullmatch(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d)?(Z|[+-]\d\d:\d\d)?", text):
            moment = datetime.fromisoformat(text)
        else:
            raise ValueError
    except ValueError:
        raise LabsError(
            f"--due {text} is no date: write 2026-12-01, 2026-12-01T18:00 or 2026-12-01T18:00+01:00."
        ) from None
    return moment if moment.tzinfo else moment.astimezone()


def shown(moment: datetime) -> str:
    """Return a moment in words, with its offset from UTC: names of months and days do not depend on the machine."""
    days = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
    months = (
        *("January", "February", "March", "April", "May", "June"),
        *("July", "August", "September", "October", "November", "December"),
    )
    offset = moment.strftime("%z") or "+0000"
    zone = "UTC" if offset == "+0000" else f"UTC{offset[:3]}:{offset[3:5]}"
    return f"{days[moment.weekday()]}, {moment.day} {months[moment.month - 1]} {moment.year}, {moment:%H:%M} ({zone})"


def slug(text: str) -> str:
    """Return `text` as a name for folders and grade books: small letters of any script, digits and hyphens."""
    plain = unicodedata.normalize("NFKC", text).lower()
    return re.sub(r"[\W_]+", "-", plain).strip("-")[:60].strip("-") or "assignment"
