"""The tables, as migrations: what one release added stays as it is, and the next adds to it.

`sqlite_utils` is imported only where something is to be migrated: opening a queue that is up to date needs none of it.
"""

from __future__ import annotations

import secrets
import sqlite3
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from gatekit.clock import FAR
from gatekit.store.statements import WAITED_FOR

if TYPE_CHECKING:
    from sqlite_utils import Database

APPLICATION_ID: Final = 0x67617465
"""`gate` in ASCII: what the header of the file says of whose it is (sqlite.org/fileformat2.html, offset 68)."""
VERSION: Final = 6
"""How many migrations there are; kept as the file's `user_version`."""

TABLES: Final = frozenset(
    {
        "meta",
        "tools",
        "requests",
        "revisions",
        "decisions",
        "permits",
        "attempts",
        "events",
        "runs",
        "reviewers",
        "grants",
        "_sqlite_migrations",
    }
)

_META = "CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)"

_TOOLS = """
CREATE TABLE tools (
    tool TEXT NOT NULL, sha256 TEXT NOT NULL, schema TEXT NOT NULL,
    PRIMARY KEY (tool, sha256)
)"""

# `pos` repeats `number`: a list key that ends in the rowid would be searched by `due` alone.
_REQUESTS = """
CREATE TABLE requests (
    number INTEGER PRIMARY KEY,
    pos INTEGER NOT NULL,
    id TEXT NOT NULL UNIQUE,
    tool TEXT NOT NULL,
    run TEXT NOT NULL,
    call_id TEXT NOT NULL,
    call_given INTEGER NOT NULL,
    requester TEXT NOT NULL,
    status TEXT NOT NULL,
    description TEXT NOT NULL,
    risk TEXT NOT NULL,
    reasons TEXT NOT NULL,
    hidden INTEGER NOT NULL,
    created_at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    revisions INTEGER NOT NULL,
    digest TEXT NOT NULL,
    stage INTEGER NOT NULL,
    max_starts INTEGER NOT NULL,
    expires_after INTEGER,
    start_within INTEGER,
    decide_by INTEGER,
    start_by INTEGER,
    effective_at INTEGER,
    due INTEGER NOT NULL,
    decision INTEGER,
    permit INTEGER,
    attempt INTEGER,
    waiter TEXT,
    ticket TEXT,
    outcome TEXT,
    result TEXT,
    result_lost INTEGER NOT NULL,
    error_type TEXT,
    error_message TEXT,
    UNIQUE (run, tool, call_id)
)"""

_REVISIONS = """
CREATE TABLE revisions (
    request_id TEXT NOT NULL REFERENCES requests (id),
    revision INTEGER NOT NULL,
    text TEXT NOT NULL,
    digest TEXT NOT NULL,
    schema TEXT NOT NULL,
    "by" TEXT NOT NULL,
    at INTEGER NOT NULL,
    verdict TEXT,
    PRIMARY KEY (request_id, revision)
)"""

_DECISIONS = """
CREATE TABLE decisions (
    request_id TEXT NOT NULL REFERENCES requests (id),
    no INTEGER NOT NULL,
    verb TEXT NOT NULL,
    "by" TEXT NOT NULL,
    at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    base INTEGER NOT NULL,
    digest TEXT NOT NULL,
    token TEXT NOT NULL,
    stage INTEGER NOT NULL,
    note TEXT,
    reason TEXT,
    text TEXT,
    effective_at INTEGER,
    PRIMARY KEY (request_id, no)
)"""

_PERMITS = """
CREATE TABLE permits (
    request_id TEXT NOT NULL REFERENCES requests (id),
    no INTEGER NOT NULL,
    decision INTEGER NOT NULL,
    version INTEGER NOT NULL,
    revision INTEGER NOT NULL,
    digest TEXT NOT NULL,
    max_starts INTEGER NOT NULL,
    starts INTEGER NOT NULL CHECK (starts BETWEEN 0 AND max_starts),
    void INTEGER NOT NULL,
    PRIMARY KEY (request_id, no)
)"""

_ATTEMPTS = """
CREATE TABLE attempts (
    request_id TEXT NOT NULL REFERENCES requests (id),
    no INTEGER NOT NULL,
    token TEXT NOT NULL UNIQUE,
    permit INTEGER NOT NULL,
    owner TEXT NOT NULL,
    started_at INTEGER NOT NULL,
    finished_at INTEGER,
    state TEXT NOT NULL,
    PRIMARY KEY (request_id, no)
)"""

_EVENTS = """
CREATE TABLE events (
    cursor INTEGER PRIMARY KEY AUTOINCREMENT,
    kind TEXT NOT NULL,
    request_id TEXT NOT NULL REFERENCES requests (id),
    call_id TEXT NOT NULL,
    tool TEXT NOT NULL,
    run TEXT NOT NULL,
    "by" TEXT NOT NULL,
    at INTEGER NOT NULL,
    version INTEGER NOT NULL,
    digest TEXT NOT NULL,
    data TEXT NOT NULL
)"""

_INDEXES = (
    "CREATE INDEX requests_status ON requests (status, due, pos)",
    "CREATE INDEX requests_tool ON requests (tool, status, due, pos)",
    f"CREATE INDEX requests_due ON requests (due, pos) WHERE due < {FAR}",
    # With the columns of its own condition, which SQLite would else look up in the table.
    f"CREATE INDEX requests_waiter ON requests (waiter, call_given, status) WHERE {WAITED_FOR}",
    # One vote for each version, stage and person, whatever the program above believes.
    'CREATE UNIQUE INDEX decisions_vote ON decisions (request_id, version, stage, "by")'
    " WHERE verb IN ('approve', 'edit', 'reject', 'respond')",
    "CREATE INDEX events_request ON events (request_id, cursor)",
)


_RUNS = """
CREATE TABLE runs (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    workflow TEXT NOT NULL,
    status TEXT NOT NULL,
    text TEXT NOT NULL,
    digest TEXT NOT NULL,
    requester TEXT NOT NULL,
    created_at INTEGER NOT NULL,
    updated_at INTEGER NOT NULL,
    ready INTEGER NOT NULL,
    waiting_for TEXT NOT NULL,
    retried TEXT NOT NULL,
    owner TEXT,
    token TEXT,
    executions INTEGER NOT NULL,
    reason TEXT,
    result TEXT,
    result_lost INTEGER NOT NULL,
    error_type TEXT,
    error_request TEXT
)"""

# What a run does concerns no request; SQLite cannot drop a NOT NULL, so the table is made anew.
_EVENTS_OF_RUNS_TOO = (
    _EVENTS.replace("events", "new_events").replace("request_id TEXT NOT NULL", "request_id TEXT"),
    "INSERT INTO new_events SELECT * FROM events",
    # No cursor is given twice, not even that of an event which is gone.
    "UPDATE sqlite_sequence SET seq = (SELECT seq FROM sqlite_sequence WHERE name = 'events')"
    " WHERE name = 'new_events'",
    "DROP TABLE events",
    "ALTER TABLE new_events RENAME TO events",
    "CREATE INDEX events_request ON events (request_id, cursor)",
    "CREATE INDEX events_run ON events (run, cursor) WHERE run <> ''",
)

_SURVIVE = (
    "ALTER TABLE requests ADD COLUMN kind TEXT NOT NULL DEFAULT 'call'",
    "CREATE INDEX requests_run ON requests (run, number) WHERE run <> ''",
    "ALTER TABLE decisions ADD COLUMN attempt INTEGER",
    _RUNS,
    "CREATE INDEX runs_status ON runs (status, number)",
    "CREATE INDEX runs_workflow ON runs (workflow, status, number)",
    "CREATE INDEX runs_ready ON runs (workflow, number) WHERE ready = 1",
    # Apart from those that need a review already, which may be many and stay ready for whoever has their code.
    "CREATE INDEX runs_unclaimed ON runs (number, workflow) WHERE ready = 1 AND status = 'waiting'",
    *_EVENTS_OF_RUNS_TOO,
)

_COMPENSATE = "ALTER TABLE runs ADD COLUMN loose TEXT NOT NULL DEFAULT '[]'"

_REVIEWERS = """
CREATE TABLE reviewers (
    name TEXT PRIMARY KEY,
    roles TEXT NOT NULL,
    "by" TEXT NOT NULL,
    at INTEGER NOT NULL
)"""

_GRANTS = """
CREATE TABLE grants (
    number INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    tool TEXT NOT NULL,
    scope TEXT NOT NULL,
    run TEXT,
    requester TEXT,
    "by" TEXT NOT NULL,
    at INTEGER NOT NULL,
    request_id TEXT NOT NULL,
    expires_at INTEGER,
    uses INTEGER,
    used INTEGER NOT NULL CHECK (uses IS NULL OR used BETWEEN 0 AND uses),
    revoked_at INTEGER,
    revoked_by TEXT,
    note TEXT
)"""

_POLICY = (
    "ALTER TABLE requests ADD COLUMN plan TEXT NOT NULL DEFAULT ''",
    "ALTER TABLE requests ADD COLUMN stages INTEGER NOT NULL DEFAULT 1",
    "ALTER TABLE requests ADD COLUMN asked_at INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE requests ADD COLUMN rung INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE requests ADD COLUMN reminded INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE requests ADD COLUMN votes_from INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE requests ADD COLUMN claimed_by TEXT",
    "ALTER TABLE requests ADD COLUMN claimed_at INTEGER",
    "ALTER TABLE requests ADD COLUMN delegations TEXT NOT NULL DEFAULT '[]'",
    "ALTER TABLE requests ADD COLUMN returned INTEGER NOT NULL DEFAULT 0",
    "ALTER TABLE requests ADD COLUMN spend TEXT",
    "ALTER TABLE requests ADD COLUMN spend_of TEXT",
    "ALTER TABLE requests ADD COLUMN spend_at INTEGER",
    "ALTER TABLE decisions ADD COLUMN stages TEXT NOT NULL DEFAULT '[0]'",
    "CREATE INDEX requests_spend ON requests (tool, spend_at, spend, status) WHERE spend_at IS NOT NULL",
    "DROP INDEX decisions_vote",
    'CREATE UNIQUE INDEX decisions_vote ON decisions (request_id, version, stage, "by")'
    " WHERE verb IN ('approve', 'edit', 'reject', 'respond', 'answer', 'release')",
    _REVIEWERS,
    _GRANTS,
    # Those that may still permit something; what ended by its time alone is few, and looked at.
    "CREATE INDEX grants_request ON grants (request_id)",
    "CREATE INDEX grants_tool ON grants (tool, number) WHERE revoked_at IS NULL",
)

_DASHBOARD = (
    "ALTER TABLE requests ADD COLUMN preview TEXT",
    "ALTER TABLE decisions ADD COLUMN asked_at INTEGER NOT NULL DEFAULT 0",
    "CREATE INDEX decisions_at ON decisions (at)",
)

# The rank is a column, because of an expression SQLite does not search for a key of two. It is worked out where it is
# read, and stands only in the index. A risk that nobody ever gives comes first, where somebody sees it.
_ORDERS = (
    "ALTER TABLE requests ADD COLUMN risk_rank INTEGER GENERATED ALWAYS AS"
    " (CASE risk WHEN 'low' THEN 3 WHEN 'medium' THEN 2 WHEN 'high' THEN 1 ELSE 0 END) VIRTUAL",
    "CREATE INDEX requests_oldest ON requests (status, created_at, pos)",
    "CREATE INDEX requests_risk ON requests (status, risk_rank, pos)",
)


def migration() -> Callable[[sqlite3.Connection], None]:
    """What brings the tables up to `VERSION`, inside a write transaction that the caller begins and commits.

    Without that outer transaction processes that open a new queue at once get into each other's way. Call this
    before it: loading sqlite-utils takes longer than all the rest.
    """
    from sqlite_utils import Database, Migrations

    migrations = Migrations("gatekit")
    migrations(name="loop")(_loop)
    migrations(name="survive")(_survive)
    migrations(name="compensate")(_compensate)
    migrations(name="policy")(_policy)
    migrations(name="dashboard")(_dashboard)
    migrations(name="orders")(_orders)

    def migrate(connection: sqlite3.Connection) -> None:
        migrations.apply(Database(connection, execute_plugins=False, recursive_triggers=False))
        connection.execute(f"PRAGMA application_id = {APPLICATION_ID}")
        connection.execute(f"PRAGMA user_version = {VERSION}")

    return migrate


def _loop(database: Database) -> None:
    for table in (_META, _TOOLS, _REQUESTS, _REVISIONS, _DECISIONS, _PERMITS, _ATTEMPTS, _EVENTS):
        database.execute(table)
    for index in _INDEXES:
        database.execute(index)
    database.execute("INSERT INTO meta VALUES ('queue', ?)", [secrets.token_hex(16)])


def _survive(database: Database) -> None:
    for statement in _SURVIVE:
        database.execute(statement)


def _compensate(database: Database) -> None:
    database.execute(_COMPENSATE)


def _policy(database: Database) -> None:
    for statement in _POLICY:
        database.execute(statement)


def _dashboard(database: Database) -> None:
    for statement in _DASHBOARD:
        database.execute(statement)


def _orders(database: Database) -> None:
    for statement in _ORDERS:
        database.execute(statement)
