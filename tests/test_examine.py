"""The four states of a check, its diagnoses, and what may pass from an attempt to its judgement."""

import dataclasses

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from labs.kit.author.proof import AlwaysEqual, worthless
from labs.kit.diagnosis import Misconception, Misread
from labs.kit.examine import examine
from labs.kit.exercise import check
from labs.kit.meanings import meaning, message
from labs.kit.plain import NotPlainError, describe, plain


def blank(x):
    raise NotImplementedError("your turn")


def test_four_states(double):
    assert examine(double, lambda x: 2 * x).state == "passed"
    assert examine(double, blank).state == "blank"
    assert examine(double, lambda x: x + 2).state == "wrong"
    assert examine(double, lambda x: x.upper()).state == "error"


def test_passed_tells_how_many_cases(double):
    assert examine(double, lambda x: x + x).cases == 2


def test_wrong_shows_the_case(double):
    verdict = examine(double, lambda x: x + 2)
    assert (verdict.diagnosis, verdict.failed) == ("adds-two", 2)
    assert (verdict.given, verdict.expected, verdict.got) == ({"x": "5"}, "10", "7")
    assert verdict.says and verdict.think


def test_the_most_basic_of_several_is_shown(double):
    """Squares on the first case, adds two on the second: adds-two is declared first."""
    verdict = examine(double, lambda x: x * x if np.ndim(x) == 0 else x + 2)
    assert verdict.diagnosis == "adds-two"


def test_returning_nothing_has_its_own_diagnosis(double):
    assert examine(double, lambda x: None).diagnosis == "returns-nothing"


def test_an_exception_that_a_misconception_explains(double):
    verdict = examine(double, lambda x: x.upper())
    assert (verdict.state, verdict.diagnosis) == ("error", "wants-a-string")


def test_an_exception_shows_the_learners_own_line(double):
    def attempt(x):
        total = x
        return total + missing  # noqa: F821

    verdict = examine(double, attempt)
    assert verdict.diagnosis == "raises"
    assert "return total + missing" in verdict.line and verdict.line_number > 1
    assert verdict.error.startswith("NameError") and "cell that has not run" in verdict.means


def test_a_blank_inside_another_exception_is_a_blank(double):
    def attempt(x):
        try:
            blank(x)
        except NotImplementedError as error:
            raise RuntimeError("wrapped by a library") from error

    assert examine(double, attempt).state == "blank"


def test_other_not_implemented_errors_are_no_blank(double):
    def attempt(x):
        raise NotImplementedError("this backend cannot do that")

    assert examine(double, attempt).state == "error"


@pytest.mark.parametrize("attempt", worthless().values(), ids=worthless())
def test_worthless_answers_never_pass(double, attempt):
    assert examine(double, attempt).state != "passed"


def test_a_result_that_then_cannot_read_has_another_form(double):
    assert examine(double, lambda x: {"a": 1}).diagnosis in ("other-form", "other-number")
    assert examine(double, lambda x: AlwaysEqual()).diagnosis == "other-form"


def test_an_attempt_cannot_change_the_case_it_is_judged_on(double):
    def attempt(x):
        if np.ndim(x):
            x[:] = 0
        return x + 2 if np.ndim(x) else 2 * x

    assert examine(double, attempt).state == "wrong"


def test_a_misread_that_carries_an_object_is_told_all_the_same(double):
    def when(double, x):
        raise Misread("squares", got=object())

    verdict = examine(dataclasses.replace(double, when=when), lambda x: x)
    assert (verdict.diagnosis, verdict.got) == ("squares", "a object")


def test_cases_are_drawn_afresh(double):
    seen = []
    for _ in range(2):
        examine(double, lambda x: seen.append(np.array(x)) or 2 * x)
    assert not np.array_equal(seen[1], seen[3])


def test_a_seed_repeats_the_cases(double):
    seen = []
    for _ in range(2):
        examine(double, lambda x: seen.append(np.array(x)) or 2 * x, seed=7)
    assert np.array_equal(seen[1], seen[3])


def test_interrupting_a_check_is_left_to_the_learner(double):
    def attempt(x):
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        examine(double, attempt)


def test_a_check_without_cases_is_refused():
    @check(points=1, minutes=1, difficulty="easy", hints=("", "", ""))
    class empty:
        """Nothing."""

        misconceptions = {name: Misconception("a", "b") for name in ("one", "two")}

        @staticmethod
        def given(rng):
            yield from ()

        when = then = given

    with pytest.raises(ValueError, match="pass everything"):
        examine(empty, lambda: 1)


def test_an_undeclared_misconception_is_a_mistake_of_the_author(double):
    with pytest.raises(ValueError, match="does not declare"):
        double.misconception("never-declared")


@pytest.mark.parametrize(
    ("change", "sentence"),
    [
        ({"hints": ("one",)}, "three hints"),
        ({"difficulty": "trivial"}, "difficulty"),
        ({"points": 0}, "at least one point"),
    ],
)
def test_an_incomplete_card_is_refused(change, sentence):
    class incomplete:
        """Nothing."""

        misconceptions = {name: Misconception("a", "b") for name in ("one", "two")}
        given = when = then = staticmethod(lambda: None)

    card = {"points": 1, "minutes": 1, "difficulty": "easy", "hints": ("", "", "")} | change
    with pytest.raises(TypeError, match=sentence):
        check(**card)(incomplete)


class Sly(np.ndarray):
    """An array that claims to equal everything."""

    def __eq__(self, other):
        return True

    __hash__ = None


class SlyText(str):
    def __eq__(self, other):
        return True

    __hash__ = str.__hash__


def test_plain_strips_what_compares_as_it_likes():
    assert type(plain(np.zeros(2).view(Sly))) is np.ndarray
    assert type(plain(SlyText("a"))) is str and plain(SlyText("a")) != "b"
    assert type(plain({SlyText("k"): SlyText("v")})["k"]) is str


@pytest.mark.parametrize("thing", [object(), lambda: 1, AlwaysEqual(), np.array([object()])])
def test_plain_refuses_objects(thing):
    with pytest.raises(NotPlainError):
        plain(thing)


def test_plain_reads_tensors():
    tf = pytest.importorskip("tensorflow")
    assert plain(tf.constant([1, 2])).tolist() == [1, 2]
    assert plain(tf.constant(b"text")) == "text"
    assert plain(tf.TensorShape([None, 3])) == [None, 3]
    assert plain(tf.float32) == "float32"
    assert plain(tf.ragged.constant([[1], [2, 3]])) == [[1], [2, 3]]
    assert plain(tf.Variable(2.0)) == 2.0


nested = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
)


@given(nested)
def test_plain_keeps_plain_data(value):
    assert plain(value) == value


@given(nested, st.integers(20, 200))
def test_describe_stays_short(value, room):
    if isinstance(value, dict | list):
        return
    assert len(describe(value, room)) <= max(room, 20)


def test_describe_tells_shape_and_range_of_large_arrays():
    assert describe(np.zeros((4, 28, 28), np.float32)) == "float32 (4, 28, 28), from 0 to 0"
    assert "[1, 2, 3]" in describe(np.array([1, 2, 3]))
    assert describe(np.zeros((0, 3))).endswith("empty")


def test_messages_lose_what_only_tensorflow_needs():
    error = ValueError("{{function_node __wrapped__Add}} Incompatible shapes: [2] vs. [3] [Op:AddV2] name: ")
    assert message(error) == "Incompatible shapes: [2] vs. [3]"
    assert "shapes do not fit" in meaning(error)


def test_an_error_in_a_traced_function_shows_the_learners_line(double):
    tf = pytest.importorskip("tensorflow")

    def attempt(x):
        @tf.function
        def inner(value):
            return helper(value)

        return inner(tf.constant(x))

    def helper(value):
        return value + undefined_name  # noqa: F821

    verdict = examine(double, attempt)
    assert verdict.state == "error" and "undefined_name" in verdict.error
    assert "in user code" not in verdict.error


def test_a_blank_inside_dataset_map_is_a_blank(double):
    tf = pytest.importorskip("tensorflow")

    def attempt(x):
        return list(tf.data.Dataset.range(2).map(blank))

    assert examine(double, attempt).state == "blank"


def test_an_error_of_a_pipeline_is_told_without_its_iterators():
    tf = pytest.importorskip("tensorflow")
    with pytest.raises(tf.errors.NotFoundError) as caught:
        list(tf.data.Dataset.from_tensors("no-such-file").map(tf.io.read_file))
    assert message(caught.value) == "no-such-file; No such file or directory"


def test_an_error_in_a_layer_is_told_without_bold_and_preamble():
    keras = pytest.importorskip("keras")

    class Broken(keras.layers.Layer):
        def call(self, inputs):
            raise ValueError("the cause")

    with pytest.raises(ValueError) as caught:
        Broken()(np.zeros((2, 3)))
    assert message(caught.value) == "the cause"


def test_an_error_inside_a_traced_layer_is_told_without_keras_preamble():
    from labs.kit.meanings import message

    error = ValueError(
        'in user code:\n\n    File "lab.py", line 3, in train  *\n        model(x)\n\n'
        "    ValueError: Exception encountered when calling Encoder.call().\n\n"
        "    \x1b[1mthe shapes do not fit\x1b[0m\n\n    Arguments received by Encoder.call():\n      • x=1"
    )
    assert message(error) == "the shapes do not fit"


def test_an_error_in_a_running_graph_is_told_by_its_words_and_the_learners_line(double):
    tf = pytest.importorskip("tensorflow")

    @tf.function
    def attempt(x):
        i = tf.constant(0)
        while i < 9:
            tf.debugging.assert_less(i, 3, "too far")
            i += 1
        return i

    verdict = examine(double, attempt)
    assert verdict.error.startswith("InvalidArgumentError: assertion failed: [too far]")
    assert verdict.line == 'tf.debugging.assert_less(i, 3, "too far")'


def test_a_tensor_that_leaked_from_a_graph_is_told_by_the_learners_line(double):
    tf = pytest.importorskip("tensorflow")

    def attempt(x):
        kept = []

        @tf.function
        def inside(x):
            kept.append(x * 2)
            return x

        inside(tf.constant(1.0))
        return kept[0] + 1

    verdict = examine(double, attempt)
    assert "out of scope" in verdict.error and verdict.line == "return kept[0] + 1"


def test_arrays_with_nothing_measured_are_told_without_a_warning(recwarn):
    import numpy as np

    from labs.kit.plain import describe

    assert describe(np.full((3, 9), np.nan)) == "float64 (3, 9), all nan"
    assert describe(np.r_[np.nan, np.arange(30.0)]) == "float64 (31,), from 0 to 29, 1 nan"
    assert not recwarn.list
