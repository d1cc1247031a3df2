"""Show a verdict or a hint: as accessible HTML in Jupyter, as text elsewhere.

Colours come from the theme of JupyterLab where there is one, state is told by word and sign as well as
colour, and everything is styled inline, because notebooks strip style sheets from saved output.
"""

import re
from dataclasses import dataclass
from html import escape

from labs.kit.drawings import MARK, draw
from labs.kit.examine import Verdict
from labs.kit.exercise import Exercise

_SIGNS = {
    "passed": ("✓", "Passed", "#2e7d32"),
    "wrong": ("✗", "Not yet", "#c2410c"),
    "blank": ("○", "Still blank", "#64748b"),
    "error": ("!", "Stopped with an error", "#b3261e"),
}
_CARD = (
    "border:1px solid {colour};border-left-width:6px;border-radius:4px;padding:8px 14px;margin:4px 0;"
    "max-width:52em;color:var(--jp-content-font-color1, inherit);font-size:var(--jp-content-font-size1, 14px)"
)
_CODE = "font-family:var(--jp-code-font-family, monospace);font-size:0.93em"
_BLOCK = f"{_CODE};margin:0;padding:2px 0;background:transparent;color:inherit;white-space:pre-wrap"
_CELL = "text-align:left;vertical-align:top;padding:2px 12px 2px 0;background:transparent"
_EMPHASIS = re.compile(r"\*(\S|\S[^*]*\S)\*")
_LISTED = 6
_MARKED = 30


@dataclass(frozen=True)
class Card:
    """Something to show, in both forms.

    Attributes:
        html: for Jupyter.
        text: for everywhere else.
    """

    html: str
    text: str

    def _repr_mimebundle_(self, include=None, exclude=None) -> dict[str, str]:
        return {"text/html": self.html, "text/plain": self.text}

    def __repr__(self) -> str:
        return self.text


def verdict_card(
    exercise: Exercise,
    verdict: Verdict,
    hints_left: int,
    fallback: bool,
    alone: bool = False,
    lab: str = "",
) -> Card:
    """Return the card for a verdict.

    Args:
        exercise: the exercise.
        verdict: what the examination found.
        hints_left: how many hints the learner has not asked for.
        fallback: whether the lab goes on with the reference.
        alone: whether it goes on with what the learner wrote, because there is no reference.
        lab: the lab's name, under which JupyterLab remembers that the card's hint was opened.
    """
    sign, word, colour = _SIGNS[verdict.state]
    points = f"{exercise.points} point{'s' * (exercise.points != 1)}"
    head = f"{exercise.name}: {word}"
    parts = _Parts(f"{sign} {head}", f"{points}, {exercise.minutes} minutes, {exercise.difficulty}")
    if verdict.state == "passed":
        parts.line(f"{_cases(verdict.cases)} tried, and all came out right.")
        parts.detail = points
    elif verdict.state == "blank":
        parts.line(exercise.task)
    else:
        parts.line(verdict.says, strong=True)
        parts.source(verdict)
        parts.table(_evidence(verdict))
        parts.drawing(draw(verdict.sketch))
        if verdict.think:
            parts.line(f"Think about it: {verdict.think}")
        if verdict.cases > 1:
            parts.tries(verdict)
    if verdict.state != "passed" and hints_left:
        parts.hint(exercise, len(exercise.hints) - hints_left + 1, lab)
    if fallback:
        parts.line("The lab goes on with a working version in its place, so the cells below run.", small=True)
    if alone:
        parts.line("Until this passes, cells below that use it run with your version, or stop.", small=True)
    return parts.card(colour, f"Check of {head}")


def hint_card(exercise: Exercise, number: int) -> Card:
    """Return the card for hint `number`, counted from 1."""
    total = len(exercise.hints)
    parts = _Parts(f"? {exercise.name}: hint {number} of {total}", "")
    parts.line(exercise.hints[number - 1])
    if number == total:
        parts.line("That was the last hint; asking again shows it again.", small=True)
    return parts.card("#0072B2", f"Hint {number} of {total} for {exercise.name}")


def _cases(number: int) -> str:
    return f"{number} case{'s' * (number != 1)}"


def _evidence(verdict: Verdict) -> list[tuple[str, str]]:
    rows = [("It said", verdict.error), ("Which usually means", verdict.means)]
    rows += [(f"Given {name}", text) for name, text in verdict.given.items()]
    rows += [("Expected", verdict.expected), ("Got", verdict.got), ("In short", verdict.differs)]
    return [(name, text) for name, text in rows if text]


class _Parts:
    """Collects a card's parts in both forms."""

    def __init__(self, title: str, detail: str):
        self.title, self.detail = title, detail
        self._html: list[str] = []
        self._text: list[str] = []

    def line(self, sentence: str, strong: bool = False, small: bool = False) -> None:
        inner = _inline(sentence)
        inner = f"<strong>{inner}</strong>" if strong else f"<small>{inner}</small>" if small else inner
        self._html.append(f'<p style="margin:4px 0">{inner}</p>')
        self._text.append(f"  {sentence}")

    def source(self, verdict: Verdict) -> None:
        """Show the learner's own line between its neighbours."""
        if not verdict.line:
            return
        lines = verdict.around or {str(verdict.line_number): verdict.line}
        wide = max(map(len, lines))
        shown = "".join(
            _own(f"{number:>{wide}}  {text}")
            if number == str(verdict.line_number)
            else f"  {number:>{wide}}  {escape(text)}\n"
            for number, text in lines.items()
        )
        self._html.append(
            f'<p style="margin:4px 0 0">Line {verdict.line_number} of your code:</p>'
            f'<pre style="{_BLOCK}">{shown}</pre>'
        )
        self._text.append(f"    Your line: {verdict.line}   (line {verdict.line_number})")

    def drawing(self, html: str) -> None:
        """Add a picture, which the text form goes without."""
        self._html.append(html)

    def tries(self, verdict: Verdict) -> None:
        """Say how many cases came out right, and what was wrong with the others."""
        right = verdict.cases - verdict.failed
        said = f"{right or 'None'} of {_cases(verdict.cases)} came out right"
        marks = "".join("✗" if wrong else "✓" for wrong in verdict.tries[:_MARKED])
        marks += "…" * (len(verdict.tries) > _MARKED)
        self._text.append(f"  {said}: {marks}" if marks else f"  {said}.")
        wrong = [(number, text) for number, text in enumerate(verdict.tries, start=1) if text]
        if not wrong:
            self._html.append(f'<p style="margin:4px 0">{said}.</p>')
            return
        items = "".join(f"<li>Case {number}: {_inline(text)}</li>" for number, text in wrong[:_LISTED])
        items += f"<li>and {len(wrong) - _LISTED} more</li>" if wrong[_LISTED:] else ""
        self._html.append(
            f'<details style="margin:4px 0"><summary>{said} <span aria-hidden="true">{marks}</span></summary>'
            f'<ul style="margin:2px 0">{items}</ul></details>'
        )

    def hint(self, exercise: Exercise, number: int, lab: str) -> None:
        """Put hint `number` under a fold; a lab that shows it may remember that it was opened."""
        total, ask = len(exercise.hints), f"lab.hint({exercise.name})"
        names = f'data-lab="{escape(lab)}" data-exercise="{escape(exercise.name)}" data-number="{number}"'
        more = f'<p style="margin:4px 0"><small>For the next: <code style="{_CODE}">{escape(ask)}</code></small></p>'
        self._html.append(
            f'<details class="labs-hint" {names} style="margin:4px 0"><summary>Stuck? Hint {number} of {total}'
            f'</summary><p style="margin:4px 0">{_inline(exercise.hints[number - 1])}</p>'
            f"{more if number < total else ''}</details>"
        )
        self._text.append(f"  Stuck? Hint {number} of {total}: run {ask}")

    def table(self, rows: list[tuple[str, str]]) -> None:
        cells = "".join(
            f'<tr style="background:transparent"><th scope="row" style="{_CELL};font-weight:600;'
            f'white-space:nowrap">{escape(name)}</th>'
            f'<td style="{_CELL};{_CODE};white-space:pre-wrap">{escape(text)}</td></tr>'
            for name, text in rows
        )
        if cells:
            self._html.append(f'<table style="border-collapse:collapse;margin:6px 0">{cells}</table>')
            self._text += [f"    {name}: {text}" for name, text in rows]

    def card(self, colour: str, label: str) -> Card:
        detail = f" <small>({escape(self.detail)})</small>" if self.detail else ""
        html = (
            f'<section role="status" aria-label="{escape(label)}" style="{_CARD.format(colour=colour)}">'
            f'<p style="margin:2px 0"><strong>{escape(self.title)}</strong>{detail}</p>'
            f"{''.join(self._html)}</section>"
        )
        title = f"{self.title} ({self.detail})" if self.detail else self.title
        return Card(html, "\n".join([title, *self._text]))


def _own(line: str) -> str:
    """Return the line that everything is about, marked by sign, weight and underline."""
    underline = f"text-decoration:underline {MARK}"
    return f'<strong style="{underline}"><span aria-hidden="true">▶ </span>{escape(line)}</strong>\n'


def _inline(sentence: str) -> str:
    """Return `sentence` as HTML: what stands between backquotes as code, between asterisks as emphasis."""
    pieces = escape(sentence, quote=False).split("`")
    if len(pieces) % 2 == 0:
        return "`".join(pieces)
    return "".join(
        f'<code style="{_CODE}">{piece}</code>' if place % 2 else _EMPHASIS.sub(r"<em>\1</em>", piece)
        for place, piece in enumerate(pieces)
    )
