"""What an event of a request's history says beside its kind, in words. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from typing import Any, Final

from gatekit.cli.paint import moment, safe
from gatekit.clock import to_datetime
from gatekit.models import Event, Request

Data = Mapping[str, Any]


def told(event: Event, request: Request) -> str:
    """The event's data as words; those of kinds that say little else as they are stored.

    `request` is the one that the event happened to, as it is now: its stages are known by their numbers.
    """
    words = _WORDS.get(event.kind)
    if words is None or not isinstance(event.data, dict):
        return _plain(event.data)
    return words(event.data, request)


def _plain(data: Data) -> str:
    return ", ".join(f"{safe(key)} {_json(value)}" for key, value in data.items())


def _submitted(data: Data, request: Request) -> str:
    terms = [
        f"stages {_people(data['stages'])}" if "stages" in data else "",
        f"rule {_text(data['rule'])}" if "rule" in data else "",
        "one person may decide several stages, and the requester too" if data.get("separate") is False else "",
    ]
    return "; ".join(filter(None, [*terms, _plain(_without(data, "stages", "rule", "separate"))]))


def _voted(data: Data, request: Request) -> str:
    names = [safe(request.stages[number].name) for number in data.get("stages", ()) if number < len(request.stages)]
    said = "said yes" if data.get("verb") != "edit" else "edited it and said yes"
    stages = f" for {', '.join(names)}" if names else ""
    return f"{said}{stages}" + _because(data.get("note"))


def _stage(data: Data, request: Request) -> str:
    return f"now asks stage {_json(data.get('number'))}, {_text(data.get('stage'))}"


def _escalated(data: Data, request: Request) -> str:
    words = f"{_people(data.get('to', ()))} may decide too (rung {_json(data.get('rung'))})"
    return words + _because(data.get("reason"))


def _reminder(data: Data, request: Request) -> str:
    return f"reminder {_json(data.get('no'))}: still undecided"


def _overdue(data: Data, request: Request) -> str:
    return f"nobody decided by {_moment(data.get('decide_by'))}; it stays open"


def _expired(data: Data, request: Request) -> str:
    by = data.get("decide_by")
    return _text(data.get("reason")) + (f", the deadline was {_moment(by)}" if by is not None else "")


def _claimed(data: Data, request: Request) -> str:
    return "looks at it"


def _delegated(data: Data, request: Request) -> str:
    return f"{_text(data.get('to'))} decides in their place" + _because(data.get("reason"))


def _granted(data: Data, request: Request) -> str:
    uses, ends = data.get("uses"), data.get("expires_at")
    terms = [f"{_json(uses)} times" if uses is not None else "", f"until {_moment(ends)}" if ends is not None else ""]
    return f"calls like it are allowed {', '.join(filter(None, terms))} by grant {_text(data.get('grant'))}"


def _without(data: Data, *names: str) -> Data:
    return {name: value for name, value in data.items() if name not in names}


def _people(names: object) -> str:
    return ", ".join(map(_text, names)) if isinstance(names, list) else _text(names)


def _because(words: object) -> str:
    return f": {_json(words)}" if words is not None else ""


def _moment(at: object) -> str:
    if type(at) is not int:
        return _text(at)
    return moment(to_datetime(at))


def _text(value: object) -> str:
    return safe(value) if isinstance(value, str) else _json(value)


def _json(value: object) -> str:
    return safe(json.dumps(value, ensure_ascii=False))


_WORDS: Final[Mapping[str, Callable[[Data, Request], str]]] = {
    "submitted": _submitted,
    "voted": _voted,
    "stage": _stage,
    "escalated": _escalated,
    "reminder": _reminder,
    "overdue": _overdue,
    "expired": _expired,
    "claimed": _claimed,
    "delegated": _delegated,
    "granted": _granted,
}
