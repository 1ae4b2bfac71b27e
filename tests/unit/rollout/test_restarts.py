"""A pod restarts where its template changes, and for nothing that it reads."""

from __future__ import annotations

from typing import Optional

import pytest

from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.rollout.deploy_notes import changes_pods, restart_notes
from bcs_template_set.rollout.deployment_plan import DeploymentPlan
from bcs_template_set.rollout.live_state import FileVersion, LiveState

Body = dict[str, YamlValue]
MAP_REF: Body = {"envFrom": [{"configMapRef": {"name": "settings"}}]}


def workload(read: Body, *, kind: str = "Deployment", tag: str = "1") -> Body:
    pod: Body = {"containers": [{"name": "main", "image": f"example.com/web:{tag}"}], **read}
    return {"kind": kind, "metadata": {"name": "web"}, "spec": {"template": {"spec": pod}}}


def state(desired: Body, live: Optional[Body], *, file: str) -> LiveState:
    metadata = desired["metadata"]
    assert isinstance(metadata, dict)
    return LiveState(file, str(desired["kind"]), str(metadata["name"]), desired, live)


def settings(kind: str, value: str) -> Body:
    return {"kind": kind, "metadata": {"name": "settings"}, "data": {"key": value}}


def plan_of(*states: LiveState, sent: tuple[str, ...]) -> DeploymentPlan:
    files = tuple(FileVersion(name, f"id-{name}", "2") for name in sent)
    return DeploymentPlan(files, (), states, (), None, ())


def told(*states: LiveState, sent: tuple[str, ...] = ("settings",), redeploy: bool = False) -> list[str]:
    return [str(note) for note in restart_notes(plan_of(*states, sent=sent), redeploy=redeploy)]


@pytest.mark.parametrize(
    ("kind", "read"),
    [
        ("ConfigMap", MAP_REF),
        ("ConfigMap", {"volumes": [{"name": "v", "configMap": {"name": "settings"}}]}),
        ("Secret", {"volumes": [{"name": "v", "secret": {"secretName": "settings"}}]}),
        ("Secret", {"volumes": [{"projected": {"sources": [{"secret": {"name": "settings"}}]}}]}),
        ("ConfigMap", {"env": [{"valueFrom": {"configMapKeyRef": {"name": "settings", "key": "key"}}}]}),
        ("Secret", {"envFrom": [{"secretRef": {"name": "settings"}}]}),
        ("Secret", {"env": [{"valueFrom": {"secretKeyRef": {"name": "settings", "key": "key"}}}]}),
    ],
)
def test_what_a_workload_reads_and_what_changed_under_it_is_named(kind: str, read: Body) -> None:
    changed = state(settings(kind, "2"), settings(kind, "1"), file="settings")
    web = state(workload(read), workload(read), file="web")
    (note,) = told(changed, web)
    assert "Deployment/web: nothing in its pods' template changed, so no pod was restarted" in note
    assert f"{kind}/settings" in note
    assert told(changed, state(workload(read, tag="2"), workload(read), file="web")) == []
    assert told(changed, state(workload({}), workload({}), file="web")) == []
    assert told(changed, state(workload(read), None, file="web")) == []
    assert told(changed, web, sent=()) == []


def test_what_is_new_or_the_same_has_changed_under_nobody() -> None:
    web = state(workload(MAP_REF), workload(MAP_REF), file="web")
    assert told(state(settings("ConfigMap", "1"), None, file="settings"), web) == []
    same = settings("ConfigMap", "1")
    assert told(state(same, same, file="settings"), web) == []


def test_a_job_restarts_nothing_and_is_not_spoken_of() -> None:
    job = workload(MAP_REF, kind="Job")
    changed = state(settings("ConfigMap", "2"), settings("ConfigMap", "1"), file="settings")
    assert told(changed, state(job, job, file="web")) == []


def test_that_redeploy_restarts_no_pod_is_said_once() -> None:
    web = state(workload({}), workload({}), file="web")
    (note,) = told(web, sent=("web",), redeploy=True)
    assert "no pod was restarted: Deployment/web" in note
    assert told(web, sent=("web",)) == []
    assert told(state(workload({}, tag="2"), workload({}), file="web"), sent=("web",), redeploy=True) == []
    night = workload({}, kind="CronJob")
    assert told(state(night, night, file="web"), sent=("web",), redeploy=True) == []


def test_redeploy_speaks_of_the_files_that_are_sent_alone() -> None:
    same = workload(MAP_REF)
    states = [state(same, same, file="web"), state(same, same, file="other")]
    assert told(*states, sent=("web",), redeploy=True) != []
    assert told(*states, sent=("settings",), redeploy=True) == []


def test_what_else_pods_name_is_not_what_they_read() -> None:
    read: Body = {"volumes": [{"name": "v", "csi": {"nodePublishSecretRef": {"name": "settings"}}}]}
    same, changed = workload(read), settings("Secret", "new")
    before = settings("Secret", "old")
    states = [state(changed, before, file="settings"), state(same, same, file="web")]
    assert told(*states) == []


@pytest.mark.parametrize(
    ("desired", "live", "changes"),
    [
        (workload(MAP_REF), workload(MAP_REF), False),
        (workload(MAP_REF), workload(MAP_REF, tag="2"), True),
        (workload({}), workload(MAP_REF), False),
        (workload(MAP_REF), None, True),
        (settings("ConfigMap", "new"), settings("ConfigMap", "old"), False),
    ],
    ids=["same", "another image", "more is live", "nothing is live", "no workload"],
)
def test_pods_change_where_their_template_says_what_the_live_one_does_not(
    desired: Body, live: Optional[Body], *, changes: bool
) -> None:
    versions = {"Deployment": "apps/v1", "ConfigMap": "v1"}
    whole: Body = {"apiVersion": versions[str(desired["kind"])], **desired}
    assert changes_pods(state(whole, live, file="web")) is changes
