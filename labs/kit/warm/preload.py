"""What the background process imports before it forks kernels; nothing here may run an op."""

import gc
import importlib
import os
import pkgutil
import sys

AHEAD = (
    "numpy",
    "matplotlib.pyplot",
    "matplotlib.backends.backend_agg",
    "IPython.core.pylabtools",
    "ipykernel.kernelapp",
    "ipykernel.ipkernel",
    "ipykernel.zmqshell",
    "tensorflow_datasets",
)
"""Modules that nearly every lab's kernel uses, besides TensorFlow, Keras and the kit."""


def preload() -> None:
    """Import what a lab's kernel uses, and arrange memory so that forks share it."""
    from labs import kit
    from labs.kit import quiet

    quiet.tensorflow()
    with quiet.quiet_stderr():
        for name in AHEAD:
            try:
                importlib.import_module(name)
            except ImportError:
                continue  # a kernel without it imports what it needs itself
    for found in pkgutil.iter_modules(kit.__path__, kit.__name__ + "."):
        if not found.ispkg:
            importlib.import_module(found.name)
    _end_workers()
    gc.collect()
    # Collections in a fork would write to every page that they look at.
    gc.freeze()


def _end_workers() -> None:
    """End OpenBLAS' idle workers as it does itself before any fork; the next use of it makes new ones.

    They are made when NumPy is loaded. Fewer of them would change how a kernel's sums are split and so
    their last digits, which is why their number is left alone.
    """
    pid = os.fork()
    if not pid:
        os._exit(0)
    os.waitpid(pid, 0)


def threads() -> int:
    """Return the number of threads of this process."""
    return len(os.listdir("/proc/self/task"))


def has_run_ops() -> bool:
    """Tell whether TensorFlow has set up its devices and threads, as the first op does."""
    context = sys.modules["tensorflow.python.eager.context"].context_safe()
    return context is not None and context._context_handle is not None
