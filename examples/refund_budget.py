"""Refunds that nobody is asked about until a day's sum is spent.

The budget is kept in the queue, so it holds for all processes together, and the reviewer of a refund that it does not
cover reads what is left of it. What a human approves is spent too, as it was edited. In a terminal those wait for you:
decide with `gatekit review --queue budget.db`.
"""

import sys
from datetime import timedelta

import gatekit
from gatekit import Budget, Gate, Rejected, gated_step
from gatekit.testing import FakeClock, ScriptedReviewer, temporary_gate

MORNING = [("A-1", "180.00"), ("A-2", "240.50"), ("A-3", "120.00"), ("A-4", "19.50"), ("A-5", "900.00")]
NEXT_DAY = [("A-6", "499.99")]


# Money is text here, and is added up exactly: a float would not be.
@gated_step(
    budget=Budget(500, per=timedelta(days=1), field="amount"), description="Refund {amount} € for order {order}"
)
def refund(order: str, amount: str) -> str:
    return f"refunded {amount} for {order}"


def agent(orders: list[tuple[str, str]]) -> list[str]:
    results = []
    for order, amount in orders:
        try:
            results.append(refund(order, amount))
        except Rejected as no:
            results.append(f"no refund for {order}: {no.reason}")
    return results


def main() -> None:
    if sys.stdin.isatty() and sys.stdout.isatty() and "--scripted" not in sys.argv:
        gatekit.set_default(Gate("budget.db"))
        print("500 € a day are free. In another terminal: gatekit review --queue budget.db")
        print(*agent(MORNING), sep="\n")
        return

    clock = FakeClock()
    with temporary_gate(clock) as gate:
        gatekit.set_default(gate)
        with ScriptedReviewer(gate, [{"amount": "60.00"}, ("reject", "ask the manager first")]) as script:
            results = agent(MORNING)
        clock.advance(24 * 3600)
        results += agent(NEXT_DAY)
    asked = [(request.args["order"], request.reasons[-1]) for request in script.requests]
    print(*results, *asked, sep="\n")
    assert asked[0] == ("A-3", "budget: this takes 120; 79.5 of 500 is left")
    assert results == [
        "refunded 180.00 for A-1",
        "refunded 240.50 for A-2",
        "refunded 60.00 for A-3",
        "refunded 19.50 for A-4",
        "no refund for A-5: ask the manager first",
        "refunded 499.99 for A-6",
    ]


if __name__ == "__main__":
    main()
