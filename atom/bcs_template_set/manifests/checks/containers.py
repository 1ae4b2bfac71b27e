"""Checks of a pod's containers: environment, image, mounts. Pure: performs no I/O."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Optional

from bcs_template_set.manifests.checks.finding import CheckInput, Finding, PodOwner, check, few, type_of
from bcs_template_set.manifests.fields import (
    Paths,
    is_left_for_bcs,
    list_at,
    mapping_at,
    text_at,
)
from bcs_template_set.manifests.image_form import problem_of_image, read_image
from bcs_template_set.manifests.pod_templates import Container, is_filled_in


@check("env-value")
def check_env(checked: CheckInput) -> Iterator[Finding]:
    """Yield environment variables whose value is no text: `PORT: 80` without quotes."""
    for workload in checked.workloads:
        for container in workload.pod.containers:
            for index, entry in enumerate(list_at(container.body, "env")):
                value = mapping_at(entry).get("value")
                if value is not None and not isinstance(value, str):
                    field = workload.pod.field(f"{container.place}.env[{index}].value")
                    name = text_at(mapping_at(entry), "name")
                    yield checked.finding(workload, field, name=name, given=type_of(value))


_HANDLED = ("livenessProbe", "readinessProbe", "startupProbe", "lifecycle.postStart", "lifecycle.preStop")
_ACTIONS = Paths((f"{path}.{action}", path) for path in _HANDLED for action in ("httpGet", "tcpSocket"))


@check("probe-port")
def check_probe_ports(checked: CheckInput) -> Iterator[Finding]:
    """Yield ports by name, of probes and hooks, that their own container does not have.

    Kubernetes looks for them there and nowhere else. A port by number needs no declaration.
    """
    for workload in checked.workloads:
        for container in workload.pod.containers if not is_filled_in(workload.document) else ():
            names = {text_at(port, "name") for port in list_at(container.body, "ports")}
            if any(map(is_left_for_bcs, names)):
                continue
            for where, action, _ in _ACTIONS.found_in(container.body):
                port = text_at(action, "port")
                if port and port not in names and not port.isdecimal() and not is_left_for_bcs(port):
                    field = workload.pod.field(f"{container.place}.{where}.port")
                    yield checked.finding(workload, field, port=port, known=few(names - {""}) or ["-"])


@check("image-tag", warns=True)
def check_tags(checked: CheckInput) -> Iterator[Finding]:
    """Yield images without a tag or with `latest`: what runs would then change without a new version."""
    for workload in checked.workloads:
        for container in workload.pod.containers:
            name = None if _is_unread(workload, container) else read_image(container.image)
            if name is None or name.digest:
                continue
            field, image = workload.pod.field(f"{container.place}.image"), container.image
            if not name.tag:
                yield checked.finding(workload, field, "image_untagged", image=image)
            elif name.tag == "latest":
                yield checked.finding(workload, field, "image_latest", image=image)


def _is_unread(workload: PodOwner, container: Container) -> bool:
    """Tell whether what the image will be nobody can see here."""
    image = container.image
    return not image or is_left_for_bcs(image) or _is_injected(workload, container)


def _is_injected(workload: PodOwner, container: Container) -> bool:
    """Tell whether Istio fills the image in, as it does for gateways ("auto" and a word to its injector)."""
    words = (*workload.pod.annotations, *workload.pod.labels)
    return container.image == "auto" and any("istio.io/" in word and "inject" in word for word in words)


@check("image-name")
def check_images(checked: CheckInput) -> Iterator[Finding]:
    """Yield images that no container runtime can read."""
    for workload in checked.workloads:
        for container in workload.pod.containers:
            if _is_unread(workload, container):
                continue
            problem = problem_of_image(container.image)
            if problem is not None:
                field = workload.pod.field(f"{container.place}.image")
                yield checked.finding(workload, field, problem=problem)


@check("volume-mount")
def check_mounts(checked: CheckInput) -> Iterator[Finding]:
    """Yield mounts of volumes that the pod does not have, and places that two volumes are mounted to."""
    for workload in checked.workloads:
        volumes = _volume_names(workload)
        for container in workload.pod.containers:
            yield from _check_container_mounts(checked, workload, container, volumes)


def _volume_names(workload: PodOwner) -> Optional[frozenset[str]]:
    """Return the names of a pod's volumes, None where BCS or a controller that nobody knows adds to them."""
    if is_filled_in(workload.document):
        return None
    own = {text_at(volume, "name") for volume in list_at(workload.pod.spec, "volumes")}
    claims = list_at(workload.document.body, "spec", "volumeClaimTemplates")
    names = frozenset(own | {text_at(claim, "metadata", "name") for claim in claims})
    return None if any(map(is_left_for_bcs, names)) else names


def _check_container_mounts(
    checked: CheckInput, workload: PodOwner, container: Container, volumes: Optional[frozenset[str]]
) -> Iterator[Finding]:
    taken: set[str] = set()
    for index, mount in enumerate(list_at(container.body, "volumeMounts")):
        name, path = text_at(mount, "name"), text_at(mount, "mountPath")
        at = f"{container.place}.volumeMounts[{index}]"
        if name and volumes is not None and name not in volumes and not is_left_for_bcs(name):
            yield checked.finding(workload, workload.pod.field(f"{at}.name"), "mount_unknown", name=name)
        if path and path in taken:
            yield checked.finding(workload, workload.pod.field(f"{at}.mountPath"), "mount_twice", name=path)
        taken.add(path)
