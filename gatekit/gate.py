"""`Gate`: one queue, seen from an agent's process and from a reviewer's."""

from __future__ import annotations

import json
import os
from collections import deque
from collections.abc import AsyncIterator, Callable, Collection, Coroutine, Iterable, Iterator, Mapping, Sequence
from datetime import datetime, timedelta
from fnmatch import fnmatchcase
from types import TracebackType
from typing import TYPE_CHECKING, Any, Concatenate, Final, Literal, ParamSpec, Self, TypeVar, overload

from gatekit.arguments.diff import diff
from gatekit.arguments.edits import apply_edit
from gatekit.backend.base import Backend
from gatekit.backend.local import LocalBackend
from gatekit.backend.tx import PageQuery, RunsQuery, Store
from gatekit.clock import Clock, SystemClock, seconds_of, to_datetime
from gatekit.driving import AsyncSeat, Intent, SyncSeat, verb
from gatekit.errors import QueueNotFound, UsageError
from gatekit.filters import filter_from
from gatekit.forking import ForkLock
from gatekit.hooks import requester_name
from gatekit.machine.plan import ROLE
from gatekit.models import (
    ORDERS,
    RUN_STATUSES,
    STATUSES,
    Change,
    Event,
    Grant,
    Order,
    Page,
    Request,
    ReviewerRow,
    Risk,
    RunRow,
    RunStatus,
    Stats,
    Status,
    Stop,
)
from gatekit.policy import Policy, people_of
from gatekit.reply import Reply, in_event_loop
from gatekit.reviewer import AsyncReviewer, Reviewer, check_reviewer

if TYPE_CHECKING:
    from gatekit.runs import AsyncHandle, AsyncRun, AsyncWorkflow, Handle, Run, Workflow
    from gatekit.runs.workflow import AnyWorkflow

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S", bound=str)
Record = Literal["gated", "all"]
_EVENTS: Final = 500


class _Verbs:
    """What can be asked of a queue, written once; `Gate` blocks, `AsyncGate` is awaited."""

    backend: Backend
    clock: Clock

    @verb
    def get(self, request_id: str) -> Intent[Request]:
        """One request, with its arguments and decision.

        Raises:
            RequestNotFound: the queue holds no request of this id.
        """
        return (yield from self.backend.get(request_id))

    @verb
    def history(self, request_id: str) -> Intent[Sequence[Event]]:
        """All that happened to one request, oldest first.

        Raises:
            RequestNotFound: the queue holds no request of this id.
        """
        return (yield from self.backend.history(request_id))

    @verb
    def events(self, since: int = 0, *, limit: int = 100) -> Intent[Sequence[Event]]:
        """What happened in the queue after the cursor `since`, oldest first; 0 is the beginning."""
        return (yield from self.backend.events(_count("since", since), _limit(limit)))

    @verb
    def requests(
        self,
        status: Status | Sequence[Status] = "pending",
        *,
        tool: str | None = None,
        where: str | None = None,
        order: Order = "due",
        after: str | None = None,
        before: str | None = None,
        offset: int = 0,
        limit: int = 50,
    ) -> Intent[Page]:
        """Some lines of the list.

        Args:
            status: one state or several.
            tool: only the calls of this tool.
            where: a filter: `risk>=high tool:deploy* older:10m by:agent-7 run:thread-7 kind:question claimed:no
                expires:5m stage:2`, and words that stand in the tool's name, the description or the arguments.
            order: `"due"`: what is due first, then in the order in which they came. `"oldest"`: what was made first.
                `"risk"`: the critical ones, then those of high, medium and low risk. `"decided"`: what was decided
                last, by the decision that stands; what has none is left out.
            after: the `key` of a line, or the `next` of a page, in the same order; the page begins behind it.
            before: the `key` of a line, in the same order; the page ends before it. Not together with `after` or
                `offset`.
            offset: so many lines are passed over; `after` costs less. Only where no lines have to be looked at.
            limit: at most so many lines, up to 1,000.

        With `where`, in the order `"decided"`, and with `tool` in another order than `"due"`, lines have to be looked
        at that may not fit, at most 20,000 for one page. Then a page may hold fewer than `limit`, or none, although
        the list goes on: go on from its `next` while it has one.
        """
        _check_order(order, status)
        if before is not None and (after is not None or offset):
            raise UsageError("before= goes with neither after= nor offset=")
        found = None if where is None else filter_from(where)
        query = PageQuery(
            statuses=_statuses(status, STATUSES),
            order=order,
            # One tool has an index of its own.
            tool=found.exact_tool if found is not None and tool is None else tool,
            where=found,
            after=_key("after", after),
            before=_key("before", before),
            offset=_count("offset", offset),
            limit=_limit(limit),
        )
        if offset and query.looks:
            raise UsageError(
                'offset= goes with neither where= nor order="decided", and with tool= only in the order "due": '
                "go on from the page's next, with after="
            )
        return (yield from self.backend.page(query))

    @verb
    def count(
        self, status: Status | Sequence[Status] = "pending", *, where: str | None = None, at_most: int = 1000
    ) -> Intent[int]:
        """How many requests are in a state, counted no further than `at_most`, so that it stays cheap.

        Args:
            status: one state or several.
            where: only those that fit this filter; see `requests`. It is held against the first 20,000 of the list:
                while more than that are in these states, what is found is the least that it can be.
            at_most: it counts no further.

        >>> from gatekit.testing import memory_gate
        >>> memory_gate().count(where="risk>=high")
        0
        """
        found = None if where is None else filter_from(where)
        return (yield from self.backend.count(_statuses(status, STATUSES), _count("at_most", at_most), found))

    @verb
    def position(self, request_id: str) -> Intent[int]:
        """How many lines of its own state come before a request, in the order `"due"`.

        Raises:
            RequestNotFound: the queue holds no request of this id.
        """
        return (yield from self.backend.position(request_id))

    @verb
    def check_edit(
        self, request: Request, changes: Mapping[str, Any], *, replace: bool = False
    ) -> Intent[tuple[Change, ...]]:
        """What an edit would change, by path, without deciding anything.

        Raises:
            InvalidEdit: the edited arguments do not fit the tool.
        """
        schema = yield from self.backend.schema(request.id)
        edited = apply_edit(
            tool=request.tool, text=request.args_text, schema_text=schema, changes=changes, replace=replace
        )
        return tuple(diff(request.args_text, edited.text))

    @verb
    def schema(self, request: Request) -> Intent[dict[str, Any]]:
        """The JSON Schema that the arguments of a request must fit, and with them an edit, or a question's answer."""
        found: dict[str, Any] = json.loads((yield from self.backend.schema(request.id)))
        return found

    @verb
    def stats(self, within: float | timedelta = 7 * 86_400) -> Intent[Stats]:
        """How requests were decided by people in the last seconds, all together and by tool; not given: a week."""
        seconds = seconds_of("stats(within)", within)
        if not seconds:
            raise UsageError(f"stats(within={within!r}): it takes seconds, or a timedelta, above 0")
        return (yield from self.backend.stats(seconds))

    @verb
    def last_approved(self, request: Request) -> Intent[Request | None]:
        """The other call of the same tool that a person allowed last, to compare this one with; None: nobody did.

        By the time of the decision, whatever came of the call: it may not have started yet, run now, or have failed.
        A standing permission counts, because a person gave it. What the program's rules or its predicate let through,
        what silence approved and what was undone do not. It is looked for among the newest 1,000 calls of the tool in
        each state.

        Raises:
            RequestNotFound: the queue holds no request of this id.

        >>> from gatekit import gated_step
        >>> from gatekit.testing import memory_gate
        >>> gate = memory_gate()
        >>> @gated_step(gate=gate, wait=0, on_suspend="return")
        ... def pay(amount: int) -> None: ...
        >>> first, second = (gate.get(pay(amount).request_id) for amount in (5, 500))
        >>> gate.reviewer("ana").approve(first).verb
        'approve'
        >>> gate.last_approved(second).args
        {'amount': 5}
        """
        return (yield from self.backend.last_approved(request.id))

    @verb
    def last_refused(self, request: Request) -> Intent[Request | None]:
        """The other request of the same tool that a person rejected, or answered instead, last; None: nobody did.

        Of the same run; where there is none in it, of the same requester. Only what was decided within the last 24
        hours counts, and only what is of the same kind. It is looked for among the newest 1,000 of the tool in each
        of both states.

        Raises:
            RequestNotFound: the queue holds no request of this id.

        >>> from gatekit import gated_step
        >>> from gatekit.testing import memory_gate
        >>> gate = memory_gate()
        >>> @gated_step(gate=gate, wait=0, on_suspend="return")
        ... def deploy(tag: str) -> None: ...
        >>> first, again = (gate.get(deploy("v2").request_id) for _ in range(2))
        >>> gate.reviewer("ana").reject(first, reason="wrong tag").verb
        'reject'
        >>> refused = gate.last_refused(again)
        >>> refused.decision.reason, refused.digest == again.digest
        ('wrong tag', True)
        """
        return (yield from self.backend.last_refused(request.id))

    @verb
    def runs(
        self,
        status: RunStatus | Sequence[RunStatus] = RUN_STATUSES,
        *,
        workflow: str | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Intent[Sequence[RunRow]]:
        """Some durable runs, the newest first.

        Args:
            status: one state or several; not given: all.
            workflow: only runs of this workflow.
            after: the `key` of a run; the list begins behind it.
            limit: at most so many, up to 1,000.
        """
        query = RunsQuery(
            statuses=_statuses(status, RUN_STATUSES), workflow=workflow, after=_run_key(after), limit=_limit(limit)
        )
        return (yield from self.backend.runs.list(query))

    @verb
    def ask(
        self,
        prompt: str,
        type: type[Any] = str,
        *,
        choices: Sequence[str] | None = None,
        many: bool = False,
        name: str = "ask",
        risk: Risk = "medium",
        details: Mapping[str, Any] | None = None,
        policy: Policy | None = None,
        expires_after: float | timedelta | None = None,
        wait: float | timedelta | None = None,
    ) -> Intent[Any]:
        """Ask a human, and wait for the answer.

        With `calling(call_id=…)` it is the same question when it is asked again. In a workflow use `run.ask`.

        Args:
            prompt: what is asked.
            type: the answer's: `bool`, `str`, `int`, `float` or a pydantic model, which is a form.
            choices: the answer is one of these texts.
            many: the answer is a list of some of them.
            name: what the queue calls the question, where a call has its tool's name.
            risk: `"low"`, `"medium"`, `"high"` or `"critical"`.
            details: JSON values that the reviewer sees with the question.
            policy: who may answer. Where it has several stages, the later ones approve the answer or give another.
            expires_after: seconds, or a timedelta, that it may stay open.
            wait: seconds, or a timedelta, that this process waits; not given: for ever.

        Raises:
            NotApproved: a reviewer rejected or cancelled it, or nobody answered in time.
            Suspended: `wait` is over; the question stays open.

        >>> from gatekit.testing import ScriptedReviewer, memory_gate
        >>> gate = memory_gate()
        >>> with ScriptedReviewer(gate, lambda request: {"answer": "eu"}):
        ...     gate.ask("Which region?", choices=("eu", "us"))
        'eu'
        """
        from gatekit.questions import ask, terms_of

        terms = terms_of(name, risk=risk, details=details, policy=policy, expires_after=expires_after, wait=wait)
        is_async = isinstance(self, AsyncSeat)
        return (yield from ask(_plain(self), prompt, type, choices, many, terms, is_async=is_async))

    @verb
    def confirm(
        self,
        prompt: str,
        *,
        name: str = "confirm",
        risk: Risk = "medium",
        details: Mapping[str, Any] | None = None,
        policy: Policy | None = None,
        expires_after: float | timedelta | None = None,
        wait: float | timedelta | None = None,
    ) -> Intent[None]:
        """Ask a human for a yes, where there is no tool to gate, and wait for it. The options are those of `ask`.

        Raises:
            NotApproved: a reviewer said no, or nobody decided in time.
            Suspended: `wait` is over; it stays open.

        >>> from gatekit.testing import ScriptedReviewer, memory_gate
        >>> gate = memory_gate()
        >>> with ScriptedReviewer(gate, ["approve"]):
        ...     gate.confirm("Deploy v2?", name="deploy", details={"version": 2})
        """
        from gatekit.questions import confirm, terms_of

        terms = terms_of(name, risk=risk, details=details, policy=policy, expires_after=expires_after, wait=wait)
        yield from confirm(_plain(self), prompt, terms, is_async=isinstance(self, AsyncSeat))

    @verb
    def reviewers(self) -> Intent[Sequence[ReviewerRow]]:
        """The reviewers whom the queue knows, by name. While it knows none, anybody may decide."""
        return (yield from self.backend.rules.reviewers())

    @verb
    def add_reviewer(self, name: str, *, roles: Sequence[str] = ()) -> Intent[ReviewerRow]:
        """Let this person decide, with these roles; one whom the queue knows has these from now on.

        From the first one on nobody else decides anything in this queue.

        Args:
            name: as the person calls themselves, without a colon.
            roles: what a policy asks for as `role:finance`, without the `role:`.
        """
        check_reviewer(name)
        checked = people_of("roles", [f"{ROLE}{role}" for role in _listed("roles", roles)])
        given = [role.removeprefix(ROLE) for role in checked]
        return (yield from self.backend.rules.put_reviewer(name, given, requester_name(None)))

    @verb
    def remove_reviewer(self, name: str) -> Intent[bool]:
        """Let this person decide no longer; False where the queue knew none of this name."""
        return (yield from self.backend.rules.drop_reviewer(name, requester_name(None)))

    @verb
    def grants(self, *, limit: int = 100) -> Intent[Sequence[Grant]]:
        """The standing permissions, the newest first, also those that have ended."""
        return (yield from self.backend.rules.grants(_limit(limit)))

    @verb
    def stop(self, reason: str) -> Intent[Stop]:
        """Let no call that reaches the queue start any more, in any process, until `lift()`.

        What runs goes on. Reviewers go on deciding; what they approve waits.
        """
        if type(reason) is not str or not reason.strip():
            raise UsageError(f"stop(reason={reason!r}): it takes some words")
        return (yield from self.backend.rules.stop(reason, requester_name(None)))

    @verb
    def lift(self) -> Intent[bool]:
        """Let calls start again after `stop()`; False where nothing was stopped."""
        return (yield from self.backend.rules.lift(requester_name(None)))

    @verb
    def stopped(self) -> Intent[Stop | None]:
        """Why nothing starts now; None: calls start."""
        return (yield from self.backend.rules.stopped())

    def compare(self, before: Request | str, after: Request | str) -> tuple[Change, ...]:
        """What differs between the arguments of two requests, by path. It asks nothing of the queue.

        Where the arguments were edited, `request.original` is the text of the first ones.

        Args:
            before: a request, or the canonical text of its arguments.
            after: the same.

        Raises:
            UsageError: what was given as a text is no arguments' canonical text.

        >>> from gatekit import gated_step
        >>> from gatekit.testing import memory_gate
        >>> gate = memory_gate()
        >>> @gated_step(gate=gate, wait=0, on_suspend="return")
        ... def pay(amount: int) -> None: ...
        >>> _ = pay(10), pay(90)
        >>> ten, ninety = gate.reviewer("alice").pending()
        >>> [(change.path, change.before, change.after) for change in gate.compare(ten, ninety)]
        [('$.amount', 10, 90)]
        """
        first, second = (given.args_text if isinstance(given, Request) else given for given in (before, after))
        return diff(first, second)

    def now(self) -> datetime:
        """The time on the queue's clock; hosts differ."""
        return to_datetime(self.clock.now())


class Gate(_Verbs, SyncSeat):
    """A queue of calls that wait for a human.

    Making one touches no file: the queue is opened, and created, when the first call needs it. Gates on one file
    share one store in a process. Use it as a context manager, or `close()` it.

    Args:
        path: a file, or `sqlite:///` and a file; not given: `$GATEKIT_QUEUE`, else `gatekit.db` in the current
            folder. It is made absolute at once.
        create: False: the queue must be there already.
        record: `"all"` also keeps the calls that needed no approval; `"gated"` keeps nothing of them.
        prompt: True asks in the program's own terminal where there is one, and decides as whoever sits there:
            $GATEKIT_REVIEWER, else the login name. Only `y` and `yes` approve. Without a terminal the call waits in
            the queue.

    Raises:
        QueueNotFound: `create=False`, and there is no such file.
        UsageError: a path that names no file.

    >>> from gatekit.testing import memory_gate
    >>> with memory_gate() as gate:
    ...     gate.count("pending")
    0
    """

    def __init__(
        self,
        path: str | os.PathLike[str] | None = None,
        *,
        create: bool = True,
        record: Record = "gated",
        prompt: bool = False,
    ) -> None:
        if type(prompt) is not bool:
            raise UsageError(f"prompt={prompt!r}: it is True or False")
        if record not in ("gated", "all"):
            raise UsageError(f'record={record!r}: it is "gated" or "all"')
        self.path = _file_of(path)
        self.record: Record = record
        self.prompt: Final = prompt
        self.clock: Clock = SystemClock()
        self._create = create
        self._store: Store | None = None
        self._backend: Backend | None = None
        self._closed = False
        self._lock = ForkLock()
        self._workflows: dict[str, AnyWorkflow] = {}
        self.rules: Final[list[tuple[str, Policy]]] = []
        """What `policy()` was told; for gatekit's own parts."""
        if not create and not os.path.exists(self.path):
            raise QueueNotFound(self.path)

    @classmethod
    def _over(cls, store: Store, clock: Clock, *, record: Record = "gated") -> Self:
        """A gate over a store that is there already: for `gatekit.testing`."""
        gate = cls("unused.db", record=record)
        gate.path, gate.clock = store.path, clock
        gate._store = store
        gate._backend = LocalBackend(store, clock)
        return gate

    @property
    def backend(self) -> Backend:  # type: ignore[override]
        """The opened queue; for gatekit's own parts."""
        if self._backend is None or self._closed:
            with self._lock:
                self._open()
        assert self._backend is not None
        return self._backend

    def _open(self) -> None:
        if self._closed:
            raise UsageError(f"the gate on {self.path} is closed")
        if self._backend is None:
            from gatekit.store import SqliteStore

            self._store = SqliteStore.at(self.path, create=self._create, clock=self.clock)
            self._backend = LocalBackend(self._store, self.clock)
            # What is overdue, and what dead processes left, is put in order before anything is asked.
            self._backend.sweep()

    def exists(self) -> bool:
        """Whether the queue is there already; opens and creates nothing."""
        return self._backend is not None or os.path.exists(self.path)

    @property
    def aio(self) -> AsyncGate:
        """The same queue with the same names, to be awaited."""
        return AsyncGate(self)

    @overload
    def workflow(self, function: Callable[Concatenate[AsyncRun, P], Coroutine[Any, Any, R]]) -> AsyncWorkflow[P, R]: ...
    @overload
    def workflow(self, function: Callable[Concatenate[Run, P], R]) -> Workflow[P, R]: ...
    @overload
    def workflow(self, *, name: str) -> Callable[[Callable[..., Any]], Any]: ...
    def workflow(self, function: Any = None, *, name: str | None = None) -> Any:
        """Make a workflow of a function: its runs are durable, and any process that has the function goes on with them.

        The function takes the run as its first parameter, and does everything that must not be done twice by
        `run.step(name, tool, …)`. Between the steps it must do the same each time it is called with the same
        arguments, because it is called anew, from the top, whenever the run goes on; steps that were made give what
        they gave.

        Args:
            function: the body, sync or async.
            name: what the queue calls it; not given: the function's name. A run is known by it in every process.

        Raises:
            UsageError: there is a workflow of this name already, or the function takes no run.

        >>> from gatekit.testing import memory_gate
        >>> gate = memory_gate()
        >>> @gate.workflow
        ... def double(run, number: int) -> int:
        ...     return run.step("add", lambda a: a + a, number)
        >>> double.start("double:21", number=21).result()
        42
        """
        from gatekit.runs import workflow_of

        if function is None:
            return lambda function: self._registered(workflow_of(self, function, name))
        return self._registered(workflow_of(self, function, name))

    def _registered(self, workflow: AnyWorkflow) -> AnyWorkflow:
        if workflow.name in self._workflows:
            raise UsageError(f"there is a workflow {workflow.name!r} on this gate already: give this one another name")
        self._workflows[workflow.name] = workflow
        return workflow

    @property
    def workflows(self) -> Collection[str]:
        """The names of this gate's workflows."""
        return tuple(self._workflows)

    def known_workflow(self, name: str) -> AnyWorkflow | None:
        """The workflow of this name, if this program has it; for gatekit's own parts."""
        return self._workflows.get(name)

    def workflow_named(self, name: str) -> AnyWorkflow:
        """The workflow of this name; for gatekit's own parts."""
        found = self.known_workflow(name)
        if found is None:
            raise UsageError(
                f"this gate has no workflow {name!r}: import the module that defines it, or use a gate that has it"
            )
        return found

    def policy(self, pattern: str, policy: Policy) -> None:
        """Ask for approval of every call of the tools whose names match, whatever their steps say.

        Where several rules match, or the step has a policy of its own, all of their stages are asked: the strictest
        wins. A rule whose stages all have a `when` that says no leaves the call alone. Rules are the program's own:
        they hold for the steps of this gate in this process, also for those that were wrapped before.

        Args:
            pattern: a tool's name, in which `*` stands for anything: `"delete_*"`.
            policy: who must say yes.

        >>> from gatekit import Policy, Stage
        >>> from gatekit.testing import memory_gate
        >>> gate = memory_gate()
        >>> gate.policy("delete_*", Policy(Stage("owner", "alice")))
        """
        if type(pattern) is not str or not pattern:
            raise UsageError(f"policy({pattern!r}): the pattern is a tool's name, or one with *")
        if not isinstance(policy, Policy):
            raise UsageError(f"policy({pattern!r}) takes a Policy, not {type(policy).__name__}")
        self.rules.append((pattern, policy))
        with _default_lock:
            _watch_default()

    @property
    def has_rules(self) -> bool:
        """Whether any call could be gated by a rule; for gatekit's own parts."""
        return bool(self.rules)

    def rules_for(self, tool: str) -> list[tuple[str, Policy]]:
        """The rules that match a tool's name; for gatekit's own parts."""
        return [(pattern, policy) for pattern, policy in self.rules if fnmatchcase(tool, pattern)]

    def wrap(self, tools: Iterable[Callable[..., Any]], **options: Any) -> list[Callable[..., Any]]:
        """Gate several tools at once; see `gated_step` for the options, which hold for all of them.

        With `requires_approval=False` only what a rule of `policy()` asks for goes to a human.

        >>> from gatekit.testing import memory_gate
        >>> gate = memory_gate()
        >>> def read_page(url: str) -> str:
        ...     return "text"
        >>> (read,) = gate.wrap([read_page], requires_approval=False)
        >>> read("https://example.org")
        'text'
        """
        from gatekit.step import gated_step

        return [gated_step(tool, gate=self, **options) for tool in tools]

    def run(self, run_id: str) -> Handle[Any]:
        """A durable run by its id, whoever started it; asking it something raises `RunNotFound` if there is none."""
        from gatekit.runs import Handle

        return Handle(self, run_id)

    def resume_ready(self) -> int:
        """Go on, in this thread, with every run of this gate's workflows that can; answers how many were taken up.

        Runs can go on when what they wait for was decided, and when the process that executed them died.

        Raises:
            UsageError: on a thread that runs an event loop: use `await gate.aio.resume_ready()`.
        """
        from gatekit.runs import resume_ready

        return resume_ready(self)

    def reviewer(self, name: str, *, hold: float = 0) -> Reviewer:
        """The seat of a person who decides.

        Args:
            name: who decides; without a colon.
            hold: seconds in which a decision can be undone before it counts.
        """
        return Reviewer(self, name, hold=hold)

    def watch(self, since: int | None = None) -> Iterator[Event]:
        """The events after the cursor `since`, and every one that comes; None: from now on. It blocks.

        Raises:
            UsageError: on a thread that runs an event loop: use `gate.aio.watch()`.
        """
        if in_event_loop():
            raise UsageError("watch() would stop this thread's event loop: use `async for event in gate.aio.watch()`")
        cursor = self.backend.cursor().wait() if since is None else _count("since", since)
        return _watch(self.backend, cursor)

    def close(self) -> None:
        """Let go of the queue, after what was asked of it is done. Calling it again does nothing."""
        with self._lock:
            if self._backend is not None and not self._closed:
                self._backend.close()
            self._closed = True

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"Gate({self.path!r})"


class AsyncGate(_Verbs, AsyncSeat):
    """`gate.aio`: the same names as `Gate`, awaited."""

    def __init__(self, gate: Gate) -> None:
        self._gate = gate

    @property
    def gate(self) -> Gate:
        """The same queue with verbs that block."""
        return self._gate

    @property
    def backend(self) -> Backend:  # type: ignore[override]
        return self._gate.backend

    @property
    def clock(self) -> Clock:  # type: ignore[override]
        return self._gate.clock

    @property
    def path(self) -> str:
        """Where the queue is."""
        return self._gate.path

    def run(self, run_id: str) -> AsyncHandle[Any]:
        """A durable run by its id; see `Gate.run`."""
        from gatekit.runs import AsyncHandle

        return AsyncHandle(self._gate, run_id)

    async def resume_ready(self) -> int:
        """Go on with every run that can, several at once, sync workflows in threads; see `Gate.resume_ready`."""
        from gatekit.runs import resume_ready_async

        return await resume_ready_async(self._gate)

    def reviewer(self, name: str, *, hold: float = 0) -> AsyncReviewer:
        """The seat of a person who decides, with awaited verbs; see `Gate.reviewer`."""
        return AsyncReviewer(self._gate, name, hold=hold)

    def watch(self, since: int | None = None) -> AsyncIterator[Event]:
        """The events after the cursor `since`, and every one that comes; None: from now on."""
        return _AsyncWatch(self.backend, None if since is None else _count("since", since))


class _AsyncWatch:
    """Not an async generator: one that a caller leaves by `break` needs nobody to close it."""

    def __init__(self, backend: Backend, since: int | None) -> None:
        self._backend = backend
        self._start = backend.cursor() if since is None else Reply.of(since)
        self._cursor: int | None = None
        self._seen: deque[Event] = deque()

    def __aiter__(self) -> Self:
        return self

    async def __anext__(self) -> Event:
        if self._cursor is None:
            self._cursor = await self._start
        while not self._seen:
            reply = self._backend.next_events(self._cursor)
            try:
                self._seen.extend(await reply)
            finally:
                reply.abandon()
        event = self._seen.popleft()
        self._cursor = event.cursor
        return event


def _watch(backend: Backend, cursor: int) -> Iterator[Event]:
    while True:
        reply = backend.next_events(cursor)
        try:
            events = reply.wait()
        finally:
            reply.abandon()
        for event in events:
            cursor = event.cursor
            yield event


_default: Gate | None = None
_default_lock = ForkLock()
watchful_defaults: Final[list[Gate]] = []
"""Holds the default gate while that one records every call, or has rules: then no call takes the short path."""


def set_default(gate: Gate | None) -> None:
    """Make this gate the one of all steps that name none; None: back to `Gate()`."""
    global _default
    if gate is not None and not isinstance(gate, Gate):
        raise UsageError(f"set_default takes a Gate, not {type(gate).__name__}")
    with _default_lock:
        _default = gate
        _watch_default()


def default_gate() -> Gate:
    """The gate of steps that name none."""
    global _default
    with _default_lock:
        if _default is None:
            _default = Gate()
        return _default


def _plain(seat: _Verbs) -> Gate:
    if isinstance(seat, AsyncGate):
        return seat.gate
    assert isinstance(seat, Gate)
    return seat


def _watch_default() -> None:
    watchful = _default is not None and (_default.record == "all" or _default.has_rules)
    watchful_defaults[:] = [_default] if watchful and _default is not None else []


def _listed(name: str, given: Sequence[str]) -> Sequence[str]:
    if isinstance(given, str) or not all(type(entry) is str for entry in given):
        raise UsageError(f"{name}={given!r}: it takes a list of names")
    return given


def _file_of(path: str | os.PathLike[str] | None) -> str:
    given = os.environ.get("GATEKIT_QUEUE") or "gatekit.db" if path is None else path
    given = os.fspath(given) if isinstance(given, os.PathLike) else given
    if not isinstance(given, str) or not given or "\0" in given:
        raise UsageError(f"a queue is a file's path, not {given!r}")
    if given == ":memory:":
        raise UsageError("a queue in memory cannot be reviewed from outside; for tests: gatekit.testing.memory_gate()")
    scheme, found, rest = given.partition("://")
    if not found:
        return os.path.abspath(given)
    if scheme != "sqlite":
        raise UsageError(f"{scheme}:// is not supported by this version: give a file's path or sqlite:///path")
    if not rest.startswith("/") or rest == "/":
        raise UsageError(f"{given!r} names no file: write sqlite:///relative.db or sqlite:////absolute.db")
    return os.path.abspath(rest[1:])


def _statuses(status: S | Sequence[S], known: tuple[S, ...]) -> tuple[S, ...]:
    wanted: tuple[Any, ...] = (status,) if isinstance(status, str) else tuple(status)
    for one in wanted:
        if one not in known:
            raise UsageError(f"status {one!r} is none of {', '.join(known)}")
    if not wanted:
        raise UsageError("status= names no state")
    return tuple(dict.fromkeys(wanted))


def _check_order(order: object, status: object) -> None:
    if order not in ORDERS:
        raise UsageError(f"order={order!r}: it is one of {', '.join(ORDERS)}")
    if order == "decided" and status in ("pending", ("pending",), ["pending"]):
        raise UsageError('order="decided": what is pending has no decision; say with status= which states you mean')


def _run_key(key: str | None) -> int | None:
    if key is None:
        return None
    if type(key) is not str or not (key.isascii() and key.isdigit()):
        raise UsageError(f"after={key!r} is no key of a run: take `row.key`")
    return int(key)


def _key(name: str, key: str | None) -> tuple[int, int] | None:
    if key is None:
        return None
    due, found, pos = key.partition(":") if isinstance(key, str) else ("", "", "")
    if not (found and due.isascii() and due.isdigit() and pos.isascii() and pos.isdigit()):
        raise UsageError(f"{name}={key!r} is no key of a line: take `row.key`")
    return int(due), int(pos)


def _count(name: str, value: int) -> int:
    if type(value) is not int or not 0 <= value < 1 << 62:
        raise UsageError(f"{name}={value!r}: it takes a whole number from 0")
    return value


def _limit(value: int) -> int:
    if type(value) is not int or not 1 <= value <= 1000:
        raise UsageError(f"limit={value!r}: it takes a whole number from 1 to 1000")
    return value
