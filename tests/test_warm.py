"""Warm kernels do everything that ordinary kernels do, whatever happens to the process that they come from."""

import asyncio
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import nbformat
import pytest

if not sys.platform.startswith("linux"):
    pytest.skip("kernels are forked on Linux only", allow_module_level=True)

from jupyter_client import AsyncKernelManager, KernelManager

from labs.kit.author.kernel_env import STRAY
from labs.kit.warm import client, command, obstacles, place, spec, variables
from labs.kit.warm.process import UNKNOWN, Forked

SECONDS = 120
"""For whatever must come at some time: much more than it takes, on a machine that does other things too."""

FIRST_RESULT = "import tensorflow as tf\nprint(float(tf.reduce_sum(tf.ones((3, 3)))))"


@pytest.fixture(scope="module", autouse=True)
def own_processes():
    """Keep this module's background processes in a folder of its own, and end them."""
    spec.install()
    folder = tempfile.mkdtemp(prefix="labs-warm-")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("LABS_WARM_FOLDER", folder)
        patch.setenv("LABS_WARM_IDLE", "600")
        # As the build and nbval set it, so that their kernels come from the same process here.
        patch.setenv("PYTHONHASHSEED", "0")
        for name in ("LABS_WARM", "LABS_WARM_MOST", "CUDA_VISIBLE_DEVICES", *STRAY):
            patch.delenv(name, raising=False)
        if any(obstacles.of_machine(os.environ)):
            patch.setenv("CUDA_VISIBLE_DEVICES", "-1")
        yield
        command.stop()
    shutil.rmtree(folder)


@contextmanager
def kernel(manager=KernelManager, **start):
    """Give a kernel that is ready."""
    started = Running(manager(kernel_name=spec.NAME), start)
    try:
        yield started
    finally:
        started.close()


class Running:
    """A kernel and its client."""

    def __init__(self, manager, start):
        self.manager = manager
        manager.start_kernel(**start)
        self.client = manager.client()
        self.client.start_channels()
        self.client.wait_for_ready(timeout=SECONDS)

    @property
    def process(self):
        return self.manager.provisioner.process

    @property
    def is_warm(self):
        return isinstance(self.process, Forked)

    def run(self, code, **options):
        """Run a cell and return what it prints; raise what it raises."""
        outputs = self.outputs(code, **options)
        return "".join(out["text"] for out in outputs if out.get("name") == "stdout")

    def outputs(self, code, timeout=SECONDS, **options):
        """Run a cell and return its outputs."""
        outputs = []
        for _ in range(20):
            reply = self.client.execute_interactive(
                code,
                timeout=timeout,
                output_hook=lambda message: outputs.append(message["content"]),
                **options,
            )
            # A kernel turns away for a moment what comes right after a cell that has failed.
            if reply["content"]["status"] != "aborted":
                break
            time.sleep(0.1)
        if reply["content"]["status"] != "ok":
            raise CellError(reply["content"]["ename"])
        return outputs

    def close(self):
        self.client.stop_channels()
        if self.manager.has_kernel:
            self.manager.shutdown_kernel(now=True)


class CellError(Exception):
    """A cell raised."""


def until(condition, seconds=SECONDS):
    """Wait for what must come true."""
    end = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < end, "it does not come true"
        time.sleep(0.05)


def status():
    """Return what the one background process says of itself."""
    (found,) = [process for process in command.running() if "pid" in process]
    return found


def states(parent):
    """Return the states of a process's children."""
    found = {}
    for path in Path("/proc").glob("[0-9]*/stat"):
        try:
            state, ppid = path.read_text().rpartition(")")[2].split()[:2]
        except (FileNotFoundError, ProcessLookupError):
            continue
        if int(ppid) == parent:
            found[int(path.parent.name)] = state
    return found


@pytest.fixture(scope="module")
def shared(own_processes):
    """A kernel for the tests that leave no trace in it."""
    with kernel() as started:
        assert started.is_warm
        yield started


# --- what a kernel does


def test_a_warm_kernel_computes(shared):
    assert shared.run(FIRST_RESULT) == "9.0\n"


def test_nothing_has_run_in_the_background_process(shared):
    found = status()
    assert found["threads"] == 1
    assert not found["has_run_ops"]


def test_figures_are_inline(shared):
    code = "import matplotlib.pyplot as plt\nplt.plot([1, 2])\nplt.show()"
    assert any("image/png" in out.get("data", {}) for out in shared.outputs(code))


def test_a_model_trains_twice(shared):
    code = """
import keras, numpy as np
model = keras.Sequential([keras.layers.Input((2,)), keras.layers.Dense(1)])
model.compile("sgd", "mse")
data = np.ones((8, 2), "float32"), np.ones((8, 1), "float32")
losses = [model.fit(*data, epochs=1, verbose=0).history["loss"][0] for _ in range(2)]
print(losses[1] < losses[0])
"""
    assert shared.run(code) == "True\n"


def test_a_graph_prints_in_the_notebook(shared):
    code = "import tensorflow as tf\n@tf.function\ndef f():\n    tf.print('seen')\nf()"
    printed = "".join(out.get("text", "") for out in shared.outputs(code))
    assert "seen" in printed


def test_errors_are_shown(shared):
    with pytest.raises(CellError, match="ZeroDivisionError"):
        shared.run("1 / 0")


def test_input_is_asked_for(shared):
    def answer(message):
        assert message["content"]["prompt"] == "name? "
        shared.client.input("Ada")

    assert shared.run("print(input('name? '))", stdin_hook=answer, allow_stdin=True) == "Ada\n"


def test_an_endless_loop_is_interrupted(shared):
    shared.client.execute("print('begun', flush=True)\nwhile True: pass")
    while shared.client.get_iopub_msg(timeout=SECONDS)["content"].get("name") != "stdout":
        pass
    shared.manager.interrupt_kernel()
    reply = shared.client.get_shell_msg(timeout=SECONDS)
    assert reply["content"]["ename"] == "KeyboardInterrupt"
    assert shared.run("print('goes on')") == "goes on\n"


def test_subprocesses_of_a_cell_are_interrupted_too(shared):
    shared.client.execute("import subprocess\nprint('begun', flush=True)\nsubprocess.run(['sleep', '600'])")
    while shared.client.get_iopub_msg(timeout=SECONDS)["content"].get("name") != "stdout":
        pass
    time.sleep(0.5)
    shared.manager.interrupt_kernel()
    assert shared.client.get_shell_msg(timeout=SECONDS)["content"]["ename"] == "KeyboardInterrupt"
    until(lambda: not states(shared.process.pid))


def test_a_lab_starts_without_noise(shared):
    outputs = shared.outputs("import labs\nlab = labs.start('keras/sequential')")
    (line,) = [out for out in outputs if "name" in out]
    assert line["name"] == "stdout"
    assert "TensorFlow" in line["text"]


def test_what_a_cell_sets_too_late_is_said_once():
    with kernel() as started:
        first = started.outputs("import os\nos.environ['KERAS_BACKEND'] = 'jax'")
        assert any("KERAS_BACKEND changes nothing" in out.get("text", "") for out in first)
        assert not any("text" in out for out in started.outputs("x = 1"))
        assert not any("text" in out for out in started.outputs("os.environ['XLA_FLAGS'] = ''"))


def test_main_is_clean(shared):
    code = """
import sys, __main__
print(__main__.__dict__ is globals(), hasattr(__main__, "main"), sys.argv[0].endswith("ipykernel_launcher.py"))
"""
    assert shared.run(code) == "True False True\n"


def test_it_is_what_an_ordinary_kernel_is(shared):
    """The search path, the settings that imports leave, the seeds' source, the streams and their kinds."""
    code = """
import json, logging, os, signal, sys, tempfile, threading, warnings
import tensorflow as tf, matplotlib
seen = {
    "path": sys.path, "flags": repr(sys.flags), "argv": sys.argv[0], "prefix": sys.prefix,
    "encoding": [sys.stdout.encoding, sys.__stdout__.encoding, sys.getfilesystemencoding()],
    "streams": [type(stream).__name__ for stream in (sys.stdin, sys.stdout, sys.stderr)],
    "signals": {n: str(signal.getsignal(n)) for n in (signal.SIGTERM, signal.SIGHUP, signal.SIGPIPE)},
    "masked": len(signal.pthread_sigmask(signal.SIG_BLOCK, [])),
    "env": {n: v for n, v in os.environ.items() if n not in ("LABS_HOME",)},
    "backend": matplotlib.get_backend(), "log": tf.get_logger().level,
    "filters": sorted(map(str, warnings.filters)), "limits": repr(tempfile.gettempdir()),
    "app": sorted(get_ipython().config), "shell": type(get_ipython()).__name__,
    "leads": [os.getpgid(0) == os.getpid(), os.getsid(0) == os.getpid()],
    "threads": sorted(type(t).__name__ for t in threading.enumerate() if "Poller" not in type(t).__name__),
    "umask": oct(os.umask(0o022)), "cores": sorted(os.sched_getaffinity(0)),
    "xla": tf.config.optimizer.get_jit(), "inter": tf.config.threading.get_inter_op_parallelism_threads(),
}
print(json.dumps(seen, default=str))
"""
    ordinary = Running(KernelManager(kernel_name="python3"), {"env": {**os.environ, **spec.content()["env"]}})
    try:
        theirs = json.loads(ordinary.run(code).splitlines()[-1])
    finally:
        ordinary.close()
    with kernel() as started:
        ours = json.loads(started.run(code).splitlines()[-1])
    assert ours == theirs


def test_its_files_are_its_own(shared):
    code = """
import glob, os
print([os.readlink(path) for path in glob.glob("/proc/self/fd/*") if os.path.lexists(path)])
"""
    files = shared.run(code)
    assert "warm" not in files.replace("labs-warm-home", "")


def test_the_debugger_attaches(shared):
    def ask(command, **arguments):
        content = {"type": "request", "seq": len(answers) + 1, "command": command, "arguments": arguments}
        sent = shared.client.session.msg("debug_request", content)
        shared.client.control_channel.send(sent)
        while True:
            reply = shared.client.get_control_msg(timeout=SECONDS)
            if reply["parent_header"].get("msg_id") == sent["header"]["msg_id"]:
                answers.append(reply["content"])
                return reply["content"]

    answers = []
    assert ask("debugInfo")["success"]
    assert ask("initialize", clientID="test", adapterID="test", linesStartAt1=True)["success"]
    ask("attach", justMyCode=False)
    cell = ask("dumpCell", code="x = 1\ny = 2")["body"]["sourcePath"]
    found = ask("setBreakpoints", source={"path": cell}, breakpoints=[{"line": 2}], sourceModified=False)
    assert found["body"]["breakpoints"][0]["verified"]
    assert ask("configurationDone")["success"]
    assert ask("disconnect", restart=False, terminateDebuggee=False)["success"]
    assert shared.run("print(1)") == "1\n"


# --- how it is started


def notebook(folder, content):
    """Write a notebook of warm kernels, with the outputs of its cells."""
    book = nbformat.v4.new_notebook(metadata={"kernelspec": {"name": spec.NAME, "display_name": "x"}})
    for code, printed in content:
        outputs = [nbformat.v4.new_output("stream", name="stdout", text=printed)]
        book.cells.append(nbformat.v4.new_code_cell(code, outputs=outputs, execution_count=1))
    nbformat.write(book, folder / "book.ipynb")
    return book


def cells():
    """Return cells and what they print; the second depends on `PYTHONHASHSEED`."""
    code = "print(hash('a'))"
    printed = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True).stdout
    return (FIRST_RESULT, "9.0\n"), (code, printed)


def test_nbclient_uses_it(tmp_path):
    from nbclient import NotebookClient

    book, before = notebook(tmp_path, cells()), status()["forks"]
    NotebookClient(book, timeout=SECONDS).execute()
    assert [cell.outputs[0].text for cell in book.cells] == [printed for _, printed in cells()]
    assert status()["forks"] == before + 1


def test_nbval_uses_it(tmp_path):
    notebook(tmp_path, cells())
    before = status()["forks"]
    plugin = ("-p", "labs.kit.author.nbval_plugin", "--nbval", "-p", "no:cacheprovider")
    done = subprocess.run(
        [sys.executable, "-m", "pytest", *plugin, "-q", "book.ipynb"],
        cwd=tmp_path, capture_output=True, text=True, timeout=SECONDS,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout
    assert "2 passed" in done.stdout
    assert status()["forks"] == before + 1


def test_environment_and_folder_are_the_kernels(tmp_path):
    code = "import os, ctypes\nprint(os.getcwd(), os.environ['A'], 'HOME' in os.environ)\n"
    code += "libc = ctypes.CDLL(None)\nlibc.getenv.restype = ctypes.c_char_p\nprint(libc.getenv(b'A'))"
    with kernel(cwd=str(tmp_path), env={**os.environ, "A": "ä b"}) as started:
        assert started.is_warm
        assert started.run(code) == f"{tmp_path} ä b True\n{'ä b'.encode()!r}\n"


def test_two_kernels_are_independent_and_draw_different_numbers():
    code = """
import random, numpy as np, tensorflow as tf, keras, uuid
print(random.random(), np.random.rand(), np.random.default_rng().random(), float(tf.random.uniform(())),
      float(keras.random.uniform(())), float(keras.initializers.GlorotUniform()((2, 2))[0, 0]), uuid.uuid4())
"""
    with kernel() as one, kernel() as other:
        assert one.is_warm
        assert other.is_warm
        one.run("mine = 1")
        with pytest.raises(CellError, match="NameError"):
            other.run("mine")
        drawn = [started.run(code).split() for started in (one, other)]
    assert all(first != second for first, second in zip(*drawn, strict=True))


def test_twenty_at_once_all_answer():
    def answer(number):
        with kernel() as started:
            code = f"import tensorflow as tf\nprint(int(tf.constant({number}) * 2), flush=True)"
            return started.is_warm, started.run(code)

    with ThreadPoolExecutor(20) as pool:
        found = list(pool.map(answer, range(20)))
    assert found == [(True, f"{number * 2}\n") for number in range(20)]


def test_async_manager_and_encryption():
    async def answer():
        manager = AsyncKernelManager(kernel_name=spec.NAME, transport_encryption="required")
        await manager.start_kernel()
        speaker = manager.client()
        speaker.start_channels()
        try:
            await speaker.wait_for_ready(timeout=SECONDS)
            said = []
            await speaker.execute_interactive(
                "print(6 * 7)", timeout=SECONDS, output_hook=lambda message: said.append(message["content"])
            )
            keys = json.loads(Path(manager.connection_file).read_text())
            return isinstance(manager.provisioner.process, Forked), said, "curve_secretkey" in keys
        finally:
            speaker.stop_channels()
            await manager.shutdown_kernel(now=True)

    warm, said, encrypted = asyncio.run(answer())
    assert warm
    assert encrypted
    assert any(out.get("text") == "42\n" for out in said)


# --- how it ends


def test_shutdown_ends_it_with_status_0():
    with kernel() as started:
        process = started.process
        started.manager.shutdown_kernel()
        assert process.returncode == 0
        assert not started.manager.has_kernel


def test_restart_gives_a_fresh_kernel():
    with kernel() as started:
        before = started.process.pid
        started.run("x = 1")
        started.manager.restart_kernel()
        started.client.wait_for_ready(timeout=SECONDS)
        assert started.is_warm
        assert started.process.pid != before
        with pytest.raises(CellError, match="NameError"):
            started.run("x")
        assert started.run(FIRST_RESULT) == "9.0\n"


@pytest.mark.parametrize(
    ("how", "expected"),
    [
        (lambda started: started.client.execute("import os\nos._exit(3)"), 3),
        (lambda started: os.kill(started.process.pid, signal.SIGKILL), -signal.SIGKILL),
    ],
)
def test_death_is_noticed_at_once_with_its_status(how, expected):
    with kernel() as started:
        process = started.process
        how(started)
        began = time.monotonic()
        until(lambda: not started.manager.is_alive(), 10)
        assert time.monotonic() - began < 5
        assert process.returncode == expected


def test_a_kernel_ends_with_the_one_who_started_it():
    code = f"""
import sys
from jupyter_client import KernelManager
manager = KernelManager(kernel_name={spec.NAME!r})
manager.start_kernel()
print(type(manager.provisioner.process).__name__, manager.provisioner.pid, flush=True)
speaker = manager.client()
speaker.start_channels()
speaker.wait_for_ready()
import os
os._exit(0)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=SECONDS)
    name, pid = done.stdout.split()
    assert name == "Forked"
    until(lambda: not Path("/proc", pid).exists())


def test_nothing_is_left_behind():
    with kernel():
        before = status()["files"]
    for _ in range(30):
        manager = KernelManager(kernel_name=spec.NAME)
        manager.start_kernel()
        manager.shutdown_kernel(now=True)
    found = status()
    until(lambda: not status()["kernels"] or len(status()["kernels"]) == len(found["kernels"]))
    assert found["files"] <= before
    assert found["threads"] == 1
    assert "Z" not in states(found["pid"]).values()


# --- the process that it comes from


def test_kernels_outlive_the_background_process_and_the_next_start_works():
    with kernel() as started:
        os.kill(status()["pid"], signal.SIGKILL)
        time.sleep(1.5)
        assert started.manager.is_alive()
        assert started.run(FIRST_RESULT) == "9.0\n"
        with kernel() as next_one:
            assert next_one.is_warm
            assert next_one.run(FIRST_RESULT) == "9.0\n"
        process = started.process
        os.kill(process.pid, signal.SIGKILL)
        until(lambda: not started.manager.is_alive(), 10)
        assert process.returncode == UNKNOWN


def test_two_starters_get_one_process(tmp_path):
    folder = place.folder()
    command.stop()
    assert not place.names(folder), "who starts another now could still reach the one that was stopped"
    with ThreadPoolExecutor(4) as pool:
        list(pool.map(client.prepare, [command.kernel_environment()] * 4))
    until(lambda: "pid" in (command.running() or [{}])[0])
    assert len(command.running()) == 1
    assert folder.stat().st_mode & 0o777 == 0o700
    assert all(path.stat().st_mode & 0o077 == 0 for path in folder.glob("*.socket"))


def test_an_edited_file_of_the_kit_is_never_stale():
    """Touched only: in a checkout that people work in, a test edits nothing."""
    from labs.kit import plain

    path = Path(plain.__file__)
    with kernel():
        before = status()["pid"]
    kept = path.stat()
    try:
        os.utime(path, ns=(kept.st_atime_ns, kept.st_mtime_ns + 1))
        with kernel() as started:
            assert started.is_warm
            assert status()["pid"] != before
            assert started.run(FIRST_RESULT) == "9.0\n"
    finally:
        os.utime(path, ns=(kept.st_atime_ns, kept.st_mtime_ns))


def test_it_ends_when_idle(monkeypatch):
    command.stop()
    monkeypatch.setenv("LABS_WARM_IDLE", "2")
    with kernel() as started:
        assert started.is_warm
        pid = status()["pid"]
        time.sleep(3)
        assert Path("/proc", str(pid)).exists()
    until(lambda: not command.running())


# --- when it must be an ordinary kernel


def ordinary(**start):
    """Tell whether an ordinary kernel starts, and works."""
    with kernel(**start) as started:
        assert started.run("print(1)") == "1\n"
        return not started.is_warm


def test_another_backend_of_keras_is_an_ordinary_kernel():
    assert ordinary(env={**os.environ, "KERAS_BACKEND": "jax"})


def test_too_many_settings_are_ordinary_kernels(monkeypatch):
    monkeypatch.setenv("LABS_WARM_MOST", "0")
    assert ordinary(env={**os.environ, "XLA_FLAGS": "--xla_dump_to="})


def test_settings_of_matplotlib_in_the_folder_are_an_ordinary_kernel(tmp_path):
    (tmp_path / "matplotlibrc").write_text("lines.linewidth: 9\n")
    assert ordinary(cwd=str(tmp_path))


def test_switched_off_is_an_ordinary_kernel(monkeypatch):
    monkeypatch.setenv("LABS_WARM", "off")
    assert ordinary()
    assert any("LABS_WARM" in reason for reason in command.reasons())


@pytest.mark.skipif(os.geteuid() != 0, reason="needs the right to mount")
def test_a_full_disk_is_an_ordinary_kernel(monkeypatch, tmp_path):
    mount = subprocess.run(["mount", "-t", "tmpfs", "-o", "size=4k,nr_inodes=2", "tmpfs", tmp_path])
    if mount.returncode:
        pytest.skip("needs the right to mount")
    try:
        (tmp_path / "filler").write_bytes(b"")
        tmp_path.chmod(0o700)
        monkeypatch.setenv("LABS_WARM_FOLDER", str(tmp_path))
        assert ordinary()
    finally:
        subprocess.run(["umount", tmp_path], check=True)


def test_a_folder_that_cannot_be_made_is_an_ordinary_kernel(monkeypatch, tmp_path):
    (tmp_path / "file").write_text("")
    monkeypatch.setenv("LABS_WARM_FOLDER", str(tmp_path / "file" / "folder"))
    assert ordinary()
    assert any("folder" in reason for reason in command.reasons())


def test_a_process_that_cannot_import_is_tried_once_in_a_while(monkeypatch, tmp_path):
    monkeypatch.setenv("LABS_WARM_FOLDER", str(tmp_path / "own"))
    (tmp_path / "keras.py").write_text("raise ImportError('no Keras today')\n")
    env = {**os.environ, "PYTHONPATH": str(tmp_path)}
    assert ordinary(env=env)
    failure = client.failed(place.folder(), place.key({**env, **spec.content()["env"]}))
    assert "no Keras today" in failure
    began = time.monotonic()
    with pytest.raises(client.Unavailable, match="no Keras today"):
        client.prepare({**env, **spec.content()["env"]})
    assert time.monotonic() - began < 2


# --- its parts


def test_a_long_path_is_no_obstacle(monkeypatch, tmp_path):
    monkeypatch.setenv("LABS_WARM_FOLDER", str(tmp_path / ("x" * 120)))
    folder = place.folder()
    assert place.connect(folder, "none", 1) is None


def test_a_folder_of_another_user_is_refused(monkeypatch, tmp_path):
    monkeypatch.setenv("LABS_WARM_FOLDER", str(tmp_path))
    monkeypatch.setattr(os, "geteuid", lambda: 12345)
    with pytest.raises(PermissionError):
        place.folder()


def test_a_folder_open_to_others_is_refused_and_left_as_it_is(monkeypatch, tmp_path):
    tmp_path.chmod(0o755)
    monkeypatch.setenv("LABS_WARM_FOLDER", str(tmp_path))
    with pytest.raises(PermissionError, match="open to other users"):
        place.folder()
    assert tmp_path.stat().st_mode & 0o777 == 0o755


def test_settings_before_the_import_tell_processes_apart():
    env = {"HOME": "/h", "PATH": "/bin"}
    assert place.key(env) == place.key({**env, "PATH": "/usr/bin", "LABS_HOME": "/elsewhere"})
    for name in (
        "PYTHONHASHSEED",
        "XLA_FLAGS",
        "TF_USE_LEGACY_KERAS",
        "CUDA_VISIBLE_DEVICES",
        "OMP_NUM_THREADS",
    ):
        assert place.key(env) != place.key({**env, name: "1"}), name


def test_a_gpu_is_an_obstacle_unless_hidden(monkeypatch, tmp_path):
    (tmp_path / "nvidia0").write_text("")
    monkeypatch.setattr(obstacles, "GPUS", (str(tmp_path / "nvidia[0-9]*"),))
    assert any("GPU" in reason for reason in obstacles.of_machine({}))
    assert not list(obstacles.of_machine({"CUDA_VISIBLE_DEVICES": "-1"}))


@pytest.mark.parametrize("platform", ["darwin", "win32"])
def test_other_systems_have_ordinary_kernels(monkeypatch, platform):
    monkeypatch.setattr(sys, "platform", platform)
    assert any("Linux" in reason for reason in command.reasons())
    assert command.running() == []


def test_another_python_or_way_to_start_is_an_obstacle(tmp_path):
    mine = [sys.executable, "-m", "ipykernel_launcher", "-f", "x"]
    here = str(tmp_path)
    assert not list(obstacles.of_start(mine, here, {"env": {}}))
    assert list(obstacles.of_start(["/usr/bin/python3", *mine[1:]], here, {}))
    assert list(obstacles.of_start([sys.executable, "-X", "dev", *mine[1:]], here, {}))
    assert list(obstacles.of_start(mine, here, {"preexec_fn": print}))
    assert list(obstacles.of_start(mine, str(tmp_path / "none"), {}))


def test_every_variable_that_the_imports_read_is_known():
    """What is read before the fork and is not in the list would be taken from another kernel's environment."""
    code = """
import json, os
kind, read = type(os.environ), set()
original, given = kind.__getitem__, set(os.environ)
def recorded(self, name):
    read.add(name)
    return original(self, name)
kind.__getitem__ = recorded
from labs.kit.warm import preload
changes = preload.preload()
kind.__getitem__ = original
print(json.dumps([name for name in read - given - {*changes} if isinstance(name, str)]))
"""
    # tqdm looks at whatever is there, so that what is there tells nothing of what is looked for.
    env = {name: os.environ[name] for name in ("HOME", "PATH") if name in os.environ}
    done = subprocess.run(
        [sys.executable, "-c", code], env=env, capture_output=True, text=True, timeout=SECONDS, check=True
    )
    read = dict.fromkeys(json.loads(done.stdout.splitlines()[-1]), "")
    # The folder for temporary files is forgotten in a fork; what Jupyter sets for one kernel is set anew.
    again = {"TMPDIR", "TEMP", "TMP", "JPY_PARENT_PID", "JPY_INTERRUPT_EVENT"}
    # Asked for on other systems, by builders of documentation, and by terminals.
    elsewhere = {"ANDROID_DATA", "IN_SPHINX_RUN", "COLUMNS", "DISPLAY", "TERM"}
    assert {*read} - {*variables.before_import(read)} - again - elsewhere == set()


def test_the_kernelspec_is_installed_once(monkeypatch, tmp_path):
    monkeypatch.setattr(sys, "prefix", str(tmp_path))
    assert spec.install()
    assert not spec.install()
    spec.file().write_text("{}")
    assert spec.install()
    assert json.loads(spec.file().read_text())["argv"][0] == sys.executable
