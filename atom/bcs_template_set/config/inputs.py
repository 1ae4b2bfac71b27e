"""The step's inputs: strings in, one frozen `Settings` out, or one error with every mistake. Performs no I/O.

An input is one field of `Settings`, annotated with its row. `INPUTS` is the table of these rows, which
task.json and the reference page are held to by a test (design section 2).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from typing import Annotated, Callable, Literal, NoReturn, Optional, cast, get_args, get_type_hints
from urllib.parse import urlsplit

from bcs_template_set.config.regions import RunAs
from bcs_template_set.manifests.wrong_values import Accepted, one_of, wrong_text
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import InputsInvalid
from bcs_template_set.records.late_dataclass import dataclass

Action = Literal["plan", "publish", "deploy", "rollback", "doctor"]
OnFailure = Literal["keep", "restore"]
ImageCheck = Literal["auto", "require", "off"]
OnNewerBuild = Literal["fail", "skip", "replace"]
Prune = Literal["off", "report", "delete"]
InputType = Literal["text", "choice", "flag", "seconds", "lines", "yaml", "urls"]

DEFAULT_VERSION = "1.0.{{ build.number }}-{{ branch.slug }}"
MOST_SECONDS = 86_400
MOST_URLS = 20
LONGEST_TEXT = 1000
"""Characters that a page is searched for."""
PRUNED_ALSO = (
    *("files", "ConfigMap", "PersistentVolumeClaim", "Secret", "Service", "Job"),
    *("Deployment", "StatefulSet", "DaemonSet", "CronJob", "Ingress", "HorizontalPodAutoscaler"),
)
"""What `prune_also` may name: a Namespace, or a definition with all its objects, is never deleted."""
KUBE_VERSION = r"v?1\.(2[0-9]|3[0-7])([.+-][0-9A-Za-z.+-]{0,60})?"
"""What the schema of the manifests knows, which a test compares with this."""
_SHOWN = 80


@dataclass(frozen=True)
class Input:
    """One input of the form: what kind of text it takes, its default; its name and choices are the field's.

    `not_approved` is why an approved plan does not hold it fast, "" where it is part of the plan's digest.
    """

    kind: InputType
    default: str = ""
    required: bool = False
    pattern: str = ""
    not_approved: str = ""
    name: str = ""
    choices: tuple[str, ...] = ()


@dataclass(frozen=True)
class VerifyUrl:
    """A page to fetch after the rollout, and the text it must contain ("" = any)."""

    url: str
    contains: str


@dataclass(frozen=True)
class Settings:
    """What the pipeline author asked for: every input of design section 2, typed. `timeout` is in seconds."""

    action: Annotated[
        Action,
        Input(
            "choice",
            "publish",
            not_approved="a plan is approved, and published or deployed; with a cluster for that cluster",
        ),
    ]
    region: Annotated[str, Input("text", required=True, pattern=r"[^\x00-\x1f]{1,64}")]
    # projectCode is 1-32 characters, on the multi-tenant branch 1-64 (facts/bcs.md, "Versions of BCS").
    project_code: Annotated[str, Input("text", required=True, pattern=r"[A-Za-z0-9_-]{1,64}")]
    # A folder's name: what else it may be depends on the release, and matters where it is made (dialect.py).
    template_space: Annotated[str, Input("text", required=True, pattern=r"[^\x00-\x1f]{1,64}")]
    # The name of a Helm chart: DNS-1123 (Helm's rule), at most 64 for BCS.
    template_set: Annotated[str, Input("text", pattern=r"[a-z0-9]([a-z0-9-]{0,62}[a-z0-9])?")]
    version: Annotated[str, Input("text", DEFAULT_VERSION)]
    templates: Annotated[tuple[str, ...], Input("lines", "builtin:web")]
    values: Annotated[str, Input("yaml")]
    values_files: Annotated[tuple[str, ...], Input("lines")]
    variables: Annotated[str, Input("yaml")]
    # clusterID is 13-14 characters, a namespace a DNS-1123 label (facts/bcs.md).
    cluster_id: Annotated[str, Input("text", pattern=r"BCS-[A-Za-z0-9]+-[0-9]+")]
    namespace: Annotated[str, Input("text", pattern=r"[a-z0-9]([a-z0-9-]{0,61}[a-z0-9])?")]
    kube_version: Annotated[
        str,
        Input(
            "text",
            pattern=KUBE_VERSION,
            not_approved="what the checks refuse; what is written is the same",
        ),
    ]
    strict: Annotated[
        bool, Input("flag", "false", not_approved="what the checks refuse; what is written is the same")
    ]
    image_check: Annotated[
        ImageCheck,
        Input("choice", "auto", not_approved="what is looked for; what is written is the same"),
    ]
    run_as: Annotated[RunAs, Input("choice", "authorizer")]
    credential: Annotated[str, Input("text", pattern=r"[A-Za-z0-9_-]{1,64}")]
    # A credential's id, and the registry that it is for.
    registry_credential: Annotated[
        str,
        Input(
            "text",
            pattern=r"[A-Za-z0-9_-]{1,64}( [A-Za-z0-9.:\[\]-]{1,255})?",
            not_approved="how registries are asked; what is written is the same",
        ),
    ]
    only: Annotated[tuple[str, ...], Input("lines")]
    rollback_to: Annotated[str, Input("text", pattern=r"[^\x00-\x1f]{1,64}")]
    redeploy: Annotated[bool, Input("flag", "false")]
    timeout: Annotated[
        int,
        Input(
            "seconds",
            "600",
            not_approved="how long the rollout is waited for; what is deployed is the same",
        ),
    ]
    fail_fast: Annotated[
        bool,
        Input(
            "flag",
            "true",
            not_approved="what ends the wait for the rollout; what is deployed is the same",
        ),
    ]
    on_failure: Annotated[OnFailure, Input("choice", "keep")]
    restore_if_job_fails: Annotated[bool, Input("flag", "false")]
    on_newer_build: Annotated[OnNewerBuild, Input("choice", "fail")]
    allow_route_removal: Annotated[bool, Input("flag", "false")]
    remove_branches: Annotated[tuple[str, ...], Input("lines")]
    prune: Annotated[Prune, Input("choice", "report")]
    prune_limit: Annotated[str, Input("text", pattern=r"[1-9][0-9]{0,4}")]
    prune_also: Annotated[tuple[str, ...], Input("lines")]
    keep_versions: Annotated[
        str,
        Input(
            "text",
            pattern=r"[1-9][0-9]{0,4}",
            not_approved="which old versions stay in the folder; what is published and deployed is the same",
        ),
    ]
    overwrite_version: Annotated[bool, Input("flag", "false")]
    expect_plan: Annotated[str, Input("text", pattern=r"[0-9a-f]{32}", not_approved="the approval itself")]
    verify_urls: Annotated[tuple[VerifyUrl, ...], Input("urls")]

    @property
    def goes_back(self) -> bool:
        """Tell whether the run goes back to what existed, or plans that, and renders nothing."""
        return self.action == "rollback" or (self.action == "plan" and bool(self.rollback_to))

    @property
    def deploys(self) -> bool:
        """Tell whether the run deploys what it plans."""
        return self.action in ("deploy", "rollback")


def _inputs_of_settings() -> Iterator[Input]:
    """Yield the row of each field with what the field says too: its name and, of a `Literal`, its choices."""
    for name, hint in get_type_hints(Settings, include_extras=True).items():
        kind, row = get_args(hint)
        yield replace(row, name=name, choices=get_args(kind) if row.kind == "choice" else ())


INPUTS: tuple[Input, ...] = tuple(_inputs_of_settings())
NOT_APPROVED: Mapping[str, str] = {row.name: row.not_approved for row in INPUTS if row.not_approved}
"""The inputs that an approved plan does not hold fast, and why. All others are part of its digest."""


def read_settings(
    inputs: Mapping[str, str], *, regions: Sequence[str], pipeline_project: str = ""
) -> Settings:
    """Return the typed settings of the step's inputs.

    An empty string is "not given" and takes the default; `project_code`'s is the pipeline's project, and
    `region`'s the only one of `regions`, the names that the private settings hold.

    Raises:
        InputsInvalid: a detail for every mistake, each with the input's name, what was given and what is
            accepted.
    """
    reader = _Inputs(inputs, regions=regions, pipeline_project=pipeline_project)
    values = {known.name: reader.read(known) for known in INPUTS}
    # The checker can't see that each is of its field's type.
    settings = Settings(**cast("dict[str, NoReturn]", values))
    reader.check_kinds("prune_also", settings.prune_also)
    reader.check_target(settings)
    if reader.mistakes:
        raise InputsInvalid(details=reader.mistakes)
    return settings


def approved_inputs(settings: Settings) -> dict[str, str]:
    """Return every input that decides what is done, as a person approves it with the plan's digest.

    One at its default is left out, so that an input which comes with a later release changes no digest.
    """
    usual = _Inputs({})
    deciding = [known for known in INPUTS if known.name not in NOT_APPROVED]
    return {
        known.name: repr(getattr(settings, known.name))
        for known in deciding
        if getattr(settings, known.name) != usual.read(known)
    }


def wants_doctor(inputs: Mapping[str, str]) -> bool:
    """Tell whether the author asked for an examination, without reading any other input."""
    return _Inputs(inputs).raw("action").strip() == "doctor"


def wants_restore(inputs: Mapping[str, str]) -> bool:
    """Tell whether the author asked for a restore after a failed job, without reading any other input."""
    return _Inputs(inputs).flag("restore_if_job_fails")


class _Inputs:
    """Reads inputs one by one and keeps every mistake, so that one message can hold them all."""

    def __init__(
        self, inputs: Mapping[str, str], *, regions: Sequence[str] = (), pipeline_project: str = ""
    ) -> None:
        self._inputs = inputs
        self._regions = regions
        self._known = {known.name: known for known in INPUTS}
        only_region = regions[0] if len(regions) == 1 else ""
        for name, default in (("project_code", pipeline_project), ("region", only_region)):
            self._known[name] = replace(self._known[name], default=default)
        self.mistakes: list[Text] = []

    def read(self, known: Input) -> object:
        """Return what an input says, of the type that its field has."""
        read = _Inputs.region if known.name == "region" else _READERS[known.kind]
        return read(self, known.name)

    def raw(self, name: str) -> str:
        given = self._inputs.get(name, "")
        return given if given.strip() else self._known[name].default

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
            self._wrong(name, value, accepted=one_of(choices), choices=choices)
        return value

    def region(self, name: str) -> str:
        value = self.raw(name).strip()
        if value not in self._regions:
            known = one_of(self._regions)
            accepted = known if self._regions else say("settings.no_regions")
            self._wrong(name, value, accepted=accepted, choices=self._regions)
        return value

    def flag(self, name: str) -> bool:
        value = self.raw(name).strip().lower()
        if value not in ("true", "false"):
            self._wrong(name, value, accepted=one_of(("true", "false")))
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

    def check_target(self, settings: Settings) -> None:
        """Refuse half a target, and a deployment, or a way back, without one."""
        target = {"cluster_id": settings.cluster_id, "namespace": settings.namespace}
        missing = [name for name, given in target.items() if not given]
        if missing and (settings.deploys or settings.goes_back or len(missing) == 1):
            self.mistakes += [say("settings.target_incomplete", name=name) for name in missing]

    def check_kinds(self, name: str, given: Sequence[str]) -> None:
        """Refuse what an input that names kinds may not name."""
        for kind in given:
            if kind not in PRUNED_ALSO:
                self._wrong(name, kind, accepted=one_of(PRUNED_ALSO), choices=PRUNED_ALSO)

    def _wrong(self, name: str, given: str, *, accepted: Accepted, choices: Sequence[str] = ()) -> None:
        self.mistakes.append(wrong(name, given, accepted=accepted, choices=choices))


_READERS: Mapping[InputType, Callable[[_Inputs, str], object]] = {
    "text": _Inputs.text,
    "choice": _Inputs.choice,
    "flag": _Inputs.flag,
    "seconds": _Inputs.seconds,
    "lines": _Inputs.lines,
    "yaml": _Inputs.raw,
    "urls": _Inputs.urls,
}


def wrong(name: str, given: str, *, accepted: Accepted, choices: Sequence[str] = ()) -> Text:
    """Return the sentence for one mistake: the name, what was given, what is accepted, the nearest choice."""
    if not given:
        return say("settings.missing", name=name, accepted=accepted)
    shown = given if len(given) <= _SHOWN else given[:_SHOWN] + "…"
    return wrong_text(name, shown, accepted=accepted, choices=choices)


def _strings_of_json(text: str) -> Optional[tuple[str, ...]]:
    try:
        listed = json.loads(text)
    except (ValueError, RecursionError):
        return None
    if not isinstance(listed, list) or not all(isinstance(item, str) for item in listed):
        return None
    return tuple(item.strip() for item in listed if item.strip())
