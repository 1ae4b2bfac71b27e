"""The list of parts beside the wheel: valid by the standard's own schema, complete, and always the same."""

from __future__ import annotations

import hashlib
import json
from pathlib import Path

import msgspec
import pytest
from cyclonedx.schema import SchemaVersion
from cyclonedx.validation.json import JsonStrictValidator
from release.dependencies import own_version, read_dependencies
from release.locked import canonical, parse_locked
from release.sbom import main, sbom_text
from tests.packaging.store_files import PROJECT

PARTS = parse_locked((PROJECT / "release" / "locked.json").read_bytes()).parts


class Hash(msgspec.Struct):
    alg: str
    content: str


class Reference(msgspec.Struct):
    type: str
    url: str
    hashes: list[Hash]


class Component(msgspec.Struct, rename={"bom_ref": "bom-ref", "references": "externalReferences"}):
    bom_ref: str
    name: str
    version: str
    purl: str
    licenses: list[dict[str, dict[str, str]]]
    hashes: list[Hash] = []
    references: list[Reference] = []


class Metadata(msgspec.Struct):
    component: Component


class Needs(msgspec.Struct, rename={"on": "dependsOn"}):
    ref: str
    on: list[str]


class Sbom(msgspec.Struct):
    metadata: Metadata
    components: list[Component]
    dependencies: list[Needs]


@pytest.fixture(scope="module")
def text(wheel: Path) -> str:
    return sbom_text(wheel.name, wheel.read_bytes(), PARTS)


@pytest.fixture(scope="module")
def sbom(text: str) -> Sbom:
    return msgspec.json.decode(text, type=Sbom)


def test_it_is_valid_by_the_schema_of_the_standard(text: str) -> None:
    problem = JsonStrictValidator(SchemaVersion.V1_6).validate_str(text)
    assert problem is None, repr(problem)


def test_the_schema_would_notice_a_missing_field(text: str) -> None:
    broken = json.loads(text)
    del broken["components"][0]["name"]
    assert JsonStrictValidator(SchemaVersion.V1_6).validate_str(json.dumps(broken)) is not None


def test_it_is_about_this_wheel(sbom: Sbom, wheel: Path) -> None:
    component = sbom.metadata.component
    assert (component.name, component.version) == ("bcs-template-set", own_version())
    assert [row.content for row in component.hashes] == [hashlib.sha256(wheel.read_bytes()).hexdigest()]


def test_it_lists_every_locked_version_with_hashes_licence_and_address(sbom: Sbom) -> None:
    assert [(part.name, part.version) for part in sbom.components] == [(e.name, e.version) for e in PARTS]
    for part, entry in zip(sbom.components, PARTS):
        assert part.purl == f"pkg:pypi/{entry.canonical}@{entry.version}"
        assert part.licenses[0]["license"]
        assert [row.content for ref in part.references for row in ref.hashes] == [
            digest for _, digest in sorted(entry.wheels.items())
        ]


def test_it_says_what_the_step_needs_and_every_reference_leads_somewhere(sbom: Sbom) -> None:
    known = {sbom.metadata.component.bom_ref, *(part.bom_ref for part in sbom.components)}
    needs = {row.ref: row.on for row in sbom.dependencies}
    assert set(needs) == known
    assert {ref for refs in needs.values() for ref in refs} <= known
    direct = {ref.partition("/")[2].partition("@")[0] for ref in needs[sbom.metadata.component.bom_ref]}
    assert direct == {canonical(dependency.name) for dependency in read_dependencies()}


def test_it_is_written_beside_the_wheel_and_twice_the_same(wheel: Path, text: str, tmp_path: Path) -> None:
    (tmp_path / wheel.name).write_bytes(wheel.read_bytes())
    for _ in range(2):
        assert main([str(tmp_path)]) == 0
        assert (tmp_path / wheel.name).with_suffix(".cdx.json").read_text(encoding="utf-8") == text


def test_a_part_with_other_bytes_makes_another_list(wheel: Path, text: str) -> None:
    assert sbom_text(wheel.name, b"other", PARTS) != text


@pytest.mark.parametrize(
    "page", ["README.md", "docs/README.zh-CN.md", "docs/reliability.md", "docs/reliability.zh-CN.md"]
)
def test_the_pages_say_what_is_inside(page: str) -> None:
    text = (PROJECT / page).read_text(encoding="utf-8")
    for part in PARTS:
        assert f"`{part.name}` {part.version} ({part.licence})" in text, part.name
