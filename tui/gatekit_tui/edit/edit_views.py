"""A draft of arguments in two views, one at a time: the fields of a form, or the text of its JSON."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from typing import Any, TypeAlias

import anyio
from textual.app import ComposeResult
from textual.containers import Vertical
from textual.message import Message
from textual.widgets import TextArea

from gatekit.errors import GatekitError
from gatekit_tui.edit.args_form import ArgsForm, NoForm, form_of, read_args, text_of
from gatekit_tui.edit.edit_tabs import EditTabs
from gatekit_tui.edit.form import Form
from gatekit_tui.frame.guarded import GuardedApp
from gatekit_tui.frame.lines_view import LinesView
from gatekit_tui.frame.row_text import one_line
from gatekit_tui.request.draft import DraftError, read_draft

LARGEST = 256 * 1024
"""Characters of JSON beyond which a text field gets slow: the draft is left to an editor."""

Schema: TypeAlias = Callable[[], Awaitable[Mapping[str, Any]]]
"""Reads the JSON Schema that the arguments must fit."""


class EditViews(Vertical):
    """The draft, and the hand that types it. Switching keeps what was typed; what is no JSON has no form."""

    DEFAULT_CSS = """
    EditViews {
        height: 1fr;
        #draft, #draft:focus { height: 1fr; border: none; padding: 0 1; background: $background; }
        #too-large { height: 1fr; padding: 1 1; }
    }
    """

    class Changed(Message):
        """Something was typed or picked, or stands there now."""

    def __init__(self, text: str, schema: Schema | None) -> None:
        super().__init__()
        self._first = text
        self._json = text
        self._read_schema = schema
        self._schema: Mapping[str, Any] | None = None
        self._no_form = "nothing says what it would ask for"
        self._form: tuple[ArgsForm, Form] | None = None
        self._switching = anyio.Lock()
        self._tabs = EditTabs(id="edit-tabs")
        self._area = TextArea(soft_wrap=False, show_line_numbers=True, tab_behavior="indent", id="draft")
        self._too_large = LinesView(base="base", id="too-large")

    @property
    def text(self) -> str:
        """The draft as JSON, also once the screen is closed."""
        if self._form is None:
            return self._json if self._is_large else self._area.text
        form, widget = self._form
        raw = widget.raw
        return self._json if raw == form.raw else text_of(form, raw)

    def read(self) -> dict[str, Any]:
        """The arguments that the draft stands for. Raises `DraftError` or `FormError`."""
        if self._form is None:
            return read_draft(self.text)
        form, widget = self._form
        return read_args(form, widget.raw)

    def compose(self) -> ComposeResult:
        """The names of the views, and the text; a form comes with the schema."""
        yield self._tabs
        yield self._area
        yield self._too_large

    def on_mount(self) -> None:
        """The text at once; the form as soon as it is known what it asks for."""
        self._show_json(self._json)
        if self._read_schema is not None:
            self.run_worker(self._begin(self._read_schema), group="schema", exclusive=True)

    async def switch(self) -> str:
        """Show the other view. Gives why that cannot be, or nothing."""
        async with self._switching:
            if self._form is None:
                return await self._show_form()
            await self._leave_form(self.text)
            return ""

    async def put(self, text: str) -> str:
        """Another draft, in the view of the moment if that can be. Gives why it cannot, or nothing."""
        async with self._switching:
            if self._form is None:
                self._show_json(text)
                return ""
            await self._leave_form(text)
            return await self._show_form()

    async def _begin(self, read_schema: Schema) -> None:
        try:
            self._schema = await read_schema()
        except GatekitError as error:
            self._no_form = str(error)
        async with self._switching:
            if self._form is None and self.text == self._first:
                await self._show_form()

    async def _show_form(self) -> str:
        text = self.text
        try:
            form = self._form_of(text)
        except NoForm as error:
            self._tabs.show("json", f"no form: {one_line(str(error))}")
            return f"No form: {error}."
        except DraftError as error:
            return f"The text has to be read before it can be a form: {error}."
        widget = Form(form.fields, form.raw)
        await self.mount(widget)
        if not widget.is_attached:
            # The screen was left meanwhile.
            return ""
        self._json, self._form = text, (form, widget)
        self._area.display = self._too_large.display = False
        self._tabs.show("form")
        widget.start()
        self._changed()
        return ""

    def _form_of(self, text: str) -> ArgsForm:
        if self._schema is None:
            raise NoForm(self._no_form)
        return form_of(self._schema, read_draft(text))

    async def _leave_form(self, text: str) -> None:
        assert self._form is not None
        widget = self._form[1]
        self._form = None
        self._show_json(text)
        await widget.remove()

    def _show_json(self, text: str) -> None:
        self._json = text
        self._area.text = "" if self._is_large else text
        self._area.display, self._too_large.display = not self._is_large, self._is_large
        if self._is_large:
            told = f"{len(text):,} characters of JSON are too much for a text field: ctrl+e opens them in your editor."
            self._too_large.write([((told, "text"),)])
            self.screen.set_focus(None)
        else:
            self._area.focus()
        self._tabs.show("json")
        self._changed()

    @property
    def _is_large(self) -> bool:
        return len(self._json) > LARGEST

    def _changed(self) -> None:
        """The picture is another one: keys that decide must not be meant for the one before."""
        app = self.app
        assert isinstance(app, GuardedApp)
        app.guard.change()
        self.post_message(self.Changed())

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        event.stop()
        self.post_message(self.Changed())

    def on_form_changed(self, event: Form.Changed) -> None:
        event.stop()
        self.post_message(self.Changed())
