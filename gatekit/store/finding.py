"""The statements of a page with a filter: bound values only, along the index of the list, without sorting.

Each state gives its lines in order from the index, and SQLite merges them, reading no further than the page.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any, Final

from gatekit.backend.tx import PageQuery
from gatekit.filters import Filter, Pattern, needles
from gatekit.machine.records import CLAIM_LAPSES
from gatekit.store.statements import LINE_SHOWN

Values = dict[str, Any]

_ARGUMENTS: Final = (
    "(SELECT lower(revisions.text) FROM revisions"
    " WHERE revisions.request_id = requests.id AND revisions.revision = requests.revision)"
)
_CLAIMED: Final = (
    f"(status IN ('pending', 'held') AND coalesce(claimed_at <= :now AND claimed_at > :now - {CLAIM_LAPSES}, 0))"
)


def bound_of(query: PageQuery, rows: int) -> tuple[str, Values]:
    """The statement for (`due`, `pos`) of the last of so many lines and, if there is one, of the line behind it."""
    values: Values = {"skipped": rows - 1}
    parts = _parts("due, pos", query, [*_keys(query, values)], values)
    return f"{parts} ORDER BY {_order(query)} LIMIT 2 OFFSET :skipped", values


def found_of(query: PageQuery, where: Filter) -> tuple[str, Values]:
    """The statement for the lines up to `query.until` that fit."""
    values: Values = {"limit": query.limit, "skipped": query.offset}
    conditions = [*_keys(query, values)]
    if fits := " AND ".join(_conditions(where, query.now, values)):
        # In one piece: of many conditions SQLite takes one for an index of its own, or concludes that hardly a line is
        # left, which it may as well sort.
        conditions.append(f"CASE WHEN {fits} THEN 1 END")
    parts = _parts(LINE_SHOWN, query, conditions, values)
    return f"{parts} ORDER BY {_order(query)} LIMIT :limit OFFSET :skipped", values


def _parts(columns: str, query: PageQuery, conditions: Sequence[str], values: Values) -> str:
    parts: list[str] = []
    for number, status in enumerate(dict.fromkeys(query.statuses)):
        values[f"status{number}"] = status
        where = " AND ".join([f"status = :status{number}", *conditions])
        parts.append(f"SELECT {columns} FROM requests WHERE {where}")
    return " UNION ALL ".join(parts)


def _order(query: PageQuery) -> str:
    return "due, pos" if query.before is None else "due DESC, pos DESC"


def _keys(query: PageQuery, values: Values) -> Iterator[str]:
    last = "<=" if query.before is None else ">="
    if query.tool is not None:
        values["tool"] = query.tool
        yield "tool = :tool"
    for name, sign, key in (("after", ">", query.after), ("before", "<", query.before), ("until", last, query.until)):
        if key is not None:
            values[f"{name}_due"], values[f"{name}_pos"] = key
            yield f"(due, pos) {sign} (:{name}_due, :{name}_pos)"


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
