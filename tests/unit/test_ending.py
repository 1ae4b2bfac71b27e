"""What is left beside the verdict must not cost it."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, nullcontext
from pathlib import Path

from tests.unit.report import scenes

from bcs_template_set.ending import Keep, Limited, Place
from bcs_template_set.errors import OutOfTime, WorkspaceUnwritable
from bcs_template_set.interruption import Stopped


def keep(root: Path, limited: Limited = nullcontext) -> Keep:
    return Keep(Place(root, "run"), str, limited)


@contextmanager
def no_time() -> Iterator[None]:
    yield
    raise Stopped(OutOfTime(seconds=60))


def test_whatever_goes_wrong_with_the_report_is_a_warning_and_the_outcome_stands(tmp_path: Path) -> None:
    def fail() -> str:
        raise ZeroDivisionError

    def refuse() -> str:
        raise WorkspaceUnwritable(file="report", problem="no space left on device")

    run = scenes.published()
    for leave, words in ((fail, "ZeroDivisionError"), (refuse, "no space left on device")):
        told, left = keep(tmp_path).attempt(run, leave, path=tmp_path)
        assert left is None
        assert (told.result, told.error, told.files) == (run.result, run.error, run.files)
        assert words in str(told.warnings[-1])


def test_what_there_is_no_time_for_is_named_and_no_output_leads_to_it(tmp_path: Path) -> None:
    run = scenes.published()
    late = keep(tmp_path, no_time)
    told, report = late.report(run)
    assert report is None
    assert str(told.warnings[-1]).endswith(f"not to its end: {tmp_path / 'run' / 'report'}")
    assert late.spill("versions", "{}") == ""
    assert keep(tmp_path).spill("versions", "{}") == "run/versions.json"
