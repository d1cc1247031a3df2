"""Where things are: the curriculum, the embedded data, the built notebooks and the learner's files."""

import os
from pathlib import Path

import platformdirs

LABS = Path(__file__).resolve().parent.parent
"""The folder `labs`: the curriculum and its kit."""

ROOT = LABS.parent
"""The checkout. In an installed package it is the folder that holds `labs`."""

APP = "tensorflow-labs"

ASSIGNMENT = "assignment.json"
"""The file by which a folder is known as work that an instructor has handed out."""


def _shipped(in_checkout: str, in_package: str) -> Path:
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

    It is the current folder if that is work as an instructor hands it out, and otherwise `tensorflow-labs` in the
    learner's documents. `LABS_WORKSPACE` overrides both.
    """
    chosen = os.environ.get("LABS_WORKSPACE")
    if chosen:
        return Path(chosen).expanduser()
    if Path(ASSIGNMENT).is_file():
        return Path.cwd()
    return platformdirs.user_documents_path() / APP
