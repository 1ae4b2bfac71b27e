"""The pods that an object makes, wherever its kind keeps their template. Pure: performs no I/O."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from functools import cached_property
from typing import NamedTuple, Optional

from bcs_template_set.manifests.fields import Fields, is_left_for_bcs, list_at, mapping_at, text_at
from bcs_template_set.manifests.kinds import kind_of
from bcs_template_set.manifests.parse import Document, document_of
from bcs_template_set.records.late_dataclass import dataclass

CONTAINER_LISTS = ("containers", "initContainers")


class Container(NamedTuple):
    """A container of a pod; `place` is such as `spec.containers[0]`, within the pod."""

    body: Fields
    place: str
    image: str
    """"" where there is none."""


@dataclass(frozen=True)
class PodTemplate:
    """A pod's metadata and spec; `path` is where in the object they are, such as `spec.template`."""

    labels: Fields
    annotations: Fields
    spec: Fields
    path: str

    @cached_property
    def containers(self) -> Sequence[Container]:
        """Return the containers, the init containers last."""
        return tuple(
            Container(body, f"spec.{key}[{index}]", text_at(body, "image"))
            for key in CONTAINER_LISTS
            for index, body in enumerate(list_at(self.spec, key))
            if isinstance(body, dict)
        )

    def field(self, rest: str) -> str:
        """Return the full path of one of the pod's fields."""
        return f"{self.path}.{rest}" if self.path else rest


def objects_of(documents: Sequence[Document]) -> Iterator[Document]:
    """Yield every object, those inside a List too."""
    for document in documents:
        if document.kind.endswith("List") and isinstance(document.body.get("items"), list):
            for item in list_at(document.body, "items"):
                if isinstance(item, dict):
                    yield document_of(item, line=document.line)
        else:
            yield document


def pod_of(document: Document) -> Optional[PodTemplate]:
    """Return the pod template of a workload, None for other kinds and where there is none.

    A kind that is not known makes pods if it has containers where Kubernetes' own kinds have theirs.
    """
    kind = kind_of(document.api_version, document.kind)
    path = "spec.template" if kind is None else kind.pod_template
    if path is None:
        return None
    value: Fields = mapping_at(document.body, *path.split(".")) if path else document.body
    if not value or (kind is None and not list_at(value, "spec", "containers")):
        return None
    labels, annotations = (mapping_at(value, "metadata", key) for key in ("labels", "annotations"))
    return PodTemplate(labels, annotations, spec=mapping_at(value, "spec"), path=path)


def is_filled_in(document: Document) -> bool:
    """Tell whether what a document's containers lack its own controller may add, as Knative adds names."""
    return kind_of(document.api_version, document.kind) is None


_WORDS_OF_PODS = frozenset(
    {
        *("containers", "image", "instances", "jobTemplate", "nodeSets", "podSpec", "podTemplate"),
        *("chart", "replicas", "tasks", "template", "templates"),
    }
)


def may_make_other_pods(document: Document) -> bool:
    """Tell whether a document may make pods that can't be read here: of a kind nobody knows, or of others."""
    kind = kind_of(document.api_version, document.kind)
    if kind is not None:
        return kind.pod_template is not None and not kind.has_own_template(document.body)
    spec = mapping_at(document.body, "spec")
    below = (value for key in spec for value in (mapping_at(spec, key), *list_at(spec, key)))
    words = spec.keys() | {word for value in below for word in mapping_at(value)}
    return pod_of(document) is None and not _WORDS_OF_PODS.isdisjoint(words)


def selects_pods(document: Document) -> bool:
    """Tell whether a document is of a kind that must select its own pods."""
    kind = kind_of(document.api_version, document.kind)
    return kind is not None and kind.has_selector and kind.has_own_template(document.body)


def named_ports_of(pod: PodTemplate) -> frozenset[str]:
    """Return the names of the ports that a Service may ask for by name."""
    return frozenset(text_at(port, "name") for port in _ports_of(pod)) - {""}


def numbers_of_ports(pod: PodTemplate) -> frozenset[int]:
    """Return the ports that a pod's containers declare; none where BCS fills one in."""
    numbers = [port.get("containerPort") for port in _ports_of(pod)]
    known = frozenset(number for number in numbers if isinstance(number, int))
    return frozenset() if any(map(is_left_for_bcs, numbers)) else known


def _ports_of(pod: PodTemplate) -> Iterator[Fields]:
    for container in pod.containers:
        yield from map(mapping_at, list_at(container.body, "ports"))
