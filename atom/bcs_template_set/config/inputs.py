"""The step's inputs: strings in, one frozen `Settings` out, or one error with every mistake. Performs no I/O.

`INPUTS` is the table that task.json, README and this module are held to by a test (design section 2).
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Literal, Optional, cast
from urllib.parse import urlsplit

from bcs_template_set.config.regions import RunAs
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import InputsInvalid
from bcs_template_set.messages.spelling import nearest

Action = Literal["plan", "publish", "deploy"]
OnFailure = Literal["keep", "restore"]
OnNewerBuild = Literal["fail", "skip", "replace"]
InputType = Literal["text", "choice", "flag", "seconds", "lines", "yaml", "urls"]

DEFAULT_VERSION = "1.0.{{ build.number }}-{{ branch.slug }}"
MOST_SECONDS = 86_400
MOST_URLS = 20
LONGEST_TEXT = 1000
"""Characters that a page is searched for."""
_SHOWN = 80


@dataclass(frozen=True)
class Input:
    """One input of the form: its name, what kind of text it takes, and its default."""

    name: str
    kind: InputType
    default: str = ""
    choices: tuple[str, ...] = ()
    required: bool = False
    pattern: str = ""


INPUTS: tuple[Input, ...] = (
    Input("action", "choice", "publish", ("plan", "publish", "deploy")),
    Input("region", "text", required=True),
    # projectCode is 1-32 characters, on the multi-tenant branch 1-64 (facts/bcs.md, "Versions of BCS").
    Input("project_code", "text", required=True, pattern=r"[A-Za-z0-9_-]{1,64}"),
    # A folder's name: what else it may be depends on the release, and matters where it is made (dialect.py).
    Input("template_space", "text", required=True, pattern=r"[^\x00-\x1f]{1,64}"),
    # The name of a Helm chart: DNS-1123 (Helm's rule), at most 64 for BCS.
    Input("template_set", "text", pattern=r"[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?"),
    Input("version", "text", DEFAULT_VERSION),
    Input("templates", "lines", "builtin:web"),
    Input("values", "yaml"),
    Input("values_files", "lines"),
    Input("variables", "yaml"),
    # clusterID is 13-14 characters, a namespace a DNS-1123 label (facts/bcs.md).
    Input("cluster_id", "text", pattern=r"BCS-[A-Za-z0-9]+-[0-9]+"),
    Input("namespace", "text", pattern=r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?"),
    Input("run_as", "choice", "authorizer", ("authorizer", "modifier", "starter", "owner")),
    Input("credential", "text", pattern=r"[A-Za-z0-9_-]{1,64}"),
    Input("redeploy", "flag", "false"),
    Input("timeout", "seconds", "600"),
    Input("on_failure", "choice", "keep", ("keep", "restore")),
    Input("restore_if_job_fails", "flag", "false"),
    Input("on_newer_build", "choice", "fail", ("fail", "skip", "replace")),
    Input("allow_route_removal", "flag", "false"),
    Input("remove_branches", "lines"),
    Input("overwrite_version", "flag", "false"),
    Input("expect_plan", "text", pattern=r"[0-9a-f]{32}"),
    Input("verify_urls", "urls"),
)

NOT_APPROVED: Mapping[str, str] = {
    "action": "a plan is approved, and published or deployed; with a cluster it is one for that cluster",
    "timeout": "how long the rollout is waited for; what is deployed is the same",
    "expect_plan": "the approval itself",
}
"""The inputs that an approved plan does not hold fast, and why. All others are part of its digest."""


@dataclass(frozen=True)
class VerifyUrl:
    """A page to fetch after the rollout, and the text it must contain ("" = any)."""

    url: str
    contains: str


@dataclass(frozen=True)
class Settings:
    """What the pipeline author asked for: every input of design section 2, typed. `timeout` is in seconds."""

    action: Action
    region: str
    project_code: str
    template_space: str
    template_set: str
    version: str
    templates: tuple[str, ...]
    values: str
    values_files: tuple[str, ...]
    variables: str
    cluster_id: str
    namespace: str
    run_as: RunAs
    credential: str
    redeploy: bool
    timeout: int
    on_failure: OnFailure
    restore_if_job_fails: bool
    on_newer_build: OnNewerBuild
    allow_route_removal: bool
    remove_branches: tuple[str, ...]
    overwrite_version: bool
    expect_plan: str
    verify_urls: tuple[VerifyUrl, ...]


def read_settings(
    inputs: Mapping[str, str], *, regions: Sequence[str], pipeline_project: str = ""
) -> Settings:
    """Return the typed settings of the step's inputs.

    An empty string is "not given" and takes the default; `project_code`'s is the pipeline's project.
    `regions` are the names that the private settings hold.

    Raises:
        InputsInvalid: a detail for every mistake, each with the input's name, what was given and what is
            accepted.
    """
    reader = _Inputs(inputs, defaults={"project_code": pipeline_project})
    action = cast("Action", reader.choice("action"))
    settings = Settings(
        action=action,
        region=reader.region(regions),
        project_code=reader.text("project_code"),
        template_space=reader.text("template_space"),
        template_set=reader.text("template_set"),
        version=reader.text("version"),
        templates=reader.lines("templates"),
        values=reader.raw("values"),
        values_files=reader.lines("values_files"),
        variables=reader.raw("variables"),
        cluster_id=reader.text("cluster_id"),
        namespace=reader.text("namespace"),
        run_as=cast("RunAs", reader.choice("run_as")),
        credential=reader.text("credential"),
        redeploy=reader.flag("redeploy"),
        timeout=reader.seconds("timeout"),
        on_failure=cast("OnFailure", reader.choice("on_failure")),
        restore_if_job_fails=reader.flag("restore_if_job_fails"),
        on_newer_build=cast("OnNewerBuild", reader.choice("on_newer_build")),
        allow_route_removal=reader.flag("allow_route_removal"),
        remove_branches=reader.lines("remove_branches"),
        overwrite_version=reader.flag("overwrite_version"),
        expect_plan=reader.text("expect_plan"),
        verify_urls=reader.urls("verify_urls"),
    )
    reader.check_target(action, cluster_id=settings.cluster_id, namespace=settings.namespace)
    if reader.mistakes:
        raise InputsInvalid(details=reader.mistakes)
    return settings


def approved_inputs(settings: Settings) -> dict[str, str]:
    """Return every input that decides what is done, as a person approves it with the plan's digest.

    One that says nothing is left out, so that an input which comes with a later release changes no digest.
    """
    deciding = (known.name for known in INPUTS if known.name not in NOT_APPROVED)
    return {name: repr(getattr(settings, name)) for name in deciding if getattr(settings, name)}


def wants_restore(inputs: Mapping[str, str]) -> bool:
    """Tell whether the author asked for a restore after a failed job, without reading any other input."""
    return inputs.get("restore_if_job_fails", "").strip().lower() == "true"


class _Inputs:
    """Reads inputs one by one and keeps every mistake, so that one message can hold them all."""

    def __init__(self, inputs: Mapping[str, str], *, defaults: Mapping[str, str]) -> None:
        self._inputs = inputs
        self._defaults = {known.name: known.default for known in INPUTS} | dict(defaults)
        self._known = {known.name: known for known in INPUTS}
        self.mistakes: list[Text] = []

    def raw(self, name: str) -> str:
        given = self._inputs.get(name, "")
        return given if given.strip() else self._defaults[name]

    def text(self, name: str) -> str:
        value = self.raw(name).strip()
        known = self._known[name]
        if not value:
            if known.required:
                self._wrong(name, value, accepted=say(f"settings.accepts_{name}"))
        elif known.pattern and not re.fullmatch(known.pattern, value):
            self._wrong(name, value, accepted=say(f"settings.accepts_{name}"))
        return value

    def choice(self, name: str) -> str:
        value = self.raw(name).strip()
        choices = self._known[name].choices
        if value not in choices:
            self._wrong(
                name, value, accepted=say("settings.one_of", choices=choices), near=nearest(value, choices)
            )
        return value

    def region(self, regions: Sequence[str]) -> str:
        value = self.raw("region").strip()
        if not value:
            self._wrong("region", value, accepted=say("settings.one_of", choices=regions))
        elif value not in regions:
            accepted = say("settings.one_of", choices=regions) if regions else say("settings.no_regions")
            self._wrong("region", value, accepted=accepted, near=nearest(value, regions))
        return value

    def flag(self, name: str) -> bool:
        value = self.raw(name).strip().lower()
        if value not in ("true", "false"):
            self._wrong(name, value, accepted=say("settings.one_of", choices=("true", "false")))
        return value == "true"

    def seconds(self, name: str) -> int:
        value = self.raw(name).strip()
        if not re.fullmatch(r"[0-9]{1,6}", value) or int(value) > MOST_SECONDS:
            self._wrong(name, value, accepted=say("settings.accepts_seconds", most=MOST_SECONDS))
            return 0
        return int(value)

    def lines(self, name: str) -> tuple[str, ...]:
        """Return the non-empty lines; BK-CI hands some lists over as JSON text (facts/agent.md)."""
        value = self.raw(name).strip()
        if value.startswith("["):
            listed = _strings_of_json(value)
            if listed is not None:
                return listed
        return tuple(line.strip() for line in value.splitlines() if line.strip())

    def urls(self, name: str) -> tuple[VerifyUrl, ...]:
        wanted = [self._url(name, line) for line in self.lines(name)]
        if len(wanted) > MOST_URLS:
            self._wrong(
                name, str(len(wanted)), accepted=say("settings.accepts_verify_urls_count", most=MOST_URLS)
            )
        return tuple(wanted)

    def _url(self, name: str, line: str) -> VerifyUrl:
        url, _, rest = line.partition(" ")
        word, _, text = rest.strip().partition(" ")
        try:
            parts = urlsplit(url)
            good = parts.scheme in ("http", "https") and bool(parts.hostname) and "@" not in parts.netloc
        except ValueError:
            good = False
        text = text.strip()
        if not good or (word and (word != "contains" or not 0 < len(text) <= LONGEST_TEXT)):
            shown = re.sub(r"//[^/\s]*@", "//***@", line)
            self._wrong(name, shown, accepted=say("settings.accepts_verify_urls", most=LONGEST_TEXT))
        return VerifyUrl(url=url, contains=text)

    def check_target(self, action: Action, *, cluster_id: str, namespace: str) -> None:
        """Refuse half a target, and a deployment without one."""
        missing = [n for n, v in (("cluster_id", cluster_id), ("namespace", namespace)) if not v]
        if missing and (action == "deploy" or len(missing) == 1):
            self.mistakes += [say("settings.target_incomplete", name=name, action=action) for name in missing]

    def _wrong(self, name: str, given: str, *, accepted: Text, near: Optional[str] = None) -> None:
        self.mistakes.append(wrong(name, given, accepted=accepted, near=near))


def wrong(name: str, given: str, *, accepted: Text, near: Optional[str] = None) -> Text:
    """Return the sentence for one mistake: the name, what was given, what is accepted, the nearest word."""
    if not given:
        return say("settings.missing", name=name, accepted=accepted)
    shown = given if len(given) <= _SHOWN else given[:_SHOWN] + "…"
    mistake = say("settings.wrong", name=name, given=shown, accepted=accepted)
    return say("settings.did_you_mean", mistake=mistake, near=near) if near else mistake


def _strings_of_json(text: str) -> Optional[tuple[str, ...]]:
    try:
        listed = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(listed, list) or not all(isinstance(item, str) for item in listed):
        return None
    return tuple(item.strip() for item in listed if item.strip())
