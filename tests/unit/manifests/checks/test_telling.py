"""Findings as one list: by file and document, a sentence once, what to do once a check, counts at the end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bcs_template_set.manifests.checks.finding import Finding, Origin
from bcs_template_set.manifests.checks.telling import (
    MISTAKES,
    counts_of,
    mistake,
    refusal_of,
    told_lines,
    version_mistake,
)
from bcs_template_set.messages import LANGUAGES, say
from bcs_template_set.messages.errors import (
    LimitExceeded,
    ManifestsInvalid,
    NamesMissing,
    TemplateSyntax,
    VersionNameInvalid,
)

NO_VALUE = say("render.name_missing", name="a")
HINT = say("checks.image-tag.hint")


def found(
    file: str, document: str = "Pod/a", field: str = "spec", *, image: str = "i", line: int = 0
) -> Finding:
    message = say("checks.image_untagged", image=image)
    return Finding("image-tag", file, document, field, message, HINT, origin=Origin(file, line))


def shown(*findings: Finding) -> list[str]:
    return [line.indent + str(line) for line in told_lines(findings)]


def test_one_finding_is_one_line_with_what_to_do() -> None:
    assert shown(found("a.yaml", line=3)) == [
        "a.yaml:3, Pod/a spec: the image i has no tag. Give it the tag of one build, or a digest. [image-tag]"
    ]
    assert shown(replace(found("a.yaml"), origin=None)) == [
        "a.yaml, Pod/a spec: the image i has no tag. Give it the tag of one build, or a digest. [image-tag]"
    ]


def test_findings_go_by_file_then_document_and_say_once_what_to_do() -> None:
    assert shown(
        found("b.yaml", image="b"),
        found("a.yaml", line=9, field="x", image="2"),
        found("a.yaml", line=7, field="y", image="1"),
        found("a.yaml", "Pod/b", line=20, image="3"),
        mistake("missing-name", "a.yaml", NO_VALUE, line=4),
    ) == [
        "a.yaml:",
        '  line 4: "a" has no value.',
        "  Pod/a:",
        "    line 7, y: the image 1 has no tag. [image-tag]",
        "    line 9, x: the image 2 has no tag. [image-tag]",
        "  line 20, Pod/b spec: the image 3 has no tag. [image-tag]",
        "b.yaml, Pod/a spec: the image b has no tag. [image-tag]",
        "4 image-tag: Give it the tag of one build, or a digest.",
        f"1 missing-name: {say('errors.800304.cure')}",
    ]


def test_the_same_sentence_is_said_once_with_its_places() -> None:
    several = [found("a.yaml", f"Pod/{n}", line=n) for n in range(1, 15)]
    heading, line, closing = shown(*several, replace(several[0]))
    assert heading == "a.yaml:"
    assert line.startswith(
        "  the image i has no tag. [image-tag] 14 times: line 1 Pod/1 spec, line 2 Pod/2 spec, "
    )
    assert line.endswith("line 12 Pod/12 spec, …")
    assert closing.startswith("15 image-tag: ")
    (told,) = [told for told in told_lines(several) if told.count]
    assert told.count == 14


def test_what_is_named_twice_and_has_no_place_is_one_line() -> None:
    twice = mistake("file", "no.yaml", say("render.file_missing", path="no.yaml"))
    assert shown(twice, twice, found("a.yaml"))[1] == "no.yaml does not exist in the workspace."


def test_hints_that_differ_stand_beside_their_findings() -> None:
    other = replace(found("a.yaml", image="2"), hint=say("checks.replace.hint"))
    assert shown(found("a.yaml"), other) == [
        "a.yaml:",
        "  Pod/a:",
        "    spec: the image i has no tag. Give it the tag of one build, or a digest. [image-tag]",
        "    spec: the image 2 has no tag. Give it a file of its own. [image-tag]",
    ]


def test_errors_and_warnings_of_a_check_are_counted_apart() -> None:
    lines = shown(found("a.yaml"), found("b.yaml"), replace(found("c.yaml"), is_warning=True))
    assert [line[:24] for line in lines[-2:]] == ["2 image-tag: Give it the", "1 image-tag (warning): G"]


def test_a_value_is_named_with_its_line_and_host_and_the_document_where_only_the_domain_is_known() -> None:
    image = Origin("values.yaml", 14, value="domains[1].image", host="news.example.com")
    whole = Origin("values.yaml", 12, value="domains[1]", host="news.example.com", is_whole=True)
    (line,) = shown(replace(found("x"), origin=image))
    assert line.startswith("values.yaml:14, domains[1].image (news.example.com): the image i has no tag.")
    (line,) = shown(replace(found("x"), origin=whole))
    assert line.startswith("values.yaml:12, domains[1] (news.example.com), Pod/a spec: the image i")
    lines = shown(replace(found("x"), origin=image), replace(found("x", image="2"), origin=whole))
    assert lines[:4] == [
        "values.yaml:",
        "  news.example.com:",
        "    line 12, domains[1], Pod/a spec: the image 2 has no tag. [image-tag]",
        "    line 14, domains[1].image: the image i has no tag. [image-tag]",
    ]


def test_most_frequent_checks_are_counted_by_name_and_the_others_together() -> None:
    ids = {"duplicate-object": 133, "image-tag": 10, "label": 7, "replace": 3, "value": 2}
    findings = [replace(found("a"), id=name) for name, count in ids.items() for _ in range(count)]
    assert ", ".join(map(str, counts_of(findings))) == "133 duplicate-object, 10 image-tag, 7 label, 5 others"
    assert list(map(str, counts_of(findings[:153]))) == [
        "133 duplicate-object",
        "10 image-tag",
        "7 label",
        "3 replace",
    ]
    assert list(map(str, counts_of(findings[:133]))) == ["133 duplicate-object"]


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_of_mistake_has_words(language: str) -> None:
    findings = [mistake(name, "a", NO_VALUE) for name in MISTAKES]
    lines = told_lines(findings)
    assert all(line.render("zh_CN" if language == "zh_CN" else "en_US") for line in lines)
    assert len(lines) == 1 + 2 * len(MISTAKES)


# --- the one error


def test_without_findings_there_is_no_error() -> None:
    assert refusal_of([]) is None


def test_findings_of_one_kind_are_its_error_and_its_cure_is_said_once() -> None:
    error = refusal_of([mistake("missing-name", name, NO_VALUE) for name in "ab"])
    assert isinstance(error, NamesMissing)
    assert str(error) == (
        "Failed (800304): Names are used that have no value.\n"
        '  - a: "a" has no value.\n  - b: "a" has no value.\n'
        f"What to do: {say('errors.800304.cure')}\nFound: 2 missing-name"
    )
    assert isinstance(refusal_of([found("a")]), ManifestsInvalid)


def test_of_several_kinds_the_error_is_the_first_and_every_finding_is_told() -> None:
    findings = [found("c"), mistake("missing-name", "b", NO_VALUE), mistake("template-syntax", "a", NO_VALUE)]
    error = refusal_of(findings)
    assert isinstance(error, TemplateSyntax)
    assert str(error.title()) == "Values, templates or manifests have mistakes."
    assert [str(line)[:3] for line in error.details][:3] == ["a: ", "b: ", "c, "]


def test_an_error_with_fields_says_in_its_title_what_it_is() -> None:
    limit = LimitExceeded(what=say("render.limit_total"), limit=3)
    version = version_mistake("v+", say("settings.version_with_plus"))
    for finding, kind in (
        (mistake("limit", "a", limit.title()), LimitExceeded),
        (version, VersionNameInvalid),
    ):
        alone = refusal_of([finding])
        assert isinstance(alone, kind)
        assert alone.details == ()
        assert str(alone.title()) == str(finding.message)
        among = refusal_of([finding, found("b")])
        assert isinstance(among, kind)
        assert str(finding.message) in str(among)
    two = refusal_of([version, replace(version, message=limit.title(), id="limit")])
    assert isinstance(two, LimitExceeded)
