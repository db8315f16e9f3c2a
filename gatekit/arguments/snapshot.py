"""The arguments of one call at the moment it was made."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any

from gatekit.arguments.canonical import encode
from gatekit.arguments.parsing import parse
from gatekit.arguments.redaction import markers_in, put, seal
from gatekit.arguments.refused import Steps
from gatekit.arguments.view import REDACTED


@dataclass(frozen=True, slots=True, eq=False)
class Snapshot:
    """What was validated, written as text, and read back. No object of the caller is in it.

    Its `repr` shows the text, in which secrets are markers.
    """

    text: str
    """The canonical text, with a marker for each redacted value: what is stored and shown."""
    digest: str
    """The digest of the tool's name and the text."""
    values: Mapping[str, Any] = field(repr=False)
    """The rebuilt arguments with real secrets, for reading. What may change them gets `fresh()` ones."""
    hidden: Mapping[Steps, object] = field(repr=False)
    """The redacted values as JSON, by path."""
    _rebuild: Callable[[], dict[str, Any]] = field(repr=False)

    def fresh(self) -> dict[str, Any]:
        """The arguments anew, with their real secrets: equal to `values` and sharing nothing with them."""
        return self._rebuild()

    def parsed(self) -> dict[str, Any]:
        """The text as JSON values, fresh at each call."""
        return parse(self.text, markers=True)

    def shown(self) -> dict[str, Any]:
        """The arguments anew, with a plain text where a parameter is redacted or a secret.

        A pydantic secret deeper inside an object stays one, and hides itself when it is printed.
        """
        covers = {steps[0]: REDACTED for steps in self.hidden if len(steps) == 1}
        return {name: covers.get(name, value) for name, value in self.fresh().items()}

    def redact(self, message: str) -> str:
        """A message without the redacted texts and numbers of this call, for errors that are kept.

        They are found as they are and as they look in a `repr` or in JSON; a tool that writes its secrets in
        another way cannot be helped.
        """
        for secret in sorted(_spellings(self.hidden.values()), key=len, reverse=True):
            message = message.replace(secret, REDACTED)
        return message

    def is_what(self, text: str) -> bool:
        """Whether a stored text is of these arguments: live secrets are hashed with the text's own salts."""
        if not self.hidden:
            return text == self.text
        mine = self.parsed()
        stored = dict(markers_in(parse(text, markers=True)))
        if stored.keys() != self.hidden.keys():
            return False
        for steps, marker in stored.items():
            put(mine, steps, seal(self.hidden[steps], marker["salt"]))
        return encode(mine) == text


def _spellings(hidden: Iterable[object]) -> set[str]:
    leaves = [leaf for value in hidden for leaf in _leaves(value)]
    texts = [leaf for leaf in leaves if isinstance(leaf, str)]
    numbers = {repr(leaf) for leaf in leaves if type(leaf) in (int, float)}
    escaped = {spell(text)[1:-1] for text in texts for spell in (repr, ascii, json.dumps)}
    return ({*texts} | escaped | numbers) - {""}


def _leaves(value: object) -> Iterator[object]:
    if isinstance(value, dict):
        value = list(value.values())
    if isinstance(value, list):
        for item in value:
            yield from _leaves(item)
    else:
        yield value
