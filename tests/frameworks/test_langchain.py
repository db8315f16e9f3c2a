"""LangChain and LangGraph, installed for real: the same schema, injected parameters untouched, the edit runs."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Annotated, Any

import pytest
from langchain.agents import create_agent
from langchain.tools import ToolRuntime, tool
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.runnables import RunnableConfig
from langchain_core.tools import BaseTool, InjectedToolArg, InjectedToolCallId
from langchain_core.utils.function_calling import convert_to_openai_tool
from langgraph.prebuilt import InjectedState
from pydantic import BaseModel, Field

from gatekit import Gate, Rejected, gated_step
from gatekit.testing import ScriptedReviewer

Reviewing = Callable[[Sequence[Any]], ScriptedReviewer]

seen: dict[str, Any] = {}


class Line(BaseModel):
    sku: Annotated[str, Field(description="what")]
    count: int = 1


def order(
    to: Annotated[str, "who gets it"],
    lines: list[Line],
    discount: Annotated[float, Field(ge=0, le=1)] = 0.5,
    *,
    note: str | None = None,
    urgent: bool = False,
    state: Annotated[dict[str, Any], InjectedState],
    call_id: Annotated[str, InjectedToolCallId],
    secret: Annotated[str, InjectedToolArg] = "none",
    config: RunnableConfig,
    runtime: ToolRuntime,
) -> str:
    """Order some things.

    Args:
        to: who gets it
        lines: what they get
    """
    seen.update(to=to, lines=lines, discount=discount, note=note, urgent=urgent, secret=secret)
    seen.update(call_id=call_id, messages=len(state["messages"]), thread=config["metadata"]["thread"])
    seen.update(runtime_call=runtime.tool_call_id)
    return f"ordered for {to}"


async def order_async(
    to: Annotated[str, "who gets it"],
    lines: list[Line],
    discount: Annotated[float, Field(ge=0, le=1)] = 0.5,
    *,
    note: str | None = None,
    urgent: bool = False,
    state: Annotated[dict[str, Any], InjectedState],
    call_id: Annotated[str, InjectedToolCallId],
    secret: Annotated[str, InjectedToolArg] = "none",
    config: RunnableConfig,
    runtime: ToolRuntime,
) -> str:
    """Order some things, without blocking.

    Args:
        to: who gets it
        lines: what they get
    """
    return order(
        to,
        lines,
        discount,
        note=note,
        urgent=urgent,
        state=state,
        call_id=call_id,
        secret=secret,
        config=config,
        runtime=runtime,
    )


class StandIn(BaseChatModel):
    """Calls the one tool that it has, once, with these arguments, and repeats what comes back."""

    args: dict[str, Any]
    tool_name: str = ""

    @property
    def _llm_type(self) -> str:
        return "stand-in"

    def bind_tools(self, tools: Sequence[Any], **kwargs: Any) -> Any:
        return self.model_copy(update={"tool_name": tools[0].name})

    def _generate(self, messages: list[BaseMessage], *args: Any, **kwargs: Any) -> ChatResult:
        heard = messages[-1]
        reply = AIMessage("", tool_calls=[{"name": self.tool_name, "args": self.args, "id": "call_1"}])
        if isinstance(heard, ToolMessage):
            reply = AIMessage(heard.content)
        return ChatResult(generations=[ChatGeneration(message=reply)])


MODEL_SAYS = {"to": "ann", "lines": [{"sku": "tea"}], "urgent": True}
EDIT = {"to": "bob", "lines": [{"sku": "tea", "count": 3}], "note": "fragile"}
QUESTION: Any = {"messages": [{"role": "user", "content": "Order tea."}]}
CONFIG: RunnableConfig = {"metadata": {"thread": "t-1"}}


async def conversation(made: BaseTool) -> str:
    """What the model was told of its call."""
    done = await create_agent(StandIn(args=MODEL_SAYS), tools=[made]).ainvoke(QUESTION, CONFIG)
    return str(done["messages"][-1].content)


@pytest.fixture
def anyio_backend() -> str:
    return "asyncio"


@pytest.fixture(autouse=True)
def nothing_seen() -> None:
    seen.clear()


def schemas(made: BaseTool) -> list[object]:
    return [
        made.name,
        made.description,
        made.args,
        made.tool_call_schema.model_json_schema(),  # type: ignore[union-attr]
        convert_to_openai_tool(made),
    ]


@pytest.mark.parametrize("function", [order, order_async])
@pytest.mark.parametrize("options", [{}, {"parse_docstring": True}, {"description": "mine"}])
def test_the_schema_of_a_gated_tool_is_that_of_the_plain_function(
    function: Callable[..., Any], options: dict[str, Any]
) -> None:
    plain, gated = tool(**options)(function), tool(**options)(gated_step(function))

    assert schemas(gated) == schemas(plain)
    assert set(plain.tool_call_schema.model_json_schema()["properties"]) == {  # type: ignore[union-attr]
        "to", "lines", "discount", "note", "urgent",
    }  # fmt: skip


def test_a_sync_tool_stays_sync_and_an_async_one_async() -> None:
    sync, asynchronous = tool(gated_step(order)), tool(gated_step(order_async))

    assert (sync.func is None, sync.coroutine is None) == (False, True)  # type: ignore[attr-defined]
    assert (asynchronous.func is None, asynchronous.coroutine is None) == (True, False)  # type: ignore[attr-defined]


@pytest.mark.anyio
@pytest.mark.parametrize("function", [order, order_async])
async def test_the_edit_is_what_runs_and_what_was_injected_arrives_untouched(
    gatekit_queue: Gate, gatekit_reviewer: Reviewing, function: Callable[..., Any]
) -> None:
    reviewer = gatekit_reviewer([EDIT])

    told = await conversation(tool(gated_step(function, tell_edits=True)))

    check_what_ran(reviewer, told)


def test_the_edit_is_what_runs_in_a_sync_agent_too(gatekit_queue: Gate, gatekit_reviewer: Reviewing) -> None:
    reviewer = gatekit_reviewer([EDIT])

    agent = create_agent(StandIn(args=MODEL_SAYS), tools=[tool(gated_step(order, tell_edits=True))])
    done = agent.invoke(QUESTION, CONFIG)

    check_what_ran(reviewer, str(done["messages"][-1].content))


def check_what_ran(reviewer: ScriptedReviewer, told: str) -> None:
    assert seen == {
        "to": "bob",
        "lines": [Line(sku="tea", count=3)],
        "discount": 0.5,
        "note": "fragile",
        "urgent": True,
        "secret": "none",
        "call_id": "call_1",
        "messages": 2,
        "thread": "t-1",
        "runtime_call": "call_1",
    }
    assert 'changed to from "ann" to "bob"' in told
    assert told.endswith("\n\nordered for bob")
    (request,) = reviewer.requests
    assert set(request.args) == {"to", "lines", "discount", "note", "urgent"}
    assert request.args["lines"] == [{"sku": "tea", "count": 1}]


@pytest.mark.anyio
async def test_a_refusal_reaches_the_model_as_text(gatekit_queue: Gate, gatekit_reviewer: Reviewing) -> None:
    gatekit_reviewer([("reject", "we have enough tea")])

    told = await conversation(tool(gated_step(order_async, on_reject="return")))

    assert told == "This call was not run: it was rejected by a reviewer: we have enough tea"
    assert seen == {}


@pytest.mark.anyio
async def test_a_refusal_that_is_raised_ends_the_run(gatekit_queue: Gate, gatekit_reviewer: Reviewing) -> None:
    gatekit_reviewer([("reject", "we have enough tea")])

    with pytest.raises(Rejected, match="we have enough tea"):
        await conversation(tool(gated_step(order_async)))
    assert seen == {}


@pytest.mark.anyio
async def test_a_call_that_the_rule_lets_through_asks_nobody(gatekit_queue: Gate) -> None:
    gated = gated_step(order_async, requires_approval=lambda args: args.discount > 0.9 or "state" in args)

    assert await conversation(tool(gated)) == "ordered for ann"
    assert not gatekit_queue.exists()
