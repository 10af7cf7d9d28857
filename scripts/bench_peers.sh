#!/usr/bin/env bash
# Installs and builds the other servers of bench/peers into build/peers, measures all beside Caisson, writes docs/peers.md and docs/peers.svg.
# Words: only the peers whose names have them.
set -euo pipefail
cd "$(dirname "$0")/.."

ninja -C build bench/hello bench/load >/dev/null
mkdir -p build/peers
scripts/npm.sh bench/peers run-scripts
if [ ! -x build/peers/python/bin/pocketbase ]; then
  echo "Installing the Python packages of bench/peers" >&2
  python3 -m venv build/peers/python
  build/peers/python/bin/pip install --quiet --disable-pip-version-check -r bench/peers/requirements.txt
fi
if command -v go >/dev/null; then
  echo "Building bench/peers/gin" >&2
  (cd bench/peers/gin && go build -o ../../../build/peers/gin .)
else
  echo "Without Go, Gin is left out" >&2
fi
exec node bench/peers/peers.mjs "$@"
