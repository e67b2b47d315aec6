# make demo and make test are all a newcomer needs; both set up what is missing first.
.DEFAULT_GOAL := help
SHELL := /bin/sh
# The interpreter .venv is made with; empty: the newest suitable one found.
PYTHON ?=
export PYTHON
# Extra arguments: make test ARGS='-k journal'
ARGS ?=
BIN := .venv/bin

.PHONY: help
help: ## Show this list
	@echo 'make demo and make test set up everything they need. All targets:'
	@sed -n 's/^\([a-z][a-z-]*\):.*## \(.*\)/  \1\t\2/p' $(MAKEFILE_LIST) | expand -t 12

.PHONY: setup
setup: ## Install what is missing: system packages, .venv, the C extension
	@tools/setup

.PHONY: setup-writers
setup-writers:
	@tools/setup --writers

.PHONY: setup-soak
setup-soak:
	@tools/setup --soak

.PHONY: setup-filesystems
setup-filesystems:
	@tools/setup --filesystems

.PHONY: setup-browser
setup-browser:
	@tools/setup --browser

# Needs a mount, so a usable /dev/fuse; without one these fail, they never skip.
.PHONY: setup-fuse
setup-fuse:
	@tools/setup --need-fuse

.PHONY: demo
demo: setup-fuse ## Record two small programs, show their traces and verdicts
	@$(BIN)/python tools/demo.py $(ARGS)

# Most tests wait for a mount or a process most of the time: four at once. Then those that can't
# have neighbours.
IN_TWO_PARTS = $(BIN)/python -m pytest -n 4 --dist loadfile -m 'not alone'; parallel=$$?; \
	$(BIN)/python -m pytest -m alone && exit $$parallel

# Without Go, say, its writer is named and its tests are skipped; where CI is set they fail. So
# are soak suites whose programs are missing, filesystems that can't be made, and pages without a
# browser; only where CI is set are those installed.
.PHONY: test
test: setup-fuse $(if $(CI),setup-soak setup-filesystems setup-browser) ## Run every test, with real mounts
	@$(BIN)/python tools/pagealloc/build --allow-missing
	@$(if $(strip $(ARGS)),$(BIN)/python -m pytest $(ARGS),$(IN_TWO_PARTS))

.PHONY: pagealloc
pagealloc: setup ## Build the page writers in all their languages
	@$(BIN)/python tools/pagealloc/build $(ARGS)

# Each language's own tests, formatter and linter; the suite over all of them is in make test.
.PHONY: writers
writers: setup-writers ## Test the page writers by their own languages' tools
	@$(BIN)/python tools/pagealloc/check $(ARGS)

.PHONY: bench
bench: setup-fuse $(if $(strip $(ARGS)),,setup-browser) ## Measure against the bare directory, strace and an empty filesystem
	@$(BIN)/python tools/bench $(ARGS)
	@$(if $(strip $(ARGS)),true,$(BIN)/python tools/report_speed.py)

.PHONY: man
man: setup ## Write the man pages into build/man
	@$(BIN)/python tools/manpages.py build/man

# Whole programs and databases on the mount; in short form they are in make test.
.PHONY: soak
soak: setup-fuse ## Let other people's programs judge the mount, for hours
	$(if $(filter -h --help,$(ARGS)),,@tools/setup --soak $(ARGS))
	@$(BIN)/python tools/soak $(ARGS)

# Minutes for a few programs and faults (ARGS='--only git --limit 10'), an hour or two for all.
.PHONY: judges
judges: setup-fuse ## Let databases and git meet failed syncs and a full disk
	$(if $(filter -h --help,$(ARGS)),,@tools/setup --judges $(ARGS))
	@$(BIN)/python tools/judges $(ARGS)

# Minutes. ARGS='--only git' explores some; --help has the names.
.PHONY: crash-suite
crash-suite: setup-fuse ## Explore crash states of programs whose way with them is known
	$(if $(filter -h --help,$(ARGS)),,@tools/setup --crash-suite $(ARGS))
	@$(BIN)/python tools/pagealloc/build --allow-missing
	@$(BIN)/python tools/crash_suite $(ARGS)

.PHONY: doctor
doctor: setup ## Say whether this machine can mount, and how to mend what can't
	@$(BIN)/tracefs doctor $(ARGS)

.PHONY: check
check: lint types layers ## lint, types and layers

.PHONY: lint
lint: setup ## Style, likely mistakes, spelling
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/codespell

.PHONY: types
types: setup ## mypy, strict
	$(BIN)/mypy

.PHONY: layers
layers: setup ## Who may import whom
	$(BIN)/lint-imports

.PHONY: format
format: setup ## Rewrite the sources in the project's format
	$(BIN)/ruff check --fix-only .
	$(BIN)/ruff format .

.PHONY: wheel
wheel: setup ## Build a wheel into dist/
	$(BIN)/python -m pip wheel --quiet --no-deps --wheel-dir dist .

.PHONY: changelog
changelog: setup ## Show what the next release's notes would say
	$(BIN)/towncrier build --draft --version next

.PHONY: clean
clean: ## Remove what was built, .venv included; recordings stay
	rm -rf .venv build dist *.egg-info .coverage* .hypothesis .*_cache
	rm -f tracefs/*/*.so tools/pagealloc/go/pagealloc
	rm -rf tools/pagealloc/rust/target tools/pagealloc/cpp/build
	find . -name __pycache__ -prune -exec rm -rf {} +
