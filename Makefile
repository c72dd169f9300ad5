# Every target sets up what it needs itself: uv, .venv and the locked packages. Set-up needs the network once.
SHELL := /bin/bash
PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
UV = UV_PROJECT_ENVIRONMENT=$(VENV) $$(command -v uv || echo $(BIN)/uv)

.DEFAULT_GOAL := help
.PHONY: help demo demo-siem demo-stream test test-servers coverage smoke release lint bench bench-parts bench-rules bench-relate bench-sinks bench-stream bench-size bench-investigate bench-alarms bench-s3 chaos fuzz fuzz-messages picture clean

help: ## Say what the targets do
	@grep -hE '^[a-z0-9-]+:.*## ' $(MAKEFILE_LIST) | awk -F ':.*## ' '{printf "  make %-17s %s\n", $$1, $$2}'

demo: $(READY) ## Replay the sample archive, tell what happened in it, and write a page about it
	@$(BIN)/trailsieve replay samples/archive --format table
	@echo
	@$(BIN)/trailsieve investigate samples/archive --top 1 --report demo.html

demo-siem: $(READY) ## Send the sample archive's alerts to a real rsyslog and OpenSearch and ask them (needs Java, Maven, apt-get)
	@$(BIN)/python -m tests.demo.siem

demo-stream: $(READY) ## Send the sample archive through a real Kafka and watch its alerts arrive (needs Java, and Maven once)
	@$(BIN)/python -m tests.demo.stream

# Profile `ci` draws five times as many Hypothesis examples as `dev`: make test HYPOTHESIS_PROFILE=ci
export HYPOTHESIS_PROFILE ?= dev
WORKERS ?= auto
PYTEST_ARGS ?=

test: $(READY) ## Run the tests that need no server (PYTEST_ARGS="-k name")
	@$(BIN)/pytest -q -n $(WORKERS) --dist worksteal -m "not server" $(PYTEST_ARGS)

test-servers: $(READY) ## Run the tests that need Kafka, Kinesis, OpenSearch, Event Ruler, rsyslog, syslog-ng or moto
	@$(BIN)/pytest -q -n $(WORKERS) --dist loadgroup -m server $(PYTEST_ARGS)

coverage: $(READY) ## Measure how much of pattern and engine their tests run, and fail below the floor
	@$(BIN)/pytest -q -n $(WORKERS) --dist worksteal -m "not server" --cov --cov-report=term:skip-covered \
		tests/pattern tests/engine tests/alarms $(PYTEST_ARGS)

smoke: $(READY) ## Replay the sample archive on every supported Python that is installed
	@.ci/smoke

release: $(READY) ## Check, build and tag a version (VERSION=0.2.0); publishes nothing
	@PATH="$(CURDIR)/$(BIN):$$PATH" $(BIN)/python tools/release.py "$(VERSION)"

CHAOS_KILLS ?= 40
CAMPAIGNS ?= 100
chaos: $(READY) ## Kill services and disturb alarms in many ways, and count the alerts (CHAOS_KILLS=40, CAMPAIGNS=100)
	@CHAOS_KILLS=$(CHAOS_KILLS) CAMPAIGNS=$(CAMPAIGNS) $(BIN)/pytest -q tests/sources tests/alarms tests/app -k "kill or campaign or members_"

lint: $(READY) ## Check style, types and the layers of the architecture
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

bench: $(READY) ## Measure trailsieve against the floor and against other tools (minutes)
	@$(UV) sync --locked --inexact --quiet --group bench
	@$(BIN)/python -m tests.bench.bench

bench-parts: $(READY) ## Measure gunzip, decode, match and compile one by one
	@$(BIN)/pytest tests/bench/test_parts.py --benchmark-enable --benchmark-sort=name

bench-rules: $(READY) ## Measure how time grows with the number of rules
	@$(BIN)/python -m tests.bench.rules

bench-relate: $(READY) ## Measure how long all pairs of patterns from public repositories take to relate
	@$(BIN)/python -m tests.bench.relate

bench-sinks: $(READY) ## Measure alerts a second of each sink into its receiver
	@$(BIN)/python -m tests.bench.http_sinks
	@$(BIN)/python -m tests.bench.wired_sinks

bench-stream: $(READY) ## Measure messages a second from a real Kafka, and the time from event to alert (minutes)
	@$(BIN)/python -m tests.bench.stream
	@$(BIN)/python -m tests.bench.alarm_latency

bench-size: $(READY) ## Measure time and memory from 100 MB to 10 GB (half an hour, 15 GB of disk)
	@$(BIN)/python -m tests.bench.size

bench-investigate: $(READY) ## Measure time and memory of investigate, compared with replay (minutes)
	@$(BIN)/python -m tests.bench.investigate

bench-alarms: $(READY) ## Measure a million windowed matches over ten thousand keys and over a million (some minutes)
	@$(BIN)/python -m tests.bench.alarms
	@$(BIN)/python -m tests.bench.alarms --rounds 1 --keys 1000000

bench-s3: $(READY) ## Measure a bucket of 20,000 small objects behind 20 and 50 ms against aws s3 sync (minutes)
	@$(UV) sync --locked --inexact --quiet --group bench
	@$(BIN)/python -m tests.bench.s3

FUZZ_SECONDS ?= 300
fuzz: $(READY) ## Look for inputs that break a law of patterns (FUZZ_SECONDS=300)
	@$(UV) sync --locked --inexact --quiet --group fuzz \
		|| echo "atheris, the fuzzer, cannot be installed: it is not built for every Python" >&2
	@$(BIN)/python -m tests.fuzz.fuzz $(FUZZ_SECONDS)

picture: $(READY) ## Take the README's picture of the page again (needs Chromium)
	@$(BIN)/python -m tools.take_picture

MUTATION_SECONDS ?= 900
fuzz-messages: $(READY) ## Send damaged messages in every envelope through Kafka, SQS and S3 (MUTATION_SECONDS=900, each)
	@MUTATION_SECONDS=$(MUTATION_SECONDS) $(BIN)/pytest -q -s tests/fuzz/test_messages.py -m server

# Made anew when what it is made from changes; otherwise no network is needed.
$(READY): pyproject.toml uv.lock
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' \
		|| { echo "trailsieve needs Python 3.11 or newer; this is $$($(PYTHON) --version). Try: make PYTHON=python3.12" >&2; exit 2; }
	@test -x $(BIN)/python || $(PYTHON) -m venv $(VENV) \
		|| { rm -rf $(VENV); echo "Python cannot make virtual environments here. On Debian: apt install python3-venv" >&2; exit 2; }
	@command -v uv >/dev/null || test -x $(BIN)/uv || $(BIN)/python -m pip install --quiet uv
	@$(UV) sync --locked --inexact --quiet --compile-bytecode --python $(BIN)/python
	@$(BIN)/python -m compileall -q src
	@touch $@

clean: ## Remove everything that was set up or built
	rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .hypothesis .import_linter_cache dist demo.html
