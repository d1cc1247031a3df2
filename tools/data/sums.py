"""Write `data/SHA256SUMS` anew after a data set was made: `python tools/data/sums.py`.

`sha256sum -c SHA256SUMS` in `data` checks every file against it, and so does the loader of the labs.
"""

import hashlib
from pathlib import Path

DATA = Path(__file__).resolve().parents[2] / "data"
UNLISTED = {".gitattributes", "SHA256SUMS", "SOURCES.md", "catalog.toml"}
"""What describes the data is edited by hand; all else below `data` is listed."""


def listed(data: Path) -> list[str]:
    """Return the paths that SHA256SUMS must list, relative to `data`, sorted."""
    files = (file.relative_to(data).as_posix() for file in data.rglob("*") if file.is_file())
    return sorted(set(files) - UNLISTED)


def sums(data: Path) -> str:
    """Return the content of SHA256SUMS in the format of sha256sum."""
    lines = (f"{hashlib.sha256((data / file).read_bytes()).hexdigest()}  {file}\n" for file in listed(data))
    return "".join(lines)


if __name__ == "__main__":
    (DATA / "SHA256SUMS").write_text(sums(DATA))
