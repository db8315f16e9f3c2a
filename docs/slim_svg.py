"""A terminal's picture as a small SVG that loads nothing from anywhere. Pure."""

from __future__ import annotations

import re
from typing import Final

FONTS: Final = "ui-monospace, 'DejaVu Sans Mono', Menlo, Consolas, monospace"
_RECT: Final = re.compile(r'<rect fill="([^"]+)" x="([\d.]+)" y="([\d.]+)" width="([\d.]+)" height="([\d.]+)"[^>]*/>')


def slim(svg: str) -> str:
    """What Rich draws, without what a reader does not see: foreign fonts, a clip for each line, a box for each word."""
    svg = re.sub(r"@font-face \{.*?\}\s*", "", svg, flags=re.DOTALL).replace("Fira Code", FONTS)
    svg = re.sub(r'<clipPath id="[^"]*-line-\d+">.*?</clipPath>\s*', "", svg, flags=re.DOTALL)
    svg = re.sub(r'<clipPath id="[^"]*-clip-terminal">.*?</clipPath>\s*', "", svg, flags=re.DOTALL)
    # That of the whole cuts off what hangs below the last line.
    svg = re.sub(r' clip-path="url\([^)]*\)"', "", svg)
    svg = re.sub(r"terminal-\d+-", "t-", svg)
    svg = re.sub(r"(?:<rect fill=[^>]*crispEdges\"/>)+", lambda boxes: "\n".join(_joined(boxes[0])), svg)
    return re.sub(r"\s*\n\s*", "\n", svg)


def _joined(boxes: str) -> list[str]:
    """One box where several of one colour touch on a line."""
    joined: list[list[str | float]] = []
    for colour, x, y, width, height in _RECT.findall(boxes):
        last = joined[-1] if joined else None
        if last and last[0] == colour and last[2] == y and abs(float(last[1]) + float(last[3]) - float(x)) < 0.5:
            last[3] = float(x) + float(width) - float(last[1])
        else:
            joined.append([colour, float(x), y, float(width), height])
    return [
        f'<rect fill="{colour}" x="{x:g}" y="{y}" width="{width:g}" height="{height}" shape-rendering="crispEdges"/>'
        for colour, x, y, width, height in joined
    ]
