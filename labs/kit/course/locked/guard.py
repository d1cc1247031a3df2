"""What watches, in the process of student code, over what its evidence is made with.

Nothing in a process can be safe from code in the same process; what is decisive happens elsewhere. This makes
the known ways to sway evidence show: libraries whose parts are replaced, and code that looks for the grader's own
variables. What is put back or found is told; what would go on unseen ends the process.
"""

import gc
import os
import signal
import sys
import types
from collections.abc import Callable, Iterator
from typing import Any

WATCHED = (
    "builtins",
    "copy",
    "json",
    "json.decoder",
    "json.encoder",
    "linecache",
    "math",
    "random",
    "struct",
    "keras",
    "keras.activations",
    "keras.layers",
    "keras.losses",
    "keras.metrics",
    "keras.models",
    "keras.ops",
    "keras.optimizers",
    "keras.random",
    "keras.utils",
    "labs",
    "labs.kit.diagnosis",
    "labs.kit.meanings",
    "labs.kit.observe",
    "labs.kit.plain",
    "numpy",
    "numpy.linalg",
    "numpy.random",
    "tensorflow",
    "tensorflow.data",
    "tensorflow.linalg",
    "tensorflow.math",
    "tensorflow.nn",
    "tensorflow.random",
    "tensorflow.strings",
)
"""Modules whose names keep their meaning; that a name is added is nothing."""

CLASSES = (
    ("tensorflow", "Tensor"),
    ("tensorflow", "Variable"),
    ("tensorflow", "GradientTape"),
    ("tensorflow", "RaggedTensor"),
    ("tensorflow", "TensorShape"),
    ("tensorflow", "DType"),
    ("tensorflow.data", "Dataset"),
    ("tensorflow.python.framework.ops", "EagerTensor"),
    ("tensorflow.python.ops.resource_variable_ops", "ResourceVariable"),
    ("keras", "Layer"),
    ("keras", "Model"),
    ("keras", "Sequential"),
    ("keras", "Variable"),
    ("keras.layers", "Dense"),
    ("keras.losses", "Loss"),
    ("keras.metrics", "Metric"),
    ("keras.optimizers", "Optimizer"),
    ("json", "JSONEncoder"),
    ("json", "JSONDecoder"),
)

_FRAMES = {
    "sys._getframe",
    "sys._current_frames",
    "sys._current_exceptions",
    "sys.settrace",
    "sys.setprofile",
}
_OBJECTS = {"gc.get_objects", "gc.get_referrers", "gc.get_referents", "code.__new__", "sys.addaudithook"}
_ATTRIBUTES = {"tb_frame", "gi_frame", "cr_frame", "ag_frame", "f_code"}
_PASSES_ON = ("inspect.py", "traceback.py", "threading.py", "bdb.py", "trace.py", "ctypes/__init__.py")
FOUND = 97
"""The exit status of a process that was ended by what the hook saw."""


def pristine() -> Callable[[], list[str]]:
    """Remember what the watched modules and classes consist of, and return the function that puts that back.

    To be called while no student code has run. The function returns the names that had another meaning. It holds
    all that it uses, and nothing that can be imported leads to it.
    """
    modules = {name: sys.modules[name] for name in WATCHED if name in sys.modules}
    spaces: list[tuple[str, Any, dict[str, Any]]] = [
        (name, module, _names(vars(module))) for name, module in modules.items()
    ]
    for home, name in CLASSES:
        kind = getattr(sys.modules.get(home), name, None)
        if isinstance(kind, type):
            spaces.append((f"{home}.{name}", kind, _names(vars(kind))))
    functions = [
        (f"{name}.{key}", value, value.__code__, value.__defaults__, value.__kwdefaults__)
        for name, _, before in spaces
        for key, value in before.items()
        if type(value) is types.FunctionType
    ]
    look, is_type, put_in_type, put, nothing = (
        vars,
        isinstance,
        type.__setattr__,
        object.__setattr__,
        object(),
    )

    def mend() -> list[str]:
        found = []
        for name, space, before in spaces:
            now = look(space)
            for key, value in before.items():
                if now.get(key, nothing) is not value:
                    found.append(f"{name}.{key}")
                    try:
                        (put_in_type if is_type(space, type) else put)(space, key, value)
                    except Exception:
                        found.append(f"{name}.{key} for good")
        for name, function, code, defaults, by_name in functions:
            if function.__code__ is not code:
                found.append(name)
                function.__code__ = code
            if function.__defaults__ is not defaults or function.__kwdefaults__ is not by_name:
                found.append(name)
                function.__defaults__, function.__kwdefaults__ = defaults, by_name
        return found

    return mend


def _names(space: Any) -> dict[str, Any]:
    passing = ("__warningregistry__", "__annotations__", "__doc__", "__abstractmethods__", "_")
    passing += ("compat", "saved_model")  # TensorFlow replaces these when they are first used
    return {name: value for name, value in space.items() if name not in passing and not _changes(name, value)}


def _changes(name: str, value: Any) -> bool:
    """Tell whether a library itself gives this name another value as it works: counters, caches, late imports."""
    if isinstance(value, types.ModuleType) and type(value) is not types.ModuleType:
        return True
    return name.startswith("_abc_") or value is None or isinstance(value, bool | int | float | str | bytes)


def quieten() -> None:
    """End what student code may have left to happen by itself: timers, traces, calls of the collector."""
    sys.settrace(None)
    sys.setprofile(None)
    gc.callbacks.clear()
    for timer in (signal.ITIMER_REAL, signal.ITIMER_VIRTUAL, signal.ITIMER_PROF):
        signal.setitimer(timer, 0)


def strangers(known: set[int]) -> Iterator[str]:
    """Yield the names of Python's threads that were not there before student code ran."""
    threading = sys.modules["threading"]
    for thread in threading.enumerate():
        if thread.ident not in known:
            yield thread.name


def watch(is_students: Callable[[str], bool]) -> None:
    """End the process when student code itself looks for other code's variables; libraries may.

    Args:
        is_students: tells of a file's name whether student code stands in it.
    """
    getframe, leave, ends = sys._getframe, os._exit, str.endswith
    watched = _FRAMES | _OBJECTS
    busy: list[bool] = []

    def hook(event: str, arguments: tuple) -> None:
        if event == "object.__getattr__":
            if arguments[1] not in _ATTRIBUTES:
                return
        elif event == "compile":
            # Under another file's name it would pass for that file's.
            if not isinstance(arguments[1], str) or is_students(arguments[1]):
                return
        elif event not in watched and not event.startswith("ctypes."):
            return
        if busy:
            return  # the look at the frames below is itself such an event
        busy.append(True)
        try:
            frame = getframe(1)
            while frame is not None and ends(frame.f_code.co_filename, _PASSES_ON):
                frame = frame.f_back
            if frame is not None and is_students(frame.f_code.co_filename):
                leave(FOUND)
        finally:
            busy.pop()

    sys.addaudithook(hook)
