"""The agent as the step sees it: its inputs, its secrets, whose build this is, and where the result goes.

Two ways to it: `OwnAgent` reads and writes the agent's files itself; `PlatformAgent` goes through an
installed platform SDK and contains that module's habits (facts/agent.md, "The SDK").
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Optional, Protocol

from bcs_template_set.agent.agent_files import FileProblem, input_path, read_object
from bcs_template_set.agent.build_api import Sender
from bcs_template_set.agent.build_info import BuildInfo, BuildRow, TaskInfo
from bcs_template_set.agent.credential import Credential
from bcs_template_set.agent.masker import Masker
from bcs_template_set.agent.output_file import OutputDocument
from bcs_template_set.agent.own_agent import OwnAgent
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.secret import Secret
from bcs_template_set.system.clock import Clock

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
    from bcs_template_set.agent.platform_agent import PlatformAgent  # noqa: PLC0415 - hardly ever needed

    return PlatformAgent(environ, module=module, clock=clock, sender=send, masker=known, warn=warn)


def open_transport(environ: Mapping[str, str]) -> Sender:
    """Return what sends the build API's requests: straight to it, whatever proxy the environment names."""
    from bcs_template_set.system.http_client import Transport  # noqa: PLC0415 - most runs never need it

    return Transport(read_timeout=BUILD_API_READ_TIMEOUT, connections=1, environ=environ, proxy="")
