"""What is too big for the API server, and hosts that are too long for the names that are made of them."""

from __future__ import annotations

import json
from typing import Any

import pytest
from tests.support.building import findings_of, manifest

KIB = 1024
MANY = {f"{number:04}": "" for number in range(1000)}


@pytest.mark.parametrize(
    ("kind", "parts", "wanted"),
    [
        (
            "v1 ConfigMap",
            {"metadata": {"annotations": {"n" * 10: "x" * (256 * KIB - 9)}}},
            "annotations 257 256",
        ),
        ("v1 ConfigMap", {"metadata": {"annotations": {"n" * 10: "x" * (256 * KIB - 11), "a": 7}}}, ""),
        ("v1 ConfigMap", {"metadata": {"annotations": {"a": "\u4e2d" * 90 * KIB}}}, "annotations 271 256"),
        ("v1 ConfigMap", {"data": {"a": "x" * 1024 * KIB}}, ""),
        ("v1 ConfigMap", {"data": {"a": "x" * 1024 * KIB, "b": "x"}}, "data 1025 1024"),
        ("v1 ConfigMap", {"data": {"a": "x" * 1024 * KIB}, "binaryData": {"b": "eHh4"}}, "data 1025 1024"),
        ("v1 ConfigMap", {"data": {"a": "x" * 1024 * KIB}, "binaryData": {"b": "eA=="}}, "data 1025 1024"),
        ("v1 ConfigMap", {"data": {"a": "x" * 1024 * KIB, "b": "x"}, "binaryData": MANY}, "data 1025 1024"),
        ("v1 ConfigMap", {"data": {"a": "x" * 1024 * KIB}, "stringData": {"b": "x"}}, ""),
        ("v1 Secret", {"stringData": {"a": "x" * 1024 * KIB}, "data": {"b": "eHh4"}}, "data 1025 1024"),
        ("v1 Secret", {"data": {"a": "e" * 1364 * KIB}, "binaryData": {"b": "e" * 9 * KIB}}, ""),
        ("v1 Secret", {"data": {"a": "e" * 1368 * KIB}}, "data 1026 1024"),
        ("example.com/v1 Secret", {"stringData": {"a": "x" * 1024 * KIB, "b": "x"}}, ""),
        ("v1 Service", {"data": {"a": "x" * 1024 * KIB, "b": "x"}}, ""),
        ("example.com/v1 Cafe", {"spec": {"a": ["x" * 1536 * KIB, {"b": "\u4e2d"}, 7]}}, " 1537 1536"),
        ("example.com/v1 Cafe", {"spec": {"a": "x" * (1536 * KIB - 30)}}, ""),
        (
            "v1 ConfigMap",
            {"metadata": {"annotations": {"a": "x" * 300 * KIB}}, "data": {"a": "x" * 1100 * KIB}},
            "annotations 301 256",
        ),
        ("v1 ConfigMap", {"data": {"a": "x" * 1600 * KIB}}, "data 1600 1024"),
    ],
)
def test_what_is_too_big_is_told_once_with_its_size_and_the_limit(
    kind: str, parts: dict[str, Any], wanted: str
) -> None:
    api_version, _, name = kind.partition(" ")
    metadata = {"name": "a", **parts.get("metadata", {})}
    text = json.dumps({"apiVersion": api_version, "kind": name, **parts, "metadata": metadata})
    found = [finding for finding in findings_of(manifest(text)) if finding.id == "size"]
    shown = [f"{f.field} {f.message.fields['size']} {f.message.fields['limit']}" for f in found]
    assert [line.rpartition("metadata.")[2] for line in shown] == ([wanted] if wanted else [])


OBJECT = "apiVersion: {}\nkind: {}\nmetadata: {{name: {}}}\n"
PARTS = {"Deployment": "apps/v1", "Service": "v1", "Ingress": "networking.k8s.io/v1"}


def hosts(host: str, *, kind: str, name: str, domain: bool = True) -> list[tuple[str, str, str, Any]]:
    """Return which file, document and field is told of a host's two files, and what is said."""
    text = OBJECT.format(PARTS[kind], kind, f"{name}{host}")
    files = [manifest(text, name=f"{host}.{part}", domain=host if domain else "") for part in "ab"]
    found = [finding for finding in findings_of(*files, space="space") if finding.id == "web-host"]
    return [(f.file, f.document, f.field, f.message.fields) for f in found]


@pytest.mark.parametrize(
    ("kind", "name", "most"),
    [
        ("Deployment", "", 56),
        ("Deployment", "deployment.", 52),
        ("Service", "service-web-", 51),
        ("Ingress", "ingress-of-a-long-name-", 56),
    ],
)
def test_a_host_leaves_room_for_the_names_of_its_files_and_objects(kind: str, name: str, most: int) -> None:
    for length, is_told in ((most - 1, False), (most, False), (most + 1, True), (most + 9, True)):
        host = "h" * length
        fields = {"host": host, "length": length, "most": most}
        told = hosts(host, kind=kind, name=name)
        assert told == ([(f"{host}.a", "", "", fields)] if is_told else [])
        assert hosts(host, kind=kind, name=name, domain=False) == []


def test_of_a_host_that_is_too_long_nothing_is_repeated_object_by_object() -> None:
    host = "h" * 60
    labels = f"{{k8s-app: deployment.{host}}}"
    metadata = f"{{name: {'s' * 64}, labels: {labels}}}"
    service = f"apiVersion: v1\nkind: Service\nmetadata: {metadata}\nspec: {{ports: [{{port: 1}}]}}\n"
    config = "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: A}\ndata: {'a b': c}\n"
    files = [
        manifest(text, name=f"{host}.{part}", domain=host) for part, text in zip("ab", (service, config))
    ]
    assert {finding.id for finding in findings_of(*files)} == {"web-host"}
    others = [manifest(file.text, name=file.name, domain="") for file in files]
    assert {f.id for f in findings_of(*others)} == {"file-name", "label", "object-name", "value"}
    both = findings_of(files[0], others[1])
    assert {(f.id, f.file) for f in both} == {
        ("web-host", f"{host}.a"),
        *((check, f"{host}.b") for check in ("file-name", "object-name", "value")),
    }
