"""Pages for students and teachers: one HTML file each, without scripts, readable on screen and on paper.

Everything that comes from a submission is escaped where it is put in, by the template engine and by nothing
else; a page's own policy then forbids the browser to run or to fetch anything at all.
"""

import re
import unicodedata
from collections.abc import Mapping
from datetime import datetime
from functools import lru_cache
from pathlib import Path
from typing import Any

from jinja2 import Environment, FileSystemLoader, StrictUndefined
from markdown_it import MarkdownIt
from markupsafe import Markup

from labs.kit.course.records import Graded, Record, write_text
from labs.kit.course.wording import count

STATES = {
    "passed": "passed",
    "wrong": "not yet",
    "error": "stopped with an error",
    "blank": "left blank",
    "stopped": "stopped by the grader",
    "unread": "nothing to grade",
}
"""What an exercise can be after grading, most to least desirable, with the words for it."""


def state(exercise: Graded) -> str:
    """Return the key of `STATES` for one exercise of a record."""
    if exercise.stopped == "unreadable":
        return "unread"
    return "stopped" if exercise.stopped else exercise.verdict["state"]


def is_unread(record: Record) -> bool:
    """Whether there was nothing in a submission that could be graded; its problems say why."""
    return bool(record.exercises) and all(state(one) == "unread" for one in record.exercises)


def points(number: float, of: float | None = None) -> str:
    """Return `3 points`, `1 point`, or with `of` for example `3 of 10 points`."""
    if of is None:
        return f"{number:g} point{'s' * (number != 1)}"
    return f"{number:g} of {points(of)}"


def moment(iso: str) -> str:
    """Return a time in ISO form as a person writes it, for example `22 November 2026, 14:05 UTC`."""
    try:
        return f"{datetime.fromisoformat(iso):%-d %B %Y, %H:%M %Z}".strip()
    except ValueError:
        return visible(iso)


def prose(text: str) -> Markup:
    """Return one sentence or two of ours as HTML: code, emphasis, no links, no tags."""
    return Markup(_markdown().renderInline(visible(text)))


def block(text: str) -> Markup:
    """Return paragraphs of ours as HTML."""
    return Markup(_markdown().render(visible(text)))


@lru_cache
def _markdown() -> MarkdownIt:
    return MarkdownIt("commonmark", {"html": False}).disable(["link", "image", "autolink"])


def visible(text: str) -> str:
    """Return `text` without what no page can hold or show: control characters, halves of a character.

    A mark that turns the writing direction would let a name rewrite the line that it stands in; other marks
    that cannot be seen stay, because names in many languages need them.
    """
    return "".join(c for c in str(text) if c in "\n\t" or not _is_unfit(c))


def _is_unfit(character: str) -> bool:
    turns = "\u202a" <= character <= "\u202e" or "\u2066" <= character <= "\u2069"
    return turns or unicodedata.category(character) in ("Cc", "Cs")


def file_name(student: str, ending: str = "html") -> str:
    """Return a file's name for `student` that every system takes, different for different students."""
    from hashlib import sha256

    plain = re.sub(r"[^a-z0-9]+", "-", student.lower()).strip("-")[:40]
    if plain and plain == student and not re.search(r"-[0-9a-f]{8}$", plain):
        return f"{plain}.{ending}"
    return f"{plain or 'student'}-{sha256(student.encode('utf-8', 'replace')).hexdigest()[:8]}.{ending}"


def short(name: str) -> str:
    """Return `name` as it fits beside a bar."""
    name = " ".join(visible(name).split())
    return name if len(name) <= 48 else f"{name[:47]}…"


def render(template: str, values: Mapping[str, Any]) -> str:
    """Return the page of `template` with `values` in it; a text that says it is HTML is taken as it is."""
    return _environment().get_template(template).render(**values)


@lru_cache
def _environment() -> Environment:
    environment = Environment(
        loader=FileSystemLoader(Path(__file__).parent / "templates"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    environment.filters |= {
        "prose": prose,
        "block": block,
        "visible": visible,
        "moment": moment,
        "points": points,
        "count": count,
    }
    environment.globals |= {"states": STATES, "state": state}
    return environment


def write(path: Path, text: str) -> None:
    """Write a page in one step; a half of a character, which no file can hold, becomes a question mark."""
    write_text(path, text.encode("utf-8", "replace").decode("utf-8"))
