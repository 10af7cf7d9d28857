#!/usr/bin/env bash
# Makes build-test/go/bin/oapi-codegen, the generator that tests/clients/go names, with the Go of tests/clients/requirements.txt (Debian's
# is too old for it); instant when it is there. `go.sh run ARGUMENTS` runs that Go, with what it downloads and compiles under build-test/go.
set -euo pipefail
top=$(cd "$(dirname "$0")/.." && pwd)

folder=$top/build-test/go
export GOPATH=$folder GOCACHE=$folder/cache GOTOOLCHAIN=local GOFLAGS='-mod=readonly -modcacherw -buildvcs=false' CGO_ENABLED=0
go=$top/build-test/python/bin/go
if [ "${1:-}" = run ]; then
  shift
  exec "$go" "$@"
fi
wanted=$(cat "$top/tests/clients/go/go.sum" "$top/tests/clients/requirements.txt" | sha256sum)
[ "$(cat "$folder/.sha256" 2>/dev/null || true)" != "$wanted" ] || exit 0
echo "Building the generator of Go clients" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
if ! (cd "$top/tests/clients/go" && "$go" build -o "$folder/bin/oapi-codegen" github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen) >"$log" 2>&1; then
  cat "$log" >&2
  echo "The generator of Go clients could not be built." >&2
  exit 3
fi
echo "$wanted" >"$folder/.sha256"
