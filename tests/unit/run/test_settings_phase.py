"""What is asked for, who asks, and what of the machine counts."""

from __future__ import annotations

import io
from collections.abc import Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Optional

import pytest
import yaml
from tests.support.phases import Answers, StandInAgent, services_of
from tests.support.pieces import FakeClock, app_principal, business, ok

from bcs_template_set.agent.build_api import Credential
from bcs_template_set.agent.build_info import BuildInfo, BuildRow, Source
from bcs_template_set.agent.masker import MOST_WORDS
from bcs_template_set.bcs.answers import Project
from bcs_template_set.bcs.calls import JsonValue, Read, Write, nothing, several
from bcs_template_set.config.regions import Endpoint
from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.manifests.parse import parse_documents
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import CredentialUnusable, PrivateSettingsInvalid
from bcs_template_set.messages.secret import Secret
from bcs_template_set.messages.server_errors import BcsFailed, GatewayFailed, OutOfTime
from bcs_template_set.report.log_lines import header_lines
from bcs_template_set.report.outcome import Console, Identity
from bcs_template_set.run.context import RunContext, Services
from bcs_template_set.run.doctor_exam import Exam
from bcs_template_set.run.record import RunRecord
from bcs_template_set.run.secret_words import SecretWords
from bcs_template_set.run.settings_phase import (
    WatchedWriter,
    connect_ahead,
    connecting,
    find_principal,
    holding,
    identify,
    machine_of,
    open_gateway,
    read_asked,
    read_build,
    read_everything,
    sender_of,
)
from bcs_template_set.system.clock import Deadline
from bcs_template_set.system.http_client import Transport
from bcs_template_set.system.http_values import HttpAnswer, HttpRequest
from bcs_template_set.system.parallel import Done, Raised
from bcs_template_set.system.proxies import CERTIFICATES
from bcs_template_set.system.signals import Stopped

GATEWAY = "https://bkapi.example.com/prod"
APP = {"app_code": "my_app", "app_secret": "canary-secret-1"}
BUILD = BuildInfo(
    "record",
    starter="wangwu",
    modifier="lisi",
    authorizer="lisi",
    pipeline_id="p-1",
    pipeline_name="release web",
    build_id="b-7",
    build_number=7,
    url="https://ci.example.com/b-7",
    branch="main",
    commit="abc",
)
ROW = BuildRow(started_by="wangwu", modifier="lisi")


def agent_of(
    *, region: Optional[Mapping[str, object]] = None, inputs: Optional[Mapping[str, str]] = None
) -> StandInAgent:
    """Return the agent of a step with these inputs, in a region with these settings."""
    regions = {"gz": {"gateway": GATEWAY, **APP, **(region or {})}}
    given = {"template_space": "front-ends", "run_as": "modifier", **(inputs or {})}
    return StandInAgent(given, yaml.safe_dump(regions), of_build=BUILD, row=ROW)


@dataclass
class Begun:
    """A run that has only begun, and what it has printed."""

    agent: StandInAgent
    services: Services
    printed: io.StringIO

    @property
    def lines(self) -> list[str]:
        """Return the lines of its log."""
        return self.printed.getvalue().splitlines()

    def context(self) -> RunContext:
        """Return what is asked for."""
        return read_everything(self.services)


def begun(
    agent: Optional[StandInAgent] = None, *, environ: Optional[Mapping[str, str]] = None, workspace: str = ""
) -> Begun:
    made, printed = agent or agent_of(), io.StringIO()
    if workspace:
        made.of_task = replace(made.of_task, workspace=workspace)
    services = services_of(made, printed, clock=FakeClock())
    return Begun(made, replace(services, environ=environ or {}), printed)


# --- what is asked for ----------------------------------------------------------------------------------


def test_inputs_and_region_are_named_in_the_heading_before_the_build_is_known() -> None:
    inputs = {"action": "publish", "template_set": "web", "version": "1.0.0"}
    run = begun(agent_of(region={"console_url": "https://bcs.example.com"}, inputs=inputs))
    settings, region = read_asked(run.services)
    heading = run.services.record.heading
    assert (settings.region, region.name, run.agent.asked) == ("gz", "gz", [])
    assert (heading.action, heading.goes_back) == ("publish", False)
    assert (heading.region, heading.project, heading.space) == ("gz", "web", "front-ends")
    assert (heading.console, heading.template_set) == (Console("https://bcs.example.com", "web"), "web")


def test_a_part_of_the_files_is_published_as_no_template_set() -> None:
    inputs = {"template_set": "web", "version": "1.0.0", "only": "a.yaml"}
    run = begun(agent_of(inputs=inputs))
    read_asked(run.services)
    assert run.services.record.heading.template_set == ""


def test_secrets_of_every_region_are_masked_from_then_on() -> None:
    run = begun()
    read_asked(run.services)
    run.services.log.info("it is canary-secret-1")
    assert run.lines == ["##[info]it is ***"]


def test_a_ca_bundle_that_any_step_can_write_is_refused(tmp_path: Path) -> None:
    inside = tmp_path / "workspace"
    inside.mkdir()
    (tmp_path / "link").symlink_to(inside)
    for bundle, workspace, refused in (
        (inside / "ca.pem", inside, True),
        (tmp_path / "link" / "ca.pem", inside, True),
        (inside, inside, True),
        (tmp_path / "ca.pem", inside, False),
        (Path.cwd() / "ca.pem", "", False),
    ):
        run = begun(agent_of(region={"ca_bundle": str(bundle)}), workspace=str(workspace))
        if not refused:
            read_asked(run.services)
            continue
        with pytest.raises(PrivateSettingsInvalid) as raised:
            read_asked(run.services)
        place = say("regions.ca_bundle_in_workspace", place="regions.gz.ca_bundle")
        assert [*raised.value.details] == [place]


def test_the_build_is_named_in_the_heading_and_asked_for_as_the_region_says() -> None:
    run = begun()
    context = run.context()
    heading = run.services.record.heading
    assert (heading.pipeline, heading.pipeline_id, heading.build_number) == ("release web", "p-1", 7)
    assert (heading.build_url, heading.branch, heading.commit) == (BUILD.url, "main", "abc")
    assert (run.agent.asked, context.build) == (["build"], BUILD)
    nameless = agent_of(region={"people": "environment"})
    nameless.of_build = replace(BUILD, pipeline_name="")
    run = begun(nameless)
    read_build(run.services, *read_asked(run.services))
    assert (run.agent.asked, run.services.record.heading.pipeline) == (["build of the environment"], "p-1")


def test_without_certificates_none_lie_in_the_workspace() -> None:
    read_asked(begun(workspace=str(Path.cwd())).services)


# --- who asks -------------------------------------------------------------------------------------------


def test_the_one_user_is_named_in_the_record_and_the_secret_masked() -> None:
    run = begun()
    principal = find_principal(run.context())
    assert run.services.record.identity == Identity(
        acting_user="lisi", app_code="my_app", credential="", reason=principal.reason, starter="wangwu"
    )
    assert run.agent.asked == ["build", "row"]


def test_nobody_has_started_what_runs_at_a_desk() -> None:
    run = begun()
    run.agent.of_build = replace(BUILD, source="file")
    find_principal(run.context())
    assert run.services.record.identity is not None
    assert run.services.record.identity.starter == ""


@pytest.mark.parametrize(
    ("inputs", "region", "source", "asks"),
    [
        ({"run_as": "modifier"}, {}, "record", True),
        ({"run_as": "owner"}, {"owner": "lisi"}, "record", False),
        ({"run_as": "authorizer"}, {"authorizer": "platform"}, "record", False),
        ({"run_as": "modifier"}, {"authorizer": "platform"}, "record", True),
        ({"run_as": "modifier"}, {"people": "environment"}, "environment", False),
        ({"run_as": "modifier", "credential": "token"}, {}, "record", False),
        ({"run_as": "modifier", "credential": "app"}, {}, "record", True),
    ],
)
def test_the_builds_own_row_is_asked_for_where_a_name_of_its_people_may_act(
    inputs: Mapping[str, str], region: Mapping[str, object], source: Source, *, asks: bool
) -> None:
    run = begun(agent_of(region=region, inputs=inputs))
    run.agent.of_build = replace(BUILD, source=source)
    run.agent.credentials = {"token": TOKEN, "app": OWN_APP}
    find_principal(run.context())
    assert ("row" in run.agent.asked) == asks


TOKEN = Credential("token", "access token", {}, {"access_token": Secret("canary-token-1")})
OWN_APP = Credential("app", "app", {"appId": "other_app"}, {"secretKey": Secret("canary-key-1")})


def test_a_credential_is_read_and_said_and_nothing_else_is_asked_for() -> None:
    run = begun(agent_of(inputs={"credential": "token"}))
    run.agent.credentials = {"token": TOKEN}
    principal = find_principal(run.context())
    assert principal.is_token
    assert run.lines == ["##[info]" + str(say("step.credential_read", credential="token"))]
    run.services.log.info("canary-token-1")
    assert run.lines[-1] == "##[info]***"
    desk = begun(agent_of(inputs={"credential": "app"}))
    desk.agent.credentials = {"app": OWN_APP}
    desk.agent.of_build = replace(BUILD, source="file")
    assert (find_principal(desk.context()).app_code, desk.lines) == ("other_app", [])


def test_a_credential_of_another_type_is_refused() -> None:
    run = begun(agent_of(inputs={"credential": "reg"}))
    run.agent.credentials = {"reg": Credential("reg", "user name and password", {}, {})}
    with pytest.raises(CredentialUnusable) as raised:
        find_principal(run.context())
    problem = say("identity.wrong_credential_type", type="user name and password")
    assert raised.value.fields == {"credential": "reg", "problem": problem}


def test_an_examination_knows_as_much_as_a_run_and_keeps_what_went_wrong() -> None:
    run = begun(agent_of(inputs={"template_set": "web", "version": "1.0.0"}))
    exam = Exam(run.services)
    assert (exam.settings.template_space, exam.region.name, exam.template_set) == ("front-ends", "gz", "web")
    assert isinstance(exam.context, Done)
    assert exam.context.value.build == BUILD
    assert isinstance(exam.principal, Done)
    assert exam.principal.value.user == "lisi"
    broken = Exam(begun(StandInAgent({}, "regions: [")).services)
    assert isinstance(broken.asked, Raised)
    assert isinstance(broken.context, Raised)
    assert isinstance(broken.principal, Raised)
    assert broken.principal.error is broken.asked.error
    assert broken.template_set == ""


@pytest.mark.parametrize(("seconds", "left"), [(None, 10.0), (60.0, 10.0), (4.0, 4.0)])
def test_all_questions_together_take_ten_seconds_at_most(seconds: Optional[float], left: float) -> None:
    run = begun()
    deadline = Deadline(run.services.clock, seconds=seconds)
    assert Exam(replace(run.services, deadline=deadline)).deadline.remaining() == left


def test_an_examination_asks_each_question_once_within_its_time() -> None:
    run = begun()
    line = Line(HttpAnswer(502, {}, b""))
    exam = Exam(replace(run.services, sender=line))
    with pytest.raises(GatewayFailed):
        exam.reader.read(CALL)
    assert counts(line) == [10.0]


# --- what is said of it ---------------------------------------------------------------------------------


def test_proxy_and_certificates_are_named_where_they_are_not_the_usual_ones() -> None:
    plain = begun()
    assert identify(plain.context()).user == "lisi"
    heading, identity = plain.services.record.heading, plain.services.record.identity
    header = [line.text for line in header_lines(heading, identity, language="en_US")]
    assert [line.replace("##[info]", "") for line in plain.lines[: len(header)]] == header
    assert len(plain.lines) > len(header), "and the inputs"
    assert (heading.proxy, heading.certificates) == ("", "")
    environ = {
        "https_proxy": "http://me:canary@proxy.example.com:3128",
        CERTIFICATES[0]: "",
        CERTIFICATES[1]: "/etc/ca.pem",
    }
    machine = begun(environ=environ)
    identify(machine.context())
    heading = machine.services.record.heading
    assert (heading.proxy, heading.certificates) == ("http://proxy.example.com:3128", "/etc/ca.pem")
    own = {"proxy": "http://own.example.com:1", "ca_bundle": "/etc/own.pem"}
    region = begun(agent_of(region=own), environ=environ)
    identify(region.context())
    heading = region.services.record.heading
    assert (heading.proxy, heading.certificates) == ("http://own.example.com:1", "/etc/own.pem")
    senders = [sender_of(replace(run.context(), services=run.services)) for run in (region, machine)]
    assert [sender.proxy for sender in senders if isinstance(sender, Transport)] == [own["proxy"], None]


def test_what_the_pipeline_has_set_is_not_obeyed_and_that_is_a_warning() -> None:
    run = begun(environ={"https_proxy": "http://evil.example.com"})
    run.agent.names = ("https_proxy",)
    identify(run.context())
    assert run.services.record.heading.proxy == ""
    assert "##[warning]" + str(say("agent.not_obeyed", name="https_proxy")) in run.lines


@pytest.mark.parametrize(
    ("source", "inputs", "is_warned"),
    [
        ("environment", {}, True),
        ("record", {}, False),
        ("environment", {"run_as": "owner"}, False),
        ("environment", {"credential": "token"}, False),
    ],
)
def test_a_name_that_nobody_has_proven_is_a_warning(
    source: Source, inputs: Mapping[str, str], *, is_warned: bool
) -> None:
    people = {"people": "environment"} if source == "environment" else {}
    owner = {"owner": "lisi"} if "run_as" in inputs else {}
    run = begun(agent_of(region={**people, **owner}, inputs=inputs))
    run.agent.of_build = replace(BUILD, source=source)
    run.agent.credentials = {"token": TOKEN}
    identify(run.context())
    warning = "##[warning]" + str(say("identity.not_proven", region="gz", user="lisi"))
    assert (warning in run.lines) == is_warned


def test_certificates_in_the_workspace_do_not_count(tmp_path: Path) -> None:
    first, second, *_ = CERTIFICATES
    environ = {first: str(tmp_path / "ca.pem"), second: "/etc/ca.pem", "https_proxy": "x"}
    run = begun(environ=environ, workspace=str(tmp_path))
    run.agent.names = ("https_proxy",)
    machine = machine_of(run.services)
    assert (dict(machine.environ), machine.ignored) == ({second: "/etc/ca.pem"}, ("https_proxy", first))


# --- the gateway ----------------------------------------------------------------------------------------


class Line:
    """A sender without a line: what it was asked, and what it was told to open or close."""

    def __init__(self, body: HttpAnswer) -> None:
        self.body = body
        self.told: list[object] = []

    def send(self, request: HttpRequest, *, seconds: float = float("inf")) -> HttpAnswer:
        self.told.append((request.url, seconds))
        return self.body

    def connect_ahead(self, url: str, *, count: int) -> None:
        self.told.append((url, count))

    def close(self) -> None:
        self.told.append("closed")


CALL = Read("x", "GET", ("a",), "web", nothing)


def test_every_request_enters_the_record_and_what_it_answers_is_learnt() -> None:
    run, words = begun(), SecretWords(variables={})
    context = run.context()
    gateway = open_gateway(context, app_principal(), words=words, sender=Line(ok({})))
    gateway.read(CALL)
    assert [request.path for request in run.services.record.requests] == ["/a"]


def test_a_servers_words_come_without_the_runs_secrets_however_long_they_are() -> None:
    run = begun()
    context = run.context()
    text = "kind: Secret\nstringData: {a: canary-word}\n"
    said = f"canary-word {'x' * (MOST_WORDS - 10)} canary-secret-1"
    refused = business(7, said)
    secret = ManifestFile("s.yaml", text, "s.yaml", parse_documents(text, source="s.yaml"))
    gateway = open_gateway(context, app_principal(), words=SecretWords([secret]), sender=Line(refused))
    with pytest.raises(BcsFailed) as raised:
        gateway.read(CALL)
    assert "canary" not in str(raised.value.message)
    assert str(raised.value.message).startswith("*** x")
    cut = business(7, f"x{' ' * (MOST_WORDS - 5)}canary-word")
    gateway = open_gateway(context, app_principal(), words=SecretWords([secret]), sender=Line(cut))
    with pytest.raises(BcsFailed) as raised:
        gateway.read(CALL)
    assert str(raised.value.message) == "x ***"


def test_a_gateway_that_is_given_a_deadline_keeps_to_that() -> None:
    run = begun()
    clock = FakeClock()
    line = Line(ok({}))
    given = Deadline(clock, seconds=5)
    open_gateway(run.context(), app_principal(), sender=line, deadline=given).read(CALL)
    open_gateway(run.context(), app_principal(), sender=line).read(CALL)
    assert counts(line) == [5, float("inf")]


def test_connections_are_opened_ahead_and_closed_where_that_was_in_vain() -> None:
    run = begun(agent_of(region={"concurrency": 1}))
    line = Line(ok({}))
    context = replace(run.context(), services=replace(run.services, sender=line))
    with connecting(context) as sender:
        assert sender is line
    assert (counts(line), line.told[-1]) == ([1], line.told[0])
    with pytest.raises(KeyError), connecting(context):
        raise KeyError
    assert line.told[-1] == "closed"
    several = Line(ok({}))
    connect_ahead(several, Endpoint(gateway=GATEWAY, concurrency=64), count=5)
    connect_ahead(several, Endpoint(gateway=GATEWAY, concurrency=3), count=5)
    usual = begun()
    with connecting(replace(usual.context(), services=replace(usual.services, sender=several))):
        assert counts(several) == [5, 3, 2]


def counts(line: Line) -> list[object]:
    """Return the numbers that a line was told, of connections or seconds."""
    return [told[1] for told in line.told if isinstance(told, tuple)]


def test_a_signal_stops_the_gateway_and_nothing_else_does() -> None:
    run = begun()
    error = OutOfTime(seconds=60)
    gateway = open_gateway(run.context(), app_principal(), sender=Line(ok({})))
    with pytest.raises(KeyError), holding(gateway):
        raise KeyError
    gateway.read(CALL)
    with pytest.raises(Stopped), holding(gateway):
        raise Stopped(error)
    with pytest.raises(OutOfTime):
        gateway.read(CALL)


def test_a_watched_writer_holds_each_write_and_no_read() -> None:
    for read in (True, False):
        record = begun().services.record

        def stop(_: object, record: RunRecord = record) -> JsonValue:
            record.stop(OutOfTime(seconds=60))
            return []

        answers = Answers({"x": stop})
        writer = WatchedWriter(answers, record)
        if read:
            assert writer.read(CALL.parsed_by(several(Project))) == []
        else:
            writer.write(Write("x", "POST", ("a",), "web", nothing))
        assert record.may_have_written != read
        assert (writer.most_at_once, writer.site) == (1, answers.site)
