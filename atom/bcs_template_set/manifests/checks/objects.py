"""Checks of single objects: what has to be there, and there once. Pure: performs no I/O."""

from __future__ import annotations

from collections.abc import Container, Iterator, Mapping

from bcs_template_set.manifests.checks.finding import CheckInput, DocumentInFile, Finding, check
from bcs_template_set.manifests.fields import Fields, is_left_for_bcs, list_at, mapping_at, text_at, value_at
from bcs_template_set.manifests.kind_entry import SELECTOR
from bcs_template_set.manifests.kinds import INGRESS, SERVICE, kind_of
from bcs_template_set.manifests.parse import Document
from bcs_template_set.manifests.pod_templates import is_filled_in
from bcs_template_set.messages.spelling import NearNames


@check("missing-kind")
def check_kinds(checked: CheckInput) -> Iterator[Finding]:
    """Yield documents that are no object for BCS: without a kind (trap 7), Lists, other tools' own files."""
    for place in checked.places:
        document, tool = place.document, _tool_of(place)
        if tool:
            yield checked.finding(place, "", "foreign_file", tool=tool, line=document.line)
        elif not document.kind:
            given = _given_for("kind", document.body)
            sentence = "kind_misspelt" if given else None
            yield checked.finding(place, "kind", sentence, line=document.line, given=given)
        elif _is_list(document):
            yield checked.finding(place, "kind", "list_kind", line=document.line, kind=document.kind)


_OF_EVERY_OBJECT = NearNames(("apiVersion", "kind", "metadata"))


def _given_for(key: str, body: Fields) -> str:
    """Return how a body spells a key that every object has and it lacks, "" where it has nothing like it."""
    given = () if key in body else body
    return next((other for other in given if _OF_EVERY_OBJECT.meant_by(other) == key), "")


_TOOLS_BY_GROUP: Mapping[str, str] = {
    "kustomize.config.k8s.io": "kustomize",
    "skaffold": "Skaffold",
    "kind.x-k8s.io": "kind",
    "kubeadm.k8s.io": "kubeadm",
    "eksctl.io": "eksctl",
}
_TOOLS_BY_FILE: Mapping[str, str] = {
    **dict.fromkeys(("kustomization.yaml", "kustomization.yml", "Kustomization"), "kustomize"),
    "kustomizeconfig.yaml": "kustomize",
    **dict.fromkeys(("Chart.yaml", "values.yaml"), "Helm"),
    **dict.fromkeys(("docker-compose.yml", "docker-compose.yaml", "compose.yaml"), "Docker Compose"),
}
"""What is named so and has no kind is the tool's own file."""


def _tool_of(place: DocumentInFile) -> str:
    """Return whose own file a document is, "" for an object of Kubernetes."""
    document = place.document
    by_file = "" if document.kind else _TOOLS_BY_FILE.get(place.file.name.rpartition("/")[2], "")
    return _TOOLS_BY_GROUP.get(document.group) or by_file


def _is_list(document: Document) -> bool:
    return document.kind == "List" or (
        document.kind.endswith("List") and isinstance(document.body.get("items"), list)
    )


def is_object(place: DocumentInFile) -> bool:
    """Tell whether a document can be an object: what it lacks otherwise is not the trouble."""
    document = place.document
    return bool(document.kind) and not _is_list(document) and not _tool_of(place)


@check("required-field")
def check_required(checked: CheckInput) -> Iterator[Finding]:
    """Yield fields that every object, and each kind we know, must have; each once, and none below another."""
    found = [*_missing(checked), *_missing_in_containers(checked)]
    found += (
        checked.finding(place, problem.path, kind=place.document.kind)
        for place, problem in checked.problems
        if problem.what == "missing"
    )
    by_place = {finding.place: finding for finding in reversed(found)}
    yield from (finding for finding in by_place.values() if not _is_below(finding, by_place))


def _is_below(finding: Finding, found: Container[tuple[str, str, str]]) -> bool:
    parts = finding.field.split(".")
    above = (".".join(parts[:count]) for count in range(1, len(parts)))
    return any((finding.file, finding.document, field) in found for field in above)


def _missing(checked: CheckInput) -> Iterator[Finding]:
    for place in checked.places:
        if not is_object(place):
            continue
        for path in ("apiVersion", "metadata.name", *_required_of(place.document)):
            if _is_empty(place.document.body, path) and not _selects_otherwise(place.document.body, path):
                near = path.partition(".")[0]
                given = _given_for(near, place.document.body)
                is_generated = _is_generated(place.document, path)
                sentence = "required_misspelt" if given else "name_generated" if is_generated else None
                named = {"kind": place.document.kind, "given": given, "near": near}
                yield checked.finding(place, path, sentence, **named)
        yield from _check_entries(checked, place)


def _is_generated(document: Document, path: str) -> bool:
    return path == "metadata.name" and bool(text_at(document.body, "metadata", "generateName"))


def _selects_otherwise(body: Fields, path: str) -> bool:
    """Tell whether it is labels that are missing, of a selector that has expressions."""
    return path == SELECTOR and bool(list_at(body, "spec", "selector", "matchExpressions"))


def _missing_in_containers(checked: CheckInput) -> Iterator[Finding]:
    for workload in checked.workloads:
        if is_filled_in(workload.document):
            continue
        for container in workload.pod.containers:
            for key in ("name", "image"):
                if not text_at(container.body, key):
                    field = workload.pod.field(f"{container.place}.{key}")
                    yield checked.finding(workload, field, kind=workload.document.kind)


def _required_of(document: Document) -> tuple[str, ...]:
    kind = kind_of(document.api_version, document.kind)
    if kind is None:
        return ()
    if not kind.has_own_template(document.body):
        return ()
    path = kind.pod_template
    pods = () if path is None else (f"{path}.spec.containers".lstrip("."),)
    return (*pods, *kind.required)


def _check_entries(checked: CheckInput, place: DocumentInFile) -> Iterator[Finding]:
    """Yield the required fields that entries of lists lack: Service ports, Ingress backends."""
    kind, body = place.document.kind, place.document.body
    known = kind_of(place.document.api_version, kind)
    if known is SERVICE and text_at(body, "spec", "type") != "ExternalName":
        ports = list_at(body, "spec", "ports")
        wanted = ("port", "name") if len(ports) > 1 else ("port",)
        for index, port in enumerate(ports):
            for key in wanted:
                if mapping_at(port).get(key) in (None, ""):
                    yield checked.finding(place, f"spec.ports[{index}].{key}", kind=kind)
        if not ports and text_at(body, "spec", "clusterIP") != "None":
            yield checked.finding(place, "spec.ports", kind=kind)
    if known is INGRESS:
        for where, path in ingress_paths(body):
            if not mapping_at(path, "backend"):
                yield checked.finding(place, f"{where}.backend", kind=kind)
            if _needs_path_type(place) and not text_at(path, "pathType"):
                yield checked.finding(place, f"{where}.pathType", kind=kind)


def _needs_path_type(place: DocumentInFile) -> bool:
    return place.document.api_version == "networking.k8s.io/v1"


def ingress_paths(body: Fields) -> Iterator[tuple[str, Fields]]:
    """Yield each path of an Ingress with where it is."""
    for number, rule in enumerate(list_at(body, "spec", "rules")):
        for index, path in enumerate(list_at(rule, "http", "paths")):
            yield f"spec.rules[{number}].http.paths[{index}]", mapping_at(path)


def _is_empty(body: Fields, path: str) -> bool:
    return value_at(body, path.split(".")) in (None, "", [], {})


@check("duplicate-object")
def check_duplicates(checked: CheckInput) -> Iterator[Finding]:
    """Yield objects that the run has twice: the later one would replace the earlier.

    Whatever namespaces they name: BCS puts all of them into that of the deployment (trap 7).
    """
    seen: dict[tuple[str, str, str], DocumentInFile] = {}
    for place in checked.places:
        document = place.document
        if not document.kind or not document.name or is_left_for_bcs(document.name):
            continue
        known = kind_of(document.api_version, document.kind)
        group = document.group if known is None else known.group
        first = seen.setdefault((group, document.kind, document.name), place)
        if first is not place:
            yield checked.finding(place, "metadata.name", first=first.file.name, line=first.document.line)


@check("replace", warns=True)
def check_replaced(checked: CheckInput) -> Iterator[Finding]:
    """Yield objects that keep the others of their file from ever being deployed again."""
    for place in checked.places:
        kind = kind_of(place.document.api_version, place.document.kind)
        if kind is not None and kind.kept and len(place.file.documents) > 1:
            yield checked.finding(place, "", kind=kind.name)


@check("namespace")
def check_namespaces(checked: CheckInput) -> Iterator[Finding]:
    """Yield objects for another namespace than that of the deployment, which BCS writes over it (trap 7)."""
    for place in checked.places:
        given = place.document.namespace
        if checked.namespace and given not in ("", checked.namespace) and not is_left_for_bcs(given):
            yield checked.finding(place, "metadata.namespace", given=given, namespace=checked.namespace)
