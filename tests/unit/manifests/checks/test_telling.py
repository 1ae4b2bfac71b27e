"""Findings as one list: by file and document, a sentence once, what to do once a check, counts at the end."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bcs_template_set.manifests.checks.finding import Finding, Origin
from bcs_template_set.manifests.checks.telling import (
    ALL_EMPTY,
    MISTAKES,
    counts_of,
    mistake,
    refusal_of,
    subject_of,
    told_lines,
    version_mistake,
)
from bcs_template_set.messages import LANGUAGES, Language, say
from bcs_template_set.messages.errors import (
    FilesMistaken,
    LimitExceeded,
    ManifestsInvalid,
    NamesMissing,
    TemplateFailed,
    TemplateSyntax,
    TemplateUnreadable,
    ValuesInvalid,
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


def test_a_mistake_is_told_with_its_line_and_column_as_far_as_these_are_known() -> None:
    cure = say("errors.800303.cure")
    for numbers, place in (
        ({}, "a.yaml"),
        ({"line": 3}, "a.yaml:3"),
        ({"line": 3, "column": 7}, "a.yaml:3:7"),
    ):
        assert shown(mistake("template-syntax", "a.yaml", NO_VALUE, **numbers)) == [
            f'{place}: "a" has no value. {cure}'
        ]
    two = [
        mistake("template-syntax", "a.yaml", say("render.name_missing", name=name), line=3, column=7)
        for name in "ab"
    ]
    assert shown(*two)[1:3] == ['  line 3:7: "a" has no value.', '  line 3:7: "b" has no value.']


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


@pytest.mark.parametrize(("count", "end"), [(12, "line 12 Pod/12 spec"), (13, "line 12 Pod/12 spec, …")])
def test_so_many_places_of_a_sentence_are_said(count: int, end: str) -> None:
    _, line, _ = shown(*(found("a.yaml", f"Pod/{n}", line=n) for n in range(1, count + 1)))
    assert line.endswith(f", {end}")


def test_of_the_places_of_a_sentence_those_are_said_that_it_does_not_say_itself() -> None:
    said = LimitExceeded(what=say("render.limit_total"), limit=3).title()
    lines = told_lines([mistake("limit", "a", said), mistake("limit", "a", said, line=4)])
    assert lines[1].fields["places"] == [say("checks.line", line="4")]
    assert lines[1].count == 2


def test_what_to_do_stays_where_the_list_is_cut_and_only_findings_are_counted() -> None:
    lines = told_lines(
        [found("a", image="1"), found("a", image="2"), found("b"), found("c"), found("c", "Pod/b")]
    )
    assert [(str(line)[:12], line.count, line.stays) for line in lines] == [
        ("a:", 0, False),
        ("Pod/a:", 0, False),
        ("spec: the im", 1, False),
        ("spec: the im", 1, False),
        ("b, Pod/a spe", 1, False),
        ("c:", 0, False),
        ("the image i ", 2, False),
        ("5 image-tag:", 0, True),
    ]


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


@pytest.mark.parametrize("name", ["file", "variables", "limit", "version-name"])
def test_a_sentence_that_names_what_it_is_about_is_told_without_a_place(name: str) -> None:
    (line,) = shown(mistake(name, "a", NO_VALUE))
    assert line.startswith('"a" has no value. ')
    (line,) = shown(mistake(name, "a", NO_VALUE, line=3))
    assert line.startswith('a:3: "a" has no value. ')


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("file", TemplateUnreadable),
        ("values", ValuesInvalid),
        ("variables", ValuesInvalid),
        ("template-syntax", TemplateSyntax),
        ("missing-name", NamesMissing),
        ("template-failed", TemplateFailed),
        ("yaml", ManifestsInvalid),
        (ALL_EMPTY, ManifestsInvalid),
        ("image-tag", ManifestsInvalid),
    ],
)
def test_what_is_found_before_any_check_is_the_error_of_its_kind(
    name: str, kind: type[FilesMistaken]
) -> None:
    error = refusal_of([replace(found("a"), id=name)])
    assert type(error) is kind


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_kind_of_mistake_has_words(language: Language) -> None:
    findings = [mistake(name, "a", NO_VALUE) for name in MISTAKES]
    lines = told_lines(findings)
    assert all(line.render(language) for line in lines)
    assert all(say(f"checks.{name}.summary").render(language) for name in MISTAKES)
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


def test_of_two_kinds_the_title_is_neithers() -> None:
    error = refusal_of([found("b"), mistake("missing-name", "a", NO_VALUE)])
    assert isinstance(error, NamesMissing)
    assert str(error.title()) == "Values, templates or manifests have mistakes."
    assert str(error.cure()) == str(say("render.several_kinds_cure"))


def test_one_finding_is_not_counted() -> None:
    error = refusal_of([found("a")])
    assert error is not None
    assert "Found:" not in str(error)


def test_a_name_that_a_versions_name_uses_is_corrected_in_that_input() -> None:
    for identifier, file, cure in (
        ("missing-name", "version", say("render.correct_input", name="version")),
        ("missing-name", "a.yaml", say("errors.800304.cure")),
        ("template-syntax", "version", say("errors.800303.cure")),
        ("values", "values", say("render.correct_input", name="values")),
        ("variables", "variables", say("render.correct_input", name="variables")),
        ("values", "v.yaml", say("local.cure_file", file="v.yaml")),
    ):
        error = refusal_of([mistake(identifier, file, NO_VALUE)])
        assert error is not None
        assert str(error.cure()) == str(cure)


def test_what_to_do_about_manifests_stands_beside_them_and_not_in_place_of_the_errors_cure() -> None:
    error = refusal_of([found("a"), found("b")])
    assert error is not None
    assert str(error.cure()) == str(say(f"errors.{ManifestsInvalid.code}.cure"))
    assert str(error.details[-1]).startswith("2 image-tag: ")
    two = refusal_of([mistake("values", "v.yaml", NO_VALUE), mistake("values", "w.yaml", NO_VALUE)])
    assert two is not None
    assert str(two.cure()) == str(say("errors.800302.cure"))


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


def test_a_mistake_in_the_versions_name_is_in_that_input() -> None:
    finding = version_mistake("v+", say("settings.version_with_plus"))
    assert (finding.id, finding.file, finding.document, finding.field) == ("version-name", "version", "", "")


def test_a_mistake_that_speaks_of_two_things_is_about_the_second() -> None:
    inner = say("render.name_missing", name="inner")
    for problem, subject in (
        (say("render.name_twice", first="a", second="b", name="c"), "b"),
        (say("render.file_missing", path="no.yaml"), "no.yaml"),
        (say("settings.did_you_mean", mistake=inner, near="x"), "inner"),
    ):
        assert subject_of(problem) == subject
