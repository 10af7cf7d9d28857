#!/usr/bin/env bash
# Serves examples/shop with sample data in it, in the foreground. The data goes in once; `rm -r examples/shop/.data` begins anew.
# CAISSON_LISTEN chooses another address than 127.0.0.1:8080.
set -euo pipefail
cd "$(dirname "$0")/.."

program=build/caisson
contract=examples/shop/shop.graphql
data=examples/shop/.data
store=$data/shop.db
secret=$data/secret
server=
trap '[ -z "$server" ] || kill "$server" 2>/dev/null || true' EXIT

# Starts the server in the background; `address` is where it listens.
start() {
  : >"$data/stdout"
  "$program" serve "$contract" --store "sqlite:$store" --jwt-secret-file "$secret" "$@" >"$data/stdout" &
  server=$!
  address=
  while [ -z "$address" ]; do
    if ! kill -0 "$server" 2>/dev/null; then
      local status=0
      wait "$server" || status=$?
      server=
      exit "$status"
    fi
    address=$(sed -n 's/^listening on //p;T;q' "$data/stdout")
    [ -n "$address" ] || sleep 0.02
  done
}

mkdir -p "$data"
[ -s "$secret" ] || (umask 077 && od -An -N32 -tx1 /dev/urandom | tr -d ' \n' >"$secret")

if [ ! -f "$data/complete" ]; then
  rm -f "$store" "$store"-*
  echo "Filling the shop: 10,000 products, 50,000 reviews (once)" >&2
  start --listen 127.0.0.1:0 --log off
  node examples/shop/seed.mjs "$address" "$("$program" token --sub seed --role staff --jwt-secret-file "$secret")"
  kill "$server" && wait "$server" && server=
  touch "$data/complete"
fi

start
ask() { curl -gsS "$address$1" | sed -n 's/.*"id":"\([^"]*\)".*/\1/p'; }
user=$(ask '/v1/users?limit=1&fields=id')
product=$(ask '/v1/products?limit=1&fields=id')
cat <<TEXT

The shop is served.
  $address/docs             the reference, to try requests in a browser
  $address/v1/products      REST
  $address/openapi.json     the same as an OpenAPI document
  $address/graphql          GraphQL; in a browser GraphiQL
  ${address#http://}               gRPC, gRPC-Web and Connect, with reflection
  $address/livez            is it alive
  $address/metrics          figures for Prometheus

Try, in another terminal:
  curl -g '$address/v1/products?fields=name,price,category(name),reviews(stars,text)&reviews.limit=2&limit=3'

  curl -G '$address/v1/products' --data-urlencode 'filter=price < 10 && category.slug == "green-tea"' -d sort=-price -d limit=5

  curl '$address/v1/reviews' -H "Authorization: Bearer \$($program token --sub $user --jwt-secret-file $secret)" \\
    -H 'Content-Type: application/json' -d '{"productId": "$product", "stars": 5, "text": "Lovely."}'

Ctrl-C stops it.
TEXT
trap 'kill -TERM "$server" 2>/dev/null' INT TERM
# A signal ends the first wait; the server's own status is had once it has drained.
while kill -0 "$server" 2>/dev/null; do wait "$server" || true; done
status=0
wait "$server" || status=$?
server=
exit "$status"
