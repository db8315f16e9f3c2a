"""What a step shows its reviewers beside the arguments: a text, a difference, a table, or a file to open.

It is the agent's word for what the call would do. What runs are the arguments.
"""

from __future__ import annotations

import difflib
import hashlib
import json
import mimetypes
import os
from collections.abc import Mapping, Sequence
from typing import Any, Final

from gatekit.display import shorten
from gatekit.errors import UsageError
from gatekit.models import Preview

_LONGEST: Final = 100_000
"""Characters of a text or a difference."""
_MOST_ROWS: Final = 500
_MOST_COLUMNS: Final = 50
_CHUNK: Final = 1 << 20


def text(content: str) -> Preview:
    """A text, as it is.

    >>> text("Dear customer, …").kind
    'text'
    """
    if type(content) is not str:
        raise UsageError(f"previews.text takes a str, not {type(content).__name__}")
    return Preview(kind="text", text=shorten(content, _LONGEST)[0])


def diff(before: str, after: str, *, name: str = "") -> Preview:
    r"""What becomes of a text, as a unified difference.

    Args:
        before: the text as it is.
        after: the text as it would be.
        name: what it is called, as a file's path.

    >>> print(diff("a\nb\n", "a\nc\n", name="notes.txt").text)
    --- notes.txt
    +++ notes.txt
    @@ -1,2 +1,2 @@
     a
    -b
    +c
    """
    if type(before) is not str or type(after) is not str:
        raise UsageError("previews.diff takes the text before and the text after")
    lines = difflib.unified_diff(before.splitlines(), after.splitlines(), name, name, lineterm="")
    return Preview(kind="diff", text=shorten("\n".join(lines), _LONGEST)[0])


def table(rows: Sequence[Mapping[str, Any]]) -> Preview:
    """Records, one a line; every record's fields are columns.

    >>> table([{"to": "bob", "amount": 40}]).columns
    ('to', 'amount')
    """
    if isinstance(rows, str) or not all(isinstance(row, Mapping) for row in rows):
        raise UsageError("previews.table takes a list of mappings, one a line")
    columns = tuple(dict.fromkeys(str(name) for row in rows for name in row))[:_MOST_COLUMNS]
    lines = tuple(tuple(_cell(row.get(name, "")) for name in columns) for row in rows[:_MOST_ROWS])
    return Preview(kind="table", columns=columns, rows=lines, more=max(0, len(rows) - _MOST_ROWS))


def file(path: str | os.PathLike[str], *, media_type: str | None = None) -> Preview:
    """A file that the reviewer opens in a program of theirs: an image, a dataset, a document.

    Its digest is taken now; a file that was changed since is not opened.

    Args:
        path: where it is, on the machine that the reviewer uses too.
        media_type: as `image/png`; not given: told by the file's name.
    """
    full = os.path.abspath(os.fspath(path))
    size, digest = digest_of_file(full)
    told = media_type or mimetypes.guess_type(full)[0] or "application/octet-stream"
    return Preview(kind="file", path=full, size=size, sha256=digest, media_type=told)


def digest_of_file(path: str) -> tuple[int, str]:
    """The size and the SHA-256 of a file."""
    digest, size = hashlib.sha256(), 0
    with open(path, "rb") as stream:
        while part := stream.read(_CHUNK):
            digest.update(part)
            size += len(part)
    return size, digest.hexdigest()


def _cell(value: object) -> str:
    shown = value if isinstance(value, str) else json.dumps(value, ensure_ascii=False, default=str)
    return shorten(shown, 500)[0]
