"""Posts that a moderator sees before they appear; what silence means depends on the risk.

Harmless posts appear at once, by a rule that is on record. Of the others a moderator changes, rejects or answers
those they get to. After half an hour nobody has looked at the rest: then what is of low risk appears, and what is of
high risk does not. A clock that stands still is moved by hand, so the half hour takes no time.
"""

from datetime import timedelta

from gatekit import Args, Policy, calling, gated_step, set_default
from gatekit.reviewer import Reviewer
from gatekit.testing import FakeClock, temporary_gate

POSTS = [  # who, what, and how toxic a classifier finds it
    ("ann", "The trams run again.", 0.02),
    ("bob", "Only a damn fool takes the tram.", 0.55),
    ("eve", "Cheap watches, click here!", 0.91),
    ("joe", "He said it himself, I was there.", 0.64),
    ("sue", "Trams are too slow.", 0.23),
    ("tim", "You will all be sorry.", 0.72),
]


def harmless(args: Args) -> bool:
    return bool(args.toxicity < 0.2)


@gated_step(
    auto_approve_if=harmless,
    risk=lambda args: "low" if args.toxicity < 0.5 else "high",
    policy=Policy(on_expiry={"low": "approve", "high": "expire"}),
    expires_after=timedelta(minutes=30),
    description="{author}: {text}",
    wait=0,
    on_suspend="return",
    on_reject="return",  # the author, or the model that writes for them, reads why
)
def publish(author: str, text: str, toxicity: float) -> str:
    return f"{author}: {text}"


def feed() -> list[str]:
    """Submit each post, or collect what became of it."""
    shown = []
    for author, text, toxicity in POSTS:
        with calling(call_id=f"post-{author}", agent="forum"):
            shown.append(publish(author, text, toxicity))
    return shown


def moderate(mod: Reviewer) -> None:
    posts = {request.args["author"]: request for request in mod.pending()}
    assert list(posts) == ["bob", "eve", "joe", "sue", "tim"]
    mod.edit(posts["bob"], {"text": "Only a fool takes the tram."}, note="no swearing")
    mod.reject(posts["eve"], reason="advertising")
    mod.respond(posts["joe"], "Who is he? Say whom you quote, and post it again.")


def main() -> None:
    clock = FakeClock()
    with temporary_gate(clock) as gate:
        set_default(gate)
        feed()
        moderate(gate.reviewer("mod"))
        clock.advance(30 * 60)
        shown = feed()
        decisions = [gate.get(row.id).decision for row in gate.requests(["succeeded", "expired"])]
        names = sorted(decision.by for decision in decisions if decision is not None)
    print(*shown, *names, sep="\n")
    assert [text.splitlines()[-1] for text in shown] == [
        "ann: The trams run again.",
        "bob: Only a fool takes the tram.",
        "This call was not run: it was rejected by a reviewer: advertising",
        "This call was not run. A reviewer answered: Who is he? Say whom you quote, and post it again.",
        "sue: Trams are too slow.",
        "This call was not run: nobody decided on it in time. That is not a refusal.",
    ]
    assert names == ["human:mod", "policy:harmless", "policy:silence", "system:clock"]


if __name__ == "__main__":
    main()
