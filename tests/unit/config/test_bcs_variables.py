from __future__ import annotations

import pytest

from bcs_template_set.config.bcs_variables import read_variables
from bcs_template_set.messages import LANGUAGES
from bcs_template_set.messages.errors import ValuesInvalid


@pytest.mark.parametrize("word", ["example.com", "8080", "1.10", "0123456", "0x1f", "1_0", "on", "12e34567"])
def test_what_is_given_arrives_as_it_is_written(word: str) -> None:
    assert read_variables(f"A: {word}\nB: '{word}'") == {"A": word, "B": word}


def test_nothing_given_is_no_variables() -> None:
    assert read_variables("") == read_variables(" \n") == read_variables("# only a comment") == {}


def test_what_is_no_text_is_refused_all_at_once() -> None:
    with pytest.raises(ValuesInvalid) as caught:
        read_variables("A: null\nB: yes\nC: [x]\n'a b': c\nD:\n")
    text = str(caught.value)
    for name, given in (("A", "empty"), ("C", "a list"), ("D", "empty")):
        assert f"variables.{name} is {given}; it takes text" in text
    assert "the name of entry 4 is not a variable's name" in text


@pytest.mark.parametrize(
    "text",
    [
        "PASSWORD canary: x",
        "canary",
        "A: 'canary",
        "[canary]",
        "A: canary: x",
        "{A: canary, A: canary}",
        "canary=x: ~",
        "? canary+x\n? canary+x\n",
    ],
)
def test_no_mistake_shows_what_stands_there(text: str) -> None:
    with pytest.raises(ValuesInvalid) as caught:
        read_variables(text)
    shown = "\n".join(line for language in LANGUAGES for line in caught.value.explain(language))
    assert "canary" not in shown
    assert "variables" in shown


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("- a", 'variables is a list; write NAME: "value"'),
        ("a", "variables is text; it takes a mapping"),
        ("a: b: c", "variables"),
        ("\ta: b", "variables"),
    ],
)
def test_what_is_no_mapping_is_refused(text: str, says: str) -> None:
    with pytest.raises(ValuesInvalid, match=says):
        read_variables(text)
