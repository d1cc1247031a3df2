"""The card that a learner sees: both forms, accessible, safe."""

from html.parser import HTMLParser

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
