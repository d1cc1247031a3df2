"""Who has handed in what: told from folders, zips and the names that Moodle and Canvas give."""

import os
import time
import zipfile

import pytest

from labs.kit import curriculum
from labs.kit.course import collected, submissions
from labs.kit.course.records import Options
from labs.kit.errors import LabsError
from tests.red_team.book import Book, put

TENSORS, SEQUENTIAL = "foundations/tensors", "keras/sequential"


def tasks(path, lab=None, **more):
    found, problems = submissions.tasks(path, curriculum.load(), Options(seed=1), lab, **more)
    return {(task.student, task.lab): task for task in found}, problems


def zipped(path, members):
    with zipfile.ZipFile(path, "w") as archive:
        for name, data in members.items():
            archive.writestr(name, data)
    return path


@pytest.mark.parametrize(
    ("names", "students"),
    [
        (["student-01/tensors.ipynb", "student-02/tensors.ipynb"], ["student-01", "student-02"]),
        (["student-01/foundations/tensors.ipynb"], ["student-01"]),
        (["student-01.ipynb", "student-02.ipynb"], ["student-01", "student-02"]),
        (["submitted/student-01/week-3/tensors.ipynb"], ["student-01"]),
        (["Student One_1234567_assignsubmission_file_/tensors.ipynb"], ["Student One"]),
        (["Student One_1234567_assignsubmission_file/foundations/tensors.ipynb"], ["Student One"]),
        (["Student One_1234567_assignsubmission_file_tensors.ipynb"], ["Student One"]),
        (
            ["onestudent_12_345_tensors.ipynb", "twostudent_LATE_13_346_tensors-1.ipynb"],
            ["onestudent", "twostudent"],
        ),
        (
            ["student-01/.ipynb_checkpoints/tensors-checkpoint.ipynb", "student-01/tensors.ipynb"],
            ["student-01"],
        ),
        (["__MACOSX/student-01/._tensors.ipynb", "student-01/tensors.ipynb"], ["student-01"]),
    ],
)
def test_folder_and_zip_tell_who_handed_in(tmp_path, names, students):
    put(tmp_path / "class", *names)
    found, _ = tasks(tmp_path / "class")
    assert sorted(student for student, _ in found) == students
    archive = zipped(tmp_path / "class.zip", {name: Book().data() for name in names})
    found, _ = tasks(archive)
    assert sorted(student for student, _ in found) == students


def test_an_nbgrader_course_is_its_submitted_folder(tmp_path):
    put(tmp_path, "submitted/student-01/week/tensors.ipynb", "source/week/tensors.ipynb")
    (tmp_path / "nbgrader_config.py").write_text("c = get_config()")
    found, _ = tasks(tmp_path)
    assert list(found) == [("student-01", TENSORS)]


@pytest.mark.parametrize("name", ["student-01.zip", "student-01/work.zip"])
def test_a_zip_of_a_student_is_opened(tmp_path, name):
    path = tmp_path / name
    path.parent.mkdir(exist_ok=True)
    zipped(path, {"foundations/tensors.ipynb": Book().data()})
    found, _ = tasks(tmp_path)
    assert list(found) == [("student-01", TENSORS)]


def test_one_students_own_folder_or_notebook(tmp_path):
    put(tmp_path / "student-01", "foundations/tensors.ipynb")
    assert list(tasks(tmp_path / "student-01")[0]) == [("student-01", TENSORS)]
    put(tmp_path, "student-02.ipynb")
    assert list(tasks(tmp_path / "student-02.ipynb")[0]) == [("student-02", TENSORS)]


def test_ids_of_moodle_and_canvas_are_kept(tmp_path):
    put(tmp_path, "Student One_77_assignsubmission_file_/tensors.ipynb", "twostudent_13_346_tensors.ipynb")
    found, _ = tasks(tmp_path)
    assert found["Student One", TENSORS].ids == {"moodle": "77"}
    assert found["twostudent", TENSORS].ids == {"canvas": "13"}


def test_of_two_notebooks_the_one_with_the_labs_name_counts(tmp_path):
    put(tmp_path, "student-01/tensors-Copy1.ipynb")
    put(tmp_path, "student-01/tensors.ipynb", data=Book().solve("decode").data())
    found, _ = tasks(tmp_path)
    task = found["student-01", TENSORS]
    assert task.file.endswith("student-01/tensors.ipynb")
    assert any("2 notebooks" in problem for problem in task.problems)


def test_a_lab_is_known_by_its_metadata_its_file_or_the_option(tmp_path):
    book = Book()
    book.content["metadata"] = {}
    put(tmp_path, "student-01/tensors.ipynb", "student-02/week3.ipynb", data=book.data())
    found, problems = tasks(tmp_path)
    assert ("student-01", TENSORS) in found
    named, _ = tasks(tmp_path, lab="keras/sequential")
    assert set(named) == {("student-01", "keras/sequential"), ("student-02", "keras/sequential")}
    put(tmp_path, "student-03/sequential.ipynb", data=Book("keras/sequential").data())
    found, problems = tasks(tmp_path)
    assert not found["student-02", TENSORS].cells and "--lab" in problems[0]


@pytest.mark.parametrize(
    ("make", "says"),
    [
        (lambda path: None, "nothing at"),
        (lambda path: path.mkdir(), "no file that anybody"),
        (lambda path: path.write_bytes(b"no zip"), "no zip that can be read"),
    ],
)
def test_what_holds_nothing_is_refused_in_a_sentence(tmp_path, make, says):
    path = tmp_path / "class.zip"
    make(path)
    with pytest.raises(LabsError, match=says):
        tasks(path)


def test_a_pipe_among_the_files_stops_nothing(tmp_path):
    put(tmp_path, "student-01/tensors.ipynb")
    os.mkfifo(tmp_path / "student-01" / "pipe.ipynb")
    found, _ = tasks(tmp_path)
    assert found["student-01", TENSORS].cells


# --- what lies there and is nobody's work


STRAY = ("expected.csv", "grades.csv", "README", "README.md", "class list.xlsx", "student-09.pdf", "notes.py")


def test_files_beside_the_students_are_nobodys_and_one_line_says_so(tmp_path):
    names = ["student-01/tensors.ipynb", "student-02.ipynb", ".DS_Store", "Thumbs.db", *STRAY]
    put(tmp_path / "class", *names)
    archive = zipped(tmp_path / "class.zip", {f"class/{name}": Book().data() for name in names})
    for path in (tmp_path / "class", archive):
        found, problems = tasks(path)
        assert list(found) == [("student-01", TENSORS), ("student-02", TENSORS)]
        (line,) = problems
        assert "and 2 more files, beside" in line and "README.md" in line and "no notebook" in line
        assert "DS_Store" not in line and "Thumbs" not in line


@pytest.mark.parametrize(
    ("name", "student", "why"),
    [
        ("student-02/work.py", "student-02", "only work.py"),
        ("student-02/a.py", "student-02", "only a.py"),
        ("submitted/student-02/week-1/answers.docx", "student-02", "only answers.docx"),
        ("Student Two_12_assignsubmission_file_/work.pdf", "Student Two", "only work.pdf"),
        ("Student Two_12_assignsubmission_file_work.pdf", "Student Two", "only work.pdf"),
        ("Student Two_12_assignsubmission_onlinetext/onlinetext.html", "Student Two", "only onlinetext.html"),
        ("studenttwo_LATE_12_345_work.docx", "studenttwo", "only work.docx"),
        ("student-02.rar", "student-02", "only zip is"),
        ("student-02/work.tar.gz", "student-02", "only zip is"),
        ("student-02.zip", "student-02", "The zip cannot be read"),
    ],
)
@pytest.mark.parametrize("packed", [False, True])
def test_who_handed_in_no_notebook_has_no_points_and_a_reason(tmp_path, name, student, why, packed):
    put(tmp_path / "class", "student-01/tensors.ipynb")
    put(tmp_path / "class", name, data=b"whatever")
    path = tmp_path / "class"
    if packed:
        members = {"student-01/tensors.ipynb": Book().data(), name: b"whatever"}
        path = zipped(tmp_path / "class.zip", members)
    task = tasks(path)[0][student, TENSORS]
    assert not task.cells and why in " ".join(task.problems)


def test_an_empty_folder_is_a_student_without_a_notebook(tmp_path):
    put(tmp_path, "student-01/tensors.ipynb")
    (tmp_path / "student-02").mkdir()
    assert tasks(tmp_path)[0]["student-02", TENSORS].problems == ("The folder is empty.",)


def test_who_handed_in_no_notebook_is_there_for_each_lab_of_the_class(tmp_path):
    put(tmp_path, "student-01/tensors.ipynb")
    put(tmp_path, "student-01/sequential.ipynb", data=Book(SEQUENTIAL).data())
    put(tmp_path, "student-02/work.py")
    found, _ = tasks(tmp_path)
    assert {("student-02", TENSORS), ("student-02", SEQUENTIAL)} <= set(found)


@pytest.mark.parametrize(
    "name", ["student-01/TENSORS.IPYNB", "student-01/tensors.ipynb.txt", "student-01.ipynb.json"]
)
def test_a_notebook_with_another_ending_behind_its_own_is_one(tmp_path, name):
    put(tmp_path, name)
    assert tasks(tmp_path)[0]["student-01", TENSORS].cells


def test_a_notebook_to_begin_anew_from_is_not_what_was_handed_in(tmp_path):
    solved = Book().solve("decode").data()
    for top in ("", "student-01/"):
        folder = tmp_path / f"class{len(top)}" / "student-01"
        put(folder, f"{top}foundations/tensors.ipynb", data=solved)
        put(folder, f"{top}material/notebooks/learn/foundations/tensors.ipynb")
        put(folder, f"{top}kit/kit.whl", f"{top}README.md", f"{top}assignment.json", data=b"")
        # A checkout, or a zip, may make all files the same age, or that one newer.
        os.utime(folder / top / "foundations" / "tensors.ipynb", (0, 0))
        found, problems = tasks(folder)
        assert list(found) == [("student-01", TENSORS)] and not problems
        task = found["student-01", TENSORS]
        assert "material" not in task.file and not task.problems


def test_what_a_student_reads_does_not_say_where_the_teacher_keeps_it(tmp_path):
    put(tmp_path / "confidential", "student-01/tensors.ipynb", "student-01/tensors-Copy1.ipynb")
    (problem,) = tasks(tmp_path / "confidential")[0]["student-01", TENSORS].problems
    assert "student-01/tensors.ipynb" in problem and "confidential" not in problem


def test_two_students_of_one_name_are_two(tmp_path):
    names = [f"Student One_{number}_assignsubmission_file_/tensors.ipynb" for number in (11, 12)]
    put(tmp_path, *names, "Student Two_13_assignsubmission_file_/tensors.ipynb")
    found, _ = tasks(tmp_path)
    assert [student for student, _ in found] == ["Student One (11)", "Student One (12)", "Student Two"]
    assert not any(task.problems for task in found.values())


def test_results_and_the_rest_of_a_course_are_no_students(tmp_path):
    put(tmp_path, "student-01/tensors.ipynb")
    put(tmp_path, "graded/grading.json", "graded/records/one.json", "graded/grades.csv", data=b"{}")
    assert list(tasks(tmp_path)[0]) == [("student-01", TENSORS)]
    course = tmp_path / "course"
    put(
        course,
        "submitted/student-02/week/tensors.ipynb",
        "source/week/tensors.ipynb",
        "autograded/x/tensors.ipynb",
    )
    assert list(tasks(course)[0]) == [("student-02", TENSORS)]


def test_a_zip_that_was_downloaded_twice(tmp_path):
    archive = zipped(tmp_path / "week-3 (1).zip", {"week-3/student-01/tensors.ipynb": Book().data()})
    assert list(tasks(archive)[0]) == [("student-01", TENSORS)]


@pytest.mark.parametrize("name", ["thesis.pdf", "pipe"])
def test_a_file_that_is_none_of_it_is_refused_in_a_sentence(tmp_path, name):
    os.mkfifo(tmp_path / name) if name == "pipe" else put(tmp_path, name)
    with pytest.raises(LabsError, match="give a folder, a zip, or a notebook"):
        tasks(tmp_path / name)


def test_a_folder_of_files_that_are_nobodys_is_refused_in_a_sentence(tmp_path):
    put(tmp_path, "grades.csv")
    with pytest.raises(LabsError, match=r"no notebook to grade .*grades\.csv"):
        tasks(tmp_path)


def test_a_zip_whose_content_is_damaged_costs_its_student_only(tmp_path):
    put(tmp_path, "student-01.ipynb")
    broken = zipped(tmp_path / "student-02.zip", {})
    with zipfile.ZipFile(broken, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("tensors.ipynb", "{" * 5000)
    content = bytearray(broken.read_bytes())
    content[len("tensors.ipynb") + 30] = 0xFF  # the first byte of what is packed
    broken.write_bytes(content)
    found, _ = tasks(tmp_path)
    assert found["student-01", "foundations/tensors"].cells
    assert "cannot be read" in " ".join(found["student-02", "foundations/tensors"].problems)


# --- a class is not one student, and one student is not a class


def students(path, **more):
    return sorted({student for student, _ in tasks(path, **more)[0]})


@pytest.mark.parametrize(
    ("names", "who"),
    [
        (["Week 3/anna/tensors.ipynb", "Week 3/ben/tensors.ipynb", "Week 3/README.md"], ["anna", "ben"]),
        (
            ["week-3/week-3/anna/tensors.ipynb", "week-3/week-3/ben/a/tensors.ipynb", "week-3/README"],
            ["anna", "ben"],
        ),
        (["Week 3/anna.ipynb", "Week 3/ben.ipynb", "Week 3/tensors.ipynb"], ["anna", "ben", "tensors"]),
        (["Week 3/tensors_01.ipynb", "Week 3/tensors_02.ipynb"], ["tensors_01", "tensors_02"]),
        (["Week 3/anna.zip", "Week 3/ben.zip", "Week 3/carl.zip"], ["anna", "ben", "carl"]),
        (
            ["Week 3/A B_1_assignsubmission_file_/x.ipynb", "Week 3/grades.csv", "Week 3/carl/x.ipynb"],
            ["A B", "carl"],
        ),
        (["anna/tensors.ipynb", "anna/tensors-Copy1.ipynb", "anna/Copy of tensors (2).ipynb"], ["anna"]),
        (["anna/foundations/tensors.ipynb", "anna/foundations/tensors_final-v2.ipynb"], ["anna"]),
        (["anna/tensors.ipynb", "anna/backup/tensors.ipynb"], ["anna"]),
    ],
)
def test_a_folder_around_a_class_is_no_student(tmp_path, names, who):
    members = {name: Book().data() for name in names}
    for name in names:
        if name.endswith(".zip"):
            (tmp_path / "class" / name).parent.mkdir(parents=True, exist_ok=True)
            zipped(tmp_path / "class" / name, {"foundations/tensors.ipynb": Book().data()})
            members[name] = (tmp_path / "class" / name).read_bytes()
        else:
            put(tmp_path / "class", name)
    assert students(tmp_path / "class") == who
    assert students(zipped(tmp_path / "Week 3-2026-11-23.zip", members)) == who


def test_canvas_zip_in_a_folder_of_downloads(tmp_path):
    names = ["anna_12_345_tensors.ipynb", "ben_LATE_13_346_tensors-1.ipynb"]
    zipped(tmp_path / "submissions (1).zip", {name: Book().data() for name in names})
    found, _ = tasks(tmp_path)
    assert [(student, task.ids) for (student, _), task in found.items()] == [
        ("anna", {"canvas": "12"}),
        ("ben", {"canvas": "13"}),
    ]
    other = {name.replace("34", "39"): Book(SEQUENTIAL).data() for name in names}
    zipped(tmp_path / "submissions (2).zip", other)
    assert len(tasks(tmp_path)[0]) == 4 and students(tmp_path) == ["anna", "ben"]


@pytest.mark.parametrize(
    ("names", "who"),
    [
        (["lab_2026_11_anna.ipynb", "lab_2026_11_ben.ipynb"], ["lab_2026_11_anna", "lab_2026_11_ben"]),
        (["lab_2026_11_anna.ipynb", "lab_2026_12_ben.ipynb"], ["lab_2026_11_anna", "lab_2026_12_ben"]),
        (["lab_1_5_anna.ipynb", "lab_2_5_ben.ipynb"], ["lab_1_5_anna", "lab_2_5_ben"]),
        (["a_1_5_anna.ipynb", "b_1_6_ben.ipynb"], ["a_1_5_anna", "b_1_6_ben"]),
        (["anna/lab_3_1_x.ipynb", "ben/lab_3_1_x.ipynb", "carl/lab_3_2_x.ipynb"], ["anna", "ben", "carl"]),
        (["anna_12_345_tensors.ipynb", "anna_12_345_tensors-1.ipynb"], ["anna"]),
        (["anna_12_345_mine.ipynb", "anna_12_345_other.ipynb", "ben_13_346_x.ipynb"], ["anna", "ben"]),
    ],
)
def test_what_only_looks_like_canvas_is_not(tmp_path, names, who):
    put(tmp_path, *names)
    assert students(tmp_path) == who


def test_one_student_in_the_folder_one_stands_in(tmp_path, monkeypatch):
    put(tmp_path / "anna", "foundations/tensors.ipynb")
    put(tmp_path / "ben", "tensors.ipynb", "sequential.ipynb")
    for name in ("anna", "ben"):
        monkeypatch.chdir(tmp_path / name)
        assert {student for student, _ in tasks(type(tmp_path)("."))[0]} == {name}


# --- what is required of whom


def test_a_lab_that_was_not_handed_in_gives_no_points(tmp_path):
    put(tmp_path, "anna/tensors.ipynb", "ben_b_7_assignsubmission_file_/tensors.ipynb")
    put(tmp_path, "anna/sequential.ipynb", data=Book(SEQUENTIAL).data())
    put(tmp_path, "carl/work.pdf")
    for assigned in ((), (TENSORS, SEQUENTIAL)):
        found, problems = tasks(tmp_path, assigned=assigned)
        assert len(found) == 6 and not problems
        assert found["anna", SEQUENTIAL].cells and not found["ben_b", SEQUENTIAL].cells
        assert found["ben_b", SEQUENTIAL].problems[0].startswith("Not handed in")
        assert found["ben_b", SEQUENTIAL].ids == {"moodle": "7"}
        assert "only work.pdf" in found["carl", SEQUENTIAL].problems[0]


def test_what_few_handed_in_is_required_of_nobody(tmp_path):
    put(tmp_path, *(f"student-0{number}/tensors.ipynb" for number in (1, 2)))
    put(tmp_path, "student-03/sequential.ipynb", data=Book(SEQUENTIAL).data())
    put(tmp_path, "student-04/work.pdf", data=b"")
    found, problems = tasks(tmp_path)
    assert [key for key, task in found.items() if not task.cells] == [
        ("student-03", TENSORS),
        ("student-04", TENSORS),
    ]
    assert (
        len(found) == 5 and f"{SEQUENTIAL} (1 of 3 students)" in problems[0] and "--assignment" in problems[0]
    )


def test_who_is_graded_for_nothing_is_there_though_all_chose_another_lab(tmp_path):
    for lab in (TENSORS, SEQUENTIAL, "data/pipelines"):
        put(tmp_path, f"{lab.split('/')[1]}-student/{lab.split('/')[1]}.ipynb", data=Book(lab).data())
    put(tmp_path, "without/work.pdf", data=b"")
    found, _ = tasks(tmp_path)
    assert len(found) == 4 and "only work.pdf" in next(
        task.problems[0] for (student, _), task in found.items() if student == "without"
    )


def test_only_what_was_handed_out_is_graded(tmp_path):
    put(tmp_path, "anna/tensors.ipynb", "ben/tensors.ipynb")
    put(tmp_path, "anna/sequential.ipynb", data=Book(SEQUENTIAL).data())
    found, (sentence,) = tasks(tmp_path, assigned=[SEQUENTIAL])
    assert list(found) == [("anna", SEQUENTIAL), ("ben", SEQUENTIAL)]
    assert "tensors.ipynb is of foundations/tensors" in found["ben", SEQUENTIAL].problems[1]
    assert f"2 notebooks of {TENSORS}, which was not handed out" in sentence
    with pytest.raises(LabsError, match=r"no notebook to grade .*which was not handed out"):
        tasks(tmp_path, assigned=["data/pipelines"])
    with pytest.raises(LabsError, match="was not handed out: give with `--lab`"):
        tasks(tmp_path, lab=TENSORS, assigned=[SEQUENTIAL])


@pytest.mark.parametrize("data", [b'{"cells": [', b'{"cells": [{"cell_type": "code", "source": "1"}]}'])
def test_a_notebook_of_an_unknown_lab_has_rows_and_the_reason(tmp_path, data):
    put(tmp_path, "anna/tensors.ipynb")
    put(tmp_path, "anna/sequential.ipynb", data=Book(SEQUENTIAL).data())
    put(tmp_path, "ben/homework.ipynb", data=data)
    found, problems = tasks(tmp_path)
    for lab in (TENSORS, SEQUENTIAL):
        told = " ".join(found["ben", lab].problems)
        assert "homework.ipynb does not say which lab" in told and ("not JSON" in told) == (len(data) < 20)
    assert "--lab" in problems[0]


# --- odd names, odd times, odd zips


def test_the_newer_notebook_counts_in_a_zip_and_beside_it(tmp_path):
    put(tmp_path, "anna/tensors.ipynb", "anna/work.zip")
    with zipfile.ZipFile(tmp_path / "anna/work.zip", "w") as archive:
        archive.writestr(zipfile.ZipInfo("tensors.ipynb", (2026, 11, 20, 12, 0, 0)), Book().data())
    for day, where in ((19, "work"), (21, "anna/tensors")):
        moment = time.mktime((2026, 11, day, 12, 0, 0, 0, 0, -1))
        os.utime(tmp_path / "anna/tensors.ipynb", (moment, moment))
        assert where in tasks(tmp_path)[0]["anna", TENSORS].problems[0]


def test_names_that_are_no_utf8_or_no_text_merge_nobody_and_can_be_shown(tmp_path):
    names = [b"M\xfcller", b"M\xf6ller", "Müller".encode(), b"a\x1b[31mb", b"a\x1b[32mb", b"d  e", b"d e"]
    folder = os.fsencode(tmp_path)
    for name in names:
        os.mkdir(os.path.join(folder, name))
        with open(os.path.join(folder, name, b"tensors.ipynb"), "wb") as stream:
            stream.write(Book().data())
        with open(os.path.join(folder, name, b"tensors\xe4\x1b.ipynb"), "wb") as stream:
            stream.write(Book().data())
    with open(os.path.join(folder, b"Klassenliste_M\xe4rz.xlsx"), "wb"):
        pass
    found, problems = tasks(tmp_path)
    assert {"Müller", "Müller (2)", "Möller", "d e", "d e (2)"} < {student for student, _ in found}
    assert len(found) == len(names) and "Klassenliste_März.xlsx" in problems[0]
    shown = [text for task in found.values() for text in (task.student, task.file, *task.problems)] + problems
    assert all(text.isprintable() and text.encode("utf-8") for text in shown)
    archive = zipped(tmp_path / "c.zip", {"anna/tensors.ipynb": Book().data(), "\x1b[2J.xlsx": b""})
    assert tasks(archive)[1][0].isprintable()


def nameless(path):
    """Make of the one letter that a member is called an extra field, and a comment."""
    content = bytearray(path.read_bytes())
    central = content.index(b"PK\x01\x02")
    content[26:30] = b"\0\0\1\0"
    content[central + 28 : central + 34] = b"\0\0\0\0\1\0"
    path.write_bytes(content)


def damaged(path, method):
    """Write a zip of which what is packed, but no header, is damaged."""
    with zipfile.ZipFile(path, "w", method) as packed:
        packed.writestr("anna/tensors.ipynb", Book().data())
        packed.writestr("ben/tensors.ipynb", Book().data())
    content = bytearray(path.read_bytes())
    content[60:90] = b"\xff" * 30
    path.write_bytes(content)
    return path


@pytest.mark.parametrize(
    "method", [zipfile.ZIP_STORED, zipfile.ZIP_DEFLATED, zipfile.ZIP_BZIP2, zipfile.ZIP_LZMA]
)
def test_damaged_content_costs_its_own_file_only(tmp_path, method):
    found, _ = tasks(damaged(tmp_path / "class.zip", method))
    assert found["ben", TENSORS].cells and not found["anna", TENSORS].cells
    assert "cannot be read in the zip" in found["anna", TENSORS].problems[0]


def test_zips_made_to_stop_or_hold_a_grading_cost_their_student_only(tmp_path, monkeypatch):
    put(tmp_path, "anna/tensors.ipynb", "ben/x", "carl/x", "dora/x")
    (tmp_path / "ben/x").unlink()
    os.mkfifo(tmp_path / "ben/work.zip")
    nameless(zipped(tmp_path / "carl/work.zip", {"n": b""}))
    installed = {f"{folder}/{n}": b"" for n in range(5) for folder in (".venv", "node_modules")}
    zipped(tmp_path / "dora/work.zip", {**installed, "foundations/tensors.ipynb": b"{}"})
    zipped(tmp_path / "emil.zip", {".DS_Store": b""})
    monkeypatch.setattr(collected, "MOST_FILES", 8)
    found, _ = tasks(tmp_path)
    assert found["anna", TENSORS].cells
    assert "no ordinary file" in found["ben", TENSORS].problems[0]
    assert "no name" in found["carl", TENSORS].problems[0]
    assert "it has no cells" in found["dora", TENSORS].problems[0]
    assert "zip is empty" in found["emil", TENSORS].problems[0]


# --- results that lie where the class does


@pytest.mark.parametrize("out", ["graded", "out/graded", "out/more/graded"])
def test_a_grading_that_has_only_begun_is_no_student(tmp_path, out):
    put(tmp_path, "anna/tensors.ipynb")
    put(tmp_path / out, "grading.log", "grading.json", data=b"{}")
    assert students(tmp_path) == ["anna"] and out in tasks(tmp_path)[1][0]
    archive = zipped(tmp_path / "c.zip", {"anna/tensors.ipynb": Book().data(), f"{out}/grading.json": b""})
    assert students(archive) == ["anna"]
    archive.unlink()
    (tmp_path / out / "grading.json").unlink()
    assert tasks(tmp_path, out=tmp_path / out)[1] == [] and students(tmp_path, out=tmp_path / out) == ["anna"]
