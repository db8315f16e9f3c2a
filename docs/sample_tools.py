"""The tools of an agent for pictures. None of them does anything."""

from __future__ import annotations

from typing import Final, Literal

from pydantic import BaseModel, Field

from gatekit import Args, previews
from gatekit.models import Preview

SITE: Final = "<h1>Prices</h1>\n<p>Basic: {} a month</p>\n"
MAIL: Final = "Dear Bob,\n\nyour invoice 2041 is attached; it is due in 14 days.\n\nKind regards,\nthe billing desk"


class Tuning(BaseModel):
    """What is asked before the training goes on."""

    rate: float = Field(0.001, gt=0, description="learning rate")
    epochs: int = Field(10, ge=1)
    mode: Literal["fast", "careful"] = "careful"
    note: str | None = None


def delete_rows(table: str, where: str, limit: int, dry_run: bool = False) -> int:
    """Delete rows."""
    return 0


def deploy(service: str, version: str, environment: Literal["staging", "production"], replicas: int = 6) -> None:
    """Roll out a version."""
    return None


def send_email(to: list[str], subject: str, body: str) -> None:
    """Send a message."""
    return None


def refund(order: int, amount: float) -> None:
    """Pay back."""
    return None


def write_file(path: str, text: str) -> None:
    """Write a file."""
    return None


def pay(order: int, amount: float) -> str:
    """Pay out."""
    return f"paid {amount}"


def read_file(path: str) -> str:
    """Read a file."""
    return ""


def many_rows(args: Args) -> bool:
    """More rows than a slip costs."""
    return bool(args["limit"] > 100)


def outside(args: Args) -> bool:
    """Mail to somebody outside of the house."""
    return not all(str(one).endswith("@mycompany.com") for one in args["to"])


def difference(args: Args) -> Preview:
    """What would change in the file."""
    return previews.diff(SITE.format("€9"), args["text"], name=args["path"])
