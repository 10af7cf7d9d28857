#!/usr/bin/env bash
# Runs each fuzz target for a number of seconds: fuzz.sh SECONDS [TARGET…]. New inputs go to build-fuzz/corpus; what breaks a target is kept there too.
set -euo pipefail
cd "$(dirname "$0")/.."

seconds=${1:-60}
shift || true
scripts/build.sh fuzz
failed=0
count=0
for target in build-fuzz/tests/fuzz/fuzz_*; do
  [ -f "$target" ] && [ -x "$target" ] || continue
  name=$(basename "$target")
  if [ $# -gt 0 ] && [[ " $* " != *" $name "* ]]; then continue; fi
  mkdir -p "build-fuzz/corpus/$name"
  kept="tests/fuzz/corpus/${name#fuzz_}"
  inputs=("build-fuzz/corpus/$name")
  [ ! -d "$kept" ] || inputs+=("$kept")
  dictionary=()
  [ ! -f "tests/fuzz/${name#fuzz_}.dict" ] || dictionary=("-dict=tests/fuzz/${name#fuzz_}.dict")
  log=build-fuzz/$name.log
  count=$((count + 1))
  if "$target" -max_total_time="$seconds" -timeout=10 -rss_limit_mb=2048 -print_final_stats=1 "-artifact_prefix=build-fuzz/$name-" \
      "${dictionary[@]}" "${inputs[@]}" >"$log" 2>&1; then
    echo "$name: $(sed -n 's/^stat::number_of_executed_units: *//p' "$log") inputs, nothing found"
  else
    failed=$((failed + 1))
    echo "$name: FAILED"
    grep -vE '^#[0-9]+' "$log" | tail -60
  fi
done
echo "$count fuzz targets ran for $seconds s each, $failed failed"
[ "$failed" -eq 0 ]
