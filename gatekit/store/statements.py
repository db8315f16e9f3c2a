"""Every statement of the store, by name. Lists are ordered by (`due`, `pos`) and paged by that key."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

from gatekit.clock import FAR
from gatekit.store.rows import ATTEMPT, DECISION, DESCRIPTION_SHOWN, EVENT, LINE, PERMIT, REQUEST, REVISION

FIXED: Final = ("id", "tool", "run", "call_id", "call_given", "requester", "created_at")
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
INSERT_DECISION: Final = _insert("decisions", DECISION)
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
APPEND_EVENT: Final = _insert("events", WRITTEN_EVENT)

HISTORY: Final = _select("events", EVENT, "request_id = ? ORDER BY cursor")
EVENTS: Final = _select("events", EVENT, "cursor > ? ORDER BY cursor LIMIT ?")
LAST_CURSOR: Final = "SELECT coalesce(max(cursor), 0) FROM events"
STATUSES: Final = "SELECT id, status FROM requests WHERE id IN (SELECT value FROM json_each(?))"

COUNT: Final = "SELECT count(*) FROM (SELECT 1 FROM requests WHERE status = ? LIMIT ?)"
PLACE: Final = "SELECT status, due, pos FROM requests WHERE id = ?"
POSITION: Final = "SELECT count(*) FROM requests WHERE status = ? AND (due, pos) < (?, ?)"

# The constant stands in the text because the index `requests_due` holds only rows below it.
OVERDUE: Final = f"SELECT id FROM requests WHERE due < {FAR} AND due <= ? ORDER BY due, pos LIMIT ?"
NEXT_DUE: Final = f"SELECT coalesce(min(due), {FAR}) FROM requests WHERE due < {FAR}"

WAITED_FOR: Final = "waiter IS NOT NULL AND call_given = 0 AND status IN ('approved', 'held', 'pending')"
# Left to itself SQLite would go through everything that is pending.
_WAITERS: Final = f"requests INDEXED BY requests_waiter WHERE {WAITED_FOR}"
WAITING_OWNERS: Final = f"SELECT DISTINCT waiter FROM {_WAITERS}"
WAITED_FOR_BY: Final = f"SELECT id, ticket FROM {_WAITERS} AND waiter = ? LIMIT ?"
RUNNING: Final = (
    "SELECT requests.id, attempts.token, attempts.owner FROM requests"
    " JOIN attempts ON attempts.request_id = requests.id AND attempts.no = requests.attempt"
    " WHERE requests.status = 'running' LIMIT ?"
)

# By bytes: `substr` on text ends at the first NUL, and what stands behind it would be left out unseen.
_CUT: Final = f"substr(CAST(description AS BLOB), 1, {4 * DESCRIPTION_SHOWN})"
_LINE: Final = ", ".join(_CUT if name == "description" else name for name in LINE)


def page_of(statuses: int, *, tool: bool, after: bool, before: bool) -> str:
    """The statement for one page over this many states.

    Parameters, for each state: status, tool?, after?, before? (two each), limit; at the end limit and offset.
    Only keys are sorted: each state gives its part in order from the index, and the lines are fetched by number.
    """
    where = "status = ?"
    where += " AND tool = ?" if tool else ""
    where += " AND (due, pos) > (?, ?)" if after else ""
    where += " AND (due, pos) < (?, ?)" if before else ""
    order = "due DESC, pos DESC" if before else "due, pos"
    if statuses == 1:
        return f"SELECT {_LINE} FROM requests WHERE {where} ORDER BY {order} LIMIT ? OFFSET ?"
    part = f"SELECT * FROM (SELECT due, pos, number FROM requests WHERE {where} ORDER BY {order} LIMIT ?)"
    keys = " UNION ALL ".join([part] * statuses)
    chosen = f"SELECT number FROM ({keys}) ORDER BY {order} LIMIT ? OFFSET ?"
    return f"SELECT {_LINE} FROM requests WHERE number IN ({chosen}) ORDER BY {order}"
