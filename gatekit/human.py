"""`ask` and `confirm` on the process's default gate."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import Any

from gatekit.gate import default_gate
from gatekit.models import Risk
from gatekit.policy import Policy


def ask(
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
) -> Any:
    """Ask a human on the default gate, and wait for the answer; see `Gate.ask`. In a coroutine: `gate.aio.ask`.

    >>> import gatekit
    >>> from gatekit.testing import ScriptedReviewer, memory_gate
    >>> gate = memory_gate()
    >>> gatekit.set_default(gate)
    >>> with ScriptedReviewer(gate, lambda request: {"answer": True}):
    ...     gatekit.ask("Go on?", bool)
    True
    >>> gatekit.set_default(None)
    """
    return default_gate().ask(
        prompt,
        type,
        choices=choices,
        many=many,
        name=name,
        risk=risk,
        details=details,
        policy=policy,
        expires_after=expires_after,
        wait=wait,
    )


def confirm(
    prompt: str,
    *,
    name: str = "confirm",
    risk: Risk = "medium",
    details: Mapping[str, Any] | None = None,
    policy: Policy | None = None,
    expires_after: float | timedelta | None = None,
    wait: float | timedelta | None = None,
) -> None:
    """Ask a human on the default gate for a yes, and wait for it; see `Gate.confirm`.

    >>> import gatekit
    >>> from gatekit.testing import ScriptedReviewer, memory_gate
    >>> gate = memory_gate()
    >>> gatekit.set_default(gate)
    >>> with ScriptedReviewer(gate, ["approve"]):
    ...     gatekit.confirm("Deploy v2?", name="deploy")
    >>> gatekit.set_default(None)
    """
    default_gate().confirm(
        prompt, name=name, risk=risk, details=details, policy=policy, expires_after=expires_after, wait=wait
    )
