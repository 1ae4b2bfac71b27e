"""What `doctor` has found out, as lines and as one object."""

from __future__ import annotations

import pytest

from bcs_template_set.messages import LANGUAGES, Language, say
from bcs_template_set.messages.errors import NoPermission, ValuesInvalid
from bcs_template_set.messages.step_error import StepError, UserMistake
from bcs_template_set.report.examination import (
    MOST_TOLD,
    Finding,
    document_of,
    first_error,
    lines_of,
    told_of,
    what_of,
)

OK = Finding("user", "ok", say("doctor.named", name="lisi"))
WAITS = Finding("namespace", "skipped", say("doctor.waits", name=say("doctor.name_cluster")))


def refused(**context: object) -> Finding:
    return Finding("project", "failed", NoPermission(user="lisi", message="no", context=context))


@pytest.mark.parametrize("language", LANGUAGES)
def test_names_stand_in_a_column_and_the_last_line_counts(language: Language) -> None:
    first, second, third, last = lines_of([OK, refused(), WAITS], language)
    assert [line[0] for line in (first, second, third)] == ["✓", "✗", "–"]
    expected = {
        "en_US": ("✓ user       lisi", "– namespace  not", "1 of 3 in order; 1 to mend: project."),
        "zh_CN": ("✓ 用户      lisi", "– 命名空间  未检查", "3 项中 1 项正常，1 项需要修正：项目。"),
    }
    assert first == expected[language][0]
    assert third.startswith(expected[language][1])
    assert last == expected[language][2]


def test_what_nobody_knows_has_a_mark_of_its_own_and_is_not_in_order() -> None:
    found, last = lines_of([Finding("user", "unknown", say("doctor.named", name="lisi"))], "en_US")
    assert (found, last) == ("! user  lisi", "0 of 1 in order; nothing to mend.")


@pytest.mark.parametrize(
    ("finding", "line"),
    [
        (refused(), "BCS says that lisi has no permission: no. Have lisi apply"),
        (refused(permission="project_view"), ": no. Permission: project_view. Have lisi apply"),
        (refused(apply_url="https://iam/1"), ": no. Apply for ?: https://iam/1 . Have lisi apply"),
    ],
)
def test_sentences_end_in_a_full_stop_and_an_address_is_not_one_with_it(finding: Finding, line: str) -> None:
    assert line in told_of(finding, "en_US")
    assert told_of(finding, "en_US").endswith("(800210)")


def test_the_request_is_named_where_there_was_one() -> None:
    assert told_of(refused(request_id="r-1"), "zh_CN").endswith("（800210，请求 r-1）")


def test_of_many_mistakes_the_first_are_told_and_the_others_counted() -> None:
    error: StepError = ValuesInvalid(details=[f"mistake {number}." for number in range(MOST_TOLD + 2)])
    told = what_of(Finding("values", "failed", error), "en_US")
    assert "mistake 2." in told
    assert "mistake 3." not in told
    assert "2 more" in told
    for count, more in ((MOST_TOLD, False), (MOST_TOLD + 1, True)):
        error = ValuesInvalid(details=["mistake."] * count)
        assert (" more" in what_of(Finding("values", "failed", error), "en_US")) == more


@pytest.mark.parametrize(
    ("language", "told"), [("en_US", " first. second! third"), ("zh_CN", "。first。second!third")]
)
def test_what_a_server_says_ends_as_a_sentence_of_the_language(language: Language, told: str) -> None:
    error = ValuesInvalid(details=["first", "second!", "third"])
    assert what_of(Finding("values", "failed", error), language).endswith(told)


def test_json_has_code_cure_and_request_of_a_failure_only() -> None:
    told = document_of([OK, refused(request_id="r-1"), refused()], "en_US")
    assert told["ok"] is False
    assert isinstance(told["checks"], list)
    ok, with_request, without = told["checks"]
    assert ok == {"id": "user", "state": "ok", "what": "lisi"}
    assert (with_request["code"], with_request["request_id"]) == (800210, "r-1")
    assert "request_id" not in without
    assert without["cure"].startswith("Have lisi apply")


def test_without_a_failure_there_is_no_error() -> None:
    assert first_error([OK, WAITS]) is None
    assert document_of([OK, WAITS], "en_US")["ok"] is True
    found = first_error([OK, refused()])
    assert isinstance(found, UserMistake)
