"""Values that the API server refuses are found where they are, and what it takes is no finding."""

from __future__ import annotations

import json
from collections.abc import Iterator, Sequence
from typing import Any

import pytest
from tests.support.building import findings_of, manifest
from tests.support.refused import ROWS, Row, field_of, manifest_of


@pytest.mark.parametrize("row", ROWS, ids=lambda row: f"{row[0]} {row[1]}")
def test_what_the_api_server_refuses_is_found_and_what_it_takes_is_not(row: Row) -> None:
    found = findings_of(manifest(json.dumps(manifest_of(row))))
    told = [
        (finding.id, finding.field)
        for finding in found
        if not finding.is_warning and finding.id != "cluster-scoped"
    ]
    assert [field for _, field in told] == ([field_of(row)] if field_of(row) else [])
    assert {check for check, _ in told} <= {"value", "field-value", "required-field"}


ODD: Sequence[object] = (
    *(None, 0, -1, 1.5, True, "", [], [1], [None], {}, {"a": 1}, [{}], [[]]),
    *([{"name": [1]}], {"name": {}}),
)


def test_no_value_of_another_type_breaks_a_check() -> None:
    for number, row in enumerate(ROWS):
        changed = manifest_of(row)
        places = list(places_in(changed))
        around, key = places[number * 7 % len(places)]
        around[key] = ODD[number % len(ODD)]
        findings_of(manifest(json.dumps(changed)))


@pytest.mark.parametrize("odd", ODD, ids=json.dumps)
def test_ports_of_another_type_are_not_compared(odd: object) -> None:
    ports = [{"port": odd, "name": "a"}, {"port": odd, "name": "b"}]
    service = {**manifest_of(("Service", "{}", "")), "spec": {"ports": ports}}
    assert {finding.id for finding in findings_of(manifest(json.dumps(service)))} <= {
        *("field-type", "required-field", "value")
    }


def places_in(value: object) -> Iterator[tuple[Any, Any]]:
    """Yield each place in an object, but for its apiVersion and kind."""
    if isinstance(value, (dict, list)):
        for key, below in value.items() if isinstance(value, dict) else enumerate(value):
            if key not in ("apiVersion", "kind"):
                yield value, key
            yield from places_in(below)
