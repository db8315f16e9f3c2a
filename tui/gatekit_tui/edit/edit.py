"""Edit the arguments, in a form or as JSON: what is wrong and what it changes is shown while it is typed."""

from __future__ import annotations

from typing import Any, ClassVar

from textual.binding import Binding, BindingType

from gatekit.display import draw_arguments, friction
from gatekit.models import Change
from gatekit_tui.edit.begun import Begun
from gatekit_tui.edit.checked import Check, CheckedScreen, Verdict, judge
from gatekit_tui.edit.edit_tabs import EditTabs
from gatekit_tui.edit.edit_views import EditViews, Schema
from gatekit_tui.edit.external_editor import NotEdited, edit_outside
from gatekit_tui.frame.row_text import one_line
from gatekit_tui.frame.spans import Inked
from gatekit_tui.request.changes_text import are_whole, change_lines
from gatekit_tui.request.draft import DraftError, read_draft, write_draft, write_json
from gatekit_tui.request.study import Study


class EditScreen(CheckedScreen[dict[str, Any]]):
    """A draft of one call's arguments. Gives them once they are confirmed, else None and keeps the draft."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "submit", "go on", priority=True),
        Binding("ctrl+t", "switch", "form/JSON", priority=True),
        Binding("ctrl+e", "outside", "$EDITOR", priority=True),
        Binding("ctrl+r", "reset", "reset", priority=True),
        Binding("escape", "back", "back, draft kept", priority=True),
    ]
    DOING = "edit"
    UNFIT = "It does not fit yet: see below."

    def __init__(
        self, seen: Study, begun: Begun[str] | None, check: Check, *, shown_all: bool, schema: Schema | None = None
    ) -> None:
        original = write_draft(seen.request.args)
        if begun is not None and begun.version != seen.request.version and _is_draft_of(seen.request.args, begun.draft):
            # What the reviewer wanted is what is asked now.
            begun = None
        views = EditViews(original if begun is None else begun.draft, schema)
        super().__init__(seen, views, shown_all=shown_all)
        self._begun_on = seen.request.version if begun is None else begun.version
        self._original = original
        self._views = views
        self._check = check

    @property
    def unsent(self) -> Begun[str] | None:
        """The text as it stands, also once the screen is closed; None if it is as the call asked."""
        text = self._views.text
        return None if text == self._original else Begun(text, self._begun_on)

    def stands(self) -> str:
        """The text of the draft."""
        return self._views.text

    async def judge(self) -> Verdict[dict[str, Any]]:
        """Against the tool's own schema."""
        return await judge(self._views.read, self._check)

    def fits(self, value: dict[str, Any], changes: tuple[Change, ...]) -> list[Inked]:
        """Every change."""
        tool = one_line(self._seen.request.tool)
        if not changes:
            return [((f"✓ fits {tool}, nothing changed", "dim"),)]
        count = f"{len(changes)} change{'' if len(changes) == 1 else 's'}"
        return [((f"✓ fits {tool}, {count}", "good"),), *change_lines(changes)]

    def confirm(self, value: dict[str, Any], changes: tuple[Change, ...]) -> None:
        """Ask for the approval of these arguments."""
        if not changes:
            self.review.say("Nothing is changed: go back with Esc and press a.", "warning")
            return
        request = self._seen.request
        hidden = draw_arguments(value).hidden + self._seen.hidden - self._seen.drawing.hidden
        act = "release" if request.kind == "pause" else "approve"
        self.ask(
            f"{act.capitalize()} {request.tool} with these changes? ({request.risk})",
            value,
            act=act,
            lines=change_lines(changes),
            cost=friction(request.risk, hidden=hidden, shown_all=self._shown_all and are_whole(changes)),
        )

    def on_edit_views_changed(self, event: EditViews.Changed) -> None:
        event.stop()
        self.changed()

    async def on_edit_tabs_picked(self, event: EditTabs.Picked) -> None:
        """A click on the other view."""
        event.stop()
        await self.action_switch()

    async def action_switch(self) -> None:
        """Show the other view of the same draft."""
        self._say(await self._views.switch())

    async def action_reset(self) -> None:
        """Back to what the call asks."""
        self._begun_on = self._seen.request.version
        self._say(await self._views.put(self._original))

    async def action_outside(self) -> None:
        """Edit it in the reviewer's own editor."""
        try:
            text = edit_outside(self.app, self._views.text)
        except NotEdited as error:
            self._say(f"Not edited: {error}.")
        else:
            self._say(await self._views.put(text))
        finally:
            self.review.guard.change()

    def _say(self, told: str) -> None:
        if told:
            self.review.say(told, "warning")


def _is_draft_of(args: dict[str, Any], text: str) -> bool:
    """Whether a text says exactly these arguments, in whatever layout."""
    try:
        return write_json(read_draft(text)) == write_json(args)
    except DraftError:
        return False
