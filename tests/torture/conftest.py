"""Names the seed of what was drawn, also where nothing went wrong."""

from __future__ import annotations

import pytest

from tests.torture.seeds import seed_of_this_run


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    terminalreporter.write_line(f"cases of tests/torture were drawn by BCS_SEED={seed_of_this_run()}")
