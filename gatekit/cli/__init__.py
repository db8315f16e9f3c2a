"""The command line: `gatekit`. Every text that came out of a queue is made visible before it is printed."""

from __future__ import annotations

import click

from gatekit.cli.deciding import approve, cancel, edit, reject, respond
from gatekit.cli.demo import demo
from gatekit.cli.doctor import doctor
from gatekit.cli.failing import EXIT_CODES, Commands
from gatekit.cli.listing import list_requests
from gatekit.cli.reading import history, show
from gatekit.cli.review import review

__all__ = ["main"]


@click.group(cls=Commands, epilog=EXIT_CODES)
def main() -> None:
    """Review the calls of an agent that wait for a human."""


for _command in (review, list_requests, show, approve, edit, reject, respond, cancel, history, doctor, demo):
    main.add_command(_command)
