"""The marks that BCS leaves on an object: which version of which file made it. Pure: performs no I/O."""

from __future__ import annotations

from bcs_template_set.manifests.fields import Fields
from bcs_template_set.manifests.live_fields import annotation_of
from bcs_template_set.messages import Text, say
from bcs_template_set.records.late_dataclass import dataclass

TEMPLATE_NAME = "io.tencent.paas.template_name"
TEMPLATE_VERSION = "io.tencent.paas.template_version"
"""Where BCS notes which file, `space/name`, and version it made an object from (facts/bcs.md, trap 7)."""
UPDATOR = "io.tencent.paas.updator"
"""Where BCS notes who deployed it last."""


@dataclass(frozen=True)
class Mark:
    """The file `space/name` and the version that an object was made from, "" where there is no mark."""

    file: str
    version: str

    @property
    def folder(self) -> str:
        """Return the folder of its file."""
        return self.file.partition("/")[0]

    def file_in(self, space: str) -> str:
        """Return the file's name in this folder, "" where it is a file of another one, or none."""
        front = f"{space}/"
        return self.file[len(front) :] if self.file.startswith(front) else ""


UNMARKED = Mark("", "")


def mark_of(live: Fields) -> Mark:
    """Return what BCS marked an object with."""
    return Mark(annotation_of(live, TEMPLATE_NAME), annotation_of(live, TEMPLATE_VERSION))


def told_mark(live: Fields) -> Text:
    """Return the version that an object is marked with, and who deployed it, as far as BCS has noted it."""
    version, user = mark_of(live).version or say("rollout.unmarked"), annotation_of(live, UPDATOR)
    return say("rollout.mark_by" if user else "rollout.mark", version=version, user=user)
