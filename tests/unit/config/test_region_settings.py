from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcs_template_set.config.regions import KEYS, App, Endpoint, Region, read_regions, secrets_of
from bcs_template_set.messages import LANGUAGES
from bcs_template_set.messages.errors import PrivateSettingsInvalid
from bcs_template_set.messages.secret import Secret

WHOLE = """
gz:
  gateway: https://bkapi.example.com/api/bcs-api-gateway/prod/
  path_prefix: /v4
  console_url: https://bcs.example.com
  app_code: my_app
  app_secret: "canary-1"
  owner: zhangsan
  users:
    lisi: {app_code: lisi_app, app_secret: "canary-2"}
  authorizer: platform
  run_as: [modifier, authorizer]
  people: environment
  proxy: http://me:canary-3@proxy.example.com:3128/
  ca_bundle: /etc/ssl/private-ca.pem
  tenant_id: t1
  connect_timeout: 3
  read_timeout: 90.5
  concurrency: 4
  progress_detail: true
"""


def complaint(text: str) -> str:
    with pytest.raises(PrivateSettingsInvalid) as caught:
        read_regions(text)
    shown = "\n".join("\n".join(caught.value.explain(language)) for language in LANGUAGES)
    assert "canary" not in shown, "a secret is in an error"
    return shown


def test_every_key_of_the_contract_is_read() -> None:
    assert read_regions(WHOLE) == {
        "gz": Region(
            name="gz",
            endpoint=Endpoint(
                gateway="https://bkapi.example.com/api/bcs-api-gateway/prod",
                path_prefix="/v4",
                tenant_id="t1",
                ca_bundle="/etc/ssl/private-ca.pem",
                connect_timeout=3.0,
                read_timeout=90.5,
                concurrency=4,
                proxy="http://me:canary-3@proxy.example.com:3128",
            ),
            console_url="https://bcs.example.com",
            app=App("my_app", Secret("canary-1")),
            owner="zhangsan",
            users={"lisi": App("lisi_app", Secret("canary-2"))},
            names_authorizer=True,
            run_as=("authorizer", "modifier"),
            recorded_people=False,
            progress_detail=True,
        )
    }


def test_json_is_read_too_and_what_is_left_out_takes_its_default() -> None:
    region = read_regions(json.dumps({"sh": {"gateway": "http://127.0.0.1:8080"}}))["sh"]
    assert region == Region(name="sh", endpoint=Endpoint(gateway="http://127.0.0.1:8080"))
    assert (region.endpoint.path_prefix, region.endpoint.concurrency) == ("/v4", 64)


def test_an_empty_path_prefix_is_a_choice_not_an_omission() -> None:
    endpoint = read_regions('{"mt": {"gateway": "https://a", "path_prefix": ""}}')["mt"].endpoint
    assert endpoint.path_prefix == ""


@pytest.mark.parametrize(
    ("lines", "place"),
    [
        ("unheard: of", "regions.gz.unheard is not a known key; known: gateway, path_prefix"),
        ("gatewy: https://a", 'regions.gz.gatewy is not known. Did you mean "gateway"?'),
        ("gateway: ftp://a", "regions.gz.gateway"),
        ("authorizer: true", "regions.gz.authorizer"),
        ("authorizer: pipeline", "regions.gz.authorizer"),
        ("people: recorded", "regions.gz.people"),
        ("run_as: authorizer", "regions.gz.run_as"),
        ("run_as: []", "regions.gz.run_as"),
        ("run_as: [authorizer, authorizer]", "regions.gz.run_as"),
        ("run_as: [boss]", "regions.gz.run_as"),
        ("run_as: [[starter]]", "regions.gz.run_as"),
        ("proxy: proxy.example.com", "regions.gz.proxy"),
        ("proxy: 'socks5://proxy:1080'", "regions.gz.proxy"),
        ("proxy: 'ftp://me:canary@proxy'", "regions.gz.proxy"),
        ("gateway: ''", "regions.gz.gateway is missing"),
        ("gateway: https://a:0", "regions.gz.gateway"),
        ("gateway: https://a?x=1", "regions.gz.gateway"),
        ("gateway: 'https://[::1'", "regions.gz.gateway"),
        ("gateway: https://a:99999", "regions.gz.gateway"),
        ("gateway: [https://a]", "regions.gz.gateway"),
        ("gateway: https://a\n  path_prefix: v4", "regions.gz.path_prefix"),
        ("gateway: https://a\n  app_code: x", "regions.gz.app_secret is missing"),
        ("gateway: https://a\n  app_secret: canary", "regions.gz.app_code is missing"),
        ("gateway: https://a\n  app_code: x\n  app_secret: [canary]", "regions.gz.app_secret is ***;"),
        ("gateway: https://a\n  app_code: 12\n  app_secret: canary", "put a number or true/false in quotes"),
        ("gateway: https://a\n  concurrency: 0", "regions.gz.concurrency"),
        ("gateway: https://a\n  concurrency: true", "regions.gz.concurrency"),
        ("gateway: https://a\n  read_timeout: 9999", "regions.gz.read_timeout"),
        ("gateway: https://a\n  read_timeout: 0", "regions.gz.read_timeout"),
        ("gateway: https://a\n  read_timeout: 600.5", "regions.gz.read_timeout"),
        ("proxy: 'http://me:canary@'", "regions.gz.proxy"),
        ("gateway: https://a\n  app_code: [x]", "regions.gz.app_code is a list;"),
        ("gateway: https://a\n  people: 'x canary'", "regions.gz.people is ***;"),
        (f"gateway: https://a\n  people: {'x' * 90}", f"regions.gz.people is {'x' * 80};"),
        ("gateway: https://a\n  'canary x': 1", "regions.gz.*** is not a known key"),
        ("gateway: https://a\n  users: {'canary x': 1}", "regions.gz.users.*** must be"),
        ("gateway: https://a\n  users: {lisi: {}}", "regions.gz.users.lisi.app_code is missing"),
        ("gateway: https://a\n  progress_detail: maybe", "regions.gz.progress_detail"),
        ("gateway: https://a\n  users: [lisi]", "regions.gz.users"),
        ("gateway: https://a\n  users: {lisi: {app_code: x}}", "regions.gz.users.lisi.app_secret is missing"),
        ("gateway: https://a\n  users: {lisi: {secret: canary}}", "regions.gz.users.lisi.secret"),
    ],
)  # fmt: skip
def test_a_mistake_names_region_and_key(lines: str, place: str) -> None:
    assert place in complaint(f"gz:\n  {lines}\n")


def test_all_mistakes_of_all_regions_are_in_one_message() -> None:
    text = complaint("a: {gateway: x}\nb: {gateway: https://b, ownr: z}\nc: 1\n")
    for place in ("regions.a.gateway", "regions.b.ownr", "regions.c must be"):
        assert place in text
    assert 'Did you mean "owner"?' in text


def test_what_is_empty_or_at_its_bound_is_taken() -> None:
    text = "{gateway: 'https://a:1', path_prefix: /v4/, app_code: '', read_timeout: 1, concurrency: 1}"
    found = read_regions(f"gz: {text}")
    endpoint = Endpoint("https://a:1", path_prefix="/v4", read_timeout=1, concurrency=1)
    assert found == {"gz": Region("gz", endpoint)}
    assert read_regions("gz: {gateway: https://a, people: record}")["gz"].recorded_people
    assert list(secrets_of(found.values())) == []
    usual = read_regions("gz: {gateway: https://a}")["gz"]
    assert (usual.endpoint.connect_timeout, usual.endpoint.read_timeout) == (5.0, 65.0)
    assert not usual.progress_detail


@pytest.mark.parametrize("text", ["", "  \n"])
def test_private_settings_without_regions_are_told_as_that(text: str) -> None:
    assert 'hold no "regions"' in complaint(text)


@pytest.mark.parametrize("text", ["", "  \n", "[]", "1", "{}", "a: b: c", "\tgz: 1", "gz: 1\ngz: 2"])
def test_what_is_no_table_of_regions_is_refused(text: str) -> None:
    assert complaint(text)


def test_a_broken_text_is_refused_without_showing_its_lines() -> None:
    assert "regions, line" in complaint('gz:\n  app_secret: "canary\n')
    assert "regions" in complaint("gz:\n  app_secret: canary\n bad: indent\n")


@pytest.mark.parametrize(
    ("secret", "says"),
    [
        ("canary7", "regions.gz.app_secret has fewer than 8 characters"),
        ("published", "regions.gz.app_secret is a word that the step itself prints"),
        ("canary_app", "regions.gz.app_secret is a word that the step itself prints"),
    ],
)
def test_a_secret_that_could_not_be_masked_is_a_mistake(secret: str, says: str) -> None:
    settings = f"gateway: https://a, app_code: canary_app, app_secret: {secret}"
    with pytest.raises(PrivateSettingsInvalid) as caught:
        read_regions(f"gz: {{{settings}}}")
    shown = "\n".join("\n".join(caught.value.explain(language)) for language in LANGUAGES)
    assert says in shown
    assert secret not in shown


def test_a_secret_that_is_the_name_of_its_user_or_region_is_a_mistake() -> None:
    gz = "gateway: https://a, users: {zhangsan: {app_code: x, app_secret: zhangsan}}"
    with pytest.raises(PrivateSettingsInvalid, match=r"regions\.gz\.users\.zhangsan\.app_secret is a word"):
        read_regions(f"gz: {{{gz}}}")


def test_a_password_in_a_gateway_address_is_masked() -> None:
    assert "***@bkapi" in complaint("gz: {gateway: 'https://me:canary@bkapi.example.com'}")


@given(
    st.dictionaries(
        st.sampled_from(KEYS),
        st.one_of(st.none(), st.booleans(), st.integers(), st.text(max_size=9)),
        max_size=5,
    )
)
def test_any_table_is_regions_or_one_error(table: dict[str, object]) -> None:
    try:
        regions = read_regions(json.dumps({"gz": table}))
    except PrivateSettingsInvalid:
        return
    assert regions["gz"].endpoint.gateway.startswith("http")


def test_a_proxys_password_is_a_secret_of_the_region() -> None:
    known = {secret.reveal() for secret in secrets_of(read_regions(WHOLE).values())}
    assert known == {"canary-1", "canary-2", "canary-3"}
    assert "canary" not in repr(read_regions(WHOLE))


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("ftp://host:8080/path", "ftp://host:8080/path"),
        ("https://host/path?token=canary", "https://host/path***"),
        ("https://host/path#canary", "https://host/path***"),
        ("ftp://me:canary@host:21", "ftp://***@host:21"),
        ("me:canary@host", "***@host"),
        ("ftp://host:canary", "ftp://host:***"),
        ("ftp://me:8canary/x", "ftp://me:***"),
        ("me:canary", "me:***"),
        ("ftp://host:123456", "ftp://host:***"),
        ("https:canary", "https:***"),
    ],
)
def test_what_follows_an_address_or_stands_for_its_port_is_masked(given: str, shown: str) -> None:
    assert f"gateway is {shown};" in complaint(json.dumps({"gz": {"gateway": given}}))


def test_what_follows_the_first_line_of_an_address_is_masked() -> None:
    assert "gateway is https:***;" in complaint(json.dumps({"gz": {"gateway": "https:me\ncanary"}}))
