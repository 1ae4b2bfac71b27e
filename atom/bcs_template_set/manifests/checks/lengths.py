"""Checks of what is too long or too big as a whole. Pure: performs no I/O.

The sizes are those of Kubernetes' validation (`MaxSecretSize`, `TotalAnnotationSizeLimitB`) and of etcd
(`--max-request-bytes`).
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from bcs_template_set.manifests.checks.finding import CheckInput, DocumentInFile, Finding, check
from bcs_template_set.manifests.fields import Fields, mapping_at
from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.manifests.naming import LONGEST_FILE_NAME, LONGEST_LABEL
from bcs_template_set.manifests.parse import Document
from bcs_template_set.manifests.yaml_reading import YamlValue

_MOST_ANNOTATIONS = 256 * 1024
_MOST_DATA = 1024 * 1024
_MOST_REQUEST = 1536 * 1024


@check("size")
def check_sizes(checked: CheckInput) -> Iterator[Finding]:
    """Yield objects, data and annotations that the API server or its storage refuses for their size."""
    for place in checked.places:
        if len(place.file.text) > _MOST_ANNOTATIONS // 4:  # a character has four bytes at most
            yield from _sizes(checked, place)


def _sizes(checked: CheckInput, place: DocumentInFile) -> Iterator[Finding]:
    body = place.document.body
    annotations = mapping_at(body, "metadata", "annotations")
    given = sum(len(key.encode()) for key in annotations) + _bytes_of(annotations)
    parts = [("metadata.annotations", given, _MOST_ANNOTATIONS), ("", _bytes_of(body), _MOST_REQUEST)]
    if place.document.api_version == "v1" and place.document.kind in ("ConfigMap", "Secret"):
        parts.insert(1, ("data", _data_of(place.document), _MOST_DATA))
    for field, size, limit in parts:
        if size > limit:
            yield checked.finding(place, field, size=-(-size // 1024), limit=limit // 1024)
            return


def _data_of(document: Document) -> int:
    data, binary = mapping_at(document.body, "data"), mapping_at(document.body, "binaryData")
    if document.kind == "ConfigMap":
        return _bytes_of(data) + _decoded(binary)
    return _bytes_of(mapping_at(document.body, "stringData")) + _decoded(data)


def _decoded(data: Fields) -> int:
    """Return the bytes that base64 stands for: three of four, but for what fills the last ones up."""
    return max(0, _bytes_of(data) * 3 // 4 - 2 * len(data))


def _bytes_of(value: YamlValue | Fields) -> int:
    """Return the bytes of all texts in a value: less than what is sent or stored of it."""
    if isinstance(value, dict):
        return sum(map(_bytes_of, value.values()))
    if isinstance(value, list):
        return sum(map(_bytes_of, value))
    return len(value.encode()) if isinstance(value, str) else 0


@check("web-host")
def check_web_hosts(checked: CheckInput) -> Iterator[Finding]:
    """Yield the hosts of `builtin:web` that are too long for the names that are made of them; each once."""
    said: set[str] = set()
    for file in checked.files:
        if file.domain and file.domain not in said:
            most = _longest_host(file, checked.template_space)
            if len(file.domain) > most:
                said.add(file.domain)
                yield checked.finding(file, "", host=file.domain, length=len(file.domain), most=most)


def _longest_host(file: ManifestFile, space: str) -> int:
    """Return how long the host of a domain's file may be, all names that are made of it considered."""
    names = [(len(f"{space}/{file.name}"), LONGEST_FILE_NAME)]
    names += [(len(document.name), LONGEST_LABEL) for document in _limited(file)]
    return min(limit - length + len(file.domain) for length, limit in names)


def _limited(file: ManifestFile) -> Sequence[Document]:
    """Return the objects whose names are labels, too: a Deployment's is what selects its pods."""
    return [document for document in file.documents if document.kind in ("Deployment", "Service")]


WEB_HOST = check_web_hosts.id
SAID_OF_HOSTS = frozenset({"file-name", "label", "object-name", "value"})
"""What else would be said of a host that is too long, object by object."""
