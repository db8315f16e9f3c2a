"""The test that lets a plain value pass as it came, as the text of a Python expression.

The wrapper of a step is compiled with these expressions in it: a call whose arguments are all exact scalars
of their annotated types needs no copy, because nobody can change such a value, and no validation.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, Final

BUILTINS_USED: Final = frozenset({"type", "str", "int", "bool", "float"})
"""What the expressions call. A tool whose own parameter has one of these names cannot use them."""

_TESTS: Final = {
    "str": "type({0}) is str",
    "int": "type({0}) is int",
    "bool": "type({0}) is bool",
    # Neither NaN nor an infinity is zero when taken from itself.
    "float": "(type({0}) is float and {0} - {0} == 0)",
    "none": "{0} is None",
    "any": "(type({0}) is str or type({0}) is int or type({0}) is bool or {0} is None)",
}
_HARMLESS: Final = frozenset({"type", "metadata", "ref", "schema", "choices", "expected"})
"""The keys of a core schema that say nothing about values, or are followed here."""


def fast_test(schema: Any, name: str) -> str | None:
    """The expression for a parameter called `name`, of this core schema; None if there is none.

    Reading it off pydantic's own schema means that any constraint whatsoever makes the answer None.

    >>> fast_test({"type": "nullable", "schema": {"type": "str"}}, "to")
    'to is None or type(to) is str'
    >>> fast_test({"type": "str", "max_length": 9}, "to") is None
    True
    """
    if not _HARMLESS.issuperset(schema):
        return None
    kind = schema["type"]
    if kind in _TESTS:
        return _TESTS[kind].format(name)
    if kind == "literal":
        return _literal(schema["expected"], name)
    if kind == "nullable":
        return _either([{"type": "none"}, schema["schema"]], name)
    if kind == "union":
        return _either(schema["choices"], name)
    return None


def plain_test(schema: Any) -> Callable[[object], bool]:
    """The same test as a function.

    >>> plain_test({"type": "int"})(3), plain_test({"type": "int"})(True)
    (True, False)
    """
    # The text is made of the tests above and of the strings of a Literal by their repr.
    test: Callable[[object], bool] = eval(f"lambda value: {fast_test(schema, 'value')}")
    return test


def _either(choices: list[Any], name: str) -> str | None:
    tests = [fast_test(choice, name) for choice in choices if isinstance(choice, dict)]
    if len(tests) < len(choices) or None in tests:
        return None
    return " or ".join(test for test in tests if test)


def _literal(expected: list[Any], name: str) -> str | None:
    if any(type(choice) is not str for choice in expected):
        return None
    return f"(type({name}) is str and {name} in {tuple(expected)!r})"
