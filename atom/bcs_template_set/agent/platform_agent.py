"""The agent through the platform's SDK, `python_atom_sdk`, whose habits stay in here.

No other module is imported, whatever the environment names. That one reads `input.json` while it is
imported, ends the process with `exit(-1)` on what it dislikes, and prints a broken `.sdk.json`, secret
included (facts/agent.md, "The SDK"). So it is imported and called with stdout and stderr leading nowhere,
`SystemExit` and every exception of it become `PlatformSdkUnusable`, and what an exception of it says is
withheld.
"""

from __future__ import annotations

import importlib
import io
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager, redirect_stderr, redirect_stdout
from functools import cached_property
from typing import cast

from bcs_template_set.agent.agent_files import FileProblem, JsonValue, input_path, parse_input
from bcs_template_set.agent.build_api import Sender
from bcs_template_set.agent.credential import Credential, parse_credential
from bcs_template_set.agent.masker import Masker
from bcs_template_set.agent.output_file import OutputDocument, valid_document
from bcs_template_set.agent.own_agent import OwnAgent
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import CredentialUnusable, InputUnreadable, PlatformSdkUnusable
from bcs_template_set.messages.secret import Secret
from bcs_template_set.system.clock import Clock

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
