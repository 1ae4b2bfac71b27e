from __future__ import annotations

import io

import pytest

from bcs_template_set.cli.main import build_parser


def test_the_help_goes_where_it_is_asked_to_go(capsys: pytest.CaptureFixture[str]) -> None:
    elsewhere = io.StringIO()
    build_parser().print_help(elsewhere)
    assert capsys.readouterr().out == ""
    build_parser().print_help()
    assert capsys.readouterr().out == elsewhere.getvalue() != ""
