"""Odd but right: every one of these must get the points of the exercises that it names."""

import json
from collections.abc import Callable

from tests.red_team.book import GRAPHS, SEQUENTIAL, TAPE, TENSORS, Book, Case, title

CASES: list[Case] = []
DECODE = """
def decode(tenths, missing):
    degrees = tf.cast(tenths, tf.float32) / 10.0
    return tf.where(tenths == missing, np.nan, degrees)
"""


def honest(lab: str = TENSORS, **points: int) -> Callable[[Callable[[Book], Book | None]], None]:
    """Add what a function makes of a lab's notebook to the cases, with the points it must get."""

    def add(function: Callable[[Book], Book | None]) -> None:
        book = Book(lab)
        book = function(book) or book
        CASES.append(Case(title(function), {lab.split("/")[1] + ".ipynb": book.data()}, points))

    return add


@honest(decode=1, at_hour=2, standardize=2, RunningMean=2, mean_of_measured=2, squared_distances=3)
def the_whole_lab(book):
    book.solve("decode", "at_hour", "standardize", "RunningMean", "mean_of_measured", "squared_distances")


@honest(decode=1)
def a_helper_in_a_cell_above(book):
    book.insert("def in_degrees(t):\n    return tf.cast(t, tf.float32) / 10.0", before="exercise-decode")
    book.answer(
        decode="def decode(tenths, missing):\n    return tf.where(tenths == missing, np.nan, in_degrees(tenths))"
    )


@honest(decode=1)
def a_helper_in_a_cell_below(book):
    book.insert("def in_degrees(t):\n    return tf.cast(t, tf.float32) / 10.0", after="exercise-decode")
    book.answer(
        decode="def decode(tenths, missing):\n    return tf.where(tenths == missing, np.nan, in_degrees(tenths))"
    )


@honest(decode=1)
def a_helper_of_a_helper(book):
    book.insert("TEN = 10.0", before="exercise-decode")
    book.insert("def tenth(x):\n    return x / TEN", before="exercise-decode")
    book.insert("def in_degrees(t):\n    return tenth(tf.cast(t, tf.float32))", before="exercise-decode")
    book.answer(
        decode="def decode(tenths, missing):\n    return tf.where(tenths == missing, np.nan, in_degrees(tenths))"
    )


@honest(decode=1)
def an_import_added_to_the_setup_cell(book):
    setup = book.cells[book.place("card-3")]
    setup["source"] = "import math\n" + "".join(setup["source"])
    book.answer(decode=DECODE.replace("np.nan", "math.nan"))


@honest(decode=1)
def a_setup_cell_that_was_deleted(book):
    book.solve("decode").drop(lambda cell: cell["id"] != "card-3")


@honest(decode=1)
def other_names_for_the_arguments(book):
    book.answer(decode=DECODE.replace("tenths", "t").replace("missing", "gap"))


@honest(decode=1)
def one_more_argument_with_a_default(book):
    book.answer(decode=DECODE.replace("missing)", "missing, scale=10.0)").replace("/ 10.0", "/ scale"))


@honest(decode=1)
def a_lambda(book):
    book.answer(decode="decode = lambda t, m: tf.where(t == m, np.nan, tf.cast(t, tf.float32) / 10.0)")


@honest(decode=1)
def a_partial(book):
    code = "import functools\n\ndef by(scale, tenths, missing):\n    "
    code += "return tf.where(tenths == missing, np.nan, tf.cast(tenths, tf.float32) / scale)\n\n"
    book.answer(decode=code + "decode = functools.partial(by, 10.0)")


@honest(decode=1)
def an_object_that_can_be_called(book):
    code = "class Decoder:\n    def __call__(self, tenths, missing):\n"
    code += "        return tf.where(tenths == missing, np.nan, tf.cast(tenths, tf.float32) / 10.0)\n\n"
    book.answer(decode=code + "decode = Decoder()")


@honest(decode=1)
def a_function_with_a_decorator_of_its_own(book):
    book.insert("def loud(f):\n    def g(*a):\n        print('called')\n        return f(*a)\n    return g")
    book.answer(decode="@loud" + DECODE)


@honest(squared_distances=3)
def a_graph(book):
    book.answer(squared_distances="@tf.function\n" + book.solution("squared_distances"))


@honest(standardize=2)
def the_work_is_done_in_a_function_inside(book):
    inner = "\n".join("    " + line for line in book.solution("standardize").splitlines())
    book.answer(standardize=f"def standardize(values):\n{inner}\n    return standardize(values)")


@honest(mean_of_measured=2)
def modules_are_imported_inside(book):
    code = "def mean_of_measured(values):\n    import numpy\n    import tensorflow\n"
    book.answer(
        mean_of_measured=code + "    return tensorflow.constant(numpy.nanmean(values.numpy(), axis=-1))"
    )


@honest(mean_of_measured=2)
def star_arguments(book):
    book.answer(
        mean_of_measured=book.solution("mean_of_measured")
        .replace("(values)", "(*args)", 1)
        .replace("measured = ", "values, = args\n    measured = ", 1)
    )


@honest(decode=1)
def a_constant_from_another_cell(book):
    book.insert("ZEHNTEL = np.float32(10)", before="1-give-numbers-a-shape-and-a-dtype-1")
    book.answer(decode=DECODE.replace("10.0", "ZEHNTEL"))


@honest(decode=1)
def names_in_other_alphabets(book):
    book.answer(decode=DECODE.replace("degrees", "θερμοκρασία").replace("tenths", "décimas"))


@honest(decode=1, standardize=2)
def line_ends_of_windows(book):
    book.solve("standardize").answer(decode=DECODE.replace("\n", "\r\n"))
    for cell in book.cells:
        cell["source"] = "".join(cell["source"]).replace("\r\n", "\n").replace("\n", "\r\n")


@honest(decode=1)
def line_ends_of_old_macs(book):
    book.answer(decode=DECODE.replace("\n", "\r"))


@honest(decode=1)
def a_byte_order_mark(book):
    book.solve("decode").text = lambda text: "\ufeff" + text


@honest(decode=1, at_hour=2)
def cells_in_another_order(book):
    book.solve("decode", "at_hour").cells.reverse()


@honest(decode=1)
def the_exercise_twice_the_second_right(book):
    wrong = "def decode(tenths, missing):\n    return tf.cast(tenths, tf.float32)"
    book.answer(decode=wrong).insert(DECODE, after="exercise-decode")


@honest(decode=1)
def a_blank_left_and_the_answer_below(book):
    book.insert(DECODE, after="exercise-decode")


@honest(decode=1)
def a_trial_of_something_else_after_the_check(book):
    book.solve("decode").insert(
        "def decode(tenths, missing):\n    return tenths * 10", after="check-decode-1"
    )


@honest(decode=1)
def another_kernel(book):
    book.solve("decode").content["metadata"]["kernelspec"] = {
        "name": "conda-env-tf-py",
        "display_name": "Python [conda env:tf]",
        "language": "python",
    }


@honest(decode=1)
def no_metadata_and_other_ids_as_after_another_editor(book):
    book.solve("decode")
    for place, cell in enumerate(book.cells):
        cell["metadata"], cell["id"] = {}, f"x{place:04}"


@honest(decode=1)
def without_ids_as_in_older_notebooks(book):
    book.solve("decode")
    for cell in book.cells:
        cell.pop("id")
    book.content["nbformat_minor"] = 4


@honest(decode=1)
def magics_and_shell_lines(book):
    book.answer(
        decode="%matplotlib inline\n!echo hello\n%load_ext autoreload\n"
        + DECODE
        + "%time decode(tf.constant([1]), 2)"
    )


@honest(decode=1)
def a_cell_magic_around_the_exercise(book):
    book.answer(decode="%%time\n" + DECODE.strip())


@honest(decode=1)
def await_at_the_top(book):
    book.answer(decode="import asyncio\nawait asyncio.sleep(0)\n" + DECODE)


@honest(decode=1)
def a_trial_that_fails_below_the_function(book):
    book.answer(decode=DECODE + "\nprint(decode(packed_by_hand, -9999))")


@honest(decode=1)
def other_cells_that_fail(book):
    book.solve("decode").insert("1 / 0").insert("def (").insert("raise SystemExit")


@honest(decode=1)
def a_scratch_cell_that_never_ends(book):
    book.solve("decode").insert("while True:\n    pass")


@honest(decode=1)
def a_name_from_a_demonstration(book):
    shape = "    if len(weather.shape) != 4:\n        raise ValueError\n"
    book.answer(decode=DECODE.replace("missing):\n", "missing):\n" + shape))


@honest(decode=1, at_hour=2)
def two_exercises_in_one_cell(book):
    book.answer(decode=DECODE + "\n\n" + book.solution("at_hour"))


@honest(RunningMean=2)
def a_class_on_a_base_of_its_own(book):
    base = book.solution("RunningMean").replace("class RunningMean", "class Mean")
    book.insert(base, before="exercise-RunningMean").answer(RunningMean="class RunningMean(Mean):\n    pass")


@honest(decode=1)
def markers_of_a_solution_left_in(book):
    book.answer(
        decode=DECODE.replace("    degrees", "    ### BEGIN SOLUTION\n    degrees", 1)
        + "    ### END SOLUTION\n"
    )


@honest(decode=1)
def checks_and_texts_deleted(book):
    book.solve("decode").drop(lambda cell: cell["id"] in ("card-2", "exercise-decode"))


@honest(decode=1)
def much_printing(book):
    book.answer(decode=DECODE.replace("    return", "    print('x' * 10_000)\n    return"))


@honest(decode=1)
def alternatives_in_a_try(book):
    inner = "\n".join("    " + line for line in DECODE.strip().splitlines())
    book.answer(decode=f"try:\n    import cupy\nexcept ImportError:\n{inner}")


@honest(decode=1)
def a_shim_for_an_older_numpy(book):
    book.insert("np.float = float\nnp.bool = bool", before="exercise-decode").solve("decode")


@honest(decode=1)
def cells_of_nbgrader(book):
    book.solve("decode")
    for cell in book.cells:
        cell["metadata"]["nbgrader"] = {
            "grade_id": cell["id"],
            "solution": True,
            "grade": False,
            "locked": False,
        }
    more = {"grade": True, "grade_id": "points-decode", "solution": False, "locked": True, "points": 1}
    book.insert('lab.points("decode", 1)', after="check-decode", metadata={"nbgrader": more})


@honest(SEQUENTIAL, best_epoch=1, recall_by_class=2)
def plain_python_where_numpy_was_meant(book):
    book.answer(best_epoch="def best_epoch(h):\n    v = list(h['val_loss'])\n    return v.index(min(v)) + 1")
    book.solve("recall_by_class")


@honest(SEQUENTIAL, make_model=2)
def a_model_from_a_helper(book):
    book.insert("def layers(h, c):\n    return [keras.layers.Dense(h, 'relu'), keras.layers.Dense(c)]")
    code = "def make_model(s, h, c):\n    first = [keras.Input(s), keras.layers.Flatten()]\n"
    book.answer(make_model=code + "    return keras.Sequential([*first, *layers(h, c)])")


@honest(TAPE, line_gradient=1, descend=2)
def an_exercise_unsolved_between(book):
    book.solve("line_gradient", "descend")


@honest(GRAPHS, wires=2)
def a_generator_for_a_list(book):
    code = "def wires(graph):\n    def each():\n        for op in graph.get_operations():\n"
    code += "            yield from ((t.op.name, op.name) for t in op.inputs)\n    return [*each()]"
    book.answer(wires=code)


def _as_lines(book: Book) -> Book:
    for cell in book.cells:
        cell["source"] = "".join(cell["source"]).splitlines(keepends=True)
    return book


@honest(decode=1)
def source_as_a_list_of_lines(book):
    return _as_lines(book.solve("decode"))


def _nested() -> None:
    """Two folders deep, beside other files and a checkpoint."""
    book = Book().solve("decode")
    stale = json.dumps({"cells": []}).encode()
    files = {
        "foundations/tensors.ipynb": book.data(),
        "foundations/.ipynb_checkpoints/tensors-checkpoint.ipynb": stale,
        "assignment.json": b"{}",
    }
    CASES.append(Case("in-folders-beside-other-files", files, {"decode": 1}))


_nested()
