"""One call in full, as lines: what would run first, drawn by us; what the agent says of it last. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from gatekit.display import Line
from gatekit.models import Outcome, Request
from gatekit_tui.frame.row_text import one_line
from gatekit_tui.frame.spans import Ink, Inked, Span, fit, length, spread, wrap, wrap_inked
from gatekit_tui.request.fields import WHOLE, takes
from gatekit_tui.request.paragraphs import beside, indented, inner_width, paragraph
from gatekit_tui.request.preview_text import preview_lines
from gatekit_tui.request.question_text import question_lines
from gatekit_tui.request.study import Study, asks, shown_args
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
_MARGIN: Final = "  "
_BAR: Final[Span] = ("│ ", "dim")
_DIFFERS: Final[Span] = ("≠ ", "warn")
"""Stands in the margin, so that nothing moves where it comes."""


@dataclass(frozen=True, slots=True)
class Body:
    """What does not change with time."""

    lines: tuple[Inked, ...]
    """Warnings, arguments, what the agent shows, and its words."""
    arguments_end: int
    """How many of the lines there are up to the last argument."""


def draw_body(seen: Study, width: int) -> Body:
    """The lines under the heading, for a pane of `width` cells."""
    inner = inner_width(width)
    if seen.broken:
        return Body(indented(_instead(seen, inner)), 0)
    top = [*_warnings(seen, inner), ()]
    if asks(seen.request):
        lines = [*top, *_question(seen, inner)]
        return Body(indented([*lines, *_wanted(seen, inner), *_past(seen, inner)]), len(lines))
    arguments = [_section("arguments", _arguments_note(seen), inner), *_arguments(seen, inner)]
    if seen.request.outcome is not None:
        top = [*top, *_ended(seen.request.outcome, inner), ()]
    words = [
        (),
        _section("the agent says", _words_note(seen.request), inner),
        *_words(seen.request, inner),
    ]
    below = [*_shown_besides(seen.request, inner), *words, *_past(seen, inner)]
    return Body(indented([*top, *arguments, *below]), len(top) + len(arguments))


def _instead(seen: Study, width: int) -> list[Inked]:
    """What is shown of a request that cannot be displayed."""
    stored = ascii(seen.request.args_text[:_LONGEST_RAW])
    return [
        ((one_line(seen.request.tool), "title"), (f"  {one_line(seen.request.id)}", "dim")),
        *paragraph(f"✗ cannot display: {seen.broken}", width, "warn"),
        *paragraph("It can be rejected here. To read it use  gatekit show --json", width, "note"),
        (),
        _section("the beginning of what is stored", "", width),
        *paragraph(stored, width, "dim"),
    ]


def _shown_besides(request: Request, width: int) -> list[Inked]:
    """The arguments that can be seen better in a shape of their own, and what the agent shows of the call."""
    drawn: list[Inked] = []
    for name, lines in views_of(request, width - 2):
        drawn += [(), ((name, "label"),), *_barred(lines)]
    if request.preview is not None:
        note = _words_note(request)
        drawn += [(), _section("the agent shows", note, width), *_barred(preview_lines(request.preview, width - 2))]
    return drawn


def _ended(outcome: Outcome, width: int) -> list[Inked]:
    """What the tool gave back, or raised."""
    if outcome.kind == "raised":
        told = f"{one_line(outcome.type_name or '')}: {one_line(outcome.message or '')}"
        return [_section("it failed", "", width), *_barred(paragraph(told, width - 2, "warn"))]
    if outcome.lost:
        return [_section("it returned", "what JSON cannot hold: it was not kept", width)]
    text = outcome.value_text or "null"
    cut = f"the first {_LONGEST_RAW:,} of {len(text):,} characters" if len(text) > _LONGEST_RAW else ""
    return [_section("it returned", cut, width), *_barred(paragraph(one_line(text[:_LONGEST_RAW]), width - 2, "text"))]


def _barred(lines: Iterable[Inked]) -> list[Inked]:
    """Foreign lines behind a bar: none of them looks like one of ours."""
    return [(_BAR, *line) for line in lines]


def _question(seen: Study, width: int) -> list[Inked]:
    """What is asked, and what goes with it."""
    lines = [_section("the agent asks", "its own words", width)]
    lines += _led(("│ ", "dim"), question_lines(seen.request), width)
    if shown_args(seen.request):
        lines += [(), _section("details", "", width), *_arguments(seen, width)]
    return lines


def _wanted(seen: Study, width: int) -> list[Inked]:
    """What the answer to a question is to be."""
    told = takes(seen.fields)
    note = told.pop(0) if len(seen.fields) == 1 and seen.fields[0].name == WHOLE else ""
    if not told and not note:
        return []
    head = beside((("the answer", "label"),), ((one_line(note), "dim"),), width)
    return [(), *head, *_led((_MARGIN, "text"), [((one_line(text), "text"),) for text in told], width)]


def _led(lead: Span, lines: list[Inked], width: int) -> list[Inked]:
    return [(lead, *piece) for line in lines for piece in wrap_inked(line, width - length((lead,)))]


def _warnings(seen: Study, width: int) -> list[Inked]:
    told = [one_line(warning) for warning in seen.warnings]
    if seen.hidden:
        plural = "" if seen.hidden == 1 else "s"
        told.insert(0, f"{seen.hidden} hidden character{plural}, made visible here")
    return [line for text in told for line in paragraph("▲ " + text, width, "warn")]


def _section(name: str, note: str, width: int) -> Inked:
    return spread(((name, "label"),), ((note, "dim"),) if note else (), width)


def _arguments_note(seen: Study) -> str:
    if seen.request.check_due:
        return "edited, the agent checks them"
    return "" if seen.compared is None else seen.compared.note


def _words_note(request: Request) -> str:
    return "said of the first version" if request.revision > 1 else "its own words, not checked"


def _arguments(seen: Study, width: int) -> list[Inked]:
    lines = seen.drawing.lines
    names = [len(line.path) for line in lines if len(line.path) <= _LONGEST_NAME]
    column = min(max(names, default=0) + 2, width // 2)
    others = frozenset() if seen.compared is None else seen.compared.paths
    return [row for line in lines for row in _argument(line, column, width, differs=line.path in others)]


def _argument(line: Line, column: int, width: int, *, differs: bool) -> list[Inked]:
    ink = _ARGUMENT_INK[line.kind]
    name = line.path
    heads = [fit(name, column)]
    if length(((name, "text"),)) > column - 2:
        heads = [*wrap(name, width - 2), " " * column]
    pieces = wrap(line.text, width - len(_MARGIN) - column)
    rows: list[Inked] = [((_MARGIN + head, "text"),) for head in heads[:-1]]
    for number, piece in enumerate(pieces):
        rows.append(((_MARGIN + (fit("", column) if number else heads[-1]), "text"), (piece, ink)))
    if differs:
        rows[0] = (_DIFFERS, (rows[0][0][0].removeprefix(_MARGIN), "text"), *rows[0][1:])
    return rows


def _words(request: Request, width: int) -> list[Inked]:
    rows: list[Inked] = []
    for part in request.description.splitlines(keepends=True) or ["nothing"]:
        for piece in wrap(one_line(part), width - 2):
            rows.append((_BAR, (piece, "dim")))
    return rows


def _past(seen: Study, width: int) -> list[Inked]:
    """The end of its history."""
    return (
        [(), _section("history", "UTC; all of it: h", width), *_led(_BAR, list(seen.past), width)] if seen.past else []
    )
