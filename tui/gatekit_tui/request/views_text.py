"""Arguments in a shape of their own, beside their values: differences, tables, SQL and shell commands. Pure."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from difflib import unified_diff
from functools import partial
from typing import Any, Final, TypeAlias, cast

from gatekit.models import Request
from gatekit_tui.frame.row_text import one_line
from gatekit_tui.frame.spans import Inked, wrap
from gatekit_tui.request.code_text import Doubtful, code_lines
from gatekit_tui.request.diff_text import diff_lines, is_diff
from gatekit_tui.request.shell_text import looks_like_shell, shell_tokens
from gatekit_tui.request.sql_text import looks_like_sql, sql_tokens
from gatekit_tui.request.tables_text import table_lines

LONGEST: Final = 20_000
"""Characters of one argument that are drawn in its shape: this is done at every change of the width."""
_MOST_VIEWS: Final = 5
_MOST_ROWS: Final = 200
_MOST_COMPARED: Final = 1_000
"""Lines of each of two texts that are compared."""

_MOST_CELL: Final = 2_000
"""Characters of a record's field that go into a table, which cuts it anyway."""
_REPLACEMENT: Final = {"old": "new", "before": "after", "search": "replace", "find": "replace", "original": "new"}
_REPLACED: Final = re.compile(f"({'|'.join(_REPLACEMENT)})((?:[_A-Z-].*)?)", re.S)

Draw: TypeAlias = Callable[[int], list[Inked]]
"""The lines for a width."""


def views_of(request: Request, width: int) -> Iterator[tuple[str, list[Inked]]]:
    """The arguments that have a shape of their own: `(name and shape, lines)`. They stand among the arguments too.

    Where a shape cannot be drawn the lines say why: nothing that is shown may keep its request from being decided.
    """
    args = request.args
    drawn = 0
    for name in args:
        label, draw = _view(name, args)
        if draw is None:
            continue
        drawn += 1
        if drawn > _MOST_VIEWS:
            yield "more arguments have a shape of their own", _said("only the first are drawn in it", width)
            return
        yield label, _or_said(draw, width)


def _view(name: str, args: Mapping[str, Any]) -> tuple[str, Draw | None]:
    """What the argument is called in its shape, and how that is drawn; None where it has none."""
    shown = one_line(name)
    try:
        found = _shape(name, args)
    except Exception as error:  # noqa: BLE001 - as above
        return shown, partial(_said, f"{type(error).__name__}: {error}")
    return (f"{shown} {found[0]}", found[1]) if found else (shown, None)


def _shape(name: str, args: Mapping[str, Any]) -> tuple[str, Draw] | None:
    value = args[name]
    if not isinstance(value, str):
        columns = _columns_of(value)
        records = cast("list[dict[str, Any]]", value)
        return ("as a table", partial(_records, columns, records)) if columns else None
    if is_diff(value[:LONGEST]):
        return "as a difference", partial(_difference, value)
    other = _counterpart(name)
    if other and isinstance(args.get(other), str) and value != args[other]:
        return f"and {one_line(other)} as a difference", partial(_compared, value, args[other])
    if looks_like_sql(name, value[:LONGEST]):
        return "as SQL", partial(_code, sql_tokens, value)
    if looks_like_shell(name, value[:LONGEST]):
        return "as a shell command", partial(_code, shell_tokens, value)
    return None


def _or_said(draw: Draw, width: int) -> list[Inked]:
    try:
        return draw(width)
    except Doubtful as doubt:
        return _said(str(doubt), width)
    except Exception as error:  # noqa: BLE001 - as above
        return _said(f"{type(error).__name__}: {error}", width)


def _said(why: str, width: int) -> list[Inked]:
    return [((piece, "note"),) for piece in wrap(one_line(f"no view: {why}"), width)]


def _rest(value: str, width: int) -> list[Inked]:
    """What is said of the end of a value that is too long."""
    more = len(value) - LONGEST
    told = f"… {more:,} more characters: they stand among the arguments"
    return [((piece, "warn"),) for piece in wrap(told, width)] if more > 0 else []


def _code(tokens: Callable[..., Any], value: str, width: int) -> list[Inked]:
    head = value[:LONGEST]
    return [*code_lines(head, tokens(head, is_cut=len(head) < len(value)), width), *_rest(value, width)]


def _difference(value: str, width: int) -> list[Inked]:
    return [*diff_lines(value[:LONGEST], width), *_rest(value, width)]


def _counterpart(name: str) -> str | None:
    """The name of the text that this one is replaced by."""
    found = _REPLACED.fullmatch(name)
    return _REPLACEMENT[found[1]] + found[2] if found else None


def _compared(before: str, after: str, width: int) -> list[Inked]:
    if before.endswith("\n") and after.endswith("\n"):
        before, after = before[:-1], after[:-1]
    old, new = before.split("\n"), after.split("\n")
    if len(before) + len(after) > LONGEST or max(len(old), len(new)) > _MOST_COMPARED:
        raise Doubtful("the two texts are too long to be compared here")
    return diff_lines("\n".join(unified_diff(old, new, "before", "after", lineterm="")), width)


def _records(columns: Sequence[str], records: Sequence[Mapping[str, Any]], width: int) -> list[Inked]:
    shown = records[:_MOST_ROWS]
    rows = [[_cell(record[column]) if column in record else "" for column in columns] for record in shown]
    return table_lines(columns, rows, width, len(records) - len(shown))


def _columns_of(value: Any) -> tuple[str, ...]:
    """The fields of a list of records; none where it is something else, or a record holds lists or records."""
    if not isinstance(value, list) or len(value) < 2:
        return ()
    for record in value:
        if not isinstance(record, dict) or any(isinstance(cell, (dict, list)) for cell in record.values()):
            return ()
    return tuple(dict.fromkeys(name for record in value for name in record))


def _cell(value: Any) -> str:
    return (value if isinstance(value, str) else json.dumps(value, ensure_ascii=False))[:_MOST_CELL]
