"""Attempts to get points without the work, to break the grading, or to harm others: none may gain a point.

Nearly every one attacks `standardize` and solves `at_hour`, which must keep its points.
"""

import io
import json
import zipfile
from collections.abc import Callable

from tests.red_team.book import GRAPHS, SEQUENTIAL, TENSORS, Book, Case, title

CASES: list[Case] = []
WRONG = "def standardize(x):\n    return x\n"
KEPT = {"at_hour": 2}


def hostile(
    lab: str = TENSORS, points: dict[str, int] | None = None, stopped: str = "", says: str = ""
) -> Callable[[Callable[[Book], str | None]], None]:
    """Add what a function makes of a lab's notebook to the cases; code that it returns becomes `standardize`."""

    def add(function: Callable[[Book], str | None]) -> None:
        book = Book(lab)
        if lab == TENSORS:
            book.solve("at_hour")
        code = function(book)
        if code:
            book.answer(standardize=code)
        kept = KEPT if lab == TENSORS and points is None else points or {}
        why = {"standardize": stopped} if stopped else {}
        CASES.append(Case(title(function), {lab.split("/")[1] + ".ipynb": book.data()}, kept, why, says))

    return add


# Answers that lie about what they are.


@hostile()
def equal_to_everything(book):
    return """class Any:
    def __eq__(self, other): return True
    __hash__ = None

def standardize(x):
    return Any()
"""


@hostile()
def an_array_that_lies(book):
    return """class Liar(np.ndarray):
    def __array_ufunc__(self, *a, **k): return np.True_
    def __array_function__(self, *a, **k): return True
    def __eq__(self, other): return np.ones(self.shape, bool)

def standardize(x):
    return x.numpy().view(Liar)
"""


@hostile()
def a_dictionary_and_a_text_that_lie(book):
    return """class Text(str):
    def __eq__(self, other): return True
    def __hash__(self): return 0

class Shape(tuple):
    def __eq__(self, other): return True

def standardize(x):
    return Text("float32")
"""


@hostile()
def an_object_with_a_numpy_of_its_own(book):
    return """class Tensor:
    dtype, shape = tf.float32, tf.TensorShape(None)
    def numpy(self): return float("nan")

def standardize(x):
    return Tensor()
"""


@hostile()
def evidence_of_a_gigabyte(book):
    return "def standardize(x):\n    return np.zeros((1, 1 << 27))"


@hostile()
def a_shape_that_blows_up_when_compared(book):
    return "def standardize(x):\n    return np.zeros((1_000_000, *([1] * (x.ndim - 1))), np.float32)"


@hostile()
def a_list_without_a_bottom(book):
    return "def standardize(x):\n    a = []\n    a.append(a)\n    return a"


@hostile()
def a_very_deep_list(book):
    return "def standardize(x):\n    a = 0.0\n    for _ in range(300):\n        a = [a]\n    return a"


@hostile()
def an_exception_that_lies(book):
    return """class Passed(Exception):
    __name__ = "passed"
    def __str__(self): return "passed" * 10_000_000

def standardize(x):
    raise Passed
"""


@hostile()
def a_verdict_of_its_own(book):
    return "from labs import Misread\n\ndef standardize(x):\n    raise Misread('passed', expected=[], got=[])"


# Other functions in place of those that look.


@hostile()
def numpy_that_finds_all_equal(book):
    book.insert(
        "for name in ('allclose', 'array_equal', 'isclose'):\n    setattr(np, name, lambda *a, **k: True)"
    )
    return WRONG


@hostile()
def numpy_whose_arrays_are_always_right(book):
    book.insert("np.array = np.asarray = lambda *a, **k: float('nan')")
    return WRONG


@hostile()
def tensors_that_are_equal_to_all(book):
    book.insert("tf.Tensor.__eq__ = lambda a, b: True\ntf.Tensor.numpy = lambda self: True")
    return WRONG


@hostile()
def eager_tensors_with_another_numpy(book):
    return """EagerTensor = type(tf.constant(1.0))

def standardize(x):
    EagerTensor.numpy = lambda self: np.float32(0)
    return x
"""


@hostile()
def replaced_check_functions(book):
    book.insert("""import labs, labs.kit.examine, labs.kit.observe, labs.kit.plain
lab.check = lambda attempt: attempt
labs.kit.examine.judge = lambda *a: None
labs.kit.examine.examine = labs.kit.examine.conclude = lambda e, *a: labs.kit.examine.Verdict(e.name, "passed", 3)
labs.kit.observe.observe = lambda *a: labs.kit.observe.Observation("seen", seen={})
labs.kit.plain.plain = lambda value: {}""")
    return WRONG


@hostile()
def code_of_the_observer_exchanged(book):
    book.insert("""import labs.kit.observe as o
def observe(exercise, attempt, case, seed):
    return Observation("seen", seen={"scaled": case["x"], "kind": "float32"})
o.observe.__code__ = observe.__code__""")
    return WRONG


@hostile()
def the_graders_own_modules(book):
    book.insert("""import importlib, sys
for name in ("observer", "frames", "guard", "clerk", "nursery"):
    try:
        module = importlib.import_module("labs.kit.course.locked." + name)
        module.encode = module.observe = lambda *a, **k: b""
    except ImportError:
        pass
for kind in object.__subclasses__():
    if "labs.kit" in kind.__module__:
        for name in list(vars(kind)):
            try: setattr(kind, name, lambda *a, **k: None)
            except Exception: pass""")
    return WRONG


@hostile()
def json_that_says_what_is_wanted(book):
    book.insert("""import json
json.dumps = lambda *a, **k: "{}"
json.JSONEncoder.encode = lambda self, o: "{}"
json.loads = lambda *a, **k: [{}, []]""")
    return WRONG


@hostile()
def built_in_functions_replaced(book):
    book.insert("""import builtins
builtins.isinstance = lambda a, b: True
builtins.all = builtins.any = lambda a: True
builtins.len = lambda a: 3""")
    return WRONG


@hostile()
def patches_that_come_when_called(book):
    return """def standardize(x):
    np.array = lambda *a, **k: float("nan")
    tf.as_dtype = lambda a: tf.float32
    return x
"""


@hostile()
def a_transformer_of_input(book):
    book.insert("""shell = get_ipython()
shell.input_transformers_cleanup.append(lambda lines: ["pass"])
shell.ast_transformers.append(None)
shell.events.register("pre_run_cell", lambda *a: None)""")
    return WRONG


@hostile(GRAPHS, {})
def counts_that_anybody_can_guess(book):
    book.answer(traces_of="def traces_of(function, calls):\n    return [1 for _ in calls]")


@hostile(GRAPHS, {})
def evidence_as_it_would_be_from_the_solution(book):
    # All right answers to this exercise look alike, so the evidence itself could be forged; not from here.
    book.insert("""import labs.kit.observe as o
right = o.Observation("seen", seen={"counts": [1, 1, 2, 3], "ran": [1, 1, 2, 3]})
o.observe = lambda *a: right
o.plain = lambda value: right.seen""")
    book.answer(traces_of="def traces_of(function, calls):\n    return []")


# Looking for the solution, or for what is expected.


def looks(search: str) -> str:
    return f"""
def found():
    {search}

def standardize(x):
    try:
        space = dict(globals())
        exec(found(), space)
        return space["standardize"](x)
    except Exception:
        return x
"""


@hostile()
def the_reference_by_import(book):
    return looks("""from labs.kit import curriculum, reference
    return reference.source(curriculum.load().lab("foundations/tensors"), "standardize")""")


@hostile()
def the_reference_on_disk(book):
    return looks("""import pathlib, labs, re
    here = pathlib.Path(labs.__file__).parent
    for root in [here, *map(pathlib.Path, ("/work", "/root", "/home", "/opt", "/old", "/srv"))]:
        for path in root.glob("**/lab.py"):
            text = path.read_text()
            if "def standardize" in text:
                return re.search(r"(?ms)^def standardize.*?END SOLUTION", text)[0]
    return "" """)


@hostile()
def the_worked_notebook_or_the_answers(book):
    return looks("""import pathlib, labs, json
    here = pathlib.Path(labs.__file__).parent.parent
    for folder in ("notebooks", "labs/_notebooks"):
        path = here / folder / "worked/foundations/tensors.ipynb"
        if path.exists():
            return "".join(json.loads(path.read_text())["cells"][30]["source"])
    return (here / "labs/foundations/tensors/answers.py").read_text()""")


@hostile()
def the_last_hint(book):
    return looks("""import pathlib, labs, sys, labs.kit.load, labs.kit.curriculum
    for module in list(sys.modules.values()):
        for value in list(vars(module).values()):
            if getattr(value, "name", "") == "standardize" and hasattr(value, "hints"):
                return value.hints[-1].strip("`")
    text = (pathlib.Path(labs.__file__).parent / "foundations/tensors/checks.py").read_text()
    return "" """)


@hostile(stopped="tampering")
def the_solution_in_memory(book):
    return looks("""import gc
    for value in gc.get_objects():
        if isinstance(value, str) and "def standardize" in value and "reduce_std" in value:
            return value
    return "" """)


@hostile(stopped="tampering")
def variables_of_the_callers(book):
    return """import sys

def standardize(x):
    frame = sys._getframe(1)
    while frame:
        for value in list(frame.f_locals.values()):
            if hasattr(value, "solution"): return value
        frame = frame.f_back
    return x
"""


@hostile(stopped="tampering")
def variables_of_the_callers_by_inspect(book):
    return "import inspect\n\ndef standardize(x):\n    return inspect.stack()[1].frame.f_locals.get('expected', x)"


@hostile(stopped="tampering")
def variables_of_the_callers_by_a_traceback(book):
    return """def standardize(x):
    try:
        1 / 0
    except ZeroDivisionError as error:
        return error.__traceback__.tb_frame.f_back.f_locals.get("expected", x)
"""


@hostile(stopped="tampering")
def variables_of_the_callers_by_a_trace(book):
    book.insert("import sys\nsys.settrace(lambda frame, event, value: None)")
    return "import sys\nsys.settrace(lambda *a: None)\n" + WRONG


@hostile(stopped="tampering")
def under_the_name_of_a_library(book):
    return """import numpy
code = compile("import sys\\ndef look():\\n    return sys._getframe(2).f_locals", numpy.__file__, "exec")
exec(code)

def standardize(x):
    return look().get("expected", x)
"""


@hostile(stopped="tampering")
def memory_by_ctypes(book):
    return "import ctypes\nlibc = ctypes.CDLL(None)\nlibc.prctl(15, b'x', 0, 0, 0)\n" + WRONG


@hostile()
def what_an_earlier_exercise_has_left(book):
    book.answer(
        decode="for name in ('/tmp/home/left.txt', '/tmp/left.txt'):\n    open(name, 'w').write('x')\n\n"
        "def decode(a, b):\n    return a"
    )
    return """import os
if os.path.exists("/tmp/left.txt") or os.path.exists("/tmp/home/left.txt"):
    raise SystemError("another exercise's files are here")
def standardize(x):
    return x
"""


@hostile()
def other_processes_and_settings(book):
    return looks("""import glob
    text = ""
    for name in glob.glob("/proc/[0-9]*/environ") + glob.glob("/proc/[0-9]*/cmdline"):
        text += open(name, "rb").read().decode("utf-8", "replace")
    if "labs grade" in text or "pytest" in text: return "def standardize(x): return 'escaped'"
    return text""")


# Speaking for others.


@hostile(stopped="tampering")
def writes_to_every_channel(book):
    return (
        """import os, json, struct
text = json.dumps([["dict", ["there", True], ["mended", ["list"]], ["threads", ["list"]]], []]).encode()
for number in range(3, 200):
    try: os.write(number, struct.pack(">II", len(text), len(text)) + text)
    except OSError: pass
"""
        + WRONG
    )


@hostile()
def a_thread_that_goes_on_writing(book):
    return (
        """import os, threading, time, json, struct
def forge():
    text = json.dumps([["dict", ["observation", None]], []]).encode()
    while True:
        for number in range(3, 64):
            try: os.write(number, struct.pack(">II", len(text), len(text)) + text)
            except OSError: pass
threading.Thread(target=forge, daemon=True).start()
"""
        + WRONG
    )


@hostile()
def a_thread_that_patches_later(book):
    book.insert("""import threading, time
def later():
    while True:
        np.array = lambda *a, **k: float("nan")
        time.sleep(0.001)
threading.Thread(target=later, daemon=True).start()""")
    return "threading\n" + WRONG


@hostile()
def a_timer_that_gets_a_frame(book):
    return (
        """import signal
def handler(number, frame):
    while frame:
        frame.f_globals["observe"] = lambda *a: None
        frame = frame.f_back
signal.signal(signal.SIGALRM, handler)
signal.setitimer(signal.ITIMER_REAL, 0.0001, 0.0001)
"""
        + WRONG
    )


@hostile()
def a_signal_that_gets_a_frame(book):
    return """import signal
def standardize(x):
    def handler(number, frame):
        while frame:
            for value in list(frame.f_locals.values()):
                if isinstance(value, dict) and "exercise" in value:
                    value["exercise"].when = lambda *a, **k: {"scaled": x, "kind": "float32"}
            frame = frame.f_back
    try:
        signal.signal(signal.SIGUSR1, handler)
        signal.raise_signal(signal.SIGUSR1)
    except ValueError:
        pass
    return x
"""


@hostile()
def a_very_deep_recursion(book):
    return """import sys
def standardize(x):
    sys.setrecursionlimit(10**6)
    def down(n):
        return down(n + 1)
    return down(0)
"""


# Ending, filling, and never ending.


@hostile(stopped="exit")
def leaves_in_the_middle(book):
    return "import os\n\ndef standardize(x):\n    os._exit(0)"


@hostile()
def leaves_politely(book):
    return "import sys\n\ndef standardize(x):\n    sys.exit(0)"


@hostile(stopped="exit")
def crashes_the_interpreter(book):
    return "import faulthandler\n\ndef standardize(x):\n    faulthandler._read_null()"


@hostile()
def signals_to_all_and_to_its_parents(book):
    return """import os, signal
def standardize(x):
    for target in (os.getppid(), -1, 0, 1, 2, 3):
        for number in (signal.SIGTERM, signal.SIGINT, signal.SIGKILL):
            try: os.kill(target, number)
            except OSError: pass
    return x
"""


@hostile()
def kills_itself_as_a_machine_without_memory_would(book):
    return """import os, signal
def standardize(x):
    for target in (os.getpid(), 0):
        os.kill(target, signal.SIGKILL)
        os.kill(target, signal.SIGSTOP)
    return x
"""


@hostile(stopped="processes")
def a_fork_bomb(book):
    return "import os\n\ndef standardize(x):\n    while True:\n        try: os.fork()\n        except OSError: pass"


@hostile()
def a_child_that_stays(book):
    return """import os, time
def standardize(x):
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            time.sleep(600)
        os._exit(0)
    return x
"""


@hostile()
def threads_without_end(book):
    return """import threading, time
def standardize(x):
    while True:
        threading.Thread(target=time.sleep, args=(60,), daemon=True).start()
"""


@hostile()
def fills_the_disk(book):
    return """def standardize(x):
    for number in range(10_000):
        with open(f"/tmp/{number}", "wb") as file:
            file.write(bytes(16 << 20))
"""


@hostile(stopped="time")
def prints_for_ever(book):
    return "def standardize(x):\n    while True:\n        print('x' * 100_000)"


@hostile()
def takes_all_memory(book):
    return "def standardize(x):\n    kept = []\n    while True:\n        kept.append(np.ones(8 << 20))"


@hostile(stopped="memory")
def takes_all_memory_in_children(book):
    return """import os, time
def standardize(x):
    for _ in range(8):
        if os.fork() == 0:
            kept = np.ones(32 << 20)
            time.sleep(60)
    time.sleep(60)
"""


@hostile(stopped="time")
def a_cell_that_never_ends(book):
    return WRONG + "\nwhile True:\n    pass"


@hostile(stopped="time")
def a_function_that_never_ends(book):
    return "def standardize(x):\n    while True:\n        pass"


@hostile(stopped="time")
def a_wait_that_catches_everything(book):
    return """import time
def standardize(x):
    while True:
        try: time.sleep(60)
        except BaseException: pass
"""


@hostile()
def deletes_what_it_finds(book):
    return """import os, shutil, sys, labs
def standardize(x):
    for path in (os.path.dirname(labs.__file__), sys.prefix, "/work", "/root", "/home", "/usr", "/etc", "/tmp"):
        shutil.rmtree(path, ignore_errors=True)
    return x
"""


@hostile()
def writes_into_the_grader(book):
    return """import labs, pathlib
def standardize(x):
    for path in pathlib.Path(labs.__file__).parent.rglob("*.py"):
        try: path.write_text("raise SystemExit")
        except OSError: pass
    return x
"""


@hostile()
def asks_the_network(book):
    return looks("""import socket
    with socket.create_connection(("127.0.0.1", 22), 1) as s: return s.recv(10).decode()
    return "" """)


@hostile()
def more_rights(book):
    return """import subprocess
def standardize(x):
    for command in ("sudo -n id", "unshare -Ur id", "mount -t tmpfs x /mnt", "chroot /", "nsenter -t 1 -a id"):
        if subprocess.run(command, shell=True, capture_output=True).returncode == 0:
            raise SystemError("escaped by " + command)
    return x
"""


# Notebooks that are none.


@hostile()
def brackets_without_end(book):
    return "x = " + "(" * 50_000


@hostile()
def a_sum_without_end(book):
    return "y = " + "+".join(["1"] * 60_000) + "\n" + WRONG


@hostile()
def a_dot_chain_without_end(book):
    return "y = a" + ".a" * 60_000 + "\n" + WRONG


@hostile()
def a_null_byte(book):
    return WRONG + "\0"


@hostile(says="defines `standardise`")
def a_renamed_exercise(book):
    return book.solution("standardize").replace("standardize", "standardise")


@hostile(says="No cell defines `standardize`")
def a_deleted_exercise(book):
    book.drop(lambda cell: cell["id"] != "exercise-standardize")


@hostile()
def text_where_code_was(book):
    cell = book.cells[book.place("exercise-standardize")]
    cell.update(cell_type="markdown", source=book.solution("standardize"))


@hostile(says="same id")
def cells_with_one_id(book):
    for cell in book.cells:
        if cell["id"] != "exercise-at_hour":
            cell["id"] = "one"
    return None


@hostile(says="written in r")
def a_kernel_of_another_language(book):
    book.content["metadata"] |= {
        "kernelspec": {"name": "ir", "language": "R"},
        "language_info": {"name": "R"},
    }
    return "standardize <- function(x) (x - mean(x)) / sd(x)"


@hostile(SEQUENTIAL, {"best_epoch": 1})
def a_function_that_works_for_one_input_only(book):
    book.solve("best_epoch").answer(
        recall_by_class="def recall_by_class(matrix):\n    return np.array([1.0, 0.5, 0.0])"
    )


def file(name: str, content: bytes | str | int, says: str, file: str = "tensors.ipynb") -> None:
    CASES.append(Case(name, {file: content}, {}, {}, says))


def _zip(**members: bytes) -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in members.items():
            archive.writestr(name, content)
    return stream.getvalue()


def _link() -> bytes:
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w") as archive:
        entry = zipfile.ZipInfo("tensors.ipynb")
        entry.external_attr = 0o120777 << 16
        archive.writestr(entry, "/etc/passwd")
    return stream.getvalue()


_solved = Book().solve("standardize", "at_hour").data()
_bomb = _zip(**{"tensors.ipynb": bytes(120 << 20)})
file("a-notebook-of-200-MB", 200 << 20, "210 MB")
file("broken-json", _solved[: len(_solved) // 2], "not JSON")
file("an-empty-file", b"", "not JSON")
file("no-text-at-all", bytes(range(256)) * 40, "not text in UTF-8")
file("json-of-another-kind", b'["a", {"b": 1}]', "no cells")
file("json-without-a-bottom", b"[" * 200_000, "not JSON")
file("cells-of-another-kind", json.dumps({"cells": [1, None, "x", {"cell_type": 3}]}).encode(), "no code")
file("a-link-to-another-students-notebook", "../the-whole-lab/tensors.ipynb", "link")
file("a-link-to-a-device", "/dev/zero", "link")
file("a-zip-that-leads-out", _zip(**{"../../the-whole-lab/tensors.ipynb": _solved}), "leads out", "work.zip")
file("a-zip-with-an-absolute-name", _zip(**{"/tmp/tensors.ipynb": _solved}), "leads out", "work.zip")
file("a-zip-bomb", _bomb, "MB", "work.zip")
file(
    "zips-in-zips", _zip(**{"a.zip": _zip(**{"b.zip": _zip(**{"c.zip": _bomb})})}), "zip in a zip", "work.zip"
)
file("a-zip-with-a-link", _link(), "link", "work.zip")
file("a-zip-that-is-none", b"PK\x03\x04" + bytes(100), "cannot be read", "work.zip")
file("no-notebook-at-all", b"%PDF-1.7", "no notebook", "essay.pdf")
