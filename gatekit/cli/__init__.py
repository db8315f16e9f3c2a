"""The command line: `gatekit`. Every text that came out of a queue is made visible before it is printed."""

from __future__ import annotations

import click

from gatekit.cli.answering import answer
from gatekit.cli.deciding import approve, cancel, edit, reject, release, respond
from gatekit.cli.demo import demo
from gatekit.cli.doctor import doctor
from gatekit.cli.failing import EXIT_CODES, Commands
from gatekit.cli.granting import allow, grants, revoke
from gatekit.cli.listing import list_requests
from gatekit.cli.people import claim, delegate, reviewers
from gatekit.cli.reading import history, show
from gatekit.cli.resume import resume
from gatekit.cli.review import review
from gatekit.cli.runs import runs
from gatekit.cli.settling import declare_lost, retry, settle
from gatekit.cli.stats import stats
from gatekit.cli.stop import stop, sweep
from gatekit.cli.worker import worker

__all__ = ["main"]


@click.group(cls=Commands, epilog=EXIT_CODES)
def main() -> None:
    """Review the calls of an agent that wait for a human."""


for _command in (
    review,
    list_requests,
    show,
    approve,
    edit,
    answer,
    release,
    reject,
    respond,
    cancel,
    claim,
    delegate,
    allow,
    grants,
    revoke,
    reviewers,
    stop,
    retry,
    settle,
    declare_lost,
    history,
    runs,
    resume,
    worker,
    sweep,
    stats,
    doctor,
    demo,
):
    main.add_command(_command)
