"""What every test may use: golden files, compared exactly and rewritten by `pytest --rewrite-golden`.

And which of the collected tests run.
"""

from __future__ import annotations

import gc
import os
import re
from collections.abc import Generator, Iterable
from pathlib import Path
from typing import Callable
from zlib import crc32

import hypothesis
import pytest
from hypothesis.internal.conjecture import providers

from tests.support.dialects import NEWEST, STABLE, VARIABLE
from tests.support.draws import IS_SEEDED_ANEW, WHOLE, seed_of_this_run
from tests.support.versions import versions_at_work
from tests.support.warm_start import (
    compile_once,
    derive_once,
    import_everything,
    share_servers,
    warm_children,
)

pytest_plugins = ("tests.support.forked_tests",)

GOLDEN = Path(__file__).parent / "golden"
DIALECT = re.compile(rf"\bBCS-({NEWEST.name}|{STABLE.name})(?=[]-])")
"""What names the dialect among a test's parameters."""


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption(
        "--rewrite-golden",
        action="store_true",
        help="write what the tests produce into tests/golden instead of comparing; review the difference",
    )


def pytest_configure() -> None:
    """Let Hypothesis draw less, and the same each time, unless a seed is given or sweeps are whole.

    It would also draw what it finds in our modules, and which of them a process has loaded differs each time.
    And have the children that render forked, our own templates compiled once, and keys derived once, unless
    sweeps are whole (tests/support/warm_start.py).
    """
    if not WHOLE:
        warm_children()
        compile_once()
        derive_once()
    if not (WHOLE or IS_SEEDED_ANEW):
        hypothesis.settings.register_profile(
            "always-the-same",
            derandomize=True,
            database=None,
            max_examples=25,
            deadline=None,  # other tests measure time; a busy machine is no mistake, here or there
            suppress_health_check=[hypothesis.HealthCheck.too_slow],
        )
        hypothesis.settings.load_profile("always-the-same")
        providers._get_local_constants = lambda: providers._local_constants


def pytest_report_header() -> str:
    """Name the versions of our dependencies that this run is about."""
    return "dependencies: " + ", ".join(f"{name} {at_work}" for name, at_work in versions_at_work().items())


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter) -> None:
    """Name the seed of what was drawn, also where nothing went wrong."""
    terminalreporter.write_line(f"What was drawn was drawn by BCS_SEED={seed_of_this_run()}")


@pytest.hookimpl(tryfirst=True)
def pytest_runtestloop(session: pytest.Session) -> None:
    """Prepare once what each of several processes would."""
    if session.config.getoption("processes") != "0":
        import_everything()
        gc.freeze()


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Keep each end-to-end test on one BCS, unless some are named."""
    if not os.environ.get(VARIABLE):
        kept = on_one_dialect(items)
        config.hook.pytest_deselected(items=[item for item in items if item not in kept])
        items[:] = [item for item in items if item in kept]


@pytest.hookimpl(wrapper=True)
def pytest_collection(session: pytest.Session) -> Generator[None, object, object]:
    """Let no collection of garbage look at thousands of tests again and again, be it while they are made."""
    if session.config.getoption("processes") != "0":
        share_servers()
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.set_threshold(50_000, 20, 20)  # what lives long is frozen, and a test makes little
        gc.enable()


def on_one_dialect(items: Iterable[pytest.Item]) -> set[pytest.Item]:
    """Return the tests without those that would run again on another BCS: its name decides which one it is.

    So of a feature's tests some run on the stable BCS and some on the newest; CI runs all on both.
    """
    variants: dict[str, list[pytest.Item]] = {}
    for item in items:
        variants.setdefault(DIALECT.sub("", item.nodeid), []).append(item)
    return {found[crc32(name.encode()) % len(found)] for name, found in variants.items()}


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
