"""What the agent shows of a call, as lines. Pure."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from gatekit.models import Preview
from gatekit_tui.frame.row_text import one_line
from gatekit_tui.frame.spans import Ink, Inked, wrap
from gatekit_tui.request.diff_text import diff_lines
from gatekit_tui.request.tables_text import table_lines

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


def _size(size: int) -> str:
    amount, unit = float(size), 0
    while amount >= 1000 and unit < len(_UNITS) - 1:
        amount, unit = amount / 1000, unit + 1
    return f"{size:,} bytes" if unit == 0 else f"{amount:.1f} {_UNITS[unit]} ({size:,} bytes)"
