from __future__ import annotations

import pytest
import yaml
from tests.support.deploying import documents, workload

from bcs_template_set.manifests.parse import Document, parse_foreign
from bcs_template_set.rollout.deploy_notes import wait_notes


def parsed(*texts: str) -> tuple[Document, ...]:
    found = parse_foreign(documents(*texts))
    assert found is not None
    return found


def told(*texts: str, timeout: int = 600) -> list[str]:
    return [note.render("en_US") for note in wait_notes(parsed(*texts), timeout=timeout)]


def probed(
    kind: str = "Deployment", name: str = "web", *, probe: str = "readinessProbe", **spec: object
) -> str:
    manifest = yaml.safe_load(workload(kind, name))
    manifest["spec"].update(spec)
    manifest["spec"]["template"]["spec"]["containers"][0][probe] = {"httpGet": {"path": "/", "port": 80}}
    return yaml.safe_dump(manifest)


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
def test_a_workload_whose_pods_count_as_ready_at_once_is_named(kind: str) -> None:
    (note,) = told(workload(kind))
    assert f"{kind}/web" in note
    assert all(value in note for value in ("readiness", "min_ready_seconds"))
    assert len(told(probed(kind, probe="livenessProbe"))) == 1


@pytest.mark.parametrize("kind", ["Deployment", "StatefulSet", "DaemonSet"])
def test_a_readiness_probe_or_a_time_to_be_ready_for_is_enough(kind: str) -> None:
    assert told(probed(kind)) == []
    assert told(workload(kind, minReadySeconds=10)) == []
    assert told(workload(kind, minReadySeconds="{{ SECONDS }}")) == []


def test_what_has_no_pods_to_be_ready_is_not_named() -> None:
    service = "{apiVersion: v1, kind: Service, metadata: {name: web}, spec: {}}\n"
    empty = "{apiVersion: apps/v1, kind: StatefulSet, metadata: {name: web}, spec: {}}\n"
    other = "{apiVersion: example.com/v1, kind: Deployment, metadata: {name: web}, spec: {}}\n"
    assert told(workload("Job"), service, empty, other, timeout=900) == []


def test_many_are_one_sentence_with_their_number() -> None:
    (note,) = told(*(workload(name=f"w{number}") for number in range(9)))
    assert note.startswith("9 workloads")
    assert "Deployment/w4" in note
    assert "Deployment/w5" not in note


def test_a_deadline_that_is_over_before_timeout_is_told_with_both_numbers() -> None:
    texts = (
        probed(),
        probed(name="api", progressDeadlineSeconds=60),
        probed(name="own", progressDeadlineSeconds=1500),
    )
    short, usual = told(*texts, timeout=1500)
    assert "timeout is 1500 s" in short
    assert "60 s for 1 of them (the default is 600): Deployment/api" in short
    assert "600 s for 1 of them (the default is 600): Deployment/web" in usual
    assert "progress_deadline" in usual


def test_of_what_starts_jobs_nothing_counts_as_ready() -> None:
    job = {"template": {"spec": {"containers": [{"name": "main", "image": "example.com/web:1"}]}}}
    night = {"apiVersion": "batch/v1", "kind": "CronJob", "metadata": {"name": "night"}}
    assert (
        told(yaml.safe_dump({**night, "spec": {"schedule": "0 0 * * *", "jobTemplate": {"spec": job}}})) == []
    )


def test_a_deadline_that_timeout_does_not_reach_is_not_told() -> None:
    assert told(probed(), timeout=600) == []
    assert told(probed(progressDeadlineSeconds="{{ SECONDS }}"), timeout=1500) == []
    assert told(probed("StatefulSet"), timeout=1500) == []
