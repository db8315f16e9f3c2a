"""The examples that need no framework run, end by themselves, and are listed."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import pytest

pytestmark = [pytest.mark.checkout, pytest.mark.long]

ROOT = Path(__file__).parents[2]
EXAMPLES = sorted((ROOT / "examples").glob("*.py"))
WITH_FRAMEWORKS = sorted((ROOT / "examples" / "frameworks").glob("*.py"))


@pytest.mark.parametrize("example", EXAMPLES, ids=lambda path: path.stem)
def test_an_example_ends_by_itself_and_leaves_nothing_behind(example: Path, tmp_path: Path) -> None:
    done = subprocess.run(
        [sys.executable, example],
        cwd=tmp_path,
        env={**os.environ, "PYTHONPATH": str(ROOT)},
        stdin=subprocess.DEVNULL,
        capture_output=True,
        text=True,
        timeout=50,
    )

    assert done.returncode == 0, done.stderr
    assert done.stdout
    assert list(tmp_path.iterdir()) == []


def test_every_example_is_listed_and_says_what_it_shows() -> None:
    listed = (ROOT / "examples" / "README.md").read_text(encoding="utf-8")

    assert EXAMPLES
    assert WITH_FRAMEWORKS
    for example in (*EXAMPLES, *WITH_FRAMEWORKS):
        assert f"({example.relative_to(ROOT / 'examples')})" in listed
        assert example.read_text(encoding="utf-8").startswith('"""')
