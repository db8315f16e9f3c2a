"""Why a call is gated, how dangerous it is, what it says of itself: the answers of the user's own functions.

They are foreign code. What they raise, and every answer of a wrong type, makes the call wait for a human and is
shown to that human.
"""

from __future__ import annotations

import string
from collections.abc import Callable, Iterable, Mapping
from types import CoroutineType
from typing import Any, Final, cast

from gatekit.display import shorten, visible
from gatekit.errors import UsageError
from gatekit.models import RISKS, Risk

Describe = str | Callable[[Any], str]
Rate = Risk | Callable[[Any], Risk]

LONGEST_DESCRIPTION: Final = 4_000
"""Characters; a longer text is no description, and hides the arguments below it."""
_OWN_LONGEST: Final = 300
_LONGEST_MESSAGE: Final = 20_000
_TYPE_NAME: Final = type.__dict__["__name__"].__get__


def judge(verdict: object, redact: Callable[[str], str] = str) -> tuple[bool, tuple[str, ...]]:
    """Whether the call is gated, and why. Only `True` and `False` count; all else gates it.

    The predicate saw the redacted values; `redact` takes them out of what it says.

    >>> judge(False), judge(True), judge(None)
    ((False, ()), (True, ()), (True, ('requires_approval returned None, which is neither True nor False',)))
    """
    if verdict is False:
        return False, ()
    if verdict is True:
        return True, ()
    if issubclass(type(verdict), BaseException):
        return True, (f"requires_approval raised {_named(cast(BaseException, verdict), redact)}",)
    _close_coroutine(verdict)
    shown = "None" if verdict is None else f"a {redact(type_name(verdict))}"
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
    _close_coroutine(text)
    if type(text) is not str:
        return f"the step's description was a {type_name(text)}, not a str"
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
        return _storable(repr(value))
    except Exception as error:  # noqa: BLE001 - foreign code
        return f"<{type_name(value)}: its repr raised {type_name(error)}>"


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
    _close_coroutine(rated)
    shown = shorten(_brief(rated), _OWN_LONGEST)[0]
    return "critical", f"the step's risk was {shown}, not one of {', '.join(RISKS)}"


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


def message_of(error: BaseException, redact: Callable[[str], str]) -> str:
    """The message of a foreign exception, as text that can be stored, cut with a note.

    >>> message_of(ValueError("no money"), str)
    'no money'
    """
    # Cut last: half a secret would not be recognised.
    return shorten(redact(_message(error)), _LONGEST_MESSAGE)[0]


def type_name(value: object) -> str:
    """The name of a value's type, whatever the type says of itself."""
    name: str = _TYPE_NAME(type(value))
    return name


def _message(error: BaseException) -> str:
    try:
        return _storable(str(error))
    except Exception as flaw:  # noqa: BLE001 - foreign code
        return f"its message could not be read: {type_name(flaw)}"


def _storable(text: str) -> str:
    """An escaped surrogate can be stored, a raw one cannot; and a subclass of str may encode itself as it likes."""
    return str.__str__(text).encode("utf-8", "backslashreplace").decode()


def _close_coroutine(value: object) -> None:
    # By its type: a value can lie about its class, or raise when it is asked.
    if type(value) is CoroutineType:
        value.close()


def _named(error: BaseException, redact: Callable[[str], str] = str) -> str:
    return shorten(redact(f"{type_name(error)}: {_message(error)}"), 300)[0]
