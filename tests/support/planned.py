"""What the tests of plans are made of: what is rendered, what BCS holds, and the plan of both."""

from __future__ import annotations

import hashlib
from dataclasses import replace
from typing import Optional

from bcs_template_set.bcs.answers import ChartFile, ChartVersion, TemplateFile, TemplateSpace, TemplateVersion
from bcs_template_set.bcs.space.existing import Existing, ExistingFile, OtherFile, ref_of
from bcs_template_set.bcs.space.provenance import Provenance
from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.manifests.parse import parse_documents
from bcs_template_set.publish.plan import Desired, Plan, Policy, SpaceRef

OURS = Provenance(pipeline="p-1", build=7, branch="main", commit="abc", started_by="wangwu", acting_as="lisi")
TARGET = SpaceRef(region="gz", project="web", space="front-ends")
SPACE = TemplateSpace(id="5" * 24, name="front-ends")
POLICY = Policy()


def ingress(host: str, *paths: str) -> str:
    rules = "".join(
        f"          - path: {path}\n            pathType: Prefix\n"
        f"            backend: {{service: {{name: web, port: {{number: 80}}}}}}\n"
        for path in paths
    )
    return (
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata: {name: web}\n"
        f"spec:\n  rules:\n    - host: {host}\n      http:\n        paths:\n{rules}"
    )


def deployment(image: str) -> str:
    return (
        "apiVersion: apps/v1\nkind: Deployment\nmetadata: {name: web}\n"
        f"spec:\n  template:\n    spec:\n      containers:\n        - name: web\n          image: {image}\n"
    )


def rendered(name: str, text: str) -> ManifestFile:
    return ManifestFile(name=name, text=text, source="x", documents=parse_documents(text, source="x"))


def desired(*files: tuple[str, str], version: str = "1.0.7-main", template_set: str = "") -> Desired:
    target = replace(TARGET, template_set=template_set) if template_set else TARGET
    return Desired(target, version, tuple(rendered(*file) for file in files), OURS)


def version_of(
    text: str, *, name: str = "1.0.6-main", number: int = 1, origin: Optional[Provenance] = None
) -> TemplateVersion:
    by = origin or replace(OURS, build=6)
    return TemplateVersion(
        id=f"{number:024x}",
        version=name,
        content=text,
        creator="lisi",
        description=by.line(text),
        create_at=1_767_225_600 + number,
    )


def file_id(name: str) -> str:
    return hashlib.sha256(name.encode()).hexdigest()[:24]


def existing_file(name: str, current: Optional[TemplateVersion], *, mode: int = 0) -> ExistingFile:
    metadata = TemplateFile(
        id=file_id(name),
        name=f"front-ends/{name}",
        real_name=name,
        version=current.version if current else "",
        version_id=current.id if current else "",
        version_mode=mode,
    )
    history = (ref_of(current),) if current else ()
    return ExistingFile(metadata=metadata, current=current, history=history)


def existing(*files: ExistingFile, others: tuple[OtherFile, ...] = ()) -> Existing:
    return Existing(space=SPACE, files={file.metadata.real_name: file for file in files}, others=others)


def only(plan: Plan) -> tuple[str, bool, bool]:
    (change,) = plan.changes
    return change.action, change.writes_version, change.moves_pin


A, B = deployment("example.com/web:1"), deployment("example.com/web:2")


def chart(**contents: str) -> ChartVersion:
    files = {f"web/templates/{name}": ChartFile(path=name, content=text) for name, text in contents.items()}
    return ChartVersion(name="web", version="1.0.7-main", contents=files)


def service(port: int, *, name: str = "web", kind: str = "NodePort") -> str:
    return (
        f"apiVersion: v1\nkind: Service\nmetadata: {{name: {name}}}\n"
        f"spec: {{type: {kind}, ports: [{{port: 80, nodePort: {port}}}]}}\n"
    )


def two_images(first: str, second: str = "") -> str:
    more = f"        - name: other\n          image: {second}\n" if second else ""
    return deployment(first) + more
