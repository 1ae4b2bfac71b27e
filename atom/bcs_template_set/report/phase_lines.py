"""What the settings and render phases say in the log, each as a folded group. Pure: returns lines."""

from __future__ import annotations

from collections.abc import Sequence

from bcs_template_set.config.inputs import INPUTS, Settings, VerifyUrl
from bcs_template_set.manifests.parse import ManifestFile
from bcs_template_set.messages import Language, say
from bcs_template_set.messages.text import one_line, shorten, table
from bcs_template_set.report.log_lines import LogLine

_MOST_FILES = 200
_COLUMNS = 120


def settings_lines(settings: Settings, *, language: Language) -> list[LogLine]:
    """Return the inputs that were given, one a line; those left at their default are only counted.

    YAML is not shown: its lines may hold what is nobody's business. What it renders to is in the report.
    """
    shown = [(known.name, _shown(settings, known.name, known.kind, language)) for known in INPUTS]
    defaults = {known.name: known.default for known in INPUTS}
    given = [[name, value] for name, value in shown if value not in (defaults[name], "")]
    count = say("log.inputs_default", count=len(INPUTS) - len(given)).render(language)
    lines = [LogLine("plain", f"  {line}") for line in table(given, columns=_COLUMNS)]
    title = say("log.group_settings").render(language)
    return _group(title, [*lines, LogLine("plain", f"  {count}")])


def rendered_lines(files: Sequence[ManifestFile], *, language: Language) -> list[LogLine]:
    """Return the rendered files with their templates and documents."""
    title = say("log.group_render", files=len(files), documents=sum(len(f.documents) for f in files))
    rows = [
        [file.name, file.source, ", ".join(document.title for document in file.documents)]
        for file in files[:_MOST_FILES]
    ]
    lines = [LogLine("plain", f"  {line}") for line in table(rows)]
    if len(files) > _MOST_FILES:
        more = say("log.more_files", count=len(files) - _MOST_FILES).render(language)
        lines.append(LogLine("plain", f"  {more}"))
    return _group(title.render(language), lines)


def _group(title: str, lines: list[LogLine]) -> list[LogLine]:
    return [LogLine("group", title), *lines, LogLine("endgroup", "")]


def _shown(settings: Settings, name: str, kind: str, language: Language) -> str:
    value: object = getattr(settings, name)
    if kind == "yaml":
        text = str(value)
        return say("log.yaml_lines", count=len(text.splitlines())).render(language) if text else ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        parts = [item.url if isinstance(item, VerifyUrl) else str(item) for item in value]
        return shorten(one_line(", ".join(parts)), _COLUMNS)
    return shorten(one_line(str(value)), _COLUMNS)
