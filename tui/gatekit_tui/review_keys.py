"""The keys of the reviewer's screen, and to which list and which kind of request each of them speaks. Pure."""

from __future__ import annotations

from typing import Final

from textual.binding import Binding

from gatekit.models import Kind
from gatekit_tui.detail_text import Study
from gatekit_tui.lanes import RUNNING, TO_SETTLE, WAITING, Lane

KEYS: Final = (
    Binding("a", "approve", "approve", id="approve"),
    Binding("a", "release", "release", id="release"),
    Binding("a", "answer", "answer", id="answer"),
    Binding("e", "edit", "edit", id="edit"),
    Binding("r", "reject", "reject", id="reject"),
    Binding("w", "allow", "allow", id="allow", tooltip="approve, and allow calls like it for a while"),
    Binding("c", "claim", "claim", id="claim"),
    Binding("D", "delegate", "hand on to somebody else", show=False, id="delegate"),
    Binding("o,enter", "open", "open", key_display="o", id="open"),
    Binding("t", "retry", "try again", id="retry"),
    Binding("s", "settle", "settle", id="settle"),
    Binding("x", "declare_lost", "give up", id="lost"),
    Binding("question_mark", "keys", "keys", key_display="?", id="keys"),
    Binding("right_square_bracket", "lane(1)", "list", key_display="[ ]", id="next-list"),
    Binding("left_square_bracket", "lane(-1)", "list", key_display="[ ]", show=False, id="previous-list"),
    Binding("P", "grants", "what is allowed for a while", show=False, id="grants"),
    Binding("W", "reviewers", "who may decide", show=False, id="reviewers"),
    Binding("S", "stop", "stop the queue, or let it go on", show=False, id="stop"),
    Binding("d", "compare", "what differs from the last approved call of this tool", show=False, id="compare"),
    Binding("v", "view", "open the file that the agent shows", show=False, id="view"),
    Binding("y", "copy", "copy the arguments as JSON", show=False, id="copy"),
    Binding("i", "insight", "how fast and how often calls are approved", show=False, id="insight"),
    Binding("tab", "other_pane", "between list and detail", show=False, id="pane"),
    Binding("escape", "close", "back", show=False, id="back"),
    Binding("J", "read_on(1)", "scroll the detail down", show=False),
    Binding("K", "read_on(-1)", "scroll the detail up", show=False),
    Binding("q", "quit", "quit", id="quit"),
)
_KINDS_OF: Final[dict[str, tuple[Kind, ...]]] = {
    "approve": ("call", "confirm"),
    "release": ("pause",),
    "answer": ("question",),
    "edit": ("call", "pause"),
    "allow": ("call",),
}
"""To which kinds of requests a key speaks, where not to all."""
LANE_OF: Final[dict[str, Lane]] = {
    **dict.fromkeys((*_KINDS_OF, "reject", "claim", "delegate"), WAITING),
    "retry": TO_SETTLE,
    "settle": TO_SETTLE,
    "declare_lost": RUNNING,
}
"""In which list a key that decides is there."""
DECIDING: Final = frozenset({*LANE_OF, "stop"})
"""What is absent where nobody may decide."""
LOOKING: Final = frozenset({"compare", "view", "copy"})
"""What shows more of the drawn request, and decides nothing."""


def speaks_of(action: str, seen: Study | None) -> bool:
    """Whether a key that only looks has something to show of what is drawn."""
    if seen is None:
        return False
    preview = seen.request.preview
    match action:
        case "view":
            return preview is not None and preview.kind == "file"
        case "compare":
            return seen.request.kind == "call"
        case _:
            return True


def speaks_to(action: str, lane: Lane, kind: Kind) -> bool:
    """Whether a key that decides is there in this list, for a request of this kind."""
    return LANE_OF[action] is lane and kind in _KINDS_OF.get(action, (kind,))
