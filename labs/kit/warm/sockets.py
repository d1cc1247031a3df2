"""Where a kernel that a program of ours starts is spoken to."""

import sys
from pathlib import Path

from traitlets.config import Config


def own_sockets(folder: str | Path) -> Config:
    """Return settings that let a kernel be spoken to in `folder`, which only this user can enter.

    Over the network, as kernels are otherwise spoken to, others on the machine could listen. Windows has no
    such sockets, so there the settings are empty.
    """
    if sys.platform == "win32":
        return Config()
    return Config({"KernelManager": {"transport": "ipc", "ip": str(Path(folder, "kernel"))}})
