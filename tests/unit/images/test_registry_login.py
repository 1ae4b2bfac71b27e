"""Where a registry's password may go, and how what a registry asks for is read."""

from __future__ import annotations

import time
from typing import Optional

import pytest

from bcs_template_set.images.registry_answers import (
    Challenge,
    Login,
    challenge_in,
    is_here,
    login_for,
    may_give_tokens,
    may_see_password,
    token_url,
)
from bcs_template_set.manifests.image_form import ImageName
from bcs_template_set.messages.secret import Secret

NAME = ImageName("registry.example.com", "team/web", "1")
REALM = "https://registry.example.com/token"


@pytest.mark.parametrize(
    ("header", "expected"),
    [
        (f'Bearer realm="{REALM}",service="s",scope="x"', Challenge("bearer", REALM, "s")),
        (f'bearer  realm="{REALM}"', Challenge("bearer", REALM)),
        (f'Basic realm="x", Bearer realm="{REALM}",service="a b"', Challenge("bearer", REALM, "a b")),
        (f'Bearer realm="{REALM}", Basic realm="x"', Challenge("bearer", REALM)),
        ('Basic realm="x"', Challenge("basic")),
        ("basic", Challenge("basic")),
        ("", None),
        ("Negotiate", None),
        ("Bearer", None),
        ('Bearer realm=""', None),
        ('Bearer realm="ftp://example.com/"', None),
        ('Bearer realm="https://user:word@example.com/"', None),
        ('Bearer realm="https://example.com:99999/"', None),
        ('Bearer realm="https://example.com:0/"', None),
        ('Bearer realm="https://[::1/"', None),
        ('Bearer realm="https://example.com/\r\nX: y"', None),
        (f'Bearer realm="{REALM}",service="\u00e9"', None),
    ],
)
def test_what_a_registry_asks_for_is_a_token_or_the_password(
    header: str, expected: Optional[Challenge]
) -> None:
    assert challenge_in(header) == expected


def test_who_asks_for_the_password_itself_names_no_address() -> None:
    assert (Challenge("basic").realm, Challenge("basic").service) == ("", "")


def test_a_challenge_of_one_long_word_takes_no_time() -> None:
    began = time.process_time()
    assert challenge_in("Bearer " + "a" * 64_000) is None
    assert time.process_time() - began < 1, "it took 14 s"


def test_a_token_is_asked_for_that_may_pull_and_no_more() -> None:
    realm = f"{REALM}?a=1&scope=repository:other:push&service=x#y"
    asked = "https://registry.example.com/token?a=1&service=s+1&scope=repository%3Ateam%2Fweb%3Apull"
    assert token_url(Challenge("bearer", realm, "s 1"), NAME) == asked
    assert "service" not in token_url(Challenge("bearer", REALM), NAME)


@pytest.mark.parametrize(
    ("host", "realm", "tokens", "password"),
    [
        ("registry.example.com", REALM, True, True),
        ("registry.example.com:5000", "https://registry.example.com:5001/auth", True, True),
        ("Registry.example.com", "https://REGISTRY.example.com/auth", True, True),
        ("registry.gitlab.com", "https://gitlab.com/jwt/auth", True, True),
        ("registry-1.docker.io", "https://auth.docker.io/token", True, True),
        ("registry.cn-hangzhou.aliyuncs.com", "https://dockerauth.cn-hangzhou.aliyuncs.com/auth", True, True),
        ("shop.cn-beijing.cr.aliyuncs.com", "https://dockerauth.cn-beijing.aliyuncs.com/auth", True, True),
        ("registry.cn-hangzhou.aliyuncs.com", "https://dockerauth.us-east-1.aliyuncs.com/auth", True, False),
        ("registry.example.com", "https://auth.example.com/token", True, False),
        ("registry.example.com", "https://registry.example.com.evil.com/token", True, False),
        ("registry.example.com", "https://evilregistry.example.com/token", True, False),
        ("example.com", "https://com/token", True, False),
        ("192.0.2.1", "https://0.2.1/token", True, False),
        ("registry.example.com", "http://registry.example.com/token", False, False),
        ("registry.example.com", "http://127.0.0.1/token", False, False),
        ("127.0.0.1:5000", "http://127.0.0.1:5000/token", True, True),
        ("127.0.0.1:5000", "http://localhost:5000/token", True, False),
        ("[::1]:5000", "http://[::1]:5000/token", True, True),
        ("x.registry.cn-a.aliyuncs.com", "https://x.dockerauth.cn-a.aliyuncs.com/auth", True, False),
        ("registry.example.com", "", False, False),
        ("", "https://mutant/token", True, False),
        ("[:::]", "https://mutant/token", True, False),
    ],
)
def test_tokens_come_by_https_and_the_password_goes_to_the_registrys_own_places(
    *, host: str, realm: str, tokens: bool, password: bool
) -> None:
    assert (may_give_tokens(host, realm), may_see_password(host, realm)) == (tokens, password)


@pytest.mark.parametrize("host", ["localhost", "localhost:5000", "127.0.0.1", "127.9.9.9:1", "[::1]:5000"])
def test_this_machine_is_known_by_its_name(host: str) -> None:
    assert is_here(host)


@pytest.mark.parametrize(
    "host", ["example.com", "a.localhost", "0.0.0.0:5000", "10.0.0.1", "127.0.0.1.evil.com", "[:::]", "[::1"]
)
def test_another_machine_is_not_this_one(host: str) -> None:
    assert not is_here(host)


def test_a_login_is_for_one_registry_by_whatever_name() -> None:
    login = Login("index.docker.io", "robot", Secret("canary"))
    assert login_for(login, ImageName("docker.io", "library/nginx")) is login
    assert login_for(login, NAME) is None
    assert login_for(None, NAME) is None
    assert "canary" not in repr(login)
    assert login.header().reveal() == "Basic cm9ib3Q6Y2FuYXJ5"
    assert Login("a", "b", Secret("\ud800")).header().reveal() == "Basic YjrtoIA="
