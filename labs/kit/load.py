"""Load a lab's `checks.py` and `answers.py` from their folder, whatever its name."""

import importlib.util
import sys
from pathlib import Path
from types import ModuleType

from labs.kit.answers import Answer
from labs.kit.curriculum import Lab
from labs.kit.exercise import Exercise


def exercises(lab: Lab) -> dict[str, Exercise]:
    """Return the exercises of `lab` by name, in the order of its `checks.py`."""
    members = vars(_module(lab, lab.checks)).values()
    return {member.name: member for member in members if isinstance(member, Exercise)}


def answers(lab: Lab) -> list[Answer]:
    """Return the right and wrong answers of `lab`, in the order of its `answers.py`."""
    return [member for member in vars(_module(lab, lab.answers)).values() if isinstance(member, Answer)]


def _module(lab: Lab, path: Path) -> ModuleType:
    """Run `path` as a module under a name of its own: a lab's folder need not be a Python name."""
    name = f"labs:{lab.name}:{path.stem}"
    spec = importlib.util.spec_from_file_location(name, path)
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module
    spec.loader.exec_module(module)
    return module
