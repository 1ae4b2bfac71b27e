"""What a branch's build makes of a domain that other branches are served in, path by path."""

from __future__ import annotations

import functools
from dataclasses import replace
from pathlib import Path
from typing import Optional

import pytest
from tests.support.building import prepared
from tests.support.planned import OURS, TARGET, existing, existing_file, version_of

from bcs_template_set.bcs.answers import TemplateVersion
from bcs_template_set.bcs.space.existing import Existing, Unmerged
from bcs_template_set.branches.merge_paths import check_removals, routes_files, with_branches
from bcs_template_set.manifests.branch_paths import Claim, Served, ServedPath
from bcs_template_set.manifests.templating.prepare import Prepared
from bcs_template_set.manifests.templating.render import render_routes
from bcs_template_set.messages.errors import InputsInvalid
from bcs_template_set.publish.plan import Desired

HOST = "a.example.com"
ROUTES = f"{HOST}.routes.yaml"
SERVICE = "service-shop-a-example-com"
INGRESS = f"ingress-{HOST}-0"
DOMAIN = f"{{host: {HOST}, image: 'r/shop:1', port: 8080, load_balancers: [lb-1], branch_paths: true}}"
PLAIN = "{host: b.example.com, image: 'r/shop:1', port: 8080, load_balancers: [lb-1]}"


@functools.cache
def run(branch: str = "dev", *, domains: str = DOMAIN) -> Prepared:
    return prepared(Path(), "builtin:web", values=f"{{app: shop, domains: [{domains}]}}", branch=branch)


def path(branch: str, place: str = "", *, pipeline: str = "p-9", by: str = "zhaoliu") -> ServedPath:
    claim = Claim(place or f"/{branch}/", branch, pipeline, 3, by)
    return ServedPath(claim.path, "Prefix", SERVICE, 8080, claim)


def own(branch: str = "dev") -> ServedPath:
    claim = run(branch).claim
    return ServedPath(claim.path, "Prefix", SERVICE, 8080, claim)


def text_of(*paths: ServedPath) -> str:
    served: Served = {INGRESS: tuple(sorted(paths))}
    (file,) = render_routes(run(), {HOST: served})
    return file.text


def merged(held: Existing, *, branch: str = "dev", remove: frozenset[str] = frozenset()) -> Desired:
    ours = run(branch)
    files = render_routes(ours, {HOST: {INGRESS: (own(branch),)}})
    desired = Desired(TARGET, "1.0.7", files, OURS)
    return with_branches(desired, held, prepared=ours, remove=remove)


def held(*paths: ServedPath, unmerged: tuple[Unmerged, ...] = ()) -> Existing:
    return existing(replace(existing_file(ROUTES, version_of(text_of(*paths))), unmerged=unmerged))


def at(number: int, *paths: ServedPath) -> TemplateVersion:
    return version_of(text_of(*paths), name=f"1.0.{number}", number=number)


def texts(desired: Desired) -> tuple[list[str], list[str]]:
    return [str(text) for text in desired.claimed], [str(text) for text in desired.notes]


def test_the_files_that_branches_share_are_those_of_domains_with_branch_paths() -> None:
    assert routes_files(run(domains=f"{DOMAIN}, {PLAIN}")) == {ROUTES}


NO_VERSION = existing(existing_file(ROUTES, None))


@pytest.mark.parametrize(
    "there", [existing(), NO_VERSION, held(own())], ids=["no file", "a mere draft", "all there"]
)
def test_where_nobody_else_is_served_a_build_writes_what_it_renders(there: Existing) -> None:
    desired = merged(there)
    assert [file.text for file in desired.files] == [text_of(own())]
    assert ([*desired.shared], texts(desired)) == ([ROUTES], ([], []))
    assert not desired.asked


def test_the_paths_of_other_branches_and_of_nobody_stay() -> None:
    free = ServedPath("/free", "Prefix", "other", 90)
    desired = merged(held(path("main", "/"), path("x"), free))
    assert [file.text for file in desired.files] == [text_of(path("main", "/"), path("x"), free, own())]
    assert (desired.asked, texts(desired)) == (frozenset(), ([], []))


def test_a_domain_without_branch_paths_is_as_it_is_rendered() -> None:
    ours = run(domains=PLAIN)
    desired = Desired(TARGET, "1.0.7", render_routes(run(), {HOST: {INGRESS: (own(),)}}), OURS)
    assert with_branches(desired, held(path("x")), prepared=ours, remove=frozenset({"x"})).notes != ()
    assert with_branches(desired, held(path("x")), prepared=ours, remove=frozenset()) == desired


def test_all_paths_of_the_service_lead_to_its_one_port() -> None:
    desired = merged(held(path("x")._replace(port=80)))
    assert [file.text for file in desired.files] == [text_of(path("x"), own())]


def test_what_is_to_be_removed_goes_and_is_asked_for_and_what_is_not_there_is_said() -> None:
    desired = merged(held(path("x"), path("y"), path("dev", "/old/")), remove=frozenset({"x", "z", "w"}))
    assert [file.text for file in desired.files] == [text_of(path("y"), own())]
    assert desired.asked == {(HOST, "/x")}
    assert texts(desired)[1] == [
        f"Branch {name} is not served by any domain of this run, so there is nothing to remove."
        for name in ("w", "z")
    ]


def test_a_path_that_another_branch_has_is_not_taken() -> None:
    desired = merged(held(path("other", "/dev/")))
    assert [file.text for file in desired.files] == [text_of(own())]
    ((claimed,), notes) = texts(desired)
    assert claimed.startswith(
        "a.example.com/dev/ belongs to branch other (added by build 3 of pipeline p-9, started by zhaoliu); "
        "branch dev would be"
    )
    assert notes == []
    ((claimed,), _) = texts(merged(held(path("other", "/dev/", pipeline="", by=""))))
    assert "(added by build 3 of pipeline ?, started by ?)" in claimed
    assert texts(merged(held(path("other", "/dev/")), remove=frozenset({"other"}))) == ([], [])


def test_a_file_that_can_not_be_read_can_not_be_merged() -> None:
    desired = merged(existing(existing_file(ROUTES, version_of("a: ["))))
    ((claimed,), _) = texts(desired)
    assert claimed.startswith(f"{ROUTES}: what BCS holds is not YAML")


def test_a_main_path_that_is_handed_over_is_said() -> None:
    desired = merged(held(path("master", "/"), path("x")), branch="main")
    assert [file.text for file in desired.files] == [text_of(path("x"), own("main"))]
    assert texts(desired) == (
        [],
        ["a.example.com/ was branch master's and is now branch main's: both are main branches."],
    )
    assert desired.asked == {(HOST, "/")}
    assert texts(merged(held(own("main")._replace(port=80)), branch="main")) == ([], [])


def test_what_a_race_has_hidden_is_brought_back_and_said() -> None:
    base = at(1, path("main", "/"))
    rivals = (
        Unmerged(at(2, path("main", "/"), path("y")), base),
        Unmerged(at(3, path("x"), path("main", "/")), base),
    )
    desired = merged(held(path("main", "/"), unmerged=rivals))
    assert [file.text for file in desired.files] == [text_of(path("main", "/"), path("x"), path("y"), own())]
    (said,) = texts(desired)[1]
    assert said.startswith(
        f"{ROUTES}: brings back a.example.com/x/ (x), a.example.com/y/ (y), which a version"
    )
    assert said.endswith(" (from 1.0.2, 1.0.3).")


def test_a_hidden_path_of_nobody_is_brought_back_without_a_word() -> None:
    free = ServedPath("/free", "Prefix", "other", 90)
    rival = Unmerged(at(2, path("main", "/"), free), at(1, path("main", "/")))
    desired = merged(held(path("main", "/"), unmerged=(rival,)))
    assert [file.text for file in desired.files] == [text_of(path("main", "/"), free, own())]
    assert texts(desired) == ([], [])


@pytest.mark.parametrize(
    ("base", "stays"), [(at(1, path("x")), []), (None, ["x"])], ids=["from there", "from nothing"]
)
def test_what_a_hidden_version_has_not_added_is_not_brought_back(
    base: Optional[TemplateVersion], stays: list[str]
) -> None:
    rival = Unmerged(at(2, path("x")), base)
    desired = merged(held(path("main", "/"), unmerged=(rival,)))
    expected = text_of(path("main", "/"), *map(path, stays), own())
    assert [file.text for file in desired.files] == [expected]


@pytest.mark.parametrize(
    ("remove", "domains", "mistakes"),
    [
        (("x",), DOMAIN, []),
        ((), PLAIN, []),
        (("main", "dev", "x"), DOMAIN, ['remove_branches names "main"', 'remove_branches names "dev"']),
        (("x",), PLAIN, ["remove_branches is given, but no domain"]),
    ],
)
def test_branches_that_must_stay_are_not_removed(
    remove: tuple[str, ...], domains: str, mistakes: list[str]
) -> None:
    if not mistakes:
        check_removals(remove, run(domains=domains))
        return
    with pytest.raises(InputsInvalid) as caught:
        check_removals(remove, run(domains=domains))
    said = [str(detail) for detail in caught.value.details]
    assert [line[: len(start)] for line, start in zip(said, mistakes)] == mistakes
    assert len(said) == len(mistakes)
