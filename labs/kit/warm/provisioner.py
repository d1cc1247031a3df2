"""What Jupyter calls to start a kernel of the kernelspec `tensorflow-labs`."""

import asyncio
import os
import subprocess
from contextlib import ExitStack
from pathlib import Path
from typing import Any

from jupyter_client.connect import KernelConnectionInfo
from jupyter_client.provisioning import LocalProvisioner

from labs.kit.warm import obstacles
from labs.kit.warm.process import Forked


class WarmProvisioner(LocalProvisioner):
    """Starts a kernel as a fork of a process that has imported TensorFlow, or else as any other kernel.

    All but the start is inherited: the fork leads a process group of its own, as an ordinary kernel does,
    and stands here as a `Forked` where an ordinary one stands as a `Popen`.
    """

    async def launch_kernel(self, cmd: list[str], **kwargs: Any) -> KernelConnectionInfo:
        """Launch a kernel."""
        job = asyncio.ensure_future(asyncio.to_thread(_forked, cmd, kwargs))
        try:
            forked = await asyncio.shield(job)
        except asyncio.CancelledError:
            job.add_done_callback(_end)
            raise
        except Exception as error:
            # Whatever it is, a learner gets a kernel: a fork is only the faster way.
            self.log.debug("An ordinary kernel starts: %s", error)
            return await super().launch_kernel(cmd, **kwargs)
        self.process = forked
        self.pid = self.pgid = forked.pid
        self.cwd = kwargs.get("cwd", Path.cwd())
        return self.connection_info


def _forked(cmd: list[str], options: dict[str, Any]) -> Forked:
    from labs.kit.warm import client

    env, cwd = dict(options["env"]), os.path.abspath(options.get("cwd") or os.getcwd())
    for reason in (*obstacles.of_machine(env), *obstacles.of_start(cmd, cwd, options)):
        raise client.Unavailable(reason)
    independent = bool(options.get("independent"))
    if not independent:
        env["JPY_PARENT_PID"] = str(os.getpid())
    with ExitStack() as stack:
        files = _standard_files(options, stack)
        # The program's name stands where an ordinary kernel has the launcher's file.
        launcher = _launcher()
        return client.fork([launcher, *map(os.path.expanduser, cmd[3:])], env, cwd, files, independent)


def _launcher() -> str:
    from importlib.util import find_spec

    return find_spec("ipykernel_launcher").origin


def _standard_files(options: dict[str, Any], stack: ExitStack) -> list[int]:
    """Return what Jupyter would give an ordinary kernel for standard input, output and error."""
    files: list[int] = []
    for number, name in enumerate(("stdin", "stdout", "stderr")):
        given = options.get(name)
        if given is None and name == "stdin":
            reader, writer = os.pipe()
            os.close(writer)  # whoever reads finds the end at once
            stack.callback(os.close, reader)
            files.append(reader)
        elif given is None:
            files.append(number)
        elif given == subprocess.DEVNULL:
            files.append(os.open(os.devnull, os.O_RDWR | os.O_CLOEXEC))
            stack.callback(os.close, files[-1])
        elif given == subprocess.STDOUT and name == "stderr":
            files.append(files[1])
        elif given == subprocess.PIPE:
            raise ValueError("pipes to a fork's standard files are not made")
        else:
            files.append(given if isinstance(given, int) else given.fileno())
    for file in files:
        os.fstat(file)
    return files


def _end(job: "asyncio.Future[Forked]") -> None:
    """End a kernel that nobody waits for any more."""
    if not job.cancelled() and not job.exception():
        job.result().kill()
