"""Foreign text: nothing of it acts on the terminal, nothing of it is markup, on any screen."""

from __future__ import annotations

import ast
from pathlib import Path
from typing import Any

import pytest
from textual.widgets import Static

import gatekit_tui
from gatekit.display import visible
from tests.corpus_cases import Case, pick
from tests.tui.calls import Queue
from tests.tui.desk import Desk, sit_down

pytestmark = pytest.mark.sweep


def assert_harmless(desk: Desk) -> None:
    for strip in desk.strips():
        for segment in strip:
            assert visible(segment.text)[1] == 0, segment
            assert "\ufffd" not in segment.text, "only the line filter caught it"
            assert "@click" not in (segment.style.meta if segment.style else {}), segment


TEXTS = [case for case in pick("terminal", "markup", "unicode") if case.py is None]


@pytest.mark.anyio
async def test_every_text_of_the_corpus_is_harmless_in_list_and_detail(queue: Queue) -> None:
    cases = {add_everywhere(queue, case.payload): case for case in TEXTS}
    async with sit_down(queue.gate, size=(100, 60)) as desk:
        for request_id in [row.id for row in queue.gate.requests("pending", limit=100)]:
            await desk.until(lambda: desk.detail.study and desk.detail.study.request.id == request_id)  # noqa: B023
            assert_harmless(desk)
            case = cases.pop(request_id)
            assert desk.has("▲") or case.category == "markup"
            await desk.press("j")
    assert not cases


@pytest.mark.anyio
@pytest.mark.parametrize("category", ["terminal", "markup", "unicode"])
async def test_every_text_of_the_corpus_is_harmless_in_questions_and_the_editor(queue: Queue, category: str) -> None:
    texts = [case.payload for case in TEXTS if case.category == category]
    half = len(texts) // 2
    ids = [add_everywhere(queue, " ".join(part)) for part in (texts[:half], texts[half:])]
    async with sit_down(queue.gate, size=(250, 60)) as desk:
        for _ in ids:
            for key in ("a", "r", "e"):
                await desk.press(key)
                await desk.until(lambda: len(desk.app.screen_stack) == 3)
                await desk.pilot.pause(0.1)
                assert_harmless(desk)
                await desk.press("escape")
                await desk.until(lambda: len(desk.app.screen_stack) == 2)
            await desk.press("j")


def add_everywhere(queue: Queue, text: str) -> str:
    return queue.add(
        tool=f"t {text}".replace("\0", "")[:150],
        path=text,
        more={text: [text]},
        description=text,
        run=f"r{text}"[:150],
        agent=f"a{text}"[:150],
        risk="critical",
    )


@pytest.mark.anyio
@pytest.mark.parametrize("case", pick("terminal")[:3], ids=lambda case: case.id)
async def test_a_message_is_foreign_text_too(queue: Queue, case: Case) -> None:
    async with sit_down(queue.gate) as desk:
        desk.app.say(case.payload, "error")
        await desk.until_shown(visible(case.payload)[0][:10])
        assert_harmless(desk)


@pytest.mark.anyio
async def test_what_a_widget_forgets_to_make_visible_is_caught_on_its_way_out(queue: Queue) -> None:
    async with sit_down(queue.gate) as desk:
        await desk.app.screen.mount(Static("forgotten \x1b[>q \x9b \u202e", markup=False))
        await desk.until_shown("forgotten \ufffd[>q \ufffd \ufffd")


@pytest.mark.anyio
async def test_markup_is_shown_character_by_character(queue: Queue) -> None:
    queue.add(path="[red]x[/red] [@click=app.quit]y[/]", description="[/nope] [b]bold[/b] list[int] [/]")
    async with sit_down(queue.gate, size=(105, 30)) as desk:
        assert desk.text().count("[/nope] [b]bold[/b] list[int] [/]") == 2
        assert desk.has('"[red]x[/red] [@click=app.quit]y[/]"')


@pytest.mark.anyio
async def test_a_reason_from_elsewhere_is_foreign_text_too(queue: Queue) -> None:
    request_id = queue.add()
    async with sit_down(queue.gate) as desk:
        queue.decide(request_id, "reject", by="an[/]a", reason="no \x1b]2;owned\x07 [/nope]")
        await desk.until_shown("rejected by an[/]a: no ␛]2;owned␇ [/nope]")
        assert_harmless(desk)


@pytest.mark.anyio
async def test_a_fake_dialog_in_a_value_stays_inside_its_quotes(queue: Queue) -> None:
    queue.add(path="x\n\n[ Approve ]  [ Reject ]\nArguments: {}\nDecision recorded.")
    async with sit_down(queue.gate) as desk:
        column = desk.lines()[next(n for n, line in enumerate(desk.lines()) if '"x\\n' in line)].index('"x')
        fake = next(line for line in desk.lines() if "[ Approve ]" in line)
        assert fake[:column].strip() == ""
        assert fake.strip().startswith("[ Approve ]  [ Reject ]\\n")


@pytest.mark.anyio
async def test_a_tail_behind_many_blanks_is_announced_above_the_arguments(queue: Queue) -> None:
    queue.add(path="ls" + " " * 100_000 + "; rm -rf /")
    async with sit_down(queue.gate) as desk:
        assert desk.has("▲ path: 100,000 blanks in a row")
        assert desk.text().index("100,000 blanks") < desk.text().index('"ls')
        await desk.press("tab", "end")
        await desk.until_shown('; rm -rf /"')


WITHOUT_MARKUP = {"Static", "Label", "Button", "Checkbox", "OptionList", "Select", "SelectionList", "DataTable", "Tree"}
BANNED = {"Collapsible", "TabPane", "Markdown", "RichLog", "escape", "from_markup"}


def test_no_widget_of_the_dashboard_reads_markup() -> None:
    (package,) = gatekit_tui.__path__
    calls = 0
    for path in Path(package).glob("**/*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Call):
                name = node.func.id if isinstance(node.func, ast.Name) else getattr(node.func, "attr", "")
                assert name not in BANNED, f"{path.name}:{node.lineno} {name}"
                if name in WITHOUT_MARKUP or name == "notify":
                    calls += 1
                    assert says_no_markup(node), f"{path.name}:{node.lineno} {name} without markup=False"
            if isinstance(node, ast.Attribute) and isinstance(node.ctx, ast.Store):
                assert node.attr not in ("border_title", "border_subtitle", "tooltip"), f"{path.name}:{node.lineno}"
    assert calls > 3, "the rule found nothing to look at"


def says_no_markup(node: ast.Call) -> Any:
    return any(
        keyword.arg == "markup" and isinstance(keyword.value, ast.Constant) and keyword.value.value is False
        for keyword in node.keywords
    )
