"""Where a learner stands: the lab they were in, and the one to go on with.

Who has them at hand already gives `done`, what `progress.states` returns, and `known`, which returns the exercises of
a lab: reading either costs files.
"""

from collections.abc import Callable, Mapping
from typing import Any

from labs.kit import progress
from labs.kit.curriculum import Curriculum, Lab
from labs.kit.errors import LabsError
from labs.kit.load import exercises

Done = Mapping[tuple[str, str], Mapping[str, Any]]
Known = Callable[[Lab], Mapping[str, Any]]


def current(curriculum: Curriculum) -> Lab | None:
    """Return the lab in which something was checked or asked last, or None for a newcomer."""
    known = [event["lab"] for event in progress.events() if event["lab"] in curriculum.labs]
    return curriculum.labs[known[-1]] if known else None


def go_on(curriculum: Curriculum, done: Done | None = None, known: Known = exercises) -> Lab:
    """Return the lab to open: the current one until all of it has passed, then the next that has not.

    Raises:
        LabsError: there is no lab at all.
    """
    _refuse_empty(curriculum)
    here = current(curriculum)
    if here is None:
        return curriculum.labs[curriculum.order[0]]
    done = progress.states() if done is None else done
    return here if unpassed(here, done, known) else following(curriculum, done, known) or here


def following(curriculum: Curriculum, done: Done | None = None, known: Known = exercises) -> Lab | None:
    """Return the first lab after the current one that is not done, then the first of all; None if all are.

    Raises:
        LabsError: there is no lab at all.
    """
    _refuse_empty(curriculum)
    here = current(curriculum)
    done = progress.states() if done is None else done
    labs = [curriculum.labs[name] for name in curriculum.order]
    place = labs.index(here) + 1 if here else 0
    others = (lab for lab in labs[place:] + labs[:place] if lab != here)
    return next((lab for lab in others if unpassed(lab, done, known)), None)


def unpassed(lab: Lab, done: Done | None = None, known: Known = exercises) -> list[str]:
    """Return the names of the exercises of `lab` that have not passed, in order."""
    done = progress.states() if done is None else done
    return [name for name in known(lab) if done.get((lab.name, name), {}).get("state") != "passed"]


def _refuse_empty(curriculum: Curriculum) -> None:
    if not curriculum.labs:
        raise LabsError("There is no lab here: go to the folder of an assignment, and type this there.")
