#!/usr/bin/env bash
# Sets sqlmap and slowhttptest on servers of its own: scan.sh [sqlmap] [slowhttptest]. What they say goes to build-scan/. (schemathesis and
# testssl.sh are parts of `make test`; `make conform` asks schemathesis for more.)
set -euo pipefail
cd "$(dirname "$0")/.."

scripts/python.sh tests/scan/requirements.txt build-scan/python
exec node tests/scan/scan.mjs "$@"
