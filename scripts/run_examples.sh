#!/usr/bin/env bash
# run_examples.sh PYTHON DIRECTORY: run every example in it, each in an empty directory, nobody at the keyboard.
set -euo pipefail
python=$(realpath --no-symlinks "$1")
examples=$(realpath "$2")
count=0
for example in "$examples"/*.py; do
  [ -e "$example" ] || { echo "no examples in $2" >&2; exit 1; }
  place=$(mktemp -d)
  echo "--- ${example##*/}"
  (cd "$place" && PYTHONUNBUFFERED=1 timeout 60 "$python" "$example" </dev/null) || {
    status=$?
    echo "${example##*/} failed with exit status $status (124: it was still running after 60 s)" >&2
    rm -rf "$place"
    exit 1
  }
  rm -rf "$place"
  count=$((count + 1))
done
echo "$count examples ran"
