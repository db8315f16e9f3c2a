"""LangChain: a tool that a human can edit before it runs, and a model that hears of it.

`gated_step` stands under `@tool`. The schema that the model gets is the plain function's, and the runtime that
LangChain injects stays out of the queue. Put a real model in place of `StandIn` and `Gate("refunds.db")` in place of
the temporary queue, and decide with `gatekit review --queue refunds.db`.
"""

from langchain.agents import create_agent
from langchain.tools import ToolRuntime, tool
from langchain_core.language_models import BaseChatModel
from langchain_core.messages import AIMessage, ToolMessage
from langchain_core.outputs import ChatGeneration, ChatResult

import gatekit
from gatekit import gated_step
from gatekit.testing import ScriptedReviewer, temporary_gate

refunds: list[tuple[str, int]] = []


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


# tell_edits: the result begins with what the reviewer changed, or the model would ask for the other 60 again.
# on_reject="return": a refusal is a text for the model and not an exception that ends the run.
@tool
@gated_step(description="Refund {amount} € for {order}", tell_edits=True, on_reject="return")
def refund(order: str, amount: int, runtime: ToolRuntime) -> str:
    """Pay money back for an order."""
    refunds.append((order, amount))
    return f"Refunded {amount} € for {order} (call {runtime.tool_call_id})."


def main() -> None:
    agent = create_agent(StandIn(), tools=[refund])
    with temporary_gate() as gate, ScriptedReviewer(gate, [{"amount": 40}]):
        gatekit.set_default(gate)
        conversation = agent.invoke({"messages": [{"role": "user", "content": "Please refund order A-7."}]})
    answer = conversation["messages"][-1].content
    print(answer)

    assert refunds == [("A-7", 40)]  # the human's edit is what ran
    assert "changed amount from 100 to 40" in answer  # and the model saw it


if __name__ == "__main__":
    main()
