"""Every error that gatekit raises, one tree:

    GatekitError
    ├── UsageError                 the call was wrong: nothing was queued, nothing ran
    │   ├── CallConflict           a repeated identity came with other arguments
    │   ├── RunConflict            a run's id came again with other arguments or another workflow
    │   └── ProgramChanged         a run's program is no longer the one that its journal tells of
    ├── NotApproved                the tool was not started, and will not be
    │   ├── Rejected               a reviewer said no
    │   ├── Responded              a reviewer answered instead
    │   ├── Expired                nobody decided in time
    │   └── Cancelled              the request was withdrawn
    ├── Suspended                  this process stopped waiting; the request goes on
    ├── ToolFailed                 a repeated call, and the tool had raised
    ├── OutcomeUnknown             the tool was started; how it ended is not known
    ├── ResultNotStored            a repeated call, and the result could not be kept
    ├── RunError                   a durable run has no result
    │   ├── RunNotFound
    │   ├── RunFailed              its workflow raised
    │   ├── RunCancelled
    │   └── RunNeedsReview         a human has to look before it goes on
    ├── ReviewError                a decision was refused
    │   ├── RequestNotFound
    │   ├── NotAllowed
    │   ├── AlreadyDecided
    │   ├── StaleToken
    │   └── InvalidEdit
    └── StoreError                 the queue could not be used: the tool does not run
        ├── StoreBusy
        ├── SchemaTooNew
        ├── NotAQueue
        └── QueueNotFound

When several reasons to refuse a decision hold at once, the first in the order above is the one reported.
All of them can be pickled. Text that came from an agent or a reviewer is made visible in the messages.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from gatekit.display import visible

if TYPE_CHECKING:
    from gatekit.models import Decision, Request


def _safe(text: str) -> str:
    return visible(text)[0]


class GatekitError(Exception):
    """The root of all errors of gatekit."""


class UsageError(GatekitError):
    """The program used gatekit wrongly. Nothing was queued and the tool did not run."""


class CallConflict(UsageError):
    """A call repeated the identity of an earlier one with other arguments.

    The earlier request stays as it is: an approval is for the arguments that were shown. Give the call an id of
    its own.
    """

    def __init__(self, request_id: str, tool: str, call_id: str) -> None:
        super().__init__(request_id, tool, call_id)
        self.request_id = request_id
        self.tool = tool
        self.call_id = call_id

    def __str__(self) -> str:
        return (
            f"call {_safe(self.call_id)!r} of {_safe(self.tool)} was made before with other arguments "
            f"(request {self.request_id}): give the new call an id of its own"
        )


class RunConflict(UsageError):
    """A run of this id was started before, with other arguments or of another workflow. It stays as it is."""

    def __init__(self, run_id: str, why: str) -> None:
        super().__init__(run_id, why)
        self.run_id = run_id
        self.why = why

    def __str__(self) -> str:
        return f"run {_safe(self.run_id)!r} was started before {_safe(self.why)}: give the new run an id of its own"


class ProgramChanged(UsageError):
    """A run was resumed by a program that does other things than the one that began it. The run needs a review."""

    def __init__(self, run_id: str, step: str, why: str) -> None:
        super().__init__(run_id, step, why)
        self.run_id = run_id
        self.step = step
        self.why = why

    def __str__(self) -> str:
        return (
            f"the program changed under run {_safe(self.run_id)!r}, at step {_safe(self.step)!r}: {_safe(self.why)}; "
            f"bring the old program back and resume the run, or cancel it and start another"
        )


class NotApproved(GatekitError):
    """The tool was not started and will not be. `request` is the final record, with its decision."""

    def __init__(self, request: Request) -> None:
        super().__init__(request)
        self.request = request

    def __repr__(self) -> str:
        # Not the request, which holds what reviewers keep among themselves: some agents hand this to the model.
        return f"{type(self).__name__}({str(self)!r})"

    @property
    def by(self) -> str:
        """Who decided, as `kind:name`."""
        return "" if self.request.decision is None else self.request.decision.by

    @property
    def reason(self) -> str:
        """Why, in the words of who decided; empty if none were given."""
        decision = self.request.decision
        return (decision.reason or "") if decision else ""

    def __str__(self) -> str:
        because = f": {_safe(self.reason)}" if self.reason else ""
        return f"{_safe(self.request.tool)} was {self.request.status} by {_safe(self.by)}{because}"


class Rejected(NotApproved):
    """A reviewer said no. `reason` and `by` say why and who."""


class Responded(NotApproved):
    """A reviewer answered instead of letting the tool run. `text` is meant for the model."""

    @property
    def text(self) -> str:
        """What the reviewer wrote."""
        decision = self.request.decision
        return (decision.text or "") if decision else ""

    def __str__(self) -> str:
        return f"{_safe(self.request.tool)} did not run; {_safe(self.by)} answered: {_safe(self.text)}"


class Expired(NotApproved):
    """Nobody decided before the deadline. This is silence, not a human's no."""

    def __str__(self) -> str:
        return f"{_safe(self.request.tool)} did not run: nobody decided in time"


class Cancelled(NotApproved):
    """The request was withdrawn before the tool started."""


class Suspended(GatekitError):
    """This process stopped waiting. The request stays in the queue and can still be decided.

    Make the same call again under `gatekit.calling(call_id=…)` with the call's own id, or with `request_id`, to
    go on with it.
    """

    def __init__(self, request_id: str) -> None:
        super().__init__(request_id)
        self.request_id = request_id

    def __str__(self) -> str:
        return (
            f"request {self.request_id} still waits for approval; make the call again under "
            f"gatekit.calling(call_id={self.request_id!r}) to collect it"
        )


class ToolFailed(GatekitError):
    """A call with this identity ran before and its tool raised: `type_name` and `message` are what is known."""

    def __init__(self, request_id: str, type_name: str, message: str) -> None:
        super().__init__(request_id, type_name, message)
        self.request_id = request_id
        self.type_name = type_name
        self.message = message

    def __str__(self) -> str:
        return f"the tool ran and raised {_safe(self.type_name)}: {_safe(self.message)} (request {self.request_id})"


class OutcomeUnknown(GatekitError):
    """The tool was started, and how it ended is not known: a human has to look.

    `result` is the value that the tool returned where only *storing* the outcome failed, else `None`.
    """

    def __init__(self, request: Request, result: object = None) -> None:
        super().__init__(request, result)
        self.request = request
        self.result = result

    def __str__(self) -> str:
        return (
            f"{_safe(self.request.tool)} was started and its outcome is not known (request {self.request.id}): "
            f"look at what it did before you run it again"
        )


class ResultNotStored(GatekitError):
    """A call with this identity ran before and succeeded, but JSON could not hold its result."""

    def __init__(self, request_id: str) -> None:
        super().__init__(request_id)
        self.request_id = request_id

    def __str__(self) -> str:
        return f"the tool ran and succeeded, but its result could not be stored (request {self.request_id})"


class RunError(GatekitError):
    """A durable run has no result. `run_id` names it, `reason` says why."""

    _said = "has no result"

    def __init__(self, run_id: object, reason: str = "") -> None:
        super().__init__(run_id, reason)
        self.run_id = run_id
        self.reason = reason

    def __str__(self) -> str:
        because = f": {_safe(self.reason)}" if self.reason else ""
        return f"run {_safe(str(self.run_id))!r} {self._said}{because}"


class RunNotFound(RunError):
    """The queue holds no run of this id."""

    _said = "is not in this queue"


class RunFailed(RunError):
    """The workflow raised. `type_name` is the type of what it raised; `handle.resume()` tries the failed step again."""

    _said = "failed"

    def __init__(self, run_id: object, reason: str = "", type_name: str = "Exception") -> None:
        super().__init__(run_id, reason)
        self.args = (run_id, reason, type_name)
        self.type_name = type_name

    def __str__(self) -> str:
        return f"run {_safe(str(self.run_id))!r} failed with {_safe(self.type_name)}: {_safe(self.reason)}"


class RunCancelled(RunError):
    """The run was cancelled, from inside or from outside."""

    _said = "was cancelled"


class RunNeedsReview(RunError):
    """The run stopped at something that a human has to look at; `reason` says what, and what to do."""

    _said = "needs a review"


class ReviewError(GatekitError):
    """A decision was refused. The request is as it was."""


class RequestNotFound(ReviewError):
    """The queue holds no request of this id."""

    def __init__(self, request_id: object) -> None:
        super().__init__(request_id)
        self.request_id = request_id

    def __str__(self) -> str:
        return f"no request {_safe(repr(self.request_id))} in this queue: `gatekit list` shows those that wait"


class NotAllowed(ReviewError):
    """This person may not do this, or nobody may in this state; the message says who or what may."""

    def __str__(self) -> str:
        return _safe(str(self.args[0])) if self.args else "not allowed"


class AlreadyDecided(ReviewError):
    """Somebody decided first. `decision` is the one that stands."""

    def __init__(self, decision: Decision) -> None:
        super().__init__(decision)
        self.decision = decision

    def __str__(self) -> str:
        decision = self.decision
        return f"already decided: {decision.verb} by {_safe(decision.by)} at {decision.at:%Y-%m-%d %H:%M:%S} UTC"


class StaleToken(ReviewError):
    """What is asked has changed since it was read: read the request again and decide on what it says now."""

    def __init__(self, given: str, current: str) -> None:
        super().__init__(given, current)
        self.given = given
        self.current = current

    def __str__(self) -> str:
        return f"the request changed since it was read (you saw {_safe(self.given)}, it is {self.current})"


class InvalidEdit(ReviewError):
    """The edited arguments do not fit the tool. `errors` names each place and what is wrong there."""

    def __init__(self, errors: tuple[str, ...]) -> None:
        super().__init__(errors)
        self.errors = errors

    def __str__(self) -> str:
        return "the edit does not fit: " + "; ".join(_safe(error) for error in self.errors)


class StoreError(GatekitError):
    """The queue could not be used. Whatever was asked did not happen; the tool does not run."""


class StoreBusy(StoreError):
    """Another process held the queue's lock for longer than gatekit waits."""

    def __init__(self, path: str, seconds: float) -> None:
        super().__init__(path, seconds)
        self.path = path
        self.seconds = seconds

    def __str__(self) -> str:
        return f"{self.path} was locked by another process for {self.seconds:g} s; nothing was written: try again"


class SchemaTooNew(StoreError):
    """The queue was written by a newer gatekit. It was not touched."""

    def __init__(self, path: str, found: int, known: int) -> None:
        super().__init__(path, found, known)
        self.path = path
        self.found = found
        self.known = known

    def __str__(self) -> str:
        return (
            f"{self.path} has schema {self.found}, this gatekit knows {self.known}: "
            f"upgrade with `pip install -U gatekit-hitl`"
        )


class NotAQueue(StoreError):
    """The file is not a gatekit queue, or holds what no queue holds. It was not touched."""

    def __init__(self, path: str, why: str) -> None:
        super().__init__(path, why)
        self.path = path
        self.why = why

    def __str__(self) -> str:
        return f"{self.path} is not a gatekit queue: {_safe(self.why)}"


class QueueNotFound(StoreError):
    """There is no file at this path, and this command creates none."""

    def __init__(self, path: str) -> None:
        super().__init__(path)
        self.path = path

    def __str__(self) -> str:
        return f"there is no queue at {self.path}: give its path with --queue or $GATEKIT_QUEUE"


__all__ = [
    "AlreadyDecided",
    "CallConflict",
    "Cancelled",
    "Expired",
    "GatekitError",
    "InvalidEdit",
    "NotAQueue",
    "NotAllowed",
    "NotApproved",
    "OutcomeUnknown",
    "ProgramChanged",
    "QueueNotFound",
    "Rejected",
    "RequestNotFound",
    "Responded",
    "ResultNotStored",
    "ReviewError",
    "RunCancelled",
    "RunConflict",
    "RunError",
    "RunFailed",
    "RunNeedsReview",
    "RunNotFound",
    "SchemaTooNew",
    "StaleToken",
    "StoreBusy",
    "StoreError",
    "Suspended",
    "ToolFailed",
    "UsageError",
]
