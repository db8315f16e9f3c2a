"""Giving a standing permission, together with the approval on which it is given."""

from __future__ import annotations

from gatekit.backend.admitting import directory_of
from gatekit.backend.rules import NewGrant
from gatekit.backend.tx import Refused, Tx, stored
from gatekit.errors import NotAllowed
from gatekit.machine.commands import Answer, Decide
from gatekit.machine.deciding import decide
from gatekit.machine.effects import Draft, PutGrant
from gatekit.machine.grants import GrantRecord
from gatekit.machine.projection import decision_model, grant_model
from gatekit.machine.records import State
from gatekit.models import Grant


def allowed(tx: Tx, state: State, command: Decide, grant: NewGrant, now: int) -> Grant | Refused:
    """Approve, and permit calls like this one. The same word again gives the same permission."""
    refusal = _not_grantable(state)
    if refusal is not None:
        return Refused(refusal)
    answer = stored(tx, decide(state, command, now, directory_of(tx)))
    if answer.refusal is not None:
        return Refused(answer.refusal)
    given = next((row for row in tx.grants_on(state.request.id) if row.by == command.by), None)
    if given is not None and not given.same_terms(grant.scope, grant.run, grant.requester, grant.lasts, grant.uses):
        return Refused(NotAllowed(f"it was allowed on other terms already, as {given.id}: revoke that, allow another"))
    assert answer.value is not None
    if given is None and decision_model(answer.state, answer.value).standing != "counts":
        return Refused(NotAllowed("the approval on which this would rest was undone: approve it again, then allow"))
    return grant_model(given or _give(tx, answer.state, command.by, grant, now), now)


def _give(tx: Tx, state: State, by: str, grant: NewGrant, now: int) -> GrantRecord:
    made = GrantRecord(
        id=grant.id,
        tool=state.request.tool,
        scope=grant.scope,
        run=grant.run,
        requester=grant.requester,
        by=by,
        at=now,
        request_id=state.request.id,
        expires_at=None if grant.lasts is None else now + grant.lasts,
        uses=grant.uses,
        note=grant.note,
    )
    tx.apply(PutGrant(made))
    draft = Draft(state, now)
    draft.event("granted", by, grant=made.id, expires_at=made.expires_at, uses=made.uses)
    stored(tx, Answer(state=draft.state, effects=draft.effects()))
    return made


def _not_grantable(state: State) -> NotAllowed | None:
    request = state.request
    if request.kind != "call":
        return NotAllowed("only calls of a tool can be allowed for a while")
    if request.risk == "critical":
        return NotAllowed("its risk is critical: each of these calls needs a human's look")
    if state.plan.only_stage is None:
        return NotAllowed("its policy asks more than one person: nobody can allow such calls alone")
    return None
