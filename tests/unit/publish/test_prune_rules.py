"""A mark is no proof: what a single read, a version and other folders say against deleting an object."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import Optional

import pytest
from tests.support.planned import OURS, deployment, service, version_of

from bcs_template_set.bcs.answers import TemplateVersion
from bcs_template_set.bcs.marks import TEMPLATE_NAME, TEMPLATE_VERSION, Mark
from bcs_template_set.bcs.space.live_objects import LiveRow
from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.kinds import (
    CONFIG_MAP,
    CRON_JOB,
    DEPLOYMENT,
    JOB,
    PERSISTENT_VOLUME_CLAIM,
    SECRET,
    SERVICE,
    STATEFUL_SET,
)
from bcs_template_set.manifests.parse import parse_documents
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.publish.prune_rules import Claim, Proof, why_it_stays

MARK = Mark("front-ends/old.yaml", "1.0.6-main")
TEXT = deployment("example.com/web:1")


def row(kind: Kind = DEPLOYMENT, name: str = "web") -> LiveRow:
    return LiveRow(kind, name, "prod", "uid-1", MARK, {})


def whole(
    *, mark: Mark = MARK, spec: Optional[Mapping[str, YamlValue]] = None, **metadata: YamlValue
) -> dict[str, YamlValue]:
    marks: dict[str, YamlValue] = {TEMPLATE_NAME: mark.file, TEMPLATE_VERSION: mark.version}
    return {
        "metadata": {"name": "web", "uid": "uid-1", "annotations": marks, **metadata},
        "spec": dict(spec or {}),
    }


def of(kind: Kind, name: str = "web") -> TemplateVersion:
    version = {"Job": "batch/v1"}.get(kind.name, "v1")
    return version_of(f"apiVersion: {version}\nkind: {kind.name}\nmetadata: {{name: {name}}}\n")


def claim(space: str, text: Optional[str]) -> Claim:
    return Claim(space, None if text is None else parse_documents(text, source="x"))


OWNER: YamlValue = [{"kind": "Rollout", "name": "web"}]
OF_OTHERS = version_of(TEXT, origin=replace(OURS, branch="login"))
OPEN = TEXT.replace("name: web}", "name: 'w-{{ X }}'}")
OPEN_KIND = "apiVersion: v1\nkind: '{{ KIND }}'\nmetadata: {name: web}\n"
NIGHT = version_of("apiVersion: batch/v1\nkind: CronJob\nmetadata: {name: web}\n")
SET = version_of(TEXT.replace("Deployment", "StatefulSet"))
RETENTION = "persistentVolumeClaimRetentionPolicy"
KEEPS: dict[str, YamlValue] = {"serviceName": "web"}
BY_HAND = version_of(TEXT).replaced(description="by hand")


@pytest.mark.parametrize(
    ("kind", "proof", "reason"),
    [
        (DEPLOYMENT, Proof(whole(), version_of(TEXT)), ""),
        (DEPLOYMENT, Proof(None, version_of(TEXT)), "prune.gone"),
        (DEPLOYMENT, Proof(whole(uid="uid-2"), version_of(TEXT)), "prune.made_again"),
        (DEPLOYMENT, Proof(whole(ownerReferences=OWNER), version_of(TEXT)), "prune.owned"),
        (DEPLOYMENT, Proof(whole(deletionTimestamp="2026"), version_of(TEXT)), "prune.going"),
        (
            DEPLOYMENT,
            Proof(whole(deletionTimestamp="2026", finalizers=["x/y"]), version_of(TEXT)),
            "prune.waits",
        ),
        (DEPLOYMENT, Proof(whole(mark=Mark(MARK.file, "1.0.7")), version_of(TEXT)), "prune.made_again"),
        (DEPLOYMENT, Proof(whole(), None), "prune.not_ours"),
        (DEPLOYMENT, Proof(whole(), OF_OTHERS), "prune.not_ours"),
        (DEPLOYMENT, Proof(whole(), BY_HAND), "prune.not_ours"),
        (DEPLOYMENT, Proof(whole(), version_of(TEXT).replaced(content=TEXT + "# edited")), "prune.not_ours"),
        # A copy of it under another name, and another kind of its name.
        (DEPLOYMENT, Proof(whole(), version_of(TEXT.replace("web}", "copy}"))), "prune.not_in_version"),
        (DEPLOYMENT, Proof(whole(), version_of(service(0))), "prune.not_in_version"),
        (
            DEPLOYMENT,
            Proof(whole(), version_of(TEXT.replace("apps/v1", "example.com/v1"))),
            "prune.not_in_version",
        ),
        (DEPLOYMENT, Proof(whole(), version_of(TEXT.replace("apps/v1", "extensions/v1beta1"))), ""),
        (DEPLOYMENT, Proof(whole(), version_of("a: [")), "prune.not_in_version"),
        (DEPLOYMENT, Proof(whole(), version_of(TEXT), (claim("b", TEXT),)), "prune.claimed"),
        (DEPLOYMENT, Proof(whole(), version_of(TEXT), (claim("b", None),)), "prune.claimed"),
        (DEPLOYMENT, Proof(whole(), version_of(TEXT), (claim("b", service(0)),)), ""),
        # What only BCS can name may be it.
        (DEPLOYMENT, Proof(whole(), version_of(TEXT), (claim("b", OPEN),)), "prune.claimed"),
        (SERVICE, Proof(whole(), of(SERVICE), (claim("b", OPEN),)), ""),
        (SERVICE, Proof(whole(), of(SERVICE), (claim("b", OPEN_KIND),)), "prune.claimed"),
        (PERSISTENT_VOLUME_CLAIM, Proof(whole(), of(PERSISTENT_VOLUME_CLAIM)), "prune.kept"),
        (SECRET, Proof(whole(), of(SECRET)), "prune.kept"),
        (SERVICE, Proof(whole(spec={"type": "LoadBalancer"}), of(SERVICE)), "prune.load_balancer"),
        (SERVICE, Proof(whole(spec={"type": "NodePort"}), of(SERVICE)), ""),
        (JOB, Proof(whole(), of(JOB)), "prune.job_runs"),
        (CRON_JOB, Proof({**whole(), "status": {"active": [{"name": "night-1"}]}}, NIGHT), "prune.job_runs"),
        (CRON_JOB, Proof(whole(), NIGHT), ""),
        (STATEFUL_SET, Proof(whole(spec={**KEEPS, RETENTION: {"whenDeleted": "Delete"}}), SET), "prune.kept"),
        (STATEFUL_SET, Proof(whole(spec={**KEEPS, RETENTION: {"whenDeleted": "Retain"}}), SET), ""),
        (CONFIG_MAP, Proof(whole(), of(CONFIG_MAP)), ""),
    ],
)
def test_an_object_goes_only_where_nothing_speaks_against_it(kind: Kind, proof: Proof, reason: str) -> None:
    why = why_it_stays(row(kind), proof, ours=OURS)
    assert (why.key if why is not None else "") == reason
    held = {"prune.kept", "prune.load_balancer", "prune.job_runs"}
    also = {CRON_JOB: JOB, STATEFUL_SET: PERSISTENT_VOLUME_CLAIM}.get(kind, kind)
    named = why_it_stays(row(kind), proof, ours=OURS, also={also.name})
    assert (named is None) == (reason == "" or reason in held), "prune_also lets a kind go, and nothing else"


@pytest.mark.parametrize("how", ["Complete", "Failed"])
def test_a_job_that_has_ended_goes(how: str) -> None:
    conditions: YamlValue = [{"type": how, "status": "True"}]
    ended: dict[str, YamlValue] = {**whole(), "status": {"conditions": conditions}}
    assert why_it_stays(row(JOB), Proof(ended, of(JOB)), ours=OURS) is None


def test_at_a_desk_any_pipelines_version_is_proof_and_a_persons_is_none() -> None:
    assert why_it_stays(row(), Proof(whole(), OF_OTHERS), ours=None) is None
    why = why_it_stays(row(), Proof(whole(), BY_HAND), ours=None)
    assert (why and why.key) == "prune.of_no_build"
