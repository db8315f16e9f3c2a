"""What the commands share: the queue, the reviewer's name, JSON."""

from __future__ import annotations

import getpass

import click
from click.core import ParameterSource

from gatekit.errors import UsageError
from gatekit.gate import Gate

queue_option = click.option(
    "--queue",
    metavar="PATH",
    help="The queue's file; not given: $GATEKIT_QUEUE, else gatekit.db in the current folder.",
)
as_option = click.option(
    "--as",
    "reviewer",
    metavar="NAME",
    envvar="GATEKIT_REVIEWER",
    help="Who decides; not given: $GATEKIT_REVIEWER, else the login name.",
)
json_option = click.option("--json", "json_wanted", is_flag=True, help="Print JSON, with the fields of the API.")
token_option = click.option(
    "--token",
    metavar="TOKEN",
    help="What you saw, as `gatekit show` prints it: decides at once, without asking. Needed where there is no "
    "terminal to ask in.",
)
attempt_option = click.option(
    "--attempt",
    metavar="N",
    type=click.IntRange(min=1),
    help="The attempt you mean, as `gatekit show` prints it: decides at once, without asking. Needed where there is "
    "no terminal to ask in.",
)
note_option = click.option("--note", metavar="TEXT", help="A remark for the record.")
id_argument = click.argument("request_id", metavar="ID")


def open_gate(queue: str | None) -> Gate:
    """The queue of a command, which never makes one. Raises `QueueNotFound`."""
    return Gate(queue, create=False)


def reviewer_name(given: str | None) -> str:
    """The name that decisions are made in."""
    if given is not None:
        return given
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError) as error:
        raise UsageError("this system does not tell who you are: say --as NAME or set $GATEKIT_REVIEWER") from error


def principal(gate: Gate, reviewer: str | None) -> str:
    """The person in whose name something other than a request is changed."""
    return f"human:{gate.reviewer(reviewer_name(reviewer)).name}"


def refuse_options(context: click.Context) -> None:
    """Refuse the options of a group that lists, where one of its subcommands is called: they would do nothing."""
    for parameter in context.command.params:
        if context.get_parameter_source(parameter.name or "") is ParameterSource.COMMANDLINE:
            shown = f"gatekit {context.info_name} {context.invoked_subcommand}"
            raise UsageError(f"{parameter.opts[0]} is for the list: write the options of `{shown}` behind it")
