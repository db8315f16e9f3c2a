"""A hand at the dashboard: presses keys, and waits for what they lead to."""

from __future__ import annotations

from contextlib import suppress

from textual.pilot import Pilot
from textual.widgets import Input, TextArea

from gatekit_tui import ReviewApp


class Hand:
    """Presses keys, and waits until it sees what they lead to."""

    def __init__(self, app: ReviewApp, pilot: Pilot[None]) -> None:
        self.app = app
        self._pilot = pilot

    def sees(self, *parts: str) -> bool:
        """Whether all of these stand on the screen."""
        text = "\n".join(strip.text for strip in self.app.screen._compositor.render_strips())
        return all(part in text for part in parts)

    async def until(self, *parts: str) -> None:
        """Come back once they do; fails with the picture after ten seconds."""
        for _ in range(500):
            # A screen that is just being put up has no size yet.
            with suppress(AttributeError):
                if self.sees(*parts):
                    return
            await self._pilot.pause(0.02)
        text = "\n".join(strip.text for strip in self.app.screen._compositor.render_strips())
        raise TimeoutError(f"never seen: {parts}\n{text}")

    async def press(self, *keys: str) -> None:
        """One key after the other, as slowly as a hand."""
        for key in keys:
            await self._pilot.press(key)
            await self._pilot.pause(0.08)

    async def type(self, text: str) -> None:
        """A text, letter by letter."""
        await self.press(*("space" if letter == " " else letter for letter in text))

    async def write(self, text: str) -> None:
        """Put a text into the JSON draft."""
        self.app.screen.query_one("#draft", TextArea).text = text
        await self._pilot.pause(0.3)

    async def be_still(self) -> None:
        """No cursor blinks, no message is about to go."""
        for field_ in self.app.screen.query(Input):
            field_.cursor_blink = False
        for area in self.app.screen.query(TextArea):
            area.cursor_blink = False
        await self._pilot.pause(0.4)
