"""Every check of the rendered manifests, and the table of them. Pure: performs no I/O.

A check looks at the whole run and yields findings; it never stops at the first. A file that holds the
comment `# bcs-template-set: allow <id>` is left out of the check of that id, for what the check can't know.
"""

from __future__ import annotations

from collections.abc import Sequence

from bcs_template_set.manifests.checks import (
    bcs_rules,
    comments,
    containers,
    lengths,
    links,
    object_names,
    objects,
    references,
    routing,
    schema_checks,
    selections,
    signs,
    value_rules,
)
from bcs_template_set.manifests.checks.finding import Check, Finding, look_at
from bcs_template_set.manifests.checks.lengths import SAID_OF_HOSTS, WEB_HOST
from bcs_template_set.manifests.manifest_file import ManifestFile

CHECKS: tuple[Check, ...] = tuple(
    entry
    for module in (
        *(bcs_rules, comments, objects, object_names, containers, links, routing),
        *(references, selections, lengths, value_rules, schema_checks, signs),
    )
    for entry in vars(module).values()
    if isinstance(entry, Check)
)
"""Every `@check` of these modules, in the order in which they stand there."""

_BY_SCHEMA = frozenset(value.id for value in vars(schema_checks).values() if isinstance(value, Check))


def check_manifests(
    files: Sequence[ManifestFile],
    *,
    template_space: str,
    template_set: bool,
    namespace: str,
    kube_version: str,
    is_whole: bool = True,
) -> tuple[Finding, ...]:
    """Return everything that Kubernetes or BCS would refuse or misread, sorted by file and document.

    `namespace` is the one that is deployed to, "" where nobody knows it yet. `kube_version` names the one
    Kubernetes in question; without it something is wrong only where no version that is known would take it.
    What a check with a sentence of its own finds, the schema does not repeat, nor do names repeat a host that
    is too long for them; also where a comment allows the one. `is_whole`: these are all files of the run;
    without it nothing is missing because it is in none of them. Of a text with a character that is not
    what it looks like nothing else is said.
    """
    checked = look_at(
        files,
        template_space=template_space,
        template_set=template_set,
        namespace=namespace,
        kube_version=kube_version,
        is_whole=is_whole,
    )
    found = [finding for check in CHECKS for finding in check.run(checked)]
    signed = {finding.place for finding in found if finding.id == signs.check_signs.id}
    found = [f for f in found if f.place not in signed or f.id == signs.check_signs.id]
    hosts = {finding.message.fields["host"] for finding in found if finding.id == WEB_HOST}
    long = {file.name for file in files if file.domain in hosts}
    told = {finding.place for finding in found if finding.id not in _BY_SCHEMA}
    kept = (
        finding
        for finding in found
        if finding.id not in checked.allowed[finding.file]
        and not (finding.id in _BY_SCHEMA and finding.place in told)
        and not (finding.id in SAID_OF_HOSTS and finding.file in long)
    )
    return tuple(sorted(kept, key=Finding.order))
