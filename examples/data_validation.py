"""Rows that look wrong are corrected by a human before they are imported, and what was corrected meets the rules anew.

A reviewer changes the arguments of the call. A change that does not fit the tool's types is refused where it is made.
One that fits is looked at by the program's own rules before anything runs: here the corrected sum is so large that the
controller has to say yes as well.
"""

from pydantic import BaseModel, Field

from gatekit import Args, Policy, Stage, calling, gated_step, set_default
from gatekit.errors import InvalidEdit
from gatekit.testing import temporary_gate


class Row(BaseModel):
    account: str = Field(pattern=r"^\d{4}$")
    cents: int


def is_large(args: Args) -> bool:
    return bool(sum(row.cents for row in args.rows) > 500_000)


def needs_a_look(args: Args) -> bool:
    return is_large(args) or any(row.cents <= 0 for row in args.rows)


@gated_step(
    requires_approval=needs_a_look,
    policy=Policy(Stage("data owner", "olga"), Stage("controller", "carl", when=is_large)),
    description="Import {month}",
    wait=0,
    on_suspend="return",
)
def import_rows(month: str, rows: list[Row]) -> str:
    return f"imported {len(rows)} rows of {month}: {sum(row.cents for row in rows)} cents"


def agent() -> list[str]:
    results = []
    for month, cents in [("March", [1200, 560]), ("April", [-800_000, 120])]:
        with calling(call_id=month):
            results.append(import_rows(month, [Row(account="4711", cents=amount) for amount in cents]))
    return results


def main() -> None:
    with temporary_gate() as gate:
        set_default(gate)
        olga, carl = gate.reviewer("olga"), gate.reviewer("carl")

        march, april = agent()
        assert march == "imported 2 rows of March: 1760 cents"  # nothing looks wrong: nobody is asked
        assert "waits for a human" in april

        (request,) = olga.pending()
        rows = request.args["rows"]
        try:
            olga.edit(request, {"rows": [{**rows[0], "account": "47-11"}, rows[1]]})
        except InvalidEdit as error:
            print(error)
        olga.edit(request, {"rows": [{**rows[0], "cents": 800_000}, rows[1]]}, note="the sign was wrong")

        # The program looks at what was corrected before it runs, and finds that one more person is asked.
        assert "waits for a human" in agent()[1]
        (request,) = carl.pending()
        print(request.reasons[-1], [(stage.name, stage.status, stage.by) for stage in request.stages])
        carl.approve(request)

        results = agent()
    print(*results, sep="\n")
    assert results[1].endswith("imported 2 rows of April: 800120 cents")


if __name__ == "__main__":
    main()
