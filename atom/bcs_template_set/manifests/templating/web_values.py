"""The values of `builtin:web`: every mistake at once, then frozen structs. Pure: performs no I/O.

`templates/web/values.schema.json` says the same for editors; a test holds the two to each other. What a
schema can't say (two domains with one host, …) is in `_across`.
"""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Annotated, Literal, Optional, Union, get_args, get_origin

from bcs_template_set.manifests.checks.telling import subject_of
from bcs_template_set.manifests.fields import list_at, mapping_at
from bcs_template_set.manifests.look_alikes import disguised, sentence
from bcs_template_set.manifests.naming import DEFAULT_MAIN_BRANCHES
from bcs_template_set.manifests.templating.values import Values
from bcs_template_set.manifests.wrong_values import wrong_value
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.secret import MASK
from bcs_template_set.messages.spelling import not_known
from bcs_template_set.records.declared import Record, fresh, types_of
from bcs_template_set.records.decoding import Mismatch, Rule, convert, fits

_MOST_PLACES = 5
_DOMAIN = re.compile(r"domains\[(\d+)\](?:\.(\w+))?")
_PLAIN_NAME = re.compile(r"[A-Za-z0-9_.-]{1,63}")
_MAIN_BRANCHES = "main_branches"
_SUBDOMAIN = r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*"


def _text(pattern: str, accepts: str, *, longest: Optional[int] = None) -> Rule:
    """Return the rule of a text; `accepts` names the sentence `render.accepts_<…>`."""
    return Rule(pattern=rf"^{pattern}\Z", shortest=1, longest=longest, accepts=accepts)


AppName = Annotated[str, _text(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", "app", longest=63)]
Host = Annotated[str, _text(_SUBDOMAIN, "host", longest=253)]
ObjectName = Annotated[str, _text(_SUBDOMAIN, "object_name", longest=253)]
VolumeName = Annotated[str, _text(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?", "volume_name", longest=63)]
Image = Annotated[str, _text(r"[^\s]+", "image", longest=512)]
LoadBalancer = Annotated[str, _text(r"[A-Za-z0-9-]+", "load_balancer", longest=63)]
AbsolutePath = Annotated[str, _text(r"/[^\x00-\x1f]*", "absolute_path", longest=1024)]
MountPath = Annotated[str, _text(r"/[^:\x00-\x1f]*", "mount_path", longest=1024)]
VariableName = Annotated[str, _text(r"[A-Za-z_.-][A-Za-z0-9_.-]*", "variable_name", longest=253)]
BranchName = Annotated[str, Rule(shortest=1, accepts="branch")]
IngressClass = Annotated[str, _text(_SUBDOMAIN, "ingress_class", longest=253)]
QuantityText = Annotated[
    str, _text(r"[0-9]+(\.[0-9]+)?(m|k|M|G|T|P|E|Ki|Mi|Gi|Ti|Pi|Ei)?", "quantity", longest=32)
]
Quantity = Union[QuantityText, Annotated[int, Rule(least=0)], Annotated[float, Rule(least=0)]]
AUTO = "auto"
"""The number of pods that is live stays: an autoscaler or a person sets it."""
LEFT_OUT = "<left out by init: it looks secret>"
"""What the verb `init` writes to a screen in the place of such a value. It is never rendered."""
Replicas = Union[Annotated[int, Rule(least=0, most=10_000, accepts="replicas")], Literal["auto"]]
Pods = Annotated[int, Rule(least=1, most=10_000, accepts="pods")]
Percent = Annotated[int, Rule(least=1, most=1_000, accepts="percent")]
Port = Annotated[int, Rule(least=1, most=65_535, accepts="port")]
NodePort = Annotated[int, Rule(least=0, most=32_767, accepts="node_port")]
Seconds = Annotated[int, Rule(least=0, most=86_400, accepts="seconds")]
Count = Annotated[int, Rule(least=1, most=86_400, accepts="count")]
_LOWEST_NODE_PORT = 30_000
_PROGRESS_DEADLINE = 600
"""Seconds; Kubernetes' own value, which has to be greater than `minReadySeconds`."""


class Volume(Record, is_closed=True):
    """A directory of the node, mounted into the container."""

    name: VolumeName
    host_path: AbsolutePath
    mount_path: MountPath
    read_only: bool = False


class Probe(Record, is_closed=True):
    """How Kubernetes asks the container whether it is well: GET `path`, or a TCP connection without one."""

    path: Optional[AbsolutePath] = None
    initial_delay: Seconds = 0
    period: Count = 10
    timeout: Count = 1
    failures: Count = 3


class Autoscale(Record, is_closed=True):
    """How many pods an autoscaler of the domain's own lets it have, by the CPU that they use."""

    max: Pods
    min: Pods = 1
    cpu: Percent = 80


class Resources(Record, is_closed=True):
    """What the container asks for, and what it may use at most."""

    requests: dict[ObjectName, Quantity] = fresh(factory=dict)
    limits: dict[ObjectName, Quantity] = fresh(factory=dict)


class Domain(Record, is_closed=True):
    """One domain: its Deployment, its Service, and an Ingress for each load balancer."""

    host: Host
    image: Image
    replicas: Replicas = 1
    autoscale: Optional[Autoscale] = None
    min_ready_seconds: Seconds = 0
    progress_deadline: Optional[Count] = None
    port: Port = 80
    node_port: NodePort = 0
    load_balancers: list[LoadBalancer] = fresh(factory=list)
    tls: bool = True
    paths: Annotated[list[AbsolutePath], Rule(shortest=1)] = fresh(factory=lambda: ["/"])
    branch_paths: bool = False
    volumes: list[Volume] = fresh(factory=list)
    env: dict[VariableName, str] = fresh(factory=dict)
    resources: Optional[Resources] = None
    liveness: Optional[Probe] = None
    readiness: Optional[Probe] = None

    @property
    def keeps_pods(self) -> bool:
        """Tell whether a deployment leaves the number of pods as it is."""
        return self.replicas == AUTO or self.autoscale is not None


class Web(Record, is_closed=True):
    """The values of `builtin:web`."""

    app: AppName
    domains: Annotated[list[Domain], Rule(shortest=1, accepts="list")]
    image_pull_secrets: list[ObjectName] = fresh(factory=list)
    ingress_class: IngressClass = "qcloud"
    main_branches: list[BranchName] = fresh(factory=lambda: list(DEFAULT_MAIN_BRANCHES))


def read_web_values(values: Values, *, found: list[tuple[str, Text]], shared: bool) -> Optional[Web]:
    """Return the typed values of `builtin:web`, without what of them is wrong; None where no domain is left.

    What is left of a domain is looked at in the same round. Every mistake is added to `found`, with its path,
    such as `domains[3].image`. `shared` = the run has other templates too, whose values stand beside these.
    """
    own = {name: value for name, value in values.items() if not shared or name in Web.shape.fields}
    web: Optional[Web] = None
    wrong: list[Text] = []
    try:
        web = convert(own, Web)  # in half of the time that it takes to say what is wrong
    except Mismatch:
        wrong += _check(own, Web, path="")
    mistakes = [(subject_of(mistake), mistake) for mistake in (*wrong, *_across(own))]
    found += mistakes
    if not mistakes:
        return web
    places = {_place_of(path) for path, _ in mistakes}
    domains: list[YamlValue] = [*_rest_of_domains(own, places)]
    return convert({**own, "domains": domains}, Web) if domains and None not in places else None


def _rest_of_domains(values: Values, wrong: Collection[object]) -> Iterator[dict[str, YamlValue]]:
    """Yield what is right of each domain that has a host and an image."""
    shape = Domain.shape
    for nth, domain in enumerate(list_at(values, "domains")):
        given = mapping_at(domain).items()
        right = {key: item for key, item in given if key in shape.fields and (nth, key) not in wrong}
        if all(key in right or key in shape.defaults for key in shape.fields):
            yield right


def read_main_branches(values: Values, *, found: list[tuple[str, Text]]) -> tuple[str, ...]:
    """Return the branches that are served at `/`: the value `main_branches`, which any run may have.

    Every mistake in them is added to `found`, with its path.
    """
    given = values.get(_MAIN_BRANCHES, list(DEFAULT_MAIN_BRANCHES))
    mistakes = list(_check(given, list[BranchName], path=_MAIN_BRANCHES))
    found += [(subject_of(mistake), mistake) for mistake in mistakes]
    return DEFAULT_MAIN_BRANCHES if mistakes else tuple(convert(given, list[BranchName]))


def domain_of(path: str) -> Optional[int]:
    """Return which domain a path leads into, None where it is none's."""
    place = _place_of(path)
    return place[0] if place is not None else None


def _place_of(path: str) -> Optional[tuple[int, str]]:
    """Return which domain a path leads into, and to which of its values; None where it is none's."""
    found = _DOMAIN.match(path)
    return (int(found[1]), found[2]) if found is not None else None


def _check(value: YamlValue, kind: object, *, path: str) -> Iterator[Text]:
    """Yield the mistakes of a value of any type that occurs in the structs above."""
    plain, rule = _split(kind)
    origin = get_origin(plain)
    if isinstance(plain, type) and issubclass(plain, Record):
        yield from _check_struct(value, plain, path=path)
    elif origin is list:
        yield from _check_list(value, get_args(plain)[0], shortest=rule.shortest if rule else 0, path=path)
    elif origin is dict:
        yield from _check_mapping(value, *get_args(plain), path=path)
    elif type(None) in get_args(plain):
        if value is not None:
            yield from _check(value, get_args(plain)[0], path=path)
    else:
        yield from _check_leaf(value, kind, path=path)


def _check_struct(value: YamlValue, kind: type[Record], *, path: str) -> Iterator[Text]:
    fields = types_of(kind)
    if not isinstance(value, dict):
        yield _wrong(path, value, say("render.accepts_mapping", keys=list(fields)))
        return
    for name in value:
        if name not in fields:
            yield _unknown(_join(path, name), name, list(fields))
    for name, of in fields.items():
        if name in value:
            yield from _check(value[name], of, path=_join(path, name))
        elif name not in kind.shape.defaults:
            yield say("render.web_missing", path=_join(path, name), accepted=_accepted(of))


def _check_list(value: YamlValue, kind: object, *, shortest: int, path: str) -> Iterator[Text]:
    if not isinstance(value, list):
        yield _wrong(path, value, say("render.accepts_list"), list[kind])  # type: ignore[valid-type]  # no annotation
        return
    if len(value) < shortest:
        yield _wrong(path, value, say("render.accepts_some"))
    for index, item in enumerate(value):
        yield from _check(item, kind, path=f"{path}[{index}]")


def _check_mapping(value: YamlValue, keys: object, values: object, *, path: str) -> Iterator[Text]:
    if not isinstance(value, dict):
        yield _wrong(path, value, say("render.accepts_any_mapping"), dict[keys, values])  # type: ignore[valid-type]  # no annotation
        return
    for key, item in value.items():
        yield from _check_leaf(key, keys, path=_join(path, key))
        yield from _check(item, values, path=_join(path, key))


def _check_leaf(value: YamlValue, kind: object, *, path: str) -> Iterator[Text]:
    if not fits(value, kind):
        yield _wrong(path, value, _accepted(kind), kind)


def _split(kind: object) -> tuple[object, Optional[Rule]]:
    if get_origin(kind) is not Annotated:
        return kind, None
    plain, rule = get_args(kind)
    return plain, rule


def _accepted(kind: object) -> Text:
    """Return the sentence part that says what a type takes."""
    plain, rule = _split(kind)
    if rule is not None:
        return say(f"render.accepts_{rule.accepts}")
    if get_origin(plain) is Union:
        return _accepted(get_args(plain)[0])
    return say("render.accepts_bool" if plain is bool else "render.accepts_str")


def _across(values: Values) -> Iterator[Text]:
    """Yield what is wrong between values that are each right."""
    domains = [mapping_at(item) for item in list_at(values, "domains")]
    for places in _repeated([domain.get("host") for domain in domains]):
        yield _twice("domains", "host", places)
    for index, domain in enumerate(domains):
        volumes = [mapping_at(item) for item in list_at(domain, "volumes")]
        for key in ("name", "mount_path"):
            for places in _repeated([volume.get(key) for volume in volumes]):
                yield _twice(f"domains[{index}].volumes", key, places)
        for key in ("paths", "load_balancers"):
            for places in _repeated(list_at(domain, key)):
                yield _twice(f"domains[{index}].{key}", "", places)
        for name, value in mapping_at(domain, "env").items():
            if value == LEFT_OUT:
                yield say("render.web_left_out", path=_join(f"domains[{index}].env", name))
        port = domain.get("node_port", 0)
        if isinstance(port, int) and 0 < port < _LOWEST_NODE_PORT and fits(port, NodePort):
            yield _wrong(f"domains[{index}].node_port", port, _accepted(NodePort))
        yield from _branch_paths(domain, path=f"domains[{index}]")
        yield from _pods(domain, path=f"domains[{index}]")


def _branch_paths(domain: Mapping[str, YamlValue], *, path: str) -> Iterator[Text]:
    if domain.get("branch_paths") is not True:
        return
    if "paths" in domain:
        yield say("render.web_branch_paths", path=f"{path}.paths", other=f"{path}.branch_paths")
    if not domain.get("load_balancers"):
        yield say("render.web_branch_ingress", path=f"{path}.branch_paths", other=f"{path}.load_balancers")


def _pods(domain: Mapping[str, YamlValue], *, path: str) -> Iterator[Text]:
    """Yield what Kubernetes would refuse, and a number of pods that two would set."""
    autoscale = domain.get("autoscale")
    if isinstance(autoscale, dict):
        least, most = autoscale.get("min", 1), autoscale.get("max")
        # What takes longest, whether they are numbers of pods at all, is asked last.
        more = isinstance(least, int) and isinstance(most, int) and least > most
        if more and fits([least, most], list[Pods]):
            yield say("render.web_at_most", path=f"{path}.autoscale.min", other=f"{path}.autoscale.max")
        if domain.get("replicas", AUTO) != AUTO:
            yield say("render.web_autoscale", path=f"{path}.replicas", other=f"{path}.autoscale")
    ready, given = domain.get("min_ready_seconds", 0), domain.get("progress_deadline")
    deadline = _PROGRESS_DEADLINE if given is None else given
    as_long = isinstance(ready, int) and isinstance(deadline, int) and ready >= deadline
    if as_long and fits([ready, deadline], list[Count]):
        yield say("render.web_deadline", path=f"{path}.min_ready_seconds", other=f"{path}.progress_deadline")


def _repeated(values: Sequence[YamlValue]) -> list[list[int]]:
    """Return the places of each text that is there more than once."""
    places: defaultdict[str, list[int]] = defaultdict(list)
    for place, value in enumerate(values):
        if isinstance(value, str):
            places[value].append(place)
    return [found for found in places.values() if len(found) > 1]


def _twice(path: str, key: str, places: Sequence[int]) -> Text:
    shown = [f"{path}[{place}]{key and '.' + key}" for place in places[:_MOST_PLACES]]
    return say("render.web_twice", places=shown, path=shown[0])


def _join(path: str, name: str) -> str:
    """Return the path of a part; a name that may be more than one, as where a colon is missing, is masked."""
    shown = name if _PLAIN_NAME.fullmatch(name) else MASK
    return f"{path}.{shown}" if path else shown


def _wrong(path: str, value: YamlValue, accepted: Text, kind: object = None) -> Text:
    at = disguised(value) if isinstance(value, str) else None
    if isinstance(value, str) and at is not None:
        return say("render.web_sign", path=path, nth=at + 1, problem=sentence(value[at]))
    if value is None:
        return say("render.web_empty", path=path, accepted=accepted)
    if isinstance(value, str) and value and _split(kind)[0] is str:
        return say("settings.wrong_form", name=path, accepted=accepted)
    return wrong_value(path, value, accepted=accepted, takes=partial(_takes, kind), is_secret=kind is str)


def _takes(kind: object, value: YamlValue) -> bool:
    """Tell whether a value has the type; of text without a rule, as of variables, none is shown."""
    return kind is not None and fits(value, kind)


def _unknown(path: str, name: str, fields: list[str]) -> Text:
    return not_known(say("render.web_unknown", path=path, keys=fields), name, fields, path=path)
