"""Giving a standing permission, together with the approval on which it is given."""

from __future__ import annotations

from dataclasses import replace

from gatekit.backend.admitting import directory_of
from gatekit.backend.rules import NewGrant
from gatekit.backend.tx import Refused, Tx, stored
from gatekit.errors import NotAllowed
from gatekit.machine.commands import Answer, Decide
from gatekit.machine.deciding import decide
from gatekit.machine.effects import Draft, PutGrant
from gatekit.machine.grants import GrantRecord
from gatekit.machine.projection import decision_model, grant_model
from gatekit.machine.records import State, name_of
from gatekit.machine.voting import Directory, cast_for
from gatekit.models import Grant


def allowed(tx: Tx, state: State, command: Decide, grant: NewGrant, now: int) -> Grant | Refused:
    """Approve, and permit calls like this one. The same word again gives the same permission."""
    directory = directory_of(tx)
    refusal = _not_grantable(state, name_of(command.by), directory)
    if refusal is not None:
        return Refused(refusal)
    own = [row for row in tx.grants_on(state.request.id) if row.by == command.by]
    terms = (grant.scope, grant.run, grant.requester, grant.lasts, grant.uses)
    given = next((row for row in own if row.same_terms(*terms)), None)
    other = next((row for row in own if row.holds(now)), None)
    if given is None and other is not None:
        return Refused(NotAllowed(f"it was allowed on other terms already, as {other.id}: revoke that, allow another"))
    answer = stored(tx, decide(state, command, now, directory))
    if answer.refusal is not None:
        return Refused(answer.refusal)
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


def _not_grantable(state: State, giver: str, directory: Directory) -> NotAllowed | None:
    request = state.request
    if request.kind != "call":
        return NotAllowed("only calls of a tool can be allowed for a while")
    if request.risk == "critical":
        return NotAllowed("its risk is critical: each of these calls needs a human's look")
    stage = state.plan.only_stage
    stands_in = stage is not None and not directory.has_right(giver, replace(stage, also=()))
    if stands_in and cast_for(state, directory, giver):
        return NotAllowed(f"{giver} may not allow such calls for a while: only those whom the policy itself asks can")
    if stage is None:
        return NotAllowed("its policy asks more than one person: nobody can allow such calls alone")
    return None
