"""`only`: a part of the run's files is the same as in the whole run, and nothing else is looked at."""

from __future__ import annotations

from itertools import combinations

import pytest
from tests.support.deploying import calls_of, cluster_site, deploy, sent_files, workload
from tests.support.publishing import Site, config, open_site, routes

from bcs_template_set.messages.errors import RouteTaken
from bcs_template_set.messages.past_errors import NothingNamed

FILES = {"a_yaml": config("a", "1"), "b_yaml": config("b", "1"), "c_yaml": config("c", "1")}
NAMES = ("a.yaml", "b.yaml", "c.yaml")
PARTS = [part for size in (1, 2) for part in combinations(NAMES, size)]


def stored(site: Site) -> dict[str, list[tuple[str, str, str]]]:
    """Return the versions of every file."""
    return {name: [(v.version, v.content, v.description) for v in site.history(name)] for name in NAMES}


@pytest.mark.parametrize("part", PARTS, ids="+".join)
def test_a_run_of_a_part_and_one_of_the_rest_write_what_the_whole_run_writes(part: tuple[str, ...]) -> None:
    with open_site(**FILES) as whole:
        digest = whole.run().output()["plan_digest"]
        wanted = stored(whole)
    rest = [name for name in NAMES if name not in part]
    with open_site(**FILES) as site:
        first = site.run(only="\n".join(part))
        assert sorted(site.contents()) == sorted(part)
        second = site.run(only="\n".join(rest))
        found = stored(site)
        assert not [one for ran in (first, second) for one in ran.exchanges if one.method == "DELETE"]
    assert found == wanted
    assert first.output()["plan_digest"] != digest
    assert f"scope: {len(part)} of 3 files (only)" in first.log
    assert first.outcome.plan is not None
    assert first.outcome.plan.rendered_no_more == ()


def test_what_is_outside_is_neither_checked_nor_counted_as_gone_and_no_set_is_published() -> None:
    with open_site(**FILES) as site:
        assert "render: all 3 files; 3 files" in site.run().log
        site.next_build(b_yaml="kind: {{ lacking }}\n", a_yaml=config("a", "2"))
        del site.files["c.yaml"]
        ran = site.run(only="a.yaml", template_set="shop")
        assert ran.code == 0, ran.log
        assert ran.written == ["POST template/*/versions"]
        assert "The template set shop is not published" in ran.log
        assert "c.yaml" not in ran.log


def test_what_is_rendered_no_more_may_be_named_and_nothing_else_is_gone() -> None:
    with open_site(**FILES) as site:
        site.run()
        site.next_build()
        del site.files["b.yaml"], site.files["c.yaml"]
        ran = site.run(only="c.yaml")
        assert ran.outcome.plan is not None
        assert (ran.code, ran.outcome.plan.rendered_no_more, ran.written) == (0, ("c.yaml",), [])


def test_a_name_that_is_nothings_stops_the_run_before_it_writes() -> None:
    with open_site(**FILES) as site:
        ran = site.run(only="a.yml")
        assert isinstance(ran.outcome.error, NothingNamed)
        assert 'Did you mean "a.yaml"?' in ran.log
        assert ran.written == []


def test_a_route_of_a_file_outside_is_not_taken() -> None:
    with open_site(a_yaml=routes("a.example.com", "/"), b_yaml=routes("b.example.com", "/")) as site:
        site.run()
        site.next_build(
            a_yaml=routes("a.example.com", "/") + "---\n" + routes("b.example.com", "/").split("---\n")[2]
        )
        ran = site.run(only="a.yaml")
        assert isinstance(ran.outcome.error, RouteTaken), ran.log


def test_a_deployment_sends_the_part_alone() -> None:
    with cluster_site(a_yaml=workload(name="a"), b_yaml=workload(name="b")) as site:
        ran = deploy(site, only="b.yaml")
        assert ran.code == 0, ran.log
        (call,) = calls_of(ran)
        assert sent_files(site, call) == ["b.yaml"]
