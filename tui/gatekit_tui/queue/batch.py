"""Many calls at once: which of them can be, what they have in common, and what came of it. Pure."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from gatekit.models import Request, Risk
from gatekit_tui.frame.row_text import RISK_INK, RISK_SHORT, fate, one_line
from gatekit_tui.frame.spans import Inked, Span
from gatekit_tui.request.study import Study

LONGEST: Final = 2000
"""Characters of arguments beyond which a call is looked at by itself."""
_ALONE: Final = ("high", "critical")


@dataclass(frozen=True, slots=True)
class Sorted:
    """The marked requests: those that can be approved together, and why the others cannot."""

    together: tuple[Study, ...]
    alone: tuple[tuple[Request, str], ...]


def why_alone(seen: Study, token: str, refusal: str | None, now: datetime) -> str | None:
    """Why a marked request is not approved with the others; None: it can be."""
    request = seen.request
    if request.status != "pending":
        return fate(request.status, request.decision, now)
    if request.token != token:
        return "it changed since it was marked"
    if refusal is not None:
        return f"not allowed: {one_line(refusal)}"
    if seen.broken:
        return "it cannot be displayed"
    if request.kind != "call":
        return f"a {request.kind} is decided by itself"
    if request.risk in _ALONE:
        return f"{request.risk} risk"
    if seen.hidden:
        return "hidden characters"
    if seen.warnings:
        return "its texts could mislead"
    if len(request.args_text) > LONGEST or any(line.kind == "more" for line in seen.drawing.lines):
        return "its arguments are long"
    return None


def summary_lines(together: Sequence[Study]) -> list[Inked]:
    """How many of which tool and risk; for each tool what is the same in all of its calls, and what differs."""
    lines: list[Inked] = []
    counts: Counter[tuple[str, Risk]] = Counter((seen.request.tool, seen.request.risk) for seen in together)
    for (tool, risk), count in sorted(counts.items()):
        lines.append((_badge(risk), (f"{one_line(tool)}", "title"), (f"  {count} call{_s(count)}", "text")))
        calls = [_by_path(seen) for seen in together if (seen.request.tool, seen.request.risk) == (tool, risk)]
        lines += _in_common(calls)
    return lines


def item_lines(together: Sequence[Study]) -> list[Inked]:
    """Each call with all of its arguments."""
    lines: list[Inked] = []
    for number, seen in enumerate(together, 1):
        arguments: list[Span] = []
        for path, text in _by_path(seen).items():
            arguments.append((f"{path} ", "dim"))
            arguments.append((f"{text}  ", "string"))
        lines.append(((f"{number:>3} ", "dim"), (f"{one_line(seen.request.tool)}  ", "text"), *arguments))
    return lines


def alone_lines(alone: Iterable[tuple[Request, str]]) -> list[Inked]:
    """Each request that is left out, and why."""
    return [
        (("  ✗ ", "warn"), (f"{one_line(request.tool)} {request.id[-6:]}: ", "text"), (why, "warn"))
        for request, why in alone
    ]


def tools_of(requests: Sequence[Request]) -> str:
    """Which tools they are of, and how many of each: `deploy, 3 send_email`."""
    counts = Counter(one_line(request.tool) for request in requests)
    return ", ".join(tool if count == 1 else f"{count} {tool}" for tool, count in sorted(counts.items()))


def told_lines(requests: Sequence[Request], told: Sequence[str | None], done: str) -> list[Inked]:
    """What came of each."""
    return [
        (
            ("  ✓ " if why is None else "  ✗ ", "good" if why is None else "warn"),
            (f"{one_line(request.tool)} {request.id[-6:]}: ", "text"),
            (done if why is None else one_line(why), "good" if why is None else "warn"),
        )
        for request, why in zip(requests, told, strict=True)
    ]


def told_words(told: Sequence[str | None], done: str) -> str:
    """`17 approved, 1 not`."""
    failed = sum(why is not None for why in told)
    worked = len(told) - failed
    return f"{worked} {done}" + (f", {failed} not" if failed else "")


def _by_path(seen: Study) -> dict[str, str]:
    """Every argument by its path, each whole: a text of several lines is drawn as several."""
    texts: dict[str, str] = {}
    path = ""
    for line in seen.drawing.lines:
        path = line.path or path
        texts[path] = texts.get(path, "") + line.text
    return texts


def _in_common(calls: Sequence[dict[str, str]]) -> list[Inked]:
    if len(calls) < 2:
        return []
    paths = list(dict.fromkeys(path for call in calls for path in call))
    same = [path for path in paths if len({call.get(path) for call in calls}) == 1]
    lines: list[Inked] = []
    if same:
        told = ", ".join(f"{path} {calls[0][path]}" for path in same)
        lines.append((("      the same in all: ", "dim"), (told, "text")))
    for path in paths:
        if path not in same:
            lines.append(((f"      {path} differs: ", "dim"), (_spread([call.get(path) for call in calls]), "warn")))
    return lines


def _spread(texts: Sequence[str | None]) -> str:
    """How far values differ: from the least to the largest number, or how many values there are."""
    numbers: list[float] = []
    for text in texts:
        try:
            numbers.append(float(text or ""))
        except ValueError:
            return f"{len(set(texts))} values"
    by_size = sorted(zip(numbers, texts, strict=True))
    return f"{by_size[0][1]} to {by_size[-1][1]}"


def _badge(risk: Risk) -> Span:
    return (f"{RISK_SHORT[risk]:<5}", RISK_INK[risk])


def _s(count: int) -> str:
    return "" if count == 1 else "s"
