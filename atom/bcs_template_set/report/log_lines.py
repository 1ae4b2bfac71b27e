"""A run as the lines of its log (design section 7). Pure: returns lines, prints none.

A line that is not "foreign" is one line, whatever the data in it. The fixed words create, update,
unchanged, conflict, skip and failed are the same in both languages.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Literal

from bcs_template_set.config.inputs import INPUTS, Settings, VerifyUrl
from bcs_template_set.manifests.document_diff import count_lines
from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.messages import Language, Text, say
from bcs_template_set.messages.step_error import Detail
from bcs_template_set.messages.text import one_line, pad, shorten, table, text_lines, width
from bcs_template_set.publish.file_outcome import FileOutcome
from bcs_template_set.publish.plan import Change, Plan
from bcs_template_set.report.outcome import Heading, Identity, Outcome
from bcs_template_set.report.rollout_story import (
    by_hand_texts,
    deployed_texts,
    live_texts,
    pages_text,
    restoration_texts,
    waited_text,
)
from bcs_template_set.report.rollout_verdict import cure_of, evidence_of_troubles, impact_texts
from bcs_template_set.report.row_table import ending_table, plan_table
from bcs_template_set.report.rows import (
    Row,
    count_words,
    rows_of_outcome,
    rows_of_plan,
    was_attempted,
)
from bcs_template_set.report.shown_limits import (
    LOG_DIFF_COLUMNS,
    LOG_DIFF_LINES,
    LOG_DIFF_LINES_PER_FILE,
    LOG_INPUT_COLUMNS,
    LOG_LINKS,
    LOG_RENDERED_FILES,
)
from bcs_template_set.report.verdict import (
    context_of,
    counts_text,
    details_of,
    failures_of,
    file_error,
    further_obstacles,
    headline,
    left_texts,
    listed,
    plan_leaves,
    written_text,
)
from bcs_template_set.report.workload_rows import rows_of_rollout

LineKind = Literal["info", "plain", "warning", "error", "group", "endgroup", "foreign"]


@dataclass(frozen=True)
class LogLine:
    """One line for the log; "foreign" text may have several lines, none of them ours."""

    kind: LineKind
    text: str


class _Lines:
    """Collects lines in one language; everything but foreign text is made one line."""

    def __init__(self, language: Language) -> None:
        self._language: Language = language
        self.lines: list[LogLine] = []

    def words(self, text: Detail) -> str:
        return one_line(text.render(self._language) if isinstance(text, Text) else text)

    def add(self, kind: LineKind, text: Detail, *, indent: int = 0) -> None:
        self.lines.append(LogLine(kind, " " * indent + self.words(text)))

    def listed(self, kind: LineKind, texts: Sequence[Detail]) -> None:
        for text in listed(texts):
            self.lines.append(LogLine(kind, "  - " + self.words(text)))

    def plain(self, lines: Iterable[str]) -> None:
        self.lines += [LogLine("plain", line) for line in lines]

    def foreign(self, lines: Iterable[str]) -> None:
        self.lines.append(LogLine("foreign", "\n".join(lines)))


# --- header ---------------------------------------------------------------------------------------------


def header_lines(heading: Heading, identity: Identity | None, *, language: Language) -> list[LogLine]:
    """Return what the run is: version of the step, acting user and why, app, project, target."""
    out = _Lines(language)
    out.add("info", say("log.header", version=heading.step_version, action=heading.action))
    facts = [*_identity_facts(identity), *_heading_facts(heading)]
    labels = [(out.words(say(f"log.label_{name}")), fact) for name, fact in facts]
    columns = max((width(label) for label, _ in labels), default=0)
    for label, fact in labels:
        out.lines.append(LogLine("plain", f"  {pad(label, columns)}  {out.words(fact)}"))
    return out.lines


def _identity_facts(identity: Identity | None) -> list[tuple[str, Detail]]:
    if identity is None:
        return []
    facts: list[tuple[str, Detail]] = [("acting_user", _acting_user(identity))]
    if identity.app_code:
        facts.append(("app", identity.app_code))
    if identity.credential:
        facts.append(("credential", identity.credential))
    if identity.starter and identity.starter != identity.acting_user:
        facts.append(("starter", say("log.starter", name=identity.starter)))
    return facts


def _acting_user(identity: Identity) -> Text:
    return say("log.acting_user", name=identity.acting_user, reason=identity.reason)


def _heading_facts(heading: Heading) -> list[tuple[str, Detail]]:
    facts: list[tuple[str, Detail]] = []
    if heading.project or heading.region:
        facts.append(("target", target_text(heading)))
    if heading.template_set:
        facts.append(("template_set", heading.template_set))
    if heading.version:
        facts.append(("version", heading.version))
    if heading.pipeline or heading.build_number:
        facts.append(("build", build_text(heading)))
    facts += [(name, fact) for name, fact in _way_facts(heading) if fact]
    return facts


def _way_facts(heading: Heading) -> list[tuple[str, Detail]]:
    return [("proxy", heading.proxy), ("certificates", heading.certificates)]


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
    given = [[name, value] for name, value in shown if value not in (defaults[name], "")]
    count = say("log.inputs_default", count=len(INPUTS) - len(given)).render(language)
    lines = [LogLine("plain", f"  {line}") for line in table(given, columns=LOG_INPUT_COLUMNS)]
    title = say("log.group_settings").render(language)
    return _group(title, [*lines, LogLine("plain", f"  {count}")])


def rendered_lines(files: Sequence[ManifestFile], *, language: Language) -> list[LogLine]:
    """Return the rendered files with their templates and documents."""
    title = say("log.group_render", files=len(files), documents=sum(len(f.documents) for f in files))
    rows = [
        [file.name, file.source, ", ".join(document.title for document in file.documents)]
        for file in files[:LOG_RENDERED_FILES]
    ]
    lines = [LogLine("plain", f"  {line}") for line in table(rows)]
    if len(files) > LOG_RENDERED_FILES:
        more = say("log.more_files", count=len(files) - LOG_RENDERED_FILES).render(language)
        lines.append(LogLine("plain", f"  {more}"))
    return _group(title.render(language), lines)


def _group(title: str, lines: list[LogLine]) -> list[LogLine]:
    return [LogLine("group", title), *lines, LogLine("endgroup", "")]


def _input_text(settings: Settings, name: str, kind: str, language: Language) -> str:
    value: object = getattr(settings, name)
    if kind == "yaml":
        text = str(value)
        return say("log.yaml_lines", count=len(text.splitlines())).render(language) if text else ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, tuple):
        parts = [item.url if isinstance(item, VerifyUrl) else str(item) for item in value]
        return shorten(one_line(", ".join(parts)), LOG_INPUT_COLUMNS)
    return shorten(one_line(str(value)), LOG_INPUT_COLUMNS)


# --- plan -----------------------------------------------------------------------------------------------


def plan_lines(plan: Plan, *, language: Language) -> list[LogLine]:
    """Return the plan: counts, table, folded differences, what stands against it, notes, digest.

    The differences are a group of their own: no other group may be open around these lines.
    """
    out = _Lines(language)
    rows = rows_of_plan(plan)
    counts = counts_text(count_words(change.action for change in plan.changes))
    out.add("info", say("log.plan_counts", version=plan.version, counts=counts, total=len(plan.changes)))
    out.plain(plan_table(rows, language=language))
    _add_target_changes(out, plan)
    _add_diffs(out, [change for row in rows for change in _changed(row)])
    _add_obstacles(out, plan)
    of_files = [note for change in plan.changes for note in change.notes]
    for note in (*plan_leaves(plan), *listed(plan.notes), *listed(of_files)):
        out.add("warning", note)
    if plan.writes:
        out.add("info", say("log.plan_digest", digest=plan.digest))
    return out.lines


def _changed(row: Row) -> list[Change]:
    return [file.change for file in row.files if file.change.diff and file.word != "unchanged"]


def _add_target_changes(out: _Lines, plan: Plan) -> None:
    if plan.creates_space:
        out.add("info", say("log.creates_space", space=plan.target.space))
    if plan.chart != "none":
        out.add("info", say(f"log.chart_{plan.chart}", name=plan.target.template_set, version=plan.version))


def _add_diffs(out: _Lines, changes: Sequence[Change]) -> None:
    if not changes:
        return
    out.add("group", say("log.group_diff", count=len(changes)))
    left = LOG_DIFF_LINES
    for change in changes:
        shown = text_lines(change.diff, most=min(LOG_DIFF_LINES_PER_FILE, left))
        left -= len(shown)
        out.add("plain", f"{change.action} {change.name}")
        if shown:
            out.foreign(shorten(line, LOG_DIFF_COLUMNS) for line in shown)
        more = count_lines(change.diff) - len(shown)
        if more:
            out.add("plain", say("log.diff_more", count=more), indent=2)
    out.lines.append(LogLine("endgroup", ""))


def _add_obstacles(out: _Lines, plan: Plan) -> None:
    obstacles: tuple[tuple[str, tuple[Text, ...]], ...] = (
        ("conflicts", plan.conflicts),
        ("taken", plan.taken),
        ("lost_routes", plan.lost_routes),
        ("newer_builds", plan.newer_builds),
    )
    for name, texts in obstacles:
        if texts:
            out.add("warning", say(f"log.{name}", count=len(texts)))


# --- publish --------------------------------------------------------------------------------------------


def file_lines(file: FileOutcome, *, language: Language) -> list[LogLine]:
    """Return the line for one file that was to be written, and one for each thing learnt on the way."""
    out = _Lines(language)
    word = file.word
    kind: LineKind = "error" if word in ("failed", "conflict") else "plain"
    out.add(kind, f"{word:<9}  {file.change.name}  {out.words(_ended(file))}")
    _add_new_notes(out, file)
    return out.lines


def _add_new_notes(out: _Lines, file: FileOutcome) -> None:
    told = set(map(str, file.change.notes))
    for note in listed([note for note in file.notes if str(note) not in told]):
        out.add("warning", note)


def _ended(file: FileOutcome) -> Detail:
    if file.error is not None:
        return file_error(file.error)
    if file.state == "applied":
        name = "written_pin" if not file.change.writes_version else "written"
        return say(f"log.{name}", version=file.version, id=file.version_id, creator=file.creator or "?")
    return say("log.not_attempted")


# --- verdict --------------------------------------------------------------------------------------------


def verdict_lines(outcome: Outcome, *, report_path: str = "") -> list[LogLine]:
    """Return the last lines, to be shown outside any group: how each row ended, the verdict, what to do.

    `report_path` is where the HTML report was written, "" where there is none.
    """
    out = _Lines(outcome.language)
    rows = _ended_rows(outcome)
    out.plain(rows)
    for warning in listed(outcome.warnings):
        out.add("warning", warning)
    if outcome.error is not None:
        _add_failure(out, outcome)
    else:
        out.add("info", headline(outcome))
        _add_success(out, outcome, names_files=not rows)
        _add_links(out, outcome)
    if report_path:
        out.add("plain", say("log.report", path=report_path))
    return out.lines


def _ended_rows(outcome: Outcome) -> list[str]:
    """Return the table of how each row ended, of a run that wrote or deployed, or tried to."""
    if not was_attempted(outcome) and outcome.rollout is None:
        return []
    return ending_table(rows_of_outcome(outcome), language=outcome.language)


def _add_success(out: _Lines, outcome: Outcome, *, names_files: bool) -> None:
    heading, plan = outcome.heading, outcome.plan
    if outcome.result == "planned" and plan is not None and plan.writes:
        out.add("plain", say("log.how_to_publish", digest=plan.digest))
    if outcome.result == "skipped" and plan is not None:
        out.listed("plain", plan.newer_builds)
    _add_what_is_live(out, outcome, names_files=names_files)
    if was_attempted(outcome) or outcome.rollout is not None:  # else the plan, right above, has said so
        for text in left_texts(outcome):
            out.add("warning", text)
    if outcome.chart == "created":
        out.add("plain", say("log.chart_created", name=heading.template_set, version=heading.version))
    if outcome.identity is not None:  # pragma: no branch - who succeeds has said who it is
        user = outcome.identity.acting_user
        out.add("plain", say("log.by_whom", user=user, target=target_text(heading)))


def _add_what_is_live(out: _Lines, outcome: Outcome, *, names_files: bool) -> None:
    """Tell what a deployment came to; the files only where no table above names their domains."""
    rollout = outcome.rollout
    if outcome.result != "deployed" or rollout is None:
        return
    for text in live_texts(rollout) if names_files else ():
        out.add("plain", text)
    waited = waited_text(outcome) if rollout.deployed or rollout.watched else None
    for line in [line for line in (waited, pages_text(rollout)) if line is not None]:
        out.add("plain", line)


def _add_failure(out: _Lines, outcome: Outcome) -> None:
    """Tell what happened, who serves meanwhile and what to do; what the cluster says comes last."""
    out.add("error", headline(outcome))
    out.listed("error", details_of(outcome))
    out.listed("error", failures_of(outcome))
    further = further_obstacles(outcome)
    if further:
        out.add("error", say("report.further"))
        out.listed("error", further)
    for text in impact_texts(outcome):
        out.add("warning", text)
    for written in (written_text(outcome), *deployed_texts(outcome), *left_texts(outcome)):
        if written is not None:
            out.add("plain", written)
    _add_way_back(out, outcome)
    evidence = evidence_of_troubles(outcome)
    if not evidence:  # who acts, and where to apply, are part of what to do
        _add_facts(out, outcome)
    out.add("warning", say("context.cure", value=cure_of(outcome)))
    by_hand = by_hand_texts(outcome)
    if by_hand:
        out.add("plain", say("report.by_hand_title"))
        out.listed("plain", by_hand)
    if evidence:
        _add_facts(out, outcome)
        out.add("group", say("log.group_evidence", count=len(evidence)))
        out.listed("plain", evidence)
        out.lines.append(LogLine("endgroup", ""))


def _add_facts(out: _Lines, outcome: Outcome) -> None:
    for fact in context_of(outcome):
        out.add("plain", fact, indent=2)
    _add_links(out, outcome)


def _add_links(out: _Lines, outcome: Outcome) -> None:
    """Tell where the console shows the folder, and what is not ready: of a workload, the pod in its way."""
    troubled = [row for row in rows_of_rollout(outcome) if row.url and not row.is_settled]
    for row in troubled[:LOG_LINKS]:
        out.add("plain", say("log.look_at", object=row.title, url=row.pod_url or row.url))
    if outcome.heading.console.space_url:
        out.add("plain", say("log.look", url=outcome.heading.console.space_url))


def _add_way_back(out: _Lines, outcome: Outcome) -> None:
    """Tell the second half of a run that restored: it does not belong into the list of what failed."""
    way = outcome.rollout.restoration if outcome.rollout is not None else None
    if way is None:
        return
    out.add("info" if way.is_whole else "warning", say("report.restore_title"))
    out.listed("plain", restoration_texts(way))
