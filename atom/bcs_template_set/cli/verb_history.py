"""`bcs-template-set history`: the versions of a domain, which are current and which live. Only reads."""

from __future__ import annotations

from collections.abc import Iterable

from bcs_template_set.bcs.space.past_files import read_past_files
from bcs_template_set.cli.desk_reading import Folder
from bcs_template_set.messages import Language, say
from bcs_template_set.messages.text import json_text
from bcs_template_set.report.history_rows import history_document, history_lines
from bcs_template_set.rollout.past_versions import history_rows
from bcs_template_set.rollout.read_status import read_lists
from bcs_template_set.rollout.revisions import revisions_of


def look_at_history(folder: Folder, *, as_json: bool, language: Language) -> Iterable[str]:
    """Return the lines that tell the versions of a folder's files."""
    project = folder.settings.project_code
    files = read_past_files(folder.reader, project, folder.files, concurrency=folder.concurrency)
    lists = (
        read_lists(folder.reader, folder.deploying, concurrency=folder.concurrency)
        if folder.deploying is not None
        else None
    )
    revisions = revisions_of(lists.replica_sets) if lists is not None else {}
    rows = history_rows(
        files.values(),
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
