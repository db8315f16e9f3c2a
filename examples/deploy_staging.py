"""A deployment that nobody is asked about in staging, and that waits for a human in production.

The rule that lets it pass is written here, in the program; the environment only says where the program runs. What the
rule let pass is on record like a decision, under the rule's name. In a terminal the second half waits for you: decide
with `gatekit review --queue deploy.db`.
"""

import os
import sys

import gatekit
from gatekit import Gate, Rejected, gated_step
from gatekit.testing import ScriptedReviewer, temporary_gate


# A recorded call can be looked up later. In any environment but "staging", or with none set, a human is asked.
@gated_step(auto_approve_if={"ENVIRONMENT": "staging"}, risk="high", description="Deploy {service} {version}")
def deploy(service: str, version: str) -> str:
    return f"deployed {service} {version} to {os.environ.get('ENVIRONMENT', 'nowhere')}"


def pipeline() -> list[str]:
    """The same code goes to staging first, then to production."""
    results = []
    for environment in ("staging", "production"):
        os.environ["ENVIRONMENT"] = environment
        for version in ("2.0", "2.1"):
            try:
                results.append(deploy("shop", version))
            except Rejected as no:
                results.append(f"{version} stays out of {environment}: {no.reason}")
    return results


def record(gate: Gate) -> list[str]:
    """Who let each deployment that took place take place."""
    decisions = [gate.get(row.id).decision for row in gate.requests("succeeded")]
    return [decision.by for decision in decisions if decision is not None]


def main() -> None:
    if sys.stdin.isatty() and sys.stdout.isatty() and "--scripted" not in sys.argv:
        gatekit.set_default(Gate("deploy.db"))
        print("Production waits for you. In another terminal: gatekit review --queue deploy.db")
        print(*pipeline(), sep="\n")
        return

    with temporary_gate() as gate:
        gatekit.set_default(gate)
        with ScriptedReviewer(gate, [("reject", "the release notes are missing"), "approve"], name="alice") as alice:
            results = pipeline()
        who = record(gate)
    print(*results, *who, sep="\n")
    assert results == [
        "deployed shop 2.0 to staging",
        "deployed shop 2.1 to staging",
        "2.0 stays out of production: the release notes are missing",
        "deployed shop 2.1 to production",
    ]
    assert len(alice.requests) == 2
    assert sorted(who) == ["human:alice", "policy:ENVIRONMENT=staging", "policy:ENVIRONMENT=staging"]


if __name__ == "__main__":
    main()
