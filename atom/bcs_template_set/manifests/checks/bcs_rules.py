"""Checks of BCS's own rules for files and variables (facts/bcs.md). Pure: performs no I/O."""

from __future__ import annotations

from collections.abc import Iterator

from bcs_template_set.manifests.checks.finding import CheckInput, Finding, finding
from bcs_template_set.manifests.masking import holds_secret
from bcs_template_set.manifests.naming import check_file_name
from bcs_template_set.manifests.parse import bcs_variables_in
from bcs_template_set.manifests.yaml_reading import PLAIN_KEY
from bcs_template_set.messages.secret import MASK

_SHOWN = 60


def check_file_names(run: CheckInput) -> Iterator[Finding]:
    """Yield files whose `space/name` BCS refuses or would cut."""
    for file in run.files:
        problem = check_file_name(run.template_space, file.name)
        if problem is not None:
            yield finding("file-name", file, "", "named_wrong", name=file.name, problem=problem)


def check_empty_files(run: CheckInput) -> Iterator[Finding]:
    """Yield files without any document."""
    for file in run.files:
        if not file.documents:
            yield finding("empty-file", file, "", source=file.source)


def check_leftovers(run: CheckInput) -> Iterator[Finding]:
    """Yield what BCS would replace although `bcs()` did not say so, whatever name stands in the braces.

    A name that BCS does not know becomes nothing (trap 2). Each is said once a file, at its first line.
    """
    for file in run.files:
        said: set[str] = set()
        has_secret = any(map(holds_secret, file.documents))
        line, at = 1, 0
        for variable in bcs_variables_in(file.text):
            name = variable.inner.strip()
            if variable.start in file.places or name in said:
                continue
            said.add(name)
            line, at = line + file.text.count("\n", at, variable.start), variable.start
            shown = name if len(name) <= _SHOWN else name[:_SHOWN] + "…"
            if has_secret and not PLAIN_KEY.fullmatch(name):
                shown = MASK  # a password may have braces
            yield finding("leftover-variable", file, "", braced="{{ " + shown + " }}", line=line)


def check_template_set(run: CheckInput) -> Iterator[Finding]:
    """Yield files that Helm, which renders a template set, would read as a template (trap 14)."""
    if not run.template_set:
        return
    for file in run.files:
        at = file.text.find("{{")
        if at >= 0:
            yield finding("template-set-variable", file, "", line=file.text.count("\n", 0, at) + 1)
