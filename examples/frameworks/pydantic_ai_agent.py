"""Pydantic AI: a tool that a human can edit before it runs, and a model that hears of it.

`gated_step` stands under the framework's decorator. The schema that the model gets is the plain function's, and the
run's context stays out of the queue. Put a real model in place of `stand_in` and `Gate("refunds.db")` in place of
the temporary queue, and decide with `gatekit review --queue refunds.db`.
"""

from dataclasses import dataclass, field

from pydantic_ai import Agent, RunContext
from pydantic_ai.messages import ModelMessage, ModelResponse, TextPart, ToolCallPart, ToolReturnPart
from pydantic_ai.models.function import AgentInfo, FunctionModel

import gatekit
from gatekit import gated_step
from gatekit.testing import ScriptedReviewer, temporary_gate


@dataclass
class Shop:
    refunds: list[tuple[str, int]] = field(default_factory=list)


def stand_in(messages: list[ModelMessage], info: AgentInfo) -> ModelResponse:
    """A model that asks for one refund, and then repeats what it was told."""
    heard = messages[-1].parts[-1]
    if isinstance(heard, ToolReturnPart):
        return ModelResponse(parts=[TextPart(f"I was told: {heard.content}")])
    return ModelResponse(parts=[ToolCallPart("refund", {"order": "A-7", "amount": 100})])


agent = Agent(FunctionModel(stand_in), deps_type=Shop)


# tell_edits: the result begins with what the reviewer changed, or the model would ask for the other 60 again.
# on_reject="return": a refusal is a text for the model and not an exception that ends the run.
@agent.tool
@gated_step(description="Refund {amount} € for {order}", tell_edits=True, on_reject="return")
async def refund(ctx: RunContext[Shop], order: str, amount: int) -> str:
    """Pay money back for an order."""
    ctx.deps.refunds.append((order, amount))
    return f"Refunded {amount} € for {order}."


def main() -> None:
    shop = Shop()
    with temporary_gate() as gate, ScriptedReviewer(gate, [{"amount": 40}]):
        gatekit.set_default(gate)
        answer = agent.run_sync("Please refund order A-7.", deps=shop).output
    print(answer)

    assert shop.refunds == [("A-7", 40)]  # the human's edit is what ran
    assert "changed amount from 100 to 40" in answer  # and the model saw it


if __name__ == "__main__":
    main()
