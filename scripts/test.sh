#!/usr/bin/env bash
# Runs every test, or the parts named: unit, thread, scenario, end-to-end. Ends with one line, `N passed, N failed`.
set -euo pipefail
cd "$(dirname "$0")/.."
exec node scripts/test.mjs "$@"
