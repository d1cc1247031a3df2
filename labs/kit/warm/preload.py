"""What the background process imports before it forks kernels; nothing here may run an op."""

import gc
import importlib
import os
import pkgutil
import sys

AHEAD = (
    "keras",
    "tensorflow",
    "numpy.random",
    "matplotlib.pyplot",
    "matplotlib.backends.backend_agg",
    "IPython.core.completerlib",
    "IPython.core.debugger",
    "IPython.core.oinspect",
    "IPython.core.pylabtools",
    "IPython.extensions.storemagic",
    "ipykernel.debugger",
    "ipykernel.ipkernel",
    "ipykernel.kernelapp",
    "ipykernel.zmqshell",
    "tornado.platform.asyncio",
    "tornado.queues",
    "tensorflow_datasets",
)
"""Modules that nearly every lab's kernel uses, besides TensorFlow, Keras and the kit."""


def preload() -> dict[str, str | None]:
    """Import what a lab's kernel uses, and arrange memory so that forks share it.

    `labs.kit.quiet.tensorflow` is not used: it also sets log levels and filters, which an ordinary kernel has
    only after `labs.start`.

    Returns:
        What the imports have changed in this process's environment; None for a variable that is gone.

    Raises:
        ImportError: TensorFlow or Keras is missing, or Keras is set to run on something else.
    """
    from labs import kit
    from labs.kit.quiet import quiet_stderr
    from labs.kit.warm import child

    before = dict(os.environ)
    # What a notebook has while it imports; TensorFlow's log looks for it.
    sys.ps1 = "In : "
    with quiet_stderr():
        for name in AHEAD:
            importlib.import_module(name)
    del sys.ps1
    # Looks through all installed packages, and keeps what it finds.
    sys.modules["matplotlib"].backends.backend_registry.list_all()
    backend = sys.modules["keras"].config.backend()
    if backend != "tensorflow":
        raise ImportError(f"Keras is set to run on {backend}")
    for found in pkgutil.iter_modules(kit.__path__, kit.__name__ + "."):
        if not found.ispkg:
            importlib.import_module(found.name)
    child.remember_modules()
    end_workers()
    gc.collect()
    # Collections in a fork would write to every page that they look at.
    gc.freeze()
    names = {*before, *os.environ}
    return {name: os.environ.get(name) for name in names if os.environ.get(name) != before.get(name)}


def end_workers() -> None:
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
