"""What data sets there are, and whether their embedded files are the ones that were shipped."""

import difflib
import hashlib
import tomllib
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from types import MappingProxyType
from typing import Any

from labs.kit import paths
from labs.kit.errors import LabsError


@dataclass(frozen=True)
class Full:
    """The public data set of which the embedded one is a part.

    Attributes:
        tfds: its name in TensorFlow Datasets.
        version: the version that TensorFlow Datasets prepares.
        examples: how many examples each split has.
        download_bytes: what is downloaded.
        prepared_bytes: about what it takes on disk once prepared.
        probe: a small file on the server it comes from, to see whether the server can be reached.
    """

    tfds: str
    version: str
    examples: MappingProxyType[str, int]
    download_bytes: int
    prepared_bytes: int
    probe: str


@dataclass(frozen=True)
class DataSet:
    """One embedded data set.

    Attributes:
        name: what `load` and `folder` call it.
        title: one line for people.
        kind: how it is stored: "tfds", "images" (one folder per class), "csv" or "module" (a pretrained model
            as a reusable SavedModel).
        licence: the licence's name.
        bytes: the size of its files.
        examples: how many examples each split has; the one split of a CSV set is "all"; a module has none.
        shape: the shape of one image, or empty for series and tables.
        classes: the names of the labels 0, 1, ..., or empty.
        full: the public data set of which it is a part, or None if all of it is embedded.
    """

    name: str
    title: str
    kind: str
    licence: str
    bytes: int
    examples: MappingProxyType[str, int] = field(default_factory=lambda: MappingProxyType({}))
    shape: tuple[int, ...] = ()
    classes: tuple[str, ...] = ()
    full: Full | None = None


def catalog() -> dict[str, DataSet]:
    """Return every data set by name.

    Raises:
        LabsError: the catalog is not there or cannot be read.
    """
    file = paths.data() / "catalog.toml"
    try:
        described = tomllib.loads(file.read_text(encoding="utf-8"))
        return {name: _data_set(name, entry) for name, entry in described.items()}
    except (OSError, ValueError, TypeError, KeyError) as error:
        raise LabsError(f"The list of data sets, {file}, cannot be read; {_mend()}.") from error


def info(name: str) -> DataSet:
    """Return what is known of the data set `name`.

    Raises:
        LabsError: there is no such data set; the sentence names the nearest one.
    """
    known = catalog()
    if name in known:
        return known[name]
    near = difflib.get_close_matches(str(name).lower().replace("-", "_"), known, n=1, cutoff=0.5)
    hint = f"did you mean {near[0]!r}?" if near else f"there are {', '.join(sorted(known))}."
    raise LabsError(f"There is no data set {name!r}: {hint}")


def folder(name: str) -> Path:
    """Return the folder of the embedded files of `name`, after comparing them with their SHA-256 sums.

    A file is hashed once; as long as its size and time of change stay the same, it is trusted.

    Raises:
        LabsError: there is no such data set, or a file is missing or damaged; says how to mend it.
    """
    info(name)
    root = paths.data()
    for relative, expected in _sums(root / "SHA256SUMS").items():
        if not relative.startswith(f"{name}/"):
            continue
        file = root / relative
        try:
            status = file.stat()
            found = _sha256(file, status.st_size, status.st_mtime_ns)
        except OSError as error:
            raise LabsError(f"The data file {file} is missing or cannot be read; {_mend()}.") from error
        if found != expected:
            raise LabsError(f"The data file {file} is damaged; {_mend()}.")
    return root / name


def _data_set(name: str, entry: dict[str, Any]) -> DataSet:
    full = entry.pop("full", None)
    for table in (entry, full or {}):
        if "examples" in table:
            table["examples"] = MappingProxyType(table["examples"])
    entry["shape"] = tuple(entry.get("shape", ()))
    entry["classes"] = tuple(entry.get("classes", ()))
    return DataSet(name=name, full=Full(**full) if full else None, **entry)


def _sums(file: Path) -> dict[str, str]:
    try:
        lines = file.read_text(encoding="utf-8").splitlines()
        return {path: digest for digest, path in (line.split(maxsplit=1) for line in lines)}
    except (OSError, ValueError) as error:
        raise LabsError(f"The list of hashes, {file}, cannot be read; {_mend()}.") from error


@cache
def _sha256(file: Path, size: int, changed: int) -> str:
    # Size and time of change are there for the cache alone: a file that changes is hashed anew.
    return hashlib.sha256(file.read_bytes()).hexdigest()


def _mend() -> str:
    if paths.handed_out():
        return f"unpacking the work that was handed out again brings back its folder `{paths.MATERIAL}`"
    if paths.data() == paths.ROOT / "data":
        return f"`git checkout -- data` in {paths.ROOT} brings it back"
    return "reinstalling tensorflow-labs brings it back"
