"""Edit the arguments as JSON: what is wrong with the draft and what it changes is shown while it is typed."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.timer import Timer
from textual.widgets import Footer, TextArea

from gatekit.display import draw_arguments, friction
from gatekit.errors import InvalidEdit, ReviewError, StoreError
from gatekit.models import Change
from gatekit_tui.ask import AskScreen, word_for
from gatekit_tui.bars import Bar
from gatekit_tui.deliberate import DeliberateModal
from gatekit_tui.detail_text import Study
from gatekit_tui.draft import DraftError, read_draft, write_draft
from gatekit_tui.lines_view import LinesView
from gatekit_tui.row_text import one_line
from gatekit_tui.spans import Inked

DEBOUNCE = 0.15
"""Seconds without a key after which the draft is checked."""
LARGEST = 256 * 1024
"""Characters beyond which a text field gets slow: such arguments are edited on the command line."""

Check = Callable[[dict[str, Any]], Awaitable[tuple[Change, ...]]]
_SIGN = {"added": "+", "removed": "-", "changed": "~"}


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of one text of the draft."""

    text: str
    args: dict[str, Any] | None
    """The arguments, if they fit."""
    changes: tuple[Change, ...] = ()
    errors: tuple[str, ...] = ()


async def judge(text: str, check: Check) -> Verdict:
    """Read the draft and have the queue check it against the tool's own schema."""
    try:
        args = read_draft(text)
        return Verdict(text, args, await check(args))
    except DraftError as error:
        return Verdict(text, None, errors=(str(error),))
    except InvalidEdit as error:
        return Verdict(text, None, errors=error.errors)
    except (ReviewError, StoreError) as error:
        return Verdict(text, None, errors=(str(error),))


def change_lines(changes: tuple[Change, ...]) -> list[Inked]:
    """The changes by path: `~ amount 500 → 50`."""
    lines: list[Inked] = []
    for change in changes:
        path = one_line(change.path.removeprefix("$.") or "$")
        before, after = (one_line(json.dumps(side, ensure_ascii=False)) for side in (change.before, change.after))
        match change.kind:
            case "added":
                values: Inked = ((after, "good"),)
            case "removed":
                values = ((before, "removed"),)
            case _:
                values = ((before, "dim"), (" → ", "dim"), (after, "good"))
        lines.append(((f"{_SIGN[change.kind]} {path} ", "label"), *values))
    return lines


class EditScreen(DeliberateModal[dict[str, Any]]):
    """A draft of one call's arguments. Gives them once they are confirmed, else None and keeps the draft."""

    DEFAULT_CSS = """
    EditScreen {
        background: $background;
        TextArea, TextArea:focus { height: 1fr; border: none; padding: 0 1; background: $background; }
        #verdict { height: auto; max-height: 40%; min-height: 3; background: $panel; padding: 0 1; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "submit", "go on with these changes", priority=True),
        Binding("ctrl+r", "reset", "reset", priority=True),
        Binding("escape", "back", "back, draft kept", priority=True),
    ]

    def __init__(self, seen: Study, draft: str | None, check: Check, *, shown_all: bool) -> None:
        super().__init__()
        self._seen = seen
        self._original = write_draft(seen.request.args)
        self._first = self._original if draft is None else draft
        self._check = check
        self._shown_all = shown_all
        self._verdict: Verdict | None = None
        self._timer: Timer | None = None
        self._text = TextArea(self._first, soft_wrap=False, show_line_numbers=True, tab_behavior="indent")

    @property
    def draft(self) -> str | None:
        """The text as it stands, also once the screen is closed; None if it is as the call asked."""
        text = self._text.text
        return None if text == self._original else text

    def compose(self) -> ComposeResult:
        """A title, the draft, what is known of it, the keys."""
        yield Bar("bar", id="edit-title")
        yield self._text
        yield LinesView(id="verdict")
        yield Footer(show_command_palette=False)

    def on_mount(self) -> None:
        """Judge what is there."""
        request = self._seen.request
        title: Inked = ((" edit ", "dim"), (one_line(request.tool), "title"))
        self.query_one("#edit-title", Bar).write(title, ((f"{request.id} · v{request.version} ", "dim"),))
        self._text.focus()
        self._judge_soon()

    def on_text_area_changed(self, event: TextArea.Changed) -> None:
        """Judge it once the hand rests."""
        event.stop()
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(DEBOUNCE, self._judge_soon)

    def action_reset(self) -> None:
        """Back to what the call asked."""
        self._text.text = self._original

    def action_back(self) -> None:
        """Nothing is decided, nothing is lost."""
        self.dismiss(None)

    def action_submit(self) -> None:
        """Ask for the approval of exactly what the verdict is about."""
        self.deliberately(lambda: self._start(self._submit()))

    def _judge_soon(self) -> None:
        self._start(self._judge())

    def _start(self, work: Any) -> None:
        self.run_worker(work, group="judge", exclusive=True)

    async def _judge(self) -> Verdict:
        text = self._text.text
        if self._verdict is None or self._verdict.text != text:
            verdict = await judge(text, self._check)
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
            self.review.say("It does not fit yet: see below the text.", "warning")
        elif not verdict.changes:
            self.review.say("Nothing is changed: go back with Esc and press a.", "warning")
        else:
            self._confirm(verdict, verdict.args)

    def _confirm(self, verdict: Verdict, args: dict[str, Any]) -> None:
        request = self._seen.request
        hidden = draw_arguments(args).hidden + self._seen.hidden - self._seen.drawing.hidden
        cost = friction(request.risk, hidden=hidden, shown_all=self._shown_all)
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
