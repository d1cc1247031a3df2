"""What runs in the locked-up process: a student's cells, and then what the exercise does on each input.

It holds no solution, no expected result and no judgement. Its answers are evidence, judged elsewhere.

It is made of functions that hold each other and of copies of modules that nobody else has, and is taken out of the
list of modules before student code runs: what that code can import, or find among the classes, leads to none of it.
"""

import ast
import asyncio
import importlib
import inspect
import linecache
import os
import struct
import sys
import threading
import types
from collections.abc import Callable
from pathlib import Path
from queue import SimpleQueue
from typing import Any

from labs.kit import paths
from labs.kit.course.locked import frames, guard, stand_in
from labs.kit.diagnosis import OTHER_FORM

CELL = "<cell "
"""How the names begin under which student code is compiled."""
EVIDENCE_ROOM = 32 << 20
STACK = 16 << 20
"""Of student code's thread, in bytes: as much recursion as in a notebook must fit."""
LOST = 98
_OWN_COPIES = ("labs.kit.plain", "labs.kit.meanings", "labs.kit.observe")
_HEAD = struct.Struct(">II")
_OURS = tuple({f"{path}/" for path in (sys.prefix, sys.base_prefix, paths.LABS)})
"""Where Python and the toolkit are, which nobody can write to in there, also when somebody keeps them in `/tmp`."""
Answer = Callable[..., dict[str, Any]]


def is_students(file: str) -> bool:
    """Tell whether code of this file name comes from a student's cells."""
    if file.startswith(_OURS):
        return False
    return file.startswith((CELL, "<string>", "/tmp/"))


def prepare() -> Callable[[Any], None]:
    """Remember how the libraries are, and return the function that serves one connected socket.

    To be called in the process that is forked later.
    """
    sys.modules["labs"].start = stand_in.start
    own = _own_copies()
    mend = guard.pristine()

    def main(stream: Any) -> None:
        os.chdir(Path.home() if Path.home().is_dir() else "/")
        # Student code has a thread of its own, from first to last: Keras keeps settings by thread. It cannot handle
        # signals there, whose handlers are given the variables of whoever was running, and those that answer the
        # socket are in another thread.
        asked, done = SimpleQueue(), SimpleQueue()

        def work() -> None:
            try:
                known = {thread.ident for thread in threading.enumerate()}
                space = _space()
                ways = {"cell": _cells(space, own["labs.kit.meanings"].message)}
                ways["check"] = _check(
                    space, own["labs.kit.observe"], own["labs.kit.meanings"].message, mend, known
                )
                while True:
                    what, details = asked.get()
                    done.put(ways[what](**details))
            finally:
                os._exit(LOST)

        threading.stack_size(STACK)
        threading.Thread(target=work, daemon=True).start()
        threading.stack_size(0)
        ask, answer = asked.put, done.get

        def way(what: str, details: dict[str, Any]) -> dict[str, Any]:
            ask((what, details))
            return answer()

        _serve(stream, way)

    return main


def _own_copies() -> dict[str, types.ModuleType]:
    """Import modules a second time, so that what others do to the first changes nothing here."""
    firsts = {name: sys.modules.pop(name) for name in _OWN_COPIES}
    copies = {name: importlib.import_module(name) for name in _OWN_COPIES}
    for name, first in firsts.items():
        sys.modules[name] = first
        around, _, short = name.rpartition(".")
        setattr(sys.modules[around], short, first)
    return copies


def _serve(stream: Any, way: Callable[[str, dict[str, Any]], dict[str, Any]]) -> None:
    """Answer questions until the socket is closed, each with the token that came with it.

    So what student code has written to the socket before is no answer to what is asked after.
    """
    receive, send, encode, decode = stream.recv, stream.sendall, frames.encode, frames.decode
    unpack, size, least, too_much = _HEAD.unpack, _HEAD.size, min, frames.FrameError

    def exactly(count: int) -> bytes:
        data = b""
        while len(data) < count:
            part = receive(least(count - len(data), 1 << 20))
            if not part:
                raise EOFError
            data += part
        return data

    while True:
        try:
            head = exactly(size)
            asked = decode(head + exactly(unpack(head)[0]))
        except EOFError:
            return
        token = asked.pop("token")
        done = {**way(asked.pop("do"), asked), "token": token}
        try:
            frame = encode(done)
        except too_much:
            frame = b""
        if not frame or len(frame) > EVIDENCE_ROOM:
            other = {
                "outcome": "misread",
                "diagnosis": OTHER_FORM,
                "got": "more, or something else, than can be seen",
            }
            frame = encode({**done, "observation": other})
        send(frame)


def _space() -> dict[str, Any]:
    """Return the namespace of a fresh notebook, with stand-ins for what JupyterLab and a lab give."""
    stand_in.LAB.reseed()
    module = types.ModuleType("__main__")
    sys.modules["__main__"] = module
    given = {
        "lab": stand_in.LAB,
        "get_ipython": stand_in.get_ipython,
        "display": lambda *shown, **options: None,
    }
    vars(module).update(given)
    return vars(module)


def _cells(space: dict[str, Any], message: Callable[[BaseException], str]) -> Answer:
    """Return the function that runs cells, one after the other, in one namespace."""
    watched: list[bool] = []

    def run(name: str, source: str, trusted: bool = False) -> dict[str, Any]:
        """Run a cell and return what it raised, if it did: its `error` and `missing`, a name that nothing defines.

        Args:
            name: what tracebacks call it.
            source: Python.
            trusted: whether it is the installed lab's own.
        """
        if not trusted and not watched:
            guard.watch(is_students)
            watched.append(True)
        file = f"<setup {name}>" if trusted else f"{CELL}{name}>"
        linecache.cache[file] = (len(source), None, source.splitlines(keepends=True), file)
        try:
            code = compile(source, file, "exec", flags=ast.PyCF_ALLOW_TOP_LEVEL_AWAIT)
            result = eval(code, space)
            if inspect.iscoroutine(result):
                asyncio.run(result)
        except SystemExit as error:
            return {"error": f"SystemExit: {error}", "missing": ""}
        except BaseException as error:
            missing = str(error.name or "") if isinstance(error, NameError) else ""
            return {"error": f"{type(error).__name__}: {message(error)}", "missing": missing}
        return {"error": "", "missing": ""}

    return run


def _check(
    space: dict[str, Any],
    observing: types.ModuleType,
    message: Callable[[BaseException], str],
    mend: Callable[[], list[str]],
    known_threads: set[int],
) -> Answer:
    """Return the function that observes an exercise on inputs.

    Args:
        space: the namespace in which the student's cells have run.
        observing: a copy of `labs.kit.observe`.
        message: puts an exception into words.
        mend: puts back what student code has replaced.
        known_threads: that were there before.
    """
    observe, observation_of = observing.observe, observing.Observation
    names = tuple(observation_of.__dataclass_fields__)
    look = object.__getattribute__
    held: dict[str, Any] = {}

    def begin(exercise: str, source: str) -> dict[str, Any]:
        """Take the student's function, and what of the check says how to look at it.

        Args:
            exercise: its name.
            source: Python that defines a class of that name with `when` in it.
        """
        threads = sorted(guard.strangers(known_threads))
        guard.quieten()
        mended = mend()
        held.update(name=exercise, attempt=space.get(exercise))
        held["exercise"] = types.SimpleNamespace(when=_define(source, exercise, "<check ").when)
        return {"there": exercise in space, "mended": mended[:5], "threads": threads[:5]}

    def observed(case: dict[str, Any], seed: int, decoy: str = "", name: str = "") -> dict[str, Any]:
        """Return what the attempt does with a case, or what Python in `decoy` defines as `name` does with it.

        Nobody can tell by where a decoy comes from, or by its name, that it is one; no text of it is kept.
        """
        try:
            attempt = held["attempt"]
            if decoy:
                attempt = _define(decoy, name, CELL, kept=False)
                attempt.__name__ = attempt.__qualname__ = held["name"]
            found = observe(held["exercise"], attempt, case, seed)
        except BaseException as error:  # what `observe` lets through would end a notebook's kernel
            said = f"{type(error).__name__}: {message(error)}".removesuffix(": ")
            found = observation_of("raised", raised=said, error=said)
        guard.quieten()
        told = {field: look(found, field) for field in names}
        return {"observation": told, "mended": mend()[:5], "missing": _name_in(told["raised"])}

    steps = {"begin": begin, "observe": observed}
    return lambda step, **asked: steps[step](**asked)


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
