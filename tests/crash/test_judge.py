"""The judge of the crash tests finds what it is there to find."""

from __future__ import annotations

import shutil
import sqlite3
from contextlib import closing
from pathlib import Path

import pytest

from tests.crash import book, durable, judge, runs
from tests.crash.book import Effect
from tests.crash.calls import approve, edit, fail, refuse, undo
from tests.crash.cases import judged
from tests.crash.stage import Role, Stage
from tests.crash.told import Told


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Told]]:
    """A queue with one call that was approved and ran, and what was told of it."""
    folder, told = tmp_path_factory.mktemp("played"), list[Told]()
    approve(Stage(str(folder), told.append))
    return folder, told


@pytest.fixture
def folder(played: tuple[Path, list[Told]], tmp_path: Path) -> Path:
    return Path(shutil.copytree(played[0], tmp_path / "copy"))


@pytest.mark.parametrize("role", [approve, edit, undo, refuse, fail])
def test_a_day_without_an_accident_is_flawless(role: Role, tmp_path: Path) -> None:
    told: list[Told] = []
    role(Stage(str(tmp_path), told.append))
    assert judged(str(tmp_path), told) == []
    assert {report.what for report in told} & {"returned", "raised", "refused"}


@pytest.mark.parametrize(
    "statement",
    [
        "UPDATE requests SET status = 'approved'",
        "UPDATE requests SET status = 'unknown'",
        "UPDATE requests SET version = 2",
        "UPDATE requests SET attempt = NULL",
        "UPDATE requests SET digest = 'other'",
        "UPDATE requests SET outcome = NULL",
        'UPDATE revisions SET text = \'{"amount":6,"label":"a"}\'',
        "DELETE FROM revisions",
        "DELETE FROM decisions",
        "UPDATE decisions SET digest = 'other'",
        "UPDATE decisions SET version = 2",
        "DELETE FROM permits",
        "UPDATE permits SET starts = 0",
        "UPDATE permits SET max_starts = 2",
        "INSERT INTO permits SELECT request_id, 2, decision, version, revision, digest, 2, 0, 0 FROM permits",
        "DELETE FROM attempts",
        "UPDATE attempts SET state = 'running', finished_at = NULL",
        "UPDATE attempts SET state = 'given_back'",
        "DELETE FROM events",
        "DELETE FROM events WHERE kind = 'submitted'",
        "DELETE FROM events WHERE kind = 'approved'",
        "DELETE FROM events WHERE kind = 'started'",
        "DELETE FROM events WHERE kind = 'succeeded'",
        "UPDATE events SET \"by\" = 'human:mallory' WHERE kind = 'approved'",
        "UPDATE events SET kind = 'unheard-of' WHERE kind = 'approved'",
    ],
)
def test_rows_that_contradict_each_other_are_found(folder: Path, statement: str) -> None:
    _change(folder, statement)
    assert judge.half_applied(book.read(str(folder / "queue.db")))


def test_a_damaged_file_is_found(folder: Path) -> None:
    content = bytearray((folder / "queue.db").read_bytes())
    content[4096:8192] = b"\xff" * 4096
    (folder / "queue.db").write_bytes(content)
    assert judge.half_applied(book.read(str(folder / "queue.db")))


@pytest.mark.parametrize(
    "report",
    [
        Told("submitted", "b"),
        Told("decided", "a", "reject human:bob v1:0000000000000000"),
        Told("called", "a", '["a", 5, 2]'),
        Told("returned", "a", '"paid 6"'),
        Told("raised", "a"),
        Told("refused", "a"),
        Told("unknown", "a"),
    ],
)
def test_what_was_told_and_is_not_in_the_queue_is_found(
    played: tuple[Path, list[Told]], folder: Path, report: Told
) -> None:
    found = book.read(str(folder / "queue.db"))
    assert judge.forgotten(found, played[1]) == []
    assert judge.forgotten(found, [*played[1], report])


@pytest.mark.parametrize(
    "effects",
    [
        [Effect("a", 5, 1), Effect("a", 5, 1)],
        [Effect("a", 5, 2)],
        [Effect("a", 6, 1)],
        [Effect("b", 5, 1)],
    ],
)
def test_a_run_that_nobody_allowed_is_found(folder: Path, effects: list[Effect]) -> None:
    found = book.read(str(folder / "queue.db"))
    assert judge.run_too_often(found, [Effect("a", 5, 1)]) == []
    assert judge.run_too_often(found, effects)


@pytest.mark.parametrize("status", ["running", "approved", "pending", "rejected", "cancelled"])
def test_a_call_that_had_an_effect_and_is_to_run_again_or_never_ran_is_found(folder: Path, status: str) -> None:
    _change(folder, f"UPDATE requests SET status = '{status}'")
    assert judge.wrongly_resumed(book.read(str(folder / "queue.db")), [], [Effect("a", 5, 1)])


def test_an_outcome_that_was_reported_and_counts_as_unknown_is_found(folder: Path) -> None:
    _change(folder, "UPDATE requests SET status = 'unknown'")
    found = book.read(str(folder / "queue.db"))
    assert judge.wrongly_resumed(found, [], []) == []
    assert judge.wrongly_resumed(found, [Told("returned", "a", '"paid 5"')], [])


def test_an_attempt_that_is_lost_while_its_process_lives_is_found(folder: Path) -> None:
    _change(folder, "UPDATE attempts SET state = 'lost'")
    found = book.read(str(folder / "queue.db"))
    owner = int(found.entries[0].attempts[0]["owner"].split("/")[-2])
    assert judge.untimely_unknown(found, {owner}) == []
    assert judge.untimely_unknown(found, {owner + 1})


# Runs


@pytest.fixture(scope="module")
def walked(tmp_path_factory: pytest.TempPathFactory) -> dict[str, tuple[Path, list[Told]]]:
    """Runs with a step, a gate and another step: one that came to its end, and one that waits."""
    made = {}
    for name, role in (("over", durable.walk), ("waiting", durable.begin("errand"))):
        folder, told = tmp_path_factory.mktemp(name), list[Told]()
        role(Stage(str(folder), told.append))
        made[name] = (folder, told)
    return made


@pytest.mark.parametrize("role", [durable.walk, durable.begin("halt"), durable.begin("unlucky"), durable.parallel])
def test_a_run_without_an_accident_is_flawless(role: Role, tmp_path: Path) -> None:
    told: list[Told] = []
    role(Stage(str(tmp_path), told.append))
    assert judged(str(tmp_path), told) == []
    assert {report.what for report in told} >= {"returned", "run"}


OF_A_STEP = "WHERE call_id = 'a'"


@pytest.mark.parametrize(
    ("name", "statement"),
    [
        ("over", "UPDATE runs SET status = 'running'"),
        ("over", "UPDATE runs SET owner = 'somebody', token = 'held'"),
        ("over", "UPDATE runs SET ready = 1"),
        ("over", "UPDATE runs SET executions = 3"),
        ("over", "UPDATE runs SET result = NULL"),
        ("over", "UPDATE runs SET error_type = 'ValueError'"),
        ("over", f"UPDATE requests SET status = 'pending' {OF_A_STEP}"),
        ("over", f"UPDATE requests SET call_id = 'b' {OF_A_STEP}"),
        ("over", "UPDATE requests SET call_id = 'a~2' WHERE call_id = 'b'"),
        ("over", "DELETE FROM events WHERE kind = 'run.started'"),
        ("over", "DELETE FROM events WHERE kind = 'run.taken'"),
        ("over", "DELETE FROM events WHERE kind = 'run.succeeded'"),
        ("waiting", "UPDATE runs SET status = 'succeeded', result = '1'"),
        ("waiting", "UPDATE runs SET token = 'held'"),
        ("waiting", "UPDATE runs SET waiting_for = '[]'"),
        ("waiting", "UPDATE runs SET waiting_for = '[\"nobody\"]'"),
        ("waiting", "UPDATE requests SET status = 'approved' WHERE call_id = 'b'"),
    ],
)
def test_a_run_whose_rows_contradict_each_other_or_that_waits_for_ever_is_found(
    walked: dict[str, tuple[Path, list[Told]]], tmp_path: Path, name: str, statement: str
) -> None:
    copy = Path(shutil.copytree(walked[name][0], tmp_path / "copy"))
    assert runs.flaws(book.read(str(copy / "queue.db"))) == []
    _change(copy, statement)
    assert runs.flaws(book.read(str(copy / "queue.db")))


@pytest.mark.parametrize(
    ("name", "report"),
    [
        ("over", Told("run", "trip", "failed")),
        ("over", Told("run", "another", "succeeded")),
        ("over", Told("result", "trip", '"paid 4"')),
        ("waiting", Told("run", "trip", "succeeded")),
        ("waiting", Told("result", "trip", "null")),
    ],
)
def test_what_was_told_of_a_run_and_is_not_in_the_queue_is_found(
    walked: dict[str, tuple[Path, list[Told]]], name: str, report: Told
) -> None:
    folder, told = walked[name]
    found = book.read(str(folder / "queue.db"))
    assert runs.forgotten(found, told) == []
    assert runs.forgotten(found, [report])


def test_a_start_of_what_was_over_is_found(folder: Path) -> None:
    _change(
        folder,
        'INSERT INTO events SELECT NULL, kind, request_id, call_id, tool, run, "by", at, version, digest, data'
        " FROM events WHERE kind = 'started'",
    )
    assert any("was started when" in text for text in judge.half_applied(book.read(str(folder / "queue.db"))))


def _change(folder: Path, statement: str) -> None:
    with closing(sqlite3.connect(folder / "queue.db")) as connection, connection:
        assert connection.execute(statement).rowcount > 0
