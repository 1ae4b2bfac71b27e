"""No secret, and no eight characters of one, in anything that a run says, writes or keeps, whatever fails."""

from __future__ import annotations

import base64
import itertools
import json
import random
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bcs_template_set.bcs.seen import SHOWN
from bcs_template_set.cli.main import main
from bcs_template_set.run.settings_phase import identify, read_everything
from tests.emulator.faults import Fault, Match
from tests.support.draws import WHOLE, in_turn, seed_of_this_run, swept
from tests.support.living import Lived
from tests.support.publishing import SPACE, Site
from tests.torture.canaries import (
    CREDENTIALS,
    PIECE,
    Nest,
    all_pokes,
    echoes,
    forms,
    hide,
    leaks,
    left_by,
    live_among,
    nest_of,
    nesting,
    poke,
    secret_manifest,
)
from tests.torture.fault_table import KINDS, Kind

SEED = seed_of_this_run()
NEST = nest_of(SEED)
PLAIN, DATA = NEST.canaries["stringData"], base64.b64encode(NEST.canaries["data"].encode()).decode()
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


@pytest.mark.parametrize(("credential", "action"), in_turn(CREDENTIALS, ["deploy", "plan", "publish"]))
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


@pytest.mark.parametrize("kind", swept(KINDS, sample=3), ids=lambda kind: str(kind.name))
def test_a_run_that_is_struck_leaves_none(site: Site, kind: Kind) -> None:
    """One of every kind, drawn by a seed; `python -m tests.torture canaries` strikes every request."""
    of_kind = [wanted for wanted in all_pokes(dict.fromkeys(CREDENTIALS, 12)) if wanted.kind is kind]
    chance = random.Random(f"{SEED} {kind.name}")  # noqa: S311 - no secret
    for wanted in chance.sample(of_kind, 1):
        assert poke(site, NEST, wanted) == [], f"BCS_SEED={SEED}: {wanted}"
    assert site.emulator.defects == []


@pytest.mark.parametrize(
    ("credential", "padding"), swept(itertools.product(CREDENTIALS, AT_THE_CUT), sample=1)
)
def test_a_server_that_says_them_back_is_not_quoted(site: Site, credential: str, padding: int) -> None:
    """Whole, in every encoding, and where its words are cut in the middle of one."""
    quoted = 0
    nth = 3 if credential else 2  # BCS: first comes the project, whose refusal is told without its words
    for fault in echoes(NEST, nth=nth, padding=padding, credential=credential):
        site.emulator.faults.add(fault)
        lived = live_among(site, NEST, credential=credential)
        site.emulator.faults.clear()
        quoted += "***" in lived.log.partition("Failed")[2]
        check(site, lived)
    assert quoted


@pytest.mark.parametrize("credential", swept(CREDENTIALS[1:], sample=1))
def test_what_bk_ci_says_back_is_not_quoted(site: Site, credential: str) -> None:
    for name in ("agent secret key", "app secret", "app secret of another region"):
        chance = random.Random(f"{SEED} {credential} {name}")  # noqa: S311 - no secret
        for form in chance.sample(list(forms(NEST.canaries[name])), 12 if WHOLE else 3):
            said = json.dumps({"status": 2199001, "message": f"you sent {form}"})
            site.emulator.faults.add(Fault("answer", Match(nth=1), status=200, body=said))
            lived = live_among(site, NEST, credential=credential)
            site.emulator.faults.clear()
            assert "***" in lived.log.partition("you s")[2], lived.log  # a letter may happen to fit before it
            check(site, lived)


@pytest.mark.parametrize("size", swept(range(PIECE, 2 * PIECE), sample=2))
def test_of_a_short_secret_nothing_is_left_where_a_servers_words_are_cut(site: Site, size: int) -> None:
    secret = NEST.canaries["another private setting"].replace("@", "a")[:size]
    site.emulator.state.add_app("web_app", secret, vouches_for={"lisi"})
    for shown in range(PIECE, size + 1):
        said = json.dumps({"code": 1, "message": f"{'x' * (SHOWN - shown - 1)} {secret}"})
        site.emulator.faults.add(Fault("answer", Match(path="^/api/", nth=2), status=200, body=said))
        lived = live_among(site, NEST, region={"app_secret": secret})
        site.emulator.faults.clear()
        assert lived.code == 800608, lived.log
        assert [where for where, text in left_by(lived).items() if secret[:PIECE] in text] == []
    hide(site, NEST)


def test_a_cluster_that_quotes_a_kubernetes_secret_is_not_quoted(site: Site) -> None:
    """As API servers do that can't read one; the dry run and the deployment tell it beside code 0."""
    said = f'...|ain": "{PLAIN}"|..., bigger context ...|{secret_manifest(NEST, plain="stringData")}'
    for call in ("template/preview$", "template/deploy$"):
        body = json.dumps({"code": 0, "message": "OK", "data": {"items": [], "error": said}})
        fault = site.emulator.faults.add(Fault("answer", Match("POST", call), times=9, status=200, body=body))
        lived = live_among(site, NEST, redeploy="true")
        site.emulator.faults.clear()
        assert fault.struck
        assert "***" in lived.log.partition("Failed")[2], lived.log
        check(site, lived)


@pytest.mark.parametrize("whose", ["the author's", "the namespace's own"])
def test_a_cluster_that_quotes_what_a_variable_put_into_a_secret_is_not_quoted(
    site: Site, whose: str
) -> None:
    site.files["odd.yaml.j2"] = (
        f"{HEAD.replace('passwords', 'odd')}stringData: {{a: 'x-{{{{ bcs(\"OWN\") }}}}-y'}}\n"
    )
    given = f"OWN: {WORD}" if whose == "the author's" else ""
    if not given:
        site.emulator.state.set_namespace_variable("OWN", WORD)
    try:
        for call in ("template/preview$", "template/deploy$"):
            said = f'illegal base64 data in "x-{WORD}-y", which is {WORD} here'
            body = json.dumps({"code": 0, "message": "OK", "data": {"items": [], "error": said}})
            match = Match("POST", call)
            fault = site.emulator.faults.add(Fault("answer", match, times=9, status=200, body=body))
            lived = live_among(site, NEST, redeploy="true", variables=given)
            site.emulator.faults.clear()
            assert fault.struck
            assert 'in "***", which is ***' in lived.log.partition("Failed")[2], lived.log
            check(site, lived)
    finally:
        del site.files["odd.yaml.j2"]


# --- Kubernetes Secrets that are not what they should be -------------------------------------------------

HEAD = "apiVersion: v1\nkind: Secret\nmetadata: {name: passwords}\n"
BROKEN = {
    "a colon": f"{HEAD}stringData:\n  plain: {PLAIN}: x: y\n",
    "an indent": f"{HEAD}stringData:\n  a: 'b'\n c: '{PLAIN}'\n",
    "a tab": f"{HEAD}stringData:\n\tplain: '{PLAIN}'\n",
    "an escape": f'{HEAD}stringData:\n  plain: "{PLAIN}\\q"\n',
    "a key twice": f"{HEAD}stringData:\n  a: '{PLAIN}'\n  a: '{PLAIN}'\n",
    "a value as a key": f"{HEAD}stringData:\n  ? '{PLAIN}'\n  ? '{PLAIN}'\n",
    "a tag": f"{HEAD}data:\n  a: !foo '{DATA}'\n",
    "a list behind it": f"{HEAD}---\n- '{PLAIN}'\n",
    "JSON": f'{{"apiVersion": "v1", "kind":"Secret", "stringData": {{"a" "{PLAIN}"}}}}\n',
    "a kind in lower case": f"kind: 'secret'\nstringData:\n  plain: {PLAIN}: x\n",
    "braces": f"{HEAD}stringData: {{a: '{{% raw %}}{{{{ {PLAIN} }}}}{{% endraw %}}'}}\n",
}
ITEM = f"metadata: {{name: passwords}}, stringData: {{a: '{PLAIN}'}}, data: {{b: {DATA}}}"
ODD = {
    "a list without kinds": f"{{kind: SecretList, metadata: {{name: l}}, items: [{{{ITEM}}}]}}\n",
    "a kind in lower case": f"{{apiVersion: v1, kind: secret, {ITEM}}}\n",
    "a kind with a space": f"{{apiVersion: v1, kind: 'Secret ', {ITEM}}}\n",
    "a kind that BCS fills in": f"{{apiVersion: v1, kind: '{{{{ bcs(\"KIND\") }}}}', {ITEM}}}\n",
}


def live_with(site: Site, text: str, *, action: str) -> Lived:
    """Live a run with one more template."""
    site.files["odd.yaml.j2"] = text
    try:
        return live_among(site, NEST, action=action, variables="KIND: Secret")
    finally:
        del site.files["odd.yaml.j2"]


@pytest.mark.parametrize("how", BROKEN)
def test_a_secret_that_is_no_manifest_is_refused_without_its_lines(site: Site, how: str) -> None:
    lived = live_with(site, BROKEN[how], action="deploy")
    assert lived.code == 800307, lived.log
    assert "odd.yaml" in lived.log
    check(site, lived)


@pytest.mark.parametrize("how", ODD)
def test_what_may_be_meant_as_a_secret_is_shown_as_one(site: Site, how: str) -> None:
    lived = live_with(site, ODD[how], action="plan")
    assert "odd.yaml" in lived.log
    check(site, lived)


# --- private settings that are written wrongly -----------------------------------------------------------

WORD = NEST.canaries["userinfo in values"]


@pytest.mark.parametrize("key", ["gateway", "console_url"])
@pytest.mark.parametrize(
    "address",
    [
        f"https://robot:{WORD}@bcs.example.com",
        f"robot:{WORD}@bcs.example.com",
        f"//robot:{WORD}@bcs.example.com",
        f"robot:{WORD}//@bcs.example.com",
        f"https://robot:{WORD}",
        f"https://bcs.example.com/?token={WORD}",
        f"https://bcs.example.com/#{WORD}",
    ],
)
def test_an_address_of_a_region_is_not_quoted_with_its_password(site: Site, key: str, address: str) -> None:
    lived = live_among(site, NEST, region={key: address})
    assert lived.code == 800103, lived.log
    assert f"regions.gz.{key}" in lived.log
    check(site, lived)


@pytest.mark.parametrize("name", ["app secret", "access token", "bcs token"])
@pytest.mark.parametrize("place", ["{}: 1", "inputs: {{{}: 1}}", "build: {{{}: 1}}"])
def test_a_desks_settings_file_is_refused_without_a_key_that_is_a_token(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], name: str, place: str
) -> None:
    file = tmp_path / "desk.yaml"
    file.write_text(place.format(json.dumps(NEST.canaries[name])), encoding="utf-8")
    assert main(["plan", "--settings", str(file)]) == 1
    streams = dict(enumerate_streams(capfd))
    assert '"***" is not a known name' in streams["stderr"]
    assert NEST.find(streams) == []


def test_settings_region_and_principal_show_none_by_themselves(site: Site) -> None:
    world = live_among(site, NEST).services
    asked = read_everything(world)
    principal = identify(asked)
    # `values` are the author's own text, and printed as "YAML, 1 lines".
    shown = {"settings": repr(replace(asked.settings, values="")), "region": repr(asked.region)}
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
    assert "the proxy that the region or the machine's environment names" in lived.log
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
