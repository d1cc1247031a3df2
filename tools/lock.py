"""Writes the locks in `requirements/` and `environment.yml` from the ranges in `pyproject.toml`.

    make lock               keeps every version that still fits
    make lock UPGRADE=1     takes the newest of everything

The locks hold for Linux, macOS and Windows and for Python 3.11 to 3.13, with one version of each package for
all of them where there is one, so that stored outputs mean the same everywhere.
"""

import argparse
import os
import subprocess
import sys
import tempfile
import tomllib
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent

CONDA = """\
# For conda users; written by `make lock` from requirements/learn.txt, not by hand.
#
#     conda env create --file environment.yml
#     conda activate tensorflow-labs
#     labs start
#
# TensorFlow and what it needs come from pip: conda's own build of TensorFlow is another version. The exact
# versions are the lock's, but its hashes are left out: with a hash on any line pip asks for one on every
# line, and a folder (`-e .`) cannot have one. Who wants the hashes checked too makes the environment with
# `make lab PYTHON=$CONDA_PREFIX/bin/python`.
name: tensorflow-labs
channels:
  - conda-forge
dependencies:
  - python>={lowest},<{above}
  - pip
  - pip:
{pins}
      - -e .
"""


def pins(lock: str) -> list[str]:
    """Return the requirements of a lock, with their markers and without hashes."""
    lines = (line.split("\\")[0].strip() for line in lock.splitlines())
    return [line for line in lines if line and not line.startswith(("#", "--hash"))]


def environment_yml(project: dict, learn: str) -> str:
    """Return the text of `environment.yml`.

    Args:
        project: the table `[project]` of pyproject.toml.
        learn: the text of requirements/learn.txt.
    """
    lowest, above = (part.strip(" <>=") for part in project["requires-python"].split(","))
    quoted = (f'      - "{pin}"' if ";" in pin else f"      - {pin}" for pin in pins(learn))
    return CONDA.format_map({"lowest": lowest, "above": above, "pins": "\n".join(quoted)})


def compile_lock(name: str, source: str, *options: str, upgrade: bool) -> None:
    """Bring one lock up to date.

    Args:
        name: the file in `requirements/`, without its ending.
        source: pyproject.toml or another file with ranges.
        options: extras and constraints.
        upgrade: take the newest versions instead of those that the lock has.
    """
    print(f"requirements/{name}.txt", flush=True)
    command = [
        sys.executable,
        "-m",
        "uv",
        "pip",
        "compile",
        source,
        "--output-file",
        f"requirements/{name}.txt",
    ]
    command += ["--universal", "--fork-strategy", "fewest", "--python-version", "3.11", "--generate-hashes"]
    command += ["--no-header", "--no-annotate", "--quiet", *options, *(["--upgrade"] if upgrade else [])]
    if subprocess.run(command, cwd=ROOT).returncode:
        sys.exit(f"requirements/{name}.txt could not be made: see what uv says above.")


def main() -> None:
    """Write all locks and `environment.yml`."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--upgrade", action="store_true", help="take the newest of everything")
    upgrade = parser.parse_args().upgrade

    settings = tomllib.loads((ROOT / "pyproject.toml").read_text())
    same_as_learn = ("--constraint", "requirements/learn.txt")
    compile_lock("learn", "pyproject.toml", upgrade=upgrade)
    # Authors and CI test what hands out, grades and serves, too.
    tested = [word for extra in ("dev", "teach", "cluster", "hub") for word in ("--extra", extra)]
    compile_lock("dev", "pyproject.toml", *tested, *same_as_learn, upgrade=upgrade)
    compile_lock("gpu", "pyproject.toml", "--extra", "gpu", *same_as_learn, upgrade=upgrade)
    compile_lock(
        "bench", "pyproject.toml", "--extra", "bench", "--constraint", "requirements/dev.txt", upgrade=upgrade
    )
    compile_lock(
        "site", "pyproject.toml", "--extra", "site", "--constraint", "requirements/dev.txt", upgrade=upgrade
    )
    # pip, setuptools and wheel are what a source-only package is built with; they stand beside the labs' own
    # build tool so that a set-up fetches nothing that is not locked.
    tools = [*settings["build-system"]["requires"], "pip", "setuptools", "wheel"]
    with tempfile.NamedTemporaryFile("w", suffix=".in", delete=False) as wanted:
        wanted.write("\n".join(tools))
    try:
        compile_lock("build", wanted.name, "--constraint", "requirements/dev.txt", upgrade=upgrade)
    finally:
        os.unlink(wanted.name)
    learn = (ROOT / "requirements" / "learn.txt").read_text()
    (ROOT / "environment.yml").write_text(environment_yml(settings["project"], learn))


if __name__ == "__main__":
    main()
