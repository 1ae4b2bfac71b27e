"""In what a live object is not what its version says: same, changed, or not known. Pure: performs no I/O.

Values once given for BCS's variables are stored nowhere. So a version is rendered with signs in their place,
and where a sign stands the live value is taken: if it is the one that would be given today it is the same,
else nobody can tell. What an autoscaler, a restart, a load balancer or an injector writes is shown as theirs.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import field
from typing import Literal

from bcs_template_set.manifests.fields import list_at, mapping_at, text_at
from bcs_template_set.manifests.live_fields import scalar_text
from bcs_template_set.manifests.live_replicas import workload_of
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.rollout.as_wanted import unlike_wanted
from bcs_template_set.rollout.live_diff import Object, pods_of

Writer = Literal["autoscaler", "restart", "load-balancer", "injector"]
Theirs = tuple[Writer, str]
Path = tuple[str, ...]

_SIGN = re.compile(r"bcsopen([0-9]+)x")
_NOTES: Path = ("spec", "template", "metadata", "annotations")
_OF_WRITERS: Sequence[tuple[Writer, Path, tuple[str, ...]]] = (
    ("restart", _NOTES, ("kubectl.kubernetes.io/restartedAt",)),
    ("injector", _NOTES, ("sidecar.istio.io/", "linkerd.io/", "vault.hashicorp.com/agent-inject-status")),
    (
        "load-balancer",
        ("metadata", "annotations"),
        (
            *("service.kubernetes.io/loadbalance-id", "service.kubernetes.io/tke-"),
            *("service.cloud.tencent.com/", "ingress.cloud.tencent.com/"),
            *("kubernetes.io/ingress.qcloud-loadbalance-id", "kubernetes.io/ingress.http-rules"),
            *("kubernetes.io/ingress.https-rules", "ingress.kubernetes.io/", "cloud.google.com/neg-status"),
        ),
    ),
)
"""Who writes which annotations, by how these begin (the writers' own documents, 2026-11; read, not seen)."""

_INJECTED = ("istio-", "istiod-", "linkerd-", "vault-agent", "envoy", "consul-connect-")
"""How the containers and volumes begin that injectors add."""
_INJECTED_INTO: Sequence[Path] = tuple(
    ("spec", "template", "spec", name) for name in ("containers", "initContainers", "volumes")
)


@dataclass(frozen=True)
class Drift:
    """In which fields a live object is not what its version says.

    `theirs` are those that a known writer set. `open` are those that a variable of BCS fills in, with its
    name, and whose value is not the one that it would be given today.
    """

    changed: tuple[str, ...] = ()
    theirs: tuple[Theirs, ...] = ()
    open: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True)
class Signs:
    """The variables whose places are left open, in the order of their signs, and what each would be today."""

    names: tuple[str, ...] = ()
    today: Mapping[str, str] = field(default_factory=dict)

    def values(self) -> dict[str, str]:
        """Return what is given for each variable, so that its places can be found again."""
        return {name: f"bcsopen{number}x" for number, name in enumerate(self.names)}

    def named_in(self, text: str) -> list[str]:
        """Return the variables whose signs stand in a text, each once."""
        numbers = dict.fromkeys(int(found) for found in _SIGN.findall(text))
        return [self.names[number] for number in numbers if number < len(self.names)]

    def filled(self, text: str) -> str:
        """Return the text as it would be today."""
        for name, sign in self.values().items():
            text = text.replace(sign, self.today.get(name, ""))
        return text


NO_SIGNS = Signs()


def drift_of(desired: Object, live: Object, *, is_scaled: bool, signs: Signs = NO_SIGNS) -> Drift:
    """Return in what a live object is not what its version says.

    `is_scaled`: an autoscaler counts its pods.
    """
    wanted, places = opened(desired, live, signs)
    own, theirs = _without_theirs(live, wanted)
    if is_scaled and pods_of(own) is not None and pods_of(wanted) not in (None, pods_of(own)):
        theirs.append(("autoscaler", "spec.replicas"))
        own = _put(own, ("spec", "replicas"), pods_of(wanted))
    return Drift(unlike_wanted(wanted, own), tuple(theirs), places)


# --- what variables fill in -----------------------------------------------------------------------------


def opened(desired: Object, live: Object, signs: Signs) -> tuple[Object, tuple[tuple[str, str], ...]]:
    """Return what is wanted with the live values where signs stand, and those places that are not today's."""
    places: list[tuple[str, str]] = []
    wanted = _opened(dict(desired), dict(live), signs=signs, path="", places=places) if signs.names else None
    return (wanted if isinstance(wanted, dict) else desired), tuple(places)


def _opened(
    wanted: YamlValue, live: YamlValue, *, signs: Signs, path: str, places: list[tuple[str, str]]
) -> YamlValue:
    """Return what is wanted with the live values where signs stand, and note those that are not today's."""
    if isinstance(wanted, dict):
        there = live if isinstance(live, dict) else {}
        return {
            key: _opened(
                item, there.get(key), signs=signs, path=f"{path}.{key}" if path else key, places=places
            )
            for key, item in wanted.items()
        }
    if isinstance(wanted, list):
        found = live if isinstance(live, list) else []
        return [
            _opened(item, there, signs=signs, path=f"{path}{where}", places=places)
            for where, item, there in _beside(wanted, found)
        ]
    names = signs.named_in(wanted) if isinstance(wanted, str) else []
    if not names or not isinstance(wanted, str):
        return wanted
    told, filled = scalar_text(live), signs.filled(wanted)
    if told == filled or any(workload_of(name) is not None for name in names):
        return live  # a live number of pods is what the variable stands for
    if not _may_be(wanted, told):
        return filled
    places += [(path, name) for name in names]
    return live


def _beside(
    wanted: Sequence[YamlValue], live: Sequence[YamlValue]
) -> Iterator[tuple[str, YamlValue, YamlValue]]:
    """Yield where each wanted item is, with it and the live one: by name, else by position."""
    by_name = {text_at(mapping_at(item), "name"): item for item in live}
    for number, item in enumerate(wanted):
        name = text_at(mapping_at(item), "name")
        there = by_name.get(name) if name else live[number] if number < len(live) else None
        yield f"[{name or number}]", item, there


def _may_be(wanted: str, live: str) -> bool:
    """Tell whether a text is the wanted one, but for the lines that hold a sign."""
    parts = [""]
    for line in wanted.splitlines(keepends=True):
        if _SIGN.search(line) is None:
            parts[-1] += line
        else:
            parts.append("")
    first, *between, last = parts
    if not live.startswith(first) or not live.endswith(last) or len(live) < len(first) + len(last):
        return False
    at, end = len(first), len(live) - len(last)
    for part in between:
        found = live.find(part, at, end)
        if found < 0:
            return False
        at = found + len(part)
    return True


# --- what others write ----------------------------------------------------------------------------------


def _without_theirs(live: Object, wanted: Object) -> tuple[Object, list[Theirs]]:
    """Return the live object without what known writers added to what its version says, and what that is."""
    theirs: list[Theirs] = []
    for writer, path, beginnings in _OF_WRITERS:
        notes, ours = mapping_at(live, *path), mapping_at(wanted, *path)
        added = [name for name in notes if name not in ours and name.startswith(beginnings)]
        if added:
            theirs += [(writer, ".".join((*path, name))) for name in added]
            live = _put(live, path, {name: item for name, item in notes.items() if name not in added})
    for path in _INJECTED_INTO:
        known = {*_names(wanted, path)}
        added = [name for name in _names(live, path) if name not in known and name.startswith(_INJECTED)]
        if added:
            theirs += [("injector", f"{'.'.join(path)}[{name}]") for name in added]
            left = [item for item in list_at(live, *path) if text_at(mapping_at(item), "name") not in added]
            live = _put(live, path, left)
    return live, theirs


def _names(live: Object, path: Path) -> Iterator[str]:
    return (text_at(mapping_at(item), "name") for item in list_at(live, *path))


def _put(body: Object, path: Path, value: YamlValue) -> dict[str, YamlValue]:
    """Return an object with another value under a path of keys that it has."""
    first, *rest = path
    return {**body, first: _put(mapping_at(body, first), tuple(rest), value) if rest else value}
