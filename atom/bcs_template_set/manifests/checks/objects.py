"""Checks of single objects: what has to be there, and what has to fit within one. Pure: performs no I/O."""

from __future__ import annotations

from collections.abc import Iterator

from bcs_template_set.manifests.checks.finding import CheckInput, DocumentInFile, Finding, PodOwner, finding
from bcs_template_set.manifests.fields import Fields, is_left_for_bcs, list_at, mapping_at, text_at
from bcs_template_set.manifests.kinds import kind_of
from bcs_template_set.manifests.parse import Document
from bcs_template_set.manifests.pod_templates import Container, containers_of
from bcs_template_set.manifests.yaml_reading import YamlValue


def check_kinds(run: CheckInput) -> Iterator[Finding]:
    """Yield documents without a kind, which BCS skips without a word (trap 7), and Lists."""
    for place in run.places:
        if not place.document.kind:
            yield finding("missing-kind", place, "kind", line=place.document.line)
        elif place.document.kind == "List":
            yield finding("missing-kind", place, "kind", "list_kind", line=place.document.line)


def check_required(run: CheckInput) -> Iterator[Finding]:
    """Yield fields that every object, and each kind we know, must have."""
    for place in run.places:
        if not place.document.kind or place.document.kind == "List":
            continue
        for path in ("apiVersion", "metadata.name", *_required_of(place.document)):
            if _is_empty(place.document.body, path):
                yield finding("required-field", place, path, kind=place.document.kind)
        yield from _check_entries(place)
    for workload in run.workloads:
        for container in containers_of(workload.pod):
            for key in ("name", "image"):
                if not text_at(container.body, key):
                    field = workload.pod.field(f"{container.place}.{key}")
                    yield finding("required-field", workload, field, kind=workload.document.kind)


def _required_of(document: Document) -> tuple[str, ...]:
    kind = kind_of(document.api_version, document.kind)
    if kind is None:
        return ()
    path = kind.pod_template
    pods = () if path is None else (f"{path}.spec.containers".lstrip("."),)
    return (*pods, *kind.required)


def _check_entries(place: DocumentInFile) -> Iterator[Finding]:
    """Yield the required fields that entries of lists lack: Service ports, Ingress backends."""
    kind, body = place.document.kind, place.document.body
    if kind == "Service" and text_at(body, "spec", "type") != "ExternalName":
        ports = list_at(body, "spec", "ports")
        wanted = ("port", "name") if len(ports) > 1 else ("port",)
        for index, port in enumerate(ports):
            for key in wanted:
                if mapping_at(port).get(key) in (None, ""):
                    yield finding("required-field", place, f"spec.ports[{index}].{key}", kind=kind)
        if not ports and text_at(body, "spec", "clusterIP") != "None":
            yield finding("required-field", place, "spec.ports", kind=kind)
    if kind == "Ingress":
        for where, path in ingress_paths(body):
            if not mapping_at(path, "backend"):
                yield finding("required-field", place, f"{where}.backend", kind=kind)
            if _needs_path_type(place) and not text_at(path, "pathType"):
                yield finding("required-field", place, f"{where}.pathType", kind=kind)


def _needs_path_type(place: DocumentInFile) -> bool:
    return place.document.api_version == "networking.k8s.io/v1"


def ingress_paths(body: Fields) -> Iterator[tuple[str, Fields]]:
    """Yield each path of an Ingress with where it is."""
    for number, rule in enumerate(list_at(body, "spec", "rules")):
        for index, path in enumerate(list_at(mapping_at(rule), "http", "paths")):
            yield f"spec.rules[{number}].http.paths[{index}]", mapping_at(path)


def _is_empty(body: Fields, path: str) -> bool:
    value: YamlValue | Fields = body
    for key in path.split("."):
        value = mapping_at(value).get(key)
    return value is None or value in ("", [], {})


def check_duplicates(run: CheckInput) -> Iterator[Finding]:
    """Yield objects that the run has twice: the later one would replace the earlier."""
    seen: dict[tuple[str, str, str], DocumentInFile] = {}
    for place in run.places:
        document = place.document
        if not document.kind or not document.name or is_left_for_bcs(document.name):
            continue
        first = seen.setdefault((document.kind, document.namespace, document.name), place)
        if first is not place:
            yield finding("duplicate-object", place, "metadata.name", first=first.file.name)


def check_env(run: CheckInput) -> Iterator[Finding]:
    """Yield environment variables whose value is no text: `PORT: 80` without quotes."""
    for workload in run.workloads:
        for container in containers_of(workload.pod):
            for index, entry in enumerate(list_at(container.body, "env")):
                value = mapping_at(entry).get("value")
                if value is not None and not isinstance(value, str):
                    field = workload.pod.field(f"{container.place}.env[{index}].value")
                    name = text_at(mapping_at(entry), "name")
                    yield finding("env-value", workload, field, name=name, given=_shown(value))


def _shown(value: YamlValue) -> str:
    return str(value).lower() if isinstance(value, bool) else str(value)[:60]


def check_mounts(run: CheckInput) -> Iterator[Finding]:
    """Yield mounts of volumes that the pod does not have, and places that two volumes are mounted to."""
    for workload in run.workloads:
        volumes = _volume_names(workload)
        for container in containers_of(workload.pod):
            yield from _check_container_mounts(workload, container, volumes)


def _volume_names(workload: PodOwner) -> frozenset[str]:
    own = {text_at(mapping_at(volume), "name") for volume in list_at(workload.pod.spec, "volumes")}
    claims = list_at(workload.document.body, "spec", "volumeClaimTemplates")
    return frozenset(own | {text_at(mapping_at(claim), "metadata", "name") for claim in claims})


def _check_container_mounts(
    workload: PodOwner, container: Container, volumes: frozenset[str]
) -> Iterator[Finding]:
    taken: set[str] = set()
    for index, mount in enumerate(list_at(container.body, "volumeMounts")):
        name, path = text_at(mapping_at(mount), "name"), text_at(mapping_at(mount), "mountPath")
        field = workload.pod.field(f"{container.place}.volumeMounts[{index}]")
        if name and name not in volumes and not is_left_for_bcs(name):
            yield finding("volume-mount", workload, f"{field}.name", "mount_unknown", name=name)
        if path and path in taken:
            yield finding("volume-mount", workload, f"{field}.mountPath", "mount_twice", name=path)
        taken.add(path)
