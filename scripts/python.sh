#!/usr/bin/env bash
# Makes an environment with the packages that a file names: python.sh [REQUIREMENTS FOLDER]; those of tests/clients in build-test/python unless
# told otherwise. Instant when it is there.
set -euo pipefail
cd "$(dirname "$0")/.."

requirements=${1:-tests/clients/requirements.txt} folder=${2:-build-test/python}
wanted=$(sha256sum <"$requirements")
[ "$(cat "$folder/.requirements-sha256" 2>/dev/null || true)" != "$wanted" ] || exit 0
echo "Installing the Python packages of $(dirname "$requirements")" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! { python3 -m venv "$folder" && "$folder/bin/pip" install --disable-pip-version-check -r "$requirements"; } >"$log" 2>&1; then
  cat "$log" >&2
  echo "The Python packages could not be installed." >&2
  exit 3
fi
echo "$wanted" >"$folder/.requirements-sha256"
