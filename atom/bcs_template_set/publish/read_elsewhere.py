"""Read what other namespaces run: those of the cluster, and of the project's environments. Only reads.

A run sees one namespace, and a file or version may serve in another. Other clusters are not seen, but for
those that an environment names.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from functools import partial
from typing import Optional, Union

from bcs_template_set.bcs import protocol
from bcs_template_set.bcs.answers import TemplateVersion
from bcs_template_set.bcs.calls import Reader
from bcs_template_set.bcs.deploy_calls import NamespaceRef, list_namespaces
from bcs_template_set.bcs.space.live_objects import LiveRow, read_live_objects
from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.kinds import CONFIG_MAP, kind_of
from bcs_template_set.manifests.parse import parse_foreign
from bcs_template_set.manifests.pod_templates import objects_of
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.server_errors import AnswerUnreadable
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.publish.orphans import FolderFile
from bcs_template_set.publish.read_orphans import Looking, all_of
from bcs_template_set.system.parallel import AT_ONCE, overlap, values_of


def read_everywhere(
    reader: Reader, place: NamespaceRef, *, kinds: Collection[Kind]
) -> Mapping[NamespaceRef, tuple[LiveRow, ...]]:
    """Return the objects of these kinds in every namespace.

    Raises:
        StepError: one of them could not be read, or is not named.
    """
    # What every cluster takes is asked for, too: without the right to look, its list is refused.
    asked = tuple({*kinds, CONFIG_MAP})
    places = {*_places(reader, place)}
    if place not in places:
        raise lacks(place.namespace, place=place)
    reads = [partial(read_live_objects, reader, one, kinds=asked) for one in places]
    return dict(zip(places, map(all_of, values_of(overlap(reads, concurrency=AT_ONCE)))))


def _places(reader: Reader, place: NamespaceRef) -> Iterator[NamespaceRef]:
    for namespace in reader.read(list_namespaces(place)):
        yield NamespaceRef(place.project, place.project_id, place.cluster_id, namespace)
    for environment in reader.read(protocol.list_environments(place.project)):
        for group in environment.cluster_namespaces:
            for namespace in group.namespaces:
                yield NamespaceRef(place.project, place.project_id, group.cluster_id, namespace)


def kinds_in(version: TemplateVersion) -> frozenset[Optional[Kind]]:
    """Return the kinds of a version whose marks tell whether it is live; None for all others."""
    kinds = {kind_of(one.api_version, one.kind) for one in objects_of(parse_foreign(version.content) or ())}
    return frozenset(kind if kind is not None and kind.route else None for kind in kinds)


def lacks(*names: Union[Text, str], place: NamespaceRef) -> StepError:
    """Return that lists lack what is there, and so are not the truth."""
    return AnswerUnreadable(url=place.namespace, problem=say("prune.list_lacks", names=list(names)))


def read_runners(looking: Looking, files: Sequence[FolderFile]) -> dict[str, Text]:
    """Return of files that were deployed why each stays: another namespace runs it, or nobody could look."""
    deployed = {file.name: file for file in files if file.row.latest_deploy_version}
    kinds = {kind for file in deployed.values() for v in file.versions for kind in kinds_in(v) if kind}
    if not deployed:
        return {}
    try:
        found = read_everywhere(looking.reader, looking.place, kinds=kinds)
    except StepError as exc:
        return dict.fromkeys(deployed, say("prune.look_failed", why=exc.title()))
    return {
        name: say("prune.elsewhere", namespace=place.namespace, cluster=place.cluster_id)
        for place, rows in found.items()
        for row in rows
        for name in [row.mark.file_in(looking.space.name)]
        if place != looking.place and name in deployed
    }
