"""An expense that up to three people approve: how many, and who, depends on the amount.

The manager approves every expense, finance every one above 500, the CEO every one above 5,000, in this order. Where a
stage hears nothing for four hours, the director may decide in its place. A clock that stands still is moved by hand,
so the four hours take no time.
"""

from datetime import timedelta

from gatekit import Gate, Policy, Rejected, Stage, calling, gated_step, set_default
from gatekit.errors import NotAllowed
from gatekit.testing import FakeClock, temporary_gate

EXPENSES = [("taxi", 40), ("laptop", 2400), ("trade fair", 18000), ("yacht", 90000)]

THREE_STAGES = Policy(
    Stage("manager", "role:manager"),
    Stage("finance", "role:finance", when=lambda args: args.amount > 500),
    Stage("CEO", "role:ceo", when=lambda args: args.amount > 5000),
    escalate_after={timedelta(hours=4): "role:director"},
)


# The agent does not stand and wait: a call that needs somebody is queued, and collected when it is made again, be it
# tomorrow: `start_within=None`, else an approval that nobody collects is asked anew after an hour.
@gated_step(
    policy=THREE_STAGES,
    description="Pay {amount} € for the {what}",
    wait=0,
    on_suspend="return",
    start_within=None,
)
def pay_expense(what: str, amount: int) -> str:
    return f"paid {amount} for the {what}"


def agent() -> list[str]:
    results = []
    for what, amount in EXPENSES:
        with calling(call_id=f"expense-{what}"):
            try:
                results.append(pay_expense(what, amount))
            except Rejected as no:
                results.append(f"no {what}: {no.reason}")
    return results


def progress(gate: Gate) -> dict[str, str]:
    return {gate.get(row.id).args["what"]: row.stage or "1/1" for row in gate.requests()}


def decide(gate: Gate, clock: FakeClock) -> None:
    for name, role in [("mia", "manager"), ("finn", "finance"), ("carla", "ceo"), ("dora", "director")]:
        gate.add_reviewer(name, roles=[role])
    mia, finn, carla, dora = (gate.reviewer(name) for name in ("mia", "finn", "carla", "dora"))
    assert progress(gate) == {"taxi": "1/1", "laptop": "1/2", "trade fair": "1/3", "yacht": "1/3"}

    taxi, laptop, fair, yacht = mia.pending()
    mia.reject(yacht, reason="we have no harbour")  # the first no is the last word: nobody else is asked
    for request in (taxi, laptop, fair):
        mia.approve(request)
    assert progress(gate) == {"laptop": "2/2", "trade fair": "2/3"}

    laptop, fair = finn.pending()
    finn.approve(fair)
    try:
        dora.approve(laptop)
    except NotAllowed as no:
        print(no)

    clock.advance(4 * 3600)
    laptop, fair = dora.pending()
    dora.approve(laptop, note="finance is at an off-site")
    carla.approve(fair)
    for request in (laptop, fair):
        print(request.args["what"], [(stage.name, *stage.by) for stage in gate.get(request.id).stages])


def main() -> None:
    clock = FakeClock()
    with temporary_gate(clock) as gate:
        set_default(gate)
        assert all("waits for a human" in told for told in agent())
        decide(gate, clock)
        results = agent()
    print(*results, sep="\n")
    assert results == [
        "paid 40 for the taxi",
        "paid 2400 for the laptop",
        "paid 18000 for the trade fair",
        "no yacht: we have no harbour",
    ]


if __name__ == "__main__":
    main()
