"""Comments that say when an object is ready: which document they belong to, what they wait for."""

from __future__ import annotations

import pytest
from tests.support.objects import Object

from bcs_template_set.manifests.declared_kinds import (
    NO_DEFINITION,
    declared_kinds,
    definition_names,
    ready_comments,
)
from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.manifests.parse import parse_documents
from bcs_template_set.manifests.schema.field_types import field_types
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.rollout.watched import status_of

CAFE = "apiVersion: example.com/v1\nkind: Cafe\nmetadata: {name: web}\n"
READY = "# bcs-template-set: ready status.phase=Ready\n"


SERVICE = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n"


def file_of(text: str) -> ManifestFile:
    return ManifestFile("web.yaml", text, "web.yaml", parse_documents(text, source="web.yaml"))


def problems(text: str) -> list[tuple[int, str]]:
    return [(comment.line, comment.problem) for comment in ready_comments(file_of(text)) if comment.problem]


@pytest.mark.parametrize(
    ("text", "problem"),
    [
        (f"{READY}{CAFE}", None),
        (f"{CAFE}spec: {{}}  {READY}", None),
        ("# bcs-template-set: ready\n" + CAFE, (1, "ready_malformed")),
        ("# bcs-template-set: ready status.phase\n" + CAFE, (1, "ready_malformed")),
        ("# bcs-template-set: ready status..phase=Ready\n" + CAFE, (1, "ready_malformed")),
        ("# bcs-template-set: ready =Ready\n" + CAFE, (1, "ready_malformed")),
        (f"{CAFE}---\n{READY}", (5, "ready_nowhere")),
        (f"{READY}---\n{CAFE}", (1, "ready_nowhere")),
        (f"apiVersion: apps/v1\nkind: Deployment\n{READY}", (3, "ready_known")),
        (f"apiVersion: v1\nkind: Secret\n{READY}", (3, "ready_secret")),
        (f"apiVersion: v1\nkind: Node\n{READY}", (3, "ready_unread")),
        (f"apiVersion: web/v1\nkind: Cafe\n{READY}", (3, "ready_unread")),
        (f"apiVersion: policy/v1\nkind: PodDisruptionBudget\n{READY}", (3, "ready_unread")),
        (f"apiVersion: rbac.authorization.k8s.io/v1\nkind: Role\n{READY}", (3, "ready_unread")),
        (f"apiVersion: apps/v1\nkind: ReplicaSet\n{READY}", (3, "ready_unread")),
        (f"apiVersion: gateway.networking.k8s.io/v1\nkind: Gateway\n{READY}", None),
        (f"apiVersion: v1\nkind: Service\n{READY}", None),
    ],
)
def test_a_comment_that_cannot_be_followed_is_told_with_its_line(
    text: str, problem: tuple[int, str] | None
) -> None:
    assert problems(text) == ([problem] if problem else [])


def test_of_kubernetes_own_groups_no_definition_brings_a_kind() -> None:
    groups = {title.rpartition("/")[0] for title in field_types().kinds}
    dotted = {group for group in groups if group.endswith(".k8s.io")}
    assert len(dotted) > 20
    for group in dotted:
        assert problems(f"apiVersion: {group}/v1\nkind: Thing\n{READY}") == [(3, "ready_unread")]
        assert not problems(f"apiVersion: x.{group}/v1\nkind: Thing\n{READY}")


def test_a_comment_belongs_to_the_document_in_which_it_stands() -> None:
    text = f"{CAFE}---\n{CAFE.replace('web', 'api')}{READY}---\n{CAFE.replace('web', 'shop')}"
    assert list(declared_kinds([file_of(text)])) == [("web.yaml", "Cafe/api")]


@pytest.mark.parametrize(
    "text",
    [
        CAFE,
        "# bcs-template-set: ready\n" + CAFE,
        f"{READY}apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\n",
        f"{READY}apiVersion: v1\nkind: Secret\nmetadata: {{name: web}}\n",
    ],
)
def test_without_a_comment_that_can_be_followed_nothing_is_declared(text: str) -> None:
    assert declared_kinds([file_of(text)]) == {}


def test_the_name_of_a_declared_kinds_definition_is_a_guess() -> None:
    custom, known = (declared_kinds([file_of(READY + text)]) for text in (CAFE, SERVICE))
    assert [(kind.route, kind.is_guessed, kind.has_generation) for kind in custom.values()] == [
        ("crds/cafes.example.com", True, False)
    ]
    assert [(kind.route, kind.is_guessed) for kind in known.values()] == [("networks/services", False)]


def look(conditions: str, live: Object) -> tuple[str, str]:
    text = "".join(f"# bcs-template-set: ready {one}\n" for one in conditions.split("; ")) + CAFE
    kind = declared_kinds([file_of(text)])["web.yaml", "Cafe/web"]
    status = status_of(kind, live)
    return status.state, status.sentence.render("en_US")


CONDITIONS: list[YamlValue] = [{"type": "Synced", "status": "True"}, {"type": "Ready", "status": "False"}]
COUNTS: Object = {"replicas": 3.0, "open": True, "load": 0.5}
NODES: list[YamlValue] = [{"name": "a", "up": "no"}, {"name": "b", "up": "yes"}]
STATUS: Object = {"status": {"phase": "Ready", "conditions": CONDITIONS, "nodes": NODES, **COUNTS}}


@pytest.mark.parametrize(
    ("conditions", "live", "state", "words"),
    [
        ("status.phase=Ready", STATUS, "ready", "status.phase=Ready"),
        ("status.phase = Ready", STATUS, "ready", "status.phase=Ready"),
        ("status.phase=Open", STATUS, "progressing", "status.phase is Ready, not Open"),
        ("status.name=web", STATUS, "progressing", "status.name is -, not web"),
        ("status=Ready", STATUS, "progressing", "status is -, not Ready"),
        ("status.phase=Ready", {}, "progressing", "status.phase is -, not Ready"),
        ("data.done=yes", {"data": {"done": "yes"}}, "ready", "data.done=yes"),
        ("status.replicas=3", STATUS, "ready", "status.replicas=3"),
        ("status.load=0.5", STATUS, "ready", "status.load=0.5"),
        ("status.open=true", STATUS, "ready", "status.open=true"),
        ("status.open=false", STATUS, "progressing", "status.open is true, not false"),
        ("status.conditions.Synced.status=True", STATUS, "ready", "status.conditions.Synced.status=True"),
        ("status.conditions.1.status=True", STATUS, "progressing", "is False, not True"),
        ("status.conditions.2.status=True", STATUS, "progressing", "is -, not True"),
        ("status.nodes.b.up=yes", STATUS, "ready", "status.nodes.b.up=yes"),
        ("status.phase=Ready; status.replicas=4", STATUS, "progressing", "status.replicas is 3, not 4"),
        ("status.phase=Ready; status.replicas=3", STATUS, "ready", "status.phase=Ready, status.replicas=3"),
    ],
)
def test_an_object_is_ready_when_its_fields_have_these_values(
    conditions: str, live: Object, state: str, words: str
) -> None:
    found, sentence = look(conditions, live)
    assert (found, words in sentence) == (state, True), sentence


@pytest.mark.parametrize(
    ("observed", "state"),
    [({"observedGeneration": 1}, "progressing"), ({"observedGeneration": 2}, "ready"), ({}, "ready")],
)
def test_a_status_of_the_spec_before_is_not_believed(observed: Object, state: str) -> None:
    live: Object = {"metadata": {"generation": 2}, "status": {"phase": "Ready", **observed}}
    assert look("status.phase=Ready", live)[0] == state


def test_it_is_as_far_as_its_conditions_are_true() -> None:
    text = "".join(f"# bcs-template-set: ready status.{one}\n" for one in ("a=1", "b=2", "c=3")) + CAFE
    status = status_of(declared_kinds([file_of(text)])["web.yaml", "Cafe/web"], {"status": {"a": 1, "b": 2}})
    assert (status.done, status.wanted) == (2, 3)


@pytest.mark.parametrize(
    ("kind", "plurals"),
    [
        ("Cafe", ["cafes", "cafe"]),
        ("Gateway", ["gateways", "gatewaies", "gateway"]),
        ("Policy", ["policies", "policy"]),
        ("Ingress", ["ingresses", "ingress"]),
        ("Prefix", ["prefixes", "prefixs", "prefix"]),
    ],
)
def test_a_definition_is_called_by_a_plural_of_its_kind(kind: str, plurals: list[str]) -> None:
    assert definition_names("example.com", kind) == tuple(f"{plural}.example.com" for plural in plurals)


def test_a_definition_that_is_not_there_is_told_from_an_object_that_is_not() -> None:
    name = definition_names("example.com", "Cafe")[0]
    assert NO_DEFINITION in f'customresourcedefinitions.apiextensions.k8s.io "{name}" not found'
    assert NO_DEFINITION not in f'{name} "web" not found'
