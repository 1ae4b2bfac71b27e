from __future__ import annotations

import pytest
import yaml

from bcs_template_set.manifests.parser_words import YamlUnreadable
from bcs_template_set.manifests.yaml_events import available_parser
from bcs_template_set.manifests.yaml_reading import read_yaml


@pytest.mark.parametrize(
    ("text", "line", "column", "sentence"),
    [
        ("- image: reg/web:\n  port: 80\n", 1, 3, "yaml_image_tag"),
        ("a:\n-   - image: reg/web: # c\n      port: 80\n", 2, 7, "yaml_image_tag"),
        ("image: #x:\n b: c: 1\n", 2, 6, "yaml_colon"),
        ('image: a"b:\nb: 1\n', 1, 11, "yaml_colon"),
        ("image: {{ a }}:\nb: 1\n", 1, 9, "yaml_key"),
        ("a:\n  b: 1\n  replicas:2\nc: 1\n", 3, 3, "yaml_no_blank"),
        ("a:\n  b: 1\n  _x.y-2:z\nc: 1\n", 3, 3, "yaml_no_blank"),
        ("a:\n  b: 1\n  http://x\nc: 1\n", 3, 3, "yaml_no_colon"),
        ("a:\n  b: 1\n  word\nc: 1\n", 3, 3, "yaml_no_colon"),
        ("a: [1, 2\n", 1, 4, "yaml_bracket_open"),
        ("a: [1\nb: 2\n", 1, 4, "yaml_bracket_open"),
        ("a: {b: 1\nc: 2\nd: 3\n", 1, 4, "yaml_bracket_open"),
        ("a: {b: 1 c: 2}\n", 1, 11, "yaml_problem"),
        ("a: [\n", 2, 1, "yaml_problem"),
        ('a: "x', 1, 6, "yaml_unclosed"),
        ('a: "x\nb: 1\n', 1, 4, "yaml_quote_open"),
        ("a: 'x\nb: 1\n", 1, 4, "yaml_quote_open"),
        ('a: "x\nb: 1\nc: "y"\n', 1, 4, "yaml_quote_open"),
        ("\n a: 'x\n b: 1\n c: 'y'\n", 2, 5, "yaml_quote_open"),
        ('a: "x" y\n', 1, 8, "yaml_indent"),
        ("a: x\n y\n b: c\n", 3, 3, "yaml_colon"),
        ('a: "x\n  z"\nb: c: d\n', 3, 5, "yaml_colon"),
        ("\x85\na: b: c\n", 3, 5, "yaml_colon"),
    ],
)
def test_a_mistake_is_told_where_it_begins(text: str, line: int, column: int, sentence: str) -> None:
    for parser in (yaml.SafeLoader, available_parser()):
        with pytest.raises(YamlUnreadable) as caught:
            read_yaml(text, source="", parser=parser)  # type: ignore[arg-type] # any of the two
        found = caught.value
        assert (found.line, found.column, found.problem.key) == (line, column, f"render.{sentence}")


def test_a_key_that_lacks_its_blank_is_named() -> None:
    with pytest.raises(YamlUnreadable) as caught:
        read_yaml("a:\n  b: 1\n  x.y-2:z\nc: 1\n", source="")
    assert caught.value.problem.fields == {"key": "x.y-2"}
