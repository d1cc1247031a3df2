"""An assignment as a Git repository with one commit, to be used as a template.

GitHub Classroom, which copied such a template for each student, was retired on 28 August 2026, and its autograding
actions with it (https://github.com/orgs/community/discussions/205975). A template needs no service of its own:
"Use this template" on GitHub copies it, its successors do (Classroom 50, for one), GitLab forks it. So the checks
run by a plain workflow, and nothing in it belongs to a service that may go the same way.
"""

import json
import shutil
import subprocess
from pathlib import Path

import yaml

from labs.kit.course.assignment import Assignment
from labs.kit.errors import LabsError

PYTHON = "3.12"
MINUTES = 30
WORKFLOW = ".github/workflows/checks.yml"
DEVCONTAINER = ".devcontainer/devcontainer.json"

_IGNORED = """\
.venv/
.ipynb_checkpoints/
__pycache__/
"""


def write(folder: Path, assignment: Assignment, wheel: str) -> None:
    """Make `folder`, which has the assignment in it, a repository that runs its checks at every push.

    Raises:
        LabsError: Git is not installed, or refuses.
    """
    require()
    files = {
        WORKFLOW: yaml.safe_dump(workflow(assignment), sort_keys=False, width=100),
        DEVCONTAINER: json.dumps(devcontainer(assignment, wheel), indent=2) + "\n",
        ".gitignore": _IGNORED,
        # Outputs make every run a difference, and a merge of two of them no notebook. Git on Windows changes line
        # ends, and then the sums of the data do not agree.
        ".gitattributes": "*.ipynb -merge\n*.whl binary\nmaterial/** -text\n",
    }
    for name, text in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text, "utf-8")
    _git(folder, "init", "--quiet", "--initial-branch=main")
    # What this machine's own settings ignore belongs to the assignment all the same.
    _git(folder, "add", "--all", "--force")
    who = ("-c", "user.name=TensorFlow Labs", "-c", "user.email=labs@localhost", "-c", "commit.gpgsign=false")
    _git(folder, *who, "commit", "--quiet", "--no-verify", "-m", assignment.title)


def require() -> None:
    """Refuse to go on where there is no Git.

    Raises:
        LabsError: so it is.
    """
    if not shutil.which("git"):
        raise LabsError("A repository needs Git, which is not installed here.")


def workflow(assignment: Assignment) -> dict:
    """Return the workflow: install the kit, run each notebook's checks, and show what has passed."""
    run = [
        {"uses": "actions/checkout@v4"},
        {"uses": "actions/setup-python@v5", "with": {"python-version": PYTHON}},
        {"name": "Install", "run": "python -m pip install kit/*.whl"},
    ]
    run += [
        # Every lab is checked, whatever came out for the one before.
        {"name": work.title, "if": "success() || failure()", "run": f"labs check {work.notebook}"}
        for work in assignment.labs
    ]
    shown = [f"labs progress {work.name}" for work in assignment.labs]
    summary = ["{", 'echo "```"', "labs progress", *shown, 'echo "```"', '} >> "$GITHUB_STEP_SUMMARY"']
    run.append({"name": "What has passed", "if": "success() || failure()", "run": "\n".join(summary) + "\n"})
    return {
        "name": "Checks",
        # As a string: YAML 1.1 reads a bare `on` as true.
        "on": ["push", "workflow_dispatch"],
        "permissions": {"contents": "read"},
        "jobs": {
            "checks": {
                "runs-on": "ubuntu-latest",
                "timeout-minutes": MINUTES,
                "steps": run,
            }
        },
    }


def devcontainer(assignment: Assignment, wheel: str) -> dict:
    """Return the description of a container in which the assignment can be worked on, as in GitHub Codespaces."""
    return {
        "name": assignment.title,
        "image": f"mcr.microsoft.com/devcontainers/python:{PYTHON}",
        "hostRequirements": {"cpus": 2, "memory": "8gb"},
        "postCreateCommand": f"python -m pip install kit/{wheel} && labs kernel install",
        "customizations": {"vscode": {"extensions": ["ms-toolsai.jupyter", "ms-python.python"]}},
    }


def _git(folder: Path, *arguments: str) -> None:
    ran = subprocess.run(["git", *arguments], cwd=folder, capture_output=True, text=True)
    if ran.returncode:
        raise LabsError(f"Git could not make a repository of {folder}: {ran.stderr.strip()}")
