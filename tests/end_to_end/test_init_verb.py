"""`bcs-template-set init`: values out of what is there, that change nothing, or why a domain does not fit."""

from __future__ import annotations

import io
import json
import stat
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from copy import deepcopy
from dataclasses import dataclass
from pathlib import Path
from typing import get_args

import yaml
from tests.emulator import Match
from tests.emulator.cluster.tree import Manifest, grow, items, text
from tests.emulator.faults import gateway_fault
from tests.support.deploying import CLUSTER, NAMESPACE, cluster_of, cluster_site, deploy, service, workload
from tests.support.desks import FILE, desk_agent, run_verb, settings_of, write_settings
from tests.support.draws import WHOLE, sampled, seed_of_this_run
from tests.support.publishing import Ran, Site

from bcs_template_set.agent.log import Log
from bcs_template_set.cli.desk_boundary import at_desk
from bcs_template_set.cli.verb_init import misfits, run_init
from bcs_template_set.cli.verb_plan import services_at_desk
from bcs_template_set.manifests.templating.first_values import first_values
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.messages import Language
from bcs_template_set.messages.errors import Interrupted
from bcs_template_set.run.settings_phase import read_everything
from bcs_template_set.system.signals import Stopped

VALUES = Path(__file__).parent.parent / "golden" / "web" / "everything.values.yaml"
HOST = "www.example.com"


@dataclass(frozen=True)
class Said:
    """What the verb printed, and its exit status."""

    status: int
    out: str
    log: str


def init(
    site: Site,
    *,
    output: str = "",
    published: bool = False,
    target: bool = True,
    language: Language = "en_US",
) -> Said:
    log, out = io.StringIO(), io.StringIO()
    place = {"cluster_id": CLUSTER, "namespace": NAMESPACE} if target else {}
    services = services_at_desk(desk_agent(site, **place), log=Log(log, language), clock=site.clock)
    status = at_desk(
        lambda: run_init(services, output, published=published, out=out),
        errors=lambda: services.log,
        settings_file=FILE,
    )
    return Said(status, out.getvalue(), log.getvalue())


def web(**more: object) -> dict[str, object]:
    found: dict[str, object] = yaml.safe_load(VALUES.read_text(encoding="utf-8"))
    found["domains"][0].update(more)  # type: ignore[index]  # the file's one domain
    return found


def roll_out(site: Site, values: object) -> Ran:
    return deploy(site, templates="builtin:web", values=json.dumps(values), timeout="0")


@contextmanager
def shop(**more: object) -> Iterator[Site]:
    """Yield a site where a domain that uses every value is live, and not known how it came there."""
    with cluster_site() as site:
        assert roll_out(site, web(**more)).outcome.result == "deployed"
        yield site


def test_what_is_live_becomes_values_and_a_plan_of_them_changes_nothing() -> None:
    with shop() as site:
        said = init(site)
        assert said.status == 0, said.log
        assert "nothing changes. Domains: 1, objects: 5." in said.log
        assert "www.example.com does not fit" not in said.log
        made = yaml.safe_load(said.out)
        assert made == yaml.safe_load(VALUES.read_text(encoding="utf-8")) | {"domains": made["domains"]}
        assert made["domains"][0]["replicas"] == "auto"
        ran = roll_out(site, made)
        assert (ran.outcome.result, ran.written) == ("deployed", []), ran.log
        assert yaml.safe_load(init(site, published=True, target=False).out) == made


def test_what_looks_secret_goes_to_a_new_file_of_ones_own_alone(tmp_path: Path) -> None:
    env = {
        "DB_PASSWORD": "hunter22",
        "URL": "https://me:s3cr3t@example.com",
        "FTP": "ftp://me@example.com",
        "A": "b\u2028c",
        "EMPTY_TOKEN": "",
    }
    with shop(env=env) as site:
        said = init(site)
        assert said.status == 0, said.log
        assert not any(value in said.out + said.log for value in ("hunter22", "s3cr3t", "me@example"))
        assert "domains[0].env.DB_PASSWORD, domains[0].env.URL, domains[0].env.FTP" in said.log
        assert yaml.safe_load(said.out)["domains"][0]["env"]["A"] == "b\u2028c"
        refused = site.run(templates="builtin:web", values=said.out)
        assert refused.code == 800302, refused.log
        assert "domains[0].env.DB_PASSWORD was left out by init" in refused.log
        output = tmp_path / "values.yaml"
        written = init(site, output=str(output))
        assert (written.status, written.out) == (0, ""), written.log
        assert "hunter22" not in written.log
        assert yaml.safe_load(output.read_text(encoding="utf-8"))["domains"][0]["env"] == env
        assert stat.S_IMODE(output.stat().st_mode) == 0o600
        again = init(site, output=str(output))
        assert (again.status, "is there already" in again.log) == (1, True)
        nowhere = init(site, output=str(tmp_path / "none" / "values.yaml"))
        assert (nowhere.status, "can't be made" in nowhere.log) == (1, True)


def test_what_does_not_fit_is_told_and_not_in_the_file() -> None:
    with shop() as site:
        cluster = cluster_of(site)
        for manifest in (
            workload(name="old"),
            service("old"),
            workload(name="deployment.other.a.example.com"),
        ):
            made = yaml.safe_load(manifest)
            grow(made, "metadata")["namespace"] = NAMESPACE
            cluster.put(made)
        said = init(site)
        assert said.status == 0, said.log
        assert "a.example.com does not fit: its app is other" in said.log
        assert "Of no domain of builtin:web, by their names: Deployment/old, Service/old" in said.log
        live = cluster.get("Deployment", NAMESPACE, f"deployment.shop.{HOST}")
        grow(live, "spec", "template", "metadata", "annotations")["sidecar"] = "yes"
        cluster.put(live)
        nothing = init(site)
        assert (nothing.status, nothing.out) == (1, ""), nothing.log
        assert "would change: spec.template.metadata.annotations" in nothing.log
        assert "No domain fits" in nothing.log


def test_what_can_t_be_read_is_no_answer() -> None:
    with shop() as site:
        assert "needs cluster_id and namespace" in init(site, target=False).log
        site.emulator.faults.add(
            gateway_fault("APP_NO_PERMISSION", match=Match("GET", r"/networks/services$"))
        )
        said = init(site)
        assert (said.status, said.out) == (1, "")


def test_objects_that_lack_or_are_too_many_and_what_a_check_refuses_are_told() -> None:
    with shop() as site:
        cluster = cluster_of(site)
        entry = deepcopy(cluster.get("Ingress", NAMESPACE, f"ingress-{HOST}-1"))
        grow(entry, "metadata")["name"] = f"ingress-{HOST}-3"
        grow(entry, "metadata", "annotations")["kubernetes.io/ingress.existLbId"] = "lb-3"
        cluster.put(entry)
        cluster.delete("Service", NAMESPACE, "service-shop-www-example-com")
        said = init(site)
        assert "Service/service-shop-www-example-com is not there, and would be made" in said.log
        assert f"Ingress/ingress-{HOST}-3 is there, and no value makes it" in said.log
        live = cluster.get("Deployment", NAMESPACE, f"deployment.shop.{HOST}")
        items(live, "spec", "template", "spec", "containers")[0]["image"] = "example.com/web"
        cluster.put(live)
        assert "www.example.com does not fit: " in init(site).log


def test_one_that_is_stopped_writes_nothing() -> None:
    def stop(_: object) -> None:
        raise Stopped(Interrupted(signal="SIGINT"))

    with shop() as site:
        log, out = io.StringIO(), io.StringIO()
        agent = desk_agent(site, cluster_id=CLUSTER, namespace=NAMESPACE)
        services = services_at_desk(agent, log=Log(log, "en_US"), clock=site.clock)
        services.record.record_request = stop  # type: ignore[method-assign,assignment]  # whoever hears of a request
        status = at_desk(
            lambda: run_init(services, "", published=False, out=out),
            errors=lambda: services.log,
            settings_file=FILE,
        )
        assert (status, out.getvalue()) == (1, "")


def test_the_verb_is_started_by_its_name(tmp_path: Path) -> None:
    with shop() as site:
        write_settings(tmp_path, settings_of(site))
        done = run_verb(tmp_path, "init", "--published")
        assert (done.returncode, HOST in done.stdout) == (0, True), done.stderr
        assert "nothing changes" in done.stderr


def test_what_it_prints_is_its_golden_file(golden: Callable[[str, str], None]) -> None:
    with shop(env={"DB_PASSWORD": "hunter22"}) as site:
        other = yaml.safe_load(workload(name="deployment.shop.a.example.com"))
        grow(other, "metadata")["namespace"] = NAMESPACE
        cluster_of(site).put(other)
        for language in get_args(Language):
            said = init(site, language=language)
            golden(f"end_to_end/init.{language}.txt", f"{said.log}---\n{said.out}")


# --- the property ---------------------------------------------------------------------------------------

Path_ = tuple[object, ...]


def read(found: Manifest) -> dict[str, YamlValue]:
    """Return an object as BCS's answer would be read."""
    body: dict[str, YamlValue] = json.loads(json.dumps(found))
    return body


def changes(value: object, path: Path_ = ()) -> Iterator[tuple[Path_, object]]:
    """Yield each place of an object with another value for it; of a mapping also one key more."""
    if isinstance(value, dict):
        yield (*path, "extra"), "1"
        for key, item in value.items():
            yield from changes(item, (*path, key))
    elif isinstance(value, list):
        for number, item in enumerate(value):
            yield from changes(item, (*path, number))
    elif isinstance(value, bool):
        yield path, not value
    elif isinstance(value, (int, float)):
        yield path, value + 1
    else:
        yield path, f"{value}x"


def changed(body: Mapping[str, YamlValue], path: Path_, value: object) -> dict[str, YamlValue]:
    found = deepcopy(dict(body))
    at: object = found
    for key in path[:-1]:
        at = at[key]  # type: ignore[index]  # each is what the path leads through
    at[path[-1]] = value  # type: ignore[index]  # as above
    return found


NOBODY_S = ("replicas", "clusterIP", "clusterIPs")
"""What is live of these stays: an autoscaler counts the pods, the cluster chooses the address."""
OF_THE_SERVER = (
    "status",
    "uid",
    "resourceVersion",
    "creationTimestamp",
    "generation",
    "selfLink",
    "namespace",
)


def test_each_field_changed_in_turn_is_carried_or_the_domain_is_listed() -> None:
    """What fits after a change has other values, which make exactly that."""
    with shop() as site:
        target = desk_agent(site, cluster_id=CLUSTER, namespace=NAMESPACE)
        context = read_everything(services_at_desk(target, log=Log(io.StringIO(), "en_US"), clock=site.clock))
        kinds = ("Deployment", "Service", "Ingress", "HorizontalPodAutoscaler")
        live = {
            f"{kind}/{text(found, 'metadata', 'name')}": read(found)
            for kind in kinds
            for found in cluster_of(site).find_all(kind, NAMESPACE)
        }
    before = first_values(live)
    assert [*misfits(before.domains[0], before, context)] == []
    cases = [
        (title, path, value)
        for title, body in live.items()
        for path, value in changes(body)
        if not any(name in path for name in OF_THE_SERVER)
    ]
    for title, path, value in cases if WHOLE else sampled(cases, count=40, seed=seed_of_this_run()):
        after = first_values({**live, title: changed(live[title], path, value)})
        domain = next((one for one in after.domains if one.host == HOST), None)
        if domain is None or [*misfits(domain, after, context)]:
            continue
        is_said = after.of([domain]) != before.of(before.domains)
        assert is_said or path[0] == "metadata" or path[1] in NOBODY_S, (title, path)
