"""How many requests it takes to find out which BCS answers, release by release."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from tests.emulator.dialect import V1_30, Dialect
from tests.support.dialects import speaking
from tests.support.publishing import SPACE, Ran, Site, config, open_site

HEADINGS = ("BCS", "the folder", "told in the log as", "requests", "to find it out")
ASKS = "/template/metadatas"


def _new(_: Site) -> None:
    """Leave the project without a folder."""


def _empty(site: Site) -> None:
    site.emulator.state.add_space(SPACE)


def _full(site: Site) -> None:
    for name in site.files:
        site.emulator.state.add_file(SPACE, name, content=config("old", "1"))


FOLDERS: tuple[tuple[str, Callable[[Site], None]], ...] = (
    ("has files", _full),
    ("is empty", _empty),
    ("is new", _new),
)


def measure() -> Iterator[tuple[str, ...]]:
    """Publish two files to every release in use."""
    for dialect in sorted(V1_30, key=lambda dialect: dialect.value):
        for name, prepare in FOLDERS:
            ran = _publish(dialect, prepare)
            asked = sum(e.method == "GET" and e.path.endswith(ASKS) for e in ran.exchanges)
            told = str(ran.outcome.heading.bcs)
            yield dialect.value, name, told, str(len(ran.exchanges)), str(asked)


def _publish(dialect: Dialect, prepare: Callable[[Site], None]) -> Ran:
    with speaking(dialect), open_site(a_yaml=config("a", "1"), b_yaml=config("b", "1")) as site:
        prepare(site)
        ran = site.run()
        if ran.outcome.result != "published":
            raise RuntimeError(ran.log)
        return ran
