"""A run as the lines of its log (design section 7). Pure: returns lines, prints none.

A line that is not "foreign" is one line, whatever the data in it. The fixed words create, update,
unchanged, conflict, skip and failed are the same in both languages.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from typing import Literal

from bcs_template_set.config.inputs import INPUTS, Settings, VerifyUrl
from bcs_template_set.manifests.document_diff import count_lines
from bcs_template_set.manifests.manifest_file import ManifestFile, empty_text, left_out_of
from bcs_template_set.messages import Language, Text, say
from bcs_template_set.messages.step_error import Detail, count_of, indent_of
from bcs_template_set.messages.text import one_line, pad, shorten, table, text_lines, width
from bcs_template_set.publish.file_outcome import FileOutcome
from bcs_template_set.publish.plan import Change, Plan
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.report.outcome import Heading, Identity
from bcs_template_set.report.row_table import plan_table
from bcs_template_set.report.rows import counted, rows_of_plan
from bcs_template_set.report.shown_limits import (
    LOG_DIFF_COLUMNS,
    LOG_DIFF_LINES,
    LOG_DIFF_LINES_PER_FILE,
    LOG_INPUT_COLUMNS,
    LOG_RENDERED_FILES,
)
from bcs_template_set.report.verdict import file_error, listed, plan_leaves

LineKind = Literal["info", "plain", "warning", "error", "group", "endgroup", "foreign"]


@dataclass(frozen=True)
class LogLine:
    """One line for the log; "foreign" text may have several lines, none of them ours."""

    kind: LineKind
    text: str


class Lines:
    """Collects lines in one language; everything but foreign text is made one line."""

    def __init__(self, language: Language) -> None:
        self._language: Language = language
        self.lines: list[LogLine] = []

    def words(self, text: Detail) -> str:
        """Return a text in the language of the log, on one line."""
        return one_line(text.render(self._language) if isinstance(text, Text) else text)

    def add(self, kind: LineKind, text: Detail, *, indent: int = 0) -> None:
        """Add a line."""
        self.lines.append(LogLine(kind, " " * indent + self.words(text)))

    def listed(self, kind: LineKind, texts: Sequence[Detail]) -> None:
        """Add a list, as long as people read."""
        for text in listed(texts):
            self.lines.append(LogLine(kind, f"{indent_of(text)}  - {self.words(text)}"))

    def plain(self, lines: Iterable[str], *, indent: int = 0) -> None:
        """Add lines that are words already."""
        self.lines += [LogLine("plain", " " * indent + line) for line in lines]

    @contextmanager
    def group(self, title: Text) -> Iterator[None]:
        """Fold what is added inside."""
        self.add("group", title)
        yield
        self.lines.append(LogLine("endgroup", ""))

    def foreign(self, lines: Iterable[str]) -> None:
        """Add the text of somebody else."""
        self.lines.append(LogLine("foreign", "\n".join(lines)))


# --- header ---------------------------------------------------------------------------------------------


def header_lines(heading: Heading, identity: Identity | None, *, language: Language) -> list[LogLine]:
    """Return what the run is: version of the step, acting user and why, app, project, target."""
    out = Lines(language)
    out.add("info", say("log.header", version=heading.step_version, action=heading.action))
    facts = [*_identity_facts(identity), *_heading_facts(heading)]
    labels = [(out.words(say(f"log.label_{name}")), fact) for name, fact in facts]
    columns = max((width(label) for label, _ in labels), default=0)
    out.plain((f"{pad(label, columns)}  {out.words(fact)}" for label, fact in labels), indent=2)
    return out.lines


def _identity_facts(identity: Identity | None) -> list[tuple[str, Detail]]:
    if identity is None:
        return []
    user = say("log.acting_user", name=identity.acting_user, reason=identity.reason)
    known = (("app", identity.app_code), ("credential", identity.credential))
    facts: list[tuple[str, Detail]] = [("acting_user", user), *((name, fact) for name, fact in known if fact)]
    if identity.starter and identity.starter != identity.acting_user:
        facts.append(("starter", say("log.starter", name=identity.starter)))
    return facts


def _heading_facts(heading: Heading) -> list[tuple[str, Detail]]:
    has_target, has_build = heading.project or heading.region, heading.pipeline or heading.build_number
    facts: tuple[tuple[str, Detail], ...] = (
        ("target", target_text(heading) if has_target else ""),
        ("template_set", heading.template_set),
        ("version", heading.version),
        ("build", build_text(heading) if has_build else ""),
        ("proxy", heading.proxy),
        ("certificates", heading.certificates),
    )
    return [(name, fact) for name, fact in facts if fact]


def target_text(heading: Heading) -> Text:
    """Return where the files go: region, project and folder."""
    return say("log.target", region=heading.region, project=heading.project, space=heading.space)


def build_text(heading: Heading) -> Text:
    """Return which build this is: pipeline, number, branch, commit."""
    text = say("log.build_alone", number=heading.build_number)
    if heading.pipeline:
        text = say("log.build", pipeline=heading.pipeline, number=heading.build_number)
    if heading.branch:
        text = say("log.build_branch", build=text, branch=heading.branch)
    if heading.commit:
        text = say("log.build_commit", build=text, commit=heading.commit[:8])
    return text


# --- settings, render --------------------------------------------------------------------------------


def settings_lines(settings: Settings, *, language: Language) -> list[LogLine]:
    """Return the inputs that were given, one a line; those left at their default are only counted.

    YAML is not shown: its lines may hold what is nobody's business. What it renders to is in the report.
    """
    shown = [(known.name, _input_text(settings, known.name, known.kind, language)) for known in INPUTS]
    defaults = {known.name: known.default for known in INPUTS}
    given = [[name, value] for name, value in shown if value != defaults[name]]
    out = Lines(language)
    with out.group(say("log.group_settings")):
        out.plain(table(given, columns=LOG_INPUT_COLUMNS), indent=2)
        out.add("plain", say("log.inputs_default", count=len(INPUTS) - len(given)), indent=2)
    return out.lines


def rendered_lines(
    files: Sequence[ManifestFile], empty: Sequence[ManifestFile] = (), *, scope: Text, language: Language
) -> list[LogLine]:
    """Return the rendered files with their templates and documents, and what renders to none."""
    documents = sum(len(file.documents) for file in files)
    title = say("log.group_render", scope=scope, files=len(files), documents=documents)
    rows = [
        [file.name, file.source, ", ".join(document.title for document in file.documents)]
        for file in files[:LOG_RENDERED_FILES]
    ]
    out = Lines(language)
    with out.group(title):
        out.plain(table(rows), indent=2)
        if len(files) > LOG_RENDERED_FILES:
            out.add("plain", say("log.more_files", count=len(files) - LOG_RENDERED_FILES), indent=2)
        for said in (*left_out_of([*files, *empty]), *empty_text(empty)):
            out.add("plain", said, indent=2)
    return out.lines


def warning_lines(warnings: Sequence[Detail], *, language: Language) -> list[LogLine]:
    """Return warnings, as many as people read, each as deep as it stands in its list."""
    out = Lines(language)
    for warning in listed(warnings):
        out.add("warning", warning, indent=len(indent_of(warning)))
    return out.lines


def _input_text(settings: Settings, name: str, kind: str, language: Language) -> str:
    value: object = getattr(settings, name)
    if kind == "yaml":
        text = str(value)
        return say("log.yaml_lines", count=len(text.splitlines())).render(language) if text else ""
    if kind == "flag":
        return str(value).lower()
    if isinstance(value, tuple):
        parts = [item.url if isinstance(item, VerifyUrl) else str(item) for item in value]
        return one_line(", ".join(parts))
    return one_line(str(value))


# --- plan -----------------------------------------------------------------------------------------------


def plan_lines(plan: Plan, *, language: Language) -> list[LogLine]:
    """Return the plan: counts, table, folded differences, what stands against it, notes, digest.

    The differences are a group of their own: no other group may be open around these lines.
    """
    out = Lines(language)
    rows = rows_of_plan(plan)
    counts = counted(rows, is_planned=True)
    out.add("info", say("log.plan_counts", version=plan.version, counts=counts))
    out.plain(plan_table(rows, language=language))
    _add_target_changes(out, plan)
    _add_diffs(out, [change for row in rows for change in row.differing])
    _add_obstacles(out, plan)
    of_files = [note for change in plan.changes for note in change.notes]
    for note in (*plan_leaves(plan), *listed(plan.notes), *listed(of_files)):
        out.add("warning", note)
    blind = plan.pruning.blind if plan.pruning.mode == "delete" else None
    if blind is not None:
        out.add("warning", say("prune.nothing_deleted", why=blind))
    if plan.writes or plan.pruning.deletes:
        out.add("info", say("log.plan_digest", digest=plan.digest))
    return out.lines


def going_back_lines(
    target: str, plan: Plan, files: Sequence[tuple[str, Text]], *, language: Language
) -> list[LogLine]:
    """Return of each file which version it goes back to, or since which build it is as it was."""
    out = Lines(language)
    with out.group(say("rollback.group", target=target, version=plan.version)):
        out.plain(table([[name, out.words(text)] for name, text in files]), indent=2)
    return out.lines


def _add_target_changes(out: Lines, plan: Plan) -> None:
    if plan.creates_space:
        out.add("info", say("log.creates_space", space=plan.target.space))
    is_unchanged = all(change.action == "unchanged" for change in plan.changes)
    if plan.chart != "none" or (plan.target.template_set and is_unchanged):
        out.add("info", say(f"log.chart_{plan.chart}", name=plan.target.template_set, version=plan.version))


def _add_diffs(out: Lines, changes: Sequence[Change]) -> None:
    if not changes:
        return
    left = LOG_DIFF_LINES
    with out.group(say("log.group_diff", count=len(changes))):
        for change in changes:
            shown = text_lines(change.diff, most=min(LOG_DIFF_LINES_PER_FILE, left))
            left -= len(shown)
            only = f": {out.words(change.only)}" if change.only is not None else ""
            out.add("plain", f"{change.action} {change.name}{only}")
            if shown:
                out.foreign(shorten(line, LOG_DIFF_COLUMNS) for line in shown)
            more = count_lines(change.diff) - len(shown)
            if more:
                out.add("plain", say("log.diff_more", count=more), indent=2)


def _add_obstacles(out: Lines, plan: Plan) -> None:
    obstacles: tuple[tuple[str, tuple[Text, ...]], ...] = (
        ("conflicts", plan.conflicts),
        ("taken", plan.taken),
        ("lost_routes", plan.lost_routes),
        ("newer_builds", plan.newer_builds),
    )
    for name, texts in obstacles:
        if texts:
            out.add("warning", say(f"log.{name}", count=sum(map(count_of, texts))))


# --- publish --------------------------------------------------------------------------------------------


def file_lines(file: FileOutcome, *, language: Language) -> list[LogLine]:
    """Return the line for one file that was to be written, and one for each thing learnt on the way."""
    out = Lines(language)
    word = file.word
    kind: LineKind = "error" if word in ("failed", "conflict") else "plain"
    out.add(kind, f"{word:<9}  {file.change.name}  {out.words(_ended(file))}")
    told = set(map(str, file.change.notes))
    for note in listed([note for note in file.notes if str(note) not in told]):
        out.add("warning", note)
    return out.lines


def _ended(file: FileOutcome) -> Detail:
    if file.error is not None:
        return file_error(file.error)
    if file.state == "applied":
        pins = "written_and_pin" if file.change.moves_pin else "written"
        name = pins if file.change.writes_version else "written_pin"
        return say(f"log.{name}", version=file.version, id=file.version_id, creator=file.creator or "?")
    return say("log.not_attempted")
