#!/usr/bin/env bash
# wheel_test.sh PYTHON: build the sdist, the wheel from the sdist, install that in an environment of its own and
# test it from a directory where the source cannot be found. PYTHON needs the dependency group "build".
set -euo pipefail
python=$(realpath --no-symlinks "$1")
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

"$python" -m build --outdir "$work/dist" . >"$work/build.log" 2>&1 || { cat "$work/build.log" >&2; exit 1; }
"$python" -m venv "$work/venv"
"$work/venv/bin/python" -m pip install --quiet 'pip>=25.1'
"$work/venv/bin/python" -m pip install --quiet "$work"/dist/*.whl --group test

mkdir "$work/elsewhere"
cp -r tests pyproject.toml "$work/elsewhere"
cd "$work/elsewhere"
"$work/venv/bin/python" - "$work/venv" <<'PYTHON'
import sys

import gatekit
import gatekit_tui

for package in (gatekit, gatekit_tui):
    assert package.__file__ and package.__file__.startswith(sys.argv[1]), f"not the wheel's: {package.__file__}"
PYTHON
"$work/venv/bin/gatekit" --help
"$work/venv/bin/gatekit" demo --headless
# What the installed files have to show: they import, the command line and the dashboard behind it, the demo, the plugin.
"$work/venv/bin/python" -m pytest -q -n 2 --dist worksteal -m "not long and not sweep and not checkout" \
  tests/test_imports.py tests/test_packaging.py tests/cli/test_reading.py tests/demo tests/testing
