#!/usr/bin/env bash
# Installs the npm packages of a folder exactly as its package-lock.json says, into its node_modules; instant when they are there.
# `run-scripts` behind the folder: packages may build what they need (only where no other way is left).
set -euo pipefail
cd "$(dirname "$0")/.."

folder=$1
wanted=$(sha256sum <"$folder/package-lock.json")
stamp="$folder/node_modules/.lock-sha256"
[ "$(cat "$stamp" 2>/dev/null || true)" != "$wanted" ] || exit 0
echo "Installing the npm packages of $folder" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
# Nobody's scripts run: what is used here is plain JavaScript.
scripts=--ignore-scripts
[ "${2:-}" != run-scripts ] || scripts=--ignore-scripts=false
if ! (cd "$folder" && npm ci "$scripts" --no-audit --no-fund --loglevel=error) >"$log" 2>&1; then
  cat "$log" >&2
  echo "The npm packages of $folder could not be installed." >&2
  exit 3
fi
echo "$wanted" >"$stamp"
