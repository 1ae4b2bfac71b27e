"""Secrets are taken out of text in every form that software in between gives them."""

from __future__ import annotations

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from hypothesis import given
from hypothesis import strategies as st
from markupsafe import escape

from bcs_template_set.atom_sdk.masking import PIECE, SHORTEST, Masker, forms_of
from bcs_template_set.secret import Secret

SECRET = 'pa/ss+w"ö\\rd 9'


def masker_of(*secrets: str) -> Masker:
    masker = Masker()
    for secret in secrets:
        masker.add(Secret(secret))
    return masker


@pytest.mark.parametrize(
    "shown",
    [
        SECRET,
        quote(SECRET),
        quote(SECRET, safe=""),
        quote(SECRET, safe="").lower(),
        quote_plus(SECRET),
        json.dumps(SECRET)[1:-1],
        json.dumps(SECRET, ensure_ascii=False)[1:-1],
        json.dumps(json.dumps({"bk_app_secret": SECRET}))[1:-1],
        str(escape(SECRET)),
        base64.b64encode(SECRET.encode()).decode(),
        base64.urlsafe_b64encode(SECRET.encode()).decode().rstrip("="),
    ],
)
def test_a_secret_is_masked_in_every_form(shown: str) -> None:
    masked = masker_of(SECRET).mask(f"before {shown} after")
    assert "***" in masked
    assert shown not in masked
    assert masked.startswith("before ")
    assert masked.endswith(" after")


@pytest.mark.parametrize("user", ["a", "ab", "abc"])
def test_a_secret_is_masked_inside_a_longer_base64_text(user: str) -> None:
    basic = base64.b64encode(f"{user}:{SECRET}:more".encode()).decode()
    masked = masker_of(SECRET).mask(f"Authorization: Basic {basic}")
    assert "***" in masked
    longest = max(masked.split(" ")[-1].split("***"), key=len)
    assert SECRET[2:-2] not in base64.b64decode(longest + "=" * (-len(longest) % 4)).decode(
        "utf-8", "replace"
    )


def test_each_line_of_a_secret_with_several_is_masked() -> None:
    key = "-----BEGIN KEY-----\nMIIEabcdef\nghijklmnop\n-----END KEY-----\n"
    masked = masker_of(key).mask("line 2 is MIIEabcdef\nline 3 is ghijklmnop")
    assert masked == "line 2 is ***\nline 3 is ***"


def test_the_longer_of_two_secrets_that_overlap_goes_first() -> None:
    assert masker_of("token", "token-of-lisi").mask("token-of-lisi token") == "*** ***"


def test_an_empty_or_very_short_secret_hides_nothing() -> None:
    assert masker_of("", " ", "a", "abc").mask("a b abc") == "a b abc"
    assert SHORTEST == 4


def test_without_secrets_text_stays_as_it_is() -> None:
    assert Masker().mask("text") == "text"


@given(st.text(min_size=SHORTEST).filter(lambda s: len(s.strip()) >= SHORTEST), st.text(), st.text())
def test_no_text_keeps_a_secret_that_was_put_into_it(secret: str, before: str, after: str) -> None:
    masked = masker_of(secret).mask(before + secret + after)
    assert secret not in masked or secret in "***" or "***" in secret or secret in (before + "***" + after)


LONG = "riGp/58WAm+dX3a5IDnOdcdbWB2d-C4/DSDC"
"""A secret of which a piece tells something, with characters that encodings change."""


@pytest.mark.parametrize("size", range(PIECE, len(LONG)))
@pytest.mark.parametrize("form", sorted(forms_of(Secret(LONG)), key=len)[:3])
def test_of_a_secret_in_which_a_text_was_cut_nothing_is_left(form: str, size: int) -> None:
    masker = masker_of(LONG)
    assert masker.mask(f"you sent {form[:size]}") == "you sent ***"
    assert masker.mask(f"{form[-size:]} was sent") == "*** was sent"


def test_a_shorter_secret_is_looked_for_whole() -> None:
    """Its beginning would be the app's name, in every line of the log."""
    assert (
        masker_of("web_shop-secret").mask("app web_shop, secret web_shop-secret")
        == "app web_shop, secret ***"
    )


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("postgres://robot:pass@db.example.com/x", "postgres://***@db.example.com/x"),
        ("see https://token@example.com.", "see https://***@example.com."),
        ('{"url": "https:\\/\\/robot:pass@db"}', '{"url": "https:\\/\\/***@db"}'),
        ("https://robot:pass…", "https://***@…"),
        ("https://example.com/a@b", "https://example.com/a@b"),
        ("https://example.com:8080/ by lisi@example.com", "https://example.com:8080/ by lisi@example.com"),
    ],
)
def test_what_stands_in_front_of_the_at_of_an_address_is_masked(text: str, masked: str) -> None:
    assert Masker().mask(text) == masked
