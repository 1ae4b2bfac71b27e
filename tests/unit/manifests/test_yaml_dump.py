from __future__ import annotations

from collections.abc import Iterator

import pytest
import yaml

from bcs_template_set.manifests.yaml_reading import YamlValue, _dumper, dump_yaml

WORDS = ["on", "y", "5", "1.5", "null", "", ".inf", "1.10", "12:30", "2024-01-01", "a: b", "x #y", "- z"]


@pytest.fixture(params=["CSafeDumper", "no CSafeDumper"], autouse=True)
def _dumpers(request: pytest.FixtureRequest, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    if request.param != "CSafeDumper":
        monkeypatch.delattr(yaml, "CSafeDumper", raising=False)
    _dumper.cache_clear()
    yield
    _dumper.cache_clear()


def test_a_value_is_written_in_block_style_in_its_order() -> None:
    value: YamlValue = {
        "b": {"z": 1, "a": [1.5, True, None, {"k": "é\u65e5", "l": []}]},
        "a": "x y " * 200 + "x",
    }
    assert dump_yaml(value) == (
        "b:\n  z: 1\n  a:\n  - 1.5\n  - true\n  - null\n  - k: é\u65e5\n    l: []\na: " + "x y " * 200 + "x\n"
    )
    assert dump_yaml({}) == "{}\n"
    assert issubclass(_dumper(), getattr(yaml, "CSafeDumper", yaml.SafeDumper))


def test_what_comes_twice_is_written_twice() -> None:
    shared: YamlValue = {"a": [1]}
    assert dump_yaml([shared, shared]) == "- a:\n  - 1\n- a:\n  - 1\n"


def test_what_a_reader_could_take_for_no_text_is_written_in_quotes() -> None:
    written = "".join(f"- '{word}'\n" for word in WORDS)
    assert dump_yaml(["web", *WORDS]) == f"- web\n{written}"
    assert dump_yaml({"on": "x"}) == "'on': x\n"
