"""The locks, the set-up of the environment, and what CI runs."""

import ast
import importlib.util
import json
import os
import re
import stat
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
import yaml
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

ROOT = Path(__file__).resolve().parent.parent
PROJECT = tomllib.loads((ROOT / "pyproject.toml").read_text())
LOCKS = ("build", "learn", "dev", "gpu")


def tool(name):
    spec = importlib.util.spec_from_file_location(name, ROOT / "tools" / f"{name}.py")
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


environment = tool("environment")
lock = tool("lock")


def text(name):
    return (ROOT / "requirements" / f"{name}.txt").read_text()


def locked(name):
    """Return package -> its locked requirements; several where they differ by Python."""
    found = {}
    for pin in map(Requirement, lock.pins(text(name))):
        found.setdefault(canonicalize_name(pin.name), set()).add((str(pin.specifier), str(pin.marker)))
    return found


# --- the locks


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("learn", PROJECT["project"]["dependencies"]),
        ("dev", PROJECT["project"]["dependencies"] + PROJECT["project"]["optional-dependencies"]["dev"]),
        ("gpu", PROJECT["project"]["dependencies"] + PROJECT["project"]["optional-dependencies"]["gpu"]),
        ("build", [*PROJECT["build-system"]["requires"], "pip", "setuptools", "wheel"]),
    ],
)
def test_lock_has_every_dependency_in_its_range(name, wanted):
    pins = locked(name)
    for requirement in map(Requirement, wanted):
        versions = {spec.removeprefix("==") for spec, _ in pins[canonicalize_name(requirement.name)]}
        assert all(requirement.specifier.contains(version) for version in versions), requirement


@pytest.mark.parametrize("name", LOCKS)
def test_lock_has_exact_versions_with_hashes_and_no_address(name):
    entries = re.sub(r"\\\n", " ", text(name)).strip().splitlines()
    assert entries
    for entry in entries:
        assert re.match(r"[A-Za-z0-9._-]+==[^ ]+ ( ; .*)?", entry.replace(" ;", "  ;")), entry
        hashes = re.findall(r"--hash=\S+", entry)
        assert hashes, entry
        assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}", one) for one in hashes), entry
    assert "://" not in text(name)
    assert "--index" not in text(name)


def test_locks_agree_with_each_other():
    learn, dev, gpu, build = (locked(name) for name in ("learn", "dev", "gpu", "build"))
    assert learn.items() <= dev.items()
    assert learn.items() <= gpu.items()
    assert {name for name in gpu if name not in learn} == {name for name in gpu if name.startswith("nvidia-")}
    assert build.keys() - dev.keys() == {"pip"}
    assert {name: pin for name, pin in build.items() if name != "pip"}.items() <= dev.items()


def test_conda_file_is_what_the_lock_makes():
    made = lock.environment_yml(PROJECT["project"], text("learn"))
    assert (ROOT / "environment.yml").read_text() == made
    parsed = yaml.safe_load(made)
    python, _, pip = parsed["dependencies"]
    assert python == "python>=3.11,<3.14"
    assert pip["pip"][-1] == "-e ."
    assert [str(Requirement(pin)) for pin in pip["pip"][:-1]] == [
        str(Requirement(pin)) for pin in lock.pins(text("learn"))
    ]
    assert "--hash" not in made


# --- the set-up


class Checkout:
    """A checkout whose set-up writes down its long commands instead of running them."""

    def __init__(self, root):
        self.root = root
        self.ran = []
        (root / "requirements").mkdir()
        for name in LOCKS:
            (root / "requirements" / f"{name}.txt").write_text(f"{name}==1 --hash=sha256:0\n")
        (root / "pyproject.toml").write_text("[project]\n")

    @property
    def python(self):
        return self.root / ".venv" / "bin" / "python"

    def run(self, what, command, log, must=True):
        self.ran.append(" ".join(command))
        if "-m venv" in self.ran[-1]:
            self.python.parent.mkdir(parents=True)
            self.python.symlink_to(sys.executable)

    def set_up(self, *profiles, **more):
        """Set up and return what was run."""
        self.ran.clear()
        environment.set_up(profiles, tool="pip", root=str(self.root), **more)
        return list(self.ran)


@pytest.fixture
def checkout(tmp_path, monkeypatch):
    made = Checkout(tmp_path)
    monkeypatch.setattr(environment, "run", made.run)
    monkeypatch.setattr(environment, "has_pip", lambda _: True)
    monkeypatch.setattr(environment, "candidates", lambda uv: [sys.executable])
    return made


def test_setup_does_everything_once_and_then_nothing(checkout):
    made, build, learn, compiled, project, kernel = checkout.set_up("learn")
    assert "-m venv" in made
    assert "--require-hashes -r requirements/build.txt" in build
    assert "--require-hashes --no-build-isolation -r requirements/learn.txt" in learn
    assert "compileall" in compiled
    assert "--editable ." in project
    assert "labs kernel install" in kernel
    assert checkout.set_up("learn") == []


def test_environment_of_authors_serves_learners_too(checkout):
    assert any("dev.txt" in command for command in checkout.set_up("dev"))
    assert checkout.set_up("learn") == []


def test_adding_to_an_environment_takes_nothing_away(checkout):
    checkout.set_up("dev")
    ran = " ".join(checkout.set_up("learn", "gpu"))
    assert "dev.txt" in ran
    assert "gpu.txt" in ran
    assert checkout.set_up("dev") == checkout.set_up("gpu") == checkout.set_up("learn") == []


def test_a_changed_lock_is_installed(checkout):
    checkout.set_up("learn")
    (checkout.root / "requirements" / "learn.txt").write_text("learn==2 --hash=sha256:0\n")
    assert any("learn.txt" in command for command in checkout.set_up("learn"))


def test_a_changed_project_installs_the_project_alone(checkout):
    checkout.set_up("learn")
    (checkout.root / "pyproject.toml").write_text("[project]\nname = 'x'\n")
    project, kernel = checkout.set_up("learn")
    assert "--editable ." in project
    assert "labs kernel install" in kernel


def test_a_changed_panel_of_jupyterlab_is_installed(checkout):
    checkout.set_up("learn")
    built = checkout.root / "labs" / "kit" / "jupyterlab" / "built.json"
    built.parent.mkdir(parents=True)
    built.write_text("{}")
    assert "labs kernel install" in checkout.set_up("learn")[-1]
    assert checkout.set_up("learn") == []


def test_an_interrupted_setup_is_completed(checkout, monkeypatch):
    def interrupt(what, command, log, must=True):
        checkout.run(what, command, log)
        if "learn.txt" in checkout.ran[-1]:
            raise KeyboardInterrupt

    with monkeypatch.context() as patch, pytest.raises(KeyboardInterrupt):
        patch.setattr(environment, "run", interrupt)
        checkout.set_up("learn")
    ran = checkout.set_up("learn")
    assert not any("-m venv" in command for command in ran)
    assert any("learn.txt" in command for command in ran)
    assert checkout.set_up("learn") == []


def test_an_update_that_was_interrupted_is_not_taken_for_finished(checkout, monkeypatch):
    checkout.set_up("learn")
    lock_file = checkout.root / "requirements" / "learn.txt"
    before = lock_file.read_text()
    lock_file.write_text("learn==2 --hash=sha256:0\n")

    def fail(what, command, log, must=True):
        raise environment.SetupError("no network")

    with monkeypatch.context() as patch, pytest.raises(environment.SetupError):
        patch.setattr(environment, "run", fail)
        checkout.set_up("learn")
    # Back on the old lock, which the environment may no longer match.
    lock_file.write_text(before)
    assert any("learn.txt" in command for command in checkout.set_up("learn"))


def remade(checkout, capsys, **more):
    capsys.readouterr()
    ran = checkout.set_up("learn", **more)
    said = [line for line in capsys.readouterr().out.splitlines() if "made again" in line]
    assert any("-m venv" in command for command in ran)
    assert len(said) == 1
    return said[0]


def test_a_dangling_interpreter_is_remade(checkout, capsys):
    checkout.set_up("learn")
    checkout.python.unlink()
    checkout.python.symlink_to("/nowhere/python3.11")
    assert "does not run any more" in remade(checkout, capsys)


def test_an_environment_that_was_moved_is_remade(checkout, capsys):
    checkout.set_up("learn")
    stamp = checkout.root / ".venv" / "labs-environment.json"
    stamp.write_text(json.dumps({**json.loads(stamp.read_text()), "root": "/elsewhere"}))
    assert "/elsewhere" in remade(checkout, capsys)


def test_an_environment_of_another_python_is_remade_when_one_is_asked_for(checkout, capsys, fake_python):
    checkout.set_up("learn")
    other = (3, 12) if sys.version_info[:2] != (3, 12) else (3, 13)
    asked = fake_python(*other, 4)
    assert "is asked for" in remade(checkout, capsys, asked=asked)


def test_an_environment_of_a_python_that_does_not_fit_is_remade(checkout, capsys, fake_python):
    checkout.set_up("learn")
    old = fake_python(3, 9, 2)
    checkout.python.unlink()
    checkout.python.symlink_to(old)
    assert "3.9.2" in remade(checkout, capsys)


def test_nothing_is_deleted_where_no_python_can_replace_it(checkout, monkeypatch):
    checkout.set_up("learn")
    checkout.python.unlink()
    monkeypatch.setattr(environment, "candidates", lambda uv: [])
    with pytest.raises(environment.SetupError, match=r"No Python 3\.11 to 3\.13 found"):
        checkout.set_up("learn")
    assert checkout.python.parent.is_dir()


@pytest.mark.parametrize("damage", ["a file is missing", "a file is cut short", "the list is missing"])
def test_half_installed_packages_are_installed_again(tmp_path, damage):
    made = environment.Environment(str(tmp_path))
    site = tmp_path / ".venv" / "lib" / "python3.11" / "site-packages"
    for name in ("whole", "half"):
        info = site / f"{name}-1.0.dist-info"
        info.mkdir(parents=True)
        (site / f"{name}.py").write_text("x = 1\n")
        (info / "RECORD").write_text(
            f"{name}.py,sha256=0,6\n{name}-1.0.dist-info/RECORD,,\n__pycache__/{name}.pyc,,\n"
        )
    if damage == "a file is missing":
        (site / "half.py").unlink()
    elif damage == "a file is cut short":
        (site / "half.py").write_text("x")
    else:
        (site / "half-1.0.dist-info" / "RECORD").unlink()
    assert made.drop_halves() == ["half"]
    assert not (site / "half-1.0.dist-info").exists()
    assert (site / "whole-1.0.dist-info").exists()


# --- finding a Python


@pytest.fixture
def fake_python(tmp_path):
    """Make programs that answer the set-up's question as some Python would."""

    def make(*version, venv=True, threads=False):
        path = tmp_path / f"python-{'.'.join(map(str, version))}"
        says = {"version": version, "path": str(path), "venv": venv, "threads": threads}
        path.write_text(f"#!/bin/sh\necho '{json.dumps(says)}'\n")
        path.chmod(path.stat().st_mode | stat.S_IXUSR)
        return str(path)

    return make


def test_a_python_that_is_too_old_or_new_is_refused(fake_python):
    for version in ((3, 10, 1), (3, 14, 0)):
        named = ".".join(map(str, version))
        with pytest.raises(environment.SetupError, match=re.escape(f"Python {named}, but")):
            environment.find_python(fake_python(*version), None)


def test_a_free_threaded_python_is_refused(fake_python):
    with pytest.raises(environment.SetupError, match=r"free-threaded Python 3\.13\.0"):
        environment.find_python(fake_python(3, 13, 0, threads=True), None)


def test_a_python_that_is_not_there_is_refused():
    with pytest.raises(environment.SetupError, match="does not run"):
        environment.find_python("/nowhere/python", None)


def test_a_python_without_venv_names_the_package_unless_uv_is_there(fake_python):
    python = fake_python(3, 12, 1, venv=False)
    with pytest.raises(environment.SetupError, match=r"sudo apt install python3\.12-venv"):
        environment.find_python(python, None)
    assert environment.find_python(python, "/usr/bin/uv")["path"] == python


def test_the_first_python_that_fits_is_taken(fake_python, monkeypatch):
    offered = [fake_python(3, 9, 0), "/nowhere/python", fake_python(3, 13, 2), fake_python(3, 11, 0)]
    monkeypatch.setattr(environment, "candidates", lambda uv: offered)
    assert environment.find_python(None, None)["path"] == offered[2]


def test_the_setup_starts_on_an_older_python():
    source = (ROOT / "tools" / "environment.py").read_text()
    ast.parse(source, feature_version=(3, 8))
    imported = {
        alias.name.split(".")[0]
        for node in ast.walk(ast.parse(source))
        if isinstance(node, ast.Import)
        for alias in node.names
    }
    assert imported <= sys.stdlib_module_names - {"tomllib"}


# --- long commands


def test_a_failed_command_ends_in_a_sentence_and_its_log(tmp_path):
    log = tmp_path / "log"
    code = "import sys; print('[Errno 28] No space left on device'); sys.exit(2)"
    with pytest.raises(environment.SetupError, match=r"The disk is full.*log"):
        environment.run("Trying", [sys.executable, "-c", code], str(log))
    assert "No space left" in log.read_text()


def test_an_unknown_failure_shows_the_end_of_what_was_printed(tmp_path):
    with pytest.raises(environment.SetupError, match="something odd"):
        environment.run(
            "Trying", [sys.executable, "-c", "print('something odd'); exit(2)"], str(tmp_path / "log")
        )


def test_one_setup_at_a_time(tmp_path):
    code = (
        f"import sys; sys.path.insert(0, {str(ROOT / 'tools')!r}); import environment\n"
        f"with environment.alone({str(tmp_path)!r}): print('got in')"
    )
    with environment.alone(str(tmp_path)):
        other = subprocess.Popen([sys.executable, "-c", code], stdout=subprocess.PIPE, text=True)
        assert other.stdout.readline() == "Waiting for another set-up of this checkout\n"
    assert other.communicate(timeout=20)[0] == "got in\n"


# --- make and CI


def test_make_lists_its_targets():
    printed = subprocess.run(["make"], cwd=ROOT, capture_output=True, text=True, check=True).stdout
    for target in ("lab", "test", "build", "verify", "lint", "lock", "clean", "help"):
        assert re.search(rf"make {target} +\w", printed)


def dry(*arguments):
    command = ["make", "--dry-run", *arguments]
    # `make test` runs this test: its own settings must not reach this make.
    clean = {
        key: value
        for key, value in os.environ.items()
        if key not in {"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "PYTHON", "GPU", "INSTALLER", "WORKERS"}
    }
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=True, env=clean).stdout


def test_make_lab_makes_the_learners_environment_and_starts():
    printed = dry("lab")
    assert re.search(r"tools/environment\.py +learn", printed)
    assert "labs start" in printed
    assert "--no-browser" not in printed
    assert "--no-browser" in dry("lab", "BROWSER=no")
    assert re.search(
        r"environment\.py --python \"py\" --installer pip gpu learn",
        re.sub(" +", " ", dry("lab", "PYTHON=py", "INSTALLER=pip", "GPU=1")),
    )


def test_make_test_passes_every_test():
    printed = dry("test")
    for part in (
        r"environment\.py +dev",
        "ruff check",
        "ruff format --check",
        "labs build --check",
        "pytest .* tests",
    ):
        assert re.search(part, printed), part
    for kind, way in (("worked", "--nbval"), ("learn", "--nbval-lax")):
        if any((ROOT / "notebooks" / kind).glob("*")):
            assert re.search(
                rf"nbval_plugin .*--dist loadscope .*{way} notebooks/{kind}|"
                rf"--dist loadscope .*nbval_plugin .*{way} notebooks/{kind}",
                printed,
            )


def test_workflow_runs_what_everyone_runs():
    workflow = yaml.safe_load((ROOT / ".github" / "workflows" / "ci.yml").read_text())
    cpu, gpu = workflow["jobs"]["cpu"], workflow["jobs"]["gpu"]
    assert cpu["strategy"]["matrix"]["python"] == ["3.11", "3.12", "3.13"]
    assert gpu["if"] == "vars.GPU_RUNNER != ''"
    assert gpu["runs-on"] == "${{ vars.GPU_RUNNER }}"
    for job in (cpu, gpu):
        assert any(
            "LABS_NOTEBOOK_TABLE" in step.get("run", "") and ".ci/run" in step["run"] for step in job["steps"]
        )
        for step in job["steps"]:
            assert "uses" not in step or re.fullmatch(r"[\w-]+/[\w-]+@v\d+\.\d+\.\d+", step["uses"])


def test_ci_script_is_sound():
    script = ROOT / ".ci" / "run"
    assert os.access(script, os.X_OK)
    assert "set -euo pipefail" in script.read_text()
    assert "make test" in script.read_text()
    subprocess.run(["bash", "-n", str(script)], check=True)
