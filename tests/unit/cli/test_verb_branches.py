"""The verb `branches`: what it lists, takes out and says of the branches that BCS holds."""

from __future__ import annotations

import io
import json
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import Any, NamedTuple, Optional, cast

import pytest
from tests.support.phases import Answer, Answers, Phases, run_of
from tests.support.pieces import URL, FakeClock, app_principal
from tests.support.planned import OURS
from tests.support.scenes import change
from tests.unit.branches.test_branch_removals import routes

from bcs_template_set.agent.build_api import Credential
from bcs_template_set.agent.log import Log
from bcs_template_set.bcs.calls import Call, JsonValue
from bcs_template_set.bcs.gateway import Gateway
from bcs_template_set.bcs.space.existing import VersionRef
from bcs_template_set.bcs.space.provenance import read_provenance
from bcs_template_set.branches.branch_rows import BranchRow, Removal
from bcs_template_set.cli.verb_branches import (
    Answer as Found,
)
from bcs_template_set.cli.verb_branches import (
    Request,
    closing,
    document_of,
    list_or_remove,
    read_request,
    run_branches,
    table_lines,
    tell_end,
)
from bcs_template_set.cli.verb_plan import Desk, LocalAgent, services_at_desk
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import InputsInvalid, Interrupted, NoPermission
from bcs_template_set.messages.server_errors import BcsFailed
from bcs_template_set.publish.file_outcome import FileOutcome
from bcs_template_set.system.signals import Stopped

HOST = "a.example.com"
FILE = f"{HOST}.routes.yaml"
NO = NoPermission(user="lisi", message="m")
DAY = 86_400


# --- what is asked --------------------------------------------------------------------------------------


def asked(
    older_than: Optional[str] = None, *, keep: tuple[str, ...] = (), dry_run: bool = False
) -> Namespace:
    return Namespace(older_than=older_than, keep=list(keep), dry_run=dry_run, json=True)


def test_a_request_is_typed() -> None:
    request = read_request(asked("30d", keep=("a, b/*", "c"), dry_run=True))
    assert request == Request(30 * DAY, ("a", "b/*", "c"), dry_run=True, as_json=True)
    assert read_request(asked()) == Request(None, (), dry_run=False, as_json=True)


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (asked("soon", keep=("x",)), ["--older-than is soon;"]),
        (asked(keep=("x",)), ["--keep does nothing without --older-than"]),
        (asked(keep=("x",), dry_run=True), ["--keep does nothing", "--dry-run does nothing"]),
    ],
)
def test_an_option_that_means_nothing_is_a_mistake_of_the_arguments(
    options: Namespace, said: list[str]
) -> None:
    with pytest.raises(InputsInvalid) as caught:
        read_request(options)
    details = [str(detail) for detail in caught.value.details]
    assert [detail.startswith(words) for detail, words in zip(details, said)] == [True] * len(details)
    assert len(details) == len(said)
    assert str(caught.value.cure()) == "Correct the arguments."


class Stopping(LocalAgent):
    """A desk at which somebody presses Ctrl-C while it is asked for its token."""

    def credential(self, credential_id: str) -> Credential:
        del credential_id
        raise Stopped(Interrupted(signal="SIGINT"))


def test_one_that_is_stopped_at_its_beginning_is_of_that_name_and_prints_nothing() -> None:
    settings: dict[str, YamlValue] = {
        "regions": {"gz": {"gateway": URL}},
        "inputs": {"region": "gz", "project_code": "web", "template_space": "front-ends"},
        "access_token": "t0ken-canary",
    }
    out = io.StringIO()
    services = services_at_desk(Stopping(settings), log=Log(io.StringIO(), "en_US"), clock=FakeClock())
    with pytest.raises(Stopped):
        run_branches(services, asked(), out=out)
    assert (out.getvalue(), services.record.heading.action) == ("", "branches")


# --- what is said ---------------------------------------------------------------------------------------

ROW = BranchRow(HOST, "/x/", "x", FILE, 3, 7, 1_767_225_600, 2 * DAY, "wangwu", protected=False)
UNKNOWN = BranchRow(HOST, "/y/", "y", FILE, 0, 0, 0, None, "", protected=True)
GOES = Removal(FILE, (ROW,), change=change(name=FILE, version="1.0.7-main.2"))
STAYS = Removal("b.routes.yaml", (ROW,), refused=say("branches.cannot_cut"))


def outcome(state: str, error: Optional[BcsFailed] = None, *, version_id: str = "v") -> FileOutcome:
    """Return what became of the change of `GOES`."""
    assert GOES.change is not None
    return FileOutcome(cast("Any", GOES.change), cast("Any", state), error=error, version_id=version_id)


REFUSED = BcsFailed(bcs_code=1, message="m")
APPLIED, FAILED = outcome("applied"), outcome("failed", REFUSED, version_id="")


def test_a_table_has_a_line_for_each_path_and_a_question_mark_for_what_nobody_knows() -> None:
    head, *lines = table_lines(Found("s", (ROW, UNKNOWN)), language="en_US")
    assert head.split() == ["domain", "path", "branch", "last", "build", "age", "by", "protected"]
    assert [line.split() for line in lines] == [
        [HOST, "/x/", "x", "#7", "2", "days", "wangwu"],
        [HOST, "/y/", "y", "?", "not", "known", "?", "yes"],
    ]
    assert table_lines(Found("s", ()), language="en_US") == ["No branch has a path of its own in s."]


@pytest.mark.parametrize(
    ("answer", "is_done"),
    [
        (Found("s", (ROW,)), True),
        (Found("s", (ROW,), (GOES,)), True),
        (Found("s", (ROW,), (GOES,), (APPLIED,)), True),
        (Found("s", (ROW,), (GOES, STAYS), (APPLIED,)), False),
        (Found("s", (ROW,), (GOES,), (FAILED,)), False),
        (Found("s", (ROW,), (GOES,), (APPLIED,), frozenset([FILE])), False),
    ],
)
def test_all_is_done_where_all_that_should_go_went_and_nobody_else_wrote(
    answer: Found, *, is_done: bool
) -> None:
    assert answer.is_done is is_done


REQUEST = Request(30 * DAY, (), dry_run=False, as_json=True)


@pytest.mark.parametrize(
    ("answer", "keys"),
    [
        (Found("s", (ROW,)), []),
        (Found("s", (ROW,), ()), ["none_stale", "nothing_written"]),
        (Found("s", (ROW,), (GOES,)), ["nothing_written"]),
        (Found("s", (ROW,), (GOES,), (APPLIED,)), ["not_deployed"]),
        (Found("s", (ROW,), (GOES,), (FAILED,)), ["nothing_written"]),
        (Found("s", (ROW,), (GOES,), (outcome("failed"),)), []),
        (Found("s", (ROW,), (GOES,), (APPLIED,), frozenset("ba")), ["rivalled", "not_deployed"]),
    ],
)
def test_at_the_end_it_is_said_whether_anything_was_written_and_what_that_is_good_for(
    answer: Found, keys: list[str]
) -> None:
    told = [*closing(REQUEST, answer)]
    assert [text.key for text in told] == [f"branches.{key}" for key in keys]
    assert "branches.none_stale" not in keys[:1] or "30 days" in str(told[0])
    assert keys[:1] != ["rivalled"] or str(told[0]).startswith("a, b: another run")


def test_programs_are_told_the_same_and_what_is_not_known_is_null() -> None:
    document = document_of(Found("s", (ROW, UNKNOWN)), language="en_US")
    assert document == {
        "space": "s",
        "branches": [
            {
                "domain": HOST,
                "path": "/x/",
                "branch": "x",
                "file": FILE,
                "added_build": 3,
                "last_build": 7,
                "last_at": "2026-01-01T00:00:00Z",
                "age_seconds": 2 * DAY,
                "who": "wangwu",
                "protected": False,
            },
            {
                "domain": HOST,
                "path": "/y/",
                "branch": "y",
                "file": FILE,
                "added_build": None,
                "last_build": None,
                "last_at": None,
                "age_seconds": None,
                "who": None,
                "protected": True,
            },
        ],
    }


@pytest.mark.parametrize(
    ("removal", "outcomes", "told"),
    [
        (GOES, (), ("planned", "1.0.7-main.2", None)),
        (GOES, (APPLIED,), ("applied", "1.0.7-main.2", None)),
        (GOES, (FAILED,), ("failed", "1.0.7-main.2", str(REFUSED.title()))),
        (STAYS, (), ("refused", None, "its lines can't be cut")),
    ],
)
def test_programs_are_told_of_each_file_what_became_of_it_and_why(
    removal: Removal, outcomes: tuple[FileOutcome, ...], told: tuple[Optional[str], ...]
) -> None:
    document = document_of(Found("s", (ROW,), (removal,), outcomes), language="en_US")
    (one,) = cast("list[dict[str, Any]]", document["removals"])
    state, version, reason = told
    assert (one["file"], one["state"], one["version"]) == (removal.file, state, version)
    assert (one["paths"], one["branches"]) == ([f"{HOST}/x/"], ["x"])
    assert one["reason"] is None if reason is None else one["reason"].startswith(reason)


def test_programs_are_told_the_version_before_where_there_was_one() -> None:
    assert GOES.change is not None
    before = replace(GOES, change=replace(GOES.change, previous=VersionRef("i", "1.0.7-main")))
    for removal, version in ((GOES, None), (before, "1.0.7-main"), (STAYS, None)):
        document = document_of(Found("s", (), (removal,)), language="en_US")
        (one,) = cast("list[dict[str, Any]]", document["removals"])
        assert one["previous_version"] == version


# --- a folder -------------------------------------------------------------------------------------------

NOW = 50 * DAY
CURRENT, OLD = "8" * 24, "7" * 24
CONTENT = routes(HOST, "old", "new")


def version_of(number: str, name: str, branch: str, at: int) -> JsonValue:
    line = replace(OURS, branch=branch, build=int(number[0])).line(CONTENT, bases=(OLD,))
    made: JsonValue = {"id": number, "version": name, "content": CONTENT, "description": line}
    assert isinstance(made, dict)
    return {**made, "creator": "lisi", "createAt": at}


WHOLE: list[JsonValue] = [
    version_of(CURRENT, "1.0.8-new", "new", NOW - 3600),
    version_of(OLD, "1.0.7-old", "old", 10 * DAY),
]
ROW_OF_FILE: Mapping[str, JsonValue] = {
    "id": "1" * 24,
    "name": FILE,
    "realName": FILE,
    "templateSpace": "front-ends",
    "version": "1.0.8-new",
    "versionID": CURRENT,
    "versionMode": 0,
}
FOLDER: Mapping[str, Answer] = {
    "list spaces": [{"id": "5" * 24, "name": "front-ends", "fav": False, "tags": []}],
    "list files": [dict(ROW_OF_FILE)],
    f"get version {CURRENT}": WHOLE[0],
    f"get version {OLD}": WHOLE[1],
    "list version names": [],
    "list versions": [*WHOLE],
}


def desk_of(answers: Mapping[str, Answer]) -> tuple[Desk, Phases, Answers]:
    clock = FakeClock()
    clock.time = float(NOW)
    phases, bcs = run_of(clock=clock), Answers({**FOLDER, **answers})
    gateway = cast("Gateway", bcs)
    return Desk(phases.run.context, gateway, app_principal(), io.StringIO()), phases, bcs


def did(request: Request, answers: Mapping[str, Answer] = FOLDER) -> tuple[Found, str, str, list[str]]:
    """Return what came of a request, what it printed, what it said, and what it asked."""
    desk, phases, bcs = desk_of(answers)
    answer = list_or_remove(desk, request)
    tell_end(desk, request, answer)
    return answer, cast("io.StringIO", desk.out).getvalue(), phases.log, bcs.calls


def wanted(days: Optional[int] = None, *, dry_run: bool = False, as_json: bool = False) -> Request:
    return Request(days and days * DAY, (), dry_run=dry_run, as_json=as_json)


def test_a_list_has_all_paths_and_nothing_is_said_of_removals() -> None:
    answer, printed, said, _ = did(wanted())
    assert [(row.branch, row.age_seconds) for row in answer.rows] == [("new", 3600), ("old", 40 * DAY)]
    cells = [line.split() for line in printed.splitlines()]
    assert [(row[0], row[2]) for row in cells] == [("domain", "branch"), (HOST, "new"), (HOST, "old")]
    assert (answer.removals, said) == (None, "")
    printed = did(wanted(as_json=True))[1]
    assert printed[-2:] == "}\n"
    document = json.loads(printed)
    assert (document["space"], len(document["branches"])) == ("front-ends", 2)
    assert "removals" not in document


def test_a_dry_run_says_what_would_go_and_asks_for_no_write() -> None:
    answer, printed, said, calls = did(wanted(30, dry_run=True))
    assert f"{FILE}: would go: {HOST}/old/ (old)" in said
    assert ("Nothing was written." in said, len(printed.splitlines())) == (True, 3)
    assert not [call for call in calls if call.startswith(("create", "update"))]
    assert answer.removals is not None
    assert [removal.file for removal in answer.removals] == [FILE]


def test_what_is_younger_stays() -> None:
    answer, _, said, _ = did(wanted(41))
    assert (answer.removals, answer.is_done) == ((), True)
    assert "No path is to go: nothing that may go was last built more than 41 days ago." in said


@pytest.mark.parametrize(("days", "is_read"), [(None, False), (45, False), (30, True)])
def test_where_names_tell_the_last_build_all_versions_are_read_only_of_what_is_to_lose_a_path(
    days: Optional[int], *, is_read: bool
) -> None:
    versions: list[JsonValue] = [
        {"version": "1.0.8-new", "versionID": CURRENT, "createAt": NOW - 3600},
        {"version": "1.0.7-old", "versionID": OLD, "createAt": 10 * DAY},
    ]
    names: list[JsonValue] = [{"templateName": f"front-ends/{FILE}", "versionList": versions}]
    answer, _, _, calls = did(wanted(days, dry_run=True), {"list version names": names})
    assert [row.age_seconds for row in answer.rows] == [3600, 40 * DAY]
    assert ("list versions versions" in calls) is is_read


def test_what_can_not_be_read_is_said_and_its_age_is_not_known() -> None:
    answer, printed, said, _ = did(wanted(30), {"list versions": NO})
    assert [row.age_seconds for row in answer.rows] == [None, None]
    assert "not known" in printed
    assert "does not know the age of its branches" in said


# --- what is taken out ----------------------------------------------------------------------------------

WRITTEN = "9" * 24
NOTHING: Mapping[str, Answer] = MappingProxyType({})


class Writable(Answers):
    """A folder whose file can be written to: what is written is its newest version; `after` is done then."""

    def __init__(self, answers: Mapping[str, Answer]) -> None:
        super().__init__({**FOLDER, "create version": self._create, **answers})
        self.made: dict[str, JsonValue] = {}
        self.after: dict[str, Answer] = {}

    def _create(self, call: Call[object]) -> JsonValue:
        given = call.body or {}
        told = {name: given[name] for name in ("version", "content", "description")}
        self.made = {"id": WRITTEN, **told, "creator": "lisi", "createAt": NOW}
        row = {**ROW_OF_FILE, "version": given["version"], "versionID": WRITTEN}
        known: dict[str, Answer] = {"list versions": [self.made, *WHOLE], "list files": [row]}
        self.answers.update({f"get version {WRITTEN}": self.made, **known, **self.after})
        return {"id": WRITTEN}


class Took(NamedTuple):
    """What came of taking out what is older than 30 days."""

    answer: Found
    log: str
    bcs: Writable


def took(
    answers: Mapping[str, Answer] = NOTHING, *, after: Mapping[str, Answer] = NOTHING, stopped: bool = False
) -> Took:
    clock = FakeClock()
    clock.time = float(NOW)
    phases = run_of(clock=clock)
    bcs = Writable(answers)
    bcs.after.update(after)
    desk = Desk(phases.run.context, cast("Gateway", bcs), app_principal(), io.StringIO())
    phases.record.stopped = stopped
    answer = list_or_remove(desk, wanted(30))
    tell_end(desk, wanted(30), answer)
    return Took(answer, phases.log, bcs)


def test_a_stale_path_goes_in_a_version_that_says_who_took_it_out_and_what_it_was_made_from() -> None:
    done = took()
    assert (done.answer.is_done, done.bcs.made["content"]) == (True, routes(HOST, "new"))
    made = read_provenance(str(done.bcs.made["description"]))
    assert made is not None
    assert (made.pipeline, made.build, made.branch, made.commit) == ("", 0, "", "")
    assert (made.started_by, made.acting_as, made.bases) == ("lisi", "lisi", (CURRENT,))
    assert f"##[info]{FILE}: version 1.0.8-new.2 published without {HOST}/old/ (old)\n" in done.log
    assert "Published, not deployed" in done.log
    assert ("would go" in done.log, "Nothing was written" in done.log) == (False, False)


def test_a_write_that_fails_is_told_with_its_reason_and_details() -> None:
    done = took({"create version": REFUSED})
    assert (done.answer.is_done, [one.state for one in done.answer.outcomes]) == (False, ["failed"])
    assert f"##[error]{FILE}: failed, {HOST}/old/ (old): {REFUSED.title()}" in done.log
    assert "Nothing was written." in done.log


def test_where_nobody_can_look_back_that_is_said_and_what_was_written_stands() -> None:
    done = took(after={"list files": NO})
    assert (done.answer.is_done, done.answer.rivalled) == (True, frozenset())
    assert f"could not see whether another run wrote at the same time: {NO.title()}" in done.log


def test_what_somebody_else_wrote_at_the_same_time_is_told() -> None:
    rival = version_of("6" * 24, "1.0.9-race", "race", NOW)
    row = {**ROW_OF_FILE, "version": "1.0.9-race", "versionID": "6" * 24}
    done = took(
        after={
            "list files": [row],
            "list versions": [rival, *WHOLE],
            f"get version {'6' * 24}": rival,
        }
    )
    assert (done.answer.is_done, done.answer.rivalled) == (False, frozenset([FILE]))
    assert f"{FILE}: another run published at the same time." in done.log
    assert "##[warning]" in done.log


def test_a_file_that_can_not_be_cut_stays_and_is_told_with_the_reason() -> None:
    anchored = CONTENT.replace("paths:\n", "paths: &p\n")
    current = {**cast("dict[str, JsonValue]", WHOLE[0]), "content": anchored}
    done = took({f"get version {CURRENT}": current})
    assert (done.answer.is_done, done.bcs.made) == (False, {})
    assert f"##[error]{FILE}: left as it is, {HOST}/old/ (old) stays: its lines can't be cut" in done.log


def test_a_version_that_a_race_has_hidden_is_not_buried() -> None:
    hidden = version_of("6" * 24, "1.0.7-race", "race", NOW - 7200)
    done = took({"list versions": [WHOLE[0], hidden, WHOLE[1]], f"get version {'6' * 24}": hidden})
    assert (done.answer.is_done, done.bcs.made) == (False, {})
    assert "1.0.7-race was written at the same time as the current version" in done.log


def test_what_a_thread_ends_after_the_stop_is_not_told_twice() -> None:
    assert "published without" not in took(stopped=True).log
