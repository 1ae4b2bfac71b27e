"""What the pages show happens: their forms, values and settings give the logs that they print."""

from __future__ import annotations

import json
import os
import re
from collections.abc import Iterator
from pathlib import Path
from threading import current_thread, main_thread
from typing import Callable

import pytest
from tests.emulator import Behaviour, Emulator, go_yaml
from tests.emulator.faults import Fault, Match
from tests.packaging.documents import (
    DOCS,
    README,
    fences_of,
    in_chinese,
    language_of,
    name_of,
    read,
    tables_of,
)
from tests.packaging.store_files import PROJECT
from tests.support.building import render_source
from tests.support.demo_site import people_of, regions_of
from tests.support.warm_start import run_program
from tests.support.worker import Worker

from bcs_template_set.cli.verb_plan import LocalAgent, read_settings_file
from bcs_template_set.config.inputs import read_settings
from bcs_template_set.config.regions import read_regions
from bcs_template_set.manifests.naming import slug_of

GUIDE, REFERENCE = DOCS / "guide", DOCS / "reference"
FIRST_RUN, BRANCHES = GUIDE / "first-run.md", GUIDE / "branches.md"
CATALOGUE = PROJECT / "atom" / "bcs_template_set" / "messages"
GOOD, NEW, NEXT = "1704448623620-427", "1704448999620-428", "1704448623620-428"
ROUTES = "www.example.com.routes.yaml"
DESK = {"PATH": os.environ["PATH"], "LANG": "C.UTF-8"}
CREATE_VERSION = Match("POST", r"/template/[0-9a-f]{24}/versions$")


def both(page: Path) -> pytest.MarkDecorator:
    """Return the mark that gives a test a page, and then its Chinese one."""
    return pytest.mark.parametrize("page", [page, in_chinese(page)], ids=name_of)


def values_on(page: Path) -> str:
    """Return the first YAML that a page shows."""
    return fences_of(read(page), kind="yaml")[0]


@pytest.fixture
def emulator() -> Iterator[Emulator]:
    """Yield a site that knows the people of the demo."""
    with Emulator() as emulator:
        people_of(emulator)
        yield emulator


@pytest.fixture
def machine(page: Path, emulator: Emulator, tmp_path: Path) -> Callable[[str], Worker]:
    """Return `machine(branch)`: the build machine of a branch, whose step has the form of the first run."""
    shown = tables_of(FIRST_RUN)[0]
    form = {name.strip("`"): value.strip("`") for name, value in shown}

    def of(branch: str) -> Worker:
        (tmp_path / branch).mkdir(exist_ok=True)
        return Worker(
            tmp_path / branch,
            emulator,
            regions={"gz": {**regions_of(emulator)["gz"], "authorizer": "platform"}},
            inputs=form,
            variables={
                "BK_CI_AUTHORIZER": "lisi",
                "BK_CI_LOCALE_LANGUAGE": language_of(page),
                "BK_CI_GIT_REF": f"refs/heads/{branch}",
            },
        )

    return of


def build(worker: Worker, values: str, number: int, status: int = 0, **inputs: str) -> list[str]:
    """Run the step on a values file and return the lines of its log as a page shows them."""
    file = worker.workspace / worker.inputs["values_files"]
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(values, encoding="utf-8")
    worker.build_number = number
    worker.here = current_thread() is main_thread()
    finished = worker.run(**inputs)
    assert finished.status == status, finished.log + finished.stderr
    return [_as_shown(line) for line in finished.log.splitlines()]


def _as_shown(line: str) -> str:
    """Return a line as a page shows it.

    Without its marker, which BK-CI shows as a colour, without ids and digests, which every new input changes,
    and without the seconds at its beginning, which differ from machine to machine.
    """
    line = re.sub(r"-[a-z0-9]{8,10}-[a-z0-9]{5}\b", "-…", re.sub(r"^##\[\w+\]", "", line))
    return re.sub(r"\b([0-9a-f]{24}|[0-9a-f]{32})\b", "…", re.sub(r"^\d+ (s|秒)  ", "", line))


def assert_printed(shown: list[str], printed: list[list[str]]) -> None:
    """Hold each excerpt to the log of its run: its lines are there."""
    assert len(shown) == len(printed)
    for excerpt, log in zip(shown, printed):
        assert [line for line in excerpt.splitlines() if _as_shown(line) not in log] == []


# --- the first run, and the readme's shorter one --------------------------------------------------------


@both(FIRST_RUN)
def test_the_logs_of_the_first_run_are_what_the_runs_print(
    page: Path, machine: Callable[[str], Worker]
) -> None:
    values, worker = values_on(page), machine("main")
    assert tables_of(page)[0] == tables_of(FIRST_RUN)[0]
    printed = [
        build(worker, values, 7, action="plan"),
        build(worker, values, 7),
        build(worker, values, 8),
        build(worker, values.replace(f"www:{GOOD}", f"www:{NEW}"), 9),
    ]
    assert_printed(fences_of(read(page), kind="text"), printed)


@both(README)
def test_the_logs_of_the_readme_are_what_the_runs_print(
    page: Path, machine: Callable[[str], Worker], emulator: Emulator
) -> None:
    values, worker = values_on(page), machine("main")
    assert tables_of(page)[0] == tables_of(FIRST_RUN)[0]
    printed = [build(worker, values, 7, action="plan"), build(worker, values, 7)]
    printed.append(deployment_of_a_missing_image(worker, values, emulator))
    assert_printed(fences_of(read(page), kind="text"), printed)


@both(GUIDE / "deploying.md")
def test_the_log_of_a_failed_deployment_is_what_the_run_prints(
    page: Path, machine: Callable[[str], Worker], emulator: Emulator
) -> None:
    printed = deployment_of_a_missing_image(machine("main"), values_on(README), emulator)
    assert_printed(fences_of(read(page), kind="text"), [printed])


def deployment_of_a_missing_image(worker: Worker, values: str, emulator: Emulator) -> list[str]:
    """Deploy what works and then an image that does not exist; return the log of that."""
    target = {"action": "deploy", "cluster_id": "BCS-K8S-40000", "namespace": "prod"}
    images = emulator.state.add_cluster("BCS-K8S-40000", namespaces=("prod",)).images
    build(worker, values, 7, 0, **target)
    images[f"example.tencentcloudcr.com/web/www:{NEW}"] = Behaviour("not-found")
    return build(worker, values.replace(GOOD, NEW), 8, 1, **target)


# --- settings and commands ------------------------------------------------------------------------------


@both(REFERENCE / "private-settings.md")
def test_the_private_settings_that_are_shown_are_accepted(page: Path) -> None:
    assert list(read_regions(values_on(page))) == ["gz"]


@both(GUIDE / "desk.md")
def test_the_settings_file_that_is_shown_is_accepted(page: Path, tmp_path: Path) -> None:
    (tmp_path / "desk.yaml").write_text(values_on(page), encoding="utf-8")
    inputs = LocalAgent(read_settings_file(tmp_path / "desk.yaml")).inputs()
    assert read_settings(inputs, regions=["gz"]).action == "plan"


@pytest.mark.parametrize("page", [README, GUIDE / "desk.md"], ids=name_of)
@pytest.mark.parametrize("values", [README, FIRST_RUN], ids=name_of)
def test_the_commands_for_a_desk_take_the_values_file(page: Path, values: Path, tmp_path: Path) -> None:
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy" / "values.yaml").write_text(values_on(values), encoding="utf-8")
    commands = "".join(fences_of(read(page), kind="sh")).splitlines()
    lines = [line for line in commands if re.match(r"bcs-template-set (render|check) ", line)]
    assert len(lines) == 2
    for line in lines:
        done = run_program(line.split()[1:], at=tmp_path, environ=DESK)
        assert done.returncode == 0, done.stdout + done.stderr


@both(GUIDE / "owner.md")
def test_the_owner_s_settings_lead_to_what_doctor_is_said_to_print(
    page: Path, machine: Callable[[str], Worker], emulator: Emulator
) -> None:
    region = read_regions(values_on(page))["gz"]
    assert region.app is not None
    app, secret = region.app.app_code, "the-secret-of-this-app"
    emulator.state.add_cluster("BCS-K8S-40000", namespaces=("prod",))
    worker = machine("main")
    told = {"app_code": app, "app_secret": secret, "owner": region.owner, "authorizer": "platform"}
    worker.regions = {"gz": {**told, "gateway": emulator.url}}
    asked = ("region", "project_code", "template_space", "cluster_id", "namespace")
    worker.inputs = dict(zip(asked, ("gz", "web", "front-ends", "BCS-K8S-40000", "prod")), action="doctor")
    assert all(f"`{name}`" in read(page) for name in asked)
    printed = []
    for vouches_for in ({"lisi"}, set[str]()):
        emulator.state.add_app(app, secret, vouches_for=vouches_for)
        log = re.sub(r"[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}", "…", worker.run().log)
        printed.append(log.splitlines())
    good, bad = fences_of(read(page), kind="text")
    assert [line for line in good.splitlines() if line not in printed[0]] == []
    assert [line for line in bad.splitlines() if line not in printed[1]] == []


# --- branches -------------------------------------------------------------------------------------------


@both(BRANCHES)
def test_the_logs_and_the_annotation_of_branches_are_what_the_runs_make(
    page: Path, machine: Callable[[str], Worker], emulator: Emulator
) -> None:
    values, annotation = fences_of(read(page), kind="yaml")
    new = values.replace(GOOD, NEXT)
    build(machine("main"), values, 7)
    printed = [build(machine("login"), values, 8)]
    assert annotation in emulator.state.current_content("front-ends", ROUTES)
    printed.append(build(machine("login"), new, 9))
    cart: list[str] = []
    emulator.faults.add(
        Fault("rival", CREATE_VERSION, rival=lambda _: cart.extend(build(machine("cart"), new, 11)))
    )
    search = build(machine("search"), new, 10)
    assert cart
    printed += [search, build(machine("main"), new, 12, remove_branches="login")]
    assert_printed(fences_of(read(page), kind="text"), printed)
    slug = slug_of("feature/login")
    assert f"`{slug}`" in read(page)
    assert f"`/{slug}/`" in read(page)


@both(BRANCHES)
def test_what_the_log_is_quoted_to_say_is_in_the_catalogue(page: Path) -> None:
    entries = [json.loads(read(path)).values() for path in CATALOGUE.glob("*.json")]
    said = [_open(entry[language_of(page)]) for area in entries for entry in area]
    quoted = [quote for row in tables_of(page)[-1] for quote in re.findall(r"`([^`]+)`", row[0])]
    assert len(quoted) > 5
    assert [quote for quote in quoted if not any(quote in text for text in said)] == []


def _open(text: str) -> str:
    """Return a sentence with an ellipsis for what a run fills in."""
    return re.sub("…+", "…", re.sub(r"\{\w+\}", "…", text))


ARRIVES = (
    {"annotations": {"summary": "{{ $labels.pod }} is down"}},
    {
        "apiVersion": "v1",
        "kind": "ConfigMap",
        "metadata": {"name": "pages"},
        "data": {"index.html": "<p>{{ vue }}</p>\n"},
    },
    {"data": {"run.sh": "printf '{%s}\\n' \"$1\"\n"}},
    {"data": {"alert": "{{ $labels.pod }} is down", "other": "value"}},
)


@both(GUIDE / "other-tools.md")
def test_each_way_to_ship_braces_of_other_tools_arrives(page: Path, tmp_path: Path) -> None:
    (tmp_path / "deploy").mkdir()
    (tmp_path / "deploy" / "index.html").write_text("<p>{{ vue }}</p>\n")
    files = [render_source(tmp_path, example) for example in fences_of(read(page), kind="yaml")]
    assert [go_yaml.read_mapping(file.text) for file in files] == [*ARRIVES]
    assert not any("{{" in file.text for file in files)
