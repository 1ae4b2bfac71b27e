"""`bcs-template-set plan`: the step's own plan against a region of a local settings file. Writes nothing.

The file is YAML:

    regions: {gz: {gateway: …, app_code: …, app_secret: …}}   # as in the private settings
    inputs: {region: gz, project_code: web, template_space: front-ends, values_files: values.yaml}
    user: lisi            # who to act as
    access_token: "…"     # optional: instead of the region's app
    build: {branch.name: main, build.number: 7}               # optional: as with --set
"""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Optional, TextIO, Union, get_args

from bcs_template_set.agent.build_api import Credential
from bcs_template_set.agent.build_info import BuildInfo, BuildRow, TaskInfo, branch_of
from bcs_template_set.agent.log import Log
from bcs_template_set.bcs.answers import TemplateSpace
from bcs_template_set.bcs.calls import Reader
from bcs_template_set.bcs.gateway import Gateway
from bcs_template_set.bcs.space.template_spaces import find_space
from bcs_template_set.cli.desk_cures import in_settings
from bcs_template_set.cli.desk_log import DeskLog, audience_at_desk
from bcs_template_set.cli.verb_render import NUMBER, assigned, put_text, unknown_name
from bcs_template_set.config.inputs import INPUTS, Action, Settings, wrong
from bcs_template_set.config.principal import Principal
from bcs_template_set.manifests.parser_words import YamlUnreadable
from bcs_template_set.manifests.templating.build_context import GIVEN_NAMES, GIVEN_NUMBERS
from bcs_template_set.manifests.wrong_values import one_of
from bcs_template_set.manifests.yaml_reading import YamlValue, read_yaml
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import InputsInvalid
from bcs_template_set.messages.secret import Secret
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.report.outcome import Heading, Outcome
from bcs_template_set.report.verdict_lines import verdict_lines
from bcs_template_set.run.context import RunContext, Services
from bcs_template_set.run.finish import show_lines
from bcs_template_set.run.record import RunRecord
from bcs_template_set.run.run_progress import ShownProgress
from bcs_template_set.run.settings_phase import holding, identify, open_gateway
from bcs_template_set.run.step import run_step
from bcs_template_set.system.clock import Clock, Deadline, SystemClock
from bcs_template_set.system.signals import stoppable
from bcs_template_set.system.version import step_version

ACTIONS: tuple[str, ...] = get_args(Action)
KEYS = ("regions", "inputs", "user", "access_token", "build")
_TABLES = {"inputs": tuple(known.name for known in INPUTS), "build": GIVEN_NAMES}
"""The keys of each table; `regions` is read, and refused, as the private settings are."""

_CREDENTIAL_ID = "access_token"


class LocalAgent:
    """A desk in place of BK-CI's agent: what it would say comes from the settings file."""

    def __init__(self, settings: Mapping[str, YamlValue], *, action: str = "plan") -> None:
        self._settings = settings
        self._action = action

    def inputs(self) -> Mapping[str, str]:
        """Return the inputs of the file as BK-CI would hand them over: all of them text."""
        inputs = {name: _as_text(value) for name, value in _table(self._settings, "inputs").items()}
        targets = {
            "project_code": "project",
            **{name: name for name in ("region", "cluster_id", "namespace")},
        }
        inputs.update({to: self._build(name) for to, name in targets.items() if self._build(name)})
        goes_back = self._action == "rollback" or inputs.get("rollback_to")
        if goes_back and not self._build("build.number"):
            inputs.setdefault("on_newer_build", "replace")  # nothing here says which build this would be
        return {**inputs, "action": self._action, "credential": _CREDENTIAL_ID if self._token() else ""}

    def task(self) -> TaskInfo:
        """Return that there is no worker here."""
        return TaskInfo()

    def build(self, *, recorded: bool) -> BuildInfo:
        """Return the build that the file describes; its `user` is everybody. No region can prove less."""
        del recorded
        user = _as_text(self._settings.get("user"))
        return BuildInfo(
            source="file",
            starter=user,
            modifier=user,
            authorizer=user,
            pipeline_id=self._build("pipeline.id"),
            pipeline_name=self._build("pipeline.name"),
            build_id=self._build("build.id"),
            build_number=int(self._build("build.number") or 1),
            started_at=int(self._build("build.started_at") or 0),
            url=self._build("build.url"),
            branch=branch_of(self._build("branch.name") or "main"),
            commit=self._build("commit.sha"),
        )

    def build_row(self, build: BuildInfo) -> BuildRow:
        """Return the same user."""
        return BuildRow(build.starter, build.modifier)

    def names_of_pipeline(self) -> frozenset[str]:
        """Return none: there is no pipeline whose variables could be in the environment."""
        return frozenset()

    def private_setting(self, key: str) -> Secret:
        """Return the regions of the file."""
        return Secret(json.dumps(self._settings.get(key) or {}))

    def credential(self, credential_id: str) -> Credential:
        """Return the access token of the file."""
        return Credential(credential_id, "access token", {}, {"access_token": Secret(self._token())})

    def write_output(self, document: Mapping[str, object]) -> None:
        """Write nothing: nobody reads an output.json here."""

    def _build(self, name: str) -> str:
        return _as_text(_table(self._settings, "build").get(name))

    def _token(self) -> str:
        return _as_text(self._settings.get("access_token"))


def over(settings: Mapping[str, YamlValue], options: argparse.Namespace) -> Mapping[str, YamlValue]:
    """Return the settings with what the arguments say: lists in place of their own, names over their own.

    Raises:
        InputsInvalid: they name what nobody knows.
    """
    if options.verb == "rollback":
        lists: dict[str, Sequence[str]] = {
            "only": options.hosts,
            "rollback_to": [options.to or "previous"],
        }
    else:
        lists = {"values_files": [*options.files, *options.values], "only": options.only}
    inputs: dict[str, YamlValue] = {name: "\n".join(lines) for name, lines in lists.items() if lines}
    return {
        **settings,
        "inputs": {**_table(settings, "inputs"), **inputs},
        "build": {**_table(settings, "build"), **assigned(options.set)},
    }


def show_plan(options: argparse.Namespace, *, errors: Log) -> int:
    """Print the plan, and carry it out with `rollback`; return 0, or 1 if that is refused: why, to stderr."""
    clock = SystemClock()
    log = DeskLog(sys.stdout, errors.language, masker=errors.masker, environ=os.environ, full=options.full)
    settings = over(read_settings_file(Path(options.settings)), options)
    agent = LocalAgent(settings, action=action_of(options))
    asked = _action_of(settings)
    if asked not in ("", options.verb):
        log.warning(say("local.action_ignored", action=asked))
    progress = ShownProgress(log, clock=clock, audience=audience_at_desk(sys.stdout, os.environ))
    services = services_at_desk(agent, log=log, clock=clock, progress=progress)
    with stoppable(clock):
        outcome = run_step(services)
    progress.finish(services.record, outcome)
    return tell_end(outcome, options, log=log, errors=errors)


def action_of(options: argparse.Namespace) -> Action:
    """Return the action that a verb is: it only plans, but for a rollback that is meant."""
    return "rollback" if options.verb == "rollback" and options.yes else "plan"


def tell_end(outcome: Outcome, options: argparse.Namespace, *, log: Log, errors: Log) -> int:
    """Tell the verdict, and how what was only planned is done; return 0, or 1 where it was refused."""
    if outcome.error is not None:
        in_settings(outcome.error, options.settings)
        show_lines(errors, verdict_lines(outcome))
        return 1
    if options.verb == "rollback" and not options.yes:
        log.info(say("local.rollback_yes"))
    show_lines(log, verdict_lines(outcome, at_desk=True))
    return 0


@contextmanager
def at_a_desk(settings_file: str, *, log: Log) -> Iterator[Services]:
    """Yield what a verb of a settings file works with; what a signal stops is over at the end.

    Raises:
        InputsInvalid: as `read_settings_file`.
    """
    clock = SystemClock()
    # The input's default: it asks for no cluster, and is not shown among the inputs that were given.
    agent = LocalAgent(read_settings_file(Path(settings_file)), action="")
    with stoppable(clock):
        yield services_at_desk(agent, log=log, clock=clock)


@dataclass(frozen=True)
class Desk:
    """What a verb that may write works with: a run's context, its one user's gateway, where to print."""

    context: RunContext
    gateway: Gateway
    principal: Principal
    out: TextIO

    def say(self, text: Text) -> None:
        """Print a sentence."""
        put_text(self.out, text, self.context.services.log.language)


@contextmanager
def acting(context: RunContext, verb: str, *, out: TextIO) -> Iterator[Desk]:
    """Yield what a verb works with, once it is said who acts and where.

    Raises:
        StepError: nobody is proven to be the one user (8002xx).
    """
    record = context.services.record
    record.heading = replace(record.heading, action=verb)
    principal = identify(context)
    gateway = open_gateway(context, principal)
    with holding(gateway):
        yield Desk(context, gateway, principal, out)


def find_folder(reader: Reader, settings: Settings) -> TemplateSpace:
    """Return the folder that the settings name.

    Raises:
        InputsInvalid: there is none of that name.
    """
    project, name = settings.project_code, settings.template_space
    space = find_space(reader, project=project, space=name)
    if space is None:
        raise InputsInvalid(details=[say("branches.no_space", project=project, space=name)])
    return space


def services_at_desk(
    agent: LocalAgent, *, log: Log, clock: Clock, progress: Optional[ShownProgress] = None
) -> Services:
    """Return what a run at a desk has: the working directory, no deadline, nobody but the log to tell."""
    heading = Heading(step_version=step_version())
    record = RunRecord(clock=clock, language=log.language, heading=heading)
    services = Services(
        agent=agent,
        log=log,
        clock=clock,
        deadline=Deadline(clock, seconds=None),
        record=record,
        workspace=Path.cwd(),
        environ=os.environ,
    )
    if progress is None:
        return services
    record.on_move = progress.move
    return replace(services, on_region=progress.begin)


def read_settings_file(path: Path) -> Mapping[str, YamlValue]:
    """Return the settings of the file.

    Raises:
        InputsInvalid: it can't be read, or has keys nobody knows; never shows its lines.
    """
    try:
        settings = read_yaml(path.read_text(encoding="utf-8"), source=str(path))
    except (OSError, UnicodeDecodeError) as exc:
        raise _invalid(path, _unreadable(exc)) from exc
    except YamlUnreadable as exc:
        raise _mistaken(path, exc.as_text()) from None
    if not isinstance(settings, dict):
        raise _invalid(path, say("local.no_table", keys=KEYS))
    mistakes = list(_mistakes_in(settings))
    if mistakes:
        raise _mistaken(path, *mistakes)
    return settings


def _unreadable(error: Union[OSError, UnicodeDecodeError]) -> Text:
    if isinstance(error, UnicodeDecodeError):
        return say("local.not_utf8")
    missing = isinstance(error, FileNotFoundError)
    return say("local.no_file") if missing else say("local.unreadable", problem=error.strerror)


def _mistakes_in(settings: Mapping[str, YamlValue]) -> Iterator[Text]:
    yield from _unknown_keys(settings, KEYS)
    action = _action_of(settings)
    if action and action not in ACTIONS:
        yield wrong("inputs.action", action, accepted=one_of(ACTIONS), choices=ACTIONS)
    for name in GIVEN_NUMBERS:
        number = _as_text(_table(settings, "build").get(name))
        if number and not NUMBER.fullmatch(number):
            yield say("local.no_number", name=name)
    for key, known in _TABLES.items():
        table = settings.get(key)
        if isinstance(table, dict):
            yield from _unknown_keys(table, known)
        elif table is not None:
            yield say("local.no_table_under", key=key, keys=known)


def _unknown_keys(table: Mapping[str, YamlValue], known: tuple[str, ...]) -> Iterator[Text]:
    for key in table:
        if key not in known:
            yield unknown_name(key, known)


def _invalid(path: Path, problem: Text) -> StepError:
    return _mistaken(path, say("local.file", file=str(path), problem=problem))


def _mistaken(path: Path, *mistakes: Text) -> StepError:
    return InputsInvalid(details=mistakes).with_cure(say("local.cure_file", file=str(path)))


def _table(settings: Mapping[str, YamlValue], key: str) -> Mapping[str, YamlValue]:
    value = settings.get(key)
    return value if isinstance(value, dict) else {}


def _action_of(settings: Mapping[str, YamlValue]) -> str:
    return _as_text(_table(settings, "inputs").get("action"))


def _as_text(value: YamlValue) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "true" if value else "false"
    if isinstance(value, (dict, list)):
        return json.dumps(value, ensure_ascii=False)
    return str(value)
