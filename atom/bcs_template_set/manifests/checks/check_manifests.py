"""Every check of the rendered manifests, and the table of them. Pure: performs no I/O.

A check looks at the whole run and yields findings; it never stops at the first. A file that holds the
comment `# bcs-template-set: allow <id>` is left out of the check of that id, for what the check can't know.
"""

from __future__ import annotations

from collections.abc import Sequence

from bcs_template_set.manifests.checks import (
    bcs_rules,
    images,
    links,
    object_names,
    objects,
    routing,
    splitting,
)
from bcs_template_set.manifests.checks.finding import Check, Finding, Run
from bcs_template_set.manifests.manifest_file import ManifestFile

_TABLE: tuple[Check, ...] = (
    Check("file-name", bcs_rules.check_file_names),
    Check("empty-file", bcs_rules.check_empty_files),
    Check("document-split", splitting.check_splitting),
    Check("leftover-variable", bcs_rules.check_leftovers),
    Check("template-set-variable", bcs_rules.check_template_set),
    Check("missing-kind", objects.check_kinds),
    Check("required-field", objects.check_required),
    Check("duplicate-object", objects.check_duplicates),
    Check("object-name", object_names.check_object_names),
    Check("container-name", object_names.check_container_names),
    Check("label", object_names.check_labels),
    Check("annotation", object_names.check_annotations),
    Check("env-value", objects.check_env),
    Check("image-tag", images.check_tags),
    Check("volume-mount", objects.check_mounts),
    Check("pod-selector", links.check_pod_selectors),
    Check("service-selector", links.check_service_selectors),
    Check("service-port", links.check_service_ports),
    Check(links.INGRESS_SERVICE, links.check_ingress_services),
    Check("ingress-tls", routing.check_tls),
    Check("node-port", routing.check_node_ports),
    Check(routing.ROUTE_CLASH, routing.check_routes),
)


def check_manifests(
    files: Sequence[ManifestFile], *, template_space: str, template_set: bool
) -> tuple[Finding, ...]:
    """Return everything that Kubernetes or BCS would refuse or misread, sorted by file and document."""
    run = Run(
        files=tuple(sorted(files, key=lambda file: file.name)),
        template_space=template_space,
        template_set=template_set,
    )
    found = (
        finding for check in _TABLE for finding in check.run(run) if not run.allows(finding.file, check.id)
    )
    return tuple(sorted(found, key=Finding.order))


def all_checks() -> tuple[Check, ...]:
    """Return the table of checks: ids and, as `summary`, what each looks at."""
    return _TABLE
