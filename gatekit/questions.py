"""Questions and confirmations: a request for an answer, or for a yes with no tool behind it.

They go through the queue as a call does. What is asked stands in the arguments; the answer takes its place there, as
an edit would, and is checked against the question's schema where it is given and again where it is read.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache
from typing import TYPE_CHECKING, Annotated, Any, Final, Literal, NoReturn

from pydantic import BaseModel, Field

from gatekit.arguments.parameters import Parameters
from gatekit.calling import check_name
from gatekit.clock import seconds_of
from gatekit.driving import Intent
from gatekit.errors import UsageError
from gatekit.gating import GatedTool, Question, ask_human
from gatekit.models import RISKS, Risk
from gatekit.policy import Policy

if TYPE_CHECKING:
    from gatekit.gate import Gate

_LONGEST_PROMPT: Final = 2000


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """On which terms a human is asked."""

    name: str
    policy: Policy | None = None
    expires_after: float | timedelta | None = None
    wait: float | timedelta | None = None
    risk: Risk = "medium"
    details: Mapping[str, Any] | None = None


def ask(
    gate: Gate, prompt: str, kind: object, choices: Sequence[str] | None, many: bool, terms: Terms, *, is_async: bool
) -> Intent[Any]:
    """Ask a human, and give the answer."""
    annotation = _annotation(kind, choices, many)
    asked = _parameters(terms.name, type(None), Any)
    answered = _parameters(terms.name, annotation, annotation)
    step = _step(gate, prompt, asked, terms, is_async=is_async)
    values = {"answer": None, "details": dict(terms.details or {}), "prompt": prompt}
    question = Question("question", annotation, _schema(kind, answered), terms.risk)
    return (yield from ask_human(step, asked.bind((), values), question))


def confirm(gate: Gate, prompt: str, terms: Terms, *, is_async: bool) -> Intent[Literal[True]]:
    """Ask for a yes; anything else is raised."""
    parameters = _confirming(terms.name)
    step = _step(gate, prompt, parameters, terms, is_async=is_async)
    values = {"details": dict(terms.details or {}), "prompt": prompt}
    question = Question("confirm", bool, parameters.schema_text, terms.risk)
    yield from ask_human(step, parameters.bind((), values), question)
    return True


def _step(gate: Gate, prompt: str, parameters: Parameters, terms: Terms, *, is_async: bool) -> GatedTool:
    if type(prompt) is not str or not prompt.strip() or len(prompt) > _LONGEST_PROMPT:
        raise UsageError(f"the prompt takes 1 to {_LONGEST_PROMPT} characters, not {prompt!r:.60}")
    if terms.risk not in RISKS:
        raise UsageError(f"risk={terms.risk!r} is none of {', '.join(RISKS)}")
    if terms.policy is not None and not isinstance(terms.policy, Policy):
        raise UsageError(f"policy takes a Policy, not {type(terms.policy).__name__}")
    return GatedTool(
        tool=_never,
        is_async=is_async,
        name=terms.name,
        parameters=parameters,
        find_gate=lambda: gate,
        names_gate=True,
        requires_approval=True,
        description=lambda view: prompt,
        risk=terms.risk,
        wait=seconds_of("wait", terms.wait),
        tell_edits=False,
        policy=terms.policy,
        expires_after=seconds_of("expires_after", terms.expires_after),
    )


def _never(**arguments: Any) -> NoReturn:
    raise AssertionError("nothing runs behind a question")


def _annotation(kind: object, choices: Sequence[str] | None, many: bool) -> Any:
    """The type of the answer."""
    if choices is None:
        if many:
            raise UsageError("many=True goes with choices=(…): a list of them is the answer")
        if isinstance(kind, type) and (kind in (bool, str, int, float) or issubclass(kind, BaseModel)):
            if _runs_code(getattr(kind, "__pydantic_core_schema__", None)):
                raise UsageError(
                    f"{kind.__name__} has validators of its own, which a reviewer's process cannot run: say it by "
                    f"types and Field(ge=…, max_length=…, pattern=…), or look at the answer and ask again"
                )
            return kind
        raise UsageError(f"ask takes bool, str, int, float, a pydantic model, or choices=(…), not {kind!r}")
    if kind is not str:
        raise UsageError("say either the type of the answer or its choices, not both")
    given = tuple(choices) if not isinstance(choices, str) else ()
    if not given or not all(type(choice) is str and choice for choice in given) or len(set(given)) < len(given):
        raise UsageError(f"choices={choices!r}: it takes some texts, each once")
    one: Any = Literal[given]
    return Annotated[list[one], Field(json_schema_extra={"uniqueItems": True})] if many else one


def _schema(kind: object, parameters: Parameters) -> str:
    """What the answer must fit. A form keeps the order of its fields, and those with a default can be left out."""
    if not (isinstance(kind, type) and issubclass(kind, BaseModel)):
        return parameters.schema_text
    tree = json.loads(parameters.schema_text)
    answer = tree["properties"]["answer"]
    form = tree["$defs"][answer["$ref"].rpartition("/")[2]] if "$ref" in answer else answer
    own = kind.model_json_schema(by_alias=True, mode="serialization")
    fields = own["$defs"][kind.__name__]["properties"] if "properties" not in own else own["properties"]
    defaults = {name: {"default": field["default"]} for name, field in fields.items() if "default" in field}
    form["properties"] = {name: form["properties"][name] | defaults.get(name, {}) for name in fields}
    form["required"] = [name for name in fields if name not in defaults]
    return json.dumps(tree, separators=(",", ":"))


def _runs_code(schema: object) -> bool:
    """Whether a core schema calls functions: those stand in no JSON Schema."""
    if isinstance(schema, Mapping):
        kind = schema.get("type")
        if isinstance(kind, str) and kind.startswith("function-"):
            return True
        return any(_runs_code(value) for key, value in schema.items() if key not in ("serialization", "metadata"))
    return isinstance(schema, (list, tuple)) and any(map(_runs_code, schema))


def _parameters(name: str, answer: Any, returns: Any) -> Parameters:
    try:
        return _kept_parameters(name, answer, returns)
    except TypeError:  # an annotation that cannot be hashed
        return _kept_parameters.__wrapped__(name, answer, returns)


@lru_cache(maxsize=256)
def _kept_parameters(name: str, answer: Any, returns: Any) -> Parameters:
    def question(answer: Any, details: Any, prompt: str) -> Any: ...

    question.__annotations__ = {"answer": answer, "details": dict[str, Any], "prompt": str, "return": returns}
    return Parameters.of(question, tool=name)


@lru_cache(maxsize=256)
def _confirming(name: str) -> Parameters:
    def confirming(details: Any, prompt: str) -> Any: ...

    confirming.__annotations__ = {"details": dict[str, Any], "prompt": str, "return": bool}
    return Parameters.of(confirming, tool=name)


def terms_of(name: str, **given: Any) -> Terms:
    """The terms, with the name checked."""
    check_name("name", name)
    if not name.strip():
        raise UsageError("name= takes some words")
    return Terms(name=name, **given)
