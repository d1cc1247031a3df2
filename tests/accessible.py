"""What axe-core finds on a page, kept to what keeps people out."""

from pathlib import Path
from typing import Any

AXE = Path(__file__).with_name("axe.min.js")
SERIOUS = ("serious", "critical")


def complaints(page: Any, where: str = "html", but: tuple[str, ...] = ()) -> list[str]:
    """Return one sentence for each place that axe-core finds serious or critical.

    Args:
        page: a page of Playwright's.
        where: selects the part of the page to look at.
        but: selectors of parts to leave out.
    """
    page.evaluate(AXE.read_text("utf-8"))
    context = {"include": [where], "exclude": list(but)}
    found = page.evaluate("context => axe.run(context).then(found => found.violations)", context)
    return [
        f"{rule['id']}: {node['html']} {node['failureSummary']}"
        for rule in found
        if rule["impact"] in SERIOUS
        for node in rule["nodes"]
    ]
