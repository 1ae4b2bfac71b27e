"""What is deployed, what is refused and what is said, from values alone."""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcs_template_set.bcs.deploy_calls import Preview, PreviewItem
from bcs_template_set.bcs.marks import TEMPLATE_NAME, TEMPLATE_VERSION
from bcs_template_set.manifests.yaml_reading import YamlValue, dump_yaml
from bcs_template_set.messages import Text
from bcs_template_set.messages.errors import NodePortLost, NotReplaceable, SelectorChanged
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.rollout.deployment_plan import (
    Holding,
    PodNumbers,
    differences_of,
    hold_nothing,
    is_fixed,
    moved_ports,
    plan_deployment,
    port_pairs,
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


def test_each_file_is_judged_by_its_own_objects() -> None:
    kept: Body = {"clusterIP": "10.0.0.1", "ports": [{"name": "http", "port": 80}]}
    # Would lose its port if it was replaced, and isn't.
    balanced = state(kind="Service", desired=kept, live={**kept, **port(31000)}, live_version="2")
    empty = FileVersion("empty.yaml", "id", "2", objects=())
    states = [balanced, state(file="b.yaml"), state(file="c.yaml", live_version="2")]
    files = (file(), file("b.yaml"), file("c.yaml"), empty)
    plan = plan_deployment(files, states, space=SPACE, redeploy=False)
    assert (plan.deploy, plan.live_already) == ((file("b.yaml"),), (file("c.yaml"), empty, file()))
    assert plan.refused is None
    assert plan.states_of(["b.yaml"]) == (states[1],)
    assert hold_nothing(plan) == Holding()


def test_a_file_that_is_live_at_several_versions_is_told_as_none_of_them() -> None:
    spec: Body = {"ports": [{"name": "http", "port": 80}]}
    wanted = body("Service", spec=spec, annotations=marks("web.yaml", "2"))
    lives = [body("Service", spec=spec, annotations=marks("web.yaml", version)) for version in "13"]
    states = [LiveState("web.yaml", "Service", f"web-{n}", wanted, live) for n, live in enumerate(lives)]
    (live,) = plan_deployment([file()], states, space=SPACE, redeploy=False).live_already
    assert live.live_as == ""


def test_what_would_change_is_shown_what_loses_first_and_what_is_new_not_at_all() -> None:
    one: Body = {"ports": [{"port": 80}]}
    two: Body = {"ports": [{"port": 80}, {"port": 81}]}
    grown = state(kind="Service", desired=two, live=one, live_version="1")
    shrunk = state(desired=one, live=two, live_version="1")
    same = replace(grown, name="same", desired=grown.live or {})
    found = differences_of([grown, state(), same, shrunk])
    assert [title for title, _ in found] == ["Deployment/web", "Service/web"]


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
    two: Body = {"selector": {"matchLabels": {"app": "old", "tier": "web"}}}
    bare = [state(desired={"selector": {}}, live=two, live_version="1")]
    told = str(plan_deployment((file(),), bare, space=SPACE, redeploy=False).refused)
    assert "app=old, tier=web" in told
    assert "and would become -; " in told
    for harmless in (
        state(desired=wanted),
        state(desired={**wanted, "paused": True}, live=wanted, live_version="1"),
        state(kind="Gadget", desired=wanted, live=live, live_version="1"),
    ):
        plan = plan_deployment((file(),), [harmless], space=SPACE, redeploy=False)
        assert (len(plan.deploy), plan.refused) == (1, None)
    again = [state(desired=wanted, live=wanted, live_version="2")]
    assert plan_deployment((file(),), again, space=SPACE, redeploy=False).refused is None


def keys_of(refused: Optional[StepError]) -> list[str]:
    """Return the keys of what an error that refuses a deployment tells, in its order."""
    assert refused is None or isinstance(refused, (NotReplaceable, NodePortLost))
    details = refused.details if refused is not None else ()
    return [text.key for text in details if isinstance(text, Text)]


SELECTOR: Body = {"selector": {"matchLabels": {"job": "1"}}}


@pytest.mark.parametrize(
    ("kind", "wanted", "live", "key"),
    [
        ("Job", {}, SELECTOR, "deploy.kept_as_it_is"),
        ("Job", {"parallelism": 2}, SELECTOR, "deploy.kept_otherwise"),
        ("Job", SELECTOR, SELECTOR, ""),
        ("Job", {}, {}, ""),
        ("Gadget", {}, SELECTOR, ""),
        ("ConfigMap", {}, SELECTOR, ""),
    ],
)
def test_what_the_cluster_gave_an_object_can_not_be_left_out(
    kind: str, wanted: Body, live: Body, key: str
) -> None:
    found = state(kind=kind, desired=wanted, live=live, live_version="1")
    plan = plan_deployment((file(rewritten=True),), [found], space=SPACE, redeploy=False)
    assert keys_of(plan.refused) == ([key] if key else [])
    assert is_fixed(found) == bool(key)
    assert not is_fixed(replace(found, live=None))


def test_what_is_immutable_is_fixed() -> None:
    held = state(kind="ConfigMap", live_version="1")
    for value in (True, False):
        assert is_fixed(replace(held, live={**(held.live or {}), "immutable": value})) is value


def test_a_node_port_is_lost_only_where_the_document_has_a_cluster_ip_and_no_port() -> None:
    for wanted, lost in (
        ({**port(0), "clusterIP": "10.0.0.1"}, True),
        ({**port(31000), "clusterIP": "10.0.0.1"}, False),
        ({**port(0), "externalTrafficPolicy": "Local"}, False),
    ):
        states = [state(kind="Service", desired=wanted, live=port(31000), live_version="1")]
        plan = plan_deployment((file(),), states, space=SPACE, redeploy=False)
        assert keys_of(plan.refused) == (["deploy.port_lost"] if lost else [])


def test_a_port_that_is_to_change_is_said_and_one_that_is_new_is_not() -> None:
    two: Body = {"ports": [{"port": 80, "nodePort": 31001}, {"port": 81, "nodePort": 31002}]}
    changed = state(kind="Service", desired=two, live=port(31000), live_version="1")
    plan = plan_deployment((file(),), [changed], space=SPACE, redeploy=False)
    assert [(note.key, note.fields["port"]) for note in plan.notes] == [("deploy.port_changed", 80)]


def test_ports_are_told_apart_by_number_and_protocol() -> None:
    live: Body = {
        "ports": [
            {"port": 53, "protocol": "UDP", "nodePort": 1},
            {"port": 53, "protocol": "TCP", "nodePort": 2},
        ]
    }
    wanted: Body = {"ports": [{"port": 53, "nodePort": "x"}, {"port": 53, "protocol": "UDP"}]}
    found = state(kind="Service", desired=wanted, live=live, live_version="1")
    assert list(port_pairs(found)) == [(53, 0, 2), (53, 0, 1)]
    for other in (replace(found, live=None), replace(found, kind="Gadget")):
        assert list(port_pairs(other)) == []


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
    texts = dump_yaml(live), dump_yaml(wanted), ""
    items = tuple(PreviewItem("Deployment", "web", dump_yaml(wanted), text) for text in texts)
    there = [found.live is not None for found in read_states(Preview(items), space=SPACE)]
    assert there == [False, True, False]


def test_a_service_that_an_old_api_server_refuses_is_told_with_its_address() -> None:
    live = {**port(31000), "clusterIP": "10.0.0.1"}
    states = [state(kind="Service", desired=port(0), live=live, live_version="1"), state()]
    more = [state(kind="Service"), state(live_version="1")]
    bare = state(kind="Service", desired=port(0), live={}, live_version="1")
    assert [hint.fields["cluster_ip"] for hint in refused_services([*more, bare], "clusterIP")] == ["-"]
    hints = refused_services(states, "spec.clusterIP: Invalid value")
    assert ["10.0.0.1" in hint.render("en_US") for hint in hints] == [True]
    assert refused_services(states, "quota exceeded") == ()
