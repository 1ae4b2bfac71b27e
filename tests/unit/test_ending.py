"""What is left beside the verdict must not cost it."""

from __future__ import annotations

from tests.unit.report import scenes

from bcs_template_set.ending import _try
from bcs_template_set.errors import WorkspaceUnwritable


def test_whatever_goes_wrong_with_the_report_is_a_warning_and_the_outcome_stands() -> None:
    def fail() -> str:
        raise ZeroDivisionError

    def refuse() -> str:
        raise WorkspaceUnwritable(file="report", problem="no space left on device")

    run = scenes.published()
    for leave, words in ((fail, "ZeroDivisionError"), (refuse, "no space left on device")):
        told, left = _try(run, leave)
        assert left is None
        assert (told.result, told.error, told.files) == (run.result, run.error, run.files)
        assert words in str(told.warnings[-1])
