"""A desk's settings file in the place of BK-CI's agent."""

from __future__ import annotations

import pytest

from bcs_template_set.errors import SdkFileUnreadable
from bcs_template_set.local_plan import LocalAgent
from bcs_template_set.manifests.yaml_reading import YamlValue


@pytest.mark.parametrize(
    ("value", "text"),
    [
        (True, "true"),
        (False, "false"),
        (None, ""),
        (7, "7"),
        ({"a": [1]}, '{"a": [1]}'),
        (["中"], '["中"]'),
        ("x", "x"),
    ],
)
def test_whatever_yaml_makes_of_an_input_is_handed_over_as_text(value: YamlValue, text: str) -> None:
    assert LocalAgent({"inputs": {"redeploy": value}}).inputs()["redeploy"] == text


def test_a_desk_is_no_build() -> None:
    with pytest.raises(SdkFileUnreadable):
        _ = LocalAgent({}).identity
