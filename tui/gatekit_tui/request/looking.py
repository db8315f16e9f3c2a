"""What a reviewer does to see more of a request: compare it, open what the agent shows, copy its arguments."""

from __future__ import annotations

from functools import partial
from typing import TYPE_CHECKING

import anyio

from gatekit.errors import GatekitError
from gatekit.models import Preview, Request
from gatekit_tui.frame.ask import AskScreen
from gatekit_tui.frame.deliberate import Deliberate
from gatekit_tui.frame.spans import Inked
from gatekit_tui.request.draft import write_json
from gatekit_tui.request.opening import NotOpened, open_file, opener
from gatekit_tui.request.preview_text import file_lines

if TYPE_CHECKING:
    from gatekit import Gate

_WIDTH = 200


class Looker:
    """Shows more of a request. Nothing here decides."""

    def __init__(self, screen: Deliberate[None], gate: Gate) -> None:
        self._screen = screen
        self._gate = gate

    async def compare(self, request: Request) -> None:
        """Show what differs from the last approved call of the same tool."""
        from gatekit_tui.request.compare import CompareScreen

        say = self._screen.review.say
        try:
            before = await self._gate.aio.last_approved(request)
        except GatekitError as error:
            say(str(error), "error")
            return
        if before is None:
            say(f"Nobody has allowed a call of {request.tool} before: there is nothing to compare it with.")
            return
        changes = await anyio.to_thread.run_sync(self._gate.compare, before, request)
        if self._screen.is_active:
            self._screen.app.push_screen(CompareScreen(request, before, changes, self._gate.now()))

    def copy(self, request: Request) -> None:
        """Copy the arguments as JSON, to paste them anywhere: what hides in them is an escape."""
        text = write_json(request.args)
        self._screen.app.copy_to_clipboard(text)
        self._screen.review.say(f"Copied {len(text):,} characters of JSON, if this terminal lets programs copy.")

    def view(self, request: Request) -> None:
        """Open the file that the agent shows, once that was confirmed: it is the agent's work."""
        preview = request.preview
        if preview is None or preview.kind != "file":
            return
        try:
            command = opener()
        except NotOpened as error:
            self._screen.review.say(f"Not opened: {error}", "warning")
            return
        lines: list[Inked] = file_lines(preview, _WIDTH)[:-1]
        why = ["The agent made this file, or chose it. Nothing is decided by opening it."]
        ask = AskScreen(f"Open it with {command[0]}?", why=why, lines=lines, word=None, act="open it")
        self._screen.app.push_screen(ask, lambda yes: self._start(preview, command) if yes else None)

    def _start(self, preview: Preview, command: list[str]) -> None:
        self._screen.latest(partial(self._open, preview, command), "view")

    async def _open(self, preview: Preview, command: list[str]) -> None:
        try:
            await anyio.to_thread.run_sync(open_file, preview, command)
            self._screen.review.say(f"The file is the one that the agent showed; {command[0]} opens it.")
        except NotOpened as error:
            self._screen.review.say(f"Not opened: {error}", "warning")
