"""One lab open in two windows: what one saves the other does not overwrite unasked, and both see the progress."""

import json

import pytest
from test_browser import FLAGS, IDLE, LAB, RIGHT, SECONDS, picture, run, type_into
from test_browser import address as address
from test_browser import executable as executable
from test_browser import folders as folders

PREPARE = f"#tensorflow-labs [data-lab='{LAB}'] [data-exercise=prepare]"
OTHER = "def make_model(image_shape, hidden_units, classes):\n    return 'typed in the second window'"
ASK_TO_SAVE = "() => { window.jupyterapp.commands.execute('docmanager:save'); }"
TEXT = "() => JSON.stringify(window.jupyterapp.shell.currentWidget.content.model.sharedModel.toJSON())"


@pytest.fixture(scope="module")
def windows(executable, address):
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable, args=FLAGS)
        pages = []
        for _ in range(2):
            page = browser.new_context(viewport={"width": 1200, "height": 900}).new_page()
            page.set_default_timeout(SECONDS)
            page.goto(address)
            page.wait_for_selector(".jp-Notebook .jp-Cell")
            page.wait_for_function(IDLE)
            page.locator(PREPARE).wait_for(state="attached")
            pages.append(page)
        yield pages
        browser.close()


def saved(folders):
    content = json.loads((folders / "work" / f"{LAB}.ipynb").read_text())
    return {cell["id"]: "".join(cell["source"]) for cell in content["cells"]}


def test_the_second_window_is_asked_before_it_overwrites_the_first(windows, folders):
    one, two = windows
    type_into(one, "exercise-prepare", RIGHT)
    one.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    assert saved(folders)["exercise-prepare"] == RIGHT
    type_into(two, "exercise-make_model", OTHER)
    two.evaluate(ASK_TO_SAVE)
    dialog = two.locator(".jp-Dialog")
    dialog.wait_for()
    picture(two, "two-windows-asked")
    dialog.locator("button.jp-mod-reject").first.click()
    dialog.wait_for(state="detached")
    assert saved(folders)["exercise-prepare"] == RIGHT
    assert "typed in the second window" in two.evaluate(TEXT)


def test_both_windows_see_what_passes_in_one(windows):
    one = windows[0]
    cells = one.evaluate("() => window.jupyterapp.shell.currentWidget.content.widgets.map(c => c.model.id)")
    for cell in cells[1 : cells.index("check-prepare") + 1]:
        if cell.startswith(("card-", "exercise-", "check-", "setup")):
            run(one, cell)
    for page in windows:
        page.locator(f"{PREPARE}[data-state=passed]").wait_for(state="attached")
