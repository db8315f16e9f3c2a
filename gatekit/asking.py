"""Why a call is gated, how dangerous it is, what it says of itself: the answers of the user's own functions.

They are foreign code. What they raise, and every answer of a wrong type, makes the call wait for a human and is
shown to that human.
"""

from __future__ import annotations

import inspect
import string
from collections.abc import Callable, Iterable, Mapping
from typing import Any, Final, cast

from gatekit.display import shorten, visible
from gatekit.errors import UsageError
from gatekit.models import RISKS, Risk

Describe = str | Callable[[Any], str]
Rate = Risk | Callable[[Any], Risk]

LONGEST_DESCRIPTION: Final = 4_000
"""Characters; a longer text is no description, and hides the arguments below it."""
_OWN_LONGEST: Final = 300


def judge(verdict: object) -> tuple[bool, tuple[str, ...]]:
    """Whether the call is gated, and why. Only `True` and `False` count; all else gates it.

    >>> judge(False), judge(True), judge(None)
    ((False, ()), (True, ()), (True, ('requires_approval returned None, which is neither True nor False',)))
    """
    if verdict is False:
        return False, ()
    if verdict is True:
        return True, ()
    if isinstance(verdict, BaseException):
        return True, (f"requires_approval raised {_named(verdict)}",)
    if inspect.iscoroutine(verdict):
        verdict.close()
    shown = "None" if verdict is None else f"a {type(verdict).__name__}"
    return True, (f"requires_approval returned {shown}, which is neither True nor False",)


def describe(template: Describe | None, tool: str, view: Any) -> tuple[str, str | None]:
    """The description, and what was wrong with the step's own if this one is ours."""
    try:
        text = _described(template, view)
    except Exception as error:  # noqa: BLE001 - foreign code
        return own_description(tool, view), f"the step's description raised {_named(error)}"
    if text is None:
        return own_description(tool, view), None
    flaw = _flaw_of_text(text)
    return (cast(str, text), None) if flaw is None else (own_description(tool, view), flaw)


def _described(template: Describe | None, view: Any) -> object:
    if template is None:
        return None
    if isinstance(template, str):
        return string.Formatter().vformat(template, (), {name: view[name] for name in view})
    return template(view)


def _flaw_of_text(text: object) -> str | None:
    if inspect.iscoroutine(text):
        text.close()
    if type(text) is not str:
        return f"the step's description was a {type(text).__name__}, not a str"
    if len(text) > LONGEST_DESCRIPTION:
        return f"the step's description had {len(text)} characters, more than {LONGEST_DESCRIPTION}"
    if not text.strip():
        return "the step's description was empty"
    try:
        text.encode()
    except UnicodeEncodeError:
        return "the step's description held a lone surrogate"
    return None


def own_description(tool: str, view: Any) -> str:
    """`tool(name=value, …)`, cut with a note."""
    shown = ", ".join(f"{name}={_brief(view[name])}" for name in view)
    return shorten(f"{tool}({shown})", _OWN_LONGEST)[0]


def _brief(value: object) -> str:
    try:
        text = repr(value)
    except Exception as error:  # noqa: BLE001 - foreign code
        return f"<{type(value).__name__}: its repr raised {type(error).__name__}>"
    # An escaped surrogate can be stored, a raw one cannot.
    return text.encode("utf-8", "backslashreplace").decode()


def rate(risk: Rate, view: Any) -> tuple[Risk, str | None]:
    """The risk, and what was wrong with the step's own if this one is ours: then it is the highest."""
    if not callable(risk):
        return risk, None
    try:
        rated = risk(view)
    except Exception as error:  # noqa: BLE001 - foreign code
        return "critical", f"the step's risk raised {_named(error)}"
    if type(rated) is str and rated in RISKS:
        return rated, None
    if inspect.iscoroutine(rated):
        rated.close()
    return "critical", f"the step's risk was {_brief(rated)}, not one of {', '.join(RISKS)}"


def check_template(template: Describe | None, names: Iterable[str]) -> None:
    """Refuse a template that names what the tool does not take."""
    if not isinstance(template, str):
        return
    known = set(names)
    try:
        fields = [field for _, field, _, _ in string.Formatter().parse(template) if field is not None]
    except ValueError as error:
        raise UsageError(f"description={template!r} is no template: {error}") from error
    for field in fields:
        name = field.partition(".")[0].partition("[")[0]
        if name not in known:
            raise UsageError(
                f"description={template!r} names {name!r}, which the tool does not take; "
                f"it takes: {', '.join(sorted(known)) or 'nothing'}"
            )


def count_hidden(values: Iterable[object]) -> int:
    """How many invisible or deceptive characters are in these texts, at any depth."""
    return sum(_hidden(value) for value in values)


def _hidden(value: object) -> int:
    if isinstance(value, str):
        return visible(value)[1]
    if isinstance(value, Mapping):
        return sum(_hidden(key) + _hidden(item) for key, item in value.items())
    if isinstance(value, list):
        return sum(map(_hidden, value))
    return 0


def message_of(error: BaseException) -> str:
    """The message of a foreign exception, as text that can be stored.

    >>> message_of(ValueError("no money"))
    'no money'
    """
    try:
        text = str(error)
    except Exception as flaw:  # noqa: BLE001 - foreign code
        text = f"its message could not be read: {type(flaw).__name__}"
    return text.encode("utf-8", "backslashreplace").decode()


def _named(error: BaseException) -> str:
    return shorten(f"{type(error).__name__}: {message_of(error)}", 300)[0]
