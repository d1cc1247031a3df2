"""`labs doctor`: what is installed, used and there, and for each thing that is wrong, what mends it."""

import hashlib
import importlib.util
import json
import os
import shlex
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path

from labs.kit import paths
from labs.kit.cores import cores
from labs.kit.errors import LabsError

OK, NOTE, WRONG = "ok", "note", "wrong"

TENSORFLOW_SECONDS = 240
ROOM_BYTES = 500_000_000

DEVICES = """
import json
import tensorflow as tf
gpus = [tf.config.experimental.get_device_details(gpu).get("device_name", gpu.name)
        for gpu in tf.config.list_physical_devices("GPU")]
total = float(tf.reduce_sum(tf.ones((2, 2)) @ tf.ones((2, 2))))
print(json.dumps({"version": tf.__version__, "gpus": gpus, "total": total}))
"""
"""Run in a process of its own: an import that crashes or hangs must not take the doctor with it."""


@dataclass(frozen=True)
class Finding:
    """One thing looked at.

    Attributes:
        name: what was looked at.
        state: `ok`, `note` (works, but could be better) or `wrong`.
        says: what was found.
        mend: the command that mends it; empty if there is nothing to mend.
    """

    name: str
    state: str
    says: str
    mend: str = ""


def command(as_json: bool) -> int:
    """Look at everything, print a table or one JSON object, and return 1 if something is wrong."""
    findings = []
    if as_json:
        findings = [finding for look in LOOKS for finding in _look(look)]
        ok = not any(finding.state == WRONG for finding in findings)
        print(json.dumps({"ok": ok, "findings": [asdict(finding) for finding in findings]}, indent=2))
        return int(not ok)
    from rich.console import Console

    console = Console()
    with Console(stderr=True).status("looking") as status:
        for look in LOOKS:
            status.update(f"looking at {look.__name__.replace('_', ' ')}")
            findings += _look(look)
    _print(findings, console)
    return int(any(finding.state == WRONG for finding in findings))


def _look(look: Callable[[], Iterator[Finding]]) -> list[Finding]:
    try:
        return list(look())
    except LabsError as error:
        return [Finding(look.__name__.replace("_", " "), WRONG, str(error))]


def _print(findings: list[Finding], console) -> None:
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    table.add_column("", no_wrap=True)
    table.add_column("looked at", no_wrap=True)
    table.add_column("found", overflow="fold")
    styles = {OK: "green", NOTE: "yellow", WRONG: "bold red"}
    for finding in findings:
        table.add_row(Text(finding.state, styles[finding.state]), finding.name, Text(finding.says))
    console.print(table)
    # Beneath the table and not in it: a command that is folded cannot be copied.
    for state, heading in ((WRONG, "What mends it"), (NOTE, "If you want to")):
        mends = list(dict.fromkeys(found.mend for found in findings if found.state == state and found.mend))
        if mends:
            print(f"\n{heading}:")
        for mend in mends:
            print(f"  {mend}")


def python() -> Iterator[Finding]:
    """Look at the interpreter."""
    found = ".".join(map(str, sys.version_info[:3]))
    if (3, 11) <= sys.version_info < (3, 14):
        yield Finding("Python", OK, f"{found} in {sys.prefix}")
    else:
        yield Finding("Python", WRONG, f"{found}; the labs need 3.11 to 3.13", _make("lab PYTHON=python3.12"))


def packages() -> Iterator[Finding]:
    """Compare what is installed with the lock."""
    from packaging.requirements import Requirement
    from packaging.utils import canonicalize_name

    lock = paths.ROOT / "requirements" / "learn.txt"
    if not lock.is_file():
        yield Finding("packages", NOTE, "there is no lock to compare with outside of a checkout")
        return
    pinned = [
        Requirement(line.split("\\")[0]) for line in lock.read_text("utf-8").splitlines() if "==" in line
    ]
    pinned = [pin for pin in pinned if pin.marker is None or pin.marker.evaluate()]
    missing, other = [], []
    for pin in pinned:
        try:
            present = version(pin.name)
            if not pin.specifier.contains(present, prereleases=True):
                other.append(f"{canonicalize_name(pin.name)} {present} instead of {str(pin.specifier)[2:]}")
        except PackageNotFoundError:
            missing.append(canonicalize_name(pin.name))
    if not missing and not other:
        yield Finding("packages", OK, f"all {len(pinned)} are the locked versions")
        return
    says = [f"missing: {_some(missing)}"] * bool(missing) + [f"not as locked: {_some(other)}"] * bool(other)
    flags = "--require-hashes --no-build-isolation"
    yield Finding(
        "packages", WRONG, "; ".join(says), f"{_python()} -m pip install {flags} -r {_quoted(lock)}"
    )


def bytecode() -> Iterator[Finding]:
    """Look whether the packages were compiled when they were installed."""
    bare, site = [], None
    for package, module in (("tensorflow", "python/framework/ops.py"), ("keras", "src/models/model.py")):
        spec = importlib.util.find_spec(package)
        if spec and spec.origin:
            folder = Path(spec.origin).parent
            site = folder.parent
            sources = [source for source in (folder / "__init__.py", folder / module) if source.is_file()]
            bare += [s for s in sources if not Path(importlib.util.cache_from_source(str(s))).is_file()]
    if site is None:
        return
    if bare:
        mend = f"{_python()} -m compileall -qq -j 0 {_quoted(site)}"
        yield Finding("bytecode", WRONG, "not compiled: TensorFlow takes three times as long to start", mend)
    else:
        yield Finding("bytecode", OK, "compiled")


def tensorflow() -> Iterator[Finding]:
    """Import TensorFlow, compute something, and ask for its devices."""
    try:
        done = subprocess.run(
            [sys.executable, "-c", DEVICES],
            env={**os.environ, "TF_CPP_MIN_LOG_LEVEL": "3"},
            capture_output=True,
            text=True,
            timeout=TENSORFLOW_SECONDS,
        )
        answer = json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else None
    except subprocess.TimeoutExpired:
        yield Finding(
            "TensorFlow", WRONG, f"does not answer within {TENSORFLOW_SECONDS} s", _mend_tensorflow()
        )
        return
    if answer is None:
        last = (done.stderr.strip().splitlines() or [f"it ended with status {done.returncode}"])[-1]
        yield Finding("TensorFlow", WRONG, f"cannot be used: {last}", _mend_tensorflow())
        return
    if answer["total"] != 8:
        yield Finding("TensorFlow", WRONG, f"{answer['version']} computes wrongly", _mend_tensorflow())
        return
    yield Finding("TensorFlow", OK, answer["version"])
    if answer["gpus"]:
        yield Finding("device", OK, "GPU: " + ", ".join(answer["gpus"]))
        return
    card = _nvidia()
    if card:
        yield Finding("device", NOTE, f"CPU; TensorFlow does not use the {card}", _make("lab GPU=1"))
    else:
        yield Finding("device", OK, f"CPU, {cores()} cores")


def _nvidia() -> str:
    if not shutil.which("nvidia-smi"):
        return ""
    ask = ["nvidia-smi", "--query-gpu=name", "--format=csv,noheader"]
    try:
        done = subprocess.run(ask, capture_output=True, text=True, timeout=20)
    except (OSError, subprocess.TimeoutExpired):
        return ""
    return done.stdout.strip().splitlines()[0] if done.returncode == 0 and done.stdout.strip() else ""


def data() -> Iterator[Finding]:
    """Compare the embedded data sets with their hashes, and list the fetched ones."""
    from labs.kit import data

    sums = paths.data() / "SHA256SUMS"
    mend = _restore("data")
    try:
        listed = [line.split(maxsplit=1) for line in sums.read_text("utf-8").splitlines() if line.strip()]
    except OSError as error:
        yield Finding("data", WRONG, f"{sums} cannot be read ({error.strerror})", mend)
        return
    bad = []
    for digest, name in listed:
        name = name.removeprefix("*")
        try:
            with open(paths.data() / name, "rb") as file:
                if hashlib.file_digest(file, "sha256").hexdigest() != digest:
                    bad.append(f"{name} is damaged")
        except OSError:
            bad.append(f"{name} is missing")
    if bad:
        yield Finding("data", WRONG, _some(bad), mend)
        return
    sets = data.catalog()
    yield Finding("data", OK, f"{', '.join(sets)}: {len(listed)} files with their hashes")
    fetchable = [name for name, one in sets.items() if one.full]
    there = [name for name in fetchable if data.fetched(name)]
    for name in there:
        yield Finding("full data", OK, f"{name} in {data.fetched(name)}")
    for name in (name for name in fetchable if name not in there):
        yield Finding(
            "full data", NOTE, f"{name} is not fetched; the labs run without it", _labs(f"fetch {name}")
        )


def notebooks() -> Iterator[Finding]:
    """Look whether every lab's notebooks are built."""
    from labs.kit import curriculum

    names = list(curriculum.load().labs)
    unbuilt = [name for name in names if not all(map(_is_notebook, _built(name)))]
    if unbuilt:
        # A learner has no tools to build with: the notebooks came with the checkout and do so again.
        author = importlib.util.find_spec("jupytext")
        mend = _labs(f"build {' '.join(unbuilt)}") if author else _restore("notebooks")
        yield Finding("notebooks", WRONG, f"not built: {_some(unbuilt)}", mend)
    else:
        yield Finding("notebooks", OK, f"built for all labs ({len(names)}), to learn with and worked")


def _built(name: str) -> list[Path]:
    return [paths.notebooks() / kind / f"{name}.ipynb" for kind in ("learn", "worked")]


def _is_notebook(path: Path) -> bool:
    try:
        return "cells" in json.loads(path.read_text("utf-8"))
    except (OSError, ValueError):
        return False


def kernel() -> Iterator[Finding]:
    """Look which Python a notebook would run on."""
    if not importlib.util.find_spec("jupyter_client"):
        yield Finding("kernel", WRONG, "Jupyter is not installed", _make("lab"))
        return
    # As `labs start` sets it: this environment's kernel goes before one of the same name elsewhere.
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
    from jupyter_client.kernelspec import KernelSpecManager, NoSuchKernel

    mend = f"{_python()} -m ipykernel install --sys-prefix"
    try:
        start = KernelSpecManager().get_kernel_spec("python3").argv[0]
    except NoSuchKernel:
        yield Finding("kernel", WRONG, "Jupyter finds no kernel called python3", mend)
        return
    named = shutil.which(start) or start
    # Jupyter takes a bare name for the Python that it runs on itself.
    bare = start in {"python", "python3", f"python3.{sys.version_info.minor}"}
    if bare or Path(named).absolute().parent == Path(sys.executable).absolute().parent:
        yield Finding("kernel", OK, f"python3 runs {sys.executable}")
    else:
        yield Finding("kernel", WRONG, f"python3 runs {start}, which is not this environment", mend)


def warm_kernels() -> Iterator[Finding]:
    """Look whether kernels are forked from a process that has imported TensorFlow, and if not, why."""
    from labs.kit.warm import command, spec

    why = list(command.reasons())
    if not why:
        yield Finding("warm kernels", OK, "used: a notebook's kernel is ready at once")
    else:
        mend = _make("lab") if not spec.is_registered() else ""
        mend = mend or (_labs("kernel install") if not spec.is_installed() else "")
        yield Finding("warm kernels", NOTE, f"not used: {_some(why)}", mend)


def panel() -> Iterator[Finding]:
    """Look whether JupyterLab has the panel of the labs."""
    from labs.kit.jupyterlab import extension

    if extension.is_installed():
        yield Finding("panel", OK, "JupyterLab shows the labs and your progress")
    else:
        says = "JupyterLab has no panel of the labs, or an older one"
        yield Finding("panel", NOTE, says, _labs("kernel install"))


def learner() -> Iterator[Finding]:
    """Look at the learner's folders."""
    for name, folder, variable in (
        ("your notebooks", paths.workspace(), "LABS_WORKSPACE"),
        ("your folder", paths.home(), "LABS_HOME"),
    ):
        standing = next(place for place in (folder, *folder.parents) if place.exists())
        elsewhere = f"export {variable}=/a/folder/that/you/can/write"
        if not standing.is_dir():
            yield Finding(name, WRONG, f"{standing} is a file, not a folder", elsewhere)
        elif not os.access(standing, os.W_OK | os.X_OK):
            yield Finding(name, WRONG, f"{standing} cannot be written", elsewhere)
        elif shutil.disk_usage(standing).free < ROOM_BYTES:
            free = shutil.disk_usage(standing).free / 1e6
            yield Finding(name, NOTE, f"{standing} has {free:.0f} MB of room left", elsewhere)
        else:
            yield Finding(name, OK, str(folder) if folder.exists() else f"{folder}, made when it is needed")
    yield from _progress()


def _progress() -> Iterator[Finding]:
    from labs.kit import progress

    file = progress.path()
    aside = f"mv {_quoted(file)} {_quoted(file)}.damaged"
    try:
        lines = [line for line in file.read_bytes().split(b"\n") if line.strip()]
    except FileNotFoundError:
        yield Finding("progress", OK, "none yet")
        return
    except PermissionError:
        yield Finding("progress", WRONG, f"{file} cannot be read", f"chmod u+rw {_quoted(file)}")
        return
    except OSError as error:
        yield Finding("progress", WRONG, f"{file} cannot be read ({error.strerror})", aside)
        return
    read = len(progress.events())
    if read == len(lines):
        yield Finding("progress", OK, f"{read} entries")
    elif read:
        yield Finding("progress", NOTE, f"{read} entries; {len(lines) - read} damaged ones are passed over")
    else:
        yield Finding("progress", WRONG, f"nothing in {file} can be read", aside)


def browser() -> Iterator[Finding]:
    """Look for the browser that the tests drive; learners need none of it."""
    if not importlib.util.find_spec("playwright"):
        return
    names = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
    found = next(filter(None, map(shutil.which, names)), None)
    if found:
        yield Finding("browser tests", OK, found)
    elif shutil.which("apt-get"):
        yield Finding("browser tests", WRONG, "there is no Chromium", "sudo apt-get install chromium")
    else:
        yield Finding(
            "browser tests", WRONG, "there is no Chromium", f"{_python()} -m playwright install chromium"
        )


LOOKS = (
    python,
    packages,
    bytecode,
    tensorflow,
    data,
    notebooks,
    kernel,
    warm_kernels,
    panel,
    learner,
    browser,
)


def _some(things: list[str], most: int = 4) -> str:
    rest = len(things) - most
    return ", ".join(things[:most]) + (f" and {rest} more" if rest > 0 else "")


def _quoted(path: Path) -> str:
    return shlex.quote(str(path))


def _python() -> str:
    return shlex.quote(sys.executable)


def _make(target: str) -> str:
    return f"make -C {_quoted(paths.ROOT)} {target}"


def _labs(arguments: str) -> str:
    found = shutil.which("labs")
    mine = found and Path(found).parent == Path(sys.executable).parent
    return f"labs {arguments}" if mine else f"{_python()} -m labs {arguments}"


def _restore(folder: str) -> str:
    return f"git -C {_quoted(paths.ROOT)} checkout -- {folder}"


def _mend_tensorflow() -> str:
    # What TensorFlow stumbles over is most often another package: those are mended first.
    wrong = [finding.mend for finding in packages() if finding.state == WRONG]
    lock = _quoted(paths.ROOT / "requirements" / "learn.txt")
    flags = "--force-reinstall --no-deps --require-hashes"
    return wrong[0] if wrong else f"{_python()} -m pip install {flags} -c {lock} tensorflow"
