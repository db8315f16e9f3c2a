"""Random scopes and random arguments: a standing permission covers exactly what it says."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from gatekit.machine.grants import GrantRecord, fits, scope_of
from tests.policy.oracles import is_same, leads_out, meets

letters = st.sampled_from(["a", "b", "/", ".", "..", "/..", "*", "?", "**", "\\", "-", "é", " ", "srv", "\n", "\u202e"])
texts = st.lists(letters, max_size=8).map("".join)
numbers = st.integers(-5, 5) | st.sampled_from([0.5, 1.0, -0.0, 1e300, 10**30, 0.1, 2.5e-9])
values: st.SearchStrategy[Any] = st.recursive(
    texts | numbers | st.booleans() | st.none(),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("xy"), inner, max_size=2),
    max_leaves=4,
)
bounds = st.fixed_dictionaries({}, optional={"at_least": numbers, "at_most": numbers}).filter(bool)
demands: st.SearchStrategy[Any] = bounds | st.just({"any": True}) | texts | values


def is_written_as(demand: Any) -> bool:
    """Whether a reviewer can write it: a mapping in a scope is a bound or anything."""
    return (
        not isinstance(demand, dict)
        or demand == {"any": True}
        or (len(demand) > 0 and demand.keys() <= {"at_least", "at_most"})
    )


@settings(max_examples=120, deadline=None)
@given(
    given_=st.dictionaries(st.sampled_from("pq"), demands, max_size=2),
    args=st.fixed_dictionaries({"p": values, "q": values}),
    call=st.fixed_dictionaries({"p": values, "q": values}),
)
@example(given_={"p": "/srv/*"}, args={"p": "/srv/a", "q": 1}, call={"p": "/srv/..", "q": 1})
@example(given_={"p": "*"}, args={"p": "", "q": 1}, call={"p": "a/b", "q": 1})
@example(given_={"p": {"at_most": 1}}, args={"p": 1, "q": 1}, call={"p": True, "q": 1})
@example(given_={}, args={"p": 1, "q": []}, call={"p": 1.0, "q": []})
@example(given_={"p": "a*"}, args={"p": "a", "q": 1}, call={"p": "a\n", "q": 1})
def test_a_scope_covers_what_it_says_and_nothing_else(
    given_: dict[str, Any], args: dict[str, Any], call: dict[str, Any]
) -> None:
    asked = {name: given_.get(name, args[name]) for name in args}
    try:
        scope = scope_of(given_, args)
    except ValueError:
        # Refused: not written as a scope is, or not even covering the call on which it would rest.
        assert not all(is_written_as(demand) for demand in given_.values()) or not all(
            covers(given_, args, name, args[name]) for name in args
        )
        return
    assert fits(scope, args)
    assert fits(scope, call) == all(covers(given_, args, name, call[name]) for name in asked)


def covers(given_: dict[str, Any], args: dict[str, Any], name: str, value: Any) -> bool:
    if name in given_:
        return meets(given_[name], value)
    # What was not named is meant exactly, whatever marks stand in it.
    return is_same(args[name], value)


@given(args=st.dictionaries(st.sampled_from("pqr"), values, min_size=1), more=values)
def test_a_call_with_other_arguments_than_the_scope_names_is_outside_of_it(args: dict[str, Any], more: Any) -> None:
    scope = scope_of({name: {"any": True} for name in args}, args)
    assert fits(scope, args)
    assert not fits(scope, {**args, "s": more})
    assert not fits(scope, dict(list(args.items())[1:]))


@settings(max_examples=100)
@given(
    at=st.integers(0, 10),
    lasts=st.none() | st.integers(1, 10),
    uses=st.none() | st.integers(1, 3),
    used=st.integers(0, 4),
    revoked=st.none() | st.integers(0, 10),
    now=st.integers(0, 25),
)
def test_a_permission_holds_from_when_it_was_given_to_its_end_and_as_often_as_it_says(
    at: int, lasts: int | None, uses: int | None, used: int, revoked: int | None, now: int
) -> None:
    ends = None if lasts is None else at + lasts
    grant = GrantRecord(
        id="g",
        tool="t",
        scope="{}",
        run=None,
        requester=None,
        by="human:alice",
        at=at,
        request_id="r",
        expires_at=ends,
        uses=uses,
        used=used,
        revoked_at=revoked,
    )
    in_time = now in range(at, 1000 if ends is None else ends)
    assert grant.holds(now) == (in_time and revoked is None and (uses is None or uses > used))


@pytest.mark.parametrize("path", ["/srv/../etc", "/srv\\..\\etc", "..", "/srv/.."])
@pytest.mark.parametrize("pattern", ["**", "/srv/**", "*", "/srv?..?etc", "/srv/??"])
def test_no_pattern_follows_a_path_out_of_its_folder(pattern: str, path: str) -> None:
    assert leads_out(path)
    assert not fits({"p": {"glob": pattern}}, {"p": path})
