"""What a run says of itself after several rounds, half-done files and unknown writes."""

from __future__ import annotations

import pytest
from tests.support.pieces import FakeClock

from bcs_template_set.manifests.kinds import DEPLOYMENT
from bcs_template_set.messages.server_errors import BcsFailed, OutcomeUnknown
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
