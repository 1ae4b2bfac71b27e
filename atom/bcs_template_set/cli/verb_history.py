"""`bcs-template-set history`: the versions of a domain, which are current and which live. Only reads."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial

from bcs_template_set.bcs import protocol
from bcs_template_set.bcs.answers import TemplateFile
from bcs_template_set.cli.desk_reading import Folder
from bcs_template_set.messages import Language, say
from bcs_template_set.messages.text import json_text
from bcs_template_set.report.history_rows import history_document, history_lines
from bcs_template_set.rollout.past_versions import Versions, history_rows
from bcs_template_set.rollout.read_status import read_lists
from bcs_template_set.rollout.revisions import revisions_of
from bcs_template_set.system.parallel import overlap, values_of


def look_at_history(folder: Folder, *, as_json: bool, language: Language) -> Iterable[str]:
    """Return the lines that tell the versions of a folder's files."""
    reads = [partial(_versions, folder, file) for file in folder.files]
    files = values_of(overlap(reads, concurrency=folder.concurrency))
    lists = (
        read_lists(folder.reader, folder.deploying, concurrency=folder.concurrency)
        if folder.deploying is not None
        else None
    )
    revisions = revisions_of(lists.replica_sets) if lists is not None else {}
    rows = history_rows(
        files,
        space=folder.space.name,
        live=lists.objects.rows if lists is not None else None,
        revisions=[one for found in revisions.values() for one in found],
    )
    unknown = [
        say("history.not_known", kind=kind.name, problem=error.title())
        for kind, error in (lists.objects.unread if lists is not None else {}).items()
    ]
    if as_json:
        document = {
            "space": folder.space.name,
            "versions": history_document(rows),
            "not_known": [text.render(language) for text in unknown],
        }
        return [json_text(document)]
    return [*history_lines(rows, language=language), *(text.render(language) for text in unknown)]


def _versions(folder: Folder, file: TemplateFile) -> Versions:
    call = protocol.list_versions(folder.settings.project_code, file.id)
    return Versions(file, tuple(v for v in folder.reader.read(call) if not v.draft))
