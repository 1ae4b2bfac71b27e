"""The verb `init`: which domains become values, what is said of the others, and where the values go."""

from __future__ import annotations

import io
import stat
from collections.abc import Callable, Mapping
from copy import deepcopy
from pathlib import Path
from typing import Any, NamedTuple

import pytest
import yaml
from tests.support.phases import CLUSTER, NAMESPACE, Answer, Answers, Cluster
from tests.support.pieces import URL, FakeClock
from tests.support.versions import PROJECT

from bcs_template_set.agent.log import Log
from bcs_template_set.bcs.calls import JsonValue
from bcs_template_set.cli.verb_init import read_live, read_published, run_init, write_values
from bcs_template_set.cli.verb_plan import LocalAgent, services_at_desk
from bcs_template_set.manifests.parse import parse_foreign
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.messages.errors import InputsInvalid, NoPermission
from bcs_template_set.run.context import RunContext
from bcs_template_set.run.settings_phase import read_everything

HOST = "www.example.com"
GOLDEN = PROJECT / "tests" / "golden" / "web"
DEPLOYMENT, SERVICE = "Deployment/deployment.shop.www.example.com", "Service/service-shop-www-example-com"
INGRESS = f"Ingress/ingress-{HOST}-1"
NO = NoPermission(user="lisi", message="m")

Objects = dict[str, Any]


def golden_objects() -> Objects:
    """Return the objects that a domain with every value makes, by title."""
    texts = [(GOLDEN / f"everything.{HOST}.{part}.yaml").read_text("utf-8") for part in PARTS]
    return {one.title: dict(one.body) for text in texts for one in parse_foreign(text) or ()}


PARTS = ("deployment", "routes", "service")
OBJECTS = golden_objects()
VALUES = yaml.safe_load((GOLDEN / "everything.values.yaml").read_text("utf-8"))


(DOMAIN,) = VALUES["domains"]


class Desk(NamedTuple):
    """A desk with these inputs, and what it has said."""

    context: RunContext
    said: io.StringIO


def desk(*, target: bool = True) -> Desk:
    place: dict[str, YamlValue] = {"cluster_id": CLUSTER, "namespace": NAMESPACE} if target else {}
    settings: dict[str, YamlValue] = {
        "regions": {"gz": {"gateway": URL, "app_code": "a", "app_secret": "s3cret-of-app"}},
        "inputs": {"region": "gz", "project_code": "web", "template_space": "front-ends", **place},
        "user": "lisi",
    }
    said = io.StringIO()
    services = services_at_desk(LocalAgent(settings), log=Log(said, "en_US"), clock=FakeClock())
    return Desk(read_everything(services), said)


class Wrote(NamedTuple):
    """How it ended, what it printed, and what it said."""

    status: int
    out: str
    log: list[str]


def wrote(objects: Mapping[str, Any], output: str = "", *, published: bool = True) -> Wrote:
    at, out = desk(), io.StringIO()
    status = write_values(at.context, objects, output, published=published, out=out)
    return Wrote(status, out.getvalue(), at.said.getvalue().splitlines())


def changed(change: Callable[[Objects], object]) -> Objects:
    """Return the objects after a change."""
    objects = deepcopy(OBJECTS)
    change(objects)
    return objects


PROVED = (
    "##[info]Rendered, checked and compared with what is {where}: nothing changes. Domains: 1, objects: {n}."
)
FOLDER = "published in folder front-ends"


def test_what_is_published_becomes_values_that_make_it() -> None:
    said = wrote(OBJECTS)
    assert (said.status, yaml.safe_load(said.out)) == (
        0,
        {**VALUES, "domains": [{**DOMAIN, "replicas": "auto"}]},
    )
    assert said.log == [PROVED.format(where=FOLDER, n=len(OBJECTS))]
    assert (said.out[-1:], said.out[-2:] != "\n\n") == ("\n", True)


def test_what_is_live_and_filled_in_by_the_server_becomes_values_too() -> None:
    def live(objects: Objects) -> None:
        spec = objects[DEPLOYMENT]["spec"]
        rolling = {"maxSurge": "25%", "maxUnavailable": "25%"}
        strategy = {"type": "RollingUpdate", "rollingUpdate": rolling}
        objects[DEPLOYMENT]["spec"] = {**spec, "replicas": 4, "strategy": strategy}
        objects[DEPLOYMENT]["status"] = {"replicas": 4}

    said = wrote(changed(live), published=False)
    where = f"live in namespace {NAMESPACE} of cluster {CLUSTER}"
    assert (said.status, said.log) == (0, [PROVED.format(where=where, n=len(OBJECTS))])


def test_what_only_warns_is_in_no_ones_way() -> None:
    said = wrote(changed(lambda objects: container_of(objects).update(image="example.com/web:latest")))
    assert (said.status, said.log) == (0, [PROVED.format(where=FOLDER, n=len(OBJECTS))])


def test_what_is_live_and_lacks_what_every_server_fills_in_is_not_what_the_values_make() -> None:
    said = wrote(OBJECTS, published=False)
    assert (said.status, said.out) == (1, "")
    assert said.log == [
        f"##[info]{HOST} does not fit: {DEPLOYMENT} would change: spec.strategy.rollingUpdate",
        "##[warning]No domain fits builtin:web, so no values are written.",
    ]


@pytest.mark.parametrize(
    ("change", "reasons"),
    [
        (
            lambda objects: objects[SERVICE]["metadata"].update(annotations={"a": "b"}),
            [f"{SERVICE} would change: metadata.annotations"],
        ),
        (lambda objects: objects.pop(SERVICE), [f"{SERVICE} is not there, and would be made."]),
        (
            lambda objects: objects.update({f"{INGRESS}0": renamed(objects[INGRESS])}),
            [
                f"{INGRESS}0 is there, and no value makes it.",
                f"Ingress/ingress-{HOST}-2 is not there, and would be made.",
            ],
        ),
        (
            lambda objects: container_of(objects).update(image="Example.com/Web"),
            ["no runtime can read the image: the repository has capital letters."],
        ),
    ],
)
def test_a_domain_in_which_anything_would_change_is_told_and_not_written(
    change: Callable[[Objects], object], reasons: list[str]
) -> None:
    said = wrote(changed(change))
    assert (said.status, said.out) == (1, "")
    front = f"##[info]{HOST} does not fit: "
    told = [line.removeprefix(front) for line in said.log if line.startswith(front)]
    assert [line[: len(reason)] for line, reason in zip(told, reasons)] == reasons
    assert len(told) == len(reasons)
    assert not [line for line in said.log if "nothing changes" in line]


def container_of(objects: Objects) -> dict[str, Any]:
    found: dict[str, Any] = objects[DEPLOYMENT]["spec"]["template"]["spec"]["containers"][0]
    return found


def renamed(item: Mapping[str, Any]) -> dict[str, Any]:
    notes = {**item["metadata"]["annotations"], "kubernetes.io/ingress.existLbId": "lb-10"}
    return {**item, "metadata": {"name": f"{item['metadata']['name']}0", "annotations": notes}}


def test_objects_of_no_domain_are_named_and_a_domain_of_another_app_does_not_fit() -> None:
    other = "Deployment/deployment.other.a.example.com"

    def add(objects: Objects) -> None:
        objects["Deployment/old"] = {"kind": "Deployment", "metadata": {"name": "old"}}
        named = {"name": other.partition("/")[2]}
        objects[other] = {**objects[DEPLOYMENT], "metadata": named}

    said = wrote(changed(add))
    assert (said.status, [one["host"] for one in yaml.safe_load(said.out)["domains"]]) == (0, [HOST])
    assert said.log == [
        "##[info]a.example.com does not fit: its app is other, and a values file has one: here shop.",
        "##[info]Of no domain of builtin:web, by their names: Deployment/old",
        PROVED.format(where=FOLDER, n=len(OBJECTS)),
    ]


# --- where they go --------------------------------------------------------------------------------------


def with_secrets(objects: Objects) -> None:
    container_of(objects)["env"] = [
        {"name": name, "value": value} for name, value in (("DB_PASSWORD", "hunter22"), ("A", "b\u2028::c"))
    ]


def test_what_looks_secret_is_left_out_of_what_is_printed_and_named() -> None:
    said = wrote(changed(with_secrets))
    assert "hunter22" not in said.out
    env = yaml.safe_load(said.out)["domains"][0]["env"]
    assert (env["A"], "left out by init" in env["DB_PASSWORD"]) == ("b\u2028::c", True)
    assert said.log[1].startswith(
        "##[warning]Left out, since they look secret: domains[0].env.DB_PASSWORD. Rendering refuses"
    )


def test_a_new_file_has_all_of_it_for_its_owner_alone(tmp_path: Path) -> None:
    output = tmp_path / "values.yaml"
    said = wrote(changed(with_secrets), str(output))
    assert (said.status, said.out) == (0, "")
    assert yaml.safe_load(output.read_text("utf-8"))["domains"][0]["env"]["DB_PASSWORD"] == "hunter22"
    assert stat.S_IMODE(output.stat().st_mode) == 0o600
    assert said.log[1:] == [
        f"##[info]Written to {output}, which only you may read (0600), with what looks secret."
    ]


def test_a_file_that_is_there_or_can_not_be_made_is_a_mistake_of_the_arguments(tmp_path: Path) -> None:
    (tmp_path / "there").symlink_to(tmp_path / "nowhere")
    services = desk().context.services
    with pytest.raises(InputsInvalid) as early:
        run_init(services, str(tmp_path / "there"), published=True, out=io.StringIO())
    with pytest.raises(InputsInvalid) as late:
        wrote(OBJECTS, str(tmp_path / "there"))
    with pytest.raises(InputsInvalid) as nowhere:
        wrote(OBJECTS, str(tmp_path / "none" / "values.yaml"))
    told = [str(caught.value.details[0]) for caught in (early, late, nowhere)]
    assert told == [
        f"{tmp_path}/there is there already, and init overwrites nothing.",
        f"{tmp_path}/there can't be made: File exists",
        f"{tmp_path}/none/values.yaml can't be made: No such file or directory",
    ]
    assert {str(caught.value.cure()) for caught in (early, late, nowhere)} == {"Correct the arguments."}


# --- what is there --------------------------------------------------------------------------------------

PROJECT_OF: Answer = {"projectID": "a" * 32, "projectCode": "web"}


def row(item: Mapping[str, Any]) -> Any:  # noqa: ANN401 - an entry of a list, as BCS answers it
    return {
        "kind": item["kind"],
        "metadata": {"uid": item["metadata"]["name"], "name": item["metadata"]["name"]},
    }


def test_what_is_live_is_read_whole_object_by_object() -> None:
    answers: dict[str, Answer] = {"get project": PROJECT_OF}
    for title, item in OBJECTS.items():
        kind, _, name = title.partition("/")
        found = [row(one) for one in OBJECTS.values() if one["kind"] == kind]
        answers[f"list {kind}"] = {"manifest": {"items": found}}
        answers[f"get {kind} {name}"] = {"manifest": item}
    reader = Cluster(answers)
    assert read_live(reader, desk().context) == OBJECTS
    lists = [call.split()[1] for call in reader.calls if call.startswith("list")]
    assert sorted(lists) == ["Deployment", "HorizontalPodAutoscaler", "Ingress", "Service"]
    with pytest.raises(NoPermission):
        read_live(Cluster({**answers, "list Ingress": NO}), desk().context)


def test_without_a_namespace_nothing_live_is_asked_for() -> None:
    with pytest.raises(InputsInvalid) as caught:
        read_live(Answers({}), desk(target=False).context)
    assert str(caught.value.details[0]).startswith("init reads a namespace:")


def test_of_a_folder_the_current_versions_of_files_that_are_named_as_builtin_web_names_them_are_read() -> (
    None
):
    names = (f"{HOST}.service.yaml", f"{HOST}.routes.yaml", f"{HOST}.deployment.yaml", "other.yaml")
    ids = ("1" * 24, "2" * 24, "", "4" * 24)
    rows: list[JsonValue] = [
        {
            "id": str(n) * 24,
            "name": name,
            "realName": name,
            "version": "v",
            "versionID": id_,
            "versionMode": 0,
        }
        for n, (name, id_) in enumerate(zip(names, ids), start=1)
    ]
    text = (GOLDEN / f"everything.{HOST}.service.yaml").read_text("utf-8")
    reader = Answers(
        {
            "list spaces": [{"id": "5" * 24, "name": "front-ends", "fav": False, "tags": []}],
            "list files": rows,
            f"get version {ids[0]}": {"id": ids[0], "version": "v", "content": text},
            f"get version {ids[1]}": {"id": ids[1], "version": "v", "content": "{broken"},
        }
    )
    assert read_published(reader, desk().context) == {SERVICE: OBJECTS[SERVICE]}
    assert sorted(call for call in reader.calls if call.startswith("get")) == [
        f"get version {id_}" for id_ in ids[:2]
    ]
