"""Permissions for a while, who may decide, the keys, and the switch that stops everything."""

from __future__ import annotations

import re
from typing import Any

import pytest
from textual.widgets import Input

from gatekit import Policy, Stage, gated_step
from gatekit.models import Grant
from gatekit_tui.decide.allow import MOST_ARGUMENTS, AllowScreen
from gatekit_tui.frame.menu import PickRow
from gatekit_tui.standing import GrantsScreen
from tests.corpus_cases import pick
from tests.tui.asking import ask, made_by, pay
from tests.tui.calls import Queue
from tests.tui.desk import Desk, sit_down
from tests.tui.test_guard import LONG, Hand
from tests.tui.test_hostile import assert_harmless

pytestmark = [pytest.mark.anyio, pytest.mark.long]


async def open_allow(desk: Desk) -> AllowScreen:
    await desk.press("w")
    await desk.until(lambda: isinstance(desk.app.screen, AllowScreen) and desk.app.focused is not None, "the form")
    screen = desk.app.screen
    assert isinstance(screen, AllowScreen)
    return screen


async def choose(desk: Desk, name: str, how: int, **texts: str) -> None:
    """What one argument may be, and what goes with that."""
    screen = desk.app.screen
    assert isinstance(screen, AllowScreen)
    number = screen._names.index(name)
    row = screen.query_one(f"#how-{number}", PickRow)
    screen.set_focus(row)
    await desk.press(*["right"] * how)
    for field, text in texts.items():
        screen.query_one(f"#{field}-{number}", Input).value = text
    await desk.pilot.pause(0.05)


async def confirm(desk: Desk) -> None:
    await desk.press("ctrl+s")
    await desk.until_shown("Press a to allow it")
    await desk.press("a")


def grants(queue: Queue) -> list[Grant]:
    return list(queue.gate.grants())


def allow(queue: Queue, request_id: str, **options: Any) -> Grant:
    return queue.gate.reviewer("ana").allow(queue.gate.get(request_id), **options)


async def test_w_approves_and_allows_the_like_in_the_words_that_were_shown(queue: Queue) -> None:
    request_id = pay(queue)
    async with sit_down(queue.gate) as desk:
        await open_allow(desk)
        await desk.until_shown("allow for a while pay", "a permission has an end", "(•) this agent  ( ) any agent")
        await desk.type("1h30m")
        await desk.until_shown("of pay of agent:payer, for 1 hour 30 minutes, where", "amount is exactly 500")
        await desk.press("tab")
        await desk.type("3")
        await choose(desk, "amount", 1, high="600")
        await choose(desk, "to", 1, pattern="ac*")
        await desk.until_shown("amount is at most 600", "to is like ac*", "for 3 more calls")
        await desk.press("enter")
        await desk.settled()
        assert grants(queue) == []
        await desk.press("ctrl+s")
        await desk.until_shown("Approve pay, and allow its like?", "to is like ac*", "amount is at most 600")
        await desk.press("enter")
        await desk.settled()
        assert grants(queue) == []
        await desk.press("a")
        await desk.until_shown("approved by alice")
    (grant,) = grants(queue)
    assert queue.verb(request_id) == "approve"
    assert grant.scope == {"amount": {"at_most": "600"}, "to": {"glob": "ac*"}}
    assert grant.expires_at is not None
    assert ((grant.expires_at - grant.at).total_seconds(), grant.uses) == (5400, 3)
    assert (grant.by, grant.requester, grant.run) == ("human:alice", "agent:payer", None)


async def test_any_agent_and_anything_at_all(queue: Queue) -> None:
    pay(queue)
    async with sit_down(queue.gate) as desk:
        screen = await open_allow(desk)
        screen.query_one("#uses", Input).value = "1"
        screen.set_focus(screen.query_one("#within"))
        await desk.press("right")
        for name in ("amount", "to"):
            await choose(desk, name, 2)
        await desk.until_shown("of any agent", "amount is anything at all", "to is anything at all")
        await confirm(desk)
        await desk.until(lambda: grants(queue))
    (grant,) = grants(queue)
    assert grant.scope == {"amount": {"any": True}, "to": {"any": True}}
    assert grant.requester is None


async def test_a_call_of_a_run_can_be_allowed_for_that_run_alone(queue: Queue) -> None:
    queue.add(run="nightly")
    async with sit_down(queue.gate) as desk:
        screen = await open_allow(desk)
        screen.query_one("#uses", Input).value = "2"
        screen.set_focus(screen.query_one("#within"))
        await desk.press("left")
        await desk.until_shown("(•) this run", "in the run nightly")
        await confirm(desk)
        await desk.until(lambda: grants(queue))
    assert grants(queue)[0].run == "nightly"


async def test_what_is_no_permission_is_said_and_cannot_be_sent(queue: Queue) -> None:
    pay(queue)
    async with sit_down(queue.gate) as desk:
        await open_allow(desk)
        await desk.type("soon")
        await choose(desk, "amount", 1, high="1")
        await desk.until_shown("✗ for how long: write 30m", "✗ amount: this call has 500, which is outside")
        await desk.press("ctrl+s")
        await desk.until(lambda: "It is no permission yet" in desk.toasts())
        assert isinstance(desk.app.screen, AllowScreen)


async def test_a_pattern_that_misses_its_own_call_is_refused_and_what_was_chosen_stays(queue: Queue) -> None:
    request_id = pay(queue)
    async with sit_down(queue.gate) as desk:
        screen = await open_allow(desk)
        screen.query_one("#uses", Input).value = "7"
        await choose(desk, "to", 1, pattern="other*")
        await confirm(desk)
        await desk.until(lambda: "does not cover the very call" in desk.toasts())
        assert queue.verb(request_id) is None
        screen = await open_allow(desk)
        await desk.until_shown("other*", "to is like other*")
        assert screen.query_one("#uses", Input).value == "7"


@pytest.mark.parametrize(("risk", "word"), [("high", "yes"), ("medium", None)])
async def test_it_costs_what_an_approval_costs(queue: Queue, risk: str, word: str | None) -> None:
    request_id = pay(queue, risk=risk)
    async with sit_down(queue.gate) as desk:
        screen = await open_allow(desk)
        screen.query_one("#uses", Input).value = "1"
        await desk.press("ctrl+s")
        await desk.until_shown(f"Type {word}" if word else "Press a to allow it")
        await desk.press("enter")
        await desk.settled()
        assert queue.verb(request_id) is None
        if word:
            await desk.type(word)
            await desk.press("enter")
        else:
            await desk.press("a")
        await desk.until(lambda: queue.verb(request_id) == "approve")


async def test_a_critical_call_is_never_allowed_for_a_while(queue: Queue) -> None:
    pay(queue, risk="critical")
    async with sit_down(queue.gate) as desk:
        await desk.press("w")
        await desk.until(lambda: "needs a human each time" in desk.toasts())
        assert len(desk.app.screen_stack) == 2


async def test_a_call_that_several_must_approve_is_not_allowed_by_one(queue: Queue) -> None:
    request_id = pay(queue, Policy(Stage("two people", quorum=2)))
    async with sit_down(queue.gate) as desk:
        screen = await open_allow(desk)
        screen.query_one("#uses", Input).value = "1"
        await confirm(desk)
        await desk.until(lambda: "not allowed" in desk.toasts())
    assert grants(queue) == []
    assert queue.verb(request_id) is None


async def test_a_call_with_very_many_arguments_is_left_to_the_command_line(queue: Queue) -> None:
    names = [f"a{number}" for number in range(MOST_ARGUMENTS + 1)]
    scope: dict[str, Any] = {}
    exec(f"def wide({', '.join(f'{name}: int = 0' for name in names)}) -> None: ...", scope)
    step = gated_step(gate=queue.gate, wait=0, on_suspend="return")(scope["wide"])
    made_by(queue, step)
    async with sit_down(queue.gate) as desk:
        await desk.press("w")
        await desk.until(lambda: "Too many arguments" in desk.toasts())


async def test_somebody_rejected_it_while_the_form_was_open(queue: Queue) -> None:
    request_id = pay(queue)
    async with sit_down(queue.gate) as desk:
        screen = await open_allow(desk)
        screen.query_one("#uses", Input).value = "1"
        queue.decide(request_id, "reject", reason="never")
        await desk.settled()
        await confirm(desk)
        await desk.until(lambda: "decided elsewhere: rejected by ana: never" in desk.toasts())
    assert grants(queue) == []


async def test_questions_have_no_such_key(queue: Queue) -> None:
    ask(queue, "Go?", bool)
    async with sit_down(queue.gate) as desk:
        await desk.press("w")
        await desk.settled()
        assert len(desk.app.screen_stack) == 2


async def test_p_lists_what_is_allowed_and_x_takes_it_back(queue: Queue) -> None:
    first, second = pay(queue), queue.add(path="/srv/a")
    allow(queue, first, uses=2, scope={"to": "ac*"})
    allow(queue, second, for_=3600, within="all")
    async with sit_down(queue.gate) as desk:
        await desk.press("P")
        await desk.until_shown("2 in force", "▌in force", "write_file of any agent · used 0 · until ")
        await desk.press("j")
        await desk.until_shown("ana allowed every call of pay of agent:payer, where", "to is like ac*", "used 0 of 2")
        await desk.press("x")
        await desk.until_shown("Take back what ana allowed pay?", "Press a to take it back")
        await desk.press("enter", "x")
        await desk.settled()
        assert all(grant.active for grant in grants(queue))
        await desk.press("a")
        await desk.until_shown("1 in force", "revoked", "taken back by alice")
        await desk.press("x")
        await desk.settled()
        assert not desk.has("Press a to take it back")
        await desk.press("escape")
        await desk.until(lambda: len(desk.app.screen_stack) == 2)
    assert {grant.tool: grant.active for grant in grants(queue)} == {"pay": False, "write_file": True}


async def test_somebody_took_it_back_while_one_looked(queue: Queue) -> None:
    grant = allow(queue, pay(queue), uses=2)
    async with sit_down(queue.gate) as desk:
        await desk.press("P", "x")
        await desk.until_shown("Press a to take it back")
        queue.gate.reviewer("bob").revoke(grant)
        await desk.press("a")
        await desk.until_shown("0 in force", "taken back by bob")


async def test_the_list_of_permissions_keeps_its_cursor_on_one_when_another_comes(queue: Queue) -> None:
    grant = allow(queue, pay(queue), uses=2)
    second = queue.add()
    async with sit_down(queue.gate) as desk:
        await desk.press("P")
        await desk.until_shown("1 in force")
        allow(queue, second, uses=1)
        screen = desk.app.screen
        assert isinstance(screen, GrantsScreen)
        screen._read_soon()
        await desk.until_shown("2 in force")
        chosen = screen._chosen()
        assert chosen is not None
        assert chosen.id == grant.id


async def test_a_read_only_seat_takes_nothing_back(queue: Queue) -> None:
    allow(queue, pay(queue), uses=2)
    async with sit_down(queue.gate, read_only=True) as desk:
        await desk.press("P")
        await desk.until_shown("1 in force")
        assert not desk.has("take back")
        await desk.press("x")
        await desk.settled()
        assert not desk.has("Press a to take it back")


async def test_without_permissions_the_screen_says_how_one_is_given(queue: Queue) -> None:
    async with sit_down(queue.gate) as desk:
        await desk.press("P")
        await desk.until_shown("0 in force", "w on a call does it")
        await desk.press("x", "q")
        await desk.until(lambda: len(desk.app.screen_stack) == 2)


async def test_capital_w_lists_who_may_decide(queue: Queue) -> None:
    async with sit_down(queue.gate) as desk:
        await desk.press("W")
        await desk.until_shown("0 reviewers", "anybody may decide")
        await desk.press("escape")
        queue.gate.add_reviewer("bob", roles=["finance", "manager"])
        queue.gate.add_reviewer("alice")
        await desk.until(lambda: len(desk.app.screen_stack) == 2)
        await desk.press("W")
        await desk.until_shown("2 reviewers", "alice  no role", "bob  finance, manager", "gatekit reviewers add")


async def test_the_question_mark_lists_the_keys_and_decides_nothing(queue: Queue) -> None:
    request_id = queue.add()
    async with sit_down(queue.gate, size=(80, 60)) as desk:
        await desk.press("?")
        await desk.until_shown("keys and commands", "D        hand on", "S        stop", "P        what is allowed")
        await desk.press("a", "r", "escape")
        await desk.until(lambda: len(desk.app.screen_stack) == 2)
    assert queue.verb(request_id) is None


async def stop(desk: Desk, reason: str) -> None:
    await desk.press("S")
    await desk.until_shown("Stop the queue?")
    await desk.type(reason)
    await desk.press("enter")
    await desk.until_shown("Stop everything?", "Press a to stop the queue")


async def test_s_stops_the_queue_after_a_reason_and_a_second_key(queue: Queue) -> None:
    async with sit_down(queue.gate) as desk:
        await desk.press("S")
        await desk.until_shown("Stop the queue?")
        await desk.press("enter", "escape")
        await stop(desk, "too fast")
        await desk.press("enter", "S")
        await desk.settled()
        assert queue.gate.stopped() is None
        await desk.press("a")
        await desk.until_shown("STOPPED by ", ": nothing starts · too fast")
    stopped = queue.gate.stopped()
    assert stopped is not None
    assert stopped.reason == "too fast"


async def test_every_screen_says_that_the_queue_is_stopped(queue: Queue) -> None:
    queue.add(risk="high")
    async with sit_down(queue.gate) as desk:
        queue.gate.stop("by hand")
        await desk.until_shown("STOPPED by ", ": nothing starts · by hand")
        for key in ("a", "e", "r", "w", "D", "P", "W", "?", "S"):
            await desk.press(key)
            await desk.until(lambda: len(desk.app.screen_stack) == 3)
            await desk.until(lambda: re.match(r" STOPPED by .*: nothing starts · by hand", desk.text()), key)
            await desk.press("escape")
            await desk.until(lambda: len(desk.app.screen_stack) == 2)


async def test_lifting_costs_its_word(queue: Queue) -> None:
    queue.gate.stop("by hand")
    async with sit_down(queue.gate) as desk:
        await desk.until_shown("STOPPED")
        await desk.press("S")
        await desk.until_shown("Let calls start again?", "Type lift")
        await desk.press("a", "enter")
        await desk.settled()
        assert queue.gate.stopped() is not None
        await desk.press("backspace")
        await desk.type("lift")
        await desk.press("enter")
        await desk.until(lambda: queue.gate.stopped() is None)
        await desk.until(lambda: not desk.has("STOPPED"))


async def test_a_stop_that_came_in_the_place_of_the_one_that_was_read_is_not_lifted(queue: Queue) -> None:
    queue.gate.stop("first")
    async with sit_down(queue.gate) as desk:
        await desk.until_shown("STOPPED")
        await desk.press("S")
        await desk.until_shown("Type lift")
        queue.gate.lift()
        queue.advance(1)
        queue.gate.stop("second")
        await desk.type("lift")
        await desk.press("enter")
        await desk.until(lambda: "stopped anew" in desk.toasts())
    assert queue.gate.stopped() is not None


async def test_two_who_stop_and_two_who_lift_do_it_once(queue: Queue) -> None:
    async with sit_down(queue.gate) as desk:
        await stop(desk, "mine")
        queue.gate.stop("theirs")
        await desk.press("a")
        await desk.until(lambda: "stopped already by" in desk.toasts())
        await desk.press("S")
        await desk.until_shown("Type lift", "theirs")
        queue.gate.lift()
        await desk.type("lift")
        await desk.press("enter")
        await desk.until(lambda: "Somebody else let calls start again" in desk.toasts())


async def test_the_banner_follows_others_also_over_an_open_question(queue: Queue) -> None:
    queue.add(risk="high")
    async with sit_down(queue.gate) as desk:
        await desk.press("a")
        await desk.until_shown("Type yes")
        queue.gate.stop("elsewhere")
        await desk.until_shown(": nothing starts · elsewhere", "Type yes")
        queue.gate.lift()
        await desk.until(lambda: not desk.has("STOPPED"))


async def test_the_switch_is_dead_right_after_the_picture_changed(queue: Queue) -> None:
    clock = Hand()
    async with sit_down(queue.gate, clock=clock) as desk:
        await desk.press("S")
        await desk.until(lambda: "Too soon" in desk.toasts())
        clock.seconds += LONG
        await desk.press("S")
        await desk.until_shown("Stop the queue?")


@pytest.mark.sweep
@pytest.mark.parametrize("category", ["terminal", "markup", "unicode"])
async def test_foreign_text_in_permissions_reviewers_and_the_banner_is_harmless(queue: Queue, category: str) -> None:
    texts = [case.payload for case in pick(category) if case.py is None]
    name = " ".join(texts).replace(":", ".").replace("\0", "")[:150]
    request_id = queue.add(tool=name, path=name, more={name: name}, agent=f"a{name}"[:150], run=name)
    async with sit_down(queue.gate, size=(120, 50)) as desk:
        await open_allow(desk)
        await desk.type("1h")
        assert_harmless(desk)
        await desk.press("ctrl+s")
        await desk.until_shown("allow its like?")
        assert_harmless(desk)
        await desk.press("escape", "escape")
        await desk.until(lambda: len(desk.app.screen_stack) == 2)
        queue.gate.reviewer(name).allow(queue.gate.get(request_id), uses=2, scope={"path": {"any": True}}, within="run")
        queue.gate.add_reviewer(name, roles=[name])
        queue.gate.stop(name)
        await desk.until_shown("STOPPED")
        for key, shown in (("P", "in force"), ("W", "1 reviewer")):
            await desk.press(key)
            await desk.until_shown(shown)
            assert_harmless(desk)
            await desk.press("escape")
            await desk.until(lambda: len(desk.app.screen_stack) == 2)
