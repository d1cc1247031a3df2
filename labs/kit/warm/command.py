"""`labs kernel`: install the kernelspec, say what runs and why, and end it."""

import json
import os
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from typing import Any

from labs.kit.errors import LabsError
from labs.kit.jupyterlab import extension
from labs.kit.warm import obstacles, spec


def kernel_environment(start: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the environment of a kernel whose start is given `start`, that of this process unless told otherwise."""
    return {**start, **spec.content()["env"]}


def reasons() -> Iterator[str]:
    """Yield why a kernel started now would be an ordinary one; nothing if it would be a fork."""
    if not spec.is_installed():
        yield "the kernelspec tensorflow-labs is not installed: run `labs kernel install`"
    if not spec.is_registered():
        yield "Jupyter does not find the provisioner: run `make lab`"
    env = kernel_environment()
    found = list(obstacles.of_machine(env))
    yield from found
    if found:
        return
    from labs.kit.warm import client, place

    try:
        folder = place.folder()
        failure = client.failed(folder, place.key(env))
    except OSError as error:
        yield f"the folder of the sockets cannot be used: {error}"
        return
    if failure:
        yield failure


def running() -> list[dict[str, Any]]:
    """Return what each background process of this user says of itself."""
    if not sys.platform.startswith("linux"):
        return []
    from labs.kit.warm import client, place

    try:
        folder = place.folder()
    except OSError:
        return []
    found = []
    for name in place.names(folder):
        answer = client.asked(folder, name, {"do": "status"}, 2)
        if answer is not None:
            found.append({"name": name, "log": str(folder / f"{name}.log"), **answer})
    return found


def install() -> int:
    """Write the kernelspec and JupyterLab's panel, and say so where that changed anything."""
    if spec.install():
        print(f"Installed the kernel {spec.content()['display_name']} in {spec.file().parent}")
    if extension.install():
        print(f"Installed the panel of JupyterLab in {extension.panel()}")
    return 0


def status(as_json: bool) -> int:
    """Print what runs, and why a kernel would be an ordinary one."""
    processes, why = running(), list(reasons())
    if as_json:
        print(json.dumps({"warm": not why, "reasons": why, "processes": processes}, indent=2))
        return 0
    print("A kernel started now is ordinary:" if why else "A kernel started now is forked, ready at once.")
    for reason in why:
        print(f"  {reason}")
    if not processes:
        print("No background process runs; the first kernel starts it.")
    for process in processes:
        _print(process)
    return 0


def _print(process: dict[str, Any]) -> None:
    if "pid" not in process:
        print(f"\nA background process is importing TensorFlow. Its log is {process['log']}")
        return
    memory = process["memory"].get("proportional", 0) / 1e6
    minutes = (time.time() - process["began"]) / 60
    print(
        f"\nProcess {process['pid']}, {minutes:.0f} min old, {memory:.0f} MB, {process['forks']} kernels forked. "
        f"Its log is {process['log']}"
    )
    for kernel in process["kernels"]:
        own = kernel["memory"].get("private", 0) / 1e6
        print(f"  kernel {kernel['pid']}, {own:.0f} MB of its own")


def stop() -> int:
    """End every background process of this user; kernels that are open live on.

    Raises:
        LabsError: one does not answer.
    """
    ended = 0
    if not sys.platform.startswith("linux"):
        raise LabsError("Kernels are forked on Linux only: there is nothing to end.")
    from labs.kit.warm import client, place

    try:
        folder = place.folder()
    except OSError as error:
        raise LabsError(f"The folder of the sockets cannot be used: {error}") from error
    for name in place.names(folder):
        answer = client.asked(folder, name, {"do": "stop"}, client.PATIENCE)
        if answer == {}:
            raise LabsError(f"A background process does not answer; its log is {folder / name}.log")
        ended += answer is not None
    print(f"Ended {ended}." if ended else "Nothing was running.")
    return 0


def prepare(start: Mapping[str, str] = os.environ) -> None:
    """Start the background process for the kernels of this process, so that the first one finds it ready.

    Whatever stands in the way is left to the start of the kernel, which is then an ordinary one.

    Args:
        start: the environment that the kernels' start is given.
    """
    env = kernel_environment(start)
    if any(obstacles.of_machine(env)):
        return
    from labs.kit.warm import client

    with suppress(OSError, client.Unavailable):
        client.prepare(env)
