#!/usr/bin/env bash
# Asks a server of the library's contract what its OpenAPI document allows, and what it does not, by schemathesis: all checks, all phases,
# stateful links too. Arguments: examples an operation (150: more than 5,000 in all), seed.
set -euo pipefail
cd "$(dirname "$0")/.."

examples=${1:-150} seed=${2:-1}
scripts/build.sh test
scripts/python.sh
folder=$(mktemp -d)
server=
stop() {
  [ -z "$server" ] || { kill "$server" && wait "$server"; } || true
  rm -rf "$folder"
}
trap stop EXIT

export CAISSON_JWT_SECRET
CAISSON_JWT_SECRET=$(od -An -tx1 -N32 /dev/urandom | tr -d ' \n')
build-test/caisson serve tests/clients/library.graphql --store sqlite::memory: --listen 127.0.0.1:0 --uri-max 64KiB --log off >"$folder/out" 2>"$folder/err" &
server=$!
for _ in $(seq 100); do
  address=$(sed -n 's/^listening on //p' "$folder/out")
  [ -z "$address" ] || break
  sleep 0.1
done
[ -n "$address" ] || { cat "$folder/err" >&2; exit 3; }
token=$(build-test/caisson token --sub 01890a5d-ac96-774b-bcce-b302099a8057 --role staff)
status=0
build-test/python/bin/schemathesis --config-file tests/clients/schemathesis.toml run "$address/openapi.json" --header "Authorization: Bearer $token" \
  --max-examples "$examples" --seed "$seed" --generation-database none --no-color || status=$?
kill -0 "$server" || { echo "The server has ended." >&2; cat "$folder/err" >&2; exit 1; }
exit "$status"
