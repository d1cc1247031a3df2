"""The whole week with an invented class: handed out, handed in, graded by `labs grade` and by nbgrader, and seen."""

import csv
import os
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from labs.kit.course.records import read_all
from labs.kit.curriculum import load
from labs.kit.load import exercises

LAB = load().lab("foundations/tensors")
STUDENTS = 40


def labs(*words, folder, **env):
    """Run the command as an instructor does."""
    path = f"{Path(sys.executable).parent}{os.pathsep}{os.environ['PATH']}"
    env = os.environ | {"PATH": path, "LABS_HOME": str(folder / "home")} | env
    return subprocess.run(
        [sys.executable, "-m", *map(str, words)],
        cwd=folder,
        env=env,
        capture_output=True,
        text=True,
        timeout=900,
    )


def expected(folder):
    """Return what construction says: (student, exercise) to points, and to the verdict."""
    with open(folder / "expected.csv", newline="") as file:
        rows = list(csv.DictReader(file))
    points = {(row["student"], row["exercise"]): int(row["points"]) for row in rows}
    return points, {(row["student"], row["exercise"]): row["expected"] for row in rows}


def test_a_class_gets_what_its_answers_deserve(tmp_path):
    folder = tmp_path / "week"
    made = labs("labs", "rehearse", LAB.name, "--out", folder, "--students", STUDENTS, folder=tmp_path)
    assert made.returncode == 0, made.stderr
    graded = labs(
        "labs", "grade", folder / "submitted", "--out", folder / "graded", "--jobs", 2, folder=tmp_path
    )
    assert graded.returncode == 0, graded.stdout + graded.stderr
    points, verdicts = expected(folder)
    records = read_all(folder / "graded")
    got = {(record.student, one.name): one.points for record in records for one in record.exercises}
    assert got == points
    named = {
        (record.student, one.name): one.verdict["diagnosis"] or one.verdict["state"]
        for record in records
        for one in record.exercises
    }
    # On inputs that nobody has seen a mistake can look like its neighbour; most must be told as what they are.
    alike = sum(named[key] == verdict for key, verdict in verdicts.items())
    assert alike >= 0.97 * len(verdicts), [
        (key, named[key], verdicts[key]) for key in verdicts if named[key] != verdicts[key]
    ]
    assert not [one for record in records for one in record.exercises if one.stopped]
    report = (folder / "graded" / "report.html").read_text("utf-8")
    pages = sorted((folder / "graded" / "feedback").glob("*.html"))
    assert f"{STUDENTS} students" in report and len(pages) == STUDENTS
    for record in records:
        page = (folder / "graded" / "feedback" / f"{record.student}.html").read_text("utf-8")
        assert (
            f"{record.points} of {record.of_points} points" in page
            and f"feedback/{record.student}.html" in report
        )
    with open(folder / "graded" / "misconceptions.csv", newline="") as file:
        counted = {
            (row["exercise"], row["misconception"]): int(row["students"]) for row in csv.DictReader(file)
        }
    assert counted == Counter(
        (name, named[student, name])
        for student, name in named
        if named[student, name] not in ("passed", "blank")
    )

    again = labs("labs", "grade", folder / "submitted", "--out", folder / "graded", folder=tmp_path)
    assert again.returncode == 0 and read_all(folder / "graded") == records


def test_nbgrader_and_labs_grade_give_the_same_points(tmp_path):
    pytest.importorskip("nbgrader")
    from nbgrader.api import Gradebook

    course = tmp_path / "course"
    assert (
        labs("labs", "assign", LAB.name, "--out", course, "--as", "nbgrader", folder=tmp_path).returncode == 0
    )
    assert (
        labs("labs", "rehearse", "--out", course, "--students", 3, "--seed", 31, folder=tmp_path).returncode
        == 0
    )
    points, _ = expected(course)
    assert {bool(given) for given in points.values()} == {True, False}
    name = next((course / "release").iterdir()).name
    warm = {"LABS_WARM_FOLDER": str(tmp_path / "warm")}
    auto = labs("nbgrader", "autograde", name, folder=course, **warm)
    labs("labs", "kernel", "stop", folder=course, **warm)
    assert auto.returncode == 0, auto.stderr[-3000:]
    ours = labs("labs", "grade", course / "submitted", "--out", tmp_path / "graded", folder=tmp_path)
    assert ours.returncode == 0, ours.stdout + ours.stderr

    theirs = {}
    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        for submission in book.assignment_submissions(name):
            for grade in (grade for notebook in submission.notebooks for grade in notebook.grades):
                theirs[submission.student.id, grade.cell.name.removeprefix("points-")] = grade.score
    records = read_all(tmp_path / "graded")
    own = {(record.student, one.name): one.points for record in records for one in record.exercises}
    assert own == theirs == points
    assert len(own) == 3 * len(exercises(LAB))
