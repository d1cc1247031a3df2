"""The curriculum refuses, in one clear sentence, what cannot be taught."""

import shutil

import pytest

from labs.kit import curriculum, paths
from labs.kit.errors import LabsError

HEADER = """# ---
# jupyter:
#   labs:
#     title: {title}
#     promise: One sentence.
#     minutes: 10
#     level: beginner
#     prerequisites: [{prerequisites}]
#     outcomes: [be able to do it]
#     cpu_seconds: 10
# ---
"""


@pytest.fixture
def folder(tmp_path):
    """Two labs, the second after the first."""
    for name, prerequisites in (("m/one", ""), ("m/two", "m/one")):
        lab = tmp_path / name
        lab.mkdir(parents=True)
        for file in ("checks.py", "answers.py"):
            (lab / file).write_text("")
        (lab / "lab.py").write_text(HEADER.format(title=name, prerequisites=prerequisites))
    (tmp_path / "curriculum.toml").write_text(
        '[[module]]\nname = "m"\ntitle = "M"\nlabs = ["m/two", "m/one"]\n'
    )
    return tmp_path


def edit(path, old, new):
    text = path.read_text()
    assert old in text
    path.write_text(text.replace(old, new))


def test_it_reads_cards_in_order(folder):
    read = curriculum.load(folder)
    assert list(read.labs) == ["m/two", "m/one"]
    assert read.order == ("m/one", "m/two")
    assert read.next("m/one").name == "m/two" and read.next("m/two") is None
    assert [lab.name for lab in read.select(["m/one"])] == ["m/one"]


@pytest.mark.parametrize(
    ("file", "old", "new", "sentence"),
    [
        ("curriculum.toml", "m/one", "m/on", "has no lab.py"),
        ("curriculum.toml", '"m/two", ', '"m/one", ', "twice"),
        ("curriculum.toml", "[[module]]", "[module", "not valid TOML"),
        ("curriculum.toml", 'title = "M"\n', "", "lacks `title`"),
        ("curriculum.toml", '"m/one"]', '"other/one"]', "listed in the module `m`"),
        ("m/two/lab.py", "[m/one]", "[m/onne]", "Did you mean `m/one`"),
        ("m/one/lab.py", "prerequisites: []", "prerequisites: [m/two]", "m/two -> m/one"),
        ("m/one/lab.py", "minutes: 10", "minutes: ten", "must be a int"),
        ("m/one/lab.py", "minutes:", "minuts:", "Did you mean `minutes`"),
        ("m/one/lab.py", "level: beginner", "level: beginer", "Did you mean `beginner`"),
        ("m/one/lab.py", "#     promise: One sentence.\n", "", "lacks `promise`"),
        ("m/one/lab.py", "# ---\n# jupyter", "# jupyter", "must begin with a header"),
        ("m/one/lab.py", "#   labs:", "#   lab:", "has no card"),
        ("m/one/lab.py", "title: m/one", "title: [", "not YAML"),
    ],
)
def test_it_refuses_in_one_sentence(folder, file, old, new, sentence):
    edit(folder / file, old, new)
    with pytest.raises(LabsError) as refused:
        curriculum.load(folder)
    assert sentence in str(refused.value) and "Traceback" not in str(refused.value)


@pytest.mark.parametrize("file", curriculum.FILES)
def test_a_missing_file_is_named(folder, file):
    (folder / "m/one" / file).unlink()
    with pytest.raises(LabsError, match=rf"m/one.*{file}"):
        curriculum.load(folder)


def test_an_unknown_lab_gets_the_nearest_name(folder):
    with pytest.raises(LabsError, match="Did you mean `m/one`"):
        curriculum.load(folder).lab("m/onee")


def test_a_missing_list_is_said(folder):
    (folder / "curriculum.toml").unlink()
    with pytest.raises(LabsError, match="list of labs is missing"):
        curriculum.load(folder)


def test_adding_a_lab_is_a_folder_and_a_name(folder):
    shutil.copytree(folder / "m/one", folder / "m/three")
    edit(folder / "curriculum.toml", '"m/one"]', '"m/one", "m/three"]')
    assert "m/three" in curriculum.load(folder).labs


def test_the_real_curriculum_reads_and_every_folder_is_listed():
    listed = curriculum.load().labs
    folders = {path.parent.relative_to(paths.LABS).as_posix() for path in paths.LABS.rglob("lab.py")}
    assert folders == set(listed)
