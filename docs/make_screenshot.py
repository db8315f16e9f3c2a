"""Draw the dashboard's picture again: `python docs/make_screenshot.py [OUT.svg]`.

It is the real app over a real queue with calls that really wait; only the clock is made up, so that the ages are.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import anyio

from gatekit import Args, Gate, calling, gated_step, previews
from gatekit.models import Preview, Risk
from gatekit.testing import FakeClock, memory_gate
from gatekit_tui import ReviewApp

OUT = Path(__file__).parent / "dashboard.svg"
SIZE = (104, 37)
FONTS = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"

Tool = Callable[..., Any]


async def delete_rows(table: str, where: str, limit: int, dry_run: bool = False) -> int:
    """Delete rows."""
    return 0


async def deploy(service: str, version: str, environment: str) -> None:
    """Roll out a version."""


async def send_email(to: list[str], subject: str, body: str) -> None:
    """Send a message."""


async def refund(order: int, amount: float) -> None:
    """Pay back."""


async def write_file(path: str, text: str) -> None:
    """Write a file."""


SITE = "<h1>Prices</h1>\n<p>Basic: {} a month</p>\n"
MAIL = "Dear Bob,\n\nyour invoice 2041 is attached; it is due in 14 days.\n\nKind regards,\nthe billing desk"
CALLS: list[tuple[Tool, Risk, str, dict[str, Any], float]] = [
    (delete_rows, "critical", "Delete {limit} rows of {table}",
     {"table": "customers", "where": "last_login < '2019-01-01'", "limit": 1204}, 1300),
    (deploy, "high", "Roll out {service} {version} to {environment}",
     {"service": "api", "version": "v2.3.1", "environment": "production"}, 950),
    (send_email, "medium", "Send {subject!r} to 2 people",
     {"to": ["bob@example.com", "accounts@example.com"], "subject": "Invoice 2041", "body": MAIL}, 400),
    (refund, "low", "Refund order #{order}: €{amount}", {"order": 118, "amount": 12.5}, 160),
    (send_email, "medium", "Send {subject!r} to 1 person",
     {"to": ["eve@example.com"], "subject": "Your password", "body": "see invoice\u202egpj.exe"}, 70),
    (write_file, "low", "Write {path}", {"path": "/srv/site/prices.html", "text": SITE.format("€12")}, 41),
]  # fmt: skip


async def picture() -> str:
    """The dashboard over calls that wait, as SVG."""
    clock = FakeClock()
    svg = ""
    with memory_gate(clock=clock) as gate:
        async with anyio.create_task_group() as calls:
            for number, (tool, risk, description, arguments, age) in enumerate(CALLS):
                calls.start_soon(call, gate, tool, risk, description, arguments)
                await until(lambda wanted=number + 1: gate.count("pending") == wanted)
                following = CALLS[number + 1][4] if number + 1 < len(CALLS) else 0
                clock.advance(age - following)
            svg = await draw(gate)
            calls.cancel_scope.cancel()
    return svg


async def call(gate: Gate, tool: Tool, risk: Risk, description: str, arguments: dict[str, Any]) -> None:
    """One call of an agent; it waits until it is cancelled."""

    def needs_approval(args: Args) -> bool:
        return True

    def preview(args: Args) -> Preview | None:
        return previews.diff(SITE.format("€9"), args["text"], name=args["path"]) if tool is write_file else None

    step = gated_step(
        tool, gate=gate, requires_approval=needs_approval, risk=risk, description=description, preview=preview
    )
    with calling(run="nightly-42", agent="billing"):
        await step(**arguments)


async def draw(gate: Gate) -> str:
    """The last call chosen, as the reviewer sees it."""
    app = ReviewApp(gate, "alice")
    async with app.run_test(size=SIZE) as pilot:
        await until(lambda: "nightly-42" in app.export_screenshot())
        await pilot.press("G")
        await until(lambda: "shows" in app.export_screenshot() and "+++" in app.export_screenshot())
        return without_foreign_fonts(app.export_screenshot(title="gatekit review"))


async def until(condition: Callable[[], bool]) -> None:
    """Come back once it is so; fails after ten seconds."""
    for _ in range(500):
        if condition():
            return
        await anyio.sleep(0.02)
    raise TimeoutError


def without_foreign_fonts(svg: str) -> str:
    """The picture with the reader's own fonts: it loads nothing from anywhere."""
    return re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL).replace("Fira Code", FONTS)


if __name__ == "__main__":
    out = Path(sys.argv[1]) if len(sys.argv) > 1 else OUT
    out.write_text(anyio.run(picture), encoding="utf-8")
    print(f"wrote {out}")
