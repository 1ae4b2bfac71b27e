"""Selectors that nearly select something of the run, and budgets that let no pod go."""

from __future__ import annotations

from collections.abc import Sequence

import pytest
from tests.support.building import findings_of, manifest

from bcs_template_set.manifests.checks.check_manifests import check_manifests
from bcs_template_set.manifests.checks.finding import Finding


def found(check: str, *texts: str) -> list[Finding]:
    return [finding for finding in findings_of(manifest("---\n".join(texts))) if finding.id == check]


def thing(version: str, kind: str, spec: str, *, name: str = "one", labels: str = "{}") -> str:
    metadata = f"{{name: {name}, labels: {labels}}}"
    return f"apiVersion: {version}\nkind: {kind}\nmetadata: {metadata}\nspec: {{{spec}}}\n"


def pod(name: str, labels: str) -> str:
    return thing("v1", "Pod", "containers: [{name: main, image: 'r/a:1'}]", name=name, labels=labels)


def service(name: str, labels: str) -> str:
    return thing("v1", "Service", "selector: {a: b}, ports: [{port: 80}]", name=name, labels=labels)


# --- near selectors -------------------------------------------------------------------------------------

POLICY, BUDGET = ("networking.k8s.io/v1", "NetworkPolicy"), ("policy/v1", "PodDisruptionBudget")
MONITORING = "monitoring.coreos.com/v1"
REQUIRED, PREFERRED = (f"{how}DuringSchedulingIgnoredDuringExecution" for how in ("required", "preferred"))
SPREAD = "maxSkew: 1, topologyKey: zone, whenUnsatisfiable: DoNotSchedule"


def placed(rest: str) -> tuple[str, str, str]:
    return "v1", "Pod", f"containers: [{{name: main, image: 'r/a:1'}}], {rest}"


PLACES: Sequence[tuple[tuple[str, str, str], str, bool]] = [
    ((*BUDGET, "maxUnavailable: 1, selector: SELECTOR"), "spec.selector", True),
    ((*POLICY, "podSelector: SELECTOR"), "spec.podSelector", True),
    (
        (*POLICY, "podSelector: {}, ingress: [{from: [{podSelector: SELECTOR}]}]"),
        "spec.ingress[0].from[0].podSelector",
        False,
    ),
    (
        (*POLICY, "podSelector: {}, egress: [{to: [{podSelector: SELECTOR}]}]"),
        "spec.egress[0].to[0].podSelector",
        False,
    ),
    ((MONITORING, "PodMonitor", "selector: SELECTOR"), "spec.selector", False),
    (
        placed(f"topologySpreadConstraints: [{{{SPREAD}, labelSelector: SELECTOR}}]"),
        "spec.topologySpreadConstraints[0].labelSelector",
        False,
    ),
    *(
        (
            placed(f"affinity: {{{kind}: {{{REQUIRED}: [{{topologyKey: a, labelSelector: SELECTOR}}]}}}}"),
            f"spec.affinity.{kind}.{REQUIRED}[0].labelSelector",
            False,
        )
        for kind in ("podAffinity", "podAntiAffinity")
    ),
    (
        placed(
            f"affinity: {{podAffinity: {{{PREFERRED}: [{{weight: 1, podAffinityTerm: "
            "{topologyKey: a, labelSelector: SELECTOR}}]}}"
        ),
        f"spec.affinity.podAffinity.{PREFERRED}[0].podAffinityTerm.labelSelector",
        False,
    ),
]


@pytest.mark.parametrize(("parts", "where", "is_own"), PLACES, ids=[place for _, place, _ in PLACES])
def test_where_pods_are_selected_a_letter_may_be_wrong_and_in_ones_own_a_word_missing(
    parts: tuple[str, str, str], where: str, *, is_own: bool
) -> None:
    pods = (pod("a", "{app: shop}"), pod("b", "{app: stock-web}"))
    for asked, shown in (("shpo", "app=shop"), ("web", "app=stock-web" if is_own else "")):
        version, kind, spec = parts
        selecting = thing(version, kind, spec.replace("SELECTOR", f"{{matchLabels: {{app: {asked}}}}}"))
        near = found("near-selector", selecting, *pods)
        assert [(one.field, one.message.fields["found"]) for one in near] == (
            [(f"{where}.matchLabels[app]", shown)] if shown else []
        )
        assert all(finding.is_warning for finding in near)


def test_a_service_monitor_selects_services_and_no_pods() -> None:
    monitor = thing(MONITORING, "ServiceMonitor", "selector: {matchLabels: {app: shpo}}")
    assert found("near-selector", monitor, pod("a", "{app: shop}")) == []
    (finding,) = found("near-selector", monitor, service("a", "{app: shop}"))
    assert finding.message.fields == {"given": "app=shpo", "found": "app=shop", "title": "Service/a"}
    word = monitor.replace("shpo", "web")
    assert found("near-selector", word, service("a", "{app: shop-web}")) == []


@pytest.mark.parametrize(
    ("version", "kind"),
    [
        ("example.com/v1", BUDGET[1]),
        ("v1", POLICY[1]),
        ("example.com/v1", "PodMonitor"),
        ("policy/v1", "Own"),
    ],
)
def test_of_a_kind_that_nobody_knows_a_selector_may_select_anything(version: str, kind: str) -> None:
    selecting = thing(version, kind, "selector: &s {matchLabels: {app: shpo}}, podSelector: *s")
    assert found("near-selector", selecting, pod("a", "{app: shop}")) == []


def budget(labels: str) -> str:
    return thing(*BUDGET, f"maxUnavailable: 1, selector: {{matchLabels: {labels}}}")


@pytest.mark.parametrize(
    ("wanted", "pods", "shown"),
    [
        ("{app: web, tier: front}", ["{app: web, tier: back}", "{app: webb, tier: front}"], "app=webb"),
        ("{app: web, teir: front}", ["{app: web, tier: front}"], "tier=front"),
        ("{app: web, teir: front}", ["{app: web, tier: back}"], ""),
        ("{app: web, teir: front}", ["{app: web, role: front}"], ""),
        ("{teir: front}", ["{tier: front}"], "tier=front"),
        ("{teir: front}", ["{teir: back, tier: front}", "{tier: front}"], "tier=front"),
        ("{teir: front}", ["{tier: back}"], ""),
        ("{app: web, tier: front}", ["{app: web, tier: front}", "{app: web, tier: frnt}"], ""),
        ("{app: web, tier: '{{ N }}'}", ["{app: wbe, tier: a}"], ""),
        ("{}", ["{app: web}"], ""),
        ("{app: web, tier: frnt}", ["{app: web}", "{app: web, tier: front}"], "tier=front"),
    ],
)
def test_one_label_of_all_is_misspelt_by_its_key_or_its_value(
    wanted: str, pods: list[str], shown: str
) -> None:
    given = (pod(f"p{number}", labels) for number, labels in enumerate(pods))
    near = found("near-selector", budget(wanted), *given)
    assert [finding.message.fields["found"] for finding in near] == ([shown] if shown else [])


@pytest.mark.parametrize(("others", "count"), [(99, 1), (100, 0)])
def test_among_more_than_a_hundred_the_one_that_was_meant_is_not_looked_for(others: int, count: int) -> None:
    pods = [pod(f"p{number}", f"{{app: web, tier: {'x' * 9}{number}}}") for number in range(others)]
    near = found(
        "near-selector", budget("{app: web, tier: frnt}"), *pods, pod("q", "{app: web, tier: front}")
    )
    assert len(near) == count


# --- budgets --------------------------------------------------------------------------------------------


def workload(kind: str, rest: str, *, name: str = "web") -> str:
    template = "{metadata: {labels: {app: web}}, spec: {containers: [{name: a, image: 'r/a:1'}]}}"
    spec = f"selector: {{matchLabels: {{app: web}}}}, template: {template}, {rest}"
    return thing("apps/v1", kind, spec, name=name)


WEB = "selector: {matchLabels: {app: web}}"


@pytest.mark.parametrize(
    ("spec", "said"),
    [
        ("maxUnavailable: 0", "maxUnavailable blocked-drain"),
        ("maxUnavailable: 0%", "maxUnavailable blocked-drain"),
        ("maxUnavailable: 1", ""),
        ("maxUnavailable: false", ""),
        ("minAvailable: 100%", "minAvailable blocked-drain"),
        ("minAvailable: 99%", ""),
        ("minAvailable: 5", "minAvailable blocked_by_number"),
        ("minAvailable: 6", "minAvailable blocked_by_number"),
        ("minAvailable: 4", ""),
        ("minAvailable: true", ""),
    ],
)
def test_a_budget_lets_a_pod_go(spec: str, said: str) -> None:
    workloads = workload("Deployment", "replicas: 2"), workload("StatefulSet", "replicas: 3")
    blocked = found("blocked-drain", thing(*BUDGET, f"{spec}, {WEB}"), *workloads)
    assert [f"{one.field} {one.message.key}" for one in blocked] == (
        [f"spec.{said.replace(' ', ' checks.')}"] if said else []
    )
    assert all(finding.is_warning for finding in blocked)
    if "number" in said:
        assert blocked[0].message.fields == {"least": int(spec[-1]), "pods": 5}


@pytest.mark.parametrize("version", ["example.com/v1", "policy.example.com/v1"])
@pytest.mark.parametrize("kind", ["PodDisruptionBudget", "Rollout"])
def test_what_is_no_budget_of_kubernetes_is_not_judged_as_one(version: str, kind: str) -> None:
    assert found("blocked-drain", thing(version, kind, "maxUnavailable: 0")) == []
    assert found("blocked-drain", thing("policy/v1", "PodDisruptionPlan", "maxUnavailable: 0")) == []


@pytest.mark.parametrize(
    ("others", "count"),
    [
        ([], 1),
        ([workload("StatefulSet", "", name="db")], 0),
        ([workload("StatefulSet", "replicas: 0", name="db")], 1),
        ([workload("StatefulSet", "replicas: '{{ N }}'", name="db")], 0),
        (
            [
                thing(
                    "autoscaling/v2",
                    "HorizontalPodAutoscaler",
                    "scaleTargetRef: {kind: Deployment, name: web}",
                )
            ],
            0,
        ),
        (
            [
                thing(
                    "autoscaling/v2",
                    "HorizontalPodAutoscaler",
                    "scaleTargetRef: {kind: Deployment, name: db}",
                )
            ],
            1,
        ),
    ],
)
def test_how_many_pods_there_are_must_be_known_of_each_workload(others: list[str], count: int) -> None:
    texts = thing(*BUDGET, f"minAvailable: 2, {WEB}"), workload("Deployment", "replicas: 2"), *others
    assert len(found("blocked-drain", *texts)) == count


@pytest.mark.parametrize(
    "selector",
    ["matchLabels: {app: db}", "", "matchLabels: {app: web}, matchExpressions: [{key: a, operator: Exists}]"],
)
def test_a_budget_may_be_for_pods_that_the_run_does_not_have(selector: str) -> None:
    text = thing(*BUDGET, f"minAvailable: 9, selector: {{{selector}}}")
    assert found("blocked-drain", text, workload("Deployment", "replicas: 2")) == []


@pytest.mark.parametrize(
    ("check", "text"),
    [
        ("near-selector", thing(*POLICY, "podSelector: {matchLabels: {app: wbe}}")),
        ("blocked-drain", thing(*BUDGET, f"minAvailable: 2, {WEB}")),
    ],
)
@pytest.mark.parametrize("is_whole", [True, False])
def test_where_a_file_did_not_render_it_may_hold_the_pods_that_are_missed(
    check: str, text: str, *, is_whole: bool
) -> None:
    file = manifest(f"{text}---\n{workload('Deployment', 'replicas: 2')}")
    findings = check_manifests(
        (file,), template_space="s", template_set=False, namespace="", kube_version="", is_whole=is_whole
    )
    assert (check in {finding.id for finding in findings}) is is_whole
