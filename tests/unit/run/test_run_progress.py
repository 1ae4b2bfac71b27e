"""How far a run is: by phases and what has ended in them, and shown to whoever can see it."""

from __future__ import annotations

import io
import json
from contextlib import suppress
from dataclasses import replace
from typing import Optional

import msgspec
import pytest
from tests.support.pieces import FakeClock

from bcs_template_set.agent.log import Log
from bcs_template_set.agent.progress_payload import (
    LARGEST_PAYLOAD,
    MOST_SUBTASKS,
    Subtask,
    build_detail,
    encoded,
)
from bcs_template_set.bcs.gateway import Exchange
from bcs_template_set.config.inputs import INPUTS
from bcs_template_set.config.regions import Endpoint, Region
from bcs_template_set.manifests.kind_rules import WorkloadState
from bcs_template_set.manifests.kinds import DEPLOYMENT
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import WorkspaceUnwritable
from bcs_template_set.messages.state_words import FileState
from bcs_template_set.publish.file_outcome import FileOutcome, WriteEnd
from bcs_template_set.publish.plan import Change, Plan, SpaceRef
from bcs_template_set.report.outcome import Heading
from bcs_template_set.rollout.live_state import FileVersion
from bcs_template_set.rollout.result import Rollout
from bcs_template_set.rollout.watched import RolloutStatus, Watched, Workload
from bcs_template_set.run.record import RunRecord
from bcs_template_set.run.run_progress import (
    MOST_OF_A_PHASE,
    SHARES,
    WRITTEN,
    Audience,
    ShownProgress,
    _status_of,
    audience_of,
    snapshot_of,
)

COMMAND = "::set-progress-rate "


class ToldSubtask(msgspec.Struct):
    name: str
    status: str


class ToldSubtasks(msgspec.Struct):
    summary: str
    items: list[ToldSubtask]


class Told(msgspec.Struct):
    """What the worker is told, as far as these tests look at it."""

    subtasks: ToldSubtasks


class Terminal(io.StringIO):
    def isatty(self) -> bool:
        return True


def record(action: str = "publish") -> RunRecord:
    return RunRecord(clock=FakeClock(), language="en_US", heading=Heading(action=action))


def change(name: str, *, domain: str = "", writes: bool = True) -> Change:
    return Change(
        name=name,
        action="create" if writes else "unchanged",
        content="kind: Pod\n",
        digest="0" * 16,
        version="1.0.7",
        domain=domain,
        writes_version=writes,
    )


def planned(made: RunRecord, *changes: Change) -> None:
    made.plan = Plan(
        target=SpaceRef("gz", "web", "front-ends"),
        version="1.0.7",
        changes=changes,
        creates_space=False,
        chart="none",
        digest="0" * 16,
    )


def ended(made: RunRecord, *states: tuple[Change, WriteEnd]) -> None:
    for which, state in states:
        made.note_file(FileOutcome(which, state, version_id="1" * 24))


def watched(name: str, end: WorkloadState, *, done: int = 0, wanted: int = 2) -> Watched:
    status = RolloutStatus("progressing", say("rollout.ready_none"), done=done, wanted=wanted)
    return Watched(Workload(DEPLOYMENT, name, f"front-ends/{name}.yaml", "1.0.7"), end, status)


# --- the snapshot ---------------------------------------------------------------------------------------


def test_the_shares_of_every_action_add_up_to_the_whole() -> None:
    (actions,) = [known.choices for known in INPUTS if known.name == "action"]
    assert set(SHARES) == set(actions)
    for shares in SHARES.values():
        assert sum(shares.values()) == pytest.approx(1.0)


PHASES = {
    "doctor": ["doctor"],
    "plan": ["settings", "render", "plan"],
    "publish": ["settings", "render", "plan", "publish"],
    "rollback": ["settings", "plan", "deploy"],
    "deploy": ["settings", "render", "plan", "publish", "deploy"],
}


@pytest.mark.parametrize("action", PHASES)
def test_an_action_is_done_with_its_last_phase_and_no_earlier(action: str) -> None:
    made, values = record(action), [0.0]
    for name in PHASES[action]:
        with made.phase(name):
            pass
        values.append(snapshot_of(made).value)
    assert values == sorted({*values}), "each of them is a part"
    assert values[-1] == pytest.approx(1.0)


def test_a_phase_counts_once_it_is_over_and_is_on_the_timeline_from_its_beginning() -> None:
    made = record()
    with made.phase("settings"):
        assert snapshot_of(made).value == 0.0
        assert [(phase.name, phase.seconds) for phase in snapshot_of(made).phases] == [("settings", None)]
        made.clock.wait(2)
    assert snapshot_of(made).value == pytest.approx(SHARES["publish"]["settings"])
    assert [(phase.name, phase.seconds) for phase in snapshot_of(made).phases] == [("settings", 2)]


def test_while_publishing_there_is_a_subtask_for_each_domain_or_lone_file_that_is_written() -> None:
    made = record()
    first = change("a.deployment.yaml", domain="a.example.com")
    second = change("a.routes.yaml", domain="a.example.com")
    broken, lone = change("broken.yaml"), change("lone.yaml")
    planned(made, first, second, broken, lone, change("same.yaml", writes=False))
    with made.phase("publish"):
        ended(made, (first, "applied"), (broken, "failed"))
        subtasks = snapshot_of(made).subtasks
    assert subtasks == (
        Subtask("a.example.com", 0.5, "running"),
        Subtask("broken.yaml", 0.0, "failed"),
        Subtask("lone.yaml", 0.0, "pending"),
    )


def test_while_rolling_out_there_is_a_subtask_for_each_file_with_workloads_and_their_pods_as_its_share() -> (
    None
):
    made = record("deploy")
    files = [change(f"{name}.yaml", writes=False) for name in "abc"]
    planned(made, *files)
    deployed(made, *files)
    with made.phase("deploy"):
        for item in (watched("b", "pending", done=1), watched("a", "ready"), watched("c", "failed", done=1)):
            made.watch(item)
        subtasks = snapshot_of(made).subtasks
    assert subtasks == (
        Subtask("a.yaml", 1.0, "succeeded"),
        Subtask("b.yaml", WRITTEN + (1 - WRITTEN) * 0.5, "running"),
        Subtask("c.yaml", WRITTEN + (1 - WRITTEN) * 0.5, "failed"),
    )


def deploying(made: RunRecord) -> tuple[Change, Change, Change]:
    """Plan a domain of two files, of which one has a workload, and a file that has none; return the three."""
    files = (
        change("a.deployment.yaml", domain="a.example.com"),
        change("a.routes.yaml", domain="a.example.com"),
        change("settings.yaml"),
    )
    planned(made, *files)
    return files


def deployed(made: RunRecord, *files: Change) -> None:
    """Keep that these files were deployed: before that nothing is waited for."""
    versions = tuple(FileVersion(file.name, "1" * 24, "1.0.7") for file in files)
    made.rollout = Rollout("BCS-K8S-40000", "prod", deployed=versions)


def told(made: RunRecord) -> list[tuple[str, float, str]]:
    return [(s.name, round(s.progress, 2), s.status) for s in snapshot_of(made).subtasks]


def test_a_domain_is_one_subtask_from_its_first_file_to_its_last_pod_and_never_goes_back() -> None:
    made = record("deploy")
    first, second, settings = deploying(made)
    with made.phase("publish"):
        assert told(made) == [("a.example.com", 0.0, "pending"), ("settings.yaml", 0.0, "pending")]
        ended(made, (first, "applied"), (settings, "applied"))
        assert told(made) == [("a.example.com", 0.2, "running"), ("settings.yaml", 0.4, "running")]
        ended(made, (second, "applied"))
    assert told(made)[0] == ("a.example.com", 0.4, "running")
    with made.phase("deploy"):
        deployed(made, first, second, settings)
        made.watch(watched("a.deployment", "pending", done=1))
        assert told(made) == [("a.example.com", 0.7, "running"), ("settings.yaml", 0.4, "running")]
        made.watch(watched("a.deployment", "ready"))
        assert told(made) == [("a.example.com", 1.0, "succeeded"), ("settings.yaml", 0.4, "running")]
    assert told(made) == [("a.example.com", 1.0, "succeeded"), ("settings.yaml", 1.0, "succeeded")]


def test_a_file_that_could_not_be_written_fails_its_domain_in_a_deployment_too() -> None:
    made = record("deploy")
    first, second, _ = deploying(made)
    with made.phase("publish"):
        ended(made, (first, "applied"), (second, "failed"))
    assert told(made)[0] == ("a.example.com", 0.2, "failed")


@pytest.mark.parametrize(("live", "status"), [(True, "succeeded"), (False, "pending")])
def test_after_a_deployment_that_failed_nothing_is_under_way_any_more(live: bool, status: str) -> None:  # noqa: FBT001 - a parameter of pytest
    made = record("deploy")
    first, second, settings = deploying(made)
    ended(made, (first, "applied"), (second, "applied"), (settings, "applied"))
    deployed(made, first, second, *([settings] if live else []))
    made.watch(watched("a.deployment", "failed", done=1))
    made.error = WorkspaceUnwritable(file="x", problem="full")
    assert [(name, state) for name, _, state in told(made)] == [
        ("a.example.com", "failed"),
        ("settings.yaml", status),
    ]


@pytest.mark.parametrize("end", ["pending", "failed"])
def test_what_was_live_and_is_not_ready_fails_its_row_once_the_run_has_failed(end: WorkloadState) -> None:
    made = record("deploy")
    first, second, settings = deploying(made)
    ended(made, (first, "applied"), (second, "applied"), (settings, "applied"))
    live = (FileVersion(first.name, "1" * 24, "1.0.7"),)
    made.rollout = Rollout("BCS-K8S-40000", "prod", live_already=live)
    item = watched("a.deployment", end, done=1)
    with made.phase("deploy"):
        made.watch(replace(item, workload=replace(item.workload, was_live=True)))
        assert told(made)[0][2] == "running"
        made.error = WorkspaceUnwritable(file="x", problem="full")
        assert told(made)[0][2] == "failed"


def test_a_rollout_that_waits_for_a_person_has_succeeded_as_its_run_has() -> None:
    made = record("deploy")
    files = deploying(made)
    ended(made, *((file, "applied") for file in files))
    deployed(made, *files)
    made.watch(watched("a.deployment", "paused", done=1))
    with made.phase("deploy"):
        pass
    assert {status for _, _, status in told(made)} == {"succeeded"}


def test_files_that_somebody_else_has_written_or_that_are_skipped_are_done() -> None:
    made = record()
    files = [change(f"{name}.yaml") for name in "abcd"]
    planned(made, *files)
    with made.phase("publish"):
        before = snapshot_of(made).value
        ended(made, (files[0], "unchanged"), (files[1], "skipped"), (files[2], "applied"))
        assert [progress for _, progress, _ in told(made)] == [1.0, 1.0, 1.0, 0.0]
        share = SHARES["publish"]["publish"] * MOST_OF_A_PHASE * 3 / 4
        assert snapshot_of(made).value == pytest.approx(before + share)


def test_of_what_was_live_and_is_ready_nothing_is_shown() -> None:
    made = record("deploy")
    planned(made, change("a.yaml", writes=False))
    item = watched("a", "ready")
    made.watch(replace(item, workload=replace(item.workload, was_live=True)))
    assert told(made) == []
    made.watch(item)
    assert [name for name, _, _ in told(made)] == ["a.yaml"]


def test_the_workloads_of_a_domain_count_the_same_and_one_that_nobody_has_seen_counts_nothing() -> None:
    made = record("deploy")
    file = change("a.yaml", writes=False)
    planned(made, file)
    deployed(made, file)

    def seen(*items: Watched) -> float:
        for number, item in enumerate(items):
            name = f"a{number}"
            made.watch(replace(item, workload=replace(item.workload, name=name)))
        return snapshot_of(made).subtasks[0].progress

    half = WRITTEN + (1 - WRITTEN) / 2
    assert seen(watched("a", "pending"), watched("a", "ready")) == half
    assert seen(replace(watched("a", "pending"), status=None)) == half
    assert seen(watched("a", "pending", done=0, wanted=0)) == half
    assert seen(watched("a", "pending", done=1, wanted=1)) == 1.0


def test_what_was_published_and_never_deployed_is_still_to_come_where_the_run_has_failed() -> None:
    made = record("deploy")
    only = change("a.yaml")
    planned(made, only)
    ended(made, (only, "applied"))
    made.error = WorkspaceUnwritable(file="x", problem="full")
    assert told(made) == [("a.yaml", 0.4, "pending")]


def test_what_is_published_and_holds_nothing_to_deploy_is_done_with_the_deployment() -> None:
    made = record("deploy")
    only = change("a.yaml")
    planned(made, only)
    ended(made, (only, "applied"))
    with made.phase("deploy"):
        assert told(made) == [("a.yaml", 0.4, "running")]
    assert told(made) == [("a.yaml", 1.0, "succeeded")]


def test_a_phase_beyond_the_whole_counts_nothing() -> None:
    made = record("deploy")
    planned(made, change("a.yaml"))
    ended(made, (change("a.yaml"), "applied"))
    for name in ("prune", "retention"):
        with made.phase(name):
            assert snapshot_of(made).value == 0.0
        assert snapshot_of(made).value == 0.0


def test_hundreds_of_domains_are_told_within_what_the_worker_takes() -> None:
    made = record("deploy")
    hosts = [f"host-{number:03}.a-rather-long-name-of-a-zone.example.com" for number in range(300)]
    files = [
        change(f"{host}.{part}.yaml", domain=host) for host in hosts for part in ("deployment", "routes")
    ]
    planned(made, *files)
    ended(made, *((file, "applied") for file in files[:400]))
    ended(made, (files[400], "failed"))
    detail = build_detail(snapshot_of(made), language="zh_CN", mask=str)
    assert len(encoded(detail)) <= LARGEST_PAYLOAD
    assert msgspec.convert(detail, Told).subtasks.summary == "1/300"
    items = msgspec.convert(detail, Told).subtasks.items
    assert len(items) <= MOST_SUBTASKS
    assert {item.name for item in items if item.status == "failed"} == {hosts[200]}


@pytest.mark.parametrize(
    ("states", "meanwhile", "well", "failed"),
    [
        (["published", "unchanged", "skipped"], "running", "succeeded", "pending"),
        (["deployed", "live"], "running", "succeeded", "succeeded"),
        (["unknown", "not-deployed"], "running", "pending", "pending"),
        (["live-not-ready", "rolling-out", "partly-deployed"], "running", "running", "failed"),
        (["failed", "restored"], "failed", "failed", "failed"),
        (["not-attempted", "planned"], "pending", "pending", "pending"),
        (["paused"], "succeeded", "succeeded", "succeeded"),
    ],
)
def test_what_a_file_is_of_its_row_while_it_is_deployed_and_in_the_end(
    states: list[FileState], meanwhile: str, well: str, failed: str
) -> None:
    made = record("deploy")
    for state in states:
        made.error, made.gone_well = None, []
        assert _status_of(made, state, waited_for=False) == meanwhile
        made.gone_well = ["deploy"]
        assert _status_of(made, state, waited_for=False) == well
        made.error = WorkspaceUnwritable(file="x", problem="full")
        assert _status_of(made, state, waited_for=False) == failed


def test_published_files_are_no_progress_of_the_deployment_that_follows() -> None:
    made = record("deploy")
    only = change("a.yaml")
    planned(made, only)
    with made.phase("publish"):
        ended(made, (only, "applied"))
    with made.phase("deploy"):
        before = snapshot_of(made).value
        made.watch(watched("a", "ready"))
        after = snapshot_of(made).value
    assert before == pytest.approx(SHARES["deploy"]["publish"])
    assert after == pytest.approx(before + SHARES["deploy"]["deploy"] * MOST_OF_A_PHASE)
    assert after < before + SHARES["deploy"]["deploy"], "it still looks back"


def test_phases_are_told_in_the_storys_language() -> None:
    for name in ("doctor", *SHARES["deploy"], "prune", "retention"):
        english, chinese = record("deploy"), replace(record("deploy"), language="zh_CN")
        for made in (english, chinese):
            with made.phase(name):
                pass
        assert snapshot_of(english).phases[0].name.isascii()
        assert not snapshot_of(chinese).phases[0].name.isascii()


# --- who sees it ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("environ", "stream", "audience"),
    [
        ({"bk_data_dir": "task"}, io.StringIO(), "worker"),
        ({"TERM": "xterm"}, Terminal(), "terminal"),
        ({"bk_data_dir": "task", "TERM": "xterm"}, Terminal(), "terminal"),
        ({"TERM": "dumb"}, Terminal(), "nobody"),
        ({}, io.StringIO(), "nobody"),
        ({}, None, "nobody"),
    ],
)
def test_progress_is_for_the_worker_or_a_terminal_that_can_erase(
    environ: dict[str, str], stream: Optional[io.StringIO], audience: Audience
) -> None:
    assert audience_of(environ, stream) == audience


def test_a_closed_stdout_has_no_audience() -> None:
    stream = io.StringIO()
    stream.close()
    assert audience_of({"bk_data_dir": "task"}, stream) == "nobody"


def lived(audience: Audience, *, detail: bool = False, fails: bool = False) -> str:
    """Return what is printed of a run of two phases, ten seconds each."""
    stream, clock = io.StringIO(), FakeClock()
    shown = ShownProgress(Log(stream, "en_US"), clock=clock, audience=audience)
    made = RunRecord(clock=clock, language="en_US", heading=Heading(action="plan"), on_move=shown.move)
    with made.phase("settings"):
        shown.begin(Region("gz", Endpoint(gateway="https://g.example.com"), progress_detail=detail))
        clock.wait(10)
    with suppress(KeyError), made.phase("render"):
        clock.wait(10)
        made.record_request(Exchange("list", "GET", "/", 200, 0.1, "", ""))
        if fails:
            raise KeyError
    outcome = made.tell("failed" if fails else "planned")
    if fails:
        outcome = replace(outcome, error=WorkspaceUnwritable(file="x", problem="full"))
    shown.finish(made, outcome)
    made.note_file(FileOutcome(change("late.yaml"), "applied"))
    return stream.getvalue()


def test_the_worker_is_told_numbers_that_end_with_the_whole() -> None:
    lines = lived("worker").splitlines()
    assert all(line.startswith(COMMAND) for line in lines)
    numbers = [float(line[len(COMMAND) :]) for line in lines]
    assert numbers == sorted(numbers)
    assert numbers[0] == pytest.approx(SHARES["plan"]["settings"])
    assert numbers[-1] == 1.0


def test_what_moves_within_a_second_is_told_with_the_next_move_or_at_the_end() -> None:
    stream, clock = io.StringIO(), FakeClock()
    shown = ShownProgress(Log(stream, "en_US"), clock=clock, audience="worker")
    made = RunRecord(clock=clock, language="en_US", heading=Heading(action="plan"))
    shown.begin(Region("gz", Endpoint(gateway="https://g.example.com")))
    for seconds, name in ((0.0, "settings"), (0.9, "render"), (0.1, "plan")):
        clock.wait(seconds)
        made.gone_well.append(name)
        shown.move(made)
    told = [float(line[len(COMMAND) :]) for line in stream.getvalue().splitlines()]
    assert told == [0.05, 1.0]


def test_a_run_that_failed_stays_where_it_was() -> None:
    last = lived("worker", fails=True).splitlines()[-1]
    assert float(last[len(COMMAND) :]) == pytest.approx(SHARES["plan"]["settings"])


def test_a_platform_that_takes_more_is_told_the_phases() -> None:
    told = json.loads(lived("worker", detail=True).splitlines()[-1][len(COMMAND) :])
    assert [item["name"] for item in told["timeline"]["items"]] == ["settings", "render"]


def test_a_terminal_sees_a_line_that_is_gone_at_the_end() -> None:
    printed = lived("terminal")
    assert "render" in printed
    assert printed.rpartition("\r")[2] == ""
    assert COMMAND not in printed


def test_a_line_leaves_the_terminals_last_cell_and_names_no_phase_that_is_over() -> None:
    stream, clock = io.StringIO(), FakeClock()
    shown = ShownProgress(Log(stream, "en_US"), clock=clock, audience="terminal", columns=lambda: 41)
    shown.begin(Region("gz", Endpoint(gateway="https://g.example.com")))
    made = record()
    with made.phase("plan"):
        shown.move(made)
        assert stream.getvalue() == "  0%  plan"
    shown.show(snapshot_of(made))
    assert stream.getvalue().rpartition("\r")[2] == " 25%"
    planned(made, *(change(f"{name}.yaml") for name in "ab"))
    shown.show(snapshot_of(made))
    assert stream.getvalue().rpartition("\r")[2] == " 25%  0/2"
    shown.show(replace(snapshot_of(made), subtasks=(Subtask("a" * 60, 0.5, "running"),)))
    assert len(stream.getvalue().rpartition("\r")[2]) == 40
    many = tuple(Subtask(name, 0.5, "running") for name in "abcde")
    shown.show(replace(snapshot_of(made), subtasks=many))
    assert stream.getvalue().rpartition("\r")[2] == " 25%  0/5  a  b  c"


def test_where_nobody_looks_nothing_is_printed() -> None:
    assert lived("nobody") == ""
