"""Values that the API server refuses are found where they are, and what it takes is no finding."""

from __future__ import annotations

import json

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
    assert {check for check, _ in told} <= {"value", "field-value"}
