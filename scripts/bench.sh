#!/usr/bin/env bash
# Measures and writes docs/bench.md and docs/bench.svg; `full` takes longer. `guard` counts instructions instead and holds them to
# bench/budget.json; `guard record` makes what it counts the budget. `watch` prints what ten thousand watches cost.
set -euo pipefail
cd "$(dirname "$0")/.."
ninja -C build bench/hello bench/load bench/sql >/dev/null
if [ "${1:-}" = guard ]; then
  shift
  exec node bench/guard.mjs "$@"
fi
if [ "${1:-}" = watch ]; then
  shift
  CAISSON_BIN=build/caisson exec node bench/watch.mjs "$@"
fi
if [ "${1:-}" = bulk ]; then
  shift
  exec node bench/bulk.mjs "$@"
fi
exec node bench/run.mjs "$@"
