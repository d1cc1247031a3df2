"""The full public data sets: fetched once by `labs fetch`, prepared by TensorFlow Datasets, kept for good."""

import os
import shutil
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from filelock import FileLock, Timeout

from labs.kit import paths, quiet
from labs.kit.catalog import DataSet, Full, info
from labs.kit.errors import LabsError

Progress = Callable[[str, int, int], None]
"""Called with what is going on, how much of it is done and how much there is: bytes, then examples."""

PATIENCE = 4
"""Seconds for a server to answer at all. TensorFlow Datasets itself would try for minutes."""

SPARE_BYTES = 50_000_000
PREPARED_AT_ONCE = 500


def tfds() -> Any:
    """Import TensorFlow Datasets without log lines, progress bars or a look at the network.

    Raises:
        ImportError: TensorFlow or TensorFlow Datasets is not installed.
    """
    # Without it, TensorFlow asks the network for credentials of Google's cloud and waits for an answer.
    os.environ.setdefault("NO_GCE_CHECK", "true")
    quiet.tensorflow()
    import tensorflow_datasets

    tensorflow_datasets.disable_progress_bar()
    return tensorflow_datasets


def home() -> Path:
    """Return the folder in which full data sets are prepared; not created here."""
    return paths.home() / "datasets"


def fetched(name: str) -> Path | None:
    """Return the folder of the full data set `name` if it is complete on this machine, else None.

    It is looked for in the learner's own folder and in `TFDS_DATA_DIR`.

    Raises:
        LabsError: there is no such data set.
    """
    full = info(name).full
    if full is None:
        return None
    shared = os.environ.get("TFDS_DATA_DIR")
    places = [home(), *([Path(shared).expanduser()] if shared else [])]
    candidates = (place / full.tfds / full.version for place in places)
    return next((candidate for candidate in candidates if _complete(candidate)), None)


def fetch(name: str, on_progress: Progress | None = None) -> str:
    """Prepare the full public data set of `name` for `load(name, full=True)` and say where it is.

    What was downloaded before an interruption is used again; a half-made data set is never taken for a
    whole one. Nothing is done if the set is there already, or if all of it is embedded.

    Args:
        name: the data set.
        on_progress: called with "downloading" and bytes, then with "preparing" and examples, from
            whichever thread does the work.

    Returns:
        One sentence for people.

    Raises:
        LabsError: there is no such data set, the network or the server cannot be reached, the download
            breaks off or is not what was published, the disk is full, or another process is fetching.
    """
    wanted = info(name)
    full = wanted.full
    if full is None:
        return f"All of {name} is embedded: there is nothing to fetch."
    if there := fetched(name):
        return f"The full {name} is there already, in {there}."
    _require_space(wanted, full)
    _require_server(wanted, full)
    with _alone(name):
        # Another process may have made it since it was looked for.
        made = fetched(name) or _prepare(wanted, full, on_progress or (lambda doing, done, total: None))
    return f"The full {name} is ready, in {made}."


def _complete(files: Path) -> bool:
    if not (files / "dataset_info.json").is_file():
        return False
    try:
        splits = tfds().builder_from_directory(str(files)).info.splits.values()
    except Exception:  # whatever TFDS says of it: what cannot be read is not complete
        return False
    return all(Path(shard).is_file() for split in splits for shard in split.filepaths)


def _require_space(wanted: DataSet, full: Full) -> None:
    needed = full.download_bytes + full.prepared_bytes + SPARE_BYTES
    standing = next(folder for folder in (home(), *home().parents) if folder.exists())
    free = shutil.disk_usage(standing).free
    if free < needed:
        raise LabsError(
            f"The full {wanted.name} needs {needed // 10**6} MB in {home()}, but {free // 10**6} MB are "
            "free: make room, or set LABS_HOME to a folder on a larger disk."
        )


def _require_server(wanted: DataSet, full: Full) -> None:
    embedded = sum(wanted.examples.values())
    server = urlsplit(full.probe).hostname
    answer = _answer(full.probe)
    if answer != "ok":
        raise LabsError(
            f"{server}, where {wanted.name} is published, {answer}; "
            f"the embedded subset of {embedded:,} examples works without it."
        )


def _answer(address: str) -> str:
    import requests

    said = ["cannot be reached from here"]

    def ask() -> None:
        with suppress(requests.RequestException):
            status = requests.head(address, timeout=PATIENCE, allow_redirects=True).status_code
            said[0] = "ok" if status < 400 else f"answers with HTTP status {status}"

    # The time-out of requests does not cover the look-up of the name, which can take half a minute.
    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(PATIENCE + 1)
    return said[0]


@contextmanager
def _alone(name: str) -> Iterator[None]:
    home().mkdir(parents=True, exist_ok=True)
    try:
        with FileLock(home() / f".{name}.lock", timeout=0):
            yield
    except Timeout:
        raise LabsError(f"Another `labs fetch {name}` is at work: wait for it to end.") from None


def _prepare(wanted: DataSet, full: Full, on_progress: Progress) -> Path:
    library = tfds()
    downloads = home() / "downloads" / wanted.name
    _sweep(full, downloads)
    # TFDS takes any folder of that name for a finished data set, even one with shards missing.
    shutil.rmtree(home() / full.tfds / full.version, ignore_errors=True)
    builder = library.builder(f"{full.tfds}:{full.version}", data_dir=str(home()))
    # TFDS prints both of these whatever its settings; the caller has its own way to speak.
    builder._log_download_bytes = builder._log_download_done = lambda: None
    examples = sum(full.examples.values())
    try:
        with _watched(downloads, full.download_bytes, on_progress) as downloaded:
            _count_examples(builder, examples, downloaded, on_progress)
            builder.download_and_prepare(
                download_dir=str(downloads),
                download_config=library.download.DownloadConfig(try_download_gcs=False),
            )
    except (OSError, *_download_errors()) as error:
        raise LabsError(
            f"Fetching {wanted.name} broke off ({_first_line(error)}): run `labs fetch {wanted.name}` again, "
            "files that came whole are kept."
        ) from error
    finally:
        _sweep(full, downloads)
    shutil.rmtree(downloads, ignore_errors=True)
    return Path(builder.data_path)


def _download_errors() -> tuple[type[Exception], ...]:
    from tensorflow_datasets.core.download import download_manager, util

    return util.DownloadError, download_manager.NonMatchingChecksumError


def _first_line(error: Exception) -> str:
    said = str(error).strip()
    return said.splitlines()[0] if said else type(error).__name__


def _sweep(full: Full, downloads: Path) -> None:
    # The names TFDS gives to what is not finished; only the holder of the lock gets here.
    for half_made in (*downloads.rglob("*.tmp.*"), *(home() / full.tfds).glob("incomplete.*")):
        shutil.rmtree(half_made, ignore_errors=True)


@contextmanager
def _watched(downloads: Path, total: int, on_progress: Progress) -> Iterator[threading.Event]:
    downloaded = threading.Event()

    def watch() -> None:
        while not downloaded.wait(0.2):
            on_progress("downloading", min(_size(downloads), total), total)

    watching = threading.Thread(target=watch, daemon=True)
    watching.start()
    try:
        yield downloaded
    finally:
        downloaded.set()
        watching.join()


def _size(folder: Path) -> int:
    total = 0
    for file in folder.rglob("*"):
        with suppress(OSError):  # a file may be renamed between listing and asking
            total += file.stat().st_size if file.is_file() else 0
    return total


def _count_examples(builder: Any, total: int, downloaded: threading.Event, on_progress: Progress) -> None:
    generate = builder._generate_examples
    done = 0

    def counted(*arguments: Any, **named: Any) -> Iterator[Any]:
        nonlocal done
        for example in generate(*arguments, **named):
            downloaded.set()
            done += 1
            if done % PREPARED_AT_ONCE == 0 or done == total:
                on_progress("preparing", done, total)
            yield example

    builder._generate_examples = counted
