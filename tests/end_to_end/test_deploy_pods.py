"""The live number of pods: kept where the text leaves it open, and said before it is lost."""

from __future__ import annotations

import pytest
import yaml
from tests.emulator import Behaviour
from tests.emulator.cluster.tree import number
from tests.emulator.faults import Match
from tests.emulator.pace import Pace
from tests.support.deploying import (
    DEPLOY,
    PREVIEW,
    autoscaler,
    calls_of,
    cluster_of,
    cluster_site,
    deploy,
    deployed_site,
    documents,
    image_live,
    image_of,
    live,
    workload,
)
from tests.support.publishing import SPACE, Site

PREVIEW_AFTER = Match("POST", PREVIEW.path, nth=2)
"""The first look after the deployment."""
BOTH = pytest.mark.parametrize("kind", ["Deployment", "StatefulSet"])


def keeping(kind: str = "Deployment", *, tag: str = "1") -> str:
    """Return a template whose workload keeps its number of pods."""
    call = (
        '{{ live_replicas("web") }}' if kind == "Deployment" else f'{{{{ live_replicas("web", "{kind}") }}}}'
    )
    return workload(kind, tag=tag).replace("spec:\n", f"spec:\n  replicas: {call}\n", 1)


def use(site: Site, text: str) -> None:
    """Let the next build render this template."""
    site.next_build()
    site.files = {"web.yaml.j2": text}


def scale(site: Site, count: int, kind: str = "Deployment", *, name: str = "web") -> None:
    """Set the number of pods as an autoscaler or a person does."""
    found = live(site, kind, name)
    found["spec"]["replicas"] = count  # type: ignore[index] # a workload has one
    cluster_of(site).put(found)
    site.clock.time += 30


def pods(site: Site, kind: str = "Deployment") -> int:
    return number(live(site, kind, "web"), "spec", "replicas")


@BOTH
def test_a_text_without_a_number_makes_it_one_pod_and_that_is_said_before_the_call(kind: str) -> None:
    with deployed_site(web_yaml=workload(kind)) as site:
        scale(site, 10, kind)
        site.next_build(web_yaml=workload(kind, tag="2"))
        ran = deploy(site)
        assert (ran.code, pods(site, kind)) == (0, 1), ran.log
        warning = f"{kind}/web: 10 pods now, 1 after this"
        assert ran.log.index(warning) < ran.log.index("Deployed 1 file")
        assert ran.log.index("-  replicas: 10") < ran.log.index("Deployed 1 file")
        assert "live_replicas(" in ran.log
        assert any(warning in str(said) for said in ran.outcome.warnings)


def test_an_autoscalers_number_is_called_so_whether_the_text_has_a_number_or_not() -> None:
    with deployed_site(web_yaml=workload(replicas=1), hpa_yaml=autoscaler()) as site:
        scale(site, 10)
        site.next_build(web_yaml=workload(tag="2", replicas=1))
        site.files.pop("hpa.yaml")
        ran = deploy(site)
        assert (
            "Deployment/web: 10 pods now (an autoscaler's number), 1 after this, as its file says" in ran.log
        )
        scale(site, 10)
        site.next_build(web_yaml=workload(tag="3"))
        site.files.pop("hpa.yaml", None)
        assert "(an autoscaler's number), 1 after this, since its file says no number" in deploy(site).log


@BOTH
def test_a_template_can_keep_the_number_whatever_set_it(kind: str) -> None:
    with cluster_site() as site:
        use(site, documents(keeping(kind), autoscaler(kind, least=3)))
        first = deploy(site)
        assert (first.code, pods(site, kind)) == (0, 3), first.log
        cluster_of(site).load[kind, "web"] = 10
        site.clock.time += 120
        assert pods(site, kind) == 10
        use(site, documents(keeping(kind, tag="2"), autoscaler(kind, least=3)))
        ran = deploy(site)
        assert (ran.code, pods(site, kind), image_live(site, kind, "web")) == (0, 10, image_of("web", "2")), (
            ran.log
        )
        assert f"The number of pods stays as it is: {kind}/web 10." in ran.log
        assert "after this" not in ran.log
        scale(site, 0, kind)
        use(site, documents(keeping(kind, tag="3"), autoscaler(kind, least=3)))
        assert (deploy(site).code, pods(site, kind)) == (0, 0), "somebody wants none"


def test_an_unchanged_build_deploys_nothing_for_the_number_and_blames_nobody() -> None:
    with cluster_site() as site:
        use(site, documents(keeping(), autoscaler()))
        deploy(site)
        for count in (7, 12):
            scale(site, count)
            site.next_build()
            site.files = {"web.yaml.j2": documents(keeping(), autoscaler())}
            ran = deploy(site)
            assert (ran.code, calls_of(ran), pods(site)) == (0, [], count), ran.log
            assert "by hand" not in ran.log
            assert "redeploy" not in ran.log


def test_an_autoscalers_number_is_no_drift_of_a_text_that_has_another() -> None:
    with cluster_site(web_yaml=documents(workload(replicas=2), autoscaler())) as site:
        deploy(site, version="1.0.0", overwrite_version="true")
        scale(site, 7)
        site.next_build()
        ran = deploy(site, version="1.0.0", overwrite_version="true")
        assert (ran.code, calls_of(ran), pods(site)) == (0, [], 7), ran.log
        assert "pods" not in ran.log.partition("Nothing to deploy")[2].partition("Waiting")[0]


def test_the_way_back_by_hand_says_that_the_number_of_pods_is_the_old_texts() -> None:
    with cluster_site() as site:
        use(site, keeping())
        deploy(site)
        scale(site, 10)
        cluster_of(site).images[image_of("web", "2")] = Behaviour("not-found")
        use(site, keeping(tag="2"))
        ran = deploy(site)
        assert ran.code == 800506, ran.log
        assert "The text of that version decides how many pods there are" in ran.log
        assert "Before this run there were: Deployment/web 10." in ran.log


def test_redeploy_keeps_the_number_or_says_that_it_does_not() -> None:
    with deployed_site(web_yaml=workload()) as site:
        scale(site, 10)
        site.next_build()
        ran = deploy(site, redeploy="true")
        assert "Deployment/web: 10 pods now, 1 after this" in ran.log
        use(site, keeping())
        scale(site, 10)
        deploy(site, redeploy="true")
        assert pods(site) == 10


def test_an_autoscaler_that_scales_while_an_answer_is_lost_leaves_nothing_in_doubt() -> None:
    with cluster_site() as site:
        use(site, keeping())
        deploy(site)
        scale(site, 10)
        use(site, keeping())
        site.fault("handle-then-drop", DEPLOY)
        cluster_of(site).put(yaml.safe_load(autoscaler()))
        site.rival(lambda _: scale(site, 12), before=PREVIEW_AFTER)
        ran = deploy(site, redeploy="true")
        assert (ran.code, pods(site), len(calls_of(ran))) == (0, 12, 1), ran.log


def test_a_number_that_the_author_gives_wins_over_the_live_one() -> None:
    with cluster_site() as site:
        use(site, workload().replace("spec:\n", "spec:\n  replicas: {{ bcs('N') }}\n", 1))
        deploy(site, variables="N: 3")
        cluster_of(site).put(yaml.safe_load(autoscaler()))
        scale(site, 10)
        site.next_build()
        site.files = {"web.yaml.j2": workload().replace("spec:\n", "spec:\n  replicas: {{ bcs('N') }}\n", 1)}
        ran = deploy(site, variables="N: 3")
        assert (ran.code, pods(site)) == (0, 3), ran.log
        assert "Deployment/web: 10 pods now (an autoscaler's number), 3 after this" in ran.log
        use(site, keeping())
        ran = deploy(site, variables="live_replicas.Deployment.web: 5")
        assert (ran.code, pods(site)) == (0, 5), ran.log
        assert "stays as it is" not in ran.log


def test_a_restore_keeps_the_number_that_was_live_before_the_run() -> None:
    with cluster_site() as site:
        use(site, keeping())
        deploy(site)
        cluster_of(site).put(yaml.safe_load(autoscaler()))
        scale(site, 10)
        cluster_of(site).images[image_of("web", "2")] = Behaviour("not-found")
        for text in (keeping(tag="2"), workload(tag="2", replicas=1)):
            use(site, text)
            ran = deploy(site, on_failure="restore")
            assert (ran.outcome.result, image_live(site, "Deployment", "web")) == (
                "restored",
                image_of("web"),
            )
            assert pods(site) == 10, ran.log


def test_a_restore_that_can_not_keep_the_number_says_so() -> None:
    with deployed_site(web_yaml=workload()) as site:
        scale(site, 10)
        cluster_of(site).images[image_of("web", "2")] = Behaviour("not-found")
        site.next_build(web_yaml=workload(tag="2"))
        ran = deploy(site, on_failure="restore")
        assert (ran.outcome.result, pods(site)) == ("restored", 1)
        assert "Deployment/web: 10 pods before this run, 1 now" in ran.log
        scale(site, 10)
        use(site, keeping(tag="2"))
        ran = deploy(site, on_failure="restore")
        assert (ran.outcome.result, pods(site)) == ("restored", 1)
        assert "Deployment/web: 10 pods now, 1 after this" in ran.log


def test_builtin_web_keeps_the_number_of_its_own_autoscaler_and_of_any_other() -> None:
    def values(tag: str, more: str) -> str:
        return f"app: shop\ndomains: [{{host: a.example.com, image: '{image_of('web', tag)}', {more}}}]"

    name = "deployment.shop.a.example.com"
    with cluster_site() as site:
        first = deploy(site, templates="builtin:web", values=values("1", "autoscale: {min: 3, max: 20}"))
        assert first.code == 0, first.log
        assert number(live(site, "Deployment", name), "spec", "replicas") == 3
        cluster_of(site).load["Deployment", name] = 10
        site.clock.time += 120
        for tag, more, kept in (
            ("2", "autoscale: {min: 3, max: 20}", 10),
            ("3", "replicas: auto", 10),
            ("4", "replicas: 2", 2),
        ):
            site.next_build()
            ran = deploy(site, templates="builtin:web", values=values(tag, more))
            assert (ran.code, ran.log.count("10 pods now")) == (0, 2 if kept == 2 else 0), ran.log
            assert number(live(site, "Deployment", name), "spec", "replicas") == kept
        assert "replicas: auto in the values of builtin:web" in ran.log
        site.next_build()
        ran = deploy(
            site,
            templates="builtin:web",
            values=values("5", "replicas: auto"),
            template_set="shop",
            version="1.0.0",
        )
        assert ran.code == 800307
        assert "A template set can't keep the live number of pods" in ran.log


def test_a_later_call_of_a_large_deployment_takes_the_number_of_that_moment() -> None:
    def values(tag: str) -> str:
        of_each = f"image: '{image_of('web', tag)}', replicas: auto"
        domains = ", ".join(f"{{host: d{n:02}.example.com, {of_each}}}" for n in range(22))
        return f"app: shop\ndomains: [{domains}]"

    last = "deployment.shop.d21.example.com"
    with cluster_site() as site:
        assert deploy(site, templates="builtin:web", values=values("1")).code == 0
        scale(site, 5, name=last)
        site.next_build()
        site.emulator.state.pace = Pace(wait=site.clock.wait, deploy=1.0)
        site.rival(lambda _: scale(site, 9, name=last), before=DEPLOY, after=True)
        ran = deploy(site, templates="builtin:web", values=values("2"))
        assert ran.code == 0, ran.log
        assert len(calls_of(ran)) > 1
        assert number(live(site, "Deployment", last), "spec", "replicas") == 9


def test_a_plan_says_what_becomes_of_the_pods_before_anything_is_written() -> None:
    with cluster_site() as site:
        site.files = {"web.yaml.j2": keeping(), "api.yaml": workload(name="api"), "num.yaml.j2": ""}
        site.files["num.yaml.j2"] = workload(name="num").replace(
            "spec:\n", "spec:\n  replicas: {{ bcs('N') }}\n", 1
        )
        first = deploy(site, variables="N: 4")
        assert first.code == 0, first.log
        scale(site, 10)
        scale(site, 5, name="api")
        site.next_build()
        new = workload(name="num", tag="2").replace("spec:\n", "spec:\n  replicas: {{ bcs('N') }}\n", 1)
        site.files = {
            "web.yaml.j2": keeping(tag="2"),
            "api.yaml": workload(name="api", tag="2"),
            "num.yaml.j2": new,
        }
        before = len(site.emulator.state.find_versions(SPACE))
        ran = deploy(site, action="plan", variables="N: 3")
        assert ran.code == 0, ran.log
        assert len(site.emulator.state.find_versions(SPACE)) == before
        assert "The number of pods stays as it is: Deployment/web 10." in ran.log
        said = [
            "Deployment/api: 5 pods now, 1 after this, since its file says no number",
            "Deployment/num: 4 pods now, 3 after this, as its file says",
        ]
        assert [any(one in str(warning) for warning in ran.outcome.warnings) for one in said] == [True, True]
        ran = deploy(site, variables="N: 3")
        assert [ran.log.count(f"##[warning]{one}") for one in said] == [1, 1], ran.log
        assert ran.log.index(said[0]) < ran.log.index("publish")
        ran = deploy(site, action="plan", variables="N: 3")
        assert "stays as it is" not in ran.log, "nothing is deployed"


def test_numbers_of_pods_that_may_not_be_read_cost_a_plan_a_sentence() -> None:
    with deployed_site(web_yaml=workload()) as site:
        cluster_of(site).refuses["GET .*deployments"] = 403
        site.next_build(web_yaml=workload(tag="2"))
        ran = deploy(site, action="plan")
        assert ran.code == 0, ran.log
        assert "How many pods the workloads have could not be read" in ran.log


def test_autoscalers_that_may_not_be_read_cost_a_sentence() -> None:
    with deployed_site(web_yaml=workload()) as site:
        scale(site, 10)
        cluster_of(site).refuses["GET .*horizontalpodautoscalers"] = 403
        site.next_build(web_yaml=workload(tag="2"))
        ran = deploy(site)
        assert ran.code == 0, ran.log
        assert "Deployment/web: 10 pods now, 1 after this" in ran.log
        assert "Which workloads an autoscaler scales could not be read" in ran.log
