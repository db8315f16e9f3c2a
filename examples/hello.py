"""One tool, and a human who is asked before it does harm.

Run it in a terminal, and decide in a second one with `gatekit review --queue hello.db`. Without a terminal, or with
`--scripted`, a script decides in a queue that is thrown away.
"""

import sys

import gatekit
from gatekit import Gate, Rejected, gated_step
from gatekit.testing import ScriptedReviewer, temporary_gate


# Mail inside the company is sent at once. Any other waits until a human has seen exactly these arguments.
@gated_step(
    requires_approval=lambda args: not args.to.endswith("@mycompany.com"),
    description="Send email to {to}: {subject}",
)
def send_email(to: str, subject: str, body: str) -> str:
    return f"sent to {to}: {subject}"


def agent() -> list[str]:
    """Three calls, as an agent would make them. It knows nothing of queues and reviewers."""
    results = []
    for to, subject in [
        ("ann@mycompany.com", "Lunch?"),
        ("press@example.com", "We were hacked!!"),
        ("all@example.com", "Free money"),
    ]:
        try:
            results.append(send_email(to, subject, body="…"))
        except Rejected as no:
            results.append(f"not sent: {no.reason}")
    return results


def main() -> None:
    if sys.stdin.isatty() and sys.stdout.isatty() and "--scripted" not in sys.argv:
        gatekit.set_default(Gate("hello.db"))
        print("Two of three calls wait for you. In another terminal: gatekit review --queue hello.db")
        print(*agent(), sep="\n")
        return

    with temporary_gate() as gate, ScriptedReviewer(gate, [{"subject": "A security update"}, ("reject", "spam")]):
        gatekit.set_default(gate)
        results = agent()
    print(*results, sep="\n")
    assert results == [
        "sent to ann@mycompany.com: Lunch?",
        "sent to press@example.com: A security update",
        "not sent: spam",
    ]


if __name__ == "__main__":
    main()
