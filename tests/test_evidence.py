"""Evidence belongs to its inputs: what was observed on one draw of them does not pass on another.

Grading observes a student's function in the student's own process, and judges elsewhere what that process says. If it
says what was recorded before, the inputs must give that away.
"""

from itertools import permutations

import pytest

from labs.kit import quiet
from labs.kit.author.proof import setup
from labs.kit.curriculum import load
from labs.kit.examine import cases, judge
from labs.kit.load import exercises
from labs.kit.observe import observe
from labs.kit.reference import reference

pytest.importorskip("tensorflow")
CURRICULUM = load()
SEEDS = (20_130_101, 7, 1_000_003)


def recorded(exercise, attempt, seed):
    """Return the cases of one draw and the evidence on each. As in grading, all are drawn before any is looked at."""
    return [(case, observe(exercise, attempt, case, number)) for case, number in list(cases(exercise, seed))]


def passes(exercise, draw, evidence):
    """Tell whether `evidence`, an observation for each case, passes on all cases of `draw`."""
    if len(draw) != len(evidence):
        return False
    pairs = zip(draw, evidence, strict=True)
    return all(judge(exercise, case, observation) is None for (case, _), observation in pairs)


@pytest.mark.parametrize("name", CURRICULUM.labs)
def test_evidence_of_one_draw_does_not_pass_on_another(name):
    quiet.tensorflow()
    lab = CURRICULUM.lab(name)
    namespace, fails, replayed = setup(lab, CURRICULUM), [], []
    for exercise in exercises(lab).values():
        attempt = namespace[exercise.name] = reference(lab, exercise.name, namespace)
        draws = [recorded(exercise, attempt, seed) for seed in SEEDS]
        evidence = [[observation for _, observation in draw] for draw in draws]
        if not all(passes(exercise, draw, own) for draw, own in zip(draws, evidence, strict=True)):
            fails.append(exercise.name)
        if any(passes(exercise, draws[here], evidence[there]) for here, there in permutations(range(3), 2)):
            replayed.append(exercise.name)
    assert not fails, "the solution does not pass, so this proves nothing"
    assert not replayed, "draw more of what these are given, or observe more of what they make of it"
