"""The folder that the demo tidies: a few small files, written from here into a temporary place."""

from __future__ import annotations

from pathlib import Path
from typing import Final

FOLDER: Final = "desk"

_BUDGET = "month,income,spent\nJanuary,4200,3900\nFebruary,4200,4350\n"

SAMPLE: Final = {
    "INDEX.md": "# My desk\n\nWritten by hand. The budget is the one that counts.\n",
    "notes.txt": "Call Ana about the lease.\nAsk for the keys.\n",
    "todo.md": "- water the plants\n- renew the passport\n",
    "budget.csv": _BUDGET,
    "budget (1).csv": _BUDGET,
    "invoice-2009.txt": "Invoice 17\nOne desk, second hand: 120.00\n",
    "letter.tmp": "Dear Ana,\nthis is not finished, and it is the only copy.\n",
    "logo.svg": '<svg xmlns="http://www.w3.org/2000/svg"><circle r="4"/></svg>\n',
    "server.log": "12:00:01 started\n12:00:07 one request\n",
}


def lay_out(folder: Path) -> None:
    """Make the folder and write the sample into it.

    Raises `FileExistsError` if the folder is there already.
    """
    folder.mkdir()
    for name, text in SAMPLE.items():
        (folder / name).write_text(text, encoding="utf-8")
