from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.fuzz.bounded import close_the_net


@pytest.fixture(autouse=True)
def _closed_net() -> Iterator[None]:
    with pytest.MonkeyPatch.context() as patch:
        close_the_net(patch)
        yield
