"""A draft that is judged while it is typed, and sent off only as exactly what the verdict is about."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Coroutine, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Generic, TypeVar

from textual.app import ComposeResult
from textual.timer import Timer
from textual.widget import Widget

from gatekit.display import Friction
from gatekit.errors import InvalidEdit, ReviewError, StoreError
from gatekit.models import Change
from gatekit_tui.edit.begun import Begun, notes_of
from gatekit_tui.frame.ask import AskScreen, word_for
from gatekit_tui.frame.bars import Bar
from gatekit_tui.frame.key_bar import KeyBar
from gatekit_tui.frame.lines_view import LinesView
from gatekit_tui.frame.row_text import one_line
from gatekit_tui.frame.spans import Inked
from gatekit_tui.frame.verdict import VerdictModal
from gatekit_tui.request.draft import DraftError
from gatekit_tui.request.fields import FormError
from gatekit_tui.request.study import Study

DEBOUNCE = 0.15
"""Seconds without a key after which the draft is checked."""

Check = Callable[[dict[str, Any]], Awaitable[tuple[Change, ...]]]
"""Has the queue check arguments, and gives what they change."""
T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Verdict(Generic[T]):
    """What is known of what stands there."""

    value: T | None
    """What it says, if it fits."""
    changes: tuple[Change, ...] = ()
    errors: tuple[str, ...] = ()


async def judge(read: Callable[[], T], check: Callable[[T], Awaitable[tuple[Change, ...]]]) -> Verdict[T]:
    """Read the draft at once, and have the queue check it against the schema it is kept for."""
    try:
        value = read()
        return Verdict(value, await check(value))
    except (FormError, InvalidEdit) as error:
        return Verdict(None, errors=error.errors)
    except (DraftError, ReviewError, StoreError) as error:
        return Verdict(None, errors=(str(error),))


class CheckedScreen(VerdictModal[T]):
    """A draft of one request, what is known of it below, and the way to its confirmation. Gives it then, else None."""

    DOING: ClassVar[str]
    """What the reviewer does here, as the title says it."""
    UNFIT: ClassVar[str]
    """What is said to who would send off what does not fit."""

    def __init__(self, seen: Study, draft: Widget, *, shown_all: bool) -> None:
        super().__init__()
        self._seen = seen
        self._draft = draft
        self._shown_all = shown_all
        self._judged: tuple[object, Verdict[T]] | None = None
        self._timer: Timer | None = None

    @property
    def unsent(self) -> Begun[Any] | None:
        """The draft to keep, also once the screen is closed; None if it is as it was."""
        raise NotImplementedError

    def stands(self) -> object:
        """What stands there now: two that are equal have the same verdict."""
        raise NotImplementedError

    async def judge(self) -> Verdict[T]:
        """Judge what stands there now."""
        raise NotImplementedError

    def fits(self, value: T, changes: tuple[Change, ...]) -> list[Inked]:
        """What is said of what fits."""
        raise NotImplementedError

    def confirm(self, value: T, changes: tuple[Change, ...]) -> None:
        """Ask for the confirmation of what fits, by `ask`."""
        raise NotImplementedError

    def compose(self) -> ComposeResult:
        """A title, the draft, what is known of it, the keys."""
        yield Bar("bar", id="title")
        yield self._draft
        yield LinesView(id="verdict")
        yield KeyBar()

    def on_mount(self) -> None:
        """Judge what is there."""
        request = self._seen.request
        title: Inked = ((f" {self.DOING} ", "dim"), (one_line(request.tool), "title"))
        self.query_one("#title", Bar).write(title, ((f"{request.id} · v{request.version} ", "dim"),))
        self._judge_soon()

    def changed(self) -> None:
        """Another draft stands there: judge it once the hand rests."""
        self._rest()
        self._timer = self.set_timer(DEBOUNCE, self._judge_soon)

    def ask(self, question: str, value: T, *, act: str, lines: Sequence[Inked], cost: Friction) -> None:
        """Have the reviewer confirm it for what it costs; the screen gives it then."""
        request = self._seen.request
        word = word_for(cost, request.tool, request.id)
        ask = AskScreen(question, act=act, why=self._notes(), lines=lines, word=word)
        self.app.push_screen(ask, lambda yes: self._confirmed(value) if yes else None)

    def action_back(self) -> None:
        """Nothing is decided, nothing is lost."""
        self.dismiss(None)

    def action_submit(self) -> None:
        """Ask for the confirmation of exactly what the verdict is about."""
        self.deliberately(lambda: self._start(self._submit))

    def _judge_soon(self) -> None:
        self._start(self._judge)

    def _start(self, work: Callable[[], Coroutine[Any, Any, object]]) -> None:
        # A look that is still to come would take the place of what begins now, and of a key with it.
        self._rest()
        self.latest(work, "judge")

    def _rest(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

    async def _judge(self) -> Verdict[T]:
        stands = self.stands()
        if self._judged is None or self._judged[0] != stands:
            verdict = await self.judge()
            self._judged = stands, verdict
            self.query_one("#verdict", LinesView).write(self._told(verdict))
            return verdict
        return self._judged[1]

    def _told(self, verdict: Verdict[T]) -> list[Inked]:
        kept: list[Inked] = [((note, "note"),) for note in self._notes()]
        if verdict.value is None:
            return [*kept, *((("✗ ", "warn"), (one_line(error), "warn")) for error in verdict.errors)]
        return [*kept, *self.fits(verdict.value, verdict.changes)]

    def _notes(self) -> list[str]:
        return notes_of(self.unsent, self._seen.request)

    async def _submit(self) -> None:
        verdict = await self._judge()
        if verdict.value is None:
            self.review.say(self.UNFIT, "warning")
        else:
            self.confirm(verdict.value, verdict.changes)

    def _confirmed(self, value: T) -> None:
        self.dismiss(value)
