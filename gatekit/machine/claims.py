"""Taking a request, handing one's part of it to somebody else, and asking more people."""

from __future__ import annotations

from gatekit.clock import to_datetime
from gatekit.errors import AlreadyDecided, NotAllowed, ReviewError, StaleToken
from gatekit.machine.clockwork import settle
from gatekit.machine.commands import Answer, Claim, Delegate, Escalate
from gatekit.machine.effects import Draft
from gatekit.machine.ladder import climb, no_rung_left
from gatekit.machine.projection import decision_model
from gatekit.machine.records import CLAIM_LAPSES, State, name_of
from gatekit.machine.voting import OPEN, Directory, counted, not_asked, stranger


def claim(state: State, command: Claim, now: int, directory: Directory = OPEN) -> Answer[None]:
    """This reviewer looks at the request now: others are warned, or kept out where the policy says so."""
    draft = Draft(state, now)
    settle(draft)
    refusal = claim_refused(draft, command, directory)
    if refusal is None and not (draft.request.claimed_by == command.by and holds(draft.request.claimed_at, now)):
        draft.move(claimed_by=command.by, claimed_at=now)
        draft.event("claimed", command.by)
    return Answer(state=draft.state, effects=draft.effects(), refusal=refusal)


def claim_refused(draft: Draft, command: Claim, directory: Directory) -> ReviewError | None:
    """Why this reviewer cannot take the request; None: they can."""
    refusal = _not_open(draft, command.by, directory)
    if refusal is not None:
        return refusal
    barred = barred_by_claim(draft.state, command.by, draft.now)
    return None if barred is None else NotAllowed(barred)


def delegate(state: State, command: Delegate, now: int, directory: Directory = OPEN) -> Answer[None]:
    """This reviewer hands their part of the request on; whoever gets it decides in their place."""
    draft = Draft(state, now)
    settle(draft)
    giver, taker = name_of(command.by), command.to
    if (giver, taker) in draft.request.delegations:
        return Answer(state=draft.state, effects=draft.effects())
    refusal = delegation_refused(draft, command.by, directory)
    if refusal is None:
        refusal = _cannot_take(draft.state, giver, taker, directory)
    if refusal is None:
        draft.move(delegations=(*draft.request.delegations, (giver, taker)), claimed_by=None, claimed_at=None)
        draft.event("delegated", command.by, to=taker, reason=command.reason)
    return Answer(state=draft.state, effects=draft.effects(), refusal=refusal)


def delegation_refused(draft: Draft, by: str, directory: Directory) -> ReviewError | None:
    """Why this reviewer cannot hand their part on, whoever would get it; None: they can."""
    giver = name_of(by)
    refusal = _not_open(draft, by, directory)
    if refusal is None and any(name_of(vote.by) == giver for vote in counted(draft.state)):
        return NotAllowed(f"{giver} has decided on it already: there is nothing left to hand on")
    return refusal


def escalate(state: State, command: Escalate, now: int, directory: Directory = OPEN) -> Answer[None]:
    """This reviewer does not wait until the next rung is due: whoever it names may decide too from now on."""
    draft = Draft(state, now)
    settle(draft)
    refusal = escalation_refused(draft, command.by, directory)
    if refusal is None and command.token is not None and command.token != draft.request.token:
        # Somebody else, or the clock, was first: a second press must not climb the rung after that.
        refusal = StaleToken(command.token, draft.request.token)
    if refusal is None:
        climb(draft, draft.request.rung, command.by, command.reason)
    return Answer(state=draft.state, effects=draft.effects(), refusal=refusal)


def escalation_refused(draft: Draft, by: str, directory: Directory) -> ReviewError | None:
    """Why this reviewer cannot have more people asked, whatever they have read; None: they can."""
    nobody = no_rung_left(draft.state)
    return _not_open(draft, by, directory) if nobody is None else NotAllowed(nobody)


def holds(claimed_at: int | None, now: int) -> bool:
    """Whether a claim of that moment still holds. A clock that was set back makes none longer."""
    return claimed_at is not None and claimed_at <= now < claimed_at + CLAIM_LAPSES


def barred_by_claim(state: State, by: str, now: int) -> str | None:
    """Why somebody else's claim keeps this reviewer from deciding; None: it does not."""
    request = state.request
    if not state.plan.exclusive_claims or request.claimed_by in (None, by) or not holds(request.claimed_at, now):
        return None
    until = to_datetime((request.claimed_at or 0) + CLAIM_LAPSES).strftime("%H:%M:%S")
    return f"{request.claimed_by} has claimed it until {until} UTC, and its policy lets nobody else decide meanwhile"


def _not_open(draft: Draft, by: str, directory: Directory) -> ReviewError | None:
    state = draft.state
    unknown = stranger(directory, by)
    if unknown is not None:
        return unknown
    if state.plan.separate and name_of(by) == name_of(state.request.requester):
        return NotAllowed(f"{by} asked for this call: another person must look at it")
    if state.request.status == "pending":
        return not_asked(state, directory, by)
    if state.decision is None:
        return NotAllowed(f"the request is {state.request.status}: there is nothing to decide")
    return AlreadyDecided(decision_model(state, state.decision))


def _cannot_take(state: State, giver: str, taker: str, directory: Directory) -> ReviewError | None:
    if taker == giver:
        return NotAllowed(f"{giver} has it already")
    unknown = stranger(directory, taker)
    if unknown is not None:
        return unknown
    if state.plan.separate and taker == name_of(state.request.requester):
        return NotAllowed(f"{taker} asked for this call and cannot decide it: another person must")
    if any(gave == taker for gave, _ in state.request.delegations):
        return NotAllowed(f"{taker} has handed this request on, and cannot be given it")
    return None
