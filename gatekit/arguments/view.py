"""What predicates and descriptions see of a call."""

from __future__ import annotations

import types
from collections.abc import Iterator
from typing import Any, ClassVar, NoReturn

REDACTED = "[redacted]"
"""What stands for a redacted value where text is made of the arguments."""


class Args(types.SimpleNamespace):
    """The arguments of one call: `args.to`, `args["to"]`, `"to" in args`, `len(args)`, iteration over names.

    An attribute is a parameter and nothing else, so that a parameter called `items` works. Read-only, and not
    a mapping. Injected parameters are not in it; `*args` and `**kwargs` are there under their own names.

    A predicate that asks for a parameter that does not exist gets an `AttributeError` or a `KeyError`, which
    gates the call.

    >>> args = Args(to="bob", items=[1])
    >>> args.to, args["items"], "cc" in args, list(args)
    ('bob', [1], False, ['to', 'items'])
    """

    # SimpleNamespace fills its own dict in C, at a fraction of what a Python __init__ costs on every call.
    __hash__ = None
    __redacted__: ClassVar[frozenset[str]] = frozenset()

    def __getitem__(self, name: str) -> Any:
        try:
            return self.__dict__[name]
        except KeyError:
            raise KeyError(_unknown(name, self.__dict__)) from None

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(_unknown(name, self.__dict__))

    def __contains__(self, name: object) -> bool:
        return name in self.__dict__

    def __iter__(self) -> Iterator[str]:
        return iter(self.__dict__)

    def __len__(self) -> int:
        return len(self.__dict__)

    def __setattr__(self, name: str, value: object) -> NoReturn:
        raise AttributeError(f"arguments are read-only: a reviewer edits {name!r}, a predicate only looks")

    def __delattr__(self, name: str) -> NoReturn:
        raise AttributeError(f"arguments are read-only: {name!r} stays")

    def __dir__(self) -> list[str]:
        return list(self.__dict__)

    def __repr__(self) -> str:
        shown = (
            f"{name}={REDACTED if name in self.__redacted__ else repr(value)}" for name, value in self.__dict__.items()
        )
        return f"Args({', '.join(shown)})"


def view_type(redacted: frozenset[str]) -> type[Args]:
    """The class for the calls of one tool: its `repr`, which may end in a log, hides what is redacted.

    >>> view_type(frozenset({"token"}))(to="bob", token="s3cret")
    Args(to='bob', token=[redacted])
    """
    return type("Args", (Args,), {"__redacted__": redacted, "__module__": __name__}) if redacted else Args


def _unknown(name: object, known: dict[str, Any]) -> str:
    return f"the call has no argument {name!r}; it has: {', '.join(known) or 'none'}"
