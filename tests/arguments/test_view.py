"""What a predicate sees."""

from __future__ import annotations

from collections.abc import Mapping

import pytest

from gatekit.arguments.parameters import Parameters
from gatekit.arguments.view import Args


def tool(items: list[int], keys: str, get: str = "", _values: str = "", *args: int, **kwargs: int) -> None: ...


PARAMETERS = Parameters.of(tool, tool="tool")
VIEW = PARAMETERS.view(PARAMETERS.snapshot(PARAMETERS.bind(([1], "k", "g", "v", 5), {"x": 6})).values)


def test_an_attribute_is_a_parameter_and_nothing_else() -> None:
    assert (VIEW.items, VIEW.keys, VIEW.get, VIEW._values) == ([1], "k", "g", "v")
    assert (VIEW.args, VIEW.kwargs) == ([5], {"x": 6})
    public = {name for name in dir(Args) if not name.startswith("__")}
    assert not public


def test_parameters_are_found_by_name_too() -> None:
    assert VIEW["keys"] == "k"
    assert "keys" in VIEW
    assert "nothing" not in VIEW
    assert list(VIEW) == ["items", "keys", "get", "_values", "args", "kwargs"]
    assert len(VIEW) == 6
    assert not isinstance(VIEW, Mapping)


def test_what_is_not_there_is_an_error_that_names_what_is() -> None:
    with pytest.raises(AttributeError, match="no argument 'amount'; it has: items, keys"):
        _ = VIEW.amount
    with pytest.raises(KeyError, match="no argument 'amount'; it has: items, keys"):
        _ = VIEW["amount"]
    assert not hasattr(VIEW, "pop")


def test_a_view_is_read_only() -> None:
    with pytest.raises(AttributeError, match="read-only"):
        VIEW.keys = "other"
    with pytest.raises(AttributeError, match="read-only"):
        del VIEW.keys
    with pytest.raises(TypeError):
        VIEW["keys"] = "other"  # type: ignore[index]
    assert VIEW.keys == "k"


def test_its_repr_hides_what_is_redacted() -> None:
    def pay(amount: int, token: str) -> None: ...

    view = Parameters.of(pay, tool="pay", redact=("token",)).view({"amount": 1, "token": "s3cret"})
    assert repr(view) == "Args(amount=1, token=[redacted])"
    assert view.token == "s3cret"
