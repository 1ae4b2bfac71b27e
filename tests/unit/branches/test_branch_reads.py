"""What is read of branches: who has which path, since when, and what a race has hidden."""

from __future__ import annotations

from collections.abc import Mapping
from functools import partial

import pytest
from tests.support.planned import SPACE
from tests.unit.bcs.space.test_read_space import PROJECT, FakeReader, row, version

from bcs_template_set.bcs.answers import TemplateVersion
from bcs_template_set.bcs.calls import Read, T
from bcs_template_set.bcs.space.existing import ExistingFile, ref_of
from bcs_template_set.bcs.space.provenance import Provenance
from bcs_template_set.bcs.space.unmerged_versions import read_unmerged
from bcs_template_set.bcs.space.versions import read_versions
from bcs_template_set.branches.last_builds import _read_published, read_branches

HOST = "www.example.com"
ROUTES = f"{HOST}.routes.yaml"
CLAIM = '{"path":"/x/","branch":"x","pipeline":"p","build":1,"by":"lisi"}'
CLAIMED = f"""\
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata:
  name: i
  annotations: {{bcs-template-set/branches: '[{CLAIM}]'}}
spec:
  rules:
    - host: {HOST}
      http:
        paths:
        - {{path: /x/, pathType: Prefix, backend: {{service: {{name: s, port: {{number: 80}}}}}}}}
"""


class Defective(FakeReader):
    """Has a defect in reading one kind of thing."""

    def __init__(self, replies: Mapping[str, object], *, broken: str) -> None:
        super().__init__(replies)
        self._broken = broken

    def read(self, call: Read[T]) -> T:
        if call.name == self._broken:
            raise ZeroDivisionError
        return super().read(call)


def test_a_defect_is_not_taken_for_a_version_that_can_not_be_read() -> None:
    with pytest.raises(ZeroDivisionError):
        _read_published(Defective({}, broken="get version"), ["1" * 24], project="web", concurrency=1)


def test_a_defect_is_not_taken_for_a_history_that_can_not_be_read() -> None:
    replies: dict[str, object] = {"list files": [row(1, name=ROUTES)], "list version names": []}
    replies["get version"] = version(1, content=CLAIMED)
    reader = Defective(replies, broken="list versions")
    with pytest.raises(ZeroDivisionError):
        read_branches(reader, project=PROJECT.project_code, space=SPACE, concurrency=1)


def test_a_hidden_version_of_a_person_was_made_from_the_one_before_it() -> None:
    made_by = Provenance("p", 1, "x", "c", "wangwu", "lisi")

    def at(number: int, *, bases: tuple[int, ...] = ()) -> TemplateVersion:
        description = made_by.line("", bases=tuple(f"{base:024x}" for base in bases)) if bases else ""
        return version(number).replaced(create_at=100 * number, description=description)

    first, persons, current = at(1), at(2), at(3, bases=(1,))
    history = tuple(map(ref_of, (current, persons, first)))
    reader = FakeReader({f"get version {v.id}": v for v in (first, persons)})
    file = ExistingFile(row(1, current=3), current=current, history=history)
    (hidden,) = read_unmerged(file, read=partial(read_versions, reader, "web", concurrency=1))
    assert (hidden.version, hidden.base) == (persons, first)
