"""A learner's notebooks: copied once, upgraded beside the old, reset, checked, and where they go on."""

import json
import os
import subprocess
import sys
from datetime import date
from pathlib import Path

import nbformat
import pytest
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from typer.testing import CliRunner

from labs.kit import curriculum, paths, progress
from labs.kit.author.source import KERNELSPEC
from labs.kit.command import check as checking
from labs.kit.command import cli, where, workspace
from labs.kit.command import start as starting
from labs.kit.curriculum import Curriculum, Lab, Module
from labs.kit.errors import LabsError

TODAY = date.today().isoformat()
BLANK = '    raise NotImplementedError("your turn")'
CHECKS = '''
from labs import Misconception, Misread, check

def exercise(name, factor):
    class described:
        """Return a multiple of `x`."""
        misconceptions = {
            "adds": Misconception("You added.", "What is twice 5?"),
            "other": Misconception("Another number.", "Try it with 5."),
        }
        @staticmethod
        def given(rng):
            yield {"x": 5}
        @staticmethod
        def when(attempt, x):
            return {"result": attempt(x)}
        @staticmethod
        def then(seen, x):
            if seen["result"] != factor * x:
                raise Misread("adds" if seen["result"] == factor + x else "other", expected=factor * x)
    described.__name__ = name
    return check(points=2, minutes=3, difficulty="easy", hints=("One.", "Two.", "Three."))(described)

double, triple = exercise("double", 2), exercise("triple", 3)
'''
LAB = """# %% tags=["exercise"]
def double(x):
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION

# %% tags=["check"]
double = lab.check(double)

# %% tags=["exercise"]
def triple(x):
    ### BEGIN SOLUTION
    return 3 * x
    ### END SOLUTION
"""


def blank(name):
    return f'def {name}(x):\n    """Return a multiple of `x`."""\n{BLANK}'


def notebook(lab, version, names=("double", "triple")):
    cells = [new_markdown_cell("# A lab", id="card")]
    cells.append(new_code_cell(f'import labs\nlab = labs.start("{lab}")', id="card-1"))
    for name in names:
        cells.append(new_code_cell(blank(name), id=f"exercise-{name}", metadata={"tags": ["exercise"]}))
        cells.append(
            new_code_cell(f"{name} = lab.check({name})", id=f"check-{name}", metadata={"tags": ["check"]})
        )
    blanks = {name: workspace.fingerprint(blank(name)) for name in names}
    labs = {"name": lab, "source": version, "blanks": blanks}
    return new_notebook(cells=cells, metadata={"labs": labs, "kernelspec": KERNELSPEC})


def publish(folder, lab, version, **more):
    file = folder / "notebooks" / "learn" / f"{lab}.ipynb"
    file.parent.mkdir(parents=True, exist_ok=True)
    nbformat.write(notebook(lab, version, **more), file)


@pytest.fixture
def taught(tmp_path, monkeypatch):
    """Two labs with real checks, built, and a learner's empty folders."""
    labs = {}
    for name in ("m/first", "m/second"):
        folder = tmp_path / "labs" / name
        folder.mkdir(parents=True)
        (folder / "checks.py").write_text(CHECKS)
        (folder / "lab.py").write_text(LAB)
        labs[name] = Lab(name, folder, name.title(), "Something.", 5, "beginner", ("do it",), 10)
        publish(tmp_path, name, "1")
    course = Curriculum((Module("m", "Models", tuple(labs)),), labs)
    monkeypatch.setattr(paths, "notebooks", lambda: tmp_path / "notebooks")
    monkeypatch.setattr(curriculum, "load", lambda: course)
    monkeypatch.setenv("LABS_WORKSPACE", str(tmp_path / "work"))
    return course


@pytest.fixture
def first(taught):
    return taught.lab("m/first")


def invoke(*arguments, **more):
    return CliRunner().invoke(cli.app, list(arguments), prog_name="labs", **more)


def write(lab, name, source):
    """Type an answer into the learner's copy and save it."""
    copy = workspace.copy_of(lab)
    content = nbformat.read(copy, as_version=4)
    next(cell for cell in content.cells if cell.id == f"exercise-{name}").source = source
    nbformat.write(content, copy)


def sources(file):
    return {cell.id: cell.source for cell in nbformat.read(file, as_version=4).cells}


def passed(lab, *names):
    for name in names:
        progress.record("check", lab, name, state="passed", diagnosis="", points=2)


# --- a copy of one's own


def test_a_lab_is_copied_once(first):
    copy = workspace.place(first)
    assert copy == paths.workspace() / "m" / "first.ipynb"
    write(first, "double", "def double(x):\n    return 2 * x")
    mine = copy.read_bytes()
    assert workspace.place(first) == copy and copy.read_bytes() == mine
    assert [file.name for file in copy.parent.iterdir()] == ["first.ipynb"]


def test_a_lab_that_is_not_built_is_named(first, tmp_path):
    (tmp_path / "notebooks" / "learn" / "m" / "first.ipynb").unlink()
    with pytest.raises(LabsError, match="labs build m/first"):
        workspace.place(first)


def test_a_folder_that_cannot_be_written_is_named(first):
    paths.workspace().write_text("a file where the folder should be")
    with pytest.raises(LabsError, match="LABS_WORKSPACE"):
        workspace.place(first)


def full_disk(origin, target):
    Path(target).write_text("half")
    raise OSError(28, "No space left on device")


def test_a_full_disk_leaves_no_half_notebook(first, monkeypatch):
    monkeypatch.setattr(workspace.shutil, "copyfile", full_disk)
    with pytest.raises(LabsError, match="No space left on device"):
        workspace.place(first)
    assert list((paths.workspace() / "m").iterdir()) == []


@pytest.mark.parametrize("links", [True, False])
def test_a_copy_that_another_start_made_meanwhile_is_kept(first, monkeypatch, links):
    copy = workspace.copy_of(first)

    def overtaken(origin, target):
        Path(target).write_text("ours")
        copy.write_text("the learner's")

    def refuse(half, copy):
        raise PermissionError(1, "no links here")

    monkeypatch.setattr(workspace.shutil, "copyfile", overtaken)
    if not links:
        monkeypatch.setattr(workspace.os, "link", refuse)
    workspace.place(first)
    assert copy.read_text() == "the learner's"


# --- a newer version


def test_answers_are_carried_over_and_the_old_copy_is_kept(first, tmp_path):
    copy = workspace.place(first)
    mine = "def double(x):\r\n    return x + 2  # not yet right\r\n"
    write(first, "double", mine)
    before = copy.read_bytes()
    assert workspace.state(first) == workspace.CURRENT
    publish(tmp_path, "m/first", "2", names=("quadruple", "triple", "double"))
    assert workspace.state(first) == workspace.OLDER
    done = workspace.upgrade(first)
    assert (done.copy, done.carried, done.left, done.cells) == (copy, ("double",), (), 0)
    assert done.kept.name == f"first-{TODAY}.ipynb" and done.kept.read_bytes() == before
    now = sources(copy)
    assert now["exercise-double"] == mine
    assert now["exercise-triple"] == blank("triple") and now["exercise-quadruple"] == blank("quadruple")
    assert workspace.state(first) == workspace.CURRENT


def test_two_upgrades_lose_nothing(first, tmp_path):
    workspace.place(first)
    write(first, "double", "def double(x):\n    return 2 * x")
    publish(tmp_path, "m/first", "2")
    once = workspace.upgrade(first)
    write(first, "triple", "def triple(x):\n    return 3 * x")
    publish(tmp_path, "m/first", "3")
    twice = workspace.upgrade(first)
    assert once.kept != twice.kept and "return 2 * x" in sources(once.kept)["exercise-double"]
    assert "return 3 * x" in sources(twice.kept)["exercise-triple"]
    assert set(twice.carried) == {"double", "triple"}


def test_an_answer_to_an_exercise_that_has_gone_is_told(first, tmp_path):
    workspace.place(first)
    write(first, "triple", "def triple(x)  # a slip of syntax is an answer too\n    return 3 * x")
    publish(tmp_path, "m/first", "2", names=("double",))
    done = workspace.upgrade(first)
    assert (done.carried, done.left) == ((), ("triple",))


def test_cells_of_ones_own_are_told_and_stay_in_the_old_copy(first, tmp_path):
    copy = workspace.place(first)
    content = nbformat.read(copy, as_version=4)
    content.cells.insert(
        2, new_code_cell("def helper():\n    return 7", id="0f8fad5b-d9cb-469f-a165-70867728950e")
    )
    content.cells.insert(3, new_code_cell("", id="7c9e6679-7425-40de-944b-e07fc1f90ae7"))
    nbformat.write(content, copy)
    publish(tmp_path, "m/first", "2")
    done = workspace.upgrade(first)
    assert done.cells == 1
    assert "helper" in "".join(sources(done.kept).values())


def test_a_full_disk_during_an_upgrade_leaves_the_old_copy_in_place(first, tmp_path, monkeypatch):
    copy = workspace.place(first)
    write(first, "double", "def double(x):\n    return 2 * x")
    before = copy.read_bytes()
    publish(tmp_path, "m/first", "2")
    with monkeypatch.context() as full:
        full.setattr(workspace.Path, "write_text", full_disk_text)
        with pytest.raises(LabsError, match="No space left"):
            workspace.upgrade(first)
    assert copy.read_bytes() == before
    assert not list(copy.parent.glob("*.half-*"))


def full_disk_text(self, *text, **more):
    raise OSError(28, "No space left on device")


def test_start_offers_a_newer_version_and_takes_no_for_an_answer(first, tmp_path, capsys, monkeypatch):
    copy = workspace.place(first)
    publish(tmp_path, "m/first", "2")
    monkeypatch.setattr("sys.stdin.isatty", lambda: True, raising=False)
    monkeypatch.setattr("builtins.input", lambda question: "n")
    starting.put_in_place(first, None)
    assert workspace.state(first) == workspace.OLDER and "newer version" in capsys.readouterr().out
    monkeypatch.setattr("builtins.input", lambda question: "")
    assert starting.put_in_place(first, None) == copy
    assert workspace.state(first) == workspace.CURRENT
    assert f"first-{TODAY}.ipynb" in capsys.readouterr().out


def test_where_nobody_can_be_asked_the_copy_stays_and_the_way_is_said(first, tmp_path, capsys):
    workspace.place(first)
    publish(tmp_path, "m/first", "2")
    starting.put_in_place(first, None)
    assert "labs start m/first --newer" in capsys.readouterr().out
    assert workspace.state(first) == workspace.OLDER
    starting.put_in_place(first, True)
    assert workspace.state(first) == workspace.CURRENT


def test_a_damaged_copy_is_kept_and_the_way_is_said(first, capsys):
    copy = workspace.place(first)
    copy.write_text('{"cells": [')
    assert starting.put_in_place(first, None) == copy
    assert "labs reset m/first" in capsys.readouterr().out and copy.read_text() == '{"cells": ['
    with pytest.raises(LabsError, match="labs reset m/first"):
        workspace.upgrade(first)


# --- beginning anew


def test_reset_keeps_what_was_there(first):
    workspace.place(first)
    write(first, "double", "def double(x):\n    return 2 * x")
    for number in (1, 2, 3):
        result = invoke("reset", "m/first")
        assert result.exit_code == 0
        ending = f"-{number}" if number > 1 else ""
        assert f"first-{TODAY}{ending}.ipynb" in result.stdout.replace("\n", "")
    kept = paths.workspace() / "m" / f"first-{TODAY}.ipynb"
    assert "return 2 * x" in sources(kept)["exercise-double"]
    assert sources(workspace.copy_of(first))["exercise-double"] == blank("double")


def test_reset_of_a_damaged_copy_keeps_it(first):
    workspace.place(first).write_text("not a notebook")
    assert workspace.reset(first).read_text() == "not a notebook"
    assert workspace.state(first) == workspace.CURRENT


def test_reset_of_a_lab_never_opened_makes_its_copy(first):
    result = invoke("reset", "m/first")
    assert result.exit_code == 0 and "What you had" not in result.stdout
    assert workspace.state(first) == workspace.CURRENT


# --- where one goes on


def test_a_newcomer_starts_at_the_first_lab(taught):
    assert where.current(taught) is None and where.go_on(taught).name == "m/first"
    assert "open the first lab" in invoke().stdout


def test_start_goes_on_where_the_learner_stopped(taught):
    passed("m/second", "double")
    assert where.go_on(taught).name == "m/second"
    said = invoke().stdout
    assert "1 exercise to go" in said and "1 of 4 exercises" in said and "go on with m/second" in said


def test_after_a_lab_comes_the_next_that_is_not_done(taught):
    passed("m/second", "double", "triple")
    assert where.go_on(taught).name == where.following(taught).name == "m/first"
    assert "begin m/first" in invoke().stdout
    passed("m/first", "double", "triple")
    assert where.following(taught) is None
    assert "everything" in invoke("next").stdout


def test_a_lab_that_has_gone_from_the_curriculum_is_passed_over(taught):
    passed("m/second", "double")
    passed("m/gone", "double")
    assert where.current(taught).name == "m/second"


def test_progress_of_one_lab_lists_its_exercises(taught):
    passed("m/first", "triple")
    rows = json.loads(invoke("progress", "m/first", "--json").stdout)
    assert [(row["exercise"], row["state"]) for row in rows] == [("double", "blank"), ("triple", "passed")]
    assert "triple" in invoke("progress", "m/first").stdout


# --- hints in a terminal


def test_hints_climb_the_ladder_of_the_first_exercise_not_passed(taught):
    passed("m/first", "double")
    said = [invoke("hint").stdout for _ in range(4)]
    assert [line.splitlines()[1].strip() for line in said] == ["One.", "Two.", "Three.", "Three."]
    assert "triple: hint 1 of 3" in said[0]
    assert progress.hints_seen("m/first", "triple") == 3


def test_a_hint_for_an_exercise_that_is_not_there(taught):
    refused = invoke("hint", "tripel")
    assert refused.exit_code == 1 and "Did you mean `triple`?" in refused.stderr
    assert len(refused.stderr.splitlines()) == 1


def test_a_name_that_several_labs_have_is_looked_for_where_one_is(taught):
    passed("m/second", "triple")
    assert invoke("hint", "double").exit_code == 0
    assert progress.hints_seen("m/second", "double") == 1
    assert invoke("hint", "double", "--lab", "m/first").exit_code == 0
    assert progress.hints_seen("m/first", "double") == 1


# --- checks of a saved notebook


RUN = """
from pathlib import Path
from labs.kit import session
from labs.kit.curriculum import Curriculum, Lab, Module
folder = Path({folder!r})
labs = {{n: Lab(n, folder / "labs" / n, n, "p", 5, "beginner", ("o",), 10) for n in ("m/first", "m/second")}}
course = Curriculum((Module("m", "Models", tuple(labs)),), labs)
session.load = lambda: course
"""


@pytest.fixture
def kernels(tmp_path, monkeypatch, taught):
    """Kernels that know the two labs: they start as Python does with this file on its path."""
    site = tmp_path / "site"
    site.mkdir()
    (site / "sitecustomize.py").write_text(RUN.format(folder=str(tmp_path)))
    monkeypatch.setenv("PYTHONPATH", f"{site}{os.pathsep}{paths.ROOT}")
    monkeypatch.setenv("LABS_WARM", "off")
    return taught


def test_check_says_what_each_check_of_a_saved_notebook_finds(kernels):
    lab = kernels.lab("m/first")
    copy = workspace.place(lab)
    write(lab, "double", "def double(x):\n    return x + 2")
    before = copy.read_bytes()
    found = checking.check(kernels, "m/first", 120)
    assert [(one.exercise, one.state) for one in found] == [("double", "wrong"), ("triple", "blank")]
    assert "You added." in found[0].text and copy.read_bytes() == before
    assert progress.states()["m/first", "double"]["diagnosis"] == "adds"
    write(lab, "double", "def double(x):\n    return x + x")
    write(lab, "triple", "def triple(x)\n    return 3 * x")
    found = checking.check(kernels, str(copy), 120)
    assert [one.state for one in found] == ["passed", "error"]
    assert "SyntaxError" in found[1].text and ".py" not in found[1].text
    content = nbformat.read(copy, as_version=4)
    content.cells = [cell for cell in content.cells if cell.id != "check-triple"]
    write_back = copy.with_name("mine.ipynb")
    nbformat.write(content, write_back)
    write_back.write_text(write_back.read_text().replace("def triple(x)\\n", "def triple(x):\\n"))
    result = invoke("check", str(write_back))
    assert (
        result.exit_code == 1 and "triple: Not checked" in result.stdout and "1 of 2 passed." in result.stdout
    )


def test_check_says_that_a_cell_never_ends_and_that_a_kernel_died(kernels):
    lab = kernels.lab("m/first")
    workspace.place(lab)
    write(lab, "double", "while True:\n    pass")
    with pytest.raises(LabsError, match="longer than 2 seconds"):
        checking.check(kernels, "m/first", 2)
    write(lab, "double", "import os\nos._exit(1)")
    with pytest.raises(LabsError, match="kernel died"):
        checking.check(kernels, "m/first", 60)


@pytest.mark.parametrize(
    ("content", "words"),
    [
        ("no notebook", "is not a notebook"),
        (json.dumps(new_notebook()), "no notebook of a lab"),
        (None, "There is no"),
    ],
)
def test_check_of_what_is_no_lab_is_one_sentence(taught, tmp_path, content, words):
    file = tmp_path / "strange.ipynb"
    if content is not None:
        file.write_text(content)
    result = invoke("check", str(file))
    assert result.exit_code == 1 and words in result.stderr and len(result.stderr.splitlines()) == 1


def test_check_of_a_lab_not_yet_opened_says_how_to_open_it(taught):
    assert "labs start m/first" in invoke("check", "m/first").stderr


def test_the_real_notebooks_say_what_is_blank_in_them():
    for file in (paths.notebooks() / "learn").rglob("*.ipynb"):
        content = nbformat.read(file, as_version=4)
        blanks = content.metadata.labs.blanks
        exercises = [cell for cell in content.cells if "exercise" in cell.metadata.get("tags", [])]
        assert {
            cell.id.removeprefix("exercise-"): workspace.fingerprint(cell.source) for cell in exercises
        } == blanks
        assert blanks, file


def test_the_command_needs_no_tensorflow_for_what_needs_none(taught):
    code = (
        "import sys; from labs.kit.command import overview, report, workspace, where, check, start\n"
        "assert not {'tensorflow', 'nbclient', 'nbformat', 'jupyterlab'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)
