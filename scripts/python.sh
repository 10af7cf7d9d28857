#!/usr/bin/env bash
# Makes build-test/python, an environment with the packages of tests/clients/requirements.txt; instant when it is there.
set -euo pipefail
cd "$(dirname "$0")/.."

folder=build-test/python
wanted=$(sha256sum <tests/clients/requirements.txt)
[ "$(cat "$folder/.requirements-sha256" 2>/dev/null || true)" != "$wanted" ] || exit 0
echo "Installing the Python packages of tests/clients" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { python3 -m venv "$folder" && "$folder/bin/pip" install --disable-pip-version-check -r tests/clients/requirements.txt; } >"$log" 2>&1; then
  cat "$log" >&2
  echo "The Python packages could not be installed." >&2
  exit 3
fi
echo "$wanted" >"$folder/.requirements-sha256"
