"""A release that two people of compliance sign, with no tool behind their yes.

`run.confirm` asks for a yes and nothing else. The run holds no process until both have said it; what they signed, and
when, stays in the history. The same person does not count twice, and nobody from elsewhere counts at all.
"""

from gatekit import Policy, Run, Stage
from gatekit.errors import NotAllowed
from gatekit.testing import temporary_gate

TWO_SIGNATURES = Policy(Stage("compliance", "role:compliance", quorum=2))
published: list[tuple[str, str]] = []


def build(version: str) -> str:
    return f"sha256 of {version}"


def publish(version: str, checksum: str) -> str:
    published.append((version, checksum))
    return f"published {version}"


def release(run: Run, version: str) -> str:
    checksum = run.step("build", build, version)
    run.confirm(
        "sign-off",
        f"Does release {version} comply with the export rules?",
        risk="high",
        details={"version": version, "checksum": checksum},
        policy=TWO_SIGNATURES,
    )
    return run.step("publish", publish, version, checksum)


def main() -> None:
    with temporary_gate() as gate:
        for name, role in [("cora", "compliance"), ("cyril", "compliance"), ("dev", "development")]:
            gate.add_reviewer(name, roles=[role])
        cora, cyril, dev = (gate.reviewer(name) for name in ("cora", "cyril", "dev"))

        run = gate.workflow(release).start("release:4.0", "4.0")
        assert run.status == "waiting"

        (request,) = cora.pending()
        cora.approve(request, note="checked against list 7")
        cora.approve(request, note="checked against list 7")  # said twice, counted once
        try:
            dev.approve(request)
        except NotAllowed as no:
            print(no)
        assert gate.get(request.id).stages[0].by == ("cora",)
        assert (run.resume(), published) == ("waiting", [])

        cyril.approve(request)
        print(run.result())
        for event in gate.history(request.id):
            print(event.kind, event.by, event.data.get("note") or "")
    assert published == [("4.0", "sha256 of 4.0")]


if __name__ == "__main__":
    main()
