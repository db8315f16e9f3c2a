"""What is allowed for a while, and who may decide: the screens that list them."""

from __future__ import annotations

from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from gatekit.errors import GatekitError, StoreError
from gatekit.models import Grant, ReviewerRow
from gatekit_tui.decide.lasting import grant_end, grant_state, grant_whose, scope_lines
from gatekit_tui.frame.ask import AskScreen
from gatekit_tui.frame.bars import Bar
from gatekit_tui.frame.deliberate import DeliberateModal
from gatekit_tui.frame.key_bar import KeyBar
from gatekit_tui.frame.lines_view import LinesView
from gatekit_tui.frame.menu import Menu
from gatekit_tui.frame.row_text import one_line, person
from gatekit_tui.frame.spans import Inked

if TYPE_CHECKING:
    from gatekit import Gate

_AGAIN: Final = 3.0
"""Seconds after which the list is read again: others allow and take back too."""
_MOST: Final = 1000


class GrantsScreen(DeliberateModal[None]):
    """The standing permissions, the newest first; `x` takes one back."""

    DEFAULT_CSS = """
    GrantsScreen {
        background: $background;
        #grants { height: 1fr; }
        #grant { height: auto; max-height: 50%; min-height: 3; background: $panel; padding: 0 1; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("x", "revoke", "take back"),
        Binding("escape,q", "back", "back", key_display="Esc"),
    ]

    def __init__(self, gate: Gate, reviewer: str, *, read_only: bool) -> None:
        super().__init__()
        self._gate = gate
        self._who = reviewer
        self._read_only = read_only
        self._grants: tuple[Grant, ...] = ()
        self._menu = Menu(id="grants")

    def compose(self) -> ComposeResult:
        """A title, the list, one of them in full, the keys."""
        yield Bar("bar", id="grants-title")
        yield self._menu
        yield LinesView(id="grant")
        yield KeyBar()

    def on_mount(self) -> None:
        """Read them, now and again and again."""
        self._menu.focus()
        self._read_soon()
        self.set_interval(_AGAIN, self._read_soon)

    def _read_soon(self) -> None:
        self.latest(self._read, "grants")

    async def _read(self) -> None:
        chosen = self._chosen()
        try:
            self._grants = tuple(await self._gate.aio.grants(limit=_MOST))
        except StoreError as error:
            self.review.say(str(error), "error")
            return
        ids = [grant.id for grant in self._grants]
        cursor = ids.index(chosen.id) if chosen is not None and chosen.id in ids else 0
        active = sum(grant.active for grant in self._grants)
        self.query_one("#grants-title", Bar).write(((f" {active} in force ", "title"), ("of what was allowed", "dim")))
        self._menu.write([_grant_row(grant) for grant in self._grants], cursor)
        self._tell()

    def _chosen(self) -> Grant | None:
        return self._grants[self._menu.cursor] if self._menu.cursor < len(self._grants) else None

    def on_menu_moved(self, event: Menu.Moved) -> None:
        """Another one in full."""
        event.stop()
        self._tell()

    def _tell(self) -> None:
        grant = self._chosen()
        lines: list[Inked] = [(("Nothing was allowed for a while: w on a call does it.", "dim"),)]
        self.query_one("#grant", LinesView).write(lines if grant is None else grant_lines(grant))
        self.refresh_bindings()

    def check_action(self, action: str, parameters: tuple[object, ...]) -> bool | None:
        """Taking back is for those who may decide, and for what is in force."""
        if action == "revoke":
            chosen = self._chosen()
            return False if self._read_only else True if chosen is not None and chosen.active else None
        return True

    def action_revoke(self) -> None:
        """Take the permission under the cursor back."""
        grant = self._chosen()
        if grant is not None:
            self.deliberately(lambda: self._ask(grant))

    def _ask(self, grant: Grant) -> None:
        title = f"Take back what {person(grant.by)} allowed {grant.tool}?"
        ask = AskScreen(title, lines=grant_lines(grant), word=None, act="take it back")
        self.app.push_screen(ask, lambda yes: self._start_revoking(grant) if yes else None)

    def _start_revoking(self, grant: Grant) -> None:
        self.run_worker(self._revoke(grant), group="decide")

    async def _revoke(self, grant: Grant) -> None:
        try:
            await self._gate.aio.reviewer(self._who).revoke(grant)
            self.review.say(f"From now on {grant.tool} is asked for again.")
        except GatekitError as error:
            self.review.say(f"Nothing was taken back: {error}", "error")
        self._read_soon()

    def action_back(self) -> None:
        """Back to the queue."""
        self.dismiss(None)


class ReviewersScreen(DeliberateModal[None]):
    """Who may decide in this queue, with their roles."""

    DEFAULT_CSS = """
    ReviewersScreen { background: $background; #reviewers { height: 1fr; } #hint { height: auto; padding: 0 1; } }
    """
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q", "back", "back", key_display="Esc")]

    def __init__(self, gate: Gate) -> None:
        super().__init__()
        self._gate = gate
        self._menu = Menu(id="reviewers")

    def compose(self) -> ComposeResult:
        """A title, the list, how it is changed, the keys."""
        yield Bar("bar", id="reviewers-title")
        yield self._menu
        yield LinesView(id="hint")
        yield KeyBar()

    def on_mount(self) -> None:
        """Read them."""
        self._menu.focus()
        self.run_worker(self._read(), group="reviewers")

    async def _read(self) -> None:
        try:
            rows = await self._gate.aio.reviewers()
        except StoreError as error:
            self.review.say(str(error), "error")
            return
        title: Inked = ((f" {len(rows)} reviewer{'' if len(rows) == 1 else 's'}", "title"),)
        self.query_one("#reviewers-title", Bar).write(title)
        self._menu.write([_reviewer_row(row) for row in rows], 0)
        told = "Nobody else decides here." if rows else "None is named: anybody may decide, and has every role."
        hint = "gatekit reviewers add NAME --role ROLE  names one."
        self.query_one("#hint", LinesView).write([((told, "text"),), ((hint, "dim"),)])

    def action_back(self) -> None:
        """Back to the queue."""
        self.dismiss(None)


def _grant_row(grant: Grant) -> Inked:
    state, ink = grant_state(grant)
    state = state if grant.revoked_at is None else "revoked"
    told = f"{grant_whose(grant)} · {grant_end(grant)}"
    return ((f"{state:<9} ", ink), (f"{one_line(grant.tool)} ", "text"), (told, "dim"))


def grant_lines(grant: Grant) -> list[Inked]:
    """One permission in full."""
    state, ink = grant_state(grant)
    return [
        ((state, ink), (f" · {grant_end(grant)}", "text")),
        ((f"{person(grant.by)} allowed every call of {one_line(grant.tool)} {grant_whose(grant)}, where", "text"),),
        *scope_lines(grant.scope),
        ((f"since {grant.at:%Y-%m-%d %H:%M:%S} UTC · {grant.id} · given on {one_line(grant.request_id)}", "dim"),),
    ]


def _reviewer_row(row: ReviewerRow) -> Inked:
    roles = ", ".join(map(one_line, row.roles)) or "no role"
    return ((f"{one_line(row.name)}  ", "title"), (roles, "text"), (f"  named by {person(row.by)}", "dim"))
