"""What is said of a template set by what is there after BCS was asked to make it."""

from __future__ import annotations

from typing import Optional, cast

import pytest
from tests.support.pieces import FakeClock
from tests.support.planned import OURS, A, B, chart, desired, existing
from tests.unit.bcs.space.test_read_space import FakeReader, Reply

from bcs_template_set.bcs.calls import T, Write
from bcs_template_set.messages import Text
from bcs_template_set.messages.errors import AppNotGranted, VersionConflict
from bcs_template_set.messages.server_errors import BcsFailed, GatewayFailed, OutcomeUnknown
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.publish.file_outcome import FileOutcome
from bcs_template_set.publish.make_plan import make_plan
from bcs_template_set.publish.plan import Policy
from bcs_template_set.publish.template_set import publish_chart
from bcs_template_set.publish.write_files import Publishing
from bcs_template_set.system.clock import Deadline

REFUSED = BcsFailed(bcs_code=5, message="the repository fails")
UNGRANTED = AppNotGranted(app_code="a", message="m")
LOST = OutcomeUnknown(url="u", problem="no answer")
DOWN = GatewayFailed(url="u", status=503, message="m")
WHOLE, HALF = chart(**{"a.yaml": A, "b.yaml": B}), chart(**{"a.yaml": B})


class Charts(FakeReader):
    """Makes template sets as it is told; keeps what it was sent."""

    def __init__(self, there: Reply, said: Optional[StepError]) -> None:
        super().__init__({"get chart version": there})
        self.sent: list[object] = []
        self._said = said

    def write(self, call: Write[T]) -> T:
        self.sent.append(call.body)
        if self._said is not None:
            raise self._said
        return cast("T", None)


def published(
    there: Reply, said: Optional[StepError] = None, *, writer: Optional[Charts] = None
) -> tuple[tuple[Text, ...], Charts]:
    writer, clock = writer or Charts(there, said), FakeClock()
    wanted = desired(("a.yaml", A), ("b.yaml", B), template_set="web")
    plan = make_plan(wanted, existing(), policy=Policy())
    publishing = Publishing(writer, wanted, clock, Deadline(clock, seconds=None), print)
    files = [
        FileOutcome(change, "applied", version=f"v{number}") for number, change in enumerate(plan.changes)
    ]
    return publish_chart(publishing, plan, files), writer


def test_it_is_made_of_the_versions_and_bears_the_digest_of_all_texts() -> None:
    warnings, writer = published(WHOLE)
    (body,) = writer.sent
    assert warnings == ()
    assert isinstance(body, dict)
    assert body["description"] == OURS.line(A + B)
    assert body["templates"] == [
        {"templateSpace": "front-ends", "templateName": f"{name}.yaml", "version": f"v{number}"}
        for number, name in enumerate("ab")
    ]
    assert (body["name"], body["version"], body["force"]) == ("web", "1.0.7-main", False)


@pytest.mark.parametrize("there", [UNGRANTED, DOWN], ids=["not granted", "away"])
def test_one_that_can_not_be_read_back_is_said_to_be_unverified(there: StepError) -> None:
    (warning,), _ = published(there)
    assert str(warning).startswith("The template set web 1.0.7-main was accepted, but could not be read back")


@pytest.mark.parametrize(
    ("there", "names"),
    [(HALF, "a.yaml, b.yaml"), (REFUSED, "a.yaml, b.yaml"), (chart(**{"b.yaml": B}), "a.yaml")],
)
def test_one_that_lacks_files_or_is_not_there_is_no_success(there: Reply, names: str) -> None:
    with pytest.raises(BcsFailed) as caught:
        published(there)
    assert caught.value.bcs_code == 0
    assert str(caught.value.message) == f"the template set was made without {names}"


@pytest.mark.parametrize(
    ("there", "error", "details"),
    [
        (HALF, VersionConflict, ["plan.chart_conflict"]),
        (REFUSED, BcsFailed, []),
        (UNGRANTED, BcsFailed, ["publish.chart_maybe_there"]),
    ],
    ids=["another", "none", "nobody can tell"],
)
def test_a_refusal_is_explained_by_what_is_there(
    there: Reply, error: type[StepError], details: list[str]
) -> None:
    with pytest.raises(error) as caught:
        published(there, REFUSED)
    assert [detail.key for detail in caught.value.details if isinstance(detail, Text)] == details


def test_a_refusal_of_the_same_that_is_there_is_none() -> None:
    warnings, writer = published(WHOLE, REFUSED)
    assert (warnings, len(writer.sent)) == ((), 1)


@pytest.mark.parametrize(("there", "sent"), [(UNGRANTED, 1), (REFUSED, 3)])
def test_one_whose_answer_was_lost_is_sent_again_only_where_it_is_known_not_to_be_there(
    there: Reply, sent: int
) -> None:
    writer = Charts(there, LOST)
    with pytest.raises(OutcomeUnknown) as caught:
        published(there, writer=writer)
    assert (caught.value, len(writer.sent)) == (LOST, sent)


def test_one_whose_answer_was_lost_is_found() -> None:
    warnings, writer = published(WHOLE, LOST)
    assert (warnings, len(writer.sent)) == ((), 1)
