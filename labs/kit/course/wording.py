"""Words for students and teachers: numbers of things, and what is said of a grading that did not go as usual."""

UNREADABLE = "There was no notebook in it that could be read, so nothing could be graded."
NO_PYTHON = "The cells of the notebook could not be read as Python."
TAMPERING = (
    "The process in which this exercise ran answered as only code that interferes with grading can make it."
)


def count(number: int, noun: str) -> str:
    """Return `1 student`, `2 students`; thousands have a comma."""
    return f"{number:,} {noun}{'s' * (number != 1)}"


def renamed(exercise: str, others: list[str]) -> str:
    """Return what to say where no cell defines an exercise; `others` are names that its cell defines instead."""
    if others:
        return f"The cell of `{exercise}` defines `{others[0]}`: keep the name that the exercise gives."
    return f"No cell defines `{exercise}`: the cell is missing, or its name was changed."


def replaced(names: list[str]) -> str:
    """Return, to the teacher, what of the libraries a notebook had replaced."""
    listed = ", ".join(names)
    return f"The notebook replaced {listed}; that was put back before the exercise was looked at."


def swayed(passes: list, mended: set[str], threads: list[str]) -> str:
    """Return, to the teacher, why evidence that passes is not believed; nothing if it is.

    Args:
        passes: decoys that passed.
        mended: what of the libraries the exercise replaced while it was looked at.
        threads: what the cells had left running beside it.
    """
    if passes:
        return "Where this notebook ran, an answer known to be wrong passed as well, so it sways how answers look."
    if mended:
        return f"The exercise replaces {', '.join(sorted(mended))} while it is looked at."
    if threads:
        return (
            f"A cell left a thread running beside the exercise ({', '.join(threads)}), which could sway it."
        )
    return ""
