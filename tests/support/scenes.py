"""Runs that the report tests look at: the same few, in both languages."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Callable

from bcs_template_set.bcs.gateway import Exchange
from bcs_template_set.bcs.space.existing import VersionRef
from bcs_template_set.manifests.routes import Route
from bcs_template_set.messages import Language, say
from bcs_template_set.messages.errors import NewerBuild, NoPermission, RouteRemoval, VersionConflict
from bcs_template_set.messages.server_errors import GatewayFailed
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.publish.file_outcome import FileOutcome
from bcs_template_set.publish.plan import Change, Plan, SpaceRef
from bcs_template_set.report.outcome import Console, Heading, Identity, Outcome, Phase

IMAGE = "icabe-tcr.tencentcloudcr.com/icabe/pmd-mobile.icabe.wg.platform.feature.login"
OLD, NEW = f"{IMAGE}:1704448623620-427", f"{IMAGE}:1704448999620-428"
VERSION = "1.0.428-feature-login"
FINISHED = 1_767_225_600.0

HEADING = Heading(
    step_version="0.1.0",
    action="publish",
    pipeline="release web",
    build_number=428,
    build_url="https://ci.example.com/console/pipeline/demo/p-1/detail/b-428",
    branch="feature/login",
    commit="0a1b2c3d4e5f60718293a4b5c6d7e8f901234567",
    region="gz",
    project="demo",
    space="web",
    console=Console("https://bcs.example.com", "demo", "0f" * 12),
    template_set="",
    version=VERSION,
)
IDENTITY = Identity(
    acting_user="lisi",
    app_code="lisi_app",
    credential="",
    reason=say("identity.reason_authorizer", by=say("identity.by_record")),
    starter="wangwu",
)

DEPLOYMENT_DIFF = f"""\
--- Deployment/deployment.nginx.b.example.com
+++ Deployment/deployment.nginx.b.example.com
@@ -18,7 +18,7 @@
       dnsPolicy: ClusterFirst
       containers:
         - name: nginx
-          image: {OLD}
+          image: {NEW}
           ports:
             - name: container
               containerPort: 80
"""
ROUTES_DIFF = """\
--- Ingress/ingress-b.example.com-0
+++ Ingress/ingress-b.example.com-0
@@ -15,7 +15,7 @@
                 name: service-nginx-b-example-com
                 port:
                   number: 80
-            path: /old
+            path: /new
             pathType: Prefix
"""
CREATE_DIFF = """\
--- /dev/null
+++ Deployment/deployment.nginx.a.example.com
@@ -0,0 +1,3 @@
+apiVersion: apps/v1
+kind: Deployment
+metadata: {}
"""


def change(name: str, **fields: Any) -> Change:  # noqa: ANN401 - the fields of Change, which checks them
    """A change of a file, with the fields that matter."""
    return Change(**{"name": name, "action": "update", "content": "", "digest": "d0" * 32, **fields})


def route_of(host: str, path: str) -> Route:
    """The route of `builtin:web` for a path of a domain."""
    return Route(
        host=host, path=path, service=f"service-{host}", ingress=f"ingress-{host}-0", path_type="Prefix"
    )


def created(host: str) -> tuple[Change, Change]:
    """A domain that BCS does not hold yet."""
    deployment = change(
        f"{host}.deployment.yaml",
        action="create",
        domain=host,
        writes_version=True,
        images=(("", NEW),),
        diff=CREATE_DIFF.replace("a.example.com", host),
    )
    routes = replace(
        deployment,
        name=f"{host}.routes.yaml",
        images=(),
        routes=(route_of(host, "/"),),
        routes_added=((host, "/"),),
        diff=CREATE_DIFF.replace("Deployment/deployment.nginx.a", "Service/service-nginx-a"),
    )
    return deployment, routes


def updated(host: str) -> tuple[Change, Change]:
    """A domain with a new image and another path."""
    deployment = change(
        f"{host}.deployment.yaml",
        domain=host,
        writes_version=True,
        template_id="6f" * 12,
        previous=VersionRef(id="5e" * 12, name="1.0.427-feature-login", created_at=1_767_100_000),
        images=((OLD, NEW),),
        diff=DEPLOYMENT_DIFF.replace("b.example.com", host),
    )
    routes = replace(
        deployment,
        name=f"{host}.routes.yaml",
        previous=VersionRef(id="4d" * 12, name="1.0.401-feature-login"),
        images=(),
        routes=(route_of(host, "/new"),),
        routes_added=((host, "/new"),),
        routes_removed=((host, "/old"),),
        routes_lost=(route_of(host, "/old"),),
        diff=ROUTES_DIFF.replace("b.example.com", host),
    )
    return deployment, routes


def unchanged(host: str) -> tuple[Change, Change]:
    """A domain that BCS holds as it is wanted."""
    deployment = change(
        f"{host}.deployment.yaml",
        action="unchanged",
        domain=host,
        previous=VersionRef(id="3c" * 12, name="1.0.390-feature-login"),
        version_id="3c" * 12,
    )
    return deployment, replace(deployment, name=f"{host}.routes.yaml", routes=(route_of(host, "/"),))


def conflicting(name: str) -> Change:
    """A file whose version name is taken by other content."""
    reason = say(
        "plan.conflict",
        name=name,
        version=VERSION,
        creator="zhaoliu",
        at="2026-01-01 00:00 UTC",
        origin=say("plan.origin_unknown"),
    )
    return change(
        name,
        action="conflict",
        template_id="2b" * 12,
        previous=VersionRef(id="2a" * 12, name="1.0.427-feature-login"),
        version_id="29" * 12,
        images=((OLD, NEW),),
        diff=DEPLOYMENT_DIFF,
        reason=reason,
    )


def plan_of(*changes: Change) -> Plan:
    """A plan of these changes."""
    return Plan(
        target=SpaceRef(region="gz", project="demo", space="web"),
        version=VERSION,
        changes=tuple(sorted(changes, key=lambda change: change.name)),
        creates_space=False,
        chart="none",
        digest="9f86d081884c7d659a2feaa0c55ad015",
    )


def applied(change: Change, *, creator: str = "lisi") -> FileOutcome:
    """A change that was written."""
    return FileOutcome(
        change,
        "applied",
        version_id="71" * 12,
        version=VERSION,
        creator=creator,
        notes=change.notes,
        template_id="" if change.template_id else "8d" * 12,
        seconds=0.6 if change.images else 0.4,
    )


def untouched(change: Change) -> FileOutcome:
    """A file to which nothing was to be done."""
    return FileOutcome(change, "unchanged", version_id=change.version_id, version="1.0.390-feature-login")


def not_attempted(change: Change) -> FileOutcome:
    """A file that the run did not get to."""
    return FileOutcome(change, "not-attempted")


def ended(change: Change) -> FileOutcome:
    """How a change ends when all goes well."""
    return applied(change) if change.writes else untouched(change)


STILL = (*unchanged("c.example.com"), *unchanged("d.example.com"))
USUAL = plan_of(*created("a.example.com"), *updated("b.example.com"), *STILL)

PHASES = (
    Phase("settings", FINISHED - 9.0, 0.2),
    Phase("render", FINISHED - 8.8, 0.6),
    Phase("plan", FINISHED - 8.2, 2.7),
    Phase("publish", FINISHED - 5.5, 5.4),
)
REQUESTS = (
    Exchange("get project", "GET", "/bcsproject/v1/projects/demo", 200, 0.08, "r-1", "g-1"),
    Exchange(
        "list spaces", "GET", "/clusterresources/v1/projects/demo/template/spaces", 200, 0.05, "r-2", "g-2"
    ),
    Exchange(
        "list files",
        "GET",
        "/clusterresources/v1/projects/demo/template/64/metadatas",
        502,
        0.4,
        "r-3",
        "g-3",
        refused=800606,
    ),
    Exchange(
        "list files",
        "GET",
        "/clusterresources/v1/projects/demo/template/64/metadatas",
        200,
        0.06,
        "r-4",
        "g-4",
    ),
)
DEPLOYMENT = Exchange(
    "deploy", "POST", "/clusterresources/v1/projects/demo/template/deploy", 200, 1.2, "r-5", "g-5"
)


def outcome_of(plan: Plan, *, language: Language = "en_US") -> Outcome:
    """A run that published this plan."""
    return Outcome(
        result="published",
        changed=True,
        language=language,
        heading=HEADING,
        identity=IDENTITY,
        plan=plan,
        files=tuple(ended(change) for change in plan.changes),
        phases=PHASES,
        requests=REQUESTS,
        finished_at=FINISHED,
    )


def planned() -> Outcome:
    """A plan and no more."""
    return replace(
        outcome_of(USUAL),
        result="planned",
        changed=False,
        heading=replace(HEADING, action="plan"),
        files=tuple(not_attempted(change) for change in USUAL.changes),
    )


def published() -> Outcome:
    """The usual: a new domain, a changed one, two that stay."""
    return outcome_of(USUAL)


def nothing_to_do() -> Outcome:
    """The same again."""
    return replace(outcome_of(plan_of(*STILL)), result="unchanged", changed=False)


def no_permission() -> Outcome:
    """BCS refuses before there is a plan."""
    error = NoPermission(
        user="lisi",
        message="no permission",
        context={
            "acting_user": "lisi",
            "app": "lisi_app",
            "region": "gz",
            "project": "demo",
            "permission": "project_view",
            "apply_url": "https://iam.example.com/apply-custom-perm?id=1",
            "request": "GET /bcsproject/v1/projects/demo",
            "request_id": "0b54a7f8c3de4d4a9f0c8a1d2e3f4a5b",
            "gateway_request_id": "5d8f1f0e-6a0a-4d8f-8b1a-6f5e4d3c2b1a",
        },
    )
    return replace(outcome_of(USUAL), result="failed", changed=False, plan=None, files=(), error=error)


def conflict() -> Outcome:
    """Somebody wrote the version's name with other content."""
    file = conflicting("b.example.com.deployment.yaml")
    reason = file.reason
    assert reason is not None
    plan = replace(plan_of(*created("a.example.com"), file), conflicts=(reason,))
    return _refused(plan, VersionConflict(details=[reason]))


def lost_route() -> Outcome:
    """A path that is served today would be gone."""
    lost = say(
        "plan.route_lost", how="Prefix", host="b.example.com", path="/old", name="b.example.com.routes.yaml"
    )
    plan = replace(plan_of(*updated("b.example.com"), *STILL), lost_routes=(lost,))
    return _refused(plan, RouteRemoval(details=[lost]))


def newer_build() -> Outcome:
    """A newer build was faster, and that is a failure."""
    return _refused(_overtaken_plan(), NewerBuild(details=_overtaken_plan().newer_builds))


def skipped() -> Outcome:
    """A newer build was faster, and that is fine."""
    plan = _overtaken_plan()
    changes = [replace(change, action="skip", writes_version=False) for change in plan.changes]
    plan = replace(plan, changes=tuple(changes))
    files = tuple(FileOutcome(change, "skipped") for change in plan.changes)
    return replace(outcome_of(plan), result="skipped", changed=False, files=files)


def half_published() -> Outcome:
    """The gateway failed in the middle."""
    error = GatewayFailed(
        url="POST /clusterresources/v1/projects/demo/template/6f/versions",
        status=500,
        message="Internal Server Error",
        context={"request_id": "r-77", "gateway_request_id": "g-77", "file": "b.example.com.deployment.yaml"},
    )
    files = [ended(change) for change in USUAL.changes]
    files[2] = replace(files[2], state="failed", version="", version_id="", creator="", error=error)
    files[3] = not_attempted(USUAL.changes[3])
    return replace(outcome_of(USUAL), result="failed", files=tuple(files), error=error)


def _refused(plan: Plan, error: StepError) -> Outcome:
    files = tuple(not_attempted(change) for change in plan.changes)
    return replace(outcome_of(plan), result="failed", changed=False, files=files, error=error)


def _overtaken_plan() -> Plan:
    newer = say(
        "plan.newer_build",
        count=1,
        names=["b.example.com.routes.yaml"],
        version="1.0.429-feature-login",
        build=429,
        ours=428,
        branch="feature/login",
        creator="lisi",
        starter="zhaoliu",
        at="2026-01-01 00:00 UTC",
    )
    return replace(plan_of(*updated("b.example.com")), newer_builds=(newer,))


SCENES: dict[str, Callable[[], Outcome]] = {
    "planned": planned,
    "published": published,
    "unchanged": nothing_to_do,
    "no_permission": no_permission,
    "conflict": conflict,
    "lost_route": lost_route,
    "newer_build": newer_build,
    "skipped": skipped,
    "half_published": half_published,
}
