"""The function that stands in for a tool, compiled once per step with the tool's own signature.

A call that needs nobody's approval is decided right here: bind, ask the predicate, call. Everything else goes to
`gated`, with the predicate's verdict where it was asked, so that no predicate is asked twice. Compiling the
signature lets Python bind the arguments: a wrapper that takes `*args, **kwargs` and binds by hand is slower than
all the rest of this path together.
"""

from __future__ import annotations

import functools
import inspect
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from typing import Any, Final

from gatekit.calling import calling_now


class Unasked(Enum):
    """The predicate was not asked yet."""

    UNASKED = "unasked"


UNASKED: Final = Unasked.UNASKED


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """What the wrapper is made of."""

    tool: Callable[..., Any]
    name: str
    """What the wrapper is called where the tool, as a callable object, has no name of its own."""
    signature: inspect.Signature
    is_async: bool
    gated: Callable[[dict[str, Any], object], Any]
    """Takes all parameters by name and the verdict so far; a coroutine function for an async tool."""
    predicate: Callable[[Any], object] | None
    """Asked on the short path; None where there is none: every call goes to `gated`."""
    predicate_is_async: bool
    view: Callable[..., object]
    """Makes what the predicate sees, of the values by name."""
    shown: Sequence[str]
    unless: Sequence[object] | None
    """While this is not empty, no call takes the short path; None where that cannot happen."""
    fast: Mapping[str, str | None]
    """By parameter: the expression that proves a value to need no canonicalising; None where nothing does."""


def compile_wrapper(plan: Plan) -> Callable[..., Any]:
    """A real function with the tool's signature, name, docstring and annotations; `__wrapped__` is the tool."""
    prefix = _free_prefix(plan.signature.parameters)
    names = {
        "tool": plan.tool,
        "gated": plan.gated,
        "predicate": plan.predicate,
        "view": plan.view,
        "calling": calling_now.get,
        "unasked": UNASKED,
        "unless": plan.unless,
    }
    scope: dict[str, Any] = {f"{prefix}{name}": value for name, value in names.items()}
    source = _source(plan, prefix, scope)
    # The text is made of the signature's own names and of ours; no value of a call is ever in it.
    exec(compile(source, f"<gatekit wrapper of {plan.name!a}>", "exec"), scope)
    made = scope[f"{prefix}wrapper"]
    made.__name__ = made.__qualname__ = plan.name
    # A callable object lends its docstring, not its attributes: they are its state.
    updated = functools.WRAPPER_UPDATES if hasattr(plan.tool, "__name__") else ()
    wrapper: Callable[..., Any] = functools.wraps(plan.tool, updated=updated)(made)
    return wrapper


def _free_prefix(parameters: Mapping[str, object]) -> str:
    prefix = "_gatekit_"
    while any(name.startswith(prefix) for name in parameters):
        prefix = f"_{prefix}"
    return prefix


def _source(plan: Plan, prefix: str, scope: dict[str, Any]) -> str:
    parameters = plan.signature.parameters.values()
    head = f"{'async ' if plan.is_async else ''}def {prefix}wrapper({_header(plan.signature, prefix, scope)}):"
    values = "{" + ", ".join(f"{parameter.name!r}: {parameter.name}" for parameter in parameters) + "}"
    wait = "await " if plan.is_async else ""
    lines = [head, f"    {prefix}verdict = {prefix}unasked", *_short_path(plan, prefix, wait)]
    lines.append(f"    return {wait}{prefix}gated({values}, {prefix}verdict)")
    return "\n".join(lines)


def _short_path(plan: Plan, prefix: str, wait: str) -> list[str]:
    tests = [plan.fast.get(name) for name in plan.shown]
    if plan.predicate is None or None in tests:
        return []
    free = [] if plan.unless is None else [f"not {prefix}unless"]
    proven = " and ".join([f"{prefix}calling() is None", *free, *(f"({test})" for test in tests if test)])
    shown = ", ".join(f"{name}={name}" for name in plan.shown)
    ask = "await " if plan.predicate_is_async else ""
    return [
        f"    if {proven}:",
        "        try:",
        f"            {prefix}verdict = {ask}{prefix}predicate({prefix}view({shown}))",
        f"        except Exception as {prefix}error:",
        f"            {prefix}verdict = {prefix}error",
        f"        if {prefix}verdict is False:",
        f"            return {wait}{prefix}tool({_passed_on(plan.signature)})",
    ]


def _header(signature: inspect.Signature, prefix: str, scope: dict[str, Any]) -> str:
    """The parameter list; defaults are kept as objects, never as text."""
    parts: list[str] = []
    starred = False
    parameters = list(signature.parameters.values())
    for index, parameter in enumerate(parameters):
        if parameter.kind is parameter.KEYWORD_ONLY and not starred:
            parts.append("*")
            starred = True
        starred = starred or parameter.kind is parameter.VAR_POSITIONAL
        parts.append(_one(parameter, prefix, scope))
        after = parameters[index + 1] if index + 1 < len(parameters) else None
        if parameter.kind is parameter.POSITIONAL_ONLY and (after is None or after.kind is not parameter.kind):
            parts.append("/")
    return ", ".join(parts)


def _one(parameter: inspect.Parameter, prefix: str, scope: dict[str, Any]) -> str:
    stars = {"VAR_POSITIONAL": "*", "VAR_KEYWORD": "**"}.get(parameter.kind.name, "")
    if parameter.default is parameter.empty:
        return f"{stars}{parameter.name}"
    scope[f"{prefix}default_{parameter.name}"] = parameter.default
    return f"{parameter.name}={prefix}default_{parameter.name}"


def _passed_on(signature: inspect.Signature) -> str:
    """The same arguments, by position where Python allows it: that is the cheaper call."""
    parts = []
    for parameter in signature.parameters.values():
        if parameter.kind is parameter.VAR_POSITIONAL:
            parts.append(f"*{parameter.name}")
        elif parameter.kind is parameter.VAR_KEYWORD:
            parts.append(f"**{parameter.name}")
        elif parameter.kind is parameter.KEYWORD_ONLY:
            parts.append(f"{parameter.name}={parameter.name}")
        else:
            parts.append(parameter.name)
    return ", ".join(parts)


def arrange(signature: inspect.Signature, values: Mapping[str, Any]) -> tuple[list[Any], dict[str, Any]]:
    """The arguments by name, as positional and keyword arguments of the tool."""
    positional: list[Any] = []
    named: dict[str, Any] = {}
    for parameter in signature.parameters.values():
        value = values[parameter.name]
        if parameter.kind is parameter.VAR_POSITIONAL:
            positional.extend(value)
        elif parameter.kind is parameter.VAR_KEYWORD:
            named.update(value)
        elif parameter.kind is parameter.KEYWORD_ONLY:
            named[parameter.name] = value
        else:
            positional.append(value)
    return positional, named
