"""What an edit changed, by path and not by line of text."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from gatekit.arguments.parsing import parse
from gatekit.arguments.refused import Steps, path_of
from gatekit.models import Change


def diff(before_text: str, after_text: str) -> tuple[Change, ...]:
    """The differences between two stored texts, in the order of their paths.

    Lists are compared place by place. 1, 1.0 and true are three values. Raises `UsageError` for what is no
    canonical text.

    >>> [(change.path, change.kind, change.after) for change in diff('{"a":1,"b":[2]}', '{"a":1,"b":[2,3]}')]
    [('$.b[1]', 'added', 3)]
    """
    before, after = parse(before_text, markers=True), parse(after_text, markers=True)
    return tuple(_changes(before, after, ()))


def same_json(left: object, right: object) -> bool:
    """Whether two JSON values are equal in type and value.

    >>> same_json([1, {"a": 2}], [1, {"a": 2}]), same_json(1, 1.0), same_json(1, True)
    (True, False, False)
    """
    if type(left) is not type(right):
        return False
    if isinstance(left, dict) and isinstance(right, dict):
        return left.keys() == right.keys() and all(same_json(left[key], right[key]) for key in left)
    if isinstance(left, list) and isinstance(right, list):
        return len(left) == len(right) and all(map(same_json, left, right))
    if isinstance(left, float):
        return repr(left) == repr(right)
    return left == right


def _changes(before: Any, after: Any, steps: Steps) -> Iterator[Change]:
    if type(before) is dict and type(after) is dict:
        yield from _in_dict(before, after, steps)
    elif type(before) is list and type(after) is list:
        yield from _in_list(before, after, steps)
    elif not same_json(before, after):
        yield _change("changed", steps, before=before, after=after)


def _in_dict(before: dict[str, Any], after: dict[str, Any], steps: Steps) -> Iterator[Change]:
    for key in sorted(before.keys() | after.keys()):
        if key not in after:
            yield _change("removed", (*steps, key), before=before[key])
        elif key not in before:
            yield _change("added", (*steps, key), after=after[key])
        else:
            yield from _changes(before[key], after[key], (*steps, key))


def _in_list(before: list[Any], after: list[Any], steps: Steps) -> Iterator[Change]:
    shared = min(len(before), len(after))
    for index in range(shared):
        yield from _changes(before[index], after[index], (*steps, index))
    for index in range(shared, len(before)):
        yield _change("removed", (*steps, index), before=before[index])
    for index in range(shared, len(after)):
        yield _change("added", (*steps, index), after=after[index])


def _change(kind: Any, steps: Steps, *, before: Any = None, after: Any = None) -> Change:
    path = path_of(steps)
    return Change(path=f"${path}" if path.startswith("[") else f"$.{path}", kind=kind, before=before, after=after)
