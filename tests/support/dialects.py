"""Which BCS the tests' sites run, where a test does not choose.

Every end-to-end test has two forms, on the stable release and on the newest: its conftest.py goes through
`chosen`. Of the two, one runs (tests/conftest.py). `BCS_DIALECTS` names those that run: `BCS_DIALECTS="C A"
make pytest` runs both.
"""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager

from tests.emulator import Dialect

VARIABLE = "BCS_DIALECTS"
STABLE, NEWEST = Dialect.A, Dialect.C
_at_work = [NEWEST]


def chosen() -> list[Dialect]:
    """Return the dialects to run everything on."""
    named = os.environ.get(VARIABLE, "").split()
    return [Dialect[name] for name in named] or [NEWEST, STABLE]


def at_work() -> Dialect:
    """Return the dialect that a site speaks now."""
    return _at_work[-1]


@contextmanager
def speaking(dialect: Dialect) -> Iterator[None]:
    """Let the sites that are made meanwhile speak a dialect."""
    _at_work.append(dialect)
    try:
        yield
    finally:
        _at_work.pop()
