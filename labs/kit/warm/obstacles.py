"""Why an ordinary kernel starts instead of a fork: everything in which a fork would not be equal."""

import glob
import os
import sys
from collections.abc import Iterator, Mapping

GPUS = ("/dev/nvidia[0-9]*", "/dev/nvidiactl", "/dev/dxg", "/dev/kfd")
"""Devices whose drivers keep state that a fork does not get."""

OFF = ("0", "off", "no", "false")

KNOWN_OPTIONS = {"env", "cwd", "stdin", "stdout", "stderr", "independent", "kernel_id", "extra_arguments"}


def of_machine(env: Mapping[str, str]) -> Iterator[str]:
    """Yield why no kernel with the environment `env` can be forked on this machine."""
    if os.environ.get("LABS_WARM", "").lower() in OFF:
        yield f"LABS_WARM={os.environ['LABS_WARM']} switches warm kernels off"
    if not sys.platform.startswith("linux"):
        yield "forking a process with TensorFlow is safe on Linux only"
    elif not hasattr(os, "pidfd_open"):
        yield "this Python cannot watch processes that are not its children"
    if env.get("CUDA_VISIBLE_DEVICES") not in ("", "-1"):
        found = [path for pattern in GPUS for path in glob.glob(pattern)]
        if found:
            yield f"there is a GPU ({found[0]}), whose driver a fork cannot take over"
    backend = env.get("KERAS_BACKEND", "tensorflow")
    if backend != "tensorflow":
        yield f"KERAS_BACKEND={backend}: the background process runs Keras on TensorFlow"


def of_start(cmd: list[str], cwd: str, options: Mapping[str, object]) -> Iterator[str]:
    """Yield why this start of a kernel cannot be answered by a fork.

    Args:
        cmd: the command of an ordinary kernel.
        cwd: its working directory.
        options: the other arguments, as those of `subprocess.Popen`.
    """
    if cmd[:1] != [sys.executable]:
        yield f"the kernel's Python is {cmd[0] if cmd else 'not named'}, not {sys.executable}"
    if cmd[1:3] != ["-m", "ipykernel_launcher"]:
        yield "the kernel is started in another way than by `-m ipykernel_launcher`"
    unknown = sorted(set(options) - KNOWN_OPTIONS)
    if unknown:
        yield f"the start has options that a fork does not know: {', '.join(unknown)}"
    if not os.path.isdir(cwd):
        yield f"{cwd} is no folder"
    elif os.path.exists(os.path.join(cwd, "matplotlibrc")):
        yield f"{cwd} has a matplotlibrc, which matplotlib reads at import"
