#!/usr/bin/env bash
# The tests of kill and Ctrl-C ten times while every core is busy, and ten times under a parent that ignores Ctrl-C.
set -uo pipefail
cd "$(dirname "$0")/.."
python=${1:-.venv/bin/python}
times=${2:-10}
red=0

tests() {
  for i in $(seq "$times"); do
    said=$("$python" -m pytest -m interrupt --ignore=tests/train tests) || { red=$((red + 1)); echo "$said"; }
    echo "$1, $i of $times: $(tail -1 <<<"$said")"
  done
}

busy=()
trap 'kill "${busy[@]}" 2>/dev/null' EXIT
for _ in $(seq "$(nproc)"); do
  while :; do :; done &
  busy+=($!)
done
tests "every core busy"
kill "${busy[@]}"
busy=()
trap '' INT
tests "Ctrl-C ignored"
echo "$red of $((2 * times)) runs failed"
[ "$red" = 0 ]
