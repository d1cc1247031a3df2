"""What `labs.start` gives a learner: checks that never block, hints that climb, a quiet start."""

import subprocess
import sys

import pytest

from labs.kit import progress, session
from labs.kit.curriculum import load
from labs.kit.errors import LabsError

tf = pytest.importorskip("tensorflow")
NAME = "keras/sequential"


@pytest.fixture
def namespace():
    """Stand for a notebook's own names, after its imports."""
    import keras
    import numpy as np

    return {"tf": tf, "keras": keras, "np": np, "__name__": "__main__"}


@pytest.fixture
def lab(namespace):
    return session.Session(load().lab(NAME), namespace)


def prepare(image, label):
    raise NotImplementedError("your turn")


def test_start_says_in_one_line_what_it_runs_on(capsys):
    import labs

    labs.start(NAME)
    said = capsys.readouterr().out
    assert said.count("\n") == 1
    assert f"TensorFlow {tf.__version__}" in said and ("CPU (" in said or "GPU (" in said)


def test_a_passing_attempt_comes_back_itself(lab, capsys):
    def prepare(image, label):
        return tf.cast(image, tf.float32) / 255.0, label

    assert lab.check(prepare) is prepare
    assert "Passed" in capsys.readouterr().out


def test_a_blank_is_replaced_by_a_reference_that_works(lab, capsys):
    working = lab.check(prepare)
    assert working is not prepare
    assert float(working(tf.constant(255, tf.uint8), 1)[0]) == 1.0
    assert "working version" in capsys.readouterr().out


def test_checking_again_judges_the_learner_and_not_the_reference(lab, namespace, capsys):
    """Running only the check cell twice must not turn a blank into a pass."""
    namespace["prepare"] = lab.check(prepare)
    namespace["prepare"] = lab.check(namespace["prepare"])
    assert "Passed" not in capsys.readouterr().out
    assert progress.states()[NAME, "prepare"]["state"] == "blank"


def test_an_exercise_whose_cell_never_ran_is_a_blank(lab, namespace, capsys):
    assert callable(lab.check(namespace["make_model"]))
    assert "Still blank" in capsys.readouterr().out


def test_a_class_or_function_of_another_name_is_found_by_its_place(lab, namespace):
    namespace["prepare"] = lambda image, label: (tf.cast(image, tf.float32) / 255.0, label)
    assert lab.check(namespace["prepare"]) is namespace["prepare"]


def test_a_stranger_is_refused_with_the_names(lab):
    with pytest.raises(LabsError, match=r"none of this lab's exercises.*make_model"):
        lab.check(print)


def test_hints_climb_and_stay_on_the_last(lab, capsys):
    for _ in range(4):
        lab.hint(prepare)
    said = capsys.readouterr().out
    assert [said.count(f"hint {n} of 3") for n in (1, 2, 3)] == [1, 1, 2]


def test_a_card_counts_the_hints_already_seen(lab, capsys):
    lab.hint("prepare")
    capsys.readouterr()
    lab.check(prepare)
    assert "Hint 2 of 3" in capsys.readouterr().out


def test_a_check_leaves_the_random_numbers_as_start_left_them(lab):
    lab.reseed()
    fresh = tf.random.normal([3]).numpy().tolist()
    lab.check(prepare)
    assert tf.random.normal([3]).numpy().tolist() == fresh


def test_fails_prints_the_message_and_insists_on_it(lab, capsys):
    with lab.fails(ValueError):
        raise ValueError("as promised")
    assert capsys.readouterr().out == "ValueError: as promised\n"
    with pytest.raises(LabsError, match="it did not"), lab.fails(ValueError):
        pass


def test_scratch_is_a_folder_of_this_run(lab):
    assert lab.scratch.is_dir() and lab.scratch == lab.scratch


def test_an_unknown_lab_is_one_sentence():
    import labs

    with pytest.raises(LabsError, match="Did you mean `keras/sequential`"):
        labs.start("keras/sequentail")


def test_nothing_of_tensorflow_s_log_reaches_the_learner():
    code = f"import labs; labs.start({NAME!r}); import tensorflow as tf; tf.constant(1) + 1"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=300)
    assert (run.returncode, run.stderr) == (0, "")


def test_importing_the_public_face_is_light():
    code = "import sys, labs; print([m for m in ('tensorflow', 'keras', 'matplotlib') if m in sys.modules])"
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert run.stdout.strip() == "[]"


def test_a_broken_import_still_shows_what_was_written(tmp_path):
    code = (
        "import os\nfrom labs.kit.quiet import quiet_stderr\n"
        "with quiet_stderr():\n    os.write(2, b'the reason')\n    raise SystemExit(3)\n"
    )
    run = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert (run.returncode, run.stderr) == (3, "the reason")
