"""The log: no line of somebody else's is a command, groups close before errors, stdout may go away."""

from __future__ import annotations

import io
import os
import subprocess
import sys
import textwrap
from pathlib import Path
from typing import Callable, cast

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcs_template_set.agent.agent_files import JsonValue
from bcs_template_set.agent.log import Log, masked_strings
from bcs_template_set.agent.log_text import guarded, is_command, lines_of
from bcs_template_set.messages import say
from bcs_template_set.messages.secret import Secret

MARKERS = ("##[info]", "##[debug]", "##[warning]", "##[error]", "##[command]", "##[group]", "##[endgroup]")
KINDS = ("plain", "info", "warning", "error", "foreign", "group_start")
WORKER_LIMIT = 16 * 1024


def printed(use: Callable[[Log], object]) -> str:
    stream = io.StringIO(newline="")
    use(Log(stream, "en_US"))
    return stream.getvalue()


def say_as(kind: str, text: str) -> str:
    return printed(lambda log: cast("Callable[[str], None]", getattr(log, kind))(text))


def test_each_kind_of_line_has_its_marker() -> None:
    for kind in ("info", "warning", "error"):
        assert say_as(kind, "words") == f"##[{kind}]words\n"
    assert say_as("plain", "words") == "words\n"
    assert say_as("foreign", "words") == "| words\n"


def test_a_sentence_of_the_catalogue_is_printed_in_the_logs_language() -> None:
    stream = io.StringIO()
    log = Log(stream, "zh_CN")
    log.info(say("agent.file_missing"))
    log.language = "en_US"
    log.info(say("agent.file_missing"))
    assert stream.getvalue() == "##[info]文件不存在。\n##[info]it does not exist.\n"


def test_each_line_of_a_text_gets_the_marker() -> None:
    assert say_as("warning", "one\ntwo\n") == "##[warning]one\n##[warning]two\n"
    assert say_as("plain", "") == "\n"


@pytest.mark.parametrize(
    "command",
    [
        "::set-variable name=a::b",
        '"::set-variable name=a::b"',
        "  ::set-progress-rate 1",
        ' \t"::set-progress-rate 1',
        "##[error]not ours",
        "oauth2:token@::set-output name=a::b http://oauth2:",
        ":oauth2:token@:set-output name=a::b http://oauth2:",
        "\u3000\u2000::set-output name=a::b",
    ],
)
def test_a_line_that_the_worker_would_obey_is_printed_as_somebody_elses(command: str) -> None:
    assert is_command(command)
    assert say_as("plain", command) == f"| {command}\n"
    assert say_as("foreign", command) == f"| {command}\n"
    assert say_as("error", command) == f"##[error]| {command}\n"


@pytest.mark.parametrize("before", ["!", "a", "mutant ", "\u200b", "oauth2:"])
def test_a_line_that_begins_otherwise_is_none_of_them(before: str) -> None:
    assert not is_command(f"{before}::set-output name=a::b")


@pytest.mark.parametrize(
    "end", ["\n", "\r", "\r\n", "\x0b", "\x0c", "\x1c", "\x1d", "\x1e", "\x85", "\u2028", "\u2029"]
)
@pytest.mark.parametrize("kind", ["plain", "foreign", "error"])
def test_no_end_of_line_brings_a_command_to_the_start_of_a_line(kind: str, end: str) -> None:
    lines = say_as(kind, f"pod log{end}::set-variable name=a::b").splitlines()
    assert len(lines) == 2
    assert lines[1].endswith("| ::set-variable name=a::b")


@pytest.mark.parametrize(
    ("given", "shown"),
    [
        ("\x1b[31mred\x1b[0m", "\\x1b[31mred\\x1b[0m"),
        ("a\x00b\x07", "a\\x00b\\x07"),
        ("image:\u202elatest", "image:\\u202elatest"),
        ("a\u200bb\ufeff", "a\\u200bb\\ufeff"),
        ("half \ud83d", "half \\ud83d"),
        ("tag \U000e0041", "tag \\U000e0041"),
        ("tab\there", "tab\there"),
        ("中文 🎉 é", "中文 🎉 é"),
        ("x ##subTag##t##subTag##y", "x # #subTag##t# #subTag##y"),
    ],
)
def test_what_nobody_would_see_is_made_visible_and_the_rest_stays(given: str, shown: str) -> None:
    assert say_as("foreign", given) == f"| {shown}\n"


@given(
    st.sampled_from(KINDS),
    st.lists(st.sampled_from(["::", "##[", '"', " ", "oauth2:a@", "##subTag##", "\n", "x"]) | st.text()),
)
def test_no_text_begins_a_line_but_with_our_own_marker(kind: str, parts: list[str]) -> None:
    output = say_as(kind, "".join(parts))
    assert output.endswith("\n")
    for line in output[:-1].split("\n"):
        assert line == "".join(line.splitlines())
        assert "##subTag##" not in line
        marker = next((m for m in MARKERS if line.startswith(m)), "")
        assert not is_command(line[len(marker) :])
        if kind in {"plain", "foreign"}:
            assert not line.startswith(("::", "##["))


@given(st.text())
def test_guarding_a_line_twice_is_guarding_it_once(text: str) -> None:
    for line in lines_of(text):
        assert guarded(guarded(line)) == guarded(line)
        assert not is_command(guarded(line))


def test_a_very_long_line_is_cut_with_a_note_so_that_its_rest_starts_no_line() -> None:
    for character in ("x", "中", "🎉"):
        line = say_as("error", character * 20_000).rstrip("\n")
        assert len(line.encode()) <= WORKER_LIMIT
        assert line.endswith("too long for the log]")
    assert say_as("plain", "x" * 16_000) == "x" * 16_000 + "\n"
    assert say_as("plain", "x" * 16_001).startswith("x" * 16_000 + " … [the rest")
    narrow = io.TextIOWrapper(io.BytesIO(), encoding="ascii")
    Log(narrow, "en_US").error("中" * 5000)
    assert narrow.tell() <= WORKER_LIMIT


def test_a_defect_is_told_by_its_traceback() -> None:
    lines = printed(lambda log: log.defect(ValueError("what nobody foresaw"))).splitlines()
    assert "| ValueError: what nobody foresaw" in lines


def test_a_payload_is_masked_in_every_text_of_it() -> None:
    payload: JsonValue = {"a": ["secret", {"b": "secret"}, 7, None]}
    masked = masked_strings(payload, lambda text: text.replace("secret", "***"))
    assert masked == {"a": ["***", {"b": "***"}, 7, None]}


def test_a_group_is_closed_before_an_error_and_before_the_next_group() -> None:
    def use(log: Log) -> None:
        log.group_start("settings")
        log.plain("inside")
        log.error("wrong")
        log.group_end()
        log.group_start("render")
        log.group_start("plan")

    assert printed(use) == (
        "##[group]settings\ninside\n##[endgroup]\n##[error]wrong\n"
        "##[group]render\n##[endgroup]\n##[group]plan\n"
    )


def test_a_groups_title_is_one_line() -> None:
    assert say_as("group_start", "a\n::b") == "##[group]a ::b\n"


def test_a_registered_secret_is_masked_everywhere_also_across_lines_and_in_sentences() -> None:
    def use(log: Log) -> None:
        log.mask(Secret("first line\nsecond line"))
        log.mask(Secret("canary-5up3r"))
        log.foreign("token=canary-5up3r")
        log.group_start("canary-5up3r")
        log.error(say("agent.file_unreadable", reason="canary-5up3r"))
        log.plain("first line\nsecond line")

    assert printed(use) == (
        "| token=***\n##[group]***\n##[endgroup]\n##[error]reading it failed: ***.\n***\n"
    )


@pytest.mark.parametrize(
    ("encoding", "expected"),
    [("ascii", "\\u4e2d caf\\xe9"), ("latin-1", "\\u4e2d café"), ("utf-8", "中 café")],
)
def test_what_stdout_can_not_encode_is_printed_as_its_escape(encoding: str, expected: str) -> None:
    raw = io.BytesIO()
    stream = io.TextIOWrapper(raw, encoding=encoding, newline="")
    Log(stream, "en_US").plain("中 café")
    assert raw.getvalue().decode(encoding) == expected + "\n"
    stream.close()


def test_without_a_stdout_nothing_is_printed_and_nothing_raised() -> None:
    log = Log(None, "en_US")
    log.error("nobody hears this")
    log.group_end()


def test_a_stream_that_was_closed_is_given_up() -> None:
    stream = io.StringIO()
    log = Log(stream, "en_US")
    stream.close()
    log.info("one")
    log.info("two")


WRITES_ON = """
    import sys
    from pathlib import Path
    from bcs_template_set.agent.log import Log
    from bcs_template_set.agent.output_file import OutputFile, success
    log = Log(sys.stdout, "en_US")
    for _ in range(10_000):
        log.info("a line")
    OutputFile(Path({path!r})).write(success("done", {{}}))
"""


# Unbuffered, the interpreter has nothing to flush at exit, and so nothing to fail at.
BUFFERED = {name: value for name, value in os.environ.items() if name != "PYTHONUNBUFFERED"}


def test_a_run_whose_stdout_was_closed_by_its_reader_still_writes_its_output(tmp_path: Path) -> None:
    path = tmp_path / "output.json"
    process = subprocess.Popen(
        [sys.executable, "-c", textwrap.dedent(WRITES_ON.format(path=str(path)))],
        env=BUFFERED,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.read(10)
    process.stdout.close()
    errors = process.stderr.read()
    process.stderr.close()
    assert process.wait(timeout=60) == 0
    assert errors == b""
    assert '"success"' in path.read_text()


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, a device that is always full")
def test_a_run_whose_stdout_is_a_file_on_a_full_disk_still_writes_its_output(tmp_path: Path) -> None:
    path = tmp_path / "output.json"
    with Path("/dev/full").open("wb") as full:
        done = subprocess.run(
            [sys.executable, "-c", textwrap.dedent(WRITES_ON.format(path=str(path)))],
            env=BUFFERED,
            stdout=full,
            stderr=subprocess.PIPE,
            timeout=60,
            check=False,
        )
    assert (done.returncode, done.stderr) == (0, b"")
    assert '"success"' in path.read_text()
