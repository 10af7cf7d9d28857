#!/usr/bin/env bash
# Measures and writes docs/bench.md and docs/bench.svg; `full` takes longer.
set -euo pipefail
cd "$(dirname "$0")/.."
ninja -C build bench/hello bench/load bench/sql >/dev/null
exec node bench/run.mjs "$@"
