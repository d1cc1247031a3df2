"""`labs start`: put the learner's own copy of a lab in place and open it in JupyterLab."""

import os
import secrets
import socket
import sys
from pathlib import Path
from urllib.parse import quote

from labs.kit import paths
from labs.kit.command import where, workspace
from labs.kit.curriculum import Curriculum, Lab
from labs.kit.errors import LabsError
from labs.kit.jupyterlab import extension
from labs.kit.warm import spec
from labs.kit.warm.command import prepare

ANNOUNCEMENTS = "@jupyterlab/apputils-extension:announcements"
"""The part of JupyterLab that asks every newcomer whether to fetch news, over the notebook."""


def start(
    curriculum: Curriculum, name: str | None, browser: bool, port: int | None, newer: bool | None = None
) -> None:
    """Open a lab and serve it until Ctrl-C.

    Args:
        curriculum: all labs.
        name: the lab; for None, the one where the learner stopped.
        browser: open it in a browser; otherwise only print the address.
        port: where to serve it; a free one from 8888 on for None.
        newer: take a newer version of the lab, with the learner's answers in it; None asks, if there is someone
            to ask.

    Raises:
        LabsError: the lab is unknown or not built, the folder cannot be written, or the port is taken.
    """
    lab = curriculum.lab(name) if name else where.go_on(curriculum)
    if port:
        _refuse_taken(port)
    notebook = put_in_place(lab, newer)
    spec.install()
    try:
        extension.install()
    except LabsError as error:
        print(error, file=sys.stderr)  # the notebooks work without it
    print(f"{lab.title} ({lab.name}), about {lab.minutes} minutes. Your copy is {notebook}", flush=True)
    _serve(paths.workspace(), notebook, browser, port)


def put_in_place(lab: Lab, newer: bool | None) -> Path:
    """Return the learner's copy of `lab`, made now or standing already; offer a newer version of the lab.

    Raises:
        LabsError: the notebook is not built, or the workspace cannot be written.
    """
    match workspace.state(lab):
        case workspace.FRESH:
            return workspace.place(lab)
        case workspace.DAMAGED:
            print(
                f"Your copy cannot be read as a notebook; it is kept as it is. `labs reset {lab.name}` puts it "
                "aside and begins anew."
            )
        case workspace.OLDER:
            if _wants(newer, lab):
                print("\n".join(workspace.upgrade(lab).sentences()))
    return workspace.copy_of(lab)


def _wants(newer: bool | None, lab: Lab) -> bool:
    if newer is not None:
        return newer
    print("There is a newer version of this lab. Your copy stays, and your answers are carried over.")
    if not sys.stdin.isatty():
        print(f"To take it: `labs start {lab.name} --newer`")
        return False
    return input("Take the newer version? [Y/n] ").strip().lower() in ("", "y", "yes")


def _refuse_taken(port: int) -> None:
    with socket.socket() as probe:
        # As the server does: a port whose last connections are still closing is free.
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind(("127.0.0.1", port))
        except OSError as error:
            raise LabsError(
                f"Port {port} cannot be used ({error.strerror}): name another, or leave --port out."
            ) from None


def arguments(root: Path, notebook: Path, browser: bool, port: int | None) -> list[str]:
    """Return what JupyterLab is started with."""
    import zmq

    given = [
        str(notebook),
        f"--ServerApp.root_dir={root}",
        "--ServerApp.answer_yes=True",  # one Ctrl-C ends it
        "--Application.log_level=ERROR",
        # A token that Jupyter has drawn itself, it also prints, with addresses that open no lab.
        f"--IdentityProvider.token={os.environ.get('JUPYTER_TOKEN') or secrets.token_hex(24)}",
        "--LabApp.news_url=None",
        "--LabApp.check_for_updates_class=jupyterlab.NeverCheckForUpdate",
    ]
    if zmq.has("curve"):
        # On a machine shared with others, what goes to and from the kernel is for nobody else's eyes.
        given.append("--KernelManager.transport_encryption=auto")
    if not browser:
        given.append("--no-browser")
    if port:
        given += [f"--port={port}", "--ServerApp.port_retries=0"]
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        given.append("--allow-root")
    return given


def _serve(root: Path, notebook: Path, browser: bool, port: int | None) -> None:
    # Kernels get this environment: the interpreter and the commands of this environment come first, whatever
    # kernels the learner has installed elsewhere, and TensorFlow's log stays out of the notebook.
    os.environ["JUPYTER_PREFER_ENV_PATH"] = "1"
    os.environ["PATH"] = os.pathsep.join([str(Path(sys.executable).parent), os.environ.get("PATH", "")])
    os.environ.setdefault("TF_CPP_MIN_LOG_LEVEL", "3")
    prepare()
    from jupyterlab.labapp import LabApp

    try:
        server = LabApp.initialize_server(arguments(root, notebook, browser, port))
    except OSError as error:
        raise LabsError(f"JupyterLab cannot start: {error}.") from error
    server.web_app.settings["page_config_hook"] = _without_announcements
    # The server binds its port in the loop: an address printed before that would not answer yet.
    server.io_loop.add_callback(_tell, server, notebook.relative_to(root), browser)
    server.start()


def _tell(server, notebook: Path, browser: bool) -> None:
    address = f"{server.connection_url}lab/tree/{quote(notebook.as_posix())}?token={server.token}"
    print(f"JupyterLab runs until Ctrl-C, at\n\n    {address}\n")
    if not browser:
        print(f"From another machine: ssh -L {server.port}:localhost:{server.port} and this machine's name.")
    sys.stdout.flush()


def _without_announcements(handler, page_config: dict) -> dict:
    page_config["disabledExtensions"] = [*page_config.get("disabledExtensions", []), ANNOUNCEMENTS]
    return page_config
