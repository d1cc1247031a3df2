"""What a card draws: chosen from the data, right in its sentence, small, quick, and never a way out of the card."""

import json
import re
import time
from base64 import b64decode
from io import BytesIO

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays
from PIL import Image
from test_feedback import Outline

from labs.kit.drawings import draw
from labs.kit.sketch import sketch

LARGEST = 13_000


def different(shape):
    expected = np.random.default_rng(0).normal(size=shape).astype(np.float32)
    got = expected.copy()
    got.flat[-1] += 1
    return expected, got


@pytest.mark.parametrize(
    ("shape", "kind"),
    [
        ((5,), "row"),
        ((16,), "row"),
        ((17,), "curve"),
        ((4000,), "curve"),
        ((2, 2), "grid"),
        ((12, 12), "grid"),
        ((50, 3), "grid"),
        ((2, 3, 4), "grid"),
        ((4, 5, 2, 3), "grid"),
        ((28, 28), "image"),
        ((28, 28, 1), "image"),
        ((8, 9, 3), "image"),
        ((4, 28, 28, 1), "image"),
        ((2, 200, 100, 3), "image"),
    ],
)
def test_the_drawing_follows_from_the_shape(shape, kind):
    found = sketch(*different(shape))
    assert found["kind"] == kind
    assert found["says"].startswith(f"1 of {np.prod(shape):,} numbers differs; first at [")
    assert found == json.loads(json.dumps(found))
    html = draw(found)
    (picture,) = [attrs for _, attrs in Outline(html).tags if attrs.get("role") == "img"]
    assert picture["aria-label"] == found["says"]
    assert len(html) < LARGEST


def test_only_the_places_that_differ_are_marked():
    expected = np.arange(12.0).reshape(3, 4)
    got = expected.copy()
    got[1, 2], got[2, 0] = 127, np.nan
    found = sketch(expected, got)
    assert found["differ"] == [[1, 2], [2, 0]]
    assert found["says"] == "2 of 12 numbers differ; first at [1, 2]: expected 6, got 127"


def test_nan_where_nan_is_expected_is_right():
    assert sketch(np.array([1, np.nan]), np.array([1, np.nan])) == {}
    assert sketch(np.array([1.0, 2.0]), np.array([1, np.nan]))["differ"] == [1]


def test_rounding_is_no_difference_unless_it_is_the_only_one():
    expected = np.array([1.0, 2.0, 3.0])
    assert sketch(expected, expected + np.array([1e-6, 0, 1]))["differ"] == [2]
    assert sketch(expected, expected + np.array([1e-6, 0, 0]))["differ"] == [0]


@pytest.mark.parametrize(
    ("expected", "got", "differ", "words"),
    [
        (np.zeros((4, 10)), np.zeros((4, 28, 10)), [-3, -2], "one axis is too many"),
        ("shape (4, 10)", np.zeros((4, 7)), [-1], "axis 1 differs"),
        ("shape (32, 10)", "shape (10, 32)", [-2, -1], "axes 0 and 1 differ"),
        ("shape (None, 10)", "shape (None, 28, 28, 10)", [-4, -3, -2], "2 axes are too many"),
        (np.zeros((2, 3, 4)), "shape (3, 4)", [-3], "one axis is missing"),
    ],
)
def test_shapes_are_compared_from_the_right(expected, got, differ, words):
    found = sketch(expected, got)
    assert found["kind"] == "shapes" and words in found["says"]
    if "axis is" not in words or "missing" in words:
        assert found["differ"] == differ
    assert draw(found).count("<svg") == 1


def test_one_number_for_many_is_told_in_words():
    found = sketch(np.zeros(4), 3.5)
    assert found == {"kind": "", "says": "expected shape (4,), got one number"} and draw(found) == ""


def test_lists_of_numbers_are_drawn_also_where_one_is_longer():
    found = sketch([1, 1, 2, 2], [1, 2])
    assert found["kind"] == "row" and found["differ"] == [1, 2, 3]
    assert found["says"] == "expected 4 numbers, got 2"


def test_in_a_dict_the_first_entry_that_differs_is_drawn():
    found = sketch({"a": [1, 2], "b": [3, 4]}, {"a": [1, 2], "b": [3, 5], "c": 1})
    assert found["says"].startswith("b: 1 of 2") and ">b<" in draw(found)


@pytest.mark.parametrize(
    ("expected", "got"),
    [
        ("float32", "float64"),
        ("a list", [1, 2]),
        ([1, "a"], [1, "b"]),
        ([[1], [2, 3]], [[1], [2]]),
        (None, None),
        (np.array(["a"]), np.array(["b"])),
        ({"a": 1}, [1]),
        (np.zeros((0, 3)), np.zeros((0, 3))),
        ([], []),
    ],
)
def test_where_a_picture_says_no_more_there_is_none(expected, got):
    assert draw(sketch(expected, got)) == ""


def pixels(found, side):
    return np.asarray(Image.open(BytesIO(b64decode(found[side]["png"]))))


def test_an_image_that_was_not_scaled_is_white_on_the_scale_of_the_right_one():
    image = np.random.default_rng(0).integers(1, 256, (28, 28, 1), np.uint8)
    found = sketch(image / np.float32(255), image.astype(np.float32))
    assert found["scale"] == ["0", "1"]
    assert np.abs(pixels(found, "expected").astype(int) - image[..., 0]).max() <= 1
    assert (pixels(found, "got") == 255).all()
    assert found["got"]["under"] == f"float32, {image.min()} to {image.max()}"
    assert found["got"]["under"] in draw(found)


def test_of_a_batch_the_first_image_that_differs_is_drawn():
    batch = np.zeros((3, 6, 7, 3), np.float32)
    other = batch.copy()
    other[1, 0, 0] = 0.5
    found = sketch(batch, other)
    assert found["part"] == "[1, :, :, :]" and pixels(found, "got")[0, 0].tolist() == [128, 128, 128]
    assert "Got [1, :, :, :]" in draw(found)


def test_of_a_long_table_the_rows_around_the_first_difference_are_drawn():
    expected = np.arange(100.0).reshape(50, 2)
    got = expected + 0
    got[45:, 1] = -1
    found = sketch(expected, got)
    assert found["corner"] == [38, 0] and found["differ"] == [[row, 1] for row in range(7, 12)]
    assert "rows 38 to 49" in draw(found)


def test_a_gap_in_a_series_is_a_gap_in_its_curve():
    expected = np.linspace(0, 1, 40)
    got = np.where(np.arange(40) == 20, np.nan, expected)
    found = sketch(expected, got)
    assert found["got"][20] is None and draw(found).count("M") == 4  # two curves, one gap, the axes


anything = arrays.arrays(
    st.sampled_from([np.float32, np.int64, np.uint8, bool, np.float16]),
    arrays.array_shapes(min_dims=0, max_dims=5, min_side=0, max_side=30),
)


@settings(deadline=None, max_examples=150)
@given(anything, anything)
def test_any_two_arrays_are_drawn_small_as_json_and_well_formed(expected, got):
    for one, other in ((expected, got), (expected, np.zeros_like(expected))):
        found = sketch(one, other)
        html = draw(json.loads(json.dumps(found, allow_nan=False)))
        assert len(html) < LARGEST
        Outline(html)


def test_drawing_takes_a_few_milliseconds():
    pairs = [different(shape) for shape in ((12, 12), (4000,), (32, 28, 28, 1), (8, 96, 96, 3))]
    for one, other in pairs:
        draw(sketch(one, other))  # the first one imports
    begin = time.perf_counter()
    for one, other in pairs:
        draw(sketch(one, other))
    assert (time.perf_counter() - begin) / len(pairs) < 0.02


def test_words_cannot_break_out_of_a_drawing():
    nasty = '"><script>alert(1)</script>'
    for pair in (([1, 2], [1, 3]), ("shape (2,)", "shape (3,)"), different((20,)), different((9, 9, 1))):
        found = sketch({nasty: pair[0]}, {nasty: pair[1]})
        assert found["kind"] and "<script" not in draw(found)


def test_no_drawing_depends_on_a_theme():
    for shape in ((5,), (40,), (3, 4), (20, 20)):
        html = draw(sketch(*different(shape)))
        assert not re.search(r'(?<!-)(color|background)\s*[:=]\s*"?#', html) and "<style" not in html
