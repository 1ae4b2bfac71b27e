"""A value that is not taken is told with its type, and the right form where one follows from it."""

from __future__ import annotations

import pytest
from tests.support.building import web_mistakes

from bcs_template_set.config.bcs_variables import read_variables
from bcs_template_set.manifests.wrong_values import Accepted, one_of, wrong_text, wrong_value
from bcs_template_set.manifests.yaml_reading import YamlValue, read_yaml
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import ValuesInvalid


@pytest.mark.parametrize(
    ("written", "english", "chinese"),
    [
        (
            'replicas: "3"',
            'replicas is the text "3"; write 3, without quotes.',
            '是文本 "3"；请写 3，不加引号。',
        ),
        ('replicas: "2.5"', 'replicas is the text "2.5"; it takes a whole', '是文本 "2.5"；可填：0 到'),
        ("replicas: many", "replicas is text; it takes a whole number", "是文本；可填：0 到"),
        ("replicas: true", "replicas is true; it takes a whole number", "是 true；可填：0 到"),
        ("replicas: 20000", "replicas is the number 20000; it takes a whole", "是数字 20000；可填：0 到"),
        ("port: 12345678901", "port is a number; it takes a whole number", "是数字；可填：1 到"),
        (
            'tls: "true"',
            'tls is the text "true"; write true',
            '是文本 "true"；请写 true，不加',
        ),
        ('tls: "yes"', "tls is text; it takes true or false.", "是文本；可填：true 或 false。"),
        ("image: 5", 'image is the number 5; write "5", in quotes.', '是数字 5；请加引号写成 "5"。'),
        ("host: A_b", "host is text of another form; it takes a domain", "的格式不对；可填：小写的域名"),
        ("env: {A: 8080}", "env.A is a number; write it in quotes.", "是数字；请加引号写成文本。"),
        ("env: {A: true}", "env.A is true or false; write it in quotes.", "是布尔值；请加引号写成文本。"),
        ("env: {A: [x]}", "env.A is a list; it takes text", "是列表；可填：文本"),
        (
            "env: [{name: A}]",
            'env is a list; write NAME: "value", one a line.',
            '是列表；请写成 NAME: "值"，每行一个。',
        ),
        ('image: ""', "image is empty; it takes", "为空；请填写"),
        ("image: {a: b}", "image is a mapping; it takes", "是"),
        ("paths: []", "paths is empty; it takes at least one entry.", "为空；请填写至少一项。"),
        ("paths: /a", "paths is text; write a list, each entry in a", "是文本；请写成列表，每行一项"),
        (
            "resources: {limits: [x]}",
            "limits is a list; it takes a mapping",
            "是列表；可填：“名字: 值”",
        ),
        ("resources: 5", "resources is the number 5; it takes a mapping", "是数字 5；可填：含有键"),
    ],
)
def test_types_are_told_as_written_and_the_right_form_is_shown(
    written: str, english: str, chinese: str
) -> None:
    domain = read_yaml(written, source="v")
    assert isinstance(domain, dict)
    domains: list[YamlValue] = [{"host": "a.b", "image": "r:1", **domain}]
    values: dict[str, YamlValue] = {"app": "a", "domains": domains}
    (told,) = web_mistakes(values)
    assert english in told.render("en_US")
    assert chinese in told.render("zh_CN")


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("- canary", 'variables is a list; write NAME: "value", one a line.'),
        ("A: [canary]", "variables.A is a list; it takes text"),
        ("canary", "variables is text; it takes a mapping"),
    ],
)
def test_variables_are_told_by_key_and_type_alone(text: str, told: str) -> None:
    with pytest.raises(ValuesInvalid) as refused:
        read_variables(text)
    assert told in str(refused.value)
    assert "canary" not in str(refused.value)


@pytest.mark.parametrize(("choices", "told"), [(("gz",), "gz"), (("gz", "sz"), "one of gz, sz")])
def test_the_only_choice_is_named_alone(choices: tuple[str, ...], told: str) -> None:
    assert str(say("local.file", file="", problem=one_of(choices))) == f": {told}"


def test_a_list_is_told_to_be_a_mapping_where_one_of_some_text_would_be_right() -> None:
    def takes(value: YamlValue) -> bool:
        return isinstance(value, dict) and all(value.values())

    said = wrong_value("env", [1], accepted="text", takes=takes).render("en_US")
    assert said == 'env is a list; write NAME: "value", one a line.'


@pytest.mark.parametrize(
    ("given", "told"),
    [
        ("delpoy", 'action is delpoy; it takes one of plan, deploy. Did you mean "deploy"?'),
        ("x", "action is x; it takes one of plan, deploy."),
        (say("render.kind_list"), "a list"),
    ],
)
def test_a_text_that_may_be_shown_is_told_with_the_choice_that_was_meant(given: Accepted, told: str) -> None:
    choices = ("plan", "deploy")
    assert told in wrong_text("action", given, accepted=one_of(choices), choices=choices).render("en_US")


@pytest.mark.parametrize(
    ("text", "right"), [("true", True), ("false", False), ("7", 7), ("-1.5", -1.5), ("0", 0)]
)
def test_a_quoted_word_or_number_is_told_to_be_written_without_quotes(text: str, right: YamlValue) -> None:
    def takes(value: YamlValue) -> bool:
        return value == right and type(value) is type(right)

    said = wrong_value("tls", text, accepted="x", takes=takes).render("en_US")
    assert said == f'tls is the text "{text}"; write {text}, without quotes.'
