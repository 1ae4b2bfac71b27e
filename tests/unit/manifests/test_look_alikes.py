"""Characters that look like an ASCII one, or like nothing: named by code point and place."""

from __future__ import annotations

import unicodedata
from pathlib import Path

import pytest
from tests.support.building import findings_of, manifest, refusal, render_source, web

from bcs_template_set.manifests.look_alikes import disguised, sentence, sign_before_value
from bcs_template_set.manifests.parse import parse_foreign
from bcs_template_set.messages.errors import ManifestsInvalid, ValuesInvalid

NOTE = "“你好” – а：b\\u200b　c"
MANIFEST = f"""\
apiVersion: apps/v1
kind: Deployment
metadata:
  name: web
  annotations: {{note: "{NOTE}"}}
spec:
  selector: {{matchLabels: {{app: web}}}}
  template:
    metadata: {{labels: {{app: web}}}}
    spec:
      containers:
        - name: web
          image: a/b:1
          ports: [{{containerPort: 80}}]
          command: [echo, “你好”, "a’s"]
"""


def test_in_text_for_people_they_are_right() -> None:
    assert findings_of(manifest(MANIFEST)) == ()
    unknown = "apiVersion: a.example.com/v1\nkind: Board\nmetadata: {name: a}\nspec: {name: “A’s”}\n"
    assert findings_of(manifest(unknown)) == ()


@pytest.mark.parametrize(
    ("before", "after", "place", "code"),
    [
        ("  name: web\n", "\xa0\xa0name: web\n", ":4:1", "U+00A0 looks like a blank"),
        ("  template", "\u3000template", ":8:1", "U+3000 looks like a blank"),
        (
            "  name: web\n",
            "  name： web\n",
            ":4:7",
            'U+FF1A (：) is a full-width colon; type ":" and',
        ),
        ("spec:\n  sel", "spec：\n  sel", ":6:5", "U+FF1A"),
        ("  name: web\n", "  “name”: web\n", ":4:3", 'U+201C looks like "\\""'),
        ("- name: web\n", "– name: web\n", ":12:9", 'U+2013 looks like "-"'),
        ("image:", "image\u200b:", ":13:16", "U+200B can't be seen"),
        ("image:", "imаge:", ":13:13", 'U+0430 looks like "a"'),
        ("apiVersion", "---\n\ufeffapiVersion", ":2:1", "U+FEFF can't be seen"),
    ],
)
def test_where_yaml_or_a_key_stands_they_are_named(
    tmp_path: Path, before: str, after: str, place: str, code: str
) -> None:
    said = refusal(tmp_path, MANIFEST.replace(before, after, 1), ManifestsInvalid)
    assert f"{place}: the character {code}" in said


@pytest.mark.parametrize(
    ("before", "after", "field", "nth", "code"),
    [
        ("name: web\n", "name: w\u200beb\n", "metadata.name", 2, "U+200B"),
        ("name: web\n", "name: ｗeb\n", "metadata.name", 1, "U+FF57"),
        ("name: web\n", 'name: "w\\u200beb"\n', "metadata.name", 2, "U+200B"),
        (
            "{app: web}}\n    spec",
            "{app: web\u200b}}\n    spec",
            "spec.template.metadata.labels[app]",
            4,
            "U+200B",
        ),
        ("80}", "８０}", "spec.template.spec.containers[0].ports[0].containerPort", 1, "U+FF18"),
        ("apps/v1", "apps/v1\u200b", "apiVersion", 8, "U+200B"),
        ("spec:\n  sel", "spec:\n  replicas: １\n  sel", "spec.replicas", 1, "U+FF11"),
        ("[{containerPort", "[{protocol: TCP\u200b, containerPort", "", 4, "U+200B"),
    ],
)
def test_in_names_images_ports_and_words_they_are_named_and_nothing_else_is_said(
    before: str, after: str, field: str, nth: int, code: str
) -> None:
    found = findings_of(manifest(MANIFEST.replace(before, after, 1)))
    (finding,) = (each for each in found if each.id != "pod-selector")
    assert finding.id == "look-alike"
    assert field in finding.field
    assert f"at its character {nth}: the character {code}" in str(finding.message)


def test_of_a_kind_that_nobody_knows_its_containers_and_its_name_are_looked_at() -> None:
    text = MANIFEST.replace("apps/v1", "a.example.com/v1").replace("kind: Dep", "kind: Gаme")
    text = text.replace("- name: web", "- name: wеb").replace("name: web\n", "name: wеb\n", 1)
    found = findings_of(manifest(text))
    assert [finding.field for finding in found if finding.id == "look-alike"] == [
        "kind",
        "metadata.name",
        "spec.template.spec.containers[0].name",
    ]


@pytest.mark.parametrize(
    ("values", "line", "column"),
    [("v： 1", 1, 2), ("v: 1\nx： 2\n", 2, 2), ("\xa0v: 1", 1, 1), ("a:\n  “v”: 1\n", 2, 3)],
)
def test_values_are_read_the_same_way(tmp_path: Path, values: str, line: int, column: int) -> None:
    said = refusal(tmp_path, "a: 1\n", ValuesInvalid, values=values)
    assert f"values:{line}:{column}: the character U+" in said


def test_values_of_builtin_web_are_named_with_their_path(tmp_path: Path) -> None:
    with pytest.raises(ValuesInvalid) as caught:
        web(tmp_path, "app: a\ndomains: [{host: ａ.org, image: 'a:1'}]\n")
    said = 'domains[0].host is not right at its character 1: the character U+FF41 (ａ) is a full-width "a"'
    assert said in str(caught.value)


def test_words_of_other_languages_are_no_disguise(tmp_path: Path) -> None:
    values = "镜像: nginx\n域名（主）: x\nоса: 1\nnaïve: “a”\n"
    assert render_source(tmp_path, "a: {{ 镜像 }}\n", values=values).text == "a: nginx\n"


def test_what_others_wrote_is_read_as_bcs_reads_it() -> None:
    found = parse_foreign("kind: A\nmetadata:\n  na\u200bme: b\n")
    assert found is not None
    assert found[0].body == {"kind": "A", "metadata": {"na\u200bme": "b"}}


@pytest.mark.parametrize(
    ("text", "at"),
    [
        ("web", None),
        ("wеb", 1),
        ("оса", None),
        ("ｗｅｂ", 0),
        ("a：b", 1),
        ("你：b", None),
        ("a\u200b", 1),
        ("", None),
    ],
)
def test_a_disguise_is_what_is_ascii_but_for_it(text: str, at: int | None) -> None:
    assert disguised(text) == at


@pytest.mark.parametrize("line", ["a: 你好：b", "# a：b", "'a：b': c", "a: b", ""])
def test_a_value_or_a_comment_of_a_line_is_left_alone(line: str) -> None:
    assert sign_before_value([line]) is None


@pytest.mark.parametrize(
    ("signs", "like"),
    [
        *[("“”„‟″‶«»〝〞", '\\"'), ("‘’‛′‵´ʼʹ", "'"), ("‐‑‒–—―−﹘﹣ー", "-"), ("∶﹕꞉ː︓", ":")],
        *[("․﹒。·", "."), ("⁄∕⧸", "/"), ("﹐、‚", ","), ("АΑ", "A"), ("Ѕ", "S"), ("ԝ", "w"), ("Ο", "O")],
        *[("Χ", "X"), ("р", "p"), ("ρ", "p"), ("ν", "v")],
    ],
)
def test_a_character_is_told_with_the_one_it_looks_like(signs: str, like: str) -> None:
    for sign in signs:
        code = f"U+{ord(sign):04X}"
        assert str(sentence(sign)).startswith(f'the character {code} looks like "{like}"')
        assert disguised(f"a{sign}b") == 1


def test_a_full_width_character_is_told_with_its_own_and_a_colon_with_the_blank_it_needs() -> None:
    for sign in map(chr, range(0xFF00, 0xFF60)):
        own = unicodedata.normalize("NFKC", sign)
        is_wide = "is a full-width" in str(sentence(sign))
        assert is_wide == own.isascii(), sign
        assert not is_wide or sentence(sign).fields["like"] == own.replace('"', '\\"')
    assert "a full-width colon" in str(sentence("\uff1a", ends_key=True))
    assert "a full-width colon" not in str(sentence("\uff1a"))
    assert "a full-width colon" not in str(sentence("\uff0e", ends_key=True))


def test_each_kind_of_character_has_its_sentence() -> None:
    assert str(sentence("\u2003")).startswith("the character U+2003 looks like a blank")
    assert str(sentence("\U000e0041")).startswith("the character U+E0041 can't be seen")
