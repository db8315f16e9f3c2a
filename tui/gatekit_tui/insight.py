"""How people decide: how long requests wait, how often they are approved, and how fast."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Final

from textual.app import ComposeResult
from textual.binding import Binding, BindingType

from gatekit.display import draw_stats
from gatekit.errors import StoreError
from gatekit.models import Stats
from gatekit_tui.frame.bars import Bar
from gatekit_tui.frame.deliberate import DeliberateModal
from gatekit_tui.frame.key_bar import KeyBar
from gatekit_tui.frame.menu import Menu
from gatekit_tui.frame.row_text import one_line
from gatekit_tui.frame.spans import Inked

if TYPE_CHECKING:
    from gatekit import Gate

_WITHIN: Final = 7 * 86_400
"""Seconds that are looked back."""
_AGAIN: Final = 3.0
"""Seconds after which the figures are read again."""
_LABEL: Final = 14
_SIGN: Final = "rubber-stamping"
_AS_DIGITS: Final = str.maketrans("▁▂▃▄▅▆▇█·", "12345678.")


class InsightScreen(DeliberateModal[None]):
    """The figures of the last week, all together and by tool. It decides nothing."""

    DEFAULT_CSS = "InsightScreen { background: $background; #figures { height: 1fr; } }"
    BINDINGS: ClassVar[list[BindingType]] = [Binding("escape,q,i", "back", "back", key_display="Esc")]

    def __init__(self, gate: Gate) -> None:
        super().__init__()
        self._gate = gate
        self._menu = Menu(id="figures")
        self._blocks = has_blocks(os.environ)

    def compose(self) -> ComposeResult:
        """A title, the figures, the keys."""
        yield Bar("bar", id="insight-title")
        yield self._menu
        yield KeyBar()

    def on_mount(self) -> None:
        """Read them, now and again and again."""
        title: Inked = ((" insight ", "title"), ("how people decided in the last 7 days", "dim"))
        self.query_one("#insight-title", Bar).write(title)
        self._menu.focus()
        self._read_soon()
        self.set_interval(_AGAIN, self._read_soon)

    def on_resize(self) -> None:
        """What fits on a line depends on the width."""
        self._read_soon()

    def _read_soon(self) -> None:
        self.latest(self._read, "insight")

    async def _read(self) -> None:
        try:
            stats = await self._gate.aio.stats(_WITHIN)
        except StoreError as error:
            self.review.say(str(error), "error")
            return
        width = max(20, self.size.width - 4)
        self._menu.write(insight_lines(stats, width, blocks=self._blocks), self._menu.cursor)

    def action_back(self) -> None:
        """Back to the queue."""
        self.dismiss(None)


def has_blocks(environment: Mapping[str, str]) -> bool:
    """Whether the terminal has block characters: a plain console lacks some of them."""
    return environment.get("TERM") not in ("linux", "dumb", "vt100")


def insight_lines(stats: Stats, width: int, *, blocks: bool) -> list[Inked]:
    """The lines of `gatekit stats`, with what needs a look marked; without blocks, digits stand for their height."""
    lines = draw_stats(stats, "7 days", width)
    table = lines.index("") if "" in lines else len(lines)
    shown = [one_line(line if blocks else line.translate(_AS_DIGITS)) or " " for line in lines]
    return [_inked(line, in_table=number > table) for number, line in enumerate(shown)]


def _inked(line: str, *, in_table: bool) -> Inked:
    if in_table:
        return ((line, "dim" if line.startswith("TOOL") else "text"),)
    label, told = line[:_LABEL], line[_LABEL:]
    if _SIGN in told:
        return ((label, "label"), (told, "warn"), (" ▲", "warn"))
    return ((label, "label"), (told, "text"))
