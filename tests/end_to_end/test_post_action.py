"""After a job that failed the step puts back what it had deployed: if asked, and if it is still its own."""

from __future__ import annotations

import json
import re
import signal
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from tests.emulator import Behaviour, Dialect, Exchange, Fault, Match, State
from tests.emulator.cluster.tree import items, text
from tests.end_to_end.test_interruption import until
from tests.support.deploying import calls_in
from tests.support.dialects import at_work
from tests.support.publishing import config, copy_of
from tests.support.scene import FILES, VALUES, check_refused, site
from tests.support.warm_start import Started
from tests.support.worker import STEP, Finished, Worker, finish, launch, live

CLUSTER, NAMESPACE = "BCS-K8S-40000", "prod"
TARGET = {"action": "deploy", "cluster_id": CLUSTER, "namespace": NAMESPACE}
ASKED = {**TARGET, "restore_if_job_fails": "true"}
TASK = "e-0123456789"
"""The step's task id, as `Worker.identity` says it."""

DEPLOYMENT = "deployment.nginx.www.example.com"


@contextmanager
def machine(root: Path) -> Iterator[Worker]:
    with site(root) as made:
        made.emulator.state.add_cluster(namespaces=(NAMESPACE,), speed=400.0)
        made.here = True
        yield made


@pytest.fixture
def worker(tmp_path: Path) -> Iterator[Worker]:
    with machine(tmp_path) as made:
        yield made


def values(tag: str) -> str:
    return VALUES.replace("www:1", f"www:{tag}")


def deployed(worker: Worker, *, build: int, tag: str, **inputs: str) -> Finished:
    worker.build_number = build
    run = worker.run(**{**ASKED, "values": values(tag), **inputs})
    assert (run.status, run.value("result")) == (0, "deployed"), run.log
    return run


def two_deployed(worker: Worker) -> None:
    """Have builds 7 and 8 deployed, on a machine that has run nothing yet; they are deployed once."""
    state, exchanges, files = _after_two(at_work())
    for name, content in files.items():
        path = worker.workspace / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    worker.emulator.take(copy_of(state, {}))
    worker.emulator.exchanges += exchanges
    worker.build_number = 8


@cache
def _after_two(_: Dialect) -> tuple[State, list[Exchange], dict[Path, bytes]]:
    with TemporaryDirectory() as root, machine(Path(root)) as worker:
        deployed(worker, build=7, tag="1")
        deployed(worker, build=8, tag="2")
        left = {path for path in worker.workspace.rglob("*") if path.is_file()}
        files = {path.relative_to(worker.workspace): path.read_bytes() for path in left}
        return worker.emulator.state, [*worker.emulator.exchanges], files


def fail_job(worker: Worker, *, parent: str = TASK, **inputs: str) -> Finished:
    """Run the step's post action as BK-CI does at the end of a job that failed."""
    if worker.here:
        return live(*prepared(worker, parent=parent, **inputs), post_action="restore")
    return finish(*start_post_action(worker, parent=parent, **inputs))


def start_post_action(worker: Worker, *, parent: str = TASK, **inputs: str) -> tuple[Started, Path]:
    directory, environ = prepared(worker, parent=parent, **inputs)
    return launch(directory, environ, arguments=["--post_action=restore"]), directory


def prepared(worker: Worker, *, parent: str, **inputs: str) -> tuple[Path, dict[str, str]]:
    directory, environ = worker.prepare(**{**ASKED, "parentTaskId": parent, **inputs})
    identity = {**worker.identity(), "taskId": "e-post"}
    (directory / ".sdk.json").write_text(json.dumps(identity), encoding="utf-8")
    return directory, environ


def image_live(worker: Worker) -> str:
    found = worker.emulator.cluster().get("Deployment", NAMESPACE, DEPLOYMENT)
    return text(items(found, "spec", "template", "spec", "containers")[0], "image")


def deployments_sent(worker: Worker) -> int:
    return len(calls_in(worker.emulator.exchanges))


def state_files(worker: Worker) -> list[Path]:
    return sorted(worker.workspace.rglob("restore.json"))


def test_what_was_deployed_before_comes_back(worker: Worker) -> None:
    worker.here = False
    deployed(worker, build=7, tag="1")
    deployed(worker, build=8, tag="2")
    assert image_live(worker) == "example.com/www:2"
    worker.emulator.forget()
    post = fail_job(worker)
    assert not [e.path for e in worker.emulator.exchanges if e.path.endswith("/versions")], "no past is read"
    assert (post.status, post.told["status"], post.stderr) == (0, "success", ""), post.log
    assert (post.value("result"), post.value("acting_user")) == ("restored", "lisi")
    assert image_live(worker) == "example.com/www:1"
    back = f"Restored to version 1.0.7-main, which was deployed before: {FILES[0]}."
    assert re.fullmatch(re.escape(back) + r" 1 workload is ready, .*", post.told["message"])
    assert post.log.count(back) == 1
    assert "1 of 1 pod is updated and ready" in post.log


def test_what_a_comment_declares_is_waited_for_as_in_the_step_itself(worker: Worker) -> None:
    comment = "# bcs-template-set: ready data.phase=Ready\n"
    own = {"templates": "own/*.yaml", "values": ""}
    (worker.workspace / "own").mkdir()
    for build in (7, 8):
        text = config("settings", str(build)) + "  phase: Ready\n"
        (worker.workspace / "own" / "settings.yaml").write_text(comment + text, encoding="utf-8")
        deployed(worker, build=build, tag="", **own)
    post = fail_job(worker, **own)
    assert (post.status, post.value("result")) == (0, "restored"), post.log
    assert "ConfigMap/settings: It is ready: data.phase=Ready." in post.log
    assert "1 workload is ready" in post.told["message"]


def test_it_happens_once(worker: Worker) -> None:
    two_deployed(worker)
    fail_job(worker)
    sent = deployments_sent(worker)
    again = fail_job(worker)
    assert (again.status, again.told["data"], deployments_sent(worker)) == (0, {}, sent)


def test_without_the_input_nothing_is_asked_of_anybody(worker: Worker) -> None:
    deployed(worker, build=7, tag="1", restore_if_job_fails="")
    deployed(worker, build=8, tag="2", restore_if_job_fails="")
    worker.emulator.forget()
    post = fail_job(worker, restore_if_job_fails="")
    assert (post.status, post.told["status"], post.told["data"]) == (0, "success", {})
    assert "restore_if_job_fails" in post.told["message"]
    assert worker.emulator.exchanges == []
    assert image_live(worker) == "example.com/www:2"


def test_a_step_that_published_only_leaves_nothing_to_restore(worker: Worker) -> None:
    assert worker.run(**{**ASKED, "action": "publish"}).status == 0
    for post in (fail_job(worker), fail_job(worker, action="publish")):
        assert (post.status, post.told["data"]) == (0, {})
        assert "deployed nothing" in post.told["message"]


def test_a_step_that_never_ran_and_would_only_publish_leaves_nothing_and_nobody_is_asked(
    worker: Worker,
) -> None:
    post = fail_job(worker, action="publish")
    assert (post.status, post.told["data"]) == (0, {})
    assert "deployed nothing" in post.told["message"]
    assert worker.emulator.to_gateway() == []


def test_a_first_deployment_is_left_and_said(worker: Worker) -> None:
    deployed(worker, build=7, tag="1")
    post = fail_job(worker)
    assert (post.status, post.value("result")) == (0, "skipped"), post.log
    assert "had not been deployed before" in post.told["message"]
    assert image_live(worker) == "example.com/www:1"


def test_what_somebody_else_has_deployed_since_is_left_and_named(worker: Worker) -> None:
    two_deployed(worker)
    deployed(worker, build=9, tag="3")
    worker.build_number = 8
    post = fail_job(worker)
    assert (post.status, post.value("result")) == (0, "skipped"), post.log
    assert "another version was deployed" in post.told["message"]
    assert f"{FILES[0]} (version 1.0.9-main, which lisi deployed)" in post.told["message"]
    assert image_live(worker) == "example.com/www:3"


def test_a_retried_step_goes_back_to_what_was_there_before_its_first_try(worker: Worker) -> None:
    two_deployed(worker)
    worker.execute_count = 2
    deployed(worker, build=8, tag="2")
    assert fail_job(worker).value("result") == "restored"
    assert image_live(worker) == "example.com/www:1"


def test_a_step_that_failed_by_itself_keeps_its_evidence(worker: Worker) -> None:
    deployed(worker, build=7, tag="1")
    worker.build_number = 8
    worker.emulator.cluster().images["example.com/www:2"] = Behaviour("not-found")
    failed = worker.run(**ASKED, values=values("2"))
    assert (failed.status, failed.told["errorCode"]) == (1, 800506), failed.log
    post = fail_job(worker)
    assert (post.status, post.told["data"]) == (0, {})
    assert image_live(worker) == "example.com/www:2"


def test_who_may_not_deploy_is_told_so_and_nothing_changes(worker: Worker) -> None:
    two_deployed(worker)
    sent = deployments_sent(worker)
    worker.variables["BK_CI_PIPELINE_UPDATE_USER"] = "zhaoliu"
    post = fail_job(worker)
    assert post.status == 1
    assert (post.told["status"], post.told["errorCode"]) == ("failure", 800202)
    assert (deployments_sent(worker), image_live(worker)) == (sent, "example.com/www:2")


def test_a_restore_that_does_not_become_ready_fails_and_says_where_it_stands(worker: Worker) -> None:
    two_deployed(worker)
    worker.emulator.cluster().images["example.com/www:1"] = Behaviour("not-found")
    post = fail_job(worker)
    assert (post.status, post.told["errorCode"], post.told["errorType"]) == (1, 800510, 2), post.log
    assert DEPLOYMENT in post.log


def test_a_restore_that_nobody_waits_for_is_not_called_one(worker: Worker) -> None:
    deployed(worker, build=7, tag="1", timeout="0")
    deployed(worker, build=8, tag="2", timeout="0")
    post = fail_job(worker, timeout="0")
    check_refused(post, 800510, "timeout is 0", "is deployed again and was not seen ready")
    assert image_live(worker) == "example.com/www:1"


def test_inputs_that_name_another_place_restore_nothing(worker: Worker) -> None:
    two_deployed(worker)
    sent = deployments_sent(worker)
    post = fail_job(worker, namespace="other")
    assert (post.status, post.told["errorCode"]) == (1, 800102)
    assert "prod" in post.log
    assert deployments_sent(worker) == sent


def state_of_build(worker: Worker, build: int) -> Path:
    (path,) = [path for path in state_files(worker) if f"b-{build:032x}" in str(path)]
    return path


def check_nothing_went_back(worker: Worker, post: Finished, *words: str, code: int = 800511) -> None:
    """Assert that the post action failed by that code and word, and that the second build is still live."""
    check_refused(post, code, *words)
    assert (image_live(worker), deployments_sent(worker)) == ("example.com/www:2", 2)


def test_a_state_that_can_not_be_read_is_a_failure_that_says_so(worker: Worker) -> None:
    two_deployed(worker)
    state_of_build(worker, 8).write_text("{", encoding="utf-8")
    check_nothing_went_back(worker, fail_job(worker), "can't be read")


def test_a_version_that_later_code_writes_into_the_state_is_not_deployed(worker: Worker) -> None:
    deployed(worker, build=6, tag="0")
    two_deployed(worker)
    path = state_of_build(worker, 8)
    path.write_text(path.read_text(encoding="utf-8").replace("1.0.7-main", "1.0.6-main"), encoding="utf-8")
    post = fail_job(worker)
    check_refused(post, 800511, "its seal does not fit")
    assert (image_live(worker), deployments_sent(worker)) == ("example.com/www:2", 3)


def test_the_state_of_another_build_is_not_this_ones(worker: Worker) -> None:
    two_deployed(worker)
    state_of_build(worker, 8).write_bytes(state_of_build(worker, 7).read_bytes())
    check_nothing_went_back(worker, fail_job(worker), "its seal does not fit")


def test_a_state_that_was_deleted_is_a_failure_where_this_build_is_live(worker: Worker) -> None:
    two_deployed(worker)
    state_of_build(worker, 8).unlink()
    check_nothing_went_back(worker, fail_job(worker), "is not there", FILES[0])


def test_a_deleted_state_is_a_failure_also_where_a_newer_build_has_published_since(worker: Worker) -> None:
    two_deployed(worker)
    worker.build_number = 9
    published = worker.run(**{**ASKED, "action": "publish", "values": values("3")})
    assert published.value("result") == "published", published.log
    worker.emulator.state.add_file("front-ends", "draft.yaml", content="", draft="kind: ConfigMap")
    worker.build_number = 8
    state_of_build(worker, 8).unlink()
    check_nothing_went_back(worker, fail_job(worker), "is not there", FILES[0])
    worker.emulator.state.delete_version("front-ends", FILES[0], version="1.0.8-main")
    forgotten = fail_job(worker)
    assert (forgotten.status, forgotten.told["data"]) == (0, {}), "BCS knows of no version of this build"


def test_a_deleted_state_is_a_failure_where_nobody_can_look_at_what_is_live(worker: Worker) -> None:
    two_deployed(worker)
    state_of_build(worker, 8).unlink()
    body = '{"code": 0, "message": "OK", "data": {"items": [], "error": "mongo is away"}}'
    worker.emulator.faults.add(Fault("answer", Match("POST", "/template/preview$"), status=200, body=body))
    check_nothing_went_back(worker, fail_job(worker), "is not there", FILES[0])


def test_a_state_that_was_deleted_matters_to_nobody_where_this_build_has_deployed_nothing(
    worker: Worker,
) -> None:
    """Build 8 publishes a routes file without an object, which is never deployed."""
    deployed(worker, build=7, tag="1")
    without = values("1").replace(", load_balancers: [lb-g9buwd3i]", "")
    deployed(worker, build=8, tag="1", values=without, allow_route_removal="true")
    assert len(worker.emulator.state.find_versions("front-ends", FILES[1])) == 2
    state_of_build(worker, 8).unlink()
    post = fail_job(worker)
    assert (post.status, post.told["data"]) == (0, {}), post.log


def test_without_state_and_without_a_folder_there_is_nothing_to_restore(worker: Worker) -> None:
    post = fail_job(worker)
    assert (post.status, post.told["data"]) == (0, {}), post.log


def test_a_state_that_is_gone_between_two_tries_is_a_failure_where_the_first_has_deployed(
    worker: Worker,
) -> None:
    two_deployed(worker)
    state_of_build(worker, 8).unlink()
    worker.execute_count = 2
    deployed(worker, build=8, tag="2")
    check_nothing_went_back(worker, fail_job(worker), "an earlier try", FILES[0])


def test_a_try_after_one_that_timed_out_goes_back_to_what_was_before_both(worker: Worker) -> None:
    deployed(worker, build=7, tag="1")
    worker.build_number = 8
    worker.emulator.cluster().images["example.com/www:2"] = Behaviour("ready", after=600)
    timed_out = worker.run(**{**ASKED, "values": values("2"), "timeout": "1"})
    assert timed_out.value("result") == "timed-out", timed_out.log
    worker.execute_count = 2
    deployed(worker, build=8, tag="2")
    assert fail_job(worker).value("result") == "restored"
    assert image_live(worker) == "example.com/www:1"


def timed_out(worker: Worker, **inputs: str) -> Finished:
    """Deploy build 8, whose pods never become ready, over build 7, and wait for a second."""
    deployed(worker, build=7, tag="1", **inputs)
    worker.build_number = 8
    worker.emulator.cluster().images["example.com/www:2"] = Behaviour("never-ready")
    run = worker.run(**{**ASKED, "values": values("2"), "timeout": "1", **inputs})
    assert run.value("result") == "timed-out", run.log
    worker.execute_count = 2
    return run


def test_a_second_try_goes_back_itself_to_what_was_before_the_first(worker: Worker) -> None:
    timed_out(worker, restore_if_job_fails="")
    second = worker.run(**{**TARGET, "values": values("2"), "timeout": "3", "on_failure": "restore"})
    assert second.value("result") == "restored", second.log
    assert image_live(worker) == "example.com/www:1"
    assert "Restored to version 1.0.7-main, which was deployed before: www.example.com." in second.log


def test_a_second_try_says_how_to_go_back_by_hand(worker: Worker) -> None:
    timed_out(worker, restore_if_job_fails="")
    second = worker.run(**{**TARGET, "values": values("2"), "timeout": "1"})
    assert "Before, version 1.0.7-main was live and ready: www.example.com." in second.log


def test_a_second_try_that_finds_no_word_of_the_first_claims_to_know_nothing(worker: Worker) -> None:
    timed_out(worker)
    state_of_build(worker, 8).unlink()
    second = worker.run(**{**TARGET, "values": values("2"), "timeout": "1", "on_failure": "restore"})
    assert second.value("result") == "timed-out", second.log
    assert "its note of what was there before is gone: www.example.com." in second.log
    assert "the step no longer knows what was live before: www.example.com." in second.log
    assert "Not deployed here before" not in second.log


def test_what_a_step_deployed_that_was_killed_in_its_wait_goes_back(worker: Worker) -> None:
    deployed(worker, build=7, tag="1")
    worker.build_number = 8
    worker.emulator.cluster().images["example.com/www:2"] = Behaviour("never-ready")
    directory, environ = worker.prepare(**ASKED, values=values("2"))
    process = launch(directory, environ)
    until(lambda: image_live(worker) == "example.com/www:2")
    process.kill()
    assert finish(process, directory).status == -signal.SIGKILL
    post = fail_job(worker)
    assert (post.status, post.value("result")) == (0, "restored"), post.log
    assert image_live(worker) == "example.com/www:1"


def test_a_post_action_that_does_not_know_its_step_looks_at_the_cluster(worker: Worker) -> None:
    deployed(worker, build=7, tag="1")
    worker.build_number = 8
    nothing = fail_job(worker, parent="")
    assert (nothing.status, nothing.told["data"]) == (0, {}), nothing.log
    assert "parentTaskId" in nothing.log
    deployed(worker, build=8, tag="2")
    check_nothing_went_back(worker, fail_job(worker, parent=""), FILES[0])


def test_what_one_user_deployed_another_does_not_take_back(worker: Worker) -> None:
    region = dict(worker.regions["gz"])
    region.pop("owner")
    worker.regions = {"gz": region}
    two_deployed(worker)
    worker.variables["BK_CI_PIPELINE_UPDATE_USER"] = "wangwu"
    before = len(worker.emulator.to_gateway())
    check_nothing_went_back(worker, fail_job(worker), "lisi", "wangwu", code=800219)
    assert len(worker.emulator.to_gateway()) == before, "nothing was asked of the gateway"


def test_a_version_before_that_is_gone_is_a_failure_that_names_its_file(worker: Worker) -> None:
    two_deployed(worker)
    worker.emulator.state.delete_version("front-ends", FILES[0], version="1.0.7-main")
    check_nothing_went_back(worker, fail_job(worker), f"no longer in BCS: {FILES[0]}", code=800510)
    assert state_files(worker), "it can be run again"


def test_what_only_the_failed_build_has_is_named(worker: Worker) -> None:
    deployed(worker, build=7, tag="1")
    both = values("2").replace(
        "domains:", "domains:\n  - {host: new.example.com, image: 'example.com/new:1'}"
    )
    deployed(worker, build=8, tag="2", values=both)
    post = fail_job(worker)
    assert post.value("result") == "restored", post.log
    for told in (post.log, post.told["message"]):
        assert "Left in the cluster" in told
        assert "Deployment/deployment.nginx.new.example.com" in told
        assert f"Deployment/{DEPLOYMENT}" not in told.partition("Left in the cluster")[2]


def test_the_state_in_the_workspace_holds_no_secret(worker: Worker) -> None:
    two_deployed(worker)
    state = json.loads(state_files(worker)[-1].read_text(encoding="utf-8"))
    assert "secret" not in json.dumps(state)
    assert {file["name"]: (file["version"], file["before"]) for file in state["state"]["files"]} == {
        FILES[0]: ("1.0.8-main", "1.0.7-main")
    }


def test_another_post_action_is_refused(tmp_path: Path) -> None:
    done = subprocess.run(
        [str(STEP), "--post_action=destroy"], cwd=tmp_path, check=False, capture_output=True, text=True
    )
    assert done.returncode == 1
    assert "destroy" in done.stderr


def test_the_help_does_not_show_it(tmp_path: Path) -> None:
    done = subprocess.run([str(STEP), "--help"], cwd=tmp_path, check=True, capture_output=True, text=True)
    assert "post_action" not in done.stdout


def test_a_restore_that_is_stopped_sends_nothing_more_and_can_be_run_again(worker: Worker) -> None:
    two_deployed(worker)
    slow = worker.emulator.faults.add(Fault("slow", Match("GET", "/projects/web$"), delay=30))
    process, directory = start_post_action(worker)
    until(lambda: slow.struck)
    process.send_signal(signal.SIGTERM)
    check_refused(finish(process, directory), 800107, "SIGTERM")
    assert (image_live(worker), deployments_sent(worker)) == ("example.com/www:2", 2)
    assert fail_job(worker).value("result") == "restored"


def test_what_comes_back_and_what_is_left_are_both_said(worker: Worker) -> None:
    deployed(worker, build=7, tag="1")
    both = values("2").replace(
        "domains:", "domains:\n  - {host: new.example.com, image: 'example.com/new:1'}"
    )
    deployed(worker, build=8, tag="2", values=both)
    post = fail_job(worker)
    assert post.value("result") == "restored"
    assert image_live(worker) == "example.com/www:1"
    assert "new.example.com.deployment.yaml" in post.told["message"]


def test_an_older_word_of_a_step_that_was_retried_is_not_taken_for_the_last(worker: Worker) -> None:
    """Later code may put back what an earlier try, or its post action, has left: that is sealed, too."""
    two_deployed(worker)
    fail_job(worker)
    (file,) = [path for path in state_files(worker) if "0008" in str(path)]
    done = file.read_text(encoding="utf-8")
    worker.execute_count = 2
    deployed(worker, build=8, tag="2")
    assert image_live(worker) == "example.com/www:2"
    last = file.read_text(encoding="utf-8")
    file.write_text(done, encoding="utf-8")
    check_refused(fail_job(worker), 800511)
    assert image_live(worker) == "example.com/www:2"
    file.write_text(last, encoding="utf-8")
    assert fail_job(worker).value("result") == "restored"


def test_a_job_that_is_retried_without_its_step_has_nothing_left_to_restore(worker: Worker) -> None:
    two_deployed(worker)
    assert fail_job(worker).value("result") == "restored"
    worker.execute_count = 2
    again = fail_job(worker)
    assert (again.status, image_live(worker)) == (0, "example.com/www:1")


SECRET = """\
kind: Secret
apiVersion: v1
metadata: {name: passwords}
stringData:
  word: 'x-{{ bcs("PASSWORD") }}-{{ BUILD }}'
"""


@pytest.mark.parametrize("said", ["preview", "deploy"])
def test_what_a_variable_puts_into_a_secret_is_not_quoted(worker: Worker, said: str) -> None:
    """API servers quote what they can't read; the post action renders nothing, and knows no template."""
    given = {"templates": "builtin:web\nsecret.yaml.j2", "variables": "PASSWORD: canary-password"}
    for build, tag in ((7, "1"), (8, "2")):
        (worker.workspace / "secret.yaml.j2").write_text(
            SECRET.replace("{{ BUILD }}", str(build)), encoding="utf-8"
        )
        deployed(worker, build=build, tag=tag, **given)
    words = json.dumps({"code": 1, "message": "yaml: line 5: can't read x-canary-password-8"})
    worker.emulator.faults.add(
        Fault("answer", Match("POST", f"/template/{said}$"), times=9, status=200, body=words)
    )
    post = fail_job(worker, **given)
    worker.emulator.faults.clear()
    assert post.status == 1, post.log
    assert "can't read ***" in post.log
    assert "canary-password" not in post.log + json.dumps(post.told)
