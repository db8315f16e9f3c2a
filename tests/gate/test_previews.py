"""What a step shows its reviewers beside the arguments."""

from __future__ import annotations

import hashlib
from pathlib import Path
from typing import Any

import pytest
from pydantic import SecretStr

from gatekit import Gate, UsageError, gated_step, previews
from gatekit.models import Preview, Request
from gatekit.testing import memory_gate


def asked(gate: Gate, preview: Any, *args: Any) -> Request:
    def write(path: str, text: str = "") -> None: ...

    gated_step(write, gate=gate, preview=preview, wait=0, on_suspend="return")(*(args or ("notes.txt", "b\n")))
    return gate.get(next(iter(gate.requests())).id)


def test_a_preview_is_kept_with_the_request(gate: Gate) -> None:
    request = asked(gate, lambda args: previews.diff("a\n", args.text, name=args.path))
    assert request.preview is not None
    assert (request.preview.kind, request.preview.text.splitlines()[-2:]) == ("diff", ["-a", "+b"])


@pytest.mark.parametrize(
    ("made", "kept"),
    [
        ("just text", Preview(kind="text", text="just text")),
        (
            previews.table([{"to": "bob", "sum": 4}, {"to": "eve"}]),
            Preview(kind="table", columns=("to", "sum"), rows=(("bob", "4"), ("eve", ""))),
        ),
        (None, None),
    ],
)
def test_each_kind_comes_back_as_it_was(gate: Gate, made: object, kept: Preview | None) -> None:
    assert asked(gate, lambda args: made).preview == kept


def test_a_file_is_named_with_its_digest(gate: Gate, tmp_path: Path) -> None:
    image = tmp_path / "chart.png"
    image.write_bytes(b"pixels")
    found = asked(gate, lambda args: previews.file(image)).preview
    assert found == Preview(
        kind="file", path=str(image), size=6, sha256=hashlib.sha256(b"pixels").hexdigest(), media_type="image/png"
    )


def fails(args: Any) -> str:
    raise ValueError("no such page")


@pytest.mark.parametrize(
    ("preview", "reason"),
    [
        (fails, "the step's preview raised ValueError: no such page"),
        (lambda args: 5, "the step's preview returned a int"),
        (lambda args: previews.file("/no/such/file"), "the step's preview raised FileNotFoundError"),
    ],
)
def test_a_preview_that_fails_leaves_the_call_to_be_asked_without_it(gate: Gate, preview: Any, reason: str) -> None:
    request = asked(gate, preview)
    assert request.preview is None
    assert any(reason in said for said in request.reasons)


def test_hidden_characters_of_a_preview_are_counted(gate: Gate) -> None:
    assert asked(gate, lambda args: "safe\u202etxt.exe").hidden == 1


def test_what_is_too_long_is_cut_with_a_note(gate: Gate) -> None:
    found = asked(gate, lambda args: "x" * 200_000).preview
    assert found is not None
    assert len(found.text) < 101_000
    rows = previews.table([{"n": number} for number in range(600)])
    assert (len(rows.rows), rows.more) == (500, 100)


def test_a_secret_is_not_in_the_preview() -> None:
    with memory_gate() as gate:

        def login(password: SecretStr) -> None: ...

        step = gated_step(login, gate=gate, preview=lambda args: f"with {args.password}", wait=0, on_suspend="return")
        step(SecretStr("hunter2"))
        found = gate.get(next(iter(gate.requests())).id).preview
    assert found is not None
    assert "hunter2" not in found.text


def test_an_async_preview_is_refused_at_decoration() -> None:
    async def preview(args: Any) -> str:
        return ""

    with pytest.raises(UsageError, match="plain function"):
        gated_step(lambda path: None, name="t", preview=preview)  # type: ignore[call-overload]
