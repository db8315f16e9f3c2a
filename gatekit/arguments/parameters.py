"""The parameters of one tool: from a live call to stored text and back."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping, Sequence
from functools import cached_property, partial
from inspect import Parameter
from typing import Any

from gatekit.arguments.compiling import Compiled, compile_parameters
from gatekit.arguments.fast import BUILTINS_USED
from gatekit.arguments.fields import has_checkable_default
from gatekit.arguments.refused import Refused
from gatekit.arguments.schema import schema_digest
from gatekit.arguments.snapshot import Snapshot
from gatekit.arguments.storing import restore, take
from gatekit.arguments.view import Args, view_type
from gatekit.errors import UsageError


class Parameters:
    """What a gated step knows of its tool's parameters, compiled once.

    Annotations that cannot be resolved yet, as a class that is defined further down, are looked at again by
    `ready()`, which every use calls; until then `is_ready` is false and no value passes untouched.
    """

    def __init__(self, tool: str, compile_again: Callable[[], Compiled]) -> None:
        self._tool = tool
        self._compile_again = compile_again
        self._compiled = compile_again()
        self._check_defaults()

    @classmethod
    def of(
        cls,
        fn: Callable[..., Any],
        *,
        tool: str,
        inject: Sequence[str] = (),
        redact: Sequence[str] = (),
        skip_first: bool | None = None,
    ) -> Parameters:
        """Compile the parameters of `fn`, whose step is called `tool`.

        Args:
            fn: The tool: a function, a method, or an object with `__call__`.
            tool: The step's name, part of every digest.
            inject: Parameters that the framework fills in; known ones are found without this.
            redact: Parameters whose values are never stored.
            skip_first: Whether the first parameter is a `self`; None finds out.

        Raises:
            UsageError: a parameter cannot be stored; the message names it and the cure.

        >>> def pay(amount: int, to: str = "bob") -> None: ...
        >>> parameters = Parameters.of(pay, tool="pay")
        >>> parameters.snapshot({"amount": 40, "to": "bob"}).text
        '{"amount":40,"to":"bob"}'
        """
        compile_again = partial(
            compile_parameters, fn, inject=tuple_of(inject), redact=tuple_of(redact), skip_first=skip_first
        )
        try:
            return cls(tool, compile_again)
        except UsageError as error:
            raise UsageError(f"{tool}: {error}") from None

    @property
    def signature(self) -> inspect.Signature:
        """The tool's own signature."""
        return self._compiled.signature

    @property
    def names(self) -> tuple[str, ...]:
        """The parameters that are stored and shown, in order."""
        return self._compiled.names

    @property
    def injected(self) -> frozenset[str]:
        """The parameters that a framework, or Python for `self`, fills in."""
        return self._compiled.injected

    @property
    def redacted(self) -> frozenset[str]:
        """The parameters whose whole value is redacted."""
        return self._compiled.redacted

    @property
    def returns(self) -> object:
        """The return annotation, `Any` where there is none or it cannot be resolved."""
        return self._compiled.returns

    @property
    def is_ready(self) -> bool:
        """Whether all annotations are resolved."""
        return not self._compiled.unresolved

    @property
    def schema_text(self) -> str:
        """The JSON Schema that edits have to fit."""
        return self.ready().schema_text

    @property
    def schema_digest(self) -> str:
        """The name of the schema in the queue, 64 hex digits."""
        return schema_digest(self.schema_text)

    @cached_property
    def view_type(self) -> type[Args]:
        """Makes what a predicate sees; takes the values as keywords."""
        return view_type(self._compiled.redacted)

    def ready(self) -> Compiled:
        """Resolve what is still open. Raises `UsageError` if it cannot be resolved now either."""
        if self._compiled.unresolved:
            self._compiled = self._compile_again()
            for name, unresolved in self._compiled.unresolved.items():
                raise UsageError(
                    f"{self._tool}: the annotation of parameter {name!r} cannot be resolved "
                    f"({unresolved.problem}): define or import its types at the top of the module, "
                    f"or name it in inject=(…)"
                )
            self._check_defaults()
        return self._compiled

    def fast_expression(self, name: str) -> str | None:
        """A Python expression over the variable `name`, true only for values that may pass as they came.

        None where every value has to be canonicalised. It uses the builtins type, str, int, bool and float.
        """
        field = self._compiled.fields.get(name)
        if field is None or not BUILTINS_USED.isdisjoint(self.signature.parameters):
            return None
        return field.fast

    def bind(self, args: Sequence[Any], kwargs: Mapping[str, Any]) -> dict[str, Any]:
        """The arguments by name, defaults applied. Raises `TypeError` as `inspect` words it."""
        bound = self.signature.bind(*args, **kwargs)
        bound.apply_defaults()
        return bound.arguments

    def snapshot(self, values: Mapping[str, object]) -> Snapshot:
        """Validate live values strictly, write them as canonical text, and read them back.

        `values` holds all parameters by name; injected ones are passed over. Raises `UsageError`, naming the
        path, for what cannot be stored exactly; nothing of it is repaired.
        """
        compiled = self.ready()
        try:
            return take(compiled, self._tool, values)
        except Refused as refusal:
            raise UsageError(f"{self._tool}: {self._open(refusal)}") from None

    def rebuild(self, text: str, redacted_from: Snapshot | None) -> dict[str, Any]:
        """Fresh, typed values of a stored text: what the tool is called with.

        Raises `UsageError` if the text does not fit the tool exactly, or has redacted values that the live
        call `redacted_from` does not hold.
        """
        compiled = self.ready()
        try:
            return restore(compiled, text, redacted_from.hidden if redacted_from else {})
        except Refused as refusal:
            raise UsageError(f"{self._tool}: {self._open(refusal)}") from None

    def matches(self, snapshot: Snapshot, text: str) -> bool:
        """Whether a stored text is of the very arguments of a live call, redacted ones compared by hash."""
        return snapshot.is_what(text)

    def view(self, values: Mapping[str, Any]) -> Args:
        """What a predicate sees of these values."""
        return self.view_type(**{name: values[name] for name in self.names})

    def shown(self, snapshot: Snapshot) -> Args:
        """What a description sees: redacted values are hidden from it."""
        return self.view(snapshot.shown())

    def _open(self, refusal: Refused) -> Refused:
        """The refusal without what it may say of the inside of a redacted value."""
        first = refusal.steps[:1]
        if len(refusal.steps) > 1 and first[0] in self.redacted:
            return Refused("holds what JSON cannot hold (the value is redacted)", first)
        return refusal

    def _check_defaults(self) -> None:
        for name, parameter in self.signature.parameters.items():
            if name in self._compiled.fields and has_checkable_default(parameter):
                self._check_default(parameter)

    def _check_default(self, parameter: Parameter) -> None:
        try:
            take(self._compiled, self._tool, {parameter.name: parameter.default})
        except Refused as refusal:
            raise UsageError(
                f"the default of parameter {parameter.name!r} could never be stored ({refusal}): "
                f"mend the annotation or the default"
            ) from None


def tuple_of(names: Sequence[str]) -> Sequence[str]:
    """A copy that nobody changes; a single text is left for the compiler to refuse."""
    return names if isinstance(names, str) else tuple(names)
