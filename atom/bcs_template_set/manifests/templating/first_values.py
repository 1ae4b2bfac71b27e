"""The first values of `builtin:web`, guessed from objects that are there. Pure: performs no I/O.

Names decide which objects belong to a domain (facts/manifests.md, "Names"). A guess is only that: whether the
values make the same objects is for the difference to say, so what no value expresses is not looked at here.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import field
from typing import Optional

from bcs_template_set.manifests.fields import Fields, list_at, mapping_at, text_at
from bcs_template_set.manifests.live_fields import annotation_of
from bcs_template_set.manifests.naming import DomainNames
from bcs_template_set.manifests.routes import INGRESS_CLASS, LOAD_BALANCER
from bcs_template_set.manifests.templating.web_values import AUTO, LEFT_OUT, Domain, Probe, Web
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.records.late_dataclass import dataclass

_DEPLOYMENT = re.compile(r"Deployment/deployment\.([a-z0-9-]+)\.(.+)")
_INGRESS = re.compile(r"Ingress/ingress-(.+)-([0-9]{1,3})")
_SECRET_NAME = re.compile(r"(?i)passw|pwd|secret|token|credential|private|api_?key|access_?key|dsn")
_SECRET_VALUE = re.compile(r"://[^/\s:@]*:[^/\s@]+@|-----BEGIN |^eyJ[\w-]+\.[\w-]+\.")
"""What tells that a literal is a secret: its variable's name, or a password in an address, a key, a token."""

Objects = Mapping[str, Fields]
"""Whole objects by `Kind/name`."""


@dataclass(frozen=True)
class FoundDomain:
    """The values of one domain, and the objects that they are to make, by `Kind/name`."""

    app: str
    host: str
    values: Mapping[str, YamlValue] = field(repr=False)
    objects: Objects = field(repr=False)


@dataclass(frozen=True)
class FirstValues:
    """The domains that were found, with what they share; `others` are objects of no domain, `Kind/name`."""

    app: str
    shared: Mapping[str, YamlValue]
    domains: tuple[FoundDomain, ...]
    others: tuple[str, ...]

    def of(
        self, domains: Iterable[FoundDomain], *, hides: Optional[Callable[[str], bool]] = None
    ) -> dict[str, YamlValue]:
        """Return the values of these domains, to be written, or shown if `hides` knows what must not be."""
        rows: list[YamlValue] = [
            dict(one.values if hides is None else without_secrets(one.values, hides)) for one in domains
        ]
        return {"app": self.app, **self.shared, "domains": rows}


def first_values(objects: Objects) -> FirstValues:
    """Return the values that these objects of a namespace, or a folder, may have been made from.

    What all domains of a file share is what most have: the others will not fit.
    """
    domains = tuple(_domains(objects))
    used = {title for one in domains for title in one.objects}
    served = [one for one in domains if len(one.objects) > 1] or domains
    app = _most([one.app for one in served])
    own = [body for one in served if one.app == app for body in one.objects.values()]
    pods = [_pod(body) for body in own if body.get("kind") == "Deployment"]
    ingresses = [body for body in own if body.get("kind") == "Ingress"]
    secrets = _most([" ".join(_names(list_at(pod, "imagePullSecrets"))) for pod in pods])
    ingress_class = _most([annotation_of(body, INGRESS_CLASS) for body in ingresses])
    shared: dict[str, YamlValue] = {}
    if secrets:
        shared["image_pull_secrets"] = [*secrets.split()]
    if ingress_class not in ("", Web.shape.defaults["ingress_class"]):
        shared["ingress_class"] = ingress_class
    others = sorted(title for title in objects if title not in used and not title.startswith(_AUTOSCALER))
    return FirstValues(app, shared, domains, tuple(others))


_AUTOSCALER = "HorizontalPodAutoscaler/"


def _most(texts: Sequence[str]) -> str:
    """Return the text that is there most often, "" where there is none."""
    counted = Counter(texts)
    return max(counted, key=counted.__getitem__, default="")


def _names(rows: Iterable[YamlValue]) -> list[str]:
    return [text_at(mapping_at(row), "name") for row in rows]


def _pod(body: Fields) -> Fields:
    return mapping_at(body, "spec", "template", "spec")


def _domains(objects: Objects) -> Iterator[FoundDomain]:
    for title, body in sorted(objects.items()):
        named = _DEPLOYMENT.fullmatch(title)
        if named is None:
            continue
        app, host = named.groups()
        names = DomainNames(app, host)
        own: dict[str, Fields] = {title: body}
        service = objects.get(f"Service/{names.service}")
        if service is not None:
            own[f"Service/{names.service}"] = service
        ingresses = _ingresses(objects, host)
        own.update(ingresses)
        scalers = [scaler for scaler in _scalers(objects) if _scales(scaler, names.deployment)]
        autoscale: Optional[dict[str, YamlValue]] = None
        for scaler in scalers:
            if text_at(scaler, "metadata", "name") == names.deployment:
                plain = as_v1(scaler)
                own[f"{_AUTOSCALER}{names.deployment}"] = plain
                autoscale = _autoscale(plain)
        values = {
            "host": host,
            **_of_deployment(body, is_scaled=bool(scalers)),
            "autoscale": autoscale,
            **_of_service(service or {}),
            **_of_ingresses(tuple(ingresses.values())),
        }
        usual = vars(Domain(host=host, image=host))
        kept = {
            key: value
            for key, value in values.items()
            if key not in Domain.shape.defaults or value not in (None, {}, [], usual[key])
        }
        yield FoundDomain(app, host, kept, own)


def _ingresses(objects: Objects, host: str) -> dict[str, Fields]:
    """Return the Ingresses of a host in the order of their load balancers."""
    found = []
    for named in filter(None, map(_INGRESS.fullmatch, objects)):
        of, number = named.groups()
        if of == host:
            found.append((int(number), named.string))
    return {title: objects[title] for _, title in sorted(found)}


# --- autoscalers ----------------------------------------------------------------------------------------


def _scalers(objects: Objects) -> Iterator[Fields]:
    return (body for title, body in objects.items() if title.startswith(_AUTOSCALER))


def _scales(scaler: Fields, deployment: str) -> bool:
    target = mapping_at(scaler, "spec", "scaleTargetRef")
    return (text_at(target, "kind"), text_at(target, "name")) == ("Deployment", deployment)


def as_v1(scaler: Fields) -> Fields:
    """Return an autoscaler in autoscaling/v1 where that says all of it, else as it is.

    A cluster shows it in the version that it prefers.
    """
    spec = mapping_at(scaler, "spec")
    metrics = list_at(spec, "metrics")
    source = mapping_at(mapping_at(metrics[0]), "resource") if len(metrics) == 1 else {}
    percent = source.get("targetAverageUtilization", mapping_at(source, "target").get("averageUtilization"))
    if source.get("name") != "cpu" or percent is None:
        return scaler
    rest = {key: value for key, value in spec.items() if key != "metrics"}
    return {
        **scaler,
        "apiVersion": "autoscaling/v1",
        "spec": {**rest, "targetCPUUtilizationPercentage": percent},
    }


def as_live(made: Fields, live: Fields) -> Fields:
    """Return a rendered object with the number of pods that is live, where that is left to the cluster."""
    spec = mapping_at(made, "spec")
    if not isinstance(spec.get("replicas"), str):
        return made
    return {**made, "spec": {**spec, "replicas": mapping_at(live, "spec").get("replicas")}}


def _autoscale(scaler: Fields) -> dict[str, YamlValue]:
    spec = mapping_at(scaler, "spec")
    keys = {"max": "maxReplicas", "min": "minReplicas", "cpu": "targetCPUUtilizationPercentage"}
    return {key: spec[name] for key, name in keys.items() if name in spec}


# --- a domain's own -------------------------------------------------------------------------------------


def _of_deployment(body: Fields, *, is_scaled: bool) -> dict[str, YamlValue]:
    spec, pod = mapping_at(body, "spec"), _pod(body)
    container = _first(pod, "containers")
    replicas = spec.get("replicas", 1)
    deadline = spec.get("progressDeadlineSeconds")
    return {
        "image": text_at(container, "image"),
        "replicas": AUTO if is_scaled or not isinstance(replicas, int) else replicas,
        "min_ready_seconds": spec.get("minReadySeconds", 0),
        "progress_deadline": None if deadline == 600 else deadline,  # noqa: PLR2004 - Kubernetes' own
        "port": _first(container, "ports").get("containerPort", 80),
        "env": {
            text_at(row, "name"): text_at(row, "value")
            for row in map(mapping_at, list_at(container, "env"))
            if "valueFrom" not in row
        },
        "resources": {key: value for key, value in mapping_at(container, "resources").items() if value},
        "liveness": _probe(mapping_at(container, "livenessProbe")),
        "readiness": _probe(mapping_at(container, "readinessProbe")),
        "volumes": [*_volumes(pod, container)],
    }


def _first(body: Fields, key: str) -> Fields:
    rows = list_at(body, key)
    return mapping_at(rows[0]) if rows else {}


def _probe(probe: Fields) -> Optional[dict[str, YamlValue]]:
    if not probe:
        return None
    keys = {
        "initial_delay": "initialDelaySeconds",
        "period": "periodSeconds",
        "timeout": "timeoutSeconds",
        "failures": "failureThreshold",
    }
    usual = vars(Probe())
    path = text_at(probe, "httpGet", "path")
    found: dict[str, YamlValue] = {"path": path} if path else {}
    found.update(
        {key: probe[name] for key, name in keys.items() if probe.get(name, usual[key]) != usual[key]}
    )
    return found or {"period": usual["period"]}


def _volumes(pod: Fields, container: Fields) -> Iterator[dict[str, YamlValue]]:
    paths = {
        text_at(v, "name"): text_at(v, "hostPath", "path") for v in map(mapping_at, list_at(pod, "volumes"))
    }
    for mount in map(mapping_at, list_at(container, "volumeMounts")):
        name = text_at(mount, "name")
        if paths.get(name):
            read_only: dict[str, YamlValue] = {"read_only": True} if mount.get("readOnly") else {}
            yield {
                "name": name,
                "host_path": paths[name],
                "mount_path": text_at(mount, "mountPath"),
                **read_only,
            }


def _of_service(body: Fields) -> dict[str, YamlValue]:
    return {"node_port": _first(mapping_at(body, "spec"), "ports").get("nodePort", 0)}


def _of_ingresses(bodies: Sequence[Fields]) -> dict[str, YamlValue]:
    rules = _first(mapping_at(bodies[0], "spec"), "rules") if bodies else {}
    return {
        "load_balancers": [annotation_of(body, LOAD_BALANCER) for body in bodies],
        "tls": not bodies or any(list_at(body, "spec", "tls") for body in bodies),
        "paths": [text_at(mapping_at(row), "path") for row in list_at(rules, "http", "paths")],
    }


# --- secrets --------------------------------------------------------------------------------------------


def secrets_in(values: Mapping[str, YamlValue], hides: Callable[[str], bool]) -> list[str]:
    """Name the variables of a domain whose literals look secret, or are one that the step knows."""
    env = mapping_at(values, "env")
    texts = {name: text_at(env, name) for name in env}
    return [name for name, text in texts.items() if _looks_secret(name, text) or hides(text)]


def _looks_secret(name: str, text: str) -> bool:
    return bool(text and (_SECRET_NAME.search(name) or _SECRET_VALUE.search(text)))


def without_secrets(values: Mapping[str, YamlValue], hides: Callable[[str], bool]) -> Mapping[str, YamlValue]:
    """Return the values with a placeholder, which rendering refuses, for each that looks secret."""
    names = secrets_in(values, hides)
    env: dict[str, YamlValue] = {**mapping_at(values, "env"), **dict.fromkeys(names, LEFT_OUT)}
    return {**values, "env": env} if names else values
