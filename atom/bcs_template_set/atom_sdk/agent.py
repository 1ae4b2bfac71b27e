"""The agent as the step sees it: its inputs, its secrets, and where the result goes.

Two ways to it: `OwnAgent` reads and writes the agent's files itself; `PlatformAgent` goes through an
installed platform SDK and contains that module's habits (facts/agent.md, "The SDK").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Optional, Protocol

from bcs_template_set.atom_sdk import variables
from bcs_template_set.atom_sdk.build_api import BuildApi, Sender
from bcs_template_set.atom_sdk.credential import Credential
from bcs_template_set.atom_sdk.input import AgentInput, read_input
from bcs_template_set.atom_sdk.masking import Masker
from bcs_template_set.atom_sdk.output import OutputFile, output_path
from bcs_template_set.atom_sdk.sdk_file import AgentIdentity, read_identity
from bcs_template_set.clock import Clock
from bcs_template_set.messages import Text
from bcs_template_set.secret import Secret

SDK_VARIABLE = "BCS_TEMPLATE_SET_SDK"

BUILD_API_READ_TIMEOUT = 20.0
"""Seconds; it answers from a database, and three attempts of a minute would eat the step's own time."""


class Agent(Protocol):
    """What the step needs of BK-CI. Nothing is read before it is asked for, and then once."""

    @property
    def identity(self) -> AgentIdentity:
        """Return who this build is; `SdkFileUnreadable` where `.sdk.json` does not say it."""
        ...

    def inputs(self) -> Mapping[str, str]:
        """Return the pipeline's variables and the step's inputs; `InputUnreadable` where they can't be."""
        ...

    def private_setting(self, key: str) -> Secret:
        """Return a private setting of the atom; empty where there is none of that name."""
        ...

    def credential(self, credential_id: str) -> Credential:
        """Return a BK-CI credential; `CredentialUnusable` where BK-CI does not give it out."""
        ...

    def write_output(self, document: Mapping[str, object]) -> None:
        """Write the step's result; on return it stands in the file. `WorkspaceUnwritable` if it can't."""
        ...


class OwnAgent:
    """The agent through its own files and the build API. Every secret it reads is told to the masker."""

    def __init__(
        self, environ: Mapping[str, str], *, clock: Clock, sender: Callable[[], Sender], masker: Masker
    ) -> None:
        self._environ = environ
        self._clock = clock
        self._sender = sender
        self._masker = masker
        self._file = OutputFile(output_path(environ), mask=masker.mask)
        self._input: Optional[AgentInput] = None
        self._identity: Optional[AgentIdentity] = None
        self._settings: Optional[Mapping[str, Secret]] = None
        self._api: Optional[BuildApi] = None

    @property
    def identity(self) -> AgentIdentity:
        """Return who this build is."""
        if self._identity is None:
            self._identity = read_identity(self._environ)
            self._masker.add(self._identity.secret_key)
        return self._identity

    def inputs(self) -> Mapping[str, str]:
        """Return the pipeline's variables and the step's inputs."""
        return self._read_input().values

    def private_setting(self, key: str) -> Secret:
        """Return a private setting, from `input.json` or, where they are not in it, from the build API."""
        if self._settings is None:
            self._settings = self._read_private_settings()
        return self._settings.get(key, Secret(""))

    def credential(self, credential_id: str) -> Credential:
        """Return a BK-CI credential."""
        credential = self._build_api().credential(credential_id)
        for secret in credential.secrets.values():
            self._masker.add(secret)
        return credential

    def write_output(self, document: Mapping[str, object]) -> None:
        """Write the step's result."""
        self._file.write(document)

    def _read_input(self) -> AgentInput:
        if self._input is None:
            self._input = read_input(self._environ)
        return self._input

    def _read_private_settings(self) -> Mapping[str, Secret]:
        given = self._read_input()
        if given.private_settings is not None:
            return given.private_settings
        return self._build_api().private_settings(variables.atom_code(given.values))

    def _build_api(self) -> BuildApi:
        if self._api is None:
            self._api = BuildApi(self.identity, sender=self._sender(), clock=self._clock)
        return self._api


def open_agent(
    environ: Mapping[str, str],
    *,
    clock: Clock,
    masker: Optional[Masker] = None,
    sender: Optional[Callable[[], Sender]] = None,
    warn: Callable[[Text], None] = lambda _: None,
) -> Agent:
    """Return the agent that the environment asks for; reads and imports nothing yet, so it can't fail.

    A platform SDK that can't be used is said by the first thing it is asked for; a result can be written
    with it all the same.

    Args:
        environ: the process's environment; `BCS_TEMPLATE_SET_SDK` in it names the platform's SDK.
        clock: what waiting goes through.
        masker: told every secret that is read here; the log's own, so that the log hides them.
        sender: opens the HTTP connection to the build API; a `Transport` unless given.
        warn: told where the platform's SDK failed and its work was done without it.
    """
    known = masker if masker is not None else Masker()
    name = environ.get(SDK_VARIABLE, "").strip()
    if not name:
        return OwnAgent(environ, clock=clock, sender=sender or open_transport, masker=known)
    from bcs_template_set.atom_sdk.platform_agent import PlatformAgent  # noqa: PLC0415 - hardly ever needed

    return PlatformAgent(environ, module=name, masker=known, warn=warn)


def open_transport() -> Sender:
    """Return what sends the build API's requests."""
    from bcs_template_set.transport import Transport  # noqa: PLC0415 - most runs never need it

    return Transport(read_timeout=BUILD_API_READ_TIMEOUT, connections=1)
