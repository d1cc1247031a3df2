"""Run a notebook in a kernel of its own, and store what it shows in a form that does not vary by chance."""

import hashlib
import re
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path

from nbclient import NotebookClient
from nbclient.exceptions import CellExecutionError, CellTimeoutError, DeadKernelError
from nbformat import NotebookNode

from labs.kit import paths
from labs.kit.author.kernel_env import kernel_environment
from labs.kit.author.source import is_code, tags
from labs.kit.errors import LabsError
from labs.kit.warm import spec
from labs.kit.warm.sockets import own_sockets

CELL_SECONDS = 300
_ANSI = re.compile(r"\x1b\[[0-9;]*m")


def execute(notebook: NotebookNode, on_cell: Callable[[], None] = lambda: None) -> NotebookNode:
    """Run `notebook` from top to bottom in place and return it.

    Progress of the learner whose machine this is stays untouched.

    Args:
        notebook: its outputs are replaced.
        on_cell: called after each code cell.

    Raises:
        LabsError: a cell failed, ran too long or killed its kernel; the sentence names cell and error.
    """
    name = notebook.metadata.get("labs", {}).get("name", "notebook")
    spec.install()
    language = notebook.metadata.get("language_info")
    with tempfile.TemporaryDirectory(prefix="tensorflow-labs-") as folder:
        env = kernel_environment(Path(folder, "home"))
        work = Path(folder, "work")
        for place in (work, Path(folder, "home")):
            place.mkdir()
        client = NotebookClient(
            notebook,
            timeout=CELL_SECONDS,
            kernel_name=notebook.metadata.kernelspec.name,
            record_timing=False,
            resources={"metadata": {"path": str(work)}},
            on_cell_executed=lambda **_: on_cell(),
            config=own_sockets(folder),
        )
        try:
            client.execute(env=env)
        except CellExecutionError as error:
            raise LabsError(
                f"{name}: a cell failed with {error.ename}: {error.evalue}\n{_ANSI.sub('', str(error))}"
            ) from None
        except (CellTimeoutError, DeadKernelError) as error:
            raise LabsError(f"{name}: the run ended early: {error}") from None
    notebook.metadata["language_info"] = language  # the run has put this machine's Python version there
    for cell in filter(is_code, notebook.cells):
        cell.outputs = _coalesced(cell.outputs)
        cell.metadata.pop("execution", None)
    return notebook


def stamp(notebook: NotebookNode) -> None:
    """Note in each code cell which source its outputs came from."""
    for cell in filter(is_code, notebook.cells):
        cell.metadata["labs"] = {"source_sha256": hashlib.sha256(cell.source.encode()).hexdigest()}


def faults(notebook: NotebookNode) -> list[str]:
    """Return a sentence for each stored output that must not be stored: log noise, or a path of this machine."""
    here = re.compile("|".join(map(re.escape, {str(paths.ROOT), tempfile.gettempdir() + "/", sys.prefix})))
    found = []
    for cell in filter(is_code, notebook.cells):
        for output in cell.outputs:
            if output.get("name") == "stderr":
                found.append(f"cell {cell.id} writes to standard error: {output.text.strip()[:200]}")
            if output.output_type == "error" and "raises-exception" not in tags(cell):
                found.append(f"cell {cell.id} ends in an error: {output.ename}")
            texts = [output.get("text", ""), *map(str, output.get("data", {}).values())]
            if any(here.search(text[:20_000]) for text in texts):
                found.append(f"cell {cell.id} shows a path of this machine")
    return found


def _coalesced(outputs: list[NotebookNode]) -> list[NotebookNode]:
    """Join neighbouring pieces of one stream: where they break depends on the moment."""
    joined: list[NotebookNode] = []
    for output in outputs:
        last = joined[-1] if joined else None
        if last and output.output_type == last.output_type == "stream" and output.name == last.name:
            last.text += output.text
        else:
            joined.append(output)
    return joined
