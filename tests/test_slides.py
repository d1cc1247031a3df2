"""Slides of a lab: one file that shows offline, without the solutions of its exercises."""

import re
import shutil

import pytest
from typer.testing import CliRunner

from labs.kit.command import cli
from labs.kit.course.slides import export
from labs.kit.curriculum import load

CURRICULUM = load()
NAME = "keras/sequential"


def invoke(*arguments):
    return CliRunner().invoke(cli.app, list(map(str, arguments)), prog_name="labs")


@pytest.fixture(scope="module")
def page(tmp_path_factory):
    file = tmp_path_factory.mktemp("slides") / "sequential.html"
    ran = invoke("slides", NAME, "--out", file)
    assert ran.exit_code == 0, ran.output
    return file


@pytest.mark.parametrize("name", CURRICULUM.labs)
def test_no_solution_is_on_a_slide(name):
    lab = CURRICULUM.lab(name)
    cells = export.arranged(export._worked(lab))
    shown = [cell for cell in cells if export.kind_of(cell) != export.SKIP]
    text = "\n".join(cell["source"] for cell in shown)
    assert not [cell["id"] for cell in shown if {"exercise", "check"} & set(cell["metadata"].get("tags", []))]
    for body in re.findall(r"### BEGIN SOLUTION\n(.*?)### END SOLUTION", lab.source.read_text("utf-8"), re.S):
        assert body.strip() not in text
    titles = [cell for cell in shown if cell["source"].startswith("## ") and cell["id"] != "outcomes"]
    assert all(export.kind_of(cell) == export.SLIDE for cell in titles) and len(titles) >= 9
    assert lab.title in shown[0]["source"] and "| **Time**" not in text
    assert all(outcome in shown[1]["source"] for outcome in lab.outcomes)


def test_nothing_is_fetched(page):
    text = re.sub(r"(?s)(<script>).*?(</script>)", r"\1\2", page.read_text("utf-8"))
    assert not re.findall(r"<(?:script|link|img|iframe)[^>]*(?:src|href)=[\"'](?!data:)[^\"']*", text)
    assert not re.findall(r"@import[^;]*|url\(\s*[\"']?(?:https?:|//)[^)]*\)", text)


def test_a_page_that_is_there_is_not_overwritten(page, tmp_path):
    before = page.read_bytes()
    ran = invoke("slides", NAME, "--out", page)
    assert ran.exit_code == 1 and "nothing is overwritten" in ran.stderr and page.read_bytes() == before
    ran = invoke("slides", "keras/sequental", "--out", tmp_path / "x.html")
    assert ran.exit_code == 1 and "Did you mean" in ran.stderr


def test_a_figure_below_long_code_and_a_second_question_have_slides_of_their_own():
    cells = export.arranged(export._worked(CURRICULUM.lab("foundations/tensors")))
    shown = [cell for cell in cells if export.kind_of(cell) != export.SKIP]
    alone = [cell for cell in shown if export.FIGURE in cell["metadata"].get("tags", [])]
    assert alone and all("image/png" in one["data"] for cell in alone for one in cell["outputs"])
    for cell in alone:
        code = next(one for one in shown if one["id"] == cell["id"].removesuffix("-figure"))
        assert code["source"] == cell["source"]
        assert not any("image/png" in one.get("data", {}) for one in code["outputs"])
    asked = [cell["source"] for cell in shown if re.search(r"(?m)^\*\*\d\. ", cell["source"])]
    assert len(asked) > 2 and all(len(re.findall(r"(?m)^\*\*\d\. ", text)) == 1 for text in asked)
    page = export.html(CURRICULUM.lab("foundations/tensors"), cells)
    assert page.count("A year at JFK, shape (364, 24)") == 1  # the code stands there once
    assert "A map of 364 days by 24 hours" in re.findall(r'<img alt="([^"]*)"', page)[0]
    assert "No description has been provided" not in page


def test_every_slide_can_be_reached_and_seen_whole(page, tmp_path):
    playwright = pytest.importorskip("playwright.sync_api")
    chromium = shutil.which("chromium") or shutil.which("chromium-browser") or shutil.which("google-chrome")
    if not chromium:
        pytest.skip("no Chromium")
    with playwright.sync_playwright() as start:
        browser = start.chromium.launch(executable_path=chromium, args=["--no-sandbox"])
        window = browser.new_page(viewport={"width": 1280, "height": 720}, offline=True)
        faults = []
        window.on("pageerror", lambda error: faults.append(str(error)))
        window.on("requestfailed", lambda request: faults.append(request.url))
        window.goto(page.as_uri())
        window.wait_for_function("window.Reveal && Reveal.isReady()")
        total = window.evaluate("Reveal.getTotalSlides()")
        seen = []
        for number in range(total):
            seen.append(
                window.evaluate(
                    """() => {
                        const slide = Reveal.getCurrentSlide(), box = slide.getBoundingClientRect();
                        const text = slide.innerText.slice(0, 60) || slide.querySelector("img").alt;
                        return {text, shown: box.width > 600 && box.height > 300,
                                wide: slide.scrollWidth > slide.clientWidth + 1,
                                cut: [...slide.querySelectorAll("img")].some(
                                    (image) => image.getBoundingClientRect().bottom > box.bottom + 1)};
                    }"""
                )
            )
            if number < 8:
                window.screenshot(path=str(tmp_path / f"{number}.png"))
            window.evaluate("Reveal.next()")
        assert window.evaluate("Reveal.isLastSlide() && Reveal.isLastVerticalSlide()")
        browser.close()
    assert not faults
    assert total > 25 and all(one["shown"] and one["text"].strip() for one in seen)
    assert not [one["text"] for one in seen if one["wide"] or one["cut"]]
