"""Parameters that frameworks fill in are found without any framework: by where a class comes from, and its name."""

from __future__ import annotations

from typing import Annotated, Any, Generic, TypeVar

import pytest
from pydantic import BaseModel

from gatekit.arguments.parameters import Parameters


def foreign(module: str, name: str, *bases: type) -> type:
    """A class as a framework would define it."""
    return type(name, bases, {"__module__": module})


T = TypeVar("T")


class RunContext(Generic[T]):
    __module__ = "pydantic_ai._run_context"


InjectedToolArg = foreign("langchain_core.tools.base", "InjectedToolArg")
InjectedState = foreign("langgraph.prebuilt.tool_node", "InjectedState", InjectedToolArg)
RunnableConfig = type("RunnableConfig", (dict,), {"__module__": "langchain_core.runnables.config"})
FastContext = foreign("fastmcp.server.context", "Context")
Depends = foreign("docket.dependencies._functional", "_Depends", foreign("docket.dependencies", "Dependency"))


def injected(annotation: Any, **options: Any) -> frozenset[str]:
    def tool(amount: int, context: Any):
        """The second parameter has the given annotation."""

    tool.__annotations__ = {"amount": "int", "context": annotation}
    return Parameters.of(tool, tool="t", **options).injected


@pytest.mark.parametrize(
    "annotation",
    [
        RunContext,
        RunContext[int],
        RunContext[int] | None,
        Annotated[RunContext[int], "the context"],
        Annotated[dict[str, Any], InjectedState],
        Annotated[dict[str, Any], InjectedState()],
        Annotated[str, foreign("langchain_core.tools.base", "InjectedToolCallId", InjectedToolArg)],
        RunnableConfig,
        FastContext,
        foreign("agents.tool_context", "ToolContext", foreign("agents.run_context", "RunContextWrapper")),
        foreign("langgraph.prebuilt.tool_node", "ToolRuntime"),
        foreign("mcp.server.fastmcp.server", "Context"),
        foreign("google.adk.tools.tool_context", "ToolContext"),
        foreign("workflows.context.context", "Context"),
        foreign("agno.run.base", "RunContext"),
        foreign("my_program", "MyContext", FastContext),
        "RunContext[Deps]",
        "Annotated[dict, InjectedState]",
        "ToolRuntime | None",
        "fastmcp.Context",
        "'RunContext[Deps]'",
        "Optional['pydantic_ai.RunContext[Deps]']",
        "typing.Annotated[Nowhere, InjectedToolArg]",
    ],
)
def test_a_framework_class_is_injected(annotation: Any) -> None:
    assert injected(annotation) == {"context"}


@pytest.mark.parametrize(
    "annotation",
    [
        str,
        dict[str, str],
        Annotated[str, "Context"],
        foreign("langgraph_helpers", "ToolRuntime", BaseModel),
        foreign("myapp.context", "Context", BaseModel),
        list[int],
    ],
)
def test_what_no_framework_fills_in_is_not_injected(annotation: Any) -> None:
    assert injected(annotation) == frozenset()


@pytest.mark.parametrize(
    "text",
    [
        "Context",
        "Agent",
        "myapp.Context",
        "Nowhere[Literal['RunContext', 'ToolRuntime']]",
        "Annotated[Nowhere, 'RunContext']",
        "Nowhere['not an annotation, RunContext']",
        "RunContext RunContext",
    ],
)
def test_words_that_cannot_be_resolved_are_not_taken_for_a_framework(text: str) -> None:
    assert injected(text) == frozenset()
    assert injected(text, inject=("context",)) == {"context"}


def test_a_dependency_as_default_is_injected() -> None:
    def tool(amount: int, session: object = Depends()) -> None: ...

    parameters = Parameters.of(tool, tool="t")
    assert parameters.injected == {"session"}
    assert parameters.names == ("amount",)


def test_injected_values_stay_out_of_everything() -> None:
    def tool(amount: int, context: RunContext[int]) -> None: ...

    tool.__annotations__ = {"amount": int, "context": RunContext[int]}
    parameters = Parameters.of(tool, tool="t")
    snapshot = parameters.snapshot({"amount": 1, "context": object()})
    assert snapshot.text == '{"amount":1}'
    assert snapshot.values == {"amount": 1}
    assert list(parameters.view(snapshot.values)) == ["amount"]
    assert "context" not in parameters.schema_text
    assert parameters.matches(parameters.snapshot({"amount": 1, "context": None}), snapshot.text)
