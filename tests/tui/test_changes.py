"""What an edit changes, as lines: whole, or with a word of what is not drawn."""

from __future__ import annotations

import json
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from gatekit.display import visible
from gatekit.models import Change
from gatekit_tui.request.changes_text import _differing, are_whole, change_lines


def lines(*changes: Change) -> list[str]:
    return ["".join(text for text, _ in line) for line in change_lines(changes)]


def change(before: Any, after: Any) -> Change:
    return Change(path="$.to", kind="changed", before=before, after=after)


def test_a_change_tells_its_path_and_both_sides() -> None:
    assert lines(change(1, "1")) == ['~ to 1 → "1"']
    assert lines(Change(path="$.x[0]", kind="added", before=None, after=[1])) == ["+ x[0] [1]"]
    assert lines(Change(path="$", kind="removed", before={"a": 1}, after=None)) == ['- $ {"a": 1}']


def test_of_two_long_texts_the_part_is_drawn_in_which_they_differ() -> None:
    (told,) = lines(change("a" * 5000 + "old" + "z" * 3000, "a" * 5000 + "NEW!" + "z" * 3000))
    around = ("a" * 40, "z" * 40)
    assert told == (
        f'~ to (4,960 characters as before) "{around[0]}old{around[1]}" → "{around[0]}NEW!{around[1]}"'
        " (2,960 characters as before)"
    )
    (told,) = lines(change("a" * 5000, "a" * 5001))
    assert told == f'~ to (4,960 characters as before) "{"a" * 40}" → "{"a" * 41}"'


@given(*[st.text("ab", max_size=3).map(lambda part: part * 500) for _ in range(2)], st.text("ab\u202e\n", max_size=9))
def test_what_is_drawn_of_a_long_change_puts_it_together_again(head: str, tail: str, middle: str) -> None:
    before, after = head + "x" + tail, head + middle + tail
    if before == after:
        return
    first, old, new, last = _differing(change(before, after))
    for whole, part in ((before, old), (after, new)):
        assert whole[:first] + json.loads(part) + whole[len(whole) - last :] == whole
    (told,) = change_lines([change(before, after)])
    assert all(visible(text)[1] == 0 for text, _ in told)
    assert ("\u202e" in middle) == ("<U+202E>" in "".join(text for text, _ in told))


def test_what_is_not_drawn_is_counted_and_the_changes_are_not_whole() -> None:
    huge = change("", "x" * 30_000)
    assert "more characters" in lines(huge)[0]
    assert not are_whole([huge])
    many = [Change(path=f"$.a[{number}]", kind="added", before=None, after=number) for number in range(600)]
    assert lines(*many)[-1] == "… 100 more changes are not shown"
    assert not are_whole(many)
    assert are_whole(many[:500])
