"""The questions of a lab's prose in a real browser: answered, explained, remembered; seen, heard and typed."""

import json
import os
import re
import subprocess
import sys
from pathlib import Path

import pytest
from accessible import complaints
from test_browser import IDLE, LAB, SECONDS, picture, select
from test_browser import address as address
from test_browser import executable as executable
from test_browser import folders as folders
from test_panel import LEARNER, PANEL, theme, unfold
from test_panel import browser as browser

from labs.kit import curriculum, progress
from labs.kit.command.questions import questions

CELLS = """() => window.jupyterapp.shell.currentWidget.content.widgets
  .map(cell => [cell.model.id, cell.model.getMetadata('labs')])"""


def opened(page, address):
    page.set_default_timeout(SECONDS / 4)
    page.goto(address, timeout=SECONDS)
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=SECONDS)
    page.wait_for_function(IDLE, timeout=SECONDS)
    page.locator(LEARNER).wait_for(state="attached")
    return page


@pytest.fixture(scope="module")
def page(browser, address):
    return opened(browser.new_page(viewport={"width": 1200, "height": 900}), address)


@pytest.fixture
def told(folders, monkeypatch):
    """Return what is remembered of the answers to the lab's questions."""
    monkeypatch.setenv("LABS_HOME", str(folders / "home"))
    return lambda: {question: entry for (lab, question), entry in progress.answers().items() if lab == LAB}


def first(kind, asks=""):
    """Return the first question of a kind whose text has `asks`, as the notebook holds it."""
    found = questions(curriculum.load().lab(LAB)).values()
    return next(one for one in found if one["kind"] == kind and asks in one["asks"])


def form(page, question):
    """Go to the cell of a question, and return its form."""
    cells = page.evaluate(CELLS)
    asked = lambda labs: [one["id"] for one in (labs or {}).get("questions", ())]  # noqa: E731
    select(page, next(cell for cell, labs in cells if question["id"] in asked(labs)))
    found = page.locator(f".tfl-question[data-question='{question['id']}']")
    found.wait_for()
    found.scroll_into_view_if_needed()
    return found


def check(found, state):
    found.locator("[type=submit]").click()
    found.page.locator(
        f".tfl-question[data-question='{found.get_attribute('data-question')}'][data-state={state}]"
    ).wait_for()
    return found.locator("[role=status]").inner_text()


def test_every_question_of_the_lab_has_a_form(page):
    for question in questions(curriculum.load().lab(LAB)).values():
        found = form(page, question)
        assert found.get_attribute("data-state") == "blank"
        # The folds are there, and out of sight until they are asked for.
        fold = found.locator("xpath=following-sibling::details").first
        assert fold.count() and not fold.is_visible()
    picture(page, "questions-1-blank")


def test_one_choice_is_explained_and_may_be_changed(page, told):
    question = first("one", "white pixel")
    found = form(page, question)
    found.locator("[type=submit]").click()
    assert "Choose one first" in found.locator("[role=status]").inner_text()
    wrong = next(n for n in range(3) if n not in question["right"])
    found.locator("label").nth(wrong).click()
    said = check(found, "wrong")
    assert "Not yet." in said and "after you scale it" in said
    picture(page, "questions-2-one-wrong")
    found.locator("label").nth(question["right"][0]).click()
    assert "✓ Right" in check(found, "right")
    page.wait_for_timeout(500)
    assert told()[question["id"]] == {"first": False, "right": True, "value": ["255"], "tries": 2}
    found.get_by_role("button", name="Show every reason").click()
    assert found.locator("xpath=following-sibling::details").first.is_visible()
    found.get_by_role("button", name="Show every reason").click()


def test_a_number_says_what_went_wrong(page, told):
    question = first("number", "784 numbers")
    found = form(page, question)
    field = found.get_by_label("Your number")
    field.fill("many")
    found.locator("[type=submit]").click()
    assert "Type one number" in found.locator("[role=status]").inner_text()
    field.fill("2,352")
    assert "also has a bias" in check(found, "wrong")
    picture(page, "questions-3-number-wrong")
    field.fill("9999")
    found.locator("[type=submit]").click()
    found.locator("[role=status]", has_text="too large").wait_for()
    field.fill("2355")
    field.press("Enter")
    found.locator("[role=status]", has_text="Right").wait_for()
    page.wait_for_timeout(500)
    assert told()[question["id"]] == {"first": False, "right": True, "value": 2355, "tries": 3}


def test_an_order_is_arranged_by_keys_alone(page, told):
    question = first("order")
    found = form(page, question)
    assert "does not stand" in check(found, "wrong")
    wanted = [question["options"][place] for place in question["right"]]
    for place, step in enumerate(wanted):
        while (now := found.locator("li[data-step]").evaluate_all("es => es.map(e => e.dataset.step)")).index(
            step
        ) > place:
            up = found.get_by_role("button", name=f"Move up: {step}")
            up.focus()
            page.keyboard.press("Enter")
            assert up.evaluate("e => e === document.activeElement"), "the focus was lost"
            assert f"now at place {now.index(step)}" in found.locator("[role=status]").inner_text()
    assert [*found.locator("li[data-step]").evaluate_all("es => es.map(e => e.dataset.step)")] == wanted
    assert "Right" in check(found, "right")
    picture(page, "questions-4-order-right")
    page.wait_for_timeout(500)
    assert told()[question["id"]]["value"] == wanted


def test_several_choices_by_keys_alone(page, told):
    question = first("several")
    found = form(page, question)
    found.locator("input").first.focus()
    page.keyboard.press("Space")
    assert "One that holds is missing" in check(found, "wrong")
    found.locator("input").first.focus()
    for _ in range(2):
        page.keyboard.press("Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    found.locator("[role=status]", has_text="flatters").wait_for()
    picture(page, "questions-5-several-wrong")
    page.keyboard.press("Space")
    page.keyboard.press("Shift+Tab")
    page.keyboard.press("Space")
    page.keyboard.press("Enter")
    found.locator("[role=status]", has_text="Right, and nothing else").wait_for()
    # Neither keys nor clicks have opened the cell's source.
    assert page.evaluate("() => window.jupyterapp.shell.currentWidget.content.mode") == "command"


def test_choices_are_reached_and_changed_by_keys_without_leaving_the_cell(page):
    question = first("one", "one-hot")
    found = form(page, question)
    active = "() => window.jupyterapp.shell.currentWidget.content.activeCellIndex"
    before = page.evaluate(active)
    found.locator("input").first.focus()
    page.keyboard.press("Space")
    page.keyboard.press("ArrowDown")
    assert found.locator("input").nth(1).is_checked() and page.evaluate(active) == before


def test_it_can_be_seen_and_heard_in_both_themes(page):
    for name in ("Dark", "Light"):
        theme(page, name)
        found = form(page, first("order"))
        picture(page, f"questions-6-{name.lower()}")
        form(page, first("number", "784"))
        picture(page, f"questions-7-{name.lower()}")
        assert complaints(page, ".tfl-question") == []
    assert found.locator("fieldset legend").text_content() == first("order")["asks"]


def test_a_cell_that_is_edited_and_rendered_again_keeps_its_form(page):
    question = first("one", "one-hot")
    found = form(page, question)
    assert found.locator("input").nth(1).is_checked(), "what was chosen and not yet checked is gone"
    page.locator(".jp-mod-active .jp-MarkdownOutput h3").dblclick()
    page.wait_for_function("() => !window.jupyterapp.shell.currentWidget.content.activeCell.rendered")
    assert not found.count() or not found.is_visible()
    page.keyboard.press("Control+Enter")
    found.wait_for()
    assert found.locator("input").nth(1).is_checked()
    # Once its choices are rewritten, it is prose again.
    cell = "window.jupyterapp.shell.currentWidget.content.activeCell"
    source = page.evaluate(f"() => {cell}.model.sharedModel.source")
    changed = source.replace("<summary>More epochs<", "<summary>Far more epochs<")
    assert changed != source
    other = page.locator(f".tfl-question[data-question='{first('one', 'Training accuracy 99')['id']}']")
    for text, there in ((changed, 0), (source, 1)):
        page.evaluate(f"text => {{ {cell}.model.sharedModel.source = text; }}", text)
        page.wait_for_function(
            "([id, n]) => document.querySelectorAll(`[data-question='${id}']`).length === n",
            arg=[
                other.evaluate("e => e.dataset.question")
                if other.count()
                else first("one", "Training accuracy 99")["id"],
                there,
            ],
        )


def test_answers_survive_a_reload_and_show_in_the_panel_and_the_terminal(page, folders):
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save')")
    page.reload()
    page.wait_for_selector(".jp-Notebook .jp-Cell", timeout=SECONDS)
    page.wait_for_function(IDLE, timeout=SECONDS)
    found = form(page, first("number", "784"))
    found.locator("[role=status]", has_text="Right").wait_for()
    assert found.get_by_label("Your number").input_value() == "2355"
    assert form(page, first("order")).get_attribute("data-state") == "right"
    assert form(page, first("several")).locator("input:checked").count() == 2
    unfold(page)
    asked = len(questions(curriculum.load().lab(LAB)))
    page.locator(LEARNER, has_text=f"4 of {asked} questions answered, 0 right at once").wait_for()
    picture(page, "questions-8-reloaded")
    command = [Path(sys.executable).with_name("labs"), "progress", LAB]
    env = os.environ | {"LABS_HOME": str(folders / "home")}
    printed = subprocess.run(command, env=env, capture_output=True, text=True, check=True).stdout
    assert f"4 of {asked} questions answered, 0 right at once." in printed
    assert re.search(r"A Dense\(3\) layer .* +not yet +right", printed)


def test_two_windows_agree(page, browser, address):
    other = opened(browser.new_page(viewport={"width": 1200, "height": 900}), address)
    question = first("one", "Training accuracy 99")
    there = form(other, question)
    here = form(page, question)
    here.locator("label").nth(question["right"][0]).click()
    check(here, "right")
    other.locator(f".tfl-question[data-question='{question['id']}'][data-state=right]").wait_for()
    assert there.locator("input").nth(question["right"][0]).is_checked()
    other.close()


def test_an_answer_that_cannot_be_saved_is_explained_all_the_same(page, told):
    question = first("one", "Where does None")
    before = told()
    refused = {"message": "This could not be saved in /full: is the disk full?"}
    page.route("**/tensorflow-labs/answer*", lambda route: route.fulfill(status=409, json=refused))
    found = form(page, question)
    found.locator("label").nth(question["right"][0]).click()
    assert "Right" in check(found, "right")
    found.locator(".tfl-trouble", has_text="is the disk full?").wait_for()
    picture(page, "questions-9-not-saved")
    assert told() == before
    page.unroute("**/tensorflow-labs/answer*")
    check(found, "right")
    page.wait_for_timeout(500)
    assert told()[question["id"]]["tries"] == 1 and not found.locator(".tfl-trouble").count()


def test_a_hint_opened_on_a_card_is_remembered_once(page, folders, told):
    card = (
        f'<details class="labs-hint" data-lab="{LAB}" data-exercise="prepare" data-number="NUMBER">'
        "<summary>Hint NUMBER of 3</summary>Think.</details>"
    )
    number = f"from IPython.display import HTML\nHTML({json.dumps(card.replace('NUMBER', '2'))})"
    page.evaluate(
        """code => {
          const notebook = window.jupyterapp.shell.currentWidget.content;
          notebook.model.sharedModel.addCell({cell_type: 'code', source: code, metadata: {}, id: 'a-card'});
        }""",
        number,
    )
    select(page, "a-card")
    page.keyboard.press("Control+Enter")
    fold = page.locator(".jp-OutputArea details.labs-hint")
    for _ in range(2):
        fold.locator("summary").click()
        page.wait_for_timeout(700)
        fold.locator("summary").click()
    events = [one for one in progress.events() if one["kind"] == "hint"]
    assert [(one["exercise"], one["number"]) for one in events] == [("prepare", 2)]


@pytest.mark.parametrize(
    "name", ["keras/custom-layers", "training/callbacks", "judgement/tensorflow-or-pytorch"]
)
def test_other_labs_have_a_form_for_every_question(page, name):
    """The first two have choices with code in them."""
    page.evaluate("() => window.jupyterapp.commands.execute('docmanager:save-all')")
    page.evaluate("() => window.jupyterapp.commands.execute('application:close-all')")
    lab = f"{PANEL} [data-lab='{name}']"
    unfold(page, lab)
    page.locator(f"{lab} .tfl-button", has_text="Open").click()
    shown = "name => window.jupyterapp.shell.currentWidget.context?.path === name"
    page.wait_for_function(shown, arg=f"{name}.ipynb")
    page.wait_for_function(IDLE, timeout=SECONDS)
    for question in questions(curriculum.load().lab(name)).values():
        labels = form(page, question).locator("label span").all_inner_texts()
        if question["kind"] in ("one", "several"):
            assert labels == question["options"]
