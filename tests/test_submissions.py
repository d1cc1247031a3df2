"""Who has handed in what: told from folders, zips and the names that Moodle and Canvas give."""

import os
import zipfile

import pytest

from labs.kit import curriculum
from labs.kit.course import submissions
from labs.kit.course.records import Options
from labs.kit.errors import LabsError
from tests.red_team.book import Book, put

TENSORS, SEQUENTIAL = "foundations/tensors", "keras/sequential"


def tasks(path, lab=None):
    found, problems = submissions.tasks(path, curriculum.load(), Options(seed=1), lab)
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
    assert ("student-02", TENSORS) not in found and "--lab" in problems[0]


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
