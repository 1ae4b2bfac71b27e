"""The verbs `render` and `check`: the manifests of a working directory. No agent, no BCS."""

from __future__ import annotations

import argparse
import os
import re
import sys
from collections.abc import Iterable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Optional, TextIO

from bcs_template_set.agent.log_text import guarded
from bcs_template_set.cli.check_formats import FORMATS, Checked, input_mistake
from bcs_template_set.cli.desk_cures import cure_at_desk, without_form
from bcs_template_set.cli.desk_language import local_language
from bcs_template_set.manifests.checks.check_manifests import check_manifests
from bcs_template_set.manifests.checks.finding import Finding
from bcs_template_set.manifests.checks.telling import INPUTS, MISTAKES, counts_of, told_lines, version_mistake
from bcs_template_set.manifests.manifest_file import empty_text, left_out_of
from bcs_template_set.manifests.naming import check_version_name
from bcs_template_set.manifests.templating.build_context import (
    GIVEN_NAMES,
    GIVEN_NUMBERS,
    BuildContext,
    make_context,
)
from bcs_template_set.manifests.templating.prepare import Prepared, RenderRequest, prepare
from bcs_template_set.manifests.templating.render import Rendered, render_files, render_manifests
from bcs_template_set.manifests.templating.worker_process import child_environment
from bcs_template_set.messages import Language, Text, say
from bcs_template_set.messages.errors import InputsInvalid
from bcs_template_set.messages.secret import MASK
from bcs_template_set.messages.spelling import not_known
from bcs_template_set.messages.step_error import Detail, StepError
from bcs_template_set.messages.text import one_line
from bcs_template_set.system.clock import SystemClock
from bcs_template_set.system.stdout import put
from bcs_template_set.system.version import step_version

_NAME = re.compile(r"[A-Za-z_.-]{1,32}")
"""A name as ours are: where `=`, a colon or a quote is missing, a value or a token becomes part of it."""

NUMBER = re.compile(r"[1-9][0-9]{0,17}")


def render(options: argparse.Namespace) -> int:
    """Print the manifests, each under the name it would have in the space; return 0, or 1 with the reason."""
    prepared = _prepare(options)
    rendered = render_manifests(prepared)
    for file in rendered.files:
        put(sys.stdout, f"---\n# {one_line(file.name)}\n{_without_mark(file.text)}")
    _tell(*_notes(rendered), *([_only_this_branch(prepared)] if prepared.branch_domains else []))
    return 0


def check(options: argparse.Namespace) -> int:
    """Print all findings; return 1 if there is one that is more than a warning, or any and `strict`."""
    version: str = options.version
    try:
        prepared = _prepare(options, kube_version=options.kube_version)
    except StepError as exc:
        show_mistakes(options.format, exc.details or [exc.title()])
        raise
    rendered = render_files(prepared)
    found = check_manifests(
        rendered.files,
        template_space=options.template_space,
        template_set=False,
        namespace=prepared.context.namespace,
        kube_version=options.kube_version,
        is_whole=not rendered.mistakes,
    )
    problem = check_version_name(version) if version else None
    findings = [
        *rendered.mistakes,
        *([version_mistake(version, problem)] if problem is not None else ()),
        *prepared.with_origins(found, rendered.files),
    ]
    findings = [_at_desk(finding) for finding in findings]
    failed = any(options.strict or not finding.is_warning for finding in findings)
    names = tuple(file.name if file.domain else file.source for file in rendered.files)
    _show(options.format, findings, names, failed=failed)
    _tell(*_notes(rendered), _summary(findings, files=len(rendered.files)))
    return 1 if failed else 0


def _at_desk(finding: Finding) -> Finding:
    """Return a finding whose hint names what is at a desk."""
    kind = None if finding.id in INPUTS else MISTAKES.get(finding.id)
    return replace(finding, hint=without_form(finding.hint) if kind is None else cure_at_desk(kind.code))


def _show(form: str, findings: Iterable[Finding], files: tuple[str, ...], *, failed: bool) -> None:
    """Print the document that was asked for, and nothing else."""
    by_place = tuple(sorted(findings, key=lambda finding: (finding.found_in.file, finding.found_in.line)))
    language = local_language()
    if form in FORMATS:
        put(sys.stdout, FORMATS[form](Checked(by_place, files, failed, language, step_version())))
        return
    for line in told_lines(by_place):
        put(sys.stdout, line.indent + guarded(one_line(line.render(language))) + "\n")


def show_mistakes(form: str, mistakes: Iterable[Detail]) -> None:
    """Print what is wrong with the arguments as the document that was asked for, if one was."""
    if form in FORMATS:
        _show(form, map(input_mistake, mistakes), (), failed=True)


def _notes(rendered: Rendered) -> list[Text]:
    return [*left_out_of([*rendered.files, *rendered.empty]), *empty_text(rendered.empty)]


def _summary(findings: Sequence[Finding], *, files: int) -> Text:
    if not findings:
        return say("local.checked_clean", files=files)
    return say("local.checked", files=files, findings=len(findings), counts=counts_of(findings))


def context_of(assignments: Iterable[str], *, also: Iterable[Text] = ()) -> BuildContext:
    """Return the context that `NAME=VALUE` assignments describe; `also` is what else is wrong.

    Raises:
        InputsInvalid: there is something in `also`, an assignment without `=`, of a name that is not given by
            anybody, or of a number that is none, or would be printed otherwise.
    """
    # What every build has, so that templates render at a desk as they would in a pipeline.
    return make_context({"build.number": "1", "branch.name": "main", **assigned(assignments, also=also)})


def assigned(assignments: Iterable[str], *, also: Iterable[Text] = ()) -> dict[str, str]:
    """Return what `NAME=VALUE` assignments say; raises as `context_of`."""
    given = {}
    mistakes = [*also]
    for assignment in assignments:
        name, equals, value = assignment.partition("=")
        if name not in GIVEN_NAMES:
            mistakes.append(unknown_name(name, GIVEN_NAMES))
        elif not equals:
            mistakes.append(say("local.no_value", name=name))
        elif name in GIVEN_NUMBERS and not NUMBER.fullmatch(value):
            mistakes.append(say("local.no_number", name=f"--set {name}"))
        given[name] = value
    if mistakes:
        raise InputsInvalid(details=mistakes).with_cure(say("local.cure_arguments"))
    return given


def unknown_name(name: str, known: tuple[str, ...]) -> Text:
    """Return the sentence about a name that is not known; where a sign is missing, it may hold a secret."""
    shown = name if _NAME.fullmatch(name) else MASK
    return not_known(say("local.unknown_name", name=shown, known=known), name, known, path=shown)


def _prepare(options: argparse.Namespace, *, kube_version: str = "") -> Prepared:
    wrong_version = _wrong_version(kube_version) if kube_version else []
    request = RenderRequest(
        workspace=Path.cwd(),
        templates=tuple(options.templates) or ("builtin:web",),
        values_text="",
        values_files=(*options.files, *options.values),
        context=context_of(options.set, also=wrong_version),
        clock=SystemClock(),
        environ=child_environment(os.environ),
    )
    return prepare(request)


def _wrong_version(given: str) -> list[Text]:
    from bcs_template_set.config.inputs import (  # noqa: PLC0415 - start-up is counted, and few name a version
        KUBE_VERSION,
        wrong,
    )

    accepted = say("settings.accepts_kube_version")
    is_known = re.fullmatch(KUBE_VERSION, given) is not None
    return [] if is_known else [wrong("--kube-version", given, accepted=accepted)]


def _only_this_branch(prepared: Prepared) -> Text:
    branch = prepared.context.branch
    return say(
        "local.branch_paths", path=branch.path, branch=branch.name, hosts=list(prepared.branch_domains)
    )


def _tell(*notes: Text) -> None:
    for note in notes:
        put_text(sys.stderr, note, local_language())


def put_text(stream: Optional[TextIO], text: Text, language: Language) -> None:
    """Print a sentence on one line, which no worker takes for a command."""
    put(stream, guarded(one_line(text.render(language))) + "\n")


def _without_mark(text: str) -> str:
    body = text.removeprefix("---\n")
    return body if body.endswith("\n") else body + "\n"
