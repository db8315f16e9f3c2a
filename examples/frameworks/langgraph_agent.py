"""LangGraph: an agent that is killed while a human thinks, and goes on in a new process from its checkpoint.

The tool does not wait (`wait=0`): it raises `Suspended` out of the graph, which has stored a checkpoint before the tool
was called. A new process invokes the thread again with no input; LangGraph makes the same tool call once more, under
the same id, and gatekit gives it what the human decided. Put a real model in place of `StandIn`, and decide with
`gatekit review --queue refunds.db`.
"""

import sqlite3
import subprocess
import sys
from contextlib import closing
from pathlib import Path
from tempfile import TemporaryDirectory

from langchain.agents import create_agent
from langchain.agents.middleware import wrap_tool_call
from langchain.tools import tool
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult
from langgraph.checkpoint.sqlite import SqliteSaver

import gatekit
from gatekit import Gate, Suspended, calling, gated_step

THREAD = "customer-12"
QUESTION = {"messages": [{"role": "user", "content": "Please refund order A-7."}]}


class StandIn(BaseChatModel):
    """A model that asks for one refund, and then repeats what it was told."""

    @property
    def _llm_type(self) -> str:
        return "stand-in"

    def bind_tools(self, tools, **kwargs):
        return self

    def _generate(self, messages, stop=None, run_manager=None, **kwargs) -> ChatResult:
        heard = messages[-1]
        if isinstance(heard, ToolMessage):
            reply = AIMessage(f"I was told: {heard.content}")
        else:
            call = {"name": "refund", "args": {"order": "A-7", "amount": 100}, "id": "call_1"}
            reply = AIMessage("", tool_calls=[call])
        return ChatResult(generations=[ChatGeneration(message=reply)])


@tool
@gated_step(description="Refund {amount} € for {order}", wait=0, on_reject="return")
def refund(order: str, amount: int) -> str:
    """Pay money back for an order."""
    with Path("bank.txt").open("a") as bank:
        bank.write(f"{amount} for {order}\n")
    return f"Refunded {amount} € for {order}."


# The model's id of a call is in the checkpoint, so the call has the same identity in every process.
@wrap_tool_call
def with_identity(request, handler):
    thread = request.runtime.config["configurable"]["thread_id"]
    with calling(call_id=request.tool_call["id"], run=thread, agent="refund-agent"):
        return handler(request)


def be_the_agent(question: dict | None) -> None:
    """One process of the agent. No question: go on with the thread where its checkpoint stands."""
    with Gate("refunds.db") as gate, closing(sqlite3.connect("threads.db", check_same_thread=False)) as connection:
        gatekit.set_default(gate)
        agent = create_agent(
            StandIn(), tools=[refund], middleware=[with_identity], checkpointer=SqliteSaver(connection)
        )
        try:
            told = agent.invoke(question, {"configurable": {"thread_id": THREAD}})
        except Suspended as suspended:
            print(f"suspended: {suspended.request_id}", flush=True)
            sys.stdin.read()  # it lives on and has nothing to do, until it is killed
        else:
            print(told["messages"][-1].content)


def process(folder: str, verb: str) -> subprocess.Popen[str]:
    command = [sys.executable, str(Path(__file__).resolve()), verb]
    return subprocess.Popen(command, cwd=folder, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def main() -> None:
    with TemporaryDirectory() as folder:
        with process(folder, "ask") as first:
            first.stdout.readline()
            first.kill()
        print(f"the first process was killed: {first.returncode}")

        with Gate(Path(folder, "refunds.db"), create=False) as gate:
            alice = gate.reviewer("alice")
            (request,) = alice.pending()
            alice.edit(request, {"amount": 40})

        with process(folder, "go on") as second:
            answer, _ = second.communicate(timeout=50)
        print(answer, end="")
        paid = Path(folder, "bank.txt").read_text()

    assert first.returncode == -9
    assert paid == "40 for A-7\n"  # the edit is what ran, once
    assert "changed amount from 100 to 40" in answer  # and the model saw it


if __name__ == "__main__":
    if sys.argv[1:] == ["ask"]:
        be_the_agent(QUESTION)
    elif sys.argv[1:] == ["go on"]:
        be_the_agent(None)
    else:
        main()
