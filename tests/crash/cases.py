"""One case of the sweep: a scenario, killed at one point in one way, and what the queue says afterwards."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from tests.crash import book, judge, runs, shim
from tests.crash.calls import edit, review_another, sweep
from tests.crash.durable import walk
from tests.crash.processes import Process, errors
from tests.crash.stage import Stage
from tests.crash.told import Told
from tests.crash.worker import LIARS, SCENARIOS, Scenario

_ALL: Final = SCENARIOS | LIARS


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How a case ended."""

    killed: bool
    """False: the process came to its end before the point was reached."""
    calls: int
    """How many write-like calls it made; 0 where it was killed."""
    wrong: list[str]


def try_out(folder: str, name: str, at: int, how: shim.Kill, template: str) -> Verdict:
    """Play the case in a folder of its own, which is left there only if something is wrong."""
    scenario = _ALL[name]
    _furnish(folder, scenario, template)
    killed, told = _first_act(folder, scenario, at, how)
    calls = sum(int(report.detail) for report in told if report.what == "calls")
    wrong = errors(told) or _afterwards(folder, scenario, told)
    if not wrong:
        shutil.rmtree(folder)
    return Verdict(killed=killed, calls=calls, wrong=wrong)


def warm_up(folder: str) -> None:
    """Play once in this process itself, so that no fork has to import anything any more."""
    os.makedirs(folder)
    for role in (edit, walk):
        role(Stage(folder, lambda told: None))
    shutil.rmtree(folder)


def prepare(folder: str, name: str) -> str:
    """The folder with the queue as it is before a scenario begins."""
    template = os.path.join(folder, f"{name}-before")
    os.makedirs(template)
    role = _ALL[name].prepared
    if role is not None:
        told = Process(template, role).join()
        assert not errors(told), told
    return template


def _furnish(folder: str, scenario: Scenario, template: str) -> None:
    shutil.copytree(template, folder)


def _first_act(folder: str, scenario: Scenario, at: int, how: shim.Kill) -> tuple[bool, list[Told]]:
    hit = shim.Hit(path=os.path.join(folder, "queue.db"), at=at, how=how)
    beside = None if scenario.beside is None else Process(folder, scenario.beside)
    first = Process(folder, scenario.role, hit=hit)
    told = first.join()
    if beside is not None and scenario.waits:
        told += Process(folder, review_another).join() if first.killed else []
        told += beside.join()
    elif beside is not None:
        told += beside.kill()
    return first.killed, told


def _afterwards(folder: str, scenario: Scenario, told: list[Told]) -> list[str]:
    """Judge the queue after a fresh process has opened it, and again after a second worker went on."""
    wrong = errors(Process(folder, sweep).join()) or judged(folder, told)
    if wrong:
        return wrong
    more = Process(folder, scenario.go_on).join()
    return errors(more) or [*judged(folder, [*told, *more]), *_unfinished(folder, scenario)]


def judged(folder: str, told: Sequence[Told]) -> list[str]:
    """All that is wrong with a queue on which nobody works."""
    stage = Stage(folder, print)
    found, effects = book.read(stage.queue), book.effects_in(stage.effects)
    return [
        *judge.half_applied(found),
        *judge.forgotten(found, told),
        *judge.run_too_often(found, effects),
        *judge.wrongly_resumed(found, told, effects),
        *runs.flaws(found),
        *runs.forgotten(found, told),
        *(f"run {entry.id}: still running" for entry in found.runs if entry.status == "running"),
    ]


def _unfinished(folder: str, scenario: Scenario) -> list[str]:
    found = book.read(os.path.join(folder, "queue.db"))
    ends = {label: [entry.status for entry in found.of(label)] for label in scenario.calls}
    wrong = [
        f"{label}: after a second worker it is {statuses}"
        for label, statuses in ends.items()
        if len(statuses) != 1 or statuses[0] not in judge.OVER
    ]
    if scenario.flow and [entry.status for entry in found.runs if entry.status in scenario.ends] == []:
        wrong.append(f"after a second worker the runs are {[entry.status for entry in found.runs]}")
    return wrong
