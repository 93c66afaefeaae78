# What every developer types. Everything is installed into .venv in this folder, by pip alone.
PYTHON ?= python3
PROMPT ?= a brown dog runs across a meadow at sunset
OUT    ?= video.mp4
# More options of `daybreak generate` or pytest, such as ARGS="--seed 7".
ARGS   ?=

BIN := .venv/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check
INPUTS := pyproject.toml constraints.txt

# The studio is built where Node is; without it, the server's first page says what to do.
STUDIO := src/daybreak/server/dist/index.html
STUDIO_SOURCES := $(shell find studio -path studio/node_modules -prune -o -type f -print 2>/dev/null)

.PHONY: default setup setup-dev video serve studio studio-types studio-pictures test check format bench faults fuzz size

default: check test

# torch first and pinned, so that no other package picks another one.
.venv/.installed: $(INPUTS)
	test -x $(BIN)/python || $(PYTHON) -m venv .venv
	$(PIP) install --quiet --constraint constraints.txt torch
	$(PIP) install --quiet --constraint constraints.txt --editable .
	touch $@

.venv/.installed-dev: .venv/.installed
	$(PIP) install --quiet --constraint constraints.txt --editable ".[dev]"
	touch $@

setup: .venv/.installed            ## what a user needs

setup-dev: .venv/.installed-dev    ## and what tests and checks need

# The prompt travels through the environment, so that quotes and dollar signs in it stay as they are.
video: export DAYBREAK_MAKE_PROMPT := $(value PROMPT)
video: .venv/.installed            ## make video PROMPT="..." OUT=video.mp4
	@$(BIN)/daybreak generate -o "$(OUT)" $(ARGS) -- "$$DAYBREAK_MAKE_PROMPT"

serve: .venv/.installed studio     ## the API server, with its workers, until stopped
	@$(BIN)/daybreak serve $(ARGS)

studio:                            ## the pages that the server shows, built if Node is there
	@if command -v npm >/dev/null; then $(MAKE) --no-print-directory $(STUDIO); \
	else echo "There is no npm here: the studio is not built, the API works without it."; fi

studio/node_modules/.installed: studio/package-lock.json
	cd studio && npm ci --no-fund --no-audit --loglevel=error
	touch $@

$(STUDIO): studio/node_modules/.installed $(STUDIO_SOURCES)
	cd studio && npm run --silent build

studio-types: .venv/.installed studio/node_modules/.installed   ## the server's answers as the studio's types
	$(BIN)/python studio/scripts/openapi.py
	cd studio && npm run --silent types

studio-pictures: studio .venv/.installed-browser   ## the pictures of docs/studio.md
	$(BIN)/python studio/scripts/screenshots.py

# Tests in a browser need Playwright, and Debian's Chromium; where neither root nor Chromium is there they are skipped.
.venv/.installed-browser: .venv/.installed-dev
	$(PIP) install --quiet playwright==1.65.2
	command -v chromium >/dev/null || { test "$$(id -u)" = 0 && command -v apt-get >/dev/null && \
	  apt-get update -q && DEBIAN_FRONTEND=noninteractive apt-get install -q -y --no-install-recommends chromium; } || \
	  echo "There is no chromium: the studio is not tested in a browser."
	touch $@

test: .venv/.installed-dev .venv/.installed-browser studio   ## the whole suite
	$(BIN)/python -m pytest -n 2 --dist loadgroup $(ARGS)

check: .venv/.installed-dev        ## style, types, architecture
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/.installed-dev        ## figures of the renderer, of a generation, of the server under load, and of Wan
	$(BIN)/python bench/render.py
	$(BIN)/python bench/generate.py
	$(BIN)/python bench/server.py
	OMP_WAIT_POLICY=PASSIVE $(BIN)/python -W ignore bench/wan.py   # as the command itself sets it

faults: .venv/.installed-dev       ## kill -9 at 50 moments over 100 jobs; 1,000 creates with lost answers
	$(BIN)/python -W ignore bench/faults.py $(ARGS)

fuzz: .venv/.installed-dev         ## 20,000 requests made up from the OpenAPI document
	$(BIN)/python -W ignore bench/fuzz.py $(ARGS)

size:                              ## lines per file, the longest first
	@find src tests bench -name '*.py' -print0 | xargs -0 wc -l | sort -rn | head -40
