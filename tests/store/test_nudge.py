from __future__ import annotations

import os
import select
import socket
import stat
from pathlib import Path

import pytest

from gatekit.nudge import Ear, ring


def hears(ear: Ear) -> bool:
    return bool(select.select([ear], [], [], 0)[0])


@pytest.fixture(params=["near", "far"])
def directory(request: pytest.FixtureRequest, tmp_path: Path) -> str:
    """A short path, and one that is longer than a socket's address can be."""
    if request.param == "near":
        return str(tmp_path / "w")
    deep = tmp_path.joinpath(*["d" * 50] * 3)
    deep.mkdir(parents=True)
    return str(deep / "w")


def test_every_ear_hears_and_forgets(directory: str) -> None:
    ears = [Ear(directory), Ear(directory)]
    assert [hears(ear) for ear in ears] == [False, False]
    ring(directory)
    ring(directory)
    assert [hears(ear) for ear in ears] == [True, True]
    ears[0].drain()
    assert [hears(ear) for ear in ears] == [False, True]
    for ear in ears:
        ear.close()
    assert os.listdir(directory) == []


def test_only_this_user_can_nudge(directory: str) -> None:
    old = os.umask(0)
    try:
        ear = Ear(directory)
    finally:
        os.umask(old)
    (name,) = os.listdir(directory)
    assert stat.S_IMODE(os.stat(directory).st_mode) == 0o700
    assert stat.S_IMODE(os.stat(os.path.join(directory, name)).st_mode) == 0o600
    ear.close()


def test_the_ears_of_the_dead_are_removed_and_the_living_still_hear(directory: str) -> None:
    dead, living = Ear(directory), Ear(directory)
    dead.discard()
    assert len(os.listdir(directory)) == 2
    ring(directory)
    assert len(os.listdir(directory)) == 1
    assert hears(living)
    living.close()


def test_other_files_are_left_alone(tmp_path: Path) -> None:
    (tmp_path / "notes.txt").write_text("mine")
    ring(str(tmp_path))
    assert (tmp_path / "notes.txt").read_text() == "mine"


def test_a_missing_directory_is_nobody(tmp_path: Path) -> None:
    ring(str(tmp_path / "nowhere"))
    assert list(tmp_path.iterdir()) == []


def test_an_ear_that_is_full_does_not_hold_the_sender(directory: str) -> None:
    ear = Ear(directory)
    for _ in range(2000):
        ring(directory)
    assert hears(ear)
    ear.drain()
    assert not hears(ear)
    assert len(os.listdir(directory)) == 1
    ear.close()


def test_closing_is_no_error_where_the_file_is_gone(directory: str) -> None:
    ear = Ear(directory)
    for name in os.listdir(directory):
        os.unlink(os.path.join(directory, name))
    ear.close()


def test_a_system_without_such_sockets_says_so(directory: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delattr(socket, "AF_UNIX")
    with pytest.raises(OSError, match="no local datagram sockets"):
        Ear(directory)
