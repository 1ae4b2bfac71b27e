"""The verb `undeploy`: what it lists, deletes and says, of a folder and a namespace in memory."""

from __future__ import annotations

import io
from argparse import Namespace
from collections.abc import Mapping
from dataclasses import replace
from types import MappingProxyType
from typing import NamedTuple, Optional, cast

import pytest
from tests.support.phases import CLUSTER, NAMESPACE, PLACE, Answer, Cluster, run_of
from tests.support.pieces import URL, FakeClock, app_principal
from tests.support.planned import OURS
from tests.support.small_namespace import body, marked

from bcs_template_set.agent.build_api import Credential
from bcs_template_set.agent.log import Log
from bcs_template_set.bcs.calls import Call, JsonValue, T
from bcs_template_set.bcs.deploy_calls import NOBODY
from bcs_template_set.bcs.gateway import Gateway
from bcs_template_set.bcs.space.provenance import Provenance
from bcs_template_set.cli.verb_plan import Desk, LocalAgent, services_at_desk
from bcs_template_set.cli.verb_undeploy import run_undeploy, undeploy
from bcs_template_set.manifests.fields import mapping_at
from bcs_template_set.manifests.yaml_reading import YamlValue, dump_yaml
from bcs_template_set.messages.errors import InputsInvalid, Interrupted, NoPermission
from bcs_template_set.messages.past_errors import MayNotDelete, NothingToUndeploy
from bcs_template_set.messages.server_errors import AnswerUnreadable, BcsFailed
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.system.signals import Stopped

HOST = "a.example.com"
FILES = (f"{HOST}.deployment.yaml", f"{HOST}.service.yaml", "b.yaml", "c.yaml")
OBJECTS = (["Deployment/web"], ["Service/web"], ["ConfigMap/b"], ["ConfigMap/c", "Secret/c"])
GROUPS: Mapping[str, Mapping[str, YamlValue]] = {"Secret/c": {"apiVersion": "v1"}}
KINDS = ("Deployment", "Service", "ConfigMap", "Secret")
NOTHING: Mapping[str, Answer] = MappingProxyType({})
NO = NoPermission(user="lisi", message="m")


class World(Cluster):
    """A folder of four files, all live: two of a host's, two others. `origin` is who published them."""

    def __init__(self, answers: Mapping[str, Answer], *, origin: Optional[Provenance] = OURS) -> None:
        super().__init__({})
        self.live: dict[str, dict[str, JsonValue]] = {}
        self.deleted: list[str] = []
        rows: list[JsonValue] = []
        for number, (name, titles) in enumerate(zip(FILES, OBJECTS), start=1):
            items = [{**body(*title.split("/")), **GROUPS.get(title, {})} for title in titles]
            content, id_ = "---\n".join(map(dump_yaml, items)), str(number) * 24
            told = {"version": "1.0.7", "content": content}
            line = origin.line(content) if origin is not None else "by hand"
            self.answers[f"get version {id_}"] = {"id": id_, **told, "description": line}
            row = {"id": id_, "name": name, "realName": name, "version": "1.0.7", "versionID": id_}
            rows.append({**row, "versionMode": 0, "resourceType": [title.split("/")[0] for title in titles]})
            self.answers[f"get file {id_}"] = rows[-1]
            for title, item in zip(titles, items):
                made = marked(item, name, "1.0.7")
                self.live[title] = {**made, "metadata": {**mapping_at(made, "metadata"), "uid": f"u-{title}"}}
        self.answers["get project"] = {"projectID": PLACE.project_id, "projectCode": "web"}
        self.answers["list spaces"] = [{"id": "5" * 24, "name": "front-ends", "fav": False, "tags": []}]
        self.answers["list files"] = rows
        self.answers["list environments"] = []
        self.answers["may delete"] = BcsFailed(bcs_code=1, message=f'configmaps "{NOBODY}" not found')
        self.answers.update(answers)

    def _answer(self, call: Call[T]) -> T:
        word, _, kind = call.name.partition(" ")
        title = f"{kind}/{call.segments[-1]}"
        if call.name in self.answers or f"{call.name} {call.segments[-1]}" in self.answers:
            return super()._answer(call)
        if word == "list" and kind in KINDS:
            items = [item for name, item in self.live.items() if name.startswith(f"{kind}/")]
            return call.parse({"manifest": {"items": [*items]}})
        if word == "get" and title in self.live:
            return call.parse({"manifest": self.live[title]})
        if word == "get" and kind in KINDS:
            raise BcsFailed(bcs_code=1, message=f'x "{call.segments[-1]}" not found')
        if word == "delete":
            self.deleted.append(title)
            self.live.pop(title, None)
            return call.parse(None)
        return super()._answer(call)


class Said(NamedTuple):
    """How the verb ended, what it printed and said, and what it deleted."""

    status: int
    out: list[str]
    log: str
    deleted: list[str]
    asked: list[str]


def undeployed(
    host: str = HOST,
    *,
    yes: bool = True,
    files: bool = False,
    answers: Mapping[str, Answer] = NOTHING,
    origin: Provenance = OURS,
    inputs: Mapping[str, str] = MappingProxyType({}),
    world: Optional[World] = None,
) -> Said:
    world = world or World(answers, origin=origin)
    phases, out = run_of(inputs=inputs), io.StringIO()
    desk = Desk(phases.run.context, cast("Gateway", world), app_principal(), out)
    try:
        status = undeploy(desk, Namespace(host=host, yes=yes, files=files))
    finally:
        deleted = [*world.deleted]
    asked = [call.rpartition(" ")[0] for call in world.calls]
    return Said(status, out.getvalue().splitlines(), phases.log, deleted, asked)


HEAD = f"things go, of folder front-ends, in namespace {NAMESPACE} of cluster {CLUSTER}:"
ROWS = [
    f"- Service/web ({HOST}.service.yaml, 1.0.7)",
    f"- Deployment/web ({HOST}.deployment.yaml, 1.0.7)",
]


def test_what_would_go_is_listed_with_its_place_and_stays_without_yes() -> None:
    said = undeployed(yes=False)
    assert (said.status, said.out, said.deleted) == (0, [f"2 {HEAD}", *ROWS], [])
    assert said.log == "##[warning]Nothing was deleted. Add --yes to delete this.\n"


def test_what_goes_is_listed_before_and_told_after_with_what_brings_it_back() -> None:
    said = undeployed()
    assert (said.status, said.deleted) == (0, ["Service/web", "Deployment/web"])
    assert said.out[:4] == [f"2 {HEAD}", *ROWS, "Deleted: Service/web, Deployment/web"]
    assert "build 7" in said.out[4]
    assert said.log == (
        f"##[info]The next deployment of pipeline p-1 brings {HOST} back as long as its values name it.\n"
    )


def test_a_version_by_hand_of_which_nothing_is_live_is_in_nobodys_way() -> None:
    world = World({})
    by_hand = cast("dict[str, JsonValue]", world.answers[f"get version {'2' * 24}"])
    by_hand["description"] = "by hand"
    del world.live["Service/web"]
    said = undeployed(world=world)
    assert (said.status, said.deleted) == (0, ["Deployment/web"])
    assert "pipeline p-1 brings" in said.log


def test_what_no_pipeline_published_none_brings_back() -> None:
    assert undeployed(origin=replace(OURS, pipeline="")).log == ""


def test_its_files_go_with_their_versions_where_that_is_asked_for() -> None:
    said = undeployed(files=True)
    files = [f"- file {name}, with all its versions" for name in FILES[:2]]
    assert said.out[:5] == [f"4 {HEAD}", *ROWS, *files]
    assert (said.status, said.log) == (0, "")
    assert said.deleted == ["Service/web", "Deployment/web", f"file/{'1' * 24}", f"file/{'2' * 24}"]


def unseen_elsewhere() -> World:
    """Return a world whose files were deployed somewhere, where nobody can say who else runs them."""
    world = World({"list environments": NO})
    for row in cast("list[dict[str, JsonValue]]", world.answers["list files"]):
        row["latestDeployVersion"] = "1.0.7"
    return world


def test_a_file_that_was_deployed_stays_where_nobody_could_look_who_else_runs_it() -> None:
    said = undeployed(files=True, world=unseen_elsewhere())
    assert (said.status, said.deleted) == (0, ["Service/web", "Deployment/web"])
    assert f"File {FILES[0]} stays: Not everything could be seen:" in said.out[3]
    assert "list environments" not in undeployed(world=unseen_elsewhere()).asked


def test_what_stays_is_said_beside_what_goes_and_a_kind_that_is_kept_goes_where_the_inputs_name_it() -> None:
    said = undeployed("c.yaml", yes=False)
    assert said.out[1:2] == ["- ConfigMap/c (c.yaml, 1.0.7)"]
    assert said.out[2].startswith("Secret/c of c.yaml stays:")
    also = undeployed("c.yaml", inputs={"prune_also": "Secret"})
    assert [*also.deleted] == ["ConfigMap/c", "Secret/c"]


def test_one_that_could_not_be_deleted_ends_with_1() -> None:
    said = undeployed(answers={"delete Service": BcsFailed(bcs_code=1, message="m")})
    assert (said.status, said.deleted) == (1, [])
    assert said.out[3].startswith("Not deleted: Service/web.")
    assert said.out[4] == "Not tried: Deployment/web. The next run goes on with them."


@pytest.mark.parametrize(
    ("host", "answers", "details"),
    [
        (HOST, {"list spaces": []}, []),
        ("a.example.co", {}, ["The folder has a.example.com."]),
        ("b.yml", {}, ["The folder has b.yaml."]),
        ("elsewhere", {}, []),
    ],
)
def test_where_nothing_is_found_it_says_where_it_looked_and_what_is_near(
    host: str, answers: Mapping[str, Answer], details: list[str]
) -> None:
    with pytest.raises(NothingToUndeploy) as caught:
        undeployed(host, answers=answers)
    assert [*map(str, caught.value.details)] == details
    where = f"Nothing of {host} that could be deleted was found in namespace {NAMESPACE} of cluster {CLUSTER}"
    assert str(caught.value.title()) == f"{where}, by the files of folder front-ends."


def test_where_all_of_it_stays_the_reasons_are_told() -> None:
    with pytest.raises(NothingToUndeploy) as caught:
        undeployed(origin=replace(OURS, sha256="x"), world=World({}, origin=None))
    first, *_ = map(str, caught.value.details)
    assert first.startswith("Deployment/web of a.example.com.deployment.yaml stays:")
    assert "version 1.0.7 of the file is not as a pipeline published it" in first


@pytest.mark.parametrize(
    ("answers", "ends"),
    [
        ({"may delete": NO}, MayNotDelete),
        ({"list Deployment": {"manifest": {"items": []}}}, AnswerUnreadable),
        ({"list Secret": NO}, NoPermission),
    ],
)
def test_what_may_not_be_done_or_can_not_be_seen_deletes_nothing(
    answers: Mapping[str, Answer], ends: type[StepError]
) -> None:
    world = World(answers)
    with pytest.raises(ends):
        undeployed(world=world)
    assert world.deleted == []


class Stopping(LocalAgent):
    """A desk at which somebody presses Ctrl-C while it is asked for its token."""

    def credential(self, credential_id: str) -> Credential:
        del credential_id
        raise Stopped(Interrupted(signal="SIGINT"))


def test_one_that_is_stopped_before_it_has_deleted_anything_ends_as_stopped() -> None:
    target: dict[str, YamlValue] = {"cluster_id": CLUSTER, "namespace": NAMESPACE}
    settings: dict[str, YamlValue] = {
        "regions": {"gz": {"gateway": URL}},
        "inputs": {"region": "gz", "project_code": "web", "template_space": "front-ends", **target},
        "access_token": "t0ken-canary",
    }
    out = io.StringIO()
    services = services_at_desk(Stopping(settings), log=Log(io.StringIO(), "en_US"), clock=FakeClock())
    with pytest.raises(Stopped):
        run_undeploy(services, Namespace(host=HOST, yes=True, files=False), out=out)
    assert (out.getvalue(), services.record.heading.action) == ("", "undeploy")


def test_without_a_cluster_both_names_are_missing() -> None:
    settings: dict[str, YamlValue] = {
        "regions": {"gz": {"gateway": URL, "app_code": "a", "app_secret": "s" * 8}},
        "inputs": {"region": "gz", "project_code": "web", "template_space": "front-ends"},
        "user": "lisi",
    }
    services = services_at_desk(LocalAgent(settings), log=Log(io.StringIO(), "en_US"), clock=FakeClock())
    with pytest.raises(InputsInvalid) as caught:
        run_undeploy(services, Namespace(host=HOST, yes=True, files=False), out=io.StringIO())
    names = [str(detail).partition(" ")[0] for detail in caught.value.details]
    assert names == ["cluster_id", "namespace"]
