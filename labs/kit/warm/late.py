"""Says so when a cell sets what only an import reads that was made before the kernel began."""

import os
import sys
from typing import Any

from labs.kit.warm.variables import ONLY_AT_IMPORT


class Late:
    """Looks after each cell, and says each thing once.

    Args:
        shell: the notebook's shell.
    """

    def __init__(self, shell: Any):
        self._known = {name: os.environ.get(name, default) for name, default in ONLY_AT_IMPORT.items()}
        shell.events.register("post_run_cell", self.look)

    def look(self, _: Any = None) -> None:
        """Compare the variables with what they were."""
        for name, default in ONLY_AT_IMPORT.items():
            value = os.environ.get(name, default)
            if value != self._known[name]:
                self._known[name] = value
                print(
                    f"{name} changes nothing here: TensorFlow, Keras, NumPy and matplotlib were imported before "
                    "this kernel began. Choose the kernel Python 3, or set it before you start Jupyter.",
                    file=sys.stderr,
                )
