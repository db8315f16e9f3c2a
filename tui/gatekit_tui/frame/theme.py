"""Colours. What is drawn by lines takes its colours from the theme's variables; no colour stands anywhere else."""

from __future__ import annotations

import os
from collections.abc import Mapping
from typing import Final, Literal

from rich.style import Style
from textual.color import Color
from textual.theme import Theme

from gatekit_tui.frame.spans import Ink

Base = Literal["base", "chosen", "bar", "head"]
"""What lies under the ink of a line."""

GATEKIT: Final = Theme(
    name="gatekit",
    dark=True,
    primary="#7fb4e6",
    secondary="#9aa7b5",
    accent="#e6b86a",
    foreground="#d9dee4",
    background="#11151a",
    surface="#161b22",
    panel="#1e252e",
    success="#8cc98f",
    warning="#e6b86a",
    error="#f0716a",
    variables={
        "border": "#34404d",
        "scrollbar": "#34404d",
        "scrollbar-background": "#161b22",
        "scrollbar-hover": "#4a5a6b",
        "input-selection-background": "#35506b",
    },
)

GATEKIT_LIGHT: Final = Theme(
    name="gatekit-light",
    dark=False,
    primary="#1f5f99",
    secondary="#5a6672",
    accent="#8a5a00",
    foreground="#1b2128",
    background="#fbfbf9",
    surface="#f1f1ee",
    panel="#e6e7e4",
    success="#22702a",
    warning="#8a5a00",
    error="#b3261e",
    variables={
        "border": "#b9c0c6",
        "scrollbar": "#b9c0c6",
        "scrollbar-background": "#f1f1ee",
        "scrollbar-hover": "#8f99a3",
        "input-selection-background": "#bcd6ee",
    },
)
THEMES: Final = (GATEKIT.name, GATEKIT_LIGHT.name, "ansi-dark", "ansi-light")
"""What can be chosen; the last two are in the terminal's own colours."""

_INKS: Final[Mapping[Ink, tuple[str, str]]] = {
    "text": ("foreground", ""),
    "dim": ("secondary", ""),
    "title": ("foreground", "bold"),
    "label": ("primary", ""),
    "string": ("success", ""),
    "number": ("accent", ""),
    "constant": ("accent", ""),
    "note": ("secondary", "italic"),
    "warn": ("warning", "bold"),
    "good": ("success", "bold"),
    "gone": ("secondary", "italic"),
    "rule": ("border", ""),
    "added": ("success", ""),
    "removed": ("error", ""),
    "due": ("error", "bold"),
    "low": ("secondary", ""),
    "medium": ("primary", ""),
    "high": ("warning", "bold"),
    "critical": ("error", "bold reverse"),
}
"""The theme's colour of each ink, and how it is written: what matters must show without colours too."""
_CHOSEN: Final = 0.2
"""How much of the primary colour is in the ground of the chosen line."""


def inks(variables: Mapping[str, str]) -> dict[Ink | Base, Style]:
    """The style of every ink and ground in the theme of these variables."""
    colours = {name: Color.parse(variables[name]) for name in ("background", "panel", "primary")}
    background, primary = colours["background"], colours["primary"]
    plain = background.ansi is not None or primary.ansi is not None
    chosen = background if plain else background.blend(primary, _CHOSEN)
    styles: dict[Ink | Base, Style] = {
        "base": Style(bgcolor=background.rich_color),
        "head": Style(bgcolor=background.rich_color),
        "bar": Style(bgcolor=colours["panel"].rich_color),
        "chosen": Style(bgcolor=chosen.rich_color, bold=plain or None),
    }
    for ink, (colour, writing) in _INKS.items():
        styles[ink] = Style(color=Color.parse(variables[colour]).rich_color) + Style.parse(writing)
    return styles


def theme_for(environment: Mapping[str, str] = os.environ, wanted: str | None = None) -> str:
    """The theme that fits the terminal: under NO_COLOR or on a plain console the terminal's own colours.

    With any other theme Textual turns colours into greys under NO_COLOR instead of leaving them out.
    """
    term = environment.get("TERM", "")
    plain = environment.get("NO_COLOR") or term in ("linux", "dumb", "vt100", "vt220") or term.endswith("-16color")
    if plain:
        return "ansi-light" if wanted in (GATEKIT_LIGHT.name, "ansi-light") else "ansi-dark"
    return wanted or GATEKIT.name
