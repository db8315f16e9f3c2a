"""What a call that is over means to whoever makes it again: the stored result, or the error of its end."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

from gatekit.arguments.results import decode_result
from gatekit.errors import (
    Cancelled,
    Expired,
    NotApproved,
    Rejected,
    Responded,
    ResultNotStored,
    ToolFailed,
)
from gatekit.models import Kind, Request, Status

NOT_APPROVED: Final[dict[Status, type[NotApproved]]] = {
    "rejected": Rejected,
    "responded": Responded,
    "expired": Expired,
    "cancelled": Cancelled,
}


_ANSWER: Final[dict[Kind, Callable[[dict[str, Any]], Any]]] = {
    "pause": lambda args: args["payload"],
    "question": lambda args: args["answer"],
    "confirm": lambda args: True,
}


def replay_request(request: Request, annotation: object) -> Any:
    """The stored result of a call that is over, rebuilt through the tool's return annotation.

    Raises:
        NotApproved: the tool was never started.
        ToolFailed: it raised.
        ResultNotStored: it returned something that JSON cannot hold.
    """
    refused = NOT_APPROVED.get(request.status)
    if refused is not None:
        raise refused(request)
    if request.status == "answered":
        return _ANSWER[request.kind](request.args)
    outcome = request.outcome
    assert outcome is not None, f"{request.status} without an outcome"
    if outcome.kind == "raised":
        raise ToolFailed(request.id, outcome.type_name or "Exception", outcome.message or "")
    return replay(request.id, None if outcome.lost else outcome.value_text, annotation)


def replay(request_id: str, text: str | None, annotation: object) -> Any:
    """The value that a stored result stands for; raises `ResultNotStored` where there is no text."""
    if text is None:
        raise ResultNotStored(request_id)
    return decode_result(text, annotation)
