"""Live values to canonical text and back to fresh values, checked to be the same on the way."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any, Final

from pydantic import Secret, SecretBytes, SecretStr, ValidationError

from gatekit.arguments.canonical import Budget, check, digest_of, encode
from gatekit.arguments.compare import require_plain, require_same, require_same_json
from gatekit.arguments.compiling import Compiled
from gatekit.arguments.fields import CURE, Field
from gatekit.arguments.live import survey
from gatekit.arguments.parsing import read_object
from gatekit.arguments.redaction import fill, pick, put, seal, twin
from gatekit.arguments.refused import Refused, Steps
from gatekit.arguments.snapshot import Snapshot
from gatekit.display import visible

_SECRET_TYPES: Final = (SecretStr, SecretBytes, Secret)


def take(compiled: Compiled, tool: str, given: Mapping[str, object]) -> Snapshot:
    """The snapshot of these values. Raises `Refused`, naming the path."""
    validated = _validated(compiled, given)
    if not compiled.redacted and all(compiled.fields[name].is_plain(value) for name, value in validated.items()):
        return _taken_plain(tool, validated)
    tree, hidden = _written(compiled, validated)
    check(tree)
    rebuild = _rebuilder(compiled, tree)
    values = rebuild()
    _require_same_values(compiled, validated, values)
    require_same_json(tree, _written(compiled, values)[0])
    secrets = {steps: pick(tree, steps) for steps in hidden}
    for steps, secret in secrets.items():
        put(tree, steps, seal(secret))
    text = encode(tree)
    return Snapshot(text, digest_of(tool, text), values, secrets, rebuild)


def _taken_plain(tool: str, values: dict[str, Any]) -> Snapshot:
    """Values that are their own JSON, and that nobody can change: the short way to the same snapshot."""
    check(values)
    text = encode(values)
    return Snapshot(text, digest_of(tool, text), values, {}, values.copy)


def restore(compiled: Compiled, text: str, hidden: Mapping[Steps, object]) -> dict[str, Any]:
    """Fresh values of a stored text, with the live call's secrets. Raises `Refused` if they do not fit."""
    tree = read_object(text, markers=True)
    if tree.keys() != compiled.fields.keys():
        odd = sorted(tree.keys() ^ compiled.fields.keys())
        raise Refused(f"the stored arguments are not those of this tool, which has changed: {', '.join(odd)}")
    fill(tree, hidden)
    values = _rebuilder(compiled, tree)()
    require_same_json(tree, _written(compiled, values)[0])
    return values


def _validated(compiled: Compiled, given: Mapping[str, object]) -> dict[str, Any]:
    budget = Budget()
    validated = {}
    for name, field in compiled.fields.items():
        if name in given:
            with _Naming(compiled, name):
                validated[name] = _validate(field, given[name], budget)
    return validated


def _validate(field: Field, value: Any, budget: Budget) -> Any:
    value = list(value) if field.is_starred else value
    survey(value, budget)
    if field.is_plain(value):
        return value
    validated = field.validate(value)
    require_plain(value, validated)
    return validated


def _written(compiled: Compiled, values: Mapping[str, Any]) -> tuple[dict[str, Any], list[Steps]]:
    """The values as JSON with sets in order and secrets revealed, and the paths of what is to be hidden."""
    tree = {}
    for name, value in values.items():
        with _Naming(compiled, name):
            field = compiled.fields[name]
            tree[name] = value if field.is_plain(value) else field.dump(value)
    compiled.shape.sort_sets(tree)
    secret = compiled.shape.redacted(tree)
    for name in dict.fromkeys(str(steps[0]) for steps in secret):
        with _Naming(compiled, name):
            _reveal(compiled.fields[name], values[name], tree, [steps for steps in secret if steps[0] == name])
    hidden = [steps for steps in secret if steps[0] not in compiled.redacted]
    return tree, [*hidden, *((name,) for name in tree if name in compiled.redacted)]


def _reveal(field: Field, value: Any, tree: dict[str, Any], secret: list[Steps]) -> None:
    objects = field.dump_objects(value)
    found = [(steps, twin(objects, tree[field.name], steps[1:])) for steps in secret]
    for steps, item in found:
        if isinstance(item, _SECRET_TYPES):
            put(tree, steps, _plain(item))


def _plain(secret: Any) -> object:
    """What a pydantic secret hides, as the JSON that its type is rebuilt from."""
    hidden = secret.get_secret_value()
    if isinstance(hidden, bytes):
        try:
            return hidden.decode()
        except UnicodeDecodeError:
            raise Refused("the secret bytes are no UTF-8 text: pass them encoded, as SecretStr") from None
    return hidden


def _rebuilder(compiled: Compiled, tree: Mapping[str, Any]) -> Callable[[], dict[str, Any]]:
    """Makes fresh values of JSON arguments, any number of times. Plain ones are their own copies."""
    plain = {name: item for name, item in tree.items() if compiled.fields[name].is_plain(item)}
    texts = {name: encode(item) for name, item in tree.items() if name not in plain}

    def rebuild() -> dict[str, Any]:
        values = dict.fromkeys(tree) | plain
        for name, text in texts.items():
            with _Naming(compiled, name):
                values[name] = compiled.fields[name].rebuild(text)
        return values

    return rebuild


def _require_same_values(compiled: Compiled, before: Mapping[str, Any], after: Mapping[str, Any]) -> None:
    for name, value in before.items():
        with _Naming(compiled, name):
            require_same(value, after[name])


class _Naming:
    """Turns whatever a parameter's type raises into a refusal that names the path and no redacted value."""

    __slots__ = ("_is_redacted", "_name")

    def __init__(self, compiled: Compiled, name: str) -> None:
        self._name = name
        self._is_redacted = name in compiled.redacted

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if not isinstance(error, Exception):
            return
        if self._is_redacted:
            raise Refused("does not fit its annotation (the value is redacted)", (self._name,)) from None
        raise _refusal_of(error).under(self._name) from None


def _refusal_of(error: Exception) -> Refused:
    """A type of the tool's author may raise anything: all of it means that the value cannot be taken."""
    if isinstance(error, Refused):
        return error
    if isinstance(error, ValidationError):
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        return Refused(visible(first["msg"])[0], tuple(first["loc"]))
    if isinstance(error, RuntimeError) and not isinstance(error, RecursionError):
        return Refused("changed while it was read: hand over a copy that nothing else writes to")
    problem = visible(str(error).partition("\n")[0])[0] or type(error).__name__
    return Refused(f"cannot be written as JSON ({problem}): {CURE}")
