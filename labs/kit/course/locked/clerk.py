"""A locked-up process of the grader's own, for what has to be done with things that students have written.

It reads cells without running them, draws inputs, and judges evidence. No student code runs in it, but whatever
a hostile cell or a hostile array can do to a parser or to NumPy happens here, and not in the grader.
"""

import ast
import re
import symtable
import sys
import types
from dataclasses import fields
from typing import Any

from IPython.core.inputtransformer2 import TransformerManager

from labs.kit.course.locked.frames import Channel, FrameError, decode
from labs.kit.diagnosis import COMMON, OTHER_FORM
from labs.kit.examine import cases, conclude, judge
from labs.kit.exercise import Exercise
from labs.kit.observe import OUTCOMES, Observation

_CHECK_CALL = re.compile(r"(?m)^\s*(?:(\w+)\s*=\s*)?lab\s*\.\s*check\s*\(\s*[\"']?(\w+)[\"']?\s*\)\s*;?\s*$")


def main(stream: Any) -> None:
    """Serve one channel until it is closed."""
    channel = Channel(stream, largest=1 << 30)
    clerk = Clerk()
    ways = {"learn": clerk.learn, "read": clerk.read, "draw": clerk.draw, "judge": clerk.judge}
    while True:
        try:
            asked = channel.receive()
        except EOFError:
            return
        channel.send(ways[asked.pop("do")](**asked))


class Clerk:
    """Knows the checks that it has been told."""

    def __init__(self) -> None:
        self._exercises: dict[str, dict[str, Exercise]] = {}
        self._cases: dict[tuple[str, str, int], list[tuple[dict[str, Any], int]]] = {}

    def learn(self, lab: str, source: str) -> dict[str, Any]:
        """Take the text of a lab's `checks.py`."""
        if lab not in self._exercises:
            module = types.ModuleType(f"labs:{lab}:checks")
            sys.modules[module.__name__] = module
            exec(compile(source, f"<checks of {lab}>", "exec"), vars(module))
            members = vars(module).values()
            self._exercises[lab] = {one.name: one for one in members if isinstance(one, Exercise)}
        return {}

    def read(self, sources: list[str]) -> dict[str, Any]:
        """Return for each cell what Python makes of it; see `read_cell`."""
        return {"cells": [read_cell(source) for source in sources]}

    def draw(self, lab: str, exercise: str, seed: int) -> dict[str, Any]:
        """Return the inputs of an exercise, each a pair of the case and the seed it is observed under."""
        key = (lab, exercise, seed)
        if key not in self._cases:
            self._cases[key] = list(cases(self._exercises[lab][exercise], seed))
        return {"cases": [[case, number] for case, number in self._cases[key]]}

    def judge(self, lab: str, exercise: str, seed: int, seen: list[list[Any]]) -> dict[str, Any]:
        """Judge evidence.

        Args:
            lab: the lab's name.
            exercise: the exercise's name.
            seed: what the inputs were drawn with.
            seen: for each observation the number of its case, the decoy it is of or an empty text, the frame that
                came from the process that made it, and the token that must be in it.

        Returns:
            `verdict` on the attempt as a dict, `passes` with the decoys' names and cases that nothing was found
            wrong with, `outcomes` of all, what was `mended`, a `missing` name, and whether an answer was `forged`.
        """
        self.draw(lab, exercise, seed)
        known, drawn = self._exercises[lab][exercise], self._cases[lab, exercise, seed]
        own, passes, outcomes, mended, missing = [], [], [], [], ""
        forged = False
        for number, decoy, frame, token in seen:
            case, _ = drawn[number]
            told = _told(frame)
            forged = forged or told.get("token") != token
            observation = _observation(told.get("observation"), known)
            outcomes.append(observation.outcome)
            mended += _texts(told.get("mended"))
            if not decoy:
                own.append((case, observation))
                missing = missing or str(told.get("missing") or "")[:100]
            elif _judged(known, case, observation) is None:
                passes.append([decoy, number])
        verdict = (
            conclude(known, [(case, _believable(known, case, one)) for case, one in own]) if own else None
        )
        return {
            "verdict": verdict.as_dict() if verdict else {},
            "passes": passes,
            "outcomes": outcomes,
            "mended": mended[:5],
            "missing": missing,
            "forged": forged,
        }


def _told(frame: bytes) -> dict[str, Any]:
    try:
        told = decode(frame)
    except FrameError:
        return {}
    return told if isinstance(told, dict) else {}


def _texts(value: Any) -> list[str]:
    return [str(one)[:100] for one in value[:5]] if isinstance(value, list) else []


def _observation(told: Any, exercise: Exercise) -> Observation:
    """Return the observation that a process says it has made; of another form if that is none."""
    other = Observation("misread", diagnosis=OTHER_FORM)
    if not isinstance(told, dict) or told.get("outcome") not in OUTCOMES:
        return other
    made = {}
    for one in fields(Observation):
        value = told.get(one.name, one.default)
        if isinstance(one.default, str) and one.name != "outcome":
            value = value[:4000] if isinstance(value, str) else ""
        if isinstance(one.default, int):
            value = value if isinstance(value, int) else 0
        made[one.name] = value
    if made["outcome"] == "misread" and made["diagnosis"] not in {*exercise.misconceptions, *COMMON}:
        return other
    return Observation(**made)


def _judged(exercise: Exercise, case: dict[str, Any], observation: Observation) -> Any:
    """Return what is wrong, or nothing; evidence that cannot even be described is of another form."""
    try:
        return judge(exercise, case, observation)
    except Exception:
        return judge(exercise, case, Observation("misread", diagnosis=OTHER_FORM))


def _believable(exercise: Exercise, case: dict[str, Any], observation: Observation) -> Observation:
    try:
        judge(exercise, case, observation)
    except Exception:
        return Observation("misread", diagnosis=OTHER_FORM)
    return observation


def read_cell(source: str) -> dict[str, Any]:
    """Return what Python makes of a cell, without running it.

    Returns:
        `source` with what only IPython understands made Python, the names that it `defines` and `uses`, the
        exercises that it `checks`, whether it is nothing but that (`only_checks`), whether it `reaches` beyond its
        names (star imports, magics), and if it is no Python: `error`, `line` and `line_number`.
    """
    found = {
        "source": source,
        "defines": [],
        "uses": [],
        "checks": [],
        "only_checks": False,
        "reaches": False,
    }
    found |= {"error": "", "line": "", "line_number": 0}
    try:
        text = TransformerManager().transform_cell(source)
        tree = compile(text, "<cell>", "exec", ast.PyCF_ONLY_AST | ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
        table = symtable.symtable(_without_await(text, tree), "<cell>", "exec")
    except SyntaxError as error:
        return found | {
            "error": f"{type(error).__name__}: {error.msg}",
            "line": (error.text or "").strip()[:200],
            "line_number": error.lineno or 0,
        }
    except (ValueError, RecursionError, MemoryError) as error:
        return found | {"error": f"SyntaxError: {error}"[:200]}
    uses: set[str] = set()
    _free(table, uses)
    checks = [match[2] for match in _CHECK_CALL.finditer(text)]
    return found | {
        "source": text,
        "defines": sorted(_bound(tree)),
        "uses": sorted(uses),
        "checks": checks,
        "only_checks": bool(checks) and not _CHECK_CALL.sub("", text).strip(),
        "reaches": text.rstrip() != source.rstrip() or _imports_all(tree),
    }


def _without_await(text: str, tree: ast.AST) -> str:
    """Return a text that `symtable` reads, which knows no `await` outside functions."""
    awaits = any(isinstance(node, ast.Await | ast.AsyncFor | ast.AsyncWith) for node in ast.walk(tree))
    return ast.unparse(_Plain().visit(tree)) if awaits else text


class _Plain(ast.NodeTransformer):
    """Takes `await` and `async` away; the names stay."""

    def visit_Await(self, node: ast.Await) -> Any:
        return self.generic_visit(node).value

    def visit_AsyncFor(self, node: ast.AsyncFor) -> Any:
        node = self.generic_visit(node)
        return ast.copy_location(ast.For(node.target, node.iter, node.body, node.orelse), node)

    def visit_AsyncWith(self, node: ast.AsyncWith) -> Any:
        node = self.generic_visit(node)
        return ast.copy_location(ast.With(node.items, node.body), node)


def _bound(tree: ast.Module) -> set[str]:
    """Return the names that a cell gives a meaning at its top level."""
    found: set[str] = set()
    for node in _top_level(tree):
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            found.add(node.name)
        elif isinstance(node, ast.Name) and isinstance(node.ctx, ast.Store):
            found.add(node.id)
        elif isinstance(node, ast.alias):
            found.add((node.asname or node.name).split(".")[0])
        elif isinstance(node, ast.ExceptHandler) and node.name:
            found.add(node.name)
    return found


def _top_level(tree: ast.AST) -> Any:
    """Yield all nodes that are in no function, class or comprehension."""
    own = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef, ast.Lambda)
    comprehensions = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
    for node in ast.iter_child_nodes(tree):
        yield node
        if not isinstance(node, own + comprehensions):
            yield from _top_level(node)


def _imports_all(tree: ast.AST) -> bool:
    return any(
        isinstance(node, ast.ImportFrom) and any(one.name == "*" for one in node.names)
        for node in ast.walk(tree)
    )


def _free(table: symtable.SymbolTable, found: set[str]) -> None:
    """Collect the names that are looked up in the notebook, at once or when a function is called."""
    for symbol in table.get_symbols():
        at_top = table.get_type() == "module"
        if symbol.is_referenced() and (symbol.is_global() or at_top):
            found.add(symbol.get_name())
    for child in table.get_children():
        _free(child, found)
