"""Make notebooks of a lab's source: the solved one, and the learner's one with blanks."""

import copy
import re

import jupytext
from nbformat import NotebookNode, from_dict
from nbformat.v4 import new_code_cell, new_markdown_cell, new_notebook
from nbgrader.preprocessors import ClearOutput, ClearSolutions

from labs.kit import data
from labs.kit.author.questions import described, questions
from labs.kit.command.workspace import fingerprint
from labs.kit.curriculum import Curriculum, Lab
from labs.kit.observe import BLANK_MESSAGE
from labs.kit.warm import spec

BLANK = f'raise NotImplementedError("{BLANK_MESSAGE}")'
KERNELSPEC = {"display_name": "TensorFlow Labs", "language": "python", "name": spec.NAME}
_MARKER = re.compile(r"### (BEGIN|END) SOLUTION")
EXERCISE, CHECK, SETUP = "exercise", "check", "setup"


def solved(lab: Lab, curriculum: Curriculum) -> NotebookNode:
    """Return the lab as a notebook with its solutions, without outputs.

    A first cell with the card and a last one with the way on are added; cell ids depend only on the
    lab's own headings and names, so an edit moves no other cell's id.
    """
    notebook = jupytext.reads(lab.source.read_text("utf-8"), fmt="py:percent")
    notebook.metadata = from_dict(
        {
            "kernelspec": KERNELSPEC,
            "language_info": {"name": "python"},
            "labs": {"name": lab.name, "title": lab.title, "cpu_seconds": lab.cpu_seconds},
        }
    )
    notebook.nbformat, notebook.nbformat_minor = 4, 5
    notebook.cells.insert(0, new_markdown_cell(_card(lab, curriculum)))
    notebook.cells.append(new_markdown_cell(_way_on(lab, curriculum)))
    for cell, name in zip(notebook.cells, _ids(notebook.cells), strict=True):
        cell.id = name
        cell.metadata = NotebookNode({"tags": cell.metadata.tags} if cell.metadata.get("tags") else {})
        asked = [] if is_code(cell) else [one for one in questions(cell.source) if not one.faults]
        if asked:
            # JupyterLab makes a form of each; everywhere else the cell reads as it is.
            cell.metadata.labs = from_dict({"questions": [described(question) for question in asked]})
    return notebook


def learner(notebook: NotebookNode) -> NotebookNode:
    """Return a copy of a solved notebook with its solutions cleared, as nbgrader clears them.

    A cell with a blank may fail without stopping the cells after it: whoever runs the whole notebook
    with a slip of syntax in one exercise still reaches the end.
    """
    notebook = copy.deepcopy(notebook)
    resources: dict = {"language": "python"}
    clear = ClearSolutions(code_stub={"python": BLANK}, enforce_metadata=False)
    notebook, resources = clear.preprocess(notebook, resources)
    notebook, _ = ClearOutput().preprocess(notebook, resources)
    blanks = {}
    for cell in notebook.cells:
        if EXERCISE in tags(cell):
            cell.metadata.tags = [*cell.metadata.tags, "raises-exception"]
            blanks[cell.id.removeprefix("exercise-")] = fingerprint(cell.source)
    # So that a later version can tell what the learner has written from what came with this one.
    notebook.metadata.labs["blanks"] = blanks
    return notebook


def without_markers(notebook: NotebookNode) -> NotebookNode:
    """Return a copy of a solved notebook without the lines that only mark where a solution stands."""
    notebook = copy.deepcopy(notebook)
    for cell in notebook.cells:
        if EXERCISE in tags(cell):
            lines = cell.source.splitlines()
            cell.source = "\n".join(line for line in lines if not _MARKER.fullmatch(line.strip()))
    return notebook


def blank(source: str) -> str:
    """Return the source of one exercise with its solution cleared."""
    notebook = new_notebook(cells=[new_code_cell(source)])
    clear = ClearSolutions(code_stub={"python": BLANK}, enforce_metadata=False)
    cleared, _ = clear.preprocess(notebook, {"language": "python"})
    return cleared.cells[0].source


def tags(cell: NotebookNode) -> list[str]:
    """Return the tags of a cell."""
    return cell.metadata.get("tags", [])


def is_code(cell: NotebookNode) -> bool:
    """Tell whether a cell holds code."""
    return cell.cell_type == "code"


def _card(lab: Lab, curriculum: Curriculum) -> str:
    before = ", ".join(_link(curriculum.lab(name), lab) for name in lab.prerequisites) or "nothing"
    sets = ", ".join(data.catalog()[name].title for name in lab.data) or "none"
    rows = [
        ("Time", f"{lab.minutes} minutes"),
        ("Level", lab.level),
        ("Do first", before),
        ("Data", sets),
        ("Runs in", f"{lab.cpu_seconds} seconds of processor time at most, without a GPU"),
    ]
    table = "\n".join(f"| **{name}** | {text} |" for name, text in rows)
    outcomes = "\n".join(f"- {outcome}" for outcome in lab.outcomes)
    moved = "\n".join(f"- {entry.old}: now {entry.new}" for entry in lab.replaces)
    card = f"# {lab.title}\n\n{lab.promise}\n\n| | |\n|---|---|\n{table}\n\n"
    card += f"**After this lab you can**\n\n{outcomes}\n"
    return card + (f"\n**What has moved**\n\n{moved}\n" if moved else "")


def _way_on(lab: Lab, curriculum: Curriculum) -> str:
    after = curriculum.next(lab.name)
    if not after:
        return "**This is the last lab for now.** `labs progress` in a terminal shows what you have done."
    return f"**Next lab:** {_link(after, lab)}. {after.promise}"


def _link(target: Lab, origin: Lab) -> str:
    up = "../" * origin.name.count("/")
    return f"[{target.title}]({up}{target.name}.ipynb)"


def _ids(cells: list[NotebookNode]) -> list[str]:
    """Return an id for each cell: what it is called, or its place after the last cell with a name."""
    names: list[str] = []
    anchor, count = "cell", 0
    for place, cell in enumerate(cells):
        name = "card" if place == 0 else "way-on" if place == len(cells) - 1 else _name(cell)
        if name:
            anchor, count = name, 0
        else:
            count += 1
            name = f"{anchor}-{count}"
        while name in names:
            name += "-again"
        names.append(name[:64])
    return names


def _name(cell: NotebookNode) -> str:
    if EXERCISE in tags(cell):
        found = re.search(r"^(?:def|class) (\w+)", cell.source, re.M)
        return f"exercise-{found[1]}" if found else ""
    if CHECK in tags(cell):
        found = re.search(r"lab\.check\((\w+)\)", cell.source)
        return f"check-{found[1]}" if found else ""
    found = None if is_code(cell) else re.match(r"#{2,3} (.+)", cell.source)
    slug = re.sub(r"[^a-z0-9]+", "-", found[1].lower()).strip("-")[:40] if found else ""
    return slug.replace("exercise-", "task-", 1)  # the cell with the exercise itself has that id
