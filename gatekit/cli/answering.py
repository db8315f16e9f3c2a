"""`gatekit answer`: a question gets its answer."""

from __future__ import annotations

import click

from gatekit.cli import terminal
from gatekit.cli.answers import answer_from, wanted_of
from gatekit.cli.confirming import confirm, require_terminal, show_request, tell
from gatekit.cli.drawing import draw_values
from gatekit.cli.edits import json_from
from gatekit.cli.failing import InvalidAnswer
from gatekit.cli.options import (
    as_option,
    id_argument,
    note_option,
    open_gate,
    queue_option,
    reviewer_name,
    token_option,
)
from gatekit.display import draw_arguments
from gatekit.errors import InvalidEdit, UsageError
from gatekit.gate import Gate
from gatekit.models import Request


@click.command()
@id_argument
@click.argument("values", metavar="VALUE...", nargs=-1)
@click.option("--json-value", metavar="JSON", help="The whole answer as JSON, in place of the values.")
@token_option
@note_option
@as_option
@queue_option
def answer(
    request_id: str,
    values: tuple[str, ...],
    json_value: str | None,
    token: str | None,
    note: str | None,
    reviewer: str | None,
    queue: str | None,
) -> None:
    """Answer a question: yes or no, a text, a number, one of its choices, several of them, or the fields of a form.

    `gatekit show ID` says what it takes. A form is given as NAME=VALUE, once for each field. In a terminal it shows
    the question with your answer and asks; Enter or the end of input answer nothing. A value that begins with a dash
    goes behind two: gatekit answer ID -- -5
    """
    if bool(values) == (json_value is not None):
        raise UsageError("answer takes VALUE, as `gatekit show` says it, or --json-value JSON")
    with open_gate(queue) as gate:
        seat = gate.reviewer(reviewer_name(reviewer))
        if token is None:
            require_terminal(request_id)
        request = gate.get(request_id)
        value = _value(gate, request, values, json_value)
        try:
            if token is None and (request.kind, request.status) == ("question", "pending"):
                _ask(gate, request, value)
            tell(gate, seat.answer(request if token is None else request_id, value, token=token, note=note))
        except InvalidEdit as error:
            raise InvalidAnswer(error) from error


def show_answer(value: object) -> None:
    """Print the answer that would be given."""
    for line in ["your answer:", *draw_values(draw_arguments({"answer": value}), terminal.width()), ""]:
        click.echo(line)


def _value(gate: Gate, request: Request, values: tuple[str, ...], json_value: str | None) -> object:
    if json_value is not None:
        return json_from("--json-value", json_value)
    # What is no question, the queue refuses.
    return answer_from(wanted_of(gate.schema(request)), values) if request.kind == "question" else list(values)


def _ask(gate: Gate, request: Request, value: object) -> None:
    gate.check_edit(request, {"answer": value})
    shown = show_request(gate, request)
    show_answer(value)
    confirm(request, shown, "give this answer", undone="answered")
