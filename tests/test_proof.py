"""The proof of the checks catches checks that prove nothing."""

import dataclasses

import pytest

from labs.kit.answers import right, wrong
from labs.kit.author.proof import prove
from labs.kit.diagnosis import Misread


def blank(x):
    raise NotImplementedError("your turn")


def reference(x):
    return 2 * x


@right("double")
def adds_to_itself(x):
    return x + x


@wrong("double", "adds-two")
def adds_two(x):
    return x + 2


@wrong("double", "squares")
def squares(x):
    return x * x


@wrong("double", "wants-a-string")
def shouts(x):
    return x.upper()


@wrong("double", "other-number")
def triples(x):
    return 3 * x


ANSWERS = [adds_to_itself, adds_two, squares, shouts, triples]


def problems(exercise, answers=ANSWERS, empty=blank, solved=reference):
    return prove("a/lab/double", exercise, empty, solved, answers).problems


def test_a_sound_check_holds(double):
    proof = prove("a/lab/double", double, blank, reference, ANSWERS)
    assert (proof.ok, proof.right, proof.wrong, proof.diagnoses) == (True, 1, 4, 4)


def test_a_check_that_passes_everything_fails(double):
    found = problems(dataclasses.replace(double, then=lambda seen, x: None))
    assert any("adds_two must receive `adds-two` and received `passed`" in p for p in found)
    assert any("an answer that returns its first argument passes" in p for p in found)


def test_a_check_that_names_one_diagnosis_for_all_fails(double):
    def then(seen, x):
        if not (seen["result"] == 2 * x).all() if hasattr(x, "all") else seen["result"] != 2 * x:
            raise Misread("other-number")

    found = problems(dataclasses.replace(double, then=then))
    assert any("squares must receive `squares` and received `other-number`" in p for p in found)


def test_nor_does_it_help_to_expect_one_diagnosis_everywhere(double):
    def then(seen, x):
        if not (seen["result"] == 2 * x).all() if hasattr(x, "all") else seen["result"] != 2 * x:
            raise Misread("other-number")

    lazy = [
        answer if answer.is_right else wrong("double", "other-number")(answer.value) for answer in ANSWERS
    ]
    found = problems(dataclasses.replace(double, then=then), lazy)
    assert any("tells only 1 mistakes apart" in p for p in found)
    assert any("no wrong answer shows the misconception squares" in p for p in found)


def test_a_check_that_rejects_everything_fails(double):
    def then(seen, x):
        raise Misread("other-number")

    found = problems(dataclasses.replace(double, then=then))
    assert any("the reference must receive `passed`" in p for p in found)
    assert any("adds_to_itself must receive `passed`" in p for p in found)


def test_a_check_that_only_knows_the_reference_fails(double):
    def when(double, x):
        return {"result": 2 * x if double is reference else -1}

    found = problems(dataclasses.replace(double, when=when))
    assert any("adds_to_itself must receive `passed`" in p for p in found)


def test_a_check_that_is_right_only_sometimes_fails(double):
    def then(seen, x):
        if getattr(x, "sum", lambda: 0)() % 2:
            raise Misread("other-number")

    assert any("must receive `passed`" in p for p in problems(dataclasses.replace(double, then=then)))


def test_a_solution_that_is_no_blank_fails(double):
    assert any("the blank must receive `blank`" in p for p in problems(double, empty=reference))


@pytest.mark.parametrize(
    ("answers", "sentence"),
    [
        (ANSWERS[1:], "no right answer"),
        (ANSWERS[:3], "2 wrong answers; at least 3"),
        (ANSWERS[:-1], "no wrong answer shows the misconception other-number"),
        ([*ANSWERS, wrong("double", "never-declared")(adds_two.value)], "does not declare"),
    ],
)
def test_too_few_answers_fail(double, answers, sentence):
    assert any(sentence in problem for problem in problems(double, answers))
