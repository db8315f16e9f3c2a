"""What is drawn of the sample queue: each picture's name, its size, and the keys that lead to it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Final

from hand import Hand

from gatekit_tui.queue.queue_list import QueueList
from gatekit_tui.queue.settings import Settings

NARROW: Final = (80, 24)
WIDE: Final = (160, 48)


Story = Callable[[Hand], Awaitable[None]]


@dataclass(frozen=True)
class Shot:
    """One picture."""

    name: str
    story: Story
    size: tuple[int, int] = NARROW
    queue: str = "day"
    """`day`, `empty`, `stopped` or `missing`."""
    settings: Settings = field(default_factory=lambda: Settings(hold=5))
    environment: dict[str, str] = field(default_factory=dict[str, str])

    @property
    def path(self) -> str:
        """Where it is, from the folder of the pages."""
        return f"{self.name}.svg" if self.name == "dashboard" else f"screens/{self.name}.svg"


async def choose(hand: Hand, words: str) -> None:
    """Go down to the request that says this of itself."""
    chosen = hand.app.screen.query_one(QueueList)
    await hand.press("g")
    while chosen.chosen is None or words not in chosen.chosen.description:
        if chosen.cursor == chosen.rows.size - 1:
            raise LookupError(f"no request says {words}")
        await hand.press("j")
    await hand.until(chosen.chosen.id[-8:])


async def hidden(hand: Hand) -> None:
    await hand.press("G", "k")
    await hand.until("hidden character", "Your password")


async def waiting(hand: Hand) -> None:
    await choose(hand, "Roll out")
    await hand.until("team", "role:lead", "v2.3.1")


async def preview(hand: Hand) -> None:
    await hand.press("G")
    await hand.until("prices.html", "write_file", "+++")


async def whole(hand: Hand) -> None:
    await waiting(hand)
    await hand.press("o")
    await hand.until("team", "role:lead", "v2.3.1")


async def confirm(hand: Hand) -> None:
    await choose(hand, "Delete 1204")
    await hand.press("a")
    await hand.until("Approve delete_rows?")
    await hand.type("delete_r")


async def reject(hand: Hand) -> None:
    await choose(hand, "Delete 1204")
    await hand.press("r")
    await hand.until("Reject delete_rows?")
    await hand.type("two years are too few")


async def held(hand: Hand) -> None:
    await choose(hand, "#118")
    await hand.press("a")
    await hand.until("1 held", "counts in")


async def edit_error(hand: Hand) -> None:
    await choose(hand, "#118")
    await hand.press("e")
    await hand.until("nothing changed")
    await hand.press("ctrl+t")
    await hand.write('{\n  "amount": "ten",\n  "order": 118\n}')
    await hand.until("✗")


async def edit_json(hand: Hand) -> None:
    await choose(hand, "#118")
    await hand.press("e")
    await hand.until("nothing changed")
    await hand.press("ctrl+t")
    await hand.write('{\n  "amount": 10,\n  "order": 118\n}')
    await hand.until("1 change")


async def edit_form(hand: Hand) -> None:
    await choose(hand, "Roll out")
    await hand.press("e")
    await hand.until("nothing changed", "service")


async def question(hand: Hand) -> None:
    await choose(hand, "no longer falls")
    await hand.press("a")
    await hand.until("learning rate", "it fits")


async def batch(hand: Hand) -> None:
    await hand.press("g")
    await hand.press(*["space"] * 9)
    await hand.press("A")
    await hand.until("approve 4 calls", "left out")


async def history(hand: Hand) -> None:
    await decided(hand)
    await choose(hand, "#106")
    await hand.press("h")
    await hand.until("history", "approved")


async def runs(hand: Hand) -> None:
    await hand.press("U")
    await hand.until("payout:98", "payout:95")


async def run(hand: Hand) -> None:
    await runs(hand)
    await hand.press("j", "j", "o")
    await hand.until("quote", "pay", "next")


async def decided(hand: Hand) -> None:
    await hand.press("]", "]", "]", "]")
    await hand.until("decided", "approved by")


async def settle(hand: Hand) -> None:
    await hand.press("]")
    await hand.until("charge_card", "other side")


async def insight(hand: Hand) -> None:
    await hand.press("i")
    await hand.until("insight", "send_email")


async def grants(hand: Hand) -> None:
    await hand.press("P")
    await hand.until("read_file", "/srv/reports/*")


async def reviewers(hand: Hand) -> None:
    await hand.press("W")
    await hand.until("alice", "ana", "finance")


async def keys(hand: Hand) -> None:
    await hand.press("question_mark")
    await hand.until("keys and commands")


async def filtered(hand: Hand) -> None:
    await hand.press("slash")
    await hand.type("risk>=high")
    await hand.press("enter")
    await hand.until("filter risk>=high", "3 found")


async def nothing_found(hand: Hand) -> None:
    await hand.press("slash")
    await hand.type("tool:transfer")
    await hand.press("enter")
    await hand.until("No request fits")


async def empty(hand: Hand) -> None:
    await hand.until("Nothing is waiting")


async def missing(hand: Hand) -> None:
    await hand.until("NO QUEUE")


async def stopped(hand: Hand) -> None:
    await hand.until("STOPPED", "11 waiting")


SHOTS: Final = (
    Shot("dashboard", preview, (104, 37)),
    Shot("waiting", waiting),
    Shot("waiting-wide", waiting, (160, 34)),
    Shot("waiting-tall", waiting, WIDE),
    Shot("hidden", hidden),
    Shot("whole", whole),
    Shot("confirm", confirm),
    Shot("reject", reject),
    Shot("held", held),
    Shot("edit-form", edit_form),
    Shot("edit-error", edit_error),
    Shot("edit-json", edit_json),
    Shot("question", question),
    Shot("batch", batch),
    Shot("batch-wide", batch, WIDE),
    Shot("history", history),
    Shot("runs", runs),
    Shot("run", run),
    Shot("run-wide", run, WIDE),
    Shot("decided", decided),
    Shot("decided-wide", decided, WIDE),
    Shot("to-settle", settle),
    Shot("insight", insight),
    Shot("insight-wide", insight, WIDE),
    Shot("grants", grants),
    Shot("reviewers", reviewers),
    Shot("keys", keys),
    Shot("filter", filtered),
    Shot("filter-empty", nothing_found),
    Shot("stopped", stopped, queue="stopped"),
    Shot("empty", empty, queue="empty"),
    Shot("missing", missing, queue="missing"),
    Shot("light", hidden, settings=Settings(theme="gatekit-light")),
    Shot("no-color", hidden, environment={"NO_COLOR": "1"}),
)
