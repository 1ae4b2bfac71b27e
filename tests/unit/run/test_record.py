"""What a run says of itself after several rounds, half-done files and unknown writes."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import replace
from typing import Callable, Optional

import pytest
from tests.support.pieces import FakeClock
from tests.support.scenes import REQUESTS

from bcs_template_set.manifests.kinds import DEPLOYMENT
from bcs_template_set.messages.server_errors import BcsFailed, OutcomeUnknown, OutOfTime
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.publish.file_outcome import FileOutcome, WriteEnd
from bcs_template_set.publish.plan import Change
from bcs_template_set.publish.take_away import Taken
from bcs_template_set.report.outcome import Heading
from bcs_template_set.rollout.live_state import FileVersion
from bcs_template_set.rollout.result import Rollout
from bcs_template_set.rollout.watched import Watched, Workload
from bcs_template_set.run.record import RunRecord

UNKNOWN = OutcomeUnknown(url="u", problem="no answer")
REFUSED = BcsFailed(bcs_code=1, message="no")


def record(*outcomes: FileOutcome) -> RunRecord:
    made = RunRecord(clock=FakeClock(), language="en_US", heading=Heading())
    for outcome in outcomes:
        made.note_file(outcome)
    return made


def ended(state: WriteEnd, *, version_id: str = "", error: StepError | None = None) -> FileOutcome:
    change = Change(name="a.yaml", action="update", content="x", digest="d", writes_version=True)
    return FileOutcome(change, state, version_id=version_id, error=error)


def test_what_is_heard_after_the_end_is_not_noted() -> None:
    made = record()
    made.stopped = True
    made.note_taken(Taken(files=("a.yaml",)))
    made.note_file(ended("applied"))
    assert (made.taken, made.files()) == (None, ())


@pytest.mark.parametrize(
    ("outcome", "changed"),
    [
        (ended("applied", version_id="1"), True),
        (ended("failed", version_id="1", error=REFUSED), True),
        (ended("failed", error=UNKNOWN), True),
        (ended("failed", error=REFUSED), False),
        (ended("unchanged", version_id="1"), False),
        (ended("skipped"), False),
        (ended("not-attempted"), False),
    ],
)
def test_changed_is_true_where_something_was_or_may_have_been_written(
    outcome: FileOutcome, *, changed: bool
) -> None:
    assert record(outcome).tell("failed").changed is changed


def test_a_space_that_may_have_been_created_counts_as_changed() -> None:
    run = record()
    run.error = UNKNOWN
    assert run.tell("failed").changed


def test_what_an_earlier_round_wrote_stays_written_where_a_later_one_finds_it_unchanged() -> None:
    first = ended("applied", version_id="1")
    assert record(first, ended("unchanged", version_id="1")).files() == (first,)


def test_what_an_earlier_round_wrote_is_not_forgotten_where_a_later_one_fails() -> None:
    (file,) = record(ended("applied", version_id="1"), ended("failed", error=REFUSED)).files()
    assert (file.state, file.version_id) == ("failed", "1")
    assert record(file).tell("failed").changed


def test_a_failure_that_a_later_round_puts_right_is_put_right() -> None:
    (file,) = record(ended("failed", error=REFUSED), ended("applied", version_id="1")).files()
    assert file.state == "applied"


def test_what_was_skipped_or_failed_later_stays_written() -> None:
    first = ended("applied", version_id="1")
    assert record(first, ended("skipped")).files() == (first,)
    half = ended("failed", version_id="1", error=REFUSED)
    assert record(half, ended("unchanged", version_id="1")).files() == (
        replace(half, state="applied", error=None),
    )
    for later in (ended("applied", version_id="2"), ended("failed", version_id="2", error=REFUSED)):
        assert record(first, later).files() == (later,)


def test_what_was_not_written_is_as_the_later_round_left_it() -> None:
    for first in (ended("unchanged", version_id="1"), ended("skipped"), ended("failed", error=REFUSED)):
        later = ended("failed", error=UNKNOWN)
        assert record(first, later).files() == (later,)


def test_applied_are_the_files_that_were_written_by_name() -> None:
    b = replace(ended("applied"), change=replace(ended("applied").change, name="b.yaml"))
    c = replace(ended("unchanged"), change=replace(b.change, name="c.yaml"))
    assert record(b, c, ended("applied")).applied() == (ended("applied"), b)


def test_a_space_or_a_template_set_that_was_created_counts_as_changed() -> None:
    made = record()
    assert made.tell("failed").chart == "none"
    made.record_space(created=True)
    assert made.tell("failed").changed
    published = record()
    published.chart = "created"
    assert published.tell("failed").changed
    published.chart = "unchanged"
    assert not published.tell("failed").changed


def test_who_listens_hears_of_every_move() -> None:
    made, heard = record(), list[str]()
    made.on_move = lambda told: heard.append(told.under_way.name if told.under_way is not None else "-")
    with made.phase("plan"):
        made.note_file(ended("applied"))
        made.watch(seen("a"))
        made.record_request(REQUESTS[0])
    made.note_taken(Taken(files=("a.yaml",)))
    assert heard == ["plan", "plan", "plan", "plan", "-", "-"]
    assert made.tell("failed").requests == (REQUESTS[0],)
    assert made.taken == Taken(files=("a.yaml",))


# --- writes under way -----------------------------------------------------------------------------------


def written(made: RunRecord, *, error: Optional[Exception] = None) -> None:
    """Send a write that is answered, or ends so."""
    with suppress(StepError), made.writing():
        if error is not None:
            raise error


def stopped(made: RunRecord) -> bool:
    """Stop a run, and return whether it is left open what became of a write."""
    made.stop(OutOfTime(seconds=60))
    open_ones = [warning for warning in made.warnings if warning.key == "step.writes_under_way"]
    assert [warning.fields for warning in open_ones] == [{"count": 1}] * made.may_have_written
    assert made.tell("failed").changed == made.may_have_written
    return made.may_have_written


def test_of_a_write_that_a_stop_finds_on_its_way_nobody_knows_what_became() -> None:
    made = record()
    with made.writing():
        assert stopped(made)
    for error in (None, UNKNOWN):
        answered = record()
        written(answered, error=error)
        assert stopped(answered), "nobody has told what came of it yet"


def test_a_write_that_was_refused_or_told_of_is_over() -> None:
    assert not stopped(record())
    refused = record()
    written(refused, error=REFUSED)
    assert not stopped(refused)
    tells: list[Callable[[RunRecord], None]] = [
        lambda made: made.note_file(ended("unchanged")),
        lambda made: made.note_taken(Taken()),
        lambda made: made.record_space(created=False),
    ]
    for tell in tells:
        told = record()
        written(told)
        tell(told)
        assert not stopped(told)


def test_a_defect_in_a_write_goes_on_and_is_no_write() -> None:
    made = record()
    with pytest.raises(ZeroDivisionError), made.writing():
        raise ZeroDivisionError
    assert not stopped(made)


def test_what_one_thread_tells_says_nothing_of_anothers_write() -> None:
    made = record()
    with ThreadPoolExecutor(1) as other:
        other.submit(written, made).result()
        other.submit(written, made).result()
    made.note_file(ended("unchanged"))
    assert stopped(made), "two writes of a thread are one that is open"


def test_once_all_is_published_only_a_write_on_its_way_is_open() -> None:
    made = record()
    with made.phase("publish"):
        pass
    for error in (None, UNKNOWN):
        written(made, error=error)
    assert not stopped(made)
    with made.writing():
        assert stopped(made)


# --- deploying ------------------------------------------------------------------------------------------


def seen(name: str, *, version: str = "2") -> Watched:
    return Watched(Workload(DEPLOYMENT, name, f"front-ends/{name}.yaml", version), "pending")


def test_a_run_that_was_stopped_in_its_wait_tells_its_workloads_as_last_seen() -> None:
    made = record()
    made.rollout = Rollout("BCS-K8S-40000", "prod", deployed=(FileVersion("a.yaml", "1" * 24, "2"),))
    for item in (seen("a"), seen("a-before", version="1"), seen("b")):
        made.watch(item)
    rollout = made.tell("failed").rollout
    assert rollout is not None
    assert rollout.watched == (seen("a"),)


def test_a_wait_that_has_ended_is_not_changed_by_what_was_seen_in_between() -> None:
    made = record()
    made.rollout = Rollout("BCS-K8S-40000", "prod", watched=(seen("a"),))
    made.watch(seen("b"))
    assert made.tell("failed").rollout == made.rollout


def test_what_a_thread_ends_after_the_stop_is_not_part_of_the_story() -> None:
    made = record()
    made.stop(REFUSED)
    made.note_file(ended("applied", version_id="1"))
    assert made.files() == ()
    assert not made.tell("failed").changed
