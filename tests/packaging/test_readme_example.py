"""The ten minutes of both READMEs happen: their form and values file give the log that they show."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.emulator import Behaviour, Emulator
from tests.packaging.building import run
from tests.packaging.documents import DOCUMENTS, Document
from tests.support.demo_site import people_of, regions_of
from tests.support.worker import STEP, Worker

NEW_IMAGE = ("www:1704448623620-427", "www:1704448999620-428")


@pytest.fixture(params=DOCUMENTS, ids=lambda document: document.language)
def document(request: pytest.FixtureRequest) -> Document:
    """Return one of the documents."""
    found = request.param
    assert isinstance(found, Document)
    return found


@pytest.fixture
def worker(document: Document, tmp_path: Path) -> Iterator[Worker]:
    """Return a build machine whose step has the document's form, beside an emulated site."""
    with Emulator() as emulator:
        people_of(emulator)
        yield Worker(
            tmp_path,
            emulator,
            regions={"gz": {**regions_of(emulator)["gz"], "authorizer": "platform"}},
            inputs={row[0]: row[1] for row in document.rows("form")},
            variables={"BK_CI_AUTHORIZER": "lisi", "BK_CI_LOCALE_LANGUAGE": document.language},
        )


def test_the_log_of_the_ten_minutes_is_what_the_runs_print(document: Document, worker: Worker) -> None:
    (values,) = document.fences("values file", kind="yaml")
    shown = document.fences("log", kind="text")
    printed = [
        _run(worker, values, 7, action="plan"),
        _run(worker, values, 7),
        _run(worker, values, 8),
        _run(worker, values.replace(*NEW_IMAGE), 9),
    ]
    assert len(shown) == len(printed)
    for excerpt, log in zip(shown, printed):
        assert [line for line in excerpt.splitlines() if line not in log] == []


def test_the_log_of_a_failed_deployment_is_what_the_run_prints(document: Document, worker: Worker) -> None:
    (values,) = document.fences("values file", kind="yaml")
    (shown,) = document.fences("deploying", kind="text")
    target = {"action": "deploy", "cluster_id": "BCS-K8S-40000", "namespace": "prod"}
    images = worker.emulator.state.add_cluster("BCS-K8S-40000", namespaces=("prod",)).images
    _run(worker, values, 7, 0, **target)
    images["example.tencentcloudcr.com/web/" + NEW_IMAGE[1]] = Behaviour("not-found")
    log = {_without_time(line) for line in _run(worker, values.replace(*NEW_IMAGE), 8, 1, **target)}
    assert [line for line in shown.splitlines() if _without_time(line) not in log] == []


def test_the_commands_for_a_desk_take_the_values_file(document: Document, tmp_path: Path) -> None:
    (values,) = document.fences("values file", kind="yaml")
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy" / "values.yaml").write_text(values, encoding="utf-8")
    (commands,) = document.fences("desk", kind="sh")
    lines = [line for line in commands.splitlines() if re.match(r"bcs-template-set (render|check) ", line)]
    assert len(lines) == 2
    for line in lines:
        run([str(STEP), *line.split()[1:]], cwd=tmp_path)


def _run(worker: Worker, values: str, build: int, status: int = 0, **inputs: str) -> set[str]:
    """Run the step on a values file and return the lines of its log as a document shows them."""
    file = worker.workspace / worker.inputs["values_files"]
    file.parent.mkdir(exist_ok=True)
    file.write_text(values, encoding="utf-8")
    worker.build_number = build
    finished = worker.run(**inputs)
    assert finished.status == status, finished.log + finished.stderr
    return {_as_shown(line) for line in finished.log.splitlines()}


def _as_shown(line: str) -> str:
    """Return a line without its marker, which BK-CI shows as a colour, and with ids left out."""
    line = re.sub(r"-[a-z0-9]{8,10}-[a-z0-9]{5}\b", "-…", re.sub(r"^##\[\w+\]", "", line))
    return re.sub(r"\b[0-9a-f]{24}\b", "…", line)


def _without_time(line: str) -> str:
    """Return a line without the seconds at its beginning, which differ from machine to machine."""
    return re.sub(r"^\d+ (s|秒)  ", "", line)
