"""The site: every lab has its page, figures keep their words, and no link within it leads nowhere."""

import importlib.util
import json
import re
import subprocess
import sys
from html import unescape
from pathlib import Path

import pytest

from labs.kit.curriculum import load

ROOT = Path(__file__).resolve().parent.parent
CURRICULUM = load()


def maker():
    spec = importlib.util.spec_from_file_location("make_site", ROOT / "tools" / "site.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "tools/site.py", "--to", str(folder)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "html"


def test_every_lab_has_a_page_with_its_outputs_and_the_way_to_do_it(site):
    for lab in CURRICULUM.labs.values():
        text = re.sub(r"<[^>]+>", "", (site / f"{lab.name}.html").read_text())
        assert f"labs start {lab.name}" in text and "Passed" in text
        assert lab.title in unescape((site / "index.html").read_text())


def test_every_figure_keeps_its_description(site):
    for lab in CURRICULUM.labs.values():
        page = (site / f"{lab.name}.html").read_text()
        figures = re.findall(r'<img [^>]*src="[^"]*_images/[^>]*>', page)
        assert figures, lab.name
        for figure in figures:
            assert re.search(r'alt="[^"]{15,}"', figure), (lab.name, figure)


def test_every_question_keeps_its_folded_answers(site):
    for lab in CURRICULUM.labs.values():
        worked = json.loads((ROOT / "notebooks" / "worked" / f"{lab.name}.ipynb").read_text())
        prose = "".join(
            "".join(cell["source"]) for cell in worked["cells"] if cell["cell_type"] == "markdown"
        )
        summaries = re.findall(r"<details><summary>(.*?)</summary>", prose)
        page = (site / f"{lab.name}.html").read_text()
        shown = re.findall(r"<summary>((?:[^<]|</?code>)*)</summary>", page)
        rest = iter(map(unescape, shown))  # between them are folds of figures
        assert len(summaries) > 10 and all(unescape(one) in rest for one in summaries), lab.name
        # What is folded away was rendered as well: no mark of Markdown is left in it.
        folded = " ".join(re.findall(r"</summary>(.*?)</details>", page, re.S))
        assert "**" not in re.sub(r"<code.*?</code>", "", folded, flags=re.S), lab.name


def test_nothing_is_fetched_from_elsewhere(site):
    for page in site.glob("*/*.html"):
        if page.parent.name != "_static":
            assert not re.search(r"<(script|link|img)[^>]*(src|href)=\"https?://", page.read_text()), page


def test_the_site_tells_what_moved_and_what_each_lab_takes(site):
    moved, costs = ((site / f"{name}.html").read_text() for name in ("moved", "costs"))
    for lab in CURRICULUM.labs.values():
        assert f'href="{lab.name}.html"' in costs
        assert not lab.replaces or f'href="{lab.name}.html"' in moved


def test_search_knows_the_labs(site):
    index = (site / "searchindex.js").read_text()
    for name in CURRICULUM.labs:
        assert name in index


def test_a_dead_link_is_named(tmp_path):
    (tmp_path / "a.html").write_text('<a href="b.html#there"></a><a href="c.html"></a><a href="https://x.y">')
    (tmp_path / "b.html").write_text('<p id="here"></p><a href="#here"></a><a href="#gone"></a>')
    assert maker().dead_links(tmp_path) == [
        "a.html: b.html#there names a place that is not on that page",
        "a.html: c.html is not there",
        "b.html: #gone names a place that is not on that page",
    ]


def test_buttons_for_public_services_come_with_a_public_place(tmp_path):
    make = maker()
    lab = next(iter(CURRICULUM.labs.values()))
    source = tmp_path / "source"
    (source / lab.name).parent.mkdir(parents=True)
    (source / "index.md").write_text(f"# Labs\n\n```{{toctree}}\n{lab.name}\n```\n")
    cells = [{"cell_type": "markdown", "id": "a", "metadata": {}, "source": "# A lab"}]
    notebook = {"cells": cells, "metadata": {}, "nbformat": 4, "nbformat_minor": 5}
    (source / f"{lab.name}.ipynb").write_text(json.dumps(notebook))
    assert make.build(source, tmp_path / "html", "https://github.com/someone/labs") == 0
    page = (tmp_path / "html" / f"{lab.name}.html").read_text()
    path = f"notebooks/learn/{lab.name}.ipynb"
    assert f"https://colab.research.google.com/github/someone/labs/blob/main/{path}" in page
    assert "mybinder.org" in page
