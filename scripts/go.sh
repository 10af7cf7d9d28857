#!/usr/bin/env bash
# Makes the generators that tests/clients/go, grpc-go and connect-go name, grpcurl and h2spec (tests/clients/go-tools), in build-test/go/bin, and compiles what their clients link, with the Go of tests/clients/requirements.txt (Debian's
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
wanted=$(cat "$top/tests/clients/go/go.sum" "$top/tests/clients/grpc-go/go.sum" "$top/tests/clients/connect-go/go.sum" "$top/tests/clients/go-tools/go.sum" "$top/tests/clients/requirements.txt" | sha256sum)
[ "$(cat "$folder/.sha256" 2>/dev/null || true)" != "$wanted" ] || exit 0
echo "Building the generators of Go clients" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
build() {
  (cd "$top/tests/clients/go" && "$go" build -o "$folder/bin/oapi-codegen" github.com/oapi-codegen/oapi-codegen/v2/cmd/oapi-codegen) &&
    (cd "$top/tests/clients/grpc-go" && "$go" build -o "$folder/bin/" google.golang.org/protobuf/cmd/protoc-gen-go google.golang.org/grpc/cmd/protoc-gen-go-grpc &&
      "$go" build google.golang.org/grpc google.golang.org/grpc/credentials/insecure google.golang.org/protobuf/types/known/fieldmaskpb google.golang.org/protobuf/types/known/structpb) &&
    (cd "$top/tests/clients/connect-go" && "$go" build -o "$folder/bin/" connectrpc.com/connect/cmd/protoc-gen-connect-go &&
      "$go" build connectrpc.com/connect golang.org/x/net/http2 google.golang.org/genproto/googleapis/rpc/errdetails google.golang.org/protobuf/proto) &&
    (cd "$top/tests/clients/go-tools" && "$go" build -o "$folder/bin/" github.com/fullstorydev/grpcurl/cmd/grpcurl github.com/summerwind/h2spec/cmd/h2spec)
}
if ! build >"$log" 2>&1; then
  cat "$log" >&2
  echo "The generators of Go clients could not be built." >&2
  exit 3
fi
echo "$wanted" >"$folder/.sha256"
