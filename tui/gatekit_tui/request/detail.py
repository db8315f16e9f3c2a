"""The pane with one call in full. It knows how far the reviewer has read."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from functools import partial
from typing import ClassVar, Final, NamedTuple

import anyio
from textual.binding import BindingType
from textual.geometry import Size
from textual.message import Message
from textual.worker import Worker

from gatekit_tui.frame.ink_view import InkView
from gatekit_tui.frame.moves import MOVE_KEYS, page_of, scroll_by
from gatekit_tui.frame.reading import Reading
from gatekit_tui.frame.spans import Inked
from gatekit_tui.frame.theme import Base
from gatekit_tui.request.detail_text import Body, draw_body
from gatekit_tui.request.heading_text import draw_heading
from gatekit_tui.request.study import Study, broken

LARGE: Final = 50_000
"""Characters of arguments that take longer to break into lines than a key may wait."""


class Picture(NamedTuple):
    """What is shown of a call."""

    study: Study
    heading: tuple[Inked, ...]
    body: Body


_BLANK: Final = Body((), 0)


class DetailView(InkView, can_focus=True):
    """Draws one `Study` in as many lines as it takes; only those in sight are turned into cells."""

    BINDINGS: ClassVar[list[BindingType]] = [*MOVE_KEYS]

    class Moved(Message):
        """Other lines are in sight."""

    def __init__(self, now: Callable[[], datetime], *, id: str) -> None:
        super().__init__(id=id)
        self._now = now
        self.study: Study | None = None
        self.gone = False
        self.shown_all = False
        """Whether every line of the arguments was on the screen since this version is shown."""
        self._reading = Reading()
        self._heading: tuple[Inked, ...] = ()
        self._body = _BLANK

    @property
    def place(self) -> str:
        """Which lines are in sight, where not all are: `1–12 of 45`."""
        first, height, total = self.scroll_offset.y, self.size.height, self.virtual_size.height
        return "" if total <= height else f"{first + 1}–{min(total, first + height)} of {total:,}"

    async def drawn(self, study: Study) -> Picture:
        """What to show of a call; a large one is drawn beside the loop, which answers keys meanwhile."""
        while True:
            width, now = self.inner_width, self._now()
            if not _is_large(study):
                return _drawn(study, width, now)
            found = await anyio.to_thread.run_sync(_drawn, study, width, now)
            if width == self.inner_width:
                return found

    def show(self, picture: Picture | None, *, gone: bool = False) -> None:
        """Show a call; another call or another version of it starts at the top, unread."""
        study = None if picture is None else picture.study
        same = study is not None and self.study is not None and identity(study) == identity(self.study)
        self.study, self.gone = study, gone
        if not same:
            self.shown_all = False
            self._reading = Reading()
            self.scroll_to(y=0, animate=False, force=True)
        if picture is None:
            self._lay_out((), _BLANK)
        else:
            self._lay_out(picture.heading, picture.body)

    def tick(self) -> None:
        """Redraw the heading if time changed its words."""
        before, self._heading = self._heading, self.told_at(self._now())
        if len(before) != len(self._heading):
            self._lay_out(self._heading, self._body)
            return
        for line, (was, told) in enumerate(zip(before, self._heading, strict=True)):
            if was != told:
                self.refresh_line(line)

    def told_at(self, now: datetime) -> tuple[Inked, ...]:
        """The heading as it then is: all that time changes here."""
        return () if self.study is None else _heading(self.study, self.inner_width, now)

    def inked_line(self, line: int) -> tuple[Inked, Base]:
        """What stands on a line of the heading, then of the body."""
        in_body = line - len(self._heading)
        if in_body < 0:
            return self._heading[line], "base"
        return (self._body.lines[in_body] if in_body < len(self._body.lines) else ()), "base"

    def action_move(self, lines: int) -> None:
        scroll_by(self, lines)

    def action_leap(self, pages: int) -> None:
        scroll_by(self, pages * page_of(self))

    def action_jump(self, place: int) -> None:
        self.scroll_to(y=place if place >= 0 else self.max_scroll_y, animate=False, force=True)

    def watch_scroll_y(self, old_value: float, new_value: float) -> None:
        super().watch_scroll_y(old_value, new_value)
        self._note_read()

    def on_resize(self) -> None:
        # The lines are broken anew: those that were read are others now.
        self._reading = Reading()
        if self.study is None:
            self._lay_out((), _BLANK)
        elif _is_large(self.study):
            _: Worker[None] = self.run_worker(partial(self._draw_anew, self.study), exclusive=True)
        else:
            self.show(_drawn(self.study, self.inner_width, self._now()), gone=self.gone)

    async def _draw_anew(self, study: Study) -> None:
        picture = await self.drawn(study)
        if self.study is study:
            self.show(picture, gone=self.gone)

    def outlive(self) -> None:
        """What is drawn is not in the queue any more: it stays, as what was."""
        self.gone = True
        self._lay_out(self.told_at(self._now()), self._body)

    def _lay_out(self, heading: tuple[Inked, ...], body: Body) -> None:
        self._heading, self._body = heading, body
        self.virtual_size = Size(self.inner_width, len(self._heading) + len(self._body.lines))
        self.refresh()
        self._note_read()

    def _note_read(self) -> None:
        top = self.scroll_offset.y
        if self.study is not None and self.size.height and self.is_on_screen and self._reading.goes_on_at(top):
            self._reading = self._reading.seen(top, self.size.height)
            self.shown_all |= self._reading.to >= len(self._heading) + self._body.arguments_end
        self.post_message(self.Moved())


def _is_large(study: Study) -> bool:
    return len(study.request.args_text) > LARGE


def _drawn(study: Study, width: int, now: datetime) -> Picture:
    try:
        return Picture(study, _heading(study, width, now), draw_body(study, width))
    except Exception as error:  # noqa: BLE001 - one request that cannot be drawn must not take the others with it
        study = broken(study, error)
        return Picture(study, (), draw_body(study, width))


def _heading(study: Study, width: int, now: datetime) -> tuple[Inked, ...]:
    return () if study.broken else draw_heading(study.request, width, now, study.refused)


def identity(study: Study) -> tuple[str, str]:
    """Which request is drawn, and which version of it: a token alone is the same for calls that are alike."""
    return study.request.id, study.request.token
