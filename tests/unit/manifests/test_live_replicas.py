from __future__ import annotations

from typing import Optional

import pytest

from bcs_template_set.manifests.live_replicas import Workload, number_taken_from, variable_of, workload_of


@pytest.mark.parametrize(
    ("variable", "workload"),
    [
        (variable_of("Deployment", "web"), ("Deployment", "web")),
        (variable_of("Rollout", "web.v2"), ("Rollout", "web.v2")),
        ("best_replicas.Deployment.web", None),
        ("live_replicas.Deployment.", None),
        ("live_replicas.Deployment", None),
        ("DOMAIN", None),
    ],
)
def test_a_variable_stands_for_the_number_of_the_workload_that_it_names(
    variable: str, workload: Optional[Workload]
) -> None:
    assert workload_of(variable) == workload
    assert number_taken_from({"spec": {"replicas": f"{{{{ {variable} }}}}"}}) == workload
