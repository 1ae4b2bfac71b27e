"""No secret, and no eight characters of one, in anything that a run says, writes or keeps, whatever fails."""

from __future__ import annotations

import random
from collections.abc import Iterator
from dataclasses import replace

import pytest

from bcs_template_set.step import identify, read_everything
from tests.end_to_end.publishing import SPACE, Site
from tests.torture.canaries import (
    CREDENTIALS,
    Nest,
    all_pokes,
    echoes,
    leaks,
    left_by,
    live_among,
    nest_of,
    nesting,
    poke,
)
from tests.torture.fault_table import KINDS, Kind
from tests.torture.living import Lived
from tests.torture.seeds import seed_of_this_run

SEED = seed_of_this_run()
NEST = nest_of(SEED)
AT_THE_CUT = (0, 430, 465, 480, 490)
"""Characters in front of what a server says back: from the fifth hundred on, only its beginning is shown."""


@pytest.fixture(scope="module")
def site() -> Iterator[Site]:
    """Yield a site with a canary in every place."""
    with nesting(NEST) as made:
        yield made
        # A server that says secrets back is one that has them: the emulator's rule is for requests.
        assert made.emulator.violations == []


def check(site: Site, lived: Lived, *, nest: Nest = NEST) -> None:
    """Assert that no canary is in anything the run left, and that what was searched is all of it."""
    assert leaks(lived, nest) == [], f"BCS_SEED={SEED}"
    assert site.emulator.defects == []


@pytest.mark.parametrize("credential", CREDENTIALS)
@pytest.mark.parametrize("action", ["plan", "publish", "deploy"])
def test_a_run_that_succeeds_leaves_none(
    site: Site, action: str, credential: str, capfd: pytest.CaptureFixture[str]
) -> None:
    lived = live_among(site, NEST, action=action, credential=credential)
    assert lived.code == 0, lived.log
    check(site, lived)
    assert NEST.find(dict(enumerate_streams(capfd))) == []


def enumerate_streams(capfd: pytest.CaptureFixture[str]) -> Iterator[tuple[str, str]]:
    out, err = capfd.readouterr()
    yield "stdout", out
    yield "stderr", err


def test_the_search_finds_what_is_there(site: Site) -> None:
    """BCS gets the Secret whole; and what is searched for is found in it, also by its half."""
    lived = live_among(site, NEST)
    content = site.emulator.state.current_content(SPACE, "secret.yaml")
    assert NEST.canaries["stringData"] in content
    found = NEST.find({"the version": content, "half": NEST.canaries["app secret"][3:11]})
    assert {line.partition(" in ")[0] for line in found} == {"stringData", "data", "app secret"}
    assert "***" in left_by(lived)[".bcs-template-set/run/rendered/secret.yaml"]


@pytest.mark.parametrize("kind", KINDS, ids=lambda kind: str(kind.name))
def test_a_run_that_is_struck_leaves_none(site: Site, kind: Kind) -> None:
    """Two of every kind, drawn by a seed; `python -m tests.torture canaries` strikes every request."""
    of_kind = [wanted for wanted in all_pokes(dict.fromkeys(CREDENTIALS, 12)) if wanted.kind is kind]
    chance = random.Random(f"{SEED} {kind.name}")  # noqa: S311 - no secret
    for wanted in chance.sample(of_kind, 2):
        assert poke(site, NEST, wanted) == [], f"BCS_SEED={SEED}: {wanted}"
    assert site.emulator.defects == []


@pytest.mark.parametrize("padding", AT_THE_CUT)
@pytest.mark.parametrize("credential", CREDENTIALS)
def test_a_server_that_says_them_back_is_not_quoted(site: Site, credential: str, padding: int) -> None:
    """Whole, in every encoding, and where its words are cut in the middle of one."""
    quoted = 0
    for fault in echoes(NEST, nth=2, padding=padding, credential=credential):
        site.emulator.faults.add(fault)
        lived = live_among(site, NEST, credential=credential)
        site.emulator.faults.clear()
        quoted += "***" in lived.log.partition("Failed")[2]
        check(site, lived)
    assert quoted


def test_settings_region_and_principal_show_none_by_themselves(site: Site) -> None:
    world = live_among(site, NEST).world
    settings, region = read_everything(world)
    principal = identify(world, settings, region)
    # `values` are the author's own text, and printed as "YAML, 1 lines".
    shown = {"settings": repr(replace(settings, values="")), "region": repr(region)}
    shown["principal"] = f"{principal!r} {principal} {principal.secrets()}"
    assert NEST.find(shown) == []


def test_an_address_with_a_password_is_refused_as_a_page_to_verify_and_not_quoted(site: Site) -> None:
    address = f"https://robot:{NEST.canaries['userinfo in values']}@www.example.com/"
    lived = live_among(site, NEST, verify_urls=f"{address} contains build 8")
    assert lived.code == 800102, lived.log
    assert "//***@www.example.com/" in lived.log
    check(site, lived)


# --- where the network is set up ------------------------------------------------------------------------


def test_a_proxys_password_shows_nowhere(site: Site, monkeypatch: pytest.MonkeyPatch) -> None:
    """The proxy is asked, since no gateway is on this machine; nobody listens there."""
    proxy = f"http://robot:{NEST.canaries['userinfo of a proxy']}@127.0.0.1:9"
    monkeypatch.setenv("http_proxy", proxy)
    monkeypatch.delenv("no_proxy", raising=False)
    lived = live_among(site, NEST, region={"gateway": "http://bcs.example.com"})
    assert lived.code == 800601, lived.log
    assert "the proxy that the environment variables name" in lived.log
    check(site, lived)


def test_neither_a_proxy_nor_a_netrc_is_used_for_this_machine(
    site: Site, monkeypatch: pytest.MonkeyPatch
) -> None:
    netrc = site.root / ".netrc"
    netrc.write_text(f"machine 127.0.0.1 login robot password {NEST.canaries['userinfo of a proxy']}\n")
    netrc.chmod(0o600)
    monkeypatch.setenv("HOME", str(site.root))
    monkeypatch.setenv("NETRC", str(netrc))
    for name in ("http_proxy", "HTTP_PROXY", "all_proxy", "ALL_PROXY"):
        monkeypatch.setenv(name, "http://127.0.0.1:9")
    lived = live_among(site, NEST)
    assert lived.code == 0, lived.log
    assert all("authorization" not in exchange.request.headers for exchange in lived.exchanges)
