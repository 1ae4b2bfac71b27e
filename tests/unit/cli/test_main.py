from __future__ import annotations

import io
import json
import re

import pytest

from bcs_template_set.cli.main import Parser, build_parser, main


def test_the_help_goes_where_it_is_asked_to_go(capsys: pytest.CaptureFixture[str]) -> None:
    elsewhere = io.StringIO()
    build_parser().print_help(elsewhere)
    assert capsys.readouterr().out == ""
    build_parser().print_help()
    assert capsys.readouterr().out == elsewhere.getvalue() != ""


def helps() -> list[str]:
    parser: Parser = build_parser()
    return [parser.format_help(), *(verb.format_help() for verb in parser.verbs.values())]


def test_the_help_is_in_the_desk_s_language_and_keeps_to_the_terminal(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("COLUMNS", "80")
    monkeypatch.setenv("BK_CI_LOCALE_LANGUAGE", "en_US")
    english = helps()
    assert all(text.isascii() or "PATTERN,…" in text for text in english)
    assert all(text.startswith("usage: ") for text in english)
    monkeypatch.setenv("BK_CI_LOCALE_LANGUAGE", "zh_CN")
    chinese = helps()
    for text in chinese:
        assert text.startswith("用法：bcs-template-set")
        assert "选项:" in text
        assert not re.search(r"\b(usage|show|print|repeatable|arguments|options)\b", text)
        assert all(sum(1 if mark.isascii() else 2 for mark in line) <= 80 for line in text.splitlines())
        assert not re.search(r"(?m)^ *[，。；：、）]", text)
    assert "12h、30d、8w" in re.sub(r"\s+", "", chinese[5])
    assert re.search(r"\b30d\b", chinese[5], re.ASCII)
    assert build_parser().format_usage() == "用法：bcs-template-set [-h] [--version] VERB ...\n"


@pytest.mark.parametrize(
    ("arguments", "english", "chinese"),
    [
        ("plan", "--settings is missing.", "缺少 --settings。"),
        ("diff --settings a", "A, B is missing.", "缺少 A、B。"),
        ("plan --settings", "--settings takes a value.", "--settings 后面要填写值。"),
        ("check --strict=x", "--strict takes no value.", "--strict 不带值。"),
        (
            "check --format xml",
            "--format is xml; it takes one of text, json, sarif, junit.",
            "--format 当前值为 xml；可填：text、json、sarif、junit。",
        ),
        ("completion zsh", "zsh is not known.", "zsh 不是已知的选项或子命令。"),
    ],
)
def test_a_mistaken_argument_is_told_in_the_desk_s_language(
    arguments: str,
    english: str,
    chinese: str,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    for language, sentence in (("en_US", english), ("zh_CN", chinese)):
        monkeypatch.setenv("BK_CI_LOCALE_LANGUAGE", language)
        with pytest.raises(SystemExit, match="1"):
            main(arguments.split())
        assert capsys.readouterr().err.endswith(f": {sentence}\n")


@pytest.mark.parametrize(
    ("arguments", "problem"),
    [
        ("check --bogus --format json", "--bogus is not known."),
        ("check --format=json --set", "--set takes a value."),
        ("check --format json -q", "-q is not known."),
        ("check --format", ""),
        ("check --format xml", ""),
        ("render --format json", ""),
    ],
)
def test_a_mistaken_argument_is_in_the_document_that_was_asked_for(
    arguments: str, problem: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit, match="1"):
        main(arguments.split())
    out, err = capsys.readouterr()
    assert (out == "") == (problem == "")
    if problem:
        (finding,) = json.loads(out)["findings"]
        assert (finding["check"], finding["message"]) == ("input", problem)
        assert err.endswith(f": {problem}\n")


def test_what_argparse_says_that_we_do_not_know_is_said_as_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SystemExit):
        build_parser().error("something new")
    assert capsys.readouterr().err.endswith(": something new\n")
