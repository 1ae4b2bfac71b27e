# Two commands matter: `make demo` and `make test`. Each sets up what it needs; both need only Python 3.9+.
PYTHON ?= python3
VENV ?= .venv
ifeq "$(strip $(VENV))" ""
override VENV := .venv
endif
BIN := $(VENV)/bin
PIP := -m pip --quiet --disable-pip-version-check
# What an environment has, each at one version with its hashes. `LOCK=release/lowest.txt` makes one of the lowest
# versions that setup.py allows, on Python 3.9. A test compares what is at work with what is locked.
LOCK ?= release/tests.txt
RELEASE := .venv-release

.PHONY: demo test bench contract torture lint types compiled pytest coverage format golden lock schema newest package clean
.PHONY: torture-mutation torture-faults torture-canaries torture-kill torture-bounds torture-neighbours torture-builds torture-sweeps torture-fuzz torture-simulation

demo: $(VENV)/ready
	"$(BIN)/python" -m tests.demo

# What is found without running anything is told at the end: it takes a second core for as long as tests are collected.
test: $(VENV)/ready
	@$(MAKE) --no-print-directory lint types >"$(VENV)/found.log" 2>&1 & looking=$$!; \
	  $(MAKE) --no-print-directory pytest; failed=$$?; \
	  wait $$looking || failed=1; cat "$(VENV)/found.log"; exit $$failed

lint: $(VENV)/ready
	"$(BIN)/python" -m ruff format --check .
	"$(BIN)/python" -m ruff check .
	"$(BIN)/python" -m vulture

types: $(VENV)/ready
	@if "$(BIN)/python" -c 'import sys; sys.exit(sys.version_info < (3, 10))'; then set -x; "$(BIN)/python" -m mypy; \
	  else echo "Types are not checked on Python 3.9: mypy 2 needs 3.10."; fi

# Compiles all tests, for who runs them later.
compiled: $(VENV)/ready
	-@"$(BIN)/python" -m pytest --collect-only --quiet --quiet >/dev/null 2>&1

# Two processes for each core and one, or `JOBS=3`; `TESTS="tests/unit tests/wire"` runs those alone. Compiled modules are
# kept, whatever the caller's environment says: hundreds of processes are started.
JOBS ?= auto
TESTS ?=
unexport PYTHONDONTWRITEBYTECODE
pytest: $(VENV)/ready
	EXPECTED_LOCK="$(LOCK)" "$(BIN)/python" -m pytest --quiet --processes "$(JOBS)" $(TESTS)

# Which lines and branches no test runs, those of the step's own processes included. Said when a test fails, too:
# it fails then all the same, and so it does below pyproject.toml's `fail_under`. Each end-to-end test runs on the
# stable BCS and on the newest, where `make test` has each on one of them.
coverage: $(VENV)/ready
	"$(BIN)/python" -m coverage erase
	@failed=; set -x; BCS_DIALECTS="C A" "$(BIN)/python" -m coverage run -m pytest --quiet --processes "$(JOBS)" || failed=yes; \
	  "$(BIN)/python" -m coverage combine --quiet && "$(BIN)/python" -m coverage report && [ -z "$$failed" ]

# The hunts that take longer than `make test` should.
torture: torture-mutation torture-faults torture-canaries torture-kill torture-bounds torture-neighbours torture-builds torture-sweeps \
  torture-fuzz torture-simulation

torture-mutation: $(VENV)/ready
	"$(BIN)/python" -m tests.mutation

torture-faults torture-canaries torture-kill torture-bounds torture-neighbours: torture-%: $(VENV)/ready
	"$(BIN)/python" -m tests.torture $*

torture-builds: $(VENV)/ready
	BCS_ROUNDS=10 BCS_DIALECTS="C A" "$(BIN)/python" -m pytest tests/end_to_end/test_many_builds.py

# What `make test` has a sample of: each test on both BCS, each request that can fail, each client that a hostile
# server can meet, each hostile template and text, the whole model. Children that render are started, not forked.
torture-sweeps: $(VENV)/ready
	BCS_DIALECTS="C A" BCS_SWEEPS=whole BCS_MODEL=whole "$(BIN)/python" -m pytest --quiet \
	  --processes "$(JOBS)"

torture-fuzz: $(VENV)/ready
	"$(BIN)/python" -m tests.fuzz --minutes 10

# Worlds of builds at once, by seeds that begin with the time: `MINUTES=600` for a night.
MINUTES ?= 20
torture-simulation: $(VENV)/ready
	"$(BIN)/python" -m tests.simulation --minutes "$(MINUTES)"

bench: $(VENV)/ready
	"$(BIN)/python" -m tests.bench

# Asks a real BCS what the recordings asked: BCS=URL PROJECT=CODE, the token in the environment's BCS_TOKEN. The
# other variables stand in docs/dev/testing.md, "make contract". make passes on what stands in its command line.
contract: $(VENV)/ready
	@"$(BIN)/python" -m tests.contract.site

# Rewrites what tests compare exactly, error.json, errorCodes.json, `i18n` and the tables of docs/reference
# included: review the diff.
golden: $(VENV)/ready
	"$(BIN)/python" -m pytest --rewrite-golden

format: $(VENV)/ready
	"$(BIN)/python" -m ruff check --fix --exit-zero --quiet .
	"$(BIN)/python" -m ruff format .

# Takes the newest versions, for every Python, and writes them to release/ with hashes: review the diff.
lock: $(VENV)/ready
	"$(BIN)/python" -m release.lock

# Writes what Kubernetes' published schemas say of its kinds, as compact data: review the diff.
schema: $(VENV)/ready
	"$(BIN)/python" -m release.kubernetes_schema

# Nobody's verdict: tries the newest of everything on the newest Python there is, and tells what is newer than
# the lock and which tests fail with it.
newest: $(VENV)/ready
	"$(BIN)/python" -m release.newest

# What the store takes: the wheel, which carries what it runs on, task.json, the lists of errors, i18n and the logo
# in one zip under dist/; beside it the wheel and its list of parts (CycloneDX). Built with locked tools from
# locked parts, so that anybody who builds these sources gets the same bytes.
package: $(VENV)/ready $(RELEASE)/ready
	rm -rf build dist
	"$(BIN)/python" -m release.parts "$(RELEASE)/parts"
	"$(RELEASE)/bin/python" -m release.wheel dist "$(RELEASE)/parts"
	"$(BIN)/python" -m release.sbom dist
	"$(BIN)/python" -m release.bundle dist

# An environment is made from nothing, and only where there is nothing yet, or one that was made here. What makes it
# is told that `made-by-make` lies in it (`ready` in those made before that file): VENV may name anything.
is_ours = { [ -f "$(1)/pyvenv.cfg" ] && { [ -f "$(1)/made-by-make" ] || [ -f "$(1)/ready" ]; }; }
define make_environment
@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 9))' || { \
  echo "This needs Python 3.9 or newer. '$(PYTHON)' is not one; name another: make PYTHON=python3.11 …" >&2; exit 1; }
@"$(PYTHON)" -c 'import venv, ensurepip' || { \
  echo "'$(PYTHON)' can't make environments. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
@[ ! -e "$(1)" ] || $(call is_ours,$(1)) || { \
  echo "'$(1)' is there and was not made by this Makefile. Remove it, or name another: make VENV=.venv-mine …" >&2; exit 1; }
@echo "Setting up $(1) from $(2)"
@"$(PYTHON)" -m venv --clear "$(1)"
@touch "$(1)/made-by-make"
endef

$(RELEASE)/ready: release/tools.txt
	$(call make_environment,$(RELEASE),$<)
	@"$(RELEASE)/bin/python" $(PIP) install --require-hashes --only-binary :all: --requirement "$<"
	@touch "$@"

# An environment does not survive being copied or moved with the project: its stamp says where it was made.
MADE_IN := $(shell cat "$(VENV)/ready" 2>/dev/null)
ifneq "$(MADE_IN)" "$(CURDIR)"
.PHONY: $(VENV)/ready
endif

# The project itself comes as PEP 660 says, from the builder that is locked and not through pip: pip before 21.3
# can't, and fetches a builder of its own. What the builder says matters only where it fails.
$(VENV)/ready: setup.py $(LOCK)
	$(call make_environment,$(VENV),$(LOCK))
	@"$(BIN)/python" $(PIP) install --require-hashes --requirement "$(LOCK)"
	@"$(BIN)/python" -c 'import sys, setuptools.build_meta as builder; builder.build_editable(sys.argv[1])' \
	  "$(VENV)" >"$(VENV)/build.log" 2>&1 || { cat "$(VENV)/build.log" >&2; exit 1; }
	@"$(BIN)/python" $(PIP) install --no-deps --no-index "$(VENV)"/*.whl
	@printf '%s\n' "$(CURDIR)" > "$@"

clean:
	@for made in "$(VENV)" "$(RELEASE)" .venv-*; do \
	  if $(call is_ours,$$made); then rm -rf -- "$$made"; \
	  elif [ -e "$$made" ]; then echo "'$$made' stays: this Makefile has not made it"; fi; done
	rm -rf build dist demo-workspace .bench-peers .mypy_cache .ruff_cache .pytest_cache .hypothesis .coverage*
