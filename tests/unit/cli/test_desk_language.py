"""Which language a desk is spoken to in, and how its help is broken into lines."""

from __future__ import annotations

import locale

import pytest

from bcs_template_set.cli.desk_language import HelpLines, local_language


@pytest.mark.parametrize(
    ("environ", "system", "language"),
    [
        ({"LANG": "zh_CN.UTF-8"}, "en_US", "zh_CN"),
        ({"LANG": "en_US.UTF-8"}, "zh_CN", "en_US"),
        ({"LANG": "zh_CN", "LC_MESSAGES": "C"}, "zh_CN", "en_US"),
        ({"LC_MESSAGES": "C", "LC_ALL": "ZH_TW"}, None, "zh_CN"),
        ({"LC_ALL": "C", "BK_CI_LOCALE_LANGUAGE": "zh_CN"}, None, "zh_CN"),
        ({"LC_ALL": "", "LANG": "zh"}, None, "zh_CN"),
        ({}, "Chinese (Simplified)_China", "zh_CN"),
        ({}, "en_US", "en_US"),
        ({}, None, "en_US"),
    ],
)
def test_the_variables_decide_as_posix_orders_them_then_the_system(
    monkeypatch: pytest.MonkeyPatch, environ: dict[str, str], system: str | None, language: str
) -> None:
    for name in ("BK_CI_LOCALE_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG"):
        monkeypatch.delenv(name, raising=False)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    monkeypatch.setattr(locale, "getlocale", lambda: (system, None))
    assert local_language() == language


@pytest.mark.parametrize(
    ("text", "lines"),
    [
        ("one two and", ["one two and"]),
        ("one two three", ["one two", "three"]),
        ("a word-that-is-long", ["a", "word-that-is-long"]),
        ("发布模板集并部署", ["发布模板集", "并部署"]),
        ("发布模板集，并部署", ["发布模板", "集，并部署"]),
        ("看（模板集），并部署", ["看（模板", "集），并部", "署"]),
        ("运行 plan 看差异", ["运行 plan", "看差异"]),
    ],
)
def test_lines_are_broken_between_words_and_chinese_characters_and_before_no_closing_mark(
    text: str, lines: list[str]
) -> None:
    helped = HelpLines("", width=11)
    helped.add_text(text)
    assert helped.format_help().splitlines() == lines


def test_what_is_indented_is_indented_in_every_line() -> None:
    helped = HelpLines("", width=15)
    helped.start_section("x")
    helped.add_text("one two three four")
    helped.end_section()
    assert helped.format_help() == "x:\n  one two three\n  four\n"
