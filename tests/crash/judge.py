"""Whether a queue keeps its promises, judged by its rows alone and by what those who used it were told.

It is written against the table of states and shares no code with the machine. Every function answers what is wrong,
in words; an empty list is a clean bill.
"""

from __future__ import annotations

import hashlib
import json
from collections import Counter
from collections.abc import Container, Iterable, Iterator, Sequence
from typing import Final

from tests.crash.book import Book, Effect, Entry, Row
from tests.crash.chronicle import of_events
from tests.crash.told import Told

NEVER_STARTED: Final = ("rejected", "responded", "expired", "cancelled")
OVER: Final = (*NEVER_STARTED, "succeeded", "failed", "answered")
_ALLOWING: Final = ("approve", "edit", "retry")


def half_applied(book: Book) -> list[str]:
    """Rows that contradict each other: no whole number of transitions leads to them."""
    wrong = list(book.flaws)
    for entry in book.entries:
        found = [*of_events(entry), *_revisions(entry), *_permits(entry), *_attempts(entry), *_status(entry)]
        wrong += [f"{entry.label or entry.request['id']} ({entry.status}): {text}" for text in found]
    return wrong


def _numbered(rows: Sequence[Row], key: str, what: str) -> Iterator[str]:
    if [row[key] for row in rows] != list(range(1, len(rows) + 1)):
        yield f"its {what} are numbered {[row[key] for row in rows]}"


def _revisions(entry: Entry) -> Iterator[str]:
    request, revisions = entry.request, entry.revisions
    yield from _numbered(revisions, "revision", "revisions")
    if len(revisions) != request["revisions"]:
        yield f"it has {len(revisions)} revisions and counts {request['revisions']}"
    for row in revisions:
        if row["digest"] != digest(request["tool"], row["text"]):
            yield f"revision {row['revision']} is not what its digest says"
    yield from _names_a_revision(entry, request, "the request")
    for row in entry.decisions:
        yield from _names_a_revision(entry, row, f"decision {row['no']}")
    for row in entry.permits:
        yield from _names_a_revision(entry, row, f"permit {row['no']}")


def _names_a_revision(entry: Entry, row: Row, who: str) -> Iterator[str]:
    named = next((found for found in entry.revisions if found["revision"] == row["revision"]), None)
    if named is None or named["digest"] != row["digest"]:
        yield f"{who} names revision {row['revision']} with a digest that it does not have"


def _permits(entry: Entry) -> Iterator[str]:
    yield from _numbered(entry.permits, "no", "permits")
    for permit in entry.permits:
        no = permit["no"]
        behind = next((row for row in entry.decisions if row["no"] == permit["decision"]), None)
        asked = ("version", "revision", "digest")
        if behind is None or behind["verb"] not in _ALLOWING or any(behind[key] != permit[key] for key in asked):
            yield f"no decision stands behind permit {no}"
        used = sum(row["permit"] == no and row["state"] != "given_back" for row in entry.attempts)
        if used != permit["starts"] or used > permit["max_starts"]:
            yield f"permit {no} allows {permit['max_starts']} starts, counts {permit['starts']}, and {used} were made"
        if not permit["void"] and permit["starts"] < permit["max_starts"] and no != entry.request["permit"]:
            yield f"permit {no} is not in force, and has starts left"


def _attempts(entry: Entry) -> Iterator[str]:
    yield from _numbered(entry.attempts, "no", "attempts")
    kept = [row["no"] for row in entry.attempts if row["state"] != "given_back"]
    if entry.request["attempt"] != (kept[-1] if kept else None):
        yield f"its last attempt is {kept[-1:]}, and it names {entry.request['attempt']}"
    for row in entry.attempts:
        if (row["state"] == "running") != (row["finished_at"] is None):
            yield f"attempt {row['no']} is {row['state']} and ended at {row['finished_at']}"
    running = [row["no"] for row in entry.attempts if row["state"] == "running"]
    if running != ([entry.request["attempt"]] if entry.status == "running" else []):
        yield f"attempts {running} are running"


def _status(entry: Entry) -> Iterator[str]:
    """What each state says of the other rows."""
    request, status = entry.request, entry.status
    decision = next((row for row in entry.decisions if row["no"] == request["decision"]), None)
    permit = next((row for row in entry.permits if row["no"] == request["permit"]), None)
    last = next((row["state"] for row in entry.attempts if row["no"] == request["attempt"]), None)
    left = 0 if permit is None or permit["void"] else permit["max_starts"] - permit["starts"]
    verb, settled = (None, False) if decision is None else (decision["verb"], decision["verb"] == "settle")
    rules = {
        "pending": (decision is None and left == 0, "has a decision or a permit"),
        "held": (decision is not None and request["effective_at"] is not None, "lacks its decision or its end"),
        "approved": (verb in _ALLOWING and left > 0, "lacks a decision or a permit with a start left"),
        "running": (verb in _ALLOWING and permit is not None and not permit["void"], "lacks decision or permit"),
        "unknown": (last == "lost", f"has a last attempt that is {last}"),
        "succeeded": ((last == "returned" or settled) and request["outcome"] == "returned", f"{last}, no outcome"),
        "failed": ((last == "raised" or settled) and request["outcome"] == "raised", f"{last}, no outcome"),
        "answered": (verb == "release" and last is None, f"is answered by {verb}"),
        "rejected": (verb == "reject" and last is None, f"is rejected by {verb}, attempt {last}"),
        "responded": (verb == "respond" and last is None, f"is responded by {verb}, attempt {last}"),
        "expired": (verb == "expire" and last is None, f"is expired by {verb}, attempt {last}"),
        "cancelled": (verb == "cancel" and last is None, f"is cancelled by {verb}, attempt {last}"),
    }
    holds, text = rules[status]
    if not holds:
        yield text
    if status in OVER and left:
        yield "is over, and its permit has starts left"


def forgotten(book: Book, told: Iterable[Told]) -> list[str]:
    """What somebody was told and the queue does not know (any more)."""
    wrong = []
    starts = Counter(report.label for report in told if report.what == "called")
    for label, count in starts.items():
        made = sum(row["state"] != "given_back" for entry in book.of(label) for row in entry.attempts)
        if made < count:
            wrong.append(f"{label}: the tool was called {count} times, the queue knows of {made} starts")
    for report in told:
        if not any(_knows(entry, report) for entry in book.of(report.label)) and report.what in _KNOWN:
            wrong.append(f"forgotten: {report.what} {report.label} {report.detail}")
    return wrong


_KNOWN: Final = ("submitted", "decided", "returned", "raised", "refused", "unknown")


def _knows(entry: Entry, report: Told) -> bool:
    if report.what == "decided":
        said = [f"{row['verb']} {row['by']} {row['token']}" for row in entry.decisions]
        return report.detail in said
    if report.what == "returned":
        ended = entry.status == "succeeded" and entry.request["result"] == report.detail
        return ended or _reported_late(entry)
    if report.what == "raised":
        return any(row["state"] == "raised" for row in entry.attempts)
    if report.what == "refused":
        return entry.status in NEVER_STARTED
    if report.what == "unknown":
        return any(event["kind"] == "unknown" for event in entry.events)
    return True


def _reported_late(entry: Entry) -> bool:
    """Whether an attempt that was given up came to its end after all: its own caller has what the queue has not."""
    return any(event["kind"] == "late_report" for event in entry.events)


def run_too_often(book: Book, effects: Iterable[Effect]) -> list[str]:
    """Effects that no start stands behind, that stand behind one start twice, or that nobody allowed."""
    wrong = []
    for effect, count in Counter(effects).items():
        started = [row for entry in book.of(effect.label) for row in _starts(entry, effect)]
        if len(started) != 1 or count != 1:
            wrong.append(f"{effect} happened {count} times under {len(started)} starts")
    return wrong


def _starts(entry: Entry, effect: Effect) -> Iterator[Row]:
    """The attempt that had this effect, if its permit is for exactly these arguments."""
    if effect.request not in ("", entry.request["id"]):
        return
    wanted = digest(entry.request["tool"], canonical({"label": effect.label, "amount": effect.amount}))
    allowed = [permit["no"] for permit in entry.permits if permit["digest"] == wanted]
    for row in entry.attempts:
        if row["no"] == effect.attempt and row["permit"] in allowed and row["state"] != "given_back":
            yield row


def wrongly_resumed(book: Book, told: Sequence[Told], effects: Iterable[Effect]) -> list[str]:
    """Of calls that nobody runs any more: one that had an effect must be over, or unknown until a human speaks."""
    wrong = [f"{entry.label}: still running" for entry in book.entries if entry.status == "running"]
    for label in {effect.label for effect in effects}:
        for entry in book.of(label):
            if entry.status not in ("unknown", "succeeded", "failed") and not _may_run_again(entry):
                wrong.append(f"{label}: the tool was called, and the request is {entry.status}")
    ended = {report.label for report in told if report.what in ("returned", "raised")}
    for label in ended:
        for entry in book.of(label):
            if entry.status == "unknown" and not _reported_late(entry):
                wrong.append(f"{label}: reported, and unknown")
    return wrong


def untimely_unknown(book: Book, dead: Container[int]) -> list[str]:
    """Attempts that count as lost although their process lives and no human gave them up."""
    wrong = []
    for entry in book.entries:
        given_up = [row["attempt"] for row in entry.decisions if row["verb"] == "declare_lost"]
        for row in entry.attempts:
            process = int(row["owner"].rsplit("/", 2)[-2])
            if row["state"] == "lost" and row["no"] not in given_up and process not in dead:
                wrong.append(f"{entry.label}: attempt {row['no']} is lost, and process {process} lives")
    return wrong


def _may_run_again(entry: Entry) -> bool:
    """Whether a human allowed another start, or the tool's author did for an idempotent tool."""
    by_author = entry.request["max_starts"] > 1 and any(event["kind"] == "again" for event in entry.events)
    return by_author or any(row["verb"] == "retry" for row in entry.decisions)


def digest(tool: str, text: str) -> str:
    """What names arguments, by the definition: tool and canonical text."""
    return hashlib.sha256(f"gatekit.v1\0{tool}\0{text}".encode()).hexdigest()


def canonical(args: dict[str, object]) -> str:
    """The canonical text of plain arguments."""
    return json.dumps(args, sort_keys=True, separators=(",", ":"))
