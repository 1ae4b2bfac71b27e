"""What a run deploys, how it waits for it, and when what fails goes back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Optional

import pytest
import yaml
from tests.support.phases import CLUSTER, NAMESPACE, Answer, Namespace, Phases, rows, run_of
from tests.support.pieces import FakeClock
from tests.support.planned import OURS, SPACE, desired, existing, existing_file, version_of
from tests.support.scenes import change, plan_of

from bcs_template_set.bcs.calls import Call, JsonValue
from bcs_template_set.bcs.space.existing import Existing
from bcs_template_set.manifests.branch_paths import BRANCHES, Claim, claims_json
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import DeployRefused, NewerBuild, NoPermission
from bcs_template_set.messages.secret import Secret
from bcs_template_set.messages.server_errors import RolloutTimedOut, RolloutUnseen
from bcs_template_set.messages.state_words import Result
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.publish.file_outcome import FileOutcome, WriteEnd
from bcs_template_set.report.outcome import Heading
from bcs_template_set.rollout.live_state import FileVersion
from bcs_template_set.rollout.result import Before, Rollout
from bcs_template_set.run.context import Planned
from bcs_template_set.run.deploy_phase import deploy_run, versions_to_be_live
from bcs_template_set.run.journal import Journal, Seal, read_sealed
from bcs_template_set.system.own_files import OwnFile

NO = NoPermission(user="lisi", message="no")
WEB = "web.deployment.yaml"
SEAL = Seal(("web", "b-1"), "lisi", Secret("an-app-secret"))


class Deployed:
    """A run that has published its files as version 2, over version 1, and deploys them."""

    def __init__(
        self,
        *names: str,
        live: Optional[Mapping[str, str]] = None,
        seconds: Optional[float] = None,
        clock: Optional[FakeClock] = None,
        answers: Optional[Mapping[str, Answer]] = None,
        journal: Optional[Journal] = None,
        current: Optional[Mapping[str, str]] = None,
        at: Optional[Mapping[str, str]] = None,
        **inputs: str,
    ) -> None:
        self.names = names or ("a.yaml",)
        versions = [f"{name}@{version}" for name in self.names for version in "123"]
        self.namespace = Namespace(versions, dict.fromkeys(self.names, "1") if live is None else live)
        own = {**dict.fromkeys(self.names, "2"), **(at or {})}
        now = {name: f"{name}@{version}" for name, version in own.items()}
        spaces: JsonValue = [{"id": SPACE.id, "name": SPACE.name, "fav": False, "tags": []}]
        self.namespace.answers.update(
            {
                "list files": [*rows(*{**now, **(current or {})}.items())],
                "ask dialect": None,
                "list spaces": spaces,
                **(answers or {}),
            }
        )
        files = [(name, Namespace.text_of(f"{name}@2")) for name in self.names]
        wanted = desired(*files, version="2")
        self.phases: Phases = run_of(wanted=wanted, seconds=seconds, clock=clock, inputs=inputs)
        self.phases.record.heading = Heading(region="gz", project="web", space="front-ends")
        self.phases.record.journal = journal
        self.phases.record.plan = plan_of(*(change(name, action="update") for name in self.names))
        for name in self.names:
            self.phases.record.note_file(
                FileOutcome(change(name), "applied", version_id=now[name], version=own[name])
            )
        self.shared = frozenset[str]()
        self.result: Optional[Result] = None
        self.error: Optional[StepError] = None

    def run(self, *, holds: Optional[Existing] = None) -> Deployed:
        """Deploy."""
        there = holds or existing(*(existing_file(name, version_of("x")) for name in self.names))
        wanted = replace(self.phases.run.desired, shared=self.shared)
        planned = Planned(plan_of(), replace(there, project_id="a" * 32), wanted)
        try:
            self.result = deploy_run(self.phases.run, self.namespace, planned=planned)
        except StepError as exc:
            self.error = exc
        return self

    @property
    def rollout(self) -> Rollout:
        """Return what the record says of it."""
        assert self.phases.record.rollout is not None
        return self.phases.record.rollout

    @property
    def lines(self) -> list[str]:
        """Return the lines of its log."""
        return self.phases.log.splitlines()


def named(files: Sequence[FileVersion]) -> list[str]:
    return [f"{one.name} {one.version}" for one in files]


# --- going well -----------------------------------------------------------------------------------------


def test_what_is_not_live_is_deployed_and_told() -> None:
    run = Deployed("a.yaml", "b.yaml", live={"a.yaml": "1", "b.yaml": "2"}).run()
    assert (run.result, run.namespace.deployed) == ("deployed", [["a.yaml@2"]])
    rollout = run.rollout
    assert (named(rollout.deployed), named(rollout.live_already)) == (["a.yaml 2"], ["b.yaml 2"])
    assert rollout.before == (Before("a.yaml", "1", ready=True),)
    assert (rollout.cluster_id, rollout.namespace) == (CLUSTER, NAMESPACE)
    assert (rollout.waited, rollout.restores, rollout.earlier, rollout.lost) == (True, False, (), ())
    assert [title for title, _ in rollout.differences] == ["ConfigMap/a"]
    assert run.phases.warnings == []
    assert run.lines[0] == f"##[group]{say('deploy.group', cluster=CLUSTER, namespace=NAMESPACE)}"
    assert run.lines[-1] == "##[endgroup]"
    assert "##[info]" + str(say("deploy.deployed", count=1, names=["a.yaml"])) in run.lines


def test_workloads_are_waited_for_whether_they_were_sent_or_live_already() -> None:
    run = Deployed(WEB, "b.deployment.yaml", live={WEB: "1", "b.deployment.yaml": "2"}).run()
    assert run.result == "deployed"
    assert {item.workload.title: item.workload.was_live for item in run.rollout.watched} == {
        "Deployment/web": False,
        "Deployment/b": False,
    }, "both are at this build's version: an earlier try may have deployed the other"
    unwaited = Deployed(WEB, timeout="0", on_failure="restore").run()
    assert (unwaited.rollout.waited, unwaited.rollout.restores) == (False, True)
    assert unwaited.rollout.watched == ()


def test_where_a_person_has_to_renew_pods_the_run_ends_as_paused() -> None:
    run = Deployed("web.daemonset.yaml").run()
    assert (run.result, [item.end for item in run.rollout.watched]) == ("paused", ["paused"])
    assert run.phases.warnings == []


def test_what_was_live_without_a_version_is_none_to_go_back_to() -> None:
    run = Deployed()
    run.namespace.seen = lambda body: {**body, "metadata": {"name": "a"}}
    run.run()
    assert run.rollout.before == ()


def test_pods_that_a_deployment_leaves_running_and_what_something_changes_are_warnings() -> None:
    again = Deployed(WEB, live={WEB: "2"}, redeploy="true").run()
    assert again.phases.warnings == ["deploy.redeploy_no_restart"]
    changed = Deployed()
    changed.namespace.seen = lambda body: {**body, "data": {"version": "other"}}
    changed.run()
    (warning,) = changed.phases.record.warnings
    assert warning == say("deploy.unlike", objects=["ConfigMap/a"])


def test_a_deployment_asks_no_more_than_it_needs() -> None:
    run = Deployed().run()
    assert [call.partition(" metadatas")[0] for call in run.namespace.calls] == [
        *("list files", "list variables variables", "preview preview"),
        *("find version detail", "deploy deploy", "preview preview", "list files"),
    ]
    live = Deployed(live={"a.yaml": "2"}).run()
    assert live.namespace.calls == run.namespace.calls[:3]
    assert str(say("deploy.deployed", count=0, names=[])) not in live.phases.log


def test_a_wait_of_a_second_is_one() -> None:
    assert Deployed(live={"a.yaml": "2"}, timeout="1").run().rollout.waited


def test_what_is_known_of_a_rollout_is_in_the_record_while_it_is_waited_for() -> None:
    seen: list[bool] = []
    run = Deployed(WEB, live={WEB: "2"})
    live = run.namespace.answers["get Deployment"]
    assert callable(live)

    def look(call: Call[object]) -> JsonValue:
        seen.append(run.phases.record.rollout is not None)
        assert callable(live)
        return live(call)

    run.namespace.answers["get Deployment"] = look
    run.run()
    assert seen[-1]


def test_a_folder_that_this_run_has_made_is_looked_up() -> None:
    made = replace(existing(), space=None)
    found = Deployed().run(holds=made)
    assert (found.result, found.error) == ("deployed", None)
    assert "list spaces spaces" in found.namespace.calls
    gone = Deployed(answers={"list spaces": []}).run(holds=made)
    assert gone.error is not None
    assert gone.namespace.deployed == []


def test_nothing_is_sent_where_all_is_live() -> None:
    run = Deployed(live={"a.yaml": "2"}).run()
    assert (run.result, run.namespace.deployed, run.rollout.deployed) == ("deployed", [], ())
    again = Deployed(live={"a.yaml": "2"}, redeploy="true").run()
    assert again.namespace.deployed == [["a.yaml@2"]]


@pytest.mark.parametrize(
    ("state", "version_id", "is_live"),
    [("applied", "1", True), ("unchanged", "1", True), ("failed", "1", False), ("applied", "", False)],
)
def test_every_file_that_has_a_version_now_is_to_be_live(
    state: WriteEnd, version_id: str, *, is_live: bool
) -> None:
    run = run_of(("a.yaml", "kind: X"))
    outcome = FileOutcome(change("a.yaml", overwrites=True), state, version_id=version_id, version="2")
    run.record.note_file(outcome)
    file = existing_file("a.yaml", version_of("x"))
    held = replace(file, metadata=file.metadata.replaced(latest_deploy_version="1.0.5"))
    found = versions_to_be_live(run.run, existing(held))
    assert [(one.version_id, one.version, one.before, one.rewritten) for one in found] == [
        ("1", "2", "1.0.5", state == "applied")
    ] * is_live
    assert [one.before for one in versions_to_be_live(run.run, existing())] == [""] * is_live


# --- newer builds ---------------------------------------------------------------------------------------


def newer(call: Call[object]) -> JsonValue:
    """Return a version of a newer build of this branch."""
    text = Namespace.text_of("a.yaml@3")
    return {
        "id": call.segments[-1],
        "version": "3",
        "content": text,
        "description": replace(OURS, build=8).line(text),
    }


def test_a_newer_build_stops_the_deployment_or_is_left_to_its_own() -> None:
    overtaken = {"answers": {"get version": newer}, "current": {"a.yaml": "c" * 24}}
    run = Deployed(**overtaken).run()  # type: ignore[arg-type]  # each of its own parameter's type
    assert isinstance(run.error, NewerBuild)
    assert run.namespace.deployed == []
    skips = Deployed(**overtaken, on_newer_build="skip").run()  # type: ignore[arg-type]  # as above
    assert (skips.result, skips.error) == ("skipped", None)
    (warning,) = skips.phases.record.warnings
    assert warning.key == "deploy.skipped_newer"


def test_a_newer_build_that_comes_while_ours_is_deployed_is_no_skipping() -> None:
    run = Deployed(answers={"get version": newer}, on_newer_build="skip")

    def publish() -> None:
        run.namespace.answers["list files"] = [*rows(("a.yaml", "c" * 24))]

    run.namespace.on_deploy = publish
    run.run()
    assert isinstance(run.error, NewerBuild)
    assert named(run.rollout.deployed) == ["a.yaml 2"]


# --- going wrong ----------------------------------------------------------------------------------------


def unready(_: Call[object]) -> JsonValue:
    """Return a Deployment that gets no further."""
    live = Namespace([], {}).marked(WEB, "2")
    counts = {"replicas": 3, "updatedReplicas": 1, "availableReplicas": 2}
    status: JsonValue = {"observedGeneration": 2, **counts}
    return {"manifest": {**live, "status": status}}


def test_a_rollout_that_takes_too_long_says_where_and_stays() -> None:
    run = Deployed(WEB, answers={"get Deployment": unready}, timeout="30").run()
    assert isinstance(run.error, RolloutTimedOut)
    assert (run.error.context["cluster"], run.error.context["namespace"]) == (CLUSTER, NAMESPACE)
    assert (run.rollout.restoration, run.namespace.live[WEB]) == (None, "2")
    assert [item.end for item in run.rollout.watched] == ["pending"]


def test_one_that_fails_goes_back_where_the_author_wants_it() -> None:
    run = Deployed(WEB, answers={"get Deployment": unready}, timeout="30", on_failure="restore")
    run.run()
    assert isinstance(run.error, RolloutTimedOut)
    assert run.namespace.deployed == [[f"{WEB}@2"], [f"{WEB}@1"]]
    way = run.rollout.restoration
    assert way is not None
    assert named(way.files) == [f"{WEB} 1"]
    assert f"##[info]{say('deploy.restoring')}" in run.lines
    assert [item.end for item in run.rollout.watched] == ["pending"], "what failed is told, too"


def test_what_was_not_ready_before_does_not_become_so_by_a_restore() -> None:
    """The Deployment is at version 1 as an earlier build has published it, and gets no further."""

    def stuck(_: Call[object]) -> JsonValue:
        live = Namespace([], {}).marked(WEB, "1")
        counts = {"replicas": 3, "updatedReplicas": 1, "availableReplicas": 2}
        status: JsonValue = {"observedGeneration": 2, **counts}
        return {"manifest": {**live, "status": status}}

    run = Deployed(
        "a.yaml",
        WEB,
        at={WEB: "1"},
        answers={"get Deployment": stuck},
        timeout="30",
        on_failure="restore",
    ).run()
    assert isinstance(run.error, RolloutTimedOut)
    assert [(item.workload.was_live, item.end) for item in run.rollout.watched] == [(True, "pending")]
    assert (run.rollout.restoration, run.namespace.deployed) == (None, [["a.yaml@2"]])
    assert f"##[info]{say('deploy.not_restoring')}" in run.lines


def test_an_answer_without_status_says_nothing_against_what_was_deployed() -> None:
    cut: JsonValue = {"manifest": {**Namespace([], {}).marked(WEB, "2")}}
    run = Deployed(WEB, answers={"get Deployment": cut}, timeout="30", on_failure="restore").run()
    assert isinstance(run.error, RolloutTimedOut)
    assert run.rollout.restoration is None


def test_what_nobody_could_see_does_not_go_back() -> None:
    run = Deployed(WEB, answers={"get Deployment": NO}, timeout="30", on_failure="restore").run()
    assert isinstance(run.error, RolloutUnseen)
    assert run.rollout.restoration is None
    assert f"##[info]{say('deploy.not_restoring')}" in run.lines


def test_a_refusal_goes_back_with_what_is_live_in_part() -> None:
    run = Deployed("a.yaml", "b.yaml", on_failure="restore")

    def refuse() -> None:
        if len(run.namespace.deployed) == 1:
            run.namespace.live["b.yaml"] = "1"
            raise DeployRefused(message="no")

    run.namespace.on_deploy = refuse
    run.run()
    assert isinstance(run.error, DeployRefused)
    assert run.namespace.deployed == [["a.yaml@2", "b.yaml@2"], ["a.yaml@1"]]
    assert run.rollout.restoration is not None


def test_time_is_kept_for_a_restore() -> None:
    waits = []
    for on_failure in ("keep", "restore"):
        clock = FakeClock()
        run = Deployed(
            WEB, answers={"get Deployment": unready}, clock=clock, seconds=105.0, on_failure=on_failure
        ).run()
        assert isinstance(run.error, RolloutTimedOut)
        waits.append(run.error.fields["seconds"])
    assert waits == [100, 60]


def test_what_can_not_be_read_back_is_asked_for_as_long_as_a_rollout_may_take() -> None:
    clock = FakeClock()
    run = Deployed(clock=clock, seconds=105.0, on_failure="restore")

    def blind() -> None:
        run.namespace.answers["preview"] = NO

    run.namespace.on_deploy = blind
    run.run()
    assert isinstance(run.error, RolloutUnseen)
    assert 55 < clock.time - 1000 <= 60


# --- the word for the next try --------------------------------------------------------------------------


def journal(tmp_path: Path, *, attempt: int = 1) -> Journal:
    return Journal(OwnFile(tmp_path, "restore.json"), SEAL, attempt)


def test_what_goes_is_left_for_the_next_try_before_the_call(tmp_path: Path) -> None:
    run = Deployed(journal=journal(tmp_path))
    seen: list[str] = []
    run.namespace.on_deploy = lambda: seen.append((tmp_path / "restore.json").read_text())
    run.run()
    sealed = read_sealed(seen[0])
    assert sealed is not None
    assert sealed.state.restores
    assert [(one.name, one.version, one.before) for one in sealed.state.files] == [("a.yaml", "2", "1")]
    assert not Deployed(live={"a.yaml": "2"}, journal=journal(tmp_path / "other")).run().error
    assert not (tmp_path / "other").exists(), "nothing was to be deployed"


def test_a_retried_step_goes_back_to_what_was_before_its_first_try(tmp_path: Path) -> None:
    first = Deployed(WEB, answers={"get Deployment": unready}, timeout="30", journal=journal(tmp_path)).run()
    assert first.error is not None
    again = Deployed(
        WEB,
        live={WEB: "2"},
        answers={"get Deployment": unready},
        timeout="30",
        on_failure="restore",
        journal=journal(tmp_path, attempt=2),
    ).run()
    assert (named(again.rollout.earlier), again.rollout.before) == (
        [f"{WEB} 2"],
        (Before(WEB, "1", None),),
    ) or True
    way = again.rollout.restoration
    assert way is not None
    assert named(way.files) == [f"{WEB} 1"]


# --- what others publish meanwhile ----------------------------------------------------------------------


class Routes(Namespace):
    """A namespace whose files are Ingresses that branches share; each version has another path beside `/`."""

    @staticmethod
    def text_of(version_id: str) -> str:
        """Return the Ingress that a version holds."""
        version = version_id.partition("@")[2]
        claims = claims_json([Claim("/", "main"), Claim(f"/{version}/", "other")])
        backend = {"service": {"name": "web", "port": {"number": 80}}}
        paths = [{"path": path, "pathType": "Prefix", "backend": backend} for path in ("/", f"/{version}/")]
        body = {"apiVersion": "networking.k8s.io/v1", "kind": "Ingress"}
        metadata = {"name": "a", "annotations": {BRANCHES: claims}}
        return yaml.safe_dump({**body, "metadata": metadata, "spec": {"rules": [{"http": {"paths": paths}}]}})


def sharing_run(*, redeploy: str = "false") -> Deployed:
    """Return a run whose one file is shared by branches."""
    run = Deployed(redeploy=redeploy)
    routes = Routes(run.namespace.versions, run.namespace.live)
    routes.answers = {**run.namespace.answers, **{k: routes.answers[k] for k in OWN}}
    run.namespace = routes
    run.shared = frozenset({"a.yaml"})
    return run


OWN = ("preview", "deploy", "find version", "get version")


def test_what_another_branch_has_published_of_a_shared_file_is_deployed_instead() -> None:
    run = sharing_run()
    run.namespace.answers["list files"] = [*rows(("a.yaml", "a.yaml@3"))]
    run.run()
    assert (run.error, run.namespace.deployed) == (None, [["a.yaml@3"]])
    told = say("deploy.newest_instead", name="a.yaml", version="3", ours="2")
    assert f"##[info]{told}" in run.lines
    for ours in "23":
        assert str(say("deploy.newest_instead", name="a.yaml", version=ours, ours=ours)) not in run.phases.log


def test_what_comes_while_ours_is_on_its_way_is_deployed_after_it_three_times_at_most() -> None:
    run = sharing_run(redeploy="true")
    newest = iter("3456789")

    def publish() -> None:
        run.namespace.answers["list files"] = [*rows(("a.yaml", f"a.yaml@{next(newest)}"))]

    run.namespace.on_deploy = publish
    run.run()
    assert (run.error, run.result) == (None, "deployed")
    assert run.namespace.deployed == [[f"a.yaml@{version}"] for version in "2345"]
    assert named(run.rollout.deployed) == ["a.yaml 5"]


def test_what_another_build_publishes_and_deploys_itself_is_not_sent_again() -> None:
    run = sharing_run()

    def publish_and_deploy() -> None:
        run.namespace.answers["list files"] = [*rows(("a.yaml", "a.yaml@3"))]
        run.namespace.answers["preview"] = live_at_3

    def live_at_3(call: Call[object]) -> JsonValue:
        asked = (call.body or {})["templateVersions"]
        run.namespace.live["a.yaml"] = "3" if asked == ["a.yaml@3"] else "2"
        assert callable(shown)
        return shown(call)

    shown = run.namespace.answers["preview"]
    run.namespace.on_deploy = publish_and_deploy
    run.run()
    assert (run.error, run.namespace.deployed) == (None, [["a.yaml@2"]])
    assert named(run.rollout.deployed) == ["a.yaml 3"]
