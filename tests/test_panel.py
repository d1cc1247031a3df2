"""JupyterLab's panel in a real browser: open, fail, ask, pass, reload, begin anew; seen, heard and typed."""

import json
import re
import shutil
from datetime import date
from pathlib import Path

import pytest
from accessible import complaints
from test_browser import FLAGS, IDLE, LAB, RIGHT, SECONDS, WRONG, picture, run, type_into
from test_browser import address as address
from test_browser import executable as executable
from test_browser import folders as folders

from labs.kit import paths

PANEL = "#tensorflow-labs"
LEARNER = f"{PANEL} [data-lab='{LAB}']"
PREPARE = f"{LEARNER} [data-exercise=prepare]"
TODAY = date.today().isoformat()


@pytest.fixture(scope="module")
def browser(executable):
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def page(browser, address):
    page = browser.new_page(viewport={"width": 1200, "height": 900})
    page.set_default_timeout(SECONDS)
    page.goto(address)
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    page.wait_for_function(IDLE)
    page.locator(LEARNER).wait_for()
    return page


def unfold(page, lab=LEARNER):
    fold = page.locator(f"{lab} .tfl-fold")
    if fold.get_attribute("aria-expanded") == "false":
        fold.click()
    page.locator(f"{lab} .tfl-inside").wait_for(state="visible")


def ring(page):
    found = page.locator(f"{LEARNER} .tfl-ring")
    drawn = found.locator(".tfl-ring-part")
    return int(found.get_attribute("data-passed")), drawn.count() and drawn.get_attribute("stroke-dasharray")


def theme(page, name):
    page.evaluate(
        "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})", f"JupyterLab {name}"
    )
    light = str(name == "Light").lower()
    page.wait_for_selector(f"body[data-jp-theme-light={light}]", state="attached")
    page.wait_for_timeout(500)


def test_the_panel_is_there_at_the_first_start(page):
    picture(page, "panel-1-first-start")
    assert page.locator(PANEL).is_visible()
    assert page.locator(f"{PANEL} h2").inner_text() == "TensorFlow Labs"
    assert re.search(
        r"0 of \d+ exercises passed, about", page.locator(f"{PANEL} .tfl-count").first.inner_text()
    )
    # The keyboard stays with the notebook.
    assert not page.evaluate(f"() => document.querySelector('{PANEL}').contains(document.activeElement)")
    page.locator(f"{LEARNER} .tfl-inside").wait_for(state="visible")
    assert page.locator(f"{LEARNER} .tfl-fold").get_attribute("aria-current") == "true"
    assert "still blank" in page.locator(PREPARE).inner_text()
    picture(page, "panel-2-unfolded")


def test_the_panel_goes_to_an_exercise(page):
    page.locator(f"{PREPARE} .tfl-go").click()
    active = "() => window.jupyterapp.shell.currentWidget.content.activeCell.model.id"
    page.wait_for_function(f"({active})() === 'exercise-prepare'")
    assert page.locator(".jp-mod-active.jp-Cell").is_visible()


def test_a_wrong_answer_shows_as_soon_as_its_check_has_run(page):
    for cell in page.evaluate(
        "() => window.jupyterapp.shell.currentWidget.content.widgets.map(c => c.model.id)"
    ):
        if re.fullmatch(r"card-\d+", cell) and cell != "card-0":
            run(page, cell)
        if cell == "exercise-prepare":
            break
    type_into(page, "exercise-prepare", WRONG)
    run(page, "exercise-prepare")
    run(page, "check-prepare")
    page.locator(f"{PREPARE}[data-state=wrong]").wait_for()
    text = page.locator(PREPARE).inner_text()
    assert re.search(r"✗\s+prepare\s+not yet after 1 try", text) and "255" in text
    assert "prepare: not yet" in page.locator(f"{PANEL} [role=status]").inner_text()
    assert ring(page)[0] == 0


def test_a_hint_is_one_press_of_a_key_away(page):
    button = page.locator(f"{PREPARE} .tfl-button")
    assert button.inner_text().startswith("Hint 1 of 3")
    button.focus()
    page.keyboard.press("Enter")
    page.locator(f"{PREPARE} .tfl-hints li").wait_for()
    page.wait_for_function("e => e.innerText.startsWith('Hint 2 of 3')", arg=button.element_handle())
    assert "Hint 1 of 3 for prepare" in page.locator(f"{PANEL} [role=status]").inner_text()
    assert button.evaluate("e => e === document.activeElement")
    picture(page, "panel-3-wrong-and-hint")


def test_the_panel_can_be_seen_heard_and_typed_in_both_themes(page):
    for name in ("Dark", "Light"):
        theme(page, name)
        picture(page, f"panel-4-{name.lower()}")
        assert complaints(page, PANEL) == []
    nameless = "es => es.filter(e => e.tagName !== 'BUTTON' || !e.innerText.trim()).length"
    assert page.locator(f"{PANEL} [onclick], {PANEL} button").evaluate_all(nameless) == 0
    page.locator(f"{LEARNER} .tfl-fold").focus()
    page.keyboard.press("Tab")
    outline = page.evaluate("() => getComputedStyle(document.activeElement).outlineStyle")
    assert outline == "solid"


def test_the_ring_fills_with_a_right_answer(page):
    type_into(page, "exercise-prepare", RIGHT)
    run(page, "exercise-prepare")
    run(page, "check-prepare")
    page.locator(f"{PREPARE}[data-state=passed]").wait_for()
    passed, drawn = ring(page)
    assert passed == 1 and drawn
    picture(page, "panel-5-right")


def test_all_of_it_survives_a_reload(page):
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    page.reload()
    page.wait_for_selector(".jp-Notebook .jp-Cell")
    page.locator(f"{PREPARE}[data-state=passed]").wait_for()
    assert page.locator(PANEL).is_visible()
    assert ring(page)[0] == 1
    page.wait_for_function(IDLE)
    picture(page, "panel-6-reloaded")


def test_beginning_anew_asks_first_and_keeps_what_was_there(page, folders):
    copies = folders / "work" / Path(LAB).parent
    button = page.get_by_role("button", name=re.compile("^Begin anew"))
    button.first.click()
    page.locator(".jp-Dialog").wait_for()
    picture(page, "panel-7-dialog")
    page.keyboard.press("Escape")
    page.locator(".jp-Dialog").wait_for(state="detached")
    assert len(list(copies.glob("*.ipynb"))) == 1
    # What was typed and not yet saved is kept as well.
    type_into(page, "exercise-make_model", "def make_model():\n    return 'unsaved'")
    button.first.click()
    page.locator(".jp-Dialog .jp-mod-warn").click()
    page.locator(f"{PANEL} [role=status]", has_text="is fresh").wait_for()
    (kept,) = copies.glob(f"*{TODAY}.ipynb")
    assert "'unsaved'" in kept.read_text() and "255.0" in kept.read_text()
    text = "() => window.jupyterapp.shell.currentWidget.content.model.sharedModel.toJSON()"
    shown = json.dumps(page.evaluate(text))
    assert "unsaved" not in shown and "your turn" in shown
    page.wait_for_function(IDLE)
    # What is shown is what is on the disk: saving it asks nothing.
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    assert not page.evaluate("() => window.jupyterapp.shell.currentWidget.context.model.dirty")
    assert not page.locator(".jp-Dialog").count()
    page.locator(f"{PREPARE}[data-state=passed]").wait_for()
    picture(page, "panel-8-anew")


def test_the_launcher_has_a_card_to_go_on(page):
    page.evaluate("() => window.jupyterapp.commands.execute('launcher:create').then(() => 0)")
    card = page.locator(".jp-LauncherCard[data-category='TensorFlow Labs']", has_text="Go on")
    card.wait_for()
    picture(page, "panel-9-launcher")
    card.click()
    active = "() => window.jupyterapp.shell.currentWidget.content?.activeCell?.model.id"
    page.wait_for_function(f"({active})()?.startsWith('exercise-')")
    assert page.evaluate(f"({active})()") != "exercise-prepare"


def test_another_lab_opens_by_one_click(page, folders):
    other = f"{PANEL} [data-lab='data/pipelines']"
    unfold(page, other)
    page.locator(f"{other} .tfl-button", has_text="Open").click()
    page.wait_for_function(
        "() => window.jupyterapp.shell.currentWidget.context?.path === 'data/pipelines.ipynb'"
    )
    assert (folders / "work" / "data" / "pipelines.ipynb").is_file()


def test_a_lab_unfolds_when_it_is_first_in_front_and_then_stays_as_it_is_left(page, folders):
    name = "foundations/tensors"
    fold = page.locator(f"{PANEL} [data-lab='{name}'] .tfl-fold")
    inside = page.locator(f"{PANEL} [data-lab='{name}'] .tfl-inside")
    copy = folders / "work" / f"{name}.ipynb"
    copy.parent.mkdir(exist_ok=True)
    shutil.copy(paths.notebooks() / "learn" / f"{name}.ipynb", copy)

    def show(path):  # as the file browser does
        page.evaluate(
            f"() => window.jupyterapp.commands.execute('docmanager:open', {{path: '{path}'}}).then(() => 0)"
        )
        page.wait_for_function(f"() => window.jupyterapp.shell.currentWidget.context?.path === '{path}'")

    assert fold.get_attribute("aria-expanded") == "false"
    page.evaluate("() => window.dispatchEvent(new Event('focus'))")
    show(f"{name}.ipynb")
    inside.wait_for(state="visible")
    fold.click()
    inside.wait_for(state="hidden")
    show("data/pipelines.ipynb")
    show(f"{name}.ipynb")
    page.wait_for_function("e => e.getAttribute('aria-current') === 'true'", arg=fold.element_handle())
    assert fold.get_attribute("aria-expanded") == "false"
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save-all')")
    page.wait_for_timeout(2000)  # JupyterLab keeps the state of its page a moment after it has changed
    page.reload()
    page.locator(f"{PANEL} [data-lab='{name}'] .tfl-fold[aria-current=true]").wait_for()
    assert fold.get_attribute("aria-expanded") == "false"
    page.wait_for_function(IDLE)


def test_a_newer_version_of_a_lab_comes_with_the_answers(page, folders):
    other = f"{PANEL} [data-lab='data/pipelines']"
    copy = folders / "work" / "data" / "pipelines.ipynb"
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save-all')")
    page.evaluate("() => window.jupyterapp.commands.execute('application:close-all')")
    older = json.loads(copy.read_text())
    older["metadata"]["labs"]["source"] = "an older version"
    copy.write_text(json.dumps(older))
    page.locator(f"{other} .tfl-button", has_text="Open").click()
    page.wait_for_function(
        "() => window.jupyterapp.shell.currentWidget.context?.path === 'data/pipelines.ipynb'"
    )
    page.wait_for_function(IDLE)
    cells = page.evaluate("() => window.jupyterapp.shell.currentWidget.content.widgets.map(c => c.model.id)")
    exercise = next(cell for cell in cells if cell.startswith("exercise-"))
    type_into(page, exercise, "mine = 'typed and not saved'")
    page.locator(f"{other} .tfl-button", has_text="Take the newer version").click()
    page.locator(f"{PANEL} [role=status]", has_text="with your answers to").wait_for()
    picture(page, "panel-10-newer")
    text = "() => window.jupyterapp.shell.currentWidget.content.model.sharedModel.toJSON()"
    shown = page.evaluate(text)
    assert shown["metadata"]["labs"]["source"] != "an older version"
    assert "mine = 'typed and not saved'" in ["".join(cell["source"]) for cell in shown["cells"]]
    assert copy.with_stem(f"pipelines-{TODAY}").is_file()
    assert not page.locator(".jp-Dialog").count()


def test_a_server_that_is_gone_is_told(page):
    page.route("**/tensorflow-labs/**", lambda route: route.abort())
    page.locator(f"{LEARNER} .tfl-button", has_text="Open").click()
    page.locator(f"{PANEL} [role=alert]", has_text="does not answer").wait_for()
    page.unroute("**/tensorflow-labs/**")
    page.evaluate("() => window.dispatchEvent(new Event('focus'))")
    page.wait_for_function(f"() => !document.querySelector('{PANEL} [role=alert]').innerText")


def test_the_last_hint_does_not_take_the_focus_away(page):
    other = f"{PANEL} [data-lab='data/pipelines'] .tfl-exercise:last-child"
    button = page.locator(f"{other} .tfl-button")
    button.focus()
    for number in range(1, 4):
        page.wait_for_function(
            "([e, n]) => e.innerText.startsWith(`Hint ${n} of`)", arg=[button.element_handle(), number]
        )
        page.keyboard.press("Enter")
    page.wait_for_function("e => e.innerText.startsWith('No more hints')", arg=button.element_handle())
    assert button.evaluate("e => e === document.activeElement")
    assert page.locator(f"{other} .tfl-hints li").count() == 3
    # However long a line of code in a hint is, nothing is cut off at the side.
    assert page.locator(PANEL).evaluate("e => e.scrollWidth <= e.clientWidth")


def test_where_the_labs_lie_elsewhere_the_panel_says_so_and_offers_no_more(page):
    def elsewhere(route):
        answer = route.fetch()
        found = answer.json()
        for lab in (lab for module in found["modules"] for lab in module["labs"]):
            lab["path"] = None
        route.fulfill(response=answer, json=found | {"home": False})

    page.route("**/tensorflow-labs/state*", elsewhere)
    page.evaluate("() => window.dispatchEvent(new Event('focus'))")
    page.locator(PANEL, has_text="which this JupyterLab does not show").wait_for()
    picture(page, "panel-11-elsewhere")
    page.evaluate("() => window.jupyterapp.commands.execute('launcher:create').then(() => 0)")
    assert page.locator(".jp-LauncherCard").count()
    assert not page.locator(".jp-LauncherCard[data-category='TensorFlow Labs']").count()
    labels = page.locator(f"{PANEL} .tfl-button").all_inner_texts()
    assert labels and all("hint" in label.lower() for label in labels)
    assert complaints(page, PANEL) == []
    page.unroute("**/tensorflow-labs/state*")
