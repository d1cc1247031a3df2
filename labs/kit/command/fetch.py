"""`labs fetch`: fetch a full public data set, and show how far it is."""

from rich.console import Console
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn

from labs.kit import data


def command(name: str) -> int:
    """Fetch the data set `name`, say where it is, and return the exit status.

    Raises:
        LabsError: there is no such data set, or it cannot be fetched.
    """
    columns = (
        TextColumn("{task.description}"),
        BarColumn(),
        TextColumn("{task.fields[amount]}"),
        TimeElapsedColumn(),
    )
    with Progress(*columns, console=Console(stderr=True), transient=True) as bars:
        tasks = {}

        def show(what: str, done: int, total: int) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=None, amount="")
            bars.update(tasks[what], completed=done, total=total or None, amount=_amount(what, done, total))

        print(data.fetch(name, show))
    return 0


def _amount(what: str, done: int, total: int) -> str:
    if what == "downloading":
        return f"{done / 1e6:.1f} of {total / 1e6:.1f} MB"
    return f"{done:,} of {total:,}"
