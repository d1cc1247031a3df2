"""Build the notebooks of a lab, and execute it again only when something it depends on has changed."""

import hashlib
import json
from dataclasses import dataclass
from pathlib import Path

import nbformat
from nbformat import NotebookNode
from rich.console import Console
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn, TimeElapsedColumn

from labs.kit import paths
from labs.kit.author.execute import execute, faults, stamp
from labs.kit.author.source import is_code, learner, solved, tags, without_markers
from labs.kit.curriculum import Curriculum, Lab, load
from labs.kit.errors import LabsError


@dataclass(frozen=True)
class Plan:
    """What a build of one lab has to do.

    Attributes:
        lab: the lab.
        learn, worked: the notebooks as they must be; `worked` has its outputs only if `run` is false.
        run: whether `worked` must be executed.
        stale: sentences on what differs from the files; empty when all is fresh.
    """

    lab: Lab
    learn: NotebookNode
    worked: NotebookNode
    run: bool
    stale: list[str]


def command(names: list[str], check: bool = False, folder: Path | None = None) -> int:
    """Build the labs called `names`, or all; with `check`, only say which notebooks are stale.

    Returns:
        The exit status: 1 when `check` finds something stale.

    Raises:
        LabsError: a name is unknown, or a lab does not run.
    """
    console = Console()
    curriculum = load()
    folder = folder or paths.notebooks()
    plans = [plan(lab, curriculum, folder) for lab in curriculum.select(names)]
    strays = [] if names else _strays(curriculum, folder)
    if check:
        sentences = [sentence for one in plans for sentence in one.stale]
        sentences += [f"{stray.relative_to(folder)} belongs to no lab" for stray in strays]
        for sentence in sentences:
            console.print(f"stale: {sentence}", highlight=False, soft_wrap=True)
        console.print(
            "Run `labs build`." if sentences else f"All {len(plans)} labs are fresh.", highlight=False
        )
        return int(bool(sentences))
    for stray in strays:
        stray.unlink()
        console.print(
            f"removed {stray.relative_to(folder)}: it belongs to no lab", highlight=False, soft_wrap=True
        )
    for one in plans:
        _carry_out(one, folder, console)
    return 0


def plan(lab: Lab, curriculum: Curriculum, folder: Path) -> Plan:
    """Compare the lab's source with its notebooks in `folder`."""
    marked = solved(lab, curriculum)
    learn, worked = learner(marked), without_markers(marked)
    learn.metadata.labs["source"] = _digest(_text(learn))
    worked.metadata.labs["key"] = key(lab, worked)
    stamp(worked)
    stored = _stored(_path(folder, "worked", lab))
    run = not _take_outputs(worked, stored)
    stale = []
    if _text(learn) != _read(_path(folder, "learn", lab)):
        stale.append(f"learn/{lab.name}.ipynb differs from its source")
    if run:
        stale.append(f"worked/{lab.name}.ipynb was not executed with this source, kit, data and lock")
    elif _text(worked) != _read(_path(folder, "worked", lab)):
        stale.append(f"worked/{lab.name}.ipynb differs from its source in the text around the code")
    return Plan(lab, learn, worked, run, stale)


def key(lab: Lab, notebook: NotebookNode) -> str:
    """Return a digest of all that the outputs depend on: code, checks, kit, data and lock, but no prose."""
    code = [[cell.source, tags(cell)] for cell in notebook.cells if is_code(cell)]
    kit = [*sorted((paths.LABS / "kit").glob("*.py")), paths.LABS / "__init__.py"]
    kit += [paths.LABS / "kit" / "author" / name for name in ("execute.py", "kernel_env.py")]
    parts = [json.dumps(code), lab.checks.read_text("utf-8")]
    parts += [file.read_text("utf-8") for file in kit]
    sums = (paths.data() / "SHA256SUMS").read_text("utf-8").splitlines()
    parts += [line for line in sums if line.split()[-1].split("/")[0] in lab.data]
    lock = paths.ROOT / "requirements" / "learn.txt"
    parts.append(lock.read_text("utf-8") if lock.is_file() else "")
    return _digest("\0".join(parts))


def _carry_out(one: Plan, folder: Path, console: Console) -> None:
    if one.run:
        _execute(one, console)
    for kind, notebook in (("learn", one.learn), ("worked", one.worked)):
        path = _path(folder, kind, one.lab)
        if _text(notebook) != _read(path):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(_text(notebook), "utf-8")
            console.print(f"written {kind}/{one.lab.name}.ipynb", highlight=False, soft_wrap=True)
    if not one.stale:
        console.print(f"fresh   {one.lab.name}", highlight=False, soft_wrap=True)


def _execute(one: Plan, console: Console) -> None:
    cells = sum(map(is_code, one.worked.cells))
    columns = (TextColumn("{task.description}"), BarColumn(), MofNCompleteColumn(), TimeElapsedColumn())
    with Progress(*columns, console=console, transient=True) as progress:
        task = progress.add_task(f"running {one.lab.name}", total=cells)
        execute(one.worked, lambda: progress.advance(task))
    found = faults(one.worked)
    if found:
        raise LabsError(f"{one.lab.name} stores what a reader must not see: " + "; ".join(found))


def _take_outputs(worked: NotebookNode, stored: NotebookNode | None) -> bool:
    """Give `worked` the outputs of `stored` if they came from the same code, kit, data and lock."""
    if not stored or stored.metadata.get("labs", {}).get("key") != worked.metadata.labs["key"]:
        return False
    pairs = list(zip(filter(is_code, worked.cells), filter(is_code, stored.cells), strict=False))
    if any(new.source != old.source or old.execution_count is None for new, old in pairs):
        return False
    for new, old in pairs:
        new.outputs, new.execution_count = old.outputs, old.execution_count
    return True


def _strays(curriculum: Curriculum, folder: Path) -> list[Path]:
    wanted = {_path(folder, kind, lab) for kind in ("learn", "worked") for lab in curriculum.labs.values()}
    built = [path for kind in ("learn", "worked") for path in (folder / kind).rglob("*.ipynb")]
    return sorted(path for path in built if path not in wanted and ".ipynb_checkpoints" not in path.parts)


def _path(folder: Path, kind: str, lab: Lab) -> Path:
    return folder / kind / f"{lab.name}.ipynb"


def _stored(path: Path) -> NotebookNode | None:
    try:
        return nbformat.reads(path.read_text("utf-8"), as_version=4)
    except (OSError, ValueError):
        return None


def _read(path: Path) -> str:
    return path.read_text("utf-8") if path.is_file() else ""


def _text(notebook: NotebookNode) -> str:
    return nbformat.writes(notebook) + "\n"


def _digest(text: str) -> str:
    return hashlib.sha256(text.encode()).hexdigest()
