#!/usr/bin/env bash
# Builds build/caisson, optimised; or, with a kind as first argument, the build that kind of test needs.
set -euo pipefail
cd "$(dirname "$0")/.."

kind=${1:-release}
[ $# -eq 0 ] || shift
case "$kind" in
  release) folder=build        options=(--buildtype=release -Db_lto=true -Dtests=false) ;;
  # What is undefined must end the test; the sanitizers' own recovery would only print it.
  test)    folder=build-test   options=(--buildtype=debugoptimized -Db_sanitize=address,undefined) ;;
  # Loops and writers count at once.
  coverage) folder=build-coverage options=(--buildtype=debug -Db_coverage=true -Dc_args=-fprofile-update=prefer-atomic) ;;
  thread)  folder=build-thread options=(--buildtype=debugoptimized -Db_sanitize=thread) ;;
  fuzz)    folder=build-fuzz   options=(--buildtype=debugoptimized -Db_sanitize=address,undefined -Db_lundef=false -Dtests=false -Dfuzz=true)
           export CC=clang ;;
  *) echo "build.sh: no build of the kind '$kind'" >&2; exit 2 ;;
esac

scripts/npm.sh web

log=$(mktemp)
trap 'rm -f "$log"' EXIT
if [ ! -f "$folder/build.ninja" ]; then
  echo "Configuring $folder" >&2
  meson setup "$folder" "${options[@]}" >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
fi

# On a terminal ninja shows its one line of progress; elsewhere only what went wrong is worth reading.
if [ -t 1 ]; then
  ninja -C "$folder" "$@"
else
  ninja -C "$folder" "$@" >"$log" 2>&1 || { cat "$log" >&2; exit 1; }
  grep -A8 'warning:' "$log" >&2 || true
fi
