"""Which of the known mistakes the public inputs of an exercise do not show, when half of the inputs are hidden."""

from dataclasses import replace

from labs.kit import quiet
from labs.kit.course.public_checks import public_cases
from labs.kit.curriculum import Lab
from labs.kit.examine import examine
from labs.kit.load import answers, exercises

DRAWS = 2
"""How many of the public draws are tried: a mistake that chance alone shows is not one to be told of."""


def unseen(lab: Lab) -> dict[str, set[str]]:
    """Return, by exercise, the diagnoses that no wrong answer of the lab receives on the public inputs.

    Every wrong answer is examined, so this runs TensorFlow, for seconds.
    """
    quiet.tensorflow()
    wrong = [answer for answer in answers(lab) if not answer.is_right]
    found = {}
    for name, exercise in exercises(lab).items():
        mine = [answer for answer in wrong if answer.exercise == name]
        shown = set()
        for seed, draw in enumerate(public_cases(exercise)[:DRAWS]):
            public = replace(exercise, given=lambda rng, draw=draw: iter(draw))
            shown |= {examine(public, answer.value, seed).diagnosis for answer in mine}
        found[name] = {
            answer.expected for answer in mine if answer.expected in exercise.misconceptions
        } - shown
    return found
