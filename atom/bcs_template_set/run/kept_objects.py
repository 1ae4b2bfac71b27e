"""Jobs that are live and can't be replaced, looked for before anything is written. Only reads.

The deployment refuses them too (rollout/deployment_plan.py), but by then their file's new version is
published.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence

from bcs_template_set.bcs.calls import Reader
from bcs_template_set.bcs.deploy_calls import NamespaceRef, get_live, list_live
from bcs_template_set.bcs.space.existing import Existing
from bcs_template_set.manifests.fields import Fields, mapping_at, text_at
from bcs_template_set.manifests.kinds import JOB, kind_of
from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.manifests.parse import Document
from bcs_template_set.messages import Text
from bcs_template_set.messages.errors import AppNotGranted, NoPermission, NotReplaceable
from bcs_template_set.messages.server_errors import ApiMissing, BcsFailed
from bcs_template_set.rollout.as_wanted import is_as_wanted
from bcs_template_set.rollout.deployment_plan import kept_text


def jobs_of(files: Sequence[ManifestFile]) -> list[tuple[ManifestFile, Document]]:
    """Return the Jobs of these files, but for files with variables: what BCS fills in is not known yet."""
    return [(file, job) for file in files if not file.variables for job in file.documents if is_job(job)]


def check_jobs(
    reader: Reader,
    place: NamespaceRef,
    jobs: Sequence[tuple[ManifestFile, Document]],
    existing: Existing,
    *,
    again: bool,
) -> None:
    """Refuse files that hold a live Job and have to be sent, for it, for what is beside it, or `again`.

    Where nobody may look, it is left to the deployment.

    Raises:
        NotReplaceable: a detail for each Job.
        StepError: whatever else the gateway or BCS answered.
    """
    try:
        live = _live_jobs(reader, place, {job.name for _, job in jobs})
    except (NoPermission, ApiMissing, AppNotGranted, BcsFailed):
        return
    found = [_kept(file, job, live.get(job.name), existing, again=again) for file, job in jobs]
    kept = [one for one in found if one is not None]
    if kept:
        raise NotReplaceable(details=[text for text, _ in kept], only_again=all(only for _, only in kept))


def is_job(document: Document) -> bool:
    """Tell whether a document is a Job without a selector of its own."""
    is_job = kind_of(document.api_version, document.kind) is JOB
    return is_job and not mapping_at(document.body, "spec").get("selector")


def _live_jobs(reader: Reader, place: NamespaceRef, names: Collection[str]) -> dict[str, Fields]:
    """Return those of these Jobs that are live, whole; a list has only their names (trap 12)."""
    listed = reader.read(list_live(place, kind=JOB)).manifest.get("items")
    rows = [row for row in (listed if isinstance(listed, list) else []) if isinstance(row, dict)]
    there = {text_at(row, "metadata", "name") for row in rows}
    return {
        name: reader.read(get_live(place, kind=JOB, name=name)).manifest for name in sorted(there & {*names})
    }


def _kept(
    file: ManifestFile, job: Document, live: Fields | None, existing: Existing, *, again: bool
) -> tuple[Text, bool] | None:
    """Return that a live Job is in the way, and whether that is of `again` alone; None where it is not."""
    if live is None:
        return None
    found = existing.files.get(file.name)
    before = [d.body for d in (found.documents if found is not None else None) or () if not is_job(d)]
    is_same_beside = before == [document.body for document in file.documents if not is_job(document)]
    as_it_is = is_as_wanted(job.body, live)
    is_live = as_it_is and is_same_beside
    if is_live and not again:
        return None
    return kept_text(job.title, file=file.name, as_it_is=as_it_is), is_live
