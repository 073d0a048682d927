# `make` lists what there is. Each target is a script in scripts/, so that CI and the Dockerfiles run the very same steps.
.DEFAULT_GOAL := help
.PHONY: help run dev test fuzz bench fmt lint openapi screenshots clean

help: ## List the targets
	@sed -n 's/^\([a-z]*\):.*## \(.*\)/  make \1\t\2/p' $(MAKEFILE_LIST) | expand -t 20

run: ## Install what is missing, build, start on SQLite in ./data with demo data, print the sign-in link
	@scripts/run

dev: ## Server and SPA, both reloaded on change
	@scripts/dev

test: ## Prove that everything works; STEPS="clippy web-test" runs only those
	@scripts/test $(STEPS)

fuzz: ## Throw mutated inputs at what strangers can reach (INPUTS=100000 for each target, TARGETS="cursor filter body mask mapping", SEED=…)
	@scripts/fuzz

bench: ## Measure the speed (EVENTS=1000000 DATABASES="sqlite postgres" CASES=… USUAL_SECONDS=20 KEEP=1 PUBLISH=1)
	@scripts/bench

fmt: ## Format everything
	@scripts/fmt

lint: ## The quick checks: format, lints, types
	@scripts/test fmt shell clippy web-format web-lint web-types

openapi: ## Write openapi.yaml and the SPA's types from the server's code
	@scripts/openapi

screenshots: ## Take docs/screenshot.png again
	@UPDATE_SCREENSHOT=1 scripts/test browser

clean: ## Remove what was built; ./data stays
	@rm -rf target web/dist web/node_modules tests/*/node_modules tests/browser/results
