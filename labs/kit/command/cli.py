"""The command `labs`: what can be typed. The work stands in the modules that each command imports."""

import json
import os
import sys
from typing import TYPE_CHECKING, Annotated

import typer
from typer.core import TyperGroup

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
        print(OVERVIEW, end="")


def _curriculum() -> "Curriculum":
    from labs.kit import curriculum

    return curriculum.load()


OVERVIEW = """\
TensorFlow Labs: hands-on labs that run offline and say what is wrong with an answer.

  labs start       open the first lab in JupyterLab
  labs start LAB   open another one
  labs list        what there is to learn
  labs progress    what you have passed
  labs doctor      find out what is wrong, and what mends it
  labs --help      everything else
"""


@app.command()
def start(
    lab: Annotated[
        str | None, typer.Argument(metavar="[LAB]", help="Its name; the first lab if none is given.")
    ] = None,
    no_browser: Annotated[bool, typer.Option("--no-browser", help="Only print the address.")] = False,
    port: Annotated[
        int | None, typer.Option(metavar="N", min=1, max=65535, help="A free one from 8888 on if not given.")
    ] = None,
) -> None:
    """Open a lab in JupyterLab.

    You work on a copy of your own; what is there already is never overwritten.

    Example: [bold]labs start keras/sequential --no-browser[/bold]
    """
    from labs.kit.command.start import start as open_lab

    open_lab(_curriculum(), lab, not no_browser, port)


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
def progress(as_json: AsJson = False) -> None:
    """Show which exercises you have passed.

    Example: [bold]labs progress[/bold]
    """
    from labs.kit import progress as record

    rows = record.report(_curriculum())
    if as_json:
        print(json.dumps(rows, indent=2))
        return
    from rich.console import Console
    from rich.table import Table

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("lab", no_wrap=True)
    table.add_column("passed", justify="right")
    table.add_column("points", justify="right")
    for row in rows:
        table.add_row(
            row["lab"], f"{row['passed']} of {row['exercises']}", f"{row['points']} of {row['of_points']}"
        )
    Console().print(table)


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


kernels = typer.Typer(
    cls=Commands,
    rich_markup_mode="rich",
    no_args_is_help=True,
    help="Look after the kernels that open at once.\n\nExample: [bold]labs kernel status[/bold]",
)
app.add_typer(kernels, name="kernel")


@kernels.command("install")
def kernel_install() -> None:
    """Make the kernel known to Jupyter in this environment; done already by `make lab`.

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
    from importlib.util import find_spec

    if not find_spec("jupytext"):
        raise LabsError("This needs the tools of authors, which are not installed: run `make environment`.")


def main() -> None:
    """Run the command."""
    # jsonschema, which nbformat and the Jupyter server import, imports this one eagerly for a check that is
    # not used here, and it takes seconds (jsonschema#1428). What is None here counts as not installed.
    sys.modules.setdefault("rfc3987_syntax", None)
    # Whatever a subcommand imports that imports TensorFlow: its log lines are not for the person who types.
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    app(prog_name="labs")
