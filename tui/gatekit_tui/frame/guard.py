"""The key guard: a key that decides must have been pressed by a human who saw what it decides.

A terminal can be made to type: a query in foreign text brings its reply in as key presses, in one burst.
`visible()` and the line filter keep such text away from the terminal; the guard is the third layer, for what
reaches it anyway, for pastes, and for a hand that was already moving when the picture changed.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Callable
from time import perf_counter
from typing import Final

DEAD: Final = 0.4
"""Seconds for which keys that decide are dead after the picture changed by itself: one human reaction."""
BURST_KEYS: Final = 3
"""More keys than this within `BURST` were not typed by a hand."""
BURST: Final = 0.03
"""Seconds."""
CALM: Final = 0.6
"""Seconds without a key after which a word that was being typed is over."""
SETTLE: Final = 0.04
"""Seconds after which a key is known not to have been the first of a burst."""


class KeyGuard:
    """Knows when the picture last changed by itself and when the last keys were pressed. `clock` gives seconds."""

    def __init__(self, clock: Callable[[], float] = perf_counter) -> None:
        self._clock = clock
        self._changed = self._pressed = clock()
        self._keys: deque[float] = deque(maxlen=BURST_KEYS + 1)
        self.astray = False
        """Whether keys may be the rest of what was meant for a screen that did not open, or has not opened yet."""

    def open(self) -> None:
        """A screen is there now: what is typed from here on is meant for it."""
        self.astray = False
        self.change()

    def refuse(self) -> None:
        """A key that decides did nothing, or nothing yet. A reason that is typed behind it must not decide."""
        self.astray = True

    def change(self) -> None:
        """The picture changed by itself: a screen opened or got focus, or another call is shown."""
        self._changed = self._clock()

    def press(self, late: float = 0.0) -> None:
        """A key or a button was pressed, so many seconds ago: a busy screen looks at it late."""
        pressed = self._clock() - late
        self.astray = self.astray and pressed - self._pressed < CALM
        self._pressed = pressed

    def key(self, at: float, late: float = 0.0) -> None:
        """A key came at this moment, in seconds of any clock; a burst counts as a change of its own."""
        self.press(late)
        self._keys.append(at)
        if len(self._keys) > BURST_KEYS and at - self._keys[0] < BURST:
            self.change()

    def too_soon(self, pressed: float) -> bool:
        """Whether a hand that pressed at this moment, on the guard's clock, cannot have meant what is shown."""
        return pressed - self._changed < DEAD

    @property
    def dead(self) -> bool:
        """Whether what was pressed last must not decide: the picture changed right before it, or has since."""
        return self.astray or self.too_soon(self._pressed)
