"""Make the panel and its part of the server known to Jupyter in this environment.

Both are files in folders that Jupyter reads when it starts. They are copies, not links: an installer that takes
an older one away must not reach through to the package.
"""

import json
import os
import shutil
import sys
from pathlib import Path

from labs.kit.errors import LabsError

NAME = "tensorflow-labs"
BUILT = Path(__file__).with_name("labextension")
"""The built panel, as it comes with the package."""

SWITCH = {"ServerApp": {"jpserver_extensions": {"labs.kit.jupyterlab": True}}}
"""What turns the server's part on."""


def panel() -> Path:
    """Return where JupyterLab finds the panel in this environment."""
    return Path(sys.prefix, "share", "jupyter", "labextensions", NAME)


def switch() -> Path:
    """Return the file by which the server's part is on in this environment."""
    return Path(sys.prefix, "etc", "jupyter", "jupyter_server_config.d", f"{NAME}.json")


def is_installed() -> bool:
    """Tell whether this environment has both as they are to be."""
    return _is_on() and _content(panel()) == _content(BUILT)


def install() -> bool:
    """Put both into this environment; return whether that changed anything.

    Raises:
        LabsError: they cannot be written, or the package came without the panel.
    """
    if not BUILT.joinpath("package.json").is_file():
        raise LabsError(f"{BUILT} is missing: tensorflow-labs is not installed whole.")
    if is_installed():
        return False
    try:
        if _content(panel()) != _content(BUILT):
            _copy()
        if not _is_on():
            switch().parent.mkdir(parents=True, exist_ok=True)
            half = switch().with_suffix(f".{os.getpid()}")
            half.write_text(json.dumps(SWITCH, indent=1) + "\n", "utf-8")
            os.replace(half, switch())
    except OSError as error:
        raise LabsError(
            f"The panel of the labs cannot be put into {panel()} ({error.strerror or error}); all else works."
        ) from error
    return True


def _is_on() -> bool:
    try:
        return json.loads(switch().read_text("utf-8")) == SWITCH
    except (OSError, ValueError):
        return False


def _content(folder: Path) -> dict[str, bytes] | None:
    try:
        files = [path for path in folder.rglob("*") if path.is_file()]
        return {path.relative_to(folder).as_posix(): path.read_bytes() for path in files}
    except OSError:
        return None


def _copy() -> None:
    # JupyterLab passes over what begins with a dot, so it never sees half of a panel.
    new, old = (panel().with_name(f".{NAME}-{kind}-{os.getpid()}") for kind in ("new", "old"))
    try:
        shutil.copytree(BUILT, new)
        if panel().is_symlink():
            panel().unlink()
        elif panel().exists():
            os.replace(panel(), old)
        os.replace(new, panel())
    finally:
        shutil.rmtree(new, ignore_errors=True)
        shutil.rmtree(old, ignore_errors=True)
