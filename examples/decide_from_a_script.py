"""A second process decides: what the dashboard does, a program can do too.

The two share nothing but the path of the queue. The first is the agent; the second, started with `decide`, watches
the queue and applies a rule to each call: small refunds pass, larger ones are cut, the largest are refused.
"""

import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from gatekit import Gate, Rejected, gated_step
from gatekit.errors import AlreadyDecided, StaleToken

CALLS = [("A-1", 60), ("A-2", 250), ("A-3", 5000)]


def be_the_agent(queue: Path) -> list[str]:
    with Gate(queue) as gate:

        @gated_step(gate=gate, description="Refund {amount} € for order {order}")
        def refund(order: str, amount: int) -> str:
            return f"{order}: refunded {amount}"

        results = []
        for order, amount in CALLS:
            try:
                results.append(refund(order, amount))
            except Rejected as no:
                results.append(f"{order}: {no.reason}")
        return results


def decide(queue: Path) -> None:
    with Gate(queue) as gate:
        rule = gate.reviewer("refund-rule")
        left = len(CALLS)
        # From the first event on: what was asked before this process came is decided as well.
        for event in gate.watch(since=0):
            if event.kind != "submitted":
                continue
            request = gate.get(event.request_id)
            amount = request.args["amount"]
            try:
                # The request that was read stands for its version: what it shows is what is approved.
                if amount <= 100:
                    rule.approve(request, note="small")
                elif amount <= 1000:
                    rule.edit(request, {"amount": 100}, note="cut to what the rule may grant")
                else:
                    rule.reject(request, reason="too much for a rule, ask the manager")
            except (AlreadyDecided, StaleToken) as late:
                print(f"somebody was quicker: {late}")
            left -= 1
            if not left:
                return


def main() -> None:
    with TemporaryDirectory() as folder:
        queue = Path(folder, "refunds.db")
        decider = subprocess.Popen([sys.executable, __file__, "decide", queue])
        try:
            results = be_the_agent(queue)
        finally:
            decider.wait(timeout=30)
    print(*results, sep="\n")
    assert results == ["A-1: refunded 60", "A-2: refunded 100", "A-3: too much for a rule, ask the manager"]


if __name__ == "__main__":
    if sys.argv[1:2] == ["decide"]:
        decide(Path(sys.argv[2]))
    else:
        main()
