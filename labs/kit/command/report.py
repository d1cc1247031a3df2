"""What `labs progress`, `labs hint` and `labs check` print."""

import json
import textwrap
from typing import Any

from labs.kit import progress
from labs.kit.command import questions, where
from labs.kit.curriculum import Curriculum, Lab, unknown
from labs.kit.errors import LabsError
from labs.kit.exercise import Exercise
from labs.kit.load import exercises


def progress_command(curriculum: Curriculum, name: str | None, as_json: bool) -> None:
    """Print a table of the labs, or of one lab's exercises.

    Raises:
        LabsError: there is no such lab.
    """
    rows = exercise_rows(curriculum.lab(name)) if name else lab_rows(curriculum)
    asked = questions.rows(curriculum.lab(name)) if name else []
    if as_json:
        print(json.dumps([*rows, *asked], indent=2))
        return
    if name:
        columns = {
            "exercise": "left",
            "state": "left",
            "points": "right",
            "minutes": "right",
            "tries": "right",
        }
        cells = [[str(row[key]) for key in columns] for row in rows]
    else:
        columns = {"lab": "left", "passed": "right", "points": "right", "answered": "right"}
        pairs = (("passed", "exercises"), ("points", "of_points"), ("answered", "questions"))
        cells = [[row["lab"], *(f"{row[one]} of {row[all_]}" for one, all_ in pairs)] for row in rows]
    _table(columns, cells)
    if asked:
        _print_questions(asked)


def _print_questions(asked: list[dict[str, Any]]) -> None:
    said = {True: "right", False: "not yet", None: "-"}
    answered = [row for row in asked if row["tries"]]
    right = sum(row["first"] for row in answered)
    print(f"\n{len(answered)} of {len(asked)} questions answered, {right} right at once.\n")
    columns = {"question": "left", "first answer": "left", "last answer": "left"}
    _table(columns, [[_short(row["asks"]), said[row["first"]], said[row["right"]]] for row in asked])


def _short(text: str) -> str:
    return textwrap.shorten(text, 48, placeholder=" ...")


def lab_rows(curriculum: Curriculum) -> list[dict[str, Any]]:
    """Return one dict for each lab in order: what `progress.report` gives, and how its questions are answered."""
    done = progress.answers()
    asked = {lab.name: questions.counts(lab, done) for lab in curriculum.labs.values()}
    return [row | asked[row["lab"]] for row in progress.report(curriculum)]


def exercise_rows(
    lab: Lab,
    known: dict[str, Exercise] | None = None,
    done: dict[tuple[str, str], dict[str, Any]] | None = None,
) -> list[dict[str, Any]]:
    """Return one dict for each exercise of `lab`: its card, and the learner's state, tries, hints and diagnosis.

    Args:
        lab: the lab.
        known: its exercises, where they are at hand.
        done: what `progress.states` gives, where it is at hand.
    """
    known = exercises(lab) if known is None else known
    done = progress.states() if done is None else done
    empty = {"state": "blank", "tries": 0, "hints": 0, "diagnosis": ""}
    return [
        {
            "exercise": name,
            "points": exercise.points,
            "minutes": exercise.minutes,
            "difficulty": exercise.difficulty,
            **done.get((lab.name, name), empty),
        }
        for name, exercise in known.items()
    ]


def hint_command(curriculum: Curriculum, name: str | None, lab_name: str | None) -> None:
    """Print the next hint of an exercise.

    Raises:
        LabsError: there is no such lab or exercise, or two labs have one of that name.
    """
    from labs.kit.feedback import hint_card

    lab, exercise = _exercise(curriculum, name, lab_name)
    known = exercises(lab)[exercise]
    print(hint_card(known, progress.next_hint(lab.name, exercise, len(known.hints))).text)


def _exercise(curriculum: Curriculum, name: str | None, lab_name: str | None) -> tuple[Lab, str]:
    here = curriculum.lab(lab_name) if lab_name else where.go_on(curriculum)
    if name is None:
        left = where.unpassed(here)
        if not left:
            raise LabsError(
                f"You have passed all of {here.name}: `labs hint EXERCISE` shows a hint all the same."
            )
        return here, left[0]
    if name in exercises(here):
        return here, name
    holders = [lab for lab in curriculum.labs.values() if name in exercises(lab)] if not lab_name else []
    if len(holders) > 1:
        raise LabsError(
            f"Several labs have an exercise `{name}`: add --lab {' or --lab '.join(h.name for h in holders)}."
        )
    if not holders:
        every = [n for lab in ([here] if lab_name else curriculum.labs.values()) for n in exercises(lab)]
        raise LabsError(
            unknown("exercise", name, every) + f" `labs progress {here.name}` lists those of a lab."
        )
    return holders[0], name


def check_command(curriculum: Curriculum, name: str | None, seconds: int, as_json: bool) -> int:
    """Print what the checks of a notebook find, and return the exit status.

    Raises:
        LabsError: there is no such notebook, it is none of a lab, or it cannot be run to its end.
    """
    from rich.console import Console
    from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

    from labs.kit.command.check import PASSED, check

    name = name or where.go_on(curriculum).name
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("Running the cells", total=None)
        found = check(curriculum, name, seconds, lambda done, of: bar.update(task, completed=done, total=of))
    passed = sum(one.state == PASSED for one in found)
    if as_json:
        print(json.dumps([vars(one) for one in found], indent=2, ensure_ascii=False))
    else:
        print("\n\n".join(one.text for one in found))
        print(f"\n{passed} of {len(found)} passed.")
    return int(passed < len(found))


def _table(columns: dict[str, str], rows: list[list[str]]) -> None:
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    for number, (name, side) in enumerate(columns.items()):
        table.add_column(name, justify=side, no_wrap=not number)
    for row in rows:
        table.add_row(*row)
    Console().print(table)
