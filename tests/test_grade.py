"""Grading: what is found in what was handed in, what is read in it, what is kept, and what is refused."""

import csv
import io
import json
import os
import re
import signal
import stat
import subprocess
import sys
import time
from contextlib import suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra import numpy as arrays

from labs.kit import curriculum, paths, reference
from labs.kit.course import (
    extract,
    gradebook,
    notebook,
    plan,
    reasons,
    records,
    results,
    submissions,
)
from labs.kit.course.installed import installed
from labs.kit.course.locked import client, deny, frames, room, syscalls
from labs.kit.course.locked.clerk import Clerk, read_cell
from labs.kit.course.locked.frames import FrameError, decode, encode
from labs.kit.course.locked.warden import Limits
from labs.kit.course.records import Cell, Graded, Options, Record, Task
from labs.kit.errors import LabsError
from labs.kit.load import exercises
from tests.red_team.book import Book, put

TENSORS = "foundations/tensors"
LOCKABLE = pytest.mark.skipif(
    bool(room.obstacle()), reason=f"nothing can be locked up here: {room.obstacle()}"
)
ALL = curriculum.load().labs.values()
EXERCISES = [(lab, name) for lab in ALL for name in exercises(lab)]


@given(
    st.binary(max_size=400)
    | st.recursive(
        st.none() | st.booleans() | st.integers() | st.text(max_size=8),
        lambda inner: (
            st.lists(inner, max_size=4)
            | st.dictionaries(
                st.sampled_from(["cells", "metadata", "source", "id", "cell_type", "labs", "name"]),
                inner,
                max_size=4,
            )
        ),
    ).map(lambda value: json.dumps(value).encode())
)
def test_no_bytes_make_the_reader_of_notebooks_fail(data):
    found = notebook.read(data)
    assert len(found.sha256) == 64 and (found.cells or found.problems)


# What is read in cells.


@pytest.mark.parametrize(
    ("source", "defines", "uses"),
    [
        ("def f(x):\n    return g(x) + h", {"f"}, {"g", "h"}),
        ("f = lambda x: k", {"f"}, {"k"}),
        ("from a import b as f", {"f"}, set()),
        ("import a.b", {"a"}, set()),
        ("try:\n    f = 1\nexcept E:\n    f = 2", {"f"}, {"E"}),
        ("for i in r:\n    pass", {"i"}, {"r"}),
        ("class C(B):\n    x = y\n    def m(self):\n        return z", {"C"}, {"B", "y", "z"}),
        ("[a for a in b]", set(), {"b"}),
        ("(n := 3)", {"n"}, set()),
        ("await f()", set(), {"f"}),
        ("%time x = 1\nf = 2", {"f"}, set()),
        ("def f():\n    global q\n    q = 1", {"f"}, set()),
    ],
)
def test_names_of_a_cell(source, defines, uses):
    told = read_cell(source)
    assert not told["error"]
    assert defines <= set(told["defines"])
    assert uses <= set(told["uses"])


def test_what_is_no_python_is_told_by_line():
    told = read_cell("x = 1\ndef (")
    assert told["error"].startswith("SyntaxError") and told["line_number"] == 2


def test_checks_of_a_cell():
    assert read_cell("decode = lab.check(decode)")["only_checks"]
    told = read_cell("decode = lab.check(decode)\nx = 3")
    assert told["checks"] == ["decode"] and not told["only_checks"]


def _read(*sources, lab=TENSORS):
    cells = [Cell(f"c{n}", source) for n, source in enumerate(sources)]
    return plan.read(cells, Clerk().read([cell.source for cell in cells])["cells"], installed(lab))


def _places(steps):
    return [step.place for step in steps if step.place >= 0]


def test_only_what_an_exercise_leans_on_is_run_at_first():
    cells = _read(
        "TEN = 10", "slow()", "def tenth(x):\n    return x / TEN", "def decode(t, m):\n    return tenth(t)"
    )
    first, second = plan.plans(cells, "decode", installed(TENSORS), {}, set())
    assert _places(first) == [0, 2, 3]
    assert _places(second) == [0, 1, 2, 3]


def test_all_is_run_where_a_demonstration_defines_what_is_missing():
    given_cell = next(text for text in installed(TENSORS).given if text.startswith("weather = tf.constant"))
    cells = _read(given_cell, "def decode(t, m):\n    return weather")
    missing = set()
    runs = plan.plans(cells, "decode", installed(TENSORS), {}, missing)
    assert _places(next(runs)) == [1]
    missing.add("weather")
    assert _places(next(runs)) == [0, 1]


def test_a_reference_stands_in_for_others_but_never_for_the_exercise_itself():
    cells = _read("def at_hour(a, b):\n    return 1", "def decode(t, m):\n    return at_hour(t, m)")
    stand = {"at_hour": "def at_hour(a, b): ...", "decode": "def decode(t, m): 'solution'"}
    for steps in plan.plans(cells, "decode", installed(TENSORS), stand, set()):
        sources = [step.source for step in steps]
        assert stand["at_hour"] in sources and stand["decode"] not in sources


def test_where_a_definition_counts_that_is_not_the_first_choice_both_are_told():
    check = "decode = lab.check(decode)"
    cells = _read("def decode(t, m):\n    return 1", check, "def decode(t, m):\n    return 2")
    runs = [set(_places(steps)) for steps in plan.plans(cells, "decode", installed(TENSORS), {}, set())]
    assert runs[:2] == [{0}, {2}]

    def steps(*places):
        return [plan.Step("x", "", place) for place in (-1, *places)]

    assert plan.another(cells, "decode", steps(0)) is None
    assert plan.another(cells, "decode", steps(2)) == plan.another(cells, "decode", steps(0, 2)) == (2, 0)
    # A check that somebody has written more into defines nothing new.
    cells = _read("def decode(t, m):\n    return 1", f"{check}\nprint(decode)")
    assert plan.another(cells, "decode", steps(0)) is plan.another(cells, "decode", steps(0, 1)) is None


def test_a_cell_is_called_by_its_number_and_its_first_line():
    assert reasons.named(3, "\n  while True:\n    pass") == "Code cell 3 (`while True:`)"
    assert reasons.named(3, "") == "Code cell 3"
    assert len(reasons.named(3, "x" * 300)) < 60 and "\x1b" not in reasons.named(3, "a\x1b[31m")
    cell, limits = reasons.named(3, "while True:"), Options(seed=0, cell_seconds=41.3)
    assert reasons.stopped("time", cell, limits).startswith(f"{cell} ran longer than the 41 seconds")
    assert reasons.left_out("time", cell, limits).startswith(
        f"{cell} ran longer than the 41 seconds it may; the"
    )


# What a locked-up process may hold.


@pytest.mark.parametrize(("lab", "name"), EXERCISES, ids=[f"{lab.name}/{name}" for lab, name in EXERCISES])
def test_no_part_of_a_check_that_is_given_away_holds_a_hint_an_input_or_a_result(lab, name):
    text = extract.when(lab.checks, name)
    exercise = exercises(lab)[name]
    compile(text, "checks", "exec")
    assert (
        "def given" not in text
        and "def then" not in text
        and "Misread(" not in text.replace("raise Misread(", "")
    )
    for hint in exercise.hints:
        assert hint not in text
    for line in reference.source(lab, name).split("### BEGIN SOLUTION")[1].split("### END")[0].splitlines():
        assert len(line.strip()) < 25 or line.strip() not in text


@pytest.mark.parametrize(("lab", "name"), EXERCISES, ids=[f"{lab.name}/{name}" for lab, name in EXERCISES])
def test_a_decoy_stands_alone_and_is_no_solution(lab, name):
    solution = reference.source(lab, name)
    for decoy in extract.decoys(lab.answers, name):
        compile(decoy.source, "decoy", "exec")
        assert "@wrong" not in decoy.source and "@right" not in decoy.source
        assert decoy.source.strip() != solution.strip()
    assert "NotImplementedError" not in installed(lab.name).unfilled(name)


# Plain data on its way.

SCALARS = st.none() | st.booleans() | st.integers(-(2**60), 2**60) | st.floats() | st.text(max_size=20)
ARRAYS = arrays.arrays(
    st.sampled_from([np.float32, np.float64, np.int64, np.uint8, np.bool_, np.complex64, np.float16]),
    arrays.array_shapes(min_dims=0, max_dims=3, max_side=4),
)
PLAIN = st.recursive(
    SCALARS | ARRAYS | st.binary(max_size=20),
    lambda inner: (
        st.lists(inner, max_size=4)
        | st.lists(inner, max_size=3).map(tuple)
        | st.dictionaries(st.text(max_size=5), inner, max_size=4)
    ),
    max_leaves=12,
)


def same(one, other):
    if isinstance(one, np.ndarray | np.generic):
        return type(one) is type(other) and one.dtype == other.dtype and one.tobytes() == other.tobytes()
    if isinstance(one, list | tuple):
        return type(one) is type(other) and len(one) == len(other) and all(map(same, one, other))
    if isinstance(one, dict):
        return one.keys() == other.keys() and all(same(one[key], other[key]) for key in one)
    return type(one) is type(other) and (one == other or (one != one and other != other))


@given(PLAIN)
def test_plain_data_arrives_as_it_was_sent(value):
    assert same(decode(encode(value)), value)


@pytest.mark.parametrize(
    "value",
    [
        np.array(["a", "Zürich"]),
        np.array("x"),
        np.array([["a", None]], dtype=object),
        np.int64(7),
        np.float32(2),
    ],
)
def test_texts_and_scalars_of_numpy_arrive(value):
    got = decode(encode(value))
    assert type(got) is type(value) and got.dtype == value.dtype and np.array_equal(got, value)


def test_tensorflows_own_numbers_arrive():
    ml_dtypes = pytest.importorskip("ml_dtypes")
    value = np.arange(4).astype(ml_dtypes.bfloat16)
    assert decode(encode(value)).dtype == value.dtype


@given(st.binary(max_size=200))
def test_no_bytes_are_believed(data):
    for frame in (data, frames._HEAD.pack(len(data), min(len(data), 7)) + data):
        with suppress(FrameError):
            decode(frame)


@pytest.mark.parametrize(
    "text",
    [
        '[["array", "object", [1], false, 0], [8]]',
        '[["array", "float32", [4], false, 0], [8]]',
        '[["array", "float32", [-2, -1], false, 0], [8]]',
        '[["array", "float32", [1e3], false, 0], [8]]',
        '[["array", "V8", [1], false, 0], [8]]',
        '[["array", "float32", [2], false, -1], [8]]',
        '[["array", "float32", [2], false, 0], [-8]]',
        '[["array", "float32", [2], false, 0], [999999]]',
        '[["what", 1], []]',
        '[{"a": 1}, []]',
        '[["dict", ["a"]], []]',
        "[" * 5000,
        '["' + "x" * 10,
    ],
)
def test_a_frame_that_lies_is_refused(text):
    data = text.encode()
    frame = frames._HEAD.pack(len(data) + 8, len(data)) + data + bytes(8)
    with pytest.raises(FrameError):
        decode(frame)


@pytest.mark.parametrize("value", [object(), {1: 2}, np.array([object()]), np.zeros(2, "V4"), lambda: 0])
def test_what_is_not_plain_is_not_sent(value):
    with pytest.raises(FrameError):
        encode(value)


def test_the_filter_names_the_same_calls_as_the_kernels_headers():
    header = Path("/usr/include/asm-generic/unistd.h")
    if not header.exists():
        pytest.skip("the kernel's headers are not installed")
    told = {
        name: int(number) for name, number in re.findall(r"#define __NR_(\w+)\s+(\d+)\n", header.read_text())
    }
    known = {name: numbers[1] for name, numbers in deny._REFUSED.items() if numbers[1] is not None}
    assert len(known.keys() & told.keys()) > 35
    assert {name: told[name] for name in known.keys() & told.keys()} == {
        name: known[name] for name in known.keys() & told.keys()
    }


# What is kept.


def a_record(student="student-01", **more):
    one = Graded("decode", 1, 1, {"exercise": "decode", "state": "passed"})
    return Record(student, TENSORS, "x.ipynb", "0" * 64, 1, 12, (one,), **more)


def test_a_record_is_read_as_it_was_written(tmp_path):
    problems = {"problems": ("A sentence.", "Another."), "met": ("Another.",)}
    record = a_record(**problems, ids={"moodle": "7"}, graded="2026-11-01T10:00:00+00:00")
    records.write(record, tmp_path / "records" / "a.json")
    assert records.read_all(tmp_path) == [record]


def test_a_later_versions_additions_are_passed_over_and_another_format_refused(tmp_path):
    data = a_record().as_dict()
    data["more"] = data["exercises"][0]["more"] = 1
    assert Record.from_dict(data) == a_record()
    with pytest.raises(LabsError, match="another version"):
        Record.from_dict({**data, "format": 99})
    (tmp_path / "x.json").write_text("{")
    with pytest.raises(LabsError, match="not JSON"):
        records.read(tmp_path / "x.json")


def test_a_write_that_fails_leaves_the_old_record(tmp_path, monkeypatch):
    path = tmp_path / "a.json"
    records.write(a_record(), path)
    monkeypatch.setattr(
        os, "fsync", lambda file: (_ for _ in ()).throw(OSError(28, "No space left on device"))
    )
    with pytest.raises(OSError):
        records.write(a_record("student-02"), path)
    assert records.read(path) == a_record()
    assert os.listdir(tmp_path) == ["a.json"]


def test_who_may_read_what_is_written_is_the_umask_s_affair_but_the_seed_is_nobody_s(tmp_path):
    before = os.umask(0o022)
    try:
        records.write(a_record(), tmp_path / "a.json")
        results.begin(tmp_path / "out")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a.json").stat().st_mode) == 0o644
    assert stat.S_IMODE((tmp_path / "out" / "grading.json").stat().st_mode) == 0o600


def test_where_a_folder_cannot_be_opened_as_on_windows_a_file_is_written_all_the_same(tmp_path, monkeypatch):
    opened = os.open

    def refuses_folders(path, *more, **by_name):
        if os.path.isdir(path):
            raise PermissionError(13, "Permission denied")
        return opened(path, *more, **by_name)

    monkeypatch.setattr(os, "open", refuses_folders)
    records.write(a_record(), tmp_path / "a.json")
    assert records.read(tmp_path / "a.json") == a_record()


def a_task(student="student-01", **more):
    return Task(student, TENSORS, "x.ipynb", "0" * 64, Options(seed=3), (Cell("a", "b"),), **more)


def test_a_record_holds_wherever_its_notebook_lies_and_only_for_what_decides_on_points(tmp_path):
    task = a_task(problems=("Two were handed in.",))
    path = results.record_path(tmp_path, task)
    record = a_record(problems=("Two were handed in.", "A cell hung."), met=("A cell hung.",))
    records.write(replace(record, key=results.key(task)), path)
    written = path.stat().st_mtime_ns
    assert results.sorted_out([task], tmp_path) == ([records.read(path)], [])
    assert path.stat().st_mtime_ns == written
    moved = replace(task, file="/home/me/x (1).ipynb", ids={"moodle": "7"}, problems=("One.",))
    (now,), left = results.sorted_out([moved], tmp_path)
    assert not left and records.read(path) == now
    assert (now.file, now.ids, now.problems) == (moved.file, moved.ids, ("One.", "A cell hung."))
    others = {"points": {"decode": 5}, "sha256": "1" * 64, "options": Options(seed=4), "cells": ()}
    for name, value in others.items():
        assert results.sorted_out([replace(task, **{name: value})], tmp_path)[0] == [], name


def test_a_task_travels_as_json():
    task = Task(
        "student-01", TENSORS, "x", "0" * 64, Options(seed=3), (Cell("a", "b", "c"),), ("p",), {"canvas": "1"}
    )
    assert Task.from_dict(json.loads(json.dumps(task.as_dict()))) == task


def test_two_students_never_share_a_record(tmp_path):
    task = Task("Student One", TENSORS, "x", "0" * 64, Options(seed=3))
    others = ("student one", "Student-One", "Student One ", "../Student One")
    names = {results.record_path(tmp_path, replace(task, student=one)) for one in ("Student One", *others)}
    assert len(names) == 5 and all(path.parent == tmp_path / "records" for path in names)


def rows(path):
    return list(csv.reader(io.StringIO(path.read_text("utf-8"))))


def test_grade_books(tmp_path):
    one = a_record("Student One", ids={"moodle": "77"}, graded="2026-11-01T10:00:00+00:00")
    two = a_record("=cmd|' /C calc'!A1", ids={"canvas": "13"})
    gradebook.write(tmp_path, [one, two], "Week 3")
    head, *lines = rows(tmp_path / "grades.csv")
    assert head[:4] == ["student", TENSORS, "points", "of points"]
    assert [line[0] for line in lines] == ["'=cmd|' /C calc'!A1", "Student One"]
    moodle = ["Participant 77", "Student One", "1", "12", "2026-11-01T10:00:00+00:00"]
    # Without the last of them Moodle imports nothing.
    assert rows(tmp_path / "moodle.csv") == [
        ["Identifier", "Full name", "Grade", "Maximum Grade", "Last modified (grade)"],
        moodle,
    ]
    canvas = rows(tmp_path / "canvas.csv")
    assert canvas[0] == ["Student", "ID", "SIS User ID", "SIS Login ID", "Section", "Week 3"]
    assert canvas[1][0].strip() == "Points Possible" and canvas[2][1] == "13"


# The command.


def labs(*arguments, **more):
    command = [str(Path(sys.executable).parent / "labs"), *map(str, arguments)]
    return subprocess.run(command, capture_output=True, text=True, **more)


@LOCKABLE
def test_the_command_grades_goes_on_after_a_kill_and_grades_nothing_twice(tmp_path):
    students = [f"student-{number:02}" for number in range(1, 9)]
    for student in students:
        put(tmp_path / "class", f"{student}/tensors.ipynb", data=Book().solve("decode", "at_hour").data())
    out = tmp_path / "graded"
    command = [str(Path(sys.executable).parent / "labs"), "grade", str(tmp_path / "class"), "--out", str(out)]
    process = subprocess.Popen(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
    deadline = time.monotonic() + 120
    while len(list(out.glob("records/*.json"))) < 2:
        assert time.monotonic() < deadline and process.poll() is None
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    finished = {path: path.stat().st_mtime_ns for path in out.glob("records/*.json")}
    assert 2 <= len(finished) < len(students)
    again = labs("grade", tmp_path / "class", "--out", out, "--jobs", 2)
    assert again.returncode == 0, again.stderr
    assert f"{len(students)} notebooks graded, {len(finished)} of them before" in again.stdout
    assert all(path.stat().st_mtime_ns == moment for path, moment in finished.items())
    assert [line[:2] for line in rows(out / "grades.csv")[1:]] == [[student, "3"] for student in students]
    assert stat.S_IMODE((out / "grading.json").stat().st_mode) == 0o600
    assert (out / "report.html").is_file() and len(list((out / "feedback").glob("*.html"))) == len(students)
    # Another notebook is graded anew, and that alone.
    put(tmp_path / "class", "student-01/tensors.ipynb", data=Book().solve("decode").data())
    third = labs("grade", tmp_path / "class", "--out", out)
    assert "7 of them before" in third.stdout and rows(out / "grades.csv")[1][:2] == ["student-01", "1"]


def test_what_is_there_is_not_overwritten(tmp_path):
    put(tmp_path / "class", "student-01/tensors.ipynb")
    (tmp_path / "out").mkdir()
    (tmp_path / "out" / "thesis.txt").write_text("mine")
    done = labs("grade", tmp_path / "class", "--out", tmp_path / "out")
    assert done.returncode == 1 and "nothing is overwritten" in done.stderr and "Traceback" not in done.stderr
    assert os.listdir(tmp_path / "out") == ["thesis.txt"]


def test_an_unknown_lab_is_a_sentence(tmp_path):
    put(tmp_path / "class", "student-01/tensors.ipynb")
    done = labs("grade", tmp_path / "class", "--out", tmp_path / "out", "--lab", "keras/sequentail")
    assert done.returncode == 1 and "Did you mean `keras/sequential`?" in done.stderr


def test_two_gradings_into_one_folder_do_not_meet(tmp_path):
    with results.alone(tmp_path), pytest.raises(LabsError, match="Another"), results.alone(tmp_path):
        pass


@pytest.mark.parametrize("locked", [True, False])
def test_where_nothing_can_be_forked_nothing_is_run(monkeypatch, locked):
    monkeypatch.setattr(sys, "platform", "darwin")
    with pytest.raises(LabsError, match="Linux"):
        client.Nursery(locked)


def test_an_architecture_that_is_not_known_is_refused(monkeypatch):
    monkeypatch.setattr(syscalls.platform, "machine", lambda: "riscv64")
    with pytest.raises(LabsError, match=r"riscv64.*--no-sandbox"):
        client.Nursery(locked=True)


@LOCKABLE
@pytest.mark.parametrize("namespaces", [0, 1])
def test_a_kernel_that_forbids_it_is_a_sentence(namespaces):
    if os.geteuid():
        pytest.skip("only root may set the limit")
    script = (
        f"from pathlib import Path; Path('/proc/sys/user/max_user_namespaces').write_text('{namespaces}');"
        "from labs.kit.course.locked import client; client.Nursery(True)"
    )
    command = ["unshare", "--user", "--map-root-user", sys.executable, "-c", script]
    done = subprocess.run(command, capture_output=True, text=True)
    if "write_text" in done.stderr:
        pytest.skip("the limit cannot be set here")
    assert "cannot be locked up on this machine" in done.stderr


@pytest.mark.parametrize("address", ["nonsense", "ftp://scheduler:8786", "tcp://scheduler"])
def test_what_is_no_address_of_a_scheduler_is_a_sentence_at_once(tmp_path, address):
    pytest.importorskip("distributed")
    put(tmp_path / "class", "student-01/tensors.ipynb")
    done = labs("grade", tmp_path / "class", "--out", tmp_path / "out", "--scheduler", address, timeout=25)
    assert done.returncode == 1 and "no address of a Dask scheduler" in done.stderr
    assert "Traceback" not in done.stderr


def test_nothing_to_grade_leaves_no_folder_behind(tmp_path):
    (tmp_path / "class").mkdir()
    done = labs("grade", tmp_path / "class", "--out", tmp_path / "out")
    assert done.returncode == 1 and "no file that anybody" in done.stderr
    assert not (tmp_path / "out").exists()


@LOCKABLE
def test_an_import_is_not_taken_for_a_changed_name(tmp_path):
    data = Book().answer(decode="import os\nos.getcwd()", at_hour="def at_hours(a, b):\n    return a").data()
    task = submissions_of(tmp_path, data)
    from labs.kit.course.grader import grade_one

    notes = {one.name: one.note for one in grade_one(task).exercises}
    assert "`os`" not in notes["decode"] and "No cell defines `decode`" in notes["decode"]
    assert "`at_hours`" in notes["at_hour"]


def submissions_of(tmp_path, data):
    put(tmp_path / "class", "student-01/tensors.ipynb", data=data)
    found, _ = submissions.tasks(tmp_path / "class", curriculum.load(), Options(seed=1))
    return found[0]


@LOCKABLE
def test_an_assignments_points_count(tmp_path):
    task = Task("student-01", TENSORS, "x", "0" * 64, Options(seed=1), points={"decode": 5})
    from labs.kit.course.grader import grade_one

    assert grade_one(task).of_points == 5 + 11
    assert {one.stopped for one in grade_one(task).exercises} == {"unreadable"}


@LOCKABLE
def test_without_a_sandbox_it_says_so_and_grades(tmp_path):
    put(tmp_path / "class", "student-01/tensors.ipynb", data=Book().solve("decode").data())
    done = labs("grade", tmp_path / "class", "--out", tmp_path / "out", "--no-sandbox")
    assert done.returncode == 0 and "WITHOUT A SANDBOX" in done.stderr
    assert rows(tmp_path / "out" / "grades.csv")[1][1] == "1"


@LOCKABLE
def test_what_is_not_handed_out_is_not_in_the_room():
    hidden = [str(path) for lab in ALL for path in (lab.source, lab.answers, lab.checks)]
    hidden += [
        str(path) for path in (paths.notebooks(), paths.ROOT / "tests", paths.ROOT / ".git", Path.home())
    ]
    hidden += [str(paths.LABS / "kit" / "course" / "grader.py")]
    assert all(os.path.exists(path) for path in hidden[: 3 * len(ALL) + 1])
    # Python and its environment may lie below one's home: of that, the way there is all that shows.
    needed = (Path(sys.base_prefix), Path(sys.prefix), paths.ROOT)
    ways = {path.relative_to(Path.home()).parts[0] for path in needed if path.is_relative_to(Path.home())}
    code = f"import os\nraise ValueError([path for path in {hidden!r} if os.path.isfile(path) or os.path.isdir(path) "
    code += f"and set(os.listdir(path)) - {ways | {'.pyenv'}!r}])"
    held = client.shared(True).ask("observer", Limits(1 << 30, 1 << 20, 64, 60))
    held.channel.send({"do": "cell", "name": "1", "source": code, "token": ""})
    assert held.channel.receive(60)["error"] == "ValueError: []"
    assert held.end()["why"] == "told"
    client.close()


def test_of_python_s_path_only_packages_are_shown(tmp_path, monkeypatch):
    packages = tmp_path / "apps" / "lib" / "site-packages"
    for folder in (packages, tmp_path / "teaching" / "graded"):
        folder.mkdir(parents=True)
    path = [str(tmp_path / "teaching"), "", "/", str(packages)]
    monkeypatch.setattr(sys, "path", [*sys.path, *path])
    shown = room.furniture().shown
    assert str(packages) in shown and "/" not in shown
    assert not any(Path(one).is_relative_to(tmp_path / "teaching") for one in shown)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join(path))
    assert client._path().split(os.pathsep) == [str(paths.LABS.parent), str(packages)]


@LOCKABLE
def test_nobody_sees_what_the_teacher_has_on_pythonpath(tmp_path, monkeypatch):
    put(tmp_path, "teaching/grades.csv", data=b"secret")
    monkeypatch.setenv("PYTHONPATH", f":{tmp_path / 'teaching'}")
    client.close()
    held = client.shared(True).ask("observer", Limits(1 << 30, 1 << 20, 64, 60))
    code = f"open({str(tmp_path / 'teaching' / 'grades.csv')!r})"
    held.channel.send({"do": "cell", "name": "1", "source": code, "token": ""})
    assert held.channel.receive(60)["error"].startswith("FileNotFoundError")
    held.leave()
    client.close()


@LOCKABLE
def test_who_is_not_root_can_lock_up_too(tmp_path):
    put(tmp_path / "class", "student-01/tensors.ipynb", data=Book().solve("decode").data())
    command = ["unshare", "--user", "--map-root-user", str(Path(sys.executable).parent / "labs"), "grade"]
    done = subprocess.run(
        [*command, tmp_path / "class", "--out", tmp_path / "out"], capture_output=True, text=True
    )
    assert done.returncode == 0, done.stderr
    assert rows(tmp_path / "out" / "grades.csv")[1][1] == "1"
