"""Manifests with one defect each: found where it is, as what it is, and allowed by the comment that is named.

The first line of each file says which check finds it, whether it only warns, in which document and field, and
why it is there. The file of a check's own name is the smallest example of it, which the reference shows.
"""

from __future__ import annotations

import re
from collections.abc import Callable
from pathlib import Path

import pytest
from tests.support.building import findings_of, manifest, web

from bcs_template_set.manifests.checks.check_manifests import CHECKS
from bcs_template_set.manifests.checks.finding import Finding
from bcs_template_set.messages import LANGUAGES

FOLDER = Path(__file__).parent / "invalid"
FILES = sorted(FOLDER.glob("*.yaml"))
FIRST_LINE = re.compile(r"# (\S+)( warning)? (\S+) (.+?): .+\n")
RENDERED = {
    "LONG": "x" * 300 * 1024,
    '{{ live_replicas("api") }}': "'{{ live_replicas.Deployment.api }}'",
    "{{ bcs('NAME') }}": "{{ NAME }}",
}
NAMES = {"file-name": "web:1.yaml"}


def found(path: Path, *, comment: str = "") -> tuple[Finding, ...]:
    text = path.read_text(encoding="utf-8").partition("\n")[2]
    for written, rendered in RENDERED.items():
        text = text.replace(written, rendered)
    name = NAMES.get(path.stem, path.name[-30:])
    file = manifest(comment + text, name=name, variables="NAME live_replicas.Deployment.api")
    template_set = path.stem == "template-set-variable"
    return findings_of(file, template_set=template_set, namespace="prod" if path.stem == "namespace" else "")


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_one_defect_is_found_at_its_place_and_its_comment_allows_it(path: Path) -> None:
    first = FIRST_LINE.match(path.read_text(encoding="utf-8"))
    assert first is not None
    check, warns, document, field = first.groups()
    (finding,) = found(path)
    assert (finding.id, finding.document or "-", finding.field or "-") == (check, document, field)
    assert finding.is_warning is (warns is not None)
    comment = f"# bcs-template-set: allow {check}"
    for language in LANGUAGES:
        assert finding.hint.render(language).count(comment) == 1
        assert ": ." not in finding.message.render(language)
    assert found(path, comment=f"{comment}\n") == ()


def check_of(path: Path) -> str:
    return path.read_text(encoding="utf-8").split(None, 2)[1]


@pytest.mark.parametrize("check", sorted({check_of(path) for path in FILES}))
def test_what_people_read_of_a_defect_is_as_it_was(check: str, golden: Callable[[str, str], None]) -> None:
    own = (path for path in FILES if check_of(path) == check)
    said = (f"{path.stem}: {finding.message.render('en_US')}\n" for path in own for finding in found(path))
    golden(f"checks/{check}.txt", "".join(said))


def test_what_no_manifest_shows_is_found_in_values(tmp_path: Path) -> None:
    text = (FOLDER / "web-host.values").read_text(encoding="utf-8").partition("\n")[2]
    assert [finding.id for finding in findings_of(*web(tmp_path, text))] == ["web-host"]


def test_every_check_has_a_smallest_example() -> None:
    assert {check.id for check in CHECKS} <= {path.stem for path in FOLDER.iterdir()}
    assert all(check.summary.render(language) for check in CHECKS for language in LANGUAGES)
