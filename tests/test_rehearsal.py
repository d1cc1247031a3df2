"""The invented class: what each student hands in is an answer of the lab's, and receives what it must."""

import csv
import json
from collections import Counter
from pathlib import Path

import pytest

from labs.kit.command import cli
from labs.kit.course import rehearsal
from labs.kit.course.answer_source import written
from labs.kit.curriculum import load
from labs.kit.errors import LabsError
from labs.kit.load import answers, exercises

CURRICULUM = load()
CHEAP = ("foundations/tensors", "keras/sequential")


@pytest.mark.parametrize("name", CHEAP)
def test_answers_as_text_are_the_answers(name):
    """Each, run as a learner's cell would be, receives the verdict that `answers.py` promises."""
    from labs.kit import quiet
    from labs.kit.author.proof import setup
    from labs.kit.examine import examine
    from labs.kit.reference import build, source

    quiet.tensorflow()
    lab = CURRICULUM.lab(name)
    known, space = exercises(lab), setup(lab, CURRICULUM)
    for exercise in known:
        space[exercise] = build(source(lab, exercise), exercise, space, f"<reference {exercise}>")
    promised = [(answer.exercise, answer.name, answer.expected) for answer in answers(lab)]
    assert [(answer.exercise, answer.name, answer.expected) for answer in written(lab)] == promised
    for answer in written(lab):
        attempt = build(answer.source, answer.exercise, space, f"<{answer.name}>")
        verdict = examine(known[answer.exercise], attempt, 4)
        assert (verdict.diagnosis or verdict.state) == answer.expected, answer.name


def test_every_answer_stands_alone_under_the_exercise_s_name():
    for lab in CURRICULUM.labs.values():
        for answer in written(lab):
            compile(answer.source, answer.name, "exec")
            assert f" {answer.exercise}(" in answer.shown or f" {answer.exercise}:" in answer.shown
            assert "@wrong" not in answer.source and "@right" not in answer.source


def test_a_class_holds_right_wrong_and_blank_and_says_what_each_must_get(tmp_path):
    lab = CURRICULUM.lab(CHEAP[0])
    handed = rehearsal.write(tmp_path / "class", [lab], 40, seed=1)
    with open(tmp_path / "class" / "expected.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    assert len(rows) == len(handed) == 40 * len(exercises(lab))
    kinds = Counter(one.expected if one.expected in ("passed", "blank") else "wrong" for one in handed)
    assert min(kinds.values()) >= 24, kinds
    assert all(int(row["points"]) == int(row["of_points"]) * (row["expected"] == "passed") for row in rows)
    notebooks = list((tmp_path / "class" / "submitted").glob("*/*.ipynb"))
    assert len(notebooks) == 40
    for one in handed:
        path = tmp_path / "class" / "submitted" / one.student / "foundations-tensors.ipynb"
        cells = {cell["id"]: "".join(cell["source"]) for cell in json.loads(path.read_text())["cells"]}
        blank = "NotImplementedError" in cells[f"exercise-{one.exercise}"]
        assert blank == (one.expected == "blank")


def test_the_same_seed_is_the_same_class():
    given = [rehearsal.Given(CURRICULUM.lab(name), Path(name), {"cells": []}) for name in CHEAP]
    first, again, other = (list(rehearsal.invent(given, 3, seed)) for seed in (1, 1, 2))
    assert first == again != other


def test_nothing_is_written_over(tmp_path, monkeypatch, capsys):
    (tmp_path / "mine.txt").write_text("mine")
    with pytest.raises(LabsError, match="there already"):
        rehearsal.write(tmp_path, [CURRICULUM.lab(CHEAP[0])], 1, 1)
    monkeypatch.setattr("sys.argv", ["labs", "rehearse", "nope", "--out", str(tmp_path / "new")])
    with pytest.raises(SystemExit) as ended:
        cli.main()
    assert ended.value.code == 1 and "nope" in capsys.readouterr().err
    assert not (tmp_path / "new").exists()


def test_a_class_is_written_whole_or_not_at_all(tmp_path, monkeypatch):
    def stopped(*_):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch:
        patch.setattr(rehearsal, "as_csv", stopped)
        with pytest.raises(KeyboardInterrupt):
            rehearsal.write(tmp_path / "class", [CURRICULUM.lab(CHEAP[0])], 2, 1)
    assert not list(tmp_path.iterdir())
    course = tmp_path / "course"
    (course / "release").mkdir(parents=True)
    (course / rehearsal.EXPECTED).write_text("mine")
    with pytest.raises(LabsError, match="there already"):
        rehearsal.into_course(course, CURRICULUM, 2, 1)
    assert (course / rehearsal.EXPECTED).read_text() == "mine"
