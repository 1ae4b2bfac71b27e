"""The marks that BCS leaves on an object: which version of which file made it. Pure: performs no I/O."""

from __future__ import annotations

from dataclasses import dataclass

from bcs_template_set.manifests.fields import Fields
from bcs_template_set.manifests.live_fields import annotation_of

TEMPLATE_NAME = "io.tencent.paas.template_name"
TEMPLATE_VERSION = "io.tencent.paas.template_version"
"""Where BCS notes which file, `space/name`, and version it made an object from (facts/bcs.md, trap 7)."""


@dataclass(frozen=True)
class Mark:
    """The file `space/name` and the version that an object was made from, "" where there is no mark."""

    file: str
    version: str


UNMARKED = Mark("", "")


def mark_of(live: Fields) -> Mark:
    """Return what BCS marked an object with."""
    return Mark(annotation_of(live, TEMPLATE_NAME), annotation_of(live, TEMPLATE_VERSION))
