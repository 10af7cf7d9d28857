#!/usr/bin/env bash
# The long run of bench/soak for so many SECONDS (3600); writes docs/soak.md's figures and docs/soak.svg.
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/npm.sh tests/grpc
exec node bench/soak/soak.mjs "${1:-3600}"
