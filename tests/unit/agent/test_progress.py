"""Progress: within the worker's limits, never backwards, true where it is folded."""

from __future__ import annotations

import io
import json
import re
from collections import Counter
from datetime import datetime
from typing import Optional

import msgspec
import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support.pieces import FakeClock

from bcs_template_set.agent.log import Log
from bcs_template_set.agent.log_text import is_command
from bcs_template_set.agent.progress_payload import (
    LARGEST_PAYLOAD,
    Snapshot,
    Subtask,
    SubtaskStatus,
    TimelineItem,
    build_detail,
    clamped,
    clean_name,
    encoded,
    fold_phases,
    fold_subtasks,
    instant,
    shortened,
)
from bcs_template_set.config.regions import Endpoint, Region
from bcs_template_set.messages import LANGUAGES, Language
from bcs_template_set.messages.secret import Secret
from bcs_template_set.messages.text import width
from bcs_template_set.report.outcome import Heading
from bcs_template_set.run.record import RunRecord
from bcs_template_set.run.run_progress import Audience, ShownProgress, live_line

STATUSES: tuple[SubtaskStatus, ...] = ("succeeded", "failed", "running", "pending")
COMMAND = "::set-progress-rate "


class Summary(msgspec.Struct, forbid_unknown_fields=True):
    """What the worker reads, here and below (bk-ci's `BuildTaskProgressDetail.kt`)."""

    value: float
    title: str = ""
    summary: str = ""


class SubtaskItem(msgspec.Struct, forbid_unknown_fields=True):
    name: str
    progress: float
    status: SubtaskStatus


class SubtaskGroup(msgspec.Struct, forbid_unknown_fields=True):
    items: list[SubtaskItem] = []
    title: str = ""
    summary: str = ""


class PhaseItem(msgspec.Struct, rename="camel", forbid_unknown_fields=True):
    name: str
    start_time: datetime
    duration: Optional[int] = None


class Timeline(msgspec.Struct, forbid_unknown_fields=True):
    items: list[PhaseItem] = []
    title: str = ""


class Detail(msgspec.Struct, forbid_unknown_fields=True):
    progress: Summary
    subtasks: SubtaskGroup = msgspec.field(default_factory=SubtaskGroup)
    timeline: Timeline = msgspec.field(default_factory=Timeline)


class Screen:
    """A progress on a log whose lines can be read."""

    def __init__(self, *, detail: bool = False, terminal: bool = False, columns: int = 80) -> None:
        self.stream = io.StringIO(newline="")
        self.log = Log(self.stream, "en_US")
        audience: Audience = "terminal" if terminal else "worker"
        clock = FakeClock()
        self.progress = ShownProgress(self.log, clock=clock, audience=audience, columns=lambda: columns)
        self.progress.begin(Region("gz", Endpoint("https://g.example.com"), progress_detail=detail))
        self.record = RunRecord(clock=clock, language="en_US", heading=Heading())

    def finish(self) -> None:
        self.progress.finish(self.record, self.record.tell("planned"))

    def show(self, value: float, *subtasks: Subtask) -> None:
        self.progress.show(Snapshot(value, subtasks))

    def printed(self) -> str:
        return self.stream.getvalue()

    def payloads(self) -> list[str]:
        lines = self.printed().splitlines()
        assert all(line.startswith(COMMAND) for line in lines)
        return [line[len(COMMAND) :] for line in lines]

    def numbers(self) -> list[float]:
        return [float(payload) for payload in self.payloads()]

    def details(self) -> list[Detail]:
        return [msgspec.json.decode(payload, type=Detail) for payload in self.payloads()]


def shown_on_terminal(text: str) -> list[str]:
    """Return what a terminal shows after it got this text."""
    lines = [""]
    column = 0
    for character in text:
        if character == "\n":
            lines.append("")
            column = 0
        elif character == "\r":
            column = 0
        else:
            lines[-1] = lines[-1][:column] + character + lines[-1][column + 1 :]
            column += 1
    return [line.rstrip() for line in lines]


def units(text: str) -> int:
    """Count as Kotlin's `String.length` does."""
    return len(text.encode("utf-16-le")) // 2


def detail_text(
    subtasks: tuple[Subtask, ...], phases: tuple[TimelineItem, ...], *, value: float = 0.5, language: Language
) -> str:
    return encoded(build_detail(Snapshot(value, subtasks, phases), language=language, mask=str))


# --- the number -----------------------------------------------------------------------------------------


def test_the_number_alone_is_printed_where_the_platform_takes_no_more() -> None:
    screen = Screen()
    screen.show(0.25, Subtask("a", 0.5, "running"))
    assert screen.printed() == "::set-progress-rate 0.25\n"


def test_progress_never_goes_back_and_stays_within_0_and_1() -> None:
    screen = Screen()
    for value in (-3.0, 0.5, 0.25, float("nan"), 0.75, 17.0, 0.0):
        screen.show(value)
    assert screen.numbers() == [0.0, 0.5, 0.75, 1.0]


@given(st.lists(st.floats()))
def test_what_is_printed_only_ever_grows(steps: list[float]) -> None:
    screen = Screen()
    for value in steps:
        screen.show(value)
    told = screen.numbers()
    assert all(0 <= earlier < later <= 1 for earlier, later in zip(told, told[1:]))


def test_nothing_is_printed_where_nothing_changed() -> None:
    screen = Screen()
    for _ in range(10):
        screen.show(0.5)
    assert screen.numbers() == [0.5]


# --- the JSON -------------------------------------------------------------------------------------------


def test_the_detail_has_the_share_the_subtasks_and_the_phases() -> None:
    ends: tuple[SubtaskStatus, ...] = ("succeeded", "running", "failed")
    files = tuple(Subtask(f"{name}.yaml", 0.5, status) for name, status in zip("abc", ends))
    phases = (TimelineItem("render", 0, 0.8), TimelineItem("publish", 1_767_225_600))
    screen = Screen(detail=True)
    screen.progress.show(Snapshot(0.33, files, phases))
    assert [json.loads(payload) for payload in screen.payloads()] == [
        {
            "progress": {"value": 0.33, "summary": "2/3"},
            "subtasks": {
                "title": "Domains and files",
                "summary": "2/3",
                "items": [
                    {"name": "a.yaml", "progress": 1.0, "status": "succeeded"},
                    {"name": "b.yaml", "progress": 0.5, "status": "running"},
                    {"name": "c.yaml", "progress": 0.5, "status": "failed"},
                ],
            },
            "timeline": {
                "title": "Phases",
                "items": [
                    {"name": "render", "startTime": "1970-01-01T00:00:00Z", "duration": 800},
                    {"name": "publish", "startTime": "2026-01-01T00:00:00Z"},
                ],
            },
        }
    ]


def test_of_a_run_without_subtasks_and_phases_the_share_is_all() -> None:
    screen = Screen(detail=True)
    screen.progress.show(Snapshot(0.33))
    assert [json.loads(payload) for payload in screen.payloads()] == [{"progress": {"value": 0.33}}]


def test_a_subtask_never_goes_back_either_and_its_status_is_a_change() -> None:
    screen = Screen(detail=True)
    screen.show(0.5, Subtask("a", 0.8, "running"))
    screen.show(0.5, Subtask("a", 0.3, "running"))
    screen.show(0.5, Subtask("a", 0.3, "failed"))
    assert [detail.subtasks.items for detail in screen.details()] == [
        [SubtaskItem("a", 0.8, "running")],
        [SubtaskItem("a", 0.8, "failed")],
    ]


NAMES = (
    st.text(max_size=300)
    | st.sampled_from(
        ["a\n::set-variable name=a::b", ":::", " \u3000 ", "", "\ud83d", "##[error]x", "🎉" * 200]
    )
    | st.text(alphabet="中文🎉", min_size=100, max_size=300)
)
SUBTASKS = st.builds(Subtask, NAMES, st.floats(), st.sampled_from(STATUSES))
PHASES = st.builds(
    TimelineItem,
    NAMES,
    st.floats(allow_nan=False),
    st.none() | st.floats(allow_nan=False, allow_infinity=False),
)


def assert_within_limits(detail: Detail) -> None:
    """Hold a payload to what bk-ci's `BuildTaskProgressDetailValidator.kt` checks."""
    group, timeline = detail.subtasks, detail.timeline
    assert 0 <= detail.progress.value <= 1
    assert all(units(text) <= 32 for text in (detail.progress.summary, group.summary))
    assert all(units(text) <= 128 for text in (group.title, timeline.title))
    assert len(group.items) <= 100
    assert len(timeline.items) <= 50
    assert all(0 <= item.progress <= 1 for item in group.items)
    assert all(item.start_time.tzinfo is not None for item in timeline.items)
    assert all(item.duration is None or item.duration >= 0 for item in timeline.items)
    for name in names_in(detail):
        assert name.strip()
        assert units(name) <= 128
        assert "::" not in name
        assert name == "".join(name.splitlines())


def names_in(detail: Detail) -> list[str]:
    return [i.name for i in detail.subtasks.items] + [i.name for i in detail.timeline.items]


@given(st.floats(), st.lists(SUBTASKS, max_size=8), st.lists(PHASES, max_size=8), st.sampled_from(LANGUAGES))
def test_whatever_it_is_told_it_stays_within_the_workers_limits(
    value: float, subtasks: list[Subtask], phases: list[TimelineItem], language: Language
) -> None:
    text = detail_text(tuple(subtasks), tuple(phases), value=value, language=language)
    assert text.isascii()
    assert len(text) <= LARGEST_PAYLOAD
    assert not is_command(text)
    assert_within_limits(msgspec.json.decode(text, type=Detail))


@pytest.mark.parametrize("character", ["x", "中", "🎉", "\x1b"])
@pytest.mark.parametrize("count", [50, 100, 101, 400])
@pytest.mark.parametrize("language", LANGUAGES)
def test_many_long_names_still_fit_and_stand_for_every_subtask(
    character: str, count: int, language: Language
) -> None:
    files = tuple(Subtask(character * 200, 0.25, STATUSES[i % 4]) for i in range(count))
    phases = tuple(TimelineItem(character * 200, i, 1) for i in range(count))
    text = detail_text(files, phases, language=language)
    assert len(text) <= LARGEST_PAYLOAD
    detail = msgspec.json.decode(text, type=Detail)
    assert_within_limits(detail)
    assert sum(count_of(item.name) for item in detail.subtasks.items) == count
    assert sum(count_of(item.name) for item in detail.timeline.items) == count


def test_of_short_names_as_many_are_shown_as_the_worker_takes() -> None:
    files = tuple(Subtask("f", 0.25, STATUSES[i % 4]) for i in range(120))
    phases = tuple(TimelineItem("p", i, 1) for i in range(60))
    detail = msgspec.json.decode(detail_text(files, phases, language="en_US"), type=Detail)
    assert (len(detail.subtasks.items), len(detail.timeline.items)) == (100, 50)


def count_of(name: str) -> int:
    """Return how many things an entry stands for."""
    found = re.match(r"(\d+) (?:more|earlier) |另有 (\d+) 个|之前的 (\d+) 个", name)
    return int(next(filter(None, found.groups()))) if found else 1


@given(st.lists(st.tuples(st.sampled_from(STATUSES), st.floats(0, 1)), max_size=40), st.integers(4, 12))
def test_folded_subtasks_keep_their_number_their_statuses_and_their_progress(
    drawn: list[tuple[SubtaskStatus, float]], most: int
) -> None:
    files = [Subtask(f"file-{i}", progress, status) for i, (status, progress) in enumerate(drawn)]
    folded = fold_subtasks(files, most=most, language="en_US")
    assert len(folded) <= most
    counts: Counter[str] = Counter()
    done = dict.fromkeys(STATUSES, 0.0)
    for subtask in folded:
        counts[subtask.status] += count_of(subtask.name)
        done[subtask.status] += subtask.progress * count_of(subtask.name)
    assert counts == Counter(subtask.status for subtask in files)
    for status in STATUSES:
        assert done[status] == pytest.approx(sum(s.progress for s in files if s.status == status), abs=0.01)


def test_what_failed_is_named_before_all_else_and_order_is_kept() -> None:
    files = [Subtask(f"file-{i}", 1.0, "succeeded") for i in range(10)]
    files[8] = Subtask("bad", 0.5, "failed")
    names = [subtask.name for subtask in fold_subtasks(files, most=4, language="en_US")]
    assert names == ["file-0", "file-1", "bad", "7 more that succeeded"]


def test_subtasks_that_fit_stay_as_they_are() -> None:
    subtasks = [Subtask(f"{n}", 0.5, status) for n, status in enumerate(STATUSES)]
    assert fold_subtasks(subtasks, most=4, language="en_US") == subtasks


def test_the_earliest_phases_are_folded_into_the_stretch_they_took() -> None:
    phases = [TimelineItem(f"p{i}", 10.0 * i + 5, 4.0) for i in range(5)]
    assert fold_phases(phases, most=5, language="en_US") == phases
    assert fold_phases(phases[::-1], most=3, language="en_US") == [
        TimelineItem("3 earlier phases", 5.0, 24.0),
        *phases[3:],
    ]


def test_folded_phases_are_under_way_while_one_of_them_is() -> None:
    seconds: list[Optional[float]] = [None, 1.0, 1.0]
    phases = [TimelineItem("p", float(i), took) for i, took in enumerate(seconds)]
    assert fold_phases(phases, most=2, language="zh_CN")[0] == TimelineItem("之前的 2 个阶段", 0.0, None)


def test_a_secret_in_a_name_is_masked_before_the_name_is_cut() -> None:
    screen = Screen(detail=True)
    screen.log.mask(Secret("canary-5up3r-s3cret"))
    name = "x" * 60 + "canary-5up3r-s3cret" + "y" * 60
    screen.progress.show(Snapshot(0.5, (Subtask(name, 0, "pending"),), (TimelineItem(name, 0),)))
    assert "canary" not in screen.printed()
    assert "s3cret" not in screen.printed()
    assert "***" in screen.printed()


def test_a_secret_that_is_a_word_of_the_format_does_not_break_it() -> None:
    screen = Screen(detail=True)
    screen.log.mask(Secret("progress"))
    screen.show(0.5, Subtask("my progress", 0.5, "running"))
    (detail,) = screen.details()
    assert detail.progress.value == 0.5
    assert names_in(detail) == ["my ***"]


def test_the_titles_are_in_the_readers_language() -> None:
    text = detail_text((Subtask("a", 0, "pending"),), (TimelineItem("p", 0),), language="zh_CN")
    detail = msgspec.json.decode(text, type=Detail)
    assert (detail.subtasks.title, detail.timeline.title) == ("域名和文件", "阶段")


def test_names_and_numbers_are_made_fit() -> None:
    assert clean_name("a\n::b") == "a : :b"
    assert clean_name(":::") == ": : :"
    assert clean_name(" \n ") == "?"
    assert [shortened("abcdefghij", most) for most in (10, 9, 6)] == ["abcdefghij", "abcd…ghij", "abc…ij"]
    assert units(shortened("🎉" * 10, 6)) <= 6
    assert (clamped(0.123456), clamped(-1), clamped(float("inf"))) == (0.1235, 0.0, 1.0)
    assert instant(-5) == "1970-01-01T00:00:00Z"
    assert instant(float("inf")) == "9999-12-31T23:59:59Z"


# --- the terminal ---------------------------------------------------------------------------------------


def test_on_a_terminal_a_live_line_replaces_itself_and_is_gone_at_the_end() -> None:
    screen = Screen(terminal=True)
    screen.show(0.1, Subtask("a-long-name.yaml", 0, "running"), Subtask("b", 0, "pending"))
    assert shown_on_terminal(screen.printed()) == [" 10%  0/2  a-long-name.yaml"]
    screen.show(0.5, Subtask("a-long-name.yaml", 1, "succeeded"), Subtask("b", 0, "running"))
    assert shown_on_terminal(screen.printed()) == [" 50%  1/2  b"]
    screen.finish()
    assert shown_on_terminal(screen.printed()) == [""]
    assert COMMAND not in screen.printed()


def test_lines_of_the_log_push_the_live_line_down() -> None:
    screen = Screen(terminal=True)
    screen.show(0.1)
    screen.log.info("a")
    assert shown_on_terminal(screen.printed()) == ["##[info]a", " 10%"]
    screen.finish()
    screen.log.plain("bye")
    screen.log.live("one\ntwo")
    assert shown_on_terminal(screen.printed()) == ["##[info]a", "bye", "one two"]


@pytest.mark.parametrize("columns", [1, 2, 10, 40])
def test_the_live_line_is_narrower_than_the_terminal(columns: int) -> None:
    screen = Screen(terminal=True, columns=columns)
    screen.show(0.1, Subtask("页面" * 50, 0, "running"))
    assert max(width(line) for line in shown_on_terminal(screen.printed())) <= max(1, columns - 1)


def test_the_live_line_names_the_phase_and_at_most_three_of_what_is_under_way() -> None:
    files = tuple(Subtask(f"f{i}\n", 0, "running") for i in range(5))
    snapshot = Snapshot(0.999, files, (TimelineItem("render", 0, 1), TimelineItem("publish", 1)))
    assert live_line(snapshot, columns=80, mask=str) == " 99%  0/5  publish  f0  f1  f2"


def test_a_terminal_that_can_not_show_a_character_gets_its_escape_and_is_left_clean() -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding="ascii", newline="")
    log = Log(stream, "zh_CN")
    log.live("é")
    log.live("")
    assert raw.getvalue() == b"\\xe9\r    \r"
    stream.close()


def test_a_live_line_on_a_closed_stream_is_given_up() -> None:
    stream = io.StringIO()
    log = Log(stream, "en_US")
    stream.close()
    log.live("one")
    log.progress(0.5)
    log.live("")
