"""Going back: versions that exist are deployed, refused, waited for and reported as by any deployment."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager

from tests.emulator import Behaviour
from tests.support.deploying import (
    CLUSTER,
    NAMESPACE,
    calls_of,
    cluster_of,
    cluster_site,
    deploy,
    deploy_first,
    deployed_site,
    documents,
    image_live,
    image_of,
    live,
    mark_of,
    sent_files,
    take_release,
    workload,
)
from tests.support.desks import run_verb, settings_of, write_settings
from tests.support.publishing import Ran, Site, config, routes, site_after

from bcs_template_set.messages import Language
from bcs_template_set.messages.errors import (
    DryRunFailed,
    NewerBuild,
    NotReplaceable,
    PlanChanged,
    RouteRemoval,
    ValuesInvalid,
)
from bcs_template_set.messages.past_errors import NoSuchState, NothingNamed, VersionGone
from bcs_template_set.report.html import render_html

BUDGET = (
    "apiVersion: policy/v1beta1\nkind: PodDisruptionBudget\nmetadata: {name: web}\n"
    "spec: {minAvailable: 1, selector: {matchLabels: {app: web}}}\n"
)
"""What Kubernetes 1.25 no longer serves."""

FILES = {"web_yaml": workload(tag="57"), "conf_yaml": config("conf", "57")}


def back(site: Site, to: str = "", **inputs: str) -> Ran:
    """Go back, in the next build."""
    site.next_build()
    return deploy(site, **{"action": "rollback", "rollback_to": to, **inputs})


@contextmanager
def three_builds() -> Iterator[Site]:
    """Yield a site: build 7 publishes workload and configuration, 8 the workload only, 9 the other only."""
    with site_after(_three, **FILES) as site:
        yield site


def _three(site: Site) -> None:
    deploy_first(site)
    site.next_build(web_yaml=workload(tag="58"))
    assert deploy(site).code == 0
    site.next_build(conf_yaml=config("conf", "59"))
    assert deploy(site).code == 0


def builds_live(site: Site) -> tuple[str, str]:
    """Return the builds that workload and configuration are marked with."""
    marks = (mark_of(site, "Deployment", "web"), mark_of(site, "ConfigMap", "conf"))
    first, second = (mark.partition("-")[0].rpartition(".")[2] for mark in marks)
    return first, second


def test_a_target_is_a_state_and_a_second_previous_goes_further_back() -> None:
    with three_builds() as site:
        assert builds_live(site) == ("8", "9")
        ran = back(site, "build 8")
        assert (ran.code, ran.outcome.result) == (0, "rolled-back"), ran.log
        assert builds_live(site) == ("8", "7")
        (call,) = calls_of(ran)
        assert sent_files(site, call) == ["conf.yaml"]
        assert ran.written == ["POST template/deploy"]
        again = back(site, "previous")
        assert again.code == 0, again.log
        assert builds_live(site) == ("7", "7")
        assert image_live(site, "Deployment", "web") == image_of("web", "57")


def test_what_was_approved_is_what_is_gone_back_to() -> None:
    with three_builds() as site:
        planned = back(site, "build 8", action="plan")
        assert (planned.outcome.result, planned.written) == ("planned", [])
        assert "1.0.9-main -> 1.0.7-main" in planned.log
        assert "1.0.8-main (unchanged since build 8)" in planned.log
        assert planned.output()["changed"] == "true"
        digest = planned.output()["plan_digest"]
        assert isinstance(back(site, "build 7", expect_plan=digest).outcome.error, PlanChanged)
        assert back(site, "build 8", expect_plan=digest).outcome.result == "rolled-back"
        assert back(site, "build 8", action="plan").output()["changed"] == "false"
        again = back(site, "build 8")
        assert (again.outcome.result, calls_of(again)) == ("rolled-back", [])
        assert "Nothing to roll back" in again.log


def test_with_only_neither_values_nor_templates_are_read() -> None:
    with three_builds() as site:
        ran = back(site, "build 7", only="web.yaml", templates="", values="x: {{", values_files="gone.yaml")
        assert ran.code == 0, ran.log
        assert builds_live(site) == ("7", "9")
        assert [change.name for change in ran.outcome.plan.changes] == ["web.yaml"] if ran.outcome.plan else 0
        assert not any(exchange.method == "DELETE" for exchange in ran.exchanges)


def test_without_only_the_files_are_known_by_hosts_and_templates_and_the_values_have_to_be_readable() -> None:
    with three_builds() as site:
        site.next_build(web_yaml="{{ not_rendered }}")
        ran = back(site, "build 8")
        assert ran.code == 0, ran.log
        assert isinstance(back(site, "build 7", values="x: {").outcome.error, ValuesInvalid)


def refused(ran: Ran) -> object:
    """Return why a run was refused, which deployed nothing."""
    assert calls_of(ran) == [], ran.log
    return type(ran.outcome.error)


def test_what_is_not_there_is_refused_each_with_its_own_error() -> None:
    with three_builds() as site:
        gone = back(site, "1.0.57-main")
        assert refused(gone) is VersionGone
        assert "Is 1.0.7-main meant?" in gone.log
        assert refused(back(site, "build 6")) is NoSuchState
        assert refused(back(site, "build 570")) is NoSuchState
        unknown = back(site, "build 7", only="wev.yaml")
        assert refused(unknown) is NothingNamed
        assert 'Did you mean "web.yaml"?' in unknown.log
        assert back(site, "1.0.7-main").code == 0
        first = back(site)
        assert refused(first) is NoSuchState
        assert builds_live(site) == ("7", "7")


def test_what_was_deleted_is_not_taken_for_what_did_not_exist() -> None:
    with three_builds() as site:
        versions = site.emulator.state.versions
        versions.keep([v for v in versions if (v.file, v.version) != ("conf.yaml", "1.0.7-main")])
        ran = back(site, "build 8")
        assert refused(ran) is NoSuchState
        assert "the versions that these files had then are deleted: conf.yaml" in ran.log
        assert back(site, "build 8", only="web.yaml").code == 0
        site.next_build(web_yaml=workload(tag="60"))
        assert deploy(site).code == 0
        versions.keep([v for v in versions if (v.file, v.version) != ("web.yaml", "1.0.8-main")])
        assert "Later versions of these files were deleted" in back(site, "1.0.7-main", only="web.yaml").log


def test_a_file_that_did_not_exist_then_stays_and_is_named() -> None:
    with three_builds() as site:
        site.next_build(late_yaml=config("late", "10"), web_yaml=workload(tag="60"))
        assert deploy(site).code == 0
        ran = back(site)
        assert ran.code == 0, ran.log
        assert "did not exist then; they stay as they are: late.yaml" in ran.log
        assert (builds_live(site), mark_of(site, "ConfigMap", "late")) == (("8", "9"), "1.0.10-main")
        assert back(site).code == 0
        assert builds_live(site) == ("8", "7")


def test_a_build_whose_pods_never_were_live_is_passed_over_and_said() -> None:
    with three_builds() as site:
        site.next_build(web_yaml=workload(tag="60"))
        assert site.run().code == 0, "published, and deployed by nobody"
        site.next_build(web_yaml=workload(tag="61"))
        assert deploy(site).code == 0
        ran = back(site)
        assert ran.code == 0, ran.log
        assert "Builds passed over, since their pods never were live here: 10." in ran.log
        assert builds_live(site) == ("8", "9")


def test_an_undone_rollout_is_gone_back_from_by_its_marks() -> None:
    with three_builds() as site:
        cluster_of(site).undo_rollout(NAMESPACE, "web")
        site.clock.time += 5
        assert builds_live(site) == ("7", "9")
        assert back(site).code == 0
        assert builds_live(site) == ("7", "7")


def test_what_moved_between_files_goes_back_and_stays_and_a_plan_says_what_it_sends() -> None:
    both = documents(config("conf", "1"), workload(tag="57"))
    with deployed_site(a_yaml=both, b_yaml=config("other", "1")) as site:
        site.next_build(
            a_yaml=config("conf", "1"), b_yaml=documents(config("other", "1"), workload(tag="58"))
        )
        assert deploy(site).code == 0
        planned = back(site, "build 7", action="plan")
        assert "2 files to roll back" in planned.log, "also a.yaml, of which only the rest is at build 7"
        assert back(site, "build 7").code == 0
        assert image_live(site, "Deployment", "web") == image_of("web", "57")
        site.next_build()
        ran = deploy(site)
        assert (ran.code, calls_of(ran)) == (0, []), ran.log
        assert "b.yaml stays at 1.0.7-main" in ran.log


def test_what_is_live_under_a_name_that_its_file_no_longer_has_is_what_one_goes_back_from() -> None:
    with deployed_site(web_yaml=workload(tag="57")) as site:
        site.next_build(web_yaml=workload(tag="58"))
        assert deploy(site).code == 0
        site.next_build(web_yaml=workload(name="renamed", tag="59"))
        assert site.run().code == 0, "published, and deployed by nobody"
        ran = back(site)
        assert "web.yaml  1.0.8-main -> 1.0.7-main" in ran.log
        assert image_live(site, "Deployment", "web") == image_of("web", "57")


def test_a_route_that_the_older_version_lacks_is_not_taken_away() -> None:
    with cluster_site(a_yaml=routes("a.example.com", "/")) as site:
        take_release(site, "1.25")
        assert deploy(site).code == 0
        site.next_build(a_yaml=routes("a.example.com", "/", "/new"))
        assert deploy(site).code == 0
        ran = back(site)
        assert refused(ran) is RouteRemoval, ran.log
        cluster_of(site).deny(site.user, "namespace_scoped_view")
        assert refused(back(site, "build 7")) is RouteRemoval, "also where nobody may see what is live"
        assert refused(back(site)) is NoSuchState, "since what is before that is not known then"
        cluster_of(site).allow(site.user, "namespace_scoped_view")
        assert back(site, allow_route_removal="true").outcome.result == "rolled-back"


def test_an_older_build_does_not_take_back_what_a_newer_one_published() -> None:
    with three_builds() as site:
        site.build = 8
        assert refused(deploy(site, action="rollback", rollback_to="build 7")) is NewerBuild


def test_jobs_do_not_run_again() -> None:
    job = workload("Job", "move", tag="1")
    with deployed_site(web_yaml=workload(tag="57"), job_yaml=job) as site:
        site.next_build(web_yaml=workload(tag="58"))
        del site.files["job.yaml"]
        assert deploy(site).code == 0
        ran = back(site, only="web.yaml\njob.yaml")
        assert ran.code == 0, ran.log
        assert "These files hold Jobs alone and are not sent: job.yaml." in ran.log
        assert "Data, migrations and Jobs do not go back." in ran.log


def test_a_job_beside_other_objects_would_run_again_and_is_refused() -> None:
    with deployed_site(web_yaml=documents(workload(tag="57"), workload("Job", "move"))) as site:
        site.next_build(web_yaml=workload(tag="58"))
        assert deploy(site).code == 0
        assert refused(back(site)) is NotReplaceable


def test_what_the_cluster_no_longer_takes_is_refused_with_the_nearest_that_it_does() -> None:
    with cluster_site(web_yaml=workload(tag="57"), conf_yaml=config("conf", "57")) as site:
        take_release(site, "1.25")
        assert deploy(site).code == 0
        for text in (BUDGET, BUDGET.replace("1,", "2,")):
            site.next_build(conf_yaml=text)
            assert site.run().code == 0
        site.next_build(conf_yaml=config("conf", "60"))
        assert deploy(site).code == 0
        for action in ("plan", "rollback"):
            ran = back(site, "build 9", action=action)
            assert refused(ran) is DryRunFailed
            assert "The nearest version that BCS's dry run passes: 1.0.7-main." in ran.log


def test_a_rollback_that_fails_restores_as_a_deployment_does() -> None:
    with three_builds() as site:
        cluster_of(site).images[image_of("web", "57")] = Behaviour("not-found")
        ran = back(site, "build 7", on_failure="restore")
        assert ran.outcome.result == "restored", ran.log
        assert builds_live(site) == ("8", "9")


def at_desk(site: Site, *arguments: str, build: Mapping[str, str], **inputs: str) -> tuple[int, str]:
    """Run the verb at a desk; return its exit status, and what it printed."""
    given = {"cluster_id": CLUSTER, "namespace": NAMESPACE, "timeout": "0", **inputs}
    write_settings(site.root, {**settings_of(site, user=site.user, **given), "build": {**build}})
    done = run_verb(site.root, "rollback", *arguments)
    assert "Traceback" not in done.stderr
    return done.returncode, done.stdout + done.stderr


def test_what_a_rollback_tells_is_its_golden_file_and_its_report_can_be_shown(
    golden: Callable[[str, str], None],
) -> None:
    with three_builds() as site:
        site.next_build(web_yaml=workload(tag="60"))
        assert site.run().code == 0, "published, and deployed by nobody"
        site.next_build(web_yaml=workload(tag="61"), late_yaml=config("late", "11"))
        assert deploy(site).code == 0
        languages: tuple[Language, ...] = ("en_US", "zh_CN")
        for site.language in languages:
            ran = back(site)
            assert ran.code == 0, ran.log
            assert "1.0.8-main" in render_html(ran.outcome)
            golden(f"end_to_end/rollback.{site.language}.txt", groups_of(ran, last=3))
            site.next_build(conf_yaml=config("conf", str(site.build)))
            held = deploy(site)
            assert held.code == 0, held.log
            golden(f"end_to_end/held.{site.language}.txt", groups_of(held, last=1))


def groups_of(ran: Ran, *, last: int) -> str:
    """Return the end of a log, from so many of its last groups on, without a line that tells the release."""
    groups = ran.log.split("##[group]")[-last:]
    lines = ("##[group]" + "##[group]".join(groups)).splitlines(keepends=True)
    text = "".join(line for line in lines if not line.startswith("##[info]BCS")) + "\n"
    text = re.sub("20[0-9]{2}-[0-9T:-]+Z", "<moment>", text)
    return re.sub("[0-9a-f]{32}", "<digest>", text)  # of ids, which files get in any order


def test_at_a_desk_a_rollback_is_planned_and_with_yes_it_is_done() -> None:
    with three_builds() as site:
        status, shown = at_desk(site, "web.yaml", "--to", "build 7", build={})
        assert (status, builds_live(site)) == (0, ("8", "9")), shown
        assert "1.0.8-main -> 1.0.7-main" in shown
        assert "Nothing was deployed. To go back, give --yes." in shown
        status, shown = at_desk(site, "web.yaml", "--to", "build 7", "--yes", build={})
        assert (status, builds_live(site)) == (0, ("7", "9")), shown
        assert "Rolled back 1 file" in shown
        status, shown = at_desk(site, "nobody.example.com", build={})
        assert status == 1
        assert "which is neither a host nor a file" in shown


def test_at_a_desk_the_pipeline_is_said_or_the_only_one() -> None:
    with three_builds() as site:
        status, shown = at_desk(site, "web.yaml", build={"branch.name": "feature"})
        assert (status, "No pipeline has published these files on branch feature." in shown) == (1, True)
        site.next_build(web_yaml=workload(tag="60"))
        assert site.run().code == 0
        theirs = site.history("web.yaml")[-1]
        theirs.description = theirs.description.replace("pipeline=p-1", "pipeline=p-2")
        status, shown = at_desk(site, "web.yaml", build={})
        assert (status, "published by several pipelines: p-1, p-2." in shown) == (1, True)
        status, shown = at_desk(site, "web.yaml", build={"pipeline.id": "p-1"})
        assert (status, "1.0.8-main -> 1.0.7-main" in shown) == (0, True), shown


def test_what_is_not_live_here_comes_and_what_can_never_be_has_no_nearest() -> None:
    with cluster_site(conf_yaml=config("conf", "57")) as site:
        take_release(site, "1.25")
        site.files["conf.yaml"] = BUDGET
        assert site.run().code == 0
        for text in (BUDGET.replace("1,", "2,"), config("conf", "58")):
            site.next_build(conf_yaml=text)
            assert site.run().code == 0
        ran = back(site, "build 9")
        assert (ran.code, mark_of(site, "ConfigMap", "conf")) == (0, "1.0.9-main"), ran.log
        assert "conf.yaml  1.0.9-main (nothing of it is live)" in ran.log
        ran = back(site, "build 8")
        assert refused(ran) is DryRunFailed
        assert "None of the 1 build before passes BCS's dry run either." in ran.log
        ran = back(site, "build 7")
        assert refused(ran) is DryRunFailed
        assert "No build before it has published these files." in ran.log


def test_what_the_cluster_does_not_replace_is_not_sent() -> None:
    def fixed(value: str) -> str:
        return config("conf", value) + "immutable: true\n"

    with deployed_site(conf_yaml=fixed("57"), web_yaml=workload(tag="57")) as site:
        site.next_build(web_yaml=workload(tag="58"), conf_yaml=fixed("58"))
        assert site.run().code == 0
        conf = live(site, "ConfigMap", "conf")
        cluster_of(site).delete("ConfigMap", NAMESPACE, "conf")
        cluster_of(site).put({**conf, "data": {"key": "58"}})
        ran = back(site, "build 7")
        assert ran.code == 0, ran.log
        assert (
            "Not sent, since the cluster replaces none of them; they stay as they are: ConfigMap/conf."
            in ran.log
        )
