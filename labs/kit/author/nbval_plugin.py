"""The pytest plugin that closes nbval's holes: `pytest -p labs.kit.author.nbval_plugin --nbval ...`.

Strict (`--nbval`), it holds notebooks/worked to its stored outputs; lax (`--nbval-lax`), it proves that
notebooks/learn runs. It replaces nbval's notebook and cell by its own, adds a default timeout and prints
what each notebook cost. Where `LABS_NOTEBOOK_TABLE` is set, the table is appended there in Markdown.
"""

import importlib.metadata
import os
import sys
from pathlib import Path

import pytest

from labs.kit.author.nbval_cost import as_lines, as_markdown, packed, unpacked
from labs.kit.author.nbval_order import longest_first, remember

# jsonschema, which nbformat imports, imports this one eagerly for a check that notebooks do not use; it
# takes seconds of CPU. pytest loads this plugin before nbval's, hence before nbformat (jsonschema#1428).
sys.modules.setdefault("rfc3987_syntax", None)

CELL_SECONDS = 300.0
NBVALS_CELL_SECONDS = 2000.0

WHOLE_NOTEBOOKS = ("no", "each", "loadscope", "loadfile")
"""The ways of xdist that keep a notebook's cells on one worker."""


def _active(config: pytest.Config) -> bool:
    return getattr(config.option, "nbval", False) or getattr(config.option, "nbval_lax", False)


def _refuse_what_cannot_work(config: pytest.Config) -> None:
    version = importlib.metadata.version("nbval")
    if not version.startswith("0.11."):
        raise pytest.UsageError(
            f"labs.kit.author.nbval_plugin is made for nbval 0.11 and found {version}: install nbval==0.11.0"
        )
    way = getattr(config.option, "dist", "no")
    if way not in WHOLE_NOTEBOOKS:
        raise pytest.UsageError(f"--dist {way} tears notebooks apart: use --dist loadscope")


def pytest_configure(config: pytest.Config) -> None:
    """Refuse what cannot work and set the defaults."""
    if not _active(config):
        return
    _refuse_what_cannot_work(config)
    # nbval alone can declare the option's default; who asks for exactly that long gets ours.
    if config.option.nbval_cell_timeout == NBVALS_CELL_SECONDS:
        config.option.nbval_cell_timeout = CELL_SECONDS
    config.option.loadscopereorder = False  # xdist would order by the number of cells
    # Imported here, because nbval's classes may be other ones in a version that was refused above.
    from labs.kit.author.nbval_notebook import COSTS

    config.stash[COSTS] = []


@pytest.hookimpl(wrapper=True)
def pytest_collect_file(file_path: Path, parent: pytest.Collector) -> list:
    """Collect with the hardened class each notebook that nbval would collect with its own."""
    collected = yield
    if not _active(parent.config):
        return collected
    from nbval.plugin import IPyNbFile

    from labs.kit.author.nbval_notebook import HardenedNotebook

    return [
        HardenedNotebook.from_parent(parent, path=file_path) if type(found) is IPyNbFile else found
        for found in collected
    ]


def pytest_collection_modifyitems(items: list[pytest.Item], config: pytest.Config) -> None:
    """Let the longest notebooks begin."""
    if _active(config):
        items[:] = longest_first(items, config)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Hand the costs to the controller, where this is a worker of xdist."""
    if _active(session.config) and hasattr(session.config, "workeroutput"):
        from labs.kit.author.nbval_notebook import COSTS

        session.config.workeroutput["labs_costs"] = packed(session.config.stash[COSTS])


@pytest.hookimpl(optionalhook=True)
def pytest_testnodedown(node, error) -> None:
    """Take over the costs of a worker of xdist that has ended."""
    if _active(node.config):
        from labs.kit.author.nbval_notebook import COSTS

        node.config.stash[COSTS] += unpacked(getattr(node, "workeroutput", {}).get("labs_costs", []))


def pytest_terminal_summary(terminalreporter, config: pytest.Config) -> None:
    """Print what each notebook cost, slowest first: once, also where workers did the work."""
    if not _active(config) or hasattr(config, "workeroutput"):
        return
    from labs.kit.author.nbval_notebook import COSTS

    costs = config.stash.get(COSTS, [])
    if not costs:
        return
    remember(costs, config)
    terminalreporter.section("notebooks, slowest first")
    for line in as_lines(costs):
        terminalreporter.line(line)
    table = os.environ.get("LABS_NOTEBOOK_TABLE")
    if table:
        with open(table, "a", encoding="utf-8") as file:
            file.write(as_markdown(costs))
