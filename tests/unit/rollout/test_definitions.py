"""Under which name BCS serves the objects of a custom kind: the first guess that is there."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import cast

import pytest

from bcs_template_set.bcs.calls import Read, T
from bcs_template_set.bcs.deploy_calls import LiveObject, NamespaceRef
from bcs_template_set.bcs.dialect import Site
from bcs_template_set.manifests.kind_entry import Kind
from bcs_template_set.manifests.kinds import DEPLOYMENT
from bcs_template_set.messages.errors import NoPermission
from bcs_template_set.messages.server_errors import BcsFailed
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.rollout.live_reads import with_definitions
from bcs_template_set.rollout.watched import Workload

PLACE = NamespaceRef("web", "0" * 32, "BCS-K8S-40000", "prod")
VALLEY = Kind("example.com", "Valley", route="crds/valleys.example.com", is_guessed=True)


def refusal(message: str) -> BcsFailed:
    return BcsFailed(bcs_code=1, message=message)


def undefined(plural: str) -> BcsFailed:
    return refusal(f'customresourcedefinitions.apiextensions.k8s.io "{plural}.example.com" not found')


@dataclass
class Answers:
    """A reader that gives one answer after the other."""

    most_at_once = 1

    left: list[StepError | None]
    asked: list[str] = field(default_factory=list)
    site: Site = field(default_factory=Site)

    def read(self, call: Read[T]) -> T:
        self.asked.append(call.path.rpartition("/crds/")[2])
        answer = self.left.pop(0)
        if answer is not None:
            raise answer
        return cast("T", LiveObject({}))


MISSING = refusal('valleies.example.com "web" not found')
NONE = [undefined("valleys"), undefined("valleies"), undefined("valley")]
FORBIDDEN = NoPermission(user="lisi", message="no cluster_scoped_view permission")


@pytest.mark.parametrize(
    ("answers", "route"),
    [
        ([None], "crds/valleys.example.com"),
        ([undefined("valleys"), None], "crds/valleies.example.com"),
        (
            [undefined("valleys"), refusal('valleies.example.com "web" not found')],
            "crds/valleies.example.com",
        ),
        ([undefined("valleys"), FORBIDDEN], "crds/valleys.example.com"),
        (NONE, "crds/valleys.example.com"),
    ],
)
def test_the_first_definition_that_is_there_is_taken(answers: list[StepError | None], route: str) -> None:
    reader = Answers(list(answers))
    workloads = [Workload(kind, "web", "web/web.yaml", "1.0.8") for kind in (VALLEY, DEPLOYMENT, VALLEY)]
    found = with_definitions(reader, PLACE, workloads)
    assert [workload.kind.route for workload in found] == [route, DEPLOYMENT.route, route]
    assert len(reader.asked) == len(answers), "each kind is asked for once"
