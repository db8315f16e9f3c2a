"""A form: between two rounds of training a human sets the parameters of the next one.

What is asked for is a pydantic model. The dashboard makes a form of it, `gatekit answer` takes `field=value`, and an
answer that does not fit is refused where it is given. In a terminal the questions wait for you: answer them with
`gatekit review --queue tuning.db`.
"""

import sys
from typing import Literal

from pydantic import BaseModel, Field

import gatekit
from gatekit import Gate
from gatekit.testing import ScriptedReviewer, temporary_gate


class Parameters(BaseModel):
    learning_rate: float = Field(gt=0, le=1)
    epochs: int = Field(ge=1, le=100)
    optimizer: Literal["sgd", "adam"]
    go_on: bool


def train(given: Parameters) -> float:
    """Stands in for the real work: the loss after so many epochs."""
    speed = given.learning_rate * (2 if given.optimizer == "adam" else 1)
    return round(float((1 - min(speed, 0.9)) ** given.epochs), 3)


def tune() -> list[float]:
    given = Parameters(learning_rate=0.1, epochs=3, optimizer="sgd", go_on=True)
    losses: list[float] = []
    while given.go_on:
        losses.append(train(given))
        details = {"losses so far": losses, "parameters": given.model_dump()}
        given = gatekit.ask("Which parameters next?", Parameters, name="tune", details=details)
    return losses


def main() -> None:
    if sys.stdin.isatty() and sys.stdout.isatty() and "--scripted" not in sys.argv:
        gatekit.set_default(Gate("tuning.db"))
        print("The training waits for you. In another terminal: gatekit review --queue tuning.db")
        print(*tune(), sep="\n")
        return

    better = {"learning_rate": 0.2, "epochs": 5, "optimizer": "sgd", "go_on": True}
    answers = [{"answer": better}, {"answer": {**better, "optimizer": "adam"}}, {"answer": {**better, "go_on": False}}]
    with temporary_gate() as gate:
        gatekit.set_default(gate)
        with ScriptedReviewer(gate, answers, name="dana") as dana:
            losses = tune()
    print(*losses, sep="\n")
    assert losses == [0.729, 0.328, 0.078]
    assert [len(request.args["details"]["losses so far"]) for request in dana.requests] == [1, 2, 3]


if __name__ == "__main__":
    main()
