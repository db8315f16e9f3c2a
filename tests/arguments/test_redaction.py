"""Secrets never reach the stored text, and only the live call can supply them."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

import pytest
from pydantic import BaseModel, Secret, SecretBytes, SecretStr

from gatekit.arguments.edits import apply_edit
from gatekit.arguments.parameters import Parameters
from gatekit.arguments.parsing import parse
from gatekit.errors import InvalidEdit, UsageError

CANARY = "c4n4ry-s3cr3t"


class Login(BaseModel):
    user: str
    password: SecretStr | None = None


@dataclass
class Server:
    logins: list[Login]
    key: SecretBytes


def connect(server: Server, token: str, by_number: dict[int, SecretStr], note: str = "") -> None: ...


def call(secret: str = CANARY) -> dict[str, Any]:
    logins = [Login(user="a", password=SecretStr(f"{secret}1")), Login(user="b")]
    return {
        "server": Server(logins, SecretBytes(f"{secret}2".encode())),
        "token": f"{secret}3",
        "by_number": {7: SecretStr(f"{secret}4")},
        "note": "hello",
    }


PARAMETERS = Parameters.of(connect, tool="connect", redact=("token",))


def test_secrets_are_found_by_name_and_by_type_anywhere() -> None:
    snapshot = PARAMETERS.snapshot(call())
    assert set(snapshot.hidden) == {
        ("token",),
        ("server", "key"),
        ("server", "logins", 0, "password"),
        ("by_number", "7"),
    }
    assert CANARY not in snapshot.text
    assert CANARY not in repr(snapshot)
    assert CANARY not in PARAMETERS.schema_text
    stored = parse(snapshot.text, markers=True)
    assert stored["token"].keys() == {"$gatekit", "salt", "sha256"}
    assert stored["server"]["logins"][1]["password"] is None


def test_the_predicate_and_the_tool_get_the_values() -> None:
    snapshot = PARAMETERS.snapshot(call())
    for values in (snapshot.values, snapshot.fresh(), PARAMETERS.rebuild(snapshot.text, snapshot)):
        assert values == call()
        assert type(values["server"].key) is SecretBytes


def test_a_description_gets_no_redacted_value() -> None:
    shown = PARAMETERS.shown(PARAMETERS.snapshot(call()))
    assert shown.token == "[redacted]"
    assert CANARY not in f"{shown!r} {shown.server} {shown.by_number}"
    assert CANARY not in repr(PARAMETERS.view(call()))


def test_equal_secrets_do_not_look_equal() -> None:
    def tool(a: SecretStr, b: SecretStr) -> None: ...

    snapshot = Parameters.of(tool, tool="t").snapshot({"a": SecretStr("x"), "b": SecretStr("x")})
    stored = snapshot.parsed()
    assert stored["a"]["salt"] != stored["b"]["salt"]
    assert stored["a"]["sha256"] != stored["b"]["sha256"]


def test_a_repeated_call_matches_by_its_secrets() -> None:
    first = PARAMETERS.snapshot(call())
    again = PARAMETERS.snapshot(call())
    assert again.text != first.text
    assert PARAMETERS.matches(again, first.text)
    assert not PARAMETERS.matches(PARAMETERS.snapshot(call("other")), first.text)
    assert not PARAMETERS.matches(PARAMETERS.snapshot({**call(), "note": "bye"}), first.text)
    fewer = {**call(), "by_number": {}}
    assert not PARAMETERS.matches(PARAMETERS.snapshot(fewer), first.text)


def test_another_process_runs_the_stored_text_with_its_own_secrets() -> None:
    stored = PARAMETERS.snapshot(call()).text
    elsewhere = PARAMETERS.snapshot(call())
    assert PARAMETERS.rebuild(stored, elsewhere) == call()


@pytest.mark.parametrize("live", [None, call("other"), {**call(), "by_number": {}}])
def test_without_the_very_secrets_nothing_is_rebuilt(live: dict[str, Any] | None) -> None:
    stored = PARAMETERS.snapshot(call()).text
    with pytest.raises(UsageError, match=r"redacted value|another secret"):
        PARAMETERS.rebuild(stored, None if live is None else PARAMETERS.snapshot(live))


def test_a_stored_text_cannot_put_a_value_where_a_secret_was() -> None:
    live = PARAMETERS.snapshot(call())
    forged = live.parsed() | {"token": "mine"}
    with pytest.raises(UsageError, match="token: a redacted value was replaced"):
        PARAMETERS.rebuild(json.dumps(forged), live)


def test_a_stored_text_cannot_put_a_secret_where_a_value_was() -> None:
    live = PARAMETERS.snapshot(call())
    forged = live.parsed()
    forged["note"] = forged["token"]
    with pytest.raises(UsageError, match="note: a redacted value that only the call itself holds"):
        PARAMETERS.rebuild(json.dumps(forged), live)


def edit(changes: dict[str, Any], *, replace: bool = False) -> Any:
    text = PARAMETERS.snapshot(call()).text
    schema = PARAMETERS.schema_text
    return apply_edit(tool="connect", text=text, schema_text=schema, changes=changes, replace=replace)


def test_an_edit_beside_a_secret_keeps_its_marker() -> None:
    live = PARAMETERS.snapshot(call())
    before = live.parsed()
    before["server"]["logins"][0]["user"] = "c"
    edited = apply_edit(
        tool="connect",
        text=live.text,
        schema_text=PARAMETERS.schema_text,
        changes={"server": before["server"], "note": "edited"},
        replace=False,
    )
    values = PARAMETERS.rebuild(edited.text, live)
    assert values["note"] == "edited"
    assert values["server"].logins[0] == Login(user="c", password=SecretStr(f"{CANARY}1"))


FORGED = {"$gatekit": "redacted", "salt": "0" * 32, "sha256": "0" * 64}


@pytest.mark.parametrize(
    "changes",
    [
        {"token": "mine"},
        {"token": None},
        {"token": FORGED},
        {"note": FORGED},
        {"by_number": {}},
        {"by_number": {"7": "mine"}},
        {"token": {"$gatekit": "redacted"}},
    ],
)
def test_an_edit_of_a_marker_is_refused_by_its_path(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidEdit) as refused:
        edit(changes)
    assert refused.value.errors[0].startswith(next(iter(changes)))


def test_replacing_everything_without_the_markers_is_refused() -> None:
    with pytest.raises(InvalidEdit, match="marker has to stay"):
        edit({"note": "x"}, replace=True)


def test_swapping_two_markers_is_refused() -> None:
    def tool(a: SecretStr, b: SecretStr) -> None: ...

    parameters = Parameters.of(tool, tool="t")
    stored = parameters.snapshot({"a": SecretStr("x"), "b": SecretStr("y")})
    swapped = {"a": stored.parsed()["b"], "b": stored.parsed()["a"]}
    with pytest.raises(InvalidEdit, match="marker has to stay"):
        apply_edit(tool="t", text=stored.text, schema_text=parameters.schema_text, changes=swapped, replace=False)


def test_a_redacted_parameter_may_hold_anything_and_errors_say_nothing_of_it() -> None:
    def tool(secret: Any) -> None: ...

    parameters = Parameters.of(tool, tool="t", redact=("secret",))
    for value in (None, 3, {"a": [CANARY]}, [SecretStr]):
        if value == [SecretStr]:
            with pytest.raises(UsageError, match="value is redacted"):
                parameters.snapshot({"secret": value})
            continue
        snapshot = parameters.snapshot({"secret": value})
        assert parameters.rebuild(snapshot.text, snapshot) == {"secret": value}
        assert CANARY not in snapshot.text
    with pytest.raises(UsageError) as refused:
        parameters.snapshot({"secret": {CANARY: float("nan")}})
    assert CANARY not in str(refused.value)


def test_not_even_the_keys_of_a_redacted_value_are_in_an_error() -> None:
    def tool(secret: dict[str, set[int] | list[int]]) -> None: ...

    parameters = Parameters.of(tool, tool="t", redact=("secret",))
    with pytest.raises(UsageError, match=r"^t: secret: .*redacted") as refused:
        parameters.snapshot({"secret": {CANARY: [1]}})
    assert CANARY not in str(refused.value)


def test_a_secret_in_a_set_is_refused_by_its_path() -> None:
    def tool(v: dict[str, set[SecretStr]]) -> None: ...

    with pytest.raises(UsageError, match=r"v\.a\[0\]: a secret inside a set"):
        Parameters.of(tool, tool="t").snapshot({"v": {"a": {SecretStr("x")}}})


def test_a_secret_inside_a_redacted_parameter_is_kept_too() -> None:
    def tool(login: Login) -> None: ...

    parameters = Parameters.of(tool, tool="t", redact=("login",))
    given = {"login": Login(user="a", password=SecretStr(CANARY))}
    snapshot = parameters.snapshot(given)
    assert set(snapshot.hidden) == {("login",)}
    assert parameters.rebuild(snapshot.text, snapshot) == given


@pytest.mark.parametrize(
    ("annotation", "value"),
    [
        (set[SecretStr], {SecretStr("a")}),
        (SecretBytes, SecretBytes(b"\xff")),
        (Any, {"a": SecretStr(CANARY)}),
        (Secret[str], Secret[str](CANARY)),
    ],
)
def test_a_secret_that_cannot_be_kept_is_refused_and_not_spelt_out(annotation: Any, value: Any) -> None:
    def tool(v: Any):
        """One parameter of the given annotation."""

    tool.__annotations__ = {"v": annotation}
    with pytest.raises(UsageError) as refused:
        Parameters.of(tool, tool="t").snapshot({"v": value})
    assert CANARY not in str(refused.value)


def test_secrets_are_taken_out_of_messages() -> None:
    def tool(token: str, pin: int, login: dict[str, str]) -> None: ...

    parameters = Parameters.of(tool, tool="t", redact=("token", "pin", "login"))
    secret = "it's\n\u00e9"
    snapshot = parameters.snapshot({"token": secret, "pin": 4711, "login": {"user": "root!"}})
    for spelling in (secret, repr({"t": secret}), ascii(secret), json.dumps([secret]), "4711", "by root!"):
        redacted = snapshot.redact(f"failed: {spelling}")
        assert "[redacted]" in redacted
        assert not any(part in redacted for part in ("it's", "4711", "root!", "u00e9", "xe9"))
    assert snapshot.redact("nothing here") == "nothing here"
