"""Read the questions that a lab's prose asks: predictions, and those of the quiz.

Prose is the one form that works everywhere: what is to be found out lies folded under `<details>`. JupyterLab makes
a form of it, with what `described` gives for the cell's metadata. CONTRIBUTING.md shows how each kind is written.
"""

import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass, field
from html import unescape
from typing import Any

ONE, SEVERAL, NUMBER, ORDER = "one", "several", "number", "order"
RIGHT = "Right"
"""How the explanation of a right choice begins."""
SUMMARIES = {"The number": NUMBER, "The order": ORDER}
"""What the fold of a question is called whose answer is no choice."""

_FOLD = re.compile(r"^<details>\s*<summary>(.*?)</summary>(.*?)^</details>", re.S | re.M)
_ASKED = re.compile(r"\*\*(?:Predict\.\*\*|\d+\. )")
_FIGURE = r"[-−]?\d[\d,]*(?:\.\d+)?(?:e[-−]?\d+)?"
_NUMBER = re.compile(rf"\*\*({_FIGURE})(?: ± ({_FIGURE}))?(?: ([^*]+))?\*\*[:.,]\s+(\S.*)", re.S)
_STEP = re.compile(r"\*\*(.+?)\*\*[:.,]\s+(\S.*)", re.S)
_QUIZ = re.compile(r"^### Quiz$", re.M)


@dataclass(frozen=True)
class Number:
    """A number with what it is off by at most and its unit; `why` it is the answer, or that of a mistake."""

    value: float
    tolerance: float
    unit: str
    why: str


@dataclass(frozen=True)
class Question:
    """One question of a cell.

    Attributes:
        asks: its text, without marks.
        kind: "one", "several", "number" or "order".
        place: the place of its first fold among those of its cell, from 0.
        options: the choices, or the steps in the order in which they are shown; without marks.
        whys: an explanation for each option, empty where there is none.
        right: the places in `options` of the right choices, or of the steps in their right order.
        numbers: the right number, then those that a known mistake gives.
        faults: what keeps it from being asked, in sentences.
    """

    asks: str
    kind: str
    place: int
    options: Sequence[str] = ()
    whys: Sequence[str] = ()
    right: Sequence[int] = ()
    numbers: Sequence[Number] = ()
    faults: Sequence[str] = field(default=())

    @property
    def id(self) -> str:
        """A name that changes only with the text: the first words, and a digest of all of them."""
        words = re.findall(r"[a-z0-9]+", self.asks.lower())
        return "-".join([*words[:5], hashlib.sha256(self.asks.encode()).hexdigest()[:6]])


def questions(source: str) -> list[Question]:
    """Return the questions of a cell of prose, in order; one that is not whole has `faults`."""
    quiz = _QUIZ.search(source)
    found: list[Question] = []
    end, place, folds = 0, 0, list(_FOLD.finditer(source))
    while place < len(folds):
        before = source[end : folds[place].start()]
        run = place + 1
        while run < len(folds) and not source[folds[run - 1].end() : folds[run].start()].strip():
            run += 1
        stray, asked, shown = _asked(before, bool(quiz and quiz.start() < folds[place].start()))
        found += [_unanswered(text) for text in stray]
        if asked:
            found.append(_question(asked, shown, folds[place:run], place))
        end, place = folds[run - 1].end(), run
    stray, asked, _ = _asked(source[end:], bool(quiz))
    return found + [_unanswered(text) for text in (*stray, *([asked] if asked else []))]


def described(question: Question) -> dict[str, Any]:
    """Return what a form and the judge of an answer need, as plain data for the metadata of a cell."""
    plain = {"id": question.id, "kind": question.kind, "asks": question.asks, "place": question.place}
    if question.kind == NUMBER:
        right, *likely = question.numbers
        wrong = [[number.value, number.tolerance] for number in likely]
        return plain | {
            "right": right.value,
            "tolerance": right.tolerance,
            "unit": right.unit,
            "wrong": wrong,
        }
    return plain | {"options": list(question.options), "right": list(question.right)}


def without_marks(text: str) -> str:
    """Return a piece of Markdown as it reads: no marks or tags for code and emphasis, one blank between words."""
    return " ".join(unescape(re.sub(r"[`*]|</?(?:code|em|strong|i|b)>", "", text)).split())


def _asked(text: str, in_quiz: bool) -> tuple[list[str], str, str]:
    """Return the questions in `text` that lead to no fold, the one that ends it, and its list of steps."""
    blocks = [block.strip() for block in re.split(r"\n\s*\n", text) if block.strip()]
    shown = blocks.pop() if len(blocks) > 1 and blocks[-1].startswith("- ") else ""
    asking = [
        (block, number == len(blocks) - 1)
        for number, block in enumerate(blocks)
        if _ASKED.match(block) and (in_quiz or block.startswith("**Predict.**"))
    ]
    last = asking[-1][0] if asking and asking[-1][1] else ""
    return [block for block, ends in asking if not ends], last, shown if last else ""


def _unanswered(text: str) -> Question:
    return Question(_text(text), ONE, 0, faults=("has no answer folded directly under it",))


def _text(asked: str) -> str:
    return without_marks(re.sub(r"^\*\*(?:Predict\.\*\*|\d+\. )", "", asked))


def _question(asked: str, shown: str, folds: Sequence[re.Match], place: int) -> Question:
    kind = SUMMARIES.get(folds[0][1].strip())
    if kind is None:
        return _choice(asked, shown, folds, place)
    alone = () if len(folds) == 1 else (f"asks for {folds[0][1].strip().lower()}, so one fold is enough",)
    made = _number(asked, folds[0][2], place) if kind == NUMBER else _order(asked, shown, folds[0][2], place)
    stray = ("shows a list of steps, but asks for a number",) if kind == NUMBER and shown else ()
    return Question(**vars(made) | {"faults": (*alone, *stray, *made.faults)})


def _choice(asked: str, shown: str, folds: Sequence[re.Match], place: int) -> Question:
    options = [without_marks(fold[1]) for fold in folds]
    whys = [fold[2].strip() for fold in folds]
    right = [number for number, why in enumerate(whys) if re.match(rf"{RIGHT}\b", why)]
    faults = [
        f"the choice “{option}” has no explanation"
        for option, why in zip(options, whys, strict=True)
        if not why
    ]
    faults += ["has only one choice"] * (len(options) < 2)
    faults += ["offers the same choice twice"] * (len(set(options)) < len(options))
    yes = [option for option, why in zip(options, whys, strict=True) if re.match(r"Yes\b", why)]
    faults += [f"the explanation of “{option}” begins with “Yes”: say “{RIGHT}”" for option in yes]
    if not right and not yes:
        faults.append(f"has no right choice: the explanation of one must begin with “{RIGHT}”")
    faults += ["has no wrong choice"] * (1 < len(options) == len(right))
    faults += [
        f"its list has no fold called “{name}”" for name, kind in SUMMARIES.items() if shown and kind == ORDER
    ]
    kind = SEVERAL if len(right) > 1 else ONE
    return Question(_text(asked), kind, place, options, whys, right, faults=faults)


def _number(asked: str, body: str, place: int) -> Question:
    head, items = _parts(body, "- ")
    numbers = [_read(head), *map(_read, items)]
    faults = []
    if numbers[0] is None:
        faults.append(
            "must begin its fold with the number in bold, a colon and the reasoning: **12 ± 1 kB**: ..."
        )
    if len(numbers) < 2:
        faults.append("names no number that a known mistake gives: - **24**: ...")
    if None in numbers[1:]:
        faults.append("must give each likely number as - **24**: why it is wrong")
    known = [number for number in numbers if number]
    if numbers[0] and any(
        abs(n.value - known[0].value) <= known[0].tolerance + n.tolerance for n in known[1:]
    ):
        faults.append("calls a number wrong that its own tolerance accepts")
    return Question(_text(asked), NUMBER, place, numbers=known, faults=faults)


def _read(text: str) -> Number | None:
    found = _NUMBER.match(text)
    if not found:
        return None
    value, tolerance = (
        float((part or "0").replace(",", "").replace("−", "-")) for part in found.groups()[:2]
    )
    return Number(value, tolerance, found[3] or "", found[4])


def _order(asked: str, shown: str, body: str, place: int) -> Question:
    options = [without_marks(item) for item in _parts(shown, "- ")[1]]
    steps = [_STEP.match(item) for item in _parts(body, r"\d+\. ")[1]]
    named = [without_marks(step[1]) for step in steps if step]
    faults = []
    if None in steps or not steps:
        faults.append("must give each step of its order as 1. **step**: why it stands there")
    if len(options) < 3:
        faults.append("has fewer than three steps in the list above its fold")
    if len(set(options)) < len(options):
        faults.append("lists a step twice")
    if sorted(options) != sorted(named):
        faults.append("must have the same steps, word for word, in its list and in its order")
    elif options == named:
        faults.append("shows its steps in the right order already")
    right = [] if faults else [options.index(name) for name in named]
    whys = [next((s[2] for s in steps if s and without_marks(s[1]) == option), "") for option in options]
    return Question(_text(asked), ORDER, place, options, whys, right, faults=faults)


def _parts(text: str, mark: str) -> tuple[str, list[str]]:
    """Return what stands before a list, and its items; `mark` is the pattern that begins one."""
    head, *items = re.split(rf"^{mark}", text.strip(), flags=re.M)
    return head.strip(), [item.strip() for item in items]
