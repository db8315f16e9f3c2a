"""A few agents and a reviewer on one queue, hit at random moments: `python -m tests.crash.fleet FOLDER SEED ROUNDS`.

In each round one of them is killed, stopped, or set going again. Who was killed is replaced; who was stopped may have
been given up meanwhile, and comes late with its report. After each round the queue is judged while the others go on.
"""

from __future__ import annotations

import json
import os
import random
import signal
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import replace
from typing import Final

from gatekit import Gate, Request
from gatekit.errors import ReviewError
from gatekit.models import RUN_OVER
from tests.crash import book, durable, judge, runs
from tests.crash.calls import go_on, sweep
from tests.crash.cases import judged, warm_up
from tests.crash.durable import flows, tell_of
from tests.crash.processes import Process, errors
from tests.crash.stage import EDITED, Role, Stage, Tool, call, decide, make_tool
from tests.crash.told import Told

CALLS: Final = 60
"""Calls that a queue sees."""
ROUNDS: Final = 30
"""Rounds on one queue."""
RUNS: Final = 20
"""Runs that a queue sees."""
_WINDOW: Final = 4
"""Calls that an agent has in hand at once, so that two agents often have the same."""
_WAIT: Final = 0.02
_PACE: Final = 0.03
_PAUSE: Final = 0.03
"""Seconds at most: that an agent waits for a decision, that a tool takes, and between two blows."""
_TARGETS: Final = (4, 4, 4, 4, 1)
"""How often each of them is hit: two agents with calls, two with runs, and the reviewer."""
_STOPPED: Final = 2
"""Processes that are stopped at once at most: one that holds the lock keeps all others waiting."""


_PATIENCE: Final = 0.3


def amount_of(number: int) -> int:
    """What the call of this number pays; some bring bad luck, and their tool raises."""
    return number % 20


def labour(seed: int) -> Role:
    """An agent: makes the calls in about their order, each until it is over."""

    def role(stage: Stage) -> None:
        dice = random.Random(seed)
        with Gate(stage.queue) as gate:
            tool = make_tool(Stage(stage.folder, stage.report, pace=_PACE), gate, wait=_WAIT)
            left = list(range(CALLS))
            while left:
                number = dice.choice(left[:_WINDOW])
                if _is_over(stage, tool, number):
                    left.remove(number)

    return role


def _is_over(stage: Stage, tool: Tool, number: int) -> bool:
    """Make a call; whether it came to its end, by what it had to report."""
    told: list[Told] = []

    def report(one: Told) -> None:
        told.append(one)
        stage.report(one)

    call(Stage(stage.folder, report), tool, str(number), amount_of(number))
    return told[-1].what in ("returned", "raised", "refused")


def travel(seed: int) -> Role:
    """An agent with durable runs: starts them in about their order, and goes on with them until each is over."""

    def role(stage: Stage) -> None:
        dice = random.Random(seed)
        with Gate(stage.queue) as gate:
            known = flows(replace(stage, pace=_PACE), gate)
            left = list(range(RUNS))
            while left:
                number = dice.choice(left[:_WINDOW])
                if tell_of(stage, known[flow_of(number)].start(f"run-{number}")) in RUN_OVER:
                    left.remove(number)
                time.sleep(_WAIT / 4)

    return role


def flow_of(number: int) -> str:
    """The workflow of the run of this number."""
    return ("errand", "both", "halt", "both", "unlucky")[number % 5]


def review(seed: int) -> Role:
    """A reviewer: decides on what waits, and on what nobody knows the end of."""

    def role(stage: Stage) -> None:
        dice = random.Random(seed)
        with Gate(stage.queue) as gate:
            while True:
                for row in gate.requests(("pending", "unknown", "running"), limit=20):
                    with suppress(ReviewError):
                        _say(stage, gate, gate.get(row.id), dice)
                time.sleep(_PAUSE / 10)

    return role


def _say(stage: Stage, gate: Gate, request: Request, dice: random.Random) -> None:
    chance = dice.random()
    if request.status == "running" and chance < 0.03:
        decide(stage, gate, "declare_lost", request)
    elif request.status == "unknown" and chance < 0.6:
        decide(stage, gate, "retry", request)
    elif request.status == "unknown" and chance < 0.7:
        decide(stage, gate, "settle", request, result=f"paid {request.args['amount']}")
    elif request.status == "pending" and request.kind == "pause":
        _say_of_a_pause(stage, gate, request, chance)
    elif request.status == "pending" and chance < 0.15:
        decide(stage, gate, "edit", request, {"amount": EDITED})
    elif request.status == "pending" and chance < 0.2:
        decide(stage, gate, "reject", request, reason="no")
    elif request.status == "pending" and chance < 0.3:
        decide(stage, gate, "approve", request, hold=_WAIT)
    elif request.status == "pending":
        decide(stage, gate, "approve", request)


def _say_of_a_pause(stage: Stage, gate: Gate, request: Request, chance: float) -> None:
    if chance < 0.1:
        decide(stage, gate, "reject", request, reason="no")
    elif chance < 0.4:
        decide(stage, gate, "release", request, payload={"amount": EDITED})
    else:
        decide(stage, gate, "release", request)


class Fleet:
    """The processes on one queue, from its making to its last judgement."""

    def __init__(self, folder: str, dice: random.Random) -> None:
        self.folder = folder
        self.seen: Counter[str] = Counter()
        """How often each thing was done or happened."""
        self._dice = dice
        self._roles = [labour, labour, travel, travel, review]
        self._told: list[Told] = []
        self._dead: set[int] = set()
        self._stopped: list[int] = []
        os.makedirs(folder)
        self._crew = [self._new(place) for place in range(len(self._roles))]

    def round(self) -> list[str]:
        """Hit somebody at a random moment; what is wrong then."""
        time.sleep(self._dice.uniform(0, _PAUSE))
        (place,) = self._dice.choices(range(len(self._crew)), _TARGETS)
        chance = self._dice.random()
        if self._stopped and (len(self._stopped) == _STOPPED or chance < 0.4):
            self._wake()
        elif chance < 0.65 or place in self._stopped:
            self._kill(place)
        else:
            self._stop(place)
        return self._judged()

    def disband(self) -> None:
        """Kill everybody."""
        for place in range(len(self._crew)):
            self._kill(place, anew=False)

    def finish(self) -> list[str]:
        """Let a fresh process settle what a disbanded fleet left, and bring every call to its end."""
        wrong = errors(Process(self.folder, sweep).join()) or judged(self.folder, self._told)
        self._told += Process(self.folder, self._go_on).join()
        wrong = wrong or errors(self._told) or judged(self.folder, self._told)
        self._take_stock()
        return wrong

    def _go_on(self, stage: Stage) -> None:
        found = book.read(self._queue)
        steps = {step.request["id"] for entry in found.runs for step in entry.steps}
        made = {entry.label for entry in found.entries if entry.request["id"] not in steps}
        go_on(stage, {label: amount_of(int(label)) for label in made})
        for entry in found.runs:
            durable.go_on(stage, entry.run["workflow"], entry.id)

    @property
    def _queue(self) -> str:
        return os.path.join(self.folder, "queue.db")

    def _new(self, place: int) -> Process:
        return Process(self.folder, self._roles[place](self._dice.randrange(1 << 30)))

    def _kill(self, place: int, *, anew: bool = True) -> None:
        process = self._crew[place]
        self._told += process.kill()
        self._dead.add(process.pid)
        self._stopped = [other for other in self._stopped if other != place]
        self.seen["killed"] += 1
        if anew:
            self._crew[place] = self._new(place)

    def _stop(self, place: int) -> None:
        self._crew[place].send(signal.SIGSTOP)
        self._stopped.append(place)
        self.seen["stopped"] += 1

    def _wake(self) -> None:
        place = self._stopped.pop(0)
        self._crew[place].send(signal.SIGCONT)
        self.seen["continued"] += 1

    def _judged(self) -> list[str]:
        # In this order: what was told and done before is in the queue that is read after.
        told = [*self._told, *(report for process in self._crew for report in process.told)]
        effects = book.effects_in(os.path.join(self.folder, "effects"))
        found = self._read()
        ended = {process.pid for process in self._crew if process.ended}
        return [
            *errors(told),
            *judge.half_applied(found),
            *judge.forgotten(found, told),
            *judge.run_too_often(found, effects),
            *runs.flaws(found),
            *runs.forgotten(found, told),
            *judge.untimely_unknown(found, self._dead | ended),
        ]

    def _read(self) -> book.Book:
        found = book.read(self._queue, integrity=False, patience=_PATIENCE)
        if found.flaws == [book.LOCKED] and self._stopped:
            # Somebody was stopped while it kept everybody else out, as whoever recovers a log does.
            self.seen["stopped with a lock"] += 1
            while self._stopped:
                self._wake()
            found = book.read(self._queue, integrity=False)
        return found

    def _take_stock(self) -> None:
        found = book.read(self._queue)
        self.seen["requests"] += len(found.entries)
        self.seen["effects"] += len(book.effects_in(os.path.join(self.folder, "effects")))
        self.seen["runs"] += len(found.runs)
        for events in (entry.events for entries in (found.entries, found.runs) for entry in entries):
            self.seen.update(f"event {event['kind']}" for event in events)


def rounds_of(folder: str, seed: int, rounds: int) -> Iterator[tuple[Counter[str], list[str]]]:
    """So many rounds, each queue with a seed of its own: what was seen, and what was wrong."""
    for number in range(-(-rounds // ROUNDS)):
        own = f"{seed}/{number}"
        fleet = Fleet(os.path.join(folder, str(number)), random.Random(own))
        wrong: list[str] = []
        try:
            for _ in range(min(ROUNDS, rounds - number * ROUNDS)):
                fleet.seen["rounds"] += 1
                wrong = wrong or fleet.round()
        finally:
            # Nobody is left behind, who would keep this program's output open.
            fleet.disband()
        wrong = wrong or fleet.finish()
        yield fleet.seen, [f"seed {own}: {text} (in {fleet.folder})" for text in wrong]


def main(folder: str, seed: int, rounds: int) -> None:
    """Play, and print what came of it; the first queue on which something is wrong ends it."""
    warm_up(os.path.join(folder, "warm"))
    total: Counter[str] = Counter()
    wrong: list[str] = []
    for seen, found in rounds_of(folder, seed, rounds):
        total += seen
        wrong += found
        if wrong:
            break
    sys.stdout.write(json.dumps({"points": total, "wrong": wrong}) + "\n")


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
