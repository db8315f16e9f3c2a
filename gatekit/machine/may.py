"""What a person would be refused, without doing anything: asked of the code that refuses it."""

from __future__ import annotations

from typing import Final

from gatekit.errors import ReviewError
from gatekit.machine import attempts, claims, deciding
from gatekit.machine.clockwork import settle
from gatekit.machine.commands import Claim, Decide, Edit, Resolve
from gatekit.machine.effects import Draft
from gatekit.machine.records import State
from gatekit.machine.voting import OPEN, Directory
from gatekit.models import Kind, ReviewVerb

_YES_TO: Final[dict[Kind, ReviewVerb]] = {
    "call": "approve",
    "pause": "release",
    "question": "answer",
    "confirm": "approve",
}
"""What a yes is called, by what is asked."""
_CHANGES: Final = Edit(text="", digest="")
"""Stands for arguments other than those that are asked."""


def may(state: State, verb: ReviewVerb | None, by: str, now: int, directory: Directory = OPEN) -> ReviewError | None:
    """Why this person cannot do that now, or has done it; None: they can. No verb: they say yes."""
    draft = Draft(state, now)
    settle(draft)
    verb = _YES_TO[state.request.kind] if verb is None else verb
    match verb:
        case "claim":
            return claims.claim_refused(draft, Claim(by=by), directory)
        case "delegate":
            return claims.delegation_refused(draft, by, directory)
        case "escalate":
            return claims.escalation_refused(draft, by, directory)
        case "retry" | "settle" | "declare_lost":
            command = Resolve(verb=verb, by=by, attempt=draft.request.attempt or 0)
            return attempts.refused(draft.state, command, directory)
        case _:
            edit = _CHANGES if verb in ("edit", "answer") else None
            said = Decide(verb=verb, by=by, token=draft.request.token, edit=edit)
            return deciding.barred(draft, said, directory)
