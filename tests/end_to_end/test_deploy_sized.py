"""A deployment of any size: calls that fit the gateway's patience, whatever the pace and whatever fails."""

from __future__ import annotations

import json
import re
import threading
from collections.abc import Mapping

import pytest
from tests.emulator import gateway_fault
from tests.emulator.exchanges import Exchange, most_at_once
from tests.emulator.faults import Match
from tests.emulator.pace import Pace
from tests.support.deploying import (
    DEPLOY,
    calls_of,
    cluster_of,
    cluster_site,
    deploy,
    deployed_site,
    mark_of,
    rollout_files,
    sent_files,
    workload,
)
from tests.support.draws import swept
from tests.support.publishing import Ran, Site, config

from bcs_template_set.report.file_states import endings_of

BALANCERS = ["lb-1", "lb-2", "lb-3"]


def fleet(count: int, *, tag: str = "1") -> dict[str, str]:
    """Return the inputs of so many domains of builtin:web, of five objects each."""
    domains = [
        {"host": f"d{n:02}.example.com", "image": f"example.com/d{n:02}:{tag}", "load_balancers": BALANCERS}
        for n in range(count)
    ]
    return {"templates": "builtin:web", "values": json.dumps({"app": "nginx", "domains": domains})}


def configs(count: int, *, value: str = "1") -> dict[str, str]:
    return {f"{n:03}_yaml": config(f"c{n:03}", value) for n in range(count)}


def slow_down(site: Site, **pace: float) -> None:
    site.emulator.state.pace = Pace(wait=site.clock.wait, **pace)


def sent(site: Site, ran: Ran) -> list[list[str]]:
    """Return the files of each call, in the order in which it names them."""
    names = {version.id: version.file for version in site.emulator.state.find_versions("front-ends")}
    return [[names[i] for i in json.loads(call.request.body)["templateVersions"]] for call in calls_of(ran)]


def statuses(calls: list[Exchange]) -> set[int]:
    return {call.status for call in calls}


def states(ran: Ran) -> Mapping[str, str]:
    return {name: ending.state for name, ending in endings_of(ran.outcome).items()}


# --- a slow site ----------------------------------------------------------------------------------------


def test_while_a_call_lasts_the_log_says_what_is_waited_for() -> None:
    with cluster_site(**configs(1)) as site:
        told = "Still waiting for BCS: 1 file is under way."

        def last(seconds: float) -> None:
            site.clock.wait(seconds)
            tick = threading.Event()
            for _ in range(500):
                if told in site.printed.getvalue():
                    break
                tick.wait(0.01)

        site.emulator.state.pace = Pace(deploy=40, wait=last)
        ran = deploy(site)
        assert (ran.code, ran.log.count(told)) == (0, 1), ran.log


def test_thirty_domains_at_half_a_second_an_object_end_green_behind_a_gateway_that_waits_a_minute() -> None:
    with cluster_site() as site:
        slow_down(site, deploy=0.5, preview=0.25)
        ran = deploy(site, **fleet(30))
        assert (ran.code, ran.outcome.result) == (0, "deployed"), ran.log
        calls, looks = calls_of(ran), calls_of(ran, "/template/preview")
        assert statuses(calls) == statuses(looks) == {200}, "no call was cut short"
        assert 1 < most_at_once([*calls, *looks]) <= 4
        files = [name for call in sent(site, ran) for name in call]
        assert len(files) == len(set(files)) == len(ran.outcome.files), "nothing is sent twice"
        for call in sent(site, ran):
            hosts = [".".join(name.split(".")[:3]) for name in call]
            whole = [f for f in files if ".".join(f.split(".")[:3]) in hosts]
            assert sorted(call) == sorted(whole), "a domain's files are in one call"
        assert "30 of" not in ran.log
        assert "files are live. Now: d00.example.com.deployment.yaml" in ran.log


def test_twenty_objects_are_one_look_one_call_and_one_look_back() -> None:
    with cluster_site(**configs(20)) as site:
        ran = deploy(site)
        assert ran.code == 0
        assert (len(calls_of(ran)), len(calls_of(ran, "/template/preview"))) == (1, 2)


def test_a_call_that_was_cut_short_is_read_back_and_carried_on_in_smaller_ones() -> None:
    with cluster_site(**configs(50)) as site:
        slow_down(site, deploy=5.0, preview=0.1)
        ran = deploy(site)
        assert (ran.code, ran.outcome.result) == (0, "deployed"), ran.log
        first, *others = calls_of(ran)
        assert (first.status, statuses(others)) == (504, {200})
        assert len(sent(site, ran)[0]) == 20
        assert max(len(call) for call in sent(site, ran)[1:]) <= 4
        written = [name for kind, _, name in cluster_of(site).writes if kind == "ConfigMap"]
        assert len(written) == len(set(written)) == 50, "nothing that is live is sent twice"
        assert written == sorted(written), "files stay in line"


def test_a_look_that_takes_too_long_goes_into_smaller_ones() -> None:
    with cluster_site(**configs(20)) as site:
        slow_down(site, preview=4.0)
        ran = deploy(site)
        assert ran.code == 0, ran.log
        looks = calls_of(ran, "/template/preview")
        assert looks[0].status == 504
        assert looks[1].status == 200, "it is not sent again as it was"


def test_a_file_that_the_gateway_never_waits_for_is_given_up() -> None:
    text = "---\n".join(config(f"c{n:02}", "1") for n in range(20))
    with cluster_site(big_yaml=text) as site:
        slow_down(site, deploy=5.0)
        ran = deploy(site)
        assert (ran.code, ran.outcome.result) == (800505, "failed"), ran.log
        assert 2 <= len(calls_of(ran)) <= 4
        assert re.search(r"- ConfigMap/c00, ConfigMap/c01, .* and \d more: applied\n", ran.log)
        assert re.search(r"ConfigMap/c19: not applied", ran.log)
        assert states(ran) == {"big.yaml": "partly-deployed"}


# --- what fails in the middle ---------------------------------------------------------------------------


def refuse(site: Site, *, nth: int, body: str, status: int = 200) -> None:
    site.fault("answer", Match("POST", DEPLOY.path, nth=nth), status=status, times=99).body = body


def test_a_refusal_stops_what_has_not_begun_and_each_file_is_told() -> None:
    with cluster_site(**configs(60)) as site:
        slow_down(site, deploy=1.0)
        refuse(site, nth=2, body='{"code": 1, "message": "etcd is full", "data": null}')
        ran = deploy(site)
        site.emulator.faults.clear()
        assert (ran.code, len(calls_of(ran))) == (800504, 2), ran.log
        assert "etcd is full" in ran.log
        ended = states(ran)
        assert [ended[f"{n:03}.yaml"] for n in (0, 19, 20, 21, 40, 59)] == [
            *("deployed", "deployed"),
            *("not-deployed", "not-deployed"),
            *("not-attempted", "not-attempted"),
        ]
        assert len(rollout_files(ran)) == 20
        assert "BCS stopped at 020.yaml." in ran.log
        assert "Not attempted, since the deployment ended before: 040.yaml" in ran.log
        again = deploy(site)
        assert (again.code, len(rollout_files(again))) == (0, 40)


def test_a_right_that_ends_midway_leaves_what_is_live_told() -> None:
    with cluster_site(**configs(60)) as site:
        slow_down(site, deploy=1.0)
        refuse(site, nth=2, body='{"code": 40300, "message": "40300: no cluster_view permission"}')
        ran = deploy(site)
        site.emulator.faults.clear()
        assert (ran.code, len(calls_of(ran))) == (800210, 2), ran.log
        assert len(rollout_files(ran)) == 20
        assert [states(ran)[f"{n:03}.yaml"] for n in (0, 20, 59)] == [
            *("deployed", "not-deployed", "not-attempted")
        ]


def test_where_nobody_can_look_after_a_failed_call_its_files_are_unknown() -> None:
    """The token dies with the second call: neither it nor the look behind it is let through."""
    with cluster_site(**configs(60)) as site:
        slow_down(site, deploy=1.0)
        dead = gateway_fault("INVALID_ARGS", match=Match(), times=99, reason="access_token is invalid")

        def die(_: object) -> None:
            site.emulator.faults.add(dead)

        site.rival(die, before=Match("POST", DEPLOY.path, nth=2))
        site.emulator.faults.add(
            gateway_fault("INVALID_ARGS", match=Match("POST", DEPLOY.path, nth=2), reason="invalid")
        )
        ran = deploy(site)
        site.emulator.faults.clear()
        assert (ran.code, len(rollout_files(ran))) == (800205, 20), ran.log
        assert [states(ran)[f"{n:03}.yaml"] for n in (0, 20, 59)] == ["deployed", "unknown", "not-attempted"]
        assert ran.output()["changed"] == "true"


def test_where_nobody_can_look_after_a_call_the_way_back_is_told_all_the_same() -> None:
    with deployed_site(web_yaml=workload()) as site:
        site.next_build(web_yaml=workload(tag="2"))
        dead = gateway_fault("INVALID_ARGS", match=Match(), times=9_999, reason="access_token is invalid")

        def die(_: object) -> None:
            site.emulator.faults.add(dead)

        site.rival(die, before=DEPLOY)
        ran = deploy(site, timeout="30")
        site.emulator.faults.clear()
        assert (states(ran), len(calls_of(ran))) == ({"web.yaml": "unknown"}, 1), ran.log
        assert "Before, version 1.0.7-main was live and ready: web.yaml." in ran.log


def test_a_rate_limit_midway_is_waited_out() -> None:
    with cluster_site(**configs(60)) as site:
        fault = site.fault("answer", Match("POST", DEPLOY.path, nth=2), status=429, times=3)
        fault.body = '{"code": 1642902, "message": "too many"}'
        ran = deploy(site)
        assert (ran.code, len(rollout_files(ran))) == (0, 60), ran.log


@pytest.mark.parametrize(
    "kind", swept(["handle-then-drop", "drop-before-handling", "refuse", "half"], sample=2)
)
def test_an_answer_lost_midway_is_read_back_and_the_rest_is_sent(kind: str) -> None:
    with cluster_site(**configs(60)) as site:
        site.fault(kind, Match("POST", DEPLOY.path, nth=2))
        ran = deploy(site)
        assert (ran.code, len(rollout_files(ran))) == (0, 60), ran.log
        written = [name for kind, _, name in cluster_of(site).writes if kind == "ConfigMap"]
        assert len(written) == len(set(written)) == 60


def test_a_gateway_that_fails_for_good_midway_ends_the_deployment() -> None:
    with cluster_site(**configs(60)) as site:
        site.fault("answer", Match("POST", DEPLOY.path, nth=2), status=502, times=99)
        ran = deploy(site)
        site.emulator.faults.clear()
        assert (ran.code, len(rollout_files(ran))) == (800505, 20), ran.log
        assert len(calls_of(ran)) <= 4


def test_no_call_begins_without_time_for_it() -> None:
    with cluster_site(**configs(60)) as site:
        slow_down(site, deploy=1.0)
        site.seconds = 40.0
        ran = deploy(site)
        assert ran.code == 800612, ran.log
        done = len(rollout_files(ran))
        assert 20 <= done < 60
        ended = states(ran)
        assert set(ended.values()) == {"deployed", "not-attempted"}
        assert list(ended.values()).count("deployed") == done
        assert mark_of(site, "ConfigMap", "c059") == ""


def test_a_first_failure_is_not_hidden_by_a_later_one() -> None:
    with cluster_site() as site:
        slow_down(site, deploy=0.5)
        refuse(site, nth=2, body='{"code": 1, "message": "etcd is full", "data": null}')
        ran = deploy(site, **fleet(30))
        site.emulator.faults.clear()
        assert ran.code == 800504
        assert ran.log.partition("Failed")[2].count("etcd is full") >= 2


def test_a_restore_of_many_files_goes_in_sized_calls_too() -> None:
    with deployed_site(**configs(60)) as site:
        site.next_build(**configs(60, value="2"))
        slow_down(site, deploy=1.0, preview=0.5)
        refuse(site, nth=3, body='{"code": 1, "message": "etcd is full", "data": null}')
        site.emulator.faults._ordered[-1].times = 1
        ran = deploy(site, on_failure="restore")
        assert ran.code == 800504
        first = site.version_names("000.yaml")[0]
        assert {mark_of(site, "ConfigMap", f"c{n:03}") for n in range(60)} == {first}, ran.log
        assert ran.outcome.result == "restored"
        assert sent_files(site, calls_of(ran)[-1])
