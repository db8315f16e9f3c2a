"""An edit in lines of text: changes that are typed, or all of the arguments in the reviewer's own editor."""

from __future__ import annotations

from typing import Any

import click

from gatekit.arguments.edits import changes_of
from gatekit.cli import terminal
from gatekit.cli.edits import changes_from, split
from gatekit.cli.importing import uncollected
from gatekit.cli.paint import safe
from gatekit.errors import InvalidEdit, UsageError
from gatekit.models import Request


class Written:
    """Asks for edits. What is written in `$VISUAL`, else in `$EDITOR`, is kept until it was sent: none is in vain."""

    def __init__(self) -> None:
        self._kept: dict[str, tuple[str, int]] = {}
        self._told_of: dict[str, tuple[str, int]] = {}

    def ask(self, request: Request) -> tuple[dict[str, Any], bool] | None:
        """What is typed as changes; or all the arguments, and True, as the reviewer leaves them in the editor.

        None at the end of input. Raises `UsageError` where that cannot be read, and where there is no editor, it failed
        or nothing was written.
        """
        opened = "what you wrote before" if request.id in self._kept else "all of it"
        typed = terminal.ask_or_end(
            "The changes, as NAME=JSON with a blank between them, a text in quotes twice; "
            f"Enter alone opens {opened} in your editor: "
        )
        if typed is None:
            return None
        return (changes_from(split(typed)), False) if typed else (self._written(request), True)

    def forget(self, request: Request) -> None:
        """The request is decided."""
        self._kept.pop(request.id, None)

    def unsent(self) -> str:
        """What is to be said once to who would leave; nothing where nothing is lost."""
        if not self._kept or self._kept == self._told_of:
            return ""
        self._told_of = dict(self._kept)
        return "What you wrote in your editor is not sent yet; quit again leaves without it."

    def _written(self, request: Request) -> dict[str, Any]:
        text = self._edited(request)
        self._kept[request.id] = text, request.version
        try:
            return changes_of(text)
        except InvalidEdit as error:
            raise UsageError(f"that cannot be read as arguments: {'; '.join(error.errors)}") from None

    def _edited(self, request: Request) -> str:
        # The dashboard's, which nobody waits for who opens no editor.
        with uncollected():
            from gatekit_tui.edit.external_editor import NotEdited, edit_file, editor
            from gatekit_tui.request.draft import write_draft

        text, version = self._kept.get(request.id, ("", request.version))
        if version != request.version:
            click.echo(f"What you wrote is of v{version}; the call is now v{request.version}.")
        try:
            return edit_file(text or write_draft(request.args), editor())
        except NotEdited as error:
            if not text:
                raise UsageError(f"Not edited: {error}.") from None
            click.echo(f"{safe(str(error))}: it is what you wrote before.")
            return text
