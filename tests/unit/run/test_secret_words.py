"""A server's words are shown without what ends up in a Secret, by whichever way it gets there."""

from __future__ import annotations

import base64
import json

import pytest

from bcs_template_set.agent.masker import MOST_WORDS
from bcs_template_set.bcs.calls import JsonValue
from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.manifests.parse import bcs_variables_in, parse_documents
from bcs_template_set.run.secret_words import SecretWords

HEAD = "apiVersion: v1\nkind: Secret\nmetadata: {name: passwords}\n"


def words_of(text: str, **variables: str) -> SecretWords:
    names = frozenset(variable.inner.strip() for variable in bcs_variables_in(text))
    file = ManifestFile("s.yaml", text, "s.yaml", parse_documents(text, source="s.yaml"), variables=names)
    return SecretWords([file], variables=variables)


def answer(**values: str) -> JsonValue:
    return {"vars": [{"key": key, "value": value, "readonly": False} for key, value in values.items()]}


def test_values_of_a_secret_are_masked_and_short_ones_are_not() -> None:
    words = words_of(
        f"{HEAD}stringData: {{a: canary-one, b: 'true'}}\ndata: {{c: {encoded('canary-two')}}}\n"
    )
    assert words.mask("it is canary-one, true, canary-two") == "it is ***, true, ***"


def encoded(text: str) -> str:
    return base64.b64encode(text.encode()).decode()


def test_a_variable_of_a_secret_is_masked_alone_and_within_what_it_becomes() -> None:
    text = f"{HEAD}stringData: {{url: 'db://{{{{ USER }}}}:{{{{ PASSWORD }}}}@db/x', a: '{{{{OTHER}}}}'}}\n"
    words = words_of(text, USER="robot", PASSWORD="canary-pass", ELSE="something else")
    assert words.mask("say canary-pass") == "say ***"
    assert words.mask("say 'db://robot:canary-pass@db/x' of robot") == "say '***' of robot"
    assert words.mask("say something else") == "say something else"
    short = words_of(
        f"{HEAD}stringData: {{a: '{{{{ USER }}}}:{{{{ PASSWORD }}}}'}}\n", USER="r", PASSWORD="canary-p"
    )
    assert short.mask("r:canary-p or canary-p") == "*** or ***"


def test_a_variable_that_is_encoded_is_masked_as_what_it_means() -> None:
    words = words_of(f"{HEAD}data: {{a: '{{{{ CODE }}}}'}}\n", CODE=encoded("canary-code"))
    assert words.mask(f"{encoded('canary-code')} or canary-code") == "*** or ***"


def test_the_namespaces_own_variables_are_learnt_where_a_secret_has_them() -> None:
    words = words_of(f"{HEAD}stringData: {{a: 'x-{{{{ OWN }}}}'}}\n")
    assert words.mask("canary-own") == "canary-own"
    words.learn(answer(OWN="canary-own", HOST="www.example.com"))
    assert words.mask("x-canary-own at www.example.com") == "*** at www.example.com"


def test_secrets_of_a_preview_are_learnt_as_they_would_be_and_as_they_are_live() -> None:
    words = SecretWords()
    items: list[JsonValue] = [
        {"kind": "Secret", "content": f"{HEAD}stringData: {{a: canary-new}}\n", "previousContent": ""},
        {"kind": "Secret", "content": 1, "previousContent": f"{HEAD}stringData: {{a: canary-old}}\n"},
        {"kind": "ConfigMap", "content": "kind: ConfigMap\ndata: {a: not-a-secret}\n"},
        {"kind": "Secret", "content": "kind: Secret\n\tbroken: [", "previousContent": None},
        "no item",
    ]
    for _ in range(2):
        words.learn({"items": items, "error": "x"})
    assert words.mask("canary-new canary-old not-a-secret") == "*** *** not-a-secret"


@pytest.mark.parametrize("wrapped", ["{}", "[{}]"])
def test_secrets_of_a_version_are_learnt_with_what_author_and_namespace_fill_in(wrapped: str) -> None:
    version = {"content": f"{HEAD}stringData: {{a: '{{{{ USER }}}}-of-{{{{ OWN }}}}'}}\n"}
    words = SecretWords(variables={"USER": "canary-user", "HOST": "www.example.com"})
    words.learn(json.loads(wrapped.replace("{}", json.dumps(version))))
    words.learn(answer(OWN="canary-own", USER="canary-older"))
    assert words.mask("it is canary-user-of-canary-own at www.example.com") == "it is *** at www.example.com"
    assert words.mask("canary-user") == words.mask("canary-older") == words.mask("canary-own") == "***"
    short = SecretWords(variables={"USER": "abc"})
    short.learn(json.loads(wrapped.replace("{}", json.dumps(version))))
    short.learn(answer(OWN="xyz", USER="old"))
    assert short.mask("it is abc-of-xyz, not old-of-xyz or old") == "it is ***, not *** or old"


def test_the_namespaces_own_variables_count_for_versions_that_are_read_later() -> None:
    words = SecretWords(variables={"USER": "canary-user"})
    words.learn(answer(OWN="canary-own"))
    words.learn({"content": f"{HEAD}stringData: {{a: '{{{{ USER }}}}-of-{{{{ OWN }}}}'}}\n"})
    assert words.mask("canary-user-of-canary-own or canary-own") == "*** or ***"


@pytest.mark.parametrize(
    "data",
    [
        None,
        [],
        "x",
        {"vars": 1},
        {"vars": [1, {"key": 1}, {"key": "A"}, {"key": "A", "value": 7}]},
        {"items": {"a": 1}},
    ],
)
def test_whatever_an_answer_holds_nothing_breaks(data: JsonValue) -> None:
    words = words_of(f"{HEAD}stringData: {{a: '{{{{ A }}}}'}}\n")
    words.learn(data)
    assert words.mask("as it was") == "as it was"


def test_of_a_server_that_sends_millions_of_characters_the_beginning_is_looked_at() -> None:
    words = words_of(f"{HEAD}stringData: {{a: canary-one}}\n")
    shown = words.mask("canary-one " + "x" * 10 * MOST_WORDS)
    assert shown.startswith("*** xxx")
    assert len(shown) < MOST_WORDS
