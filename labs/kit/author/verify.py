"""`labs verify`: prove the checks of every exercise, and that the learner's notebook always runs through."""

import json
import time
import warnings
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass

from nbformat import NotebookNode
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn
from rich.table import Table

from labs.kit.author.execute import execute
from labs.kit.author.proof import Proof, prove_lab
from labs.kit.author.source import EXERCISE, learner, solved, tags
from labs.kit.curriculum import Curriculum, Lab, load
from labs.kit.errors import LabsError
from labs.kit.load import exercises

NOTEBOOKS_AT_ONCE = 2


@dataclass(frozen=True)
class Run:
    """A run of the learner's notebook from top to bottom.

    Attributes:
        name: lab and whether the blanks were empty or filled.
        problem: why it did not reach the end; empty if it did.
        seconds: wall time.
    """

    name: str
    problem: str
    seconds: float


def command(names: list[str], json: bool = False, notebooks: bool = True) -> int:
    """Verify the labs called `names`, or all, and print a table or one JSON object.

    Args:
        names: labs; all for none.
        json: print one object instead of a table.
        notebooks: also run each learner's notebook, once with its blanks empty and once filled.

    Returns:
        The exit status: 1 if anything does not hold.

    Raises:
        LabsError: a name is unknown, or a lab cannot be read.
    """
    curriculum = load()
    chosen = curriculum.select(names)
    steps = sum(len(exercises(lab)) for lab in chosen) + 2 * len(chosen) * notebooks
    proofs: list[Proof] = []
    runs: list[Run] = []
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with (
        warnings.catch_warnings(),
        Progress(*columns, console=Console(stderr=True), transient=True) as progress,
    ):
        # Wrong answers do what Keras and NumPy warn of.
        warnings.simplefilter("ignore")
        task = progress.add_task("verifying", total=steps)
        for lab in chosen:
            progress.update(task, description=lab.name)
            for proof in prove_lab(lab, curriculum):
                proofs.append(proof)
                progress.advance(task)
        if notebooks:
            progress.update(task, description="running the learner's notebooks")
            with ThreadPoolExecutor(NOTEBOOKS_AT_ONCE) as pool:
                longest_first = sorted(chosen, key=lambda lab: -lab.cpu_seconds)
                jobs = [(lab, curriculum, filled) for lab in longest_first for filled in (False, True)]
                for run in pool.map(lambda job: run_through(*job), jobs):
                    runs.append(run)
                    progress.advance(task)
    (_print_json if json else _print_table)(proofs, runs)
    return int(not all(proof.ok for proof in proofs) or any(run.problem for run in runs))


def run_through(lab: Lab, curriculum: Curriculum, filled: bool) -> Run:
    """Run the learner's notebook of `lab` in a kernel, with its blanks empty or `filled`."""
    worked = solved(lab, curriculum)
    notebook = learner(worked)
    if filled:
        fill(notebook, {cell.id: cell.source for cell in worked.cells if EXERCISE in tags(cell)})
    begin = time.perf_counter()
    problem = ""
    try:
        execute(notebook)
    except LabsError as error:
        problem = str(error)
    state = "filled" if filled else "blank"
    return Run(f"{lab.name} ({state})", problem, round(time.perf_counter() - begin, 1))


def fill(notebook: NotebookNode, sources: dict[str, str]) -> NotebookNode:
    """Put `sources` into the cells of `notebook` with those ids, in place, and return it."""
    for cell in notebook.cells:
        cell.source = sources.get(cell.id, cell.source)
    return notebook


def _print_json(proofs: list[Proof], runs: list[Run]) -> None:
    result = {
        "exercises": [
            {
                "name": proof.name,
                "right": proof.right,
                "wrong": proof.wrong,
                "diagnoses": proof.diagnoses,
                "ok": proof.ok,
                "seconds": proof.seconds,
                "problems": proof.problems,
            }
            for proof in proofs
        ],
        "notebooks": [
            {"name": run.name, "ok": not run.problem, "seconds": run.seconds, "problem": run.problem}
            for run in runs
        ],
    }
    print(json.dumps(result, indent=2))


def _print_table(proofs: list[Proof], runs: list[Run]) -> None:
    console = Console()
    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("exercise", no_wrap=True)
    for heading in ("right", "wrong", "diagnoses", "slowest"):
        table.add_column(heading, justify="right")
    table.add_column("verdict")
    for proof in proofs:
        counts = (str(proof.right), str(proof.wrong), str(proof.diagnoses), f"{proof.seconds:.2f} s")
        table.add_row(proof.name, *counts, "holds" if proof.ok else "[bold]FAILS[/bold]")
    console.print(table)
    for run in runs:
        console.print(f"{'FAILS' if run.problem else 'runs'}  {run.name}, {run.seconds} s", highlight=False)
    problems = [f"{proof.name}: {problem}" for proof in proofs for problem in proof.problems]
    problems += [f"{run.name}: {run.problem}" for run in runs if run.problem]
    for problem in problems:
        console.print(f"- {problem}", highlight=False, markup=False)
    if not problems:
        total = sum(proof.right + proof.wrong for proof in proofs)
        console.print(f"{len(proofs)} exercises hold against {total} answers.", highlight=False)
