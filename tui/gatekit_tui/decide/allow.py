"""Allow a call and its like for a while: a form, and in plain words what it allows."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, ClassVar, Final, cast

from textual import events
from textual.app import ComposeResult
from textual.binding import Binding, BindingType
from textual.containers import Horizontal, VerticalScroll
from textual.widget import Widget
from textual.widgets import Input, Static

from gatekit.models import Request
from gatekit_tui.decide.lasting import Draft, Permit, Wish, Within, hows_for, permit_lines, read_permit
from gatekit_tui.edit.begun import Begun, notes_of
from gatekit_tui.frame.ask import AskScreen
from gatekit_tui.frame.bars import Bar
from gatekit_tui.frame.key_bar import KeyBar
from gatekit_tui.frame.lines_view import LinesView
from gatekit_tui.frame.menu import PickRow
from gatekit_tui.frame.row_text import one_line
from gatekit_tui.frame.spans import Inked
from gatekit_tui.frame.verdict import VerdictModal

MOST_ARGUMENTS: Final = 40
"""Arguments beyond which a form is no help: each costs widgets."""


class AllowScreen(VerdictModal[Permit]):
    """A draft of a permission. Gives it once it is confirmed; `unsent` is kept when the reviewer leaves."""

    DEFAULT_CSS = """
    AllowScreen {
        #fields { height: 1fr; padding: 0 1; }
        .pair { height: 1; }
        .name { height: 1; width: 18; color: $primary; }
        .short { width: auto; min-width: 9; height: 1; color: $secondary; padding: 0 1; }
        .argument { height: auto; width: 1fr; color: $primary; margin-top: 1; }
        .-hidden { display: none; }
        Input, Input:focus { border: none; height: 1; padding: 0 1; background: $panel; width: 1fr; }
    }
    """
    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("ctrl+s", "submit", "go on with this permission", priority=True),
        Binding("escape", "back", "back, kept", priority=True),
    ]

    def __init__(self, request: Request, begun: Begun[Draft] | None, word: str | None) -> None:
        super().__init__()
        self._request = request
        self._args = request.args
        self._names = tuple(self._args)
        self._withins: tuple[Within, ...] = ("run", "agent", "all") if request.run else ("agent", "all")
        self._word = word
        self._untouched = Draft(wishes={name: Wish(pattern=_typeable(value)) for name, value in self._args.items()})
        self._draft = self._untouched if begun is None else begun.draft
        self._begun_on = request.version if begun is None else begun.version

    @property
    def unsent(self) -> Begun[Draft] | None:
        """What stands in the form; None if nothing was typed or picked."""
        return None if self._draft == self._untouched else Begun(self._draft, self._begun_on)

    def compose(self) -> ComposeResult:
        """A title, how long, whose calls, each argument, what that allows, the keys."""
        yield Bar("bar", id="allow-title")
        with VerticalScroll(id="fields", can_focus=False):
            yield _pair("for how long", Input(self._draft.lasts, placeholder="30m, 4h, 2d", id="lasts", **_PLAIN))
            yield _pair("how many calls", Input(self._draft.uses, placeholder="any number", id="uses", **_PLAIN))
            whose = {"run": "this run", "agent": "this agent", "all": "any agent"}
            picked = self._withins.index(self._draft.within)
            yield _pair("made by", PickRow([whose[within] for within in self._withins], picked=picked, id="within"))
            for number, name in enumerate(self._names):
                yield from self._argument(number, name)
        yield LinesView(id="verdict")
        yield KeyBar()

    def _argument(self, number: int, name: str) -> Iterator[Widget]:
        value = self._args[name]
        hows = hows_for(value)
        wish = self._draft.wishes.get(name, Wish())
        # It may have been chosen for a value of another type, in another version of the call.
        wish = wish if wish.how in hows else Wish()
        words = {"exactly": "exactly this", "pattern": "pattern", "bound": "bound", "anything": "anything"}
        yield Static(one_line(name), classes="argument", markup=False)
        yield PickRow([words[how] for how in hows], picked=hows.index(wish.how), id=f"how-{number}")
        if "pattern" in hows:
            hint = "* within a part of a path, ** anything, ? one character"
            field = Input(wish.pattern or _typeable(value), placeholder=hint, id=f"pattern-{number}", **_PLAIN)
            yield _pair("", field, hidden=wish.how != "pattern", id=f"pattern-of-{number}")
        if "bound" in hows:
            low = Input(wish.low, placeholder="none", id=f"low-{number}", **_PLAIN)
            high = Input(wish.high, placeholder="none", id=f"high-{number}", **_PLAIN)
            at_least, at_most = (Static(text, classes="short", markup=False) for text in ("at least", "at most"))
            bounds = Horizontal(at_least, low, at_most, high, classes="pair", id=f"bound-of-{number}")
            bounds.set_class(wish.how != "bound", "-hidden")
            yield bounds

    def on_mount(self) -> None:
        """Say what stands there allows."""
        request = self._request
        title: Inked = ((" allow for a while ", "dim"), (one_line(request.tool), "title"))
        self.query_one("#allow-title", Bar).write(title, ((f"{request.id} · v{request.version} ", "dim"),))
        self.set_focus(self.query_one("#lasts"))
        self._tell()

    def on_input_changed(self, event: Input.Changed) -> None:
        event.stop()
        self._tell()

    def on_pick_row_picked(self, event: PickRow.Picked) -> None:
        event.stop()
        self._tell()

    def on_input_submitted(self, event: Input.Submitted) -> None:
        """Enter goes on to the next field; it sends nothing off."""
        event.stop()
        self.focus_next()

    def on_descendant_focus(self, event: events.DescendantFocus) -> None:
        self.query_one("#fields").scroll_to_widget(event.widget, animate=False)

    def action_back(self) -> None:
        """Nothing is allowed, nothing is lost."""
        self.dismiss(None)

    def action_submit(self) -> None:
        """Ask for the confirmation of exactly what is said below the fields."""
        self.deliberately(self._submit)

    def _submit(self) -> None:
        permit = self._tell()
        if permit is None:
            self.review.say("It is no permission yet: see below the fields.", "warning")
            return
        tool = self._request.tool
        ask = AskScreen(
            f"Approve {tool}, and allow its like? ({self._request.risk})",
            act="allow it",
            why=self._notes(),
            lines=self._words(permit),
            word=self._word,
        )
        self.app.push_screen(ask, lambda yes: self._confirmed(permit) if yes else None)

    def _confirmed(self, permit: Permit) -> None:
        self.dismiss(permit)

    def _tell(self) -> Permit | None:
        self._draft = self._read()
        said = read_permit(self._draft, self._args)
        verdict = self.query_one("#verdict", LinesView)
        kept: list[Inked] = [((note, "note"),) for note in self._notes()]
        if isinstance(said, Permit):
            verdict.write([*kept, *self._words(said)])
            return said
        verdict.write([*kept, *((("✗ ", "warn"), (error, "warn")) for error in map(one_line, said))])
        return None

    def _notes(self) -> list[str]:
        return notes_of(self.unsent, self._request)

    def _words(self, permit: Permit) -> list[Inked]:
        request = self._request
        return permit_lines(permit, request.tool, request.requester, request.run, self._args)

    def _read(self) -> Draft:
        wishes: dict[str, Wish] = {}
        for number, name in enumerate(self._names):
            wishes[name] = self._wish(number, self._args[name])
        within = self._withins[self.query_one("#within", PickRow).picked]
        return Draft(self._text("lasts"), self._text("uses"), within, wishes)

    def _wish(self, number: int, value: object) -> Wish:
        hows = hows_for(value)
        how = hows[self.query_one(f"#how-{number}", PickRow).picked]
        for kind in ("pattern", "bound"):
            if kind in hows:
                self.query_one(f"#{kind}-of-{number}").set_class(how != kind, "-hidden")
        return Wish(
            how,
            self._text(f"pattern-{number}") if "pattern" in hows else "",
            self._text(f"low-{number}") if "bound" in hows else "",
            self._text(f"high-{number}") if "bound" in hows else "",
        )

    def _text(self, widget_id: str) -> str:
        return self.query_one(f"#{widget_id}", Input).value


def _typeable(value: object) -> str:
    """The value as the first text of a pattern's field, if it can be read and typed there."""
    return value if isinstance(value, str) and one_line(value) == value and len(value) < 200 else ""


_PLAIN: Final = cast("Any", {"max_length": 2000, "select_on_focus": False})


def _pair(name: str, field: Widget, *, hidden: bool = False, id: str | None = None) -> Horizontal:
    pair = Horizontal(Static(name, classes="name", markup=False), field, classes="pair", id=id)
    pair.set_class(hidden, "-hidden")
    return pair
