from __future__ import annotations

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from gatekit import owner
from gatekit.owner import Owner, current, is_dead

on_linux = pytest.mark.skipif(not Path("/proc/self/stat").exists(), reason="needs /proc")


def test_this_process_is_alive() -> None:
    assert current().pid == os.getpid()
    assert is_dead(current().text) is False
    assert current() is current()


@pytest.mark.parametrize("host", ["host", "a.b", "ho-st"])
def test_text_and_back(host: str) -> None:
    made = Owner(host, "boot-1", "402653", 17, "900")
    assert Owner.parse(made.text) == made


@pytest.mark.parametrize("text", ["", "nonsense", "a/b/c/d", "h/b/n/pid/s"])
def test_text_that_names_nobody_cannot_be_told(text: str) -> None:
    assert is_dead(text) is None


def child() -> tuple[subprocess.Popen[str], str]:
    script = "from gatekit.owner import current; print(current().text, flush=True); input()"
    process = subprocess.Popen([sys.executable, "-c", script], stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


@on_linux
def test_another_process_is_alive_until_it_ends() -> None:
    process, text = child()
    with process:
        assert is_dead(text) is False
        process.kill()
        os.waitid(os.P_PID, process.pid, os.WEXITED | os.WNOWAIT)
        assert is_dead(text) is True, "a zombie runs nothing any more"
    assert is_dead(text) is True


@on_linux
def test_a_later_process_of_the_same_pid_is_another() -> None:
    here = current()
    assert is_dead(replace(here, started=str(int(here.started) - 1)).text) is True


def test_a_machine_that_was_started_again_has_no_old_processes() -> None:
    here = replace(current(), boot="now")
    old = replace(here, boot="before")
    assert _judged(here, old) is True
    assert _judged(here, replace(old, host="elsewhere")) is None


def test_other_machines_and_other_containers_cannot_be_told() -> None:
    here = replace(current(), boot="now")
    gone = replace(here, pid=2**22 + 1, started="1")
    assert _judged(here, gone) is True
    assert _judged(here, replace(gone, pid_ns="another")) is None
    assert _judged(replace(here, boot=""), replace(gone, boot="")) is True
    assert _judged(replace(here, boot=""), replace(gone, boot="", host="elsewhere")) is None


def test_a_process_that_proc_hides_is_not_taken_for_dead(monkeypatch: pytest.MonkeyPatch) -> None:
    other = replace(current(), pid=os.getppid(), started="1")
    monkeypatch.setattr(owner, "_stat", lambda pid: None)
    assert is_dead(other.text) is None

    def forbidden(pid: int, signal: int) -> None:
        raise PermissionError

    monkeypatch.setattr(os, "kill", forbidden)
    assert is_dead(other.text) is None


def test_a_forked_child_is_itself() -> None:
    script = (
        "import os, sys\n"
        "from gatekit.owner import current\n"
        "parent = current()\n"
        "if os.fork() == 0:\n"
        "    sys.exit(current().pid != os.getpid() or current() == parent)\n"
        "sys.exit(os.waitstatus_to_exitcode(os.wait()[1]))\n"
    )
    assert subprocess.run([sys.executable, "-c", script], check=False).returncode == 0


def _judged(here: Owner, other: Owner) -> bool | None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(owner, "current", lambda: here)
        return is_dead(other.text)
