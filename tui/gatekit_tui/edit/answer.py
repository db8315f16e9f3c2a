"""Answer a question: fields to fill in, checked while they are, and sent off as exactly what is shown then."""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any, ClassVar

from textual.binding import Binding, BindingType

from gatekit.display import draw_arguments, friction
from gatekit.models import Change
from gatekit_tui.edit.begun import Begun
from gatekit_tui.edit.checked import Check, CheckedScreen, Verdict, judge
from gatekit_tui.edit.form import Form
from gatekit_tui.frame.lines_view import LinesView
from gatekit_tui.frame.row_text import one_line
from gatekit_tui.frame.spans import Inked
from gatekit_tui.request.fields import Raw, read_form, write_form
from gatekit_tui.request.question_text import question_lines
from gatekit_tui.request.study import Study


@dataclass(frozen=True, slots=True)
class Answer:
    """What the reviewer says: any JSON value."""

    value: Any

    def lines(self) -> list[Inked]:
        """The answer, a line for each field of a form."""
        if isinstance(self.value, dict) and self.value:
            return [((f"{one_line(name)} ", "label"), (_text(self.value[name]), "good")) for name in self.value]
        return [(("answer ", "label"), (_text(self.value), "good"))]


class AnswerScreen(CheckedScreen[Answer]):
    """A question and its fields. Gives the answer once it is confirmed; `unsent` is kept when the reviewer leaves."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "submit", "go on with this answer", priority=True),
        Binding("escape", "back", "back, kept", priority=True),
    ]
    DOING = "answer"
    UNFIT = "It is no answer yet: see below the fields."

    def __init__(self, seen: Study, begun: Begun[dict[str, Raw]] | None, check: Check, *, shown_all: bool) -> None:
        given = write_form(seen.fields, seen.request.args.get("answer"))
        first = given if begun is None else begun.draft
        form = Form(seen.fields, first, LinesView(question_lines(seen.request), base="base"))
        super().__init__(seen, form, shown_all=shown_all)
        self._fields = seen.fields
        self._given = given
        self._form = form
        self._check = check
        self._begun_on = seen.request.version if begun is None else begun.version

    @property
    def unsent(self) -> Begun[dict[str, Raw]] | None:
        """What stands in the fields; None if nothing was filled in, or only what was given before."""
        raw = self._form.raw
        is_as_it_was = all(said == self._given.get(name, ()) for name, said in raw.items() if said)
        return None if is_as_it_was else Begun(raw, self._begun_on)

    def stands(self) -> dict[str, Raw]:
        """What stands in the fields."""
        return self._form.raw

    async def judge(self) -> Verdict[Answer]:
        """Against the question's own schema."""
        return await judge(
            lambda: Answer(read_form(self._fields, self._form.raw)),
            lambda answer: self._check({"answer": answer.value}),
        )

    def fits(self, value: Answer, changes: tuple[Change, ...]) -> list[Inked]:
        """The answer."""
        return [(("✓ it fits", "good"),), *value.lines()]

    def confirm(self, value: Answer, changes: tuple[Change, ...]) -> None:
        """Ask whether that is the answer."""
        request = self._seen.request
        hidden = draw_arguments({"answer": value.value}).hidden + self._seen.hidden
        self.ask(
            f"Give this answer to {request.tool}? ({request.risk})",
            value,
            act="answer",
            lines=value.lines(),
            cost=friction(request.risk, hidden=hidden, shown_all=self._shown_all),
        )

    def on_mount(self) -> None:
        """The hand is on the first field."""
        self._form.start()

    def on_form_changed(self, event: Form.Changed) -> None:
        event.stop()
        self.changed()


def _text(value: Any) -> str:
    if isinstance(value, bool):
        return "yes" if value else "no"
    return one_line(json.dumps(value, ensure_ascii=False))
