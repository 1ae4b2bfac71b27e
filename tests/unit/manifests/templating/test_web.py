from __future__ import annotations

import copy
import json
import time
import tracemalloc
from importlib import resources
from pathlib import Path
from typing import Any, Callable, Optional

import jsonschema
import pytest
import yaml
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from tests.support.building import findings_of, render, web, web_mistakes
from tests.support.draws import WHOLE, examples

from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.manifests.templating.web_values import (
    LEFT_OUT,
    Autoscale,
    Domain,
    Probe,
    Resources,
    Volume,
    Web,
    read_web_values,
)
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.messages import LANGUAGES, Text, say
from bcs_template_set.messages.errors import LimitExceeded, TemplateUnreadable, ValuesInvalid
from bcs_template_set.records.decoding import convert

CASE = Path(__file__).parents[3] / "golden" / "web"
SCHEMA: dict[str, Any] = json.loads(
    resources.files("bcs_template_set.templates").joinpath("web/values.schema.json").read_text("utf-8")
)
VALIDATOR = jsonschema.Draft202012Validator(SCHEMA)


def bodies(files: tuple[ManifestFile, ...]) -> dict[str, Any]:
    return {document.title: document.body for file in files for document in file.documents}


def one(tmp_path: Path, **domain: object) -> dict[str, Any]:
    """Render one domain with these values; return its objects by kind."""
    values = {"app": "shop", "domains": [{"host": "a.example.com", "image": "r/shop:1", **domain}]}
    files = web(tmp_path, yaml.safe_dump(values))
    found: dict[str, Any] = {}
    for file in files:
        for document in file.documents:
            found.setdefault(document.kind, []).append(document.body)
    return found


def container(tmp_path: Path, **domain: object) -> Any:  # noqa: ANN401 - a manifest's part
    (deployment,) = one(tmp_path, **domain)["Deployment"]
    return deployment["spec"]["template"]["spec"]["containers"][0]


def complaints(tmp_path: Path, values: str) -> list[str]:
    with pytest.raises(ValuesInvalid) as caught:
        web(tmp_path, values)
    for language in LANGUAGES:
        assert caught.value.explain(language)
    return [str(detail) for detail in caught.value.details]


# --- the golden case


def test_the_golden_case_gives_exactly_the_three_documents(tmp_path: Path) -> None:
    files = web(tmp_path, (CASE / "values.yaml").read_text("utf-8"))
    found = {document.kind.lower(): document.body for file in files for document in file.documents}
    wanted = {
        kind: yaml.safe_load((CASE / f"{kind}.yaml").read_text("utf-8"))
        for kind in ("deployment", "service", "ingress")
    }
    assert found == wanted
    assert findings_of(*files) == ()


def test_the_texts_of_the_golden_case_are_kept(tmp_path: Path, golden: Callable[[str, str], None]) -> None:
    files = web(tmp_path, (CASE / "values.yaml").read_text("utf-8"))
    assert [file.name for file in files] == [
        f"test.icabe.game.{part}.yaml" for part in ("deployment", "routes", "service")
    ]
    for file in files:
        golden(f"web/{file.name}", file.text)
        assert file.domain == "test.icabe.game"
        assert file.source.startswith("builtin:web/")


def test_a_domain_that_uses_everything_is_kept(tmp_path: Path, golden: Callable[[str, str], None]) -> None:
    files = web(tmp_path, (CASE / "everything.values.yaml").read_text("utf-8"))
    assert findings_of(*files) == ()
    for file in files:
        golden(f"web/everything.{file.name}", file.text)


# --- what the values do


def test_a_domain_without_load_balancers_has_a_service_and_no_ingress(tmp_path: Path) -> None:
    assert one(tmp_path).keys() == {"Deployment", "Service"}
    files = web(tmp_path, "app: a\ndomains: [{host: a.b, image: 'r:1'}]")
    assert [len(file.documents) for file in files] == [1, 0, 1]
    assert findings_of(*files) == ()


def test_each_load_balancer_has_an_ingress_with_every_path(tmp_path: Path) -> None:
    objects = one(tmp_path, load_balancers=["lb-1", "lb-2"], paths=["/", "/api"])
    names = [ingress["metadata"]["name"] for ingress in objects["Ingress"]]
    assert names == ["ingress-a.example.com-0", "ingress-a.example.com-1"]
    for ingress, balancer in zip(objects["Ingress"], ("lb-1", "lb-2")):
        assert ingress["metadata"]["annotations"]["kubernetes.io/ingress.existLbId"] == balancer
        paths = ingress["spec"]["rules"][0]["http"]["paths"]
        assert [path["path"] for path in paths] == ["/", "/api"]
        assert {path["backend"]["service"]["name"] for path in paths} == {"service-shop-a-example-com"}


def test_without_tls_there_is_no_certificate(tmp_path: Path) -> None:
    (ingress,) = one(tmp_path, load_balancers=["lb-1"], tls=False)["Ingress"]
    assert "tls" not in ingress["spec"]


def test_ports_go_everywhere_they_belong(tmp_path: Path) -> None:
    objects = one(tmp_path, port=8080, node_port=30080, load_balancers=["lb-1"])
    (port,) = objects["Service"][0]["spec"]["ports"]
    assert (port["port"], port["targetPort"], port["nodePort"]) == (8080, "container", 30080)
    backend = objects["Ingress"][0]["spec"]["rules"][0]["http"]["paths"][0]["backend"]
    assert backend["service"]["port"] == {"number": 8080}
    assert container(tmp_path, port=8080)["ports"][0]["containerPort"] == 8080


def replicas(tmp_path: Path, **domain: YamlValue) -> object:
    return one(tmp_path, **domain)["Deployment"][0]["spec"]["replicas"]


def test_the_number_of_pods_is_the_authors_or_the_live_one(tmp_path: Path) -> None:
    live = "{{ live_replicas.Deployment.deployment.shop.a.example.com }}"
    assert replicas(tmp_path) == 1
    assert replicas(tmp_path, replicas=0) == 0
    assert replicas(tmp_path, replicas="auto") == replicas(tmp_path, autoscale={"max": 5}) == live
    assert replicas(tmp_path, replicas="auto", autoscale={"max": 5}) == live


def test_an_autoscaler_is_there_where_it_is_asked_for_in_a_version_that_every_kubernetes_has(
    tmp_path: Path,
) -> None:
    assert "HorizontalPodAutoscaler" not in one(tmp_path, replicas="auto")
    (found,) = one(tmp_path, autoscale={"max": 5, "min": 2, "cpu": 60})["HorizontalPodAutoscaler"]
    assert found["apiVersion"] == "autoscaling/v1"
    name = "deployment.shop.a.example.com"
    target = {"apiVersion": "apps/v1", "kind": "Deployment", "name": name}
    assert found["metadata"] == {"name": name}
    assert found["spec"] == {
        "scaleTargetRef": target,
        "minReplicas": 2,
        "maxReplicas": 5,
        "targetCPUUtilizationPercentage": 60,
    }
    (found,) = one(tmp_path, autoscale={"max": 5})["HorizontalPodAutoscaler"]
    assert (found["spec"]["minReplicas"], found["spec"]["targetCPUUtilizationPercentage"]) == (1, 80)


def test_how_long_a_pod_must_be_ready_and_a_rollout_may_stand_still_reach_the_deployment(
    tmp_path: Path,
) -> None:
    spec = one(tmp_path, min_ready_seconds=30, progress_deadline=1800)["Deployment"][0]["spec"]
    assert (spec["minReadySeconds"], spec["progressDeadlineSeconds"]) == (30, 1800)
    spec = one(tmp_path, progress_deadline=None)["Deployment"][0]["spec"]
    assert spec["minReadySeconds"] == 0
    assert "progressDeadlineSeconds" not in spec


def test_environment_resources_and_probes_reach_the_container(tmp_path: Path) -> None:
    found = container(
        tmp_path,
        env={"A": "1", "B": "yes"},
        resources={"requests": {"cpu": 0.5}, "limits": {"memory": "1Gi"}},
        liveness={"path": "/healthz", "initial_delay": 5},
        readiness={},
    )
    assert found["env"] == [{"name": "A", "value": "1"}, {"name": "B", "value": "yes"}]
    assert found["resources"] == {"requests": {"cpu": 0.5}, "limits": {"memory": "1Gi"}}
    assert found["livenessProbe"] == {
        "httpGet": {"path": "/healthz", "port": "container"},
        "initialDelaySeconds": 5,
        "periodSeconds": 10,
        "timeoutSeconds": 1,
        "failureThreshold": 3,
    }
    assert found["readinessProbe"]["tcpSocket"] == {"port": "container"}


def test_secrets_to_pull_with_and_the_ingress_class_come_from_the_top(tmp_path: Path) -> None:
    values = {
        "app": "shop",
        "image_pull_secrets": ["one", "two"],
        "ingress_class": "nginx",
        "domains": [{"host": "a.example.com", "image": "r:1", "load_balancers": ["lb-1"]}],
    }
    objects = bodies(web(tmp_path, json.dumps(values)))
    pod = objects["Deployment/deployment.shop.a.example.com"]["spec"]["template"]["spec"]
    assert pod["imagePullSecrets"] == [{"name": "one"}, {"name": "two"}]
    ingress = objects["Ingress/ingress-a.example.com-0"]
    assert ingress["metadata"]["annotations"]["kubernetes.io/ingress.class"] == "nginx"


@pytest.mark.parametrize(
    "value",
    ["yes", "1.10", "a: b", "x\ny", "- a", "#c", "'", '"', "{a: b}", "\\n", "\x7f", "😀", "\u2028", "~", ""],
)
def test_no_value_changes_the_structure(tmp_path: Path, value: str) -> None:
    assert container(tmp_path, env={"A": value})["env"] == [{"name": "A", "value": value}]


@given(value=st.text(st.characters(exclude_categories=["Cs"]), max_size=60))
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
def test_any_text_is_kept(tmp_path: Path, value: str) -> None:
    assert container(tmp_path, env={"A": value})["env"] == [{"name": "A", "value": value}]


HOSTS = st.from_regex(r"[a-z]{1,4}(\.[a-z]{1,4}){1,2}", fullmatch=True)


@given(hosts=st.lists(HOSTS, unique=True, min_size=1, max_size=6), data=st.data())
@settings(suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None, max_examples=10)
def test_the_order_of_domains_changes_nothing(tmp_path: Path, hosts: list[str], data: st.DataObject) -> None:
    def files(order: list[str]) -> tuple[ManifestFile, ...]:
        domains = [{"host": host, "image": "r:1", "load_balancers": ["lb-1"]} for host in order]
        return web(tmp_path, json.dumps({"app": "a", "domains": domains}))

    assert files(hosts) == files(data.draw(st.permutations(hosts)))


def test_one_domains_files_do_not_depend_on_the_others(tmp_path: Path) -> None:
    def files(*domains: object) -> dict[str, str]:
        return {file.name: file.text for file in web(tmp_path, json.dumps({"app": "a", "domains": domains}))}

    first, second = {"host": "a.b", "image": "r:1"}, {"host": "c.d", "image": "r:2"}
    assert files(first, second) == {**files(first), **files(second)}


def test_a_new_image_changes_the_deployments_file_only(tmp_path: Path) -> None:
    def files(image: str) -> dict[str, str]:
        values = {"app": "a", "domains": [{"host": "a.b", "image": image, "load_balancers": ["lb-1"]}]}
        return {file.name: file.text for file in web(tmp_path, json.dumps(values))}

    old, new = files("r:1"), files("r:2")
    assert [name for name in old if old[name] != new[name]] == ["a.b.deployment.yaml"]


def test_templates_of_the_workspace_stand_beside_builtin_ones(tmp_path: Path) -> None:
    (tmp_path / "extra.yaml.j2").write_text(
        "apiVersion: v1\nkind: ConfigMap\nmetadata: {name: {{ extra }}}\n"
    )
    values = "app: a\nextra: more\ndomains: [{host: a.b, image: 'r:1'}]"
    files = render(tmp_path, "extra.yaml.j2", "builtin:web", values=values)
    assert [file.name for file in files] == [
        "a.b.deployment.yaml",
        "a.b.routes.yaml",
        "a.b.service.yaml",
        "extra.yaml",
    ]


def test_a_file_of_the_workspace_with_a_domains_name_is_a_mistake(tmp_path: Path) -> None:
    (tmp_path / "a.b.routes.yaml").write_text("a: 1")
    with pytest.raises(TemplateUnreadable, match="builtin:web"):
        render(
            tmp_path, "a.b.routes.yaml", "builtin:web", values="app: a\ndomains: [{host: a.b, image: 'r:1'}]"
        )


def test_more_domains_than_files_allowed_are_refused(tmp_path: Path) -> None:
    domains = [{"host": f"h{number}.a", "image": "r:1"} for number in range(1666)]
    for name in "abc":
        (tmp_path / f"{name}.yaml").write_text("a: 1\n")
    with pytest.raises(LimitExceeded, match="5001"):
        render(tmp_path, "builtin:web", "*.yaml", values=json.dumps({"app": "a", "domains": domains}))


# --- mistakes in the values

VOLUME = "{name: v, host_path: /a, mount_path: /x}"


def test_every_mistake_is_said_at_once_with_its_path(tmp_path: Path) -> None:
    values = """
ap: shop
domains:
  - host: UPPER.example.com
    image: r:1
  - host: a.example.com
    imge: r:1
    zzz: 1
    port: 80.5
    node_port: 80
    paths: []
    replicas: -1
    autoscale: {cpu: 0}
    tls: "no"
    env: {A: 1, 1A: x}
    resources: {limits: {cpu: lots}}
    liveness: {path: healthz, perod: 1}
    load_balancers: lb-1
    volumes:
      - {name: v, host_path: data, mount_path: /a}
      - 5
image_pull_secrets: null
"""
    said = "\n".join(complaints(tmp_path, values))
    for part in (
        'ap is not known. Did you mean "app"?',
        "domains[1].zzz is not known; known: host, image",
        "app is missing; it takes lower-case letters",
        "domains[0].host is text of another form; it takes a domain in lower case",
        "domains[1].imge is not known",
        'Did you mean "image"?',
        "domains[1].image is missing; it takes an image with its tag",
        "domains[1].port is the number 80.5; it takes a whole number from 1 to 65535.",
        "domains[1].node_port is the number 80; it takes 0, or a whole number from 30000",
        "domains[1].paths is",
        "domains[1].replicas is the number -1; it takes a whole number from 0 to 10000, or auto.",
        "domains[1].autoscale.max is missing; it takes a whole number from 1 to 10000.",
        "domains[1].autoscale.cpu is the number 0; it takes a whole number from 1 to 1000.",
        "domains[1].tls is text; it takes true or false.",
        "domains[1].env.A is a number; write it in quotes.",
        "domains[1].env.1A is",
        "domains[1].resources.limits.cpu is text; it takes an amount",
        "domains[1].liveness.path is text of another form; it takes a path that begins with /",
        "domains[1].liveness.perod is not known",
        "domains[1].load_balancers is text; write a list, each entry in a line",
        "domains[1].volumes[0].host_path is text of another form",
        "domains[1].volumes[1] is the number 5; it takes a mapping with the keys name, host_path",
        "image_pull_secrets is empty: leave it out, or give it a list.",
    ):
        assert part in said


@pytest.mark.parametrize(
    "domain",
    [
        "host: Canary!, image: 'r:1'",
        "host: a.b, image: 'r:1', env: {PASSWORD canary}",
        "host: a.b, image: 'r:1', env: {PASSWORD: [canary], A: {b: canary}, canary/x: 5}",
        "host: a.b, image: 'r:1', password=canary+: 5",
        "host: a.b, image: 'https://canary@db /', replicas: canary, tls: canary",
        "host: a.b, image: 'r:1', paths: [/canary, /canary], load_balancers: [canary, canary]",
    ],
)
def test_no_mistake_shows_what_stands_there(tmp_path: Path, domain: str) -> None:
    said = "\n".join(complaints(tmp_path, f"app: a\ndomains: [{{{domain}}}]"))
    assert "domains[0]" in said
    assert "canary" not in said.lower()


@pytest.mark.parametrize(
    ("domains", "says"),
    [
        (
            "[{host: a.b, image: 'r:1'}, {host: a.b, image: 'r:2'}]",
            "domains[0].host, domains[1].host are the same",
        ),
        (
            "[{host: a.b, image: 'r:1', paths: [/a, /a]}]",
            "domains[0].paths[0], domains[0].paths[1] are the same",
        ),
        (
            "[{host: a.b, image: 'r:1', load_balancers: [x, x]}]",
            "domains[0].load_balancers[0], domains[0].load_balancers[1] are the same",
        ),
        (
            f"[{{host: a.b, image: 'r:1', volumes: [{VOLUME}, {VOLUME}]}}]",
            "domains[0].volumes[0].name, domains[0].volumes[1].name are the same",
        ),
        (
            "[{host: a.b, image: 'r:1', load_balancers: [x], branch_paths: true, paths: [/a]}]",
            "domains[0].paths can't be given beside domains[0].branch_paths: true",
        ),
        (
            "[{host: a.b, image: 'r:1', branch_paths: true}]",
            "there is no Ingress to serve a path; name one in domains[0].load_balancers.",
        ),
        (
            "[{host: a.b, image: 'r:1', autoscale: {min: 3, max: 2}}]",
            "domains[0].autoscale.min is greater than domains[0].autoscale.max",
        ),
        (
            "[{host: a.b, image: 'r:1', replicas: 2, autoscale: {max: 2}}]",
            "domains[0].replicas can't be given beside domains[0].autoscale",
        ),
        (
            "[{host: a.b, image: 'r:1', min_ready_seconds: 600}]",
            "domains[0].min_ready_seconds must be less than domains[0].progress_deadline",
        ),
        (
            "[{host: a.b, image: 'r:1', min_ready_seconds: 30, progress_deadline: 30}]",
            "domains[0].min_ready_seconds must be less than domains[0].progress_deadline",
        ),
        ("[]", "domains is"),
        ("null", "domains is empty"),
    ],
)
def test_what_does_not_go_together_is_said(tmp_path: Path, domains: str, says: str) -> None:
    assert says in "\n".join(complaints(tmp_path, f"app: a\ndomains: {domains}"))


# --- the schema


def test_the_schema_is_a_schema_with_words_for_editors() -> None:
    jsonschema.Draft202012Validator.check_schema(SCHEMA)
    VALIDATOR.validate(yaml.safe_load((CASE / "values.yaml").read_text("utf-8")))
    domain = SCHEMA["$defs"]["domain"]["properties"]
    assert [
        name for name, entry in domain.items() if not (entry.get("title") and entry.get("description"))
    ] == []


def test_schema_and_structs_have_the_same_fields_and_defaults() -> None:
    for struct, entry in (
        (Web, SCHEMA),
        (Domain, SCHEMA["$defs"]["domain"]),
        (Volume, SCHEMA["$defs"]["volume"]),
        (Probe, SCHEMA["$defs"]["probe"]),
        (Resources, SCHEMA["$defs"]["domain"]["properties"]["resources"]),
        (Autoscale, SCHEMA["$defs"]["autoscale"]),
    ):
        shape = struct.shape
        assert list(shape.fields) == list(entry["properties"])
        needed = [name for name in shape.fields if name not in shape.defaults]
        assert needed == entry.get("required", [])
        whole = struct(**dict.fromkeys(needed, ""))  # type: ignore[arg-type]  # any of them
        for name, schema in entry["properties"].items():
            if "default" in schema:
                assert getattr(whole, name) == schema["default"]


_WHOLE: dict[str, Any] = {
    "app": "a",
    "domains": [
        {
            "host": "a",
            "image": "r",
            "progress_deadline": 1,
            "load_balancers": ["b"],
            "volumes": [{"name": "v", "host_path": "/", "mount_path": "/"}],
            "env": {"A": ""},
            "resources": {"requests": {"cpu": 0}, "limits": {}},
            "liveness": {},
        }
    ],
    "image_pull_secrets": ["s"],
    "main_branches": ["m"],
}
_LONG = "a." * 126
"""Of a name in lower case with dots, all but its last of 253 characters."""


def with_value(path: str, value: object) -> dict[str, Any]:
    """Return right values in which another one stands at a path."""
    values = copy.deepcopy(_WHOLE)
    inside: Any = values
    *parents, last = (int(key) if key.isdigit() else key for key in path.split("."))
    for key in parents:
        inside = inside[key]
    inside[last] = value
    return values


D = "domains.0"


@pytest.mark.parametrize(
    ("path", "right", "wrong", "takes"),
    [
        ("app", ["a" * 63], ["", "a" * 64, "a.b"], "lower-case letters, digits and -, at most 63"),
        (f"{D}.host", [f"{_LONG}a"], [f"{_LONG}aa", "a/b"], "a domain in lower case"),
        (f"{D}.image", ["r" * 512], ["r" * 513, "r b"], "an image with its tag"),
        (f"{D}.replicas", [10_000, "auto"], [-1, 10_001], "a whole number from 0 to 10000, or auto"),
        (
            f"{D}.autoscale",
            [{"max": 1}, {"max": 10_000, "min": 10_000}],
            [{"max": 0}, {"max": 10_001}, {"max": 1, "min": 0}],
            "a whole number from 1 to 10000.",
        ),
        (
            f"{D}.autoscale",
            [{"max": 1, "cpu": 1}, {"max": 1, "cpu": 1000}],
            [{"max": 1, "cpu": 0}, {"max": 1, "cpu": 1001}],
            "a whole number from 1 to 1000.",
        ),
        (f"{D}.progress_deadline", [1, 86_400, None], [0, 86_401], "a whole number from 1 to 86400."),
        (f"{D}.port", [1, 65_535], [0, 65_536], "a whole number from 1 to 65535"),
        (f"{D}.node_port", [0, 30_000, 32_767], [-1, 1, 29_999, 32_768], "0, or a whole number from 30000"),
        (f"{D}.load_balancers.0", ["B" * 63], ["b" * 64, "b.c"], "the id of a CLB"),
        (f"{D}.paths", [["/" + "a" * 1023]], [["/" + "a" * 1024], ["a"]], "a path that begins with /"),
        (f"{D}.volumes.0.name", ["v" * 63], ["v" * 64, "v.w"], "letters, digits and -, at most 63"),
        (
            f"{D}.volumes.0.mount_path",
            ["/" + "a" * 1023],
            ["/" + "a" * 1024, "/:"],
            "that begins with / and has no :",
        ),
        (f"{D}.volumes.0.read_only", [True], ["yes"], "true or false"),
        (f"{D}.env", [{"a" * 253: ""}], [{"a" * 254: ""}, {"1": ""}], "letters, digits, _, - and ., not"),
        (
            f"{D}.resources.limits",
            [{f"{_LONG}a": 1}],
            [{f"{_LONG}aa": 1}],
            "lower-case letters, digits, - and .",
        ),
        (
            f"{D}.resources.requests.cpu",
            ["1" * 32, 0.5],
            ["1" * 33, "1x", -1, -0.5],
            "an amount such as 250m",
        ),
        (f"{D}.liveness.initial_delay", [0, 86_400], [-1, 86_401], "whole seconds from 0 to 86400"),
        (f"{D}.liveness.period", [1, 86_400], [0, 86_401], "a whole number from 1 to 86400."),
        ("image_pull_secrets.0", [f"{_LONG}a"], [f"{_LONG}aa", "s/t"], "lower-case letters, digits, - and ."),
        ("ingress_class", ["i", f"{_LONG}a"], [f"{_LONG}aa", "I"], "the name of an Ingress class"),
        ("main_branches.0", ["m", "release/1"], [""], "the exact name of a branch"),
    ],
)
def test_each_value_may_be_what_the_schema_says_and_no_more(
    path: str, right: list[object], wrong: list[object], takes: str
) -> None:
    for value in right:
        values = with_value(path, value)
        assert (web_mistakes(values), list(VALIDATOR.iter_errors(values))) == ([], [])
    for value in wrong:
        values = with_value(path, value)
        mistake, *_ = web_mistakes(values)
        assert takes in str(mistake)
        assert not VALIDATOR.is_valid(values)


@pytest.mark.parametrize(
    ("path", "value", "says"),
    [
        (f"{D}.autoscale", {"min": "3", "max": 2}, ['domains[0].autoscale.min is the text "3"; write 3']),
        (f"{D}.autoscale", {"min": 3, "max": "2"}, ['domains[0].autoscale.max is the text "2"; write 2']),
        (f"{D}.autoscale", {"min": 2, "max": 2}, []),
        (f"{D}.autoscale", {"max": 0}, ["domains[0].autoscale.max is the number 0"]),
        (f"{D}.autoscale", {"min": 10_001, "max": 5}, ["domains[0].autoscale.min is the number 10001"]),
        (f"{D}.min_ready_seconds", "x", ["domains[0].min_ready_seconds is text; it takes whole seconds"]),
        (f"{D}.min_ready_seconds", 86_401, ["domains[0].min_ready_seconds is the number 86401"]),
        (f"{D}.min_ready_seconds", 0, []),
        (f"{D}.progress_deadline", "x", ["domains[0].progress_deadline is text; it takes a whole number"]),
        (f"{D}.progress_deadline", 0, ["domains[0].progress_deadline is the number 0"]),
        (f"{D}.branch_paths", True, []),
        (f"{D}.node_port", True, ["domains[0].node_port is true; it takes 0, or"]),
        ("other", 1, ["other is not known; known: app, domains"]),
        (f"{D}.other", 1, ["domains[0].other is not known; known: host, image"]),
        (f"{D}.volumes.0.other", 1, ["domains[0].volumes[0].other is not known; known: name, host_path"]),
        (f"{D}.liveness.other", 1, ["domains[0].liveness.other is not known; known: path"]),
        (f"{D}.resources.other", 1, ["domains[0].resources.other is not known; known: requests, limits"]),
        (f"{D}.autoscale", {"max": 1, "other": 1}, ["domains[0].autoscale.other is not known; known: max"]),
        (
            f"{D}.load_balancers",
            [["x"], ["x"]],
            ["domains[0].load_balancers[0] is", "domains[0].load_balancers[1] is"],
        ),
        (
            f"{D}.paths",
            ["/"] * 7,
            [", ".join(f"domains[0].paths[{n}]" for n in range(5)) + " are the same"],
        ),
        (
            f"{D}.volumes",
            [5, 5],
            ["domains[0].volumes[0] is the number 5", "domains[0].volumes[1] is the number 5"],
        ),
        (
            f"{D}.volumes",
            [5, *({"name": name, "host_path": "/", "mount_path": "/a"} for name in "vw")],
            [
                "domains[0].volumes[0] is",
                "domains[0].volumes[1].mount_path, domains[0].volumes[2].mount_path",
            ],
        ),
        (f"{D}.env", {"A": LEFT_OUT, "B": ""}, ["domains[0].env.A was left out by init"]),
        (
            "domains",
            [{}, {}],
            [f"domains[{n}].{key} is missing" for n in (0, 1) for key in ("host", "image")],
        ),
        ("domains", 5, ["domains is the number 5; it takes a list"]),
        ("app", None, ["app is empty: leave it out, or give it lower-case letters"]),
        (f"{D}.tls", None, ["domains[0].tls is empty: leave it out, or give it true or false."]),
        (f"{D}.host", "a\u200b", ["domains[0].host is not right at its character 2: the character U+200B"]),
    ],
)
def test_a_mistake_is_said_once_and_what_follows_from_it_not(
    path: str, value: object, says: list[str]
) -> None:
    said = [str(mistake) for mistake in web_mistakes(with_value(path, value))]
    assert [mistake[: len(start)] for mistake, start in zip(said, says)] == says
    assert len(said) == len(says)


_RIGHT = {"host": "a", "image": "r"}


@pytest.mark.parametrize(
    ("domains", "places", "left"),
    [
        ([{**_RIGHT, "port": 8080}, _RIGHT], ["domains[0].host"], [_RIGHT]),
        ([{**_RIGHT, "node_port": 1, "other": 1}], ["domains[0].other", "domains[0].node_port"], [_RIGHT]),
        ([5, _RIGHT], ["domains[0]"], [_RIGHT]),
        ([{**_RIGHT, "host": "A"}, {**_RIGHT, "env": {"A": "", "b c": ""}}], None, [_RIGHT]),
        ([{**_RIGHT, "host": "A", "volumes": [], "paths": []}], ["domains[0].host", "domains[0].paths"], []),
        ([_RIGHT], [], [_RIGHT]),
    ],
)
def test_what_is_wrong_with_a_domain_has_a_path_and_the_rest_is_kept(
    domains: list[YamlValue], places: Optional[list[str]], left: list[dict[str, object]]
) -> None:
    for shared in (True, False):
        found: list[tuple[str, Text]] = []
        web = read_web_values({"app": "a", "domains": domains}, found=found, shared=shared)
        assert places is None or [place for place, _ in found] == places
        assert (web.domains if web is not None else []) == [Domain(**domain) for domain in left]  # type: ignore[arg-type]  # any of them


def test_other_values_are_other_templates_where_there_are_some() -> None:
    values: dict[str, YamlValue] = {"app": "a", "domains": [dict(_RIGHT)], "other": 1}
    found: list[tuple[str, Text]] = []
    assert read_web_values(values, found=found, shared=True) is not None
    assert found == []
    assert read_web_values(values, found=found, shared=False) is None
    assert [place for place, _ in found] == ["other"]


def test_what_is_missing_is_said_with_what_it_takes() -> None:
    assert [str(mistake) for mistake in web_mistakes({})] == [
        f"app is missing; it takes {say('render.accepts_app')}.",
        "domains is missing; it takes a list.",
    ]


# A trailing line break is left out: Python's `$` lets it pass, in JSON Schema's own dialect it does not.
# So are whole floats such as 1.0, which are integers to JSON Schema only.
_WORDS = st.sampled_from(
    [
        "a",
        "a.b",
        "A",
        "-a",
        "a-b",
        "/",
        "/x",
        "x:y",
        "/x:y",
        "",
        "lb-1",
        "1Gi",
        "0.5",
        "1a",
        "r:1",
        "a b",
        "x" * 64,
    ]
)
_ANYTHING: st.SearchStrategy[YamlValue] = st.one_of(
    _WORDS,
    st.none(),
    st.booleans(),
    st.sampled_from(
        [-1, 0, 1, 80, 29_999, 30_000, 32_767, 32_768, 65_535, 65_536, 10_001, 86_401, 0.5, -0.5]
    ),
    st.lists(_WORDS, max_size=2),
    st.dictionaries(_WORDS, _WORDS, max_size=2),
)


def _mostly(good: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    return st.one_of(good, good, good, _ANYTHING)


def _objects(required: dict[str, Any], optional: dict[str, Any]) -> st.SearchStrategy[Any]:
    known = st.fixed_dictionaries(required, optional=optional)
    return st.one_of(
        known, known, known, st.fixed_dictionaries({}, optional={**required, **optional, "other": _WORDS})
    )


_PATHS = _mostly(st.sampled_from(["/", "/api", "/data"]))
_NAMES = _mostly(st.sampled_from(["a", "web-1", "x.example.com"]))
_QUANTITIES = _mostly(
    st.dictionaries(_NAMES.filter(lambda name: isinstance(name, str)), _ANYTHING, max_size=2)
)
_PROBES = _mostly(
    _objects(
        {},
        {
            "path": _PATHS,
            "initial_delay": _ANYTHING,
            "period": _ANYTHING,
            "timeout": _ANYTHING,
            "failures": _ANYTHING,
        },
    )
)
_VOLUMES = _mostly(
    _objects(
        {"name": _NAMES, "host_path": _PATHS, "mount_path": _PATHS}, {"read_only": _mostly(st.booleans())}
    )
)
_DOMAINS = _mostly(
    _objects(
        {"host": _NAMES, "image": _mostly(st.just("r:1"))},
        {
            "replicas": _ANYTHING,
            "autoscale": _mostly(
                _objects({"max": _ANYTHING}, {"min": st.sampled_from([1, 0, "1", None]), "cpu": _ANYTHING})
            ),
            "min_ready_seconds": st.sampled_from([0, -1, 0.5, "0", None]),
            "progress_deadline": _ANYTHING,
            "port": _ANYTHING,
            "node_port": _ANYTHING,
            "load_balancers": _mostly(st.lists(_NAMES, max_size=2)),
            "tls": _mostly(st.booleans()),
            "paths": _mostly(st.lists(_PATHS, max_size=2)),
            "branch_paths": _mostly(st.booleans()),
            "volumes": _mostly(st.lists(_VOLUMES, max_size=1)),
            "env": _mostly(st.dictionaries(_WORDS, _mostly(_WORDS), max_size=2)),
            "resources": _mostly(_objects({}, {"requests": _QUANTITIES, "limits": _QUANTITIES})),
            "liveness": _PROBES,
            "readiness": _PROBES,
        },
    )
)
_WEB = _objects(
    {"app": _NAMES, "domains": _mostly(st.lists(_DOMAINS, max_size=1))},
    {
        "image_pull_secrets": _mostly(st.lists(_NAMES, max_size=2)),
        "ingress_class": _NAMES,
        "main_branches": _mostly(st.lists(_WORDS, max_size=2)),
    },
)


@given(values=_WEB)
@settings(max_examples=examples(400, sample=150), deadline=None, suppress_health_check=[HealthCheck.too_slow])
def test_schema_and_structs_take_and_refuse_the_same(values: dict[str, YamlValue]) -> None:
    ours = [str(mistake) for mistake in web_mistakes(values)]
    theirs = [error.message for error in VALIDATOR.iter_errors(values)]
    assert bool(ours) == bool(theirs), (ours, theirs)
    if not ours:
        assert convert(values, Web).app == values["app"]


# --- size


def _many(number: int) -> str:
    domains = [
        {
            "host": f"w{index}.example.com",
            "image": f"name.tencentcloudcr.com/space/web:{1704448623620 + index}-428",
            "load_balancers": ["lb-g9buwd3i"],
            "paths": ["/", "/api"],
            "volumes": [{"name": "logs", "host_path": "/data/logs", "mount_path": "/data/logs"}],
        }
        for index in range(number)
    ]
    return json.dumps({"app": "nginx", "domains": domains})


def test_a_thousand_domains_stay_small(tmp_path: Path) -> None:
    number = 1000 if WHOLE else 60
    values = _many(number)
    tracemalloc.start()
    try:
        files = web(tmp_path, values)
        assert findings_of(*files) == ()
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert len(files) == 3 * number
    assert peak < number * 60 * 2**10


def test_a_domain_costs_the_same_among_many(tmp_path: Path) -> None:
    def seconds_a_domain(number: int) -> float:
        values = _many(number)
        before = time.process_time()
        findings_of(*web(tmp_path, values))
        return (time.process_time() - before) / number

    seconds_a_domain(15)
    # Three times as much leaves room for a busy machine; a cost that grows with the number is eight-fold.
    assert any(seconds_a_domain(120) < 3 * seconds_a_domain(15) for _ in range(3))


def test_null_is_as_good_as_leaving_an_optional_value_out(tmp_path: Path) -> None:
    assert one(tmp_path, liveness=None, resources=None, autoscale=None) == one(tmp_path)


def test_null_beside_a_mistake_is_none(tmp_path: Path) -> None:
    values = "app: a\ndomains: [{host: a.b, image: 'r:1', liveness: , env: 5}]\n"
    (said,) = complaints(tmp_path, values)
    assert "domains[0].env is the number 5; it takes a mapping" in said


def test_a_comment_in_the_values_allows_a_check_for_the_files_of_every_domain(tmp_path: Path) -> None:
    values = "app: nginx\ndomains: [{host: a.example.com, image: 'r/web:latest'}]\n"
    (finding,) = findings_of(*web(tmp_path, values))
    assert (finding.id, finding.is_warning) == ("image-tag", True)
    comment = "# bcs-template-set: allow image-tag"
    assert f'"{comment}" into the values' in finding.hint.render("en_US")
    assert findings_of(*web(tmp_path, f"{values}{comment}\n")) == ()
    (tmp_path / "v.yaml").write_text(f"{comment}\n", encoding="utf-8")
    assert findings_of(*render(tmp_path, "builtin:web", values=values, values_files=("v.yaml",))) == ()


@pytest.mark.parametrize(
    ("host", "space", "most"),
    [
        ("a" * 40 + ".example.com", "front-ends", 37),
        ("a" * 36 + ".example.com", "f", 46),
        ("a" * 26 + ".org", "front-ends", 37),
        ("a" * 34 + ".org", "f", 46),
    ],
)
def test_a_host_that_is_too_long_is_one_finding_with_the_length_it_may_have(
    tmp_path: Path, host: str, space: str, most: int
) -> None:
    values = f"app: nginx\ndomains: [{{host: {host}, image: 'r/web:1', load_balancers: [lb-1]}}]\n"
    found = findings_of(*web(tmp_path, values), space=space)
    if len(host) <= most:
        assert found == ()
        return
    (finding,) = found
    assert (finding.id, finding.file) == ("web-host", f"{host}.deployment.yaml")
    assert finding.message.fields == {"host": host, "length": len(host), "most": most}
    comment = "# bcs-template-set: allow web-host\n"
    assert findings_of(*web(tmp_path, comment + values), space=space) == ()


@pytest.mark.parametrize("comment", ["alow image-tag", "allow", "ready status.phase=Ready"])
def test_a_comment_in_the_values_that_allows_nothing_is_a_mistake(tmp_path: Path, comment: str) -> None:
    values = (
        f"app: nginx\ndomains: [{{host: a.example.com, image: 'r/web:1'}}]\n# bcs-template-set: {comment}\n"
    )
    (said,) = complaints(tmp_path, values)
    assert f'the comment "{comment.split(maxsplit=1)[0]}" does nothing in values' in said
