"""What an instructor types: `labs assign` and `labs grade`. The work stands in the modules that each imports."""

from pathlib import Path
from typing import Annotated

import typer

from labs.kit.errors import LabsError

course = typer.Typer()


def _not_in_an_assignment() -> None:
    """Refuse to work in a folder as students get it: the labs of that folder have no solutions.

    Raises:
        LabsError: the current folder is one.
    """
    from labs.kit import paths

    if paths.handed_out():
        raise LabsError("This folder is itself an assignment: type this in another.")


@course.command()
def grade(
    submissions: Annotated[
        Path, typer.Argument(metavar="SUBMISSIONS", help="A folder, a zip, or one notebook.")
    ],
    out: Annotated[Path, typer.Option("--out", metavar="FOLDER", help="Where the results go.")],
    jobs: Annotated[
        int, typer.Option("--jobs", "-j", metavar="N", min=1, help="How many notebooks at a time.")
    ] = 1,
    lab: Annotated[
        str | None, typer.Option("--lab", metavar="LAB", help="The lab of notebooks that do not name theirs.")
    ] = None,
    sandbox: Annotated[
        bool,
        typer.Option(
            "--sandbox/--no-sandbox",
            help="Lock student code up, or run it with all that you yourself may do.",
        ),
    ] = True,
    given: Annotated[
        Path | None,
        typer.Option(
            "--assignment",
            metavar="PATH",
            help="What `labs assign` wrote, folder or zip, where exercises give other points than the lab's.",
        ),
    ] = None,
    scheduler: Annotated[
        str | None,
        typer.Option("--scheduler", metavar="ADDRESS", help="Grade on a Dask cluster that is there already."),
    ] = None,
) -> None:
    """Grade what students handed in: folders, zips, a Moodle or Canvas download, an nbgrader tree.

    Each notebook runs locked up, on inputs that no student has seen. Stopped at any moment and started
    again, it goes on where it was.

    Example: [bold]labs grade week-3.zip --out graded --jobs 2[/bold]
    """
    _not_in_an_assignment()
    from labs.kit.course.grade import command

    raise typer.Exit(command(submissions, out, jobs, lab, sandbox, given, scheduler))


@course.command()
def assign(
    names: Annotated[
        list[str],
        typer.Argument(metavar="MODULE_OR_LAB...", help="What to hand out; a module is all its labs."),
    ],
    out: Annotated[
        Path,
        typer.Option(
            "--out", metavar="FOLDER", help="Where it goes: new or empty, or an nbgrader course to add to."
        ),
    ],
    form: Annotated[
        str,
        typer.Option(
            "--as",
            metavar="FORM",
            help="folder, zip, git (a repository to use as a template) or nbgrader (a course).",
        ),
    ] = "folder",
    due: Annotated[
        str,
        typer.Option(metavar="DATE", help="2026-12-01 (its last minute), or 2026-12-01T18:00+01:00."),
    ] = "",
    points: Annotated[
        list[str] | None,
        typer.Option(metavar="EXERCISE=N", help="Other points than the lab's own. May be given many times."),
    ] = None,
    title: Annotated[str, typer.Option(metavar="TEXT", help="What students read at the top.")] = "",
    hidden: Annotated[
        bool,
        typer.Option(
            "--hidden", help="Keep half of each exercise's inputs for grading only; takes a minute."
        ),
    ] = False,
    hints: Annotated[
        int,
        typer.Option(
            metavar="N", help="How many of the three hints go along; the last is nearly the answer."
        ),
    ] = 2,
) -> None:
    """Make a folder of labs to hand out: notebooks, checks, data, a README; no solutions.

    Students install the kit that lies in it, once a term, and work in the folder. Nothing that is there
    already is overwritten.

    Example: [bold]labs assign keras --out week-3 --as zip --due 2026-12-01[/bold]
    """
    _not_in_an_assignment()
    from labs.kit.course.assign import command

    raise typer.Exit(command(names, out, form, due, points, title, hidden, hints))


@course.command()
def rehearse(
    labs: Annotated[
        list[str] | None,
        typer.Argument(
            metavar="[MODULE_OR_LAB]...", help="What is handed in; foundations/tensors if none is given."
        ),
    ] = None,
    out: Annotated[
        Path,
        typer.Option("--out", metavar="FOLDER", help="Where it goes: new or empty, or an nbgrader course."),
    ] = Path("rehearsal"),
    students: Annotated[int, typer.Option("--students", metavar="N", min=1, max=9999, help="How many.")] = 40,
    seed: Annotated[
        int, typer.Option("--seed", metavar="N", min=0, help="The same seed, the same class.")
    ] = 1,
) -> None:
    """Write what an invented class hands in, to try grading on; `expected.csv` says what each must get.

    Example: [bold]labs rehearse keras/sequential --out rehearsal --students 40[/bold]
    """
    _not_in_an_assignment()
    from labs.kit.course.rehearsal import command

    raise typer.Exit(command(labs or [], out, students, seed))


@course.command()
def slides(
    lab: Annotated[str, typer.Argument(metavar="LAB", help="Its name.")],
    out: Annotated[Path, typer.Option("--out", metavar="FILE", help="The page to write; must not be there.")],
) -> None:
    """Make slides of a lab, one page that needs no network; solutions of exercises are left out.

    Example: [bold]labs slides keras/sequential --out sequential.html[/bold]
    """
    _not_in_an_assignment()
    from labs.kit import curriculum
    from labs.kit.course.slides.export import command

    raise typer.Exit(command(curriculum.load(), lab, out))
