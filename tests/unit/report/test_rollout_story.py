from __future__ import annotations

import json
from dataclasses import replace
from typing import Callable, Optional

import pytest
from tests.support import rollout_scenes, scenes
from tests.unit.report.test_log_lines import published_lines, shown
from tests.unit.report.test_output import text_of, written

from bcs_template_set.agent.output_file import MOST_MESSAGE_UNITS, utf16_units
from bcs_template_set.bcs.space.existing import VersionRef
from bcs_template_set.bcs.space.provenance import Provenance
from bcs_template_set.manifests.branch_paths import BRANCHES, Claim, claims_json
from bcs_template_set.messages import LANGUAGES, Language, say
from bcs_template_set.messages.errors import DryRunFailed
from bcs_template_set.messages.server_errors import DeployIncomplete
from bcs_template_set.messages.step_error import first_names
from bcs_template_set.publish.file_outcome import FileOutcome
from bcs_template_set.report.log_lines import LogLine, header_lines, plan_lines
from bcs_template_set.report.outcome import Heading, Outcome
from bcs_template_set.report.rollout_lines import deployment_lines, heartbeat_line, watched_lines
from bcs_template_set.report.rollout_story import (
    by_hand_texts,
    deployed_texts,
    live_texts,
    ready_text,
    restoration_texts,
    waited_text,
)
from bcs_template_set.report.rollout_verdict import cure_of
from bcs_template_set.report.rows import was_attempted
from bcs_template_set.report.shown_limits import LOG_LIVE_DIFF_LINES
from bcs_template_set.report.verdict import headline
from bcs_template_set.report.verdict_lines import verdict_lines
from bcs_template_set.rollout.result import Before, Restoration, Rollout
from bcs_template_set.rollout.watched import Watched
from bcs_template_set.run.record import RunRecord
from bcs_template_set.system.clock import SystemClock

CLAIMED = f"""\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: i
  annotations: {{{BRANCHES}: '{claims_json([Claim("/new/", "login")])}'}}
spec:
  rules:
    - host: b.example.com
      http:
        paths: [{{path: /new/, pathType: Prefix, backend: {{service: {{name: w, port: {{number: 80}}}}}}}}]
"""


def log_of(scene: rollout_scenes.Scene, *, language: Language) -> list[LogLine]:
    """The log of a run that deployed, near enough: what its phases print, in their order."""
    outcome, rollout = replace(scene.outcome, language=language), scene.outcome.rollout
    assert outcome.plan is not None
    assert rollout is not None
    lines = header_lines(outcome.heading, outcome.identity, language=language)
    lines += plan_lines(outcome.plan, language=language)
    if was_attempted(outcome):
        lines += published_lines(outcome, language=language)
    lines += deployment_lines(rollout_scenes.deployment_plan(rollout), language=language)
    lines += [line for change in scene.changes for line in watched_lines(change, language=language)]
    return lines + verdict_lines(outcome, report_path=".bcs-template-set/b-428/report/index.html")


def verdict(outcome: Outcome) -> str:
    return shown(verdict_lines(outcome))


def with_rollout(outcome: Outcome, **fields: object) -> Outcome:
    return replace(outcome, rollout=replace(rollout_of(outcome), **fields))  # type: ignore[arg-type] # its own


def rollout_of(outcome: Outcome) -> Rollout:
    assert outcome.rollout is not None
    return outcome.rollout


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("scene", rollout_scenes.SCENES)
def test_the_log_of_a_deployment_is_its_golden_file(
    scene: str, language: Language, golden: Callable[[str, str], None]
) -> None:
    golden(f"report/{scene}.{language}.txt", shown(log_of(rollout_scenes.SCENES[scene](), language=language)))


def test_a_deployment_says_what_is_live_where_after_how_long_and_which_pages_were_looked_at() -> None:
    text = verdict(rollout_scenes.deployed().outcome)
    assert "to BCS-K8S-40000, namespace prod. Live already: 1 domain (2 files)." in text
    assert text.startswith("state  domain or file")
    assert "\nlive  1 more domain, live already and left alone\nDeployed 2 domains (4 files), version" in text
    assert "2 workloads are ready, the last after 12 s." in text
    assert "Pages checked: 2; 2 of them serve what they should." in text


def test_a_deployment_that_nobody_waited_for_does_not_speak_of_ready_workloads() -> None:
    outcome = rollout_scenes.deployed().outcome
    rollout = replace(rollout_of(outcome), watched=(), arrivals=(), waited=False)
    text = verdict(replace(outcome, rollout=rollout))
    assert "The step did not wait for the workloads: timeout is 0." in text
    assert "Workloads ready" not in text


def test_whom_nobody_waited_for_is_named_beside_those_that_are_ready() -> None:
    outcome = rollout_scenes.deployed().outcome
    suspended = rollout_scenes.watched("c.example.com", "nothing", key="rollout.job_suspended")
    rollout = rollout_of(outcome)
    rollout = replace(rollout, watched=(*rollout.watched, suspended), unwatched=("CronJob/night",))
    text = verdict(replace(outcome, rollout=rollout))
    told = "2 workloads are ready, the last after 12 s. Not waited for: CronJob/night"
    assert f"{told}, Deployment/deployment.nginx.c" in text


def test_a_rollout_that_timed_out_has_not_failed_and_says_that_running_again_is_safe() -> None:
    text = verdict(rollout_scenes.timed_out().outcome)
    assert text.partition("##[error]")[2].startswith("Timed out (800508)")
    assert "did not become ready within 600 s, and did not fail" in text
    assert "Running again is safe" in text
    assert "deployment.nginx.b.example.com: 0 of 1 updated pod is available." in text


@pytest.mark.parametrize(
    ("content", "kinds", "told"),
    [
        ("", (), " does not serve b.example.com/new."),
        ("", (("Exact", "Prefix"),), " does not serve b.example.com/new, b.example.com/."),
        ("", (("Prefix", "Exact"),), " does not serve b.example.com/new."),
        (CLAIMED, (), "That also changes 2 others: a.example.com, c.example.com."),
    ],
)
def test_going_back_by_hand_says_which_hosts_and_paths_that_takes_away(
    content: str, kinds: tuple[tuple[str, str], ...], told: str
) -> None:
    outcome = rollout_scenes.image_not_found().outcome
    route = scenes.route_of("b.example.com", "/")
    changed = tuple((route._replace(path_type=old), route._replace(path_type=new)) for old, new in kinds)
    files = [
        replace(file, change=replace(file.change, content=content, routes_changed=changed))
        if file.change.name == "b.example.com.routes.yaml"
        else file
        for file in outcome.files
    ]
    assert str(by_hand_texts(replace(outcome, files=tuple(files)))[1]).endswith(told)


def test_a_restored_run_tells_both_stories_and_not_how_to_go_back_by_hand() -> None:
    text = verdict(rollout_scenes.restored().outcome)
    first, second = text.split("After that, since on_failure is restore:")
    assert "does not exist in its registry" in first
    assert f"Restored to version {rollout_scenes.BEFORE}, which was deployed before: b.example.com" in second
    assert "Left as they are, since they had not been deployed before: a.example.com" in second
    assert "by hand" not in text


def test_a_restore_that_failed_says_both_and_calls_nothing_restored() -> None:
    outcome = rollout_scenes.restored().outcome
    rollout = rollout_of(outcome)
    assert rollout.restoration is not None
    problem = DryRunFailed(message="no such Secret").title()
    names = tuple(file.name for file in rollout.restoration.files)
    way = replace(rollout.restoration, problem=problem, unwatched=names)
    text = verdict(replace(outcome, result="failed", rollout=replace(rollout, restoration=way)))
    assert text.partition("##[error]")[2].startswith("Failed (800506)")
    assert "The restore did not work out" in text
    assert "is deployed again and was not seen ready" in text
    assert "Restored to" not in text
    assert "no such Secret" in text
    assert "Before, version" not in text, "all that could is deployed again"


def test_what_was_deployed_and_kept_ends_with_how_to_go_back() -> None:
    outcome = rollout_scenes.image_not_found().outcome
    assert outcome.error is not None
    texts = [line.text for line in verdict_lines(outcome)]
    cure = str(cure_of(outcome))
    assert texts.index(f"What to do: {cure}") < texts.index("To go back by hand:")
    before = texts[texts.index("To go back by hand:") + 1]
    assert before.startswith(f"  - Before, version {rollout_scenes.BEFORE} was live")


@pytest.mark.parametrize(
    "outcome",
    [
        rollout_scenes.deployed().outcome,
        rollout_scenes.restored().outcome,
        scenes.half_published(),
        replace(
            rollout_scenes.image_not_found().outcome,
            rollout=Rollout(cluster_id="BCS-K8S-40000", namespace="prod"),
        ),
    ],
    ids=["went well", "went back itself", "never deployed", "deployed nothing"],
)
def test_nobody_is_told_to_go_back_where_there_is_nothing_to_go_back_from(outcome: Outcome) -> None:
    assert by_hand_texts(outcome) == []


OURS = Provenance("p-1", 427, "feature/login", "0" * 8, "wangwu", "lisi")
B = ("b.example.com.deployment.yaml", "b.example.com.routes.yaml")
ROLL_BACK = "Run the step with action: rollback, rollback_to: build 427 and only: b.example.com."


def built(*previous: Optional[VersionRef], others: tuple[FileOutcome, ...] = ()) -> Outcome:
    """A run whose image is not found, with these versions before of the two files of b."""
    outcome = rollout_scenes.image_not_found().outcome
    files = {file.change.name: file for file in outcome.files}
    own = tuple(
        replace(files[name], change=replace(files[name].change, previous=ref))
        for name, ref in zip(B, previous)
    )
    heading = replace(outcome.heading, pipeline_id="p-1")
    return replace(outcome, files=(*own, *others), heading=heading)


def ref(origin: Optional[Provenance] = OURS, name: str = rollout_scenes.BEFORE) -> VersionRef:
    return VersionRef(id="v", name=name, origin=origin)


@pytest.mark.parametrize(
    ("previous", "told"),
    [
        ((ref(), ref()), ROLL_BACK),
        ((ref(None), ref()), ROLL_BACK),
        ((ref(replace(OURS, build=428)), ref()), "Run build 428, which published "),
        ((ref(replace(OURS, pipeline="p-2")), ref()), "Run build 427, which published "),
        ((ref(replace(OURS, branch="main")), ref()), "Run build 427, which published "),
        ((ref(), None), "Run build 427, which published "),
        ((ref(name="1.0.1"), ref(replace(OURS, build=9))), "Run build 9, which published "),
        ((ref(None), ref(None)), "Run the build that published "),
    ],
)
def test_going_back_is_a_rollback_where_a_build_of_this_line_has_published_all_of_it(
    previous: tuple[Optional[VersionRef], ...], told: str
) -> None:
    first, build, *_ = map(str, by_hand_texts(built(*previous)))
    assert first == f"Before, version {rollout_scenes.BEFORE} was live and ready: b.example.com."
    assert build.startswith(told)
    assert ("Of this run, that changes nothing else." in build) == (told != ROLL_BACK)


C = scenes.unchanged("c.example.com")[0]


@pytest.mark.parametrize(
    ("file", "also"),
    [
        (replace(scenes.untouched(C), change=replace(C, previous=None)), True),
        (scenes.untouched(C), True),
        (scenes.applied(replace(C, previous=replace(ref(), id=C.version_id))), True),
        (scenes.untouched(replace(C, previous=replace(ref(), id=C.version_id))), False),
        (replace(scenes.untouched(replace(C, previous=ref())), version_id="other"), True),
        (
            scenes.untouched(replace(C, previous=replace(ref(replace(OURS, build=428)), id=C.version_id))),
            True,
        ),
        (
            scenes.untouched(replace(C, previous=replace(ref(replace(OURS, pipeline="x")), id=C.version_id))),
            True,
        ),
    ],
    ids=["no version", "nobody knows", "written", "older", "other version", "newer", "another pipeline's"],
)
def test_running_a_build_again_changes_what_it_did_not_have_yet(file: FileOutcome, *, also: bool) -> None:
    build = str(by_hand_texts(built(ref(), None, others=(file,)))[1])
    assert ("That also changes 1 other: c.example.com." in build) == also
    assert ("Of this run, that changes nothing else." in build) != also
    unknown = str(by_hand_texts(built(None, None, others=(file,)))[1])
    assert "That also changes 1 other: c.example.com." in unknown


def test_what_a_version_before_holds_and_another_file_has_now_keeps_it_from_being_deployed_again() -> None:
    outcome = built(ref(), ref())
    moved = ((B[1], "Service/moved"), ("c.yaml", "Service/other"))
    text = str(by_hand_texts(with_rollout(outcome, moved=moved))[1])
    assert text.startswith(
        f"Version {rollout_scenes.BEFORE} holds Service/moved as well, which has a file of"
    )
    assert str(by_hand_texts(with_rollout(outcome, moved=moved[1:]))[1]).startswith(ROLL_BACK)


def test_how_many_pods_there_were_is_told_where_a_version_before_does_not_say_it() -> None:
    outcome = built(ref(), ref())
    texts = [str(text) for text in by_hand_texts(with_rollout(outcome, pods=("Deployment/web: 3",)))]
    assert [text for text in texts if text.endswith("Before this run there were: Deployment/web: 3.")]
    (none,) = map(str, by_hand_texts(with_rollout(outcome, pods=("Deployment/web: 3",), before=())))
    assert none.startswith("Not deployed here before, so there is nothing to go back to: a.example.com.")


def test_what_was_sent_and_could_not_be_read_back_has_its_way_back_too() -> None:
    outcome = with_rollout(built(ref(), ref()), deployed=(), unread=B)
    assert str(by_hand_texts(outcome)[0]).endswith("was live and ready: b.example.com.")


def test_to_a_version_that_was_not_ready_or_has_no_name_no_build_is_the_way() -> None:
    outcome = built(ref(), ref())
    rollout = rollout_of(outcome)
    unready = tuple(replace(item, ready=False) for item in rollout.before)
    first, rest = map(str, by_hand_texts(with_rollout(outcome, before=unready)))
    assert first.startswith(f"Before, version {rollout_scenes.BEFORE} was live, and was not ready itself: b.")
    assert rest.startswith("Not deployed here before")
    nameless = tuple(replace(item, version="") for item in rollout.before)
    (text,) = map(str, by_hand_texts(with_rollout(outcome, before=nameless)))
    assert text.startswith("Not deployed here before")


def test_a_version_that_was_not_ready_itself_is_not_what_a_step_should_go_back_to_next_time() -> None:
    outcome = rollout_scenes.image_not_found().outcome
    rollout = rollout_of(outcome)
    for ready, advised in ((True, True), (None, True), (False, False)):
        before = tuple(replace(item, ready=ready) for item in rollout.before)
        told = " ".join(map(str, by_hand_texts(replace(outcome, rollout=replace(rollout, before=before)))))
        assert ("set on_failure to restore" in told) is advised, told


def test_a_version_that_this_run_has_rewritten_has_no_way_back_and_that_is_said() -> None:
    outcome = rollout_scenes.image_not_found().outcome
    rollout = rollout_of(outcome)
    deployed = tuple(replace(file, rewritten=True) for file in rollout.deployed[:1])
    before = tuple(Before(file.name, file.version, ready=True) for file in deployed)
    rollout = replace(rollout, deployed=deployed, partly=(), before=before)
    (told,) = by_hand_texts(replace(outcome, rollout=rollout))
    assert str(told) == (
        f"What was live before at version {deployed[0].version} is in BCS no more, since this run has "
        f"rewritten that version: a.example.com. Correct the files and run again."
    )


def test_a_file_that_holds_no_object_is_neither_deployed_nor_called_live() -> None:
    outcome = rollout_scenes.deployed().outcome
    rollout = rollout_of(outcome)
    empty = replace(rollout.live_already[0], name="empty.routes.yaml", objects=())
    told = replace(outcome, rollout=replace(rollout, live_already=(*rollout.live_already, empty)))
    assert verdict(told) == verdict(outcome)


def test_a_file_redeployed_at_the_version_it_had_has_no_way_back() -> None:
    outcome = rollout_scenes.image_not_found().outcome
    rollout = rollout_of(outcome)
    before = tuple(Before(file.name, file.version) for file in rollout.deployed)
    assert by_hand_texts(replace(outcome, rollout=replace(rollout, before=before))) == []


def test_what_a_restore_leaves_is_told_with_its_reason() -> None:
    way = Restoration(
        left=("a.yaml",),
        same=("b.yaml",),
        gone=("c.yaml",),
        absent=("d.yaml",),
        overtaken=("e.yaml",),
        not_back=("f.yaml",),
        added=("Ingress/admin",),
        runs=(("c.yaml", "1.0.8"), ("f.yaml", "")),
    )
    *texts, runs, none, added = [text.render("en_US") for text in restoration_texts(way)]
    for name, text in zip("abcdef", texts):
        is_owed = f"{name}.yaml" in way.owed
        assert text.startswith("Not back" if is_owed else "Left as they are")
        assert text.endswith(f"{name}.yaml.")
    assert runs == "In the cluster now, at version 1.0.8: c.yaml."
    assert none == "Nothing of these is in the cluster now: f.yaml."
    assert "Ingress/admin" in added
    assert way.owed == ("c.yaml", "d.yaml", "f.yaml")
    assert not way.is_whole
    assert Restoration(left=("a.yaml",), same=("b.yaml",), overtaken=("e.yaml",)).is_whole


def test_a_restore_names_a_domain_that_is_back_and_the_files_of_one_that_is_back_in_part() -> None:
    outcome = rollout_scenes.image_not_found().outcome
    deployed = {file.name: replace(file, version="1.0.7") for file in rollout_of(outcome).deployed}
    a, *_ = [name for name in deployed if name.startswith("a.")]
    b, other = sorted(name for name in deployed if name.startswith("b."))
    back = (deployed[b], deployed[other])
    (whole,) = restoration_texts(Restoration(files=back), outcome.files)
    assert str(whole) == "Restored to version 1.0.7, which was deployed before: b.example.com."
    theirs = say("deploy.overtaken", name=other, mark=say("rollout.mark_by", version="1.0.9", user="wangwu"))
    in_part, left = restoration_texts(Restoration(files=back[:1], overtaken=(theirs,)), outcome.files)
    assert str(in_part).endswith(f"before: {b}.")
    assert str(left).endswith(f"meanwhile: {other} (version 1.0.9, which wangwu deployed).")
    (both,) = restoration_texts(Restoration(files=(*back, deployed[a])), outcome.files)
    assert str(both).endswith("before: b.example.com, a.example.com.")


def test_what_was_sent_again_and_nobody_could_read_since_is_not_said_to_have_failed() -> None:
    way = Restoration(unread=("a.yaml",), problem=say("rollout.deleting"))
    unsure, unread = [text.render("en_US") for text in restoration_texts(way)]
    assert unsure.startswith("The step does not know whether the restore worked out")
    assert unread == "What is in the cluster of these now could not be read: a.yaml."
    assert (way.owed, way.is_whole) == (("a.yaml",), False)
    assert not replace(way, gone=("b.yaml",)).is_unseen


def test_what_an_earlier_try_deployed_has_its_way_back_and_what_is_lost_is_said_to_be() -> None:
    outcome = rollout_scenes.image_not_found().outcome
    name = "b.example.com.deployment.yaml"
    tried = (rollout_scenes.file_version(name),)
    rollout = replace(rollout_of(outcome), deployed=(), earlier=tried, lost=("c.yaml",))
    texts = [text.render("en_US") for text in by_hand_texts(replace(outcome, rollout=rollout))]
    assert texts[0] == f"Before, version {rollout_scenes.BEFORE} was live and ready: b.example.com."
    assert "the step no longer knows what was live before: c.yaml." in texts[-1]
    lost = Restoration(lost=("c.yaml",))
    assert lost.owed == ("c.yaml",)
    assert "its note of what was there before is gone: c.yaml." in str(restoration_texts(lost)[0])


def test_a_run_that_deployed_nothing_does_not_take_the_blame() -> None:
    outcome = rollout_scenes.image_not_found().outcome
    text = verdict(replace(outcome, rollout=replace(rollout_of(outcome), deployed=())))
    assert "This run deployed nothing: 2 files were live already" in text


def test_a_restore_that_found_nothing_to_do_says_so() -> None:
    (text,) = restoration_texts(Restoration())
    assert text.render("en_US").startswith("Nothing to restore")


def test_a_file_that_is_live_only_in_part_is_named_and_can_be_taken_back_by_hand() -> None:
    outcome = rollout_scenes.image_not_found().outcome
    half = rollout_scenes.file_version("b.example.com.deployment.yaml")
    rollout = replace(rollout_of(outcome), deployed=(), partly=(half,), watched=())
    text = verdict(replace(outcome, rollout=rollout))
    assert "Of these files only some objects are live at the new version: b.example.com.dep" in text
    assert f"Before, version {rollout_scenes.BEFORE} was live and ready: b.example.com." in text
    assert "Files deployed" not in text


def test_a_run_that_failed_before_it_waited_says_nothing_of_workloads() -> None:
    outcome = replace(rollout_scenes.image_not_found().outcome, rollout=rollout_scenes.ROLLOUT)
    assert waited_text(outcome) is None


def test_of_many_names_the_first_are_listed_and_the_rest_counted() -> None:
    text = say("report.live_now", version="1", names=first_names([f"f{n}" for n in range(25)]))
    assert text.render("en_US").endswith("f18, f19, and 5 more")


def test_what_is_held_alone_is_told_as_held_and_not_as_live() -> None:
    outcome = rollout_scenes.nothing_to_deploy().outcome
    held = replace(rollout_of(outcome), held=("c.example.com.routes.yaml",))
    told = str(headline(replace(outcome, rollout=held)))
    assert told == (
        "Nothing was deployed to BCS-K8S-40000, namespace prod: "
        "1 domain (1 file) held back, and left as it is."
    )
    both = replace(rollout_scenes.ROLLOUT, held=("c.example.com.routes.yaml",))
    assert "held back" not in str(headline(rollout_scenes.outcome_of(both)))


def test_a_canary_that_waits_is_named_first_also_where_nothing_had_to_be_deployed() -> None:
    outcome = rollout_scenes.paused().outcome
    waits = "Paused: 1 workload waits for a person, and old pods stay until then "
    waits += "(Deployment/deployment.nginx.b.example.com)."
    assert str(headline(outcome)).startswith(f"{waits} Deployed 2 domains (4 files), version ")
    none = replace(rollout_of(outcome), deployed=())
    told = str(headline(replace(outcome, rollout=none)))
    assert told == f"{waits} Nothing had to be deployed to BCS-K8S-40000, namespace prod."


def test_what_is_live_is_told_by_version_and_what_is_paused_is_not_live_as_a_whole() -> None:
    outcome = rollout_scenes.paused().outcome
    unmarked = replace(rollout_scenes.LIVE[0], live_as="")
    rollout = replace(rollout_of(outcome), live_already=(unmarked, rollout_scenes.LIVE[1]))
    assert [str(text) for text in live_texts(rollout, outcome)] == [
        f"Live now at version {scenes.VERSION}: a.example.com, b.example.com.routes.yaml",
        "Live now at version 1.0.390-feature-login: c.example.com.routes.yaml",
        "Live as wanted, and marked as another file's or as nobody's: c.example.com.deployment.yaml",
    ]


def test_the_versions_that_this_run_deployed_are_told_first_and_three_of_the_others() -> None:
    live = tuple(rollout_scenes.file_version(f"a{n}.yaml", version=f"1.0.{n}") for n in range(5))
    own = rollout_scenes.file_version("z.yaml", version="1.0.9")
    rollout = replace(rollout_scenes.ROLLOUT, deployed=(own,), live_already=(*live, live[4]))
    assert [str(text) for text in live_texts(rollout, rollout_scenes.deployed().outcome)] == [
        "Live now at version 1.0.9: z.yaml",
        *(f"Live now at version 1.0.{n}: a{n}.yaml" for n in range(3)),
        "Live already at other versions: 3 files, 2 versions; the HTML report lists them.",
    ]


def test_a_run_without_workloads_has_none_to_wait_for_and_some_ready_are_counted() -> None:
    assert ready_text(()) == say("report.no_workloads")
    suspended = rollout_scenes.watched("c", "nothing", key="rollout.job_suspended")
    assert ready_text((suspended,)) == say("report.no_workloads")
    some = (rollout_scenes.watched("a", "ready"), rollout_scenes.watched("b", "failed"), suspended)
    assert str(ready_text(some)) == "Ready: 1 of 2 workloads."


def test_what_a_failed_run_has_deployed_stays_and_what_it_did_not_come_to_is_named() -> None:
    outcome = rollout_scenes.image_not_found().outcome
    assert [str(text) for text in deployed_texts(outcome)] == [
        "4 files are applied to BCS-K8S-40000, namespace prod, and stay."
    ]
    assert deployed_texts(replace(outcome, error=None)) == []
    assert deployed_texts(replace(outcome, rollout=None)) == []
    first = "4 files were applied to BCS-K8S-40000, namespace prod, before it failed."
    for scene in ("gone", "restored"):
        assert [str(text) for text in deployed_texts(rollout_scenes.SCENES[scene]().outcome)] == [first]
    rest = replace(rollout_of(outcome), deployed=(), watched=(), not_attempted=("a.yaml",))
    assert [str(text) for text in deployed_texts(replace(outcome, rollout=rest))] == [
        "Not attempted, since the deployment ended before: a.yaml."
    ]


def test_a_restore_that_is_not_ready_says_of_each_workload_why_and_of_one_not_waited_for_that() -> None:
    b = rollout_scenes.watched("b.example.com", "failed", problem=rollout_scenes.NOT_FOUND)
    a = rollout_scenes.watched("a.example.com", "ready")
    back = rollout_scenes.file_version("b.example.com.deployment.yaml", version="1.0.7")
    way = Restoration(files=(back,), watched=(a, b), unready=(back.name, "x.yaml"), unknown=("y.yaml",))
    again, some, why, unready, unknown = map(str, restoration_texts(way))
    assert again.startswith(
        "Version 1.0.7, which was deployed before, is deployed again and was not seen ready"
    )
    assert some == "Ready: 1 of 2 workloads."
    assert why.startswith("Deployment/deployment.nginx.b.example.com: The image ")
    assert unready == f"The version before was not ready itself when it was last seen: {back.name}, x.yaml."
    assert unknown == "The step does not know whether the version before was ready: y.yaml."
    seen = Restoration(files=(back,), unready=(back.name,), unknown=(back.name,), unwatched=("x.yaml",))
    ready, not_waited = map(str, restoration_texts(seen))
    assert ready.startswith("Restored to version 1.0.7")
    assert not_waited == "The step did not wait for the workloads: timeout is 0."


def test_of_files_of_which_nothing_is_left_that_is_told_once() -> None:
    way = Restoration(
        absent=("a.yaml",), runs=(("a.yaml", ""), ("b.yaml", ""), ("c.yaml", "1"), ("a.yaml", "1"))
    )
    absent, none, runs = map(str, restoration_texts(way))
    assert absent == "Not back, since nothing of them is in the cluster any more: a.yaml."
    assert none == "Nothing of these is in the cluster now: b.yaml."
    assert runs == "In the cluster now, at version 1: c.yaml, a.yaml."


# --- while it rolls out ---------------------------------------------------------------------------------


def pending(seconds: float, key: str) -> Watched:
    return rollout_scenes.watched("b.example.com", "pending", seconds=seconds, key=key)


@pytest.mark.parametrize("key", ["rollout.no_status", "rollout.observing"])
def test_that_a_cluster_has_not_noticed_yet_is_news_only_after_three_seconds(key: str) -> None:
    assert watched_lines(pending(2.9, key), language="en_US") == []
    assert len(watched_lines(pending(3.0, key), language="en_US")) == 1


def test_anything_else_is_told_at_once() -> None:
    for watched in (
        pending(0.1, "rollout.not_available"),
        rollout_scenes.watched("b.example.com", "ready", seconds=0.1),
        rollout_scenes.watched("b.example.com", "failed", seconds=0.1, key="rollout.observing"),
    ):
        assert len(watched_lines(watched, language="en_US")) == 1


def test_giving_up_on_a_workload_reads_otherwise_than_waiting_for_it() -> None:
    problem = rollout_scenes.NOT_FOUND
    waiting, failed = (
        watched_lines(rollout_scenes.watched("b", end, problem=problem), language="en_US")[0]
        for end in ("pending", "failed")
    )
    assert (waiting.kind, failed.kind) == ("plain", "warning")
    assert "can't become ready" in failed.text
    assert "can't become ready" not in waiting.text


def test_a_heartbeat_counts_what_is_pending_and_names_the_first() -> None:
    waits = [pending(31.0, "rollout.not_available")] * 7
    line = heartbeat_line(waits, seconds=31.4, language="en_US")
    assert line.kind == "plain"
    assert line.text.startswith(
        "31 s  still waiting, 7 workloads not seen ready: Deployment/deployment.nginx.b"
    )
    assert line.text.endswith("(0 of 1), and 2 more")


# --- output ---------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("scene", "status", "result", "code"),
    [
        ("deployed", "success", "deployed", 0),
        ("nothing_to_deploy", "success", "deployed", 0),
        ("timed_out", "failure", "timed-out", 800508),
        ("unseen", "failure", "unseen", 800512),
        ("gone", "failure", "failed", 800513),
        ("restored", "failure", "restored", 800506),
        ("image_not_found", "failure", "failed", 800506),
    ],
)
def test_the_output_of_a_deployment_has_its_result_and_code(
    scene: str, status: str, result: str, code: int
) -> None:
    output = written(rollout_scenes.SCENES[scene]().outcome)
    assert (output["status"], text_of(output, "result"), output.get("errorCode", 0)) == (status, result, code)
    json.dumps(output)


def test_the_message_of_a_restored_run_tells_both_stories_and_the_cure() -> None:
    outcome = rollout_scenes.restored().outcome
    message = written(outcome)["message"]
    assert outcome.error is not None
    assert message.startswith("Failed (800506), and what was deployed before is back")
    assert "Restored to version" in message
    assert message.index(str(cure_of(outcome))) < message.index("Restored to version")


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_message_stays_within_its_limit_however_many_files_were_restored(language: Language) -> None:
    outcome = rollout_scenes.restored().outcome
    files = tuple(
        rollout_scenes.file_version(f"host-{n}.example.com.yaml", version=f"1.{n}.0") for n in range(150)
    )
    rollout = replace(rollout_of(outcome), restoration=Restoration(files=files, left=("x" * 4000,)))
    message = written(replace(outcome, language=language, rollout=rollout))["message"]
    assert utf16_units(message) <= MOST_MESSAGE_UNITS
    cure = cure_of(outcome)
    assert cure is not None
    assert f"{cure.render(language)}\n" in message


def test_a_run_that_only_deployed_has_changed_something_and_one_that_found_all_live_has_not() -> None:
    record = RunRecord(clock=SystemClock(), language="en_US", heading=Heading())
    record.rollout = rollout_of(rollout_scenes.nothing_to_deploy().outcome)
    assert not record.tell("deployed").changed
    record.rollout = rollout_scenes.ROLLOUT
    assert record.tell("failed").changed


def test_a_deployment_that_may_have_come_some_way_may_have_changed_something() -> None:
    record = RunRecord(clock=SystemClock(), language="en_US", heading=Heading())
    record.rollout = replace(rollout_scenes.ROLLOUT, deployed=())
    assert not record.tell("failed").changed
    record.error = DeployIncomplete()
    assert record.tell("failed").changed
    record.error = None
    record.rollout = replace(record.rollout, partly=rollout_scenes.DEPLOYED)
    assert record.tell("failed").changed


def test_what_only_deployed_does_not_claim_to_have_written_a_version_or_nothing() -> None:
    outcome = rollout_scenes.image_not_found().outcome
    plan = rollout_scenes.nothing_to_deploy().outcome.plan
    assert plan is not None
    files = tuple(map(scenes.ended, plan.changes))
    text = verdict(replace(outcome, plan=plan, files=files))
    assert "No new version was written; BCS held them all already." in text
    assert "4 files are applied to BCS-K8S-40000, namespace prod, and stay." in text


def test_of_many_versions_that_are_live_the_rest_are_counted() -> None:
    live = tuple(rollout_scenes.file_version(f"h{n}.yaml", version=f"1.0.{n}") for n in range(12))
    rollout = replace(rollout_scenes.ROLLOUT, deployed=(), live_already=live)
    texts = [str(text) for text in live_texts(rollout, rollout_scenes.deployed().outcome)]
    shown_versions = len(texts) - 1
    assert 0 < shown_versions < 12
    assert str(12 - shown_versions) in texts[-1]


def test_a_long_difference_is_cut_and_says_by_how_much() -> None:
    difference = "".join(f"+line {n}\n" for n in range(LOG_LIVE_DIFF_LINES + 7))
    plan = replace(
        rollout_scenes.deployment_plan(rollout_scenes.ROLLOUT), differences=(("Deployment/web", difference),)
    )
    log = shown(deployment_lines(plan, language="en_US"))
    assert f"+line {LOG_LIVE_DIFF_LINES - 1}" in log
    assert f"+line {LOG_LIVE_DIFF_LINES}\n" not in log
    assert "7 more lines" in log
    assert "taken away" not in log


def test_of_lines_that_are_cut_those_that_go_are_counted_and_their_objects_named() -> None:
    long = "".join(f"+line {n}\n" for n in range(LOG_LIVE_DIFF_LINES + 6))
    gone = "--- Service/web\n+++ Service/web\n@@ -1,3 +1,2 @@\n kind: Service\n-a: 1\n-b: 1\n+b: 2\n"
    plan = replace(
        rollout_scenes.deployment_plan(rollout_scenes.ROLLOUT),
        differences=(("Deployment/web", long), ("Service/web", gone)),
    )
    log = shown(deployment_lines(plan, language="en_US"))
    assert "13 more lines; 2 of them go or are replaced, in Service/web: the report shows them" in log


def test_of_a_workload_that_is_given_up_a_line_says_where_the_console_shows_what_is_in_its_way() -> None:
    gone_wrong = rollout_scenes.image_not_found().changes[1]
    link = "https://c.example.com/{0}/{1}".format
    *_, look = watched_lines(gone_wrong, language="en_US", link=link)
    pod = f"https://c.example.com/Pod/{rollout_scenes.NOT_FOUND.pod}"
    assert look.text == f"See {gone_wrong.workload.title} in BCS: {pod}"
    (ready,) = watched_lines(replace(gone_wrong, end="ready"), language="en_US", link=link)
    assert "https" not in ready.text


def test_the_verdict_names_the_versions_that_went_live_and_not_the_run_s_where_none_was_written() -> None:
    def verdict(*versions: str) -> str:
        files = tuple(rollout_scenes.file_version(f"{v}.yaml", version=v) for v in versions)
        return str(headline(rollout_scenes.outcome_of(replace(rollout_scenes.ROLLOUT, deployed=files))))

    assert verdict("1.0.7-main").startswith(
        "Deployed 1 file, version 1.0.7-main, to BCS-K8S-40000, namespace prod"
    )
    own = scenes.VERSION
    assert verdict("1.0.1", own).startswith(f"Deployed 2 files, version {own}, 1.0.1, to ")
    assert verdict("1", "2", "3", "4", "5").startswith("Deployed 5 files, version 1, 2, 3, and 2 more, to ")
