"""Find the notebooks in what was handed in: a folder, a zip, a Moodle or Canvas download, an nbgrader course.

Nothing is unpacked to disk and no link is followed, so that a file's name can point nowhere.
"""

import os
import re
import stat
import zipfile
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path, PurePosixPath

from labs.kit.course import notebook
from labs.kit.course.records import Options, Task
from labs.kit.curriculum import Curriculum
from labs.kit.errors import LabsError

LARGEST_ZIP, ALL_FROM_ONE_ZIP, MOST_FILES, DEPTH = 4 << 30, 2 << 30, 100_000, 2
_PASSED_OVER = {"__MACOSX", "Thumbs.db", "desktop.ini"}
_WRAPPERS = {"submitted", "submissions"}
_MOODLE = re.compile(r"^(?P<name>.+)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)_?(?P<rest>.*)$")
_CANVAS = re.compile(r"^(?P<name>[^_]+)_(?:LATE_)?(?P<id>\d+)_(?P<submission>\d+)_(?P<rest>.+)$")


@dataclass
class Found:
    """A file that someone handed in.

    Attributes:
        student: who.
        place: where it was found, for people.
        name: its own name.
        data: its bytes; None where it was not read.
        problem: why it was not read.
        changed: when it was last changed, to tell older from newer.
        ids: what a learning management system calls the student.
    """

    student: str
    place: str
    name: str
    data: bytes | None = None
    problem: str = ""
    changed: float = 0.0
    ids: dict[str, str] = field(default_factory=dict)


def tasks(
    path: Path, curriculum: Curriculum, options: Options, lab: str | None = None
) -> tuple[list[Task], list[str]]:
    """Return a task for each student and lab, and sentences on what could be made nothing of.

    Args:
        path: a folder, a zip or a notebook.
        curriculum: the labs there are.
        options: how to grade.
        lab: the lab of notebooks that do not name one.

    Raises:
        LabsError: there is nothing at `path`, or nothing in it.
    """
    if lab is not None:
        curriculum.lab(lab)
    read, problems, empty = [], [], []
    modules = {module.name for module in curriculum.modules}
    for one in files(path):
        if one.student in modules:  # one student's own folder
            one.student = path.stem
        if not one.student:
            problems.append(f"{one.place}: {one.problem}")
        elif one.name.endswith(".ipynb"):
            read.append((one, _read(one)))
        else:
            problems += [f"{one.place}: {one.problem}"] if one.problem else []
            empty.append(one)
    if not (read or empty or problems):
        raise LabsError(f"{path} holds no file that anybody has handed in.")
    labs = [_lab(one, book, curriculum, lab) for one, book in read]
    only = {name for name in labs if name}
    single = lab or (next(iter(only)) if len(only) == 1 else "")
    chosen: dict[tuple[str, str], list[tuple[Found, notebook.Notebook]]] = {}
    for (one, book), name in zip(read, labs, strict=True):
        if name or single:
            chosen.setdefault((one.student, name or single), []).append((one, book))
        else:
            problems.append(f"{one.place}: it does not say which lab it is of; name it with `--lab`.")
    with_notebook = {student for student, _ in chosen} | {one.student for one, _ in read}
    for one in empty:
        if single and one.student not in with_notebook and (one.student, single) not in chosen:
            book = notebook.Notebook("", problems=[one.problem or f"{one.name} is no notebook."])
            chosen[one.student, single] = [(one, book)]
    made = [_task(student, name, books, options) for (student, name), books in chosen.items()]
    if not made and not problems:
        raise LabsError(f"There is no notebook in {path}.")
    return sorted(made, key=lambda task: (task.student.casefold(), task.student, task.lab)), problems


def _read(one: Found) -> notebook.Notebook:
    if one.data is None:
        return notebook.Notebook("", problems=[one.problem])
    book = notebook.read(one.data)
    one.data = None  # a class's notebooks need not be in memory at once
    return book


def _lab(one: Found, book: notebook.Notebook, curriculum: Curriculum, lab: str | None) -> str:
    """Return the lab that a notebook is of: as it says itself, as was asked for, or as its name says."""
    if book.lab in curriculum.labs:
        return book.lab
    if lab:
        return lab
    stem = one.name.removesuffix(".ipynb").lower()
    same = [name for name in curriculum.labs if stem in (name.split("/")[1], name.replace("/", "-"))]
    return same[0] if len(same) == 1 else ""


def _task(student: str, lab: str, books: list[tuple[Found, notebook.Notebook]], options: Options) -> Task:
    """Make one task of all notebooks of a student for a lab: the readable one with the lab's name, or the newest."""
    own_names = (lab.split("/")[1] + ".ipynb", lab.replace("/", "-") + ".ipynb")
    best = max(books, key=lambda b: (bool(b[1].cells), b[0].name in own_names, b[0].changed, b[0].place))
    one, book = best
    problems = list(book.problems)
    if len(books) > 1:
        problems.append(f"{len(books)} notebooks of this lab were handed in; {one.place} was graded.")
    return Task(
        student=student,
        lab=lab,
        file=one.place,
        sha256=book.sha256,
        options=options,
        cells=book.cells,
        problems=tuple(problems),
        ids=one.ids,
    )


def files(path: Path) -> Iterator[Found]:
    """Yield every file in `path`, with who handed it in.

    Raises:
        LabsError: there is nothing at `path`, or it is no folder, zip or notebook.
    """
    if path.is_dir():
        if (path / "nbgrader_config.py").is_file() and (path / "submitted").is_dir():
            path = path / "submitted"
        yield from _in_folder(path)
    elif path.suffix.lower() == ".zip" and path.is_file():
        yield from _in_zip(path, PurePosixPath(), path.stem, 0)
    elif path.is_file():
        yield _with_data(_named(PurePosixPath(path.name), str(path)), path)
    else:
        raise LabsError(f"There is nothing at {path}: give a folder, a zip, or a notebook.")


def _in_folder(root: Path) -> Iterator[Found]:
    count = 0
    for folder, inner, names in os.walk(root):
        for name in sorted(inner):
            if os.path.islink(os.path.join(folder, name)):
                yield _refused(
                    root, Path(folder, name), "It is a link to another folder, which is not followed."
                )
        inner[:] = sorted(one for one in inner if not _is_passed_over(one))
        for name in sorted(one for one in names if not _is_passed_over(one)):
            count += 1
            if count > MOST_FILES:
                raise LabsError(f"{root} holds more than {MOST_FILES:,} files: is it the right folder?")
            path = Path(folder, name)
            inside = PurePosixPath(path.relative_to(root).as_posix())
            if name.lower().endswith(".zip") and not path.is_symlink():
                yield from _in_zip(path, inside, "", 1)
            else:
                yield _with_data(_named(inside, str(path)), path)


def _refused(root: Path, path: Path, why: str) -> Found:
    found = _named(PurePosixPath(path.relative_to(root).as_posix()), str(path))
    found.problem = why
    return found


def _with_data(found: Found, path: Path) -> Found:
    """Read a file, if it is one."""
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        found.problem = (
            "It is a link to another file, which is not followed."
            if path.is_symlink()
            else f"It cannot be read ({error.strerror})."
        )
        return found
    with open(handle, "rb") as stream:
        about = os.fstat(handle)
        found.changed = about.st_mtime
        if not stat.S_ISREG(about.st_mode):
            found.problem = "It is no ordinary file."
        elif not found.name.endswith(".ipynb"):
            found.data = b""
        elif about.st_size > notebook.LARGEST:
            found.problem = notebook.too_large(about.st_size)
        else:
            found.data = stream.read(notebook.LARGEST + 1)
    return found


def _in_zip(source: Path | bytes, place: PurePosixPath, stem: str, depth: int) -> Iterator[Found]:
    """Yield the files of a zip; `place` is where it lies, `stem` a folder around all whose name means nothing."""
    shown = str(source) if isinstance(source, Path) else str(place)
    try:
        with zipfile.ZipFile(source if isinstance(source, Path) else BytesIO(source)) as archive:
            yield from _members(archive, place, shown, stem, depth)
    except (zipfile.BadZipFile, OSError, NotImplementedError, RuntimeError, ValueError, EOFError) as error:
        if depth == 0:
            raise LabsError(f"{shown} is no zip that can be read ({error}).") from error
        found = _named(place, shown)
        found.problem = f"The zip cannot be read ({str(error)[:100]})."
        yield found


def _members(
    archive: zipfile.ZipFile, place: PurePosixPath, shown: str, stem: str, depth: int
) -> Iterator[Found]:
    left = LARGEST_ZIP if depth == 0 else ALL_FROM_ONE_ZIP
    entries = archive.infolist()
    if len(entries) > MOST_FILES:
        raise ValueError(f"it holds more than {MOST_FILES:,} files")
    for entry in entries:
        path = PurePosixPath(entry.filename.replace("\\", "/"))
        if entry.is_dir() or any(_is_passed_over(part) for part in path.parts):
            continue
        where = (
            path.relative_to(path.parts[0])
            if stem and path.parts[0] == stem and len(path.parts) > 1
            else path
        )
        inside = PurePosixPath(*(part for part in where.parts if part not in ("/", "..")))
        inner = place.with_suffix("") / inside if depth else inside
        found = _named(inner, f"{shown}: {entry.filename[:200]}")
        found.changed = _moment(entry)
        if path.is_absolute() or ".." in path.parts or re.match(r"^[A-Za-z]:", entry.filename):
            found.problem = "Its name in the zip leads out of the zip; it was not read."
            found.student = found.student if depth else ""
        elif stat.S_ISLNK(entry.external_attr >> 16):
            found.problem = "It is a link to another file, which is not followed."
        elif entry.flag_bits & 1:
            found.problem = "It is locked with a password."
        elif found.name.lower().endswith(".zip"):
            if depth < DEPTH:
                data = _unpacked(archive, entry, 4 * notebook.LARGEST)
                if data is None:
                    found.problem = "The zip is too large."
                else:
                    left -= len(data)
                    yield from _in_zip(data, inner, "", depth + 1)
                    continue
            else:
                found.problem = "A zip in a zip in a zip is not opened."
        elif not found.name.endswith(".ipynb"):
            found.data = b""
        else:
            found.data = _unpacked(archive, entry, notebook.LARGEST)
            if found.data is None:
                found.problem = notebook.too_large(entry.file_size)
        left -= len(found.data or b"")
        if left < 0:
            raise ValueError("it unpacks to more than anybody would hand in")
        yield found


def _unpacked(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, most: int) -> bytes | None:
    """Return a member's bytes, or None where there are more than `most`, whatever its header says."""
    with archive.open(entry) as stream:
        data = stream.read(most + 1)
    return None if len(data) > most else data


def _moment(entry: zipfile.ZipInfo) -> float:
    year, month, day, hour, minute, second = entry.date_time
    return float(f"{year:04}{month:02}{day:02}{hour:02}{minute:02}{second:02}")


def _is_passed_over(name: str) -> bool:
    return name in _PASSED_OVER or (name.startswith(".") and name not in (".", ".."))


def _named(inside: PurePosixPath, place: str) -> Found:
    """Return who handed in a file, as its path says in what was collected."""
    parts = list(inside.parts) or ["unknown"]
    while len(parts) > 1 and parts[0] in _WRAPPERS:
        parts = parts[1:]
    for number, part in enumerate(parts):
        moodle = _MOODLE.match(part)
        if moodle:
            name = parts[-1] if number < len(parts) - 1 else moodle["rest"] or part
            return Found(_person(moodle["name"]), place, name, ids={"moodle": moodle["id"]})
    canvas = _CANVAS.match(parts[0])
    if canvas:
        name = parts[-1] if len(parts) > 1 else canvas["rest"]
        return Found(_person(canvas["name"]), place, name, ids={"canvas": canvas["id"]})
    student = parts[0] if len(parts) > 1 else PurePosixPath(parts[0]).stem
    return Found(_person(student), place, parts[-1])


def _person(name: str) -> str:
    """Return a name on one line, of a length that file systems and pages can take."""
    shown = "".join(sign if sign.isprintable() else " " for sign in name)
    return " ".join(shown.split())[:120].encode("utf-8", "replace").decode("utf-8") or "unknown"
