#!/usr/bin/env bash
# Simulates from seeds that were not run before, for so many seconds: simulate.sh SECONDS [options of tests/simulate]
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/build.sh test tests/simulate/simulate
exec build-test/tests/simulate/simulate --seconds "${1:-60}" --seed "$(date +%s)000" "${@:2}"
