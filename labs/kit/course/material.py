"""The folder `material` of handed-out work: its labs without solutions, and the data that they need.

It has the form of a checkout: `labs` with `curriculum.toml` and a folder for each lab, `data`, and `notebooks/learn`
to begin anew from. The students' kit finds it by the `assignment.json` beside it.
"""

import hashlib
import json
import re
import shutil
from collections.abc import Callable, Iterable, Mapping
from pathlib import Path
from typing import Any

import yaml

from labs.kit import catalog, paths
from labs.kit.course.handout import Handout
from labs.kit.course.public_checks import public
from labs.kit.curriculum import Curriculum, Lab, header
from labs.kit.errors import LabsError
from labs.kit.load import exercises

NO_ANSWERS = '"""The answers to this lab stay with the instructor."""\n'
DONE = "**Done?** `README.md` says how to hand in. In a terminal, `labs check` runs all checks once more."
_LINK = re.compile(r"\[([^\]]+)\]\((?:\.\./)*([\w-]+/[\w-]+)\.ipynb\)")


def write(folder: Path, handout: Handout, notebooks: Mapping[str, dict[str, Any]]) -> None:
    """Write the material of `handout` into `folder`, which is made.

    Args:
        folder: where.
        handout: its labs are written with public checks, and with no others.
        notebooks: the notebooks to begin anew from, by lab; may be empty.
    """
    labs, asked = handout.labs, handout.assignment
    (folder / "labs").mkdir(parents=True)
    (folder / "labs" / "curriculum.toml").write_text(_curriculum(labs, handout.curriculum), "utf-8")
    names = [lab.name for lab in labs]
    for lab in labs:
        place = folder / "labs" / lab.name
        place.mkdir(parents=True)
        (place / "lab.py").write_text(_source(lab, names), "utf-8")
        unseen = handout.unseen.get(lab.name)
        checks = public(lab, handout.points(lab.name), asked.hints, asked.hidden, unseen)
        (place / "checks.py").write_text(checks, "utf-8")
        (place / "answers.py").write_text(NO_ANSWERS, "utf-8")
    for name, content in notebooks.items():
        path = folder / "notebooks" / "learn" / f"{name}.ipynb"
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text(content), "utf-8")
    write_data(folder / "data", data_of(labs))


def data_of(labs: Iterable[Lab]) -> list[str]:
    """Return the names of the data sets that `labs` use, in the catalog's order."""
    used = {name for lab in labs for name in lab.data}
    return [name for name in catalog.catalog() if name in used]


def notebooks(handout: Handout) -> dict[str, dict[str, Any]]:
    """Return the notebooks to hand out, by lab; see `notebook`."""
    labs = handout.labs
    return {lab.name: notebook(lab, labs, handout.path) for lab in labs}


def notebook(lab: Lab, labs: list[Lab], path_of: Callable[[str], str]) -> dict[str, Any]:
    """Return the learner's notebook of `lab` as it is handed out.

    Links lead to labs of the assignment only. Whatever comes after the first blank may fail without stopping the
    cells below it, since no reference stands in for what is not solved.

    Args:
        lab: the lab.
        labs: all labs of the assignment.
        path_of: the path of a lab's notebook in the students' folder.

    Raises:
        LabsError: the notebook is not built, or not from this state of the lab.
    """
    path = paths.notebooks() / "learn" / f"{lab.name}.ipynb"
    try:
        found = json.loads(path.read_text("utf-8"))
    except OSError:
        raise LabsError(f"The notebook of {lab.name} is not built: run `labs build {lab.name}`.") from None
    ids = {cell["id"] for cell in found["cells"]}
    if any(not {f"exercise-{name}", f"check-{name}"} <= ids for name in exercises(lab)):
        raise LabsError(f"The notebook of {lab.name} is older than its checks: run `labs build {lab.name}`.")
    names = [one.name for one in labs]
    up = "../" * path_of(lab.name).count("/")
    after = False
    for cell in found["cells"]:
        if cell["cell_type"] == "markdown":
            linked = _LINK.sub(
                lambda link: f"[{link[1]}]({up}{path_of(link[2])})" if link[2] in names else link[1],
                "".join(cell["source"]),
            )
            cell["source"] = linked.splitlines(keepends=True)
            if cell["id"] == "way-on" and not _LINK.search(linked):
                cell["source"] = [DONE]
        elif after and "raises-exception" not in cell["metadata"].get("tags", []):
            cell["metadata"]["tags"] = [*cell["metadata"].get("tags", []), "raises-exception"]
        after = after or cell["id"].startswith("exercise-")
    found["metadata"]["labs"]["source"] = hashlib.sha256(text(found).encode()).hexdigest()
    return found


def text(content: dict[str, Any]) -> str:
    """Return a notebook as the text of its file."""
    return json.dumps(content, ensure_ascii=False, indent=1) + "\n"


def write_data(folder: Path, names: list[str]) -> None:
    """Copy the data sets called `names`, with what the catalog and the sources say of them and of no other.

    Raises:
        LabsError: a file is missing or damaged.
    """
    folder.mkdir(parents=True)
    origin = paths.data()
    sums = (origin / "SHA256SUMS").read_text("utf-8").splitlines(keepends=True)
    kept = [line for line in sums if _file_of(line).split("/")[0] in names]
    for name in names:
        catalog.folder(name)  # whole and undamaged
    for file in map(_file_of, kept):
        # Only what the sums name: whatever else lies there belongs to nobody's assignment.
        (folder / file).parent.mkdir(parents=True, exist_ok=True)
        shutil.copyfile(origin / file, folder / file)
    (folder / "SHA256SUMS").write_text("".join(kept), "utf-8")
    (folder / "catalog.toml").write_text(catalog_of(origin / "catalog.toml", names), "utf-8")
    (folder / "SOURCES.md").write_text(sources_of(origin / "SOURCES.md", names), "utf-8")


def _file_of(line: str) -> str:
    """Return the file that a line of `SHA256SUMS` is of."""
    return line.split(maxsplit=1)[1].strip().removeprefix("*")


def catalog_of(file: Path, names: list[str]) -> str:
    """Return the entries of `names` in a catalog, as they stand there."""
    tables = re.split(r"(?m)^(?=\[)", file.read_text("utf-8"))[1:]
    kept = [table for table in tables if re.match(r"\[([\w-]+)", table)[1] in names]
    return "# The data sets of these labs; where they are from stands in SOURCES.md.\n\n" + "".join(kept)


def sources_of(file: Path, names: list[str]) -> str:
    """Return what `SOURCES.md` says of `names`: the line of each in its table, and the section of each."""
    head, *sections = re.split(r"(?m)^(?=## )", file.read_text("utf-8"))
    rows = [line for line in head.splitlines() if line.startswith("|")]
    kept = [row for row in rows[2:] if row.split("`")[1] in names]
    told = [section for section in sections if section.splitlines()[0].removeprefix("## ").strip() in names]
    said = "# Where the data is from\n\n"
    if not kept:
        return said + "These labs need no data set.\n"
    return said + "\n".join([*rows[:2], *kept]) + "\n\n" + "".join(told).rstrip() + "\n"


def _curriculum(labs: list[Lab], curriculum: Curriculum) -> str:
    names = [lab.name for lab in labs]
    said = ["# The labs of this assignment, in order.\n"]
    for module in curriculum.modules:
        mine = [name for name in module.labs if name in names]
        if mine:
            quoted = json.dumps(mine, ensure_ascii=False)
            title = json.dumps(module.title, ensure_ascii=False)
            said.append(f"[[module]]\nname = {json.dumps(module.name)}\ntitle = {title}\nlabs = {quoted}\n")
    return "\n".join(said)


def _source(lab: Lab, names: list[str]) -> str:
    """Return `lab.py` as students get it: the card, and the blanks of the exercises.

    Of the prerequisites only those of the assignment are named: no other lab is there.
    """
    top = header(lab.source)
    top["labs"]["prerequisites"] = [name for name in lab.prerequisites if name in names]
    written = yaml.safe_dump({"jupyter": top}, sort_keys=False, allow_unicode=True, width=100)
    card = "\n".join(["# ---", *(f"# {line}" for line in written.splitlines()), "# ---"])
    found = json.loads((paths.notebooks() / "learn" / f"{lab.name}.ipynb").read_text("utf-8"))
    blanks = [cell for cell in found["cells"] if cell["id"].startswith("exercise-")]
    cells = [f'# %% tags=["exercise"]\n{"".join(cell["source"])}\n' for cell in blanks]
    return "\n\n".join([card + "\n", *cells])
