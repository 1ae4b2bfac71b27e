"""Every end-to-end test has a form on the stable BCS and one on the newest (tests/support/dialects.py)."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from tests.emulator import Dialect
from tests.support.dialects import chosen, speaking


@pytest.fixture(autouse=True, scope="module", params=chosen(), ids=lambda dialect: f"BCS-{dialect.name}")
def dialect(request: pytest.FixtureRequest) -> Iterator[Dialect]:
    """Return the dialect that the sites of a test speak."""
    with speaking(request.param):
        yield request.param
