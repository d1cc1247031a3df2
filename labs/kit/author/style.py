"""Hold a lab to the rhythm that all labs share, so that learners always know where they are."""

import re

from nbformat import NotebookNode

from labs.kit import data
from labs.kit.author.questions import NUMBER, ORDER, questions
from labs.kit.author.source import CHECK, EXERCISE, SETUP, is_code, learner, solved, tags
from labs.kit.curriculum import Curriculum, Lab
from labs.kit.load import exercises

CELLS = (35, 60)
EXERCISES = (4, 6)
SECTIONS = (5, 7)
CODE_LINES = 12
WORDS = 75
CLOSING = ("Break it", "Measure it", "Explain it", "Recap")
TAGS = {EXERCISE, CHECK, SETUP, "nbval-ignore-output", "nbval-skip", "raises-exception"}
FREE_TAGS = ("because-", "tolerance-")


def problems(lab: Lab, curriculum: Curriculum) -> list[str]:
    """Return a sentence for each way in which `lab` leaves the common layout."""
    notebook = solved(lab, curriculum)
    return [
        *_card(lab),
        *_start(lab, notebook),
        *_size(notebook),
        *_cells(notebook),
        *_headings(notebook),
        *_exercises(lab, notebook),
        *_questions(notebook),
    ]


def _card(lab: Lab) -> list[str]:
    return [
        f"the card names the data set {name}, which is not there"
        for name in lab.data
        if name not in data.catalog()
    ]


def _start(lab: Lab, notebook: NotebookNode) -> list[str]:
    started = re.findall(r"labs\.start\(['\"](.+?)['\"]\)", "\n".join(cell.source for cell in notebook.cells))
    return (
        [] if started == [lab.name] else [f"must call labs.start({lab.name!r}) once; calls it for {started}"]
    )


def _size(notebook: NotebookNode) -> list[str]:
    predictions = sum("**Predict.**" in cell.source for cell in notebook.cells)
    found = _outside("cells", len(notebook.cells), CELLS)
    return found + (["fewer than four predictions"] if predictions < 4 else [])


def _cells(notebook: NotebookNode) -> list[str]:
    found = []
    for cell in notebook.cells:
        strange = [tag for tag in tags(cell) if tag not in TAGS and not tag.startswith(FREE_TAGS)]
        found += [f"cell {cell.id} has the unknown tag {tag}" for tag in strange]
        if is_code(cell):
            lines = sum(bool(line.strip()) for line in cell.source.splitlines())
            if lines > CODE_LINES and not {EXERCISE, SETUP} & set(tags(cell)):
                found.append(f"cell {cell.id} has {lines} lines of code; {CODE_LINES} at most")
        elif cell.id not in ("card", "way-on", "recap") and "<details>" not in cell.source:
            words = len(re.sub(r"^#+ .*$", "", cell.source, flags=re.M).split())
            if words > WORDS:
                found.append(f"cell {cell.id} has {words} words; {WORDS} at most")
    return found


def _headings(notebook: NotebookNode) -> list[str]:
    text = "\n".join(cell.source for cell in notebook.cells[1:] if not is_code(cell))
    headings = re.findall(r"^(#+) (.+)$", text, re.M)
    second = [title for marks, title in headings if len(marks) == 2]
    numbered = [title for title in second if re.match(r"\d+\. ", title)]
    closing = [title.split(":")[0] for title in second if not re.match(r"\d+\. ", title)]
    found = _outside("numbered sections", len(numbered), SECTIONS)
    found += [
        f"heading '{title}' is too deep or a second title"
        for marks, title in headings
        if len(marks) not in (2, 3)
    ]
    found += [
        f"'{title}' shows its backquotes: in a <summary> write <code>"
        for title in re.findall(r"<summary>(.*?)</summary>", text)
        if "`" in title
    ]
    if closing != list(CLOSING):
        found.append(f"closes with {', '.join(closing)} instead of {', '.join(CLOSING)}")
    if "### Quiz" not in text:
        found.append("has no quiz")
    if "https://" not in text.rsplit("## Recap", 1)[-1]:
        found.append("the recap names no official documentation")
    return found


def _exercises(lab: Lab, notebook: NotebookNode) -> list[str]:
    known = list(exercises(lab))
    ids = [cell.id for cell in notebook.cells]
    blanks = {cell.id: cell.source for cell in learner(notebook).cells}
    found = _outside("exercises", len(known), EXERCISES)
    for name in known:
        if f"exercise-{name}" not in ids:
            found.append(f"checks.py checks {name}, but no exercise cell defines it")
        elif ids[ids.index(f"exercise-{name}") + 1] != f"check-{name}":
            found.append(f"the exercise {name} is not followed by its check")
        elif "your turn" not in blanks[f"exercise-{name}"]:
            found.append(f"the exercise {name} has no solution between markers, so no blank")
    named = [cell.id.removeprefix("exercise-") for cell in notebook.cells if EXERCISE in tags(cell)]
    strangers = [name for name in named if name not in known]
    return found + [f"the exercise {stranger} has no check in checks.py" for stranger in strangers]


def _questions(notebook: NotebookNode) -> list[str]:
    asked = [(cell, one) for cell in notebook.cells if not is_code(cell) for one in questions(cell.source)]
    found = [
        f"the question “{one.asks[:60]}” in cell {cell.id} {fault}"
        for cell, one in asked
        for fault in one.faults
    ]
    ids = [one.id for _, one in asked]
    found += [
        f"asks {name} twice: answers to the two could not be told apart"
        for name in sorted({*ids})
        if ids.count(name) > 1
    ]
    if not {NUMBER, ORDER} & {one.kind for _, one in asked}:
        found.append("has no question for a number or an order")
    return found


def _outside(what: str, number: int, limits: tuple[int, int]) -> list[str]:
    low, high = limits
    return [] if low <= number <= high else [f"{number} {what}; between {low} and {high} are asked for"]
