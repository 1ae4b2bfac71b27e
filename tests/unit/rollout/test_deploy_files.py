"""What is sent in calls, what comes of each object, and what is told of it: over a namespace in memory."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Optional, TypeVar, Union

import pytest
from tests.support.pieces import FakeClock
from tests.support.small_namespace import SPACE, SmallNamespace, body, marked

from bcs_template_set.bcs.calls import Read, Write
from bcs_template_set.bcs.deploy_calls import NamespaceRef
from bcs_template_set.bcs.dialect import Site
from bcs_template_set.messages import Text
from bcs_template_set.messages.errors import DeployRefused, NoPermission
from bcs_template_set.messages.server_errors import (
    BcsFailed,
    DeployIncomplete,
    GatewayFailed,
    OutcomeUnknown,
    OutOfTime,
    RolloutUnseen,
)
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.rollout.deploy_files import (
    AUTOSCALED_EVERY,
    LOOK_EVERY,
    READ_BACK_PAUSES,
    Observer,
    deploy_files,
)
from bcs_template_set.rollout.live_look import look
from bcs_template_set.rollout.live_state import FileVersion, LiveState
from bcs_template_set.rollout.sized_calls import Deploying
from bcs_template_set.system.clock import Deadline

T = TypeVar("T")
PLACE = NamespaceRef("web", "a" * 32, "BCS-K8S-40000", "prod")
FILES = (FileVersion("web.yaml", "id-1", "1"),)
LOST = OutcomeUnknown(url="u", problem="the answer is lost")
CUT = GatewayFailed(url="u", status=504, message="m")


class Broken:
    """A gateway that nobody foresaw."""

    most_at_once = 1

    site = Site()

    def read(self, call: Read[T]) -> T:
        raise ZeroDivisionError(call.name)

    def write(self, call: Write[T]) -> T:
        raise ZeroDivisionError(call.name)


def deploying(seconds: float) -> Deploying:
    clock = FakeClock()
    return Deploying(PLACE, SPACE, {}, clock, Deadline(clock, seconds=seconds))


def test_a_defect_is_told_as_itself() -> None:
    with pytest.raises(ZeroDivisionError, match="preview"):
        look(Broken(), deploying(60.0), FILES)
    with pytest.raises(ZeroDivisionError, match="deploy"):
        deploy_files(Broken(), deploying(60.0), FILES)


def test_without_time_nothing_is_looked_at_or_sent() -> None:
    with pytest.raises(OutOfTime):
        look(Broken(), deploying(0.0), FILES)
    with pytest.raises(OutOfTime) as raised:
        deploy_files(Broken(), deploying(0.0), FILES)
    assert raised.value.fields == {"seconds": 0}


def test_of_no_files_there_is_nothing_to_see() -> None:
    assert look(Broken(), deploying(60.0), ()) == ((), "")


# --- a call that is answered ----------------------------------------------------------------------------


class Heard(Observer):
    """Notes what it hears."""

    def __init__(self) -> None:
        self.told: list[tuple[object, ...]] = []

    def begins(self, files: Sequence[FileVersion]) -> None:
        self.told.append(("begins", [file.name for file in files]))

    def ended(
        self,
        files: Sequence[FileVersion],
        seen: Union[tuple[LiveState, ...], StepError],
        error: Optional[StepError],
    ) -> None:
        shown = type(seen) if isinstance(seen, StepError) else [state.title for state in seen]
        self.told.append(("ended", [file.name for file in files], shown, type(error)))


def keys(error: StepError) -> list[tuple[str, object]]:
    """Return the keys of an error's details, each with the object that it is about."""
    texts = [detail for detail in error.details if isinstance(detail, Text)]
    return [(text.key.partition(".")[2], text.fields.get("object")) for text in texts]


def two_files(bcs: SmallNamespace) -> tuple[FileVersion, FileVersion]:
    return (
        bcs.holds("a.yaml", "2", body("Deployment", "a", paused=False), body("Service", "a")),
        bcs.holds("b.yaml", "2", body("ConfigMap", "b", data={"a": "2"})),
    )


def test_what_is_deployed_is_returned_as_it_was_read_back_and_whoever_watches_hears_of_it() -> None:
    bcs, heard = SmallNamespace(), Heard()
    files = two_files(bcs)
    states = deploy_files(bcs, bcs.deploying({"TAG": "7"}), files, observer=heard)
    assert [state.title for state in states] == ["Deployment/a", "Service/a", "ConfigMap/b"]
    assert all(state.mark.version == "2" for state in states)
    assert bcs.sent == [(["a.yaml@2", "b.yaml@2"], {"TAG": "7"})]
    names = ["a.yaml", "b.yaml"]
    titles = [state.title for state in states]
    assert heard.told == [("begins", names), ("ended", names, titles, type(None))]
    assert (bcs.calls, bcs.clock.waits) == (["deploy", "preview"], [0.0])


@pytest.mark.parametrize(("seconds", "waits"), [(1, [0, 1]), (3, [0, 1, 2]), (7, [0, 1, 2, 4])])
def test_what_is_there_a_little_later_was_deployed(seconds: float, waits: list[float]) -> None:
    bcs = SmallNamespace()
    files = two_files(bcs)
    bcs.ends = [(0, None)]

    def come() -> None:
        if bcs.clock.time >= 1000 + seconds:
            bcs.has(files[0])
            bcs.has(files[1])

    bcs.before["preview"] = come
    assert len(deploy_files(bcs, bcs.deploying(), files)) == 3
    assert bcs.clock.waits == waits


def test_what_was_accepted_and_is_not_all_there_is_told_object_by_object() -> None:
    bcs = SmallNamespace()
    files = two_files(bcs)
    bcs.ends = [(1, None)]
    with pytest.raises(DeployIncomplete) as raised:
        deploy_files(bcs, bcs.deploying(), files)
    assert keys(raised.value) == [
        ("applied", "Deployment/a"),
        ("not_applied", "Service/a"),
        ("not_applied", "ConfigMap/b"),
    ]
    assert bcs.clock.waits == [*READ_BACK_PAUSES]


def test_of_more_than_ten_objects_those_that_ended_alike_are_told_in_a_line() -> None:
    bcs = SmallNamespace()
    file = bcs.holds("a.yaml", "2", *(body("ConfigMap", f"c{n:02}") for n in range(23)))
    bcs.ends = [(12, None)]
    bcs.unlisted = ["ConfigMap/c22"]
    with pytest.raises(DeployIncomplete) as raised:
        deploy_files(bcs, bcs.deploying(), [file])
    found = dict(keys(raised.value))
    assert [*found] == ["not_applied", "not_shown", "applied"]
    assert found["not_applied"] == [f"ConfigMap/c{n}" for n in range(12, 22)]
    assert found["not_shown"] == ["ConfigMap/c22"]
    applied = found["applied"]
    assert isinstance(applied, list)
    assert applied[:10] == [f"ConfigMap/c{n:02}" for n in range(10)]
    assert [text.fields["count"] for text in applied[10:]] == [2]


@pytest.mark.parametrize("objects", [10, 11])
def test_ten_objects_have_a_line_each(objects: int) -> None:
    bcs = SmallNamespace()
    file = bcs.holds("a.yaml", "2", *(body("ConfigMap", f"c{n}") for n in range(objects)))
    bcs.ends = [(0, None)]
    with pytest.raises(DeployIncomplete) as raised:
        deploy_files(bcs, bcs.deploying(), [file])
    assert len(raised.value.details) == (10 if objects == 10 else 1)


def test_what_a_preview_does_not_list_is_unseen_and_nothing_is_known_against_it() -> None:
    bcs = SmallNamespace()
    files = two_files(bcs)
    bcs.unlisted = ["Service/a"]
    heard = Heard()
    with pytest.raises(RolloutUnseen) as raised:
        deploy_files(bcs, bcs.deploying(), files, observer=heard)
    assert raised.value.count == 1
    assert keys(raised.value) == [
        ("applied", "Deployment/a"),
        ("applied", "ConfigMap/b"),
        ("not_shown", "Service/a"),
    ]
    assert heard.told[1][2:] == (RolloutUnseen, RolloutUnseen)
    bcs.ends = [(1, None)]
    bcs.live.clear()
    with pytest.raises(DeployIncomplete):
        deploy_files(bcs, bcs.deploying(), files)


@pytest.mark.parametrize("shown_again", [True, False])
def test_objects_that_a_list_has_and_the_preview_shows_as_new_are_hidden_from_it(
    *, shown_again: bool
) -> None:
    bcs = SmallNamespace()
    files = two_files(bcs)
    bcs.hidden = ["Deployment/a", "Service/a", "ConfigMap/b"]
    bcs.before["list Deployment"] = lambda: setattr(bcs, "hidden", ()) if shown_again else None
    if shown_again:
        assert len(deploy_files(bcs, bcs.deploying(), files)) == 3
    else:
        with pytest.raises(RolloutUnseen) as raised:
            deploy_files(bcs, bcs.deploying(), files)
        assert raised.value.count == 3
        assert keys(raised.value) == [("not_shown", ["Deployment/a", "Service/a", "ConfigMap/b"])]
    assert bcs.clock.waits == [*READ_BACK_PAUSES, 0.0]
    assert bcs.count("preview") == len(READ_BACK_PAUSES) + 1


def known_before(bcs: SmallNamespace, files: Sequence[FileVersion]) -> tuple[LiveState, ...]:
    return look(bcs, bcs.deploying(), files)[0]


def test_what_was_rewritten_under_its_name_has_to_hold_the_new_text() -> None:
    bcs = SmallNamespace()
    file = replace(two_files(bcs)[1], rewritten=True)
    old = marked(body("ConfigMap", "b", data={"a": "1"}), "b.yaml", "2")
    bcs.live["ConfigMap/b"] = old
    known = known_before(bcs, [file])
    bcs.ends = [(0, None)]
    with pytest.raises(DeployIncomplete) as raised:
        deploy_files(bcs, bcs.deploying(), [file], known=known)
    assert keys(raised.value) == [("not_applied", "ConfigMap/b")]
    bcs.ends = [(0, None)]
    assert deploy_files(bcs, bcs.deploying(), [replace(file, rewritten=False)], known=known)
    assert deploy_files(bcs, bcs.deploying(), [file], known=known)


def test_what_was_rewritten_and_is_as_it_was_sent_is_not_untouched() -> None:
    bcs = SmallNamespace()
    file = replace(two_files(bcs)[1], rewritten=True)
    bcs.has(file)
    known = known_before(bcs, [file])
    bcs.ends = [(0, None)]
    assert deploy_files(bcs, bcs.deploying(), [file], known=known)
    assert bcs.clock.waits == [0.0]


# --- a refusal ------------------------------------------------------------------------------------------


def test_a_refusal_says_what_was_applied_before_it() -> None:
    bcs, heard = SmallNamespace(), Heard()
    files = two_files(bcs)
    bcs.ends = [(2, "quota  exceeded:\n" + "x" * 600)]
    with pytest.raises(DeployRefused) as raised:
        deploy_files(bcs, bcs.deploying(), files, observer=heard)
    error = raised.value
    assert (str(error.message)[:20], len(str(error.message))) == ("quota exceeded: xxxx", 500)
    assert not error.in_conflict
    assert keys(error) == [
        ("applied", "Deployment/a"),
        ("applied", "Service/a"),
        ("not_applied", "ConfigMap/b"),
    ]
    assert heard.told[1] == (
        "ended",
        ["a.yaml", "b.yaml"],
        ["Deployment/a", "Service/a", "ConfigMap/b"],
        DeployRefused,
    )
    assert bcs.calls == ["deploy", "preview", "preview"]


def test_a_refusal_of_the_whole_call_has_what_it_means() -> None:
    bcs = SmallNamespace()
    files = two_files(bcs)
    bcs.ends = [(0, BcsFailed(bcs_code=1, message="the object has been modified", details=["what it means"]))]
    with pytest.raises(DeployRefused) as raised:
        deploy_files(bcs, bcs.deploying(), files)
    error = raised.value
    assert (error.message, error.in_conflict) == ("the object has been modified", True)
    assert error.details[0] == "what it means"
    assert [key for key, _ in keys(error)] == ["not_applied"] * 3


def test_a_refusal_after_which_nobody_may_look_says_that() -> None:
    bcs, heard = SmallNamespace(), Heard()
    files = two_files(bcs)
    bcs.ends = [(0, BcsFailed(bcs_code=1, message="quota", details=["what it means"]))]

    def refuse() -> None:
        raise NoPermission(user="lisi", message="m", context={"app": "my_app"})

    bcs.before["preview"] = refuse
    with pytest.raises(DeployIncomplete) as raised:
        deploy_files(bcs, bcs.deploying(), files, observer=heard)
    error = raised.value
    first, meaning = error.details
    assert isinstance(first, Text)
    assert (first.key, first.fields["message"], meaning) == (
        "deploy.refused_unseen",
        "quota",
        "what it means",
    )
    assert error.context == {"app": "my_app"}
    assert heard.told[1][2:] == (NoPermission, DeployIncomplete)


# --- a call that is cut short ---------------------------------------------------------------------------


@pytest.mark.parametrize("lost", [LOST, CUT])
def test_what_is_live_after_a_lost_answer_was_deployed(lost: StepError) -> None:
    bcs = SmallNamespace()
    files = two_files(bcs)
    bcs.ends = [(3, lost)]
    assert len(deploy_files(bcs, bcs.deploying(), files)) == 3
    assert (bcs.calls, bcs.clock.waits) == (["deploy", "preview"], [])


def test_only_the_files_that_are_not_live_are_sent_again() -> None:
    bcs, heard = SmallNamespace(), Heard()
    files = two_files(bcs)
    bcs.ends = [(2, LOST)]
    states = deploy_files(bcs, bcs.deploying(), files, observer=heard)
    assert [state.title for state in states] == ["Deployment/a", "Service/a", "ConfigMap/b"]
    assert all(state.mark.version == "2" for state in states), "the later look at an object counts"
    assert [ids for ids, _ in bcs.sent] == [["a.yaml@2", "b.yaml@2"], ["b.yaml@2"]]
    assert bcs.clock.waits == [LOOK_EVERY, LOOK_EVERY, 0.0], "nothing moves for eight seconds"
    assert [told for told in heard.told if told[0] == "begins"] == [
        ("begins", ["a.yaml", "b.yaml"]),
        ("begins", ["b.yaml"]),
    ]


def test_files_of_a_domain_that_are_not_live_go_on_together() -> None:
    bcs = SmallNamespace()
    parts = [
        bcs.holds(f"www.example.com.{part}.yaml", "2", body("ConfigMap", part, data={"a": "2"}))
        for part in ("deployment", "service", "routes")
    ]
    bcs.ends = [(1, LOST)]
    assert len(deploy_files(bcs, bcs.deploying(), parts)) == 3
    assert [len(ids) for ids, _ in bcs.sent] == [3, 2]


def test_a_file_that_was_twice_in_a_call_that_made_nothing_live_is_given_up() -> None:
    bcs = SmallNamespace()
    files = two_files(bcs)
    lost = OutcomeUnknown(url="u", problem="no answer", context={"request": "r-1"})
    bcs.ends = [(0, lost)] * 9
    with pytest.raises(DeployIncomplete) as raised:
        deploy_files(bcs, bcs.deploying(), files)
    assert len(bcs.sent) == 2
    first = raised.value.details[0]
    assert isinstance(first, Text)
    assert (first.key, first.fields["problem"]) == ("deploy.answer_lost", "no answer")
    assert keys(raised.value)[1:] == [("not_applied", "Deployment/a"), ("not_applied", "Service/a")]
    assert raised.value.context == {"request": "r-1"}


def test_an_error_that_names_no_problem_is_told_by_its_title() -> None:
    bcs = SmallNamespace()
    files = two_files(bcs)
    bcs.ends = [(0, CUT)] * 9
    with pytest.raises(DeployIncomplete) as raised:
        deploy_files(bcs, bcs.deploying(), files)
    first = raised.value.details[0]
    assert isinstance(first, Text)
    assert first.fields["problem"] == CUT.title()


def test_a_call_that_makes_more_of_a_file_live_each_time_is_sent_for_as_long_as_it_takes() -> None:
    bcs = SmallNamespace()
    file = bcs.holds("a.yaml", "2", *(body("ConfigMap", f"c{n}", data={"a": "2"}) for n in range(5)))
    bcs.ends = [(count, LOST) for count in (1, 2, 3, 4, 5)]
    assert len(deploy_files(bcs, bcs.deploying(), [file])) == 5
    assert len(bcs.sent) == 5
    bcs.live.clear()
    bcs.ends = [(count, LOST) for count in (1, 1, 2, 2, 2, 5)]
    with pytest.raises(DeployIncomplete):
        deploy_files(bcs, bcs.deploying(), [file])
    assert len(bcs.sent) == 5 + 5, "twice in a row in vain"


def test_what_was_live_before_tells_nothing_after_a_lost_answer_but_by_its_content() -> None:
    bcs = SmallNamespace()
    (_, file) = two_files(bcs)
    bcs.live["ConfigMap/b"] = marked(body("ConfigMap", "b", data={"a": "1"}), "b.yaml", "2")
    known = known_before(bcs, [file])
    bcs.ends = [(0, LOST), (0, LOST)]
    with pytest.raises(DeployIncomplete) as raised:
        deploy_files(bcs, bcs.deploying(), [file], known=known)
    assert keys(raised.value)[1:] == [("not_applied", "ConfigMap/b")]
    assert bcs.clock.waits == [LOOK_EVERY] * 4, "it is watched for eight seconds after each call"
    bcs.ends = [(0, LOST)]
    assert deploy_files(bcs, bcs.deploying(), [file]), "nobody knows that it was there: its mark counts"
    assert len(bcs.sent) == 3


def test_what_was_live_as_it_is_sent_is_there_after_a_lost_answer() -> None:
    bcs = SmallNamespace()
    (_, file) = two_files(bcs)
    bcs.has(file)
    known = known_before(bcs, [file])
    bcs.ends = [(0, LOST)]
    assert deploy_files(bcs, bcs.deploying(), [file], known=known)
    assert (len(bcs.sent), bcs.clock.waits) == (1, [])


def test_what_a_preview_does_not_list_after_a_lost_answer_is_sent_again() -> None:
    bcs = SmallNamespace()
    (file, _) = two_files(bcs)
    bcs.unlisted = ["Service/a"]
    bcs.ends = [(2, LOST)]
    with pytest.raises(RolloutUnseen):
        deploy_files(bcs, bcs.deploying(), [file])
    assert (len(bcs.sent), bcs.clock.waits) == (2, [LOOK_EVERY] * 2 + [*READ_BACK_PAUSES])


def test_a_number_of_pods_that_an_autoscaler_has_set_since_is_no_difference() -> None:
    bcs = SmallNamespace()
    file = bcs.holds("a.yaml", "2", body("Deployment", "a", replicas=3))
    bcs.live["Deployment/a"] = marked(body("Deployment", "a", replicas=5), "a.yaml", "2")
    known = known_before(bcs, [file])
    bcs.ends = [(0, LOST)]
    kept = bcs.deploying({"live_replicas.Deployment.a": "3"})
    assert deploy_files(bcs, kept, [file], known=known)
    bcs.ends = [(0, LOST)] * 2
    with pytest.raises(DeployIncomplete):
        deploy_files(bcs, bcs.deploying(), [file], known=known)


@pytest.mark.parametrize(
    ("count", "takes", "waits"),
    [
        (1, 0.0, [4.0] * 2),
        (1, 6.0, [4.0] * 3),
        (1, 9.9, [4.0] * 5),
        (1, 60.0, [4.0] * 5),
        (2, 12.0, [4.0] * 3),
    ],
)
def test_a_slow_call_is_over_only_after_the_time_that_two_of_its_files_take(
    count: int, takes: float, waits: list[float]
) -> None:
    bcs = SmallNamespace()
    files = two_files(bcs)[:count]
    bcs.takes, bcs.ends = takes, [(0, LOST)]
    deploy_files(bcs, bcs.deploying(), files)
    assert bcs.clock.waits[: len(waits) + 1] == [*waits, 0.0]


def test_a_call_that_still_moves_is_watched_for_as_long_as_it_does() -> None:
    bcs = SmallNamespace()
    file = bcs.holds("a.yaml", "2", *(body("ConfigMap", f"c{n}", data={"a": "2"}) for n in range(12)))
    items = bcs.versions[file.version_id][1]

    def one_more() -> None:
        done = int((bcs.clock.time - 1000) / LOOK_EVERY)
        bcs.live.update({f"ConfigMap/c{n}": item for n, item in enumerate(items[:done])})

    bcs.before["preview"] = one_more
    bcs.ends = [(0, LOST)]
    assert len(deploy_files(bcs, bcs.deploying(), [file])) == 12
    assert len(bcs.sent) == 1
    assert sum(bcs.clock.waits) == 48


def test_a_call_is_watched_for_three_minutes_at_most() -> None:
    bcs = SmallNamespace()
    (file, _) = two_files(bcs)
    items = bcs.versions[file.version_id][1]
    bcs.ends = [(0, LOST), (2, None)]

    def flicker() -> None:
        if len(bcs.sent) == 1:
            bcs.live = {"Deployment/a": items[0]} if bcs.clock.time % 8 else {}

    bcs.before["preview"] = flicker
    deploy_files(bcs, bcs.deploying(), [file])
    assert sum(bcs.clock.waits) == 180


@pytest.mark.parametrize(("seconds", "looks"), [(4, 1), (4.1, 2), (8.1, 3)])
def test_without_time_for_another_look_a_lost_call_is_told_as_it_is(seconds: float, looks: int) -> None:
    bcs = SmallNamespace()
    (file, _) = two_files(bcs)
    bcs.ends = [(1, LOST)] * 9
    with pytest.raises(DeployIncomplete) as raised:
        deploy_files(bcs, bcs.deploying(seconds=seconds), [file])
    assert keys(raised.value)[1:] == [("applied", "Deployment/a"), ("not_applied", "Service/a")]
    assert len(bcs.sent) == 1
    assert bcs.count("preview") == looks + 1, "and once for whoever watches"


# --- several calls --------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("seconds", "live_now", "sent"),
    [
        (AUTOSCALED_EVERY - 1, 7, "3"),
        (AUTOSCALED_EVERY, 7, "7"),
        (AUTOSCALED_EVERY, 2, "3"),
        (AUTOSCALED_EVERY, None, "3"),
    ],
)
def test_a_later_call_sends_the_number_of_pods_that_an_autoscaler_has_raised(
    seconds: float, live_now: Optional[int], sent: str
) -> None:
    bcs = SmallNamespace()
    files = [bcs.holds(f"{n:02}.yaml", "2", body("ConfigMap", f"c{n}")) for n in range(21)]
    bcs.takes = seconds
    if live_now is not None:
        bcs.live["Deployment/a"] = body("Deployment", "a", replicas=live_now)
    name = "live_replicas.Deployment.a"
    deploy_files(bcs, bcs.deploying({name: "3", "TAG": "7"}), files)
    assert [variables for _, variables in bcs.sent] == [{name: "3", "TAG": "7"}, {name: sent, "TAG": "7"}]


def test_without_a_number_that_is_kept_none_is_asked_for() -> None:
    bcs = SmallNamespace()
    files = [bcs.holds(f"{n:02}.yaml", "2", body("ConfigMap", f"c{n}")) for n in range(21)]
    bcs.takes = AUTOSCALED_EVERY
    deploy_files(bcs, bcs.deploying({"TAG": "7"}), files)
    assert {*bcs.calls} == {"deploy", "preview"}


def test_a_call_is_sized_by_what_the_last_one_took() -> None:
    bcs = SmallNamespace()
    files = [bcs.holds(f"{n:02}.yaml", "2", body("ConfigMap", f"c{n}")) for n in range(90)]
    bcs.takes = 10.0
    deploy_files(bcs, bcs.deploying(), files)
    assert [len(names) for names, _ in bcs.sent] == [20, 40, 30]


LOUD, SILENT = BcsFailed(bcs_code=1, message="loud"), BcsFailed(bcs_code=1, message="silent")


@pytest.mark.parametrize(
    ("first", "second", "told"),
    [
        (LOUD, SILENT, [LOUD.message, "deploy.not_applied", "silent"]),
        (LOUD, ZeroDivisionError(), [LOUD.message, "deploy.not_applied"]),
        (ZeroDivisionError("d"), LOUD, ["d"]),
    ],
)
def test_the_first_of_failures_at_once_is_raised_with_what_the_others_say(
    first: Exception, second: Exception, told: list[str]
) -> None:
    bcs = SmallNamespace()
    files = [bcs.holds(f"d{n}.service.yaml", "2", body("ConfigMap", f"c{n}")) for n in range(60)]
    bcs.takes = 20.0
    bcs.broken_calls = {files[20].version_id: first, files[45].version_id: second}
    with pytest.raises((DeployRefused, ZeroDivisionError)) as raised:
        deploy_files(bcs, replace(bcs.deploying(), at_once=2), files)
    error = raised.value
    if isinstance(error, DeployRefused):
        texts = [detail for detail in error.details if isinstance(detail, Text)]
        others = [str(text) for text in texts if text.key == "report.two"]
        assert [error.message, *(text.key for text in texts if text.key != "report.two")] == told[:2]
        assert [word in other for word, other in zip(told[2:], others)] == [True] * len(told[2:])
        assert len(others) == len(told[2:])
    else:
        assert [str(error)] == told


def test_of_calls_that_nobody_can_see_one_tells_for_all() -> None:
    bcs = SmallNamespace()
    files = [bcs.holds(f"d{n}.service.yaml", "2", body("ConfigMap", f"c{n}")) for n in range(60)]
    bcs.takes = 20.0
    bcs.unlisted = [f"ConfigMap/c{n}" for n in (20, 45)]
    with pytest.raises(RolloutUnseen) as raised:
        deploy_files(bcs, replace(bcs.deploying(), at_once=2), files)
    assert [key for key, _ in keys(raised.value)] == ["not_shown", "applied"]


def test_without_time_for_all_calls_what_is_left_is_not_sent() -> None:
    bcs = SmallNamespace()
    files = [bcs.holds(f"{n:02}.yaml", "2", body("ConfigMap", f"c{n}")) for n in range(21)]
    bcs.takes = 30.0
    with pytest.raises(OutOfTime) as raised:
        deploy_files(bcs, bcs.deploying(seconds=31), files)
    assert (raised.value.seconds, len(bcs.sent)) == (31, 1)
