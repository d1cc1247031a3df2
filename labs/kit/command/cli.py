"""The command `labs`: what can be typed. The work stands in the modules that each command imports."""

import os
import sys
from importlib.util import find_spec
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup

from labs.kit.command.course import course
from labs.kit.errors import LabsError

if TYPE_CHECKING:
    from labs.kit.curriculum import Curriculum


class Commands(TyperGroup):
    """The subcommands; a mistake that a person can mend ends in its sentence, Ctrl-C in silence."""

    def invoke(self, ctx):
        """Run the chosen subcommand."""
        try:
            return super().invoke(ctx)
        except LabsError as error:
            print(error, file=sys.stderr)
            raise typer.Exit(1) from None
        except KeyboardInterrupt:
            raise typer.Exit(130) from None


app = typer.Typer(
    cls=Commands,
    add_completion=False,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)

Names = Annotated[
    list[str] | None, typer.Argument(metavar="[LAB]...", help="Labs by name; all if none is given.")
]
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON object.")]


def _show_version(wanted: bool) -> None:
    if wanted:
        from importlib.metadata import PackageNotFoundError, version

        try:
            print(f"labs {version('tensorflow-labs')}")
        except PackageNotFoundError:
            raise LabsError("tensorflow-labs is not installed here: run `make lab` in its folder.") from None
        raise typer.Exit


@app.callback(invoke_without_command=True)
def labs(
    context: typer.Context,
    version: Annotated[
        bool, typer.Option("--version", callback=_show_version, is_eager=True, help="Print the version.")
    ] = False,
) -> None:
    """Learn TensorFlow by doing: labs in JupyterLab, with checks that say what is wrong."""
    if context.invoked_subcommand is None:
        from labs.kit.command.overview import overview

        print(overview(_curriculum()), end="")


def _curriculum() -> "Curriculum":
    from labs.kit import curriculum

    return curriculum.load()


Browser = Annotated[bool, typer.Option("--no-browser", help="Only print the address.")]
Port = Annotated[
    int | None, typer.Option(metavar="N", min=1, max=65535, help="A free one from 8888 on if not given.")
]


@app.command()
def start(
    lab: Annotated[
        str | None, typer.Argument(metavar="[LAB]", help="Its name; where you stopped if none is given.")
    ] = None,
    no_browser: Browser = False,
    port: Port = None,
    newer: Annotated[
        bool | None,
        typer.Option("--newer/--keep", help="Take a newer version of the lab without being asked, or not."),
    ] = None,
) -> None:
    """Open a lab in JupyterLab, by itself the one where you stopped.

    You work on a copy of your own; what is there already is never overwritten. A newer version of a lab
    comes with your answers carried over, and the old one is kept beside it.

    Example: [bold]labs start keras/sequential --no-browser[/bold]
    """
    from labs.kit.command.start import start as open_lab

    open_lab(_curriculum(), lab, not no_browser, port, newer)


@app.command("next")
def next_lab(no_browser: Browser = False, port: Port = None) -> None:
    """Open the next lab that you have not done.

    Example: [bold]labs next[/bold]
    """
    from labs.kit.command import where
    from labs.kit.command.start import start as open_lab

    curriculum = _curriculum()
    lab = where.following(curriculum)
    if lab is None:
        print("You have passed everything there is. `labs list` shows the labs.")
        return
    open_lab(curriculum, lab.name, not no_browser, port)


@app.command()
def check(
    notebook: Annotated[
        str | None, typer.Argument(metavar="[NOTEBOOK]", help="A notebook's path or a lab's name.")
    ] = None,
    seconds: Annotated[int, typer.Option(metavar="N", min=1, help="How long one cell may take.")] = 300,
    as_json: AsJson = False,
) -> None:
    """Run all checks of a saved notebook in a fresh kernel; without a name, of the lab you are in.

    The exit status is 1 unless every exercise has passed.

    Example: [bold]labs check keras/sequential[/bold]
    """
    from labs.kit.command.report import check_command

    raise typer.Exit(check_command(_curriculum(), notebook, seconds, as_json))


@app.command()
def hint(
    exercise: Annotated[
        str | None, typer.Argument(metavar="[EXERCISE]", help="Its name, as in the lab.")
    ] = None,
    lab: Annotated[str | None, typer.Option(metavar="LAB", help="The lab, if two have such a name.")] = None,
) -> None:
    """Show the next hint; without a name, for the first exercise that you have not passed.

    Example: [bold]labs hint prepare --lab keras/sequential[/bold]
    """
    from labs.kit.command.report import hint_command

    hint_command(_curriculum(), exercise, lab)


@app.command()
def reset(
    lab: Annotated[str, typer.Argument(metavar="LAB", help="Its name.")],
) -> None:
    """Begin a lab anew; what you have written is kept under a name with the date.

    Your progress stays: what has passed has passed.

    Example: [bold]labs reset keras/sequential[/bold]
    """
    from labs.kit.command import workspace

    wanted = _curriculum().lab(lab)
    kept = workspace.reset(wanted)
    print(f"{workspace.copy_of(wanted)} is fresh." + (f" What you had is {kept}" if kept else ""))


@app.command("list")
def list_labs() -> None:
    """List the labs in the order in which they build on each other.

    Example: [bold]labs list[/bold]
    """
    from rich.console import Console
    from rich.table import Table

    curriculum = _curriculum()
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("lab", no_wrap=True)
    table.add_column("title", overflow="fold")
    table.add_column("minutes", justify="right")
    table.add_column("level")
    for module in curriculum.modules:
        table.add_row(f"[bold]{module.title}[/bold]")
        for name in module.labs:
            lab = curriculum.lab(name)
            table.add_row(f"  {name}", lab.title, str(lab.minutes), lab.level)
    Console().print(table)


@app.command()
def progress(
    lab: Annotated[
        str | None, typer.Argument(metavar="[LAB]", help="A lab's name: shows each of its exercises.")
    ] = None,
    as_json: AsJson = False,
) -> None:
    """Show which exercises you have passed, of all labs or of one.

    Example: [bold]labs progress keras/sequential[/bold]
    """
    from labs.kit.command.report import progress_command

    progress_command(_curriculum(), lab, as_json)


@app.command()
def doctor(as_json: AsJson = False) -> None:
    """Say what is installed and used, and for each thing that is wrong, the command that mends it.

    The exit status is 1 if something is wrong.

    Example: [bold]labs doctor[/bold]
    """
    from labs.kit.command.doctor import command

    raise typer.Exit(command(as_json))


@app.command()
def fetch(name: Annotated[str, typer.Argument(help="The data set, for example fashion_mnist.")]) -> None:
    """Fetch the full public data set behind an embedded one.

    The labs run without it; in a lab, [bold]full=True[/bold] then uses it.

    Example: [bold]labs fetch fashion_mnist[/bold]
    """
    from labs.kit.command.fetch import command

    raise typer.Exit(command(name))


@app.command()
def build(
    names: Names = None,
    check: Annotated[
        bool, typer.Option("--check", help="Change nothing; fail where a notebook is stale.")
    ] = False,
) -> None:
    """Build the notebooks of the labs that have changed. For authors.

    Example: [bold]labs build keras/sequential[/bold]
    """
    _authors_only()
    from labs.kit.author.build import command

    raise typer.Exit(command(names or [], check=check))


@app.command()
def verify(
    names: Names = None,
    as_json: AsJson = False,
    notebooks: Annotated[
        bool,
        typer.Option(
            "--notebooks/--no-notebooks", help="Also run each learner's notebook, blank and filled."
        ),
    ] = True,
) -> None:
    """Prove that the checks accept right answers and name what is wrong with wrong ones. For authors.

    Example: [bold]labs verify keras/sequential --json[/bold]
    """
    _authors_only()
    from labs.kit.author.verify import command

    raise typer.Exit(command(names or [], json=as_json, notebooks=notebooks))


if find_spec("labs.kit.course"):  # the students' kit comes without
    app.add_typer(course)

kernels = typer.Typer(
    cls=Commands,
    rich_markup_mode="rich",
    no_args_is_help=True,
    help="Look after the kernels that open at once.\n\nExample: [bold]labs kernel status[/bold]",
)
app.add_typer(kernels, name="kernel")


@kernels.command("install")
def kernel_install() -> None:
    """Make the kernel and the panel known to Jupyter in this environment; done already by `make lab`.

    Example: [bold]labs kernel install[/bold]
    """
    from labs.kit.warm.command import install

    raise typer.Exit(install())


@kernels.command("status")
def kernel_status(as_json: AsJson = False) -> None:
    """Say what runs in the background, and why a kernel would start slowly.

    Example: [bold]labs kernel status[/bold]
    """
    from labs.kit.warm.command import status

    raise typer.Exit(status(as_json))


@kernels.command("stop")
def kernel_stop() -> None:
    """End what runs in the background; open notebooks keep their kernels.

    Example: [bold]labs kernel stop[/bold]
    """
    from labs.kit.warm.command import stop

    raise typer.Exit(stop())


def _authors_only() -> None:
    if not (find_spec("jupytext") and find_spec("labs.kit.author")):
        raise LabsError("This needs the tools of authors, which are not installed: run `make environment`.")


def main() -> None:
    """Run the command."""
    # jsonschema, which nbformat and the Jupyter server import, imports this one eagerly for a check that is
    # not used here, and it takes seconds (jsonschema#1428). What is None here counts as not installed.
    sys.modules.setdefault("rfc3987_syntax", None)
    # Whatever a subcommand imports that imports TensorFlow: its log lines are not for the person who types.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    app(prog_name="labs")
