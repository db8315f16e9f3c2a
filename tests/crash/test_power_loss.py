"""The power goes at any moment of a long day: what the disk still has must be a whole queue that forgot nothing."""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash import power, shim
from tests.crash.figures import Figures

pytestmark = pytest.mark.skipif(shim.why_not() is not None, reason=str(shim.why_not()))


@pytest.mark.sweep
@pytest.mark.timeout(120)
def test_after_a_power_cut_at_some_moments_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    steps = power.trace_of(tmp_path / "day", "FULL")
    damage = power.try_out(steps, tmp_path / "cut", seed=1, every=len(steps) // 100, gate_every=4)
    assert damage.wrong == []
    assert damage.rebuilt >= 300


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("seed", [1, 2])
def test_after_a_power_cut_at_any_moment_nothing_acknowledged_is_lost(
    seed: int, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = Figures(capsys)
    steps = power.trace_of(tmp_path / "day", "FULL")
    damage = power.try_out(steps, tmp_path / "cut", seed=seed, gate_every=2)
    syncs = sum(step.kind == "sync" for step in steps)
    figures.tell(
        cuts=len(steps), syncs=syncs, rebuilt=damage.rebuilt, forgetful=damage.forgetful, corrupt=damage.corrupt
    )
    assert damage.wrong == []
    assert (damage.forgetful, damage.corrupt) == (0, 0)
    assert damage.rebuilt >= 1400


@pytest.mark.sweep
@pytest.mark.parametrize("synchronous", ["NORMAL", "OFF"])
def test_a_queue_that_syncs_less_forgets_what_it_acknowledged(synchronous: str, tmp_path: Path) -> None:
    """Else the test above would see nothing."""
    steps = power.trace_of(tmp_path / "day", synchronous)
    damage = power.try_out(steps, tmp_path / "cut", seed=1, every=len(steps) // 25)
    assert damage.forgetful > damage.rebuilt // 10
