"""How a run ended as sentences: what was written, what is left and deleted, who acted, and what to do."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

import pytest
from tests.support import rollout_scenes, scenes

from bcs_template_set.bcs.gateway import Exchange
from bcs_template_set.manifests import kinds
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import InputsInvalid, Interrupted, NewerBuild
from bcs_template_set.messages.server_errors import GatewayFailed, OutcomeUnknown, OutOfTime
from bcs_template_set.messages.step_error import Detail, StepError, Told
from bcs_template_set.publish.file_outcome import ChartState, FileOutcome, WriteEnd
from bcs_template_set.publish.plan import Plan
from bcs_template_set.publish.pruning import Orphan, OrphanFile, Pruning
from bcs_template_set.publish.take_away import Taken
from bcs_template_set.report.examination import Finding
from bcs_template_set.report.outcome import Outcome
from bcs_template_set.report.verdict import (
    after_texts,
    back_texts,
    context_of,
    details_of,
    failures_of,
    file_error,
    further_obstacles,
    headline,
    how_to_carry_out,
    leaves_of,
    left_texts,
    listed,
    plan_leaves,
    taken_texts,
    written_text,
)
from bcs_template_set.rollout.result import Rollout

CHANGE = scenes.change("a.yaml", writes_version=True)
MISTAKE = InputsInvalid(details=["mistake"])
FAILED = GatewayFailed(url="/x", status=502, message="m")
UNKNOWN = OutcomeUnknown(url="/x", problem="p")
NO_TIME = OutOfTime(seconds=9)


def english(texts: object) -> list[str]:
    assert isinstance(texts, (list, tuple))
    return [str(text) for text in texts]


def failed(error: StepError, **fields: object) -> Outcome:
    outcome = replace(scenes.published(), result="failed", error=error)
    return replace(outcome, **fields)  # type: ignore[arg-type] # its fields


# --- the headline ---------------------------------------------------------------------------------------


def test_a_file_that_could_not_be_read_back_is_named_in_the_headline() -> None:
    run = scenes.published()
    unseen = replace(run, files=(replace(run.files[0], verified=False), *run.files[1:]))
    more = "BCS said that these files are written, and they could not be read back to check it:"
    assert str(headline(unseen)) == f"{headline(run)} {more} {run.files[0].change.name}"


def test_after_an_examination_the_headline_counts_what_is_in_order() -> None:
    ok = Finding("user", "ok", say("doctor.named", name="lisi"))
    good = replace(scenes.nothing_to_do(), result="checked", findings=(ok,))
    assert str(headline(good)) == "Checked; nothing was written. 1 of 1 in order; nothing to mend."
    bad = replace(good, result="failed", error=MISTAKE, findings=(ok, Finding("project", "failed", MISTAKE)))
    assert str(headline(bad)) == "Failed (800102): 1 of 2 in order; 1 to mend: project."
    (told,) = english(details_of(bad))
    assert told.startswith("project: The inputs have mistakes. mistake. Correct these inputs")
    assert english(context_of(bad)) == ["Acting user: lisi", "App: lisi_app", "Region: gz", "Project: demo"]


@pytest.mark.parametrize(
    ("goes_back", "plan", "told"),
    [
        (False, scenes.USUAL, "Plan for {}: 1 domain to update, 1 domain to create, 2 domains unchanged"),
        (False, scenes.plan_of(*scenes.STILL), "Plan for {}: there is nothing to publish, 2 domains unch"),
        (True, scenes.USUAL, "Plan for going back to {}: 1 domain to update, 1 domain to create, "),
        (True, scenes.plan_of(*scenes.STILL), "Plan for going back to {}: all is at it, 2 domains unchanged"),
    ],
)
def test_a_plan_is_told_by_what_it_would_do(plan: Plan, told: str, *, goes_back: bool) -> None:
    run = replace(scenes.planned(), plan=plan)
    run = replace(run, heading=replace(run.heading, goes_back=goes_back))
    assert str(headline(run)).startswith(told.format(scenes.VERSION))
    action = "rollback" if goes_back else "publish"
    assert f": action {action} with expect_plan {plan.digest}" in str(how_to_carry_out(plan, run))


def test_what_went_back_is_called_so() -> None:
    run = replace(rollout_scenes.deployed().outcome, result="rolled-back")
    run = replace(run, heading=replace(run.heading, goes_back=True))
    assert str(headline(run)).startswith(
        "Rolled back 2 domains (4 files), to version 1.0.428-feature-login, in"
    )


def test_a_run_that_a_newer_build_stopped_before_it_deployed_is_skipped_all_the_same() -> None:
    run = replace(scenes.skipped(), rollout=Rollout("c", "n"))
    assert headline(run) == headline(scenes.skipped())
    assert str(headline(run)).startswith("Skipped: a newer build of this pipeline and branch has published")


def test_where_only_the_template_set_was_new_its_files_were_there_already() -> None:
    files = tuple(map(scenes.untouched, scenes.USUAL.changes))
    run = replace(scenes.published(), heading=replace(scenes.HEADING, template_set="shop"), files=files)
    told = f"Published the template set shop {scenes.VERSION}; its files were there already: 4 domains"
    assert str(headline(run)).startswith(told)
    some = replace(run, files=(scenes.applied(scenes.USUAL.changes[0]), *files[1:]))
    assert str(headline(some)).startswith(f"Published {scenes.VERSION}: ")


# --- what was written -----------------------------------------------------------------------------------

HALF = "No file was completed. For some, the version was written but its pin"
NO_FILE = "No file was written; the folder or the template set was created."
NOT_KNOWN = "The step does not know whether anything was written."


def file(state: WriteEnd, error: Optional[StepError] = None, *, version_id: str = "") -> FileOutcome:
    return FileOutcome(CHANGE, state, version_id=version_id, error=error)


@pytest.mark.parametrize(
    ("error", "files", "chart", "told"),
    [
        (FAILED, [file("applied"), file("failed")], "none", "1 of 2 files is published and stays;"),
        (FAILED, [file("applied"), file("applied")], "none", "2 files are published and stay."),
        (FAILED, [file("failed", version_id="v"), file("not-attempted")], "none", HALF),
        (FAILED, [file("failed"), file("not-attempted", version_id="v")], "none", NO_FILE),
        (Interrupted(signal="SIGTERM"), [file("not-attempted")], "none", NOT_KNOWN),
        (Interrupted(signal="SIGTERM"), [file("not-attempted")], "created", NO_FILE),
        (NO_TIME, [file("not-attempted")], "none", NOT_KNOWN),
        (UNKNOWN, [file("not-attempted")], "none", NOT_KNOWN),
        (FAILED, [file("failed", FAILED), file("failed", UNKNOWN)], "none", NOT_KNOWN),
        (FAILED, [file("failed", FAILED)], "created", NO_FILE),
    ],
)
def test_what_a_failed_run_has_written_is_told_as_far_as_it_is_known(
    error: StepError, files: list[FileOutcome], chart: ChartState, told: str
) -> None:
    outcome = failed(error, files=tuple(files), chart=chart)
    written = written_text(outcome)
    assert str(written).startswith(told)
    assert written in after_texts(outcome)
    assert str(written_text(replace(outcome, changed=False))) == "Nothing was written to BCS."


def test_a_run_that_deployed_what_was_there_wrote_no_version_and_one_that_did_not_fail_tells_none() -> None:
    outcome = failed(FAILED, files=(file("not-attempted"),), rollout=rollout_scenes.ROLLOUT)
    assert str(written_text(outcome)).startswith("No new version was written; BCS held them all already.")
    assert written_text(scenes.published()) is None
    assert after_texts(scenes.published()) == []


# --- what is left, and what goes ------------------------------------------------------------------------

OLD = Orphan(kinds.DEPLOYMENT, "old", "old.yaml", "1.0.7-main", build=7)
STAYS = say("report.workload_line", object="Service/kept", reason="others need it.")
PRUNING = Pruning(
    mode="delete",
    is_seen=True,
    objects=(OLD,),
    files=(OrphanFile("gone.yaml", "t", "v"),),
    stays=(STAYS,),
    absent=("absent.yaml",),
    notes=(say("rollout.observing"),),
)
REST = ["Service/kept: others need it.", "Not live here, and not rendered: absent.yaml"]
REST += [str(say("rollout.observing"))]


@pytest.mark.parametrize(
    ("result", "told"),
    [
        ("planned", "delete: Deployment/old (old.yaml), gone.yaml"),
        (
            "deployed",
            "Not deleted, since not everything in its place was seen ready: Deployment/old (old.yaml), ",
        ),
    ],
)
def test_what_a_run_is_to_delete_is_told_and_that_it_was_not(result: str, told: str) -> None:
    run = replace(rollout_scenes.deployed().outcome, plan=replace(scenes.USUAL, pruning=PRUNING))
    first, *rest = english(leaves_of(replace(run, result=result)))  # type: ignore[arg-type] # one of them
    assert first.startswith(told)
    assert rest == REST
    kept = replace(PRUNING, mode="report")
    first, *rest = english(leaves_of(replace(run, plan=replace(scenes.USUAL, pruning=kept))))
    assert first.startswith(
        "Left by earlier builds of this pipeline and branch, and rendered no more: Deployment"
    )
    assert rest == REST


def test_of_what_was_deleted_all_is_told_once_and_how_to_bring_it_back() -> None:
    files = ("gone.yaml",)
    beside = replace(OLD, name="beside", file="gone.yaml")
    taken = Taken(
        done=(OLD, beside),
        files=files,
        left=(("Service/a", say("rollout.observing")),),
        not_tried=("Service/b",),
    )
    run = replace(rollout_scenes.deployed().outcome, plan=replace(scenes.USUAL, pruning=PRUNING), taken=taken)
    assert english(leaves_of(run)) == [
        "Deleted: Deployment/old, Deployment/beside, gone.yaml",
        f"Not deleted: Service/a. {say('rollout.observing')}",
        "Not tried: Service/b. The next run goes on with them.",
        *REST,
        "To bring back what was deleted of old.yaml: action: rollback, rollback_to: build 7, only: old.yaml",
    ]
    assert left_texts(run) == leaves_of(run)
    assert (taken_texts(Taken()), back_texts(Taken())) == ([], [])


def test_of_many_objects_that_stay_the_first_are_told_with_their_reasons() -> None:
    many = tuple(say("report.workload_line", object=n, reason="r") for n in range(21))
    few = replace(scenes.USUAL, pruning=Pruning(is_seen=True, stays=many[:-1]))
    assert plan_leaves(few) == [*many[:-1]]
    assert plan_leaves(replace(few, pruning=replace(few.pruning, stays=many))) == [
        *many[:-1],
        say("report.more_details", count=1),
    ]


@pytest.mark.parametrize(
    ("outcome", "leaves"),
    [
        (scenes.published(), True),
        (scenes.nothing_to_do(), True),
        (rollout_scenes.image_not_found().outcome, True),
        (rollout_scenes.restored().outcome, False),
        (scenes.skipped(), False),
        (scenes.conflict(), False),
    ],
    ids=["published", "unchanged", "failed", "taken back", "skipped", "not begun"],
)
def test_what_was_taken_back_or_not_begun_leaves_nothing(outcome: Outcome, *, leaves: bool) -> None:
    assert outcome.plan is not None
    run = replace(outcome, plan=replace(outcome.plan, dropped=("Deployment/old",)))
    assert bool(left_texts(run)) == leaves
    assert after_texts(run)[-1:] == left_texts(run) or not leaves


def test_a_run_without_a_plan_leaves_nothing() -> None:
    assert leaves_of(replace(scenes.published(), plan=None)) == []
    assert left_texts(replace(scenes.published(), plan=None)) == []


def test_only_what_there_is_of_objects_and_files_is_left() -> None:
    (objects,) = english(plan_leaves(replace(scenes.USUAL, dropped=("Deployment/old",))))
    assert objects.startswith(
        "Left in the cluster, since no file of this run holds them any more: Deployment/old."
    )
    (files,) = english(plan_leaves(replace(scenes.USUAL, rendered_no_more=("old.yaml",))))
    assert files.startswith("Left as they are, since this run does not render them: old.yaml.")


# --- details --------------------------------------------------------------------------------------------


def test_what_stays_where_a_list_is_cut_follows_the_count_of_the_others() -> None:
    stays = Told("rollout.observing", stays=True, count=9)
    lines: list[Detail] = [stays, *(f"line {n}" for n in range(52))]
    assert listed(lines) == [*lines[1:51], say("report.more_details", count=2), stays]


def test_a_files_error_is_told_with_its_details_where_it_has_any() -> None:
    assert str(file_error(MISTAKE)) == "(800102) The inputs have mistakes. mistake"
    assert str(file_error(InputsInvalid())) == "(800102) The inputs have mistakes."


def test_why_a_file_failed_is_told_unless_the_runs_own_error_has_told_it() -> None:
    other = InputsInvalid(details=["mistake", "another"])
    errors = (FAILED, MISTAKE, other, InputsInvalid())
    run = failed(MISTAKE, files=tuple(file("failed", error) for error in errors))
    assert failures_of(run) == [
        say("report.failed_file", name="a.yaml", error=file_error(error))
        for error in (FAILED, other, errors[3])
    ]
    again = InputsInvalid(details=["mistake"])
    assert failures_of(failed(MISTAKE, files=(file("failed", again),))) == []
    assert len(failures_of(replace(run, error=None))) == 4


def test_what_else_stands_against_a_plan_is_told_where_nothing_was_attempted() -> None:
    taken, lost = say("rollout.observing"), say("rollout.no_status")
    conflict = scenes.conflict()
    assert conflict.plan is not None
    plan = replace(conflict.plan, taken=(taken,), lost_routes=(lost,))
    assert further_obstacles(replace(conflict, plan=plan)) == [taken, lost]
    assert further_obstacles(replace(conflict, plan=plan, error=NewerBuild())) == [
        *plan.conflicts,
        taken,
        lost,
    ]
    assert further_obstacles(replace(conflict, plan=plan, error=None)) == []
    assert further_obstacles(replace(conflict, plan=None)) == []
    begun = replace(conflict, plan=plan, files=(scenes.applied(CHANGE),))
    assert further_obstacles(begun) == []


# --- who acted, and by which request --------------------------------------------------------------------

WHO = ["Acting user: lisi", "App: lisi_app", "Region: gz", "Project: demo"]
LAST = [
    "Request: GET /clusterresources/v1/projects/demo/template/64/metadatas",
    "Request id: r-4",
    "Gateway request id: g-4",
]


def test_who_acted_is_told_where_it_may_matter_and_the_error_knows_better() -> None:
    assert context_of(scenes.published()) == []
    assert context_of(failed(MISTAKE)) == []
    assert english(context_of(failed(NewerBuild()))) == WHO
    nobody = failed(NewerBuild(), identity=None)
    assert english(context_of(nobody)) == WHO[2:]
    other = NewerBuild(context={"acting_user": "wangwu", "region": "", "odd": "x", "project": None})
    assert english(context_of(failed(other))) == ["Acting user: wangwu", *WHO[1:]]
    elsewhere = InputsInvalid(context={"request_id": "r-9", "cluster": "c-1"})
    assert english(context_of(failed(elsewhere))) == ["Cluster: c-1", "Request id: r-9"]


@pytest.mark.parametrize("name", ["request", "request_id", "gateway_request_id", "gateway_code"])
def test_what_a_request_is_found_by_comes_last(name: str) -> None:
    error = InputsInvalid(context={name: "x", "cluster": "c-1"})
    assert context_of(failed(error)) == [
        say("context.cluster", value="c-1"),
        say(f"context.{name}", value="x"),
    ]


def test_a_fault_of_the_platform_has_the_last_request_unless_it_has_its_own() -> None:
    assert english(context_of(failed(FAILED))) == [*WHO, *LAST]
    assert english(context_of(failed(FAILED, requests=()))) == WHO
    own = GatewayFailed(url="/x", status=502, message="m", context={"request_id": "r-9"})
    assert english(context_of(failed(own))) == [*WHO, "Request id: r-9"]


def deploying(*ids: str) -> tuple[Exchange, ...]:
    sent = tuple(replace(scenes.DEPLOYMENT, request_id=name, gateway_request_id="") for name in ids)
    return (*scenes.REQUESTS[:1], *sent, *scenes.REQUESTS[1:])


@pytest.mark.parametrize(
    ("outcome", "told"),
    [
        (rollout_scenes.image_not_found().outcome, "r-6"),
        (rollout_scenes.restored().outcome, "r-5"),
        (rollout_scenes.unseen().outcome, "r-4"),
    ],
    ids=["failed", "restored", "unseen"],
)
def test_a_rollout_is_found_by_the_call_that_deployed_it(outcome: Outcome, told: str) -> None:
    run = replace(outcome, requests=deploying("r-5", "r-6"))
    assert f"Request id: {told}" in english(context_of(run))
    path = "POST /clusterresources/v1/projects/demo/template/deploy"
    assert (f"Request: {path}" in english(context_of(run))) == (told != "r-4")
    assert f"Request id: {told}" not in english(context_of(replace(run, rollout=None, requests=())))
