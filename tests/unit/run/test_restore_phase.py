"""What goes back after a deployment that failed, what is left as it is, and what is told of it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from typing import Optional

from tests.support.phases import PLACE, Answer, Namespace, Phases, run_of

from bcs_template_set.bcs.calls import Call, JsonValue
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import DeployRefused, NoPermission
from bcs_template_set.messages.server_errors import GatewayFailed, RolloutUnseen
from bcs_template_set.rollout.live_state import FileVersion, LiveState
from bcs_template_set.rollout.result import Before, Restoration
from bcs_template_set.run.deploy_target import DeployTarget
from bcs_template_set.run.restore_phase import Restore, go_back

NO = NoPermission(user="lisi", message="no")
DOWN = GatewayFailed(url="u", status=502, message="m")


def file(
    name: str, version: str = "2", *, objects: Sequence[str] = ("",), rewritten: bool = False
) -> FileVersion:
    return FileVersion(name, f"{name}@{version}", version, objects=tuple(objects), rewritten=rewritten)


def state(name: str, at: str = "") -> LiveState:
    """Return the object of a file as it was before."""
    namespace = Namespace([], {})
    live = namespace.marked(name, at) if at else None
    kind = "Deployment" if "deployment" in name else "ConfigMap"
    return LiveState(name, kind, name.partition(".")[0], namespace.marked(name, "2"), live)


class Back:
    """A way back: two files were deployed at version 2, and were at version 1 before."""

    def __init__(
        self,
        *names: str,
        live: Optional[dict[str, str]] = None,
        timeout: str = "600",
        seconds: Optional[float] = None,
        **answers: Answer,
    ) -> None:
        self.names = names or ("a.yaml", "b.yaml")
        versions = [f"{name}@{version}" for name in self.names for version in "123"]
        self.namespace = Namespace(versions, live or dict.fromkeys(self.names, "2"), **answers)
        self.phases: Phases = run_of(seconds=seconds, inputs={"timeout": timeout})
        self.target = DeployTarget(self.phases.run.context, self.namespace, PLACE)

    def go(
        self,
        *,
        before: str = "1",
        ready: Optional[bool] = True,
        known: Sequence[LiveState] = (),
        lost: Sequence[str] = (),
        theirs: Sequence[str] = (),
        files: Optional[Sequence[FileVersion]] = None,
    ) -> Restoration:
        """Go back to this version."""
        chosen = files if files is not None else [file(name) for name in self.names]
        were = [Before(name, before, ready) for name in self.names] if before else []
        return Restore(self.target, self.target.deploying({}), chosen, were, known, lost, theirs).carry_out()


def names(files: Sequence[FileVersion]) -> list[str]:
    return [f"{one.name} {one.version}" for one in files]


def test_what_was_deployed_goes_back_to_the_version_before() -> None:
    back = Back()
    way = back.go()
    assert back.namespace.deployed == [["a.yaml@1", "b.yaml@1"]]
    assert names(way.files) == ["a.yaml 1", "b.yaml 1"]
    assert replace(way, files=()) == Restoration()
    assert way.is_whole


def test_workloads_that_are_back_are_waited_for() -> None:
    back = Back("web.deployment.yaml")
    way = back.go()
    assert ([item.end for item in way.watched], way.unwatched, way.problem) == (["ready"], (), None)
    unwaited = Back("web.deployment.yaml", timeout="0").go()
    assert (unwaited.watched, unwaited.unwatched) == ((), ("web.deployment.yaml",))
    assert not unwaited.is_whole


def test_a_workload_that_does_not_become_ready_is_the_problem() -> None:
    back = Back("web.deployment.yaml", seconds=60.0, get_Deployment=NO)
    way = back.go()
    assert (names(way.files), [item.end for item in way.watched]) == (["web.deployment.yaml 1"], ["unseen"])
    assert way.problem == RolloutUnseen(count=1, details=[]).title()


def test_one_whose_pods_a_person_has_to_renew_is_the_problem_too() -> None:
    way = Back("web.daemonset.yaml").go()
    assert [item.end for item in way.watched] == ["paused"]
    assert way.problem == say("deploy.restore_paused", objects=["DaemonSet/web"])


def test_a_file_of_which_nothing_was_there_before_is_left_with_what_it_added() -> None:
    back = Back()
    way = back.go(before="", known=[state("a.yaml"), state("b.yaml")])
    assert (way.left, way.files, back.namespace.deployed) == (("a.yaml", "b.yaml"), (), [])
    assert way.added == ("ConfigMap/a", "ConfigMap/b")
    assert back.phases.log == "", "where nothing goes back, nothing is waited for"


WEB = "web.deployment.yaml"


def test_pods_that_a_way_back_takes_or_does_not_give_back_are_a_warning() -> None:
    back = Back(WEB)

    def five(body: dict[str, JsonValue]) -> dict[str, JsonValue]:
        spec = body["spec"]
        assert isinstance(spec, dict)
        return {**body, "spec": {**spec, "replicas": 5}} if not back.namespace.deployed else body

    back.namespace.seen = five
    back.go()
    assert back.phases.warnings == ["deploy.pods_said"]
    had_four = Back(WEB)
    before = state(WEB, "1")
    assert before.live is not None
    had_four.go(known=[replace(before, live={**before.live, "spec": {"replicas": 4}})])
    (warning,) = had_four.phases.record.warnings
    assert warning == say("deploy.pods_fewer", object="Deployment/web", live=4, left=3)


def test_what_something_else_controls_is_said_before_it_goes_back() -> None:
    back = Back("a.yaml")
    owner: JsonValue = {"kind": "App", "name": "web", "controller": True}

    def owned(body: dict[str, JsonValue]) -> dict[str, JsonValue]:
        metadata = body["metadata"]
        assert isinstance(metadata, dict)
        return {**body, "metadata": {**metadata, "ownerReferences": [owner]}}

    back.namespace.seen = owned
    back.go()
    assert f"##[info]{say('deploy.owned', object='ConfigMap/a', owner='App/web')}" in back.phases.log


def test_a_version_that_is_gone_or_the_same_is_told_as_that() -> None:
    back = Back()
    back.namespace.versions.discard("a.yaml@1")
    way = back.go()
    assert (way.gone, names(way.files)) == (("a.yaml",), ["b.yaml 1"])
    assert way.runs == (("a.yaml", "2"),)
    same = Back()
    told = same.go(before="2")
    assert (told.same, same.namespace.deployed) == (("a.yaml", "b.yaml"), [])
    assert (way.added, told.added) == ((), ()), "nobody has seen what was there before"


def test_what_others_have_deployed_or_changed_since_is_left() -> None:
    others = Back(live={"a.yaml": "3", "b.yaml": "2"})
    way = others.go(known=[state("a.yaml", "1"), state("b.yaml", "1")])
    assert others.namespace.deployed == [["b.yaml@1"]]
    (told,) = way.overtaken
    assert isinstance(told, Text)
    assert (told.key, told.fields["name"]) == ("deploy.overtaken", "a.yaml")
    changed = Back()
    way = changed.go(theirs=["a.yaml"])
    assert (way.overtaken, changed.namespace.deployed) == (("a.yaml",), [["b.yaml@1"]])


def test_what_others_deploy_in_between_is_left_too() -> None:
    back = Back()
    shown = back.namespace.answers["preview"]
    assert callable(shown)
    looks: list[object] = []

    def preview(call: Call[object]) -> JsonValue:
        looks.append(call)
        if len(looks) == 2:
            back.namespace.live["a.yaml"] = "3"
        return shown(call)

    back.namespace.answers["preview"] = preview
    way = back.go()
    assert (back.namespace.deployed, names(way.files)) == ([["b.yaml@1"]], ["b.yaml 1"])
    (told,) = way.overtaken
    assert isinstance(told, Text)
    assert told.fields["name"] == "a.yaml"


def test_what_is_not_live_any_more_is_absent() -> None:
    way = Back(live={"b.yaml": "2"}).go(known=[state("a.yaml", "1"), state("b.yaml", "1")])
    assert (way.absent, names(way.files)) == (("a.yaml",), ["b.yaml 1"])


def test_what_was_not_ready_before_is_told_so_where_it_was_to_go_back() -> None:
    for ready, unready, unknown in ((False, ("a.yaml",), ()), (None, (), ("a.yaml",)), (True, (), ())):
        way = Back("a.yaml").go(ready=ready)
        assert (way.unready, way.unknown) == (unready, unknown)


def test_files_that_are_lost_are_told_whatever_happens() -> None:
    assert Back().go(lost=["x.yaml"]).lost == ("x.yaml",)
    blind = Back(preview=DOWN).go(lost=["x.yaml"])
    assert blind == Restoration(lost=("x.yaml",), not_back=("a.yaml", "b.yaml"), problem=DOWN.sentence())
    assert Back(preview=DOWN).go(before="").not_back == ()


def test_a_dry_run_that_does_not_show_all_of_a_file_is_believed_nothing() -> None:
    back = Back("a.yaml")
    two = [file("a.yaml", objects=("ConfigMap/a", "ConfigMap/x"))]
    way = back.go(files=two)
    assert (way.not_back, back.namespace.deployed) == (("a.yaml",), [])
    assert way.problem is not None


def test_where_variables_can_not_be_asked_nothing_goes_back() -> None:
    back = Back(list_variables=DOWN)
    way = back.go()
    assert (way.not_back, way.problem) == (("a.yaml", "b.yaml"), DOWN.sentence())
    assert back.namespace.deployed == []


def refuse(back: Back, error: Exception, **live: str) -> None:
    """Have a deployment fail, after which these files are live so."""

    def fail() -> None:
        back.namespace.live.update({f"{name}.yaml": version for name, version in live.items()})
        raise error

    back.namespace.on_deploy = fail


def test_a_call_that_fails_half_way_tells_which_files_are_back() -> None:
    back = Back()
    refuse(back, DeployRefused(message="no"), b="2")
    way = back.go()
    assert (names(way.files), way.not_back, way.unread) == (["a.yaml 1"], ("b.yaml",), ())
    assert way.problem is not None
    assert way.runs == (("b.yaml", "2"),)


def test_a_call_that_fails_and_has_done_all_is_no_problem() -> None:
    back = Back()
    refuse(back, DeployRefused(message="no"))
    way = back.go()
    assert (names(way.files), way.not_back, way.problem) == (["a.yaml 1", "b.yaml 1"], (), None)


def test_where_nobody_can_look_after_a_call_that_failed_the_files_are_unread() -> None:
    back = Back()

    def fail() -> None:
        back.namespace.answers["preview"] = DOWN
        raise DeployRefused(message="no")

    back.namespace.on_deploy = fail
    way = back.go()
    assert (way.unread, way.not_back, way.files) == (("a.yaml", "b.yaml"), (), ())
    assert way.problem is not None


def test_where_nobody_may_look_all_is_unread_and_not_gone() -> None:
    back = Back()

    def fail() -> None:
        back.namespace.live.clear()
        raise NO

    back.namespace.on_deploy = fail
    assert back.go().unread == ("a.yaml", "b.yaml")
    refused = Back()

    def gone() -> None:
        refused.namespace.live.clear()
        raise DeployRefused(message="no")

    refused.namespace.on_deploy = gone
    assert refused.go().not_back == ("a.yaml", "b.yaml")
    half = Back()

    def seen() -> None:
        half.namespace.live.pop("a.yaml")
        raise NO

    half.namespace.on_deploy = seen
    assert half.go().not_back == ("a.yaml",)


def test_a_later_process_goes_back_by_what_the_step_has_left() -> None:
    back = Back()
    way = go_back(back.target, [file("a.yaml"), file("b.yaml")], before=[Before("a.yaml", "1", ready=True)])
    assert (names(way.files), way.left) == (["a.yaml 1"], ("b.yaml",))
    assert replace(way, files=()) == Restoration(left=("b.yaml",), added=("ConfigMap/b",))
