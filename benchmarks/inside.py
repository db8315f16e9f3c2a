"""Inside a program that draws: what it tells of itself while it runs. It needs nothing that the program would not."""

from __future__ import annotations

import asyncio
import socket
import sys
from threading import Thread
from time import monotonic_ns, process_time_ns
from typing import NoReturn

_BEAT = 0.01
"""Seconds."""


class Inside:
    """Answers, on a thread of its own, each word that comes through the socket of this number with a number."""

    def __init__(self, number: int) -> None:
        self._imported = monotonic_ns()
        self._longest = 0
        self._beats = False
        self._socket = socket.socket(fileno=number)
        Thread(target=self._serve, daemon=True).start()

    async def beat(self) -> NoReturn:
        """Run in the loop that draws: it notes how long the loop did not come round."""
        self._beats = True
        last = monotonic_ns()
        while True:
            # Textual knows no other loop than asyncio's, and what is measured is that loop.
            await asyncio.sleep(_BEAT)
            now = monotonic_ns()
            self._longest = max(self._longest, now - last)
            last = now

    def _serve(self) -> None:
        with self._socket.makefile("r", encoding="ascii") as line:
            for word in line:
                self._socket.sendall(f"{self._answer(word.strip())}\n".encode("ascii"))

    def _answer(self, word: str) -> int:
        match word:
            case "imported":
                return self._imported
            case "cpu":
                return process_time_ns()
            case "gap":
                if not self._beats:
                    raise AssertionError("nobody beats")
                longest, self._longest = self._longest, 0
                return longest
            case _:
                raise AssertionError(f"a word that nobody knows: {word!r}")


def inside() -> Inside:
    """The line whose number is the program's last argument."""
    return Inside(int(sys.argv.pop()))
