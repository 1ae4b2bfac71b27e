# Two commands matter: `make demo` and `make test`. Each sets up what it needs; both need only Python 3.9+.
PYTHON ?= python3
VENV ?= .venv
BIN := $(VENV)/bin
PIP := "$(BIN)/python" -m pip --quiet --disable-pip-version-check

.PHONY: demo test bench lint types pytest format golden package clean

demo: $(VENV)/ready
	"$(BIN)/python" -m tests.demo

test: lint types pytest

lint: $(VENV)/ready
	"$(BIN)/python" -m ruff format --check .
	"$(BIN)/python" -m ruff check .

types: $(VENV)/ready
	"$(BIN)/python" -m mypy

pytest: $(VENV)/ready
	"$(BIN)/python" -m pytest

bench: $(VENV)/ready
	"$(BIN)/python" -m tests.bench

# Rewrites what tests compare exactly, error.json and i18n/message_zh_CN.properties included: review the diff.
golden: $(VENV)/ready
	"$(BIN)/python" -m pytest --rewrite-golden

format: $(VENV)/ready
	"$(BIN)/python" -m ruff check --fix --exit-zero --quiet .
	"$(BIN)/python" -m ruff format .

# What the store takes: the wheel, task.json, error.json and i18n in one zip under dist/.
package: $(VENV)/ready
	rm -rf build dist
	SOURCE_DATE_EPOCH=1767225600 "$(BIN)/python" -m build --wheel --no-isolation
	"$(BIN)/python" -m zipfile -c dist/bcsTemplateSet.zip dist/*.whl task.json error.json i18n

# An environment does not survive being copied or moved with the project: its stamp says where it was made.
MADE_IN := $(shell cat "$(VENV)/ready" 2>/dev/null)
ifneq "$(MADE_IN)" "$(CURDIR)"
.PHONY: $(VENV)/ready
endif

$(VENV)/ready: setup.py tests/requirements.txt
	@"$(PYTHON)" -c 'import sys; sys.exit(sys.version_info < (3, 9))' || { \
	  echo "This needs Python 3.9 or newer. '$(PYTHON)' is not one; name another: make PYTHON=python3.11 …" >&2; exit 1; }
	@"$(PYTHON)" -c 'import venv, ensurepip' || { \
	  echo "'$(PYTHON)' can't make environments. On Debian and Ubuntu: apt-get install python3-venv" >&2; exit 1; }
	"$(PYTHON)" -m venv "$(VENV)"
	$(PIP) install --upgrade pip
	$(PIP) install --editable . --requirement tests/requirements.txt
	@printf '%s\n' "$(CURDIR)" > "$@"

clean:
	rm -rf "$(VENV)" build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis
