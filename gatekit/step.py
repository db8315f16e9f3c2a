"""`gated_step`: a tool function that asks a human first where it must."""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final, Literal, ParamSpec, TypeVar, overload

from gatekit.arguments.parameters import Parameters
from gatekit.asking import Describe, Rate, check_template
from gatekit.calling import check_name
from gatekit.clock import seconds_of
from gatekit.driving import drive, drive_async, is_async_callable
from gatekit.errors import NotApproved, Suspended, UsageError
from gatekit.gate import Gate, default_gate, watchful_defaults
from gatekit.gating import Ended, GatedTool, gated
from gatekit.models import RISKS
from gatekit.policy import Budget, Policy
from gatekit.telling import tell
from gatekit.wrapper import Plan, compile_wrapper

if TYPE_CHECKING:
    from gatekit.arguments.view import Args
    from gatekit.models import Preview

P = ParamSpec("P")
R = TypeVar("R")
Told = Literal["raise", "return"]
_MOST_RETRIES: Final = 100


@overload
def gated_step(
    tool: Callable[P, R],
    *,
    gate: Gate | None = None,
    requires_approval: bool | Callable[[Args], object] | None = None,
    description: str | Callable[[Args], str] | None = None,
    name: str | None = None,
    risk: Rate = "medium",
    wait: float | timedelta | None = None,
    on_reject: Told = "raise",
    on_suspend: Told = "raise",
    tell_edits: bool | None = None,
    redact: Sequence[str] = (),
    inject: Sequence[str] = (),
    retries: int | None = None,
    retry_on: tuple[type[Exception], ...] | None = None,
    idempotent: bool = False,
    reconcile: Callable[[str, Args], object] | None = None,
    revalidate: Callable[[Args], object] | None = None,
    start_within: float | timedelta | None = 3600,
    preview: Callable[[Args], Preview | str | None] | None = None,
    policy: Policy | Callable[[Args], Policy | None] | None = None,
    expires_after: float | timedelta | None = None,
    auto_approve_if: Callable[..., object] | Mapping[str, str | Sequence[str]] | None = None,
    budget: Budget | None = None,
) -> Callable[P, R]: ...
@overload
def gated_step(
    *,
    gate: Gate | None = None,
    requires_approval: bool | Callable[[Args], object] | None = None,
    description: str | Callable[[Args], str] | None = None,
    name: str | None = None,
    risk: Rate = "medium",
    wait: float | timedelta | None = None,
    on_reject: Told = "raise",
    on_suspend: Told = "raise",
    tell_edits: bool | None = None,
    redact: Sequence[str] = (),
    inject: Sequence[str] = (),
    retries: int | None = None,
    retry_on: tuple[type[Exception], ...] | None = None,
    idempotent: bool = False,
    reconcile: Callable[[str, Args], object] | None = None,
    revalidate: Callable[[Args], object] | None = None,
    start_within: float | timedelta | None = 3600,
    preview: Callable[[Args], Preview | str | None] | None = None,
    policy: Policy | Callable[[Args], Policy | None] | None = None,
    expires_after: float | timedelta | None = None,
    auto_approve_if: Callable[..., object] | Mapping[str, str | Sequence[str]] | None = None,
    budget: Budget | None = None,
) -> Callable[[Callable[P, R]], Callable[P, R]]: ...
def gated_step(
    tool: Callable[..., Any] | None = None,
    *,
    gate: Gate | None = None,
    requires_approval: bool | Callable[[Args], object] | None = None,
    description: Describe | None = None,
    name: str | None = None,
    risk: Rate = "medium",
    wait: float | timedelta | None = None,
    on_reject: Told = "raise",
    on_suspend: Told = "raise",
    tell_edits: bool | None = None,
    redact: Sequence[str] = (),
    inject: Sequence[str] = (),
    retries: int | None = None,
    retry_on: tuple[type[Exception], ...] | None = None,
    idempotent: bool = False,
    reconcile: Callable[[str, Args], object] | None = None,
    revalidate: Callable[[Args], object] | None = None,
    start_within: float | timedelta | None = 3600,
    preview: Callable[[Args], Preview | str | None] | None = None,
    policy: Policy | Callable[[Args], Policy | None] | None = None,
    expires_after: float | timedelta | None = None,
    auto_approve_if: Callable[..., object] | Mapping[str, str | Sequence[str]] | None = None,
    budget: Budget | None = None,
) -> Any:
    """Gate a tool: a human approves, edits or rejects the calls that need it, then exactly what was seen runs.

    Use it as a decorator, with or without options, or as a function on a tool that exists. What it gives is a real
    function with the tool's name, signature, docstring and colour (sync stays sync, async stays async), so that
    agent frameworks derive the same schema from it.

    Args:
        tool: the function or method.
        gate: whose queue the calls go to; not given: the process's default gate.
        requires_approval: `True`, `False`, or a function of the call's arguments (`args.to`, `args["to"]`), which
            may be async on an async tool. Only `True` and `False` count: a function that raises or returns
            anything else gates the call, and the reviewer sees why. Not given: every call needs approval, or, where
            there is a `budget`, every call that this does not cover.
        description: what the reviewer reads above the arguments: a template (`"Send email to {to}"`) or a function
            of the arguments. Where it fails, a text made of the arguments stands in, and says so.
        name: the tool's name in the queue; not given: the function's.
        risk: `"low"`, `"medium"`, `"high"` or `"critical"`, or a function of the arguments. It decides how much
            care an approval takes in the dashboard.
        wait: how long *this process* waits for the decision, in seconds or as a timedelta; not given: for ever.
            Then the call raises `Suspended` and the request stays in the queue.
        on_reject: `"return"` gives the model a short text in place of raising one of the `NotApproved` errors.
        on_suspend: `"return"` does the same in place of `Suspended`.
        tell_edits: whether a result that is a str begins with a sentence on what a reviewer edited. Not given:
            only for calls whose id was given with `calling`, and not before text that looks like JSON.
        redact: names of parameters whose values must not be stored or shown.
        inject: names of parameters that are not arguments of the call (a session, a context): they are passed
            through untouched and are not queued, shown or edited.
        retries: how many more times one approval lets the tool start after it raised, with 1 s between the first
            two, then twice as long each time, at most 60 s. It needs `retry_on` or `idempotent`. Not given: 1 for an
            idempotent tool, else 0. The reviewer sees how often the tool may start.
        retry_on: the exceptions that a further start may follow; any other goes to the caller at once.
        idempotent: True says that running the tool again with the same arguments does no harm. Then an attempt
            whose process died is followed by the next one while the approval has starts left; else its outcome is
            `unknown` until `reconcile` or a human can tell.
        reconcile: called with the call's id and its arguments when the same call is made again and its last
            attempt's outcome is unknown. It asks the other side and answers `Ran(result)`, `NotRun()`, or None if
            it cannot tell. `current()` has the attempt's idempotency key there too.
        revalidate: a last look at the arguments, right before an approved call starts. Only True lets it start;
            False or a text, which is the reason, or an exception sends the request back to the reviewers.
        start_within: seconds, or a timedelta, from the approval to the last moment for a start; then the request
            goes back to the reviewers. None: no limit.
        preview: a function of the arguments that makes what the reviewer sees beside them, by `gatekit.previews`: a
            text, a difference, a table or a file. Where it fails, the call is asked without it, and says so.
        policy: who must say yes, in which order, and what silence means: a `Policy`, or a function of the arguments
            that gives one (or None: one person decides). Where the function raises, the call is refused.
        expires_after: seconds, or a timedelta, that a request may stay undecided; what happens then is the policy's
            `on_expiry`, else the call expires. Not given: no limit.
        auto_approve_if: lets a call that needs approval run without a human: a function of nothing or of the
            arguments, of which only True counts, or environment variables with their values,
            `{"ENVIRONMENT": "staging"}`. The history names the rule. Where it raises, a human is asked.
        budget: how much the calls may add up to before a human is asked. Every call is then written to the queue.

    Raises:
        UsageError: at decoration, for what cannot be gated; the message names the cure. At a call, for arguments
            that do not fit the signature's types or that JSON cannot hold: before anything is queued.
        NotApproved: from the call: `Rejected`, `Responded`, `Expired` or `Cancelled`. The tool did not run.
        Suspended: from the call: `wait` is over.
        CallConflict: from the call: its id was used before with other arguments.
        OutcomeUnknown: from the call: the tool was started, how it ended is not known, and `wait` is over.
        StoreError: from the call: the queue cannot be used, so the tool does not run.

    >>> from gatekit.testing import memory_gate
    >>> gate = memory_gate()
    >>> @gated_step(gate=gate, requires_approval=lambda args: args.amount > 100)
    ... def refund(order: str, amount: int) -> str:
    ...     return f"refunded {amount} for {order}"
    >>> refund("A-17", amount=40)
    'refunded 40 for A-17'
    """
    if tool is None:
        return functools.partial(
            gated_step,
            gate=gate,
            requires_approval=requires_approval,
            description=description,
            name=name,
            risk=risk,
            wait=wait,
            on_reject=on_reject,
            on_suspend=on_suspend,
            tell_edits=tell_edits,
            redact=redact,
            inject=inject,
            retries=retries,
            retry_on=retry_on,
            idempotent=idempotent,
            reconcile=reconcile,
            revalidate=revalidate,
            start_within=start_within,
            preview=preview,
            policy=policy,
            expires_after=expires_after,
            auto_approve_if=auto_approve_if,
            budget=budget,
        )
    function = _function_of(tool)
    check_name("gated_step(name=…)", name)
    tool_name = name or _name_of(function)
    _check_choices(on_reject=on_reject, on_suspend=on_suspend)
    if requires_approval is None:
        requires_approval = budget is None
    _check_asking(requires_approval, risk, tool_name, is_async_callable(function))
    if gate is not None and not isinstance(gate, Gate):
        raise UsageError(f"gated_step(gate=…) takes a Gate, not {type(gate).__name__}")
    parameters = Parameters.of(function, tool=tool_name, inject=inject, redact=redact)
    check_template(description, parameters.names)
    if preview is not None and (not callable(preview) or is_async_callable(preview)):
        raise UsageError(f"{tool_name}: preview takes a plain function of the arguments, not {preview!r}")
    _check_policy(policy, budget, parameters, tool_name)
    step = GatedTool(
        tool=function,
        is_async=is_async_callable(function),
        name=tool_name,
        parameters=parameters,
        find_gate=default_gate if gate is None else lambda: gate,
        names_gate=gate is not None,
        requires_approval=requires_approval,
        predicate_is_async=is_async_callable(requires_approval),
        description=description,
        risk=risk,
        wait=seconds_of("wait", wait),
        tell_edits=tell_edits,
        retries=_retries(retries, retry_on, idempotent, tool_name),
        retry_on=retry_on,
        idempotent=idempotent,
        reconcile=reconcile,
        reconcile_is_async=_colour("reconcile", reconcile, tool_name, is_async=is_async_callable(function)),
        revalidate=revalidate,
        revalidate_is_async=_colour("revalidate", revalidate, tool_name, is_async=is_async_callable(function)),
        start_within=seconds_of("start_within", start_within),
        preview=preview,
        policy=policy,
        expires_after=seconds_of("expires_after", expires_after),
        auto_approve_if=auto_approve_if,
        auto_approve_takes_args=_takes_args(auto_approve_if, tool_name),
        auto_approve_is_async=not isinstance(auto_approve_if, Mapping)
        and _colour("auto_approve_if", auto_approve_if, tool_name, is_async=is_async_callable(function)),
        budget=budget,
    )
    return _wrapped(step, gate, on_reject=on_reject, on_suspend=on_suspend)


def _wrapped(step: GatedTool, gate: Gate | None, *, on_reject: Told, on_suspend: Told) -> Callable[..., Any]:
    def told(error: NotApproved | Suspended) -> str:
        if (on_suspend if isinstance(error, Suspended) else on_reject) == "raise":
            raise error
        return tell(error)

    def blocking(values: dict[str, Any], verdict: object) -> Any:
        try:
            ended = drive(gated(step, values, verdict))
        except (NotApproved, Suspended) as error:
            return told(error)
        return _result(ended)

    async def awaited(values: dict[str, Any], verdict: object) -> Any:
        try:
            ended = await drive_async(gated(step, values, verdict))
        except (NotApproved, Suspended) as error:
            return told(error)
        return _result(ended)

    predicate = step.requires_approval
    short = callable(predicate) and step.budget is None and (gate is None or gate.record == "gated")
    parameters = step.parameters
    wrapper = compile_wrapper(
        Plan(
            tool=step.tool,
            name=step.name,
            signature=parameters.signature,
            is_async=step.is_async,
            gated=awaited if step.is_async else blocking,
            predicate=predicate if short and callable(predicate) else None,
            predicate_is_async=step.predicate_is_async,
            view=parameters.view_type,
            shown=parameters.names,
            unless=watchful_defaults if gate is None else gate.rules,
            fast={name: parameters.fast_expression(name) for name in parameters.names},
        )
    )
    wrapper.__gatekit__ = True  # type: ignore[attr-defined]
    return wrapper


def _result(ended: Ended) -> Any:
    if ended.error is not None:
        raise ended.error
    return ended.value


def _function_of(tool: object) -> Callable[..., Any]:
    """The tool, if it can be gated; else the cure."""
    if isinstance(tool, (classmethod, staticmethod)):
        kind = type(tool).__name__
        raise UsageError(f"gated_step cannot take a {kind} object: put @{kind} above @gated_step, not below")
    if isinstance(tool, functools.partial):
        raise UsageError("gated_step cannot take a functools.partial: write a function that makes the call")
    if inspect.isclass(tool):
        raise UsageError(f"gated_step cannot take the class {tool.__name__}: write a function that makes one")
    if not callable(tool):
        raise UsageError(f"gated_step takes a function, not {type(tool).__name__}")
    for candidate in (tool, getattr(type(tool), "__call__", None)):  # noqa: B004 - the method itself is wanted
        if inspect.isgeneratorfunction(candidate) or inspect.isasyncgenfunction(candidate):
            raise UsageError(f"{_name_of(tool)} is a generator: gate a function that collects what it yields")
    return tool


def _name_of(tool: object) -> str:
    name = getattr(tool, "__name__", None)
    return name if isinstance(name, str) else type(tool).__name__


def _check_choices(**choices: object) -> None:
    for name, value in choices.items():
        if value not in ("raise", "return"):
            raise UsageError(f'{name}={value!r}: it is "raise" or "return"')


def _check_asking(requires_approval: object, risk: object, name: str, is_async: bool) -> None:
    if not isinstance(requires_approval, bool) and not callable(requires_approval):
        kind = type(requires_approval).__name__
        raise UsageError(f"{name}: requires_approval takes True, False or a function of the arguments, not {kind}")
    if is_async_callable(requires_approval) and not is_async:
        raise UsageError(f"{name} is sync and its requires_approval is async: make the tool async or it sync")
    if not callable(risk) and risk not in RISKS:
        raise UsageError(f"{name}: risk={risk!r} is none of {', '.join(RISKS)}")


def _retries(retries: int | None, retry_on: tuple[type[Exception], ...] | None, idempotent: bool, name: str) -> int:
    """How many starts may follow the first, checked together with what makes them harmless."""
    if type(idempotent) is not bool:
        raise UsageError(f"{name}: idempotent={idempotent!r}: it is True or False")
    if retry_on is not None and not _are_exceptions(retry_on):
        raise UsageError(f"{name}: retry_on takes a tuple of exception types, not {retry_on!r}")
    if retries is None:
        retries = int(idempotent)
    if type(retries) is not int or not 0 <= retries <= _MOST_RETRIES:
        raise UsageError(f"{name}: retries={retries!r}: it takes a whole number from 0 to {_MOST_RETRIES}")
    if retries and not (idempotent or retry_on):
        raise UsageError(
            f"{name}: retries={retries} would run the tool again after any exception, although it may have acted: say "
            f"idempotent=True if that does no harm, or name in retry_on=(…) the exceptions raised before it acts"
        )
    if retry_on is not None and not retries:
        raise UsageError(f"{name}: retry_on does nothing without retries: say how many")
    return retries


def _are_exceptions(types: object) -> bool:
    return (
        isinstance(types, tuple)
        and bool(types)
        and all(isinstance(kind, type) and issubclass(kind, Exception) for kind in types)
    )


def _check_policy(policy: object, budget: object, parameters: Parameters, tool: str) -> None:
    if policy is not None and not isinstance(policy, Policy) and not callable(policy):
        raise UsageError(f"{tool}: policy takes a Policy or a function of the arguments, not {type(policy).__name__}")
    if is_async_callable(policy):
        raise UsageError(f"{tool}: policy takes a plain function: it is asked before anything waits")
    if budget is None:
        return
    if not isinstance(budget, Budget):
        raise UsageError(f"{tool}: budget takes a Budget, not {type(budget).__name__}")
    if budget.field is not None and budget.field not in parameters.names:
        taken = ", ".join(parameters.names)
        raise UsageError(f"{tool}: budget adds up {budget.field!r}, which the tool does not take: {taken}")
    if budget.field in parameters.redacted:
        raise UsageError(f"{tool}: budget adds up {budget.field!r}, whose value is redacted: the queue would tell it")


def _takes_args(rule: object, tool: str) -> bool:
    """Whether the rule wants the call's arguments; refused where it wants more than that."""
    if rule is None or isinstance(rule, Mapping):
        if isinstance(rule, Mapping) and not (rule and all(map(_is_variable, rule.items()))):
            raise UsageError(
                f'{tool}: auto_approve_if={rule!r}: by environment it is like {{"ENVIRONMENT": "staging"}}'
            )
        return False
    if not callable(rule):
        raise UsageError(f"{tool}: auto_approve_if takes a function or environment variables, not {rule!r}")
    try:
        inspect.signature(rule).bind()
    except TypeError:
        return True
    return False


def _is_variable(item: tuple[object, object]) -> bool:
    name, values = item
    if type(name) is not str or not name:
        return False
    given = (values,) if isinstance(values, str) else values
    return isinstance(given, Sequence) and bool(given) and all(type(value) is str for value in given)


def _colour(option: str, function: object, name: str, *, is_async: bool) -> bool:
    """Whether the function is async; refused where the tool could not await it, or where it is none."""
    if function is not None and not callable(function):
        raise UsageError(f"{name}: {option} takes a function, not {type(function).__name__}")
    if is_async_callable(function) and not is_async:
        raise UsageError(f"{name} is sync and its {option} is async: make the tool async or {option} sync")
    return is_async_callable(function)
