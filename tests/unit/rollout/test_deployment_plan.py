"""What is deployed, what is refused and what is said, from values alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

from hypothesis import given
from hypothesis import strategies as st

from bcs_template_set.bcs.deploy_calls import Preview, PreviewItem
from bcs_template_set.bcs.marks import TEMPLATE_NAME, TEMPLATE_VERSION
from bcs_template_set.manifests.yaml_reading import YamlValue, dump_yaml
from bcs_template_set.messages.errors import NodePortLost, SelectorChanged
from bcs_template_set.rollout.deployment_plan import (
    PodNumbers,
    moved_ports,
    plan_deployment,
    refused_services,
)
from bcs_template_set.rollout.live_state import FileVersion, LiveState, read_states

SPACE = "front-ends"
Body = dict[str, YamlValue]


def marks(file: str, version: str, *, space: str = SPACE) -> Body:
    return {TEMPLATE_NAME: f"{space}/{file}", TEMPLATE_VERSION: version}


def body(
    kind: str = "Deployment", *, spec: Optional[Body] = None, annotations: Optional[Body] = None
) -> Body:
    return {
        "kind": kind,
        "metadata": {"name": "web", "annotations": annotations or {}},
        "spec": spec or {},
    }


def state(
    *,
    kind: str = "Deployment",
    desired: Optional[Body] = None,
    live: Optional[Body] = None,
    live_version: str = "",
    file: str = "web.yaml",
) -> LiveState:
    there = body(kind, spec=live, annotations=marks(file, live_version)) if live_version else None
    return LiveState(file, kind, "web", body(kind, spec=desired, annotations=marks(file, "2")), there)


def file(
    name: str = "web.yaml", *, version: str = "2", rewritten: bool = False, sets_pods: bool = False
) -> FileVersion:
    return FileVersion(name, f"id-{name}", version, rewritten=rewritten, sets_pods=sets_pods)


def deployed(states: list[LiveState], *files: FileVersion, redeploy: bool = False) -> list[str]:
    plan = plan_deployment(files or (file(),), states, space=SPACE, redeploy=redeploy)
    assert {f.name for f in plan.deploy}.isdisjoint(f.name for f in plan.live_already)
    return [f.name for f in plan.deploy]


def port(node_port: int, *, name: str = "http") -> Body:
    return {"ports": [{"name": name, "port": 80, "nodePort": node_port}]}


def test_what_is_missing_or_of_another_version_is_deployed() -> None:
    assert deployed([state()]) == ["web.yaml"]
    assert deployed([state(live_version="1")]) == ["web.yaml"]
    assert deployed([state(live_version="2")]) == []
    assert deployed([state(live_version="2")], redeploy=True) == ["web.yaml"]


def test_a_file_with_one_object_missing_is_deployed_whole() -> None:
    assert deployed([state(live_version="2"), state(kind="Service")]) == ["web.yaml"]


def test_a_file_of_which_bcs_lists_no_object_is_deployed() -> None:
    assert deployed([]) == ["web.yaml"]


def test_a_file_without_an_object_is_never_deployed() -> None:
    empty = FileVersion("web.yaml", "id", "2", objects=())
    assert deployed([], empty) == deployed([], empty, redeploy=True) == []


def test_a_mark_of_another_space_is_not_ours() -> None:
    foreign = body(annotations=marks("web.yaml", "2", space="other"))
    assert deployed([LiveState("web.yaml", "Deployment", "web", body(), foreign)]) == ["web.yaml"]


def notes(states: list[LiveState], *files: FileVersion) -> list[str]:
    return [note.key for note in plan_deployment(files, states, space=SPACE, redeploy=False).notes]


def test_content_decides_beside_the_mark() -> None:
    changed = [state(desired={"paused": True}, live={"paused": False}, live_version="2")]
    assert deployed(changed) == ["web.yaml"]
    assert notes(changed, file()) == ["deploy.other_content"]
    assert notes(changed, file(rewritten=True)) == ["deploy.rewritten"]


def test_what_is_live_as_wanted_is_not_sent_whatever_its_mark() -> None:
    spec: Body = {"ports": [{"name": "http", "port": 80}]}
    elsewhere = LiveState(
        "web.yaml",
        "Service",
        "web",
        body("Service", spec=spec, annotations=marks("web.yaml", "2")),
        body("Service", spec=spec, annotations=marks("routes.yaml", "1")),
    )
    assert notes([elsewhere], file()) == ["deploy.not_ours"]
    assert deployed([elsewhere]) == []
    assert deployed([elsewhere], redeploy=True) == ["web.yaml"]
    earlier = replace(elsewhere, live=body("Service", spec=spec, annotations=marks("web.yaml", "1")))
    assert (deployed([earlier]), notes([earlier], file())) == ([], [])
    for known, told in ((elsewhere, ""), (earlier, "1")):
        (live,) = plan_deployment([file()], [known], space=SPACE, redeploy=False).live_already
        assert (live.version, live.told) == ("2", told)
    assert deployed([elsewhere, state()]) == ["web.yaml"], "the file is sent whole"
    assert notes([elsewhere, state()], file()) == []


def test_what_the_run_has_rewritten_is_deployed_whatever_is_live() -> None:
    same = [state(live_version="2")]
    assert (deployed(same), deployed(same, file(rewritten=True))) == ([], ["web.yaml"])
    assert notes(same, file(rewritten=True)) == []


def test_a_number_of_pods_is_left_and_said_unless_the_file_means_it() -> None:
    scaled = [state(desired={"replicas": 2}, live={"replicas": 5}, live_version="2")]
    assert (deployed(scaled), notes(scaled, file())) == ([], [])
    assert deployed(scaled, file(sets_pods=True)) == ["web.yaml"]
    assert notes(scaled, file(sets_pods=True)) == ["deploy.other_content"]
    missing = [state(desired={"replicas": 2}, live={}, live_version="2")]
    assert (deployed(missing), notes(missing, file())) == (["web.yaml"], ["deploy.other_content"])


def test_a_number_that_others_decide_about_deploys_nothing() -> None:
    scaled = [state(desired={"replicas": 2}, live={"replicas": 5}, live_version="2")]
    reused = FileVersion("web.yaml", "id", "2", reused=True)
    by_variable = FileVersion("web.yaml", "id", "2", sets_pods=True)
    both = frozenset({"Deployment/web"})

    def chosen(version: FileVersion, numbers: PodNumbers) -> bool:
        return bool(plan_deployment([version], scaled, space=SPACE, redeploy=False, numbers=numbers).deploy)

    assert chosen(reused, PodNumbers())
    assert chosen(by_variable, PodNumbers())
    assert not chosen(reused, PodNumbers(scaled=both))
    assert chosen(by_variable, PodNumbers(scaled=both)), "the author's value wins"
    assert not chosen(by_variable, PodNumbers(kept=both))


@given(st.permutations(["a.yaml", "b.yaml", "c.yaml"]))
def test_the_order_of_files_changes_nothing(names: list[str]) -> None:
    assert deployed([], *[file(name) for name in names]) == ["a.yaml", "b.yaml", "c.yaml"]


def test_a_selector_that_would_change_refuses() -> None:
    wanted: Body = {"selector": {"matchLabels": {"app": "new"}}}
    live: Body = {"selector": {"matchLabels": {"app": "old"}}}
    states = [state(desired=wanted, live=live, live_version="1")]
    plan = plan_deployment((file(),), states, space=SPACE, redeploy=False)
    assert isinstance(plan.refused, SelectorChanged)
    assert "app=old" in str(plan.refused)
    again = [state(desired=wanted, live=wanted, live_version="2")]
    assert plan_deployment((file(),), again, space=SPACE, redeploy=False).refused is None


def test_a_node_port_is_lost_only_where_the_document_has_a_cluster_ip_and_no_port() -> None:
    for wanted, lost in (
        ({**port(0), "clusterIP": "10.0.0.1"}, True),
        ({**port(31000), "clusterIP": "10.0.0.1"}, False),
        (port(0), False),
    ):
        states = [state(kind="Service", desired=wanted, live=port(31000), live_version="1")]
        plan = plan_deployment((file(),), states, space=SPACE, redeploy=False)
        assert isinstance(plan.refused, NodePortLost) == lost


def test_a_port_that_moved_is_said_unless_somebody_asked_for_it() -> None:
    before = [state(kind="Service", desired=port(0), live=port(31000), live_version="1")]
    after = [state(kind="Service", desired=port(0), live=port(31001), live_version="2")]
    assert [note.key for note in moved_ports(before, after)] == ["deploy.port_moved"]
    assert moved_ports(before, before) == ()
    asked = [state(kind="Service", desired=port(31001), live=port(31000), live_version="1")]
    assert moved_ports(asked, after) == ()
    assert moved_ports([state(kind="Service", desired=port(0))], after) == (), "new, so nothing moved"


def test_a_preview_is_read_with_what_is_no_yaml_left_out() -> None:
    items = (
        PreviewItem("Deployment", "web", dump_yaml(body(annotations=marks("a/web.yaml", "2"))), ""),
        PreviewItem("Deployment", "bad", "a: [", "b: ["),
        PreviewItem("", "", "{}", ""),  # a file of comments (contract/recorded)
    )
    (found,) = read_states(Preview(items), space=SPACE)
    assert (found.file, found.title, found.live) == ("a/web.yaml", "Deployment/web", None)


def test_what_is_being_deleted_counts_as_gone() -> None:
    wanted = body(annotations=marks("a/web.yaml", "2"))
    going: dict[str, YamlValue] = {"name": "web", "deletionTimestamp": "2026-01-01T00:00:00Z"}
    live: dict[str, YamlValue] = {**wanted, "metadata": going}
    items = (PreviewItem("Deployment", "web", dump_yaml(wanted), dump_yaml(live)),)
    assert [found.live for found in read_states(Preview(items), space=SPACE)] == [None]


def test_a_service_that_an_old_api_server_refuses_is_told_with_its_address() -> None:
    live = {**port(31000), "clusterIP": "10.0.0.1"}
    states = [state(kind="Service", desired=port(0), live=live, live_version="1"), state()]
    hints = refused_services(states, "spec.clusterIP: Invalid value")
    assert ["10.0.0.1" in hint.render("en_US") for hint in hints] == [True]
    assert refused_services(states, "quota exceeded") == ()
