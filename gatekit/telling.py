"""What the model is told in place of an exception, and of an edit: short texts, made here and nowhere else."""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from typing import Any, Final

from gatekit.display import shorten
from gatekit.errors import Expired, NotApproved, Responded, Suspended
from gatekit.models import Change

_JSON_WORD: Final = re.compile(r"\s*(-?\d+(\.\d+)?([eE][-+]?\d+)?|true|false|null)\s*")
_LONGEST_VALUE: Final = 200


def tell(error: NotApproved | Suspended) -> str:
    """For the model, in place of the exception."""
    if isinstance(error, Suspended):
        return f"This call was not run yet: it waits for a human's approval (request {error.request_id})."
    if isinstance(error, Responded):
        return f"This call was not run. A reviewer answered: {error.text}"
    if isinstance(error, Expired):
        return "This call was not run: nobody decided on it in time. That is not a refusal."
    because = f": {error.reason}" if error.reason else "."
    how = "rejected by a reviewer" if error.request.status == "rejected" else "withdrawn"
    return f"This call was not run: it was {how}{because}"


def tell_edit(result: Any, changes: Sequence[Change], *, wanted: bool | None, call_given: bool) -> Any:
    """The result with a line before it that says what a reviewer changed, where that cannot corrupt it.

    `wanted` None: only for calls with an id of their own, and only before text that is not JSON.
    """
    if wanted is False or type(result) is not str or not changes:
        return result
    if wanted is None and (not call_given or looks_like_json(result)):
        return result
    return f"{edit_sentence(changes)}\n\n{result}"


def looks_like_json(text: str) -> bool:
    """Whether a program might parse this text as JSON."""
    return text.lstrip()[:1] in ("{", "[", '"') or _JSON_WORD.fullmatch(text) is not None


def edit_sentence(changes: Sequence[Change]) -> str:
    """What was changed, in one sentence."""
    return f"A reviewer {'; '.join(map(_changed, changes))} before this ran."


def _changed(change: Change) -> str:
    name = change.path.removeprefix("$.")
    if change.kind == "added":
        return f"added {name} = {_brief(change.after)}"
    if change.kind == "removed":
        return f"removed {name} (it was {_brief(change.before)})"
    return f"changed {name} from {_brief(change.before)} to {_brief(change.after)}"


def _brief(value: object) -> str:
    if isinstance(value, dict) and value.get("$gatekit") == "redacted":
        return "[redacted]"
    return shorten(json.dumps(value, ensure_ascii=False), _LONGEST_VALUE)[0]
