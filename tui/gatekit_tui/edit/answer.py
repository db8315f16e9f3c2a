"""Answer a question: fields to fill in, checked while they are, and sent off as exactly what is shown then."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Coroutine
from dataclasses import dataclass
from typing import Any, ClassVar

from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.timer import Timer

from gatekit.display import draw_arguments, friction
from gatekit.errors import InvalidEdit, ReviewError, StoreError
from gatekit.models import Change
from gatekit_tui.edit.edit import DEBOUNCE
from gatekit_tui.edit.form import Form
from gatekit_tui.frame.ask import AskScreen, word_for
from gatekit_tui.frame.bars import Bar
from gatekit_tui.frame.deliberate import DeliberateModal
from gatekit_tui.frame.key_bar import KeyBar
from gatekit_tui.frame.lines_view import LinesView
from gatekit_tui.frame.row_text import one_line
from gatekit_tui.frame.spans import Inked
from gatekit_tui.request.detail_text import Study
from gatekit_tui.request.fields import Field, FormError, Raw, read_form, write_form
from gatekit_tui.request.question_text import question_lines

Check = Callable[[dict[str, Any]], Awaitable[tuple[Change, ...]]]


@dataclass(frozen=True, slots=True)
class Answer:
    """What the reviewer says: any JSON value."""

    value: Any

    def lines(self) -> list[Inked]:
        """The answer, a line for each field of a form."""
        if isinstance(self.value, dict) and self.value:
            return [((f"{one_line(name)} ", "label"), (_text(self.value[name]), "good")) for name in self.value]
        return [(("answer ", "label"), (_text(self.value), "good"))]


@dataclass(frozen=True, slots=True)
class Verdict:
    """What is known of what stands in the fields."""

    raw: dict[str, Raw]
    answer: Answer | None
    """The answer, if it fits."""
    errors: tuple[str, ...] = ()


async def judge(fields: tuple[Field, ...], raw: dict[str, Raw], check: Check) -> Verdict:
    """Read the fields and have the queue check the answer against the question's own schema."""
    try:
        value = read_form(fields, raw)
        await check({"answer": value})
    except (FormError, InvalidEdit) as error:
        return Verdict(raw, None, error.errors)
    except (ReviewError, StoreError) as error:
        return Verdict(raw, None, (str(error),))
    return Verdict(raw, Answer(value))


class AnswerScreen(DeliberateModal[Answer]):
    """A question and its fields. Gives the answer once it is confirmed; `raw` is kept when the reviewer leaves."""

    DEFAULT_CSS = """
    AnswerScreen {
        background: $background;
        #verdict { height: auto; max-height: 40%; min-height: 3; background: $panel; padding: 0 1; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "submit", "go on with this answer", priority=True),
        Binding("escape", "back", "back, kept", priority=True),
    ]

    def __init__(self, seen: Study, raw: dict[str, Raw] | None, check: Check, *, shown_all: bool) -> None:
        super().__init__()
        self._seen = seen
        self._fields = seen.fields
        self._given = write_form(self._fields, seen.request.args.get("answer"))
        first = self._given if raw is None else raw
        self._form = Form(self._fields, first, LinesView(question_lines(seen.request), base="base"))
        self._check = check
        self._shown_all = shown_all
        self._verdict: Verdict | None = None
        self._timer: Timer | None = None
        self.raw = first
        """What stands in the fields."""

    @property
    def is_as_it_was(self) -> bool:
        """Whether nothing was filled in, or only what was given before."""
        return all(said == self._given.get(name, ()) for name, said in self.raw.items() if said)

    def compose(self) -> ComposeResult:
        """A title, the question, the fields, what is known of them, the keys."""
        yield Bar("bar", id="answer-title")
        yield self._form
        yield LinesView(id="verdict")
        yield KeyBar()

    def on_mount(self) -> None:
        """Judge what is there."""
        request = self._seen.request
        title: Inked = ((" answer ", "dim"), (one_line(request.tool), "title"))
        self.query_one("#answer-title", Bar).write(title, ((f"{request.id} · v{request.version} ", "dim"),))
        self._form.start()
        self._judge_soon()

    def on_form_changed(self, event: Form.Changed) -> None:
        """Judge it once the hand rests."""
        event.stop()
        self.raw = self._form.raw
        if self._timer is not None:
            self._timer.stop()
        self._timer = self.set_timer(DEBOUNCE, self._judge_soon)

    def action_back(self) -> None:
        """Nothing is answered, nothing is lost."""
        self.dismiss(None)

    def action_submit(self) -> None:
        """Ask for the confirmation of exactly what the verdict is about."""
        self.deliberately(lambda: self._start(self._submit))

    def _judge_soon(self) -> None:
        self._start(self._judge)

    def _start(self, work: Callable[[], Coroutine[Any, Any, object]]) -> None:
        self.latest(work, "judge")

    async def _judge(self) -> Verdict:
        raw = self._form.raw
        if self._verdict is None or self._verdict.raw != raw:
            verdict = await judge(self._fields, raw, self._check)
            self._verdict = verdict
            self.query_one("#verdict", LinesView).write(_verdict_lines(verdict))
            return verdict
        return self._verdict

    async def _submit(self) -> None:
        verdict = await self._judge()
        if verdict.answer is None:
            self.review.say("It is no answer yet: see below the fields.", "warning")
        else:
            self._confirm(verdict.answer)

    def _confirm(self, answer: Answer) -> None:
        request = self._seen.request
        hidden = draw_arguments({"answer": answer.value}).hidden + self._seen.hidden
        cost = friction(request.risk, hidden=hidden, shown_all=self._shown_all)
        ask = AskScreen(
            f"Give this answer to {request.tool}? ({request.risk})",
            act="answer",
            lines=answer.lines(),
            word=word_for(cost, request.tool, request.id),
        )
        self.app.push_screen(ask, lambda yes: self._confirmed(answer) if yes else None)

    def _confirmed(self, answer: Answer) -> None:
        self.dismiss(answer)


def _verdict_lines(verdict: Verdict) -> list[Inked]:
    if verdict.answer is None:
        return [(("✗ ", "warn"), (one_line(error), "warn")) for error in verdict.errors]
    return [(("✓ it fits", "good"),), *verdict.answer.lines()]


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return one_line(json.dumps(value, ensure_ascii=False))
