"""Walk over what was collected: folders, zips, zips in zips, the names that Moodle and Canvas give.

Nothing is unpacked to disk and no link is followed, so that a file's name can point nowhere.
"""

import os
import re
import stat
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from io import BytesIO
from pathlib import Path, PurePosixPath

from labs.kit.course import notebook
from labs.kit.course.results import STATE
from labs.kit.errors import LabsError

LARGEST_ZIP, ALL_FROM_ONE_ZIP, MOST_FILES, DEPTH = 4 << 30, 2 << 30, 100_000, 2
UNREADABLE = (zipfile.BadZipFile, zlib.error, OSError, RuntimeError, ValueError, EOFError)
"""What reading a zip raises that is damaged, locked or made in a way that Python does not know."""
_PASSED_OVER = {"__MACOSX", "Thumbs.db", "desktop.ini", "__pycache__", "node_modules", "site-packages"}
_WRAPPERS = {"submitted", "submissions"}
_OF_NBGRADER = ("nbgrader_config.py", "source", "release")
_SPARE = ("material", "notebooks", "learn")
"""Where an assignment keeps the notebooks to begin anew from: nobody has worked on those."""
_NOTEBOOK = re.compile(r"\.ipynb(\.(txt|json))?$", re.I)
"""Browsers and mail programs add a second ending to what they do not know."""
_ARCHIVE = re.compile(r"\.(zip|rar|7z|tar|tgz|gz|bz2|xz)$", re.I)
_MOODLE = re.compile(r"^(?P<name>.+)_(?P<id>\d+)_assignsubmission_(?:file|onlinetext)_?(?P<rest>.*)$")
_CANVAS = re.compile(r"^(?P<name>[^_]+)_(?:LATE_)?(?P<id>\d+)_(?P<submission>\d+)_(?P<rest>.+)$")


@dataclass
class Found:
    """A file that someone handed in.

    Attributes:
        student: who.
        place: where it was found, for people.
        name: its own name; empty for a folder of which nothing was read.
        data: its bytes; None where it was not read.
        problem: why it was not read.
        changed: when it was last changed, to tell older from newer.
        ids: what a learning management system calls the student.
        inside: its path in what was collected.
    """

    student: str
    place: str
    name: str
    data: bytes | None = None
    problem: str = ""
    changed: float = 0.0
    ids: dict[str, str] = field(default_factory=dict)
    inside: PurePosixPath = field(default_factory=PurePosixPath)

    @property
    def is_notebook(self) -> bool:
        """Whether its name is that of a notebook."""
        return bool(_NOTEBOOK.search(self.name))

    @property
    def is_archive(self) -> bool:
        """Whether its name is that of a packed folder, of whatever kind."""
        return bool(_ARCHIVE.search(self.name))

    @property
    def is_stray(self) -> bool:
        """Whether it lies beside what students handed in, and nothing says that it is anybody's."""
        alone = len(_unwrapped(self.inside)) == 1 and not self.ids
        return alone and bool(self.name) and not (self.is_notebook or self.is_archive)

    @property
    def is_spare(self) -> bool:
        """Whether it is a notebook to begin anew from, as it was handed out."""
        parts = self.inside.parts
        return any(parts[place : place + 3] == _SPARE for place in range(len(parts)))


def files(path: Path) -> Iterator[Found]:
    """Yield every file in `path`, with who handed it in.

    Raises:
        LabsError: there is nothing at `path`, or it is no folder, zip or notebook.
    """
    if path.is_dir():
        if (path / "submitted").is_dir() and any((path / name).exists() for name in _OF_NBGRADER):
            path = path / "submitted"
        yield from _in_folder(path)
    elif path.suffix.lower() == ".zip" and path.is_file():
        # Who downloads a file twice gets a number behind its name, but not behind that of the folder in it.
        yield from _in_zip(path, PurePosixPath(), re.sub(r" ?\(\d+\)$", "", path.stem), 0)
    elif path.exists():
        found = _with_data(_named(PurePosixPath(path.name), str(path)), path)
        if not found.is_notebook:
            raise LabsError(f"{path} is none of what can be graded: give a folder, a zip, or a notebook.")
        yield found
    else:
        raise LabsError(f"There is nothing at {path}: give a folder, a zip, or a notebook.")


def _in_folder(root: Path) -> Iterator[Found]:
    count = 0
    walk = os.walk(root, onerror=_cannot_be_read)
    for folder, inner, names in walk:
        if Path(folder).parent == root and STATE in names and "records" in inner:
            inner.clear()  # `labs grade` has written this, and nobody handed it in
            continue
        for name in sorted(inner):
            if os.path.islink(os.path.join(folder, name)):
                yield _refused(
                    root, Path(folder, name), "It is a link to another folder, which is not followed."
                )
        inner[:] = sorted(one for one in inner if not _is_passed_over(one))
        if not (inner or names) and Path(folder).parent == root:
            yield _refused(root, Path(folder), "The folder is empty.")
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


def _cannot_be_read(error: OSError) -> None:
    raise LabsError(f"{error.filename} cannot be read ({error.strerror}).") from error


def _refused(root: Path, path: Path, why: str) -> Found:
    found = _named(PurePosixPath(path.relative_to(root).as_posix()), str(path))
    found.problem, found.name = why, ""
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
        elif not found.is_notebook:
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
    except UNREADABLE as error:
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
        elif not found.is_notebook:
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
    parts = _unwrapped(inside)
    for number, part in enumerate(parts):
        moodle = _MOODLE.match(part)
        if moodle:
            name = parts[-1] if number < len(parts) - 1 else moodle["rest"] or part
            return Found(_person(moodle["name"]), place, name, ids={"moodle": moodle["id"]}, inside=inside)
    canvas = _CANVAS.match(parts[0])
    if canvas:
        name = parts[-1] if len(parts) > 1 else canvas["rest"]
        return Found(_person(canvas["name"]), place, name, ids={"canvas": canvas["id"]}, inside=inside)
    alone = _ARCHIVE.sub("", _NOTEBOOK.sub("", parts[0])).removesuffix(".tar")
    return Found(_person(parts[0] if len(parts) > 1 else alone), place, parts[-1], inside=inside)


def _unwrapped(inside: PurePosixPath) -> list[str]:
    """Return the parts of a path without folders around all that somebody handed in."""
    parts = list(inside.parts) or ["unknown"]
    while len(parts) > 1 and parts[0] in _WRAPPERS:
        parts = parts[1:]
    return parts


def _person(name: str) -> str:
    """Return a name on one line, of a length that file systems and pages can take."""
    shown = "".join(sign if sign.isprintable() else " " for sign in name)
    return " ".join(shown.split())[:120].encode("utf-8", "replace").decode("utf-8") or "unknown"


def tell_namesakes_apart(found: list[Found]) -> None:
    """Put the number of Moodle or Canvas behind the names of students who have the same name and another number."""
    numbers: dict[str, set[str]] = {}
    for one in found:
        numbers.setdefault(one.student, set()).update(one.ids.values())
    for one in found:
        if len(numbers[one.student]) > 1 and one.ids:
            one.student = f"{one.student} ({', '.join(one.ids.values())})"
