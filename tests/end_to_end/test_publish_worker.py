"""The whole path as BK-CI walks it: the installed step in a process of its own, files in and files out."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.emulator import Emulator
from tests.emulator.faults import Fault
from tests.support.dialects import at_work
from tests.support.publishing import CREATE_VERSION, breaches
from tests.support.worker import Finished, Worker

SPACE = "front-ends"
FILES = tuple(f"www.example.com.{part}.yaml" for part in ("deployment", "routes", "service"))
DEPLOYMENT = FILES[0]


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    with Emulator(dialect=at_work()) as emulator:
        emulator.state.add_project("web", viewers={"lisi"})
        emulator.state.add_app("lisi_app", "lisi-app-secret", vouches_for={"lisi"})
        app = {"app_code": "lisi_app", "app_secret": "lisi-app-secret", "owner": "lisi"}
        regions = {"gz": {"gateway": emulator.url, **app}}
        inputs = {"region": "gz", "template_space": SPACE, "values": values()}
        yield Worker(tmp_path, emulator, regions, inputs=inputs)
        assert emulator.problems() == []
        assert breaches(emulator.exchanges) == []


def values(*, tag: str = "1704448623620-427", paths: str = "[/]") -> str:
    image = f"example.tencentcloudcr.com/web/www:{tag}"
    host = f"{{host: www.example.com, image: '{image}', load_balancers: [lb-g9buwd3i], paths: {paths}}}"
    return f"app: nginx\ndomains:\n  - {host}\n"


def versions(run: Finished) -> dict[str, dict[str, str]]:
    found: dict[str, dict[str, str]] = json.loads(run.value("versions"))
    return found


def states(worker: Worker) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for version in worker.emulator.state.find_versions(SPACE):
        found.setdefault(version.file, []).append(version.version)
    return found


def test_a_plan_writes_output_json_and_nothing_else(worker: Worker) -> None:
    run = worker.run(action="plan")
    assert (run.status, run.told["status"], run.stderr) == (0, "success", "")
    assert worker.emulator.writes() == []
    assert (run.value("result"), run.value("changed")) == ("planned", "true"), "publishing would write"
    assert sorted(versions(run)) == sorted(FILES)
    assert json.loads(run.value("routes")) == ["www.example.com/"]
    assert "www.example.com" in run.report(worker.workspace)
    assert "rendered" not in run.told["data"]
    (path,) = run.told["data"]["plan"]["value"]
    plan = json.loads(Path(path).read_text(encoding="utf-8"))
    assert (plan["digest"], plan["writes"]) == (run.value("plan_digest"), True)
    assert run.value("summary").startswith("**Plan for ")


def test_a_publish_leaves_versions_a_report_and_the_rendered_files(worker: Worker) -> None:
    run = worker.run()
    assert (run.status, run.value("result"), run.value("acting_user")) == (0, "published", "lisi")
    assert states(worker) == {name: ["1.0.7-main"] for name in FILES}
    assert {version.creator for version in worker.emulator.state.versions} == {"lisi"}
    held = {version.id: version.file for version in worker.emulator.state.versions}
    assert {held[entry["id"]]: entry["version"] for entry in versions(run).values()} == dict.fromkeys(
        FILES, "1.0.7-main"
    )
    rendered = run.told["data"]["rendered"]["value"]
    assert sorted(Path(path).name for path in rendered) == sorted(FILES)
    for path in rendered:
        assert Path(path).read_text(encoding="utf-8") == worker.emulator.state.current_content(
            SPACE, Path(path).name
        )


def test_the_approved_plan_is_published_and_a_retry_of_the_step_agrees(worker: Worker) -> None:
    digest = worker.run(action="plan", region="").value("plan_digest")  # there is one, so it is the same plan
    first = worker.run(expect_plan=digest)
    worker.execute_count = 2
    again = worker.run(expect_plan=digest)
    assert [first.value("result"), again.value("result")] == ["published", "unchanged"]
    ids = [{name: entry["id"] for name, entry in versions(run).items()} for run in (first, again)]
    assert ids[0] == ids[1]
    assert states(worker) == {name: ["1.0.7-main"] for name in FILES}


def test_a_refusal_says_which_part_of_the_approved_plan_is_another_one(worker: Worker) -> None:
    digest = worker.run(action="plan").value("plan_digest")
    refused = worker.run(expect_plan=digest, values=values(tag="2"), redeploy="true")
    assert (refused.status, refused.told["errorCode"]) == (1, 800403), refused.log
    for told in (refused.log, refused.told["message"]):
        assert f"Files, or the versions that they replace: {DEPLOYMENT}" in told
        assert "Inputs: redeploy, values" in told


def test_a_new_image_writes_the_deployment_alone(worker: Worker) -> None:
    worker.run()
    worker.build_number = 8
    run = worker.run(values=values(tag="1704448623999-428"))
    assert run.value("result") == "published"
    assert states(worker) == {
        FILES[0]: ["1.0.7-main", "1.0.8-main"],
        **{name: ["1.0.7-main"] for name in FILES[1:]},
    }
    assert "1704448623620-427" in run.log
    assert "1704448623999-428" in run.log
    entry = versions(run)[DEPLOYMENT]
    assert (entry["previous_version"], entry["version"]) == ("1.0.7-main", "1.0.8-main")


def test_a_file_that_fails_fails_the_step_and_the_retry_does_the_rest(worker: Worker) -> None:
    worker.run()
    worker.build_number = 8
    changed = values(tag="1704448623999-428", paths="[/, /api]")
    body = '{"code": 1, "message": "mongo is away", "data": null}'
    worker.emulator.faults.add(Fault("answer", CREATE_VERSION, status=200, body=body))
    failed = worker.run(values=changed)
    assert (failed.status, failed.told["status"]) == (1, "failure")
    assert (failed.told["errorCode"], failed.told["errorType"]) == (800608, 2)
    assert (failed.value("result"), failed.value("changed")) == ("failed", "true")
    assert "mongo is away" in failed.log
    assert "mongo is away" in failed.told["message"]
    assert "rendered" in failed.told["data"]
    worker.execute_count = 2
    retried = worker.run(values=changed)
    assert (retried.status, retried.value("result")) == (0, "published")
    assert states(worker) == {
        **{name: ["1.0.7-main", "1.0.8-main"] for name in FILES},
        FILES[2]: ["1.0.7-main"],
    }


def test_an_older_build_fails_skips_or_replaces_as_told(worker: Worker) -> None:
    worker.build_number = 9
    worker.run()
    worker.build_number = 8
    older = {"values": values(tag="1704448623001-100")}
    failed = worker.run(**older)
    assert (failed.status, failed.told["errorCode"]) == (1, 800402)
    skipped = worker.run(**older, on_newer_build="skip")
    assert (skipped.status, skipped.value("result")) == (0, "skipped")
    assert states(worker)[DEPLOYMENT] == ["1.0.9-main"]
    assert worker.run(**older, on_newer_build="replace").value("result") == "published"
    assert states(worker)[DEPLOYMENT] == ["1.0.9-main", "1.0.8-main"]


def test_a_host_that_would_be_dropped_fails_the_step_before_it_writes(worker: Worker) -> None:
    worker.run(values=values(paths="[/, /old]"))
    worker.emulator.forget()
    worker.build_number = 8
    run = worker.run()
    assert (run.status, run.told["errorCode"], worker.emulator.writes()) == (1, 800404, [])
    assert "www.example.com/old" in run.log
    assert worker.run(allow_route_removal="true").value("result") == "published"


def test_a_template_set_is_published_with_the_files(worker: Worker) -> None:
    run = worker.run(template_set="web", version="1.0.{{ build.number }}")
    assert (run.status, run.value("result"), run.value("version")) == (0, "published", "1.0.7")
    chart = worker.emulator.state.find_chart("web", "1.0.7")
    assert chart is not None
    assert {f"web/templates/{name}" for name in FILES} <= set(chart.contents)
    refused = worker.run(template_set="web", version="build-{{ build.number }}")
    assert (refused.status, refused.told["errorCode"]) == (1, 800308)


def test_a_lost_answer_is_looked_up_and_the_step_succeeds(worker: Worker) -> None:
    worker.run()
    worker.build_number = 8
    worker.emulator.faults.add(Fault("handle-then-drop", CREATE_VERSION))
    run = worker.run(values=values(tag="1704448623999-428"))
    assert (run.status, run.value("result")) == (0, "published")
    assert states(worker)[DEPLOYMENT] == ["1.0.7-main", "1.0.8-main"]


def test_a_pinned_file_is_pinned_to_the_new_version(worker: Worker) -> None:
    worker.run()
    worker.emulator.state.pin(SPACE, DEPLOYMENT, version="1.0.7-main")
    worker.build_number = 8
    assert worker.run(values=values(tag="1704448623999-428")).status == 0
    file = worker.emulator.state.find_file(SPACE, DEPLOYMENT)
    assert (file.version, file.version_mode) == ("1.0.8-main", 1)


def test_a_rival_is_told_in_the_log_and_in_the_report(worker: Worker) -> None:
    def hotfix(_: object) -> None:
        worker.emulator.state.add_version(SPACE, DEPLOYMENT, version="hotfix", content="kind: Pod\n")

    worker.run()
    worker.build_number = 8
    worker.emulator.faults.add(Fault("rival", CREATE_VERSION, rival=hotfix, when="after"))
    run = worker.run(values=values(tag="1704448623999-428"))
    assert run.value("result") == "published"
    assert "hotfix was made current right after" in run.log
    assert "hotfix was made current right after" in run.report(worker.workspace)


def test_the_log_is_in_the_platforms_language(worker: Worker) -> None:
    worker.variables["BK_CI_LOCALE_LANGUAGE"] = "zh_CN"
    run = worker.run()
    assert run.status == 0
    assert "已发布" in run.log
    assert "create" in run.log
