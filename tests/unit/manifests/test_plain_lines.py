from __future__ import annotations

from contextlib import suppress
from pathlib import Path
from typing import Optional

import pytest
import yaml
from hypothesis import example, given
from hypothesis import strategies as st

from bcs_template_set.manifests.parser_words import YamlUnreadable
from bcs_template_set.manifests.plain_lines import _MOST_KNOWN, _head, _known, read_plain
from bcs_template_set.manifests.yaml_events import available_parser
from bcs_template_set.manifests.yaml_reading import YamlValue, read_documents
from bcs_template_set.manifests.yaml_words import MANIFESTS, SETTINGS, WRITTEN, Reading, key_of

LEFT = "left to the parser"
TESTS = Path(__file__).parents[2]
READINGS = pytest.mark.parametrize("reading", [SETTINGS, MANIFESTS, WRITTEN], ids=["own", "bcs", "written"])
MANIFEST = """\
# What it is for
apiVersion: apps/v1
kind: Deployment
metadata:
  name: "web"   # quoted
  labels: {}
spec:
  paused: false
  replicas: 0x10
  template:

    spec:
      containers:
      - name: 'web'
        image: registry.example.com/a b/web:1.10
        args:
          - -v
          - --all=true
          - $(HOST)
        command: []
        workingDirs: ["/a" , 'b, c',"", d.e, -1 ,1e3, on,null, 080]
        volumes: [ { name: logs,path: "/" },{a: [ {}, x@y ]} ]   # [c]
        env:
        - name: EMPTY
          value:
      hostNetwork: yes
---
apiVersion: v1
"""


@pytest.fixture(autouse=True)
def _nothing_is_known() -> None:
    for kept in (_known, _head, key_of):
        kept.cache_clear()


def by_parser(text: str, reading: Reading) -> Optional[list[tuple[int, YamlValue]]]:
    """Return what the parser makes of a text, None where it refuses it."""
    try:
        return [*read_documents(text, source="", reading=reading, parser=available_parser())]
    except YamlUnreadable:
        return None


@READINGS
def test_a_manifest_is_plain_and_comes_to_the_same(reading: Reading) -> None:
    read = read_plain(MANIFEST, reading)
    assert read is not None
    assert repr(read) == repr(by_parser(MANIFEST, reading))
    assert [line for line, _ in read] == [2, 28]


@pytest.mark.parametrize(
    "text",
    [
        *(
            "a: &x 1\n",
            "a: *x\n",
            "a: !!str 1\n",
            "a: |\n  x\n",
            "a: [~]\n",
            "a: ['b',]\n",
            "a: [1 2]\n",
            "a: [1, # c\n  2]\n",
            "a: [.inf]\n",
            "a: [b: c]\n",
            "a: {b:c}\n",
            "a: {b: }\n",
            "a: {b: c, b: d}\n",
            "a: {b: 'c'\n",
            f"a: {'[' * 51}{']' * 51}\n",
            "a: ['b': c]\n",
            "? a\n",
            "a: b: c\n",
            "<<: a\n",
        ),
        *("- - a\n", "-\n", "- # c\n", "a", '"a": 1\n', 'a: "\\n"\n', "a:\tb\n", "a: b\r\n", "a: 'b'c\n"),
        *("a: b\n  c: d\n", "a: 1\na: 2\n", "  a: 1\nb: 2\n", "a:\n    b: 1\n  c: 2\n", "a: 1\n- b\n"),
        *("- a\nb: 1\n", "a: .inf\n", "a: 1\n---\n", "a: 1\n---\n# nothing\n---\nb: 1\n", "--- \na: 1\n"),
        *("%YAML 1.1\n---\na: 1\n", "...\n", "a: \u2028b\n", f"{' ' * 41}a: 1\n", f"{'a' * 129}: 1\n"),
        f"a: {'b' * 498}",
        "---\n---\na: 1\n",
    ],
)
def test_what_is_not_plain_is_left_to_the_parser(text: str) -> None:
    assert read_plain(text, MANIFESTS) is None


def test_a_key_that_does_not_arrive_as_written_is_left_to_the_parser() -> None:
    assert read_plain("on: 1\n", MANIFESTS) == [(1, {"on": 1})]
    assert read_plain("on: 1\n", WRITTEN) is None
    assert read_plain("a: [{on: 1}]\n", MANIFESTS) == [(1, {"a": [{"on": 1}]})]
    assert read_plain("a: [{on: 1}]\n", WRITTEN) is None


def test_samples_are_read_alike_by_both_readers() -> None:
    """Every sample of a manifest that the repository has, as it is and written by PyYAML."""
    plain = 0
    loader = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
    dumper = getattr(yaml, "CSafeDumper", yaml.SafeDumper)
    for path in sorted(TESTS.glob("**/*.yaml")):
        text = path.read_text(encoding="utf-8")
        with suppress(yaml.YAMLError):
            for written in (text, yaml.dump_all(yaml.load_all(text, loader), Dumper=dumper)):
                read = read_plain(written, WRITTEN)
                plain += read is not None
                assert read is None or repr(read) == repr(by_parser(written, WRITTEN)), path
    assert plain > 100


@pytest.mark.parametrize(
    ("text", "documents"),
    [
        ("", []),
        ("# c\n\n", []),
        ("---\na: 1\n", [(2, {"a": 1})]),
        ("# c\n---\n\n # c\na: 1\n---\nb: 1", [(5, {"a": 1}), (7, {"b": 1})]),
        ("a: xé\n", [(1, {"a": "xé"})]),
        (f"a: {'b' * 497}", [(1, {"a": "b" * 497})]),
        (f"{' ' * 40}a: 1\n", [(1, {"a": 1})]),
        (f"{'a' * 128}: 1\n", [(1, {"a" * 128: 1})]),
        (f"a: {'[' * 50}{']' * 50}\n", None),
        (
            "- a\n- b: 1\n  c: 2\n-   d:\n    - e\n    f: 3\n",
            [(1, ["a", {"b": 1, "c": 2}, {"d": ["e"], "f": 3}])],
        ),
        ("a:\n- b\nc:\n  - d\ne:\nf:\n  g:\n    h: 1\ni: 2\n", None),
        ("- a: 1\n - b: 1\n", LEFT),
        ("a:\n  - b\n  c: 1\n", LEFT),
        ("- a: {}\n  b: []\n-  c: {x: 'y', z: [1, on, \"q\"]}\n", None),
        ("a: 'b'\nc: \"d\" # e\nf: ''\n", None),
        ('a: "b"\nc: "d"\ne: ""\n- f: "g"\n', LEFT),
        ('- a: "b"\n  c: "d: e"\n-   f: "#"\n', None),
        ('on: "x"\n', None),
        ('a: b: "c"\n', LEFT),
        ('a "b": "c"\n', LEFT),
        ('a: "b" "c"\n', LEFT),
        ('a: "b\\n"\n', LEFT),
    ],
)
def test_each_line_has_its_place(text: str, documents: object) -> None:
    found = read_plain(text, MANIFESTS)
    wanted = by_parser(text, MANIFESTS) if documents is None else None if documents is LEFT else documents
    assert repr(found) == repr(wanted)


def test_lines_are_kept_up_to_a_limit_but_for_texts_in_quotes() -> None:
    assert read_plain('a: 1\nb:\n  - c\n\nd: "x"\n  \n', MANIFESTS)
    assert [*_known(MANIFESTS)] == ["a: 1", "b:", "  - c", "", "  "]
    assert not _known(WRITTEN)
    text = "".join(f"a{number}: {number}\n" for number in range(2 * _MOST_KNOWN))
    assert read_plain(text, MANIFESTS) == [(1, {f"a{nth}": nth for nth in range(2 * _MOST_KNOWN)})]
    assert len(_known(MANIFESTS)) <= _MOST_KNOWN


def test_documents_share_nothing_that_can_change() -> None:
    read = read_plain("a: {}\nb: [1]\n---\na: {}\nb: [1]\n", MANIFESTS)
    assert read == [(1, {"a": {}, "b": [1]}), (4, {"a": {}, "b": [1]})]
    nodes = [id(node) for _, body in read if isinstance(body, dict) for node in body.values()]
    assert len(set(nodes)) == len(nodes) == 4


PIECES = (
    *(
        "  ",
        "    ",
        "- ",
        "- ",
        "a: ",
        "b:",
        "c: ",
        "key:\n",
        "x",
        "1",
        "0x",
        "on",
        "null",
        "1.5",
        "1e5",
        "é",
    ),
    *(
        "\n",
        "\n",
        "\n",
        "\n---\n",
        '"',
        '"q"',
        "'",
        "{}",
        "[]",
        " #c",
        "#",
        ". ",
        ":",
        ": ",
        "~",
        "$(A)",
        "-",
    ),
    *("...", "%", "&a ", "*a", "|", "?", ",", "a b", "http://x", "080:", "<<: ", "\\", "\xa0"),
    *("[", "]", "{", "}", "{a: ", ", ", "[x, 1]", "{b: 'q'}", "y: "),
)
LINES = st.builds(
    lambda column, dashes, rest: " " * column + dashes + rest,
    st.sampled_from([0, 0, 0, 2, 2, 4, 1, 6]),
    st.sampled_from(["", "", "", "- ", "-   ", "- - "]),
    st.sampled_from(
        [
            "a:",
            "b:",
            "c: 1",
            "d: x y",
            "e: {}",
            "f: []",
            "f: ['x', \"y\"]",
            "i: [x, {y: 1}] # c",
            "{j: [], k: on}",
            "x",
            "# c",
            "on: 1",
            "g: on",
            "",
            "h: 'x'",
        ]
    ),
)


@READINGS
@given(st.one_of(st.lists(LINES, max_size=9).map("\n".join), st.lists(st.sampled_from(PIECES)).map("".join)))
@example('a: # b: "c"\n')
@example("a:\n- b: 1\n- c:\n  - d\n  e: 2\n")
@example("a:\n  # c\n  b: 1\n\nc: 2")
def test_what_is_read_as_plain_is_what_the_parser_reads(reading: Reading, text: str) -> None:
    read = read_plain(text, reading)
    if read is not None:
        assert repr(read) == repr(by_parser(text, reading))
