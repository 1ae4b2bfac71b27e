"""The order of a run's phases, and its one boundary: whatever happens comes out as an outcome."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from typing import Optional, cast

import pytest
import yaml
from tests.support.phases import Answer, Phases, StandInAgent, run_of, services_of
from tests.support.pieces import SECRET, URL, FakeClock, FakeSender, app_principal, ok
from tests.support.planned import desired, ingress
from tests.unit.run.test_publish_phase import BUILD, Folder, text_of

from bcs_template_set.agent.build_info import BuildRow
from bcs_template_set.bcs.calls import JsonValue
from bcs_template_set.bcs.gateway import Gateway, KeptSender
from bcs_template_set.bcs.marks import TEMPLATE_NAME, TEMPLATE_VERSION
from bcs_template_set.config.regions import Region
from bcs_template_set.manifests.branch_paths import BRANCHES, Claim, claims_json
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import (
    InputsInvalid,
    ManifestsInvalid,
    NewerBuild,
    NoPermission,
    VersionConflict,
)
from bcs_template_set.messages.secret import Secret
from bcs_template_set.messages.server_errors import GatewayFailed, OutOfTime, RolloutTimedOut
from bcs_template_set.messages.state_words import Result
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.report.outcome import Identity, Outcome
from bcs_template_set.rollout.result import Rollout
from bcs_template_set.run.journal import Journal, Seal
from bcs_template_set.run.step import carry_out, run_step
from bcs_template_set.system.own_files import OwnFile
from bcs_template_set.system.signals import Stopped

WHO = Identity("lisi", "my_app", "", say("rollout.ready"), "wangwu")


class Failing(StandInAgent):
    """An agent that raises something as soon as it is asked."""

    problem: BaseException

    def inputs(self) -> Mapping[str, str]:
        """Raise it."""
        raise self.problem


def lived(
    problem: BaseException, *, identity: Optional[Identity] = WHO, rollout: Optional[Rollout] = None
) -> tuple[Outcome, str]:
    """Return how a run ends that meets something, and its log."""
    agent, printed = Failing(), io.StringIO()
    agent.problem = problem
    services = services_of(agent, printed, clock=FakeClock())
    services.record.identity, services.record.rollout = identity, rollout
    services.record.heading = replace(services.record.heading, region="gz", project="web")
    return run_step(services), printed.getvalue()


def told_of(error: StepError, *, identity: Optional[Identity] = WHO) -> Mapping[str, object]:
    outcome, _ = lived(error, identity=identity)
    assert outcome.error is error
    return error.context


PLACE = {"region": "gz", "project": "web"}
TOLD = {"acting_user": "lisi", "app": "my_app", "starter": "wangwu", **PLACE}


@pytest.mark.parametrize(
    "error",
    [
        NoPermission(user="lisi", message="no"),
        VersionConflict(details=[]),
        GatewayFailed(url="u", status=502, message="m"),
    ],
)
def test_an_error_of_identity_conflict_or_server_says_who_and_where(error: StepError) -> None:
    assert told_of(error) == TOLD


def test_who_is_told_only_once_that_is_known_and_what_was_known_stays() -> None:
    assert told_of(NoPermission(user="lisi", message="no"), identity=None) == PLACE
    known = NoPermission(user="lisi", message="no").with_context(project="other")
    assert told_of(known) == {**TOLD, "project": "other"}


@pytest.mark.parametrize("error", [InputsInvalid(details=[]), ManifestsInvalid(details=[])])
def test_mistakes_of_inputs_and_templates_say_where_they_are_themselves(error: StepError) -> None:
    assert told_of(error) == {}


def test_a_rollout_that_was_too_slow_has_a_result_of_its_own() -> None:
    slow = RolloutTimedOut(
        count=1, seconds=1, timeout=0, deadline=0, needs_time=True, put_off=False, details=[]
    )
    assert lived(slow, rollout=Rollout("c", "n"))[0].result == "timed-out"
    assert lived(slow)[0].result == "failed"


def test_a_signal_ends_the_record_with_its_error() -> None:
    error = OutOfTime(seconds=60)
    outcome, log = lived(Stopped(error))
    assert (outcome.result, outcome.error, log) == ("failed", error, "")


def test_a_defect_is_an_outcome_too_with_its_traceback_in_the_log() -> None:
    outcome, log = lived(ZeroDivisionError("canary"))
    assert outcome.result == "failed"
    assert outcome.error is not None
    assert outcome.error.code // 100 == 8009
    assert "ZeroDivisionError" in log


# --- the order of phases --------------------------------------------------------------------------------


class Line(FakeSender):
    """A sender that hears how many connections are opened ahead; nothing that it answers is understood."""

    def __init__(self) -> None:
        super().__init__(ok([]))
        self.ahead: list[int] = []

    def connect_ahead(self, _: str, *, count: int) -> None:
        """Hear of connections that will be used."""
        self.ahead.append(count)

    def close(self) -> None:
        """Hear that it is over."""


def went(**inputs: str) -> tuple[list[str], Line, list[str]]:
    """Live a run that the gateway ends; return its phases, its sender, and the region that was heard of."""
    line, heard, clock = Line(), list[str](), FakeClock()
    region = {"gateway": URL, "app_code": "my_app", "app_secret": SECRET}
    given = {"template_space": "front-ends", "run_as": "modifier", **inputs}
    agent = StandInAgent(
        given,
        yaml.safe_dump({"gz": region}),
        of_build=replace(BUILD, modifier="lisi"),
        row=BuildRow(started_by="wangwu", modifier="lisi"),
    )

    def hear(found: Region) -> None:
        heard.append(found.name)

    files = run_of(*((f"{name}.yaml", text_of(name)) for name in "abcd")).run
    services = replace(
        services_of(agent, io.StringIO(), clock=clock),
        sender=cast("KeptSender", line),
        on_region=hear,
        render=lambda *_: (files.prepared, files.desired),
    )
    assert run_step(services).result == "failed"
    return [phase.name for phase in services.record.phases], line, heard


def test_a_run_reads_its_settings_renders_and_plans_and_its_connections_are_opened_meanwhile() -> None:
    phases, line, heard = went()
    assert phases == ["settings", "render", "plan"]
    assert (line.ahead, heard) == ([2, 4], ["gz"]), "two to begin with, then one for each file"
    assert len(line.requests) > 0


def test_a_run_that_goes_back_renders_nothing() -> None:
    back = {"action": "rollback", "cluster_id": "BCS-K8S-40000", "namespace": "prod"}
    assert went(**back)[0] == ["settings", "plan"]


PLAN = {"action": "plan", "cluster_id": "", "namespace": "", "image_check": "off"}


def carried_out(
    folder: Folder, text: str = "", *, journal: Optional[Journal] = None, **inputs: str
) -> tuple[Result, Phases]:
    """Carry out a run of one file; the folder answers for the cluster, too."""
    wanted = desired(("a.yaml", text or text_of("2")))
    phases = run_of(wanted=wanted, build=BUILD, inputs={"image_check": "off", **inputs})
    phases.record.identity, phases.record.journal = WHO, journal
    phases.clock.time = 1_767_225_700
    return carry_out(phases.run, cast("Gateway", folder), app_principal()), phases


def test_a_plan_is_left_for_who_compares_it_and_asks_no_cluster_that_it_does_not_name(tmp_path: Path) -> None:
    folder = Folder()
    folder.by_build(6, "a.yaml", "1")
    journal = Journal(OwnFile(tmp_path, "run/restore.json"), Seal(("web",), "lisi", Secret("s")), 1)
    result, phases = carried_out(folder, journal=journal, **PLAN)
    assert (result, len(folder.files["a.yaml"])) == ("planned", 1)
    assert [path.name[:5] for path in (tmp_path / "run").iterdir()] == ["plan-"]
    assert [phase.name for phase in phases.record.phases] == ["plan"]


def test_a_plan_tells_which_branches_have_paths_in_the_folder() -> None:
    claims = claims_json([Claim("/", "main", "p-1", 6, "wangwu")])
    routes = ingress("a.example.com", "/")
    text = routes.replace("{name: web}", f"{{name: web, annotations: {{{BRANCHES}: '{claims}'}}}}", 1)
    folder = Folder()
    folder.put("a.example.com.routes.yaml", "1.0.6-main", text, "")
    _, phases = carried_out(folder, ingress("b.example.com", "/"), journal=None, **PLAN)
    assert [(row.branch, row.path) for row in phases.record.branches] == [("main", "/")]


REACHED: Mapping[str, Answer] = {"list namespaces": {"manifest": {"items": []}}, "may deploy": None}
"""What a cluster says before a deployment."""


def test_what_was_published_is_deployed_and_then_old_versions_are_looked_for() -> None:
    """An earlier try of this build has deployed it already."""
    folder = Folder()
    marks: JsonValue = {TEMPLATE_NAME: "front-ends/a.yaml", TEMPLATE_VERSION: "1.0.7-main"}
    metadata = {"name": "a", "annotations": marks}
    text = yaml.safe_dump({**yaml.safe_load(text_of("2")), "metadata": metadata})
    item: JsonValue = {"kind": "ConfigMap", "name": "a", "content": text, "previousContent": text}
    folder.answers.update({**REACHED, "list variables": {"vars": []}, "preview": {"items": [item]}})
    result, phases = carried_out(folder, action="deploy", keep_versions="2")
    assert (result, phases.record.gone_well) == ("deployed", ["plan", "publish", "deploy", "retention"])


def test_where_a_newer_build_was_skipped_nothing_is_deployed() -> None:
    folder = Folder()
    folder.by_build(8, "a.yaml", "1")
    folder.answers.update(REACHED)
    result, phases = carried_out(folder, action="deploy", on_newer_build="skip")
    assert (result, phases.record.gone_well) == ("skipped", ["plan", "publish"])
    assert "may deploy deploy" in folder.calls, "the right to deploy was asked for before"
    with pytest.raises(NewerBuild):
        carried_out(folder, action="deploy")
    assert [one["version"] for one in folder.files["a.yaml"]] == ["1.0.8-main"]


def test_the_images_of_a_run_are_looked_for_before_anything_is_written() -> None:
    pod = "{spec: {containers: [{name: web, image: 'example.com/web:7', imagePullPolicy: Never}]}}"
    web = f"apiVersion: apps/v1\nkind: Deployment\nmetadata: {{name: web}}\nspec: {{template: {pod}}}\n"
    _, phases = carried_out(Folder(), web, action="publish", image_check="auto", cluster_id="", namespace="")
    said = str(say("images.never_pulled", images=["example.com/web:7"]))
    assert phases.log.index(said) < phases.log.index(str(say("log.group_publish", version="1.0.7-main")))
