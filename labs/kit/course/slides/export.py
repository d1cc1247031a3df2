"""Make slides of a solved lab: what there is to see and to ask, without the exercises' solutions.

nbconvert writes them, with reveal.js. Its own template fetches reveal.js, RequireJS, jQuery, MathJax and fonts from
the network each time it is shown; here reveal.js stands in the file, and the rest is not needed: one file, offline.
"""

import copy
import re
from pathlib import Path
from typing import Any

from labs.kit import paths
from labs.kit.course.wording import count
from labs.kit.course.writing import refuse_taken, writing
from labs.kit.curriculum import Curriculum, Lab
from labs.kit.errors import LabsError

HERE = Path(__file__).parent
SLIDE, SUBSLIDE, SKIP = "slide", "subslide", "skip"
LEFT_OUT = ("exercise", "check", "setup")
"""Tags of cells that are for a keyboard, not for a screen on a wall; the first would show the solution."""
_PARTS = re.compile(r"(?m)^(?=#{2,3} |\*\*[2-9]\. )")
"""Where a text cell goes on with another slide: at a heading, and at every question of a quiz but the first."""
FIGURE = "figure-only"
WIDTH, BESIDE_A_FIGURE = 96, 8
"""Signs in a line of code, and lines that leave room for a figure below them on a slide."""


def command(curriculum: Curriculum, name: str, out: Path) -> int:
    """Write the slides of the lab `name` to `out`, and say how many there are.

    Returns:
        0.

    Raises:
        LabsError: there is no such lab, it is not built, or `out` is there already or cannot be written.
    """
    lab = curriculum.lab(name)
    refuse_taken(out, is_file=True)
    cells = arranged(_worked(lab))
    page = html(lab, cells)
    with writing(out):
        out.parent.mkdir(parents=True, exist_ok=True)
        with open(out, "x", encoding="utf-8") as file:
            file.write(page)
    number = sum(kind_of(cell) in (SLIDE, SUBSLIDE) for cell in cells)
    print(
        f"{out}: {lab.title}, {count(number, 'slide')}. Open it in a browser: arrows go on, O shows all of them."
    )
    return 0


def arranged(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Return copies of a notebook's cells, each told to nbconvert as a slide, one below it, or nothing.

    A heading of a section begins a slide; what follows goes below it, cell by cell. The card becomes a title and a
    list of what one can do afterwards.
    """
    made = []
    for cell in copy.deepcopy(cells):
        text = cell["source"]
        tags = cell["metadata"].get("tags", [])
        if cell["id"] == "card":
            title, after = (
                re.search(r"\A# .+?(?=\n\| \|)", text, re.S),
                re.search(r"\*\*After .+", text, re.S),
            )
            made.append(_slide({**cell, "source": title[0].strip()}, SLIDE))
            outcomes = re.sub(r"\A\*\*(.+?)\*\*", r"## \1", after[0])
            made.append(_slide({**cell, "id": "outcomes", "source": outcomes}, SUBSLIDE))
        elif cell["cell_type"] == "markdown":
            # A cell may end one section and begin the next.
            for place, part in enumerate(filter(str.strip, _PARTS.split(text))):
                kind = SKIP if cell["id"] == "way-on" else SLIDE if part.startswith("## ") else SUBSLIDE
                made.append(_slide({**cell, "id": f"{cell['id'][:60]}-{place}", "source": part}, kind))
        else:
            left_out = set(tags) & set(LEFT_OUT) or "labs.start(" in text
            made += [_slide(part, SKIP if left_out else SUBSLIDE) for part in _apart(cell)]
    return made


def _apart(cell: dict[str, Any]) -> list[dict[str, Any]]:
    """Return a code cell, or where a slide cannot hold both, its code and what it prints, then its figures alone."""
    figures = [one for one in cell["outputs"] if "image/png" in one.get("data", {})]
    printed = [one for one in cell["outputs"] if one not in figures]
    texts = [cell["source"], *("".join(one.get("text", "")) for one in printed)]
    lines = sum(len(line) // WIDTH + 1 for text in texts for line in text.splitlines())
    if not figures or lines <= BESIDE_A_FIGURE:
        return [cell]
    own = {**cell["metadata"], "tags": [*cell["metadata"].get("tags", []), FIGURE]}
    alone = {**cell, "id": f"{cell['id'][:56]}-figure", "metadata": own, "outputs": figures}
    return [{**cell, "outputs": printed}, alone]


def kind_of(cell: dict[str, Any]) -> str:
    """Return what a cell is told to be."""
    return cell["metadata"]["slideshow"]["slide_type"]


def html(lab: Lab, cells: list[dict[str, Any]]) -> str:
    """Return the page."""
    import nbformat
    from nbconvert import SlidesExporter
    from traitlets.config import Config

    shown = [cell for cell in cells if kind_of(cell) != SKIP]
    notebook = nbformat.from_dict(
        {
            "cells": shown,
            "metadata": {"language_info": {"name": "python"}},
            "nbformat": 4,
            "nbformat_minor": 5,
        }
    )
    only = {"enabled": True, "remove_input_tags": {FIGURE}}
    exporter = SlidesExporter(
        config=Config(TagRemovePreprocessor=only),
        template_name="labs_slides",
        extra_template_basedirs=[str(HERE / "template")],
        exclude_input_prompt=True,
        exclude_output_prompt=True,
    )
    reveal = (HERE / "reveal.js").read_text("utf-8")
    own = {
        "title": lab.title,
        "style": (HERE / "style.css").read_text("utf-8"),
        "reveal_css": (HERE / "reveal.css").read_text("utf-8"),
        # Its map is not here, and a browser that looks for it would find a file that is not there.
        "reveal_js": re.sub(r"//# sourceMappingURL=.*", "", reveal),
    }
    page, _ = exporter.from_notebook_node(notebook, resources={"labs": own})
    return page


def _slide(cell: dict[str, Any], kind: str) -> dict[str, Any]:
    cell["metadata"] = {**cell["metadata"], "slideshow": {"slide_type": kind}}
    return cell


def _worked(lab: Lab) -> list[dict[str, Any]]:
    import nbformat

    path = paths.notebooks() / "worked" / f"{lab.name}.ipynb"
    try:
        return nbformat.read(path, as_version=4).cells
    except OSError:
        raise LabsError(
            f"The solved notebook of {lab.name} is not built: run `labs build {lab.name}`."
        ) from None
