"""Canonical text v1 is a stored format: these texts and digests never change."""

from __future__ import annotations

import json
from typing import Any

import pytest

from gatekit.arguments.canonical import canonical, digest_of
from gatekit.arguments.parsing import parse
from gatekit.errors import UsageError


def nested(levels: int) -> dict[str, Any]:
    value: Any = {}
    for _ in range(levels):
        value = {"d": value}
    return {"v": value}


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ({}, "{}"),
        ({"b": 1, "a": 2, "B": 3}, '{"B":3,"a":2,"b":1}'),
        ({"v": [1, 1.0, -0.0, 1e22, 5e-324, True, None]}, '{"v":[1,1.0,-0.0,1e+22,5e-324,true,null]}'),
        ({"v": "é😀\x00\x1b\u2028"}, '{"v":"\\u00e9\\ud83d\\ude00\\u0000\\u001b\\u2028"}'),
        ({"v": 2**63}, '{"v":9223372036854775808}'),
        ({"v": 0.1 + 0.2}, '{"v":0.30000000000000004}'),
        ({"": 1, "   ": 2}, '{"":1,"   ":2}'),
    ],
)
def test_the_text_is_fixed(value: object, text: str) -> None:
    assert canonical(value) == text
    assert canonical(parse(text)) == text


def test_the_digest_is_fixed() -> None:
    assert digest_of("send_email", '{"to":"bob"}') == (
        "4607d51543d598f52a768b21af7906fc1b433835cb341f3291b8eeb00e305089"
    )


@pytest.mark.parametrize("other", [("send_emai", '{"to":"bob"}'), ("send_email", '{"to":"bop"}')])
def test_the_digest_depends_on_tool_and_text(other: tuple[str, str]) -> None:
    assert digest_of(*other) != digest_of("send_email", '{"to":"bob"}')


def test_sixty_four_levels_are_kept_and_one_more_is_refused() -> None:
    assert parse(canonical(nested(64))) == nested(64)
    with pytest.raises(UsageError, match="deeper than 64 levels"):
        canonical(nested(65))
    with pytest.raises(UsageError, match="deeper than 64 levels"):
        parse(json.dumps(nested(65)))


def test_a_megabyte_is_kept_and_one_byte_more_is_refused() -> None:
    fits = {"v": "x" * (1_000_000 - len('{"v":""}'))}
    assert len(canonical(fits)) == 1_000_000
    with pytest.raises(UsageError, match="larger than 1 MB"):
        canonical({"v": fits["v"] + "x"})
    with pytest.raises(UsageError, match="larger than 1 MB"):
        canonical({"v": "é" * 200_000})


def test_as_many_digits_as_python_reads_are_kept() -> None:
    assert parse(canonical({"v": -(10**4300) + 1})) == {"v": -(10**4300) + 1}
    with pytest.raises(UsageError, match="more than 4300 digits"):
        canonical({"v": 10**4300})
    with pytest.raises(UsageError, match="more than 4300 digits"):
        parse('{"v":1' + "0" * 4300 + "}")


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ('{"a":1,"a":2}', "'a' stands twice"),
        ('{"a":{"b":1,"b":1}}', "'b' stands twice"),
        ('{"a":NaN}', "NaN is no JSON number"),
        ('{"a":-Infinity}', "-Infinity is no JSON number"),
        ('{"a":1e400}', "inf is no JSON number"),
        ('{"a":"\\ud800"}', "a: holds a lone surrogate"),
        ('{"\\ud800":1}', "lone surrogate"),
        ('{"a":{"$gatekit":1}}', "a: the key '$gatekit' begins with"),
        ('{"$gatekitten":1}', "begins with $gatekit"),
        ("[1]", "must be one JSON object"),
        ('"{}"', "must be one JSON object"),
        ('{"a":1,}', "not valid JSON"),
        ('{"a":01}', "not valid JSON"),
        ('{"a":1}{"a":2}', "not valid JSON: Extra data (line 1, column 8)"),
        ("{'a':1}", "not valid JSON"),
        ("", "not valid JSON"),
        ('{"v":' + "[" * 100_000 + "]" * 100_000 + "}", "nested"),
    ],
)
def test_text_that_two_readers_could_understand_differently_is_refused(text: str, says: str) -> None:
    with pytest.raises(UsageError) as refused:
        parse(text)
    assert says in str(refused.value)


MARKER = '{"$gatekit":"redacted","salt":"' + "0" * 32 + '","sha256":"' + "a" * 64 + '"}'


def test_a_marker_is_read_only_where_it_is_asked_for() -> None:
    assert parse(f'{{"a":{MARKER}}}', markers=True)["a"]["salt"] == "0" * 32
    with pytest.raises(UsageError, match="reserved"):
        parse(f'{{"a":{MARKER}}}')


@pytest.mark.parametrize(
    "forged",
    [
        '{"$gatekit":"redacted"}',
        MARKER.replace('"salt"', '"more":1,"salt"'),
        MARKER.replace("a" * 64, "A" * 64),
        MARKER.replace("redacted", "other"),
        MARKER.replace(f'"{"0" * 32}"', "1"),
    ],
)
def test_a_malformed_marker_is_never_read(forged: str) -> None:
    with pytest.raises(UsageError, match="reserved"):
        parse(f'{{"a":{forged}}}', markers=True)


class Text(str):
    __slots__ = ()


@pytest.mark.parametrize(
    "value", [Text("a"), (1,), {1}, b"a", {1: 2}, {Text("a"): 1}, object(), float("nan"), float("-inf"), {"a": [print]}]
)
def test_what_json_would_bend_is_refused(value: object) -> None:
    with pytest.raises(UsageError, match=r"^v"):
        canonical({"v": value})
