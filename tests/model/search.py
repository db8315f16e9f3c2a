"""The search: breadth first through everything that two workers, people, clocks and accidents can do.

A world is a `Core` and the places of the workers. Reviewers have no place: any of them may act on any screen that
was ever shown, and a worker may start on any version that was ever readable, which is more than any real one can.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Final, NamedTuple

from gatekit.machine.commands import Started
from gatekit.machine.records import State
from gatekit.models import FINAL
from tests.model import moves
from tests.model.bounds import Bounds
from tests.model.core import Core, first, follow, power_loss, settled_at, tool_called
from tests.model.moves import Move


class Place(NamedTuple):
    """Where a worker is: nowhere, or with a start in hand."""

    doing: str = "idle"
    """`granted`: not called yet; `returned`, `raised`: called, and it will end so; `left`: gives its start back."""
    token: str = ""
    runs: str = ""
    """The digest of what it runs."""


class Edge(NamedTuple):
    label: str
    core: int
    place: int = 0
    dead: str = ""
    """The attempt whose process must be dead for it."""
    ends_all: bool = False
    """Whether every worker dies of it."""


IDLE: Final = Place()
_WIDTH: Final = 1 << 10


class Broken(AssertionError):
    """A promise does not hold, and how one gets there."""

    def __init__(self, promise: str, trace: list[str]) -> None:
        self.promise, self.trace = promise, trace
        super().__init__("\n  ".join([promise, *trace]))


@dataclass
class Found:
    """What a search went through."""

    worlds: int = 0
    transitions: int = 0
    cores: int = 0
    moves: int = 0
    """Calls of the machine; a transition that many worlds share is computed once."""
    statuses: set[str] = field(default_factory=set)

    def __str__(self) -> str:
        return f"{self.worlds} states ({self.cores} of the queue), {self.transitions} transitions, {self.moves} calls"


class Search:
    """One configuration, searched to its end."""

    def __init__(self, bounds: Bounds) -> None:
        self.bounds = bounds
        self._cores: list[Core] = []
        self._settled: list[State] = []
        self._core_ids: dict[Core, int] = {}
        self._places: list[Place] = [IDLE]
        self._place_ids: dict[Place, int] = {IDLE: 0}
        self._around: dict[int, list[Edge]] = {}
        self._own: dict[int, list[Edge]] = {}
        self._parents: dict[int, int] = {}
        self.found = Found()

    def run(self, limit: int = 10_000_000) -> Found:
        """Raises `Broken` with a shortest trace to the first promise that does not hold."""
        found = self.found
        root = self._world(self._core(first(self.bounds)), [0] * self.bounds.workers)
        self._parents[root] = -1
        queue = deque([root])
        while queue:
            world = queue.popleft()
            for _, following in self._edges(world):
                found.transitions += 1
                if following not in self._parents:
                    self._parents[following] = world
                    queue.append(following)
            assert len(self._parents) <= limit, f"{self.bounds.name}: more than {limit} states"
        found.worlds, found.cores = len(self._parents), len(self._cores)
        found.statuses = {core.state.request.status for core in self._cores}
        self._ends_are_reachable()
        return found

    def _core(self, core: Core) -> int:
        number = self._core_ids.get(core)
        if number is None:
            number = self._core_ids[core] = len(self._cores)
            self._cores.append(core)
            self._settled.append(settled_at(core, self.bounds))
        return number

    def _place(self, place: Place) -> int:
        number = self._place_ids.get(place)
        if number is None:
            number = self._place_ids[place] = len(self._places)
            self._places.append(place)
            assert number < _WIDTH
        return number

    def _world(self, core: int, places: list[int]) -> int:
        """Workers differ in nothing but what they hold, so their order is left out."""
        for place in sorted(places):
            core = core * _WIDTH + place
        return core

    def _parts(self, world: int) -> tuple[int, list[int]]:
        places = []
        for _ in range(self.bounds.workers):
            world, place = divmod(world, _WIDTH)
            places.append(place)
        return world, places

    # What can happen next.

    def _edges(self, world: int) -> Iterator[tuple[Edge, int]]:
        core, places = self._parts(world)
        around = self._around.get(core)
        if around is None:
            around = self._around[core] = self._tried(world, core, 0, self._surroundings(core))
        held = {self._places[place].token for place in places}
        for edge in around:
            if not (edge.dead and edge.dead in held):
                yield edge, self._world(edge.core, [0] * len(places) if edge.ends_all else places)
        for index, place in enumerate(places):
            if index and place == places[index - 1]:
                continue
            key = core * _WIDTH + place
            own = self._own.get(key)
            if own is None:
                own = self._own[key] = self._tried(world, core, place, self._of_worker(core, self._places[place]))
            for edge in own:
                yield edge, self._world(edge.core, [*places[:index], edge.place, *places[index + 1 :]])

    def _tried(self, world: int, core: int, place: int, edges: Iterator[Edge]) -> list[Edge]:
        """Every edge that leads elsewhere, each target once; where a promise breaks, the way to it is told."""
        kept: dict[tuple[object, ...], Edge] = {}
        try:
            for edge in edges:
                self.found.moves += 1
                if edge.core != core or edge.place != place or edge.ends_all:
                    kept.setdefault(edge[1:], edge)
        except Broken as broken:
            raise Broken(broken.promise, [*self.way_to(world), *broken.trace]) from broken
        return list(kept.values())

    def _surroundings(self, number: int) -> Iterator[Edge]:
        core, bounds = self._cores[number], self.bounds
        for instant in range(0 if bounds.timeless(core.state.request) else bounds.instants):
            yield Edge(f"the clock says {instant}", self._core(core._replace(instant=instant)))
        for move in moves.around(core.state, core.notes, bounds):
            following, _ = self._follow(number, move)
            if following is not None:
                yield Edge(move.label, following, dead="" if bounds.false_deaths else move.dead)
        try:
            yield Edge("power loss", number, ends_all=True)
            for kept in power_loss(core, bounds):
                yield Edge("power loss", self._core(kept), ends_all=True)
        except AssertionError as error:
            raise Broken(str(error), ["power loss"]) from error

    def _of_worker(self, number: int, place: Place) -> Iterator[Edge]:
        if place.doing == "idle":
            return self._starting(number)
        yields = {"granted": self._with_a_start, "left": self._leaving}
        return yields.get(place.doing, self._ending)(number, place)

    def _starting(self, number: int) -> Iterator[Edge]:
        core = self._cores[number]
        for move in moves.starts(core.state, core.notes, self.bounds):
            following, value = self._follow(number, move)
            if following is not None:
                place = IDLE
                if isinstance(value, Started):
                    place = Place("granted", value.token, moves.runs(value))
                yield Edge(move.label, following, self._place(place))

    def _with_a_start(self, number: int, place: Place) -> Iterator[Edge]:
        try:
            after = self._core(tool_called(self._cores[number], place.token, place.runs))
        except AssertionError as error:
            raise Broken(str(error), [f"{place.token} calls the tool"]) from error
        for kind in ("returned", "raised"):
            label = f"{place.token} calls the tool, which will have {kind}"
            yield Edge(label, after, self._place(place._replace(doing=kind)))
        left = place._replace(doing="left")
        yield from self._said(number, moves.give_back(place.token), left)
        yield self._crash(number, place)

    def _leaving(self, number: int, place: Place) -> Iterator[Edge]:
        yield from self._said(number, moves.give_back(place.token), place)
        yield self._crash(number, place)

    def _ending(self, number: int, place: Place) -> Iterator[Edge]:
        for retries in (False, True) if place.doing == "raised" and self.bounds.max_starts > 1 else (False,):
            yield from self._said(number, moves.finish(moves.report(place.doing, place.token, retries=retries)), place)
        yield from self._said(number, moves.lose_itself(place.token), None)
        yield self._crash(number, place)

    def _said(self, number: int, move: Move, again: Place | None) -> Iterator[Edge]:
        """The worker is told that it was stored and is done; or its answer is lost, and it says so again."""
        following, _ = self._follow(number, move)
        if following is not None:
            yield Edge(move.label, following, self._place(IDLE))
            if again is not None:
                yield Edge(f"{move.label}, the answer is lost", following, self._place(again))

    def _crash(self, number: int, place: Place) -> Edge:
        return Edge(f"the process of {place.token} is killed", number)

    def _follow(self, number: int, move: Move) -> tuple[int | None, object]:
        """The core after the move, None where the search goes no further."""
        core = self._cores[number]
        try:
            following, value = follow(core, self._settled[number], move, self.bounds)
        except AssertionError as error:
            raise Broken(str(error), [move.label]) from error
        if following is core:
            return number, value
        if not self.bounds.within(following.state, following.notes.lasting):
            return None, None
        return self._core(following), value

    # How one gets there.

    def way_to(self, world: int) -> list[str]:
        """A shortest way to this world, each step with the state that the request is in after it."""
        steps: list[str] = []
        while (parent := self._parents[world]) >= 0:
            label = next(edge.label for edge, following in self._edges(parent) if following == world)
            core = self._cores[self._parts(world)[0]]
            request = core.state.request
            steps.append(f"{label}  [{request.status} v{request.version}, clock {core.instant}]")
            world = parent
        return steps[::-1]

    # Liveness.

    def _ends_are_reachable(self) -> None:
        """L: from wherever the queue is, an end can be reached: by people and time alone, or with the workers."""
        leads_from: dict[int, list[int]] = {}
        for core, edges in self._around.items():
            for edge in edges:
                leads_from.setdefault(edge.core, []).append(core)
        reached = {no for no, core in enumerate(self._cores) if core.state.request.status in FINAL}
        todo = list(reached)
        while todo:
            for core in leads_from.get(todo.pop(), ()):
                if core not in reached:
                    reached.add(core)
                    todo.append(core)
        stuck = [world for world in self._parents if self._parts(world)[0] not in reached]
        for world in self._without_a_way_out(stuck):
            status = self._cores[self._parts(world)[0]].state.request.status
            raise Broken(f"L: {status}, and no end can be reached", self.way_to(world))

    def _without_a_way_out(self, stuck: list[int]) -> list[int]:
        """Those among these worlds, in the order they were found, that the workers cannot leave either."""
        inside, more = set(stuck), True
        while more:
            out = {world for world in inside if any(following not in inside for _, following in self._edges(world))}
            inside, more = inside - out, bool(out)
        return [world for world in stuck if world in inside]
