"""A file that someone handed in, and how its name is shown: names come from others, and can hold anything."""

import re
from dataclasses import dataclass, field
from pathlib import PurePosixPath

NOTEBOOK = re.compile(r"\.ipynb(\.(txt|json))?$", re.I)
"""Browsers and mail programs add a second ending to what they do not know."""
ARCHIVE = re.compile(r"\.(zip|rar|7z|tar|tgz|gz|bz2|xz)$", re.I)
_SPARE = ("material", "notebooks", "learn")
"""Where an assignment keeps the notebooks to begin anew from: nobody has worked on those."""
_JOINERS = "\u200c\u200d"
"""Nobody sees them, but names in Persian or Hindi are misspelt without them."""
_BYTES = re.compile("[\udc80-\udcff]")
"""How Python holds the bytes of a file's name that are no UTF-8."""


@dataclass
class Found:
    """A file that someone handed in.

    Attributes:
        place: where it was found, for people.
        raw: its path in what was collected, as it is written there.
        name: its own name; empty for a folder of which nothing was read.
        data: its bytes; None where it was not read.
        problem: why it was not read.
        changed: when it was last changed, in seconds, to tell older from newer.
        is_nobodys: whether nobody can be said to have handed it in.
        lab: the lab that it is of; empty where that is not known.
        student: who; empty as long as nobody has told.
        ids: what a learning management system calls the student.
    """

    place: str
    raw: PurePosixPath
    name: str
    data: bytes | None = None
    problem: str = ""
    changed: float = 0.0
    is_nobodys: bool = False
    lab: str = ""
    student: str = ""
    ids: dict[str, str] = field(default_factory=dict)

    @property
    def inside(self) -> str:
        """Its path in what was collected, for people."""
        return clean(self.raw.as_posix())

    @property
    def is_notebook(self) -> bool:
        """Whether its name is that of a notebook."""
        return bool(NOTEBOOK.search(self.name))

    @property
    def is_archive(self) -> bool:
        """Whether its name is that of a packed folder, of whatever kind."""
        return bool(ARCHIVE.search(self.name))

    @property
    def is_stray(self) -> bool:
        """Whether it lies beside what students handed in, and nothing says that it is anybody's."""
        alone = len(self.raw.parts) == 1 and not self.ids
        return alone and bool(self.name) and not (self.is_notebook or self.is_archive)

    @property
    def is_spare(self) -> bool:
        """Whether it is a notebook to begin anew from, as it was handed out."""
        parts = self.raw.parts
        return any(parts[place : place + 3] == _SPARE for place in range(len(parts)))


def clean(text: str) -> str:
    """Return `text` as every terminal, log and page can show it: on one line, and all of it UTF-8."""
    text = _BYTES.sub(lambda byte: chr(ord(byte[0]) - 0xDC00), text)
    shown = (
        " " if sign.isspace() else sign if _is_shown(sign) else "\N{REPLACEMENT CHARACTER}" for sign in text
    )
    return "".join(shown)


def _is_shown(sign: str) -> bool:
    return sign.isprintable() or sign in _JOINERS
