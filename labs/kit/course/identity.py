"""Tell whose a file is: from the names that Moodle and Canvas give, and from the folder that it lies in."""

import posixpath
import re
from collections import defaultdict
from collections.abc import Iterable
from pathlib import Path, PurePosixPath

from labs.kit.course.found import ARCHIVE, NOTEBOOK, Found, clean
from labs.kit.curriculum import Curriculum

_WRAPPERS = {"submitted", "submissions"}
_MOODLE = re.compile(
    r"^(?P<name>.+)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)_?(?P<rest>.*)$", re.DOTALL
)
_CANVAS = re.compile(r"^(?P<name>[^_]+)_(?:LATE_)?(?P<id>\d+)_(?P<submission>\d+)_(?P<rest>.+)$", re.DOTALL)
_MARKS = re.compile(
    r"([\W_]*(copy|copie|kopie|copia|of|final|old|new|backup|draft|version|v|(?<!\d)[1-9]\d?(?!\d)))*[\W_]*"
)
"""What stands in a file's name beside that of its lab where somebody, or a program, made another version of it."""


def own_name(name: str) -> str:
    """Return a file's name without what Moodle or Canvas put before it."""
    found = _MOODLE.match(name) or _CANVAS.match(name)
    return found["rest"] or name if found else name


def lab_names(lab: str) -> tuple[str, str]:
    """Return what a lab's notebook is called, without its ending."""
    return lab.split("/")[1], lab.replace("/", "-")


def tell(found: list[Found], path: Path, curriculum: Curriculum) -> None:
    """Say of each of the files in `path` who handed it in; the labs of notebooks must be known.

    Folders around all that was handed in are taken out of the files' own paths.
    """
    theirs = [one for one in found if not one.is_nobodys]
    for one in theirs:
        while len(one.raw.parts) > 1 and one.raw.parts[0] in _WRAPPERS:
            one.raw = _below(one.raw)
    without = _tell_by_numbers(theirs)
    if len(without) == len(theirs):
        if _is_one_students(theirs, curriculum):
            own = path.resolve().name if path.is_dir() else path.stem
            for one in theirs:
                one.student, one.raw = own, PurePosixPath(own) / one.raw
            without = []
        _unwrap(without)
    for one in without:
        top = one.raw.parts[0]
        alone = ARCHIVE.sub("", NOTEBOOK.sub("", top)).removesuffix(".tar")
        one.student = top if len(one.raw.parts) > 1 else alone
    _tell_apart(theirs)


def _below(path: PurePosixPath) -> PurePosixPath:
    return PurePosixPath(*path.parts[1:])


def _tell_by_numbers(found: list[Found]) -> list[Found]:
    """Name the students that Moodle and Canvas gave numbers; return the files of which they say nothing."""
    canvas = _of_canvas(found)
    around: set[tuple[str, ...]] = set()
    without = []
    for one in found:
        parts = one.raw.parts
        for number, part in enumerate(parts):
            system, told = "moodle", _MOODLE.match(part)
            if not told and (parts[:number], part) in canvas:
                system, told = "canvas", _CANVAS.match(part)
            if told:
                around.add(parts[:number])
                one.student, one.ids = told["name"], {system: told["id"]}
                one.raw = PurePosixPath(*parts[number:])
                if number == len(parts) - 1 and one.name:
                    one.name = clean(told["rest"]) or one.name
                break
        else:
            without.append(one)
    for one in without:
        # What lies beside the folders of Moodle or the files of Canvas was collected with them.
        most = max((len(top) for top in around if one.raw.parts[: len(top)] == top), default=0)
        if most < len(one.raw.parts):
            one.raw = PurePosixPath(*one.raw.parts[most:])
    return without


def _of_canvas(found: list[Found]) -> set[tuple[tuple[str, ...], str]]:
    """Return the names that Canvas gave, each with the folder it lies in: others' may look the same.

    Canvas gives each student one number, and for each assignment another one to what the student submits.
    """
    folders: dict[tuple[str, ...], list[tuple[re.Match, Found]]] = defaultdict(list)
    for one in found:
        for number, part in enumerate(one.raw.parts):
            if match := _CANVAS.match(part):
                folders[one.raw.parts[:number]].append((match, one))
    believed = set()
    lot = [str(one.raw) for one in found if not one.is_stray]
    around_all = PurePosixPath(posixpath.commonpath(lot) if lot else "").parts
    for folder, matches in folders.items():
        students = _students_of_canvas(matches)
        # Deep in the folder of one student, a name by itself proves nothing.
        if len(students) > 1 or around_all[: len(folder)] == folder:
            believed |= {
                (folder, match.string) for match, _ in matches if (match["name"], match["id"]) in students
            }
    return believed


def _students_of_canvas(matches: list[tuple[re.Match, Found]]) -> set[tuple[str, str]]:
    """Return the students, as name and number, that Canvas can have named in one folder."""
    of_submission, of_number = defaultdict(set), defaultdict(set)
    labs = defaultdict(lambda: defaultdict(set))
    names = defaultdict(set)
    for match, one in matches:
        student = match["name"], match["id"]
        of_submission[match["submission"]].add(student)
        of_number[match["id"]].add(student)
        labs[student][match["submission"]].add(one.lab)
        names[student].add((match["rest"], one.lab))
    students = {
        student
        for student in labs
        if len(of_number[student[1]]) == 1
        and all(len(of_submission[submission]) == 1 for submission in labs[student])
        and _are_apart(labs[student].values())
    }
    several = {student for student in students if len(_people(names[student])) > 1}
    # One who hands in odd versions of a notebook is one; where most do, these are people.
    return students - several if 2 * len(several) > len(students) else students


def _are_apart(labs: Iterable[set[str]]) -> bool:
    """Whether submissions are for different assignments, as one student's are, in none of which a lab is again."""
    labs = list(labs)
    different = set().union(*labs)
    return len(labs) == 1 or ("" not in different and sum(map(len, labs)) == len(different))


def _is_one_students(found: list[Found], curriculum: Curriculum) -> bool:
    """Whether all is of one student: a lab's notebook has the place and the name that it was handed out with."""
    books = [one for one in found if one.is_notebook and not one.is_spare]
    modules = {module.name for module in curriculum.modules}
    names = {name for lab in curriculum.labs for name in lab_names(lab)}
    places = {NOTEBOOK.sub("", one.raw.as_posix()) for one in books}
    return bool(places & (names | set(curriculum.labs))) and all(
        place in names or place.split("/")[0] in modules for place in places
    )


def _unwrap(found: list[Found]) -> None:
    """Take folders off that lie around what several students handed in."""
    around: tuple[str, ...] = ()
    while True:
        lot = [one for one in found if not _is_beside(one, around)]
        tops = {one.raw.parts[: len(around) + 1] for one in lot}
        if len(tops) != 1 or any(len(one.raw.parts) == len(around) + 1 for one in lot):
            return
        around = tops.pop()
        below = {one.raw.relative_to(*around).as_posix(): one for one in lot}
        books = [(path, one.lab) for path, one in below.items() if one.is_notebook and not one.is_spare]
        if len(_people(books)) > 1:
            for one in found:
                is_in = one.raw.parts[: len(around)] == around
                one.raw = one.raw.relative_to(*around) if is_in else PurePosixPath(one.raw.name)
            return


def _is_beside(one: Found, folder: tuple[str, ...]) -> bool:
    """Whether it lies in `folder` itself or in one around it, and nothing says that it is anybody's."""
    depth = len(one.raw.parts)
    return depth <= len(folder) + 1 and bool(one.name) and not (one.is_notebook or one.is_archive)


def _people(books: Iterable[tuple[str, str]]) -> set[str]:
    """Return the most folders and names, of notebooks' paths with their labs, that can be people for the same lab."""
    people: dict[str, set[str]] = defaultdict(set)
    for path, lab in books:
        top, *deeper = path.split("/")
        if lab and (deeper or not _is_version(NOTEBOOK.sub("", top), lab)):
            people[lab].add(top if deeper else NOTEBOOK.sub("", top))
    return max(people.values(), key=len, default=set())


def _is_version(stem: str, lab: str) -> bool:
    """Whether a name is that of a lab with no more than what tells one version from another."""
    stem = stem.lower()
    name = next((name for name in reversed(lab_names(lab)) if name in stem), None)
    return name is not None and bool(_MARKS.fullmatch(stem.replace(name, " ", 1)))


def _tell_apart(found: list[Found]) -> None:
    """Give students names that can be shown, and that are as many as there are students.

    Who has the same name and another number of Moodle or Canvas gets that number behind it.
    """
    numbers: dict[str, set[str]] = defaultdict(set)
    for one in found:
        numbers[one.student].update(one.ids.values())
    keys = [
        (one.student, ", ".join(one.ids.values()) if len(numbers[one.student]) > 1 else "") for one in found
    ]
    shown: dict[tuple[str, str], str] = {}
    taken: set[str] = set()
    for raw, number in sorted(set(keys)):
        name = _person(raw) + (f" ({number})" if number else "")
        free = next(
            free for free in (name, *(f"{name} ({n})" for n in range(2, len(keys) + 2))) if free not in taken
        )
        shown[raw, number] = free
        taken.add(free)
    for one, key in zip(found, keys, strict=True):
        one.student = shown[key]


def _person(name: str) -> str:
    """Return a name on one line, of a length that file systems and pages can take."""
    return " ".join(clean(name).split())[:120].strip() or "unknown"
