"""The fields of an answer as widgets."""

from __future__ import annotations

from collections.abc import Mapping

from textual import events
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, Static, TextArea

from gatekit.display import shorten
from gatekit_tui.frame.menu import PickList
from gatekit_tui.frame.row_text import one_line
from gatekit_tui.request.fields import WHOLE, Field, Raw, shown

_LONGEST_INPUT = 20_000
_LONGEST_NOTE = 500


class Form(VerticalScroll, can_focus=False):
    """One widget for each field, in their order; Tab goes through them."""

    DEFAULT_CSS = """
    Form {
        height: 1fr;
        padding: 0 1;
        .field { height: auto; width: 1fr; color: $primary; margin-top: 1; }
        .whole { display: none; }
        Input, Input:focus { border: none; height: 1; padding: 0 1; background: $panel; }
        TextArea, TextArea:focus { border: none; padding: 0 1; background: $panel; }
        TextArea { height: auto; min-height: 3; max-height: 10; }
        LinesView { height: auto; }
    }
    """

    class Changed(Message):
        """Something was typed or picked."""

    def __init__(self, fields: tuple[Field, ...], raw: Mapping[str, Raw], *above: Widget) -> None:
        super().__init__()
        self._fields = fields
        self._above = above
        self._widgets = [_widget(field, raw.get(field.name, ()), _id(number)) for number, field in enumerate(fields)]

    @property
    def raw(self) -> dict[str, Raw]:
        """What stands in the fields, also once they are closed."""
        return {field.name: _read(widget) for field, widget in zip(self._fields, self._widgets, strict=True)}

    def compose(self) -> ComposeResult:
        """What stands above the fields, then each with its name."""
        yield from self._above
        for field, widget in zip(self._fields, self._widgets, strict=True):
            yield Static(_label(field), classes="whole" if field.name == WHOLE else "field", markup=False)
            yield widget

    def start(self) -> None:
        """Put the hand on the first field."""
        self.screen.set_focus(self._widgets[0])

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self.post_message(self.Changed())

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        event.stop()
        self.post_message(self.Changed())

    def on_pick_list_picked(self, event: PickList.Picked) -> None:
        event.stop()
        self.post_message(self.Changed())

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter goes on to the next field; it sends nothing off."""
        event.stop()
        self.screen.focus_next()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self.scroll_to_widget(event.widget, animate=False)


def _read(widget: Widget) -> Raw:
    if isinstance(widget, PickList):
        return widget.picked
    if isinstance(widget, TextArea):
        return widget.text
    assert isinstance(widget, Input)
    return widget.value


def _id(number: int) -> str:
    return f"field-{number}"


def _label(field: Field) -> str:
    kinds = {"integer": "whole number", "number": "number", "json": "JSON", "many": "any of"}
    kind = f" · {kinds[field.kind]}" if field.kind in kinds else ""
    empty = " · may be empty" if field.nullable else ""
    note = f" · {shorten(field.note, _LONGEST_NOTE)[0]}" if field.note else ""
    return one_line(f"{field.name}{kind}{empty}{note}")


def _widget(field: Field, raw: Raw, widget_id: str) -> Widget:
    if field.kind in ("one", "many"):
        picked = raw if isinstance(raw, tuple) else ()
        return PickList(list(map(shown, field.choices)), many=field.kind == "many", picked=picked, id=widget_id)
    text = raw if isinstance(raw, str) else ""
    if field.kind in ("json", "lines") or (field.kind == "text" and field.name == WHOLE):
        return TextArea(text, soft_wrap=True, tab_behavior="focus", id=widget_id)
    return Input(text, id=widget_id, max_length=_LONGEST_INPUT, select_on_focus=False)
