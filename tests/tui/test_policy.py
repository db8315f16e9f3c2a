"""What a policy demands, on the screen and under the keys: stages, deadlines, claims, what is handed on."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import Any

import anyio
import pytest

from gatekit import Policy, Stage
from gatekit.models import Request
from gatekit_tui.edit.edit import EditScreen
from gatekit_tui.queue.review import ReviewScreen
from tests.corpus_cases import pick
from tests.tui.asking import pay
from tests.tui.calls import Queue
from tests.tui.desk import Desk, sit_down
from tests.tui.test_guard import LONG, Hand
from tests.tui.test_hostile import assert_harmless

pytestmark = [pytest.mark.anyio, pytest.mark.sweep]

THREE = Policy(Stage("manager", "role:manager"), Stage("finance", ["bob", "carol"], quorum=2), Stage("ceo", "dan"))
HALF_AN_HOUR = 1800


def staff(queue: Queue) -> None:
    roles = {"alice": ["manager"], "bob": [], "carol": [], "dan": [], "erin": ["manager"]}
    for name, given in roles.items():
        queue.gate.add_reviewer(name, roles=given)


def approve(queue: Queue, request_id: str, name: str) -> None:
    queue.gate.reviewer(name).approve(queue.gate.get(request_id))


async def test_the_stages_say_who_said_yes_who_may_and_what_is_not_reached(queue: Queue) -> None:
    staff(queue)
    request_id = pay(queue, THREE)
    async with sit_down(queue.gate) as desk:
        await desk.until_shown("▶ manager  role:manager may decide")
        await desk.until_shown(
            "· finance  not reached · 2 of: bob, carol may decide", "· ceo      not reached · dan may"
        )
        assert "1/3" in desk.row("acme|pay")
        approve(queue, request_id, "erin")
        approve(queue, request_id, "bob")
        await desk.until_shown("✓ manager  yes from erin", "▶ finance  yes from bob (1 of 2) · 2 of: bob, carol may")
        await desk.until(lambda: "2/3" in desk.row("MED  pay"))


@pytest.mark.long
async def test_a_narrow_row_leaves_out_what_matters_least_and_keeps_its_columns(queue: Queue) -> None:
    request_id = pay(queue, THREE, expires_after=HALF_AN_HOUR)
    queue.gate.reviewer("bob").claim(request_id)
    async with sit_down(queue.gate, size=(50, 16)) as desk:
        row = desk.row("MED  pay")
        assert re.search(r"1/3 30m left @bob +<1m", row), row
        assert "nobody waits" not in row


async def test_a_call_that_anybody_may_decide_shows_no_stages(queue: Queue) -> None:
    queue.add()
    async with sit_down(queue.gate) as desk:
        assert not desk.has("may decide")
        assert "1/1" not in desk.row("write_file")


@pytest.mark.long
async def test_a_yes_to_one_of_several_stages_says_who_is_asked_next(queue: Queue) -> None:
    staff(queue)
    request_id = pay(queue, THREE)
    async with sit_down(queue.gate) as desk:
        await desk.press("a")
        await desk.until(lambda: "Your yes to pay counts. Still asked: finance: bob, carol." in desk.toasts())
        await desk.until_shown("✓ manager  yes from alice")
        await desk.press("a")
        await desk.until(lambda: "not allowed: human:alice is not asked here: bob, carol may decide" in desk.toasts())
    assert queue.gate.get(request_id).status == "pending"


async def test_who_may_not_decide_is_told_who_may_and_nothing_else_happens(queue: Queue) -> None:
    staff(queue)
    request_id = pay(queue, Policy(Stage("ceo", "dan")))
    before = queue.gate.get(request_id)
    async with sit_down(queue.gate) as desk:
        for key in ("a", "c", "e", "r", "w", "D"):
            await desk.press(key)
            await desk.until(lambda: "human:alice is not asked here: dan may decide" in desk.toasts(), key)
            await desk.until(lambda: not desk.list.saving)
            assert len(desk.app.screen_stack) == 2, "no form is filled in in vain"
            desk.app.clear_notifications()
        assert not desk.list.chosen_is_gone
    assert queue.gate.get(request_id) == before


@pytest.mark.long
async def test_whom_the_queue_does_not_know_is_told_who_decides_here(queue: Queue) -> None:
    queue.gate.add_reviewer("bob")
    request_id = pay(queue)
    async with sit_down(queue.gate) as desk:
        await desk.press("a")
        await desk.until(lambda: "human:alice is no reviewer of this queue; these are: bob" in desk.toasts())
    assert queue.verb(request_id) is None


async def test_the_requester_is_told_that_another_person_must(queue: Queue) -> None:
    request_id = pay(queue, agent="alice")
    async with sit_down(queue.gate) as desk:
        await desk.press("a")
        await desk.until(lambda: "asked for this call and cannot approve it" in desk.toasts())
    assert queue.verb(request_id) is None


SILENCE: list[tuple[Any, str]] = [
    ("expire", "then: expires"),
    ("approve", "then: is approved"),
    ("escalate", "then: escalates"),
    ("keep", "then: stays open"),
]


@pytest.mark.long
@pytest.mark.parametrize(("said", "told"), SILENCE)
async def test_the_deadline_says_what_silence_means(queue: Queue, said: Any, told: str) -> None:
    ladder = {timedelta(hours=4): "dan"} if said == "escalate" else None
    pay(queue, Policy(on_expiry=said, escalate_after=ladder), expires_after=HALF_AN_HOUR)
    async with sit_down(queue.gate) as desk:
        await desk.until_shown(f"LEFT 30m, {told}")
        assert re.search(r" <1m +30m", desk.row("MED  pay"))
        queue.advance(HALF_AN_HOUR - 60)
        await desk.until_shown(f"LEFT 1m ▲, {told}")
        await desk.until(lambda: " 1m▲" in desk.row("MED  pay"))


async def test_a_rule_is_named(queue: Queue) -> None:
    queue.gate.policy("pay*", Policy(Stage("ceo", "dan")))
    pay(queue, None)
    async with sit_down(queue.gate) as desk:
        await desk.until_shown("rule: ", "pay*")


@pytest.mark.long
async def test_the_keys_are_dead_when_a_yes_begins_to_mean_something_else(queue: Queue) -> None:
    """Between two looks another person's yes moved the request on: mine would count for another stage."""
    request_id = pay(queue, Policy(Stage("one"), Stage("two"), Stage("three")))
    clock = Hand()
    async with sit_down(queue.gate, clock=clock) as desk:
        clock.seconds += LONG
        approve(queue, request_id, "bob")
        await desk.until_shown("✓ one")
        await desk.press("a")
        await desk.settled()
        assert not any(stage.by == ("alice",) for stage in queue.gate.get(request_id).stages)
        clock.seconds += LONG
        await desk.press("a")
        await desk.until(lambda: queue.gate.get(request_id).stages[1].by == ("alice",))


async def test_c_claims_and_others_see_it_in_their_list(queue: Queue) -> None:
    request_id = pay(queue)
    async with sit_down(queue.gate) as desk:
        await desk.press("c")
        await desk.until(lambda: "pay is yours until" in desk.toasts())
        await desk.until_shown("claimed by alice for another")
        desk.app.clear_notifications()
        assert "@alice" not in desk.row("MED  pay"), "one's own claim is no warning"
        claim = queue.gate.get(request_id).claim
        assert claim is not None
        assert claim.by == "human:alice"
        queue.gate.reviewer("bob").claim(request_id)
        await desk.until_shown("claimed by bob for another")
        await desk.until(lambda: "@bob" in desk.row("MED  pay"))


@pytest.mark.long
async def test_a_claim_that_lapsed_is_none(queue: Queue) -> None:
    request_id = pay(queue)
    queue.gate.reviewer("bob").claim(request_id)
    async with sit_down(queue.gate) as desk:
        await desk.until_shown("claimed by bob")
        queue.advance(15 * 60)
        await desk.until(lambda: not desk.has("claimed by bob"))
        queue.add()
        await desk.until(lambda: "@bob" not in desk.row("MED  pay"))


async def test_a_claim_that_keeps_others_out_says_so(queue: Queue) -> None:
    request_id = pay(queue, Policy(exclusive_claims=True))
    queue.gate.reviewer("bob").claim(request_id)
    async with sit_down(queue.gate) as desk:
        await desk.until_shown("claimed by bob for another 15m; nobody else may decide meanwhile")
        await desk.press("a")
        await desk.until(lambda: "human:bob has claimed it until" in desk.toasts())
    assert queue.verb(request_id) is None


async def hand_on(desk: Desk, name: str, reason: str) -> None:
    await desk.until(lambda: len(desk.app.screen_stack) == 3 and desk.app.focused is not None, "the first field")
    await desk.type(name)
    await desk.press("tab")
    await desk.type(reason)
    await desk.press("enter")


@pytest.mark.long
async def test_d_hands_ones_part_on_with_a_reason(queue: Queue) -> None:
    staff(queue)
    request_id = pay(queue, THREE)
    async with sit_down(queue.gate) as desk:
        await desk.press("D")
        await desk.until_shown("Who decides in your place on pay?")
        await hand_on(desk, "bob", "holiday")
        await desk.until_shown("bob decides in place of alice")
        assert queue.gate.get(request_id).delegations == (("alice", "bob"),)
        await desk.press("a")
        await desk.until(lambda: "bob in place of alice" in desk.toasts())
    (event,) = [event for event in queue.gate.history(request_id) if event.kind == "delegated"]
    assert event.data["reason"] == "holiday"


@pytest.mark.parametrize(
    ("name", "reason", "told"), [("", "why", "to whom"), ("bob", " ", "to whom"), ("role:x", "why", "no colon")]
)
async def test_handing_on_takes_a_person_and_a_reason_and_what_was_typed_stays(
    queue: Queue, name: str, reason: str, told: str
) -> None:
    request_id = pay(queue)
    async with sit_down(queue.gate) as desk:
        await desk.press("D")
        await hand_on(desk, name, reason)
        await desk.until(lambda: told in desk.toasts())
        await desk.press("escape")
        await desk.until(lambda: len(desk.app.screen_stack) == 2)
        await desk.press("D")
        await desk.until_shown(name or reason)
    assert queue.gate.get(request_id).delegations == ()


@pytest.mark.long
async def test_somebody_decided_while_it_was_handed_on(queue: Queue) -> None:
    request_id = pay(queue)
    async with sit_down(queue.gate) as desk:
        await desk.press("D")
        await desk.until(lambda: len(desk.app.screen_stack) == 3 and desk.app.focused is not None)
        with desk.unaware():
            queue.decide(request_id, by="ana")
            await hand_on(desk, "bob", "holiday")
            await desk.until(lambda: "decided elsewhere: approved by ana" in desk.toasts())
    assert queue.gate.get(request_id).delegations == ()


async def test_a_read_only_seat_sees_it_all_and_does_nothing(queue: Queue) -> None:
    request_id = pay(queue, THREE)
    async with sit_down(queue.gate, read_only=True) as desk:
        await desk.until_shown("▶ manager")
        await desk.press("a", "c", "D", "w", "S")
        await desk.settled()
        assert len(desk.app.screen_stack) == 2
    assert queue.gate.get(request_id).claim is None


@pytest.mark.long
async def test_hidden_characters_in_a_stages_name_cost_the_tools_name(queue: Queue) -> None:
    pay(queue, Policy(Stage("fin\u202eance"), Stage("two")), risk="low")
    async with sit_down(queue.gate) as desk:
        await desk.until_shown("▲ 1 hidden character")
        await desk.press("a")
        await desk.until_shown("Type pay")


@pytest.mark.sweep
@pytest.mark.parametrize("category", ["terminal", "markup", "unicode"])
async def test_foreign_text_in_stages_reviewers_and_claims_is_harmless(queue: Queue, category: str) -> None:
    texts = [case.payload for case in pick(category) if case.py is None]
    name = " ".join(texts).replace(":", ".").replace("\0", "")[:150]
    request_id = pay(queue, Policy(Stage(name, [name, f"role:{name}"]), Stage("two"), exclusive_claims=True))
    reviewer = queue.gate.reviewer(name)
    reviewer.claim(request_id)
    async with sit_down(queue.gate, size=(120, 50)) as desk:
        await desk.until_shown("claimed by")
        assert_harmless(desk)
        await desk.press("c")
        await desk.until(desk.toasts)
        await desk.pilot.pause(0.1)
        assert_harmless(desk)
        reviewer.delegate(request_id, to=f"{name[:100]}2", reason="x")
        await desk.until(lambda: desk.detail.study is not None and desk.detail.study.request.delegations)
        await desk.pilot.pause(0.1)
        assert_harmless(desk)


@pytest.mark.long
async def test_who_asked_for_a_call_may_still_reject_it(queue: Queue) -> None:
    request_id = pay(queue, Policy(Stage("one", "alice"), separation_of_duties=True), agent="alice")
    async with sit_down(queue.gate) as desk:
        await desk.press("e")
        await desk.until(lambda: "another person must" in desk.toasts())
        await desk.press("r")
        await desk.until(lambda: len(desk.app.screen_stack) == 3 and desk.app.focused is not None, "the reason")
        await desk.type("no")
        await desk.press("enter")
        await desk.until(lambda: queue.verb(request_id) == "reject")


async def test_a_form_opens_only_for_what_is_still_drawn_once_the_queue_has_said_yes(
    queue: Queue, monkeypatch: pytest.MonkeyPatch
) -> None:
    pay(queue)
    pay(queue)
    async with sit_down(queue.gate) as desk:
        screen = desk.app.screen
        assert isinstance(screen, ReviewScreen)
        asked, go_on = anyio.Event(), anyio.Event()

        async def slowly(request: Request, verb: str) -> bool:
            asked.set()
            await go_on.wait()
            return verb == "edit"

        monkeypatch.setattr(screen._sender, "may", slowly)
        await desk.press("e")
        await asked.wait()
        await desk.press("j")
        go_on.set()
        await desk.settled()
        assert len(desk.app.screen_stack) == 2
        await desk.press("e")
        await desk.until(lambda: isinstance(desk.app.screen, EditScreen), "the editor")
