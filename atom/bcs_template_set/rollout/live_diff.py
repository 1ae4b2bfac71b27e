"""What a deployment would change of a live object. Pure: performs no I/O.

A live object holds what its API server filled in. So what the manifest says is compared, as far down as it
says anything, and beyond that what a replacement takes away. What is *shown* is all of that but a server's
known defaults (server_defaults.py). What *decides* about deploying are only the fields that no server fills
in: a newer server's default must not have a file deployed again and again. Lists of named things (containers,
ports, volumes) are compared by name and order, other lists by position; amounts by what they are worth; a
Secret's `stringData` as the `data` that it becomes. Left out are the annotations that BCS adds and
`metadata.resourceVersion`, which its preview puts into the new text (facts/bcs.md, traps 7 and 13).
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Callable, Optional

from bcs_template_set.manifests.document_diff import unified
from bcs_template_set.manifests.fields import mapping_at, text_at
from bcs_template_set.manifests.kinds import kind_of
from bcs_template_set.manifests.live_fields import number_in
from bcs_template_set.manifests.masking import holds_secret, masked_pair
from bcs_template_set.manifests.parse import document_of
from bcs_template_set.manifests.quantities import size_of
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.rollout.server_defaults import beyond_defaults

Object = Mapping[str, YamlValue]

Loss = Callable[[str, str, YamlValue, Object], Optional[YamlValue]]
"""What of a live field is taken away: by the key of the mapping, the field, its value, and the mapping."""

_OF_BCS = "io.tencent.paas."
_NOT_OURS = ("resourceVersion", "namespace", "uid", "selfLink")

_PAYLOAD = frozenset({"data", "stringData", "binaryData"})
"""What a ConfigMap or Secret holds: every key of it is its author's, one without a value too."""

_STRICT: Mapping[str, frozenset[str]] = {
    **dict.fromkeys(("ConfigMap", "Secret"), _PAYLOAD),
    **dict.fromkeys(
        (
            *("Deployment", "StatefulSet", "DaemonSet", "CronJob", "Service", "Ingress"),
            *("HorizontalPodAutoscaler", "PodDisruptionBudget"),
        ),
        frozenset({"spec"}),
    ),
}
"""By kind, the fields below which it is known what an API server fills in: nothing of `_AUTHORS`."""

_AUTHORS = frozenset(
    {
        *("selector", "externalIPs", "externalName", "loadBalancerSourceRanges"),
        *("rules", "tls", "backend", "defaultBackend", "http"),
        *(
            "initContainers",
            "volumes",
            "nodeSelector",
            "affinity",
            "tolerations",
            "topologySpreadConstraints",
        ),
        *("imagePullSecrets", "priorityClassName", "hostAliases", "dnsConfig", "runtimeClassName"),
        *("hostNetwork", "hostPID", "hostIPC", "shareProcessNamespace", "minReadySeconds"),
        *("command", "args", "env", "envFrom", "ports", "workingDir", "volumeMounts", "limits"),
        *("livenessProbe", "readinessProbe", "startupProbe", "lifecycle"),
    }
)
"""Fields that no API server fills in by itself (Kubernetes' defaults.go of these kinds, 1.20 to 1.31)."""

_HIDDEN = ("securityContext", "schedulerName")
"""Fields of a pod template that BCS's preview cuts from the live text (facts/bcs.md, trap 13)."""

_MAPS = _PAYLOAD | {"nodeSelector", "matchLabels", "selector", "limits"}
"""Maps whose keys are all their author's."""

_AMOUNTS = frozenset({"limits", "requests", "hard", "capacity"})
_AMOUNT = frozenset({"sizeLimit", "divisor", "averageValue", "targetAverageValue"})

_RUN = re.compile(r"((?:^-.*\n)+)((?:^\+.*\n)*)", re.MULTILINE)
"""Lines that go, and those that come in their place."""


def live_difference(desired: Object, live: Optional[Object], *, to_live: bool = False) -> str:
    """Return the unified diff from what is live to what would be; "" where nothing would change.

    What is lost is told at any depth, and nothing of kinds that can't be replaced. `to_live` turns it round.
    """
    wanted = _plain(desired)
    kind = kind_of(text_at(desired, "apiVersion"), text_at(desired, "kind"))
    strict = frozenset() if kind is not None and kind.kept else frozenset(wanted)
    before = _live_like(wanted, live, loss=_whole_loss, strict=strict) if live is not None else None
    title = f"{desired.get('kind')}/{document_of(desired).name}"
    bodies = (wanted, before) if to_live else (before, wanted)
    old, new = (document_of(body) if body is not None else None for body in bodies)
    return unified(*masked_pair(old, new), title=title)


def takes_away(difference: str) -> bool:
    """Tell whether a difference has lines that go without others in their place."""
    return any(run[1].count("\n") > run[2].count("\n") for run in _RUN.finditer(difference))


def changes_anything(desired: Object, live: Object) -> bool:
    """Tell whether the live object differs in what the manifest says, or in what it no longer says."""
    wanted = _plain(desired)
    return _live_like(wanted, live, loss=_sure_loss) != wanted


def changes_beyond_pods(desired: Object, live: Object) -> bool:
    """Tell the same, but for the number of pods: an autoscaler or a person may have set that since."""
    spec, live_spec = mapping_at(desired, "spec"), mapping_at(live, "spec")
    if pods_of(desired) is None or pods_of(live) is None:
        return changes_anything(desired, live)
    return changes_anything({**desired, "spec": {**spec, "replicas": live_spec["replicas"]}}, live)


def holds_nothing_else(desired: Object, live: Object) -> bool:
    """Tell whether the live object holds what the manifest says, and else only what servers fill in."""
    wanted = _plain(desired)
    strict = frozenset(wanted) - {"metadata"}
    return _live_like(wanted, live, loss=_whole_loss, strict=strict) == wanted


def fields_unlike(desired: Object, live: Object, *, whole: bool) -> tuple[str, ...]:
    """Name the fields in which the live object is not what the manifest says.

    `whole`: also those that it has beyond the manifest, and that no server fills in. Of what holds a Secret
    no more is named than where in the object it is.
    """
    wanted = _plain(desired)
    loss = _whole_loss if whole else _no_loss
    found = _live_like(wanted, live, loss=loss, strict=frozenset(wanted))
    paths = sorted(set(_unlike(wanted, found)))
    if any(holds_secret(document_of(body)) for body in (wanted, found)):
        return tuple(dict.fromkeys(re.split(r"[.\[]", path)[0] for path in paths))
    return tuple(paths)


def _unlike(wanted: YamlValue | Object, found: YamlValue | Object, *, path: str = "") -> Iterator[str]:
    """Yield the paths of the values that differ."""
    if isinstance(wanted, dict) and isinstance(found, dict):
        for key in {**wanted, **found}:
            below = f"{path}.{key}" if path else key
            if key in wanted and key in found:
                yield from _unlike(wanted[key], found[key], path=below)
            else:
                yield below
    elif isinstance(wanted, list) and isinstance(found, list):
        yield from _unlike_items(wanted, found, path=path)
    elif wanted != found:
        yield path


def _unlike_items(wanted: Sequence[YamlValue], found: Sequence[YamlValue], *, path: str) -> Iterator[str]:
    names = [_names_in(items) for items in (wanted, found)]
    if not all(names):
        if len(wanted) != len(found):
            yield path
        for number, (item, there) in enumerate(zip(wanted, found)):
            yield from _unlike(item, there, path=f"{path}[{number}]")
        return
    there = {_name_of(item): item for item in found}
    for name, item in zip(names[0], wanted):
        if name in there:
            yield from _unlike(item, there[name], path=f"{path}[{name}]")
    yield from (f"{path}[{name}]" for name in sorted({*names[0]} ^ {*names[1]}))


def fields_changed(wanted: YamlValue, before: YamlValue, now: YamlValue) -> tuple[str, ...]:
    """Name the fields that are neither as wanted nor as they were before, of those that are wanted.

    So neither a server's defaults nor what is added beside them counts, nor what was changed before already.
    """
    return tuple(sorted({path for path, _ in {*_others(wanted, now)} - {*_others(wanted, before)}}))


def _others(
    wanted: YamlValue, live: YamlValue, *, path: str = "", key: str = ""
) -> Iterator[tuple[str, str]]:
    """Yield the paths of wanted fields that have other values, each with a text for its value."""
    if isinstance(wanted, dict) and isinstance(live, dict):
        for name, value in wanted.items():
            if not (key in _AMOUNTS and _same_amount(value, live.get(name))):
                yield from _others(value, live.get(name), path=f"{path}.{name}" if path else name, key=name)
    elif isinstance(wanted, list) and isinstance(live, list):
        for where, item, found in _pairs(wanted, live):
            yield from _others(item, found, path=f"{path}{where}")
    elif wanted not in (None, {}, [], live) and (wanted or live) and not _same_in(key, wanted, live):
        number = number_in(live)  # BCS may write it as 3.0
        yield path, repr(live if number is None else number)


def _pairs(
    wanted: Sequence[YamlValue], live: Sequence[YamlValue]
) -> Iterable[tuple[str, YamlValue, YamlValue]]:
    """Return where each wanted item is, with it and the live one: by name, else by position."""
    names = _names_in(wanted)
    if names:
        there = {_name_of(item): item for item in live}
        return [(f"[{name}]", item, there.get(name)) for name, item in zip(names, wanted)]
    if len(wanted) != len(live):
        return [("", [*wanted], repr(live))]
    return [(f"[{number}]", *pair) for number, pair in enumerate(zip(wanted, live))]


def pods_of(body: Object) -> Optional[int]:
    """Return how many pods an object asks for, None where it does not say."""
    replicas = mapping_at(body, "spec").get("replicas")
    return replicas if isinstance(replicas, int) else None


def names_hidden(desired: Object) -> bool:
    """Tell whether the manifest says what BCS's preview does not show of a live object."""
    pods = mapping_at(desired, "spec", "template", "spec")
    return any(pods.get(name) for name in _HIDDEN)


def with_hidden(live: Object, whole: Object) -> Object:
    """Return the live text of a preview with what it hides, taken from the object as it was read whole."""
    spec, template = mapping_at(live, "spec"), mapping_at(live, "spec", "template")
    if not template:
        return live
    pods = {**mapping_at(template, "spec")}
    seen = mapping_at(whole, "spec", "template", "spec")
    pods.update({name: seen[name] for name in _HIDDEN if name in seen})
    return {**live, "spec": {**spec, "template": {**template, "spec": pods}}}


def _live_like(
    wanted: Object, live: Object, *, loss: Loss, strict: Optional[frozenset[str]] = None
) -> dict[str, YamlValue]:
    """Return a live object as far as the manifest says anything of it, and with what it would lose.

    `strict` are the fields below which that is looked for, those of the kind where none are given.
    """
    plain = _plain(live)
    found: dict[str, YamlValue] = {}
    fields = _STRICT.get(str(wanted.get("kind")), frozenset()) if strict is None else strict
    for key, value in wanted.items():
        if key in plain or _says_nothing(value):
            below = loss if key in fields else _no_loss
            found[key] = _like(value, plain.get(key, value), key=key, loss=below)
    if loss is not _whole_loss:
        return found
    lost = {key: loss("", key, value, plain) for key, value in plain.items() if key not in wanted}
    return {**found, **{key: value for key, value in lost.items() if value is not None}}


def _no_loss(_key: str, _name: str, _value: YamlValue, _live: Object) -> Optional[YamlValue]:
    return None


def _sure_loss(key: str, name: str, value: YamlValue, _live: Object) -> Optional[YamlValue]:
    """Return a field that no API server fills in."""
    return value if key in _MAPS or (value and name in _AUTHORS) else None


def _whole_loss(key: str, name: str, value: YamlValue, live: Object) -> Optional[YamlValue]:
    """Return what of a field is no default of an API server."""
    return value if key in _MAPS else beyond_defaults(name, value, beside=live)


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
    return _as_data(plain) if body.get("kind") == "Secret" else plain


def _as_data(secret: dict[str, YamlValue]) -> dict[str, YamlValue]:
    """Return a Secret with its `stringData` in its `data`, as the API server keeps it."""
    given, data = secret.get("stringData"), secret.get("data")
    if not isinstance(data, (dict, type(None))) or not isinstance(given, (dict, type(None))):
        return secret
    kept = {key: value for key, value in secret.items() if key not in ("data", "stringData")}
    texts = {
        key: base64.b64encode(value.encode("utf-8", "surrogatepass")).decode("ascii")
        if isinstance(value, str)
        else value
        for key, value in (given or {}).items()
    }
    known = {key: _folded(value) for key, value in (data or {}).items()}
    return {**kept, "data": {**known, **texts}} if kept.keys() != secret.keys() else kept


def _folded(value: YamlValue) -> YamlValue:
    """Return base64 as the API server writes it: without line feeds."""
    if not isinstance(value, str):
        return value
    try:
        return base64.b64encode(base64.b64decode("".join(value.split()), validate=True)).decode("ascii")
    except (binascii.Error, ValueError):
        return value


def _like(wanted: YamlValue, live: YamlValue, *, loss: Loss, key: str = "") -> YamlValue:
    """Return the live value as far as the wanted one says anything of it, and what of it would be lost."""
    if not wanted and not live:
        return wanted
    if isinstance(wanted, dict) and isinstance(live, dict):
        return _like_mapping(wanted, live, key=key, loss=loss)
    if isinstance(wanted, list) and isinstance(live, list):
        return _like_list(wanted, live, loss=loss)
    return wanted if _same_in(key, wanted, live) else live


def _like_mapping(wanted: Object, live: Object, *, key: str, loss: Loss) -> YamlValue:
    found: dict[str, YamlValue] = {}
    all_ours = loss is not _no_loss and key in _MAPS
    for name, value in wanted.items():
        if _left_to_the_server(name, value) or (key in _AMOUNTS and _same_amount(value, live.get(name))):
            found[name] = value
        elif name in live:
            found[name] = _like(value, live[name], key=name, loss=loss)
        elif _says_nothing(value) and (value is None or not all_ours):
            found[name] = value
    lost = {name: loss(key, name, value, live) for name, value in live.items() if name not in wanted}
    return {**found, **{name: value for name, value in lost.items() if value is not None}}


def _left_to_the_server(key: str, value: YamlValue) -> bool:
    """Tell whether the manifest leaves a value to the API server: `nodePort: 0` is any port."""
    return key in ("nodePort", "clusterIP") and not value


def _says_nothing(value: YamlValue) -> bool:
    """Tell whether a value is one that an API server drops or fills in: empty, zero or false."""
    return not value


def _same_in(key: str, wanted: YamlValue, live: YamlValue) -> bool:
    """Tell whether this key holds an amount, and both are worth the same."""
    return key in _AMOUNT and _same_amount(wanted, live)


def _same_amount(wanted: YamlValue, live: YamlValue) -> bool:
    """Tell whether two amounts are worth the same: `1000m` and `1`, `1024Mi` and `1Gi`."""
    first, second = size_of(wanted), size_of(live)
    return first is not None and first == second


def _like_list(wanted: Sequence[YamlValue], live: Sequence[YamlValue], *, loss: Loss) -> YamlValue:
    names = _names_in(wanted)
    if not names:
        paired = [_like(item, there, loss=loss) for item, there in zip(wanted, live)]
        return [*paired, *live[len(wanted) :]]
    ours = dict(zip(names, wanted))
    return [_like(ours.get(_name_of(item), item), item, loss=loss) for item in live]


def _names_in(items: Sequence[YamlValue]) -> list[str]:
    """Return the names of the items of a list, none where not each has one of its own."""
    names = [_name_of(item) for item in items]
    return names if all(names) and len(set(names)) == len(names) else []


def _name_of(item: YamlValue) -> str:
    name = item.get("name") if isinstance(item, dict) else None
    return name if isinstance(name, str) else ""
