"""Builds hostile arguments and puts them through `Parameters`, under limits on memory and time.

Run with ids of cases as arguments; prints one JSON object a line: id, outcome, error, text.
"""

from __future__ import annotations

import dataclasses
import json
import resource
import signal
import sys
from typing import Any

from gatekit.arguments.parameters import Parameters
from gatekit.errors import UsageError
from tests.corpus_cases import CASES

MEMORY = 2 * 1024**3
SECONDS_PER_CASE = 10


def by_keywords(**kwargs: Any) -> None:
    """An undeclared tool: anything goes in by name."""


def one_value(v: Any) -> None:
    """An undeclared parameter."""


def declared(annotation: Any) -> Any:
    def tool(v: Any):
        """The parameter is of the case's own type."""

    tool.__annotations__ = {"v": annotation}
    return tool


def drives(value: dict[str, Any]) -> list[tuple[Any, dict[str, Any]]]:
    if "v" in value and dataclasses.is_dataclass(value["v"]):
        return [(declared(type(value["v"])), value)]
    by_name = (by_keywords, {"kwargs": value})
    return [by_name, (one_value, value)] if value.keys() == {"v"} else [by_name, (one_value, {"v": value})]


def same(left: Any, right: Any) -> bool:
    """Equality of type and value, written apart from the one under test. Not for sets."""
    if type(left) is not type(right):
        return False
    if isinstance(left, dict):
        return left.keys() == right.keys() and all(same(left[key], right[key]) for key in left)
    if isinstance(left, list):
        return len(left) == len(right) and all(map(same, left, right))
    return bool(left == right)


def drive(tool: Any, values: dict[str, Any]) -> tuple[str, str]:
    parameters = Parameters.of(tool, tool="tool")
    try:
        snapshot = parameters.snapshot(values)
    except UsageError as error:
        return "refused", str(error)
    runs_with = parameters.rebuild(snapshot.text, None)
    return ("exact" if same(values, runs_with) else "changed"), snapshot.text


def main() -> None:
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY, MEMORY))
    for name in sys.argv[1:]:
        signal.alarm(SECONDS_PER_CASE)
        for tool, values in drives(CASES[name].build()):
            outcome, said = drive(tool, values)
            row = {"id": name, "tool": tool.__name__, "outcome": outcome, "said": said}
            sys.stdout.write(f"{json.dumps(row)}\n")
            sys.stdout.flush()


if __name__ == "__main__":
    main()
