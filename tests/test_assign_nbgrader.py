"""An assignment as an nbgrader course: nbgrader's own commands make the release and give the points."""

import json
import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest
from typer.testing import CliRunner

from labs.kit.command import cli, workspace
from labs.kit.course import assignment, grade, nbgrader_course
from labs.kit.course.answer_source import written
from labs.kit.curriculum import load
from labs.kit.load import exercises
from tests.leaks import secrets, squeezed, texts

pytest.importorskip("nbgrader")

LAB = load().lab("foundations/graphs")
POINTS = {**{name: one.points for name, one in exercises(LAB).items()}, "wires": 5}
NAME, NOTEBOOK = "week-1", "foundations-graphs.ipynb"


def invoke(*arguments):
    return CliRunner().invoke(cli.app, list(map(str, arguments)), prog_name="labs")


@pytest.fixture(scope="module")
def course(tmp_path_factory):
    folder = tmp_path_factory.mktemp("nbgrader") / "course"
    ran = invoke(
        "assign", LAB.name, "--out", folder, "--as", "nbgrader", "--title", "Week 1",
        "--points", "wires=5", "--due", "2026-12-01T18:00+01:00",
    )  # fmt: skip
    assert ran.exit_code == 0, ran.output
    return folder


@pytest.fixture(scope="module")
def release(course):
    return json.loads((course / "release" / NAME / NOTEBOOK).read_text("utf-8"))


def nbgrader(course, *arguments):
    bin_folder = str(Path(sys.executable).parent)  # nbgrader looks for alembic there
    env = {**os.environ, "PATH": os.pathsep.join([bin_folder, os.environ["PATH"]])}
    ran = subprocess.run(
        [sys.executable, "-m", "nbgrader", *arguments], cwd=course, env=env, capture_output=True, text=True
    )
    assert ran.returncode == 0, ran.stderr[-4000:]
    return ran.stderr


def kinds(notebook):
    return {
        cell["id"]: cell["metadata"]["nbgrader"]
        for cell in notebook["cells"]
        if "nbgrader" in cell["metadata"]
    }


def test_each_exercise_is_a_solution_cell_with_tests_that_give_its_points(release):
    from nbgrader.nbgraderformat import MetadataValidator

    validator = MetadataValidator()
    for cell in release["cells"]:
        validator.validate_cell(_node(cell))
    found = kinds(release)
    for name, points in POINTS.items():
        assert found[f"exercise-{name}"]["solution"] and not found[f"exercise-{name}"]["grade"]
        assert found[f"points-{name}"]["grade"] and found[f"points-{name}"]["points"] == points
        ids = [cell["id"] for cell in release["cells"]]
        at = ids.index(f"exercise-{name}")
        assert ids[at : at + 3] == [f"exercise-{name}", f"check-{name}", f"points-{name}"]
    starts = [cell for cell in release["cells"] if "labs.start(" in "".join(cell["source"])]
    assert len(starts) == 1 and starts[0]["metadata"]["nbgrader"]["locked"]
    assert {one["schema_version"] for one in found.values()} == {nbgrader_course.SCHEMA}


def _node(cell):
    from nbformat import from_dict

    return from_dict(cell)


def test_the_release_has_blanks_where_the_source_has_solutions(course, release):
    source = json.loads((course / "source" / NAME / NOTEBOOK).read_text("utf-8"))
    for name in POINTS:
        solved, blank = (
            next("".join(c["source"]) for c in one["cells"] if c["id"] == f"exercise-{name}")
            for one in (source, release)
        )
        assert "### BEGIN SOLUTION" in solved
        assert 'raise NotImplementedError("your turn")' in blank and "SOLUTION" not in blank
    assert {"README.md", "assignment.json", "material", NOTEBOOK} <= {
        path.name for path in (course / "release" / NAME).iterdir()
    }


def test_no_line_of_a_solution_or_an_answer_of_any_lab_is_released(tmp_path):
    course = tmp_path / "course"
    assert (
        invoke("assign", *load().labs, "--out", course, "--as", "nbgrader", "--title", "All").exit_code == 0
    )
    released = course / "release" / "all"
    open_text = {name: squeezed(text) for name, text in texts(released) if "/data/" not in name}
    # What a check computes to compare with, it knows, packed.
    open_text = {name: text for name, text in open_text.items() if not name.endswith("!unpacked")}
    source = squeezed("".join(text for name, text in texts(course / "source") if name.endswith("!cells")))
    assert len([name for name in open_text if name.endswith("!cells")]) == len(load().labs)
    for lab in load().labs.values():
        hidden = set(secrets(lab))
        # What one lab asks for, another may show: an assignment of one lab alone has no such text.
        others = [other for other in load().labs if other != lab.name]
        others += [other.replace("/", "-") for other in others]
        mine = {name: text for name, text in open_text.items() if not any(one in name for one in others)}
        assert any(name.endswith("!cells") for name in mine)
        assert any(line in source for line in hidden), (
            "the source has the solutions: this test looks in the right place"
        )
        assert not {(name, line) for line in hidden for name, text in mine.items() if line in text}


def test_the_points_of_a_course_count_however_it_is_named(course, monkeypatch):
    monkeypatch.chdir(course)
    for path in (course, course / "submitted", Path("submitted"), Path(".")):
        assert grade.points_of(grade._assigned(path, None))[LAB.name] == POINTS


def test_what_was_fetched_can_be_checked_without_naming_it(course, tmp_path, monkeypatch):
    shutil.copytree(course / "release" / NAME, tmp_path / NAME)
    monkeypatch.chdir(tmp_path / NAME)
    lab = load().lab(LAB.name)
    assert workspace.copy_of(lab) == tmp_path / NAME / NOTEBOOK
    assert workspace.state(lab) == workspace.CURRENT
    ran = invoke("reset", LAB.name)
    assert ran.exit_code == 1 and "fetch it again" in ran.stderr and "labs build" not in ran.stderr


def test_the_grade_book_knows_the_due_date_and_the_points(course):
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        found = book.find_assignment(NAME)
        assert found.duedate.isoformat() == "2026-12-01T17:00:00"
        assert found.max_score == sum(POINTS.values())
    made = assignment.read(course / "release" / NAME / "assignment.json")
    assert made.points == sum(POINTS.values()) and made.id == NAME


def test_another_assignment_joins_the_course_and_the_first_is_left_alone(course):
    before = {path: path.read_bytes() for path in (course / "source" / NAME).rglob("*") if path.is_file()}
    config = (course / nbgrader_course.CONFIG).read_text() + "# mine\n"
    (course / nbgrader_course.CONFIG).write_text(config)
    again = invoke("assign", LAB.name, "--out", course, "--as", "nbgrader", "--title", "Week 1")
    assert again.exit_code == 1 and "nothing is overwritten" in again.stderr
    second = invoke("assign", "keras/sequential", "--out", course, "--as", "nbgrader", "--title", "Week 2")
    assert second.exit_code == 0, second.output
    assert (course / "release" / "week-2" / "keras-sequential.ipynb").is_file()
    assert (course / nbgrader_course.CONFIG).read_text() == config
    assert before == {path: path.read_bytes() for path in before}


def test_what_nbgrader_refuses_leaves_no_half_assignment(course, monkeypatch):
    monkeypatch.setattr(nbgrader_course, "SCHEMA", 99)
    ran = invoke("assign", "keras/functional", "--out", course, "--as", "nbgrader", "--title", "Week 3")
    assert ran.exit_code == 1 and "generate_assignment" in ran.stderr and "Traceback" not in ran.stderr
    assert not (course / "source" / "week-3").exists() and not (course / "release" / "week-3").exists()
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        assert "week-3" not in {one.name for one in book.assignments}


def test_what_fails_in_a_new_course_leaves_nothing_and_can_be_tried_again(tmp_path, monkeypatch):
    words = ("assign", "keras/functional", "--out", tmp_path / "course", "--as", "nbgrader")
    with monkeypatch.context() as patch:
        patch.setattr(nbgrader_course, "SCHEMA", 99)
        assert invoke(*words).exit_code == 1
    assert not (tmp_path / "course").exists()
    assert invoke(*words).exit_code == 0


def test_a_course_of_one_s_own_needs_lines_that_are_named_and_then_serves(tmp_path):
    course = tmp_path / "ml"
    course.mkdir()
    config = course / nbgrader_course.CONFIG
    config.write_text("c = get_config()\nc.CourseDirectory.course_id = 'ml'\n")
    words = ("assign", "keras/functional", "--out", course, "--as", "nbgrader", "--title", "Week 1")
    refused = invoke(*words)
    assert refused.exit_code == 1 and "Traceback" not in refused.stderr
    lines = [line for line in refused.stderr.splitlines() if line.startswith("c.")]
    assert len(lines) == 3 and [path.name for path in course.iterdir()] == [config.name]
    config.write_text(config.read_text() + "\n".join(lines) + "\n")
    ran = invoke(*words)
    assert ran.exit_code == 0, ran.output
    released = json.loads((course / "release" / "week-1" / "keras-functional.ipynb").read_text("utf-8"))
    assert any("your turn" in "".join(cell["source"]) for cell in released["cells"])
    config.write_text("c = get_config(\n")
    broken = invoke(*words[:-1], "Week 2")
    assert broken.exit_code == 1 and "SyntaxError" in broken.stderr and "Traceback" not in broken.stderr


# --- autograde


def submit(course, student, sources, change=lambda cells: cells):
    """Hand in the release with answers in its exercises' cells."""
    folder = course / "submitted" / student / NAME
    shutil.copytree(course / "release" / NAME, folder)
    notebook = json.loads((folder / NOTEBOOK).read_text("utf-8"))
    for cell in notebook["cells"]:
        name = cell["id"].removeprefix("exercise-")
        if cell["id"].startswith("exercise-") and name in sources:
            cell["source"] = sources[name]
    notebook["cells"] = change(notebook["cells"])
    (folder / NOTEBOOK).write_text(json.dumps(notebook), "utf-8")


@pytest.fixture(scope="module")
def graded(course):
    """Three honest submissions and one that tries the obvious, autograded by nbgrader."""
    pytest.importorskip("tensorflow")
    answers = written(LAB)
    right = {one.exercise: one.source for one in reversed(answers) if one.is_right}
    wrong = {one.exercise: one.source for one in reversed(answers) if not one.is_right}
    submit(course, "student-right", right)
    submit(course, "student-mixed", {**right, "route": wrong["route"], "wires": wrong["wires"]})
    submit(course, "student-blank", {})

    def without_tests(cells):
        for cell in cells:
            if cell["id"].startswith("points-wires"):
                cell["source"] = "5.0"
        return [cell for cell in cells if cell["id"] != "points-route"]

    # Asking a check for its working version, counting first and wrapping what is put in place, changing the tests,
    # and taking one out.
    wrapped = "lab.points('traces_of', 1)\nworks = traces_of\ndef traces_of(*a):\n    return works(*a)\n"
    begged = {
        "any_batch": "any_batch = lab.check('any_batch')\n",
        "wires": wrong["wires"],
        "traces_of": wrapped,
    }
    submit(course, "student-sly", begged, without_tests)
    nbgrader(course, "autograde", NAME)
    from nbgrader.api import Gradebook

    with Gradebook(f"sqlite:///{course / 'gradebook.db'}") as book:
        return {
            submission.student.id: {
                grade.cell.name.removeprefix("points-"): (grade.score, grade.needs_manual_grade)
                for notebook in submission.notebooks
                for grade in notebook.grades
            }
            for submission in book.find_assignment(NAME).submissions
        }


def test_nbgrader_gives_all_points_for_right_answers_and_none_for_blanks(graded):
    assert graded["student-right"] == {name: (points, False) for name, points in POINTS.items()}
    assert graded["student-blank"] == {name: (0, False) for name in POINTS}


def test_a_wrong_answer_costs_its_own_points_and_no_others(graded):
    expected = {name: (0 if name in ("route", "wires") else points, False) for name, points in POINTS.items()}
    assert graded["student-mixed"] == expected


def test_changed_and_missing_tests_come_back_and_no_reference_is_given_away(graded):
    assert graded["student-sly"] == {name: (0, False) for name in POINTS}


def test_the_diagnosis_of_the_check_is_in_what_the_student_gets_back(course, graded):
    import nbformat

    done = nbformat.read(course / "autograded" / "student-mixed" / NAME / NOTEBOOK, as_version=4)
    (outputs,) = [cell.outputs for cell in done.cells if cell.id == "check-route"]
    shown = "".join(output.data["text/plain"] for output in outputs)
    first = next(one for one in written(LAB) if one.exercise == "route" and not one.is_right)
    assert exercises(LAB)["route"].misconceptions[first.expected].says in shown
    assert "working version" not in shown
