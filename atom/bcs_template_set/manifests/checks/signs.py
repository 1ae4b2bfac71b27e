"""Checks of characters that look like an ASCII one, or like nothing, in names and so on. Pure: no I/O."""

from __future__ import annotations

from collections.abc import Iterator

from bcs_template_set.manifests.checks.finding import CheckInput, Finding, check
from bcs_template_set.manifests.look_alikes import disguised, sentence
from bcs_template_set.manifests.schema.field_types import field_types
from bcs_template_set.manifests.yaml_reading import YamlValue

_NAMES = ("name", "namespace", "host", "key", "serviceName", "claimName", "secretName")
"""Fields of Kubernetes' own kinds that take any text, for no person to read; `image-name` looks at images."""

_LABELS = ("labels", "matchLabels")
_MAPS = (*_LABELS, "annotations", "data", "stringData")
"""Of these the keys are no fields; and the values, but for labels, are for people."""

_OF_ALL = ("apiVersion", "kind", "metadata.name", "metadata.namespace")


@check("look-alike")
def check_signs(checked: CheckInput) -> Iterator[Finding]:
    """Yield names, images, ports and words that would be right with the ASCII character."""
    wrong = {(id(place), problem.path) for place, problem in checked.problems if problem.what != "unknown"}
    plain = {file.name for file in checked.files if file.text.isascii() and "\\" not in file.text}
    for place in checked.places:
        if place.file.name in plain:
            continue
        is_known = field_types().entry(place.document.api_version, place.document.kind) is not None
        for path, key, value in _texts_in(dict(place.document.body), ""):
            at = disguised(value)
            if at is None:
                continue
            is_name = key in _NAMES and (is_known or "ontainers[" in path)
            if path in _OF_ALL or key in _LABELS or is_name or (id(place), path) in wrong:
                yield checked.finding(place, path, nth=at + 1, problem=sentence(value[at]))


def _texts_in(value: YamlValue, path: str, key: str = "") -> Iterator[tuple[str, str, str]]:
    """Yield every text with its path and the key that it, or the list that it is in, stands behind."""
    if isinstance(value, str):
        yield path, key, value
    elif isinstance(value, dict):
        for name, item in value.items():
            at = f"{path}.{name}" if path else name
            at = f"{path}[{name}]" if key in _LABELS else at
            yield from _texts_in(item, at, key if key in _MAPS else name)
    elif isinstance(value, list):
        for index, item in enumerate(value):
            yield from _texts_in(item, f"{path}[{index}]", key)
