"""The tool that is measured: five arguments and a one-line body, sync and async."""

from __future__ import annotations

from gatekit import Args

RECIPIENT = "bob@mycompany.com"


def send(to: str, subject: str, body: str, urgent: bool, copies: int) -> str:
    return f"sent {copies} of {subject!r} to {to}"


async def send_async(to: str, subject: str, body: str, urgent: bool, copies: int) -> str:
    return f"sent {copies} of {subject!r} to {to}"


def leaves_the_company(args: Args) -> bool:
    return not args.to.endswith("@mycompany.com")
