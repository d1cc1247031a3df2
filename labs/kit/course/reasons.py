"""Why something was not graded by what it does, or was graded in another way, in words for students and teachers."""

from labs.kit.course.records import Options

MOST = 40
"""How many characters of a cell's first line tell it apart."""


def named(number: int, source: str) -> str:
    """Return what to call a cell: its number among all code cells, some of them folded away, and its first line."""
    first = next((line.strip() for line in source.splitlines() if line.strip()), "")
    first = "".join(one if one.isprintable() else " " for one in first)
    first = first if len(first) <= MOST else f"{first[: MOST - 1]}…"
    return f"Code cell {number} (`{first}`)" if first else f"Code cell {number}"


def stopped(why: str, cell: str, options: Options) -> str:
    """Return why an exercise's process was ended, to the student.

    Args:
        why: one of `labs.kit.course.records.STOPPED`.
        cell: what the code cell is called that was running; empty if none was.
        options: the limits.
    """
    return _stopped(why, cell, options) + (": does it loop for ever?" if why == "time" else ".")


def left_out(why: str, cell: str, options: Options) -> str:
    """Return what to say of a cell, none of an exercise, without which the exercises were graded; see `stopped`."""
    return f"{_stopped(why, cell, options)}; the exercises were graded without it."


def not_graded(why: str) -> str:
    """Return, to the teacher, why a notebook was not graded though nothing in it says so."""
    return (
        f"{why}, and again at a second try. Is the machine out of memory, or busy with other work? Run the same "
        "command again, with a smaller `--jobs`."
    )


def another_passed(exercise: str, cell: str, first: str) -> str:
    """Return, to the teacher, which of several definitions of an exercise has passed, where not the `first` choice.

    Args:
        exercise: its name.
        cell: what the cell is called that passed.
        first: what the cell is called that was tried first.
    """
    return (
        f"`{exercise}` is defined more than once: {cell} passed and counts here; {first}, which the lab itself would "
        "have looked at, did not."
    )


def _stopped(why: str, cell: str, options: Options) -> str:
    what = cell or "Your code"
    seconds = options.cell_seconds if cell else options.exercise_seconds
    sentences = {
        "time": f"{what} ran longer than the {seconds:.0f} seconds it may",
        "memory": f"{what} took more than the {options.memory_mb} MB of memory it may",
        "disk": f"{what} wrote more than the {options.disk_mb} MB it may",
        "processes": f"{what} started more processes than it may",
        "exit": f"{what} ended the process it ran in, so nothing could be looked at",
        "tampering": f"{what} interfered with how it is graded",
    }
    return sentences.get(why, f"{what} could not be run to its end")
