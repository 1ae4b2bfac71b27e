"""The worker hears how far the step is, in the form its platform takes, whatever becomes of the run."""

from __future__ import annotations

import json
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest
from tests.emulator import Behaviour
from tests.support.scene import FILES, site
from tests.support.worker import PROGRESS, Finished, Worker

TARGET = {"action": "deploy", "cluster_id": "BCS-K8S-40000", "namespace": "prod"}


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    with site(tmp_path) as made:
        made.emulator.state.add_cluster(namespaces=("prod",), speed=400.0)
        yield made


def told(finished: Finished) -> list[str]:
    return [line[len(PROGRESS) :] for line in finished.progress]


def in_detail(worker: Worker) -> Worker:
    regions = {name: {**region, "progress_detail": True} for name, region in worker.regions.items()}
    return replace(worker, regions=regions)


def test_a_deployment_is_told_as_rising_numbers_that_end_with_the_whole(worker: Worker) -> None:
    run = worker.run(**TARGET)
    assert run.status == 0, run.log
    numbers = [float(number) for number in told(run)]
    assert numbers == sorted(set(numbers))
    assert 0 < numbers[0] < 1
    assert numbers[-1] == 1


def test_a_platform_that_takes_more_is_told_phases_and_domains(worker: Worker) -> None:
    last = json.loads(told(in_detail(worker).run(**TARGET))[-1])
    assert last["progress"] == {"value": 1, "summary": "1/1"}
    assert last["subtasks"]["items"] == [{"name": "www.example.com", "progress": 1, "status": "succeeded"}]
    phases = [item["name"] for item in last["timeline"]["items"]]
    assert phases == ["settings", "render", "plan", "publish", "deploy and wait"]
    assert all(item["duration"] >= 0 for item in last["timeline"]["items"])


def test_a_publish_tells_its_domains(worker: Worker) -> None:
    last = json.loads(told(in_detail(worker).run(action="publish"))[-1])
    assert [item["name"] for item in last["subtasks"]["items"]] == ["www.example.com"]
    assert len(FILES) > 1


def test_a_rollout_that_fails_stays_short_of_the_whole(worker: Worker) -> None:
    worker.emulator.cluster().images["example.com/www:1"] = Behaviour("not-found")
    run = in_detail(worker).run(**TARGET)
    assert run.status == 1
    last = json.loads(told(run)[-1])
    assert last["progress"]["value"] < 1
    assert [item["status"] for item in last["subtasks"]["items"]] == ["failed"]


def test_a_run_without_a_region_tells_nothing_and_says_why(worker: Worker) -> None:
    run = worker.run(region="nowhere")
    assert (run.status, told(run)) == (1, [])
    assert run.told["errorCode"] == 800102
