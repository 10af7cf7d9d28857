#!/usr/bin/env bash
# Runs every test, or the parts named: unit, scenario, differential, end-to-end, graphql, thread, thread-server. Ends with one line, `N passed, N failed`.
set -euo pipefail
cd "$(dirname "$0")/.."
exec node scripts/test.mjs "$@"
