"""The main job, happening: the documented failure, then the same pipeline through our step, up to a rollout.

Everything runs here: an emulator of BK-CI, the BlueKing gateway, BCS and a cluster listens on a free port of
127.0.0.1, and the step is started as BK-CI's worker starts it. Nothing else is contacted.
"""

from __future__ import annotations

import http.client
import json
import shutil
import sys
from pathlib import Path
from textwrap import indent
from urllib.parse import urlsplit

from tests.emulator import Behaviour, Emulator
from tests.emulator.cluster.tree import items, number, text
from tests.support.demo_site import (
    CLUSTER,
    GOOD,
    MISSING,
    MISSING_TOO,
    NAMESPACE,
    VALUES,
    inputs,
    people_of,
    regions_of,
    report_of,
)
from tests.support.worker import Finished, Worker

PLACE = Path("demo-workspace")
DEPLOYMENT = "deployment.nginx.www.example.com"
WANTED = ["planned", "published", "unchanged", "deployed", "failed", "deployed", "restored"]


def main() -> int:
    """Show the runs; return 0 if all went as they should."""
    shutil.rmtree(PLACE, ignore_errors=True)
    PLACE.mkdir()
    with Emulator() as emulator:
        people_of(emulator)
        worker = Worker(PLACE.absolute(), emulator, regions=regions_of(emulator), inputs=inputs(), cold=True)
        title("The site", "lisi changed the pipeline last and may view the project web; lisi_app is hers.",
              "wangwu starts the build, and has no permission in the project.")  # fmt: skip
        refused = old_way(emulator)
        planned = show(worker, "b. The same pipeline through our step, action: plan", action="plan")
        published = show(worker, "c. action: publish", expect_plan=planned.value("plan_digest"))
        creators(emulator)
        worker.build_number = 8
        again = show(worker, "d. The next build brings the same: unchanged, nothing is written")
        deployed, failed, repaired, restored = deployments(worker)
    runs = [planned, published, again, deployed, failed, repaired, restored]
    results = [run.value("result") for run in runs]
    told = ", ".join(result for run, result in zip(runs, results) if run is not repaired)
    title("Done", f"a was refused by BCS; the results of b to g: {told}.")
    for letter, run in (("c", published), ("e", deployed), ("f", failed), ("g", restored)):
        print(f"  The report of {letter}: {report_of(run, worker)}")
    return 0 if refused and results == WANTED else 1


def old_way(emulator: Emulator) -> bool:
    """Make the old plugin's request, app of the modifier, name of the starter; tell if it was refused."""
    title("a. The old way: one request, two users")
    sent = {"bk_app_code": "lisi_app", "bk_app_secret": "***", "bk_username": "wangwu"}
    path = "/v4/bcsproject/v1/projects/web"
    print(f"  GET {path}\n  X-Bkapi-Authorization: {json.dumps(sent)}\n")
    answer = request(emulator, path, {**sent, "bk_app_secret": "lisi-app-secret"})
    print(indent(json.dumps(answer, indent=2, ensure_ascii=False), "  | "))
    print("\n  BCS refuses: the app is lisi's, the name is wangwu's, and nothing says so.")
    return answer.get("code") != 0


def request(emulator: Emulator, path: str, authorization: dict[str, str]) -> dict[str, object]:
    """Send one plain GET through the emulated gateway and return its JSON."""
    parts = urlsplit(emulator.url)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    try:
        headers = {"X-Bkapi-Authorization": json.dumps(authorization)}
        connection.request("GET", parts.path + path, headers=headers)
        answer: dict[str, object] = json.loads(connection.getresponse().read())
        return answer
    finally:
        connection.close()


def show(worker: Worker, heading: str, **changed: str) -> Finished:
    """Run the step, print its log as BK-CI shows it, and return how it ended."""
    title(heading)
    before = len(worker.emulator.writes())
    finished = worker.run(**changed)
    print(indent(folded(finished.log), "  "), end="")
    if finished.stderr:
        print(indent(finished.stderr, "  stderr: "), end="")
    print(f"\n  exit status {finished.status}; writes at BCS: {len(worker.emulator.writes()) - before}")
    return finished


def folded(log: str) -> str:
    """Return a log with its groups folded, as BK-CI shows them at first; only the rollout's is unfolded."""
    lines: list[str] = []
    hidden = -1
    for line in log.splitlines():
        if line.startswith("##[group]"):
            hidden = -1 if line.startswith("##[group]roll out") else 0
            lines.append(line)
        elif line.startswith("##[endgroup]"):
            lines.append(f"  ({hidden} lines, folded)" if hidden >= 0 else line)
            hidden = -1
        elif hidden < 0:
            lines.append(line)
        else:
            hidden += 1
    return "".join(f"{line}\n" for line in lines)


def deployments(worker: Worker) -> tuple[Finished, Finished, Finished, Finished]:
    """Deploy: what works, an image that does not exist, the good one again, and one more with restore."""
    images = worker.emulator.state.add_cluster(CLUSTER, namespaces=(NAMESPACE,)).images
    images.update({MISSING: Behaviour("not-found"), MISSING_TOO: Behaviour("not-found")})
    worker.inputs.update(action="deploy", cluster_id=CLUSTER, namespace=NAMESPACE)
    worker.build_number = 9
    deployed = show(worker, "e. action: deploy. It waits until the pods are ready")
    live(worker.emulator)
    worker.build_number = 10
    failed = show(
        worker,
        "f. An image that nobody pushed: it fails at once, not after 600 s",
        values=VALUES.replace(GOOD, MISSING),
    )
    live(worker.emulator)
    worker.build_number = 11
    repaired = worker.run()
    print(f"\n  Build 11 has the good image again: {repaired.value('result')}.")
    live(worker.emulator)
    worker.build_number = 12
    restored = show(
        worker,
        "g. Another image that nobody pushed, with on_failure: restore",
        values=VALUES.replace(GOOD, MISSING_TOO),
        on_failure="restore",
    )
    live(worker.emulator)
    return deployed, failed, repaired, restored


def live(emulator: Emulator) -> None:
    """Print what the cluster runs for www.example.com."""
    found = emulator.cluster(CLUSTER).get("Deployment", NAMESPACE, DEPLOYMENT)
    (container,) = items(found, "spec", "template", "spec", "containers")
    version = text(found, "metadata", "annotations", "io.tencent.paas.template_version")
    serving = number(found, "status", "availableReplicas")
    print(f"\n  In the cluster: {DEPLOYMENT}")
    print(f"    version {version}, image {text(container, 'image')}; pods that serve: {serving}")


def creators(emulator: Emulator) -> None:
    """Print who BCS recorded as the creator of each version."""
    print("\n  What BCS recorded:")
    for version in emulator.state.find_versions("front-ends"):
        print(f"    {version.file}  {version.version}  creator: {version.creator}")


def title(heading: str, *lines: str) -> None:
    """Print a heading that stands out."""
    print(f"\n{'=' * 100}\n{heading}\n{'=' * 100}")
    for line in lines:
        print(f"  {line}")
    print()


if __name__ == "__main__":
    sys.exit(main())
