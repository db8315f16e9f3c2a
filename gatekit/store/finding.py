"""The statements of a page for which lines are looked at: bound values only, along an index, without sorting.

Each state gives its lines in order from the index of the list, and SQLite merges them, reading no further than the
page. In the order of decision there is one part: it goes along the decisions, whatever the states.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any, Final

from gatekit.backend.tx import PageQuery
from gatekit.filters import Filter, Pattern, needles
from gatekit.machine.records import CLAIM_LAPSES
from gatekit.store.statements import RANKED, line_shown

Values = dict[str, Any]

_ARGUMENTS: Final = (
    "(SELECT lower(revisions.text) FROM revisions"
    " WHERE revisions.request_id = requests.id AND revisions.revision = requests.revision)"
)
_CLAIMED: Final = (
    f"(status IN ('pending', 'held') AND coalesce(claimed_at <= :now AND claimed_at > :now - {CLAIM_LAPSES}, 0))"
)
# Only what is named here: other columns have the names of those of a request.
_SAID: Final = (
    "(SELECT at AS said_at, rowid AS said_number, request_id AS said_of, no AS said_no"
    " FROM decisions INDEXED BY decisions_at)"
)
# CROSS: SQLite keeps the order of the tables. Left to itself it may begin with the requests, and sort.
_DECIDED: Final = f"{_SAID} CROSS JOIN requests ON requests.id = said_of AND requests.decision = said_no"


@dataclass(frozen=True, slots=True)
class _Source:
    """Where the lines of an order come from."""

    lines: str
    keys: str
    """Where their keys alone can be read."""
    rank: str
    pos: str
    by_status: bool
    """Whether the index has the lines of each state apart."""


def bound_of(query: PageQuery, rows: int) -> tuple[str, Values]:
    """The statement for the key of the last of so many lines and, if there is one, of the line behind it."""
    source, values = _source(query), Values(skipped=rows - 1)
    conditions = [*_tool(query, values), *_keys(query, source, values)]
    parts = _parts(f"{source.rank}, {source.pos}", source.keys, query, source, conditions, values)
    return f"{parts} ORDER BY {_order(query, source)} LIMIT 2 OFFSET :skipped", values


def found_of(query: PageQuery) -> tuple[str, Values]:
    """The statement for the lines up to `query.until` that fit."""
    source = _source(query)
    return _found(line_shown(source.rank, source.pos), query, source)


def counted_of(query: PageQuery) -> tuple[str, Values]:
    """The statement for the number of these lines."""
    source = _source(query)
    statement, values = _found(f"{source.rank}, {source.pos}", query, source)
    return f"SELECT count(*) FROM ({statement})", values


def _found(columns: str, query: PageQuery, source: _Source) -> tuple[str, Values]:
    values = Values(limit=query.limit, skipped=query.offset)
    conditions = [*_tool(query, values), *_keys(query, source, values)]
    if fits := " AND ".join(_fitting(query, source, values)):
        # In one piece: of many conditions SQLite takes one for an index of its own, or concludes that hardly a line is
        # left, which it may as well sort.
        conditions.append(f"CASE WHEN {fits} THEN 1 END")
    parts = _parts(columns, source.lines, query, source, conditions, values)
    return f"{parts} ORDER BY {_order(query, source)} LIMIT :limit OFFSET :skipped", values


def _source(query: PageQuery) -> _Source:
    if query.order == "decided":
        return _Source(_DECIDED, _SAID, "said_at", "said_number", by_status=False)
    return _Source("requests", "requests", RANKED[query.order], "pos", by_status=True)


def _parts(
    columns: str, table: str, query: PageQuery, source: _Source, conditions: Sequence[str], values: Values
) -> str:
    if not source.by_status:
        return f"SELECT {columns} FROM {table}" + (f" WHERE {' AND '.join(conditions)}" if conditions else "")
    parts: list[str] = []
    for number, status in enumerate(dict.fromkeys(query.statuses)):
        values[f"status{number}"] = status
        where = " AND ".join([f"status = :status{number}", *conditions])
        parts.append(f"SELECT {columns} FROM {table} WHERE {where}")
    return " UNION ALL ".join(parts)


def _order(query: PageQuery, source: _Source) -> str:
    way = " DESC" if query.downwards else ""
    return f"{source.rank}{way}, {source.pos}{way}"


def _tool(query: PageQuery, values: Values) -> Iterator[str]:
    """One tool, where the index has its lines apart: then they alone are looked at."""
    if query.tool is not None and query.order == "due":
        values["tool"] = query.tool
        yield "tool = :tool"


def _keys(query: PageQuery, source: _Source, values: Values) -> Iterator[str]:
    up, down = ("<", ">") if query.order == "decided" else (">", "<")
    last = ">=" if query.downwards else "<="
    for name, sign, key in (("after", up, query.after), ("before", down, query.before), ("until", last, query.until)):
        if key is not None:
            values[f"{name}_rank"], values[f"{name}_pos"] = key
            yield f"({source.rank}, {source.pos}) {sign} (:{name}_rank, :{name}_pos)"


def _fitting(query: PageQuery, source: _Source, values: Values) -> Iterator[str]:
    if not source.by_status:
        yield f"status IN ({_bound('status', query.statuses, values)})"
    if query.tool is not None and query.order != "due":
        values["tool"] = query.tool
        yield "tool = :tool"
    if query.where is not None:
        yield from _conditions(query.where, query.now, values)


def _conditions(where: Filter, now: int, values: Values) -> Iterator[str]:
    if where.risks is not None:
        yield f"risk IN ({_bound('risk', where.risks, values)})"
    for column, patterns in _patterns(where):
        yield _like(column, patterns, values)
    if where.kind is not None:
        values["kind"] = where.kind
        yield "kind = :kind"
    if where.stage is not None:
        values["stage"] = where.stage - 1
        yield "stages > 1 AND stage = :stage"
    if where.claimed is not None:
        values["now"] = now
        yield _CLAIMED if where.claimed else f"NOT {_CLAIMED}"
    for name, sign, seconds in (("older", "<=", where.older), ("newer", ">", where.newer)):
        if seconds is not None:
            values[name] = now - round(seconds * 1e6)
            yield f"created_at {sign} :{name}"
    if where.expires is not None:
        values["expires"] = now + round(where.expires * 1e6)
        yield "coalesce(decide_by <= :expires, 0)"
    for number, word in enumerate(where.words):
        yield _holds(f"word{number}", word, values)


def _patterns(where: Filter) -> Iterator[tuple[str, Sequence[Pattern]]]:
    if where.tool is not None:
        yield "tool", [where.tool]
    if where.run is not None:
        yield "run", [where.run]
    if where.by is not None:
        yield "requester", where.by


def _like(column: str, patterns: Sequence[Pattern], values: Values) -> str:
    if all(len(pattern) == 1 for pattern in patterns):
        return f"{column} IN ({_bound(f'{column}_is', [pattern[0] for pattern in patterns], values)})"
    globs = ["*".join(map(_literally, pattern)) for pattern in patterns]
    names = _bound(f"{column}_like", globs, values).split(", ")
    return f"({' OR '.join(f'{column} GLOB {name}' for name in names)})"


def _literally(piece: str) -> str:
    # A class of one character is that character.
    return "".join(f"[{char}]" if char in "*?[" else char for char in piece)


def _holds(name: str, word: str, values: Values) -> str:
    plain = _bound(name, needles(word), values).split(", ")
    in_json = _bound(f"{name}_json", needles(word, in_json=True), values).split(", ")
    tests = [f"instr(lower({column}), {one})" for column in ("tool", "description") for one in plain]
    tests += [f"instr({_ARGUMENTS}, {one})" for one in in_json]
    return f"({' OR '.join(tests)})"


def _bound(name: str, given: Sequence[str], values: Values) -> str:
    names = [f"{name}_{number}" for number in range(len(given))]
    values.update(zip(names, given, strict=True))
    return ", ".join(f":{one}" for one in names)
