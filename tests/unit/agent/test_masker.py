"""Secrets are taken out of text in whatever software wraps around them, and nothing of them stays beside."""

from __future__ import annotations

import base64
import random
import re
import string
import time
from collections.abc import Callable
from functools import partial

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.draws import swept
from tests.support.spellings import SPELLINGS, in_base64

from bcs_template_set.agent.masker import END, LONG, SHORTEST, Masker, Needles
from bcs_template_set.agent.wrappings import undone
from bcs_template_set.messages.secret import Secret

SECRETS = (
    'pa/ss+w"ö\\rd 9',
    "aB3&xY9>kk",
    "riGp/58WAm+dX3a5IDnOdcdbWB2d-C4/DSDC&<",
    "it's 100%ab & a\\u0041 <b>",
    "密钥&<钥匙>é!",
    "😀&fa<ce>😀",
)


def masker_of(*secrets: str) -> Masker:
    masker = Masker()
    for secret in secrets:
        masker.add(Secret(secret))
    return masker


@pytest.mark.parametrize("secret", SECRETS)
@pytest.mark.parametrize("spelling", SPELLINGS)
def test_a_secret_is_masked_in_every_spelling(spelling: str, secret: str) -> None:
    shown = SPELLINGS[spelling](secret)
    masked = masker_of(secret).mask(f"before {shown} after")
    assert masked.startswith("before ")
    assert masked.endswith(" after")
    left = masked[len("before ") : -len(" after")]
    assert "***" in left
    beside = re.sub(r"\*\*\*", "", left)
    assert beside in ("", "''", '\\"\\"', "0x") or "base64" in spelling
    check_nothing_readable(left, secret)


def check_nothing_readable(text: str, secret: str) -> None:
    """Assert that no piece of a secret can be read from what is left, also not in base64."""
    pieces = {secret[at : at + 4] for at in range(len(secret) - 3)}
    assert not {piece for piece in pieces if piece in text}
    for part in text.split("***"):
        for at in range(4):
            digits = "".join(c for c in part if c.isalnum() or c in "+/")[at:]
            read = base64.b64decode(digits + "A" * (-len(digits) % 4)).decode("utf-8", "replace")
            assert not {piece for piece in pieces if piece in read}


@pytest.mark.parametrize("between", [" ", ", ", ",\n    "])
def test_a_secret_is_masked_as_numbers(between: str) -> None:
    """As Go prints bytes, or JSON has them."""
    numbers = between.join(str(byte) for byte in b"aB3&xY9>kk")
    assert masker_of("aB3&xY9>kk").mask(f"1.0.7 at [12 {numbers}] 300") == "1.0.7 at [12 ***] 300"


def test_each_line_of_a_secret_with_several_is_masked() -> None:
    key = "-----BEGIN KEY-----\nMIIEabcdef\nghijklmnop\n-----END KEY-----\n"
    masked = masker_of(key).mask("line 2 is MIIEabcdef\nline 3 is ghijklmnop")
    assert masked == "line 2 is ***"  # what stands so close to two pieces is taken for a spelling of a third
    assert masker_of(key).mask("here: ghijklmnop, and no more of it") == "here: ***, and no more of it"


def test_a_secret_is_masked_where_its_spaces_are_others() -> None:
    assert masker_of("one two\tthree\nfour").mask("say one two three four!") == "say ***!"


def test_the_longer_of_two_secrets_that_overlap_goes_first() -> None:
    assert masker_of("token", "token-of-lisi").mask("token-of-lisi token") == "*** ***"
    assert masker_of("abcdefgh", "efghijkl").mask("abcdefghijkl") == "***"
    assert masker_of("abcdefgh", "ijklmnop").mask("abcdefghijklmnop") == "***"


def test_an_empty_or_very_short_secret_hides_nothing() -> None:
    assert masker_of("", " ", "a", "abc").mask("a b abc") == "a b abc"
    assert masker_of("abcd").mask("abcd, abc") == "***, abc"
    assert masker_of("seven77\neighthhh").mask("seven77, ever so far from eighthhh") == (
        "seven77, ever so far from ***"
    )
    assert masker_of("abcd\neighthhh").mask("eighthhh") == "***"
    assert SHORTEST == 4


def test_what_the_escapes_of_a_secret_mean_is_not_looked_for_where_it_is_short() -> None:
    assert masker_of("%6e%61%6d%65").mask("a name, %6e%61%6d%65") == "a name, ***"
    assert masker_of("%6e" * 7).mask("n" * 7) == "n" * 7
    assert masker_of("%6e" * 8).mask("n" * 8) == "***"


@pytest.mark.parametrize(
    ("secret", "text", "masked"),
    [
        ("abcdefgh", "abcdefgh! %41", "***! %41"),
        ("abcdefgh", "abcd efgh, %26", "***, %26"),  # what comes before an escape, with its spaces
        ("abcd&fgh", "abcd %26 fgh, &amp;", "***, &amp;"),
        ("onetwothree", "one!two!three", "one!two!three"),
        ("onetwothree", "one\x7ftwo\x1bthree", "***"),
        ("\x01\x02\x03\x04\x05\x06\x07\x08", "at [1 2 3 4 5 6 7 8]", "at [***]"),
        ("abcdefg", "(61:62:63:64:65:66:67:)", "(***:)"),
        ("abcdefgh", "(6162636465666768)", "(***)"),
        ("12345678", "(MTIzNDU2Nzg=)", "(***=)"),
        (
            "abcdefgh",
            in_base64(in_base64(in_base64("abcdefgh"))),
            "V1ZkS2FscEhWbTFhTW1jOQ==",
        ),  # twice, no more
    ],
)
def test_so_much_is_undone_and_what_is_beside_it_stays(secret: str, text: str, masked: str) -> None:
    assert masker_of(secret).mask(text) == masked


@pytest.mark.parametrize(
    ("text", "once"),
    [
        ("&#x10FFFF;", "\U0010ffff"),
        ("&#1114111;", "\U0010ffff"),
        (r"\ud83d\ude00", "\U0001f600"),
        (r"\U0001F600", "\U0001f600"),
        (r"\u{1f600}", "\U0001f600"),
        (r"\ud83d", "\ud83d"),
        ("%u4e2d", "\u4e2d"),
        ("&eacute;", "\u00e9"),
        (r"\b\f\n\r\t\v\/", "\b\f\n\r\t\v/"),
        (r"\141", "a"),
    ],
)
def test_an_escape_stands_for_a_character(text: str, once: str) -> None:
    assert [*undone(text.encode())] == [text.encode(), once.encode("utf-8", "surrogatepass")]


def test_what_is_escaped_no_more_is_shown_once() -> None:
    assert [*undone(b"abc &nothing; &#x110000;")] == [b"abc &nothing; &#x110000;"]
    assert [*undone(rb"\777")] == [rb"\777", b"\xff"]


def test_without_secrets_text_stays_as_it_is() -> None:
    assert Masker().mask("text &amp; \\u0026 %41 &nothing; &#x110000; \\u{110000}") == (
        "text &amp; \\u0026 %41 &nothing; &#x110000; \\u{110000}"
    )


TEXT = st.text(alphabet=st.one_of(st.characters(), st.sampled_from("\\%&u0026;ab'\"=+/ \n")))


@given(TEXT.filter(lambda s: len(s.strip()) >= SHORTEST), TEXT, TEXT)
def test_no_text_keeps_a_secret_that_was_put_into_it(secret: str, before: str, after: str) -> None:
    masked = masker_of(secret).mask(before + secret + after)
    found = secret.strip()
    assert found not in masked or found in "***" or "***" in found or found in (before + "***" + after)


@settings(max_examples=30)
@given(
    st.text(string.ascii_letters + string.digits + "&<>+/=\"' \\%é中", min_size=8, max_size=40),
    st.sampled_from(sorted(SPELLINGS)),
    st.sampled_from(["", "x", "say: ", '"', "a=", "\n"]),
)
def test_no_spelling_of_any_secret_stays(secret: str, spelling: str, beside: str) -> None:
    secret = f"q{secret}q"  # whatever is around it is not it
    shown = SPELLINGS[spelling](secret)
    masked = masker_of(secret).mask(f"{beside}{shown}{beside}")
    assert shown not in masked
    assert "***" in masked


LONG_ONE = "riGp/58WAm+dX3a5IDnOdcdbWB2d-C4/DSDC"
"""A secret of which a piece tells something, with characters that encodings change."""


@pytest.mark.parametrize("size", range(END, len(LONG_ONE)))
@pytest.mark.parametrize("spelling", ["plain", "URL", "Go in Go", "HTML"])
def test_of_a_secret_in_which_a_text_was_cut_nothing_is_left(spelling: str, size: int) -> None:
    masker, shown = masker_of(LONG_ONE), SPELLINGS[spelling]
    assert masker.mask(f"you sent {shown(LONG_ONE[:size])}") == "you sent ***"
    assert masker.mask(f"{shown(LONG_ONE[-size:])} was sent") == "*** was sent"


def test_the_middle_of_a_long_secret_is_masked() -> None:
    assert masker_of(LONG_ONE).mask(f"…{LONG_ONE[5:17]}…") == "…***…"


BIG = "".join(random.Random(7).choices(string.ascii_letters, k=70_000)).encode()  # noqa: S311 - no secret
"""Random letters: no four of them twice within some hundreds."""


def pieces_in(data: bytes, *texts: bytes) -> bytes:
    """Return what is found of texts, the rest as dots."""
    spans = list(Needles(texts).spans(data))
    return bytes(
        byte if any(start <= at < end for start, end in spans) else ord(".") for at, byte in enumerate(data)
    )


@pytest.mark.parametrize("size", [4, 5, 6, 7, 8, 15])
def test_a_short_text_is_found_wherever_it_stands(size: int) -> None:
    text, other = BIG[:size], BIG[20:35]
    for before in range(9):
        for after in range(4):
            data = b"-" * before + text + b"-" * after + text
            found = b"." * before + text + b"." * after + text
            assert pieces_in(data, text, other) == pieces_in(data, text, BIG[40:80]) == found
        assert pieces_in(b"-" * before + text[:-1], text, other) == b"." * (before + size - 1)
    assert list(Needles([b"abcdefg", b"defghijklm"]).spans(b"abcdefg")) == [(0, 7)]


def test_of_a_long_text_eleven_bytes_are_found_wherever_they_stand() -> None:
    needles = Needles([BIG[:40], BIG[100:180]])
    for at in (*range(30), *range(100, 170)):
        for before in range(8):
            data = b"-" * before + BIG[at : at + 11] + b"---"
            assert {*needles.spans(data)} == {(before, before + 11)}
    behind = BIG[:16] + BIG[105:116]
    assert pieces_in(behind, BIG[:16], BIG[100:120]) == behind


def test_of_all_that_a_text_agrees_with_a_long_one_nothing_is_left() -> None:
    needles = Needles([BIG[:300]])
    for size in range(8, 300):
        assert {*needles.spans(b"--" + BIG[:size])} == {(2, 2 + size)}
        assert {*needles.spans(BIG[300 - size : 300] + b"-")} == {(0, size)}


def test_of_secrets_of_many_kilobytes_longer_pieces_are_found() -> None:
    """The table of all blocks has its price."""
    for size in (1 << 16, (1 << 16) + 1):
        needles = Needles([BIG[:size]])
        assert {*needles.spans(BIG[size - 8 : size])} == {(0, 8)}
        assert {*needles.spans(b"---" + BIG[65:80])} == {(3, 18)}
        assert bool([*needles.spans(BIG[65:77])]) == (size == 1 << 16)


T = BIG[:2000]


@pytest.mark.parametrize(
    ("data", "found"),
    [
        (T[:12] + b"=" + T[12:16], T[:12] + b"." + T[12:16]),  # at the end, and the very next
        (T[:12] + b"=" + T[13:16], T[:12] + b"...."),  # three bytes tell nothing
        (T[:12] + b"=" + T[13:16] + b"=", T[:12] + b"....."),
        (T[:12] + b"=" * 9 + T[20:24], T[:12] + b"." * 9 + T[20:24]),
        (T[:12] + b"=" * 10 + T[20:24], T[:12] + b"." * 14),  # too far away
        (T[20:24] + b"=" * 9 + T[30:42], T[20:24] + b"." * 9 + T[30:42]),
        (T[20:24] + b"=" * 10 + T[30:42], b"." * 14 + T[30:42]),
        (T[:12] + b"=" + T[20:24] + b"=" + T[17:21], T[:12] + b"." + T[20:24] + b"....."),  # in their order
        (T[20:24] + b"=" + T[20:40], b"....." + T[20:40]),
        (T[1088:1092] + b"=" + T[1600:1620], T[1088:1092] + b"." + T[1600:1620]),
        (T[1087:1091] + b"=" + T[1600:1620], b"....." + T[1600:1620]),
        (T[:12] + b"=" + T[13:524] + b"=" + T[525:529], T[:12] + b"." + T[13:524] + b"." + T[525:529]),
        (T[:12] + b"=" + T[520:524], T[:12] + b"." + T[520:524]),
        (T[:12] + b"=" + T[521:525], T[:12] + b"....."),  # where so much is missing, it is another's
    ],
)
def test_beside_a_piece_four_bytes_count_that_follow_in_the_text_and_are_close(
    data: bytes, found: bytes
) -> None:
    shown = pieces_in(data, T).replace(b"=", b".")
    assert shown == found


@pytest.mark.parametrize("unknown", ["=2B", "{plus}", "[code 43]", "\u200b"])
def test_beside_a_piece_of_a_secret_no_other_stays_whatever_stands_between(unknown: str) -> None:
    masker = masker_of(LONG_ONE)
    assert masker.mask(f"x {LONG_ONE.replace('+', unknown).replace('/', unknown)} y") == "x *** y"
    thirds = f"x {LONG_ONE[:12]}{unknown}{LONG_ONE[12:24]}{unknown}{LONG_ONE[24:]} y"
    assert masker.mask(thirds) == "x *** y"
    masked = masker.mask(f"x {LONG_ONE.replace('5', unknown)} y")
    assert not {LONG_ONE[at : at + 4] for at in range(len(LONG_ONE) - 3)} & {
        masked[at : at + 4] for at in range(len(masked) - 3)
    }


def test_a_shorter_secret_is_looked_for_whole() -> None:
    """Its beginning would be the app's name, in every line of the log."""
    secret = "web_shop-secret"
    assert len(secret) == LONG - 1 == 15
    assert masker_of(f"{secret}s").mask("app web_shop-") == "app ***"
    assert masker_of(secret).mask(f"app web_shop, secret {secret}") == "app web_shop, secret ***"


def test_many_secrets_with_one_beginning_are_all_found() -> None:
    short = [f"password{n:03}" for n in range(100)]
    long = [f"https://robot{n:03}.example.com/{n}" for n in range(100)]
    masker = masker_of(*short, *long)
    for secret in (*short, *long):
        assert masker.mask(f"it is {secret}.") == "it is ***."


def test_secrets_of_many_kilobytes_are_found_by_any_line_of_theirs() -> None:
    chance = random.Random(7)  # noqa: S311 - no secret
    big = "".join(chance.choice(string.ascii_letters) for _ in range(100_000))
    assert masker_of(big).mask(f"a {big[50_003:50_023]} b") == "a *** b"
    assert masker_of(big).mask(f"a {big[:END]} b") == "a *** b"


@pytest.mark.parametrize(
    ("text", "masked"),
    [
        ("postgres://robot:pass@db.example.com/x", "postgres://***@db.example.com/x"),
        ("see https://token@example.com.", "see https://***@example.com."),
        ('{"url": "https:\\/\\/robot:pass@db"}', '{"url": "https:\\/\\/***@db"}'),
        ('{"url": "https:\\u002F\\u002frobot:pass@db"}', '{"url": "https:\\u002F\\u002f***@db"}'),
        ("next=https%3A%2F%2Frobot%3Apass%40db", "next=https%3A%2F%2F***%40db"),
        ("https://robot:pass…", "https://***@…"),
        ("https://example.com/a@b", "https://example.com/a@b"),
        ("https://example.com:8080/ by lisi@example.com", "https://example.com:8080/ by lisi@example.com"),
    ],
)
def test_what_stands_in_front_of_the_at_of_an_address_is_masked(text: str, masked: str) -> None:
    assert Masker().mask(text) == masked


def test_no_character_is_cut() -> None:
    masker = Masker()
    masker.add(Secret("\u00e9" * 8))
    shown = masker.mask("\u00ea" + "%C3%A9" * 8 + "\u00ea")
    assert shown == "\u00ea***\u00ea"
    for secret, text, masked in [
        ("\u00adabcdefg", "中abcdefg", "中***"),  # as bytes it ends 中, and so on
        ("abcdefg\u00e4", "abcdefg中", "***中"),
        ("\u00b8\u00ad\u00e4\u00b8", "中中", "中中"),
        ("\u0080abcdefg", "Āabcdefg", "Ā***"),
    ]:
        assert masker_of(secret).mask(text) == masked
    half = "\ud83d"
    assert masker_of("abc" + half + "defgh").mask("x abc" + half + "defgh y" + half) == "x *** y" + half


@pytest.mark.parametrize(
    ("secret", "shown"),
    [
        ("abc\ud83ddefgh", "abc?defgh"),
        ("p\u00e4ss\ud83dwort", "p\u00e4ss?wort"),
        ("p\u00c4ss\u0100wort\ud83d", r"p\xc4ss\u0100wort?"),
        ("\u0100\u00ff\u0100\u00ff", r"\u0100\xff\u0100\xff"),
    ],
)
def test_a_secret_is_masked_without_halves_of_characters_and_with_bytes_for_some(
    secret: str, shown: str
) -> None:
    assert masker_of(secret).mask(f"a {shown} b") == "a *** b"


@pytest.mark.parametrize(
    ("secret", "text", "is_held"),
    [
        ("pass&word", "it is pass&word.", True),
        ("pass&word", "it is pass\\u0026word.", True),
        ("pass&word", "it is pass", False),
        ("abc", "is abc in it?", True),  # too short to be masked
        ("", "anything", False),
    ],
)
def test_a_text_holds_a_secret_in_any_spelling_also_one_that_is_not_masked(
    *, secret: str, text: str, is_held: bool
) -> None:
    assert masker_of("another", secret).holds(text) == is_held
    assert not Masker().holds(text)


# --- the beginning of a long text -----------------------------------------------------------------------


def test_the_beginning_of_a_text_is_masked_as_the_whole_would_be() -> None:
    masker = masker_of(LONG_ONE, "abcdefgh")
    for at in range(60, 110):
        text = "-" * at + LONG_ONE + "-" * 30 + "abcdefgh" + "-" * 300
        shown = masker.mask_beginning(text, most=100)
        assert shown == ("-" * at + "***" + "-" * (64 - at) if at < 100 else "-" * 100)
    assert masker.mask_beginning("x" * 70_000) == "x" * 65_536
    assert masker.mask_beginning(f"a {LONG_ONE}", most=100) == "a ***"
    assert masker.mask_beginning("abcdefg" + "h", most=4) == "***"
    assert masker.mask_beginning("https://lisi:pass…", most=18) == "https://***@…"
    assert masker.mask_beginning("\ud83d-abcdefgh", most=5) == "\ud83d-***"


# --- time -----------------------------------------------------------------------------------------------

WORST = {
    "secrets": LONG_ONE + " ",
    "halves of secrets": LONG_ONE[:9] + "xyz",
    "middles": LONG_ONE[10:22] + "--",
    "escapes": "\\u0026x",
    "backslashes": "\\",
    "quotes": '"',
    "entities": "&amp;",
    "one letter": "a",
    "line breaks": "\n",
    "base64": base64.b64encode(LONG_ONE.encode()).decode(),
    "numbers": "97 ",
    "hexadecimal": LONG_ONE.encode().hex(),
    "addresses": "://a:b",
    "addresses that are cut": "://a:b…",
}


def seconds(work: Callable[[], object]) -> float:
    begin = time.process_time()
    work()
    return time.process_time() - begin


@pytest.mark.parametrize("kind", swept(WORST, sample=2))
def test_masking_twice_as_much_takes_about_twice_as_long(kind: str) -> None:
    """Of secrets that repeat one letter, too: each place of them looks like each other."""
    masker = masker_of(LONG_ONE, "a" * 5000, *(f"https://robot{n}:{n:08}@db" for n in range(500)))
    unit, size = WORST[kind], 100_000
    small, large = (unit * (n * size // len(unit)) for n in (1, 2))
    masker.mask(small)

    def grows_slowly() -> bool:
        once, twice = (seconds(partial(masker.mask, text)) for text in (small, large))
        return twice < 3 * once + 0.1

    assert any(grows_slowly() for _ in range(3)), "a busy machine may be slow once"


def test_so_many_escapes_are_undone_and_no_more() -> None:
    text = b"%" + 12 * b"25" + b"41"
    assert [len(one) for one in undone(text)] == [len(text) - 2 * times for times in range(7)]
