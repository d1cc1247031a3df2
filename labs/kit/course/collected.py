"""Walk over what was collected, and read it: folders, zips, zips in zips.

Nothing is unpacked to disk and no link is followed, so that a file's name can point nowhere.
"""

import lzma
import os
import re
import stat
import struct
import zipfile
import zlib
from collections.abc import Iterator
from datetime import datetime
from io import BytesIO
from pathlib import Path, PurePosixPath
from typing import BinaryIO

from labs.kit.course import notebook
from labs.kit.course.found import Found, clean
from labs.kit.course.results import STATE
from labs.kit.errors import LabsError

LARGEST_ZIP, ALL_FROM_ONE_ZIP, MOST_FILES, DEPTH = 4 << 30, 2 << 30, 100_000, 2
UNREADABLE = (
    zipfile.BadZipFile,
    zlib.error,
    lzma.LZMAError,
    struct.error,
    OSError,
    RuntimeError,
    ValueError,
    IndexError,
    EOFError,
)
"""What reading a zip raises that is damaged, locked or made in a way that Python does not know."""
_PASSED_OVER = {"__MACOSX", "Thumbs.db", "desktop.ini", "__pycache__", "node_modules", "site-packages"}
SUBMITTED = "submitted"
"""Where a course of nbgrader keeps what was handed in."""
_OF_NBGRADER = ("nbgrader_config.py", "source", "release")
EMPTY = "The folder is empty."


class _NotRead(Exception):
    """Says in one sentence why a file was not read."""


def files(path: Path, out: Path | None = None) -> Iterator[Found]:
    """Yield every file in `path`, but not those in the folder `out`, which is for results.

    Raises:
        LabsError: there is nothing at `path`, or it is no folder, zip or notebook.
    """
    shown = clean(str(path))
    if path.is_dir():
        if (path / SUBMITTED).is_dir() and any((path / name).exists() for name in _OF_NBGRADER):
            path = path / SUBMITTED
        yield from _in_folder(path, out)
    elif path.suffix.lower() == ".zip" and path.is_file():
        # Who downloads a file twice gets a number behind its name, but not behind that of the folder in it.
        stem = re.sub(r" ?\(\d+\)$", "", path.stem)
        try:
            with path.open("rb") as stream:
                yield from _in_zip(stream, PurePosixPath(), shown, 0, stem)
        except OSError as error:
            raise LabsError(f"{shown} cannot be read ({error.strerror}).") from error
    elif path.exists():
        found = _found(PurePosixPath(path.name), shown)
        if not found.is_notebook:
            raise LabsError(f"{shown} is none of what can be graded: give a folder, a zip, or a notebook.")
        yield from _in_file(found, path)
    else:
        raise LabsError(f"There is nothing at {shown}: give a folder, a zip, or a notebook.")


def _found(raw: PurePosixPath, place: str, problem: str = "") -> Found:
    return Found(clean(place), raw, clean(raw.name), problem=problem)


def _in_folder(root: Path, out: Path | None) -> Iterator[Found]:
    own = Path(os.path.relpath(out.resolve(), root.resolve())).parts if out else ()
    count = 0
    for folder, inner, names in os.walk(root, onerror=_cannot_be_read):
        here = Path(folder)
        parts = here.relative_to(root).parts
        if parts and (parts == own or STATE in names):
            inner.clear()
            if parts != own:
                yield _results(PurePosixPath(*parts), str(here))
            continue
        inner[:] = sorted(one for one in inner if not _is_passed_over(one))
        names = sorted(one for one in names if not _is_passed_over(one))
        links = [one for one in inner if (here / one).is_symlink()]
        for name in links:
            why = "It is a link to another folder, which is not followed."
            yield _folder(PurePosixPath(*parts, name), str(here / name), why)
        if parts and not (inner or names):
            yield _folder(PurePosixPath(*parts), str(here), EMPTY)
        count += len(names)
        if count > MOST_FILES:
            raise LabsError(
                f"{clean(str(root))} holds more than {MOST_FILES:,} files: is it the right folder?"
            )
        for name in names:
            yield from _in_file(_found(PurePosixPath(*parts, name), str(here / name)), here / name)


def _cannot_be_read(error: OSError) -> None:
    raise LabsError(f"{clean(str(error.filename))} cannot be read ({error.strerror}).") from error


def _folder(raw: PurePosixPath, place: str, why: str) -> Found:
    found = _found(raw, place, why)
    found.name = ""
    return found


def _results(raw: PurePosixPath, place: str) -> Found:
    found = _folder(raw, place, f"It holds a {STATE}, so it was left aside as results of `labs grade`.")
    found.is_nobodys = True
    return found


def _in_file(found: Found, path: Path) -> Iterator[Found]:
    """Yield a file with what is in it, or the files of a zip."""
    try:
        with _opened(path) as stream:
            if found.name.lower().endswith(".zip"):
                yield from _in_zip(stream, found.raw, found.place, 1)
                return
            about = os.fstat(stream.fileno())
            found.changed = about.st_mtime
            if not found.is_notebook:
                found.data = b""
            elif about.st_size > notebook.LARGEST:
                raise _NotRead(notebook.too_large(about.st_size))
            else:
                found.data = stream.read(notebook.LARGEST + 1)
    except _NotRead as error:
        found.problem = str(error)
    except OSError as error:
        found.problem = f"It cannot be read ({error.strerror})."
    yield found


def _opened(path: Path) -> BinaryIO:
    """Open an ordinary file; never wait for one of another kind.

    Raises:
        _NotRead: it is none, or cannot be read.
    """
    try:
        handle = os.open(path, os.O_RDONLY | getattr(os, "O_NOFOLLOW", 0) | getattr(os, "O_NONBLOCK", 0))
    except OSError as error:
        if path.is_symlink():
            raise _NotRead("It is a link to another file, which is not followed.") from error
        raise _NotRead(f"It cannot be read ({error.strerror}).") from error
    if not stat.S_ISREG(os.fstat(handle).st_mode):
        os.close(handle)
        raise _NotRead("It is no ordinary file.")
    return open(handle, "rb")


def _in_zip(
    stream: BinaryIO, place: PurePosixPath, shown: str, depth: int, stem: str = ""
) -> Iterator[Found]:
    """Yield the files of a zip; `place` is where it lies, `stem` a folder around all whose name means nothing."""
    is_empty = True
    try:
        with zipfile.ZipFile(stream) as archive:
            for found in _members(archive, place, shown, stem, depth):
                is_empty = False
                yield found
    except UNREADABLE as error:
        if depth == 0:
            raise LabsError(f"{shown} is no zip that can be read ({clean(str(error))}).") from error
        yield _found(place, shown, f"The zip cannot be read ({clean(str(error))[:100]}).")
        return
    if is_empty and depth:
        yield _found(place, shown, "The zip is empty.")


def _members(
    archive: zipfile.ZipFile, place: PurePosixPath, shown: str, stem: str, depth: int
) -> Iterator[Found]:
    left = LARGEST_ZIP if depth == 0 else ALL_FROM_ONE_ZIP
    entries = [(entry, PurePosixPath(entry.filename.replace("\\", "/"))) for entry in archive.infolist()]
    entries = [
        (entry, path) for entry, path in entries if not any(_is_passed_over(part) for part in path.parts)
    ]
    if len(entries) > MOST_FILES:
        raise ValueError(f"it holds more than {MOST_FILES:,} files")
    # Only a teacher's own zip can hold results; what a student packs must not vanish for a file's name.
    held = {path.parent for _, path in entries if path.name == STATE} if depth == 0 else set()
    results = held - {PurePosixPath(), PurePosixPath(stem)}
    for path in sorted(results):
        yield _results(path, f"{shown}: {path}")
    for entry, path in entries:
        if entry.filename.endswith(("/", "\\")) or results.intersection(path.parents):
            continue
        raw = PurePosixPath(*(part for part in path.parts if part not in ("/", "..")))
        if stem and len(raw.parts) > 1 and raw.parts[0] == stem:
            raw = raw.relative_to(stem)
        found = _found(place.with_suffix("") / raw if depth else raw, f"{shown}: {entry.filename[:200]}")
        found.changed = _moment(entry)
        if not raw.name:
            found.problem = "It has no name in the zip; it was not read."
            found.is_nobodys = not depth
        elif path.is_absolute() or ".." in path.parts or re.match(r"^[A-Za-z]:", entry.filename):
            found.problem = "Its name in the zip leads out of the zip; it was not read."
            found.is_nobodys = not depth
        elif found.name.lower().endswith(".zip"):
            data = None if depth >= DEPTH else _content(archive, entry, found, 4 * notebook.LARGEST)
            if depth >= DEPTH:
                found.problem = "A zip in a zip in a zip is not opened."
            elif data is not None:
                left -= len(data)
                yield from _in_zip(BytesIO(data), found.raw, found.place, depth + 1)
                continue
        elif found.is_notebook:
            found.data = _content(archive, entry, found, notebook.LARGEST)
        else:
            found.data = b""
        left -= len(found.data or b"")
        if left < 0:
            raise ValueError("it unpacks to more than anybody would hand in")
        yield found


def _content(archive: zipfile.ZipFile, entry: zipfile.ZipInfo, found: Found, most: int) -> bytes | None:
    """Return a member's bytes; None, and the reason in `found`, where it cannot be read or has more than `most`."""
    if stat.S_ISLNK(entry.external_attr >> 16):
        found.problem = "It is a link to another file, which is not followed."
        return None
    if entry.flag_bits & 1:
        found.problem = "It is locked with a password."
        return None
    try:
        with archive.open(entry) as stream:
            data = stream.read(most + 1)  # whatever its header says
    except UNREADABLE as error:
        found.problem = f"It cannot be read in the zip ({clean(str(error))[:100]})."
        return None
    if len(data) <= most:
        return data
    found.problem = notebook.too_large(entry.file_size) if found.is_notebook else "The zip is too large."
    return None


def _moment(entry: zipfile.ZipInfo) -> float:
    """Return when a member was changed, in seconds; its clock is taken to be that of this machine."""
    try:
        return datetime(*entry.date_time).timestamp()
    except (ValueError, OverflowError, OSError):
        return 0.0


def _is_passed_over(name: str) -> bool:
    return name in _PASSED_OVER or (name.startswith(".") and name not in (".", ".."))
