"""The emulator answers as real servers did: each recording is replayed against it in its dialect."""

from __future__ import annotations

import pytest

from tests.contract.replay import NOT_REPLAYED, is_excepted, replay, summarise
from tests.emulator import Dialect
from tests.support import recordings
from tests.support.recordings import FILES, Asked

MOST_EXCEPTED = 0.05


@pytest.mark.parametrize("dialect", list(FILES), ids=lambda dialect: dialect.value)
def test_the_emulator_answers_as_the_recorded_server(dialect: Dialect) -> None:
    found = list(replay(dialect))
    assert not found, summarise(found)


@pytest.mark.parametrize("dialect", list(FILES), ids=lambda dialect: dialect.value)
def test_hardly_an_exchange_is_excepted(dialect: Dialect) -> None:
    asked = [line for line in recordings.read(dialect) if isinstance(line, Asked)]
    assert len(asked) > 500
    assert sum(is_excepted(line, dialect) for line in asked) <= MOST_EXCEPTED * len(asked)
    assert all(NOT_REPLAYED.values()), "each exception has its reason"


@pytest.mark.parametrize("dialect", list(FILES), ids=lambda dialect: dialect.value)
def test_the_copy_is_the_recording_where_that_is_at_hand(dialect: Dialect) -> None:
    assert recordings.original(dialect) in (None, recordings.packed(dialect))
