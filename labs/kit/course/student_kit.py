"""The students' kit: `tensorflow-labs` as a wheel without any lab, so without solutions, answers, worked notebooks.

It holds what runs in a notebook and on a student's command line. The labs themselves come with each assignment, in
its folder `material`, so one installed kit serves a whole term. Tools of authors and of instructors are left out, and
nothing outside `labs/kit` goes in.
"""

import hashlib
import json
import re
import shutil
import tempfile
import tomllib
from collections.abc import Iterator
from importlib.metadata import metadata, requires, version
from importlib.util import find_spec
from pathlib import Path
from typing import Any

from labs.kit import paths
from labs.kit.errors import LabsError

NAME = "tensorflow-labs"
WITHOUT = ("author", "course")
"""Folders of the kit that only authors and instructors need."""

_NO_LABS = (
    "# The students' kit has no labs of its own: they come with each assignment, in its folder `material`.\n"
)
_PROJECT = """\
[build-system]
requires = ["hatchling"]
build-backend = "hatchling.build"

[project]
name = "{name}"
version = "{version}"
description = "The students' kit of TensorFlow Labs: runs and checks the labs that an instructor hands out"
license = "Apache-2.0"
license-files = ["LICENSE"]
requires-python = {python}
dependencies = {dependencies}

[project.scripts]
labs = "labs.kit.command.cli:main"

[project.entry-points."jupyter_client.kernel_provisioners"]
tensorflow-labs-warm = "labs.kit.warm.provisioner:WarmProvisioner"

[tool.hatch.build]
ignore-vcs = true

[tool.hatch.build.targets.wheel]
packages = ["labs"]
"""


def write(folder: Path) -> Path:
    """Build the wheel into `folder`, which is made, and return it. The same kit gives the same bytes.

    Raises:
        LabsError: the tool that builds it is not installed.
    """
    require()
    from hatchling.builders.wheel import WheelBuilder

    folder.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="tensorflow-labs-") as place:
        root = Path(place)
        for path, relative in files():
            copy = root / "labs" / relative
            copy.parent.mkdir(parents=True, exist_ok=True)
            shutil.copyfile(path, copy)
        (root / "labs" / "curriculum.toml").write_text(_NO_LABS, "utf-8")
        # Outside of an assignment's folder there is no data either, and nothing is damaged.
        (root / "labs" / "_data").mkdir()
        for name in ("catalog.toml", "SHA256SUMS"):
            (root / "labs" / "_data" / name).write_text("", "utf-8")
        shutil.copyfile(licence(), root / "LICENSE")
        (root / "pyproject.toml").write_text(_project(), "utf-8")
        (wheel,) = WheelBuilder(str(root)).build(directory=str(root / "dist"), versions=["standard"])
        return Path(shutil.copy(wheel, folder))


def require() -> None:
    """Refuse to go on where the kit cannot be built.

    Raises:
        LabsError: the tool that builds it is not installed.
    """
    if not find_spec("hatchling"):
        raise LabsError(
            "Building the students' kit needs hatchling: run `pip install 'tensorflow-labs[teach]'`, "
            "or `make environment` in a checkout."
        )


def kit_version() -> str:
    """Return the version of the students' kit: this package's, and a digest of what is in the kit."""
    digest = hashlib.sha256()
    for path, relative in files():
        digest.update(relative.encode() + b"\0" + path.read_bytes() + b"\0")
    digest.update(json.dumps(_dependencies()).encode())
    return f"{version(NAME)}+students.{digest.hexdigest()[:8]}"


def files() -> Iterator[tuple[Path, str]]:
    """Yield the files of the kit, each with its place under `labs`, in a fixed order."""
    kit = paths.LABS / "kit"
    found = [paths.LABS / "__init__.py", paths.LABS / "__main__.py"]
    found += sorted(path for path in kit.rglob("*") if path.is_file())
    for path in found:
        parts = path.relative_to(paths.LABS).parts
        lies_around = any(part == "__pycache__" or part.startswith(".") for part in parts)
        if lies_around or (parts[0] == "kit" and parts[1] in WITHOUT):
            continue
        yield path, "/".join(parts)


def _project() -> str:
    return _PROJECT.format(
        name=NAME,
        version=kit_version(),
        python=json.dumps(_described()["requires-python"]),
        dependencies=json.dumps(_dependencies(), indent=2),
    )


def _dependencies() -> list[str]:
    return _described()["dependencies"]


def _described() -> dict[str, Any]:
    """Return what a learner's install needs: as the checkout says, or else as the installed package says."""
    project = paths.ROOT / "pyproject.toml"
    if project.is_file():
        return tomllib.loads(project.read_text("utf-8"))["project"]
    needed = [text for text in requires(NAME) or () if not re.search(r"\bextra\s*==", text)]
    return {"dependencies": needed, "requires-python": metadata(NAME)["Requires-Python"]}


def licence() -> Path:
    """Return the file of this package's licence, in a checkout or as it was installed."""
    from importlib.metadata import files as installed

    if (paths.ROOT / "LICENSE").is_file():
        return paths.ROOT / "LICENSE"
    for file in installed(NAME) or ():
        if file.name == "LICENSE" and "licenses" in file.parts:
            return Path(file.locate())
    raise LabsError("The licence of tensorflow-labs is missing: it is not installed whole.")
