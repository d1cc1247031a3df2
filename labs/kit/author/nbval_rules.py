"""What a cell must have before its output is worth comparing: rules that need no kernel."""

import hashlib

from nbformat import NotebookNode

SET_ASIDE = {
    "nbval-ignore-output": "NBVAL_IGNORE_OUTPUT",
    "nbval-skip": "NBVAL_SKIP",
    "skip-execution": None,
    "pytest-validate-ignore-output": "PYTEST_VALIDATE_IGNORE_OUTPUT",
}
"""The tags by which a cell escapes the comparison, each with the comment that does the same."""

SKIPPING = "skip-execution"
"""nbclient's tag for a cell that is not run; nbval knows it not and would run it."""


def source_sha256(source: str) -> str:
    """Return the hash that the build keeps beside an output, of the cell's source text."""
    return hashlib.sha256(source.encode()).hexdigest()


def tags(cell: NotebookNode) -> list[str]:
    """Return the cell's tags; none where they are not a list of words."""
    found = cell.metadata.get("tags")
    return [tag for tag in found if isinstance(tag, str)] if isinstance(found, list) else []


def reason_fault(cell: NotebookNode) -> str | None:
    """Return what is wrong where a cell is set aside and does not say why."""
    lines = [line.strip() for line in cell.source.splitlines()]
    comments = {line.lstrip("#").strip() for line in lines if line.startswith("#")}
    used = [tag for tag, comment in SET_ASIDE.items() if tag in tags(cell) or comment in comments]
    if used and not any(tag.startswith("because-") and tag != "because-" for tag in tags(cell)):
        return f"{used[0]} needs a reason: add a tag such as because-timings"
    return None


def never_run_fault(cell: NotebookNode) -> str | None:
    """Return what is wrong where a cell has code and was never run.

    nbval runs such a cell and compares nothing: it passes whatever it prints.
    """
    if cell.source.strip() and cell.execution_count is None:
        return "has never been run: run `labs build`"
    return None


def built_here(notebook: NotebookNode) -> bool:
    """Return whether the build made this notebook, so that each output must have its source's hash."""
    return "labs" in notebook.metadata or any(_hash(cell) for cell in notebook.cells)


def stale_fault(cell: NotebookNode, built: bool) -> str | None:
    """Return what is wrong where the stored output was made by another source than the cell's."""
    if not built or not cell.source.strip():
        return None
    kept = _hash(cell)
    if kept is None:
        return "has no hash of the source that made its output: run `labs build`"
    if kept != source_sha256(cell.source):
        return "its output is older than its source: run `labs build`"
    return None


def _hash(cell: NotebookNode) -> str | None:
    ours = cell.metadata.get("labs")
    return ours.get("source_sha256") if isinstance(ours, dict) else None
