"""Which cells of a notebook are run to grade one of its exercises, and in which order.

First only those that the exercise leans on, so that a slow or broken demonstration costs nothing. If that does
not pass, all that the student has written or changed; and if a name is missing that a demonstration defines, all.
"""

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Any

from labs.kit.course.installed import Installed, normal
from labs.kit.course.records import Cell

MOST_RUNS = 5
_MADE = r"(?m)^\s*(?:(?:async\s+)?def|class)\s+{0}\b|^\s*{0}\s*=(?!\s*lab\s*\.\s*check\b)"


@dataclass(frozen=True)
class Read:
    """A cell of a notebook as the clerk has read it.

    Attributes:
        place: its number in the notebook.
        id: as in the notebook.
        source: Python; what only IPython understands is translated.
        defines, uses: names.
        checks: exercises whose check it runs.
        own: whether the student has added or changed it.
        blank: the exercise that it is the untouched blank of, if any.
        exercise: the exercise that its metadata or id names, if any.
        only_checks, reaches, error, line, line_number: see `labs.kit.course.locked.clerk.read_cell`.
    """

    place: int
    id: str
    source: str
    defines: frozenset[str]
    uses: frozenset[str]
    checks: tuple[str, ...]
    own: bool
    blank: str
    exercise: str
    only_checks: bool
    reaches: bool
    error: str
    line: str
    line_number: int


def read(cells: Iterable[Cell], told: Iterable[dict[str, Any]], lab: Installed) -> list[Read]:
    """Put together what was handed in, what the clerk has read in it, and what was handed out."""
    blanks = {normal(text): name for name, text in lab.blanks.items()}
    return [
        Read(
            place=place,
            id=cell.id,
            source=one["source"],
            defines=frozenset(one["defines"]),
            uses=frozenset(one["uses"]),
            checks=tuple(one["checks"]),
            own=normal(cell.source) not in lab.given,
            blank=blanks.get(normal(cell.source), ""),
            exercise=cell.exercise,
            only_checks=one["only_checks"],
            reaches=one["reaches"],
            error=one["error"],
            line=one["line"],
            line_number=one["line_number"],
        )
        for place, (cell, one) in enumerate(zip(cells, told, strict=True))
    ]


def definitions(cells: list[Read], exercise: str) -> list[Read]:
    """Return the cells that define `exercise` and are not its blank, the one that counts first.

    That is the last one above its check, as for who runs the notebook from top to bottom; then the others, the
    last first.
    """
    found = [cell for cell in cells if exercise in cell.defines and cell.own]
    checked = [cell.place for cell in cells if exercise in cell.checks]
    above = [cell for cell in found if checked and cell.place <= checked[-1]]
    first = (above or found)[-1:]
    return first + [cell for cell in reversed(found) if cell not in first]


def another(cells: list[Read], exercise: str, steps: Iterable["Step"]) -> tuple[int, int] | None:
    """Return the place of the definition that counts in a run and of the first choice; None if that is the same.

    In a run it is the last one that counts.

    Args:
        cells: the notebook.
        exercise: its name.
        steps: of the run.
    """
    # A check gives the name a meaning too, but no new one.
    made = re.compile(_MADE.format(re.escape(exercise)))
    choices = [cell.place for cell in definitions(cells, exercise) if made.search(cell.source)]
    ran = [step.place for step in steps if step.place in choices]
    return (ran[-1], choices[0]) if ran and ran[-1] != choices[0] else None


@dataclass(frozen=True)
class Step:
    """One cell to run.

    Attributes:
        name: what tracebacks call it.
        source: Python.
        place: its number in the notebook, or -1 for one that is the lab's own.
    """

    name: str
    source: str
    place: int = -1


def plans(
    cells: list[Read],
    exercise: str,
    lab: Installed,
    references: dict[str, str],
    missing: set[str],
) -> Iterator[list[Step]]:
    """Yield the runs to try, one after the other until one passes; none of them twice.

    Args:
        cells: the notebook.
        exercise: its name.
        lab: as it is installed.
        references: for exercises that the student has not solved, what stands in for them.
        missing: names that a run missed; filled by who runs, between two plans.
    """
    setup = [Step(name, source) for name, source in lab.setup]
    stand = {name: source for name, source in references.items() if name != exercise}
    own = [cell for cell in cells if cell.own and not cell.only_checks and not cell.error]
    tried: list[list[Step]] = []
    for cell in definitions(cells, exercise)[: MOST_RUNS - 2]:
        needed = _closure(cell, own, exercise, stand)
        yield from _new(setup + _steps(needed, stand, exercise), tried)
    extra = [cell for cell in own if not cell.defines & lab.exercises.keys()]
    if extra and any(exercise in cell.source for cell in own):
        yield from _new(setup + _steps(own, stand, exercise), tried)
    demonstrated = {name for cell in cells if not cell.own for name in cell.defines}
    if missing & demonstrated:
        whole = [cell for cell in cells if not (cell.only_checks or cell.error or cell.blank)]
        yield from _new(setup + _steps(whole, stand, exercise), tried)


def _new(steps: list[Step], tried: list[list[Step]]) -> Iterator[list[Step]]:
    if steps not in tried:
        tried.append(steps)
        yield steps


def _closure(root: Read, own: list[Read], exercise: str, stand: dict[str, str]) -> list[Read]:
    """Return the student's cells that `root` leans on, and itself, in the notebook's order."""
    chosen, queue = {root.place: root}, [root]
    for cell in own:
        if cell.reaches and exercise not in cell.defines:
            chosen[cell.place] = cell
            queue.append(cell)
    while queue:
        wanted = queue.pop().uses - {exercise} - stand.keys()
        for cell in own:
            if cell.place not in chosen and exercise not in cell.defines and cell.defines & wanted:
                chosen[cell.place] = cell
                queue.append(cell)
    return [chosen[place] for place in sorted(chosen)]


def _steps(cells: list[Read], stand: dict[str, str], exercise: str) -> list[Step]:
    """Return the cells as steps; where one defines an exercise that was not solved, what stands in follows it."""
    steps, defined = [], set()
    for cell in cells:
        steps.append(Step(f"{cell.place + 1}", cell.source, cell.place))
        for name in sorted(cell.defines & stand.keys()):
            steps.append(Step(name, stand[name]))
            defined.add(name)
    used = {name for cell in cells for name in cell.uses}
    first = [Step(name, stand[name]) for name in stand if name in used - defined]
    return first + steps
