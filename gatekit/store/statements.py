"""Every statement of the store, by name. Lists are paged by the key of their order."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from gatekit.clock import FAR
from gatekit.models import Order, Status
from gatekit.store.rows import (
    ATTEMPT,
    DECISION,
    DESCRIPTION_SHOWN,
    EVENT,
    GRANT,
    LINE,
    PERMIT,
    REQUEST,
    REVIEWER,
    REVISION,
    RUN,
)

FIXED: Final = ("id", "kind", "tool", "run", "call_id", "requester", "created_at")
"""What a request is from the start; leaving these out of an update leaves their indexes alone."""


def _select(table: str, names: tuple[str, ...], where: str) -> str:
    return f"SELECT {_list(names)} FROM {table} WHERE {where}"


def _list(names: Iterable[str]) -> str:
    return ", ".join(f'"{name}"' for name in names)


def _insert(table: str, names: tuple[str, ...]) -> str:
    return f"INSERT INTO {table} ({_list(names)}) VALUES ({', '.join('?' for _ in names)})"


def _insert_named(table: str, names: tuple[str, ...]) -> str:
    return f"INSERT INTO {table} ({_list(names)}) VALUES ({', '.join(':' + name for name in names)})"


REQUEST_BY_ID: Final = _select("requests", REQUEST, "id = ?")
REVISIONS_OF: Final = _select("revisions", REVISION, "request_id = ? ORDER BY revision")
DECISIONS_OF: Final = _select("decisions", DECISION, "request_id = ? ORDER BY no")
PERMITS_OF: Final = _select("permits", PERMIT, "request_id = ? ORDER BY no")
ATTEMPTS_OF: Final = _select("attempts", ATTEMPT, "request_id = ? ORDER BY no")

FIND: Final = "SELECT id FROM requests WHERE run = ? AND tool = ? AND call_id = ?"
SCHEMA: Final = "SELECT schema FROM tools WHERE tool = ? AND sha256 = ?"
PUT_SCHEMA: Final = "INSERT INTO tools (tool, sha256, schema) VALUES (?, ?, ?) ON CONFLICT DO NOTHING"

# The next number is read off the end of the table itself; `pos` is the same number as an ordinary column, because a
# key that ends in the rowid is searched by `due` alone.
_NEXT: Final = "(SELECT coalesce(max(number), 0) + 1 FROM requests)"
INSERT_REQUEST: Final = (
    f"INSERT INTO requests (number, pos, {_list(REQUEST)}) "
    f"VALUES ({_NEXT}, {_NEXT}, {', '.join(':' + name for name in REQUEST)})"
)
UPDATE_REQUEST: Final = (
    "UPDATE requests SET "
    + ", ".join(f'"{name}" = :{name}' for name in REQUEST if name not in FIXED)
    + " WHERE id = :id AND version = :old_version AND status = :old_status"
)
PUT_REVISION: Final = (
    _insert_named("revisions", REVISION)
    + " ON CONFLICT (request_id, revision) DO UPDATE SET verdict = excluded.verdict"
    + " WHERE digest = excluded.digest AND text = excluded.text"
)
INSERT_DECISION: Final = _insert_named("decisions", DECISION)
PUT_PERMIT: Final = (
    _insert("permits", PERMIT)
    + " ON CONFLICT (request_id, no) DO UPDATE SET starts = excluded.starts, void = excluded.void"
)
PUT_ATTEMPT: Final = (
    _insert("attempts", ATTEMPT)
    + " ON CONFLICT (request_id, no) DO UPDATE SET state = excluded.state, finished_at = excluded.finished_at"
    + " WHERE token = excluded.token"
)
WRITTEN_EVENT: Final = tuple(name for name in EVENT if name != "cursor")
# A run's own event has an empty request id, which no foreign key could name: kept as NULL.
APPEND_EVENT: Final = (
    f"INSERT INTO events ({_list(WRITTEN_EVENT)}) VALUES ("
    + ", ".join("nullif(?, '')" if name == "request_id" else "?" for name in WRITTEN_EVENT)
    + ")"
)

_EVENT: Final = ", ".join("coalesce(request_id, '')" if name == "request_id" else f'"{name}"' for name in EVENT)
HISTORY: Final = f"SELECT {_EVENT} FROM events WHERE request_id = ? ORDER BY cursor"
EVENTS: Final = f"SELECT {_EVENT} FROM events WHERE cursor > ? ORDER BY cursor LIMIT ?"
# "Not empty" is said again wherever it is the condition of the index.
RUN_HISTORY: Final = f"SELECT {_EVENT} FROM events WHERE run = ? AND run <> '' ORDER BY cursor"
NEWS: Final = (
    "SELECT e.cursor, e.kind, e.request_id, e.run, r.status FROM events e LEFT JOIN requests r ON r.id = e.request_id"
    " WHERE e.cursor > ? ORDER BY e.cursor"
)
LAST_CURSOR: Final = "SELECT coalesce(max(cursor), 0) FROM events"
STATUSES: Final = "SELECT id, status FROM requests WHERE id IN (SELECT value FROM json_each(?))"

REVIEWERS: Final = f"SELECT {_list(REVIEWER)} FROM reviewers ORDER BY name"
PUT_REVIEWER: Final = (
    _insert_named("reviewers", REVIEWER)
    + ' ON CONFLICT (name) DO UPDATE SET roles = excluded.roles, "by" = excluded."by", at = excluded.at'
)
DROP_REVIEWER: Final = "DELETE FROM reviewers WHERE name = ?"
GRANT_BY_ID: Final = _select("grants", GRANT, "id = ?")
GRANTS: Final = f"SELECT {_list(GRANT)} FROM grants ORDER BY number DESC LIMIT ?"
GRANTS_OF: Final = _select("grants", GRANT, "tool = ? AND revoked_at IS NULL ORDER BY number")
GRANTS_ON: Final = _select("grants", GRANT, "request_id = ? ORDER BY number")
PUT_GRANT: Final = (
    _insert_named("grants", GRANT)
    + " ON CONFLICT (id) DO UPDATE SET used = excluded.used, revoked_at = excluded.revoked_at,"
    + " revoked_by = excluded.revoked_by"
)
STOP: Final = "SELECT value FROM meta WHERE key = 'stop'"
PUT_STOP: Final = (
    "INSERT INTO meta (key, value) VALUES ('stop', ?) ON CONFLICT (key) DO UPDATE SET value = excluded.value"
)
LIFT_STOP: Final = "DELETE FROM meta WHERE key = 'stop'"
# What was allowed counts, unless it can no longer start without having started.
SPENT: Final = (
    "SELECT spend FROM requests WHERE tool = ? AND spend_at IS NOT NULL AND spend_at > ?"
    " AND status IN ('approved', 'running', 'unknown', 'succeeded', 'failed')"
)

SAID: Final = (
    "SELECT requests.tool, decisions.verb, coalesce(nullif(decisions.asked_at, 0), requests.created_at), decisions.at,"
    ' decisions."by", requests.id'
    " FROM decisions INDEXED BY decisions_at JOIN requests ON requests.id = decisions.request_id"
    " WHERE decisions.at > ? AND decisions.\"by\" LIKE 'human:%'"
    " AND decisions.verb IN ('approve', 'edit', 'reject', 'respond', 'answer', 'release')"
    " ORDER BY decisions.at DESC LIMIT ?"
)
LOOKED_BACK: Final = 1_000
"""Calls of a tool in each state that are looked at for one to compare with: no index has them by who decided."""


def _newest(*statuses: Status) -> str:
    """The newest calls of the tool in each of these states; what is due never comes in the order of its making."""
    return " UNION ALL ".join(
        "SELECT * FROM (SELECT id, kind, run, requester, decision, attempt, pos FROM requests"
        f" WHERE tool = :tool AND status = '{status}' ORDER BY due DESC, pos DESC LIMIT {LOOKED_BACK})"
        for status in statuses
    )


_BY_PEOPLE: Final = "(\"by\" GLOB 'human:*' OR \"by\" GLOB 'grant:*')"
_PERMITTED: Final = (
    "(SELECT permits.decision FROM attempts JOIN permits"
    " ON permits.request_id = attempts.request_id AND permits.no = attempts.permit"
    " WHERE attempts.request_id = made.id AND attempts.no = made.attempt)"
)
# A settlement says how a call ended; who allowed it said so before. CROSS: in this order, so that what a rule allowed
# costs one look.
LAST_ALLOWED: Final = (
    f"SELECT made.id FROM ({_newest('approved', 'running', 'unknown', 'succeeded', 'failed')}) AS made"
    f" CROSS JOIN (SELECT request_id, no, verb FROM decisions WHERE {_BY_PEOPLE}"
    " AND verb IN ('approve', 'edit', 'retry', 'settle')) AS said"
    " ON said.request_id = made.id AND said.no = made.decision"
    f" CROSS JOIN (SELECT request_id, no, at FROM decisions WHERE {_BY_PEOPLE}"
    " AND verb IN ('approve', 'edit', 'retry')) AS allowed ON allowed.request_id = made.id"
    f" AND allowed.no = CASE said.verb WHEN 'settle' THEN {_PERMITTED} ELSE said.no END"
    " WHERE made.id <> :id ORDER BY allowed.at DESC, made.pos DESC LIMIT 1"
)
_OF_ITS_RUN: Final = "(made.run <> '' AND made.run = :run)"
LAST_REFUSED: Final = (
    f"SELECT made.id FROM ({_newest('rejected', 'responded')}) AS made"
    " CROSS JOIN decisions AS said ON said.request_id = made.id AND said.no = made.decision"
    f" WHERE made.id <> :id AND made.kind = :kind AND ({_OF_ITS_RUN} OR made.requester = :requester)"
    " AND said.at > :since AND said.\"by\" GLOB 'human:*'"
    f" ORDER BY {_OF_ITS_RUN} DESC, said.at DESC, made.pos DESC LIMIT 1"
)
# Those without a deadline stand in the order in which they came; of the others, which may be many, some are looked at.
OLDEST: Final = (
    "SELECT min(created_at) FROM ("
    f"SELECT * FROM (SELECT created_at FROM requests WHERE status = 'pending' AND due = {FAR} ORDER BY pos LIMIT 1)"
    f" UNION ALL SELECT * FROM (SELECT created_at FROM requests WHERE status = 'pending' AND due < {FAR} LIMIT 10000))"
)

COUNT: Final = "SELECT count(*) FROM (SELECT 1 FROM requests WHERE status = ? LIMIT ?)"
PLACE: Final = "SELECT status, due, pos FROM requests WHERE id = ?"
POSITION: Final = "SELECT count(*) FROM requests WHERE status = ? AND (due, pos) < (?, ?)"

# The constant stands in the text because the index `requests_due` holds only rows below it.
OVERDUE: Final = f"SELECT id FROM requests WHERE due < {FAR} AND due <= ? ORDER BY due, pos LIMIT ?"
NEXT_DUE: Final = f"SELECT coalesce(min(due), {FAR}) FROM requests WHERE due < {FAR}"

WAITED_FOR: Final = "waiter IS NOT NULL AND call_given = 0 AND status IN ('approved', 'held', 'pending')"
# Left to itself SQLite would go through everything that is pending.
_WAITERS: Final = f"requests INDEXED BY requests_waiter WHERE {WAITED_FOR}"
# From each waiter the index leads to the next: DISTINCT would read the row of every call that waits.
WAITING_OWNERS: Final = (
    f"WITH RECURSIVE owners (waiter) AS (SELECT min(waiter) FROM {_WAITERS} UNION ALL"
    f" SELECT (SELECT min(waiter) FROM {_WAITERS} AND waiter > owners.waiter) FROM owners"
    " WHERE owners.waiter IS NOT NULL) SELECT waiter FROM owners WHERE waiter IS NOT NULL"
)
WAITED_FOR_BY: Final = f"SELECT id, ticket FROM {_WAITERS} AND waiter = ? LIMIT ?"
RUNNING: Final = (
    "SELECT requests.id, attempts.token, attempts.owner FROM requests"
    " JOIN attempts ON attempts.request_id = requests.id AND attempts.no = requests.attempt"
    " WHERE requests.status = 'running' LIMIT ?"
)

# By bytes: `substr` on text ends at the first NUL, and what stands behind it would be left out unseen.
# Of no bytes at all it makes NULL.
_CUT: Final = f"coalesce(substr(CAST(description AS BLOB), 1, {4 * DESCRIPTION_SHOWN}), x'')"
_LINE: Final = ", ".join(_CUT if name == "description" else name for name in LINE[:-2])
RANKED: Final[dict[Order, str]] = {"due": "due", "oldest": "created_at", "risk": "risk_rank"}
"""The columns that orders go by, and `pos` with them. How a request was decided stands in another table."""


def line_shown(rank: str, pos: str) -> str:
    """The columns of a line whose key these two are."""
    return f"{_LINE}, {rank}, {pos}"


FIXED_OF_RUN: Final = ("id", "workflow", "text", "digest", "requester", "created_at")
RUN_BY_ID: Final = _select("runs", RUN, "id = ?")
INSERT_RUN: Final = _insert_named("runs", RUN)
UPDATE_RUN: Final = (
    "UPDATE runs SET "
    + ", ".join(f'"{name}" = :{name}' for name in RUN if name not in FIXED_OF_RUN)
    + " WHERE id = :id AND status = :old_status AND executions = :old_executions"
)
WAKE_RUN: Final = "UPDATE runs SET ready = 1 WHERE id = ? AND ready = 0 AND status IN ('waiting', 'needs-review')"

_OF_RUN: Final = "run = ? AND run <> ''"
STEPS: Final = f"SELECT call_id, tool, id, status FROM requests WHERE {_OF_RUN} ORDER BY number"
DELETE_RUN: Final = (
    f"DELETE FROM events WHERE {_OF_RUN}",
    *(
        f"DELETE FROM {table} WHERE request_id IN (SELECT id FROM requests WHERE {_OF_RUN})"
        for table in ("attempts", "permits", "decisions", "revisions")
    ),
    f"DELETE FROM requests WHERE {_OF_RUN}",
    "DELETE FROM runs WHERE id = ?",
)
"""In this order, because the rows of a request refer to it. Each wants the run's id."""

READY_RUNS: Final = "SELECT number, id FROM runs WHERE workflow = ? AND ready = 1 ORDER BY number LIMIT ?"
# Left to itself SQLite would go through every run that waits for somebody.
STRANGE_RUNS: Final = (
    "SELECT id FROM runs INDEXED BY runs_unclaimed WHERE ready = 1 AND status = 'waiting'"
    " AND workflow NOT IN (SELECT value FROM json_each(?)) ORDER BY number LIMIT ?"
)
RUNNING_RUNS: Final = "SELECT id, owner FROM runs WHERE status = 'running' ORDER BY number"
RUN_STATES: Final = (
    "SELECT id, CASE WHEN ready THEN 'ready' ELSE status END FROM runs WHERE id IN (SELECT value FROM json_each(?))"
)


def runs_of(statuses: int, *, workflow: bool, after: bool) -> str:
    """The statement for one page of runs over this many states, the newest first.

    Parameters, for each state: status, workflow?, after?; at the end limit. Each state gives its part in order from
    the index, and SQLite merges them, reading no further than the limit.
    """
    where = "status = ?"
    where += " AND workflow = ?" if workflow else ""
    where += " AND number < ?" if after else ""
    part = f"SELECT number, {_list(RUN)} FROM runs WHERE {where}"
    return " UNION ALL ".join([part] * statuses) + " ORDER BY number DESC LIMIT ?"


def page_of(statuses: int, order: Order, *, tool: bool, after: bool, before: bool) -> str:
    """The statement for one page over this many states.

    Parameters, for each state: status, tool?, after?, before? (two each), limit; at the end limit and offset.
    Only keys are sorted: each state gives its part in order from the index, and the lines are fetched by number.
    """
    rank = RANKED[order]
    where = "status = ?"
    where += " AND tool = ?" if tool else ""
    where += f" AND ({rank}, pos) > (?, ?)" if after else ""
    where += f" AND ({rank}, pos) < (?, ?)" if before else ""
    sorting = f"{rank} DESC, pos DESC" if before else f"{rank}, pos"
    line = line_shown(rank, "pos")
    if statuses == 1:
        return f"SELECT {line} FROM requests WHERE {where} ORDER BY {sorting} LIMIT ? OFFSET ?"
    part = f"SELECT * FROM (SELECT {rank}, pos, number FROM requests WHERE {where} ORDER BY {sorting} LIMIT ?)"
    keys = " UNION ALL ".join([part] * statuses)
    chosen = f"SELECT number FROM ({keys}) ORDER BY {sorting} LIMIT ? OFFSET ?"
    return f"SELECT {line} FROM requests WHERE number IN ({chosen}) ORDER BY {sorting}"
