from __future__ import annotations

from dataclasses import replace
from typing import Callable, Optional, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st
from tests.support import hostile_texts, rollout_scenes, scenes
from tests.support.many_findings import many_findings

from bcs_template_set.config.inputs import INPUTS, read_settings
from bcs_template_set.manifests import kinds
from bcs_template_set.manifests.manifest_file import ManifestFile, empty_text, left_out_of
from bcs_template_set.manifests.parse import parse_documents
from bcs_template_set.manifests.scope import Scope
from bcs_template_set.messages import LANGUAGES, Language, Text, say
from bcs_template_set.messages.errors import InputsInvalid, ManifestsInvalid, Overtaken, TokenRefused
from bcs_template_set.messages.server_errors import AnswerUnreadable
from bcs_template_set.messages.state_words import Result
from bcs_template_set.messages.step_error import Told
from bcs_template_set.messages.text import ROW_COLUMNS, width
from bcs_template_set.publish.file_outcome import FileOutcome
from bcs_template_set.publish.plan import Change, ChartAction
from bcs_template_set.publish.pruning import Orphan, Pruning
from bcs_template_set.report.log_lines import (
    LogLine,
    build_text,
    file_lines,
    going_back_lines,
    header_lines,
    plan_lines,
    rendered_lines,
    settings_lines,
    target_text,
    warning_lines,
)
from bcs_template_set.report.outcome import Heading, Identity, Outcome
from bcs_template_set.report.rows import was_attempted
from bcs_template_set.report.shown_limits import (
    LOG_DIFF_COLUMNS,
    LOG_DIFF_LINES,
    LOG_DIFF_LINES_PER_FILE,
    LOG_RENDERED_FILES,
)
from bcs_template_set.report.summary import summary_of
from bcs_template_set.report.verdict import details_of, headline
from bcs_template_set.report.verdict_lines import verdict_lines

MARKERS = {
    "info": "",
    "plain": "",
    "group": "##[group]",
    "endgroup": "##[endgroup]",
    "warning": "##[warning]",
    "error": "##[error]",
}


def shown(lines: list[LogLine]) -> str:
    """The lines as the log will hold them, near enough."""
    printed = []
    for line in lines:
        if line.kind == "foreign":
            printed += [f"| {part}" for part in line.text.split("\n")]
        else:
            printed.append(MARKERS[line.kind] + line.text)
    return "\n".join(printed) + "\n"


def published_lines(outcome: Outcome, *, language: Language) -> list[LogLine]:
    """What publishing prints while it goes: the lines of a file when it has been written."""
    written = (file for file in outcome.files if file.change.writes)
    return [line for file in written for line in file_lines(file, language=language)]


def log_of(outcome: Outcome) -> list[LogLine]:
    language = outcome.language
    lines = header_lines(outcome.heading, outcome.identity, language=language)
    if outcome.plan is not None:
        lines += plan_lines(outcome.plan, language=language)
    if was_attempted(outcome):
        lines += published_lines(outcome, language=language)
    return lines + verdict_lines(outcome, report_path=".bcs-template-set/b-428/report/index.html")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("scene", scenes.SCENES)
def test_the_log_of_a_run_is_its_golden_file(
    scene: str, language: Language, golden: Callable[[str, str], None]
) -> None:
    outcome = replace(scenes.SCENES[scene](), language=language)
    golden(f"report/{scene}.{language}.txt", shown(log_of(outcome)))


def plan_text(outcome: Outcome, *, language: Language = "en_US") -> str:
    assert outcome.plan is not None
    return shown(plan_lines(outcome.plan, language=language))


def test_a_heading_of_which_nothing_is_known_tells_nothing() -> None:
    assert header_lines(Heading(), None, language="en_US") == [LogLine("info", "bcs-template-set , action")]
    assert str(build_text(Heading(build_number=7))) == "#7"
    assert Heading().pipeline_id == ""
    assert str(target_text(Heading(region="gz"))) == "region gz, project , folder "
    planned = replace(scenes.planned(), heading=Heading())
    assert str(headline(planned)).startswith("Plan for : 1 domain to update")
    assert "](" not in summary_of(planned)


def test_a_build_without_branch_or_commit_is_told_by_its_number() -> None:
    told = build_text(Heading(pipeline="p-1", build_number=8)).render("en_US")
    assert told == "#8 of pipeline p-1"


def test_a_build_at_a_desk_has_a_number_and_no_pipeline() -> None:
    told = build_text(Heading(build_number=7, branch="main"))
    assert told.render("en_US") == "#7, branch main"
    assert told.render("zh_CN") == "#7，分支 main"


def english(texts: list[LogLine]) -> list[tuple[str, str]]:
    return [(line.kind, line.text) for line in texts]


def test_inputs_that_were_given_are_shown_and_those_at_their_default_counted() -> None:
    given = {
        "template_space": "web",
        "values": "a: 1\nb: 2\n",
        "values_files": "a.yaml\nb.yaml",
        "templates": "builtin:web",
        "redeploy": "true",
        "strict": "false",
        "timeout": "600",
        "verify_urls": "https://a.example.com/ contains x\nhttps://b.example.com/",
        "only": "x" * 130,
    }
    settings = read_settings(
        {**given, "region": "gz", "project_code": "demo"}, regions=("gz",), pipeline_project="p"
    )
    assert english(settings_lines(settings, language="en_US")) == [
        ("group", "settings: the inputs that were given"),
        ("plain", "  region          gz"),
        ("plain", "  project_code    demo"),
        ("plain", "  template_space  web"),
        ("plain", "  values          YAML, 2 lines"),
        ("plain", "  values_files    a.yaml, b.yaml"),
        ("plain", f"  only            {'x' * 52}…{'x' * 51}"),
        ("plain", "  redeploy        true"),
        ("plain", "  verify_urls     https://a.example.com/, https://b.example.com/"),
        ("plain", f"  {len(INPUTS) - 8} inputs are at their default"),
        ("endgroup", ""),
    ]


def manifest(name: str, *, source: str = "") -> ManifestFile:
    text = "kind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\n---\nkind: Secret\nmetadata: {name: b}\n"
    return ManifestFile(
        name, text, source or name, parse_documents(text, source=name), left_out=((name, 1, 2),)
    )


def test_rendered_files_are_listed_with_their_templates_and_documents() -> None:
    files = [manifest("a.yaml", source="a.yaml.j2"), manifest("b.yaml")]
    empty = replace(manifest("e.yaml"), documents=(), left_out=(("e.yaml", 3, 3),))
    lines = english(rendered_lines(files, [empty], scope=Scope().text(), language="en_US"))
    assert lines == [
        ("group", f"render: {Scope().text()}; 2 files, 4 documents, checked"),
        ("plain", "  a.yaml  a.yaml.j2  ConfigMap/a, Secret/b"),
        ("plain", "  b.yaml  b.yaml     ConfigMap/a, Secret/b"),
        ("plain", f"  {left_out_of([*files, empty])[0]}"),
        ("plain", f"  {empty_text([empty])[0]}"),
        ("endgroup", ""),
    ]
    assert "e.yaml (3)" in lines[3][1]


def test_of_more_rendered_files_than_anybody_reads_the_rest_is_counted() -> None:
    files = [replace(manifest("a.yaml"), left_out=())] * (LOG_RENDERED_FILES + 1)
    lines = english(rendered_lines(files, scope=Scope().text(), language="en_US"))
    assert len(lines) == 1 + LOG_RENDERED_FILES + 2
    assert lines[-2:] == [("plain", "  … and 1 more file"), ("endgroup", "")]
    assert (
        len(rendered_lines(files[1:], scope=Scope().text(), language="en_US")) == 1 + LOG_RENDERED_FILES + 1
    )


def test_a_warning_stands_as_deep_as_it_did_in_its_list() -> None:
    below = Told("rollout.observing", depth=1)
    first, second = warning_lines(["a.yaml:", below], language="en_US")
    assert (first, second) == (LogLine("warning", "a.yaml:"), LogLine("warning", f"  {below}"))


def test_files_that_go_back_are_told_with_the_version_they_go_back_to() -> None:
    text = say("report.workload_line", object="b", reason="c")
    lines = going_back_lines("build 7", scenes.USUAL, [("a.yaml", text)], language="en_US")
    assert english(lines) == [
        ("group", f"going back to build 7: {scenes.VERSION}"),
        ("plain", "  a.yaml  b: c"),
        ("endgroup", ""),
    ]


@pytest.mark.parametrize(
    ("chart", "template_set", "changes", "told"),
    [
        ("create", "shop", scenes.updated("b"), ["create  template set shop, version "]),
        ("unchanged", "shop", scenes.updated("b"), ["unchanged  template set shop, version "]),
        ("none", "shop", scenes.updated("b"), []),
        ("none", "shop", scenes.unchanged("b"), ["No file changed, so this run makes no version of "]),
        ("none", "shop", (*scenes.unchanged("b"), *scenes.updated("c")), []),
        ("none", "", scenes.unchanged("b"), []),
    ],
)
def test_what_becomes_of_the_template_set_is_told_where_there_is_one(
    chart: ChartAction, template_set: str, changes: tuple[Change, ...], told: list[str]
) -> None:
    plan = scenes.plan_of(*changes)
    plan = replace(plan, chart=chart, target=replace(plan.target, template_set=template_set))
    lines = [line for line in plan_lines(plan, language="en_US") if "template set" in line.text]
    assert [line.kind for line in lines] == ["info"] * len(told)
    assert all(line.text.startswith(start) for line, start in zip(lines, told))


def test_what_stands_against_a_plan_is_counted_and_its_notes_are_warnings() -> None:
    two = (say("rollout.observing"), Told("rollout.no_status", count=2))
    note, of_file = say("plan.draft_kept", name="a", user="b"), say("plan.draft_kept", name="c", user="d")
    pruning = Pruning(mode="delete", blind=say("rollout.observing"))
    change = scenes.change("a.yaml", action="unchanged", notes=(of_file,))
    plan = replace(scenes.plan_of(change), notes=(note,), dropped=("Pod/x",), pruning=pruning)
    plan = replace(plan, conflicts=two, taken=two, lost_routes=two, newer_builds=two)
    lines = english(plan_lines(plan, language="en_US"))
    stopped = "This plan can't be carried out:"
    assert [(kind, text.split(" The verdict")[0]) for kind, text in lines[1:5]] == [
        ("warning", "Publishing is not possible: 3 versions exist with other content."),
        ("warning", f"{stopped} other files of the folder have 3 hosts, paths or ports of this run."),
        ("warning", f"{stopped} it would remove 3 hosts or paths that are served today."),
        (
            "warning",
            "A newer build of this pipeline and branch has published 3 files of this run already.",
        ),
    ]
    assert [kind for kind, _ in lines[5:]] == ["warning"] * 4
    left, *texts = [text for _, text in lines[5:]]
    assert left.startswith("Left in the cluster")
    assert texts == [str(note), str(of_file), f"prune deletes nothing. {say('rollout.observing')}"]
    reported = replace(plan, pruning=replace(pruning, mode="report"))
    assert "prune deletes nothing" not in shown(plan_lines(reported, language="en_US"))


def test_a_plan_that_only_deletes_has_a_digest_too() -> None:
    gone = Pruning(mode="delete", is_seen=True, objects=(Orphan(kinds.DEPLOYMENT, "a", "a.yaml", "1"),))
    plan = replace(scenes.plan_of(*scenes.STILL), pruning=gone)
    assert plan_text(replace(scenes.planned(), plan=plan)).endswith(f"\nPlan digest: {plan.digest}\n")


def test_a_file_that_differs_in_comments_alone_says_so_above_its_difference() -> None:
    change = scenes.change("a.yaml", writes_version=True, diff="-# a\n+# b\n", only=say("rollout.observing"))
    lines = english(plan_lines(scenes.plan_of(change), language="en_US"))
    at = lines.index(("group", "plan: what differs in 1 file"))
    assert lines[at + 1 : at + 4] == [
        ("plain", f"update a.yaml: {say('rollout.observing')}"),
        ("foreign", "-# a\n+# b"),
        ("endgroup", ""),
    ]


def test_a_line_of_a_difference_is_cut_where_it_is_endless_and_where_there_is_no_room_none_is_shown() -> None:
    long = [scenes.change(f"a{n:02}.yaml", writes_version=True, diff="+x\n" * 200) for n in range(10)]
    last = scenes.change("b.yaml", writes_version=True, diff="+y\n")
    lines = english(plan_lines(scenes.plan_of(*long, last), language="en_US"))
    assert lines[-4:-1] == [
        ("plain", "update b.yaml"),
        ("plain", "  … 1 more line; the HTML report shows more."),
        ("endgroup", ""),
    ]
    wide = scenes.change("a.yaml", writes_version=True, diff="+" + "x" * 600)
    (text,) = [
        text
        for kind, text in english(plan_lines(scenes.plan_of(wide), language="en_US"))
        if kind == "foreign"
    ]
    assert width(text) == LOG_DIFF_COLUMNS


@pytest.mark.parametrize(
    ("fields", "told"),
    [
        ({"writes_version": True}, "version 1 (id v), creator lisi"),
        (
            {"writes_version": True, "moves_pin": True},
            "version 1 (id v), creator lisi; the file is pinned in BCS",
        ),
        ({"moves_pin": True}, "now pinned to version 1 (id v), creator lisi"),
    ],
)
def test_what_was_written_of_a_file_is_told_with_who_made_it(fields: dict[str, bool], told: str) -> None:
    file = FileOutcome(scenes.change("a.yaml", **fields), "applied", "v", "1", "lisi")
    (line,) = file_lines(file, language="en_US")
    assert (line.kind, line.text.startswith(f"update     a.yaml  {told}")) == ("plain", True)
    (nobody,) = file_lines(replace(file, creator=""), language="en_US")
    assert "creator ?" in nobody.text


def test_a_file_that_another_build_was_faster_with_is_a_conflict_and_an_error() -> None:
    change = scenes.change("a.yaml", writes_version=True)
    (line,) = file_lines(FileOutcome(change, "failed", error=Overtaken()), language="en_US")
    assert (line.kind, line.text.startswith("conflict   a.yaml  (800405) ")) == ("error", True)


def test_a_file_that_was_not_attempted_is_told_so() -> None:
    (line,) = file_lines(scenes.not_attempted(scenes.change("a.yaml", writes_version=True)), language="en_US")
    assert line == LogLine("plain", "skip       a.yaml  not attempted: the run ended before it")


def test_who_started_a_run_is_told_where_that_is_somebody_else_and_of_a_heading_what_is_known() -> None:
    def labels(heading: Heading, identity: Optional[Identity]) -> list[str]:
        return [line.text.split("  ")[1] for line in header_lines(heading, identity, language="en_US")[1:]]

    same = replace(scenes.IDENTITY, starter="lisi")
    assert labels(Heading(), scenes.IDENTITY) == ["acting user", "app", "started by"]
    assert labels(Heading(), same) == ["acting user", "app"]
    assert labels(Heading(), replace(same, starter="", app_code="", credential="c")) == [
        "acting user",
        "credential",
    ]
    assert labels(Heading(region="gz"), None) == ["target"]
    assert labels(Heading(project="demo"), None) == ["target"]
    assert labels(Heading(pipeline="p"), None) == ["build"]
    assert labels(Heading(template_set="shop", version="1"), None) == ["template set", "version"]
    assert labels(Heading(build_number=7, proxy="p", certificates="c"), None) == [
        "build",
        "proxy",
        "certificates",
    ]


def test_counts_come_before_the_table_and_the_digest_last() -> None:
    lines = plan_text(scenes.planned()).splitlines()
    assert lines[0].endswith("1 domain to update, 1 domain to create, 2 domains unchanged (8 files)")
    assert lines[1].startswith("change")
    assert lines[-1] == "Plan digest: 9f86d081884c7d659a2feaa0c55ad015"


def test_the_chinese_log_explains_the_fixed_words_where_it_counts() -> None:
    first = plan_text(scenes.planned(), language="zh_CN").splitlines()[0]
    assert "更新 1 个域名、新建 1 个域名" in first
    assert "2 个域名不变（8 个文件）" in first


def test_no_row_of_the_table_is_wider_than_160_columns() -> None:
    host = "a-very-long-name-of-a-domain." * 6 + "example.com"
    deployment, routes = scenes.updated(host)
    many = tuple((f"{n}.{host}", "/path") for n in range(9))
    plan = scenes.plan_of(
        replace(deployment, images=((scenes.OLD, "other.example.com/" + "x" * 90 + ":2"),)),
        replace(routes, routes_added=many),
    )
    lines = [line.text for line in plan_lines(plan, language="zh_CN") if line.kind == "plain"]
    assert any("…" in line for line in lines)
    assert all(width(line) <= ROW_COLUMNS for line in lines if line.startswith(("update  ", "变更")))


def test_a_long_difference_is_cut_and_says_by_how_much() -> None:
    change = scenes.change("a.yaml", writes_version=True, diff="+x\n" * 1000)
    lines = plan_lines(scenes.plan_of(change), language="en_US")
    (foreign,) = [line for line in lines if line.kind == "foreign"]
    assert len(foreign.text.splitlines()) == LOG_DIFF_LINES_PER_FILE
    assert "… 800 more lines" in shown(lines)


def test_many_differences_together_are_cut_too_and_changes_are_shown_before_new_files() -> None:
    new = [scenes.change(f"a{n}.yaml", action="create", diff="+x\n" * 150) for n in range(20)]
    changed = scenes.change("z.yaml", writes_version=True, diff="-y\n")
    lines = plan_lines(scenes.plan_of(*new, changed), language="en_US")
    foreign = [line.text for line in lines if line.kind == "foreign"]
    assert foreign[0] == "-y"
    assert sum(len(text.splitlines()) for text in foreign) == LOG_DIFF_LINES


def test_a_group_that_is_opened_is_closed() -> None:
    for scene in scenes.SCENES.values():
        kinds = [line.kind for line in log_of(scene()) if line.kind in ("group", "endgroup")]
        assert kinds == ["group", "endgroup"] * (len(kinds) // 2)


def test_an_unchanged_plan_has_neither_table_nor_differences() -> None:
    assert plan_text(scenes.nothing_to_do()) == (
        "Plan for 1.0.428-feature-login: 2 domains unchanged (4 files)\n"
    )


def test_a_new_folder_and_a_template_set_are_said() -> None:
    plan = replace(scenes.USUAL, creates_space=True, chart="create")
    plan = replace(plan, target=replace(plan.target, template_set="shop"))
    text = shown(plan_lines(plan, language="en_US"))
    assert "The folder web does not exist yet" in text
    assert "create  template set shop" in text


def test_what_was_learnt_about_a_file_follows_its_line_once() -> None:
    known = say("plan.draft_kept", name="a.yaml", user="zhaoliu")
    learnt = say("publish.file_twice", name="a.yaml")
    change = scenes.change("a.yaml", writes_version=True, notes=(known,))
    file = replace(scenes.applied(change), notes=(known, learnt))
    line, note = file_lines(file, language="en_US")
    assert line.text.startswith("update     a.yaml  version 1.0.428-feature-login")
    assert note == LogLine("warning", learnt.render("en_US"))


def test_a_failed_file_is_an_error_line_with_its_code() -> None:
    failed = next(file for file in scenes.half_published().files if file.state == "failed")
    (line,) = file_lines(failed, language="en_US")
    assert line.kind == "error"
    assert "(800606)" in line.text


def test_fifty_details_are_listed_and_the_rest_counted() -> None:
    error = ManifestsInvalid(details=[f"finding {n}" for n in range(60)])
    outcome = replace(scenes.no_permission(), error=error)
    text = shown(verdict_lines(outcome))
    assert "finding 49" in text
    assert "finding 50" not in text
    assert "… and 10 more." in text


def test_three_hundred_findings_are_fifty_lines_and_what_to_do_for_each_check() -> None:
    error = many_findings(300)
    warnings = tuple(line for line in error.details if isinstance(line, Text))
    text = shown(verdict_lines(replace(scenes.no_permission(), error=error, warnings=warnings)))
    lines = text.splitlines()
    assert "##[error]  - a0.yaml:" in lines
    assert "##[error]    - line 1, Pod/a0 spec: the image i0 has no tag. [image-tag]" in lines
    assert sum(line.startswith("##[error]") for line in lines) == 1 + 50 + 1 + 1
    assert sum("… and 267 more." in line for line in lines) == 2
    assert "##[warning]  line 1, Pod/a0 spec: the image i0 has no tag. [image-tag]" in lines
    assert any(line.startswith("##[error]  - 300 image-tag: Give it") for line in lines)
    assert "  Found: 300 image-tag" in lines


def test_what_else_stands_against_a_refused_plan_is_said_at_once() -> None:
    outcome = scenes.lost_route()
    assert outcome.plan is not None
    taken = say("plan.port_taken", port=30001, name="a.yaml", owner="b.yaml")
    text = shown(verdict_lines(replace(outcome, plan=replace(outcome.plan, taken=(taken,)))))
    assert "nodePort 30001" in text


def test_other_files_that_failed_are_listed_with_the_first() -> None:
    outcome = scenes.half_published()
    other = replace(outcome.files[3], state="failed", error=TokenRefused(credential="t", message="expired"))
    text = shown(verdict_lines(replace(outcome, files=(*outcome.files[:3], other, *outcome.files[4:]))))
    assert f"- {other.change.name}: (800206)" in text


def test_a_platform_error_without_ids_gets_those_of_the_last_request() -> None:
    outcome = replace(scenes.no_permission(), error=AnswerUnreadable(url="/", problem="no code"))
    assert "Request id: r-4" in shown(verdict_lines(outcome))


def test_the_cure_follows_what_happened_and_then_who_acted_with_the_ids_last() -> None:
    lines = [line.text.strip() for line in verdict_lines(scenes.no_permission())]
    at = [
        next(place for place, line in enumerate(lines) if line.startswith(word))
        for word in ("Failed", "What to do", "Nothing was written", "Acting user", "Apply at", "Request id")
    ]
    assert at == sorted(at)


def test_where_only_the_token_knows_the_user_the_credential_is_named() -> None:
    identity = replace(
        scenes.IDENTITY, acting_user="credential:bcs_token", app_code="", credential="bcs_token"
    )
    text = shown(header_lines(scenes.HEADING, identity, language="en_US"))
    assert "acting user  credential:bcs_token (" in text


def test_a_run_that_failed_before_it_knew_anything_has_a_header_and_a_verdict() -> None:
    empty = Heading(step_version="0.1.0")
    outcome = Outcome(
        "failed", changed=False, language="en_US", heading=empty, error=InputsInvalid(details=["x"])
    )
    assert [line.kind for line in log_of(outcome)] == ["info", "error", "error", "warning", "plain", "plain"]


def test_a_run_that_did_not_fail_has_no_details() -> None:
    assert details_of(scenes.published()) == ()


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("result", get_args(Result))
def test_every_result_has_a_verdict(result: Result, language: Language) -> None:
    outcome = replace(scenes.published(), result=result, language=language)
    if result == "paused":
        outcome = replace(rollout_scenes.paused().outcome, language=language)
    if result in ("failed", "timed-out", "unseen"):
        outcome = replace(outcome, error=InputsInvalid())
    assert verdict_lines(outcome)[0].text


@given(text=st.text(alphabet=st.characters(exclude_categories=()), max_size=30))
def test_whatever_the_data_only_foreign_text_has_more_than_one_line(text: str) -> None:
    for line in log_of(hostile_texts.run(text + "\n::set-variable name=x::y\r##[error]" + text)):
        if line.kind != "foreign":
            assert len(line.text.splitlines()) <= 1
