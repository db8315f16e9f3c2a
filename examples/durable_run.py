"""A run that outlives its process: killed while it waits, decided on meanwhile, gone on with by a second process.

No process has to live while a human thinks. What was done before the kill is not done again, and what the reviewer
put in place of the amount is what is paid.
"""

import os
import signal
import subprocess
import sys
from pathlib import Path
from tempfile import TemporaryDirectory

from gatekit import Gate, Run, gated_step

gate = Gate("refunds.db")
DIARY = Path("diary.txt")


def note(line: str) -> None:
    with DIARY.open("a") as diary:
        diary.write(f"{line}\n")


def quote(order: str) -> int:
    note(f"quoted {order}")
    return 120


# The small one is paid at once. Any other waits until a human has seen exactly these arguments.
@gated_step(gate=gate, requires_approval=lambda args: args.amount > 50)
def pay(order: str, amount: int) -> str:
    note(f"paid {amount} for {order}")
    return f"paid {amount} for {order}"


def tell(order: str) -> None:
    note(f"told the customer of {order}")


@gate.workflow
def refund(run: Run, order: str) -> str:
    amount = run.step("quote", quote, order)
    paid = run.step("pay", pay, order, amount)
    run.step("tell", tell, order)
    return paid


def begin() -> None:
    """The first process: it starts the run, which stops where a human is needed; then it is killed."""
    handle = refund.start("refund:A-7", order="A-7")
    print(f"{handle.id} is {handle.status}; now this process is killed", flush=True)
    os.kill(os.getpid(), signal.SIGKILL)


def go_on() -> None:
    """The second process: it knows nothing of the first, and goes on with whatever can go on."""
    taken = gate.resume_ready()
    print(f"went on with {taken} run: {gate.run('refund:A-7').result()}", flush=True)


def main() -> None:
    with TemporaryDirectory() as folder:
        first = subprocess.run([sys.executable, Path(__file__).resolve(), "begin"], cwd=folder)
        assert first.returncode == -signal.SIGKILL

        with Gate(Path(folder, "refunds.db"), create=False) as queue:
            alice = queue.reviewer("alice")
            (request,) = alice.pending()
            alice.edit(request, {"amount": 40})

        subprocess.run([sys.executable, Path(__file__).resolve(), "go on"], cwd=folder, check=True)
        done = Path(folder, DIARY).read_text().splitlines()
    assert done == ["quoted A-7", "paid 40 for A-7", "told the customer of A-7"]


if __name__ == "__main__":
    if sys.argv[1:] == ["begin"]:
        begin()
    elif sys.argv[1:] == ["go on"]:
        go_on()
    else:
        main()
