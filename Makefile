# A thin front for Meson and scripts/: each target is one command on a fresh Debian 12 and installs what it is missing.
.PHONY: run build test coverage conform scan faults soak simulate bench bench-peers fuzz lint format clean

SECONDS ?= 60

run: build
	@scripts/run.sh

build:
	@scripts/dependencies.sh build
	@scripts/build.sh

test:
	@scripts/dependencies.sh build test
	@scripts/test.sh $(ONLY)

# Which lines and branches the tests run through, for each module.
coverage:
	@scripts/dependencies.sh build test coverage
	@scripts/coverage.sh $(ONLY)

# PostgreSQL stopped and started under load, ROUNDS times.
faults: build
	@scripts/dependencies.sh test
	@PG_ROUNDS=$(or $(ROUNDS),100) node --test tests/e2e/postgres-faults.test.mjs

# All faces asked at once for SECONDS (an hour), with reloads, migrations and stops of the database in between: nothing may grow.
soak: SECONDS = 3600
soak: build
	@scripts/dependencies.sh build test
	@scripts/soak.sh $(SECONDS)

# Thousands of requests from the OpenAPI document: EXAMPLES for each operation.
conform:
	@scripts/dependencies.sh build test
	@scripts/schemathesis.sh $(EXAMPLES)

# Attackers' own tools: sqlmap, slowhttptest.
scan: build
	@scripts/dependencies.sh test scan
	@scripts/scan.sh $(ONLY)

# The whole server under faults, from new seeds; the first that fails is printed with its command.
simulate:
	@scripts/dependencies.sh build test
	@scripts/simulate.sh $(SECONDS)

bench: build
	@scripts/dependencies.sh build test
	@scripts/bench.sh $(BENCH)

# What people would otherwise run, on the same rows: needs Go beside what the tests need.
bench-peers: build
	@scripts/dependencies.sh build test
	@scripts/bench_peers.sh $(PEERS)

fuzz:
	@scripts/dependencies.sh build fuzz
	@scripts/fuzz.sh $(SECONDS) $(ONLY)

lint:
	@scripts/dependencies.sh build lint
	@scripts/lint.sh

format:
	@scripts/dependencies.sh lint
	@git ls-files '*.c' '*.h' | xargs clang-format -i

clean:
	rm -rf build build-test build-thread build-fuzz build-lint build-coverage
