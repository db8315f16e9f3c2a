"""What a reviewer wrote down for their dashboard: keys, saved filters, a theme, and how long a decision is held."""

from __future__ import annotations

import os
import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from gatekit.errors import UsageError
from gatekit_tui.frame.theme import THEMES
from gatekit_tui.queue.review_keys import DECIDING, KEYS, MOVES

HOLD: Final = 5.0
"""Seconds in which a decision can be undone, unless something else is written down."""
_LONGEST_HOLD: Final = 60
_FILTERS: Final = {"1": "risk>=high", "2": "older:10m", "3": "claimed:no", "4": "kind:question"}
_TOGETHER: Final = {"approve": ("approve", "release", "answer")}
"""One key with one meaning: yes, to whatever is asked."""
_NEVER: Final = {
    **dict.fromkeys(MOVES, "the list moves with it"),
    **dict.fromkeys("123456789", "it is a saved filter"),
    "escape": "it always leads back",
    "ctrl+c": "it is the terminal's",
    "ctrl+q": "it always leaves",
    "tab": "it goes between the panes",
    **dict.fromkeys(("ctrl+j", "ctrl+m", "ctrl+i", "ctrl+h"), "terminals send it for Enter, Tab or Backspace"),
    **dict.fromkeys(("ctrl+s", "ctrl+t", "ctrl+e", "ctrl+r"), "it belongs to the editor"),
}
_KEY: Final = re.compile(r"\S|space|(ctrl\+|alt\+|shift\+)?(\S|f\d{1,2}|insert|delete|backspace|enter|home|end)")
_FILE: Final = ("theme", "hold", "keys", "filters")


@dataclass(frozen=True, slots=True)
class Settings:
    """How this reviewer's dashboard is set up."""

    keys: Mapping[str, str] = field(default_factory=dict[str, str])
    """The key of each binding that has another one than usual, by the binding's id."""
    filters: Mapping[str, str] = field(default_factory=lambda: dict(_FILTERS))
    """The saved filters, by their digit."""
    theme: str | None = None
    """None: what fits the terminal."""
    hold: float = HOLD
    """Seconds in which a decision can be undone before it counts."""


def settings_file(environment: Mapping[str, str] = os.environ) -> Path:
    """Where they are: `$GATEKIT_DASHBOARD`, else `gatekit/dashboard.toml` in the folder for settings."""
    if given := environment.get("GATEKIT_DASHBOARD"):
        return Path(given)
    home = environment.get("XDG_CONFIG_HOME") or os.path.join(os.path.expanduser("~"), ".config")
    return Path(home) / "gatekit" / "dashboard.toml"


def read_settings(environment: Mapping[str, str] = os.environ) -> Settings:
    """Read the file; without one everything is as usual.

    Raises:
        UsageError: the file cannot be read, or says something that cannot be; the message names file and place.
    """
    path = settings_file(environment)
    try:
        text = path.read_text(encoding="utf-8")
    except (FileNotFoundError, NotADirectoryError):
        if environment.get("GATEKIT_DASHBOARD"):
            raise UsageError(f"$GATEKIT_DASHBOARD names {path}, and there is no such file") from None
        return Settings()
    except (OSError, UnicodeError) as error:
        raise UsageError(f"{path} cannot be read: {error}") from error
    # Most people have no such file.
    import tomllib

    try:
        return settings_from(tomllib.loads(text))
    except (tomllib.TOMLDecodeError, UsageError) as error:
        raise UsageError(f"{path}: {error}") from error


def settings_from(given: Mapping[str, Any]) -> Settings:
    """Check what a file says. Raises `UsageError`."""
    if unknown := sorted(set(given) - set(_FILE)):
        raise UsageError(f"there is no {unknown[0]!r}; there is {', '.join(_FILE)}")
    theme = given.get("theme")
    if theme is not None and theme not in THEMES:
        raise UsageError(f"theme = {theme!r}: it is one of {', '.join(THEMES)}")
    hold = given.get("hold", HOLD)
    if isinstance(hold, bool) or not isinstance(hold, (int, float)) or not 0 <= hold <= _LONGEST_HOLD:
        raise UsageError(f"hold = {hold!r}: it takes seconds from 0 to {_LONGEST_HOLD}")
    keys = _keys(_table("keys", given.get("keys", {})))
    return Settings(keys, _filters(_table("filters", given.get("filters", {}))), theme, float(hold))


def _table(name: str, given: Any) -> dict[str, str]:
    if not isinstance(given, dict) or not all(isinstance(value, str) for value in given.values()):
        raise UsageError(f'[{name}] takes lines like  name = "text"')
    return given


def _filters(given: Mapping[str, str]) -> dict[str, str]:
    for digit in given:
        if not re.fullmatch("[1-9]", digit):
            raise UsageError(f"[filters] {digit}: a saved filter has a digit from 1 to 9")
    return {**_FILTERS, **given}


def _keys(given: Mapping[str, str]) -> dict[str, str]:
    """By binding id what Textual's keymap takes; every clash is refused."""
    usual = {binding.id: binding.key for binding in KEYS if binding.id and binding.id not in ("release", "answer")}
    deciding = {binding.id for binding in KEYS if binding.action.partition("(")[0] in DECIDING}
    for name, key in given.items():
        if name not in usual:
            raise UsageError(f"[keys] {name}: there is no such key; there is {', '.join(sorted(usual))}")
        if key in _NEVER:
            raise UsageError(f"[keys] {name} = {key!r}: {_NEVER[key]}")
        if not _KEY.fullmatch(key) or re.fullmatch(r"shift\+\S", key):
            raise UsageError(f'[keys] {name} = {key!r}: write one character, "ctrl+k", "alt+k" or "f5"')
        if name in deciding and "enter" in key:
            raise UsageError(f"[keys] {name} = {key!r}: Enter never decides anything")
    _refuse_clashes({**usual, **given})
    spelt = {name: "comma" if key == "," else key for name, key in given.items()}
    return {each: key for name, key in spelt.items() for each in _TOGETHER.get(name, (name,))}


def _refuse_clashes(keys: Mapping[str, str]) -> None:
    owner: dict[str, str] = {}
    for name, listed in keys.items():
        for key in listed.split(",") if len(listed) > 1 else [listed]:
            short = _SHORT.get(key, key)
            if short in owner:
                raise UsageError(
                    f"[keys] {name} = {short!r}: that is the key of {owner[short]!r}; give that another one"
                )
            owner[short] = name


_SHORT: Final = {
    "question_mark": "?",
    "slash": "/",
    "right_square_bracket": "]",
    "left_square_bracket": "[",
    "asterisk": "*",
    "comma": ",",
}
"""How one writes what Textual calls by name."""
