"""What a run writes, what it makes of others that write, and what it calls the end of it."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Callable, Optional

import pytest
from tests.support.building import prepared
from tests.support.phases import Answer, Answers, Phases, run_of
from tests.support.pieces import FakeClock, app_principal, token_principal
from tests.support.planned import OURS, SPACE, desired

from bcs_template_set.agent.build_info import BuildInfo
from bcs_template_set.bcs.calls import Call, JsonValue
from bcs_template_set.bcs.dialect import WITH_SPACE
from bcs_template_set.config.principal import Principal
from bcs_template_set.manifests.branch_paths import Claim, ServedPath
from bcs_template_set.manifests.templating.prepare import Prepared
from bcs_template_set.manifests.templating.render import render_routes
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import Interrupted, NoPermission, Overtaken
from bcs_template_set.messages.server_errors import BcsFailed, BcsTooOld, GatewayFailed, OutOfTime
from bcs_template_set.messages.state_words import Result
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.publish.look_first import SETTLING_SECONDS
from bcs_template_set.publish.turns import SLOT_SECONDS
from bcs_template_set.report.outcome import Identity
from bcs_template_set.run.plan_phase import plan_run
from bcs_template_set.run.publish_phase import publish_run
from bcs_template_set.system.signals import Stopped

BUILD = BuildInfo(
    "record", build_number=7, branch="main", pipeline_id="p-1", started_at=1_767_225_600_000, starter="wangwu"
)
DOWN = GatewayFailed(url="u", status=500, message="m")


def text_of(value: str) -> str:
    return f"apiVersion: v1\nkind: ConfigMap\nmetadata: {{name: a}}\ndata: {{a: '{value}'}}\n"


HOST = "a.example.com"
ROUTES = f"{HOST}.routes.yaml"
DOMAIN = f"{{host: {HOST}, image: 'r/shop:1', port: 8080, load_balancers: [lb-1], branch_paths: true}}"


@cache
def ours() -> Prepared:
    """Return the inputs of a branch, dev, that has a path in a domain."""
    return prepared(Path(), "builtin:web", values=f"{{app: shop, domains: [{DOMAIN}]}}", branch="dev")


@cache
def served_by(*branches: str) -> str:
    """Return the routes of a domain that these branches have paths in."""
    own = ours().claim
    claims = [Claim(f"/{name}/", name, own.pipeline, own.build, own.by) for name in sorted(branches)]
    paths = (ServedPath(each.path, "Prefix", "service-shop-a-example-com", 8080, each) for each in claims)
    (file,) = render_routes(ours(), {HOST: {f"ingress-{HOST}-0": tuple(paths)}})
    return file.text


class Folder(Answers):
    """A folder in memory: files and their versions, which are written as BCS writes them.

    `after_write` happens right after each version is made, by whoever else writes.
    """

    def __init__(self, *, exists: bool = True, creator: str = "lisi") -> None:
        self.exists, self.creator = exists, creator
        self.files: dict[str, list[dict[str, JsonValue]]] = {}
        self.after_write: Callable[[], object] = lambda: None
        self.chart: JsonValue = None
        self.clock: Callable[[], float] = lambda: 1_767_225_700
        known: dict[str, Answer] = {
            "get project": {"projectID": "a" * 32, "projectCode": "web"},
            "list spaces": lambda _: [self._space()] if self.exists else [],
            "create space": self._create_space,
            "list files": lambda _: [*map(self._row, self.files)],
            "get file": lambda call: self._row(self._file_of(call.segments[-1])),
            "list version names": lambda _: [*map(self._names, self.files)],
            "ask dialect": BcsTooOld(problem="p", oldest="o", status=405),
            "get version": self._get,
            "find version": self._find,
            "create file": self._create_file,
            "create version": self._create_version,
            "list versions": lambda call: [*reversed(self.files[self._file_of(call.segments[-2])])],
            "get chart version": self._get_chart,
            "create template set": self._create_chart,
        }
        super().__init__(known)

    @staticmethod
    def _space() -> JsonValue:
        return {"id": SPACE.id, "name": SPACE.name, "fav": False, "tags": []}

    def _create_space(self, _: Call[object]) -> JsonValue:
        self.exists = True
        return {"id": SPACE.id}

    def _row(self, name: str) -> JsonValue:
        current = self.files[name][-1]
        return {
            "id": f"{sorted(self.files).index(name) + 1:024x}",
            "name": name,
            "realName": name,
            "templateSpace": SPACE.name,
            "version": current["version"],
            "versionID": current["id"],
            "versionMode": 0,
        }

    def _names(self, name: str) -> JsonValue:
        versions: list[JsonValue] = [
            {"version": one["version"], "versionID": one["id"], "createAt": one["createAt"]}
            for one in self.files[name]
        ]
        return {"templateName": f"{SPACE.name}/{name}", "versionList": versions}

    def _file_of(self, template_id: str) -> str:
        return sorted(self.files)[int(template_id, 16) - 1]

    def _get(self, call: Call[object]) -> JsonValue:
        return next(one for own in self.files.values() for one in own if one["id"] == call.segments[-1])

    def _find(self, call: Call[object]) -> JsonValue:
        body = call.body or {}
        own = self.files.get(str(body["templateName"]), [])
        return next((one for one in own if one["version"] == body["version"]), {})

    def _get_chart(self, _: Call[object]) -> JsonValue:
        if self.chart is None:
            raise BcsFailed(bcs_code=5, message="no such chart")
        return self.chart

    def _create_chart(self, _: Call[object]) -> JsonValue:
        contents: dict[str, JsonValue] = {
            f"web/templates/{name}": {"path": name, "content": own[-1]["content"]}
            for name, own in self.files.items()
        }
        self.chart = {"name": "web", "version": "1.0.7-main", "contents": contents}
        return None

    def put(self, name: str, version: str, content: str, description: str) -> str:
        """Write a version, as anybody does."""
        number = sum(map(len, self.files.values())) + 1
        made: dict[str, JsonValue] = {
            "id": f"{number:023x}f",
            "version": version,
            "content": content,
            "description": description,
            "creator": self.creator,
            "createAt": int(self.clock()),
        }
        self.files.setdefault(name, []).append(made)
        return str(made["id"])

    def _create_file(self, call: Call[object]) -> JsonValue:
        body = {name: str(value) for name, value in (call.body or {}).items()}
        name = body["name"].rpartition("/")[2]
        version_id = self.put(name, body["version"], body["content"], body["versionDescription"])
        row = self._row(name)
        assert isinstance(row, dict)
        return {"id": row["id"], "versionID": version_id}

    def _create_version(self, call: Call[object]) -> JsonValue:
        body = {name: str(value) for name, value in (call.body or {}).items()}
        name = self._file_of(call.segments[-2])
        version_id = self.put(name, body["version"], body["content"], body["description"])
        self.after_write()
        return {"id": version_id}

    def by_branch(self, build: int, branch: str, *branches: str, upon: Sequence[str] = ()) -> str:
        """Have a branch's build publish the paths of branches, made from some versions."""
        text = served_by(*branches)
        origin = replace(OURS, build=build, branch=branch)
        return self.put(ROUTES, f"1.0.{build}-{branch}", text, origin.line(text, bases=tuple(upon)))

    def at_list(self, number: int, do: Callable[[], object]) -> None:
        """Do something right before the files are listed for the n-th time."""
        listed, left = self.answers["list files"], iter(range(number - 1, -1, -1))
        assert callable(listed)

        def hooked(call: Call[object]) -> JsonValue:
            if next(left, None) == 0:
                do()
            return listed(call)

        self.answers["list files"] = hooked

    def branches(self) -> list[str]:
        """Return the branches whose paths are in each version of the file that they share."""
        texts = (str(one["content"]) for one in self.files[ROUTES])
        return [" ".join(re.findall(r'"branch":"(\w+)"', text)) for text in texts]

    def by_build(self, build: int, name: str, value: str) -> None:
        """Have a build publish a file."""
        text = text_of(value)
        self.put(name, f"1.0.{build}-main", text, replace(OURS, build=build).line(text))


class Published:
    """A run that plans and publishes files."""

    def __init__(
        self,
        folder: Folder,
        files: Mapping[str, str],
        *,
        principal: Optional[Principal] = None,
        seconds: Optional[float] = None,
        on_plan: Callable[[Phases], None] = lambda _: None,
        **inputs: str,
    ) -> None:
        texts = ((name, value if name == ROUTES else text_of(value)) for name, value in files.items())
        wanted = desired(*texts, template_set=inputs.get("template_set", ""))
        self.folder = folder
        given = {"action": "publish", "cluster_id": "", "namespace": "", **inputs}
        clock = FakeClock()
        clock.time = 1_767_225_700
        self.phases: Phases = run_of(wanted=wanted, build=BUILD, seconds=seconds, clock=clock, inputs=given)
        if ROUTES in files:
            self.phases.run = replace(self.phases.run, prepared=ours())
        folder.clock = self.phases.clock.now
        self.phases.record.identity = Identity("-", "", "token", say("rollout.ready"), "wangwu")
        planned = plan_run(self.phases.run, folder)
        on_plan(self.phases)
        self.result: Optional[Result] = None
        self.error: Optional[StepError] = None
        self.was_stopped = False
        try:
            self.result = publish_run(self.phases.run, folder, principal or app_principal(), planned=planned)
        except StepError as exc:
            self.error = exc
        except Stopped:
            self.was_stopped = True

    @property
    def took(self) -> float:
        """Return how long it took, in seconds."""
        return round(self.phases.clock.time - 1_767_225_700, 3)

    @property
    def states(self) -> dict[str, str]:
        """Return how each file ended."""
        return {one.change.name: one.state for one in self.phases.record.files()}


def test_files_are_written_into_a_folder_that_is_made_for_them() -> None:
    folder = Folder(exists=False)
    run = Published(folder, {"a.yaml": "1", "b.yaml": "1"})
    assert (run.error, run.result) == (None, "published")
    assert (run.states, run.phases.record.created_space) == ({"a.yaml": "applied", "b.yaml": "applied"}, True)
    assert run.phases.record.heading.console.space_id == SPACE.id
    assert {name: len(own) for name, own in folder.files.items()} == {"a.yaml": 1, "b.yaml": 1}
    lines = run.phases.log.splitlines()
    begin = lines.index(f"##[group]{say('log.group_publish', version='1.0.7-main')}")
    assert lines[begin + 1 :].index("##[endgroup]") == 2, "a line for each file"
    assert "##[warning]" not in run.phases.log
    assert run.phases.record.chart == "none"


def test_what_is_there_already_is_left_and_nothing_is_said() -> None:
    folder = Folder()
    folder.by_build(6, "a.yaml", "1")
    run = Published(folder, {"a.yaml": "1"})
    assert (run.result, run.states, len(folder.files["a.yaml"])) == ("unchanged", {"a.yaml": "unchanged"}, 1)
    assert "##[group]" + str(say("log.group_publish", version="1.0.7-main")) not in run.phases.log
    assert not run.phases.record.created_space


def test_what_a_newer_build_has_written_is_skipped_where_the_author_says_so() -> None:
    folder = Folder()
    folder.by_build(8, "a.yaml", "1")
    run = Published(folder, {"a.yaml": "2"}, on_newer_build="skip")
    assert (run.result, run.states) == ("skipped", {"a.yaml": "skipped"})


def test_a_file_that_somebody_else_wrote_meanwhile_is_planned_again() -> None:
    folder = Folder()
    folder.by_build(5, "a.yaml", "1")
    run = Published(folder, {"a.yaml": "2"}, on_plan=lambda _: folder.by_build(6, "a.yaml", "3"))
    assert (run.error, run.result, run.states) == (None, "published", {"a.yaml": "applied"})
    assert str(say("publish.planning_again", names=["a.yaml"])) in run.phases.log
    assert folder.files["a.yaml"][-1]["version"] == "1.0.7-main"
    assert folder.calls.count("create space spaces") == 0, "it is there"


def test_a_folder_that_is_there_is_written_into_and_looked_at_once() -> None:
    folder = Folder()
    folder.by_build(6, "a.yaml", "1")
    run = Published(folder, {"a.yaml": "2"})
    assert (run.result, run.phases.record.created_space) == ("published", False)
    assert not any(call.startswith("create space") for call in folder.calls)
    assert "##[warning]" not in run.phases.log
    planned = str(say("log.plan_digest", digest=""))
    assert run.phases.log.count(planned) == 1, "and planned once"


def test_what_is_known_of_the_site_by_its_answers_to_writes_is_told() -> None:
    folder = Folder()
    folder.by_build(6, "a.yaml", "1")
    folder.after_write = lambda: folder.site.learn(WITH_SPACE - folder.site.possible)
    run = Published(folder, {"a.yaml": "2"})
    assert (run.result, run.phases.warnings) == ("published", ["bcs.two"])


def test_a_newer_build_that_comes_meanwhile_stops_the_run() -> None:
    folder = Folder()
    folder.by_build(5, "a.yaml", "1")
    run = Published(folder, {"a.yaml": "2"}, on_plan=lambda _: folder.by_build(8, "a.yaml", "3"))
    assert run.error is not None
    assert run.error.code // 100 == 8004


@pytest.mark.parametrize(("seconds", "tried"), [(None, 300), (300.0, 150)])
def test_who_writes_again_and_again_is_given_up_on_when_the_time_is_over(
    seconds: Optional[float], tried: float
) -> None:
    folder = Folder()
    folder.by_build(5, "a.yaml", "1")
    numbers = iter(range(100))
    folder.after_write = lambda: folder.put("a.yaml", f"theirs-{next(numbers)}", text_of("3"), "by hand")
    folder.answers["list version names"] = []  # a list that lags
    run = Published(folder, {"a.yaml": "2", "b.yaml": "1"}, seconds=seconds)
    assert isinstance(run.error, Overtaken)
    (detail,) = run.error.details
    assert isinstance(detail, Text)
    assert (detail.key, detail.fields["name"]) == ("publish.gave_up", "a.yaml")
    assert run.error.context["file"] == "a.yaml"
    assert run.states == {"a.yaml": "failed", "b.yaml": "applied"}
    assert run.took == tried, "half of its time, or five minutes"


def test_the_first_failure_is_the_runs_and_the_others_are_written() -> None:
    folder = Folder()
    folder.by_build(5, "a.yaml", "1")
    folder.answers["create version"] = DOWN
    run = Published(folder, {"a.yaml": "2", "b.yaml": "1"})
    assert run.error is not None
    assert run.states == {"a.yaml": "failed", "b.yaml": "applied"}


def test_what_others_did_that_can_not_be_seen_is_a_warning() -> None:
    folder = Folder()
    listed = folder.answers["list files"]
    assert callable(listed)

    def once(call: Call[object]) -> JsonValue:
        if "a.yaml" in folder.files:
            raise DOWN
        assert callable(listed)
        return listed(call)

    folder.by_build(6, "b.yaml", "1")

    folder.answers["list files"] = once
    run = Published(folder, {"a.yaml": "1", "b.yaml": "1"})
    assert run.states == {"a.yaml": "applied", "b.yaml": "unchanged"}
    assert "publish.unsettled" in run.phases.warnings


def test_what_others_did_meanwhile_is_noted_at_the_file_and_said() -> None:
    folder = Folder()
    folder.by_build(5, "a.yaml", "1")
    listed = folder.answers["list files"]
    assert callable(listed)

    def twice(call: Call[object]) -> JsonValue:
        found = listed(call)
        assert isinstance(found, list)
        return [*found, *({**row, "id": "f" * 24} for row in found if isinstance(row, dict))]

    def wrote() -> None:
        folder.answers["list files"] = twice

    folder.after_write = wrote
    run = Published(folder, {"a.yaml": "2"})
    (outcome,) = run.phases.record.files()
    note = say("publish.file_twice", name="a.yaml")
    assert (outcome.state, note in outcome.notes) == ("applied", True)
    assert f"##[warning]{note}" in run.phases.log.splitlines()


def test_a_file_that_has_ended_is_known_when_a_signal_stops_the_others() -> None:
    folder = Folder()
    create = folder.answers["create file"]
    assert callable(create)

    def stopped(call: Call[object]) -> JsonValue:
        if folder.files:
            raise Stopped(Interrupted(signal="SIGTERM"))
        return create(call)

    folder.answers["create file"] = stopped
    run = Published(folder, {"a.yaml": "1", "b.yaml": "1"})
    assert (run.was_stopped, run.states) == (True, {"a.yaml": "applied", "b.yaml": "not-attempted"})


def test_of_a_run_that_is_stopped_nothing_more_is_said() -> None:
    folder = Folder()
    folder.by_build(5, "a.yaml", "1")
    told: list[Phases] = []
    folder.after_write = lambda: told[0].record.stop(Interrupted(signal="SIGTERM"))
    run = Published(folder, {"a.yaml": "2"}, on_plan=told.append)
    begin = str(say("log.group_publish", version="1.0.7-main"))
    assert run.phases.log.splitlines()[-2:] == [f"##[group]{begin}", "##[endgroup]"]


def test_that_the_time_did_not_do_for_all_files_is_the_error() -> None:
    folder = Folder()
    folder.answers["create file"] = OutOfTime(seconds=1)
    run = Published(folder, {"a.yaml": "1"}, seconds=600.0)
    assert isinstance(run.error, OutOfTime)
    assert (run.error.fields["seconds"], run.states) == (600, {"a.yaml": "not-attempted"})


def test_whom_a_token_stands_for_is_learnt_from_what_bcs_has_recorded() -> None:
    run = Published(Folder(creator="zhaoliu"), {"a.yaml": "1"}, principal=token_principal())
    assert run.phases.record.identity is not None
    assert run.phases.record.identity.acting_user == "zhaoliu"
    app = Published(Folder(creator="lisi"), {"a.yaml": "1"})
    assert app.phases.record.identity is not None
    assert (app.phases.record.identity.acting_user, app.phases.warnings) == ("-", [])
    nobody = Published(Folder(creator=""), {"a.yaml": "1"}, principal=token_principal())
    assert nobody.phases.record.identity is not None
    assert nobody.phases.record.identity.acting_user == "-"


def test_another_creator_than_the_acting_user_is_a_warning() -> None:
    run = Published(Folder(creator="zhaoliu"), {"a.yaml": "1"})
    assert len(run.phases.record.warnings) == 1


# --- the template set -----------------------------------------------------------------------------------


def test_a_template_set_is_published_also_by_a_next_try_and_once() -> None:
    folder, wanted = Folder(), {"a.yaml": "1"}
    folder.by_build(7, "a.yaml", "1")
    for result, made in (("published", "created"), ("unchanged", "unchanged")):
        run = Published(folder, wanted, template_set="web", version="1.0.7-main")
        assert (run.error, run.result, run.phases.record.chart) == (None, result, made)
        assert run.states == {"a.yaml": "unchanged"}
        assert run.phases.warnings == []


def test_a_template_set_that_could_not_be_published_or_looked_at_is_told() -> None:
    folder = Folder()
    folder.answers["create template set"] = DOWN
    failed = Published(folder, {"a.yaml": "1"}, template_set="web", version="1.0.7-main")
    assert (failed.error, failed.phases.record.chart) == (DOWN, "failed")
    unseen = Folder()
    unseen.answers["get chart version"] = NoPermission(user="lisi", message="no")
    run = Published(unseen, {"a.yaml": "1"}, template_set="web", version="1.0.7-main")
    assert (run.result, run.phases.record.chart) == ("published", "created")
    assert run.phases.warnings == ["publish.chart_unverified"]


# --- what branches share --------------------------------------------------------------------------------


def shared(
    folder: Folder,
    *,
    on_plan: Callable[[Phases], None] = lambda _: None,
    on_newer_build: str = "fail",
) -> Published:
    """Publish the branch's path, and a plain file where the folder has one."""
    files = {ROUTES: served_by("dev"), **({"p.yaml": "2"} if "p.yaml" in folder.files else {})}
    return Published(folder, files, on_plan=on_plan, on_newer_build=on_newer_build)


def test_what_lies_hidden_is_merged_by_a_run_that_begins_when_its_turn_comes() -> None:
    folder = Folder()
    base = folder.by_branch(1, "main", "main")
    folder.by_branch(3, "x", "main", "x", upon=[base])
    folder.by_branch(7, "main", "dev", "main", upon=[base])
    run = shared(folder)
    assert (run.result, run.states) == ("published", {ROUTES: "applied"})
    assert folder.branches() == ["main", "main x", "dev main", "dev main x"]
    assert run.took == SLOT_SECONDS + SETTLING_SECONDS
    assert [row.branch for row in run.phases.record.branches] == ["dev", "main", "x"]


def test_who_writes_nothing_because_of_a_newer_build_waits_for_no_turn() -> None:
    folder = Folder()
    base = folder.by_branch(1, "main", "main")
    folder.by_branch(3, "x", "main", "x", upon=[base])
    folder.by_branch(8, "main", "main", upon=[base])
    run = shared(folder, on_newer_build="skip")
    assert (run.result, run.took, len(folder.branches())) == ("skipped", 0, 3)


@pytest.mark.parametrize("is_early", [True, False])
def test_what_is_written_upon_something_that_hides_others_is_merged_with_these_then(
    *, is_early: bool
) -> None:
    folder = Folder()
    base = folder.by_branch(1, "main", "main")

    def write() -> None:
        folder.by_branch(3, "x", "main", "x", upon=[base])
        folder.by_branch(4, "y", "main", "y", upon=[base])

    def rivals(phases: Phases) -> None:
        phases.clock.time += 60  # so these were not written beside ours
        write()

    if is_early:
        write()
    run = shared(folder, on_plan=(lambda _: None) if is_early else rivals)
    assert (run.result, run.states) == ("published", {ROUTES: "applied"})
    assert folder.branches() == ["main", "main x", "main y", "dev main y", "dev main x y"]


def test_what_others_hide_while_a_run_plans_another_file_again_is_left_to_them() -> None:
    folder = Folder()
    base = folder.by_branch(1, "main", "main")
    own = folder.by_branch(7, "main", "dev", "main", upon=[base])
    folder.by_build(5, "p.yaml", "1")

    def rivals(phases: Phases) -> None:
        phases.clock.time += 60
        folder.by_branch(3, "x", "dev", "main", "x", upon=[own])
        folder.by_branch(4, "y", "dev", "main", "y", upon=[own])
        folder.by_build(6, "p.yaml", "3")

    run = shared(folder, on_plan=rivals)
    assert (run.result, run.states) == ("published", {ROUTES: "unchanged", "p.yaml": "applied"})
    assert folder.branches() == ["main", "dev main", "dev main x", "dev main y"]


def test_a_file_whose_turn_has_not_come_is_not_written_with_one_whose_turn_it_is() -> None:
    folder = Folder()
    base = folder.by_branch(1, "main", "main")
    for build, branch in ((2, "z"), (3, "x")):
        folder.by_branch(build, branch, "main", branch, upon=[base])
    folder.by_branch(7, "main", "dev", "main", upon=[base])
    folder.by_build(5, "p.yaml", "1")

    def rival(phases: Phases) -> None:
        phases.clock.time += 60
        folder.by_build(6, "p.yaml", "3")

    folder.at_list(4, lambda: folder.by_branch(4, "q", "main", "q", upon=[base]))
    run = shared(folder, on_plan=rival)
    assert (run.result, run.states) == ("published", {ROUTES: "applied", "p.yaml": "applied"})
    assert folder.branches()[4:] == ["main q", "dev main q x z"]


def test_a_file_that_others_have_merged_meanwhile_is_published_all_the_same() -> None:
    folder = Folder()
    base = folder.by_branch(1, "main", "main")
    clocks: list[Phases] = []

    def hide() -> None:
        folder.after_write = lambda: None
        rivals.extend(folder.by_branch(3, name, "main", name, upon=[base]) for name in "xy")

    def merge() -> None:
        clocks[0].clock.time += 60
        own = str(folder.files[ROUTES][1]["id"])
        folder.by_branch(4, "z", "dev", "main", "x", "y", "z", upon=[*reversed(rivals), own])

    rivals: list[str] = []
    folder.after_write = hide
    folder.at_list(6, merge)
    run = shared(folder, on_plan=clocks.append)
    assert (run.error, run.result, run.states) == (None, "published", {ROUTES: "applied"})
    assert folder.branches() == ["main", "dev main", "main x", "main y", "dev main x y z"]
