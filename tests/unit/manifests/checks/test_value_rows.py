"""Values that the API server refuses are found where they are, and said; what it takes is no finding."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from typing import Any

import pytest
from tests.support.building import findings_of, manifest
from tests.support.refused import ROWS, field_of, manifest_of

from bcs_template_set.manifests.checks.value_rows import in_rows, rows_of_container
from bcs_template_set.manifests.fields import Fields


@pytest.mark.parametrize("base", dict.fromkeys(base for base, _, _ in ROWS))
def test_what_the_api_server_refuses_is_found_and_said_and_what_it_takes_is_not(
    base: str, golden: Callable[[str, str], None]
) -> None:
    said = ""
    for row in (row for row in ROWS if row[0] == base):
        found = findings_of(manifest(json.dumps(manifest_of(row))))
        refused = [one for one in found if not one.is_warning and one.id != "cluster-scoped"]
        assert [one.field for one in refused] == ([field_of(row)] if field_of(row) else []), row
        assert {one.id for one in refused} <= {"value", "field-value", "required-field"}
        said += "".join(f"{row[1]}\n  {row[2]}: {one.message.render('en_US')}\n" for one in refused)
    golden(f"refused/{base}.txt", said)


@pytest.mark.parametrize(
    ("is_whole", "is_once", "is_plain", "refused"),
    [
        (True, False, False, {"value_one_of readinessProbe"}),
        (False, True, False, {"value_goes_with readinessProbe"}),
        (False, False, True, {"value_goes_with volumeMounts[0].mountPropagation"}),
        (False, False, False, set()),
    ],
)
def test_a_containers_place_decides_what_it_may_lack_and_what_it_may_have(
    *, is_whole: bool, is_once: bool, is_plain: bool, refused: set[str]
) -> None:
    body: Fields = {"readinessProbe": {}, "volumeMounts": [{"mountPropagation": "Bidirectional"}]}
    rows_of_container.cache_clear()
    rows = rows_of_container(is_whole=is_whole, is_once=is_once, is_plain=is_plain)
    assert {f"{sentence} {where}" for where, sentence, _ in in_rows(body, rows)} == refused


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
