"""Read several versions of template files at once. Only reads leave this module."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from bcs_template_set.bcs import protocol
from bcs_template_set.bcs.calls import Reader
from bcs_template_set.bcs.protocol import TemplateVersion
from bcs_template_set.overlap import overlap, values_of


def read_versions(
    reader: Reader, project: str, ids: Iterable[str], *, concurrency: int
) -> dict[str, TemplateVersion]:
    """Return the versions of these ids, each read once.

    Raises:
        StepError: one of them could not be read.
    """
    wanted = list(dict.fromkeys(ids))
    reads = [partial(reader.read, protocol.get_version(project, version_id)) for version_id in wanted]
    return dict(zip(wanted, values_of(overlap(reads, concurrency=concurrency))))
