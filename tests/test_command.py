"""The command `labs`: its subcommands, what it says when something is wrong, and the doctor."""

import hashlib
import json
import os
import re
import signal
import socket
import subprocess
import sys
import time
import urllib.request
from pathlib import Path

import pytest
import typer
from typer.testing import CliRunner

from labs.kit import curriculum, paths
from labs.kit.command import cli, doctor
from labs.kit.command import start as starting
from labs.kit.curriculum import Curriculum, Lab, Module
from labs.kit.errors import LabsError

FIRST = Lab(
    name="keras/first",
    folder=Path("/nowhere"),
    title="A first lab",
    promise="Something.",
    minutes=5,
    level="beginner",
    outcomes=("do it",),
    cpu_seconds=10,
)
SECOND = Lab(**{**vars(FIRST), "name": "keras/second", "title": "A second lab"})
CURRICULUM = Curriculum(
    (Module("keras", "Models", ("keras/first", "keras/second")),),
    {lab.name: lab for lab in (FIRST, SECOND)},
)


def notebook(source="1"):
    return json.dumps(
        {
            "cells": [],
            "metadata": {
                "labs": {"source": source},
                "kernelspec": {"name": "python3", "display_name": "Python 3"},
            },
            "nbformat": 4,
            "nbformat_minor": 5,
        }
    )


@pytest.fixture
def learner(tmp_path, monkeypatch):
    """A learner's empty folders and a curriculum of two built labs."""
    built = tmp_path / "notebooks"
    for name in CURRICULUM.labs:
        for kind in ("learn", "worked"):
            path = built / kind / f"{name}.ipynb"
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(notebook())
    monkeypatch.setattr(paths, "notebooks", lambda: built)
    monkeypatch.setattr(curriculum, "load", lambda: CURRICULUM)
    monkeypatch.setenv("LABS_WORKSPACE", str(tmp_path / "work"))
    monkeypatch.setenv("LABS_HOME", str(tmp_path / "home"))
    return tmp_path


def invoke(*arguments):
    return CliRunner().invoke(cli.app, list(arguments), prog_name="labs")


def run(*arguments, **more):
    return subprocess.run([sys.executable, "-m", "labs", *arguments], capture_output=True, text=True, **more)


# --- the command


def test_bare_command_says_what_one_can_do(learner):
    result = invoke()
    assert result.exit_code == 0
    for name in ("start", "list", "progress", "doctor"):
        assert f"labs {name}" in result.stdout


def test_version():
    assert re.fullmatch(r"labs \d+\.\d+\.\d+\n", invoke("--version").stdout)


def test_every_subcommand_has_help_with_an_example():
    commands = typer.main.get_command(cli.app).commands
    assert set(commands) >= {"start", "list", "doctor", "fetch", "build", "verify", "progress"}
    for name in commands:
        result = invoke(name, "--help")
        assert result.exit_code == 0
        assert f"Example: labs {name}" in result.stdout


def test_examples_name_labs_that_exist():
    commands = typer.main.get_command(cli.app).commands.values()
    named = {
        word for command in commands for word in re.findall(r"\w+/[\w-]+", command.help.replace("[/", "["))
    }
    assert named
    assert named <= set(curriculum.load().labs)


def test_start_up_leaves_the_heavy_packages_alone():
    code = (
        "import sys; from labs.kit.command import cli\n"
        "heavy = {'tensorflow', 'keras', 'jupyterlab', 'nbformat', 'jsonschema', 'matplotlib.pyplot'}\n"
        "print(sorted(heavy & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, text=True).stdout == "[]\n"


def test_a_mistake_ends_in_one_sentence_on_stderr():
    result = run("start", "keras/sequentail")
    assert result.returncode == 1
    assert result.stdout == ""
    assert len(result.stderr.splitlines()) == 1
    assert "Did you mean `keras/sequential`?" in result.stderr


def test_an_interrupt_is_quiet(learner, monkeypatch):
    def interrupted():
        raise KeyboardInterrupt

    monkeypatch.setattr(curriculum, "load", interrupted)
    result = invoke("list")
    assert result.exit_code == 130
    assert result.output == ""


def test_a_defect_keeps_its_traceback(learner, monkeypatch):
    monkeypatch.setattr(curriculum, "load", lambda: 1 / 0)
    assert isinstance(invoke("list").exception, ZeroDivisionError)


def test_list_shows_modules_and_labs_in_order(learner):
    printed = invoke("list").stdout
    assert printed.index("Models") < printed.index("keras/first") < printed.index("keras/second")
    assert "beginner" in printed


def test_progress_shows_every_lab(learner, monkeypatch):
    from labs.kit import progress

    row = {"lab": "keras/first", "passed": 1, "exercises": 3, "points": 2, "of_points": 7}
    monkeypatch.setattr(progress, "report", lambda _: [row])
    assert re.search(r"keras/first +1 of 3 +2 of 7 +0 of 0", invoke("progress").stdout)
    asked = {"questions": 0, "answered": 0, "right_at_once": 0}
    assert json.loads(invoke("progress", "--json").stdout) == [row | asked]


@pytest.mark.parametrize(("name", "option"), [("build", {"check": True}), ("verify", {"json": True})])
def test_authors_commands_hand_over_names_and_status(monkeypatch, name, option):
    import importlib

    module = importlib.import_module(f"labs.kit.author.{name}")
    seen = []

    def command(names, **given):
        seen.append((names, given))
        return 1

    monkeypatch.setattr(module, "command", command)
    assert invoke(name, "keras/first", *(f"--{key}" for key in option)).exit_code == 1
    ((names, given),) = seen
    assert names == ["keras/first"] and option.items() <= given.items()


def test_authors_commands_say_what_a_learner_lacks(monkeypatch):
    monkeypatch.setattr("labs.kit.command.cli.find_spec", lambda name: None)
    result = invoke("build", "no/lab")  # one that cannot be built, should it come to that
    assert result.exit_code == 1
    assert "make environment" in result.stderr


def test_fetch_shows_progress_and_prints_the_sentence(monkeypatch):
    from labs.kit import data

    def fetch(name, on_progress):
        on_progress("downloading", 1_000_000, 2_000_000)
        on_progress("preparing", 10, 20)
        return f"{name} is in its place."

    monkeypatch.setattr(data, "fetch", fetch)
    result = invoke("fetch", "fashion_mnist")
    assert result.exit_code == 0
    assert result.stdout == "fashion_mnist is in its place.\n"


# --- start


def test_a_taken_port_is_named(learner):
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        result = invoke("start", "--port", str(port), "--no-browser")
    assert result.exit_code == 1
    assert f"Port {port} cannot be used" in result.stderr


def test_without_any_lab_start_says_so():
    with pytest.raises(LabsError, match="no lab here"):
        starting.start(Curriculum(()), None, False, None)


SERVE = """
import sys
from pathlib import Path
from labs.kit import curriculum, paths
from labs.kit.command import cli
from labs.kit.curriculum import Curriculum, Lab, Module

lab = Lab(**{fields})
curriculum.load = lambda: Curriculum((Module("keras", "Models", (lab.name,)),), {{lab.name: lab}})
paths.notebooks = lambda: Path({notebooks})
sys.argv = ["labs", "start", "--no-browser"]
cli.main()
"""


def test_start_serves_the_first_lab_until_interrupted(learner):
    code = SERVE.format(fields={**vars(FIRST), "folder": None}, notebooks=repr(str(learner / "notebooks")))
    server = subprocess.Popen(
        [sys.executable, "-c", code],
        cwd=learner,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        env={**os.environ, "PYTHONPATH": str(paths.ROOT)},
    )
    try:
        address = None
        for line in server.stdout:
            address = address or re.search(r"http://\S+", line)
            if "another machine" in line:
                break
        assert address, server.stderr.read()
        base, _, token = address.group().partition("/lab/tree/keras/first.ipynb?token=")
        with urllib.request.urlopen(
            f"{base}/api/contents/keras/first.ipynb?token={token}", timeout=20
        ) as answer:
            assert json.load(answer)["type"] == "notebook"
        with urllib.request.urlopen(f"{base}/api/kernelspecs?token={token}", timeout=20) as answer:
            assert "python3" in json.load(answer)["kernelspecs"]
        with urllib.request.urlopen(f"{base}/lab?token={token}", timeout=20) as answer:
            assert (
                starting.ANNOUNCEMENTS
                in re.search(r'"disabledExtensions": \[[^]]*\]', answer.read().decode()).group()
            )
        began = time.monotonic()
        server.send_signal(signal.SIGINT)
        _, errors = server.communicate(timeout=20)
        assert server.returncode == 0
        assert time.monotonic() - began < 10
        assert "Traceback" not in errors
    finally:
        server.kill()


# --- the doctor


def findings(look):
    return doctor._look(look)


def only(look):
    (finding,) = findings(look)
    return finding


def test_python_is_in_order():
    assert only(doctor.python).state == doctor.OK


def test_packages_that_differ_from_the_lock_are_named(tmp_path, monkeypatch):
    (tmp_path / "requirements").mkdir()
    lock = tmp_path / "requirements" / "learn.txt"
    monkeypatch.setattr(paths, "ROOT", tmp_path)
    hashed = " \\\n    --hash=sha256:0\n"
    lock.write_text(
        f"rich==1.0{hashed}no-such-package==2.0{hashed}never-here==1.0 ; python_full_version < '3'{hashed}"
    )
    finding = only(doctor.packages)
    assert finding.state == doctor.WRONG
    assert re.search(r"missing: no-such-package; not as locked: rich \S+ instead of 1\.0", finding.says)
    assert finding.mend.endswith(f"-r {lock}")
    assert "never-here" not in finding.says
    lock.write_text("")
    assert only(doctor.packages).state == doctor.OK


def test_bytecode_that_is_missing_is_found_and_the_command_mends_it(tmp_path, monkeypatch):
    source = tmp_path / "tensorflow" / "__init__.py"
    source.parent.mkdir()
    source.write_text("x = 1\n")
    fake = type("Spec", (), {"origin": str(source)})()
    monkeypatch.setattr("importlib.util.find_spec", lambda name: fake if name == "tensorflow" else None)
    finding = only(doctor.bytecode)
    assert finding.state == doctor.WRONG
    subprocess.run(finding.mend, shell=True, check=True)
    assert only(doctor.bytecode).state == doctor.OK


@pytest.fixture
def packages_in_order(monkeypatch):
    monkeypatch.setattr(doctor, "packages", lambda: iter(()))


def answering(monkeypatch, code):
    monkeypatch.setattr(doctor, "DEVICES", code)
    return findings(doctor.tensorflow)


def test_a_tensorflow_that_cannot_be_imported_is_quoted(monkeypatch, packages_in_order):
    (finding,) = answering(monkeypatch, "raise ImportError('libcudart is not there')")
    assert finding.state == doctor.WRONG
    assert "ImportError: libcudart is not there" in finding.says
    assert finding.mend.endswith("tensorflow")


def test_a_tensorflow_that_crashes_or_hangs_does_not_take_the_doctor_along(monkeypatch, packages_in_order):
    (finding,) = answering(monkeypatch, "import os; os.abort()")
    assert "status -6" in finding.says
    monkeypatch.setattr(doctor, "TENSORFLOW_SECONDS", 0.5)
    (finding,) = answering(monkeypatch, "import time; time.sleep(60)")
    assert finding.state == doctor.WRONG
    assert "does not answer" in finding.says


def test_packages_are_mended_before_tensorflow(monkeypatch):
    wrong = doctor.Finding("packages", doctor.WRONG, "missing: numpy", "pip install -r lock")
    monkeypatch.setattr(doctor, "packages", lambda: iter([wrong]))
    (finding,) = answering(monkeypatch, "import no_such_module")
    assert finding.mend == "pip install -r lock"


def says(monkeypatch, gpus, card=""):
    monkeypatch.setattr(doctor, "_nvidia", lambda: card)
    answer = {"version": "2.21.0", "gpus": gpus, "total": 8.0}
    return answering(monkeypatch, f"print({json.dumps(json.dumps(answer))})")[-1]


def test_the_device_is_named(monkeypatch):
    assert says(monkeypatch, ["NVIDIA L4"]).says == "GPU: NVIDIA L4"
    assert says(monkeypatch, []).says.startswith("CPU")
    idle = says(monkeypatch, [], card="NVIDIA L4")
    assert idle.state == doctor.NOTE
    assert idle.mend.endswith("lab GPU=1")


@pytest.fixture
def embedded(tmp_path, monkeypatch):
    from labs.kit import data

    folder = tmp_path / "data"
    (folder / "some").mkdir(parents=True)
    (folder / "some" / "file.bin").write_bytes(b"whole")
    digest = hashlib.sha256(b"whole").hexdigest()
    (folder / "SHA256SUMS").write_text(f"{digest}  some/file.bin\n")
    monkeypatch.setattr(paths, "data", lambda: folder)
    monkeypatch.setattr(data, "catalog", dict)
    return folder


def test_data_is_held_to_its_hashes(embedded):
    assert only(doctor.data).state == doctor.OK
    (embedded / "some" / "file.bin").write_bytes(b"other")
    finding = only(doctor.data)
    assert (finding.state, finding.says) == (doctor.WRONG, "some/file.bin is damaged")
    assert finding.mend.endswith("checkout -- data")
    (embedded / "some" / "file.bin").unlink()
    assert only(doctor.data).says == "some/file.bin is missing"
    (embedded / "SHA256SUMS").unlink()
    assert "SHA256SUMS cannot be read" in only(doctor.data).says


def test_a_mending_command_runs_without_an_activated_environment(monkeypatch):
    monkeypatch.setenv("PATH", "/usr/bin:/bin")
    assert doctor._labs("list") == f"{sys.executable} -m labs list"
    monkeypatch.setenv("PATH", str(Path(sys.executable).parent))
    monkeypatch.setattr(doctor.shutil, "which", lambda name: str(Path(sys.executable).parent / name))
    assert doctor._labs("list") == "labs list"


def test_notebooks_that_are_not_built_are_named(learner):
    assert only(doctor.notebooks).state == doctor.OK
    (learner / "notebooks" / "worked" / "keras" / "second.ipynb").write_text("{")
    finding = only(doctor.notebooks)
    assert finding.says == "not built: keras/second"
    assert finding.mend.endswith("build keras/second")


def test_a_curriculum_that_cannot_be_read_is_a_finding(monkeypatch):
    def broken():
        raise LabsError("The list is broken.")

    monkeypatch.setattr(curriculum, "load", broken)
    assert only(doctor.notebooks) == doctor.Finding("notebooks", doctor.WRONG, "The list is broken.")


def test_a_kernel_of_another_python_is_found(tmp_path, monkeypatch):
    monkeypatch.delenv("JUPYTER_PATH", raising=False)
    assert only(doctor.kernel).state == doctor.OK
    spec = tmp_path / "kernels" / "python3" / "kernel.json"
    spec.parent.mkdir(parents=True)
    spec.write_text(
        json.dumps({"argv": ["/opt/other/bin/python"], "display_name": "x", "language": "python"})
    )
    monkeypatch.setenv("JUPYTER_PATH", str(tmp_path))
    finding = only(doctor.kernel)
    assert finding.state == doctor.WRONG
    assert "/opt/other/bin/python" in finding.says


def test_folders_that_cannot_be_used_are_found(learner):
    assert {finding.state for finding in findings(doctor.learner)} == {doctor.OK}
    (learner / "work").write_text("a file")
    work = findings(doctor.learner)[0]
    assert work.state == doctor.WRONG
    assert "LABS_WORKSPACE" in work.mend


@pytest.mark.parametrize(
    ("content", "state"),
    [
        (b'{"kind": "check", "lab": "a/b", "exercise": "c"}\n', doctor.OK),
        (b'{"kind": "check", "lab": "a/b", "exercise": "c"}\n{"kind": "ch', doctor.NOTE),
        (b"\x00\xff\x00 not a line of it", doctor.WRONG),
        (None, doctor.WRONG),
    ],
)
def test_progress_is_looked_at(learner, content, state):
    from labs.kit import progress

    file = progress.path()
    file.parent.mkdir(parents=True)
    file.mkdir() if content is None else file.write_bytes(content)
    finding = findings(doctor.learner)[-1]
    assert finding.state == state
    if state == doctor.WRONG:
        subprocess.run(finding.mend, shell=True, check=True)
        assert findings(doctor.learner)[-1].state == doctor.OK


def test_a_missing_browser_is_found(monkeypatch):
    monkeypatch.setattr(
        doctor.shutil, "which", lambda name: "/usr/bin/apt-get" if name == "apt-get" else None
    )
    finding = only(doctor.browser)
    assert finding.state == doctor.WRONG
    assert finding.mend == "sudo apt-get install chromium"


def test_the_doctor_counts_only_what_is_wrong(monkeypatch):
    def fine():
        yield doctor.Finding("one", doctor.OK, "there")
        yield doctor.Finding("two", doctor.NOTE, "could be there", "labs fetch two")

    def broken():
        yield doctor.Finding("three", doctor.WRONG, "is [not] there", "mend three " + "and more " * 20)

    monkeypatch.setattr(doctor, "LOOKS", (fine,))
    assert invoke("doctor").exit_code == 0
    monkeypatch.setattr(doctor, "LOOKS", (fine, broken))
    result = invoke("doctor")
    assert result.exit_code == 1
    assert "is [not] there" in result.stdout
    assert "  mend three " + "and more " * 20 in result.stdout
    result = invoke("doctor", "--json")
    assert result.exit_code == 1
    printed = json.loads(result.stdout)
    assert printed["ok"] is False
    assert [one["state"] for one in printed["findings"]] == ["ok", "note", "wrong"]
