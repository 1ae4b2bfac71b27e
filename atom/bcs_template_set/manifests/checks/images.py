"""The check of image addresses. Pure: performs no I/O."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Optional

from bcs_template_set.manifests.checks.finding import CheckInput, Finding, finding
from bcs_template_set.manifests.fields import is_left_for_bcs
from bcs_template_set.manifests.pod_templates import containers_of


def check_tags(run: CheckInput) -> Iterator[Finding]:
    """Yield images without a tag or with `latest`: what runs would then change without a new version."""
    for workload in run.workloads:
        for container in containers_of(workload.pod):
            if container.image and not is_left_for_bcs(container.image):
                field = workload.pod.field(f"{container.place}.image")
                tag = tag_of(container.image)
                if tag is None:
                    yield finding("image-tag", workload, field, "image_untagged", image=container.image)
                elif tag in ("latest", ""):
                    yield finding("image-tag", workload, field, "image_latest", image=container.image)


def tag_of(image: str) -> Optional[str]:
    """Return an image's tag or, where it has one, its digest; None where it has neither.

    A colon before the last slash is a registry's port.
    """
    name, at, digest = image.partition("@")
    if at:
        return digest
    _, colon, tag = name.rpartition("/")[2].partition(":")
    return tag if colon else None
