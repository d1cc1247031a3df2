"""The labs inside JupyterLab: a panel, built from `extension/`, and the part of the server that it asks.

The server imports this whether or not a lab is ever opened, so nothing heavy is imported here.
"""

from typing import Any


def _jupyter_server_extension_points() -> list[dict[str, Any]]:
    return [{"module": "labs.kit.jupyterlab"}]


def _load_jupyter_server_extension(server: Any) -> None:
    from labs.kit.jupyterlab.handlers import add_to

    add_to(server.web_app)
