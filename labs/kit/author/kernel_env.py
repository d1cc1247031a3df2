"""The environment of every kernel whose outputs are stored or compared: one place, so that both agree."""

import os
from pathlib import Path

STRAY = (
    "LABS_SEED",  # a seed asked for by a person would change every number
    "MPLBACKEND",  # ipykernel chooses the inline backend only where none is set
    "COLUMNS",  # Rich and Keras' summary fold their tables to the width of the caller's terminal
    "LINES",
    "FORCE_COLOR",  # CI services set it, and colour codes would then stand in the stored text
    "NO_COLOR",
    "PYTHONWARNINGS",
    "PYTHONSTARTUP",
)
"""What a person's or a CI service's shell may set that would show in an output."""


def kernel_environment(home: Path) -> dict[str, str]:
    """Return the whole environment in which a lab's kernel runs when its outputs are stored or compared.

    It is this process's environment with what shows in an output set or taken away. TensorFlow's thread
    counts are left alone on purpose: how a sum is split over threads changes its last digits, so a run
    with fewer threads would not repeat the stored numbers.

    Args:
        home: A fresh folder; becomes `LABS_HOME`, so that a learner's progress is never touched.

    Returns:
        Every variable of the kernel's process, to be handed over as `env` of its start.
    """
    env = {name: value for name, value in os.environ.items() if name not in STRAY}
    return env | {
        "LABS_HOME": str(home),
        # A person's own IPython profile may load extensions or start-up files that print.
        "IPYTHONDIR": str(home / "ipython"),
        "PYTHONHASHSEED": "0",
        "TF_CPP_MIN_LOG_LEVEL": "3",
        # ipykernel leaves C-level output uncaptured where this is set, as pytest does: outputs stored
        # without it have a stderr that nbval's fresh ones lack.
        "PYTEST_CURRENT_TEST": "labs",
    }
