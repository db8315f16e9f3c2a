"""Why a value was refused, and where it is."""

from __future__ import annotations

import json
import re
from typing import Final, TypeAlias

Step: TypeAlias = str | int
Steps: TypeAlias = tuple[Step, ...]
"""The way to a value: keys and indexes from the outside in, the parameter's name first."""

_BARE: Final = re.compile(r"[A-Za-z_][A-Za-z0-9_-]*")


class Refused(ValueError):
    """One value cannot be an argument. It leaves this package as a `UsageError` or an `InvalidEdit`.

    `steps` grows from the inside out while the error passes the containers round the value, so that no path
    is built for the values that are fine.
    """

    def __init__(self, problem: str, steps: Steps = ()) -> None:
        super().__init__(problem, steps)
        self.problem = problem
        self.steps = steps

    def under(self, step: Step) -> Refused:
        """The same refusal, seen from one container further out."""
        self.steps = (step, *self.steps)
        return self

    def __str__(self) -> str:
        return f"{path_of(self.steps)}: {self.problem}" if self.steps else self.problem


def path_of(steps: Steps) -> str:
    """The path as a person writes it. Keys that are no plain name are quoted as ASCII JSON: none hides.

    >>> path_of(("items", 0, "name")), path_of(("head", "a b"))
    ('items[0].name', 'head["a b"]')
    """
    path = ""
    for step in steps:
        if isinstance(step, int):
            path += f"[{step}]"
        elif _BARE.fullmatch(step):
            path += f".{step}" if path else step
        else:
            path += f"[{json.dumps(step)}]"
    return path
