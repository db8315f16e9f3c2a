"""The check behind the demo's exit code: it notices every way in which the files can differ from the decisions."""

from __future__ import annotations

import os
import tempfile
from collections import Counter
from pathlib import Path
from typing import Any

import pytest

from gatekit.demo import headless
from gatekit.demo.place import place_for_sample
from gatekit.demo.record import summary
from gatekit.errors import StoreBusy


@pytest.fixture(autouse=True)
def _temporary(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))


def run() -> headless.Result:
    return headless.run(place_for_sample(), lambda line: None, script=headless.SCRIPT)


def test_nothing_is_wrong_where_all_went_as_decided() -> None:
    result = run()

    assert result.wrong == []
    told = summary(result.requests)
    assert {one.ending for one in told.asked} == {"ran", "edited, ran", "rejected", "responded"}
    assert (len(told.at_once), told.looked > 10) == (6, True)


def test_a_rejected_deletion_that_is_made_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Path, "unlink", lambda file: (os.remove(file), os.remove(file.with_name("letter.tmp"))))

    assert run().wrong == ["desk/letter.tmp should be there and is not"]


def test_an_edited_move_to_the_place_that_was_asked_for_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def replace(file: Path, to: Path) -> None:
        os.renames(file, str(to).replace("/desk/archive/", "/desk-archive/"))

    monkeypatch.setattr(Path, "replace", replace)

    assert run().wrong == [
        "desk-archive/invoice-2009.txt should not be there",
        "desk/archive/invoice-2009.txt should be there and is not",
    ]


def test_an_answered_overwriting_that_is_made_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    write = Path.write_text

    def write_text(file: Path, text: str, **how: Any) -> None:
        write(file, text, **how)
        if file.name == "CONTENTS.md":
            write(file.with_name("INDEX.md"), text, **how)

    monkeypatch.setattr(Path, "write_text", write_text)

    assert run().wrong == ["desk/INDEX.md holds something else"]


def test_an_approved_call_that_fails_is_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    def unlink(file: Path) -> None:
        raise PermissionError(f"{file} is held by another program")

    monkeypatch.setattr(Path, "unlink", unlink)

    assert run().wrong == ["desk/budget (1).csv should not be there"]


def test_a_queue_that_fails_is_the_error_itself(monkeypatch: pytest.MonkeyPatch) -> None:
    async def fail(*_: object) -> None:
        raise StoreBusy("queue.db", 5)

    monkeypatch.setattr(headless, "_decide", fail)
    monkeypatch.setattr(headless, "_WAIT", 0.2)

    with pytest.raises(StoreBusy):
        run()


def test_a_script_that_decided_something_else_is_noticed() -> None:
    result = headless.run(place_for_sample(), lambda line: None, script=Counter({"approve": 4}))

    assert len(result.wrong) == 1
    assert result.wrong[0].startswith("the script decided ")
