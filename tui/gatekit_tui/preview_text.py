"""What the agent shows of a call, and what can be shown of its arguments besides their values, as lines. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from functools import partial
from typing import Any, Final, cast

from gatekit.models import Preview, Request
from gatekit_tui.diff_text import diff_lines, is_diff
from gatekit_tui.row_text import one_line
from gatekit_tui.spans import Ink, Inked, wrap
from gatekit_tui.tables_text import table_lines

_MOST_ROWS: Final = 200
"""Rows of an argument that are drawn as a table: all of them stand among the arguments."""
_LONGEST: Final = 50_000
"""Characters of arguments that are looked through for shapes: this is done at every change of the width."""
_UNITS: Final = ("bytes", "KB", "MB", "GB", "TB")


def texts_of(preview: Preview | None) -> str:
    """All that stands in it, to be looked through for what hides or misleads."""
    if preview is None:
        return ""
    cells = (cell for row in preview.rows for cell in row)
    return "\n".join((preview.text, *preview.columns, *cells, preview.path, preview.media_type, preview.sha256))


def preview_lines(preview: Preview, width: int) -> list[Inked]:
    """What the agent shows, whole; only a table is cut to the width, and says so."""
    return _or_plain(lambda: _preview_lines(preview, width), texts_of(preview), width)


def _or_plain(draw: Callable[[], list[Inked]], text: str, width: int) -> list[Inked]:
    try:
        return draw()
    except Exception as error:  # noqa: BLE001 - nothing that is shown may keep its request from being decided
        return [*_plain(f"cannot be drawn: {type(error).__name__}: {error}", width, "warn"), *_plain(text, width)]


def _plain(text: str, width: int, ink: Ink = "text") -> list[Inked]:
    lines = text.removesuffix("\n").split("\n")
    return [((piece, ink),) for line in lines for piece in wrap(one_line(line), width)]


def _preview_lines(preview: Preview, width: int) -> list[Inked]:
    match preview.kind:
        case "diff":
            return diff_lines(preview.text, width)
        case "table":
            return table_lines(preview.columns, preview.rows, width, preview.more)
        case "file":
            return file_lines(preview, width)
        case _:
            return _plain(preview.text, width)


def file_lines(preview: Preview, width: int) -> list[Inked]:
    """Where the file is, what it is said to be, and its digest when the call was made."""
    told = [
        ("file", preview.path),
        ("type", f"{preview.media_type}, {_size(preview.size)}"),
        ("sha256", preview.sha256),
    ]
    lines: list[Inked] = []
    for name, text in told:
        for number, piece in enumerate(wrap(one_line(text), width - 8)):
            lines.append(((f"{name if number == 0 else '':<8}", "dim"), (piece, "text")))
    return [*lines, *_plain("v opens it, if it is still the same", width, "dim")]


def views_of(request: Request, width: int) -> Iterator[tuple[str, list[Inked]]]:
    """The arguments that have a shape of their own: `(name and shape, lines)`. They stand among the arguments too."""
    args = request.args if len(request.args_text) <= _LONGEST else {}
    for name, value in args.items():
        if isinstance(value, str) and is_diff(value):
            draw, shape = partial(diff_lines, value, width), "difference"
        elif columns := _columns_of(value):
            records = cast("list[dict[str, Any]]", value)
            draw, shape = partial(_records, columns, records, width), "table"
        else:
            continue
        yield f"{one_line(name)} as a {shape}", _or_plain(draw, "see the arguments", width)


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
    return value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)


def _size(size: int) -> str:
    amount, unit = float(size), 0
    while amount >= 1000 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1000, unit + 1
    return f"{size:,} bytes" if unit == 0 else f"{amount:.1f} {_UNITS[unit]} ({size:,} bytes)"
