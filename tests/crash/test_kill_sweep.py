"""A process is killed before, halfway through and after its writes, one after the other: nothing acknowledged is lost,
nothing runs without a permit, nothing is half done, and a second worker brings every call to its end.
"""

from __future__ import annotations

from pathlib import Path

import pytest

from tests.crash import shim
from tests.crash.figures import Figures
from tests.crash.foreman import sweep_of
from tests.crash.worker import SCENARIOS

pytestmark = pytest.mark.skipif(shim.why_not() is not None, reason=str(shim.why_not()))
SAMPLE = 4


@pytest.mark.sweep
@pytest.mark.timeout(120)
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_kill_at_some_points_loses_nothing_and_repeats_nothing(name: str, tmp_path: Path) -> None:
    tally = sweep_of(name, tmp_path, sample=SAMPLE, foremen=1)
    assert tally.wrong == []
    assert tally.points.total() >= SAMPLE // 2


@pytest.mark.long
@pytest.mark.timeout(900)
@pytest.mark.parametrize("name", SCENARIOS)
def test_a_kill_at_any_point_loses_nothing_and_repeats_nothing(
    name: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    figures = Figures(capsys)
    tally = sweep_of(name, tmp_path)
    figures.tell(killed=name, **tally.points, wrong=len(tally.wrong))
    assert tally.wrong == []
    assert min(tally.points[how] for how in shim.KILLS) >= 20


@pytest.mark.sweep
@pytest.mark.parametrize(
    ("name", "lie"), [("boast", "forgotten: decided a approve"), ("boast_of_a_run", "forgotten: run trip waiting")]
)
def test_who_tells_of_what_is_not_yet_stored_is_found_out(name: str, lie: str, tmp_path: Path) -> None:
    tally = sweep_of(name, tmp_path, sample=30, foremen=1)
    assert any(lie in text for text in tally.wrong)
