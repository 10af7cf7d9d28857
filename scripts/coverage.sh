#!/usr/bin/env bash
# What the tests run through: builds with gcov's counters, runs the parts of the suite (all but the threads', or those named), prints lines,
# branches and error branches for each module and leaves a page for each file in build-coverage/report. KEEP=1 adds to what earlier runs
# have counted. A process writes its counters when it ends by itself, as a server does that is told to stop; one that is killed writes none.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/build.sh coverage
[ "${KEEP:-}" = 1 ] || find build-coverage -name '*.gcda' -delete
# Under counters nobody looks for what sanitizers find; a failed test is the other run's to tell.
[ $# -gt 0 ] || set -- unit scenario scenario-grpc differential end-to-end graphql
[ "$*" = none ] || CAISSON_BUILD=coverage node scripts/test.mjs "$@" || true
mkdir -p build-coverage/report
gcovr --root . --filter 'src/' --exclude '.*_test\.c$' --gcov-ignore-parse-errors --exclude-unreachable-branches --exclude-throw-branches \
  --json-summary build-coverage/summary.json --html-details build-coverage/report/index.html build-coverage
node scripts/coverage.mjs build-coverage/summary.json build-coverage build-coverage/errors-not-taken.txt
