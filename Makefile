# Chartwell. `make demo` looks at it, `make test` checks all of it.

SHELL := bash
.SHELLFLAGS := -euo pipefail -c
.DEFAULT_GOAL := help

CARGO ?= cargo
DEMO_FLAGS ?=
TARGET ?= events
MINUTES ?= 5

.PHONY: help studio studio-check browser chromium demo test run migrate bench bench-spans bench-experiments bench-product bench-fairness release release-check up down logs engine format lint unit sdks postgres deny deploy deploy-tools cluster cluster-down cluster-check openapi crash crash-model kafka-check outage fuzz

help: ## List the targets
	@grep -hE '^[a-z-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-12s %s\n", $$1, $$2}'

demo: engine studio ## Build and start the demo: charts at http://127.0.0.1:8080/
	$(CARGO) build --release --locked --bin chartwell
	./target/release/chartwell demo $(DEMO_FLAGS)

test: engine studio format lint deny unit studio-check browser deploy ## Everything that CI runs

run: engine studio ## Build and start the server with the settings at hand
	$(CARGO) run --release --locked -- serve

migrate: engine ## Apply pending migrations
	$(CARGO) run --release --locked -- migrate

bench: engine ## Measure the parts, and the server beside a reference where there is one
	$(CARGO) bench --locked --bench pure --bench overhead
	./benches/compare.sh
	./benches/ingest.sh

bench-spans: engine ## Measure questions over 10 million spans (SPANS=… REPEAT=… ONLY=…); making them once takes a while
	$(CARGO) bench --locked --bench spans

bench-experiments: engine ## Measure questions about an experiment of a million units (UNITS=… REPEAT=… ONLY=…)
	$(CARGO) bench --locked --bench experiments

bench-product: engine ## Measure questions over 10 million product events (EVENTS=… REPEAT=… ONLY=…); making them once takes a minute
	$(CARGO) bench --locked --bench product

bench-fairness: engine ## Measure what a loud account costs a quiet one (EVENTS=… RATE=… SECS=… REPEAT=…)
	$(CARGO) bench --locked --bench fairness

up: ## Start one container with the embedded engine, in the background
	docker compose --file docker-compose.single.yml up --build --detach --wait

down: ## Stop the container; its data is kept
	docker compose --file docker-compose.single.yml down

logs: ## Follow the container's log
	docker compose --file docker-compose.single.yml logs --follow

cluster: .env ## Start the whole stack: two instances, a ClickHouse cluster, and what is around them
	docker compose up --build --detach --wait

cluster-down: .env ## Stop the stack; its data is kept
	docker compose down

cluster-check: ## Try the stack out, under a name of its own, and take it down: a server is away, Keeper, a kill
	./scripts/cluster-check.sh

.env:
	./scripts/make-env.sh

studio: studio/dist/index.html ## Build the studio, which the program takes in

studio/dist/index.html: studio/node_modules/.package-lock.json openapi/openapi.json $(shell find studio/src studio/public studio/scripts -type f -not -path '*/generated/*') studio/index.html studio/vite.config.ts
	cd studio && npm run --silent build

studio/node_modules/.package-lock.json: studio/package-lock.json
	@command -v npm >/dev/null || { echo "the studio is built with Node.js 20 or newer: install it, or build the program with cargo alone, which leaves the studio out" >&2; exit 1; }
	cd studio && npm ci --loglevel=error --no-audit --no-fund

studio-check: studio/node_modules/.package-lock.json ## Check the studio: its types beside those of the API, format and lint, its pure parts
	cd studio && npm run --silent check && npm run --silent test

browser: engine studio chromium ## Look at the studio in a real browser, before a program with the demo
	$(CARGO) build --locked
	cd studio && npm run --silent browser

chromium: ## Install Chromium, which the tests look with, where there is none
	@./scripts/install-chromium.sh

engine: ## Fetch the engine library once, into the cache folder
	@./scripts/fetch-engine.sh

format: ## Check the format of the code
	$(CARGO) fmt --check

lint: ## Check for warnings, in code and documentation
	$(CARGO) clippy --locked --all-targets -- -D warnings
	RUSTDOCFLAGS="-D warnings -A rustdoc::private_intra_doc_links" $(CARGO) doc --locked --no-deps --document-private-items --quiet

# Many tests wait, for a kill, a broker, a timeout: more of them run than there are cores.
unit: engine sdks postgres deploy-tools ## Run the tests, on the real engine
	RUST_TEST_THREADS=$${RUST_TEST_THREADS:-$$((2 * $$(nproc)))} $(CARGO) test --locked

sdks: target/sdks/python/.installed tests/sdks/javascript/node_modules/.package-lock.json ## Install the OpenTelemetry SDKs that tests send with

postgres: ## Install PostgreSQL, which the tests start, where there is none
	@./scripts/install-postgres.sh

# Into a folder of its own, which needs neither a virtual environment nor the system's permission.
target/sdks/python/.installed: tests/sdks/python/requirements.txt
	rm -rf $(@D)
	python3 -m pip install --quiet --root-user-action ignore --require-hashes --target $(@D) --requirement $<
	touch $@

tests/sdks/javascript/node_modules/.package-lock.json: tests/sdks/javascript/package-lock.json
	cd $(<D) && npm ci --loglevel=error --ignore-scripts --no-audit --no-fund

crash: engine ## Kill the program 200 times under load; nothing accepted may be lost or doubled
	CRASH_ROUNDS=200 $(CARGO) test --release --locked --test it -- crash:: --nocapture --test-threads 1

crash-model: ## A million schedules of a disk that fails and forgets, against the spool
	SPOOL_SCHEDULES=1000000 $(CARGO) test --release --locked --test it -- spool:: --nocapture

kafka-check: engine ## Run the tests of Kafka against a whole broker
	./scripts/kafka-check.sh

outage: engine ## Disturb the way to the engine in every way for two minutes, under load
	OUTAGE_SECONDS=120 $(CARGO) test --locked --test it -- outage:: --nocapture

fuzz: ## Look for inputs that break a reader, by coverage: TARGET=events (otlp, spool, …) MINUTES=5
	@command -v cargo-fuzz >/dev/null || $(CARGO) install cargo-fuzz --locked --quiet
	cp Cargo.lock fuzz/Cargo.lock
	mkdir -p fuzz/corpus/$(TARGET)
	FUZZ_TARGET=$(TARGET) $(CARGO) fuzz run --sanitizer none any fuzz/corpus/$(TARGET) -- -max_total_time=$$(($(MINUTES) * 60)) -max_len=16384 -timeout=10

deny: ## Check licences, sources and duplicates of the dependencies
	@command -v cargo-deny >/dev/null || $(CARGO) install cargo-deny --locked --quiet
	$(CARGO) deny --all-features check bans licenses sources

deploy: deploy-tools target/deploy/python/.installed ## Check what the program is deployed with
	PYTHONPATH=target/deploy/python PATH=target/deploy/python/bin:$$PATH:/usr/sbin python3 tests/deploy/check.py

deploy-tools: ## Install promtool, HAProxy and ShellCheck where they are missing
	@./scripts/install-deploy-tools.sh

target/deploy/python/.installed: tests/deploy/requirements.txt
	rm -rf $(@D)
	python3 -m pip install --quiet --root-user-action ignore --require-hashes --target $(@D) --requirement $<
	touch $@

release: ## Build a release of this commit: the program, what it is made of, checksums
	./scripts/release.sh

release-check: ## Build it twice, in two folders, and compare
	./scripts/release-check.sh

openapi: ## Write openapi/openapi.json anew
	$(CARGO) run --locked --quiet -- openapi > openapi/openapi.json
