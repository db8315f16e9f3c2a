"""The command line: `gatekit`. Every text that came out of a queue is made visible before it is printed."""

from __future__ import annotations

import click

from gatekit.cli.failing import EXIT_CODES, Commands

__all__ = ["main"]

_HOMES = {
    "review": "review:review",
    "list": "listing:list_requests",
    "show": "reading:show",
    "approve": "deciding:approve",
    "edit": "deciding:edit",
    "answer": "answering:answer",
    "release": "deciding:release",
    "reject": "deciding:reject",
    "respond": "deciding:respond",
    "cancel": "deciding:cancel",
    "claim": "people:claim",
    "delegate": "people:delegate",
    "escalate": "people:escalate",
    "allow": "granting:allow",
    "grants": "granting:grants",
    "revoke": "granting:revoke",
    "reviewers": "people:reviewers",
    "stop": "stop:stop",
    "retry": "settling:retry",
    "settle": "settling:settle",
    "declare-lost": "settling:declare_lost",
    "history": "reading:history",
    "runs": "runs:runs",
    "resume": "resume:resume",
    "worker": "worker:worker",
    "sweep": "stop:sweep",
    "stats": "stats:stats",
    "doctor": "doctor:doctor",
    "demo": "demo:demo",
}
"""The module of each command and its name there. A command imports what it needs when it is called, and no other does:
the dashboard would otherwise wait for all of them.
"""


@click.group(cls=Commands, homes=_HOMES, epilog=EXIT_CODES)
def main() -> None:
    """Review the calls of an agent that wait for a human."""
