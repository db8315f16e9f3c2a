"""The benchmarks are part of the checkout, not of the wheel: where they are not, there is nothing to test."""

from __future__ import annotations

from importlib.util import find_spec

collect_ignore = [] if find_spec("benchmarks") else ["test_benchmarks.py"]
