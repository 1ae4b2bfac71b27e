"""What every test may use: golden files, compared exactly and rewritten by `pytest --rewrite-golden`."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import pytest

from tests.support.versions import versions_at_work

GOLDEN = Path(__file__).parent / "golden"


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--rewrite-golden",
        action="store_true",
        help="write what the tests produce into tests/golden instead of comparing; review the difference",
    )


def pytest_report_header() -> str:
    """Name the versions of our dependencies that this run is about."""
    return "dependencies: " + ", ".join(f"{name} {at_work}" for name, at_work in versions_at_work().items())


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Callable[[str, str], None]:
    """Return `check(name, text)`: the golden file of that name holds exactly this text."""
    rewrite = bool(request.config.getoption("--rewrite-golden"))

    def check(name: str, text: str) -> None:
        path = GOLDEN / name
        if rewrite:
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_bytes(text.encode("utf-8"))
        assert path.is_file(), f"{name} is missing; write it with pytest --rewrite-golden"
        assert text == path.read_bytes().decode("utf-8")

    return check
