"""The card that a learner sees: both forms, accessible, safe."""

import json
import re
from html.parser import HTMLParser

import numpy as np
import pytest

from labs.kit.examine import Verdict, examine
from labs.kit.feedback import hint_card, verdict_card


class Outline(HTMLParser):
    """Collects tags with their attributes, and checks that every tag closes."""

    def __init__(self, html):
        super().__init__()
        self.open, self.tags = [], []
        self.feed(html)
        assert not self.open, f"left open: {self.open}"

    def handle_starttag(self, tag, attrs):
        self.open.append(tag)
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


ATTEMPTS = {
    "passed": lambda x: 2 * x,
    "wrong": lambda x: x + 2,
    "error": lambda x: x.upper(),
    "blank": lambda x: (_ for _ in ()).throw(NotImplementedError("your turn")),
}


@pytest.mark.parametrize("state", ATTEMPTS)
def test_each_state_has_a_word_a_sign_and_a_label(double, state):
    card = verdict_card(double, examine(double, ATTEMPTS[state]), hints_left=3, fallback=state != "passed")
    outline = Outline(card.html)
    section = dict(outline.tags)["section"]
    assert section["role"] == "status" and section["aria-label"].startswith("Check of double:")
    assert card.text[0] in "✓✗○!"
    assert ("lab.hint(double)" in card.text) == (state != "passed")
    assert ("working version" in card.text) == (state != "passed")


def test_wrong_shows_given_expected_and_got_as_a_table_with_row_headers(double):
    card = verdict_card(double, examine(double, ATTEMPTS["wrong"]), hints_left=3, fallback=True)
    headers = [attrs for tag, attrs in Outline(card.html).tags if tag == "th"]
    assert headers and all(attrs["scope"] == "row" for attrs in headers)
    for part in ("Given x: 5", "Expected: 10", "Got: 7", "You added 2.", "Think about it: What is twice 5?"):
        assert part in card.text


def test_what_a_learner_wrote_cannot_break_out_of_the_card(double):
    nasty = "<script>alert(1)</script>"
    verdict = Verdict("double", "wrong", 2, 1, "adds-two", "says", "think", {"x": nasty}, nasty, nasty)
    card = verdict_card(double, verdict, hints_left=1, fallback=True)
    assert "<script" not in card.html and "&lt;script" in card.html


def test_no_style_depends_on_colour_alone_or_a_fixed_theme(double):
    for state, attempt in ATTEMPTS.items():
        html = verdict_card(double, examine(double, attempt), 3, state != "passed").html
        assert "<style" not in html and "background:#" not in html and "color:#" not in html


def test_hints_are_numbered_and_the_last_says_so(double):
    assert "hint 1 of 3" in hint_card(double, 1).text
    assert "last hint" in hint_card(double, 3).text
    assert "<code" in hint_card(double, 3).html


def wrong_on_arrays(x):
    """Right for a number, wrong for an array."""
    return 2 * x if np.ndim(x) == 0 else x + 2


def test_what_differs_is_said_and_drawn(double):
    verdict = examine(double, wrong_on_arrays, seed=1)
    card = verdict_card(double, verdict, 3, True)
    (picture,) = [attrs for _, attrs in Outline(card.html).tags if attrs.get("role") == "img"]
    assert picture["aria-label"] == verdict.differs and " differ; first at [" in verdict.differs
    assert f"In short: {verdict.differs}" in card.text


def test_a_verdict_is_the_same_after_a_journey_as_json(double):
    verdict = examine(double, wrong_on_arrays, seed=1)
    again = Verdict(**json.loads(json.dumps(verdict.as_dict(), allow_nan=False)))
    assert again == verdict and verdict_card(double, again, 3, True) == verdict_card(double, verdict, 3, True)


def test_the_cases_are_counted_and_the_wrong_ones_named(double):
    verdict = examine(double, wrong_on_arrays, seed=1)
    card = verdict_card(double, verdict, 3, True)
    assert "1 of 2 cases came out right: ✓✗" in card.text
    assert verdict.tries[0] == "" and f"<li>Case 2: {verdict.tries[1]}</li>" in card.html
    none = verdict_card(double, examine(double, ATTEMPTS["error"]), 3, True)
    assert "None of 2 cases came out right: ✗✗" in none.text and "<li>Case 1: AttributeError" in none.html


def test_the_learners_line_stands_between_its_neighbours(double):
    def attempt(x):
        total = [x]
        total += missing  # noqa: F821
        return total

    verdict = examine(double, attempt)
    assert list(verdict.around.values()) == ["total = [x]", "total += missing  # noqa: F821", "return total"]
    card = verdict_card(double, verdict, 3, True)
    lines = re.search(r"<pre[^>]*>(.*?)</pre>", card.html, re.S)[1].splitlines()
    assert [line.endswith("</strong>") for line in lines] == [False, True, False]
    assert f"Your line: total += missing  # noqa: F821   (line {verdict.line_number})" in card.text


def test_lines_keep_their_indentation_to_each_other(double):
    def attempt(x):
        if x is not None:
            return missing  # noqa: F821

    around = examine(double, attempt).around
    assert list(around.values()) == ["if x is not None:", "    return missing  # noqa: F821"]


@pytest.mark.parametrize("state", ["wrong", "error", "blank"])
@pytest.mark.parametrize("left", [3, 1, 0])
def test_the_next_hint_is_one_click_away(double, state, left):
    card = verdict_card(double, examine(double, ATTEMPTS[state]), left, True, lab="a/lab")
    hints = [attrs for tag, attrs in Outline(card.html).tags if attrs.get("class") == "labs-hint"]
    if not left:
        assert not hints and "lab.hint" not in card.text
        return
    number = {3: "1", 1: "3"}[left]
    (hint,) = hints
    assert (hint["data-lab"], hint["data-exercise"], hint["data-number"]) == ("a/lab", "double", number)
    assert "open" not in hint
    shown = [text for text in ("One.", "Two.", "return 2 * x") if text in card.html]
    assert shown == [{"1": "One.", "3": "return 2 * x"}[number]]
    assert not any(text in card.text for text in shown)


def test_emphasis_is_shown_but_not_in_code_and_not_in_products():
    from labs.kit.feedback import _inline

    assert _inline("*which* one, a * b * c, and `x *y* z`").startswith(
        "<em>which</em> one, a * b * c, and <code"
    )
    assert "x *y* z</code>" in _inline("`x *y* z`")
