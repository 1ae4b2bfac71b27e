"""The agent as the step sees it: its inputs, its secrets, whose build this is, and where the result goes.

Two ways to it: `OwnAgent` reads and writes the agent's files itself, and asks the build API; `PlatformAgent`
goes through an installed platform SDK, `python_atom_sdk`. The agent's key and credentials are told to the
masker here; the secrets within private settings are told by who reads them (`settings_phase`).

No other SDK is imported, whatever the environment names. That one reads `input.json` while it is imported,
ends the process with `exit(-1)` on what it dislikes, and prints a broken `.sdk.json`, secret included
(facts/agent.md, "The SDK"). So it is imported and called with stdout and stderr leading nowhere, `SystemExit`
and every exception of it become `PlatformSdkUnusable`, and what an exception of it says is withheld.
"""

from __future__ import annotations

import importlib
import io
import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout, suppress
from functools import cached_property
from typing import Optional, Protocol, cast

from bcs_template_set.agent.agent_files import (
    AgentIdentity,
    AgentInput,
    FileProblem,
    JsonValue,
    input_path,
    parse_input,
    read_identity,
    read_input,
    read_object,
)
from bcs_template_set.agent.build_api import BuildApi, Credential, Sender, parse_credential
from bcs_template_set.agent.build_info import FACTS, BuildInfo, BuildRow, TaskInfo, build_info, task_info
from bcs_template_set.agent.masker import Masker
from bcs_template_set.agent.output_file import OutputDocument, OutputFile, output_path, valid_document
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import CredentialUnusable, InputUnreadable, PlatformSdkUnusable
from bcs_template_set.messages.secret import Secret
from bcs_template_set.system.clock import Clock
from bcs_template_set.system.proxies import of_the_machine


class OwnAgent:
    """See `agent.Agent` for what its methods promise."""

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        clock: Clock,
        sender: Callable[[Mapping[str, str]], Sender],
        masker: Masker,
    ) -> None:
        self._environ = environ
        self._clock = clock
        self._sender = sender
        self._masker = masker
        self._file = OutputFile(output_path(environ), mask=masker.mask)
        self._record: Optional[Mapping[str, str]] = None

    def inputs(self) -> Mapping[str, str]:
        """Return the step's inputs, among the pipeline's variables."""
        return self._input.values

    def task(self) -> TaskInfo:
        """Return what the worker says of this task."""
        return task_info(as_written(self._environ), self.inputs(), identity=self._identity)

    def build(self, *, recorded: bool) -> BuildInfo:
        """Return what is known of this build, from its record or, where none can be had, the environment."""
        environ = as_written(self._environ)
        return build_info(
            source="record" if recorded else "environment",
            record=self._stored_variables() if recorded else environ,
            environ=environ,
            inputs=self.inputs(),
            identity=self._identity,
        )

    def build_row(self, build: BuildInfo) -> BuildRow:
        """Return whom the build's own row names."""
        return self._api.row_of_build(build.pipeline_id)

    def names_of_pipeline(self) -> frozenset[str]:
        """Return the names of all variables that the pipeline, its steps or their inputs have set."""
        return frozenset(self.inputs()) | frozenset(self._record or ())

    def private_setting(self, key: str) -> Secret:
        """Return a private setting, from `input.json` or, where they are not in it, from the build API."""
        return self._settings.get(key, Secret(""))

    def credential(self, credential_id: str) -> Credential:
        """Return a BK-CI credential."""
        credential = self._api.credential(credential_id)
        for secret in credential.secrets.values():
            self._masker.add(secret)
        return credential

    def write_output(self, document: OutputDocument) -> None:
        """Write the step's result."""
        self._file.write(document)

    @cached_property
    def _identity(self) -> AgentIdentity:
        identity = read_identity(self._environ)
        self._masker.add(identity.secret_key)
        return identity

    def _stored_variables(self) -> Mapping[str, str]:
        if self._record is None:
            self._record = self._api.stored_variables()
        return self._record

    @cached_property
    def _input(self) -> AgentInput:
        return read_input(self._environ)

    @cached_property
    def _settings(self) -> Mapping[str, Secret]:
        given = self._input.private_settings
        return given if given is not None else self._api.private_settings(self.task().atom_code)

    @cached_property
    def _api(self) -> BuildApi:
        own, _ = of_the_machine(self._environ, pipelines=self.names_of_pipeline())
        mask = self._masker.mask_beginning
        return BuildApi(self._identity, sender=self._sender(own), clock=self._clock, mask=mask)


def as_written(environ: Mapping[str, str]) -> dict[str, str]:
    """Return the facts in the environment as the worker wrote them: in UTF-8, whatever the locale has.

    Each is asked for by its name: on Windows, names are kept in upper case and found in either.
    """
    given = {name: environ[name] for name in FACTS if name in environ}
    return {name: os.fsencode(value).decode("utf-8", "replace") for name, value in given.items()}


MODULE = "python_atom_sdk"


class PlatformAgent(OwnAgent):
    """The agent through that SDK; what it does not tell, the files and the build API do."""

    def __init__(
        self,
        environ: Mapping[str, str],
        *,
        module: str,
        clock: Clock,
        sender: Callable[[Mapping[str, str]], Sender],
        masker: Masker,
        warn: Callable[[Text], None],
    ) -> None:
        super().__init__(environ, clock=clock, sender=sender, masker=masker)
        self._module = module
        self._warn = warn
        # The SDK's logger keeps the stdout it found at its import; so this one lives as long as we do.
        self._nowhere = _Nowhere()

    def inputs(self) -> Mapping[str, str]:
        """Return the pipeline's variables and the step's inputs."""
        return self._values

    def private_setting(self, key: str) -> Secret:
        """Return a private setting of the atom."""
        value = self._call("get_sensitive_conf", key)
        if value is not None and not isinstance(value, str):
            raise self._unusable(
                "agent.sdk_gave", "get_sensitive_conf", expected=say("agent.sdk_expected_text")
            )
        return Secret(value or "")

    def credential(self, credential_id: str) -> Credential:
        """Return a BK-CI credential."""
        answer = self._call("get_credential", credential_id)
        if not isinstance(answer, (tuple, list)) or len(answer) != 2:  # noqa: PLR2004 - yes or no, and the object
            expected = say("agent.sdk_expected_credential")
            raise self._unusable("agent.sdk_gave", "get_credential", expected=expected)
        if not answer[0]:
            raise CredentialUnusable(credential=credential_id, problem=say("agent.credential_no_by_sdk"))
        credential = parse_credential(credential_id, cast("JsonValue", answer[1]))
        for secret in credential.secrets.values():
            self._masker.add(secret)
        return credential

    def write_output(self, document: OutputDocument) -> None:
        """Write the step's result through the SDK, and see to it that it stands.

        The SDK writes in place, so that a full disk leaves half a file. Hence the document is written
        atomically first, and once more where what the SDK left can't be read; where the SDK fails, the
        result stands all the same and `warn` is told.
        """
        self._file.write(document)
        try:
            self._call("set_output", dict(valid_document(document, mask=self._masker.mask)))
            if not self._file.stands():
                raise self._unusable("agent.sdk_wrote_nothing_valid", "set_output")
        except PlatformSdkUnusable as exc:
            self._warn(exc.title())
            if not self._file.stands():
                self._file.write(document)

    @cached_property
    def _values(self) -> Mapping[str, str]:
        given, path = self._call("get_input"), str(input_path(self._environ))
        if not isinstance(given, dict) or not all(isinstance(name, str) for name in given):
            raise self._unusable("agent.sdk_gave", "get_input", expected=say("agent.sdk_expected_inputs"))
        if not given:  # what the SDK makes of a missing file
            raise InputUnreadable(file=path, problem=say("agent.no_variables"))
        try:
            return parse_input(given).values
        except FileProblem as exc:
            raise InputUnreadable(file=path, problem=exc.problem) from exc

    def _call(self, function: str, *arguments: object) -> object:
        """Return what a function of the SDK returns."""
        if self._module != MODULE:
            raise self._unusable("agent.sdk_no_name", function)
        with self._contained(function):
            called: object = getattr(importlib.import_module(self._module), function, None)
            if callable(called):
                return cast("object", called(*arguments))
        raise self._unusable("agent.sdk_lacks", function)

    @contextmanager
    def _contained(self, function: str) -> Iterator[None]:
        try:
            with redirect_stdout(self._nowhere), redirect_stderr(self._nowhere):
                yield
        except ModuleNotFoundError as exc:
            raise self._unusable("agent.sdk_not_installed", function, missing=exc.name or "?") from None
        except SystemExit:
            raise self._unusable("agent.sdk_exited", function) from None
        except Exception as exc:  # noqa: BLE001 - somebody else's code may raise anything
            # `from None`: the exception's own words may hold what the file held.
            raise self._unusable("agent.sdk_raised", function, kind=type(exc).__name__) from None

    def _unusable(self, key: str, function: str, **fields: object) -> PlatformSdkUnusable:
        return PlatformSdkUnusable(module=self._module, problem=say(key, function=function, **fields))


class _Nowhere(io.TextIOBase):
    """A stream that forgets what is written to it."""

    encoding = "utf-8"

    def writable(self) -> bool:
        return True

    def write(self, text: str) -> int:
        return len(text)


SDK_VARIABLE = "BCS_TEMPLATE_SET_SDK"

BUILD_API_READ_TIMEOUT = 20.0
"""Seconds; it answers from a database, and three attempts of a minute would eat the step's own time."""


class Agent(Protocol):
    """What the step needs of BK-CI. Nothing is read before it is asked for, and then once."""

    def inputs(self) -> Mapping[str, str]:
        """Return the step's inputs, and with them whatever else input.json holds: no fact is read from it.

        `InputUnreadable` where they can't be.
        """
        ...

    def task(self) -> TaskInfo:
        """Return what the worker says of this task.

        `FactDisputed` where input.json says otherwise, `SdkFileUnreadable` where `.sdk.json` says nothing.
        """
        ...

    def build(self, *, recorded: bool) -> BuildInfo:
        """Return what is known of this build: `recorded` by BK-CI, else by the process environment.

        `FactDisputed` where sources differ, `RecordRefused` or `BuildApiFailed` where there is no record.
        """
        ...

    def build_row(self, build: BuildInfo) -> BuildRow:
        """Return whom the build's own row names, which no variable reaches."""
        ...

    def names_of_pipeline(self) -> frozenset[str]:
        """Return the names of all variables that the pipeline, its steps or their inputs have set."""
        ...

    def private_setting(self, key: str) -> Secret:
        """Return a private setting of the atom; empty where there is none of that name."""
        ...

    def credential(self, credential_id: str) -> Credential:
        """Return a BK-CI credential; `CredentialUnusable` where BK-CI does not give it out."""
        ...

    def write_output(self, document: OutputDocument) -> None:
        """Write the step's result; on return it stands in the file. `WorkspaceUnwritable` if it can't."""
        ...


def open_agent(
    environ: Mapping[str, str],
    *,
    clock: Clock,
    masker: Optional[Masker] = None,
    sender: Optional[Callable[[Mapping[str, str]], Sender]] = None,
    warn: Callable[[Text], None] = lambda _: None,
) -> Agent:
    """Return the agent that the machine asks for; imports nothing yet, so it can't fail.

    A platform SDK that can't be used is said by the first thing it is asked for; a result can be written
    with it all the same. One that the pipeline asks for is not used: it would be handed every secret.

    Args:
        environ: the process's environment; `BCS_TEMPLATE_SET_SDK` in it names the platform's SDK.
        clock: what waiting goes through.
        masker: told the agent's key and every credential; the log's own, so that the log hides them.
        sender: opens the HTTP connection to the build API, given the machine's own environment; a
            `Transport` unless given.
        warn: told what was not obeyed, and where the platform's SDK failed and was done without.
    """
    known, send = masker if masker is not None else Masker(), sender or open_transport
    module = environ.get(SDK_VARIABLE, "").strip()
    with suppress(FileProblem):  # that the file can't be read is told later
        if module and SDK_VARIABLE in read_object(input_path(environ)):
            warn(say("agent.not_obeyed", name=SDK_VARIABLE))
            module = ""
    if not module:
        return OwnAgent(environ, clock=clock, sender=send, masker=known)
    return PlatformAgent(environ, module=module, clock=clock, sender=send, masker=known, warn=warn)


def open_transport(environ: Mapping[str, str]) -> Sender:
    """Return what sends the build API's requests: straight to it, whatever proxy the environment names."""
    from bcs_template_set.system.http_client import Transport  # noqa: PLC0415 - most runs never need it

    return Transport(read_timeout=BUILD_API_READ_TIMEOUT, connections=1, environ=environ, proxy="")
