"""Tables that a teacher may have changed by hand: they are kept before they are written anew."""

import hashlib
import json
from contextlib import suppress
from datetime import date
from itertools import count
from pathlib import Path

from labs.kit.course.records import write_text

MEMORY = ".written.json"
"""What `labs grade` itself has last written into a folder: the digest of each table."""


def keep(folder: Path, names: tuple[str, ...]) -> list[tuple[str, str]]:
    """Copy what somebody has changed; return the name of each such table, and of its copy.

    Args:
        folder: where they lie.
        names: of the tables.

    Raises:
        OSError: a copy cannot be written.
    """
    known, kept = _known(folder), []
    for path in (folder / name for name in names):
        if path.is_file() and _digest(data := path.read_bytes()) != known.get(path.name):
            kept.append((path.name, _copy(path, data)))
    return kept


def remember(folder: Path, names: tuple[str, ...]) -> None:
    """Remember what the tables hold now; see `keep`.

    Raises:
        OSError: that cannot be written.
    """
    paths = [folder / name for name in names]
    told = {path.name: _digest(path.read_bytes()) for path in paths if path.is_file()}
    write_text(folder / MEMORY, json.dumps(told, indent=1) + "\n")


def _known(folder: Path) -> dict[str, str]:
    with suppress(OSError, ValueError, TypeError):
        return dict(json.loads((folder / MEMORY).read_text("utf-8")))
    return {}


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _copy(path: Path, data: bytes) -> str:
    """Write `data` beside `path` under a name that is not taken, and return that."""
    for number in count(1):
        more = f"-{number}" if number > 1 else ""
        copy = path.with_stem(f"{path.stem}-{date.today().isoformat()}{more}")
        with suppress(FileExistsError), open(copy, "xb") as stream:
            stream.write(data)
            return copy.name
    raise AssertionError("numbers do not end")
