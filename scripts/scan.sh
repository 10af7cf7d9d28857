#!/usr/bin/env bash
# Sets sqlmap and slowhttptest on servers of its own: scan.sh [sqlmap] [slowhttptest]. What they say goes to build-scan/. (schemathesis and
# testssl.sh are parts of `make test`; `make conform` asks schemathesis for more.)
set -euo pipefail
cd "$(dirname "$0")/.."

python=build-scan/python
if [ ! -x "$python/bin/sqlmap" ]; then
  echo "Installing the Python packages of tests/scan" >&2
  mkdir -p build-scan
  { python3 -m venv "$python" && "$python/bin/pip" install --disable-pip-version-check -r tests/scan/requirements.txt; } >build-scan/pip.log 2>&1 || { cat build-scan/pip.log >&2; exit 3; }
fi
exec node tests/scan/scan.mjs "$@"
