"""A whole lab in a real kernel, filled in as learners fill it: with other right answers, and with wrong ones."""

import inspect
import re

import pytest

from labs.kit.author.execute import execute
from labs.kit.author.source import CHECK, learner, solved, tags
from labs.kit.author.verify import fill
from labs.kit.curriculum import load
from labs.kit.load import answers, exercises

pytest.importorskip("tensorflow")
CURRICULUM = load()
LAB = CURRICULUM.lab("keras/sequential")


def as_typed(answer):
    """Return the source of `answer` under the name that the exercise gives."""
    source = inspect.getsource(answer.value)
    source = source[re.search(r"^(def|class) ", source, re.M).start() :]
    return source.replace(answer.name, answer.exercise, 1)


def run_filled(is_right):
    """Fill each blank with its last right or wrong answer, run, and return text of each check by exercise."""
    chosen = {answer.exercise: answer for answer in answers(LAB) if answer.is_right == is_right}
    assert set(chosen) == set(exercises(LAB))
    notebook = learner(solved(LAB, CURRICULUM))
    fill(notebook, {f"exercise-{name}": as_typed(answer) for name, answer in chosen.items()})
    execute(notebook)
    cards = {}
    for cell in notebook.cells:
        if CHECK in tags(cell):
            (output,) = cell.outputs
            cards[cell.id.removeprefix("check-")] = output.data["text/plain"]
    return chosen, cards


def test_other_right_answers_pass_in_the_notebook():
    _, cards = run_filled(is_right=True)
    assert all("Passed" in card for card in cards.values()), cards


def test_wrong_answers_are_diagnosed_and_the_lab_runs_through():
    chosen, cards = run_filled(is_right=False)
    known = exercises(LAB)
    for name, card in cards.items():
        assert known[name].misconception(chosen[name].expected).says in card
        assert "working version" in card
