"""The REST API of the panel: the state, and what can be done, each for who is logged in.

A request that cannot be served is answered by one sentence, as `message`, with a status from 400 on.
"""

import asyncio
import json
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

from jupyter_server.auth.decorator import authorized
from jupyter_server.base.handlers import APIHandler
from jupyter_server.utils import url_path_join
from tornado import web

from labs.kit.errors import LabsError
from labs.kit.jupyterlab import actions, state

BASE = "tensorflow-labs"
LARGEST_BODY = 1_000_000
"""Bytes of a request: far more than any needs."""

CHANGED = {
    "$id": "urn:tensorflow-labs:changed",
    "version": "1",
    "title": "Something that the panel shows has changed",
    "personal-data": False,
    "type": "object",
    "properties": {"what": {"type": "string"}},
    "required": ["what"],
}
"""What every page that shows this server is told, so that two windows agree."""


class _Handler(APIHandler):
    auth_resource = "contents"
    """Who may read and write notebooks may see and do all of this."""

    @property
    def root(self) -> Path | None:
        """The folder that this JupyterLab shows, if it is one of this machine."""
        folder = getattr(self.contents_manager, "root_dir", None)
        return Path(folder) if folder else None

    async def reply(self, work: Callable[[], dict[str, Any]]) -> None:
        """Answer with what `work` returns; it reads and writes files, so it has a thread of its own."""
        try:
            answer = await asyncio.to_thread(work)
        except LabsError as error:
            statuses = {actions.Malformed: 400, actions.Unknown: 404}
            self.refuse(statuses.get(type(error), 409), str(error))
        else:
            self.finish(json.dumps(answer))

    def refuse(self, status: int, sentence: str) -> None:
        """Answer with one sentence."""
        self.set_status(status)
        self.finish(json.dumps({"message": sentence}))


class State(_Handler):
    """All that the panel shows."""

    @web.authenticated
    @authorized
    async def get(self) -> None:
        """Answer with the state."""
        await self.reply(partial(state.read, self.root))


class Action(_Handler):
    """One thing that can be done."""

    def initialize(self, what: str, work: Callable[[dict[str, Any], Path | None], dict[str, Any]]) -> None:
        """Take what to do from the table of addresses."""
        self.what, self.work = what, work

    @web.authenticated
    @authorized
    async def post(self) -> None:
        """Do it, and answer with what came of it."""
        if len(self.request.body) > LARGEST_BODY:
            self.refuse(413, f"The body of the request must not be longer than {LARGEST_BODY:,} bytes.")
            return
        try:
            asked = json.loads(self.request.body or b"{}")
        except (ValueError, RecursionError):
            asked = None
        if not isinstance(asked, dict):
            self.refuse(400, "The body of the request must be one JSON object.")
            return
        await self.reply(partial(self.work, asked, self.root))
        if self.get_status() == 200:
            self.event_logger.emit(schema_id=CHANGED["$id"], data={"what": self.what})


def add_to(app: Any) -> None:
    """Add the API to the server's application."""
    at = partial(url_path_join, app.settings["base_url"], BASE)
    works = {
        "open": actions.open_lab,
        "reset": actions.reset,
        "hint": actions.hint,
        "hint-seen": actions.hint_seen,
        "answer": actions.answer,
    }
    posts = [(at(what), Action, {"what": what, "work": work}) for what, work in works.items()]
    app.add_handlers(".*$", [(at("state"), State), *posts])
    app.settings["event_logger"].register_event_schema(CHANGED)
