"""The order in which notebooks run: the longest first, so that no worker ends alone with a long one."""

from pathlib import Path

import pytest

from labs.kit.author.nbval_cost import Cost

REMEMBERED = "labs/notebook_seconds"


def longest_first(items: list[pytest.Item], config: pytest.Config) -> list[pytest.Item]:
    """Return `items` with the cells of each notebook together and in order, and the longest notebook first.

    How long one takes is known from the last run here; before the first, its card says what it may take.
    """
    known = _cache(config).get(REMEMBERED, {}) if _cache(config) else {}
    notebooks: dict[pytest.Collector, list[pytest.Item]] = {}
    for item in items:
        notebooks.setdefault(item.parent, []).append(item)
    order = sorted(notebooks, key=lambda notebook: -_seconds(notebook, known))
    return [item for notebook in order for item in notebooks[notebook]]


def remember(costs: list[Cost], config: pytest.Config) -> None:
    """Keep how long each notebook took, for the order of the next run."""
    if _cache(config):
        known = _cache(config).get(REMEMBERED, {})
        _cache(config).set(REMEMBERED, known | {cost.notebook: cost.seconds for cost in costs})


def _seconds(notebook: pytest.Collector, known: dict[str, float]) -> float:
    place = Path(notebook.path)
    for name, seconds in known.items():
        if place.as_posix().endswith(name):
            return seconds
    metadata = getattr(getattr(notebook, "nb", None), "metadata", {})
    return metadata.get("labs", {}).get("cpu_seconds", 0.0)


def _cache(config: pytest.Config) -> pytest.Cache | None:
    return getattr(config, "cache", None)
