"""Template versions into documents, as BCS renders them before a deploy. Performs no I/O.

pkg/action/template/{template,helper}.go: variables, Helm, splitting, annotations, namespace, in that order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from tests.emulator.cluster.tree import Manifest, branch, find, grow, text
from tests.emulator.cluster_resources import Call, panic
from tests.emulator.go_yaml import Unreadable, read_mapping
from tests.emulator.helm_template import refuse_template
from tests.emulator.template_rules import find_entity, refuse_foreign

_VARIABLE = re.compile(r"{{\s*([^}]*)\s*}}")
_SEPARATOR = re.compile(r"(?:^|\s*\n)---\s*")
_NOT_IN_ANNOTATION = re.compile(r"[^A-Za-z0-9\-_.]")
_WITHOUT_NAMESPACE = {"PersistentVolume", "StorageClass", "ClusterRole", "ClusterRoleBinding"}
_ANNOTATION = "io.tencent.paas."


class RenderingFailed(Exception):
    """Helm rendering or YAML parsing failed; `helm` tells which."""

    def __init__(self, message: str, *, helm: bool = False) -> None:
        super().__init__(message)
        self.helm = helm


@dataclass(frozen=True)
class Template:
    """A template version on its way into the cluster."""

    space: str
    name: str
    version: str
    content: str
    is_helm: bool


def read_templates(call: Call) -> list[Template]:
    found = []
    for wanted in call.message.texts("templateVersions"):
        version = find_entity(call.state.versions, wanted)
        refuse_foreign(call, version.project)
        found.append(
            Template(
                space=version.space,
                name=version.file,
                version=version.version,
                content=version.content,
                is_helm=version.render_mode == "Helm",
            )
        )
    return found


def names_in(template: Template) -> list[str]:
    """Return the names between double braces, each once."""
    names = [match.group(1) for match in _VARIABLE.finditer(template.content) if match.group(1)]
    found = (name.strip() for name in names if not template.is_helm or name.startswith(".Values."))
    return list(dict.fromkeys(found))


def render(call: Call, templates: list[Template]) -> list[Manifest]:
    """Return all documents in order, annotated and with their namespace. Raises RenderingFailed."""
    variables = call.message.mapping("variables")
    values = _helm_values(call.message.text("values"))
    manifests = []
    for template in templates:
        replaced = replace(template, content=_replace_variables(template.content, variables))
        if template.is_helm:
            _check_helm(replaced, values=values)
        for document in _documents(replaced.content):
            if call.state.dialect.panics_on_types:
                _panic_on_types(document)
            _annotate(document, template, user=call.user)
            _set_namespace(document, call.message.text("namespace"))
            manifests.append(document)
    return manifests


def _replace_variables(content: str, variables: Mapping[str, str]) -> str:
    """Replace every `{{ name }}`; an unknown name becomes nothing, silently (facts/bcs.md trap 2)."""
    return _VARIABLE.sub(lambda match: variables.get(match.group(0)[2:-2].strip(), ""), content)


def _helm_values(given: str) -> Mapping[str, object]:
    """Return the values; BCS parses them even where no template is in Helm mode."""
    try:
        return read_mapping(given)
    except Unreadable as exc:
        raise RenderingFailed(str(exc), helm=True) from exc


def _check_helm(template: Template, *, values: Mapping[str, object]) -> None:
    path = f"{template.space}/{template.name}"
    reason = refuse_template(path, template.content, values=values)
    if reason is not None:
        raise RenderingFailed(reason, helm=True)


def _documents(content: str) -> list[Manifest]:
    """Return the documents. BCS splits by lines, whatever they stand in, and reads of a part the first."""
    parts = [part.strip() for part in _SEPARATOR.split(content.strip()) if part]
    try:
        return [read_mapping(part) for part in parts]
    except Unreadable as exc:
        raise RenderingFailed(str(exc)) from exc


def _panic_on_types(manifest: Manifest) -> None:
    """Panic where a name is no text: until alpha.40 `mapx.GetStr` takes its word for it (trap 16)."""
    for path in (("kind",), ("metadata", "namespace"), ("apiVersion",), ("metadata", "name")):
        value = find(manifest, *path)
        if not isinstance(value, str) and path[-1] in branch(manifest, *path[:-1]):
            raise panic(f"interface conversion: interface {{}} is {_go_type(value)}, not string")


def _go_type(value: object) -> str:
    names = {type(None): "nil", bool: "bool", int: "int", float: "float64", list: "[]interface {}"}
    return names.get(type(value), "map[string]interface {}")


def _annotate(manifest: Manifest, template: Template, *, user: str) -> None:
    """Say where the object comes from; a document without metadata is left alone."""
    if not isinstance(manifest.get("metadata"), dict):
        return
    annotations = grow(manifest, "metadata", "annotations")
    name = _NOT_IN_ANNOTATION.sub("_", user)
    annotations[_ANNOTATION + "creator"] = text(annotations, _ANNOTATION + "creator") or name
    annotations[_ANNOTATION + "updator"] = name
    annotations[_ANNOTATION + "source_type"] = "template"
    annotations[_ANNOTATION + "template_name"] = f"{template.space}/{template.name}"
    annotations[_ANNOTATION + "template_version"] = template.version


def _set_namespace(manifest: Manifest, namespace: str) -> None:
    metadata = manifest.get("metadata")
    needed = text(manifest, "kind") not in _WITHOUT_NAMESPACE
    if isinstance(metadata, dict) and (needed or text(metadata, "namespace")):
        metadata["namespace"] = namespace
