# Few verbs. Each says what it is doing; `make demo` and `make test` set up all they need on a fresh Debian 12 with
# Rust, gcc, Node and Python.
SHELL := /bin/bash
.SHELLFLAGS := -euo pipefail -c
.PHONY: demo test dev fix bench web

export CARGO_TERM_COLOR ?= auto

# Build Tracery, serve from a folder here, run the sample application against it, and say where to look.
demo:
	@scripts/demo

# Every test: formatting, Rust, and the real SDKs against the real server.
test:
	@scripts/test

# Serve from a folder here, with the fast build, until Ctrl-C.
dev:
	cargo run -p tracery-server -- demo --data-dir .demo/data

# Format, and apply what clippy can mend.
fix:
	cargo fmt --all
	cargo clippy --workspace --all-targets --fix --allow-dirty --allow-staged

# The common workload against the shipped build; see bench/README.md.
bench:
	@bench/run

# The pages, which the next build of the binary embeds.
web:
	@scripts/web
