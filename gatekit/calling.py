"""Who is calling: the identity that an agent's framework gives to a tool call."""

from __future__ import annotations

from collections.abc import Generator
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass
from typing import Final

from gatekit.errors import UsageError

_LONGEST: Final = 500


@dataclass(frozen=True, slots=True)
class Calling:
    """The identity in force: a call id, a run, an agent; each may be missing."""

    call_id: str | None = None
    run: str | None = None
    agent: str | None = None


calling_now: Final[ContextVar[Calling | None]] = ContextVar("gatekit_calling", default=None)


@contextmanager
def calling(*, call_id: str | None = None, run: str | None = None, agent: str | None = None) -> Generator[None]:
    """Give the gated calls in this block an identity.

    A call is known by (`run`, tool name, `call_id`). Made again with the same three it is the same call: it goes
    on waiting for the same request, or gets the stored result. With other arguments it is a `CallConflict`.
    Gated calls made inside a gated tool do not inherit the identity.

    Args:
        call_id: the framework's id of this tool call, or the `request_id` of an earlier `Suspended`.
        run: the run, thread or conversation; frameworks repeat ids like `call_1` between runs.
        agent: who asks, as a reviewer should read it.

    Raises:
        UsageError: one of them is empty, too long, or not text that can be stored.

    >>> with calling(call_id="toolu_01", run="thread-7", agent="agent-7"):
    ...     pass
    """
    for name, value in (("call_id", call_id), ("run", run), ("agent", agent)):
        check_name(f"calling({name}=…)", value)
    token = calling_now.set(Calling(call_id, run, agent))
    try:
        yield
    finally:
        calling_now.reset(token)


def check_name(what: str, value: object) -> None:
    """Refuse what cannot be stored and read back as a name; None is no name and passes."""
    if value is None:
        return
    if type(value) is not str:
        raise UsageError(f"{what} takes a str, not {type(value).__name__}")
    if not value or len(value) > _LONGEST:
        raise UsageError(f"{what} takes 1 to {_LONGEST} characters, not {len(value)}")
    try:
        value.encode()
    except UnicodeEncodeError as error:
        raise UsageError(f"{what} holds a lone surrogate at character {error.start}: no text can") from error
