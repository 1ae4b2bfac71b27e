"""The gateway through the real transport, against the emulated site."""

from __future__ import annotations

import json

import pytest
from tests.emulator.emulator import Emulator
from tests.emulator.faults import Fault, Match, gateway_fault
from tests.support.pieces import (
    SECRET,
    app_principal,
)

from bcs_template_set.bcs import protocol
from bcs_template_set.bcs.gateway import Gateway
from bcs_template_set.bcs.retrying import RetryPolicy
from bcs_template_set.config.regions import Endpoint
from bcs_template_set.messages import errors
from bcs_template_set.messages import server_errors as servers
from bcs_template_set.messages.server_errors import OutcomeUnknown
from bcs_template_set.system.clock import Deadline, SystemClock
from bcs_template_set.system.http_client import Transport
from bcs_template_set.system.parallel import Raised, overlap

READ = protocol.get_project("demo")
WRITE = protocol.create_space("demo", name="web")


def gateway_to(emulator: Emulator, *, user: str = "lisi", path_prefix: str = "/v4") -> Gateway:
    clock = SystemClock()
    return Gateway(
        Endpoint(gateway=emulator.url, path_prefix=path_prefix),
        app_principal(user=user),
        transport=Transport(connect_timeout=2, read_timeout=2, environ={}),
        clock=clock,
        deadline=Deadline(clock, seconds=20),
        policy=RetryPolicy(first_wait=0.01),
    )


@pytest.fixture
def site() -> Emulator:
    emulator = Emulator()
    emulator.state.add_project("demo", viewers=["lisi"])
    emulator.state.add_app("my_app", SECRET, vouches_for=["lisi", "wangwu"])
    return emulator


def test_the_documented_mismatch_ends_in_no_permission_with_its_link(site: Emulator) -> None:
    with site, pytest.raises(errors.NoPermission) as caught:
        gateway_to(site, user="wangwu").read(READ)
    assert "Permission: View Project (project_view)" in str(caught.value)
    assert str(caught.value.context["apply_url"]).startswith("https://")
    assert caught.value.context["acting_user"] == "wangwu"


def test_an_unverified_user_is_nobody(site: Emulator) -> None:
    with site, pytest.raises(errors.NobodyArrived) as caught:
        gateway_to(site, user="zhaoliu").read(protocol.list_spaces("demo", name="web"))
    assert caught.value.fields == {"app_code": "my_app", "user": "zhaoliu"}


def test_a_wrong_prefix_is_no_such_path(site: Emulator) -> None:
    with site, pytest.raises(servers.NoSuchPath):
        gateway_to(site, path_prefix="").read(READ)


def test_an_unknown_project_is_not_visible(site: Emulator) -> None:
    with site:
        for call in (protocol.get_project("nope"), protocol.list_files("nope", "5" * 24)):
            with pytest.raises(errors.ProjectNotVisible):
                gateway_to(site).read(call)


@pytest.mark.parametrize("kind", ["handle-then-drop", "half", "drop-before-handling", "refuse"])
def test_a_creation_whose_answer_is_lost_is_sent_once(site: Emulator, kind: str) -> None:
    site.faults.add(Fault(kind, Match(method="POST")))
    with site, pytest.raises(OutcomeUnknown):
        gateway_to(site).write(WRITE)
    assert len(site.writes()) == 1


@pytest.mark.parametrize("kind", ["handle-then-drop", "half", "drop-before-handling", "refuse"])
def test_a_read_whose_answer_is_lost_is_sent_again(site: Emulator, kind: str) -> None:
    site.faults.add(Fault(kind, times=2))
    with site:
        assert gateway_to(site).read(READ).project_code == "demo"
    assert len(site.exchanges) == 3


def test_the_id_we_send_is_the_one_bcs_answers_with(site: Emulator) -> None:
    with site, pytest.raises(servers.BcsFailed) as caught:
        gateway_to(site).read(protocol.get_version("demo", "5" * 24))
    answered = json.loads(site.exchanges[0].answer_body)
    assert caught.value.context["request_id"] == answered["requestID"]
    assert caught.value.context["gateway_request_id"]


def test_a_whole_life_of_a_file(site: Emulator) -> None:
    with site:
        gateway = gateway_to(site)
        space = gateway.write(protocol.create_space("demo", name="web"))
        assert [s.id for s in gateway.read(protocol.list_spaces("demo", name="web"))] == [space.id]
        made = gateway.write(
            protocol.create_file(
                "demo",
                space_id=space.id,
                space="web",
                name="a.yaml",
                version="1.0.0",
                content="kind: A",
                version_description="d",
                below_space=False,
            )
        )
        second = gateway.write(
            protocol.create_version(
                "demo", template_id=made.id, version="1.0.1", content="kind: B", description="e", force=False
            )
        )
        (file,) = gateway.read(protocol.list_files("demo", space.id))
        assert (file.real_name, file.version, file.version_id) == ("a.yaml", "1.0.1", second.id)
        gateway.write(protocol.update_file("demo", file, version="1.0.0"))
        assert gateway.read(protocol.get_file("demo", made.id)).name == "web/a.yaml"
        (names,) = gateway.read(protocol.list_space_versions("demo", space.id))
        assert [v.version for v in names.version_list] == ["1.0.1", "1.0.0"]
        listed = gateway.read(protocol.list_versions("demo", made.id))
        assert [(v.version, v.content) for v in listed] == [("1.0.1", "kind: B"), ("1.0.0", "kind: A")]
        found = gateway.read(protocol.find_version("demo", space="web", name="a.yaml", version="1.0.0"))
        assert found is not None
        assert found.content == gateway.read(protocol.get_version("demo", made.version_id)).content
        assert gateway.read(protocol.find_version("demo", space="web", name="a.yaml", version="9")) is None
        gateway.write(
            protocol.create_template_set(
                "demo", name="set", version="1.0.0", description="", templates=[("web", "a.yaml", "1.0.0")]
            )
        )
        chart = gateway.read(protocol.get_chart_version("demo", name="set", version="1.0.0"))
        assert chart.template_contents() == {"a.yaml": "kind: A"}
        with pytest.raises(servers.BcsFailed) as caught:
            gateway.write(protocol.create_space("demo", name="web"))
        assert caught.value.fields["bcs_code"] == 7
    assert site.problems() == []


def test_with_real_threads_a_rate_limit_slows_all() -> None:
    with Emulator() as emulator:
        emulator.state.add_project("demo", viewers=["lisi"])
        emulator.state.add_app("my_app", SECRET, vouches_for=["lisi"])
        emulator.faults.add(gateway_fault("RATE_LIMIT_RESTRICTION", match=Match(), reset=1))
        gateway = gateway_to(emulator)
        gateway_results = overlap([lambda: gateway.read(READ)] * 8, concurrency=4)
    assert not [result for result in gateway_results if isinstance(result, Raised)]
    first = emulator.exchanges[0].started
    late = [exchange for exchange in emulator.exchanges if exchange.started > first + 0.9]
    assert late
    assert not [e for e in emulator.exchanges if first + 0.5 < e.started < first + 0.9]


def test_a_gateway_that_takes_few_at_once_refuses_one_round_at_most() -> None:
    with Emulator(latency=0.02) as emulator:
        emulator.state.add_project("demo", viewers=["lisi"])
        emulator.state.add_app("my_app", SECRET, vouches_for=["lisi"])
        emulator.door.at_once = 4
        gateway = gateway_to(emulator)
        results = overlap([lambda: gateway.read(READ)] * 24, concurrency=24)
    assert not [result for result in results if isinstance(result, Raised)]
    refused = [exchange for exchange in emulator.exchanges if exchange.status == 429]
    assert len(refused) <= 8
    assert emulator.most_at_once() <= 8
