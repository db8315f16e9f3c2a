"""How much work an approval is: the more there is to lose or to overlook, the more deliberate the gesture."""

from __future__ import annotations

from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from gatekit.models import Risk

Friction = Literal["key", "yes", "name"]
"""What an approval costs: a key press, the typed word `yes`, or the typed name of the tool."""


def friction(risk: Risk, *, hidden: int, shown_all: bool) -> Friction:
    """What the reviewer has to do to approve: one key, type `yes`, or type the tool's name.

    `hidden` is how many deceptive characters the request's texts hold, `shown_all` whether every argument was
    on the reviewer's screen. Rejecting is always one gesture; only approval is made deliberate.

    >>> friction("low", hidden=0, shown_all=True), friction("low", hidden=1, shown_all=True)
    ('key', 'name')
    """
    if hidden or not shown_all:
        return "name"
    match risk:
        case "low" | "medium":
            return "key"
        case "high":
            return "yes"
        case _:
            return "name"
