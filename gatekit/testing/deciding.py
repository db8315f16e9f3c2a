"""Reviewers for tests: one that approves at once, one that follows a script. Both use the real API."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Generator, Iterable, Mapping
from concurrent.futures import CancelledError, Future
from contextlib import ExitStack, contextmanager, suppress
from types import TracebackType
from typing import Any, Final, Literal, Self

from anyio.from_thread import start_blocking_portal

from gatekit.errors import AlreadyDecided, StaleToken, UsageError
from gatekit.gate import Gate
from gatekit.hooks import PendingCall, pending_hook
from gatekit.models import Decision, Request
from gatekit.reviewer import Reviewer
from gatekit.testing.gates import check_temporary

Answer = Literal["approve"] | tuple[Literal["reject", "respond"], str] | Mapping[str, Any]
"""What a script says of a request: approve; reject with a reason, respond with a text; or the edited arguments, for a
question `{"answer": value}`."""

_Act = Callable[[Reviewer, Request], object]
_PAGE: Final = 1000
_ENOUGH: Final = 100
"""Versions of one request: a last look that always says no would be answered for ever."""


@contextmanager
def auto_approve(*, reviewer: str = "test") -> Generator[None]:
    """Approve every call that would wait, in its own thread, before it waits.

    It holds for the current context: for the code of the block, the tasks started in it and `anyio.to_thread`,
    not for threads that copy no context. Sync tools work on an event loop's thread too, since nothing waits.

    Args:
        reviewer: who approves, in the queue's record.

    Raises:
        UsageError: from the gated call: its queue is not temporary. The tool does not run.

    >>> from gatekit import gated_step
    >>> from gatekit.testing import memory_gate
    >>> @gated_step(gate=memory_gate())
    ... def delete(path: str) -> str:
    ...     return f"deleted {path}"
    >>> with auto_approve():
    ...     delete("notes.txt")
    'deleted notes.txt'
    """
    before = pending_hook.set(_Approving(reviewer))
    try:
        yield
    finally:
        pending_hook.reset(before)


class _Approving:
    """The hook of `auto_approve`."""

    def __init__(self, reviewer: str) -> None:
        self._reviewer = reviewer

    def check(self, gate: Gate) -> None:
        check_temporary(gate, "auto_approve")

    def __call__(self, call: PendingCall) -> None:
        self.check(call.gate)
        if call.request.version > _ENOUGH:
            raise UsageError(f"{call.request.tool} came back to review {_ENOUGH} times: its last look never agrees")
        if call.request.status == "pending":
            # Whoever was quicker has decided, or made it another question: the call goes on from there.
            with suppress(AlreadyDecided, StaleToken):
                self._approve(call.gate, call.request)

    def _approve(self, gate: Gate, request: Request) -> None:
        """Everybody whom its policy asks says yes, one after the other."""
        if request.kind == "question":
            raise UsageError("auto_approve cannot answer a question: use ScriptedReviewer, with {'answer': value}")
        version = request.version
        while request.status == "pending" and request.version == version:
            _approve(gate.reviewer(self._somebody(gate, request)), request)
            request = gate.get(request.id)

    def _somebody(self, gate: Gate, request: Request) -> str:
        stage = next(stage for stage in request.stages if stage.status == "current")
        known = {row.name: row.roles for row in gate.reviewers()}
        said = {name for other in request.stages for name in other.by}
        asked = [name for name in stage.reviewers if not name.startswith("role:")]
        roles = {entry.removeprefix("role:") for entry in stage.reviewers} - set(asked)
        asked += [name for name, own in known.items() if not stage.reviewers or roles & set(own)]
        free = [name for name in asked if name not in said]
        return free[0] if free else f"{self._reviewer}-{len(said) + 1}" if said else self._reviewer


class ScriptedReviewer:
    """Decides what waits in a temporary queue as a script says, in a thread of its own, while its block runs.

    Where the script fails (it has no answer left, its function raises, an edit does not fit the tool) this and
    every later request is rejected, so that no call waits for ever, and the end of the block raises the failure.

    Args:
        gate: a gate from `memory_gate()` or `temporary_gate()`.
        script: the answers, one for each request in the order in which the queue lists them; or a function of the
            request that gives its answer, called in the reviewer's thread.
        name: who decides, in the queue's record.

    Raises:
        UsageError: the queue is not temporary, or an answer is none.
        AssertionError: at the end of the block: a request found no answer left, or an answer found no request.

    >>> from gatekit import gated_step
    >>> from gatekit.testing import memory_gate
    >>> gate = memory_gate()
    >>> @gated_step(gate=gate)
    ... def pay(amount: int) -> str:
    ...     return f"paid {amount}"
    >>> with ScriptedReviewer(gate, ["approve", {"amount": 40}]):
    ...     pay(10), pay(90)
    ('paid 10', 'paid 40')
    """

    def __init__(
        self, gate: Gate, script: Iterable[Answer] | Callable[[Request], Answer], *, name: str = "test"
    ) -> None:
        check_temporary(gate, "ScriptedReviewer")
        self.requests: Final[list[Request]] = []
        """What it decided, as it read it, in order."""
        self._gate = gate
        self._seat = gate.reviewer(name)
        self._rest: deque[_Act] = deque() if callable(script) else deque(map(_act, script))
        self._ask = script if callable(script) else None
        self._failure: Exception | None = None
        self._thread = ExitStack()
        self._watching: Future[None] | None = None

    def __enter__(self) -> Self:
        portal = self._thread.enter_context(start_blocking_portal())
        self._watching = portal.start_task_soon(self._watch)
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._watching is not None
        self._watching.cancel()
        self._thread.close()
        with suppress(CancelledError):
            self._watching.result()
        # What came in the last moment: a caller that did not wait may have left the block already.
        self._look()
        if self._failure is not None:
            raise self._failure
        if self._rest and error is None:
            raise AssertionError(f"{len(self._rest)} answers of the script found no request")

    async def _watch(self) -> None:
        async for _ in self._gate.aio.watch(0):
            self._look()

    def _look(self) -> None:
        for request in self._seat.pending(limit=_PAGE):
            # Decided or withdrawn since it was read: the answer is kept for the next one.
            with suppress(AlreadyDecided, StaleToken):
                self._decide(request)

    def _decide(self, request: Request) -> None:
        if self._failure is None:
            try:
                self._follow_script(request)
            except (AlreadyDecided, StaleToken):
                raise
            except Exception as error:  # noqa: BLE001 - the script is foreign code; raised again by __exit__
                self._failure = error
        if self._failure is not None:
            self._seat.reject(request, reason=f"the script of this test failed: {type(self._failure).__name__}")

    def _follow_script(self, request: Request) -> None:
        act = self._next(request)
        # Noted before it counts: the caller goes on, and may look here, while the decision is still on its way back.
        self.requests.append(request)
        try:
            act(self._seat, request)
        except BaseException:
            self.requests.pop()
            raise
        if self._ask is None:
            self._rest.popleft()

    def _next(self, request: Request) -> _Act:
        if self._ask is not None:
            return _act(self._ask(request))
        if not self._rest:
            raise AssertionError(f"the script has no answer left for {request.tool} {request.args}")
        return self._rest[0]


def _approve(seat: Reviewer, request: Request) -> Decision:
    return seat.release(request) if request.kind == "pause" else seat.approve(request)


def _edit(seat: Reviewer, request: Request, changes: Mapping[str, Any]) -> Decision:
    if request.kind == "question":
        return seat.answer(request, changes["answer"])
    return seat.release(request, payload=changes) if request.kind == "pause" else seat.edit(request, changes)


def _act(answer: object) -> _Act:
    match answer:
        case "approve":
            return _approve
        case ("reject", str(reason)):
            return lambda seat, request: seat.reject(request, reason=reason)
        case ("respond", str(text)):
            return lambda seat, request: seat.respond(request, text)
        case Mapping():
            changes: Mapping[str, Any] = answer
            return lambda seat, request: _edit(seat, request, changes)
        case _:
            raise UsageError(
                f"{answer!r} is no answer: say 'approve', ('reject', 'why'), ('respond', 'text'), "
                f"or a dict of the arguments that you change"
            )
