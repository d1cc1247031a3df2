"""A learner's first minutes, in a real browser: open a lab, answer wrong, read why, answer right."""

import json
import os
import re
import shutil
import signal
import subprocess
import sys
from pathlib import Path

import pytest
from accessible import complaints

from labs.kit import progress
from labs.kit.warm import command as warm

LAB = "keras/sequential"
BROWSERS = ("chromium", "chromium-browser", "google-chrome")
FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--no-first-run",
)
WRONG = "def prepare(image, label):\n    return tf.cast(image, tf.float32), label"
RIGHT = "def prepare(image, label):\n    return tf.cast(image, tf.float32) / 255.0, label"
SECONDS = 120_000


@pytest.fixture(scope="module")
def executable():
    found = next(filter(None, map(shutil.which, BROWSERS)), None)
    if not found:
        pytest.skip("no Chromium")
    return found


@pytest.fixture(scope="module")
def folders(tmp_path_factory):
    return tmp_path_factory.mktemp("learner")


@pytest.fixture(scope="module")
def address(folders):
    """Start JupyterLab as a learner on a machine without a screen does, and give the address it prints."""
    names = ("CONFIG_DIR", "DATA_DIR", "RUNTIME_DIR")
    env = os.environ | {f"JUPYTER_{name}": str(folders / name.lower()) for name in names}
    env |= {f"JUPYTERLAB_{name}_DIR": str(folders / name.lower()) for name in ("SETTINGS", "WORKSPACES")}
    env |= {"LABS_HOME": str(folders / "home"), "LABS_WORKSPACE": str(folders / "work")}
    env |= {"IPYTHONDIR": str(folders / "ipython"), "JUPYTER_PREFER_ENV_PATH": "1"}
    env |= {"LABS_WARM_FOLDER": str(folders / "warm")}
    config = folders / "config_dir" / "jupyter_lab_config.json"
    config.parent.mkdir()
    config.write_text(json.dumps({"LabApp": {"expose_app_in_browser": True}}))
    command = [Path(sys.executable).with_name("labs"), "start", LAB, "--no-browser"]
    with subprocess.Popen(command, env=env, stdout=subprocess.PIPE, text=True) as server:
        try:
            for line in server.stdout:
                if found := re.search(r"http://\S+token=\w+", line):
                    yield found[0]
                    break
            else:
                pytest.fail("`labs start` printed no address")
            server.send_signal(signal.SIGINT)
            server.wait(60)
        finally:
            server.kill()  # one that does not end must not keep the tests waiting for ever
    subprocess.run([command[0], "kernel", "stop"], env=env, stdout=subprocess.DEVNULL, check=True)


@pytest.fixture(scope="module")
def page(executable, address):
    """Open the lab and wait until its kernel is idle."""
    playwright = pytest.importorskip("playwright.sync_api")
    with playwright.sync_playwright() as driver:
        browser = driver.chromium.launch(executable_path=executable, args=FLAGS)
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        page.set_default_timeout(SECONDS)
        page.goto(address)
        page.wait_for_selector(".jp-Notebook .jp-Cell")
        page.wait_for_function(IDLE)
        yield page
        browser.close()


IDLE = """() => {
  const kernel = window.jupyterapp?.shell.currentWidget?.sessionContext?.session?.kernel;
  return kernel?.connectionStatus === 'connected' && kernel.status === 'idle';
}"""
SELECT = """name => {
  const notebook = window.jupyterapp.shell.currentWidget.content;
  const place = notebook.widgets.findIndex(cell => cell.model.id === name);
  notebook.activeCellIndex = place;
  notebook.mode = 'command';
  notebook.node.focus();
  return notebook.scrollToItem(place, 'start').then(() => place);
}"""


def select(page, cell):
    assert page.evaluate(SELECT, cell) >= 0, f"there is no cell {cell}"
    page.wait_for_selector(".jp-mod-active.jp-Cell[data-windowed-list-index]")


def run(page, cell):
    select(page, cell)
    page.keyboard.press("Control+Enter")
    page.wait_for_function(
        "() => !document.querySelector('.jp-mod-active .jp-InputPrompt')?.innerText.includes('*')"
    )
    page.wait_for_function(IDLE)
    return page.locator(".jp-mod-active .jp-OutputArea-output").all_inner_texts()


def type_into(page, cell, text):
    select(page, cell)
    page.keyboard.press("Enter")
    page.keyboard.press("Control+A")
    page.keyboard.insert_text(text)
    page.keyboard.press("Escape")


def picture(page, name):
    """Keep a screenshot where LABS_SCREENSHOTS says, for a person to look at."""
    folder = os.environ.get("LABS_SCREENSHOTS")
    if folder:
        page.screenshot(path=Path(folder, f"{name}.png"))


@pytest.fixture(scope="module")
def started(page):
    """Run the two cells that begin every lab."""
    cells = page.evaluate("() => window.jupyterapp.shell.currentWidget.content.widgets.map(c => c.model.id)")
    begin = [name for name in cells if re.fullmatch(r"card-\d+", name)][1:3]
    picture(page, "1-opened")
    said = [run(page, cell) for cell in begin]
    assert any("TensorFlow" in text for texts in said for text in texts), said
    return page


def test_the_kernel_is_a_warm_one(started, folders, monkeypatch):
    monkeypatch.setenv("LABS_WARM_FOLDER", str(folders / "warm"))
    reasons = list(warm.reasons())
    assert reasons or sum(process["forks"] for process in warm.running()) == 1


def test_a_blank_is_told_and_does_not_block(started):
    run(started, "exercise-prepare")
    (card,) = run(started, "check-prepare")
    picture(started, "2-blank")
    assert "Still blank" in card and "working version" in card


def test_a_wrong_answer_is_diagnosed(started):
    type_into(started, "exercise-prepare", WRONG)
    run(started, "exercise-prepare")
    (card,) = run(started, "check-prepare")
    picture(started, "3-wrong")
    for part in ("Not yet", "still go up to 255", "Expected", "Got", "None of 3 cases came out right"):
        assert part in card
    status = started.locator(".jp-mod-active [role=status]")
    assert status.get_attribute("aria-label") == "Check of prepare: Not yet"
    drawing = status.locator("[role=img]")
    assert drawing.is_visible() and "numbers differ; first at [" in drawing.get_attribute("aria-label")


def test_the_next_hint_is_in_the_card(started):
    hint = started.locator(".jp-mod-active details.labs-hint")
    assert (hint.get_attribute("data-lab"), hint.get_attribute("data-number")) == (LAB, "1")
    assert not hint.locator("p").first.is_visible()
    hint.locator("summary").focus()
    started.keyboard.press("Enter")
    hint.locator("p").first.wait_for(state="visible")
    assert "dtype changes" in hint.inner_text()
    picture(started, "3-wrong-and-hint")


def test_the_dark_theme_can_be_read(started):
    change = "theme => window.jupyterapp.commands.execute('apputils:change-theme', {theme})"
    started.evaluate(change, "JupyterLab Dark")
    started.wait_for_selector("body[data-jp-theme-light=false]", state="attached")
    picture(started, "4-dark")
    colour = "e => getComputedStyle(e).color"
    text = started.locator(".jp-mod-active [role=status] td").first.evaluate(colour)
    assert sum(map(int, re.findall(r"\d+", text)[:3])) > 3 * 128, text
    assert complaints(started, ".jp-mod-active [role=status]") == []
    started.evaluate(change, "JupyterLab Light")
    started.wait_for_selector("body[data-jp-theme-light=true]", state="attached")
    assert complaints(started, ".jp-mod-active [role=status]") == []


def test_a_syntax_error_is_shown_by_python_and_does_not_block(started):
    type_into(started, "exercise-make_model", "def make_model(:")
    run(started, "exercise-make_model")
    (card,) = run(started, "check-make_model")
    assert "Still blank" in card


def test_a_right_answer_passes_and_is_remembered(started, folders, monkeypatch):
    type_into(started, "exercise-prepare", RIGHT)
    run(started, "exercise-prepare")
    (card,) = run(started, "check-prepare")
    picture(started, "5-right")
    assert "Passed" in card
    monkeypatch.setenv("LABS_HOME", str(folders / "home"))
    assert progress.states()[LAB, "prepare"]["state"] == "passed"


def test_the_learner_s_copy_is_saved_in_the_learner_s_folder(started, folders):
    started.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    saved = json.loads((folders / "work" / f"{LAB}.ipynb").read_text())
    assert RIGHT in ["".join(cell["source"]) for cell in saved["cells"]]
