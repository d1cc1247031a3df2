"""Questions in the prose: how they are read, what is refused, and which answers are right."""

import json
import re

import pytest
from nbformat.v4 import new_markdown_cell, new_notebook

from labs.kit import paths, progress
from labs.kit.author import source, style
from labs.kit.author.questions import described, questions
from labs.kit.command import questions as asked
from labs.kit.curriculum import load
from labs.kit.errors import LabsError

CURRICULUM = load()


def fold(summary, inside):
    return f"<details><summary>{summary}</summary>\n\n{inside}\n\n</details>\n"


CHOICE = (
    "**Predict.** What does\n`x` do?\n\n"
    + fold("<code>Nothing</code> &amp; more", "Think.")
    + fold("All", "Right: it does.")
)
SEVERAL = "### Quiz\n\n**1. Which? Choose all.**\n\n" + "".join(
    fold(name, why) for name, why in (("a", "Right."), ("b", "No."), ("c", "Right, too."))
)
NUMBER = "**Predict.** How many?\n\n" + fold(
    "The number",
    "**2,355 ± 5 kB**: with the\nbiases.\n\n- **2,300 ± 2**: without\n  them.\n- **-3e2**: the sign.",
)
ORDER = "### Quiz\n\n**2. In which order?**\n\n- `b`\n- c\n- a\n\n" + fold(
    "The order", "1. **a**: first.\n2. **`b`**: then.\n3. **c**: last."
)


def one(text):
    (found,) = questions(text)
    return found


def faults(text):
    return " ".join(fault for question in questions(text) for fault in question.faults)


# --- how they are read


def test_a_choice():
    found = one(CHOICE)
    assert (found.kind, found.asks) == ("one", "What does x do?")
    assert (found.options, found.right) == (["Nothing & more", "All"], [1])
    assert not found.faults


def test_several_choices():
    assert (one(SEVERAL).kind, one(SEVERAL).right) == ("several", [0, 2])


def test_a_number_with_what_it_may_be_off_by_and_those_of_known_mistakes():
    right, *wrong = one(NUMBER).numbers
    assert (right.value, right.tolerance, right.unit) == (2355, 5, "kB")
    assert [(number.value, number.tolerance) for number in wrong] == [(2300, 2), (-300, 0)]
    assert described(one(NUMBER))["wrong"] == [[2300, 2], [-300, 0]]


def test_an_order():
    found = one(ORDER)
    assert (found.kind, found.options, found.right) == ("order", ["b", "c", "a"], [2, 0, 1])
    assert found.whys == ["then.", "last.", "first."]


def test_several_questions_in_one_cell_and_folds_that_are_none():
    text = (
        "**Why so?**\n\n"
        + fold("A model answer", "Because.")
        + "\n"
        + SEVERAL
        + "\n"
        + ORDER.split("\n\n", 1)[1]
    )
    found = questions(text)
    assert [(question.kind, question.place) for question in found] == [("several", 1), ("order", 4)]
    assert questions("**1. A numbered claim.** Text.\n\n" + fold("More", "Text.")) == []


def test_an_id_stays_until_the_text_changes():
    name = one(CHOICE).id
    assert name.startswith("what-does-x-do-")
    assert (
        one("Text before.\n\n" + CHOICE.replace("does\n", "does ").replace("Think.", "Think again.")).id
        == name
    )
    assert one(CHOICE.replace("do?", "not do?")).id != name


# --- what is refused


@pytest.mark.parametrize(
    "text, word",
    [
        (CHOICE.replace("Right: it", "It"), "has no right choice"),
        (CHOICE.replace("Right: it", "Yes, it"), "say “Right”"),
        (CHOICE.replace("Right: it", "Rightly, it"), "has no right choice"),
        (CHOICE.replace("Think.", ""), "has no explanation"),
        (CHOICE.replace("Think.", "Right."), "has no wrong choice"),
        (CHOICE.replace("All", "Nothing &amp; more"), "the same choice twice"),
        ("**Predict.** Well?\n\n" + fold("So", "Right."), "only one choice"),
        ("**Predict.** Well?\n\nThink about it.", "has no answer folded directly under it"),
        ("**Predict.** Well?\n\nThink about it.\n\n" + fold("So", "Right."), "has no answer folded"),
        ("### Quiz\n\n**1. Well?**", "has no answer folded"),
        (NUMBER.replace("**2,355 ± 5 kB**: with", "It is 2355 with"), "the number in bold"),
        (NUMBER.replace("- **-3e2**", "- -300"), "each likely number"),
        (NUMBER.split("\n\n- ")[0] + "\n\n</details>\n", "names no number"),
        (NUMBER.replace("2,300", "2,352"), "its own tolerance accepts"),
        (NUMBER + fold("24", "No."), "one fold is enough"),
        (ORDER.replace("- a\n", "- d\n"), "word for word"),
        (ORDER.replace("- `b`\n- c\n- a", "- a\n- b\n- c"), "in the right order already"),
        (ORDER.replace("**c**: last.", "c"), "1. **step**"),
        (ORDER.replace("- c\n", "").replace("3. **c**: last.", ""), "fewer than three steps"),
        (ORDER.replace("The order", "The right order"), "no fold called “The order”"),
    ],
)
def test_a_question_that_is_not_whole_is_named(text, word):
    assert word in faults(text)


def test_the_style_of_a_lab_names_the_question_and_its_cell():
    cells = [
        new_markdown_cell(text, id=f"c{n}")
        for n, text in enumerate((CHOICE, CHOICE, SEVERAL.replace("Right", "So")))
    ]
    found = " ".join(style._questions(new_notebook(cells=cells)))
    assert "“Which? Choose all.” in cell c2 has no right choice" in found
    assert "what-does-x-do-" in found and "could not be told apart" in found
    assert "no question for a number or an order" in found
    assert style._questions(new_notebook(cells=[new_markdown_cell(NUMBER)])) == []


# --- what the notebooks hold


@pytest.mark.parametrize("name", CURRICULUM.labs)
def test_both_notebooks_of_a_lab_describe_its_questions(name):
    lab = CURRICULUM.lab(name)
    solved = source.solved(lab, CURRICULUM)
    assert style._questions(solved) == []
    wanted = [
        described(question)
        for cell in solved.cells
        if not source.is_code(cell)
        for question in questions(cell.source)
    ]
    assert list(asked.questions(lab).values()) == wanted and len(wanted) > 6
    assert not [
        option for one in wanted for option in one.get("options", ()) if re.search(r"</?\w+>", option)
    ]
    worked = json.loads((paths.notebooks() / "worked" / f"{name}.ipynb").read_text())
    cells = [cell["metadata"].get("labs", {}).get("questions", ()) for cell in worked["cells"]]
    assert [question for cell in cells for question in cell] == wanted


def test_every_right_answer_is_right_and_every_known_mistake_is_not():
    for lab in CURRICULUM.labs.values():
        for question in asked.questions(lab).values():
            if question["kind"] == "number":
                assert asked.is_right(question, question["right"])
                assert not any(asked.is_right(question, number) for number, _ in question["wrong"])
            else:
                assert asked.is_right(question, [question["options"][place] for place in question["right"]])
                shown = question["options"] if question["kind"] == "order" else question["options"][:1]
                assert asked.is_right(question, shown) == (question["right"] == list(range(len(shown))))


# --- which answers are right


@pytest.mark.parametrize(
    "text, right, wrong",
    [
        (CHOICE, [["All"]], [["Nothing & more"]]),
        (SEVERAL, [["a", "c"], ["c", "a"]], [["a"], ["a", "b", "c"], ["b"]]),
        (NUMBER, [2355, 2350.0, 2360], [2349, 2300, 0, -2355]),
        (ORDER, [["a", "b", "c"]], [["b", "c", "a"], ["a", "c", "b"]]),
    ],
)
def test_an_answer(text, right, wrong):
    question = described(one(text))
    assert all(asked.is_right(question, value) for value in right)
    assert not any(asked.is_right(question, value) for value in wrong)


@pytest.mark.parametrize(
    "text, values",
    [
        (
            CHOICE,
            [[], ["All", "Nothing & more"], ["Some"], "All", 1, None, {"All": 1}, [["All"]], ["All", "All"]],
        ),
        (SEVERAL, [[], ["a", "a"], ["d"], [1], ["a", "b", "c", "c"], True]),
        (NUMBER, ["2355", True, None, [2355], float("nan"), float("inf"), 10**400]),
        (ORDER, [["a", "b"], ["a", "b", "b"], ["a", "b", "c", "d"], []]),
    ],
)
def test_what_is_no_answer_is_refused_in_one_sentence(text, values):
    for value in values:
        with pytest.raises(LabsError, match=r"^The answer must .+\.$"):
            asked.is_right(described(one(text)), value)


def test_counts_are_by_the_first_answer():
    lab = CURRICULUM.lab("keras/sequential")
    names = list(asked.questions(lab))
    for name, right in ((names[0], False), (names[0], True), (names[1], True), ("gone-by-now", True)):
        progress.record("answer", lab.name, "", question=name, value=["x"], right=right)
    assert asked.counts(lab, progress.answers()) == {
        "questions": len(names),
        "answered": 2,
        "right_at_once": 1,
    }
    rows = {row["question"]: row for row in asked.rows(lab)}
    assert (rows[names[0]]["first"], rows[names[0]]["right"], rows[names[0]]["tries"]) == (False, True, 2)
    assert rows[names[2]]["first"] is None
