"""From a lab's source to its notebooks: deterministic, executed only when needed, stale noticed."""

import json
import shutil

import nbformat
import pytest

from labs.kit import curriculum, data, paths
from labs.kit.author import build, source
from labs.kit.author.execute import faults
from labs.kit.errors import LabsError

LAB = '''# ---
# jupyter:
#   labs:
#     title: {title}
#     promise: One sentence.
#     minutes: 10
#     level: beginner
#     outcomes: [be able to do it]
#     cpu_seconds: 10
# ---

# %% [markdown]
# ## 1. Begin here
#
# Words.

# %%
print("hello")

# %% tags=["exercise"]
def double(x):
    """Return twice `x`."""
    ### BEGIN SOLUTION
    return 2 * x
    ### END SOLUTION


# %%
print(double(4))
'''


@pytest.fixture
def place(tmp_path, monkeypatch):
    """A curriculum of two labs that need no TensorFlow, and a folder for their notebooks."""
    labs = tmp_path / "labs"
    for name in ("one", "two"):
        lab = labs / "m" / name
        lab.mkdir(parents=True)
        (lab / "lab.py").write_text(LAB.format(title=name.title()))
        for file in ("checks.py", "answers.py"):
            (lab / file).write_text("")
    (labs / "curriculum.toml").write_text('[[module]]\nname = "m"\ntitle = "M"\nlabs = ["m/one", "m/two"]\n')
    monkeypatch.setattr(build, "load", lambda: curriculum.load(labs))
    return tmp_path


@pytest.fixture
def runs(monkeypatch):
    """Count the executions, and run the cells in this process instead of a kernel."""
    counted = []

    def execute(notebook, on_cell=lambda: None):
        counted.append(notebook.metadata.labs.name)
        names = {}
        for number, cell in enumerate(filter(source.is_code, notebook.cells), 1):
            exec(cell.source.replace("print(", "shown = str("), names)
            cell.execution_count = number
            if "shown" in names:
                text = names.pop("shown") + "\n"
                cell.outputs = [nbformat.v4.new_output("stream", name="stdout", text=text)]
        return notebook

    monkeypatch.setattr(build, "execute", execute)
    return counted


def run(place, *names, check=False):
    return build.command(list(names), check=check, folder=place / "notebooks")


def files(place):
    return {path: path.read_bytes() for path in sorted((place / "notebooks").rglob("*.ipynb"))}


def read(place, kind, name):
    return nbformat.read(place / "notebooks" / kind / "m" / f"{name}.ipynb", as_version=4)


def edit(place, old, new, file="labs/m/one/lab.py"):
    path = place / file
    assert old in path.read_text()
    path.write_text(path.read_text().replace(old, new))


def test_building_twice_changes_no_byte_and_runs_nothing(place, runs):
    run(place)
    before = files(place)
    run(place)
    assert files(place) == before and len(before) == 4
    assert runs == ["m/one", "m/two"]
    assert run(place, check=True) == 0


def test_the_learner_gets_blanks_and_no_outputs(place, runs):
    run(place)
    learn = read(place, "learn", "one")
    text = json.dumps(learn)
    assert 'raise NotImplementedError(\\"your turn\\")' in text
    assert "SOLUTION" not in text and "return 2 * x" not in text
    assert all(
        not cell.outputs and cell.execution_count is None for cell in learn.cells if source.is_code(cell)
    )
    nbformat.validate(learn)


def test_the_worked_one_is_solved_and_executed(place, runs):
    run(place)
    worked = read(place, "worked", "one")
    assert "SOLUTION" not in json.dumps(worked)
    assert [cell.outputs[0].text for cell in worked.cells if source.is_code(cell) and cell.outputs] == [
        "hello\n",
        "8\n",
    ]
    nbformat.validate(worked)


def test_prose_is_written_anew_without_running(place, runs):
    run(place)
    edit(place, "# Words.", "# Other words.")
    assert run(place, check=True) == 1
    run(place)
    assert runs == ["m/one", "m/two"]
    assert run(place, check=True) == 0


@pytest.mark.parametrize(
    ("file", "old", "new"),
    [("labs/m/one/lab.py", '"hello"', '"bye"'), ("labs/m/one/checks.py", "", "x = 1")],
)
def test_changed_code_or_checks_run_again(place, runs, file, old, new):
    run(place)
    edit(place, old, new, file)
    assert run(place, check=True) == 1
    run(place)
    assert runs == ["m/one", "m/two", "m/one"]


def test_an_edited_notebook_is_stale_and_mended(place, runs):
    run(place)
    before = files(place)
    edit(place, "Words.", "Scribbles.", "notebooks/learn/m/one.ipynb")
    assert run(place, check=True) == 1
    run(place)
    assert files(place) == before


def test_a_damaged_notebook_is_built_again(place, runs):
    run(place)
    (place / "notebooks/worked/m/two.ipynb").write_text("{half")
    run(place)
    assert runs == ["m/one", "m/two", "m/two"]


def test_a_lab_that_left_takes_its_notebooks_along(place, runs):
    run(place)
    shutil.rmtree(place / "labs/m/two")
    edit(place, ', "m/two"', "", "labs/curriculum.toml")
    assert run(place, check=True) == 1
    run(place)
    assert [path.stem for path in files(place)] == ["one", "one"]


def test_cell_ids_do_not_move_when_a_section_is_added(place, runs):
    def ids():
        return [cell.id for cell in read(place, "learn", "one").cells]

    run(place)
    before = ids()
    edit(
        place,
        "# %% [markdown]\n# ## 1.",
        "# %% [markdown]\n# ## 0. Before\n#\n# Words.\n\n# %% [markdown]\n# ## 1.",
    )
    run(place)
    after = ids()
    assert set(before) < set(after) and len(after) == len(set(after)) == len(before) + 1


def test_the_card_comes_first_and_the_way_on_last(place, runs):
    run(place)
    cells = read(place, "learn", "one").cells
    assert cells[0].source.startswith("# One\n") and "be able to do it" in cells[0].source
    assert "../m/two.ipynb" in cells[-1].source


def test_a_real_kernel_runs_a_lab_and_names_the_failing_cell(place):
    run(place, "m/one")
    assert run(place, "m/one", check=True) == 0
    edit(place, 'print("hello")', 'print("hello" + 1)')
    with pytest.raises(LabsError, match=r"(?s)m/one.*TypeError.*hello"):
        run(place, "m/one")


def test_noise_and_paths_are_not_stored(place, runs):
    run(place)
    worked = read(place, "worked", "one")
    assert faults(worked) == []
    code = next(cell for cell in worked.cells if source.is_code(cell))
    code.outputs = [
        nbformat.v4.new_output("stream", name="stderr", text="WARNING: noise"),
        nbformat.v4.new_output("stream", name="stdout", text=f"{paths.ROOT}/x"),
    ]
    found = " ".join(faults(worked))
    assert "standard error" in found and "path of this machine" in found


def test_the_real_notebooks_are_fresh(capsys):
    assert build.command([], check=True) == 0, capsys.readouterr().out


def test_every_data_set_on_a_card_is_in_the_key():
    listed = curriculum.load()
    sums = (paths.data() / "SHA256SUMS").read_text().splitlines()
    for lab in listed.labs.values():
        for name in lab.data:
            assert name in data.catalog()
            assert any(line.split()[-1].split("/")[0] == name for line in sums), name
