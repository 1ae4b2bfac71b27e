"""`bcs-template-set branches`: who is where and since when, and taking out what nobody builds any more."""

from __future__ import annotations

import io
import json
import signal
import subprocess
from argparse import Namespace
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Optional

import pytest
from tests.emulator.faults import Fault, Match
from tests.emulator.state import State
from tests.end_to_end.test_interruption import until
from tests.support.desks import FILE, desk_agent, environment, run_verb, settings_of, write_settings
from tests.support.dialects import NEWEST, speaking
from tests.support.older_versions import give_past
from tests.support.publishing import (
    CREATE_VERSION,
    LOOK_AFTER,
    LOOK_BEFORE,
    SPACE,
    USER,
    Site,
    open_site,
    site_after,
)
from tests.support.worker import STEP

from bcs_template_set.agent.log import Log
from bcs_template_set.bcs.space.provenance import read_provenance
from bcs_template_set.cli.desk_boundary import at_desk
from bcs_template_set.cli.verb_branches import run_branches
from bcs_template_set.cli.verb_plan import services_at_desk
from bcs_template_set.manifests.branch_paths import claims_of
from bcs_template_set.manifests.parse import parse_foreign
from bcs_template_set.publish.look_first import SETTLING_SECONDS

DAY = 86_400
ROUTES = "www.example.com.routes.yaml"
LIST_VERSIONS = Match("GET", r"/template/[0-9a-f]{24}/versions$")


@dataclass(frozen=True)
class Said:
    """What the verb printed, its exit status, and what it wrote."""

    status: int
    out: str
    log: str
    written: int

    @property
    def told(self) -> dict[str, Any]:
        """Return its JSON."""
        document: dict[str, Any] = json.loads(self.out)
        return document


def branches(
    site: Site,
    *,
    user: str = USER,
    older_than: Optional[str] = None,
    keep: tuple[str, ...] = (),
    dry_run: bool = False,
    as_json: bool = False,
) -> Said:
    """Run the verb in this process, on the site's clock."""
    before = len(site.emulator.writes())
    agent = desk_agent(site, user=user)
    log, out = io.StringIO(), io.StringIO()
    world = services_at_desk(agent, log=Log(log, "en_US"), clock=site.clock)
    arguments = Namespace(older_than=older_than, keep=keep, dry_run=dry_run, json=as_json)
    status = at_desk(
        lambda: run_branches(world, arguments, out=out),
        errors=lambda: world.log,
        settings_file=FILE,
    )
    assert f"{site.app}-secret" not in log.getvalue() + out.getvalue()
    return Said(status, out.getvalue(), log.getvalue(), len(site.emulator.writes()) - before)


def build(site: Site, branch: str, *hosts: str, **inputs: str) -> None:
    """Let a branch be built, a new image for each of its domains."""
    site.build += 1
    site.branch = branch
    domains = [
        {
            "host": host,
            "image": f"example.com/web:{site.build}",
            "load_balancers": ["lb-1", "lb-2"],
            "branch_paths": True,
        }
        for host in hosts or ("www.example.com",)
    ]
    ran = site.run(templates="builtin:web", values=json.dumps({"app": "web", "domains": domains}), **inputs)
    assert ran.outcome.result == "published", ran.log


def paths(site: Site, name: str = ROUTES) -> dict[str, str]:
    """Return the branches of a routes file's paths."""
    documents = parse_foreign(site.contents()[name])
    assert documents is not None
    return {claim.path: claim.branch for _, claim in claims_of(documents)}


def three_builds(site: Site) -> None:
    """Let main be 40 days old, feature-old 39 days and feature-new an hour."""
    build(site, "main")
    site.clock.time += DAY
    build(site, "feature-old")
    site.clock.time += 39 * DAY
    build(site, "feature-new")
    site.clock.time += 3600


@pytest.fixture
def site() -> Iterator[Site]:
    """Yield a site after these builds of one domain."""
    with site_after(three_builds) as made:
        yield made


# --- looking --------------------------------------------------------------------------------------------


def test_every_path_is_listed_with_branch_last_build_age_and_who(site: Site) -> None:
    said = branches(site)
    assert (said.status, said.written) == (0, 0)
    rows = [line.split("  ") for line in said.out.splitlines()]
    table = [[cell.strip() for cell in row if cell.strip()] for row in rows]
    host = "www.example.com"
    assert table == [
        ["domain", "path", "branch", "last build", "age", "by", "protected"],
        [host, "/", "main", "#8", "40 days", "wangwu", "yes"],
        [host, "/feature-new/", "feature-new", "#10", "1 hour", "wangwu"],
        [host, "/feature-old/", "feature-old", "#9", "39 days", "wangwu"],
    ]


def test_a_later_build_of_a_branch_makes_it_young_again_although_its_route_was_there(site: Site) -> None:
    build(site, "feature-old")
    site.clock.time += 2 * 60
    (row,) = [row for row in branches(site, as_json=True).told["branches"] if row["branch"] == "feature-old"]
    assert (row["added_build"], row["last_build"], row["age_seconds"]) == (9, 11, 120)


def test_a_newer_build_under_a_name_of_its_own_keeps_the_path(site: Site) -> None:
    build(site, "feature-old", version="hotfix-9")
    said = branches(site, older_than="30d")
    assert (said.status, said.written) == (0, 0)
    assert "/feature-old/" in paths(site)


def test_json_is_the_only_thing_on_stdout_and_says_the_same(site: Site) -> None:
    told = branches(site, as_json=True).told
    assert told["space"] == SPACE
    assert "removals" not in told
    assert told["branches"][0] == {
        "domain": "www.example.com",
        "path": "/",
        "branch": "main",
        "file": ROUTES,
        "added_build": 8,
        "last_build": 8,
        "last_at": "2026-01-01T02:20:01Z",
        "age_seconds": 40 * DAY + 3600 + 3 * int(SETTLING_SECONDS),
        "who": "wangwu",
        "protected": True,
    }


def test_no_line_of_the_list_is_a_command_to_a_worker(site: Site) -> None:
    """Whoever may edit a template must not set variables of a pipeline that lists its branches."""
    edit(site, "www.example.com", "::set-variable name=taken::1")
    said = branches(site)
    assert "set-variable name=taken" in said.out
    assert [line for line in said.out.splitlines() if line.startswith("::")] == []


def test_names_and_one_version_a_branch_tell_all_where_bcs_lists_names() -> None:
    with speaking(NEWEST), site_after(three_builds) as site:
        give_past(site.emulator.state, 30, branches=("main", "feature-gone"))
        site.emulator.forget()
        said = branches(site)
        asked = Counter(exchange.operation.rpartition(".")[2] for exchange in site.emulator.to_gateway())
        assert "#9" in said.out
        assert asked["ListTemplateMetadataVersions"] == 1
        assert asked["GetTemplateVersion"] == 1 + 3, "the routes file, and a version a branch"
        assert asked["ListTemplateVersion"] == 0


def test_where_no_name_tells_a_branch_all_versions_do(site: Site) -> None:
    build(site, "hotfix", version="1.0.{{ build.number }}")
    site.clock.time += DAY
    (row,) = [row for row in branches(site, as_json=True).told["branches"] if row["branch"] == "hotfix"]
    assert (row["last_build"], row["age_seconds"]) == (11, DAY + int(SETTLING_SECONDS))


@pytest.mark.parametrize(
    "unread", [Match("GET", "/metadata/versions$"), Match("GET", r"/template/versions/", nth=2)]
)
def test_where_a_name_or_what_it_names_can_not_be_read_all_versions_tell(unread: Match) -> None:
    with speaking(NEWEST), site_after(three_builds) as site:
        body = '{"code": 1, "message": "too much", "data": null}'
        site.emulator.faults.add(Fault("answer", unread, status=200, body=body))
        assert [line.split()[3] for line in branches(site).out.splitlines()[1:]] == ["#8", "#10", "#9"]


def test_a_list_of_versions_that_cannot_be_read_costs_the_age_only_and_is_said(site: Site) -> None:
    body = '{"code": 1, "message": "too much", "data": null}'
    site.emulator.faults.add(Fault("answer", LIST_VERSIONS, status=200, body=body))
    said = branches(site, older_than="1d")
    assert (said.status, said.written) == (0, 0)
    assert "not known" in said.out
    assert "so it does not know the age of its branches" in said.log


def test_a_space_without_branch_paths_says_so() -> None:
    with open_site(a_yaml="kind: ConfigMap\napiVersion: v1\nmetadata: {name: a}\n") as site:
        site.run()
        assert branches(site).out == "No branch has a path of its own in front-ends.\n"


def test_a_space_that_is_not_there_is_a_mistake() -> None:
    with open_site() as site:
        said = branches(site)
        assert said.status == 1
        assert "Project web has no folder front-ends" in said.log


def test_who_may_not_look_is_told_as_the_step_tells_it(site: Site) -> None:
    said = branches(site, user="wangwu")
    assert said.status == 1
    assert f"belongs to {USER}" in said.log


# --- taking out -----------------------------------------------------------------------------------------


def test_what_is_older_goes_in_a_version_of_its_own_and_nothing_else_changes(site: Site) -> None:
    before = site.contents()
    said = branches(site, older_than="30d")
    assert (said.status, said.written) == (0, 1)
    assert paths(site) == {"/": "main", "/feature-new/": "feature-new"}
    gone, kept = before[ROUTES].splitlines(), site.contents()[ROUTES].splitlines()
    assert [line for line in kept if line not in gone and "/branches:" not in line] == []
    assert site.contents()["www.example.com.deployment.yaml"] == before["www.example.com.deployment.yaml"]
    assert "1.0.10-feature-new.2 published without www.example.com/feature-old/ (feature-old)" in said.log
    assert "the cluster serves these paths until the files are deployed" in said.log


def test_the_version_says_who_wrote_it_and_what_it_was_made_from(site: Site) -> None:
    current = site.history(ROUTES)[-1]
    branches(site, older_than="30d")
    written = site.history(ROUTES)[-1]
    origin = read_provenance(written.description)
    assert origin is not None
    assert (origin.acting_as, origin.started_by, origin.branch, origin.build) == (USER, USER, "", 0)
    assert origin.bases == (current.id,)
    assert written.creator == USER


def test_a_second_look_finds_nothing_more_to_take_out(site: Site) -> None:
    branches(site, older_than="30d")
    said = branches(site, older_than="30d")
    assert (said.status, said.written) == (0, 0)
    assert "No path is to go" in said.log


def test_the_next_build_of_a_branch_that_went_brings_its_path_back(site: Site) -> None:
    branches(site, older_than="30d")
    build(site, "feature-old")
    assert paths(site) == {"/": "main", "/feature-new/": "feature-new", "/feature-old/": "feature-old"}


def test_a_name_that_was_used_already_is_not_used_again(site: Site) -> None:
    taken = "1.0.10-feature-new.2"
    current = site.contents()[ROUTES]
    site.emulator.state.add_version(SPACE, ROUTES, version=taken, content="a: 1\n", creator=USER)
    site.emulator.state.add_version(SPACE, ROUTES, version="1.0.10-x", content=current, creator=USER)
    site.emulator.state.add_version(SPACE, ROUTES, version="1.0.10-x.2", content=current, creator=USER)
    site.emulator.state.find_versions(SPACE, ROUTES)[-2].create_at += 1
    branches(site, older_than="30d")
    names = site.version_names(ROUTES)
    assert len(names) == len(set(names))
    assert paths(site) == {"/": "main", "/feature-new/": "feature-new"}


def test_a_dry_run_says_what_would_go_and_writes_nothing(site: Site) -> None:
    before = site.contents()
    said = branches(site, older_than="30d", dry_run=True)
    assert (said.status, said.written) == (0, 0)
    assert f"{ROUTES}: would go: www.example.com/feature-old/ (feature-old)" in said.log
    assert "Nothing was written" in said.log
    assert site.contents() == before


def test_json_tells_what_went(site: Site) -> None:
    (removal,) = branches(site, older_than="30d", as_json=True).told["removals"]
    assert removal == {
        "file": ROUTES,
        "state": "applied",
        "version": "1.0.10-feature-new.2",
        "previous_version": "1.0.10-feature-new",
        "paths": ["www.example.com/feature-old/"],
        "branches": ["feature-old"],
        "reason": None,
    }


def test_what_is_kept_and_what_is_served_at_the_root_stays_whatever_its_age(site: Site) -> None:
    site.clock.time += 100 * DAY
    said = branches(site, older_than="1d", keep=("release/*, feature-o*",))
    assert said.status == 0
    assert paths(site) == {"/": "main", "/feature-old/": "feature-old"}


def test_all_domains_of_a_stale_branch_lose_it_each_in_its_own_version(site: Site) -> None:
    build(site, "stale", "a.example.com", "b.example.com", "c.example.com")
    build(site, "main", "a.example.com", "b.example.com", "c.example.com")
    site.clock.time += 10 * DAY
    build(site, "feature-new")
    said = branches(site, older_than="9d", keep=("feature-*",))
    assert (said.status, said.written) == (0, 3)
    for host in ("a", "b", "c"):
        assert paths(site, f"{host}.example.com.routes.yaml") == {"/": "main"}


# --- what does not go -----------------------------------------------------------------------------------


def edit(site: Site, old: str, new: str) -> None:
    """Let somebody edit the current version by hand, in the console."""
    text = site.contents()[ROUTES]
    assert old in text
    site.emulator.state.add_version(
        SPACE, ROUTES, version="9.0.0", content=text.replace(old, new), creator="zhangsan"
    )


def test_comments_and_other_edits_by_hand_stay_as_they_are(site: Site) -> None:
    edit(site, "      http:\n", "      http: # by hand\n")
    assert branches(site, older_than="30d").status == 0
    assert "      http: # by hand\n" in site.contents()[ROUTES]
    assert "feature-old" not in site.contents()[ROUTES]


def test_a_file_edited_into_another_form_is_left_as_it_is_and_the_reason_said(site: Site) -> None:
    edit(site, "        paths:\n", "        paths: &paths\n")
    before = site.contents()
    said = branches(site, older_than="30d")
    assert (said.status, said.written) == (1, 0)
    assert "left as it is" in said.log
    assert "lines can't be cut" in said.log
    assert site.contents() == before
    (removal,) = branches(site, older_than="30d", as_json=True).told["removals"]
    assert removal["state"] == "refused"
    assert "lines can't be cut" in removal["reason"]


def test_the_last_path_of_an_ingress_stays() -> None:
    with open_site() as site:
        build(site, "feature-old")
        site.clock.time += 40 * DAY
        said = branches(site, older_than="30d")
        assert (said.status, said.written) == (1, 0)
        assert "without any path" in said.log


def test_one_file_that_is_refused_does_not_stop_the_others(site: Site) -> None:
    build(site, "stale", "a.example.com")
    build(site, "main", "b.example.com")
    build(site, "stale", "b.example.com")
    site.clock.time += 10 * DAY
    build(site, "feature-new")
    said = branches(site, older_than="9d", keep=("feature-*",))
    assert (said.status, said.written) == (1, 1)
    assert paths(site, "b.example.com.routes.yaml") == {"/": "main"}
    assert paths(site, "a.example.com.routes.yaml") == {"/stale/": "stale"}


def test_a_routes_file_that_can_not_be_read_is_said_and_left(site: Site) -> None:
    site.emulator.state.add_version(SPACE, ROUTES, version="9.0.0", content="{broken", creator="zhangsan")
    said = branches(site, older_than="30d")
    assert (said.status, said.written) == (0, 0)
    assert ROUTES in said.log
    assert "feature-old" not in said.out


# --- others at the same time ----------------------------------------------------------------------------


def hotfix(state: State) -> None:
    """Publish as a build of another branch would, by hand."""
    text = state.current_content(SPACE, ROUTES).replace("apiVersion", "# by hand\napiVersion")
    state.add_version(SPACE, ROUTES, version="9.0.0", content=text, creator="zhangsan")


def test_a_version_published_since_the_look_is_not_overwritten(site: Site) -> None:
    site.rival(hotfix, before=LOOK_BEFORE)
    said = branches(site, older_than="30d")
    assert (said.status, said.written) == (1, 0)
    assert "9.0.0" in said.log
    assert "# by hand" in site.contents()[ROUTES]
    assert branches(site, older_than="30d").status == 0
    assert "# by hand" in site.contents()[ROUTES]
    assert "/feature-old/" not in paths(site)


def test_a_version_written_in_the_last_window_is_said_and_its_branch_is_not_lost(site: Site) -> None:
    def rival(_: State) -> None:
        build(site, "feature-racing")

    site.rival(rival, before=CREATE_VERSION)
    said = branches(site, older_than="30d")
    assert said.status == 1
    assert "another run published at the same time" in said.log
    build(site, "feature-new")
    assert paths(site) == {
        "/": "main",
        "/feature-new/": "feature-new",
        "/feature-racing/": "feature-racing",
    }


def test_a_version_that_a_race_has_hidden_is_not_buried(site: Site) -> None:
    site.rival(lambda _: build(site, "feature-racing"), before=CREATE_VERSION)
    branches(site, older_than="30d")
    site.clock.time += 40 * DAY
    said = branches(site, older_than="30d")
    assert (said.status, said.written) == (1, 0)
    assert "the next build of this domain brings it back" in said.log


def test_json_tells_why_a_path_did_not_go(site: Site) -> None:
    site.rival(hotfix, before=LOOK_BEFORE)
    (removal,) = branches(site, older_than="30d", as_json=True).told["removals"]
    assert removal["state"] == "failed"
    assert "9.0.0" in removal["reason"]


def test_a_look_back_that_fails_is_said_and_what_was_written_stands(site: Site) -> None:
    site.emulator.faults.add(Fault("answer", LOOK_AFTER, times=20, status=404, body="{}"))
    said = branches(site, older_than="30d")
    site.emulator.faults.clear()
    assert (said.status, said.written) == (0, 1)
    assert "published without www.example.com/feature-old/" in said.log
    assert "[warning]" in said.log


def test_a_version_that_is_not_what_was_sent_is_a_failure_and_not_called_unwritten(site: Site) -> None:
    def spoil(state: State) -> None:
        version = state.find_versions(SPACE, ROUTES)[-1]
        version.content += "# by somebody\n"

    site.rival(spoil, before=CREATE_VERSION, after=True)
    said = branches(site, older_than="30d")
    assert (said.status, said.written) == (1, 1)
    assert "Nothing was written" not in said.log


# --- the command ----------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("--older-than", "soon"), ("--older-than is soon;", "30d")),
        (("--older-than", "0d"), ("--older-than is 0d;",)),
        (("--keep", "x"), ("--keep does nothing without --older-than",)),
        (("--dry-run",), ("--dry-run does nothing without --older-than",)),
    ],
)
def test_a_mistaken_argument_is_told_before_anything_is_sent(
    tmp_path: Path, arguments: tuple[str, ...], words: tuple[str, ...]
) -> None:
    write_settings(tmp_path, {})
    done = run(tmp_path, *arguments)
    assert (done.returncode, done.stdout) == (1, "")
    for word in words:
        assert word in done.stderr


def test_settings_that_can_not_be_read_are_told(tmp_path: Path) -> None:
    done = run(tmp_path)
    assert (done.returncode, done.stdout) == (1, "")
    assert FILE in done.stderr


def test_a_stop_before_the_write_writes_nothing_and_is_told(tmp_path: Path) -> None:
    with open_site() as site:
        build(site, "main")
        build(site, "feature-old")
        write_settings(tmp_path, settings_of(site))
        slow = site.emulator.faults.add(Fault("slow", LOOK_BEFORE, delay=10))
        command = [str(STEP), "branches", "--settings", FILE, "--older-than", "1h"]
        process = subprocess.Popen(
            command,
            cwd=tmp_path,
            env=environment(),
            stderr=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            text=True,
        )
        until(lambda: slow.struck)
        process.send_signal(signal.SIGTERM)
        assert "SIGTERM" in process.communicate(timeout=30)[1]
        assert process.returncode == 1
        assert paths(site) == {"/": "main", "/feature-old/": "feature-old"}


def test_the_command_lists_and_takes_out(tmp_path: Path) -> None:
    with open_site() as site:
        build(site, "main")
        build(site, "feature-old")
        write_settings(tmp_path, settings_of(site))
        done = run(tmp_path, "--older-than", "1h", "--keep", "release/*")
        assert done.returncode == 0, done.stderr
        assert "/feature-old/" in done.stdout
        assert paths(site) == {"/": "main"}
        assert "web_app-secret" not in done.stdout + done.stderr


def run(directory: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return run_verb(directory, "branches", *arguments)
