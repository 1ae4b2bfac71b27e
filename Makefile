# Two commands matter: `make demo` and `make test`. Each sets up what it needs; both need only Python 3.9+.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := "$(BIN)/python" -m pip --quiet --disable-pip-version-check
# `CONSTRAINTS=release/lowest.txt` makes an environment of the lowest versions that setup.py allows; otherwise
# it has the newest. A test compares what is at work with what was asked for.
CONSTRAINTS ?=
RELEASE := .venv-release

.PHONY: demo test bench torture lint types pytest coverage format golden lock package clean
.PHONY: torture-mutation torture-faults torture-canaries torture-kill torture-bounds torture-fuzz

demo: $(VENV)/ready
	"$(BIN)/python" -m tests.demo

test: lint types pytest

lint: $(VENV)/ready
	"$(BIN)/python" -m ruff format --check .
	"$(BIN)/python" -m ruff check .
	"$(BIN)/python" -m vulture

types: $(VENV)/ready
	"$(BIN)/python" -m mypy

pytest: $(VENV)/ready
	EXPECTED_CONSTRAINTS="$(CONSTRAINTS)" "$(BIN)/python" -m pytest

# Which lines and branches no test runs, those of the step's own processes included. Said when a test fails, too:
# it fails then all the same, and so it does below pyproject.toml's `fail_under`.
coverage: $(VENV)/ready
	"$(BIN)/python" -m coverage erase
	@failed=; set -x; "$(BIN)/python" -m coverage run -m pytest --quiet || failed=yes; \
	  "$(BIN)/python" -m coverage combine --quiet && "$(BIN)/python" -m coverage report && [ -z "$$failed" ]

# The hunts that take longer than `make test` should.
torture: torture-mutation torture-faults torture-canaries torture-kill torture-bounds torture-fuzz

torture-mutation: $(VENV)/ready
	"$(BIN)/python" -m tests.mutation

torture-faults torture-canaries torture-kill torture-bounds: torture-%: $(VENV)/ready
	"$(BIN)/python" -m tests.torture $*

torture-fuzz: $(VENV)/ready
	"$(BIN)/python" -m tests.fuzz --minutes 10

bench: $(VENV)/ready
	"$(BIN)/python" -m tests.bench

# Rewrites what tests compare exactly, error.json and i18n/message_zh_CN.properties included: review the diff.
golden: $(VENV)/ready
	"$(BIN)/python" -m pytest --rewrite-golden

format: $(VENV)/ready
	"$(BIN)/python" -m ruff check --fix --exit-zero --quiet .
	"$(BIN)/python" -m ruff format .

# Asks pip for the newest versions on every Python and writes them to release/ with hashes: review the diff.
lock: $(VENV)/ready
	"$(BIN)/python" -m release.lock

# What the store takes: the wheel, task.json, error.json and i18n in one zip under dist/; beside it the wheel, its
# list of parts (CycloneDX) and the locked versions it runs on. Built with locked tools, so that anybody who
# builds these sources gets the same bytes.
package: $(VENV)/ready $(RELEASE)/ready
	rm -rf build dist
	"$(RELEASE)/bin/python" -m release.wheel dist
	"$(BIN)/python" -m release.sbom dist
	cp release/runtime.txt dist/requirements.txt
	"$(BIN)/python" -m zipfile -c dist/bcsTemplateSet.zip dist/*.whl task.json error.json i18n

$(RELEASE)/ready: release/tools.txt
	"$(PYTHON)" -m venv --clear "$(RELEASE)"
	"$(RELEASE)/bin/python" -m pip --quiet --disable-pip-version-check install --require-hashes \
	  --only-binary :all: --requirement release/tools.txt
	@touch "$@"

# An environment does not survive being copied or moved with the project: its stamp says where it was made.
MADE_IN := $(shell cat "$(VENV)/ready" 2>/dev/null)
ifneq "$(MADE_IN)" "$(CURDIR)"
.PHONY: $(VENV)/ready
endif

$(VENV)/ready: setup.py tests/requirements.txt release/runtime.txt $(CONSTRAINTS)
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 9))' || { \
	  echo "This needs Python 3.9 or newer. '$(PYTHON)' is not one; name another: make PYTHON=python3.11 …" >&2; exit 1; }
	@"$(PYTHON)" -c 'import venv, ensurepip' || { \
	  echo "'$(PYTHON)' can't make environments. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	"$(PYTHON)" -m venv "$(VENV)"
	$(PIP) install --upgrade pip
	$(PIP) install --upgrade --upgrade-strategy eager --editable . --requirement tests/requirements.txt \
	  $(if $(CONSTRAINTS),--constraint "$(CONSTRAINTS)")
	@printf '%s\n' "$(CURDIR)" > "$@"

clean:
	rm -rf "$(VENV)" "$(RELEASE)" build dist .bench-peers .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*
