"""The folder of a grading, whatever happens on the way: nothing here runs a notebook."""

import os
from dataclasses import replace
from datetime import date
from types import SimpleNamespace

import pytest
from test_grade import TENSORS, a_record, rows

from labs.kit.course import grade, gradebook, records, reports, results
from labs.kit.errors import LabsError
from tests.red_team.book import Book, put


@pytest.fixture
def week(tmp_path, monkeypatch):
    """Give a way to grade two students without running anything, and to say which are not graded."""
    students = ("student-01", "student-02")
    for student in students:
        put(tmp_path / "class", f"{student}/tensors.ipynb", data=Book().solve("decode").data())

    def run(*failing, **more):
        def way(tasks, on_record):
            for task in tasks:
                if task.student not in failing:
                    on_record(replace(a_record(task.student), file=task.file, sha256=task.sha256))
            return [f"{task.file} was not graded." for task in tasks if task.student in failing]

        monkeypatch.setattr(grade, "_here", lambda jobs: way)
        return grade.command(tmp_path / "class", tmp_path / "out", **more)

    return SimpleNamespace(run=run, folder=tmp_path / "class", out=tmp_path / "out", students=students)


def _names(out):
    return [line[0] for line in rows(out / "grades.csv")[1:]]


def test_what_could_not_be_graded_shows_no_older_result(week, capsys):
    assert week.run() == 0 and _names(week.out) == list(week.students)
    put(week.folder, "student-01/tensors.ipynb", data=Book().solve("at_hour").data())
    assert week.run("student-01") == 1 and _names(week.out) == ["student-02"]
    told = " ".join(capsys.readouterr().err.split())
    assert "was not graded" in told and f"student-01, {TENSORS}: what" in told and "counts no more" in told
    assert week.run() == 0 and _names(week.out) == list(week.students)


def test_a_table_that_was_changed_by_hand_is_kept(week, capsys):
    week.run()
    week.run()
    assert "changed by hand" not in capsys.readouterr().err
    copies = [f"grades-{date.today().isoformat()}{more}.csv" for more in ("", "-2")]
    for number, name in enumerate(copies):
        (week.out / "grades.csv").write_text(f"mine {number}")
        week.run()
        assert f"kept as {name}" in " ".join(capsys.readouterr().err.split())
        assert _names(week.out) == list(week.students)
    assert [(week.out / name).read_text() for name in copies] == ["mine 0", "mine 1"]


def _is_full(*given, **by_name):
    raise OSError(28, "No space left on device")


@pytest.mark.parametrize(
    ("place", "name"),
    [(records, "write"), (results.Log, "__call__"), (gradebook, "write"), (reports, "write")],
    ids=["records", "log", "tables", "pages"],
)
def test_a_full_disk_is_one_sentence_and_what_is_graded_stays(week, monkeypatch, place, name):
    week.run("student-02")
    before = {path: path.read_bytes() for path in week.out.glob("records/*")}
    assert len(before) == 1
    with monkeypatch.context() as patch:
        patch.setattr(place, name, _is_full)
        with pytest.raises(LabsError, match=r"No space left on device.*stays graded"):
            week.run()
    assert before.items() <= {path: path.read_bytes() for path in week.out.glob("records/*")}.items()
    assert week.run() == 0 and _names(week.out) == list(week.students)


def test_a_grading_begins_under_its_lock(week, monkeypatch):
    begun = []

    def begin(out):
        with pytest.raises(LabsError, match="Another"), results.alone(out):
            pass
        begun.append(out)
        return 3

    monkeypatch.setattr(results, "begin", begin)
    week.run()
    assert begun == [week.out]


def test_a_grading_that_was_killed_as_it_began_can_begin_again(week, monkeypatch):
    def killed(*files):
        raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(os, "replace", killed)
        patch.setattr(os, "unlink", lambda file: None)  # as after SIGKILL, nothing is cleared away
        week.run()
    assert [name for name in os.listdir(week.out) if name.startswith(".grading.json.")]
    assert not (week.out / "grading.json").exists() and week.run() == 0


def test_more_notebooks_at_a_time_than_cores_are_warned_of(week, capsys):
    week.run(jobs=1000)
    assert "--jobs 1000 is more than the" in " ".join(capsys.readouterr().err.split())
    week.run(jobs=1)
    assert "--jobs" not in capsys.readouterr().err
