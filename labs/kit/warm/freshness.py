"""Whether the files that a process was made of are still those on the disk."""

import glob
import os
import site
import sys
import time
from pathlib import Path

Seen = dict[str, tuple[int, int, int] | None]


class Freshness:
    """The files of this process's modules and libraries as they were when it had imported them.

    Args:
        began: when the process began, in nanoseconds since the epoch: what changed later may have been
            read before it changed.
    """

    def __init__(self, began: int):
        self._seen: Seen = {path: _look(path) for path in sorted(_files())}
        now = time.time_ns()
        written = [path for path, look in self._seen.items() if look and began <= look[0] <= now]
        self._changed = next((path for path in written if not os.path.isdir(path)), None)

    def __len__(self) -> int:
        return len(self._seen)

    def changed(self) -> str | None:
        """Return a file that is not what it was, or None."""
        if self._changed is None:
            self._changed = next((path for path, look in self._seen.items() if _look(path) != look), None)
        return self._changed


def _look(path: str) -> tuple[int, int, int] | None:
    try:
        found = os.stat(path)
    except OSError:
        return None
    return (found.st_mtime_ns, found.st_size, found.st_ino)


def _files() -> set[str]:
    """Return the files of the modules and libraries in use, and those whose coming would change them."""
    found = {getattr(module, "__file__", None) for module in list(sys.modules.values())}
    with open("/proc/self/maps") as maps:
        mapped = {line.split(maxsplit=5)[5].rstrip("\n") for line in maps if "/" in line}
    prefixes = (sys.prefix + os.sep, sys.base_prefix + os.sep)
    found |= {path for path in mapped if path.startswith(prefixes)}
    folders = [*site.getsitepackages(), *([site.getusersitepackages()] if site.ENABLE_USER_SITE else [])]
    # A package that comes, goes or changes its version shows in the folder of all packages.
    found.update(folders)
    for folder in folders:
        found.update(glob.glob(os.path.join(glob.escape(folder), "*.pth")))
    found.add(os.path.join(sys.prefix, "pyvenv.cfg"))
    found |= _settings()
    return {os.path.abspath(path) for path in found if isinstance(path, str)}


def _settings() -> set[str]:
    import matplotlib

    keras = os.environ.get("KERAS_HOME") or Path.home() / ".keras"
    mine = os.path.join(matplotlib.get_configdir(), "matplotlibrc")
    return {matplotlib.matplotlib_fname(), mine, os.path.join(keras, "keras.json")}
