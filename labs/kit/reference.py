"""The reference of an exercise: the solution as it stands in `lab.py`."""

import ast
import linecache
from functools import lru_cache
from pathlib import Path
from typing import Any

from labs.kit import paths
from labs.kit.curriculum import Lab
from labs.kit.errors import LabsError
from labs.kit.observe import BLANK_MESSAGE


@lru_cache
def _definitions(source: Path) -> dict[str, str]:
    text = source.read_text("utf-8")
    lines = text.splitlines()
    found = {}
    for node in ast.parse(text, str(source)).body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef):
            first = min([node.lineno, *(decorator.lineno for decorator in node.decorator_list)])
            last = node.end_lineno
            while last < len(lines) and lines[last].startswith(" "):
                last += 1  # the tree ends at the last statement; the marker after it belongs to the text
            found[node.name] = "\n".join(lines[first - 1 : last]) + "\n"
    return found


def source(lab: Lab, name: str) -> str:
    """Return the source text of the function or class `name` in the lab, solved.

    Raises:
        LabsError: the lab defines no such name at its top level.
    """
    try:
        return _definitions(lab.source)[name]
    except KeyError:
        raise LabsError(f"{lab.source} defines no `{name}`, but its checks.py has a check of it.") from None


def is_there(lab: Lab, name: str) -> bool:
    """Tell whether a reference may stand in for the exercise `name`.

    Work that counts is handed out without solutions: there the lab's text has the notebook's own blanks. And where
    notebooks are graded, no notebook is given the solution that it is graded for.

    Raises:
        LabsError: the lab defines no such name.
    """
    return not paths.grading() and f'"{BLANK_MESSAGE}"' not in source(lab, name)


def build(text: str, name: str, namespace: dict[str, Any], filename: str) -> Any:
    """Run the definition in `text` in a copy of `namespace` and return what it defines as `name`.

    The text stays readable under `filename`, because AutoGraph and tracebacks ask for source lines.
    """
    linecache.cache[filename] = (len(text), None, text.splitlines(keepends=True), filename)
    scope = dict(namespace)
    exec(compile(text, filename, "exec"), scope)
    return scope[name]


def reference(lab: Lab, name: str, namespace: dict[str, Any]) -> Any:
    """Return the reference for the exercise `name`, defined among the names in `namespace`.

    Raises:
        LabsError: the lab defines no such name.
    """
    return build(source(lab, name), name, namespace, f"<reference {lab.name} {name}>")
