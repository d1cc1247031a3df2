"""The check's card in all its forms, and pages of the site, with axe-core in a real browser, in light and dark."""

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from accessible import complaints
from test_browser import FLAGS
from test_browser import executable as executable

from labs.kit.drawings import draw
from labs.kit.examine import STATES, examine
from labs.kit.feedback import hint_card, verdict_card
from labs.kit.sketch import sketch

ROOT = Path(__file__).resolve().parent.parent
THEMES = {  # the colours that JupyterLab gives these variables
    "light": {"--jp-content-font-color1": "rgba(0, 0, 0, 0.87)", "background": "#fff", "color": "#000"},
    "dark": {"--jp-content-font-color1": "#fff", "background": "#111", "color": "#fff"},
    "plain": {"background": "#fff", "color": "#222"},  # a page that knows nothing of JupyterLab
    "plain-dark": {"background": "#1f1f1f", "color": "#ccc"},
}
PAGES = ("index.html", "keras/sequential.html", "costs.html")


@pytest.fixture(scope="module")
def page(executable):
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser.new_page(viewport={"width": 1200, "height": 900})
        browser.close()


def pairs():
    """Return data that is drawn in every kind of drawing, and in words only."""
    image = np.random.default_rng(0).integers(1, 256, (2, 28, 28, 1), np.uint8)
    table = np.arange(12.0).reshape(3, 4)
    return {
        "row": (np.arange(5), np.arange(5) % 3),
        "longer": ([1, 2, 3], [1, 3]),
        "grid": (table, np.where(table > 6, 1000, table)),
        "mask": (table > 3, table > 5),
        "curve": (np.sin(np.arange(200) / 9), np.cos(np.arange(200) / 9)),
        "image": (image / np.float32(255), image.astype(np.float32)),
        "colours": (np.zeros((8, 9, 3)), np.ones((8, 9, 3))),
        "shapes": ("shape (4, 10)", "shape (4, 28, 10)"),
        "words": ("float32", "uint8"),
    }


def cards(double):
    """Return a card of every state, every drawing, and the hints."""

    def slip(x):
        return missing + x  # noqa: F821

    def empty(x):
        raise NotImplementedError("your turn")

    verdicts = [examine(double, attempt) for attempt in (lambda x: 2 * x, lambda x: x + 2, slip, empty)]
    assert {verdict.state for verdict in verdicts} == set(STATES)
    sketches = {name: sketch(expected, got) for name, (expected, got) in pairs().items()}
    assert [name for name, found in sketches.items() if not draw(found)] == ["words"]
    verdicts += [
        replace(verdicts[1], differs=found.get("says", ""), sketch=found) for found in sketches.values()
    ]
    shown = [verdict_card(double, verdict, 1, verdict.state != "passed", lab="a/lab") for verdict in verdicts]
    return [*shown, hint_card(double, 1), hint_card(double, 3)]


@pytest.mark.parametrize("theme", THEMES)
def test_every_card_can_be_read_by_everybody(page, double, theme):
    style = ";".join(f"{name}:{value}" for name, value in THEMES[theme].items())
    body = "".join(card.html for card in cards(double))
    page.set_content(
        f'<!doctype html><html lang="en"><head><title>Cards</title></head>'
        f'<body style="{style}"><main><h1>Cards</h1>{body}</main></body></html>'
    )
    assert complaints(page) == []
    for fold in page.locator("details").all():
        fold.locator("summary").click()
    assert complaints(page) == []


def test_what_keeps_people_out_is_found(page):
    page.set_content('<html lang="en"><title>x</title><p style="color:#ccc">pale</p><img src="data:,">')
    assert {found.split(":")[0] for found in complaints(page)} == {"color-contrast", "image-alt"}


def test_a_card_fits_a_narrow_window(page, double):
    page.set_viewport_size({"width": 360, "height": 640})
    page.set_content("".join(f"<div>{card.html}</div>" for card in cards(double)))
    assert page.evaluate("() => document.documentElement.scrollWidth <= window.innerWidth")
    page.set_viewport_size({"width": 1200, "height": 900})


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    folder = tmp_path_factory.mktemp("site")
    done = subprocess.run(
        [sys.executable, "tools/site.py", "--to", str(folder)], cwd=ROOT, capture_output=True, text=True
    )
    assert done.returncode == 0, done.stdout + done.stderr
    return folder / "html"


@pytest.mark.parametrize("name", PAGES)
@pytest.mark.parametrize("theme", ["light", "dark"])
def test_the_site_can_be_read_by_everybody(page, site, name, theme):
    page.add_init_script(f"localStorage.setItem('mode', '{theme}'); localStorage.setItem('theme', '{theme}')")
    page.goto((site / name).as_uri())
    page.wait_for_function("theme => document.documentElement.dataset.theme === theme", arg=theme)
    assert complaints(page) == []
