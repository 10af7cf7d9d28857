#!/usr/bin/env bash
# Measures and writes docs/bench.md and docs/bench.svg; `full` takes longer. `guard` counts instructions instead and holds them to
# bench/budget.json; `guard record` makes what it counts the budget. `watch` prints what ten thousand watches cost, `bulk` what rows by the
# million do, `openapi` what the document of 200 resources does. `postgres` measures the server on PostgreSQL, `overload` three times more
# than it can do, `scale` how cost grows with rows, resources and loops, `grpc` what calls cost beside REST and TLS beside clear text, `graphql`
# what queries do.
set -euo pipefail
cd "$(dirname "$0")/.."
ninja -C build bench/hello bench/fanout bench/load bench/pipeline bench/sql >/dev/null
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
if [ "${1:-}" = openapi ]; then
  shift
  ninja -C build bench/openapi >/dev/null
  exec build/bench/openapi "$@"
fi
if [ "${1:-}" = scale ]; then
  shift
  exec node bench/scale.mjs "$@"
fi
if [ "${1:-}" = grpc ]; then
  shift
  scripts/dependencies.sh bench
  scripts/npm.sh tests/grpc
  # The tests' Go, or the system's.
  go=()
  if [ -x build-test/python/bin/go ]; then go=("$PWD/scripts/go.sh" run); elif command -v go >/dev/null; then go=(go); fi
  if [ ${#go[@]} -gt 0 ]; then
    echo "Building bench/peers/grpc-go" >&2
    (cd bench/peers/grpc-go && "${go[@]}" build -o ../../../build/peers/grpc-go .)
  fi
  exec node bench/grpc.mjs "$@"
fi
if [ "${1:-}" = graphql ]; then
  shift
  exec node bench/graphql.mjs "$@"
fi
if [ "${1:-}" = overload ]; then
  shift
  exec node bench/overload.mjs "$@"
fi
if [ "${1:-}" = postgres ]; then
  shift
  exec node bench/postgres.mjs "$@"
fi
exec node bench/run.mjs "$@"
