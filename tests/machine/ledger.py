"""What an onlooker who knows the promises, and not the machine, writes down about one request.

It learns of what happened only from answers (who got which value or refusal, and when), from the versions it sees,
and from the tool's own calls. The promises I1 to I11 (docs/trust-model.md) are checked against these notes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gatekit.errors import AlreadyDecided
from gatekit.machine.commands import Decide, Start, Started
from gatekit.machine.records import DecisionRecord, State
from gatekit.models import FINAL, Status
from tests.machine.case import FIRST, T0, digest

NEVER_STARTED = ("rejected", "responded", "expired", "cancelled")


@dataclass
class Yes:
    """An accepted approval or edit, and the starts made under it."""

    decision: DecisionRecord
    undone: bool = False
    void: bool = False
    starts: list[str] = field(default_factory=list)


class Ledger:
    """The notes on one request, and the promises they are held against."""

    def __init__(self, state: State) -> None:
        request = state.request
        self.requester, self.max_starts = request.requester, request.max_starts
        self.expires_after, self.start_within = request.expires_after, request.start_within
        self.version, self.decide_by = 1, self._deadline(T0)
        self.texts = {digest(FIRST): FIRST}
        self.acknowledged: list[DecisionRecord] = []
        self.yes: dict[int, Yes] = {}
        self.votes: dict[int, DecisionRecord] = {}
        self.counts: dict[int, int] = {}
        self.asked: dict[int, str] = {}
        self.tokens: dict[str, Yes] = {}
        self.returned_starts: set[str] = set()
        self.reports: dict[str, str] = {}
        self.calls: list[tuple[str, str]] = []
        self.seen: list[Status] = ["pending"]

    def _deadline(self, now: int) -> int | None:
        return None if self.expires_after is None else now + self.expires_after

    # What is noted.

    def looks(self, now: int) -> None:
        """Before every step, since every step applies the clock first: what is held counts once it was due."""
        for version, vote in self.votes.items():
            if vote.effective_at is not None and now >= vote.effective_at:
                self.counts.setdefault(version, vote.effective_at)

    def saw(self, before: State, after: State, now: int) -> None:
        """After every step: what may follow what, whatever the step was."""
        old, new = before.request, after.request
        assert new.version >= old.version, "a version went back"
        if new.version > old.version and new.status == "pending":
            # I6: asked again, so the time to decide starts anew, and nothing allowed so far counts any more.
            self.decide_by = self._deadline(now)
            assert new.decide_by == self.decide_by, "I6: the old deadline"
            for yes in self.yes.values():
                yes.void = True
        self.version = new.version
        self._final_states_stay(old.status, new.status)
        self._nothing_is_lost(after)
        self._never_started(after)
        self._counts(after)
        self.seen.append(new.status)

    def decided(self, command: Decide, value: DecisionRecord, before: State, after: State, now: int) -> None:
        """A decision was acknowledged: new, or the one that the same command made before."""
        asked = before.request
        if value in self.acknowledged:
            assert (value.by, value.token) == (command.by, command.token or asked.token), "I3: not the same command"
            assert after == before, "I3: the same command again changed something"
            return
        assert value.by == command.by
        assert command.token in (None, asked.token, value.token), "I3: decided on what was not asked"
        self.acknowledged.append(value)
        match command.verb:
            case "undo":
                self._undone(value)
                assert after.request.digest == self.asked[value.version], "undone, and something else is asked"
            case "cancel":
                assert before.request.status in ("pending", "held", "approved"), "cancelled while it may run"
            case _:
                self._voted(command, value, now)
                self.asked[value.version] = asked.digest

    def _voted(self, command: Decide, value: DecisionRecord, now: int) -> None:
        assert value.version not in self.votes, "I3: two decisions on one version"
        assert self.decide_by is None or now < self.decide_by, "I6: decided too late"
        assert value.effective_at is None or now < value.effective_at
        if self.decide_by is not None and value.effective_at is not None:
            assert value.effective_at <= self.decide_by, "I6: held too long"
        self.votes[value.version] = value
        if value.effective_at is None:
            self.counts[value.version] = now
        if command.edit is not None:
            self.texts[command.edit.digest] = command.edit.text
        if command.verb in ("approve", "edit"):
            self._not_by_the_requester(value)
            self.yes[value.version] = Yes(value)

    def _undone(self, value: DecisionRecord) -> None:
        self._not_by_the_requester(value)
        undone = self.votes[value.version]
        assert undone.by == value.by, "undone by another"
        assert value.version not in self.counts, "undone although it counted"
        if value.version in self.yes:
            self.yes[value.version].undone = True

    def refused(self, error: Exception, after: State) -> None:
        if isinstance(error, AlreadyDecided):
            winner = error.decision
            assert (winner.verb, winner.by, winner.version) in {
                (row.verb, row.by, row.version) for row in after.decisions
            }, "I3: a winner who decided nothing"
            assert winner.standing == "counts", "I3: not the decision that stands"

    def started(self, command: Start, value: Started, after: State, now: int) -> None:
        """A start was granted: everything that allows it must be in the notes."""
        yes = self.yes.get(command.version)
        assert yes is not None, "I1: started without a yes to this version"
        assert command.version == self.version, "started on an older version"
        assert not yes.undone, "I1: started on what was undone"
        assert not yes.void, "I2: started on what is asked again"
        assert yes.decision.digest == value.revision.digest == digest(value.revision.text), "I1: other arguments"
        assert self.texts[yes.decision.digest] == value.revision.text, "I1: other arguments"
        assert command.version in self.counts, "started while it could still be undone"
        if self.start_within is not None:
            assert now < self.counts[command.version] + self.start_within, "I6: started too late"
        assert command.token not in self.tokens, "I2: one token, two attempts"
        assert after.revision.verdict is not None, "I10: started unchecked"
        assert not after.revision.verdict.errors, "I10: started although found invalid"
        yes.starts.append(command.token)
        self.tokens[command.token] = yes
        assert len(yes.starts) <= self.max_starts, "I2: more starts than allowed"
        assert "expired" not in self.seen, "I6: started after an expiry"

    def gave_back(self, token: str) -> None:
        self.tokens[token].starts.remove(token)
        self.returned_starts.add(token)

    def called(self, token: str, text: str) -> None:
        """The tool itself ran."""
        assert token not in {of for of, _ in self.calls}
        self.calls.append((token, text))
        assert any(digest(text) == yes.decision.digest for yes in self.yes.values()), "I1: nobody allowed these"
        allowed = sum(self.max_starts for yes in self.yes.values() if not yes.undone)
        assert len(self.calls) <= allowed, "I2: called more often than allowed"

    def reported(self, token: str, kind: str, settled: State, after: State) -> None:
        """I7: no outcome without its own attempt's start."""
        if token not in self.tokens or token in self.returned_starts:
            assert after.request == settled.request, "I7: a stranger's report counted"
            assert after.attempts == settled.attempts, "I7: a stranger's report was kept"
        else:
            self.reports.setdefault(token, kind)

    # What must hold.

    def _final_states_stay(self, old: Status, new: Status) -> None:
        if old in FINAL:
            assert new == old, f"I8: {old} became {new}"
        if old == "unknown" and new != "unknown":
            assert new in ("succeeded", "failed"), "I8: unknown, and it goes on"
            assert self.reports, "I8: unknown, and nobody reported"
        if old == "running":
            assert new in ("running", "approved", "pending", "unknown", "succeeded", "failed", "expired")

    def _nothing_is_lost(self, after: State) -> None:
        for decision in self.acknowledged:
            assert decision in after.decisions, "I4: an acknowledged decision is gone"

    def _started(self) -> bool:
        return any(yes.starts for yes in self.yes.values())

    def _never_started(self, after: State) -> None:
        status = after.request.status
        if status in NEVER_STARTED:
            assert not self._started(), f"I11: {status} although it was started"
        if status in ("succeeded", "failed", "running", "unknown"):
            assert self._started(), f"I7: {status} without a start"
        if status == "succeeded":
            assert "returned" in self.reports.values(), "I7: a success that nobody reported"

    def _counts(self, after: State) -> None:
        kept = [row for row in after.attempts if row.state != "given_back"]
        assert len(kept) == sum(len(yes.starts) for yes in self.yes.values()), "I2: starts are miscounted"
        assert len(kept) <= sum(permit.max_starts for permit in after.permits), "I2: more starts than permits"
        for permit in after.permits:
            assert permit.starts == sum(row.permit == permit.no for row in kept), "I2: starts are miscounted"
            assert permit.starts <= permit.max_starts, "I2: more starts than its permit allows"
            assert permit.version in self.yes, "a permit without a yes"
            assert permit.digest == self.yes[permit.version].decision.digest, "I1: a permit for other arguments"
        if after.request.status in FINAL:
            assert after.decision is not None, "I3: nothing to name the winner with"

    def _not_by_the_requester(self, value: DecisionRecord) -> None:
        assert value.by.split(":")[-1] != self.requester.split(":")[-1], "I5: who asks decided"
