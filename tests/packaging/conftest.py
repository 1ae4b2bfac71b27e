"""What the tests of packaging share: derived files, compared or rewritten as golden files are; the wheel."""

from __future__ import annotations

from pathlib import Path
from typing import Callable

import pytest
from release.wheel import build_wheel


@pytest.fixture
def derived(request: pytest.FixtureRequest) -> Callable[[Path, str], None]:
    """Return `check(path, text)`: that file of the project holds exactly this text."""
    rewrite = bool(request.config.getoption("--rewrite-golden"))

    def check(path: Path, text: str) -> None:
        if rewrite:
            path.write_bytes(text.encode("utf-8"))
        assert path.read_bytes().decode("utf-8") == text, f"{path.name} is out of date: run `make golden`"

    return check


@pytest.fixture(scope="session")
def wheel(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Return our wheel, built from a copy of the sources."""
    return build_wheel(tmp_path_factory.mktemp("wheel"))
