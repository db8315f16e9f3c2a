"""The distribution: what is exported, what is installed, and that one place says which version this is."""

from __future__ import annotations

import importlib
import importlib.metadata
import inspect
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import gatekit

DISTRIBUTION = "gatekit-hitl"
PUBLIC = ["gatekit", "gatekit.errors", "gatekit.models", "gatekit.testing", "gatekit.display"]
ROOT = Path(__file__).parent.parent


def test_all_is_sorted_without_repeats_and_importable() -> None:
    names = gatekit.__all__

    assert list(names) == sorted(set(names))
    assert [name for name in names if not hasattr(gatekit, name)] == []


def test_the_first_level_of_the_api_stays_small() -> None:
    assert len(gatekit.__all__) <= 35


def public_names(module: str) -> dict[str, object]:
    """The names of `__all__`, or else what is defined in the module under a public name."""
    found = importlib.import_module(module)
    own = (name for name, value in vars(found).items() if getattr(value, "__module__", "") == module)
    names = getattr(found, "__all__", [name for name in own if not name.startswith("_")])
    return {name: getattr(found, name) for name in names}


@pytest.mark.parametrize("module", PUBLIC)
def test_every_public_class_and_function_is_documented(module: str) -> None:
    public = public_names(module)

    assert public
    assert [name for name, value in public.items() if not own_docstring(value)] == []


def own_docstring(value: object) -> str | None:
    """A class's own docstring: one inherited from its base says nothing of it. Aliases of types need none."""
    if inspect.isclass(value):
        return vars(value).get("__doc__")
    return inspect.getdoc(value) if inspect.isroutine(value) else "a value"


def test_the_command_and_the_pytest_plugin_are_installed() -> None:
    entry_points = importlib.metadata.distribution(DISTRIBUTION).entry_points

    assert callable(entry_points.select(group="console_scripts")["gatekit"].load())
    assert entry_points.select(group="pytest11")["gatekit"].load().__name__ == "gatekit.testing.plugin"


def test_both_packages_are_found_from_anywhere(tmp_path: Path) -> None:
    program = "import gatekit, gatekit_tui"

    subprocess.run([sys.executable, "-c", program], cwd=tmp_path, check=True)


def test_both_packages_tell_type_checkers_that_they_are_typed() -> None:
    for package in ("gatekit", "gatekit_tui"):
        module = importlib.import_module(package)
        assert (Path(str(module.__file__)).parent / "py.typed").exists()


@pytest.mark.checkout
def test_the_installed_version_is_that_of_pyproject_and_the_changelog_knows_it() -> None:
    version = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]

    assert importlib.metadata.version(DISTRIBUTION) == version
    assert f"\n## [{version}]" in (ROOT / "CHANGELOG.md").read_text()
