"""Read several versions of template files at once. Only reads leave this module."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from functools import partial
from types import MappingProxyType

from bcs_template_set.bcs import protocol
from bcs_template_set.bcs.answers import TemplateVersion
from bcs_template_set.bcs.calls import Reader, together


def read_versions(
    reader: Reader,
    project: str,
    ids: Iterable[str],
    *,
    known: Mapping[str, TemplateVersion] = MappingProxyType({}),
) -> dict[str, TemplateVersion]:
    """Return the versions of these ids, each read once; those that are known are not read.

    Raises:
        StepError: one of them could not be read.
    """
    wanted = list(dict.fromkeys(ids))
    unread = [version_id for version_id in wanted if version_id not in known]
    reads = [partial(reader.read, protocol.get_version(project, version_id)) for version_id in unread]
    read = dict(zip(unread, together(reader, reads)))
    return {version_id: read.get(version_id) or known[version_id] for version_id in wanted}
