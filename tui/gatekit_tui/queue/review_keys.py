"""The keys of the reviewer's screen, and to which list and which kind of request each of them speaks. Pure."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from textual.binding import Binding

from gatekit.models import Kind
from gatekit_tui.queue.lanes import RUNNING, TO_SETTLE, WAITING, Lane
from gatekit_tui.request.study import Study

KEYS: Final = (
    Binding("a", "approve", "approve", id="approve"),
    Binding("a", "release", "release", id="release"),
    Binding("a", "answer", "answer", id="answer"),
    Binding("e", "edit", "edit", id="edit"),
    Binding("r", "reject", "reject", id="reject"),
    Binding("m", "respond", "answer instead of letting it run", show=False, id="respond"),
    Binding("w", "allow", "approve, and allow calls like it for a while", show=False, id="allow"),
    Binding("c", "claim", "claim", show=False, id="claim"),
    Binding("D", "delegate", "hand on to somebody else", show=False, id="delegate"),
    Binding("E", "escalate", "ask those, too, whom its policy names next", show=False, id="escalate"),
    Binding("u,ctrl+z", "tell_fate", "what became of the last decision", show=False, key_display="u", id="undo"),
    Binding("u,ctrl+z", "undo", "take back what does not count yet", show=False, key_display="u", id="undo"),
    Binding("o,enter", "open", "open", key_display="o", id="open"),
    Binding("t", "retry", "try again", id="retry"),
    Binding("s", "settle", "settle", id="settle"),
    Binding("x", "declare_lost", "give up", id="lost"),
    Binding("question_mark", "commands", "keys", key_display="?", id="keys"),
    Binding("slash", "filter", "filter", key_display="/", id="filter"),
    Binding("right_square_bracket", "lane(1)", "list", key_display="[ ]", id="next-list"),
    Binding("left_square_bracket", "lane(-1)", "list", key_display="[ ]", show=False, id="previous-list"),
    Binding("f", "sort", "another order", show=False, id="sort"),
    Binding("n", "skip", "leave it for later, and go on", show=False, id="skip"),
    Binding("space", "mark", "mark, or unmark", show=False, id="mark"),
    Binding("V", "mark_range", "mark from the last mark to here", show=False, id="mark-range"),
    Binding("asterisk", "mark_all", "mark all that is in sight", key_display="*", show=False, id="mark-all"),
    Binding("A", "approve_marked", "approve what is marked", show=False, id="approve-marked"),
    Binding("R", "reject_marked", "reject what is marked", show=False, id="reject-marked"),
    Binding("d", "compare", "what differs from the last approved call of this tool", show=False, id="compare"),
    Binding("v", "view", "open the file that the agent shows", show=False, id="view"),
    Binding("y", "copy", "copy the arguments as JSON", show=False, id="copy"),
    Binding("h", "history", "all that happened to it", show=False, id="history"),
    Binding("b", "its_run", "the run it belongs to", show=False, id="its-run"),
    Binding("U", "runs", "durable runs", show=False, id="runs"),
    Binding("i", "insight", "how fast and how often calls are approved", show=False, id="insight"),
    Binding("P", "grants", "what is allowed for a while", show=False, id="grants"),
    Binding("W", "reviewers", "who may decide", show=False, id="reviewers"),
    Binding("S", "stop", "stop the queue, or let it go on", show=False, id="stop"),
    Binding("p", "pause", "stop following the queue, or follow it again", show=False, id="pause"),
    Binding("tab", "other_pane", "between list and detail", show=False, id="pane"),
    Binding("escape", "close", "back; without a filter", show=False),
    Binding("J", "read_on(1)", "scroll the detail down", show=False, id="read-on"),
    Binding("K", "read_on(-1)", "scroll the detail up", show=False, id="read-back"),
    Binding("ctrl+p", "commands", "all commands", show=False, id="commands"),
    Binding("q", "quit", "quit", id="quit"),
    *(Binding(str(number), f"saved({number})", f"saved filter {number}", show=False) for number in range(1, 10)),
)
MORE: Final = {
    "undo": "undo",
    "mark": "mark",
    "approve_marked": "approve marked",
    "reject_marked": "reject marked",
    "history": "history",
    "respond": "answer it",
    "skip": "later",
    "compare": "compare",
    "its_run": "run",
    "sort": "order",
}
"""Keys that the line at the foot names where it has room, the most wanted first, and their words there."""
_KINDS_OF: Final[dict[str, tuple[Kind, ...]]] = {
    "approve": ("call", "confirm"),
    "release": ("pause",),
    "answer": ("question",),
    "edit": ("call", "pause"),
    "respond": ("call",),
    "allow": ("call",),
}
"""To which kinds of requests a key speaks, where not to all."""
LANE_OF: Final[dict[str, Lane]] = {
    **dict.fromkeys((*_KINDS_OF, "reject", "claim", "delegate", "escalate"), WAITING),
    "retry": TO_SETTLE,
    "settle": TO_SETTLE,
    "declare_lost": RUNNING,
}
"""In which list a key that decides is there."""
MARKING: Final = frozenset({"mark", "mark_range", "mark_all", "approve_marked", "reject_marked"})
"""What marks requests, and decides on all that are: in the list of those that wait."""
BY_PICTURE: Final = frozenset({*LANE_OF, "approve_marked", "reject_marked", "stop"})
"""What is decided by what is on the screen: dead while that is old, but for stopping. An undo only takes back."""
DECIDING: Final = frozenset({*BY_PICTURE, *MARKING, "undo"})
"""What is absent where nobody may decide."""
YES: Final = frozenset({"approve", "release", "answer", "edit", "allow", "retry"})
"""What lets something happen: never without everything being shown."""
LOOKING: Final = frozenset({"compare", "view", "copy", "history", "its_run"})
"""What shows more of the drawn request, and decides nothing."""
MOVES: Final = frozenset({"j", "k", "g", "G", "down", "up", "pagedown", "pageup", "home", "end"})
"""Keys that the list itself takes."""


def keymap(own: Mapping[str, str]) -> dict[str, str]:
    """Every binding's key, by its id, where some of them are the reviewer's own.

    All of them, because bindings that are given another key go behind those that are not: the footer would lose its
    order.
    """
    return {binding.id: own.get(binding.id, binding.key) for binding in KEYS if binding.id} if own else {}


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
        case "its_run":
            return seen.request.run is not None
        case _:
            return True


def speaks_to(action: str, lane: Lane, seen: Study | None) -> bool:
    """Whether a key that decides is there in this list, for the request that is drawn."""
    if LANE_OF[action] is not lane:
        return False
    if action == "escalate":
        return seen is not None and bool(seen.request.escalates_to)
    kind: Kind = "call" if seen is None else seen.request.kind
    return kind in _KINDS_OF.get(action, (kind,))
