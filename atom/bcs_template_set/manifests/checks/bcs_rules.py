"""Checks of BCS's own rules for files and variables (facts/bcs.md). Pure: performs no I/O."""

from __future__ import annotations

from collections.abc import Iterator

from bcs_template_set.manifests.checks.finding import CheckInput, Finding, check
from bcs_template_set.manifests.checks.splitting import first_other_line
from bcs_template_set.manifests.fields import is_left_for_bcs
from bcs_template_set.manifests.kinds import kind_of
from bcs_template_set.manifests.live_replicas import number_taken_from
from bcs_template_set.manifests.masking import holds_secret
from bcs_template_set.manifests.naming import check_file_name
from bcs_template_set.manifests.parse import Document, bcs_variables_in
from bcs_template_set.manifests.parser_words import PLAIN_KEY
from bcs_template_set.messages.secret import MASK

_SHOWN = 60


@check("file-name")
def check_file_names(checked: CheckInput) -> Iterator[Finding]:
    """Yield files whose `space/name` BCS refuses or would cut."""
    for file in checked.files:
        problem = check_file_name(checked.template_space, file.name)
        if problem is not None:
            yield checked.finding(file, "", "named_wrong", name=file.name, problem=problem)


@check("document-split")
def check_splitting(checked: CheckInput) -> Iterator[Finding]:
    """Yield files of which BCS would read other documents than are there."""
    for file in checked.files:
        line = first_other_line(file)
        if line:
            yield checked.finding(file, "", line=line)


@check("leftover-variable")
def check_leftovers(checked: CheckInput) -> Iterator[Finding]:
    """Yield what BCS would replace although `bcs()` did not say so, whatever name stands in the braces.

    A name that BCS does not know becomes nothing (trap 2). Each is said once a file, at its first line.
    """
    for file in checked.files:
        said: set[str] = set()
        variables = [found for found in bcs_variables_in(file.text) if found.start not in file.places]
        has_secret = bool(variables) and any(map(holds_secret, file.documents))
        line, at = 1, 0
        for variable in variables:
            name = variable.name
            if name in said:
                continue
            said.add(name)
            line, at = line + file.text.count("\n", at, variable.start), variable.start
            shown = name if len(name) <= _SHOWN else name[:_SHOWN] + "…"
            if has_secret and not PLAIN_KEY.fullmatch(name):
                shown = MASK  # a password may have braces
            yield checked.finding(file, "", braced="{{ " + shown + " }}", line=line)


@check("live-replicas")
def check_live_replicas(checked: CheckInput) -> Iterator[Finding]:
    """Yield workloads that take the live number of pods of another one, or of a kind that has none."""
    for place in checked.places:
        document = place.document
        taken = number_taken_from(document.body)
        if taken is None or is_left_for_bcs(document.name):
            continue
        kind = kind_of(document.api_version, document.kind)
        if kind is None or not kind.scales:
            yield checked.finding(place, "spec.replicas", "live_unknown", kind=document.kind)
        elif taken != (document.kind, document.name):
            yield checked.finding(place, "spec.replicas", kind=taken[0], name=taken[1])


@check("template-set-variable")
def check_template_set(checked: CheckInput) -> Iterator[Finding]:
    """Yield files that Helm, which renders a template set, would read as a template (trap 14)."""
    if not checked.template_set:
        return
    for file in checked.files:
        at = file.text.find("{{")
        if at >= 0:
            yield checked.finding(file, "", line=file.text.count("\n", 0, at) + 1)


_CLUSTER_WIDE = {
    "PersistentVolume": "",
    "StorageClass": "storage.k8s.io",
    **dict.fromkeys(("ClusterRole", "ClusterRoleBinding"), "rbac.authorization.k8s.io"),
}
"""Kinds without a namespace that BCS applies with the namespace's permission alone, with groups (trap 17)."""

_NOT_APPLIED = {
    **dict.fromkeys(("Namespace", "Node"), ""),
    "CustomResourceDefinition": "apiextensions.k8s.io",
    "APIService": "apiregistration.k8s.io",
    **dict.fromkeys(
        (
            *("MutatingWebhookConfiguration", "ValidatingWebhookConfiguration"),
            *("ValidatingAdmissionPolicy", "ValidatingAdmissionPolicyBinding"),
        ),
        "admissionregistration.k8s.io",
    ),
    **dict.fromkeys(("CSIDriver", "CSINode", "VolumeAttachment"), "storage.k8s.io"),
    **dict.fromkeys(("FlowSchema", "PriorityLevelConfiguration"), "flowcontrol.apiserver.k8s.io"),
    "CertificateSigningRequest": "certificates.k8s.io",
    "IngressClass": "networking.k8s.io",
    "PodSecurityPolicy": "policy",
    "PriorityClass": "scheduling.k8s.io",
    "RuntimeClass": "node.k8s.io",
}
"""Kubernetes' other kinds without a namespace, with their groups: BCS asks for them inside one (trap 17)."""


@check("cluster-scoped")
def check_cluster_wide(checked: CheckInput) -> Iterator[Finding]:
    """Yield objects that are the whole cluster's: whoever writes a template would act there as our user."""
    for place in checked.places:
        if is_cluster_wide(place.document):
            yield checked.finding(place, "kind", kind=place.document.kind)


def is_cluster_wide(document: Document) -> bool:
    """Tell whether an object is the whole cluster's, and BCS applies it all the same."""
    return _CLUSTER_WIDE.get(document.kind) == document.group


@check("not-applied")
def check_not_applied(checked: CheckInput) -> Iterator[Finding]:
    """Yield objects that BCS can't deploy."""
    for place in checked.places:
        document = place.document
        if _NOT_APPLIED.get(document.kind) == document.group:
            yield checked.finding(place, "kind", kind=document.kind)
