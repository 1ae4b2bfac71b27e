from __future__ import annotations

import pytest

from bcs_template_set.manifests.live_fields import count_at, is_going, number_in
from bcs_template_set.manifests.yaml_reading import YamlValue


@pytest.mark.parametrize(
    ("value", "number"),
    [
        (3, 3),
        (3.0, 3),
        ("3", None),
        (0, 0),
        (3.5, None),
        (True, None),
        (None, None),
        ("x", None),
        ([3], None),
    ],
)
def test_a_number_is_read_as_it_is_meant_and_nothing_else_is_one(
    value: YamlValue, number: int | None
) -> None:
    assert number_in(value) == number


def test_a_count_that_is_not_there_is_none_and_an_object_goes_once_it_is_deleted() -> None:
    assert count_at({"status": {}}, "status", "replicas") == 0
    assert is_going({"metadata": {"deletionTimestamp": "2026-11-30T10:00:00Z"}})
    assert not is_going({"metadata": {"name": "web"}})
