"""Pydantic AI, installed for real: the same schema, the run's context untouched, the edit runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Annotated, Any

import pytest
from pydantic import BaseModel, Field
from pydantic_ai import Agent, RunContext
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, FunctionModel
from pydantic_ai.models.test import TestModel
from pydantic_ai.tools import ToolDefinition

from gatekit import Gate, Rejected, gated_step
from gatekit.testing import ScriptedReviewer

Reviewing = Callable[[Sequence[Any]], ScriptedReviewer]


class Line(BaseModel):
    sku: Annotated[str, Field(description="what")]
    count: int = 1


@dataclass
class Shop:
    """What the run's context carries: nothing that JSON could hold."""

    orders: list[dict[str, Any]] = field(default_factory=list)


def order(
    ctx: RunContext[Shop],
    to: Annotated[str, Field(description="who gets it")],
    lines: list[Line],
    discount: Annotated[float, Field(ge=0, le=1)] = 0.5,
    *,
    note: str | None = None,
    urgent: bool = False,
) -> str:
    """Order some things.

    Args:
        ctx: the run
        lines: what they get
    """
    ctx.deps.orders.append({"to": to, "lines": lines, "discount": discount, "note": note, "urgent": urgent})
    return f"ordered for {to} in call {ctx.tool_call_id}"


async def order_async(
    ctx: RunContext[Shop],
    to: Annotated[str, Field(description="who gets it")],
    lines: list[Line],
    discount: Annotated[float, Field(ge=0, le=1)] = 0.5,
    *,
    note: str | None = None,
    urgent: bool = False,
) -> str:
    """Order some things, without blocking.

    Args:
        ctx: the run
        lines: what they get
    """
    return order(ctx, to, lines, discount, note=note, urgent=urgent)


def price(sku: str, pieces: Annotated[int, Field(gt=0)] = 1) -> float:
    """Say what it costs.

    Args:
        sku: what
        pieces: how many
    """
    return 2.5 * pieces


MODEL_SAYS = {"to": "ann", "lines": [{"sku": "tea"}], "urgent": True}
EDIT = {"to": "bob", "lines": [{"sku": "tea", "count": 3}], "note": "fragile"}


def stand_in(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    """Calls the one tool that it has, once, and repeats what comes back."""
    heard = messages[-1].parts[-1]
    if isinstance(heard, ToolReturnPart):
        return ModelResponse(parts=[TextPart(str(heard.content))])
    return ModelResponse(parts=[ToolCallPart(info.function_tools[0].name, MODEL_SAYS, tool_call_id="call_1")])


def agent_with(function: Callable[..., Any]) -> Agent[Shop, str]:
    agent = Agent(FunctionModel(stand_in), deps_type=Shop)
    agent.tool(function)
    return agent


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


def definition(function: Callable[..., Any], *, has_context: bool, **options: Any) -> ToolDefinition:
    """What a model is told of this tool."""
    model = TestModel(call_tools=[])
    agent = Agent(model, deps_type=Shop)
    (agent.tool if has_context else agent.tool_plain)(**options)(function)
    agent.run_sync("hello", deps=Shop())
    assert model.last_model_request_parameters is not None
    (found,) = model.last_model_request_parameters.function_tools
    return found


@pytest.mark.parametrize("options", [{}, {"strict": True, "docstring_format": "google"}])
@pytest.mark.parametrize(("function", "has_context"), [(order, True), (order_async, True), (price, False)])
def test_the_schema_of_a_gated_tool_is_that_of_the_plain_function(
    function: Callable[..., Any], has_context: bool, options: dict[str, Any]
) -> None:
    plain = definition(function, has_context=has_context, **options)
    gated = definition(gated_step(function), has_context=has_context, **options)

    assert gated == plain
    assert "ctx" not in plain.parameters_json_schema["properties"]
    assert plain.description is not None


@pytest.mark.anyio
@pytest.mark.parametrize("function", [order, order_async])
async def test_the_edit_is_what_runs_and_the_context_arrives_untouched(
    gatekit_queue: Gate, gatekit_reviewer: Reviewing, function: Callable[..., Any]
) -> None:
    reviewer, shop = gatekit_reviewer([EDIT]), Shop()

    told = (await agent_with(gated_step(function, tell_edits=True)).run("Order tea.", deps=shop)).output

    check_what_ran(reviewer, shop, told)


@pytest.mark.parametrize("function", [order, order_async])
def test_the_edit_is_what_runs_in_a_sync_run_too(
    gatekit_queue: Gate, gatekit_reviewer: Reviewing, function: Callable[..., Any]
) -> None:
    reviewer, shop = gatekit_reviewer([EDIT]), Shop()

    told = agent_with(gated_step(function, tell_edits=True)).run_sync("Order tea.", deps=shop).output

    check_what_ran(reviewer, shop, told)


def check_what_ran(reviewer: ScriptedReviewer, shop: Shop, told: str) -> None:
    assert shop.orders == [
        {"to": "bob", "lines": [Line(sku="tea", count=3)], "discount": 0.5, "note": "fragile", "urgent": True}
    ]
    assert 'changed to from "ann" to "bob"' in told
    assert told.endswith("\n\nordered for bob in call call_1")
    (request,) = reviewer.requests
    assert set(request.args) == {"to", "lines", "discount", "note", "urgent"}


@pytest.mark.anyio
@pytest.mark.parametrize("function", [order, order_async])
async def test_a_refusal_reaches_the_model_as_text(
    gatekit_queue: Gate, gatekit_reviewer: Reviewing, function: Callable[..., Any]
) -> None:
    gatekit_reviewer([("reject", "we have enough tea")])
    shop = Shop()

    told = (await agent_with(gated_step(function, on_reject="return")).run("Order tea.", deps=shop)).output

    assert told == "This call was not run: it was rejected by a reviewer: we have enough tea"
    assert shop.orders == []


@pytest.mark.anyio
async def test_a_refusal_that_is_raised_ends_the_run(gatekit_queue: Gate, gatekit_reviewer: Reviewing) -> None:
    gatekit_reviewer([("reject", "we have enough tea")])
    shop = Shop()

    with pytest.raises(Rejected, match="we have enough tea"):
        await agent_with(gated_step(order_async)).run("Order tea.", deps=shop)
    assert shop.orders == []


@pytest.mark.anyio
async def test_a_call_that_the_rule_lets_through_asks_nobody(gatekit_queue: Gate) -> None:
    gated = gated_step(order_async, requires_approval=lambda args: args.discount > 0.9 or "ctx" in args)
    shop = Shop()

    told = (await agent_with(gated).run("Order tea.", deps=shop)).output

    assert told == "ordered for ann in call call_1"
    assert not gatekit_queue.exists()
