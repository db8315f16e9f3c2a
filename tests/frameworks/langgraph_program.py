"""A LangGraph agent with a gated tool, to be run as a process of its own by `test_langgraph`.

It tells the test what happens through a pipe, and waits at the moment that `catch` names until it is killed.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Awaitable, Callable, Iterator
from contextlib import closing, contextmanager
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

import anyio
from langchain.agents import create_agent
from langchain.agents.middleware import AgentMiddleware, AgentState, ToolCallRequest
from langchain.tools import tool
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, BaseMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langchain_core.tools import BaseTool
from langgraph.checkpoint.sqlite import SqliteSaver
from langgraph.checkpoint.sqlite.aio import AsyncSqliteSaver

from gatekit import Gate, calling, gated_step
from gatekit.errors import GatekitError

QUESTION = {"messages": [{"role": "user", "content": "Pay twice."}]}
THREAD: Any = {"configurable": {"thread_id": "thread-1"}}


class StandIn(BaseChatModel):
    """Asks for one payment after the other, then says what it was told."""

    @property
    def _llm_type(self) -> str:
        return "stand-in"

    def bind_tools(self, tools: Any, **kwargs: Any) -> Any:
        return self

    def _generate(self, messages: list[BaseMessage], stop: Any = None, run_manager: Any = None, **_: Any) -> ChatResult:
        heard = [str(message.content) for message in messages if isinstance(message, ToolMessage)]
        call = {
            "name": "pay",
            "args": {"to": ("ann", "bob")[len(heard) % 2], "amount": 100},
            "id": f"call_{len(heard)}",
        }
        reply = AIMessage(" | ".join(heard)) if len(heard) == 2 else AIMessage("", tool_calls=[call])
        return ChatResult(generations=[ChatGeneration(message=reply)])


class Identified(AgentMiddleware[AgentState[Any], None]):
    """Gives every tool call its identity, and catches the process between the tool and the checkpoint."""

    def __init__(self, process: Process) -> None:
        super().__init__()
        self._process = process

    def wrap_tool_call(self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Any]) -> Any:
        with identity(request):
            answer = handler(request)
        self._process.reach("tool returned")
        return answer

    async def awrap_tool_call(
        self, request: ToolCallRequest, handler: Callable[[ToolCallRequest], Awaitable[Any]]
    ) -> Any:
        with identity(request):
            answer = await handler(request)
        self._process.reach("tool returned")
        return answer


@contextmanager
def identity(request: ToolCallRequest) -> Iterator[None]:
    thread = request.runtime.config["configurable"]["thread_id"]
    with calling(call_id=request.tool_call["id"], run=thread, agent="payer"):
        yield


class Process:
    """One process of the agent, in a folder that outlives it."""

    def __init__(self, test: Connection, folder: str, catch: str) -> None:
        self._test = test
        self._folder = Path(folder)
        self._catch = catch

    def reach(self, moment: str) -> None:
        self._test.send(moment)
        if moment == self._catch:
            self._test.recv()

    def pay(self, to: str, amount: int) -> str:
        """Pay somebody."""
        with (self._folder / "bank.txt").open("a") as bank:
            bank.write(f"{amount} to {to}\n")
        self.reach("paid")
        return f"paid {amount} to {to}"

    async def pay_async(self, to: str, amount: int) -> str:
        """Pay somebody."""
        return self.pay(to, amount)

    def agent(self, gate: Gate, function: Callable[..., Any], saver: Any) -> Any:
        gated = gated_step(gate=gate, name="pay", wait=0, on_reject="return", tell_edits=True)(function)
        made: BaseTool = tool("pay")(gated)
        return create_agent(StandIn(), tools=[made], middleware=[Identified(self)], checkpointer=saver)

    def sync(self, gate: Gate, question: Any) -> Any:
        with closing(sqlite3.connect(self._folder / "threads.db", check_same_thread=False)) as connection:
            return self.agent(gate, self.pay, SqliteSaver(connection)).invoke(question, THREAD)

    async def asynchronous(self, gate: Gate, question: Any) -> Any:
        async with AsyncSqliteSaver.from_conn_string(str(self._folder / "threads.db")) as saver:
            return await self.agent(gate, self.pay_async, saver).ainvoke(question, THREAD)

    def live(self, colour: str, question: Any) -> None:
        with Gate(self._folder / "queue.db") as gate:
            try:
                told = self.sync(gate, question) if colour == "sync" else anyio.run(self.asynchronous, gate, question)
            except GatekitError as error:
                self.reach(type(error).__name__)
            else:
                self.reach(f"told {told['messages'][-1].content}")


def main(test: Connection, folder: str, colour: str, verb: str, catch: str) -> None:
    """The whole life of one process."""
    Process(test, folder, catch).live(colour, QUESTION if verb == "ask" else None)
