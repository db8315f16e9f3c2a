"""How a call enters the queue: asked of humans, or allowed by a rule, a budget or a standing permission."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from decimal import Decimal
from typing import Final

from gatekit.backend.base import Call, Spending
from gatekit.backend.tx import Tx
from gatekit.machine import entering
from gatekit.machine.amounts import shown, total
from gatekit.machine.commands import Answer
from gatekit.machine.effects import PutGrant, event_of_queue
from gatekit.machine.grants import GrantRecord
from gatekit.machine.records import CLOCK, RequestRecord, RevisionRecord, name_of
from gatekit.machine.voting import Directory

BUDGET: Final = "policy:budget"
"""The principal of what a budget still covered."""


def directory_of(tx: Tx) -> Directory:
    """The reviewers whom the queue knows."""
    return Directory({row.name: frozenset(row.roles) for row in tx.reviewers()})


def admit(tx: Tx, call: Call, request: RequestRecord, revision: RevisionRecord, now: int) -> Answer[None]:
    """The request as it enters."""
    if call.spending is not None:
        fits, said = _budget(tx, call.tool, call.spending, now)
        if call.spending.decides and fits:
            return entering.submit_allowed(request, revision, now, BUDGET, said)
        request = replace(request, reasons=(*request.reasons, said))
    if call.allowed_by is not None:
        return entering.submit_allowed(request, revision, now, call.allowed_by)
    grant = _grant(tx, call, now)
    if grant is None:
        return entering.submit(request, revision, now)
    answer = entering.submit_allowed(request, revision, now, f"grant:{grant.id}")
    used = PutGrant(replace(grant, used=grant.used + 1))
    return replace(answer, effects=(*answer.effects, used))


def _budget(tx: Tx, tool: str, spending: Spending, now: int) -> tuple[bool, str]:
    """Whether the call is within the budget, and what a reviewer should read of it."""
    amount, limit = Decimal(spending.amount), Decimal(spending.limit)
    left = limit - total(map(Decimal, tx.spent(tool, now - spending.per)))
    said = f"budget: this takes {shown(amount)}; {shown(left)} of {shown(limit)} is left"
    return 0 <= amount <= left, said


def _store_what_ended(tx: Tx, grants: Sequence[GrantRecord], now: int) -> None:
    """A permission whose end was seen stays ended, also when the clock is set back."""
    for grant in grants:
        if grant.is_over(now):
            tx.apply(PutGrant(replace(grant, revoked_at=now, revoked_by=CLOCK)))
            tx.apply(event_of_queue("grant.ended", CLOCK, now, grant=grant.id, tool=grant.tool))


def _grant(tx: Tx, call: Call, now: int) -> GrantRecord | None:
    """A standing permission that covers the call. None does where the risk is critical, or more people are asked."""
    given = tx.grants_of(call.tool)
    _store_what_ended(tx, given, now)
    stage = call.plan.only_stage
    if call.kind != "call" or call.risk == "critical" or stage is None:
        return None
    for grant in given:
        if grant.holds(now) and grant.covers(call.requester, call.run, call.text):
            # Who gave it must still be one of those whom the policy asks.
            giver = name_of(grant.by)
            own = call.plan.separate and giver == name_of(call.requester)
            if not own and directory_of(tx).has_right(giver, stage):
                return grant
    return None
