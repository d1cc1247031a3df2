"""The checks of a lab as students get them: enough to check their own work, and no more.

A check runs on the student's machine, so it can be found out what it looks for; what nobody needs there is left out,
and the rest is kept from the eye:

- hints: only as many as the instructor hands out; the last of the ladder is nearly the answer;
- with hidden inputs: of the cases that `given` draws, the first half (at least one) stays public. The code of `given`
  does not go along: in its place stand `DRAWS` draws of the public cases, as data, and helpers that only `given` used
  are gone. A diagnosis that none of the lab's own wrong answers receives on the public cases loses its words;
- comments are gone, and the text is compressed, so that a search through the folder or a glance tells nothing. It is
  no secret from someone who unpacks it: like any check that runs locally, it knows what is expected.

The lab's solutions and its answers are not in it, and grading does not depend on it: graders draw inputs of their own
and use the installed checks.
"""

import ast
import base64
import textwrap
import zlib
from collections.abc import Mapping
from itertools import islice
from typing import Any

import numpy as np

from labs.kit.curriculum import Lab
from labs.kit.examine import cases
from labs.kit.exercise import Exercise
from labs.kit.load import exercises

DRAWS = 6
LAST_HINT = (
    "That is all the hints that come with this assignment. Ask your instructor, and say what the check said."
)
_ANY_SAYS = "What came back for this input is not what the exercise asks for."
_ANY_THINK = "Work this input out by hand, and compare."
_PACKED = '''"""The checks of this lab, packed. They run like any others; see the folder's README."""

import base64
import linecache
import zlib

_NAME = "<checks of {lab}>"
_TEXT = zlib.decompress(
    base64.b85decode(
        """
{packed}
""".replace("\\n", "")
    )
).decode()
# AutoGraph and tracebacks ask for source lines.
linecache.cache[_NAME] = (len(_TEXT), None, _TEXT.splitlines(keepends=True), _NAME)
exec(compile(_TEXT, _NAME, "exec"))
'''


def public(
    lab: Lab,
    points: Mapping[str, int],
    hints: int,
    hidden: bool,
    unseen: Mapping[str, set[str]] | None = None,
) -> str:
    """Return the text of the public `checks.py` of `lab`.

    Args:
        lab: the lab.
        points: what each exercise gives.
        hints: how many hints of each exercise are handed out, 0 to 3.
        hidden: whether half of the cases are kept for grading.
        unseen: diagnoses by exercise that lose their words, because public cases do not show them.

    Returns:
        Python source that defines the same exercises.
    """
    packed = base64.b85encode(zlib.compress(plain_text(lab, points, hints, hidden, unseen).encode(), 9))
    # Only these three could end or bend the string that it stands in; base 85 has neither quotes nor backslashes.
    assert not set(packed) & set(b"\"'\\")
    return _PACKED.format(lab=lab.name, packed="\n".join(textwrap.wrap(packed.decode(), 96)))


def plain_text(
    lab: Lab,
    points: Mapping[str, int],
    hints: int,
    hidden: bool,
    unseen: Mapping[str, set[str]] | None = None,
) -> str:
    """Return the same text before it is packed."""
    tree = ast.parse(lab.checks.read_text("utf-8"))
    known = exercises(lab)
    for node in tree.body:
        if isinstance(node, ast.ClassDef) and node.name in known and _decorator(node):
            exercise = known[node.name]
            settings = {
                "points": points[exercise.name],
                "hints": tuple([*exercise.hints[:hints], *[LAST_HINT] * 3][:3]),
            }
            for keyword in _decorator(node).keywords:
                if keyword.arg in settings:
                    keyword.value = ast.parse(repr(settings[keyword.arg]), mode="eval").body
            if hidden:
                node.body = [_stored(exercise) if _is_given(part) else part for part in node.body]
            for name in (unseen or {}).get(exercise.name, ()):
                _take_words(node, name, exercise.misconceptions[name].raises)
    if hidden:
        _drop_unused(tree)
    return ast.unparse(ast.fix_missing_locations(tree)) + "\n"


def number_public(exercise: Exercise) -> int:
    """Return how many of the cases of `exercise` stay public when some are hidden: half, and at least one."""
    return max(1, len(list(cases(exercise, seed=0))) // 2)


def public_cases(exercise: Exercise) -> list[list[dict[str, Any]]]:
    """Return `DRAWS` draws of the cases of `exercise` that stay public when some are hidden."""
    number = number_public(exercise)
    return [[case for case, _ in islice(cases(exercise, seed), number)] for seed in range(DRAWS)]


def _decorator(node: ast.ClassDef) -> ast.Call | None:
    calls = [one for one in node.decorator_list if isinstance(one, ast.Call)]
    return next((one for one in calls if getattr(one.func, "id", "") == "check"), None)


def _is_given(node: ast.stmt) -> bool:
    return isinstance(node, ast.FunctionDef) and node.name == "given"


def _stored(exercise: Exercise) -> ast.stmt:
    """Return a `given` that holds draws of the public cases as data."""
    draws = _literal(public_cases(exercise))
    text = (
        "@staticmethod\n"
        "def given(rng):\n"
        "    import base64\n"
        "    import numpy\n"
        "    def array(kind, shape, data):\n"
        "        return numpy.frombuffer(base64.b64decode(data), kind).reshape(shape).copy()\n"
        f"    draws = {draws}\n"
        "    yield from draws[int(rng.integers(len(draws)))]\n"
    )
    return ast.parse(text).body[0]


def _literal(value: Any) -> str:
    """Return plain data as Python source that gives it back, types included."""
    if isinstance(value, np.ndarray):
        data = base64.b64encode(np.ascontiguousarray(value).tobytes()).decode()
        return f"array({value.dtype.str!r}, {value.shape!r}, {data!r})"
    if isinstance(value, np.generic):
        return f"array({value.dtype.str!r}, (), {base64.b64encode(value.tobytes()).decode()!r})[()]"
    if isinstance(value, dict):
        return "{" + ", ".join(f"{_literal(key)}: {_literal(item)}" for key, item in value.items()) + "}"
    if type(value) is list:
        return "[" + ", ".join(map(_literal, value)) + "]"
    if type(value) is tuple:
        return "(" + "".join(f"{_literal(item)}, " for item in value) + ")"
    if type(value) is float and not np.isfinite(value):
        return f"float({str(value)!r})"
    if value is None or type(value) in (bool, int, float, str):
        return repr(value)
    raise TypeError(f"a case holds a {type(value).__name__}, which is not plain data")


def _take_words(node: ast.ClassDef, name: str, raises: str | None) -> None:
    """Replace the diagnosis `name`, written there or elsewhere, by one whose sentences fit any."""
    pattern = f", raises={raises!r}" if raises else ""
    worded = f"Misconception({_ANY_SAYS!r}, {_ANY_THINK!r}{pattern})"
    for part in ast.walk(node):
        if isinstance(part, ast.Dict):
            for place, key in enumerate(part.keys):
                if isinstance(key, ast.Constant) and key.value == name:
                    part.values[place] = ast.parse(worded, mode="eval").body


def _drop_unused(tree: ast.Module) -> None:
    """Take out functions and constants at the top level that nothing refers to any more."""
    while True:
        used = {
            node.id
            for node in ast.walk(tree)
            if isinstance(node, ast.Name) and isinstance(node.ctx, ast.Load)
        }
        kept = [node for node in tree.body if _is_used(node, used)]
        if len(kept) == len(tree.body):
            return
        tree.body = kept


def _is_used(node: ast.stmt, used: set[str]) -> bool:
    if isinstance(node, ast.FunctionDef):
        return node.name in used
    if isinstance(node, ast.Assign) and all(isinstance(target, ast.Name) for target in node.targets):
        return any(target.id in used for target in node.targets)
    return True
