"""Which versions a deployment makes live, and which of them stay undeployed since somebody went back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Optional

import pytest
from tests.support.phases import CLUSTER, NAMESPACE, Answer, Answers, rows, run_of, sharing
from tests.support.planned import OURS, SPACE, desired, existing, existing_file, version_of
from tests.support.scenes import change, plan_of

from bcs_template_set.bcs.answers import TemplateVersion
from bcs_template_set.bcs.calls import JsonValue
from bcs_template_set.bcs.deploy_calls import NamespaceRef
from bcs_template_set.bcs.marks import TEMPLATE_NAME, TEMPLATE_VERSION
from bcs_template_set.bcs.space.existing import Existing
from bcs_template_set.manifests.branch_paths import BRANCHES, Claim, claims_json
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.messages import Text
from bcs_template_set.messages.errors import NewerBuild, NoPermission, Overtaken
from bcs_template_set.rollout.deployment_plan import DeploymentPlan, Holding
from bcs_template_set.rollout.live_state import FileVersion, LiveState
from bcs_template_set.run.versions_to_deploy import MOST_READ, Looking, hold_of, newest_versions

FILE = "routes.yaml"
OWN = FileVersion(FILE, "1" * 24, "1.0.7-main")
PLACE = NamespaceRef("web", "a" * 32, CLUSTER, NAMESPACE)


# --- at which version -----------------------------------------------------------------------------------


def serving(path: str = "/", branch: str = "main") -> str:
    """Return an Ingress that serves a path which a branch claims."""
    claims = claims_json([Claim(path, branch)])
    backend = "{service: {name: web, port: {number: 80}}}"
    return (
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\n"
        f"metadata: {{name: web, annotations: {{{BRANCHES}: '{claims}'}}}}\n"
        f"spec: {{rules: [{{http: {{paths: [{{path: {path}, backend: {backend}}}]}}}}]}}\n"
    )


def published(content: str, *, build: int = 6, branch: str = "main", number: int = 2) -> TemplateVersion:
    return version_of(content, number=number, origin=replace(OURS, build=build, branch=branch))


def found(version: TemplateVersion) -> JsonValue:
    return {
        "id": version.id,
        "version": version.version,
        "content": version.content,
        "creator": version.creator,
        "description": version.description,
        "createAt": version.create_at,
    }


def newest(
    version: TemplateVersion, *, shared: Sequence[str] = (), row: Optional[str] = None, **inputs: str
) -> tuple[FileVersion, Answers]:
    """Return at which version a file is deployed where this one is current."""
    listed = rows((FILE, version.id if row is None else row))
    answers = Answers({"list files": list(listed), "get version": found(version), "ask dialect": None})
    run = run_of((FILE, serving()), inputs=inputs).run
    looking = Looking(run, sharing(run.desired, *shared), answers, SPACE.id)
    (file,) = newest_versions(looking, [OWN])
    return file, answers


def test_a_file_that_branches_share_is_deployed_as_it_is_now_with_what_it_holds_now() -> None:
    current = published(serving() + "---\nkind: Service\nmetadata: {name: web}\n", branch="other", build=99)
    file, _ = newest(current, shared=[FILE])
    assert (file.version_id, file.version) == (current.id, current.version)
    assert file.objects == ("Ingress/web", "Service/web")


@pytest.mark.parametrize("content", [serving(branch="other"), serving("/other"), "", "\t{"])
def test_one_that_lacks_this_branchs_path_is_not_deployed(content: str) -> None:
    with pytest.raises(Overtaken) as raised:
        newest(published(content), shared=[FILE])
    (detail,) = raised.value.details
    assert isinstance(detail, Text)
    assert (detail.key, detail.fields["name"], detail.fields["path"]) == ("deploy.shared_lacks", FILE, "/")
    assert detail.fields["current"] == "1.0.6-main"


@pytest.mark.parametrize("build", [6, 7])
def test_a_file_of_its_own_stays_at_this_builds_version_whatever_older_ones_do(build: int) -> None:
    assert newest(published("x", build=build))[0] == OWN


@pytest.mark.parametrize(
    "version",
    [
        published("x", build=8, branch="other"),
        published("x", build=8_000_000),
        published("x").replaced(description="by hand"),
    ],
    ids=["another-branch", "no-build-yet", "a-person"],
)
def test_what_is_no_newer_build_of_this_branch_stops_nothing(version: TemplateVersion) -> None:
    assert newest(version)[0] == OWN


def test_a_newer_build_of_this_branch_is_not_replaced_and_said() -> None:
    with pytest.raises(NewerBuild) as raised:
        newest(published("x", build=8))
    (detail,) = raised.value.details
    assert isinstance(detail, Text)
    assert (detail.fields["build"], detail.fields["ours"], detail.fields["names"]) == (8, 7, [FILE])


def test_a_newer_build_is_replaced_where_the_author_says_so() -> None:
    assert newest(published("x", build=8), on_newer_build="replace")[0] == OWN


@pytest.mark.parametrize("row", ["", OWN.version_id])
def test_what_is_current_or_points_nowhere_is_not_read(row: str) -> None:
    file, answers = newest(published(serving()), row=row, shared=[FILE])
    assert file == OWN
    assert not [call for call in answers.calls if call.startswith("get version")]


def test_what_is_not_there_any_more_is_deployed_as_it_was_published() -> None:
    answers = Answers({"list files": []})
    run = run_of((FILE, serving())).run
    assert newest_versions(Looking(run, run.desired, answers, SPACE.id), [OWN]) == (OWN,)


# --- which stay undeployed ------------------------------------------------------------------------------

LEFT, LIVE = "1.0.7-main", "1.0.6-main"
"""The version that this run would deploy, and the one that somebody went back to."""


def marks(version: str, file: str = "web.yaml", space: str = "front-ends") -> dict[str, YamlValue]:
    return {TEMPLATE_NAME: f"{space}/{file}", TEMPLATE_VERSION: version}


def web(tag: str, version: str = "", **spec: YamlValue) -> dict[str, YamlValue]:
    """Return a Deployment; with a version, as it is live at that."""
    containers: list[YamlValue] = [{"name": "main", "image": f"example.com/web:{tag}"}]
    metadata: dict[str, YamlValue] = {"name": "web", **({"annotations": marks(version)} if version else {})}
    body: dict[str, YamlValue] = {"template": {"spec": {"containers": containers}}, **spec}
    return {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": metadata, "spec": body}


def at(body: dict[str, YamlValue], annotations: dict[str, YamlValue]) -> dict[str, YamlValue]:
    """Return an object as it is live with these marks."""
    return {**body, "metadata": {"annotations": annotations}}


WEB = LiveState("web.yaml", "Deployment", "web", web("7"), web("6", LIVE))


def replica_set(number: int, version: str, *, file: str = "web.yaml", name: str = "web") -> JsonValue:
    """Return a revision of a Deployment."""
    annotations: dict[str, JsonValue] = {
        "io.tencent.paas.template_name": f"front-ends/{file}",
        "io.tencent.paas.template_version": version,
        "deployment.kubernetes.io/revision": str(number),
    }
    owners: list[JsonValue] = [{"kind": "Deployment", "name": name, "uid": "u"}]
    metadata: dict[str, JsonValue] = {"name": f"{name}-{number}", "uid": f"{name}-{number}"}
    return {"metadata": {**metadata, "annotations": annotations, "ownerReferences": owners}}


GONE_BACK = (replica_set(3, LIVE), replica_set(2, LEFT))


def there(origin: int = 6, **files: int) -> Existing:
    """Return what BCS holds: each file as an earlier build, or the one that is named, has published it."""
    numbers = {"web": origin, **files}
    return existing(
        *(
            existing_file(f"{name}.yaml", published("x", build=build, number=number))
            for number, (name, build) in enumerate(numbers.items(), 1)
        )
    )


def held(
    *states: LiveState,
    revisions: Sequence[JsonValue] = GONE_BACK,
    holds: Optional[Existing] = None,
    rewritten: bool = False,
    action: str = "unchanged",
    domain: str = "",
    whole: Optional[Mapping[str, Answer]] = None,
    inputs: Optional[Mapping[str, str]] = None,
) -> tuple[Holding, Answers]:
    """Return what is held of a deployment of these objects' files."""
    names = sorted({state.file for state in states})
    given = run_of(*((name, "kind: X") for name in names), inputs=inputs or {})
    changes = [change(name, action=action, domain=domain) for name in names]
    given.record.plan = plan_of(*changes)
    answers = Answers(
        {
            "list ReplicaSet": {"manifest": {"items": list(revisions)}},
            "get Deployment": NoPermission(user="lisi", message="no"),
            "find version": {},
            **(whole or {}),
        }
    )
    hold = hold_of(given.run, answers, PLACE, holds or there())
    files = tuple(FileVersion(name, "1" * 24, LEFT, rewritten=rewritten) for name in names)
    return hold(DeploymentPlan(files, (), states, (), None, ())), answers


def test_a_version_that_somebody_went_back_from_is_held_and_that_is_said() -> None:
    holding, _ = held(WEB)
    assert holding.files == {"web.yaml"}
    (said,) = holding.said
    assert said.key == "deploy.held"
    assert said.fields == {
        "name": "web.yaml",
        "live": LIVE,
        "left": LEFT,
        "file": "web.yaml",
        "object": "Deployment/web",
    }


@pytest.mark.parametrize(
    "more",
    [{"redeploy": "true"}, {"only": "web.yaml"}],
)
def test_nothing_is_held_or_asked_where_somebody_asks_for_it(more: Mapping[str, str]) -> None:
    holding, answers = held(WEB, inputs=more)
    assert (holding, answers.calls) == (Holding(), [])


def test_what_this_build_publishes_is_new_and_held_by_nothing() -> None:
    for own in (
        held(WEB, action="update"),
        held(WEB, holds=there(OURS.build)),
        held(WEB, holds=existing()),
        held(WEB, rewritten=True),
        held(replace(WEB, live=web("6", LEFT))),
        held(replace(WEB, live=web("6"))),
        held(replace(WEB, live=None)),
    ):
        assert (own[0], own[1].calls) == (Holding(), [])


def test_a_path_of_this_branch_in_a_shared_file_is_new_too() -> None:
    given = run_of(wanted=sharing(desired(("web.yaml", "kind: X")), "web.yaml"))
    given.record.plan = plan_of(change("web.yaml", action="unchanged"))
    files = (FileVersion("web.yaml", "1" * 24, LEFT),)
    hold = hold_of(given.run, Answers({}), PLACE, there())
    assert hold(DeploymentPlan(files, (), (WEB,), (), None, ())) == Holding()


def test_what_a_person_published_is_held_as_an_earlier_builds_version_is() -> None:
    by_hand = published("x").replaced(description="by hand")
    holding, _ = held(WEB, holds=existing(existing_file("web.yaml", by_hand)))
    assert holding.files == {"web.yaml"}


def test_a_domain_is_held_whole() -> None:
    service = LiveState("web.service.yaml", "Service", "web", {"kind": "Service"}, {"kind": "Service"})
    holding, _ = held(WEB, service, domain="www.example.com")
    assert holding.files == {"web.yaml", "web.service.yaml"}
    assert [said.fields["name"] for said in holding.said] == ["www.example.com"]
    apart, _ = held(WEB, service)
    assert apart.files == {"web.yaml"}


@pytest.mark.parametrize(
    ("state", "revisions"),
    [
        (WEB, (replica_set(2, LIVE), replica_set(1, "1.0.5-main"))),
        (WEB, ()),
    ],
)
def test_what_never_was_live_is_deployed(state: LiveState, revisions: Sequence[JsonValue]) -> None:
    assert held(state, revisions=revisions)[0].files == frozenset()


def test_of_what_makes_no_pods_nothing_tells_and_that_is_said() -> None:
    """Of a Deployment with other pods its revisions tell, and so they do for its whole domain."""
    job = LiveState(
        "job.yaml", "Job", "job", {"kind": "Job"}, {"metadata": {"annotations": marks("1", "job.yaml")}}
    )
    never = (replica_set(2, LIVE), replica_set(1, "1.0.5-main"))
    holding, _ = held(WEB, job, revisions=never, holds=there(job=6))
    assert holding.files == frozenset()
    assert [(said.key, said.fields["names"]) for said in holding.said] == [("deploy.not_told", ["job.yaml"])]
    assert held(WEB, job, revisions=never, holds=there(job=6), domain="www")[0].said == ()
    same_pods = replace(WEB, desired=web("6", progressDeadlineSeconds=9))
    assert [said.key for said in held(same_pods, revisions=never)[0].said] == ["deploy.not_told"]


def test_only_of_deployments_the_revisions_of_that_name_tell() -> None:
    claim = replace(WEB, kind="StatefulSet", desired={**WEB.desired, "kind": "StatefulSet"})
    holding, _ = held(claim)
    assert (holding.files, [said.key for said in holding.said]) == (frozenset(), ["deploy.not_told"])


def test_of_many_domains_the_first_are_asked_since_when() -> None:
    states = [
        LiveState(
            f"{n:02}.yaml", "Deployment", f"{n:02}", web("7"), at(web("6"), marks(LIVE, f"{n:02}.yaml"))
        )
        for n in range(MOST_READ + 1)
    ]
    revisions = [
        replica_set(number, version, file=state.file, name=state.name)
        for state in states
        for number, version in ((3, LIVE), (2, LEFT))
    ]
    holds = existing(*(existing_file(state.file, published("x")) for state in states))
    holding, answers = held(*states, revisions=revisions, holds=holds, whole={"get Deployment": ENDED})
    lives = [said.fields["live"] for said in holding.said]
    assert [isinstance(live, Text) for live in lives] == [True] * 20 + [False]
    assert [said.key for said in holding.said] == ["deploy.held"] * 21
    assert len([call for call in answers.calls if call.startswith("get Deployment")]) == 20


# --- what a rollback can't take back ----------------------------------------------------------------------


def job(name: str, *, live: Optional[str] = "7") -> LiveState:
    """Return a Job that is wanted with image 7, and live with another one."""

    def body(tag: str, **spec: YamlValue) -> dict[str, YamlValue]:
        template: YamlValue = {"spec": {"containers": [{"name": "main", "image": f"example.com/job:{tag}"}]}}
        return {"apiVersion": "batch/v1", "kind": "Job", "spec": {"template": template, **spec}}

    there = body(live, selector={"matchLabels": {"x": "y"}}) if live is not None else None
    return LiveState("job.yaml", "Job", name, body("7"), there)


def gone_back(*states: LiveState) -> Holding:
    given = run_of(("job.yaml", "kind: X"), inputs={"action": "rollback"})
    given.record.plan = plan_of()
    hold = hold_of(given.run, Answers({}), PLACE, there())
    files = tuple(
        FileVersion(name, "1" * 24, LEFT) for name in sorted({"job.yaml", *(s.file for s in states)})
    )
    return hold(DeploymentPlan(files, (), states, (), None, ()))


def test_a_rollback_holds_what_the_cluster_would_not_replace_and_says_it() -> None:
    holding = gone_back(job("a", live="6"), job("b", live="5"), job("c"), WEB)
    assert holding.files == {"job.yaml"}
    assert [(said.key, said.fields["objects"]) for said in holding.said] == [
        ("rollback.fixed", ["Job/a", "Job/b"])
    ]


@pytest.mark.parametrize(
    "states",
    [
        (),
        (job("a"),),
        (job("a", live="6"), job("b", live=None)),
        (job("a", live="6"), replace(WEB, file="job.yaml")),
        (WEB,),
    ],
    ids=["nothing", "as-wanted", "one-is-new", "one-can-be-replaced", "it-can-be-replaced"],
)
def test_a_rollback_holds_nothing_else(states: tuple[LiveState, ...]) -> None:
    assert gone_back(*states) == Holding()


# --- since when, and by what ----------------------------------------------------------------------------

ENDED: JsonValue = {
    "manifest": {
        "status": {
            "conditions": [
                {
                    "type": "Progressing",
                    "reason": "NewReplicaSetAvailable",
                    "lastUpdateTime": "2026-01-01T00:00:00Z",
                }
            ]
        }
    }
}


def version_data(text: str) -> JsonValue:
    return {"id": "9" * 24, "version": LIVE, "content": text}


def as_yaml(
    *, tag: str, kind: str = "Deployment", name: str = "web", progress: object = 500, pods: int = 3
) -> str:
    return (
        f"apiVersion: apps/v1\nkind: {kind}\nmetadata: {{name: {name}}}\n"
        f"spec: {{progressDeadlineSeconds: {progress}, replicas: {pods}, "
        f"template: {{spec: {{containers: [{{name: main, image: 'example.com/web:{tag}'}}]}}}}}}\n"
    )


def test_since_when_is_said_where_the_rollout_has_ended() -> None:
    (said,) = held(WEB, whole={"get Deployment": ENDED})[0].said
    live = said.fields["live"]
    assert isinstance(live, Text)
    assert (live.key, live.fields["at"], live.fields["version"]) == (
        "deploy.since",
        "2026-01-01T00:00:00Z",
        LIVE,
    )
    still: JsonValue = {
        "manifest": {
            "status": {
                "conditions": [{"type": "Progressing", "reason": "ReplicaSetUpdated", "lastUpdateTime": "x"}]
            }
        }
    }
    (said,) = held(WEB, whole={"get Deployment": still})[0].said
    assert said.fields["live"] == LIVE


@pytest.mark.parametrize(
    ("text", "undone"),
    [
        (as_yaml(tag="6"), True),
        (as_yaml(tag="7") + "---\n" + as_yaml(tag="6"), True),
        (as_yaml(tag="6", progress=300), False),
        (as_yaml(tag="6", name="other"), False),
        (as_yaml(tag="6", kind="StatefulSet"), False),
        (as_yaml(tag="6", progress=300, pods=2), True),
        (as_yaml(tag="6", progress="{{ SECONDS }}"), False),
        ("\t{", False),
    ],
)
def test_an_undo_brings_the_pods_back_and_not_the_rest(text: str, *, undone: bool) -> None:
    """The live object has the pods of version 6 and the deadline of version 7's text."""
    rolling: dict[str, YamlValue] = {
        "type": "RollingUpdate",
        "rollingUpdate": {"maxSurge": "25%", "maxUnavailable": "25%"},
    }
    live = web("6", LIVE, progressDeadlineSeconds=300, replicas=3, strategy=rolling)
    state = replace(WEB, desired=web("7", progressDeadlineSeconds=300, replicas=3), live=live)
    (said,) = held(state, whole={"find version": version_data(text)})[0].said
    assert said.key == ("deploy.held_undone" if undone else "deploy.held")


def test_of_a_version_that_nobody_can_read_no_undo_is_told() -> None:
    answers: list[Answer] = [NoPermission(user="lisi", message="no"), {}]
    for answer in answers:
        (said,) = held(WEB, whole={"find version": answer})[0].said
        assert said.key == "deploy.held"
