"""The answers of a lab's `answers.py` as text that can stand in a notebook, read without running anything."""

import ast
import io
import tokenize
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path

from labs.kit.answers import PASSED
from labs.kit.curriculum import Lab
from labs.kit.errors import LabsError

_MARKS = ("right", "wrong")


@dataclass(frozen=True)
class Written:
    """One answer, as a learner would have written it into the exercise's cell.

    Attributes:
        exercise: the exercise it answers.
        name: what it does, as `answers.py` calls it.
        expected: `passed`, or the name of the diagnosis that it must receive.
        source: what it needs from `answers.py` (imports, constants, helpers), then the definition under the
            exercise's own name.
        shown: the definition alone, for a reader.
    """

    exercise: str
    name: str
    expected: str
    source: str
    shown: str

    @property
    def is_right(self) -> bool:
        """Whether it must pass."""
        return self.expected == PASSED


def written(lab: Lab) -> list[Written]:
    """Return the answers of `lab` in the order of its `answers.py`.

    Raises:
        LabsError: the file cannot be read as Python.
    """
    return list(_written(lab.answers))


@lru_cache
def _written(path: Path) -> tuple[Written, ...]:
    try:
        text = path.read_text("utf-8")
        top = ast.parse(text, str(path)).body
    except (OSError, SyntaxError) as error:
        raise LabsError(f"{path} cannot be read as Python: {error}.") from error
    module = _Module(text, top)
    return tuple(module.answer(node, mark) for node in top if (mark := _mark(node)))


def _mark(node: ast.stmt) -> ast.Call | None:
    """Return the `@right(...)` or `@wrong(...)` of a definition, if it has one."""
    for decorator in getattr(node, "decorator_list", ()):
        named = isinstance(decorator, ast.Call) and isinstance(decorator.func, ast.Name)
        if named and decorator.func.id in _MARKS:
            return decorator
    return None


class _Module:
    """The top level of an `answers.py`: what each name is, and what it leans on."""

    def __init__(self, text: str, top: list[ast.stmt]):
        self._lines = text.splitlines(keepends=True)
        self._top = top
        self._answers = {node.name for node in top if _mark(node)}
        self._makes = {name: node for node in top for name in _binds(node)}

    def answer(self, node: ast.FunctionDef | ast.ClassDef, mark: ast.Call) -> Written:
        exercise, *diagnosis = (ast.literal_eval(argument) for argument in mark.args)
        needed = self._leans_on(node)
        before = [self._text(other) for other in self._top if other in needed and other is not node]
        shown = _renamed(self._text(node), {node.name: exercise})
        source = "\n\n".join([*(part.rstrip() for part in before), shown])
        return Written(exercise, node.name, diagnosis[0] if diagnosis else PASSED, source, shown)

    def _leans_on(self, node: ast.stmt) -> set[ast.stmt]:
        found, left = set(), [node]
        while left:
            names = {inner.id for inner in ast.walk(left.pop()) if isinstance(inner, ast.Name)}
            new = {self._makes[name] for name in names if name in self._makes} - found
            new = {other for other in new if not _is_of_the_kit(other)}
            found |= new
            left += new
        return found

    def _text(self, node: ast.stmt) -> str:
        """Return the lines of `node` without its mark, other answers named as they are, not as `Answer`s."""
        text = "".join(self._lines[node.lineno - 1 : node.end_lineno])
        decorators = [other for other in getattr(node, "decorator_list", ()) if other is not _mark(node)]
        for other in reversed(decorators):
            text = f"@{ast.unparse(other)}\n{text}"
        return _unwrapped(text, self._answers)


def _binds(node: ast.stmt) -> Iterator[str]:
    """Yield the names that a statement at the top level binds."""
    if isinstance(node, ast.FunctionDef | ast.ClassDef):
        yield node.name
    elif isinstance(node, ast.Import | ast.ImportFrom):
        for alias in node.names:
            yield (alias.asname or alias.name).split(".")[0]
    else:
        for inner in ast.walk(node):
            if isinstance(inner, ast.Name) and isinstance(inner.ctx, ast.Store):
                yield inner.id


def _is_of_the_kit(node: ast.stmt) -> bool:
    return isinstance(node, ast.ImportFrom) and node.module == "labs"


def _renamed(text: str, names: dict[str, str]) -> str:
    """Return `text` with whole names replaced, attributes left alone."""
    edits = []
    tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    for before, token in zip([None, *tokens], tokens, strict=False):
        if token.type == tokenize.NAME and token.string in names and not (before and before.string == "."):
            edits.append((token.start, token.end, names[token.string]))
    return _edited(text, edits)


def _unwrapped(text: str, answers: Iterable[str]) -> str:
    """Return `text` with `other_answer.value` written as `other_answer`."""
    edits = []
    tokens = list(tokenize.generate_tokens(io.StringIO(text).readline))
    for name, dot, value in zip(tokens, tokens[1:], tokens[2:], strict=False):
        if name.string in answers and dot.string == "." and value.string == "value":
            edits.append((dot.start, value.end, ""))
    return _edited(text, edits)


def _edited(text: str, edits: list[tuple[tuple[int, int], tuple[int, int], str]]) -> str:
    lines = text.splitlines(keepends=True)
    for (row, start), (_, end), new in reversed(edits):
        line = lines[row - 1]
        lines[row - 1] = line[:start] + new + line[end:]
    return "".join(lines)
