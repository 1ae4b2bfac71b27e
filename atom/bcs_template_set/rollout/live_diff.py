"""What a deployment would change of a live object. Pure: performs no I/O.

A live object holds what its API server filled in. Only what the manifest says is compared, as far down as
it says anything: lists of named things (containers, ports, volumes) by name, other lists by position. Left
out are the annotations that BCS adds and `metadata.resourceVersion`, which its preview puts into the new
text (facts/bcs.md, traps 7 and 13).
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Optional

from bcs_template_set.diff import unified
from bcs_template_set.manifests.masking import holds_secret, masked_pair
from bcs_template_set.manifests.parse import document_of
from bcs_template_set.manifests.yaml_reading import YamlValue, dump_yaml

Object = Mapping[str, YamlValue]
_OF_BCS = "io.tencent.paas."
_NOT_OURS = ("resourceVersion", "namespace")


def live_difference(desired: Object, live: Optional[Object]) -> str:
    """Return the unified diff from what is live to what would be; "" where nothing would change."""
    wanted = _plain(desired)
    before = _like(wanted, _plain(live)) if live is not None else None
    title = f"{desired.get('kind')}/{document_of(desired, line=1).name}"
    document = document_of(wanted, line=1)
    if holds_secret(document):
        old = document_of(before, line=1) if isinstance(before, dict) else None
        return unified(*masked_pair(old, document), title=title)
    return unified(dump_yaml(before) if before is not None else "", dump_yaml(wanted), title=title)


def changes_anything(desired: Object, live: Object) -> bool:
    """Tell whether the live object differs in anything that the manifest says."""
    wanted = _plain(desired)
    return _like(wanted, _plain(live)) != wanted


def _plain(body: Object) -> dict[str, YamlValue]:
    """Return the object without what BCS and the API server put into its metadata."""
    metadata = body.get("metadata")
    plain = {key: value for key, value in body.items() if key != "status"}
    if isinstance(metadata, dict):
        kept = {key: value for key, value in metadata.items() if key not in _NOT_OURS}
        annotations = kept.get("annotations")
        if isinstance(annotations, dict):
            ours = {key: value for key, value in annotations.items() if not key.startswith(_OF_BCS)}
            kept["annotations"] = ours
            if not ours:
                del kept["annotations"]
        plain["metadata"] = kept
    return plain


def _like(wanted: YamlValue, live: YamlValue) -> YamlValue:
    """Return the live value as far as the wanted one says anything of it."""
    if isinstance(wanted, dict) and isinstance(live, dict):
        return {
            key: value if _left_to_the_server(key, value) else _like(value, live.get(key, value))
            for key, value in wanted.items()
            if key in live or _says_nothing(value)
        }
    if isinstance(wanted, list) and isinstance(live, list):
        return _like_list(wanted, live)
    return live


def _left_to_the_server(key: str, value: YamlValue) -> bool:
    """Tell whether the manifest leaves a value to the API server: `nodePort: 0` is any port."""
    return key == "nodePort" and value == 0


def _says_nothing(value: YamlValue) -> bool:
    """Tell whether a value is one that an API server drops or fills in: empty, zero or false."""
    return not value


def _like_list(wanted: Sequence[YamlValue], live: Sequence[YamlValue]) -> YamlValue:
    names = [_name_of(item) for item in wanted]
    if not all(names):
        paired = [_like(item, live[index]) for index, item in enumerate(wanted) if index < len(live)]
        return [*paired, *live[len(wanted) :]]
    by_name = {_name_of(item): item for item in live}
    known = [_like(item, by_name[name]) for name, item in zip(names, wanted) if name in by_name]
    wanted_names = set(names)
    return [*known, *(item for name, item in by_name.items() if name not in wanted_names)]


def _name_of(item: YamlValue) -> str:
    name = item.get("name") if isinstance(item, dict) else None
    return name if isinstance(name, str) else ""
