#!/usr/bin/env bash
# Installs what is missing from Debian's packages for the groups named (build, test, bench, lint, fuzz, coverage, scan); says what it does.
# Silent and instant when all is there.
set -euo pipefail

# Node 18 or later from anywhere will do; Debian's own is taken only where there is none.
has_node() {
  command -v node >/dev/null 2>&1 && [ "$(node -p 'Number(process.versions.node.split(".")[0]) >= 18')" = true ]
}

# npm comes with most Nodes; Debian's is a package of its own.
has_npm() { command -v npm >/dev/null 2>&1; }

wanted=()
for group in "$@"; do
  case "$group" in
    build)
      wanted+=(make gcc libc6-dev meson ninja-build pkg-config libuv1-dev libnghttp2-dev node-llhttp libssl-dev libsqlite3-dev libpq-dev libpcre2-dev zlib1g-dev libbrotli-dev libzstd-dev libxxhash-dev)
      has_node || wanted+=(nodejs)
      has_npm || wanted+=(npm) ;;
    test)
      wanted+=(libcmocka-dev openssl sqlite3 postgresql pgbouncer haproxy nginx curl procps groff-base zstd testssl.sh)
      has_node || wanted+=(nodejs)
      has_npm || wanted+=(npm)
      wanted+=(chromium python3-venv) ;;
    bench) wanted+=(nghttp2-client nghttp2-server nginx openssl) ;;
    lint) wanted+=(clang clang-format clang-tidy git) ;;
    # The sanitizers are a package of their own, which clang only recommends.
    fuzz) wanted+=(clang libclang-rt-dev) ;;
    coverage) wanted+=(gcovr) ;;
    scan) wanted+=(slowhttptest python3-venv) ;;
    *) echo "dependencies.sh: no group '$group' (build, test, bench, lint, fuzz, coverage, scan)" >&2; exit 2 ;;
  esac
done

if ! command -v dpkg-query >/dev/null 2>&1; then
  echo "This is not Debian: please see to it that these are installed: ${wanted[*]}" >&2
  exit 0
fi

mapfile -t wanted < <(printf '%s\n' "${wanted[@]}" | sort -u)
installed=$(dpkg-query -W -f='${db:Status-Status} ${Package}\n' "${wanted[@]}" 2>/dev/null || true)
missing=()
for package in "${wanted[@]}"; do
  grep -qx "installed $package" <<<"$installed" || missing+=("$package")
done
[ ${#missing[@]} -gt 0 ] || exit 0

as_root=()
if [ "$(id -u)" -ne 0 ]; then
  if ! command -v sudo >/dev/null 2>&1; then
    echo "Missing packages: ${missing[*]}. Install them as root: apt-get install ${missing[*]}" >&2
    exit 3
  fi
  as_root=(sudo)
fi

echo "Installing from Debian's packages${as_root:+ with sudo}: ${missing[*]}" >&2
log=$(mktemp)
trap 'rm -f "$log"' EXIT
apt() { "${as_root[@]}" env DEBIAN_FRONTEND=noninteractive apt-get -y -o Dpkg::Use-Pty=0 "$@" >"$log" 2>&1; }
if ! apt install --no-install-recommends "${missing[@]}"; then
  # The package lists are old or, on a fresh system, not there at all.
  if ! { apt update && apt install --no-install-recommends "${missing[@]}"; }; then
    cat "$log" >&2
    echo "The packages could not be installed." >&2
    exit 3
  fi
fi
