"""A step fails, and a human chooses what becomes of the run: try again, use another source, or give up.

The question is a step of the run like any other. It holds no process while it waits, and the answer is remembered: a
run that goes on elsewhere does not ask twice. In a terminal it waits for you: answer with
`gatekit review --queue recovery.db`.
"""

import sys

from gatekit import Gate, Run, ToolFailed
from gatekit.testing import ScriptedReviewer, temporary_gate

CHOICES = ("try again", "use yesterday's rates", "give up")
fetched: list[str] = []


def fetch_rates(source: str) -> float:
    fetched.append(source)
    if source == "live":
        raise ConnectionError("the bank does not answer")
    return 1.08


def convert(euros: int, rate: float) -> float:
    return round(euros * rate, 2)


def rates_for(run: Run) -> float:
    source, attempt = "live", 1
    while True:
        try:
            return run.step("rates", fetch_rates, source, key=attempt)
        except ToolFailed as error:
            prompt = f"The {source} rates cannot be had: {error.message}. What now?"
        answer = run.ask(f"what now {attempt}", prompt, choices=CHOICES)
        if answer == "give up":
            run.cancel(prompt)
        if answer == "use yesterday's rates":
            source = "yesterday"
        attempt += 1  # a step that is made again is another step, and needs another key


def invoice(run: Run, euros: int) -> str:
    rate = rates_for(run)
    return f"{run.step('convert', convert, euros, rate)} dollars"


def main() -> None:
    if sys.stdin.isatty() and sys.stdout.isatty() and "--scripted" not in sys.argv:
        print("The run waits for you. In another terminal: gatekit review --queue recovery.db")
        print(Gate("recovery.db").workflow(invoice).start("invoice:7", 100).result())
        return

    answers = [{"answer": "try again"}, {"answer": "use yesterday's rates"}]
    with temporary_gate() as gate, ScriptedReviewer(gate, answers, name="rita") as rita:
        run = gate.workflow(invoice).start("invoice:7", 100)
        result = run.result()
    print(*[request.args["prompt"] for request in rita.requests], result, sep="\n")
    assert result == "108.0 dollars"
    # The body was called anew after each answer; each step was made once, and each question asked once.
    assert fetched == ["live", "live", "yesterday"]
    assert len(rita.requests) == 2


if __name__ == "__main__":
    main()
