"""Where a learner stands: the lab they were in, and the one to go on with."""

from labs.kit import progress
from labs.kit.curriculum import Curriculum, Lab
from labs.kit.load import exercises


def current(curriculum: Curriculum) -> Lab | None:
    """Return the lab in which something was checked or asked last, or None for a newcomer."""
    known = [event["lab"] for event in progress.events() if event["lab"] in curriculum.labs]
    return curriculum.labs[known[-1]] if known else None


def go_on(curriculum: Curriculum) -> Lab:
    """Return the lab to open: the current one until all of it has passed, then the next that has not."""
    here = current(curriculum)
    if here is None:
        return curriculum.labs[curriculum.order[0]]
    return here if not is_done(here) else following(curriculum) or here


def following(curriculum: Curriculum) -> Lab | None:
    """Return the first lab after the current one that is not done, then the first of all; None if all are."""
    here = current(curriculum)
    labs = [curriculum.labs[name] for name in curriculum.order]
    place = labs.index(here) + 1 if here else 0
    return next((lab for lab in labs[place:] + labs[:place] if not is_done(lab) and lab != here), None)


def is_done(lab: Lab) -> bool:
    """Tell whether every exercise of `lab` has passed."""
    return not unpassed(lab)


def unpassed(lab: Lab) -> list[str]:
    """Return the names of the exercises of `lab` that have not passed, in order."""
    done = progress.states()
    return [name for name in exercises(lab) if done.get((lab.name, name), {}).get("state") != "passed"]
