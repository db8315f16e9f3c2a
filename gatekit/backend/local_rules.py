"""`LocalRules`: reviewers, standing permissions and the stop, over a store on this machine."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace

from gatekit.backend.admitting import directory_of
from gatekit.backend.tx import Refused, Store, Tx
from gatekit.errors import NotAllowed
from gatekit.machine.effects import DropReviewer, PutGrant, PutReviewer, PutStop, event_of_queue
from gatekit.machine.projection import grant_model, reviewer_model, stop_model
from gatekit.machine.records import ReviewerRecord, StopRecord
from gatekit.machine.voting import stranger
from gatekit.models import Grant, ReviewerRow, Stop
from gatekit.reply import Reply


class LocalRules:
    """The rules of a queue in a store of this machine."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def reviewers(self) -> Reply[Sequence[ReviewerRow]]:
        return self._store.read(lambda tx, now: [reviewer_model(row) for row in tx.reviewers()])

    def put_reviewer(self, name: str, roles: Sequence[str], by: str) -> Reply[ReviewerRow]:
        def job(tx: Tx, now: int) -> ReviewerRow:
            reviewer = ReviewerRecord(name=name, roles=tuple(sorted(set(roles))), by=by, at=now)
            tx.apply(PutReviewer(reviewer))
            tx.apply(event_of_queue("reviewer.set", by, now, name=name, roles=list(reviewer.roles)))
            return reviewer_model(reviewer)

        return self._store.write(job)

    def drop_reviewer(self, name: str, by: str) -> Reply[bool]:
        def job(tx: Tx, now: int) -> bool:
            known = any(row.name == name for row in tx.reviewers())
            if known:
                tx.apply(DropReviewer(name))
                tx.apply(event_of_queue("reviewer.removed", by, now, name=name))
            return known

        return self._store.write(job)

    def grants(self, limit: int) -> Reply[Sequence[Grant]]:
        return self._store.read(lambda tx, now: [grant_model(row, now) for row in tx.grants(limit)])

    def revoke(self, grant_id: str, by: str) -> Reply[Grant]:
        def job(tx: Tx, now: int) -> Grant | Refused:
            grant = tx.grant(grant_id)
            if grant is None:
                return Refused(
                    NotAllowed(f"no grant {grant_id!r} in this queue: `gatekit grants` shows those there are")
                )
            unknown = stranger(directory_of(tx), by)
            if unknown is not None:
                return Refused(unknown)
            if grant.revoked_at is None:
                grant = replace(grant, revoked_at=now, revoked_by=by)
                tx.apply(PutGrant(grant))
                tx.apply(event_of_queue("grant.revoked", by, now, grant=grant.id, tool=grant.tool))
            return grant_model(grant, now)

        return self._store.write(job)

    def stopped(self) -> Reply[Stop | None]:
        def job(tx: Tx, now: int) -> Stop | None:
            stop = tx.stop()
            return None if stop is None else stop_model(stop)

        return self._store.read(job)

    def stop(self, reason: str, by: str) -> Reply[Stop]:
        def job(tx: Tx, now: int) -> Stop:
            stop = tx.stop()
            if stop is None:
                stop = StopRecord(by=by, at=now, reason=reason)
                tx.apply(PutStop(stop))
                tx.apply(event_of_queue("queue.stopped", by, now, reason=reason))
            return stop_model(stop)

        return self._store.write(job)

    def lift(self, by: str) -> Reply[bool]:
        def job(tx: Tx, now: int) -> bool:
            stopped = tx.stop() is not None
            if stopped:
                tx.apply(PutStop(None))
                tx.apply(event_of_queue("queue.lifted", by, now))
            return stopped

        return self._store.write(job)
