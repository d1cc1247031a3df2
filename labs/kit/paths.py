"""Where things are: the curriculum, the embedded data, the built notebooks and the learner's files."""

import os
from pathlib import Path

import platformdirs

LABS = Path(__file__).resolve().parent.parent
"""The folder `labs`: the curriculum and its kit."""

ROOT = LABS.parent
"""The checkout. In an installed package it is the folder that holds `labs`."""

APP = "tensorflow-labs"

ASSIGNMENT, MATERIAL = "assignment.json", "material"
"""What a folder of handed-out work is known by: its description, and the folder of its labs and data."""


def grading() -> bool:
    """Tell whether notebooks are graded here: nbgrader autogrades, or `LABS_GRADING=yes` says so.

    Then nothing that came with a notebook counts, and none is given a reference.
    """
    # nbgrader sets its variable around the execution only: not where students validate, nor in formgrader's server.
    return os.environ.get("LABS_GRADING") == "yes" or os.environ.get("NBGRADER_EXECUTION") == "autograde"


def handed_out() -> Path | None:
    """Return the folder of handed-out work that the current folder lies in, or None."""
    if grading():
        return None
    try:
        here = Path.cwd()
        for folder in (here, *here.parents):
            if (folder / ASSIGNMENT).is_file() and (folder / MATERIAL / "labs" / "curriculum.toml").is_file():
                return folder
    except OSError:  # a folder that is gone, or that may not be looked into, is none that was handed out
        return None
    return None


def labs() -> Path:
    """Return the folder of the labs: those that were handed out, or those installed."""
    work = handed_out()
    return work / MATERIAL / "labs" if work else LABS


def _shipped(in_checkout: str, in_package: str) -> Path:
    work = handed_out()
    if work:
        return work / MATERIAL / in_checkout
    packaged = LABS / in_package
    return packaged if packaged.is_dir() else ROOT / in_checkout


def data() -> Path:
    """Return the folder of the embedded data sets and weights."""
    return _shipped("data", "_data")


def notebooks() -> Path:
    """Return the folder of the built notebooks, with `learn` and `worked` in it."""
    return _shipped("notebooks", "_notebooks")


def home() -> Path:
    """Return the learner's own folder for progress and fetched data; not created here.

    `LABS_HOME` overrides the place that platformdirs gives for this operating system.
    """
    chosen = os.environ.get("LABS_HOME")
    return Path(chosen).expanduser() if chosen else platformdirs.user_data_path(APP, appauthor=False)


def workspace() -> Path:
    """Return the folder in which a learner works on copies of the notebooks; not created here.

    In work as an instructor hands it out, it is that folder; otherwise `tensorflow-labs` in the learner's documents.
    `LABS_WORKSPACE` overrides both.
    """
    chosen = os.environ.get("LABS_WORKSPACE")
    if chosen:
        return Path(chosen).expanduser()
    return handed_out() or platformdirs.user_documents_path() / APP
