"""What runs in the locked-up process: a student's cells, and then what the exercise does on each input.

It holds no solution, no expected result and no judgement. Its answers are evidence, judged elsewhere.
"""

import ast
import asyncio
import inspect
import linecache
import os
import sys
import threading
import types
from collections.abc import Callable
from dataclasses import asdict
from pathlib import Path
from typing import Any

from labs.kit.course.locked import guard
from labs.kit.course.locked.frames import Channel, FrameError, encode
from labs.kit.course.locked.stand_in import LAB, get_ipython, start
from labs.kit.diagnosis import OTHER_FORM
from labs.kit.meanings import message
from labs.kit.observe import Observation, observe

CELL = "<cell "
"""How the names begin under which student code is compiled."""
EVIDENCE_ROOM = 32 << 20
_pristine: guard.Pristine | None = None
_known_threads: set[int] = set()


def prepare() -> None:
    """Remember, in the process that is forked later, how the libraries are."""
    global _pristine
    sys.modules["labs"].start = start
    _pristine = guard.Pristine()


def is_students(file: str) -> bool:
    """Tell whether code of this file name comes from a student's cells."""
    return file.startswith((CELL, "<string>", "/tmp/"))


def run(channel: Channel) -> None:
    """Do what is asked until the channel is closed."""
    _known_threads.update(thread.ident for thread in threading.enumerate())
    space = _space()
    ways = {"cell": Cells(space), "check": Check(space)}
    while True:
        try:
            asked = channel.receive()
        except EOFError:
            return
        channel.send_frame(_reply(ways[asked["do"]], asked))


def _reply(way: Callable[..., dict[str, Any]], asked: dict[str, Any]) -> bytes:
    done = way(**{name: value for name, value in asked.items() if name != "do"})
    try:
        frame = encode(done)
    except FrameError:
        frame = b""
    if not frame or len(frame) > EVIDENCE_ROOM:
        other = Observation(
            "misread", diagnosis=OTHER_FORM, got="more, or something else, than can be looked at"
        )
        return encode({**done, "observation": asdict(other)})
    return frame


def _space() -> dict[str, Any]:
    """Return the namespace of a fresh notebook, with stand-ins for what JupyterLab and a lab give."""
    LAB.reseed()
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    given = {"lab": LAB, "get_ipython": get_ipython, "display": lambda *shown, **options: None}
    vars(module).update(given)
    return vars(module)


class Cells:
    """Runs cells, one after the other, in one namespace.

    Args:
        space: the namespace.
    """

    def __init__(self, space: dict[str, Any]):
        self._space = space
        self._watched = False

    def __call__(self, name: str, source: str, trusted: bool = False) -> dict[str, Any]:
        """Run a cell and return what it raised, if it did: its `error` and `missing`, a name that nothing defines.

        Args:
            name: what tracebacks call it.
            source: Python.
            trusted: whether it is the installed lab's own.
        """
        if not trusted and not self._watched:
            guard.watch(is_students)
            self._watched = True
        file = f"<setup {name}>" if trusted else f"{CELL}{name}>"
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        try:
            code = compile(source, file, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            result = eval(code, self._space)
            if inspect.iscoroutine(result):
                asyncio.run(result)
        except SystemExit as error:
            return {"error": f"SystemExit: {error}", "missing": ""}
        except BaseException as error:
            return {"error": f"{type(error).__name__}: {message(error)}", "missing": _missing(error)}
        return {"error": "", "missing": ""}


class Check:
    """Observes an exercise on inputs.

    Args:
        space: the namespace in which the student's cells have run.
    """

    def __init__(self, space: dict[str, Any]):
        self._space = space
        self._name = ""
        self._exercise: Any = None
        self._attempt: Any = None

    def __call__(self, step: str, **asked: Any) -> dict[str, Any]:
        """Do one of the steps below."""
        return {"begin": self._begin, "observe": self._observe}[step](**asked)

    def _begin(self, exercise: str, source: str) -> dict[str, Any]:
        """Take the student's function, and what of the check says how to look at it.

        Args:
            exercise: its name.
            source: Python that defines a class of that name with `when` in it.
        """
        threads = sorted(guard.strangers(_known_threads))
        guard.quieten()
        mended = _pristine.mend()
        self._name, there = exercise, exercise in self._space
        self._attempt = self._space.get(exercise)
        self._exercise = types.SimpleNamespace(when=_define(source, exercise, "<check ").when)
        return {"there": there, "mended": mended[:5], "threads": threads[:5]}

    def _observe(self, case: dict[str, Any], seed: int, decoy: str = "", name: str = "") -> dict[str, Any]:
        """Return what the attempt does with a case, or what Python in `decoy` defines as `name` does with it.

        Nobody can tell by where a decoy comes from, or by its name, that it is one; no text of it is kept.
        """
        try:
            attempt = self._attempt
            if decoy:
                attempt = _define(decoy, name, CELL, kept=False)
                attempt.__name__ = attempt.__qualname__ = self._name
            observation = observe(self._exercise, attempt, case, seed)
        except BaseException as error:  # what `observe` lets through would end a notebook's kernel
            observation = Observation("raised", raised=_said(error), error=_said(error))
        guard.quieten()
        return {
            "observation": asdict(observation),
            "mended": _pristine.mend()[:5],
            "missing": _name_in(observation.raised),
        }


def _said(error: BaseException) -> str:
    return f"{type(error).__name__}: {message(error)}".removesuffix(": ")


def _missing(error: BaseException) -> str:
    return str(error.name or "") if isinstance(error, NameError) else ""


def _name_in(raised: str) -> str:
    """Return the name that nothing defines, of an exception told as text."""
    found = raised.split("'")
    return found[1] if raised.startswith("NameError: name '") and len(found) > 1 else ""


def _define(source: str, name: str, kind: str, kept: bool = True) -> Any:
    file = f"{kind}{name}>"
    if kept:
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
    space: dict[str, Any] = {"__name__": file}
    exec(compile(source, file, "exec"), space)
    return space[name]


def main(stream: Any) -> None:
    """Serve one channel and end this process."""
    os.chdir(Path.home() if Path.home().is_dir() else "/")
    run(Channel(stream, largest=1 << 30))
