"""What an onlooker who knows the promises, and not the machine, writes down about one request.

It learns of what happened only from answers (who got which value or refusal, and when), from the versions it sees,
and from the tool's own calls. The promises I1 to I11 (docs/trust-model.md) are checked against these notes.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from gatekit.errors import AlreadyDecided
from gatekit.machine.commands import Decide, Reconcile, Resolve, Start, Started
from gatekit.machine.records import DecisionRecord, RequestRecord, State
from gatekit.models import FINAL, Status
from tests.machine.case import FIRST, T0, digest

NEVER_STARTED = ("rejected", "responded", "expired", "cancelled")


def _outcome(request: RequestRecord) -> tuple[object, ...]:
    return request.outcome, request.result, request.error_type, request.error_message


@dataclass
class Yes:
    """An accepted approval, edit or retry, and the starts made under it."""

    decision: DecisionRecord
    undone: bool = False
    void: bool = False
    starts: list[str] = field(default_factory=list)


class Ledger:
    """The notes on one request, and the promises they are held against."""

    def __init__(self, state: State) -> None:
        request = state.request
        self.kind = request.kind
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
        self.words: dict[tuple[str, int], tuple[DecisionRecord, Resolve]] = {}
        """What humans said of attempts, by verb and attempt."""
        self.outcomes: set[str] = set()
        """How an attempt ended in somebody else's words: a settlement's, or what was found out."""
        self.may_go_on = False
        """Whether this very step was allowed to bring a call back from its end, or from an unknown one."""
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
            self._void_all()
        self.version = new.version
        self._final_states_stay(old, new)
        self.may_go_on = False
        self._nothing_is_lost(after)
        self._never_started(after)
        self._counts(after)
        self.seen.append(new.status)

    def _void_all(self) -> None:
        for yes in self.yes.values():
            yes.void = True

    def decided(self, command: Decide, value: DecisionRecord, before: State, after: State, now: int) -> None:
        """A decision was acknowledged: new, or the one that the same command made before."""
        asked = before.request
        if value in self.acknowledged:
            assert (value.by, value.token) == (command.by, command.token or asked.token), "I3: not the same command"
            assert after == before, "I3: the same command again changed something"
            return
        assert value.by == command.by
        assert command.token in (None, asked.token, value.token), "I3: decided on what was not asked"
        assert (command.verb == "release") <= (self.kind == "pause"), "a call was released"
        assert (command.verb in ("approve", "edit", "respond")) <= (self.kind == "call"), (
            "a pause was decided as a call"
        )
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
        if command.verb in ("approve", "edit", "release"):
            self._not_by_the_requester(value)
        if command.verb in ("approve", "edit"):
            self.yes[value.version] = Yes(value)

    # Words on attempts.

    def resolved(self, command: Resolve, value: DecisionRecord, before: State, after: State, now: int) -> None:
        """A human's word on an attempt was acknowledged: new, or the one that the same command made before."""
        assert (value.verb, value.by, value.attempt) == (command.verb, command.by, command.attempt), "I3: another word"
        if value in self.acknowledged:
            earlier = self.words[command.verb, command.attempt][1]
            assert earlier.outcome == command.outcome, "I3: another settlement"
            assert after == before, "I3: the same word again changed something"
            return
        request = before.request
        assert (command.verb, command.attempt) not in self.words, "I3: the same was said twice of an attempt"
        assert command.attempt == request.attempt, "I3: a word on an attempt that is not the last"
        self.acknowledged.append(value)
        self.words[command.verb, command.attempt] = (value, command)
        {"retry": self._retried, "settle": self._settled, "declare_lost": self._given_up}[command.verb](
            value, request, after.request, now
        )

    def _retried(self, value: DecisionRecord, before: RequestRecord, after: RequestRecord, now: int) -> None:
        self._not_by_the_requester(value)
        assert before.status in ("unknown", "failed"), "I8: run again while it may still run"
        assert before.call_given, "run again, and nobody can make the call"
        assert ("settle", value.attempt) not in self.words, "I3: run again although it was settled"
        assert (after.status, after.version) == ("approved", before.version + 1), "I2: a retry is another version"
        assert after.digest == before.digest == value.digest, "I1: run again with other arguments"
        self.decide_by = self._deadline(now)
        self._void_all()
        self.may_go_on = True
        self.votes[value.version] = value
        self.yes[value.version] = Yes(value)
        self.counts[value.version] = now
        self.asked[value.version] = value.digest

    def _settled(self, value: DecisionRecord, before: RequestRecord, after: RequestRecord, now: int) -> None:
        self._not_by_the_requester(value)
        assert before.status == "unknown", "I8: settled although it is known"
        assert value.attempt is not None
        outcome = self.words["settle", value.attempt][1].outcome
        assert outcome is not None
        self.outcomes.add(outcome.kind)
        assert after.status == ("succeeded" if outcome.kind == "returned" else "failed"), "I8: settled otherwise"
        assert (after.outcome, after.result, after.error_message) == (outcome.kind, outcome.result, outcome.message)

    def _given_up(self, value: DecisionRecord, before: RequestRecord, after: RequestRecord, now: int) -> None:
        assert (before.status, after.status) == ("running", "unknown"), "given up, and it does not run"

    def word_refused(self, command: Resolve, error: Exception, before: State, after: State) -> None:
        """Who repeats their word is answered; who comes second hears who was first."""
        known = self.words.get((command.verb, command.attempt))
        same = known is not None and (known[1].by, known[1].outcome) == (command.by, command.outcome)
        assert not same, "I3: the same word again was refused"
        if isinstance(error, AlreadyDecided):
            winner = error.decision
            said = [row for (_, attempt), (row, _) in self.words.items() if attempt == command.attempt]
            assert (winner.verb, winner.by) in {(row.verb, row.by) for row in said}, "I3: a winner who said nothing"

    def reconciled(self, command: Reconcile, token: str | None, before: State, after: State) -> None:
        """The agent's process said what it found out of the attempt that has this token."""
        if before.request.status != "unknown" or before.request.attempt != command.attempt:
            assert after == before, "I8: found out of something else, and it counted"
            return
        said = [verb for verb, attempt in self.words if attempt == command.attempt]
        if command.kind in ("again", "never"):
            if said:
                assert after == before, "I8: a human has spoken, and it goes on by itself"
            self.may_go_on = not said
            if command.kind == "never" and after != before:
                assert token is not None
                self.gave_back(token)
        else:
            self.outcomes.add(command.kind)

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
        assert self.kind == "call", "a pause was started"
        assert command.stale is None, "started although its own last look said no"
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

    def _final_states_stay(self, old: RequestRecord, new: RequestRecord) -> None:
        if old.status in FINAL and not self.may_go_on:
            assert new.status == old.status, f"I8: {old.status} became {new.status}"
            assert _outcome(new) == _outcome(old), "I8: the outcome became another"
        if old.status == "unknown" and new.status != "unknown" and not self.may_go_on:
            assert new.status in ("succeeded", "failed"), "I8: unknown, and it goes on"
            assert self.reports or self.outcomes, "I8: unknown, and nobody reported"
        if old.status == "running":
            assert new.status in ("running", "approved", "pending", "unknown", "succeeded", "failed", "expired")

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
            assert "returned" in {*self.reports.values(), *self.outcomes}, "I7: a success that nobody reported"

    def _counts(self, after: State) -> None:
        kept = [row for row in after.attempts if row.state != "given_back"]
        assert len(kept) == sum(len(yes.starts) for yes in self.yes.values()), "I2: starts are miscounted"
        assert len(kept) <= sum(permit.max_starts for permit in after.permits), "I2: more starts than permits"
        for permit in after.permits:
            assert permit.starts == sum(row.permit == permit.no for row in kept), "I2: starts are miscounted"
            assert permit.starts <= permit.max_starts, "I2: more starts than its permit allows"
            assert permit.version in self.yes, "a permit without a yes"
            assert permit.digest == self.yes[permit.version].decision.digest, "I1: a permit for other arguments"
            assert not self.yes[permit.version].void or permit.left == 0, "I2: starts are left of what is asked again"
        if after.request.status in FINAL:
            assert after.decision is not None, "I3: nothing to name the winner with"

    def _not_by_the_requester(self, value: DecisionRecord) -> None:
        assert value.by.split(":")[-1] != self.requester.split(":")[-1], "I5: who asks decided"
