"""Of any text that the step takes, its documents are those that BCS reads, or `document-split` says so."""

from __future__ import annotations

import re

from hypothesis import given, settings
from hypothesis import strategies as st
from tests.emulator import go_yaml
from tests.support.draws import examples

from bcs_template_set.manifests.checks.splitting import first_other_line
from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.manifests.parse import parse_documents
from bcs_template_set.manifests.parser_words import YamlUnreadable

WORDS = (
    *("a", "1", "1.10", "0x1f", "on", "y", "~", "null", "", "'a'", '"b\\n"', "|\n      x"),
    *(">-\n      y\n      z", "0123", "08", "1_0", "0X1F", ".5", "1e3", "0o17", "0b1", "-0", "+1"),
    *("TRUE", ".inf", "99999999999999999999", "12:30", "!!str 5", "!!int 5", "!!float '5'"),
    *("!!bool yes", "!!null ''", "! 5", "!foo x", "!!binary aGk=", "!!map {}", "&x b", "*x"),
    *("&m {k: 1}", "[1, a]", "{a: 1, b: on}", "{on: 1}", "[]", "{}", "<<", "=", "@x", "- q", "? z"),
    *("x # c", "x#c", "a:b", "'it''s'", "'a\n      b'", '"a\\\n      b"', "a\tb", "\xa0", "\u2028"),
    *("\x85", "---"),
)
KEYS = (
    *("a", "b", "c", "on", "y", "1", "'on'", '"k"', "1.0", "true", "null", "<<", "? a\n", "'1'"),
    *("a b", "0x1", "*x ", "&k d", "!!str 1", "~", "a.b/c", "-x", "x:y", "1e3", "08"),
)
VALUES = st.one_of(
    st.sampled_from(WORDS).map(lambda word: f" {word}\n"),
    st.lists(st.sampled_from(WORDS), min_size=1, max_size=2).map(lambda items: _block("  - ", items)),
    st.lists(st.sampled_from(("a", "b", "on", "1")), min_size=1, max_size=2, unique=True).map(
        lambda keys: _block("  ", [f"{key}: 1.10" for key in keys])
    ),
)
DOCUMENTS = st.lists(st.tuples(st.sampled_from(KEYS), VALUES), min_size=1, max_size=3).map(
    lambda pairs: "".join(f"{key}:{value}" for key, value in pairs)
)
TEXTS = st.tuples(
    st.sampled_from(("", "---\n", "\n", " ", "--- # c\n")),
    st.sampled_from(("---\n", "--- \n", "\n---\n", "---", "...\n")),
    st.lists(DOCUMENTS, min_size=1, max_size=2),
).map(lambda parts: parts[0] + parts[1].join(parts[2]))


def _block(before: str, items: list[str]) -> str:
    return "\n" + "".join(f"{before}{item}\n" for item in items)


@given(TEXTS)
@settings(max_examples=examples(4000, sample=250), deadline=None)
def test_documents_are_those_that_bcs_reads(text: str) -> None:
    try:
        file = ManifestFile("a.yaml", text, "a", parse_documents(text, source=""))
    except YamlUnreadable:
        return
    if first_other_line(file):
        return
    pieces = re.split(r"(?:^|\s*\n)---\s*", text.strip(), flags=re.ASCII)  # form/parser/common.go
    seen = [body for body in map(go_yaml.read_mapping, pieces) if body]
    assert [_plain(dict(document.body)) for document in file.documents if document.body] == _plain(seen)


def _plain(value: object) -> object:
    """Return what compares as JSON does, but for the line end that BCS takes off a document's last text."""
    if isinstance(value, dict):
        return {key: _plain(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_plain(item) for item in value]
    if isinstance(value, str):
        return value.rstrip("\n\xa0\x85\u2028")
    return ("flag", value) if isinstance(value, bool) else value
