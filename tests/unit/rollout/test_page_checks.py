"""Arrival: what an answer means, and how often which page is asked, without a socket."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from typing import Callable, Optional, Union

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.stand_ins import FakeClock

from bcs_template_set.config.inputs import VerifyUrl
from bcs_template_set.messages import LANGUAGES, say
from bcs_template_set.rollout.page_checks import (
    FIRST_BYTES,
    MOST_AT_ONCE,
    PATIENCE,
    SHOWN,
    Arrival,
    Follow,
    Found,
    Missed,
    first_line,
    holds,
    judge,
    judge_redirect,
    pause_after,
    shown,
    verify_arrivals,
)
from bcs_template_set.system.clock import Deadline
from bcs_template_set.system.http_values import HttpAnswer, HttpRequest, NoAnswer, NotSent

Reply = Union[HttpAnswer, NoAnswer, NotSent]


class ScriptedPages:
    """Answers by a function of the address and the seconds passed; a look takes `takes` seconds."""

    def __init__(self, answer: Callable[[str, float], Reply], *, takes: float = 0.0) -> None:
        self.clock, self.answer, self.takes = FakeClock(), answer, takes
        self.clock.wait(1000.0)
        self.asked: list[tuple[str, float, float]] = []

    def send(
        self, request: HttpRequest, *, seconds: float = float("inf"), first: Optional[int] = None
    ) -> HttpAnswer:
        assert (request.method, first) == ("GET", 1_048_576)
        assert request.headers == {"Accept": "*/*", "Cache-Control": "no-cache", "Connection": "close"}
        at = self.clock.monotonic() - 1000
        self.asked.append((request.url, at, seconds))
        self.clock.wait(min(self.takes, seconds))
        reply = self.answer(request.url, at)
        if isinstance(reply, HttpAnswer):
            return reply
        raise reply

    def verify(self, *pages: tuple[str, str], seconds: Optional[float] = None) -> tuple[Arrival, ...]:
        wanted = [VerifyUrl(*page) for page in pages]
        return verify_arrivals(
            wanted, pages=self, clock=self.clock, deadline=Deadline(self.clock, seconds=seconds)
        )


def page(text: str, *, status: int = 200, **headers: str) -> HttpAnswer:
    return HttpAnswer(status, headers, text.encode())


URL = "http://a.example/x"
MOVED = (301, 302, 303, 307, 308)


@pytest.mark.parametrize("status", [100, 101, 199, 300, 302, 304, 399, 400, 404, 500])
def test_a_status_that_is_no_2xx_is_no_page_whatever_it_holds(status: int) -> None:
    judged = judge(HttpAnswer(status, {}, b"new"), url="http://a/", contains="new")
    assert judged == Missed(say("arrival.status", status=status))


class CountingPages:
    """Answers when as many requests are under way as may be, and counts them."""

    def __init__(self, together: int) -> None:
        self._barrier = threading.Barrier(together)
        self._lock = threading.Lock()
        self._under_way = 0
        self.most = 0

    def send(
        self, request: HttpRequest, *, seconds: float = float("inf"), first: Optional[int] = None
    ) -> HttpAnswer:
        assert (request.method, first, seconds > 0) == ("GET", FIRST_BYTES, True)
        with self._lock:
            self._under_way += 1
            self.most = max(self.most, self._under_way)
        self._barrier.wait(5)
        with self._lock:
            self._under_way -= 1
        return HttpAnswer(200, {}, request.url.encode())


def test_pages_are_fetched_at_once_but_never_more_than_eight() -> None:
    clock, pages = FakeClock(), CountingPages(MOST_AT_ONCE)
    wanted = [VerifyUrl(f"http://a/{i}", f"/{i}") for i in range(2 * MOST_AT_ONCE)]
    arrivals = verify_arrivals(wanted, pages=pages, clock=clock, deadline=Deadline(clock, seconds=None))
    assert [arrival.url for arrival in arrivals] == [page.url for page in wanted]
    assert all(arrival.ok for arrival in arrivals)
    assert pages.most == MOST_AT_ONCE


@pytest.mark.parametrize(
    ("url", "location", "followed"),
    [
        ("http://a.example/x/y", "z", "http://a.example/x/z"),
        ("http://a.example/x", "//A.EXAMPLE/z", "http://A.EXAMPLE/z"),
        ("http://a.example/x", "https://a.example/x", "https://a.example/x"),
        ("http://a.example:8080/x", "https://a.example:8443/x", "https://a.example:8443/x"),
        ("https://a.example/x", "https://a.example:443/y", "https://a.example:443/y"),
        ("http://a.example/x", "http://a.example:80/y", "http://a.example:80/y"),
        ("https://a.example/x", " /y#part ", "https://a.example/y"),
        ("https://[::1]/x", "https://[::1]/y", "https://[::1]/y"),
    ],
)
def test_a_redirect_on_the_same_host_or_up_to_https_is_followed(
    url: str, location: str, followed: str
) -> None:
    assert judge_redirect(location, url=url) == Follow(followed)


@pytest.mark.parametrize(
    ("url", "location", "sentence"),
    [
        ("http://a.example/", "http://b.example/", "redirect_elsewhere"),
        ("http://a.example/", "//b.example/", "redirect_elsewhere"),
        ("http://a.example/", "/\\b.example/../", None),
        ("http://a.example/", "https://b.example/", "redirect_elsewhere"),
        ("http://a.example/", "http://a.example.b.example/", "redirect_elsewhere"),
        ("http://a.example/", "http://a.example:6379/", "redirect_elsewhere"),
        ("http://a.example/", "http://a.example@b.example/", "redirect_invalid"),
        ("http://a.example/", "http://user:pass@a.example/", "redirect_invalid"),
        ("https://a.example/", "http://a.example/", "redirect_downgrade"),
        ("https://a.example/", "http://b.example/", "redirect_downgrade"),
        ("http://a.example/", "file:///etc/passwd", "redirect_invalid"),
        ("http://a.example/", "javascript:alert(1)", "redirect_invalid"),
        ("http://a.example/", "http://[::1/", "redirect_invalid"),
        ("http://a.example/", "http://a.example:99999/", "redirect_invalid"),
        ("http://a.example/", "http://", None),
    ],
)
def test_no_other_redirect_is_followed(url: str, location: str, sentence: Optional[str]) -> None:
    judged = judge_redirect(location, url=url)
    if sentence is None:  # not another host, once resolved
        assert isinstance(judged, Follow)
        assert judged.url.startswith(url)
    else:
        assert isinstance(judged, Missed)
        assert judged.problem.key == f"arrival.{sentence}"
        assert "pass@" not in str(judged.problem)


@given(st.text() | st.text(alphabet="ahtps:/@.#?\\[]b%0", max_size=30))
def test_whatever_a_location_says_the_host_stays_the_same(location: str) -> None:
    judged = judge_redirect(location, url="https://a.b/")
    if isinstance(judged, Follow):
        assert judged.url.lower().startswith(("https://a.b/", "https://a.b?", "https://a.b:443"))
    else:
        assert len(str(judged.problem)) < 3 * SHOWN


def test_of_what_this_machine_serves_nothing_is_shown() -> None:
    for peer in ("127.0.0.1", "127.8.9.1", "::1", "::ffff:127.0.0.1", "0.0.0.0", "::"):  # noqa: S104 - not bound
        old = HttpAnswer(200, {}, b"token=canary", peer=peer)
        assert judge(old, url="http://a/", contains="new") == Missed(
            say("arrival.text_missing", text="new"), first_line=""
        )
        away = HttpAnswer(302, {"location": "http://canary/"}, b"", peer=peer)
        judged = judge(away, url="http://a/", contains="")
        assert isinstance(judged, Missed)
        assert "canary" not in str(judged.problem)
        near = HttpAnswer(302, {"location": "/new"}, b"", peer=peer)
        assert judge(near, url="http://a/", contains="") == Follow("http://a/new")
    private = HttpAnswer(200, {}, b"old build", peer="10.0.0.1")
    assert judge(private, url="http://a/", contains="new") == Missed(
        say("arrival.text_missing", text="new"), first_line="old build"
    )


@pytest.mark.parametrize(
    ("answer", "contains", "judged"),
    [
        (page("new"), "", Found()),
        (page(""), "", Found()),
        (page("a new one"), "new", Found()),
        (page(" \n"), "new", Missed(say("arrival.page_empty", text="new"))),
        (page("\n\told build \nmore"), "new", Missed(say("arrival.text_missing", text="new"), "old build")),
        (page("", status=302), "", Missed(say("arrival.status", status=302))),
        (page("", status=300, location="/y"), "", Missed(say("arrival.status", status=300))),
        (page("", status=200, location="/y"), "", Found()),
        *((page("", status=status, location="/y"), "", Follow("http://a.example/y")) for status in MOVED),
    ],
)
def test_a_page_is_what_its_answer_says(
    answer: HttpAnswer, contains: str, judged: Union[Found, Follow, Missed]
) -> None:
    assert judge(answer, url=URL, contains=contains) == judged


@pytest.mark.parametrize(
    ("text", "line"),
    [
        ("a\tb", "a b"),
        ("a\x1bb", "a\\x1bb"),
        ("x" * SHOWN, "x" * SHOWN),
        ("x" * SHOWN + "y", "x" * (SHOWN - 1) + "…"),
        ("x" * 150 + "\x1b" * 50, "x" * 150 + "\\x1b" * 12 + "\\…"),
    ],
)
def test_what_is_shown_of_a_text_is_one_line_of_so_many_characters(text: str, line: str) -> None:
    assert shown(text) == line


@pytest.mark.parametrize(
    ("body", "line"),
    [
        (b"\xef\xbb\xbf one", "one"),
        (b"\xd6\xd0\xce\xc4", "中文"),
        (b"ok \xff", "ok \ufffd"),
        (("中" * FIRST_BYTES).encode()[:FIRST_BYTES], "中" * (SHOWN - 1) + "…"),
        (b"\xd6\xd0" + b"x" * (FIRST_BYTES - 2), "中" + "x" * (SHOWN - 2) + "…"),
    ],
    ids=["with a mark", "gbk", "neither", "cut utf-8", "long gbk"],
)
def test_a_first_line_is_read_in_the_encoding_that_fits(body: bytes, line: str) -> None:
    assert first_line(body) == line


@pytest.mark.parametrize("encoding", ["utf-8", "gbk", "gb18030"])
def test_a_chinese_text_is_found_in_the_encodings_pages_have(encoding: str) -> None:
    body = "<title>构建四十二</title>".encode(encoding)
    assert holds(body, "四十二")
    assert not holds(body, "四十一")
    assert first_line(body) == "<title>构建四十二</title>"


def test_a_text_in_latin_1_is_found_and_half_a_character_is_no_match_for_anything() -> None:
    assert holds("café".encode("latin-1"), "café")
    assert not holds(b"anything", "\ud83d")


@given(st.binary(max_size=400))
def test_a_first_line_is_one_line_that_can_be_seen_and_is_not_long(body: bytes) -> None:
    line = first_line(body)
    assert len(line) <= SHOWN
    assert line == "".join(line.splitlines())
    assert not any(ord(character) < 0x20 or 0x7F <= ord(character) < 0xA0 for character in line)


ARRIVALS: Sequence[Arrival] = (
    Arrival("http://a/", ok=True, status=200, seconds=1.25, tries=2),
    Arrival("http://a/", ok=False, problem=say("arrival.no_time")),
    Arrival(
        "http://a/",
        ok=False,
        status=200,
        tries=9,
        problem=say("arrival.text_missing", text="new"),
        first_line="{old}",
    ),
)


def test_how_a_page_ended_is_told_in_both_languages() -> None:
    told = [[arrival.describe().render(language) for arrival in ARRIVALS] for language in LANGUAGES]
    assert told == [
        [
            "http://a/：正常，HTTP 200（尝试 2 次，1.2 秒）。",
            "http://a/：本步骤的时间已用完，没有获取页面（尝试 0 次，0.0 秒）。",
            "http://a/：页面的前 1 MiB 中没有“new”（尝试 9 次，0.0 秒）。页面开头是：{old}",
        ],
        [
            "http://a/: OK, HTTP 200 (tries: 2, 1.2 s).",
            "http://a/: it was not fetched, since the step's time is over (tries: 0, 0.0 s).",
            (
                'http://a/: the page\'s first 1 MiB do not contain "new" (tries: 9, 0.0 s). '
                "The page begins with: {old}"
            ),
        ],
    ]


# --- who is asked when ----------------------------------------------------------------------------------


def test_a_page_that_hangs_takes_ten_seconds_a_try_and_a_minute_in_all() -> None:
    pages = ScriptedPages(lambda _url, _at: NoAnswer("hangs"), takes=99)
    (arrival,) = pages.verify((URL, ""))
    assert [(at, seconds) for _, at, seconds in pages.asked] == [
        (0, 10),
        (11, 10),
        (23, 10),
        (37, 10),
        (52, 8),
    ]
    assert arrival.problem == say("arrival.no_answer", problem="hangs")
    assert (arrival.tries, arrival.seconds, arrival.status, arrival.ok) == (5, PATIENCE, 0, False)


def test_the_last_try_gets_a_second_where_the_minute_is_as_good_as_over() -> None:
    pages = ScriptedPages(lambda _url, _at: page("old"), takes=8.5)
    pages.verify((URL, "new"))
    assert pages.asked[-1] == (URL, 59.5, 1.0)


def test_what_kept_a_page_away_is_still_said_when_the_time_is_over() -> None:
    pages = ScriptedPages(lambda _url, _at: NoAnswer("hangs"), takes=99)
    (arrival,) = pages.verify((URL, ""), seconds=4)
    assert (arrival.tries, arrival.problem) == (1, say("arrival.no_answer", problem="hangs"))


@pytest.mark.parametrize(
    ("seconds", "tries", "waited"), [(0, 0, []), (1, 1, []), (1.5, 2, [1]), (4, 3, [1, 2]), (None, 14, 57)]
)
def test_there_is_a_try_after_each_pause_for_which_there_is_time(
    seconds: Optional[float], tries: int, waited: Union[list[float], float]
) -> None:
    pages = ScriptedPages(lambda _url, _at: page("old"))
    (arrival,) = pages.verify((URL, "new"), seconds=seconds)
    slept = [pause for pause in pages.clock.waited[1:] if pause]
    assert (arrival.tries, len(pages.asked)) == (tries, tries)
    assert slept == waited if isinstance(waited, list) else sum(slept) == waited
    assert arrival.problem == (say("arrival.text_missing", text="new") if tries else say("arrival.no_time"))
    assert arrival.status == (200 if tries else 0)


def test_pauses_grow_to_five_seconds() -> None:
    assert [pause_after(rounds) for rounds in range(1, 7)] == [1, 2, 4, 5, 5, 5]


def test_only_pages_that_have_not_arrived_are_tried_again() -> None:
    pages = ScriptedPages(lambda url, at: page("new" if url.endswith("/good") or at >= 3 else "old"))
    late, good = pages.verify(("http://a/late", "new"), ("http://a/good", "new"))
    assert good == Arrival("http://a/good", ok=True, status=200, seconds=0.0, tries=1)
    assert late == Arrival("http://a/late", ok=True, status=200, seconds=3.0, tries=3)
    assert [url for url, *_ in pages.asked].count("http://a/good") == 1


def test_a_page_that_comes_when_the_time_is_over_has_arrived_and_no_other_is_asked() -> None:
    pages = ScriptedPages(lambda _url, _at: page("new"), takes=5)
    first, second = pages.verify(("http://a/1", ""), ("http://a/2", ""), seconds=5)
    assert {first.ok, second.ok} >= {True}


def test_no_page_is_no_work() -> None:
    pages = ScriptedPages(lambda _url, _at: page(""))
    assert (pages.verify(), pages.clock.waited[1:]) == ((), [])


def test_a_defect_in_the_fetching_is_not_taken_for_a_page_that_is_missing() -> None:
    def broken(url: str, _at: float) -> Reply:
        raise KeyError(url)

    with pytest.raises(KeyError):
        ScriptedPages(broken).verify((URL, ""))


@pytest.mark.parametrize(
    ("refusal", "tries"),
    [
        (NotSent("x", "invalid"), 1),
        (NotSent("x", "address"), 1),
        (NotSent("x", "certificate"), 14),
        (NotSent("x", "refused"), 14),
        (NoAnswer("x"), 14),
    ],
)
def test_a_request_that_is_invalid_is_not_sent_twice_and_one_that_was_refused_is(
    refusal: Reply, tries: int
) -> None:
    pages = ScriptedPages(lambda _url, _at: refusal)
    (arrival,) = pages.verify((URL, ""))
    assert (arrival.tries, arrival.status, arrival.first_line) == (tries, 0, "")
    assert arrival.problem == say("arrival.no_answer", problem="x")


def test_redirects_are_followed_within_one_try_and_its_ten_seconds() -> None:
    after = {"http://a/1": "/2#part", "http://a/2": "3", "http://a/3": ""}
    pages = ScriptedPages(
        lambda url, _at: page("", status=302, location=after[url]) if after[url] else page("new"), takes=2
    )
    (arrival,) = pages.verify(("http://a/1#top", "new"))
    assert pages.asked == [("http://a/1", 0, 10), ("http://a/2", 2, 8), ("http://a/3", 4, 6)]
    assert arrival == Arrival("http://a/1#top", ok=True, status=200, seconds=6.0, tries=1)


def test_more_than_five_redirects_are_a_failure() -> None:
    pages = ScriptedPages(lambda _url, _at: page("", status=302, location="/again"))
    (arrival,) = pages.verify((URL, ""), seconds=1)
    assert (arrival.status, arrival.problem) == (302, say("arrival.redirect_loop", most=5))
    assert len(pages.asked) == 1 + 5


def test_what_was_in_the_way_at_first_is_not_told_of_a_page_that_has_arrived() -> None:
    answers = [page("new"), page("down", status=503), page("old")]
    pages = ScriptedPages(lambda _url, _at: answers.pop())
    (arrival,) = pages.verify((URL, "new"))
    assert arrival == Arrival(URL, ok=True, status=200, seconds=3.0, tries=3)


def test_a_page_without_the_text_is_told_with_its_first_line_and_status_of_the_last_try() -> None:
    answers = [page("down", status=503), page("old")]
    pages = ScriptedPages(lambda _url, _at: answers.pop() if len(answers) > 1 else answers[0])
    (arrival,) = pages.verify((URL, "new"), seconds=2)
    assert (arrival.status, arrival.first_line) == (503, "")
    (arrival,) = ScriptedPages(lambda _url, _at: page("\n old\nmore")).verify((URL, "new"), seconds=1)
    assert (arrival.status, arrival.first_line) == (200, "old")
