from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.hostile.confined import Confined, confinement


@pytest.fixture(scope="session")
def confined() -> Iterator[Confined]:
    with confinement() as running:
        yield running
