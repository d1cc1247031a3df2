"""Makes the environment `.venv` in the checkout from the lock, and keeps it as the lock says.

    python tools/environment.py learn          what a learner runs
    python tools/environment.py dev gpu        what authors and CI run, with the CUDA libraries

The Python that starts this file may be older than the labs allow, so it uses the standard library only and
nothing newer than Python 3.8; it looks for a Python that fits by itself.
"""

from __future__ import annotations

import argparse
import contextlib
import csv
import glob
import hashlib
import json
import os
import shutil
import subprocess
import sys
import tempfile
import time

ROOT = os.path.dirname(os.path.dirname(os.path.abspath(__file__)))
LOWEST, HIGHEST = (3, 11), (3, 13)
PROFILES = ("learn", "dev", "gpu", "bench", "site")
# What an installed project depends on: how it is packaged, and the panel that JupyterLab has a copy of.
PROJECT = ("pyproject.toml", "labs/kit/jupyterlab/built.json")
WINDOWS = os.name == "nt"

PROBE = """
import importlib.util, json, sys, sysconfig
print(json.dumps({
    "version": sys.version_info[:3],
    "path": getattr(sys, "_base_executable", None) or sys.executable,
    "venv": importlib.util.find_spec("ensurepip") is not None,
    "threads": bool(sysconfig.get_config_var("Py_GIL_DISABLED")),
}))
"""

TROUBLES = (
    (
        "No space left on device",
        "The disk is full: the environment needs about 4 GB. Free some and run it again.",
    ),
    (
        "DO NOT MATCH THE HASHES",
        "A downloaded package is not the one the lock names. Do not use it; try another network.",
    ),
    (
        "Hash mismatch",
        "A downloaded package is not the one the lock names. Do not use it; try another network.",
    ),
    ("Permission denied", "A file cannot be written: look at who owns the checkout and `.venv`."),
    (
        "Failed to establish a new connection",
        "The package index cannot be reached: look at the network and run it again.",
    ),
    ("error sending request", "The package index cannot be reached: look at the network and run it again."),
    ("dns error", "The package index cannot be reached: look at the network and run it again."),
    ("No matching distribution", "The package index has no build of a locked package for this system."),
)


class SetupError(Exception):
    """Says in one sentence what stops the set-up and what to do."""


def say(text: str) -> None:
    """Print a line at once, also where the output is a file."""
    print(text, flush=True)


def human(version) -> str:
    """Write a version as people do."""
    return ".".join(str(part) for part in version)


def fits(found: dict) -> bool:
    """Tell whether the labs run on the Python that `probe` describes."""
    return LOWEST <= tuple(found["version"][:2]) <= HIGHEST and not found["threads"]


def probe(python):
    """Return what an interpreter says of itself, or None if it does not run."""
    try:
        # -I keeps a folder named like a module, and PYTHONPATH, from answering in its place.
        done = subprocess.run(
            [python, "-I", "-c", PROBE], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, timeout=60
        )
        return json.loads(done.stdout) if done.returncode == 0 else None
    except (OSError, ValueError, subprocess.TimeoutExpired):
        return None


def candidates(uv):
    """Yield interpreters to try, the likely ones first."""
    yield sys.executable
    for name in ("python3.12", "python3.13", "python3.11", "python3", "python"):
        path = shutil.which(name)
        if path:
            yield path
    # A version that pyenv holds but has not made the current one has a shim that does not run.
    yield from sorted(glob.glob(os.path.expanduser("~/.pyenv/versions/3.1[123].*/bin/python")), reverse=True)
    if uv:
        wanted = f">={human(LOWEST)},<{HIGHEST[0]}.{HIGHEST[1] + 1}"
        done = subprocess.run(
            [uv, "python", "find", "--no-python-downloads", "--no-project", wanted],
            cwd=os.path.dirname(ROOT),
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
        )
        if done.returncode == 0:
            yield done.stdout.decode().strip()


def find_python(asked, uv):
    """Return the interpreter to build on.

    Raises:
        SetupError: none is found, the one asked for does not fit, or it cannot make environments.
    """
    span = f"{human(LOWEST)} to {human(HIGHEST)}"
    if asked:
        path = shutil.which(os.path.expanduser(asked))
        found = probe(path) if path else None
        if not found:
            raise SetupError(
                f"PYTHON={asked} does not run: name a Python {span}, for example PYTHON=python3.12."
            )
        if not fits(found):
            kind = "free-threaded " if found["threads"] else ""
            raise SetupError(
                f"PYTHON={asked} is {kind}Python {human(found['version'])}, but TensorFlow 2.21 runs on "
                f"Python {span}: name one of these, for example PYTHON=python3.12."
            )
        suitable = [found]
    else:
        suitable = [found for found in map(probe, candidates(uv)) if found and fits(found)]
    if not suitable:
        raise SetupError(
            f"No Python {span} found. Install one (`uv python install 3.12`, `sudo apt install "
            "python3.12-venv`, `brew install python@3.12`) or name one with PYTHON=/path/to/python."
        )
    for found in suitable:
        if uv or found["venv"]:
            return found
    path, version = suitable[0]["path"], human(suitable[0]["version"][:2])
    raise SetupError(
        f"{path} cannot make environments: run `sudo apt install python{version}-venv`, then the same again."
    )


class Environment:
    """The folder `.venv`: what it is made of and what was finished in it."""

    def __init__(self, root: str = ROOT):
        self.root = root
        self.folder = os.path.join(root, ".venv")
        self.python = os.path.join(
            self.folder, *(("Scripts", "python.exe") if WINDOWS else ("bin", "python"))
        )
        self.stamp_file = os.path.join(self.folder, "labs-environment.json")
        self.log = os.path.join(self.folder, "labs-environment.log")

    def has(self, name: str) -> bool:
        """Tell whether the checkout has a file."""
        return os.path.exists(os.path.join(self.root, name))

    def locks(self, profiles) -> list[str]:
        """Return the lock files for the profiles, the build tools first."""
        return [f"requirements/{name}.txt" for name in ["build", *sorted(profiles)]]

    def digest(self, *names: str) -> str:
        """Return one hash for the contents of files of the checkout."""
        total = hashlib.sha256()
        for name in names:
            with open(os.path.join(self.root, name), "rb") as file:
                total.update(hashlib.sha256(file.read()).digest())
        return total.hexdigest()

    def finished(self, version, profiles) -> dict:
        """Return the stamp that a finished set-up would have now."""
        return {
            "root": self.root,
            "python": human(version),
            "profiles": sorted(profiles),
            "packages": self.digest(*self.locks(profiles)),
            "project": self.digest(*filter(self.has, PROJECT)),
        }

    def stamp(self) -> dict:
        """Return the stamp that the last set-up left, empty where there is none."""
        try:
            with open(self.stamp_file) as file:
                return dict(json.load(file))
        except (OSError, ValueError):
            return {}

    def write_stamp(self, content: dict) -> None:
        """Replace the stamp in one step, so that it is never half there."""
        with open(self.stamp_file + ".new", "w") as file:
            json.dump(content, file, indent=1)
        os.replace(self.stamp_file + ".new", self.stamp_file)

    def complaint(self, present: dict | None, asked: dict | None) -> str | None:
        """Return why `.venv` must be made again, or None where it can stay."""
        if not present:
            return "its Python does not run any more"
        version, stamp = present["version"], self.stamp()
        if not fits(present):
            return f"its Python {human(version)} is not one that the labs run on"
        if asked and version[:2] != asked["version"][:2]:
            return f"it has Python {human(version)} and Python {human(asked['version'])} is asked for"
        if stamp.get("root", self.root) != self.root:
            return f"it was made in {stamp['root']}, and commands in it carry that path"
        if stamp.get("python", human(version)) != human(version):
            return f"its Python went from {stamp['python']} to {human(version)}"
        return None

    def site_packages(self) -> str:
        """Return the folder that holds the packages."""
        found = glob.glob(os.path.join(self.folder, "lib", "python3*", "site-packages"))
        return found[0] if found else os.path.join(self.folder, "Lib", "site-packages")

    def drop_halves(self) -> list[str]:
        """Forget packages that an interrupted install left incomplete; return their names.

        Installers go by the `.dist-info` folder alone and would take such a package for installed.
        """
        dropped = []
        for info in glob.glob(os.path.join(self.site_packages(), "*.dist-info")):
            if not is_whole(info):
                shutil.rmtree(info, ignore_errors=True)
                dropped.append(os.path.basename(info).split("-")[0])
        return dropped

    def remove(self) -> None:
        """Delete `.venv`; of a link, only the link."""
        if os.path.islink(self.folder) or not os.path.isdir(self.folder):
            os.unlink(self.folder)
        else:
            shutil.rmtree(self.folder)


def is_whole(info: str) -> bool:
    """Tell whether every file that a `.dist-info` folder lists is there, with its size."""
    site = os.path.dirname(info)
    try:
        with open(os.path.join(info, "RECORD"), encoding="utf-8", newline="") as file:
            for path, _, size in csv.reader(file):
                actual = None if path.endswith(".pyc") else os.path.getsize(os.path.join(site, path))
                # Scripts outside of the packages get another first line when they are installed.
                if size and actual is not None and not path.startswith("..") and actual != int(size):
                    return False
    except (OSError, ValueError):
        return False
    return True


def explain(printed: str, log: str) -> str:
    """Return the sentence for a failed command, from what it printed."""
    for sign, sentence in TROUBLES:
        if sign in printed:
            return f"{sentence} All that was printed is in {log}."
    tail = "\n".join("  " + line for line in printed.strip().splitlines()[-12:])
    return f"The set-up stopped. Run the same command again, or read {log}. It ended with:\n{tail}"


def run(what: str, command: list[str], log: str, must: bool = True) -> None:
    """Run a long command: say what it does, keep what it prints in the log, show the seconds on a terminal.

    Raises:
        SetupError: the command failed and it must not.
    """
    say(what)
    began, live = time.monotonic(), sys.stdout.isatty()
    with open(log, "a+b") as file:
        start = file.seek(0, os.SEEK_END)
        file.write(f"$ {' '.join(command)}\n".encode())
        file.flush()
        # Someone who has `user = true` in pip's settings cannot install into any environment otherwise.
        process = subprocess.Popen(
            command,
            cwd=ROOT,
            stdin=subprocess.DEVNULL,
            stdout=file,
            stderr=file,
            env={**os.environ, "PIP_USER": "0"},
        )
        try:
            while process.poll() is None:
                with contextlib.suppress(subprocess.TimeoutExpired):
                    process.wait(1)
                if live:
                    print(f"\r  {time.monotonic() - began:.0f} s ", end="", flush=True)
        finally:
            if process.poll() is None:
                process.terminate()
                process.wait()
            if live:
                print("\r            \r", end="", flush=True)
        file.seek(start)
        printed = file.read().decode(errors="replace")
    if must and process.returncode:
        raise SetupError(explain(printed, log))


def make(environment: Environment, python: str, version, uv: str | None) -> None:
    """Make an empty `.venv`."""
    command = [uv, "venv", "--no-project", "--python", python] if uv else [python, "-m", "venv"]
    # The log's own place is inside of what is being made.
    handle, log = tempfile.mkstemp(prefix="labs-environment-", suffix=".log")
    os.close(handle)
    run(f"Making .venv with Python {human(version)}", [*command, environment.folder], log)
    os.unlink(log)


def installer(environment: Environment, uv: str | None) -> list[str]:
    """Return the start of the command that installs into `.venv`."""
    if uv:
        return [uv, "pip", "install", "--python", environment.python]
    pip = [environment.python, "-m", "pip", "install", "--no-compile", "--no-input"]
    return [*pip, "--disable-pip-version-check"]


def install_packages(environment: Environment, profiles, uv: str | None) -> None:
    """Install the locked packages and compile their bytecode."""
    dropped = environment.drop_halves()
    if dropped:
        say(f"Completing what an interrupted set-up left: {', '.join(sorted(dropped))}")
    build, *locks = environment.locks(profiles)
    locked = [*installer(environment, uv), "--require-hashes"]
    # The tools that build packages come first, from a lock as well: so nothing unlocked is fetched for the
    # packages that exist as source only, nor for the labs themselves.
    run("Installing pip and the build tools", [*locked, "-r", build], environment.log)
    for lock in locks:
        with open(os.path.join(environment.root, lock)) as file:
            count = sum("==" in line for line in file)
        run(
            f"Installing {count} packages of {lock} with {'uv' if uv else 'pip'} (minutes the first time)",
            [*locked, "--no-build-isolation", "-r", lock],
            environment.log,
        )
    # Some packages carry templates that are not valid Python: that these do not compile is no failure.
    run(
        "Compiling bytecode once, so that TensorFlow starts three times as fast (about a minute)",
        [environment.python, "-m", "compileall", "-qq", "-j", "0", environment.site_packages()],
        environment.log,
        must=False,
    )


def install_project(environment: Environment, uv: str | None) -> None:
    """Install the checkout itself, so that `import labs` and the command `labs` are this folder's."""
    flags = ["--no-deps", "--no-build-isolation", "--editable", "."]
    run("Installing the labs and their command", [*installer(environment, uv), *flags], environment.log)
    kernel = [environment.python, "-m", "labs", "kernel", "install"]
    run("Making the kernel of the labs known to Jupyter", kernel, environment.log)


def find_uv(tool: str | None) -> str | None:
    """Return where uv is, or None where pip is to be used."""
    uv = None if tool == "pip" else shutil.which("uv")
    if tool == "uv" and not uv:
        raise SetupError("INSTALLER=uv, but there is no uv on the PATH: install uv, or leave INSTALLER out.")
    return uv


def has_pip(environment: Environment) -> bool:
    """Tell whether `.venv` has a pip that starts."""
    command = [environment.python, "-m", "pip", "--version"]
    return subprocess.run(command, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL).returncode == 0


def set_up(profiles, asked: str | None = None, tool: str | None = None, root: str = ROOT) -> None:
    """Bring `.venv` to what the profiles need, doing only what is missing.

    Raises:
        SetupError: something stops it; the next run goes on from there.
    """
    environment, began = Environment(root), time.monotonic()
    uv = find_uv(tool)
    wanted = find_python(asked, uv) if asked else None
    stamp, present = environment.stamp(), None
    if os.path.lexists(environment.folder):
        present = probe(environment.python)
        complaint = environment.complaint(present, wanted)
        # What was added earlier stays: `make lab` after `make test` takes nothing away.
        profiles = {*profiles, *stamp.get("profiles", ())}
    else:
        complaint = None
    profiles = set(profiles) - ({"learn"} if {"dev", "gpu"} & set(profiles) else set())
    if present and not complaint:
        goal = environment.finished(present["version"], profiles)
        if stamp == goal:
            return
        if not uv and not has_pip(environment):
            complaint = "it has no pip"
    if complaint:
        say(f"The environment .venv is made again: {complaint}.")
    if complaint or not present:
        # Found before anything is deleted: without a Python to build on, the old one is better than none.
        base = wanted or find_python(None, uv)
        if os.path.lexists(environment.folder):
            environment.remove()
        stamp = {}
        make(environment, base["path"], base["version"], uv)
        goal = environment.finished(base["version"], profiles)
    if stamp.get("packages") != goal["packages"]:
        # An interrupted run must not find the stamp of an older, finished one.
        environment.write_stamp({key: goal[key] for key in ("root", "python", "profiles")})
        install_packages(environment, profiles, uv)
    install_project(environment, uv)
    environment.write_stamp(goal)
    say(f"The environment is ready ({time.monotonic() - began:.0f} s).")


@contextlib.contextmanager
def alone(root: str = ROOT):
    """Let one set-up of a checkout run at a time."""
    try:
        import fcntl
    except ImportError:
        yield
        return
    folder = os.open(root, os.O_RDONLY)
    try:
        try:
            fcntl.flock(folder, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Waiting for another set-up of this checkout")
            fcntl.flock(folder, fcntl.LOCK_EX)
        yield
    finally:
        os.close(folder)


def main(argv: list[str] | None = None) -> int:
    """Read the arguments, set up, and return the exit status."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("profiles", nargs="+", choices=PROFILES)
    parser.add_argument("--python", default="", help="the Python to build on, 3.11 to 3.13 (default: found)")
    parser.add_argument(
        "--installer", default="", choices=("", "uv", "pip"), help="default: uv where present"
    )
    given = parser.parse_args(argv)
    if "gpu" in given.profiles and not sys.platform.startswith("linux"):
        print("GPU=1 is for Linux: TensorFlow has CUDA libraries for no other system.", file=sys.stderr)
        return 1
    try:
        with alone():
            set_up(given.profiles, given.python or None, given.installer or None)
    except SetupError as stopped:
        print(stopped, file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\nStopped. The same command goes on from here.", file=sys.stderr)
        return 130
    return 0


if __name__ == "__main__":
    sys.exit(main())
