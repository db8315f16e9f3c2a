"""`gatekit demo`: see the whole loop work on real files."""

from __future__ import annotations

import sys
from collections import Counter
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Final

import click

from gatekit.cli import terminal
from gatekit.cli.failing import REFUSED, NotConfirmed
from gatekit.cli.options import as_option, reviewer_name
from gatekit.cli.paint import fit, safe, wrap
from gatekit.errors import UsageError
from gatekit.gate import Gate
from gatekit.models import Request

if TYPE_CHECKING:
    from gatekit.demo.agent import Step
    from gatekit.demo.place import Place

_LONGEST_PLAN: Final = 40


@click.command()
@click.argument("folder", required=False, type=click.Path(exists=True, file_okay=False, path_type=Path))
@click.option("--headless", is_flag=True, help="Let a script review, always on a copy; so it is without a terminal.")
@as_option
def demo(folder: Path | None, headless: bool, reviewer: str | None) -> None:
    """Let a small agent tidy a folder, and review what it asks for.

    The agent is a script, no language model. Without FOLDER it works on a sample in a temporary place; a FOLDER of
    yours it changes only from a terminal, after asking. The queue lies in a temporary folder, which is left there.
    """
    from gatekit.demo import headless as script
    from gatekit.demo.place import place_for_copy, place_for_own, place_for_sample

    if headless or (folder is None and not terminal.can_draw()):
        place = place_for_sample() if folder is None else place_for_copy(folder)
        _run_script(place, script.SCRIPT if folder is None else None)
        return
    if not terminal.can_draw():
        raise UsageError("the demo changes a folder of yours only from a terminal: --headless works on a copy of it")
    name = reviewer_name(reviewer)
    _run_dashboard(place_for_sample() if folder is None else place_for_own(folder), name, own=folder is not None)


def _run_script(place: Place, script: Counter[str] | None) -> None:
    from gatekit.demo import headless

    _introduce(place)
    result = headless.run(place, click.echo, script=script)
    _summarise(result.requests, place)
    if result.wrong:
        for line in result.wrong:
            click.echo(f"WRONG: {line}", err=True)
        sys.exit(REFUSED)
    click.echo("The files are as the decisions say.")


def _run_dashboard(place: Place, reviewer: str, *, own: bool) -> None:
    from gatekit.demo import live
    from gatekit.demo.agent import Agent
    from gatekit.demo.record import requests_of
    from gatekit.demo.tools import tools_of

    _introduce(place)
    with Gate(place.queue, record="all") as gate:
        agent = Agent(tools_of(place.folder, gate), place.folder.name, say=lambda line: None)
        steps = agent.look(gate.now().year)
        _tell_plan(steps)
        if own and terminal.ask("This is your own folder. Type yes to begin: ") != "yes":
            raise NotConfirmed("nothing was changed")
        if not own:
            terminal.ask("Enter opens the dashboard. ")
        finished = live.run(gate, reviewer, agent, steps)
        requests = requests_of(gate)
    click.echo("The agent is done." if finished else "You left before the agent was done: what waited was withdrawn.")
    _summarise(requests, place)


def _introduce(place: Place) -> None:
    click.echo("A small agent (a script, no language model) tidies a folder. Reading, listing and moving inside the")
    click.echo("folder run at once; deleting, overwriting and leaving the folder wait for a human.")
    click.echo(f"folder  {safe(str(place.folder))}")
    click.echo(f"queue   {safe(str(place.queue))}")
    click.echo()


def _tell_plan(steps: Sequence[Step]) -> None:
    from gatekit.demo.agent import MOST_FILES

    click.echo("It means to:")
    for step in steps[:_LONGEST_PLAN]:
        click.echo(f"  {step}")
    if len(steps) > _LONGEST_PLAN:
        click.echo(f"  and {len(steps) - _LONGEST_PLAN} more such calls")
    click.echo('  write_file(path="INDEX.md"), a list of what is where')
    click.echo(f"It looks at {MOST_FILES} files of the folder at most, and not into its subfolders.")
    click.echo("What you approve it really does: a deleted file is gone for good.")
    click.echo()


def _summarise(requests: Sequence[Request], place: Place) -> None:
    from gatekit.demo.record import summary

    told = summary(requests)
    click.echo()
    click.echo("By the queue's record, a human was asked about:")
    column = 1 + max((len(one.ending) for one in told.asked), default=0)
    for one in told.asked:
        room = terminal.width() - column - 3
        pieces = [*wrap(one.call, room), *(f"  {piece}" for piece in wrap(one.who, room - 2))]
        for number, piece in enumerate(pieces):
            click.echo(f"  {fit('' if number else one.ending, column)} {piece}".rstrip())
    click.echo("and these needed nobody, by the tools' own rules:")
    for call in told.at_once:
        for piece in wrap(call, terminal.width() - 2):
            click.echo(f"  {piece}".rstrip())
    click.echo(f"  and {told.looked} that only looked")
    click.echo(f"More of it: gatekit list --status succeeded --queue {safe(str(place.queue))}")
