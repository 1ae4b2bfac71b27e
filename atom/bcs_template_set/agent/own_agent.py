"""The agent through its own files and the build API.

The agent's key and credentials are told to the masker here; the secrets within private settings are told by
who reads them (`settings_phase`).
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping
from functools import cached_property
from typing import Optional

from bcs_template_set.agent.agent_files import AgentIdentity, AgentInput, read_identity, read_input
from bcs_template_set.agent.build_api import BuildApi, Sender
from bcs_template_set.agent.build_info import FACTS, BuildInfo, BuildRow, TaskInfo, build_info, task_info
from bcs_template_set.agent.credential import Credential
from bcs_template_set.agent.masker import Masker
from bcs_template_set.agent.output_file import OutputDocument, OutputFile, output_path
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
