"""What the queue says of a finished demo: what was asked, what ran with which arguments, and who allowed it."""

from __future__ import annotations

import hashlib
import posixpath
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from gatekit import Gate, Request
from gatekit.arguments.diff import diff
from gatekit.demo.agent import call_text
from gatekit.display import visible, words_of
from gatekit.models import STATUSES, Decision

_LOOKING: Final = frozenset({"list_folder", "read_first_line"})
_RAN: Final = {"succeeded": "ran", "failed": "failed", "running": "runs", "unknown": "unknown"}


@dataclass(frozen=True, slots=True)
class Told:
    """A call on which a human was asked."""

    ending: str
    """`ran`, `edited, ran`, `rejected`, …"""
    call: str
    """The call with the arguments that ran, or that were asked for where nothing ran."""
    who: str
    """Who allowed or refused it, and in which words."""


@dataclass(frozen=True, slots=True)
class Summary:
    """All calls of a demo, by who allowed them."""

    asked: list[Told]
    at_once: list[str]
    """Calls that changed something and needed nobody, by the tools' own rules."""
    looked: int
    """How many others only looked."""


def requests_of(gate: Gate) -> list[Request]:
    """Every call that the queue holds, in the order in which they came."""
    found: list[Request] = []
    after: str | None = None
    while True:
        page = gate.requests(STATUSES, after=after, limit=1000)
        found += [gate.get(row.id) for row in page]
        if not page.more:
            return found
        after = page[-1].key


def summary(requests: Iterable[Request]) -> Summary:
    """What happened, told from the queue's records."""
    told = Summary([], [], 0)
    looked = 0
    for request in requests:
        call = call_text(request.tool, request.args)
        if request.decision is None or not request.decision.by.startswith("policy:"):
            told.asked.append(Told(_ending(request), call, _who(request)))
        elif request.tool in _LOOKING:
            looked += 1
        else:
            told.at_once.append(call if request.status == "succeeded" else f"{call}: {request.status}")
    return replace(told, looked=looked)


def _ending(request: Request) -> str:
    ending = _RAN.get(request.status, request.status)
    edited = request.decision is not None and request.decision.verb == "edit"
    return f"edited, {ending}" if edited else ending


def _who(request: Request) -> str:
    decision = request.decision
    if decision is None:
        return "nobody yet"
    who = visible(decision.by.removeprefix("human:"))[0]
    words = words_of(decision)
    changed = _changed(request) if decision.verb == "edit" else ""
    return who + changed + (f": {visible(words)[0]}" if words else "")


def _changed(request: Request) -> str:
    if request.original is None:
        return ""
    before = {change.path.removeprefix("$."): change.before for change in diff(request.original, request.args_text)}
    return " (asked for " + visible(", ".join(f"{name}={value!r}" for name, value in before.items()))[0] + ")"


def expected(
    before: Mapping[str, str], folder: str, decided: Iterable[tuple[str, Mapping[str, Any]]]
) -> dict[str, str]:
    """The files that there must be if exactly these calls ran: paths and SHA-256, as `contents` gives them.

    >>> expected({"desk/a": "1"}, "desk", [("move_file", {"source": "a", "to": "../b"})])
    {'b': '1'}
    """
    files = dict(before)
    for tool, args in decided:
        match tool:
            case "delete_file":
                files.pop(_path(folder, args["path"]), None)
            case "move_file":
                moved = files.pop(_path(folder, args["source"]), None)
                if moved is not None:
                    files[_path(folder, args["to"])] = moved
            case "write_file":
                files[_path(folder, args["path"])] = hashlib.sha256(args["content"].encode()).hexdigest()
            case _:
                pass
    return files


def allowed(requests: Iterable[Request]) -> list[tuple[str, Mapping[str, Any]]]:
    """The calls that a decision let run, with the arguments it named, in the order in which they started."""
    granted = [request for request in requests if _is_allowed(request.decision)]
    granted.sort(key=lambda request: request.attempt.started_at if request.attempt else request.created_at)
    return [(request.tool, request.args) for request in granted]


def _is_allowed(decision: Decision | None) -> bool:
    return decision is not None and decision.verb in ("approve", "edit")


def differences(wanted: Mapping[str, str], found: Mapping[str, str]) -> list[str]:
    """Where the files on the disk are not as they must be, in words; empty if they are."""
    told = [f"{path} should be there and is not" for path in wanted.keys() - found.keys()]
    told += [f"{path} should not be there" for path in found.keys() - wanted.keys()]
    told += [f"{path} holds something else" for path in wanted.keys() & found.keys() if wanted[path] != found[path]]
    return sorted(visible(line)[0] for line in told)


def _path(folder: str, path: str) -> str:
    return posixpath.normpath(posixpath.join(folder, path))
