"""A request, looked at: what is shown of it, and what a reviewer should know of its texts. Pure."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

from gatekit.display import Drawing, draw_arguments, visible, warnings_of
from gatekit.models import Request
from gatekit_tui.frame.row_text import one_line
from gatekit_tui.frame.spans import Inked
from gatekit_tui.request.compared import Compared
from gatekit_tui.request.fields import Field, fields_of, takes
from gatekit_tui.request.preview_text import texts_of
from gatekit_tui.request.question_text import prompt_of
from gatekit_tui.request.refused import Refused


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
    compared: Compared | None = None
    """How it stands to the last approved call of its tool; None where that is not asked."""
    refused: Refused | None = None
    """What was asked before it and turned down."""
    past: tuple[Inked, ...] = ()
    """What happened to it last."""


def study(
    request: Request,
    schema: Mapping[str, Any] | None = None,
    complete: Callable[[Study], Study] = lambda seen: seen,
) -> Study:
    """Look at every text of a request; `schema` is a question's, and `complete` adds what is known beside the request.

    Large arguments take their time: not on the loop.
    """
    try:
        return complete(_looked_at(request, schema))
    except Exception as error:  # noqa: BLE001 - one request that cannot be drawn must not take the others with it
        return broken(Study(request, Drawing((), 0, 0, ()), 0, ()), error)


def broken(seen: Study, error: Exception) -> Study:
    """The same request, which cannot be displayed because of this."""
    return replace(seen, broken=f"{type(error).__name__}: {one_line(str(error))}")


def _looked_at(request: Request, schema: Mapping[str, Any] | None) -> Study:
    drawing = draw_arguments(shown_args(request))
    fields = () if schema is None else fields_of(schema)
    others = _texts(request, fields)
    hidden = drawing.hidden + sum(visible(text)[1] for text in others.values())
    warnings = [*drawing.warnings]
    for name, text in others.items():
        warnings.extend(f"{name}: {warning}" for warning in warnings_of(text))
    return Study(request, drawing, max(hidden, request.hidden), tuple(warnings), fields)


def asks(request: Request) -> bool:
    """Whether there is no tool behind it, but a prompt."""
    return request.kind in ("question", "confirm")


def shown_args(request: Request) -> dict[str, Any]:
    """What is drawn as arguments: all but what is drawn in a place of its own."""
    args = request.args
    if not asks(request):
        return args
    details = args.get("details")
    shown = {key: value for key, value in args.items() if key not in ("answer", "details", "prompt")}
    shown |= details if isinstance(details, dict) else {}
    return shown if args.get("answer") is None else {"(answer so far)": args["answer"], **shown}


def _texts(request: Request, fields: tuple[Field, ...]) -> dict[str, str]:
    """All that is shown beside the arguments, by name."""
    people = [*(name for pair in request.delegations for name in pair), request.claim.by if request.claim else ""]
    people += request.escalates_to
    for stage in request.stages:
        people += [stage.name, *stage.reviewers, *stage.by]
    return {
        "description": "" if asks(request) else request.description,
        "question": prompt_of(request) if asks(request) else "",
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
