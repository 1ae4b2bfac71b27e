"""Checks against Kubernetes' published schemas: fields, values' types, apiVersions. Pure: performs no I/O.

Of a kind that nobody describes only the containers are looked at, where it keeps a pod template as
Kubernetes' own kinds do.
"""

from __future__ import annotations

from collections.abc import Iterator

from bcs_template_set.manifests.checks.finding import (
    CheckInput,
    DocumentInFile,
    Finding,
    check,
    type_name,
)
from bcs_template_set.manifests.checks.objects import is_object
from bcs_template_set.manifests.fields import is_left_for_bcs
from bcs_template_set.manifests.schema.field_types import KindEntry, field_types
from bcs_template_set.messages.spelling import nearest


@check("unknown-field")
def check_field_names(checked: CheckInput) -> Iterator[Finding]:
    """Yield fields that Kubernetes drops without a word: misspelt, misplaced, or of another version."""
    for place, problem in checked.problems:
        if problem.what == "unknown":
            kind = "misplaced" if problem.belongs else "misspelt" if problem.near else "unknown"
            named = {"near": problem.near, "belongs": problem.belongs}
            yield checked.finding(place, problem.path, f"field_{kind}", **named)
        elif problem.what in ("since", "until"):
            yield checked.finding(place, problem.path, f"field_{problem.what}", version=problem.version)


@check("field-type")
def check_field_types(checked: CheckInput) -> Iterator[Finding]:
    """Yield fields whose value is of a type that the API server refuses."""
    for place, problem in checked.problems:
        if problem.what == "type":
            wanted, given = type_name(problem.wanted), type_name(problem.given)
            yield checked.finding(place, problem.path, wanted=wanted, given=given)


@check("field-value")
def check_field_words(checked: CheckInput) -> Iterator[Finding]:
    """Yield fields that hold none of the few words that the API server takes there."""
    for place, problem in checked.problems:
        if problem.what == "word":
            yield checked.finding(place, problem.path, known=list(problem.words))


@check("api-version")
def check_api_versions(checked: CheckInput) -> Iterator[Finding]:
    """Yield objects whose apiVersion none of the Kubernetes in question serves, or never had this kind."""
    types = field_types()
    for place in checked.places:
        api_version, kind = place.document.api_version, place.document.kind
        entry = types.entry(api_version, kind)
        if not api_version or (entry is not None and checked.kubernetes.has(entry.since, entry.until)):
            continue
        is_sure = is_object(place) and not is_left_for_bcs(api_version + kind)
        if is_sure and types.is_meant(api_version, kind):
            yield _refused(checked, place, entry)


def _refused(checked: CheckInput, place: DocumentInFile, entry: KindEntry | None) -> Finding:
    """Return the finding: which Kubernetes has the kind there, and where it is now."""
    types, document = field_types(), place.document
    others = types.api_versions_of(document.kind, checked.kubernetes)
    named = {"given": document.api_version, "kind": document.kind}
    if entry is None:
        if others:
            return checked.finding(place, "apiVersion", "api_elsewhere", **named, now=others[0])
        known = (types.kinds_in(document.api_version), types.all_kinds())
        near = next(filter(None, (nearest(document.kind, kinds) for kinds in known)), None)
        if near is not None:
            return checked.finding(place, "kind", "api_misspelt", **named, near=near)
        return checked.finding(place, "apiVersion", "api_unknown", **named)
    is_early = entry.since > checked.kubernetes.last
    if others:
        form = "api_since" if is_early else "api_removed"
    else:
        form = "api_since_for_good" if is_early else "api_removed_for_good"
    version = entry.since if is_early else entry.until + 1
    return checked.finding(place, "apiVersion", form, **named, version=version, now=(*others, "")[0])
