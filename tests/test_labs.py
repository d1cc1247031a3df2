"""Every lab keeps the common layout, and every check is held to its answers."""

import pytest

from labs.kit.author.proof import prove_lab
from labs.kit.author.source import EXERCISE, learner, solved, tags
from labs.kit.author.style import problems
from labs.kit.author.verify import fill
from labs.kit.curriculum import load
from labs.kit.load import exercises

pytest.importorskip("tensorflow")
CURRICULUM = load()
LABS = list(CURRICULUM.labs.values())
NAMES = [lab.name for lab in LABS]


@pytest.mark.parametrize("lab", LABS, ids=NAMES)
def test_every_check_is_held_to_its_answers(lab):
    proofs = list(prove_lab(lab, CURRICULUM))
    assert [proof.name for proof in proofs] == [f"{lab.name}/{name}" for name in exercises(lab)]
    assert not [f"{proof.name}: {problem}" for proof in proofs for problem in proof.problems]


@pytest.mark.parametrize("lab", LABS, ids=NAMES)
def test_every_lab_keeps_the_layout(lab):
    assert problems(lab, CURRICULUM) == []


@pytest.mark.parametrize("lab", LABS, ids=NAMES)
def test_filling_the_blanks_gives_the_worked_lab(lab):
    """So nbval on the worked notebook is also the proof that the filled learner's one runs."""
    worked = solved(lab, CURRICULUM)
    filled = learner(worked)
    fill(filled, {cell.id: cell.source for cell in worked.cells if EXERCISE in tags(cell)})
    assert [(c.id, c.source) for c in filled.cells] == [(c.id, c.source) for c in worked.cells]
