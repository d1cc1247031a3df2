"""Take out of a lab's `checks.py` and `answers.py` the part that a locked-up process may hold, and no more.

Of a check that is `when` and what it calls: not the inputs, not what is expected, not the hints, which end in the
solution. Of the answers it is one wrong one. Lines keep their numbers, because AutoGraph and tracebacks ask for them.
"""

import ast
from collections.abc import Iterable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from labs.kit.errors import LabsError


@dataclass(frozen=True)
class Decoy:
    """A wrong answer of a lab, of which it is known that the check rejects it.

    Attributes:
        name: of the function or class in `answers.py`.
        source: Python that defines it.
    """

    name: str
    source: str


@lru_cache(maxsize=256)
def when(checks: Path, exercise: str) -> str:
    """Return Python that defines a class `exercise` with nothing but its `when`.

    Raises:
        LabsError: there is no such check.
    """
    text, tree = _parsed(checks)
    described = next((n for n in tree.body if isinstance(n, ast.ClassDef) and n.name == exercise), None)
    methods = [n for n in described.body if isinstance(n, ast.FunctionDef)] if described else []
    method = next((n for n in methods if n.name == "when"), None)
    if method is None:
        raise LabsError(f"{checks} describes no exercise `{exercise}` with a `when`.")
    kept = _lines(method) | set(
        range(described.lineno, described.body[0].lineno - _decorators(described.body[0]))
    )
    for node in _needed(tree, [method], without={exercise}):
        kept |= _lines(node)
    return _only(text, kept)


@lru_cache(maxsize=256)
def decoys(answers: Path, exercise: str) -> tuple[Decoy, ...]:
    """Return the wrong answers to `exercise` that stand alone; what others build on may be a right one.

    Raises:
        LabsError: the file cannot be read.
    """
    text, tree = _parsed(answers)
    found = []
    for node in tree.body:
        if isinstance(node, ast.FunctionDef | ast.ClassDef) and _is_wrong(node, exercise):
            marks = {one.lineno: one.end_lineno for one in node.decorator_list if _marks(one, "wrong")}
            lines = _lines(node) - {n for first, last in marks.items() for n in range(first, last + 1)}
            needed = _needed(tree, [node], without={node.name})
            defined = {n.name for n in tree.body if isinstance(n, ast.FunctionDef | ast.ClassDef)} - {
                node.name
            }
            if any(_names(other) & defined for other in (node, *needed)):
                continue
            for other in needed:
                lines |= _lines(other)
            found.append(Decoy(node.name, _only(text, lines)))
    return tuple(found)


@lru_cache(maxsize=64)
def _parsed(path: Path) -> tuple[str, ast.Module]:
    try:
        text = path.read_text("utf-8")
        return text, ast.parse(text)
    except (OSError, SyntaxError) as error:
        raise LabsError(f"{path} cannot be read ({error}).") from error


def _needed(tree: ast.Module, roots: Iterable[ast.AST], without: set[str]) -> list[ast.stmt]:
    """Return the imports, and what the module defines that `roots` lead to; no exercise, no other answer."""
    given = {name: node for node in tree.body for name in _defined(node)}
    imports = [node for node in tree.body if isinstance(node, ast.Import | ast.ImportFrom)]
    queue = [name for root in roots for name in _names(root)]
    found: list[ast.stmt] = []
    while queue:
        name = queue.pop()
        node = given.get(name)
        if node is None or name in without or node in found or node in imports or _is_described(node):
            continue
        found.append(node)
        queue += _names(node)
    # A name may be given a meaning more than once, as by `COLUMNS += [...]`.
    again = [
        n
        for n in tree.body
        if isinstance(n, ast.AugAssign) and _defined(n) & {x for f in found for x in _defined(f)}
    ]
    return [*imports, *found, *again]


def _defined(node: ast.stmt) -> set[str]:
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        return {node.name}
    if isinstance(node, ast.Assign | ast.AnnAssign | ast.AugAssign):
        return {
            one.id for one in ast.walk(node) if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
        }
    return set()


def _names(node: ast.AST) -> set[str]:
    decorators = getattr(node, "decorator_list", [])
    return {one.id for one in ast.walk(node) if isinstance(one, ast.Name) and one not in decorators}


def _is_described(node: ast.stmt) -> bool:
    return any(
        _marks(one, mark)
        for one in getattr(node, "decorator_list", ())
        for mark in ("check", "right", "wrong")
    )


def _is_wrong(node: ast.FunctionDef | ast.ClassDef, exercise: str) -> bool:
    marks = (one for one in node.decorator_list if _marks(one, "wrong"))
    return any(isinstance(one.args[0], ast.Constant) and one.args[0].value == exercise for one in marks)


def _marks(decorator: ast.expr, name: str) -> bool:
    return isinstance(decorator, ast.Call) and getattr(decorator.func, "id", "") == name


def _decorators(node: ast.stmt) -> int:
    first = min([node.lineno, *(one.lineno for one in getattr(node, "decorator_list", ()))])
    return node.lineno - first


def _lines(node: ast.stmt) -> set[int]:
    return set(range(node.lineno - _decorators(node), node.end_lineno + 1))


def _only(text: str, kept: set[int]) -> str:
    lines = text.splitlines()
    return "\n".join(line if number in kept else "" for number, line in enumerate(lines, 1)) + "\n"
