"""Kinds that no table waits for, as comments of a manifest tell when their objects are ready. Pure.

`# bcs-template-set: ready status.phase=Ready`, in the document of the object: a deployment then waits until
the field has that value. BCS serves custom objects by the plural of their kind, which no manifest names: it
is guessed (`definition_names`).
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import NamedTuple, Optional

from bcs_template_set.manifests.fields import Fields, is_left_for_bcs, mapping_at
from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.kind_rules import Counts, Look, RolloutRule
from bcs_template_set.manifests.kinds import REPLICA_SET, kind_of
from bcs_template_set.manifests.live_fields import is_observed, scalar_text
from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.manifests.parse import Document
from bcs_template_set.manifests.step_comments import Condition, comments_in, condition_in, document_at
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.messages import say

_GROUPS_OF_KUBERNETES = frozenset(
    {
        *("admissionregistration.k8s.io", "apiextensions.k8s.io", "apiregistration.k8s.io"),
        *("auditregistration.k8s.io", "authentication.k8s.io", "authorization.k8s.io"),
        *("certificates.k8s.io", "coordination.k8s.io", "discovery.k8s.io", "events.k8s.io"),
        *("flowcontrol.apiserver.k8s.io", "internal.apiserver.k8s.io", "lifecycle.k8s.io"),
        *("networking.k8s.io", "node.k8s.io", "rbac.authorization.k8s.io", "resource.k8s.io"),
        *("scheduling.k8s.io", "settings.k8s.io", "storage.k8s.io", "storagemigration.k8s.io"),
    }
)
"""Groups with a dot whose kinds no definition brings."""

Declared = Mapping[tuple[str, str], Kind]
"""The kinds that comments declare, by the name of the file and `Kind/name` of the object."""

NO_DEFINITION = "customresourcedefinitions.apiextensions.k8s.io"
"""What BCS's "not found" speaks of where it is the definition that is not there (facts/workloads.md)."""


class ReadyComment(NamedTuple):
    """A `ready` comment: its line, the document it stands in, and why it can't be followed, "" where it can.

    `problem` is the name of a sentence.
    """

    line: int
    problem: str
    document: Optional[Document] = None
    condition: Optional[Condition] = None
    kind: Optional[Kind] = None


def ready_comments(file: ManifestFile) -> Iterator[ReadyComment]:
    """Yield the `ready` comments of a file."""
    for comment in comments_in(file.text):
        if comment.word != "ready":
            continue
        document = document_at(comment.line, text=file.text, documents=file.documents)
        condition = condition_in(comment)
        problem = "" if condition is not None else "ready_malformed"
        problem = problem or ("ready_nowhere" if document is None else _problem_of(document))
        kind = None if problem or document is None else _readable(document)
        yield ReadyComment(comment.line, problem, document, condition, kind)


def _problem_of(document: Document) -> str:
    kind = kind_of(document.api_version, document.kind)
    if document.kind == "Secret":
        return "ready_secret"
    if kind is not None and kind.rule is not None:
        return "ready_known"
    return "" if _readable(document) is not None else "ready_unread"


def declared_kinds(files: Iterable[ManifestFile]) -> Declared:
    """Return the kinds of the objects whose comments say when they are ready; all of several must hold."""
    declared: dict[tuple[str, str], Kind] = {}
    for file in files:
        conditions: dict[str, list[Condition]] = {}
        for comment in ready_comments(file):
            document, condition, kind = comment.document, comment.condition, comment.kind
            if document is None or condition is None or kind is None:
                continue
            own = conditions.setdefault(document.title, [])
            own.append(condition)
            declared[file.name, document.title] = _declared(kind, own)
    return declared


def _readable(document: Document) -> Optional[Kind]:
    """Return the kind of an object as BCS serves it, None where it serves none."""
    known = kind_of(document.api_version, document.kind)
    if known is not None:
        return known if known.route and known is not REPLICA_SET else None  # of which the list alone is known
    group = document.group
    if is_left_for_bcs(document.api_version) or "." not in group or group in _GROUPS_OF_KUBERNETES:
        return None
    names = definition_names(group, document.kind)
    return Kind(group, document.kind, route=f"crds/{names[0]}", is_guessed=True)


def definition_names(group: str, kind: str) -> tuple[str, ...]:
    """Return what the definition of a custom kind may be called, `<plural>.<group>`, likeliest first.

    As English has it, as Kubernetes guesses (apimachinery, UnsafeGuessKindToResource), and as it is.
    """
    name = kind.lower()
    plurals = (_english(name), _guessed(name), name)
    return tuple(dict.fromkeys(f"{plural}.{group}" for plural in plurals))


def _english(name: str) -> str:
    if name.endswith(("s", "x", "z", "ch", "sh")):
        return f"{name}es"
    if name.endswith("y") and name[-2:-1] not in tuple("aeiou"):
        return f"{name[:-1]}ies"
    return f"{name}s"


def _guessed(name: str) -> str:
    if name.endswith("s"):
        return f"{name}es"
    return f"{name[:-1]}ies" if name.endswith("y") else f"{name}s"


# --- the rule -------------------------------------------------------------------------------------------


def _declared(kind: Kind, conditions: Sequence[Condition]) -> Kind:
    held = tuple(conditions)

    def counts(live: Fields) -> Counts:
        done = sum(_value_at(live, condition.field) == condition.value for condition in held)
        return Counts(wanted=len(held), total=done, updated=done, well=done)

    def look(live: Fields, _: Counts) -> Look:
        if "observedGeneration" in mapping_at(live, "status") and not is_observed(live):
            return "progressing", say("rollout.observing")
        for condition in held:
            found = _value_at(live, condition.field)
            if found != condition.value:
                fields = {"field": condition.field, "value": condition.value}
                return "progressing", say("rollout.not_as_declared", found=found or "-", **fields)
        return "ready", say("rollout.as_declared", conditions=[f"{c.field}={c.value}" for c in held])

    rule = RolloutRule(counts, look, needs_status=False)
    return kind._replace(rule=rule, pod_template=None, done_in_list=(), has_generation=False)


def _value_at(live: Fields, path: str) -> str:
    """Return what a field holds as a manifest would write it, "" where it is not there or no scalar."""
    value: YamlValue | Fields = live
    for name in path.split("."):
        value = _below(value, name)
    return scalar_text(value)


def _below(value: YamlValue | Fields, name: str) -> YamlValue:
    """Return a field's value, of a list the item of this `type` or `name`, or in this place from 0."""
    if not isinstance(value, list):
        return mapping_at(value).get(name)
    for item in value:
        if name in (mapping_at(item).get("type"), mapping_at(item).get("name")):
            return item
    return value[int(name)] if name.isdecimal() and int(name) < len(value) else None
