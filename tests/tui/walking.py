"""A walk through every screen of the dashboard, on a real terminal."""

from __future__ import annotations

import re
import time
from collections import Counter
from collections.abc import Iterator, Sequence

from tests.tui.terminal import Screen, until

QUESTIONS = ("Esc goes back", "Esc to go back", "Esc stays")
ON_CALLS = "hderwmD"
ON_ALL = "hrD"
COUNT = re.compile(r"(\d+) (?:waiting|to settle|running|held|decided|expired)")
ESCAPE = "\x1b"


class Walk:
    """A hand that opens everything and decides nothing. `seen` is what stood in the first lines, and questions."""

    def __init__(self, screen: Screen) -> None:
        self.screen = screen
        self.pictures: list[str] = []
        self.typed_from = self.typed_to = 0
        """What was written between these shows what the hand itself pasted."""

    def saw(self, part: str) -> bool:
        return any(part in picture for picture in self.pictures)

    def look(self) -> str:
        text = self.screen.look()
        if not self.pictures or self.pictures[-1] != text:
            self.pictures.append(text)
        return text

    def is_home(self) -> bool:
        text = self.look()
        return "gatekit review" in "".join(text.split("\n")[:2]) and not any(part in text for part in QUESTIONS)

    def opens(self, key: str, seconds: float = 10) -> None:
        """Press a key that opens a screen over the list, and wait for it."""
        self.screen.child.send(key)
        end = time.monotonic() + seconds
        again = end - seconds / 2
        while self.is_home():
            if time.monotonic() > end:
                raise AssertionError(f"{key} opened nothing:\n{self.look()}")
            if time.monotonic() > again:
                # Behind an Escape that came late, a terminal takes the two for one key.
                self.screen.child.send(key)
                again = end
        self.rest()

    def home(self) -> None:
        """Back to the list."""
        end = time.monotonic() + 20
        while not self.is_home():
            assert time.monotonic() < end, f"no way back:\n{self.look()}"
            self.screen.child.send(ESCAPE)
            until_or(self.is_home, 0.7)

    def rest(self, seconds: float = 0.04) -> None:
        """Until nothing more is drawn for so long."""
        before = -1
        for _ in range(20):
            if before == len(self.screen.written):
                return
            before = len(self.screen.written)
            time.sleep(seconds)
            self.look()

    def chosen(self) -> tuple[int, str] | None:
        """The line under the cursor, as far as no message can hide it; None where there is none."""
        lines = self.look().split("\n")
        return next(((number, line[:45]) for number, line in enumerate(lines) if line.startswith("▌")), None)

    def rows(self) -> Iterator[None]:
        """From the first row to the last."""
        self.inside("g")
        counted = COUNT.search("".join(self.look().split("\n")[:2]))
        for _ in range(0 if counted is None else int(counted[1])):
            before = self.chosen()
            yield
            self.screen.child.send("j")
            until_or(lambda: self.chosen() != before, 0.5)  # noqa: B023
            # The keys at the foot are those of this row a moment later.
            self.rest(0.1)

    def waiting(self, most: int) -> None:
        """Each request that waits; of each kind so many with all that can be asked of it."""
        kinds: Counter[str] = Counter()
        for _ in self.rows():
            kind = self.look().split("\n")[-1]
            kinds[kind] += 1
            if kinds[kind] <= most:
                self.everything_on(is_call="a approve  e edit" in kind)
        assert len(kinds) > 2, kinds

    def everything_on(self, *, is_call: bool) -> None:
        """Open all that is about the chosen request, and leave it again."""
        text = self.look()
        self.inside("o")
        can_escalate = "next to be asked" in self.look()
        self.inside("o")
        for key in (ON_CALLS if is_call else ON_ALL) + ("E" if can_escalate else ""):
            self.opens(key)
            if key == "h":
                self.inside("o")
            elif key == "e":
                self.inside("\x14", "\x14")
            self.home()
        if "a release" not in text and "  LOW  " not in text:
            self.opens("a")
            self.home()

    def inside(self, *keys: str) -> None:
        """Keys that open nothing, or only within what is open."""
        for key in keys:
            self.screen.child.send(key)
            if key == ESCAPE:
                # For so long it may be the beginning of another key.
                time.sleep(0.15)
            self.rest()

    def lists(self, most: int) -> None:
        """The other lists, and what is there."""
        for lane in range(5):
            self.inside("]")
            self.rest(0.1)
            for number, _ in enumerate(self.rows()):
                if number == 3 * most:
                    break
                # The first of them is of outcomes to settle.
                for key in "" if number >= most else "h" if lane else "hs":
                    self.opens(key)
                    self.home()
        self.inside("]", "[", "]")

    def beside(self) -> None:
        """What is not about one request."""
        for key in "iPW?":
            self.opens(key)
            self.inside("\x1b[6~", "\x1b[B", "\x1b[B", "\x1b[B")
            self.home()

    def runs(self, most: int) -> None:
        """The runs, each with its steps and what happened to it."""
        self.opens("U")
        for _ in range(most):
            self.inside("o", "j", "j", "o", ESCAPE, ESCAPE)
            if self.is_home():
                self.opens("U")
            self.inside("j")
        self.home()

    def filters(self, payloads: Sequence[str]) -> None:
        """Filters that somebody pasted."""
        self.rest()
        self.typed_from = len(self.screen.written)
        for payload in payloads:
            # Words to look for, and a value that there is not.
            for text in (payload, f"risk:{payload}"):
                self.inside("/", f"\x1b[200~{text}\x1b[201~")
                time.sleep(0.3)
                self.inside(ESCAPE)
        self.home()
        self.rest()
        self.typed_to = len(self.screen.written)

    def batch(self) -> None:
        """All in sight, together: by risk, so that the one that can be approved with others is among them."""
        self.inside("f", "f", "G", "*")
        self.opens("A")
        self.inside("\x1b[6~")
        self.home()
        self.opens("R")
        self.home()
        self.inside("*", "f")

    def leave(self) -> None:
        """Reject what is chosen, go to leave, and take it back."""
        self.inside("g")
        self.opens("r")
        self.inside("n", "o", "\r")
        self.screen.until_shown("held")
        self.screen.child.send("q")
        self.screen.until_shown("q again leaves" if "begin to write" in self.look() else "Esc stays")
        self.look()
        self.screen.child.send("t")
        until(lambda: (self.look(), not self.screen.child.isalive())[1], lambda: f"it goes on:\n{self.look()}")


def until_or(condition: object, seconds: float) -> bool:
    """Whether it comes to be so in this time."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        if condition():  # type: ignore[operator]
            return True
        time.sleep(0.01)
    return False
