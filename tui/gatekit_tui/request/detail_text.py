"""One call in full, as lines: what would run first, drawn by us; what the agent says of it last. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any, Final

from gatekit.display import Drawing, Line, ago, draw_arguments, shorten, visible, warnings_of
from gatekit.models import FINAL, Outcome, Request
from gatekit_tui.frame.row_text import RISK_INK, fate, one_line, person
from gatekit_tui.frame.spans import Ink, Inked, Span, fit, length, spread, wrap, wrap_inked
from gatekit_tui.request.fields import WHOLE, Field, fields_of, takes
from gatekit_tui.request.preview_text import preview_lines, texts_of
from gatekit_tui.request.question_text import prompt_of, question_lines
from gatekit_tui.request.stages_text import deadline_line, policy_lines
from gatekit_tui.request.views_text import views_of

_ARGUMENT_INK: Final[dict[str, Ink]] = {
    "string": "string",
    "number": "number",
    "constant": "constant",
    "empty": "dim",
    "redacted": "note",
    "more": "warn",
}
_LONGEST_NAME: Final = 24
_LONGEST_RAW: Final = 2000
_LONGEST_WHO: Final = 60
"""Characters of foreign names in the heading, which must not push the arguments out of sight; the history has all."""
_MARGIN: Final = "  "
_BAR: Final[Span] = ("│ ", "dim")


_OVER: Final = FINAL | {"held", "approved"}


@dataclass(frozen=True, slots=True)
class Study:
    """A request, and what is to be known of its texts before they are shown."""

    request: Request
    drawing: Drawing
    """What is shown as arguments; of a question its details."""
    hidden: int
    """Deceptive characters in all its texts."""
    warnings: tuple[str, ...]
    """What could mislead, with the place."""
    fields: tuple[Field, ...] = ()
    """What the answer to a question is typed into."""
    broken: str = ""
    """Why it cannot be displayed: then nobody says yes to it here."""


def study(request: Request, schema: Mapping[str, Any] | None = None) -> Study:
    """Look at every text of a request; `schema` is a question's. Large arguments take their time: not on the loop."""
    try:
        return _looked_at(request, schema)
    except Exception as error:  # noqa: BLE001 - one request that cannot be drawn must not take the others with it
        return broken(Study(request, Drawing((), 0, 0, ()), 0, ()), error)


def broken(seen: Study, error: Exception) -> Study:
    """The same request, which cannot be displayed because of this."""
    return replace(seen, broken=f"{type(error).__name__}: {one_line(str(error))}")


def _looked_at(request: Request, schema: Mapping[str, Any] | None) -> Study:
    drawing = draw_arguments(_shown(request))
    fields = () if schema is None else fields_of(schema)
    others = _texts(request, fields)
    hidden = drawing.hidden + sum(visible(text)[1] for text in others.values())
    warnings = [*drawing.warnings]
    for name, text in others.items():
        warnings.extend(f"{name}: {warning}" for warning in warnings_of(text))
    return Study(request, drawing, max(hidden, request.hidden), tuple(warnings), fields)


def _asks(request: Request) -> bool:
    """Whether there is no tool behind it, but a prompt."""
    return request.kind in ("question", "confirm")


def _shown(request: Request) -> dict[str, Any]:
    """What is drawn as arguments: all but what is drawn in a place of its own."""
    args = request.args
    if not _asks(request):
        return args
    details = args.get("details")
    shown = {key: value for key, value in args.items() if key not in ("answer", "details", "prompt")}
    shown |= details if isinstance(details, dict) else {}
    return shown if args.get("answer") is None else {"(answer so far)": args["answer"], **shown}


def _texts(request: Request, fields: tuple[Field, ...]) -> dict[str, str]:
    """All that is shown beside the arguments, by name."""
    people = [*(name for pair in request.delegations for name in pair), request.claim.by if request.claim else ""]
    for stage in request.stages:
        people += [stage.name, *stage.reviewers, *stage.by]
    return {
        "description": "" if _asks(request) else request.description,
        "question": prompt_of(request) if _asks(request) else "",
        "answers": "\n".join(takes(fields)),
        "tool": request.tool,
        "requester": request.requester,
        "run": request.run or "",
        "call id": request.call_id,
        "reasons": "\n".join(request.reasons),
        "rule": request.rule or "",
        "stages and reviewers": "\n".join(people),
        "preview": texts_of(request.preview),
    }


@dataclass(frozen=True, slots=True)
class Body:
    """What does not change with time."""

    lines: tuple[Inked, ...]
    """Warnings, arguments, what the agent shows, and its words."""
    arguments_end: int
    """How many of the lines there are up to the last argument."""


def draw_body(seen: Study, width: int) -> Body:
    """The lines under the heading, for a pane of `width` cells."""
    inner = _inner(width)
    if seen.broken:
        return Body(_indented(_instead(seen, inner)), 0)
    top = [*_warnings(seen, inner), ()]
    if _asks(seen.request):
        lines = [*top, *_question(seen, inner)]
        return Body(_indented([*lines, *_wanted(seen, inner)]), len(lines))
    arguments = [_section("arguments", _arguments_note(seen), inner), *_arguments(seen.drawing, inner)]
    if seen.request.outcome is not None:
        top = [*top, *_ended(seen.request.outcome, inner), ()]
    words = [
        (),
        _section("the agent says", _words_note(seen.request), inner),
        *_words(seen.request, inner),
    ]
    return Body(_indented([*top, *arguments, *_shown_besides(seen.request, inner), *words]), len(top) + len(arguments))


def _instead(seen: Study, width: int) -> list[Inked]:
    """What is shown of a request that cannot be displayed."""
    stored = ascii(seen.request.args_text[:_LONGEST_RAW])
    return [
        ((one_line(seen.request.tool), "title"), (f"  {one_line(seen.request.id)}", "dim")),
        *_told(f"✗ cannot display: {seen.broken}", width, "warn"),
        *_told("It can be rejected here. To read it use  gatekit show --json", width, "note"),
        (),
        _section("the beginning of what is stored", "", width),
        *_told(stored, width, "dim"),
    ]


def _shown_besides(request: Request, width: int) -> list[Inked]:
    """What the agent shows of the call; where it shows nothing, what can be seen better in a shape of its own."""
    if request.preview is not None:
        note = _words_note(request)
        return [(), _section("the agent shows", note, width), *_barred(preview_lines(request.preview, width - 2))]
    drawn: list[Inked] = []
    for name, lines in views_of(request, width - 2):
        drawn += [(), ((name, "label"),), *_barred(lines)]
    return drawn


def _ended(outcome: Outcome, width: int) -> list[Inked]:
    """What the tool gave back, or raised."""
    if outcome.kind == "raised":
        told = f"{one_line(outcome.type_name or '')}: {one_line(outcome.message or '')}"
        return [_section("it failed", "", width), *_barred(_told(told, width - 2, "warn"))]
    if outcome.lost:
        return [_section("it returned", "what JSON cannot hold: it was not kept", width)]
    text = outcome.value_text or "null"
    cut = f"the first {_LONGEST_RAW:,} of {len(text):,} characters" if len(text) > _LONGEST_RAW else ""
    return [_section("it returned", cut, width), *_barred(_told(one_line(text[:_LONGEST_RAW]), width - 2, "text"))]


def _barred(lines: Iterable[Inked]) -> list[Inked]:
    """Foreign lines behind a bar: none of them looks like one of ours."""
    return [(_BAR, *line) for line in lines]


def _question(seen: Study, width: int) -> list[Inked]:
    """What is asked, and what goes with it."""
    lines = [_section("the agent asks", "its own words", width)]
    lines += _led(("│ ", "dim"), question_lines(seen.request), width)
    if _shown(seen.request):
        lines += [(), _section("details", "", width), *_arguments(seen.drawing, width)]
    return lines


def _wanted(seen: Study, width: int) -> list[Inked]:
    """What the answer to a question is to be."""
    told = takes(seen.fields)
    note = told.pop(0) if len(seen.fields) == 1 and seen.fields[0].name == WHOLE else ""
    if not told and not note:
        return []
    head = _beside((("the answer", "label"),), ((one_line(note), "dim"),), width)
    return [(), *head, *_led((_MARGIN, "text"), [((one_line(text), "text"),) for text in told], width)]


def _led(lead: Span, lines: list[Inked], width: int) -> list[Inked]:
    return [(lead, *piece) for line in lines for piece in wrap_inked(line, width - length((lead,)))]


def draw_heading(request: Request, width: int, now: datetime) -> tuple[Inked, ...]:
    """Who asks for what since when; or what became of it."""
    return _indented(_heading(request, _inner(width), now))


def _inner(width: int) -> int:
    return max(20, width - 2)


def _indented(lines: list[Inked]) -> tuple[Inked, ...]:
    return tuple((((" ", "text"), *line) if line else ()) for line in lines)


def _heading(request: Request, width: int, now: datetime) -> list[Inked]:
    run = f"run {shorten(one_line(request.run), _LONGEST_WHO)[0]} · " if request.run else ""
    title: Inked = ((one_line(request.tool), "title"),)
    lines = _beside(title, ((f"{run}{request.id} · v{request.version}", "dim"),), width)
    badge: Span = (f" {request.risk.upper()} ", RISK_INK[request.risk])
    if request.status in _OVER:
        became = fate(request.status, request.decision, now)
        lines += wrap_inked((badge, (" " + became, "gone")), width)
        asked = _calm((now - request.created_at).total_seconds())
        return [*lines, *_told(f"asked by {person(request.requester)} {asked} ago", width, "dim")]
    if request.status in ("running", "unknown"):
        return [*lines, *_last_attempt(request, badge, width, now)]
    waiting = f" waiting {_calm((now - request.created_at).total_seconds())}"
    state: Inked = (badge, (waiting, "dim"))
    if deadline := deadline_line(request, now):
        state = (*state, (" · ", "dim"), *deadline)
    lines += _beside(state, ((f"asked by {shorten(person(request.requester), _LONGEST_WHO)[0]}", "dim"),), width)
    lines += policy_lines(request, width, now)
    if request.max_starts > 1:
        lines += _told(f"once approved it may start up to {request.max_starts} times", width, "note")
    if request.waiter == "gone":
        lines += _told(_nobody_waits(request), width, "note")
    if request.reasons:
        lines += _told("why: " + "; ".join(one_line(reason) for reason in request.reasons), width, "dim")
    return lines


def _nobody_waits(request: Request) -> str:
    if request.kind == "pause":
        return "the run holds nothing while it waits: a worker, or its program, goes on with it"
    if _asks(request):
        goes_on = "its run goes on, or the program asks again" if request.run else "the program asks again"
        return f"nobody waits for the answer: it is read when {goes_on}"
    goes_on = "its run goes on, or the agent makes the call again" if request.run else "the agent makes the call again"
    return f"nobody waits: once approved it runs when {goes_on}"


def _last_attempt(request: Request, badge: Span, width: int, now: datetime) -> list[Inked]:
    """Who started it, when, allowed by whom; and what that leaves open."""
    attempt, decision = request.attempt, request.decision
    state = " runs now" if request.status == "running" else " started, and how it ended is not known"
    lines = wrap_inked((badge, (state, "warn")), width)
    if attempt is not None:
        since = ago((now - attempt.started_at).total_seconds())
        lines += _told(f"attempt {attempt.no}, started {since} ago by {_process(attempt.owner)}", width, "dim")
    if decision is not None:
        lines += _told(f"allowed by {person(decision.by)} · asked by {person(request.requester)}", width, "dim")
    if request.status == "unknown":
        told = "it may have done its work; a process that only sleeps may still do it: look at the other side first"
        lines += _told(told, width, "note")
    return lines


def _process(owner: str) -> str:
    """`host/boot/namespace/pid/start` in words."""
    parts = one_line(owner).rsplit("/", 4)
    return f"process {parts[3]} on {parts[0]}" if len(parts) == 5 else one_line(owner)


def _beside(left: Inked, right: Inked, width: int) -> list[Inked]:
    """Both on one line if there is room, else one under the other: nothing is left out."""
    if length(left) + length(right) + 2 <= width:
        return [spread(left, right, width)]
    return [*wrap_inked(left, width), *wrap_inked(right, width)]


def _warnings(seen: Study, width: int) -> list[Inked]:
    told = [one_line(warning) for warning in seen.warnings]
    if seen.hidden:
        plural = "" if seen.hidden == 1 else "s"
        told.insert(0, f"{seen.hidden} hidden character{plural}, made visible here")
    return [line for text in told for line in _told("▲ " + text, width, "warn")]


def _section(name: str, note: str, width: int) -> Inked:
    return spread(((name, "label"),), ((note, "dim"),) if note else (), width)


def _arguments_note(seen: Study) -> str:
    return "edited, the agent checks them" if seen.request.check_due else ""


def _words_note(request: Request) -> str:
    return "said of the first version" if request.revision > 1 else "its own words, not checked"


def _arguments(drawing: Drawing, width: int) -> list[Inked]:
    names = [len(line.path) for line in drawing.lines if len(line.path) <= _LONGEST_NAME]
    column = min(max(names, default=0) + 2, width // 2)
    return [row for line in drawing.lines for row in _argument(line, column, width)]


def _argument(line: Line, column: int, width: int) -> list[Inked]:
    ink = _ARGUMENT_INK[line.kind]
    rows: list[Inked] = []
    name = line.path
    if length(((name, "text"),)) > column - 2:
        rows = [((_MARGIN + piece, "text"),) for piece in wrap(name, width - 2)]
        name = ""
    pieces = wrap(line.text, width - len(_MARGIN) - column)
    for number, piece in enumerate(pieces):
        label = fit(name if number == 0 else "", column)
        rows.append(((_MARGIN + label, "text"), (piece, ink)))
    return rows


def _words(request: Request, width: int) -> list[Inked]:
    rows: list[Inked] = []
    for part in request.description.splitlines(keepends=True) or ["nothing"]:
        for piece in wrap(one_line(part), width - 2):
            rows.append((_BAR, (piece, "dim")))
    return rows


def _told(text: str, width: int, ink: Ink) -> list[Inked]:
    return [((piece, ink),) for piece in wrap(text, width)]


def _calm(seconds: float) -> str:
    """An age that is not written anew every second."""
    return ago(seconds if seconds >= 60 else seconds // 10 * 10)
