"""Runs that deployed, as the report tests look at them: one that went well, four that did not need to."""

from __future__ import annotations

from dataclasses import dataclass, replace
from typing import Callable

from tests.support import scenes

from bcs_template_set.manifests import kinds
from bcs_template_set.manifests.kind_rules import WorkloadState
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import NotArrived, RolloutFailed
from bcs_template_set.messages.server_errors import (
    GatewayFailed,
    RolloutTimedOut,
    RolloutUnseen,
    WorkloadsGone,
)
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.publish.plan import Change
from bcs_template_set.report.outcome import Outcome, Phase
from bcs_template_set.report.workload_rows import workload_row
from bcs_template_set.rollout.causes import cause_of, cause_of_vanishing
from bcs_template_set.rollout.deployment_plan import DeploymentPlan
from bcs_template_set.rollout.live_state import FileVersion
from bcs_template_set.rollout.page_checks import Arrival
from bcs_template_set.rollout.pods import PodProblem
from bcs_template_set.rollout.result import Before, Restoration, Rollout
from bcs_template_set.rollout.watched import Blind, RolloutStatus, Watched, Workload

CLUSTER, NAMESPACE = "BCS-K8S-40000", "prod"
BEFORE = "1.0.427-feature-login"

DEPLOYMENT = """\
apiVersion: apps/v1
kind: Deployment
metadata: {{name: deployment.nginx.{host}}}
spec:
  selector: {{matchLabels: {{k8s-app: deployment.nginx.{host}}}}}
  template:
    metadata: {{labels: {{k8s-app: deployment.nginx.{host}}}}}
    spec: {{containers: [{{name: nginx, image: "{image}"}}]}}
"""
SERVICE = """\
apiVersion: v1
kind: Service
metadata: {{name: service-{host}}}
spec: {{selector: {{k8s-app: deployment.nginx.{host}}}, ports: [{{port: 80}}]}}
"""
INGRESS = """\
---
apiVersion: networking.k8s.io/v1
kind: Ingress
metadata: {{name: ingress-{host}-{number}, annotations: {{kubernetes.io/ingress.existLbId: lb-{number}}}}}
spec: {{rules: []}}
"""


def with_content(changes: tuple[Change, Change], *, balancers: int = 1) -> tuple[Change, Change]:
    """The two files of a domain with the documents they hold; one Ingress for each load balancer."""
    deployment, routes = changes
    host = deployment.domain
    ingresses = "".join(INGRESS.format(host=host, number=n) for n in range(balancers))
    every_way = tuple(
        route._replace(ingress=f"ingress-{host}-{n}") for route in routes.routes for n in range(balancers)
    )
    return (
        replace(deployment, content=DEPLOYMENT.format(host=host, image=scenes.NEW)),
        replace(routes, content=SERVICE.format(host=host) + ingresses, routes=every_way),
    )


PLAN = scenes.plan_of(
    *with_content(scenes.created("a.example.com")),
    *with_content(scenes.updated("b.example.com"), balancers=2),
    *with_content(scenes.unchanged("c.example.com")),
)
DIFFERENCES = (("Deployment/deployment.nginx.b.example.com", scenes.DEPLOYMENT_DIFF),)


def file_version(name: str, *, version: str = scenes.VERSION) -> FileVersion:
    """A file at the version to be live."""
    return FileVersion(name, "71" * 12, version)


DEPLOYED = tuple(file_version(change.name) for change in PLAN.changes if change.writes)
LIVE = tuple(
    file_version(change.name, version="1.0.390-feature-login") for change in PLAN.changes if not change.writes
)


def watched(
    host: str,
    end: WorkloadState,
    *,
    problem: PodProblem | None = None,
    seconds: float = 12.3,
    key: str = "rollout.not_available",
) -> Watched:
    """A Deployment of one pod, and how waiting for it ended."""
    states: dict[WorkloadState, WorkloadState] = {
        "ready": "ready",
        "pending": "progressing",
        "failed": "progressing",
        "paused": "paused",
        "gone": "progressing",
        "unseen": "progressing",
        "nothing": "nothing",
    }
    key = "rollout.ready" if end == "ready" else key
    done = int(end == "ready")
    return Watched(
        Workload(
            kinds.DEPLOYMENT,
            f"deployment.nginx.{host}",
            f"web/{host}.deployment.yaml",
            scenes.VERSION,
        ),
        end=end,
        status=RolloutStatus(
            states[end], say(key, well=0, updated=1, wanted=1), done, 1, serving=1, old=1 - done
        ),
        problem=problem,
        cause=cause_of(problem) if problem is not None else None,
        seconds=seconds,
    )


NOT_FOUND = PodProblem(
    pod="deployment.nginx.b.example.com-6d5f-x7k2p",
    reason="ErrImagePull",
    message=f'rpc error: code = NotFound desc = failed to pull and unpack image "{scenes.NEW}": not found',
    container="nginx",
    image=scenes.NEW,
)
NOT_READY = PodProblem(
    pod="deployment.nginx.b.example.com-6d5f-x7k2p",
    reason="NotReady",
    container="nginx",
    image=scenes.NEW,
    is_running=True,
    probe="GET :80/healthz",
)
PHASES = (
    *scenes.PHASES,
    Phase("deploy", scenes.FINISHED - 0.1, 15.2),
)
ROLLOUT = Rollout(
    cluster_id=CLUSTER,
    namespace=NAMESPACE,
    deployed=DEPLOYED,
    live_already=LIVE,
    before=tuple(Before(file.name, BEFORE, ready=True) for file in DEPLOYED if file.name.startswith("b.")),
    differences=DIFFERENCES,
)


@dataclass(frozen=True)
class Scene:
    """A run that deployed, and what its waiting said in between."""

    outcome: Outcome
    changes: tuple[Watched, ...] = ()


def outcome_of(rollout: Rollout) -> Outcome:
    """A run that deployed."""
    return replace(
        scenes.outcome_of(PLAN),
        requests=(*scenes.REQUESTS[:-1], scenes.DEPLOYMENT, *scenes.REQUESTS[-1:]),
        result="deployed",
        heading=replace(scenes.HEADING, action="deploy"),
        phases=PHASES,
        rollout=rollout,
    )


def deployed() -> Scene:
    """All goes well, and the pages are there."""
    early = watched("b.example.com", "pending", seconds=0.2, key="rollout.observing")
    moving = watched("b.example.com", "pending", seconds=1.2)
    ends = (watched("a.example.com", "ready", seconds=4.0), watched("b.example.com", "ready"))
    pages = (
        Arrival("https://a.example.com/", ok=True, status=200, seconds=0.3, tries=1),
        Arrival("https://b.example.com/new", ok=True, status=200, seconds=3.4, tries=3),
    )
    rollout = replace(ROLLOUT, watched=ends, arrivals=pages)
    return Scene(outcome_of(rollout), (early, moving, *ends))


def paused() -> Scene:
    """A canary waits for a person at one of its steps."""
    sentence = say(
        "rollout.canary_paused",
        step=2,
        steps=4,
        updated=1,
        replicas=3,
        how=say("rollout.continue_game"),
    )
    waits = watched("b.example.com", "paused", seconds=8.0)
    waits = replace(waits, status=RolloutStatus("paused", sentence, done=1, wanted=3))
    ends = (watched("a.example.com", "ready", seconds=4.0), waits)
    return Scene(replace(outcome_of(replace(ROLLOUT, watched=ends)), result="paused"), ends)


def image_not_found() -> Scene:
    """The image of one domain was never pushed, and on_failure is keep."""
    ends = (
        watched("a.example.com", "ready", seconds=4.0),
        watched("b.example.com", "failed", problem=NOT_FOUND, seconds=3.1),
    )
    rollout = replace(ROLLOUT, watched=ends)
    error = RolloutFailed(count=1, details=workload_row(ends[1]).explanation)
    return Scene(failed(rollout, error), ends)


def timed_out() -> Scene:
    """One workload is still on its way when the time is over."""
    ends = (
        watched("a.example.com", "ready", seconds=4.0),
        watched("b.example.com", "pending", problem=NOT_READY, seconds=600.0),
    )
    error = RolloutTimedOut(count=1, seconds=600, details=workload_row(ends[1]).explanation)
    outcome = replace(failed(replace(ROLLOUT, watched=ends), error), result="timed-out")
    return Scene(outcome, ends)


def unseen() -> Scene:
    """The gateway is down at the end: one workload was seen ready before, of the other nobody knows."""
    blind = Blind(
        scenes.FINISHED - 60, GatewayFailed(url="https://bkapi.example.com", status=504, message="")
    )
    ends = (
        watched("a.example.com", "ready", seconds=4.0),
        replace(watched("b.example.com", "unseen", seconds=600.0), blind=blind),
    )
    error = RolloutUnseen(count=1, details=workload_row(ends[1]).explanation)
    outcome = replace(failed(replace(ROLLOUT, watched=ends), error), result="unseen")
    return Scene(outcome, ends[:1])


def gone() -> Scene:
    """Somebody deletes a workload while it is waited for."""
    ends = (watched("a.example.com", "ready", seconds=4.0), watched("b.example.com", "gone", seconds=31.0))
    kind, title = ends[1].workload.kind, ends[1].workload.title
    cause = cause_of_vanishing(kind, title, live={}, seen_at=scenes.FINISHED - 60, patience=10.0)
    ends = (ends[0], replace(ends[1], cause=cause))
    error = WorkloadsGone(count=1, details=workload_row(ends[1]).explanation)
    return Scene(failed(replace(ROLLOUT, watched=ends), error), ends)


def restored() -> Scene:
    """The same missing image, but what was there before is back."""
    scene = image_not_found()
    rollout = scene.outcome.rollout
    assert rollout is not None
    way = Restoration(
        files=tuple(file_version(item.file, version=item.version) for item in ROLLOUT.before),
        left=tuple(file.name for file in DEPLOYED if file.name.startswith("a.")),
        watched=(watched("b.example.com", "ready", seconds=1.4),),
    )
    outcome = replace(scene.outcome, result="restored", rollout=replace(rollout, restoration=way))
    return Scene(outcome, scene.changes)


def nothing_to_deploy() -> Scene:
    """The same again: everything is live."""
    plan = scenes.plan_of(*with_content(scenes.unchanged("c.example.com")))
    rollout = Rollout(cluster_id=CLUSTER, namespace=NAMESPACE, live_already=LIVE)
    outcome = replace(
        outcome_of(rollout), changed=False, plan=plan, files=tuple(map(scenes.ended, plan.changes))
    )
    return Scene(outcome)


def page_missed() -> Scene:
    """The workloads are ready, but a page shows the old build."""
    ends = (watched("b.example.com", "ready"),)
    missed = Arrival(
        "https://b.example.com/new",
        ok=False,
        status=200,
        seconds=60.2,
        tries=14,
        problem=say("arrival.text_missing", text="build 428"),
        first_line="<!doctype html><title>build 427</title>",
    )
    rollout = replace(ROLLOUT, watched=ends, arrivals=(missed,))
    return Scene(failed(rollout, NotArrived(count=1, details=[missed.describe()])), ends)


def failed(rollout: Rollout, error: StepError) -> Outcome:
    """A run whose rollout failed."""
    error.with_context(cluster=rollout.cluster_id, namespace=rollout.namespace)
    return replace(outcome_of(rollout), result="failed", error=error)


def deployment_plan(rollout: Rollout) -> DeploymentPlan:
    """What the log shows before anything is deployed."""
    return DeploymentPlan(rollout.deployed, rollout.live_already, (), rollout.differences, None, ())


SCENES: dict[str, Callable[[], Scene]] = {
    "deployed": deployed,
    "paused": paused,
    "image_not_found": image_not_found,
    "timed_out": timed_out,
    "unseen": unseen,
    "gone": gone,
    "restored": restored,
    "nothing_to_deploy": nothing_to_deploy,
    "page_missed": page_missed,
}
