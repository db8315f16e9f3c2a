"""Edit the arguments, in a form or as JSON: what is wrong and what it changes is shown while it is typed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.timer import Timer

from gatekit.display import draw_arguments, friction
from gatekit.errors import InvalidEdit, ReviewError, StoreError
from gatekit.models import Change
from gatekit_tui.edit.edit_tabs import EditTabs
from gatekit_tui.edit.edit_views import EditViews, Schema
from gatekit_tui.edit.external_editor import NotEdited, edit_outside
from gatekit_tui.frame.ask import AskScreen, word_for
from gatekit_tui.frame.bars import Bar
from gatekit_tui.frame.deliberate import DeliberateModal
from gatekit_tui.frame.key_bar import KeyBar
from gatekit_tui.frame.lines_view import LinesView
from gatekit_tui.frame.row_text import one_line
from gatekit_tui.frame.spans import Inked
from gatekit_tui.request.changes_text import are_whole, change_lines
from gatekit_tui.request.detail_text import Study
from gatekit_tui.request.draft import DraftError, write_draft
from gatekit_tui.request.fields import FormError

DEBOUNCE = 0.15
"""Seconds without a key after which the draft is checked."""

Check = Callable[[dict[str, Any]], Awaitable[tuple[Change, ...]]]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of one text of the draft."""

    text: str
    args: dict[str, Any] | None
    """The arguments, if they fit."""
    changes: tuple[Change, ...] = ()
    errors: tuple[str, ...] = ()


async def judge(text: str, read: Callable[[], dict[str, Any]], check: Check) -> Verdict:
    """Read the draft and have the queue check it against the tool's own schema."""
    try:
        args = read()
        return Verdict(text, args, await check(args))
    except (FormError, InvalidEdit) as error:
        return Verdict(text, None, errors=error.errors)
    except (DraftError, ReviewError, StoreError) as error:
        return Verdict(text, None, errors=(str(error),))


class EditScreen(DeliberateModal[dict[str, Any]]):
    """A draft of one call's arguments. Gives them once they are confirmed, else None and keeps the draft."""

    DEFAULT_CSS = """
    EditScreen {
        background: $background;
        #verdict { height: auto; max-height: 40%; min-height: 3; background: $panel; padding: 0 1; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "submit", "go on", priority=True),
        Binding("ctrl+t", "switch", "form/JSON", priority=True),
        Binding("ctrl+e", "outside", "$EDITOR", priority=True),
        Binding("ctrl+r", "reset", "reset", priority=True),
        Binding("escape", "back", "back, draft kept", priority=True),
    ]

    def __init__(
        self, seen: Study, draft: str | None, check: Check, *, shown_all: bool, schema: Schema | None = None
    ) -> None:
        super().__init__()
        self._seen = seen
        self._original = write_draft(seen.request.args)
        self._check = check
        self._shown_all = shown_all
        self._verdict: Verdict | None = None
        self._timer: Timer | None = None
        self._views = EditViews(self._original if draft is None else draft, schema)

    @property
    def draft(self) -> str | None:
        """The text as it stands, also once the screen is closed; None if it is as the call asked."""
        text = self._views.text
        return None if text == self._original else text

    def compose(self) -> ComposeResult:
        """A title, the draft, what is known of it, the keys."""
        yield Bar("bar", id="edit-title")
        yield self._views
        yield LinesView(id="verdict")
        yield KeyBar()

    def on_mount(self) -> None:
        """Judge what is there."""
        request = self._seen.request
        title: Inked = ((" edit ", "dim"), (one_line(request.tool), "title"))
        self.query_one("#edit-title", Bar).write(title, ((f"{request.id} · v{request.version} ", "dim"),))
        self._judge_soon()

    def on_edit_views_changed(self, event: EditViews.Changed) -> None:
        """Judge it once the hand rests."""
        event.stop()
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(DEBOUNCE, self._judge_soon)

    async def on_edit_tabs_picked(self, event: EditTabs.Picked) -> None:
        """A click on the other view."""
        event.stop()
        await self.action_switch()

    async def action_switch(self) -> None:
        """Show the other view of the same draft."""
        self._say(await self._views.switch())

    async def action_reset(self) -> None:
        """Back to what the call asked."""
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

    def action_back(self) -> None:
        """Nothing is decided, nothing is lost."""
        self.dismiss(None)

    def action_submit(self) -> None:
        """Ask for the approval of exactly what the verdict is about."""
        self.deliberately(lambda: self._start(self._submit))

    def _judge_soon(self) -> None:
        self._start(self._judge)

    def _start(self, work: Callable[[], Coroutine[Any, Any, object]]) -> None:
        self.latest(work, "judge")

    async def _judge(self) -> Verdict:
        text = self._views.text
        if self._verdict is None or self._verdict.text != text:
            verdict = await judge(text, self._views.read, self._check)
            self._verdict = verdict
            self.query_one("#verdict", LinesView).write(self._verdict_lines(verdict))
            return verdict
        return self._verdict

    def _verdict_lines(self, verdict: Verdict) -> list[Inked]:
        if verdict.errors:
            return [(("✗ ", "warn"), (one_line(error), "warn")) for error in verdict.errors]
        tool = one_line(self._seen.request.tool)
        if not verdict.changes:
            return [((f"✓ fits {tool}, nothing changed", "dim"),)]
        count = f"{len(verdict.changes)} change{'' if len(verdict.changes) == 1 else 's'}"
        return [((f"✓ fits {tool}, {count}", "good"),), *change_lines(verdict.changes)]

    async def _submit(self) -> None:
        verdict = await self._judge()
        if verdict.args is None:
            self.review.say("It does not fit yet: see below.", "warning")
        elif not verdict.changes:
            self.review.say("Nothing is changed: go back with Esc and press a.", "warning")
        else:
            self._confirm(verdict, verdict.args)

    def _confirm(self, verdict: Verdict, args: dict[str, Any]) -> None:
        request = self._seen.request
        hidden = draw_arguments(args).hidden + self._seen.hidden - self._seen.drawing.hidden
        shown_all = self._shown_all and are_whole(verdict.changes)
        cost = friction(request.risk, hidden=hidden, shown_all=shown_all)
        act = "release" if request.kind == "pause" else "approve"
        ask = AskScreen(
            f"{act.capitalize()} {request.tool} with these changes? ({request.risk})",
            act=act,
            lines=change_lines(verdict.changes),
            word=word_for(cost, request.tool, request.id),
        )
        self.app.push_screen(ask, lambda yes: self._confirmed(args) if yes else None)

    def _confirmed(self, args: dict[str, Any]) -> None:
        self.dismiss(args)
