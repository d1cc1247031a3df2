"""What a fork does to become a kernel like one that was started afresh."""

import gc
import logging
import os
import select
import signal
import sys
import tempfile
import threading
import time
import types
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any

from ipykernel import kernelapp

from labs.kit.warm import inheritance
from labs.kit.warm.late import Late

MODULES: dict[str, types.SimpleNamespace] = {}
"""For each module a stand-in that has its file, side by side in memory; filled before any fork.

An ordinary kernel reads `__file__` of some thousand modules when it is made. In a fork that writes to each
one's count of references, and so copies megabytes of pages that are otherwise shared.
"""


def remember_modules() -> None:
    """Fill `MODULES`."""
    for name, module in list(sys.modules.items()):
        file = getattr(module, "__file__", None)
        if isinstance(file, str):
            MODULES[name] = types.SimpleNamespace(__file__=str(file.encode(), "utf-8"))


class Told:
    """A module with some attributes told otherwise.

    Args:
        module: the module.
        others: the attributes.
    """

    def __init__(self, module: types.ModuleType, **others: Any):
        self._module = module
        vars(self).update(others)

    def __getattr__(self, name: str) -> Any:
        return getattr(self._module, name)


@dataclass(frozen=True)
class Birth:
    """What a fork is to become.

    Attributes:
        message: what was asked for: argv, env, cwd, umask, limits.
        listens: a descriptor to close once the kernel listens.
        owner: a descriptor that becomes readable when the process ends that asked for the kernel; None for
            a kernel that outlives it.
    """

    message: dict[str, Any]
    listens: int
    owner: int | None


def settle(files: list[int], tell: int, keep: Iterable[int]) -> list[int]:
    """Lead a group of one's own, take over the files that came with the message, and close all others.

    Args:
        files: standard input, output and error, and others to keep.
        tell: closed once a signal to the group reaches this process.
        keep: descriptors that imported libraries hold.

    Returns:
        The others.
    """
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_DFL)
    signal.signal(signal.SIGINT, signal.default_int_handler)
    os.setsid()
    os.close(tell)
    for standard, file in enumerate(files[:3]):
        os.dup2(file, standard)
    others = files[3:]
    before = 3
    for file in sorted({*keep, *others}):
        os.closerange(before, file)
        before = file + 1
    os.closerange(before, os.sysconf("SC_OPEN_MAX"))
    files.clear()
    return others


def run(birth: Birth, changes: dict[str, str | None]) -> None:
    """Be the kernel until it ends.

    Args:
        birth: what was asked for.
        changes: what the imports have changed in the environment of the process that made them.
    """
    asked = birth.message
    _adopt(asked)
    for name, value in changes.items():
        if value is None:
            os.environ.pop(name, None)
        else:
            os.environ[name] = value
    sys.argv = [asked["program"], *asked["argv"]]
    gc.enable()
    early = _handlers()
    app = IPKernelApp.instance(parent_handle=int(asked["env"].get("JPY_PARENT_PID") or 0))
    app.birth, app.early = birth, early
    app.initialize(asked["argv"])
    app.start()


def _adopt(asked: dict[str, Any]) -> None:
    """Take over what a process that is started afresh has from the one that starts it, and fresh chance."""
    os.chdir(asked["cwd"])
    inheritance.take_over(asked)
    os.environ.clear()
    os.environ.update(asked["env"])
    time.tzset()
    tempfile.tempdir = None
    for stream in (sys.stdout, sys.stderr):
        stream.reconfigure(line_buffering=stream is sys.stderr or stream.isatty())
    # Python's own generator sees to itself; without this one all kernels would draw the same numbers.
    sys.modules["numpy"].random.seed()


def _handlers() -> list[logging.StreamHandler]:
    """Return every handler there is, also those that hang on another one as absl's does."""
    handlers = [reference() for reference in logging._handlerList]
    return [handler for handler in handlers if isinstance(handler, logging.StreamHandler)]


class IPKernelApp(kernelapp.IPKernelApp):
    """An ordinary IPython kernel that is not its owner's child.

    It has the same name, because settings and log lines carry the name of the class.
    """

    birth: Birth
    early: Iterable[logging.StreamHandler] = ()

    def init_io(self) -> None:
        """Send to the notebook what imported libraries log, as when they are imported in a notebook."""
        plain = {sys.stdout: "stdout", sys.stderr: "stderr"}
        super().init_io()
        for handler in self.early:
            if handler.stream in plain:
                handler.setStream(getattr(sys, plain[handler.stream]))

    def init_poller(self) -> None:
        """End with the owner, as a kernel that is its child does."""
        if self.birth.owner is not None:
            self.poller = OwnerPoller(self.birth.owner)

    def log_connection_info(self) -> None:
        """Tell who asked for the kernel that all its sockets listen and their file is written."""
        super().log_connection_info()
        os.close(self.birth.listens)

    def init_kernel(self) -> None:
        """Make the kernel, without copying the pages of all modules that it asks for their files."""
        kernel_module = sys.modules[kernelapp.IPythonKernel.__module__]
        kernel_module.sys = Told(sys, modules=MODULES)
        try:
            super().init_kernel()
        finally:
            kernel_module.sys = sys

    def init_gui_pylab(self) -> None:
        """Choose the backend of figures as matplotlib does when it is imported after this."""
        super().init_gui_pylab()
        sys.modules["matplotlib"].rcParams["backend"] = os.environ["MPLBACKEND"]

    def init_shell(self) -> None:
        """Send what `tf.print` prints to the notebook, as TensorFlow does when a notebook imports it."""
        super().init_shell()
        sys.modules["tensorflow.python.ops.logging_ops"].enable_interactive_logging()

    def init_code(self) -> None:
        """Watch what the notebook's cells set too late."""
        super().init_code()
        Late(self.shell)


class OwnerPoller(threading.Thread):
    """Ends this process when its owner has ended.

    Args:
        owner: a process descriptor.
    """

    def __init__(self, owner: int):
        super().__init__(daemon=True)
        self._owner = owner

    def run(self) -> None:
        """Wait for the owner's end."""
        watch = select.poll()
        watch.register(self._owner, select.POLLIN)
        watch.poll()
        os._exit(1)
