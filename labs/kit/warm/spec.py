"""The kernelspec `tensorflow-labs`, by which Jupyter and its tools find warm kernels."""

import json
import os
import sys
from importlib.metadata import entry_points
from pathlib import Path

from labs.kit.errors import LabsError

NAME = "tensorflow-labs"
PROVISIONER = "tensorflow-labs-warm"


def content() -> dict:
    """Return the kernelspec: an ordinary kernel of this environment, and the name of our provisioner."""
    return {
        "argv": [sys.executable, "-m", "ipykernel_launcher", "-f", "{connection_file}"],
        "display_name": "TensorFlow Labs",
        "language": "python",
        "env": {"TF_CPP_MIN_LOG_LEVEL": "3"},
        "metadata": {
            "debugger": True,
            "supported_encryption": ["curve"],
            "kernel_provisioner": {"provisioner_name": PROVISIONER},
        },
        "kernel_protocol_version": "5.5",
    }


def file() -> Path:
    """Return where the kernelspec of this environment is."""
    return Path(sys.prefix, "share", "jupyter", "kernels", NAME, "kernel.json")


def is_registered() -> bool:
    """Tell whether Jupyter finds our provisioner."""
    return bool(entry_points(group="jupyter_client.kernel_provisioners", name=PROVISIONER))


def is_installed() -> bool:
    """Tell whether this environment has the kernelspec as it is to be."""
    try:
        return json.loads(file().read_text("utf-8")) == content()
    except (OSError, ValueError):
        return False


def install() -> bool:
    """Write the kernelspec into this environment; return whether that changed anything.

    Raises:
        LabsError: it cannot be written, or Jupyter would not find the provisioner that it names.
    """
    if not is_registered():
        raise LabsError(
            "tensorflow-labs is installed here as it was before it had warm kernels: run `make lab` once."
        )
    if is_installed():
        return False
    path = file()
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        half = path.with_suffix(f".{os.getpid()}")
        half.write_text(json.dumps(content(), indent=1) + "\n", "utf-8")
        os.replace(half, path)
    except OSError as error:
        raise LabsError(f"The kernelspec {path} cannot be written: {error.strerror}.") from error
    return True
