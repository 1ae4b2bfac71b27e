"""`make schema`: what becomes of published schemas, shown on small ones."""

from __future__ import annotations

import io
import json
import tarfile
from collections.abc import Mapping
from pathlib import Path

import msgspec
from release.kubernetes_schema import CustomKinds, Definition, compact, read_published
from tests.packaging.store_files import PROJECT

META = "io.k8s.apimachinery.pkg.apis.meta.v1.ObjectMeta"
LONGEST = 400_000


def definitions(*fields: str, spec: Mapping[str, object], **more: object) -> dict[str, object]:
    """Return the types of one Kubernetes: a Web of apps/v1 whose spec has these fields."""
    properties = {"metadata": {"$ref": f"#/definitions/{META}"}, "spec": {"$ref": "#/definitions/a.WebSpec"}}
    return {
        META: {"properties": {"name": {"type": "string"}}},
        "a.Web": {
            "properties": {**properties, "status": {"$ref": "#/definitions/a.WebStatus"}},
            "x-kubernetes-group-version-kind": [{"group": "apps", "version": "v1", "kind": "Web"}],
        },
        "a.WebSpec": {"properties": spec, "required": list(fields)},
        "a.WebStatus": {"properties": {"secret": {"type": "string"}}},
        "io.k8s.apimachinery.pkg.util.intstr.IntOrString": {"format": "int-or-string", "type": "string"},
        "io.k8s.apimachinery.pkg.apis.meta.v1.Time": {"type": "string"},
        **more,
    }


def compacted(types: Mapping[int, Mapping[str, object]], custom: CustomKinds) -> Mapping[str, object]:
    published = {version: msgspec.convert(found, dict[str, Definition]) for version, found in types.items()}
    return compact(published, custom)


def test_fields_become_their_types_with_the_versions_that_have_them() -> None:
    old = {
        "replicas": {"type": ["integer", "null"]},
        "gone": {"type": "string"},
        "port": {"$ref": "#/definitions/io.k8s.apimachinery.pkg.util.intstr.IntOrString"},
        "at": {"$ref": "#/definitions/io.k8s.apimachinery.pkg.apis.meta.v1.Time"},
    }
    new = {
        **{name: field for name, field in old.items() if name != "gone"},
        "labels": {"type": "object", "additionalProperties": {"type": "string"}},
        "more": {"type": "array", "items": {"type": "array", "items": {"$ref": "#/$defs/a.WebSpec"}}},
        "any": {"type": "object"},
    }
    data = compacted(
        {20: definitions("replicas", spec=old), 21: definitions("replicas", spec=new)},
        CustomKinds({"G": {"spec": "!@WebSpec", "*": "j"}}, {"x.org/v1 G": "G"}),
    )
    types = data["types"]
    assert isinstance(types, list)
    kinds = data["kinds"]
    assert isinstance(kinds, dict)
    web = types[kinds["apps/v1 Web"][0]]
    spec = int(web["spec"])
    assert types[spec] == {
        "replicas": "!i",
        "gone": "s-20",
        "port": "x",
        "at": "s",
        "labels": "{s+21",
        "more": f"[[{spec}+21",
        "any": "j+21",
    }
    assert web["status"] == "j"
    assert types[kinds["x.org/v1 G"][0]] == {"spec": f"!{spec}", "*": "j"}
    assert not [fields for fields in types if "secret" in fields]


def test_kinds_have_the_versions_that_serve_them_and_older_ones_no_fields() -> None:
    named = [{"group": "extensions", "version": "v1beta1", "kind": "Deployment"}]
    metadata = {"metadata": {"$ref": f"#/definitions/{META}"}}
    gone = {"properties": {**metadata, "old": {"type": "string"}}, "x-kubernetes-group-version-kind": named}
    data = compacted(
        {17: definitions(spec={}, gone=gone), 20: definitions(spec={}), 21: definitions(spec={})},
        CustomKinds({}, {}),
    )
    assert data["kinds"] == {"apps/v1 Web": [0, 0, 0], "extensions/v1beta1 Deployment": [-1, 0, 15]}
    assert data["versions"] == [20, 21]


def test_archives_are_read_for_every_kubernetes_that_they_carry(tmp_path: Path) -> None:
    archive = tmp_path / "schemas.tar.gz"
    with tarfile.open(archive, "w:gz") as made:
        for folder, key in (
            ("v1.24.0-local", "definitions"),
            ("v1.25.0-local", "$defs"),
            ("v1.25.0-local-strict", "x"),
        ):
            content = json.dumps({key: definitions(spec={})}).encode()
            info = tarfile.TarInfo(f"kubernetes/schema/{folder}/_definitions.json")
            info.size = len(content)
            made.addfile(info, io.BytesIO(content))
        made.addfile(tarfile.TarInfo("kubernetes/schema/v1.24.0-local/pod-v1.json"))
    found = read_published([archive])
    assert sorted(found) == [24, 25]
    assert all("a.Web" in types for types in found.values())


def test_the_data_in_the_wheel_is_small() -> None:
    path = PROJECT / "atom" / "bcs_template_set" / "manifests" / "schema" / "kubernetes.json"
    assert path.stat().st_size <= LONGEST
