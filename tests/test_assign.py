"""What `labs assign` hands out: everything a student needs, and nothing that gives the answers away."""

import ast
import json
import os
import re
import shutil
import subprocess
import sys
import tomllib
import venv
import zipfile
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import numpy as np
import pytest
import yaml
from typer.testing import CliRunner

from labs.kit import catalog, paths
from labs.kit.command import cli
from labs.kit.course import assign, assignment, grade, material, public_checks, repository, student_kit
from labs.kit.course.answer_source import written
from labs.kit.course.handout import Handout
from labs.kit.curriculum import load
from labs.kit.errors import LabsError
from labs.kit.examine import cases
from labs.kit.exercise import check
from labs.kit.load import exercises
from tests.leaks import secrets, squeezed, texts

CURRICULUM = load()
NAMES = ("foundations/graphs", "keras/sequential")
LABS = [CURRICULUM.lab(name) for name in NAMES]
EVERY = list(CURRICULUM.labs.values())


def handed_out(folder, form="folder", labs=LABS, hints=2, due=""):
    works = assign.works(labs, assignment.points_of(labs, []), form)
    title, kit = assignment.title_of(CURRICULUM, labs), student_kit.kit_version()
    made = assignment.Assignment(folder.name, title, works, due, hints=hints, kit=kit)
    assign.write(folder, Handout(made, CURRICULUM), form)
    return folder


@pytest.fixture(scope="module")
def bundle(tmp_path_factory):
    return handed_out(tmp_path_factory.mktemp("bundle") / "week-3", due="2026-12-01T18:00:00+01:00")


def labs(*arguments, folder=None, python=sys.executable, **env):
    """Run the command as a person does."""
    command = [python, "-m", "labs", *map(str, arguments)]
    environment = {**os.environ, **env}
    return subprocess.run(command, capture_output=True, text=True, cwd=folder, env=environment)


def invoke(*arguments):
    return CliRunner().invoke(cli.app, list(map(str, arguments)), prog_name="labs")


def ipynb(path):
    return json.loads(path.read_text("utf-8"))


def filled(notebook, sources):
    """Put answers into the exercises' cells of a notebook, by the exercise's name."""
    for cell in notebook["cells"]:
        name = cell.get("id", "").removeprefix("exercise-")
        if name in sources:
            cell["source"] = sources.pop(name)
    assert not sources
    return notebook


def right(lab):
    return {answer.exercise: answer.source for answer in reversed(written(lab)) if answer.is_right}


# --- nothing that gives the answers away


@pytest.mark.parametrize("lab", EVERY, ids=lambda lab: lab.name)
def test_no_line_of_a_solution_or_an_answer_is_handed_out(lab, tmp_path):
    """In none of the files, packed or not; the checks may know the right result, not how a student gets it."""
    made = handed_out(tmp_path / "one", labs=[lab])
    everything = {name: squeezed(text) for name, text in texts(made) if not name.startswith("material/data/")}
    assert any(name.endswith("!unpacked") for name in everything)
    assert any("kit/session.py" in name for name in everything)
    found = {(name, line) for line in secrets(lab) for name, text in everything.items() if line in text}
    # What a check computes to compare with is what it knows; it is not in plain sight.
    assert {(name, line) for name, line in found if not name.endswith("!unpacked")} == set()


def test_the_last_hint_stays_at_home_and_more_or_fewer_can_be_chosen(bundle, tmp_path):
    for lab in LABS:
        text = dict(texts(bundle))[f"material/labs/{lab.name}/checks.py!unpacked"]
        for exercise in exercises(lab).values():
            assert exercise.hints[2] not in text and repr(exercise.hints[1])[1:-1] in text
    for hints in (0, 3):
        made = handed_out(tmp_path / str(hints), labs=[LABS[1]], hints=hints)
        known = exercises(replace(LABS[1], folder=made / "material/labs/keras/sequential"))
        for name, exercise in exercises(LABS[1]).items():
            told = [*exercise.hints[:hints], *[public_checks.LAST_HINT] * 3][:3]
            assert list(known[name].hints) == told


def test_what_lies_open_says_nothing_of_what_is_looked_for(bundle):
    """A search through the folder finds no diagnosis, and no hint."""
    plain = {name: text for name, text in texts(bundle) if not name.endswith("!unpacked")}
    for lab in LABS:
        for exercise in exercises(lab).values():
            words = [one.says for one in exercise.misconceptions.values()] + list(exercise.hints)
            names = [f'"{name}"' for name in exercise.misconceptions]
            assert not [(n, word) for word in words + names for n, text in plain.items() if word in text]


def test_the_kit_has_no_lab_and_nothing_of_authors_or_instructors(tmp_path):
    wheel = student_kit.write(tmp_path)
    names = zipfile.ZipFile(wheel).namelist()
    assert {"labs/__init__.py", "labs/kit/session.py", "labs/kit/warm/provisioner.py"} <= set(names)
    assert not [name for name in names if re.search(r"lab\.py$|checks\.py$|/author/|/course/|\.ipynb$", name)]
    top = {name.split("/")[1] for name in names if name.startswith("labs/")}
    assert top == {"__init__.py", "__main__.py", "_data", "curriculum.toml", "kit"}


def test_the_kit_imports_nothing_that_was_left_out():
    for path, name in student_kit.files():
        if path.suffix != ".py":
            continue
        for node in ast.parse(path.read_text("utf-8")).body:  # what is imported as soon as the module is
            modules = [node.module] if isinstance(node, ast.ImportFrom) else []
            modules += [alias.name for alias in node.names] if isinstance(node, ast.Import) else []
            left_out = [m for m in modules if m and re.match(r"labs\.kit\.(author|course)\b", m)]
            assert not left_out, f"{name} imports {left_out}"


def test_the_same_assignment_is_the_same_bytes(bundle, tmp_path):
    again = handed_out(tmp_path / "week-3", due="2026-12-01T18:00:00+01:00")
    assert {p.relative_to(again): p.read_bytes() for p in again.rglob("*") if p.is_file()} == {
        p.relative_to(bundle): p.read_bytes() for p in bundle.rglob("*") if p.is_file()
    }


# --- the public checks


def same(one, other):
    if isinstance(one, np.ndarray):
        floats = one.dtype.kind in "fc"
        return type(other) is np.ndarray and one.dtype == other.dtype and np.array_equal(one, other, floats)
    if isinstance(one, dict):
        return type(other) is dict and one.keys() == other.keys() and all(same(one[k], other[k]) for k in one)
    if isinstance(one, list | tuple):
        return type(one) is type(other) and len(one) == len(other) and all(map(same, one, other))
    return type(one) is type(other) and (one == other or one != one)


def as_handed_out(lab, tmp_path, hidden, unseen=None):
    points = {name: 7 for name in exercises(lab)}
    (tmp_path / "checks.py").write_text(public_checks.public(lab, points, 2, hidden, unseen), "utf-8")
    return exercises(replace(lab, folder=tmp_path))


@pytest.mark.parametrize("lab", EVERY, ids=lambda lab: lab.name)
def test_public_checks_draw_the_same_inputs_and_know_the_same_mistakes(lab, tmp_path):
    public = as_handed_out(lab, tmp_path, hidden=False)
    assert list(public) == list(exercises(lab))
    for name, exercise in exercises(lab).items():
        assert public[name].points == 7
        assert public[name].misconceptions == exercise.misconceptions
        assert public[name].task == exercise.task
        assert same([c for c, _ in cases(public[name], 3)], [c for c, _ in cases(exercise, 3)])


@pytest.mark.parametrize("lab", EVERY, ids=lambda lab: lab.name)
def test_of_hidden_inputs_neither_they_nor_what_draws_them_is_handed_out(lab, tmp_path):
    public = as_handed_out(lab, tmp_path, hidden=True)
    for name, exercise in exercises(lab).items():
        whole, seen = len(list(cases(exercise, 0))), [list(cases(public[name], seed)) for seed in range(5)]
        assert all(1 <= len(one) <= max(1, whole // 2) for one in seen)
        drawn = [[case for case, _ in one] for one in seen]
        assert all(any(same(one, draw) for draw in public_checks.public_cases(exercise)) for one in drawn)
    given = _functions(lab.checks.read_text("utf-8"), "given")
    kept = _functions(public_checks.plain_text(lab, dict.fromkeys(public, 1), 2, True), "given")
    assert len(given) == len(kept) and not set(given) & set(kept)


def _functions(text, name):
    return [ast.unparse(n.body) for n in ast.walk(ast.parse(text)) if getattr(n, "name", "") == name]


def test_public_inputs_can_differ_from_check_to_check(tmp_path):
    prepare = as_handed_out(LABS[1], tmp_path, hidden=True)["confident_mistakes"]
    drawn = [next(prepare.given(np.random.default_rng(seed)))["logits"].tobytes() for seed in range(100)]
    assert len(set(drawn)) == public_checks.DRAWS


def test_a_mistake_that_public_inputs_do_not_show_loses_its_words(tmp_path):
    known = exercises(LABS[1])["prepare"].misconceptions
    public = as_handed_out(LABS[1], tmp_path, True, {"prepare": {"changes-the-label", "mixes-dtypes"}})
    found = public["prepare"].misconceptions
    assert list(found) == list(known)
    for name in ("changes-the-label", "mixes-dtypes"):
        assert found[name].says != known[name].says and found[name].think != known[name].think
        assert found[name].raises == known[name].raises
    assert found["not-scaled"] == known["not-scaled"]


@pytest.mark.parametrize("lab", EVERY, ids=lambda lab: lab.name)
def test_every_diagnosis_can_lose_its_words(lab):
    every = {name: set(one.misconceptions) for name, one in exercises(lab).items()}
    points = {name: one.points for name, one in exercises(lab).items()}
    text = squeezed(public_checks.plain_text(lab, points, 2, True, every).replace("\\'", "'"))
    for one in exercises(lab).values():
        for known in one.misconceptions.values():
            assert squeezed(known.says) not in text and squeezed(known.think) not in text


def test_a_mistake_is_unseen_when_no_public_input_shows_it(monkeypatch):
    pytest.importorskip("tensorflow")
    from labs.kit.answers import Answer
    from labs.kit.course import unseen
    from labs.kit.diagnosis import Misconception, Misread

    @check(points=1, minutes=1, difficulty="easy", hints=("a", "b", "c"))
    class double:
        """Twice x."""

        misconceptions = {"squares": Misconception("a", "b"), "no-negatives": Misconception("c", "d")}

        @staticmethod
        def given(rng):
            yield {"x": 3}
            yield {"x": -3}

        @staticmethod
        def when(double, x):
            return {"got": double(x)}

        @staticmethod
        def then(seen, x):
            if seen["got"] == x * x:
                raise Misread("squares")
            if seen["got"] != 2 * x:
                raise Misread("no-negatives")

    answers = [
        Answer("double", "one", lambda x: x * x, "squares"),
        Answer("double", "two", lambda x: 2 * abs(x), "no-negatives"),
    ]
    monkeypatch.setattr(unseen, "exercises", lambda lab: {"double": double})
    monkeypatch.setattr(unseen, "answers", lambda lab: answers)
    assert unseen.unseen(LABS[0]) == {"double": {"no-negatives"}}


# --- the folder


def test_the_description_can_be_read_back_and_adds_up(bundle):
    found = assignment.read(bundle / "assignment.json")
    known = {lab.name: exercises(lab) for lab in LABS}
    assert [work.name for work in found.labs] == list(NAMES)
    assert found.points == sum(one.points for of in known.values() for one in of.values())
    assert found.due == "2026-12-01T18:00:00+01:00"
    assert found.kit == student_kit.kit_version()
    for work in found.labs:
        assert (bundle / work.notebook).is_file()
        assert [part.name for part in work.exercises] == list(known[work.name])
    assert json.loads((bundle / "assignment.json").read_text())["points"] == found.points


@pytest.mark.parametrize("text", ["", "{", "[]", '{"format": 2}', '{"format": 1, "labs": [{}]}'])
def test_what_is_no_description_says_so(text, tmp_path):
    (tmp_path / "assignment.json").write_text(text)
    with pytest.raises(LabsError):
        assignment.read(tmp_path / "assignment.json")
    with pytest.raises(LabsError):
        assignment.read(tmp_path / "nothing.json")


def test_the_readme_says_due_date_points_installing_handing_in_and_licences(bundle):
    said = (bundle / "README.md").read_text("utf-8")
    assert "Tuesday, 1 December 2026, 18:00 (UTC+01:00)" in said
    found = assignment.read(bundle / "assignment.json")
    for work in found.labs:
        assert said.count(f"`{work.notebook}`") == 1
        for part in work.exercises:
            assert f"| `{part.name}` | {part.points} |" in said
    wheel = next((bundle / "kit").iterdir())
    assert f"pip install kit/{wheel.name}" in said
    for name in {name for lab in LABS for name in lab.data}:
        assert f"| {catalog.info(name).licence} | {catalog.info(name).bytes:,} |" in said
    for link in re.findall(r"\]\(([^)]+)\)", said):
        assert (bundle / link).is_file()


@pytest.mark.parametrize("lab", EVERY, ids=lambda lab: lab.name)
def test_the_data_is_what_the_labs_need_and_what_is_said_of_it(lab, tmp_path, monkeypatch):
    material.write_data(tmp_path / "material" / "data", material.data_of([lab]))
    (tmp_path / "assignment.json").write_text("{}")
    (tmp_path / "material" / "labs").mkdir()
    (tmp_path / "material" / "labs" / "curriculum.toml").write_text("")
    used = re.findall(r"lab\.(?:load|folder|labels)\(\s*[\"'](\w+)", lab.source.read_text("utf-8"))
    monkeypatch.chdir(tmp_path)
    assert set(used) <= set(catalog.catalog()) == set(lab.data)
    for name, one in catalog.catalog().items():
        files = [path for path in catalog.folder(name).rglob("*") if path.is_file()]
        assert files and all(tmp_path in path.parents for path in files)
        told = (tmp_path / "material" / "data" / "SOURCES.md").read_text("utf-8")
        assert (
            f"| `{name}` |" in told
            and f"\n## {name}\n" in told
            and re.search(r"\w{3,}", one.licence)[0] in told
        )
    others = {p.name for p in (tmp_path / "material" / "data").iterdir()}
    assert others == {*lab.data, "SHA256SUMS", "SOURCES.md", "catalog.toml"}


def test_links_lead_to_labs_of_the_assignment_and_to_nothing_else(bundle):
    for work in assignment.read(bundle / "assignment.json").labs:
        place = bundle / work.notebook
        for cell in ipynb(place)["cells"]:
            for link in re.findall(r"\]\(([^)]+\.ipynb)\)", "".join(cell["source"])):
                assert (place.parent / link).resolve().is_file()
    assert "".join(ipynb(place)["cells"][-1]["source"]) == material.DONE
    whole = [CURRICULUM.lab(name) for name in ("keras/sequential", "keras/functional")]
    places = {lab.name: f"{lab.name}.ipynb" for lab in whole}
    card = "".join(material.notebook(whole[1], whole, places.get)["cells"][0]["source"])
    assert "(../keras/sequential.ipynb)" in card


def test_cells_after_the_first_blank_do_not_stop_the_rest(bundle):
    cells = ipynb(bundle / "keras/sequential.ipynb")["cells"]
    first = next(i for i, cell in enumerate(cells) if cell["id"].startswith("exercise-"))
    for cell in cells[first:]:
        assert cell["cell_type"] == "markdown" or "raises-exception" in cell["metadata"]["tags"]
    assert not any("raises-exception" in cell["metadata"].get("tags", []) for cell in cells[:first])


def test_in_the_folder_the_kit_sees_the_assignment_and_nothing_else(bundle, monkeypatch):
    monkeypatch.chdir(bundle / "keras")
    assert list(load().labs) == list(NAMES)
    assert paths.workspace() == bundle and paths.data() == bundle / "material" / "data"
    assert not load().lab("foundations/graphs").prerequisites
    monkeypatch.setenv("LABS_GRADING", "yes")  # what came with a notebook does not count where it is graded
    assert list(load().labs) == list(CURRICULUM.labs)
    assert paths.data() != bundle / "material" / "data"


def test_the_panel_shows_the_labs_of_the_assignment_and_opens_their_notebooks(bundle, monkeypatch):
    from labs.kit.jupyterlab import state

    monkeypatch.chdir(bundle)
    shown = state.read(bundle)
    found = [lab for module in shown["modules"] for lab in module["labs"]]
    assert shown["home"] and [lab["name"] for lab in found] == list(NAMES)
    assert [lab["path"] for lab in found] == [f"{name}.ipynb" for name in NAMES]
    assert {lab["copy"] for lab in found} == {"current"}


def test_a_zip_holds_one_folder_with_the_same_files(bundle, tmp_path):
    ran = invoke(
        "assign", *NAMES, "--out", tmp_path / "week-3", "--as", "zip", "--due", "2026-12-01T18:00+01:00"
    )
    assert ran.exit_code == 0, ran.output
    with zipfile.ZipFile(tmp_path / "week-3.zip") as packed:
        packed.extractall(tmp_path / "unpacked")
    made = tmp_path / "unpacked" / "week-3"
    assert {p.relative_to(made): p.read_bytes() for p in made.rglob("*") if p.is_file()} == {
        p.relative_to(bundle): p.read_bytes() for p in bundle.rglob("*") if p.is_file()
    }


# --- the command


def test_a_module_means_its_labs_in_order():
    found = assignment.chosen(CURRICULUM, ["keras", "foundations/graphs", "keras/functional"])
    module = next(module for module in CURRICULUM.modules if module.name == "keras")
    assert [lab.name for lab in found] == ["foundations/graphs", *module.labs]
    assert assignment.title_of(CURRICULUM, found[1:]) == module.title


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (["keras/sequental"], "Did you mean `keras/sequential`?"),
        (["kerass"], "Did you mean `keras`?"),
        (["keras", "--as", "tarball"], "folder, zip, git, nbgrader"),
        (["keras", "--due", "1.12.2026"], "--due 1.12.2026 is no date"),
        (["keras", "--due", "2026-02-30"], "is no date"),
        (["keras", "--due", "2026-12-01T25:00"], "is no date"),
        (["keras", "--due", "20261201"], "is no date"),
        (["keras", "--points", "prepare"], "write EXERCISE=N"),
        (["keras", "--points", "prepare=0"], "write EXERCISE=N"),
        (["keras", "--points", "prepar=2"], "Did you mean `prepare`?"),
        (["foundations", "--points", "RunningMean=2"], "foundations/graphs:RunningMean=2"),
        (["keras", "--hints", "4"], "from 0 to 3"),
    ],
)
def test_what_cannot_be_understood_gets_one_sentence_and_writes_nothing(arguments, said, tmp_path):
    ran = invoke("assign", *arguments, "--out", tmp_path / "out")
    assert ran.exit_code == 1
    assert said in ran.stderr and ran.stderr.count("\n") == 1
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("form", ["folder", "zip", "git", "nbgrader"])
def test_nothing_that_is_there_is_overwritten(form, tmp_path):
    out = tmp_path / ("week.zip" if form == "zip" else "week")
    if form == "zip":
        out.write_text("mine")
    else:
        out.mkdir()
        (out / "mine.txt").write_text("mine")
    ran = invoke("assign", "keras/sequential", "--out", out, "--as", form)
    assert ran.exit_code == 1 and "nothing is overwritten" in ran.stderr
    assert [p.name for p in tmp_path.rglob("*") if p.is_file()] in (["week.zip"], ["mine.txt"])


def test_a_folder_that_cannot_be_written_leaves_nothing_behind(tmp_path, monkeypatch):
    monkeypatch.setattr(
        material, "write_data", lambda *_: (_ for _ in ()).throw(OSError(28, "No space left"))
    )
    ran = invoke("assign", "keras/sequential", "--out", tmp_path / "week")
    assert ran.exit_code == 1 and "No space left" in ran.stderr
    assert list(tmp_path.iterdir()) == []


def test_the_current_folder_can_be_filled_and_a_zip_needs_a_name(tmp_path, monkeypatch):
    here = tmp_path / "Woche 3"
    here.mkdir()
    monkeypatch.chdir(here)
    refused = invoke("assign", NAMES[1], "--out", ".", "--as", "zip")
    assert refused.exit_code == 1 and "name the zip" in refused.stderr and "Traceback" not in refused.stderr
    assert not list(tmp_path.rglob("*.zip"))
    ran = invoke("assign", NAMES[1], "--out", ".")
    assert ran.exit_code == 0, ran.output
    assert assignment.read(Path("assignment.json")).id == "woche-3"
    assert os.path.samefile(here, ".") and not [path for path in here.iterdir() if path.name[0] == "."]


def test_what_is_missing_is_said_before_what_takes_a_minute(tmp_path, monkeypatch):
    monkeypatch.setattr(assign, "_unseen", lambda *_: pytest.fail("the long part has begun"))
    monkeypatch.setattr(repository.shutil, "which", lambda _: None)
    ran = invoke("assign", NAMES[1], "--out", tmp_path / "week", "--as", "git", "--hidden")
    assert ran.exit_code == 1 and "needs Git" in ran.stderr


@pytest.mark.parametrize(
    "words",
    [
        ("rehearse", "keras/sequential", "--out", "new"),
        ("grade", ".", "--out", "new", "--assignment", "."),
        ("slides", "keras/sequential", "--out", "new.html"),
    ],
    ids=lambda words: words[0],
)
def test_an_instructor_s_command_in_a_student_s_folder_says_where_it_is(bundle, monkeypatch, words):
    monkeypatch.chdir(bundle)
    ran = invoke(*words)
    assert ran.exit_code == 1 and "itself an assignment" in ran.stderr and not list(bundle.glob("new*"))


def test_names_of_every_script_make_names_of_folders():
    assert assignment.slug("第三周") != assignment.slug("第四周")
    assert assignment.slug("Неделя 3: Графы_и") == "неделя-3-графы-и"
    assert assignment.slug("?!") == "assignment"


def test_an_assignment_is_not_made_inside_another(bundle, monkeypatch, tmp_path):
    monkeypatch.chdir(bundle)
    ran = invoke("assign", "keras/sequential", "--out", tmp_path / "out")
    assert ran.exit_code == 1 and "itself an assignment" in ran.stderr


def test_other_points_are_in_the_readme_the_description_and_the_checks(tmp_path):
    ran = invoke(
        "assign", "foundations", "--out", tmp_path / "week", "--points", "foundations/graphs:RunningMean=9",
        "--points", "wires=4", "--title", "  First   week ",
    )  # fmt: skip
    assert ran.exit_code == 0, ran.output
    found = assignment.read(tmp_path / "week" / "assignment.json")
    given = {(work.name, part.name): part.points for work in found.labs for part in work.exercises}
    assert found.title == "First week" and found.id == "week"
    assert given["foundations/graphs", "RunningMean"] == 9 and given["foundations/graphs", "wires"] == 4
    lab = CURRICULUM.lab("foundations/tensors")
    assert given[lab.name, "RunningMean"] == exercises(lab)["RunningMean"].points
    graphs = replace(LABS[0], folder=tmp_path / "week" / "material/labs/foundations/graphs")
    assert exercises(graphs)["RunningMean"].points == 9
    assert f"{found.points} points" in (tmp_path / "week" / "README.md").read_text("utf-8")


@pytest.mark.parametrize(
    ("text", "iso"),
    [
        ("2026-12-01T18:00+01:00", "2026-12-01T18:00:00+01:00"),
        ("2026-12-01 18:00Z", "2026-12-01T18:00:00+00:00"),
        ("2026-12-01T18:00:30-05:30", "2026-12-01T18:00:30-05:30"),
    ],
)
def test_a_date_with_an_offset_is_that_moment(text, iso):
    assert assignment.due_date(text).isoformat() == iso


def test_a_date_alone_is_its_last_minute_in_the_time_zone_of_the_machine():
    found = assignment.due_date("2026-12-01")
    assert found.replace(tzinfo=None) == datetime(2026, 12, 1, 23, 59) and found.tzinfo is not None
    assert assignment.shown(datetime(2026, 3, 9, 8, 5, tzinfo=UTC)) == "Monday, 9 March 2026, 08:05 (UTC)"


def test_a_due_date_that_is_past_is_said(tmp_path):
    ran = invoke("assign", "foundations/graphs", "--out", tmp_path / "week", "--due", "2020-01-01")
    assert ran.exit_code == 0 and "which is past" in ran.stdout


def test_what_instructors_need_is_what_authors_and_ci_have():
    extras = tomllib.loads((paths.ROOT / "pyproject.toml").read_text("utf-8"))["project"][
        "optional-dependencies"
    ]
    locked = (paths.ROOT / "requirements" / "dev.txt").read_text("utf-8")
    for wanted in (*extras["teach"], *extras["cluster"], *extras["hub"]):
        name = re.match(r"[a-z0-9-]+", wanted)[0]
        assert re.search(rf"^{name}==", locked, re.M), name


# --- the repository


@pytest.fixture(scope="module")
def template(tmp_path_factory):
    return handed_out(tmp_path_factory.mktemp("git") / "week-3", "git")


def git(folder, *arguments):
    return subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True, check=True).stdout


def test_a_repository_has_one_commit_with_everything_in_it(template, bundle):
    assert git(template, "rev-list", "--count", "HEAD").strip() == "1"
    assert git(template, "status", "--porcelain") == ""
    tracked = set(git(template, "ls-files").splitlines())
    here = {p.relative_to(bundle).as_posix() for p in bundle.rglob("*") if p.is_file()}
    own = {repository.WORKFLOW, repository.DEVCONTAINER, ".gitignore", ".gitattributes"}
    assert tracked == here | own


def test_a_clone_on_windows_has_whole_data(template, tmp_path, monkeypatch):
    git(tmp_path, "-c", "core.autocrlf=true", "clone", "--quiet", template, "clone")
    monkeypatch.chdir(tmp_path / "clone")
    for name in material.data_of(LABS):
        catalog.folder(name)
    assert b"\r\n" in Path("README.md").read_bytes(), "this was no clone as on Windows"


def test_what_the_machine_ignores_is_handed_out_all_the_same(tmp_path, monkeypatch):
    (tmp_path / "ignored").write_text("*.whl\n*.csv\n*.toml\n")
    (tmp_path / "config").write_text(f"[core]\n\texcludesFile = {tmp_path / 'ignored'}\n")
    monkeypatch.setenv("GIT_CONFIG_GLOBAL", str(tmp_path / "config"))
    made = handed_out(tmp_path / "week", "git", labs=LABS[:1])
    assert git(made, "ls-files", "kit/*.whl") and "material/data/catalog.toml" in git(made, "ls-files")


def test_what_lies_around_is_not_handed_out(tmp_path, monkeypatch):
    kit, data = tmp_path / "labs", tmp_path / "data"
    (kit / "kit" / ".ipynb_checkpoints").mkdir(parents=True)
    for path in ("__init__.py", "__main__.py", "kit/paths.py", "kit/.ipynb_checkpoints/paths.py"):
        (kit / path).write_text("")
    with monkeypatch.context() as patch:
        patch.setattr(paths, "LABS", kit)
        assert [name for _, name in student_kit.files()] == ["__init__.py", "__main__.py", "kit/paths.py"]
    name = material.data_of(LABS)[0]
    origin = catalog.folder(name)
    shutil.copytree(origin.parent, data)
    (data / name / ".notes").write_text("mine")
    monkeypatch.setattr(paths, "data", lambda: data)
    material.write_data(tmp_path / "out", [name])
    there = {path.name for path in (tmp_path / "out" / name).rglob("*")}
    assert there == {path.name for path in origin.rglob("*")}


def test_the_workflow_checks_every_notebook_with_commands_that_exist(template):
    flow = yaml.safe_load((template / repository.WORKFLOW).read_text("utf-8"))
    assert flow["on"] == ["push", "workflow_dispatch"] and flow["permissions"] == {"contents": "read"}
    steps = flow["jobs"]["checks"]["steps"]
    ran = [line for step in steps for line in step.get("run", "").splitlines() if line.startswith("labs ")]
    for name in NAMES:
        assert f"labs check {name}.ipynb" in ran
    from typer.main import get_command

    known = get_command(cli.app).commands
    for line in ran:
        command, *arguments = line.split()[1:]
        assert command in known
        for argument in arguments:
            assert argument in NAMES or (template / argument).is_file()
    text = (template / repository.WORKFLOW).read_text("utf-8")
    assert "classroom" not in text.lower(), "the service was retired in August 2026"
    assert "python -m pip install kit/*.whl" in text and len(list((template / "kit").glob("*.whl"))) == 1


def test_the_container_installs_the_kit_that_lies_there(template):
    found = json.loads((template / repository.DEVCONTAINER).read_text("utf-8"))
    wheel = re.search(r"kit/(\S+\.whl)", found["postCreateCommand"])[1]
    assert (template / "kit" / wheel).is_file()
    flow = yaml.safe_load((template / repository.WORKFLOW).read_text("utf-8"))
    python = next(
        step["with"]["python-version"] for step in flow["jobs"]["checks"]["steps"] if "with" in step
    )
    assert found["image"].endswith(f":{python}")


def given_points(path):
    return {work.name: work.points for one in assignment.read_all(path) for work in one.labs}


def test_points_of_ones_own_are_read_from_every_form_and_a_course_says_its_own(tmp_path):
    name = NAMES[0]
    for form in ("folder", "zip", "git", "nbgrader"):
        ran = invoke("assign", name, "--out", tmp_path / form, "--as", form, "--points", "wires=9")
        assert ran.exit_code == 0, ran.output
        assert ("--assignment" in ran.stdout) == (form != "nbgrader") and "1 lab, " in ran.stdout
    ends = {"folder": "", "folder/assignment.json": "", "zip": ".zip", "git": "", "nbgrader": ""}
    own = sum(one.points for one in exercises(LABS[0]).values()) - exercises(LABS[0])["wires"].points + 9
    assert [given_points(tmp_path / f"{form}{end}") for form, end in ends.items()] == [{name: own}] * 5
    course = tmp_path / "nbgrader"
    assert grade.points_of(grade._assigned(course, None))[name]["wires"] == 9
    ran = invoke("assign", name, "--out", tmp_path / "nbgrader", "--as", "nbgrader", "--title", "Another")
    assert ran.exit_code == 0, ran.output
    with pytest.raises(LabsError, match="twice, for other points"):
        grade.points_of(grade._assigned(course, None))
    (course / "submitted" / "ada" / "another").mkdir(parents=True)
    (begun,) = grade._assigned(course / "submitted", None)
    assert begun.id == "another", "what nobody has handed in yet is not graded"
    with pytest.raises(LabsError, match="holds no assignment"):
        assignment.read_all(tmp_path)
    damaged = tmp_path / "damaged.zip"
    with zipfile.ZipFile(damaged, "w", zipfile.ZIP_DEFLATED) as packed:
        packed.writestr("week/assignment.json", "{" * 5000)
    content = bytearray(damaged.read_bytes())
    content[60:66] = b"\xff" * 6
    damaged.write_bytes(content)
    with pytest.raises(LabsError, match="no zip that can be read"):
        assignment.read_all(damaged)
    assert "--assignment" not in invoke("assign", name, "--out", tmp_path / "plain").stdout


# --- with a student's environment


@pytest.fixture(scope="module")
def student(tmp_path_factory, bundle):
    """An environment with the kit installed, all that it leans on, and without this checkout."""
    place = tmp_path_factory.mktemp("student")
    venv.create(place / "venv", with_pip=False)
    python = place / "venv" / "bin" / "python"
    packages = subprocess.check_output(
        [python, "-c", "import sysconfig; print(sysconfig.get_path('purelib'))"], text=True
    ).strip()
    import numpy

    # A plain path: the files by which this checkout is on the path of its own environment are not read there.
    Path(packages, "shared.pth").write_text(str(Path(numpy.__file__).parent.parent))
    with zipfile.ZipFile(next((bundle / "kit").glob("*.whl"))) as wheel:
        wheel.extractall(packages)
    return python


def test_a_student_works_checks_and_sees_progress_without_this_checkout(bundle, student, tmp_path):
    pytest.importorskip("tensorflow")
    home = {"LABS_HOME": str(tmp_path / "home"), "LABS_WARM": "off"}
    where = subprocess.check_output(
        [student, "-c", "import labs; print(labs.__file__)"], cwd=bundle, text=True
    )
    assert str(student.parent.parent) in where
    work = tmp_path / "work"
    subprocess.run(["cp", "-r", bundle, work], check=True)
    lab = CURRICULUM.lab("foundations/graphs")
    answers = right(lab)
    wrong = next(answer for answer in written(lab) if answer.exercise == "wires" and not answer.is_right)
    blank = "export"
    del answers[blank]
    sources = {**answers, "wires": wrong.source}
    notebook = work / "foundations/graphs.ipynb"
    notebook.write_text(json.dumps(filled(ipynb(notebook), dict(sources))))
    ran = labs("check", "foundations/graphs.ipynb", "--json", folder=work, python=student, **home)
    assert ran.returncode == 1 and ran.stderr == ""
    states = {one["exercise"]: one["state"] for one in json.loads(ran.stdout)}
    expected = {name: "passed" for name in answers} | {blank: "blank", "wires": "wrong"}
    assert states == expected or states == {**expected, "wires": "error"}
    assert "or stop" in next(one["text"] for one in json.loads(ran.stdout) if one["exercise"] == blank)
    rows = json.loads(labs("progress", "--json", folder=work, python=student, **home).stdout)
    assert [(row["lab"], row["passed"]) for row in rows] == [
        ("foundations/graphs", 4),
        ("keras/sequential", 0),
    ]
    said = labs("hint", "wires", folder=work, python=student, **home).stdout
    assert exercises(lab)["wires"].hints[0] in said


def test_elsewhere_the_kit_says_where_its_labs_are(student, tmp_path):
    for command in (["start"], ["next"], ["check"], ["hint"]):
        ran = labs(*command, folder=tmp_path, python=student, LABS_HOME=str(tmp_path))
        assert ran.returncode == 1 and "go to the folder of an assignment" in ran.stderr
        assert "Traceback" not in ran.stderr
    for command in (["build"], ["verify"], ["assign", "keras"], ["grade", "."]):
        ran = labs(*command, folder=tmp_path, python=student)
        assert ran.returncode and "Traceback" not in ran.stderr


# --- one notebook, graded or handed out


def test_without_a_reference_a_check_gives_back_what_the_student_wrote(bundle, monkeypatch, capsys):
    pytest.importorskip("tensorflow")
    from labs.kit.session import Session

    def prepare(image, label):
        return image, label

    monkeypatch.chdir(bundle)
    session = Session(load().lab("keras/sequential"), {"prepare": prepare})
    assert session.check(prepare) is prepare
    said = capsys.readouterr().out
    assert "your version" in said and "working version" not in said


def test_points_count_what_passes_show_nothing_and_go_on_where_notebooks_are_graded(monkeypatch, capfd):
    tf = pytest.importorskip("tensorflow")
    from labs.kit.session import Session

    def noisy(image, label):
        print("told", file=sys.stderr)
        os.write(2, b"told")
        return tf.cast(image, tf.float32) / 255.0, label

    monkeypatch.setattr("labs.kit.session._earned", {})
    namespace = {"tf": tf, "prepare": noisy, "__name__": "__main__"}
    session = Session(CURRICULUM.lab("keras/sequential"), namespace)
    session.check(noisy)
    capfd.readouterr()
    assert session.points("prepare", 3) == 3
    assert capfd.readouterr() == ("", "")
    monkeypatch.setenv("LABS_GRADING", "yes")

    def prepare(image, label):
        return image, label

    namespace["prepare"] = prepare
    assert session.check(prepare) is prepare, "no reference comes out of a check where it is graded"
    assert session.points("prepare", 3) == 0
    works = namespace["prepare"]
    assert works is not prepare

    def prepare(image, label):
        return works(image, label)

    namespace["prepare"] = prepare
    session.check(prepare)
    assert session.points("prepare", 3) == 0, "what wraps the working version earns nothing"
    assert Session(CURRICULUM.lab("keras/sequential"), namespace).points("prepare", 3) == 0, (
        "nor in another session"
    )
    with pytest.raises(LabsError):
        session.points("nothing", 1)
