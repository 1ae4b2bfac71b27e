from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcs_template_set.manifests.naming import (
    CONFIG_KEY,
    DEFAULT_MAIN_BRANCHES,
    DomainNames,
    check_file_name,
    check_label,
    check_label_key,
    check_label_value,
    check_service_name,
    check_subdomain,
    check_version_name,
    deployment_file,
    free_successor,
    is_semver,
    normal_path,
    path_of_branch,
    routes_file,
    slug_of,
    successor_of,
    web_file,
    web_part,
)

BRANCHES = st.one_of(
    st.text(max_size=60),
    st.text("abAB01-_/.", max_size=50),
    st.from_regex(r"[a-z0-9-]{1,45}(-[0-9a-f]{10})?", fullmatch=True),
)


@pytest.mark.parametrize("branch", ["main", "release-1", "a", "x" * 40, "1", "0"])
def test_a_branch_that_is_a_label_already_is_its_own_slug(branch: str) -> None:
    assert slug_of(branch) == branch


@pytest.mark.parametrize(
    ("branch", "start"),
    [
        ("feature/Login", "feature-login-"),
        ("Main", "main-"),
        ("a_b", "a-b-"),
        ("分支", "branch-"),
        ("", "branch-"),
        ("x" * 41, "x" * 29 + "-"),
        ("x" * 28 + "-" + "y" * 20, "x" * 28 + "-"),
        ("a\udcff", "a-"),
        ("-a", "a-"),
        ("007", "007-"),
        ("main-0123456789", "main-0123456789-"),
    ],
)
def test_a_slug_that_lost_something_ends_in_a_hash(branch: str, start: str) -> None:
    assert re.fullmatch(f"{start}[0-9a-f]{{10}}", slug_of(branch))


@given(st.lists(BRANCHES, unique=True, max_size=20))
def test_two_branches_never_share_a_slug(branches: list[str]) -> None:
    assert len({slug_of(branch) for branch in branches}) == len(branches)


@given(BRANCHES)
def test_a_branch_never_gets_the_slug_of_the_branch_named_like_it(branch: str) -> None:
    slug = slug_of(branch)
    assert slug == branch or slug_of(slug) != slug


@given(BRANCHES, st.integers(0, 10**9))
def test_every_slug_is_a_label_and_makes_the_default_version_right(branch: str, build: int) -> None:
    slug = slug_of(branch)
    assert len(slug) <= 40
    assert check_label(slug) is None
    version = f"1.0.{build}-{slug}"
    assert is_semver(version)
    assert check_version_name(version) is None


@pytest.mark.parametrize(
    ("branch", "path"),
    [("main", "/"), ("x-1", "/x-1/"), ("Main", "/main-[0-9a-f]{10}/"), ("master", "/master/")],
)
def test_a_branch_is_served_at_its_slug_and_a_main_branch_at_the_root(branch: str, path: str) -> None:
    assert re.fullmatch(path, path_of_branch(branch, main_branches=["main"]))


@pytest.mark.parametrize("branch", ["main", "master", "release"])
def test_the_usual_main_branches_are_served_at_the_root(branch: str) -> None:
    assert path_of_branch(branch, main_branches=DEFAULT_MAIN_BRANCHES) == "/"


@given(st.lists(BRANCHES, unique=True, max_size=20))
def test_two_branches_that_are_not_main_never_share_a_place(branches: list[str]) -> None:
    assert len({normal_path(path_of_branch(branch, main_branches=())) for branch in branches}) == len(
        branches
    )


@pytest.mark.parametrize(("path", "place"), [("/", "/"), ("/a", "/a"), ("/a/", "/a"), ("/a/b/", "/a/b")])
def test_the_place_of_a_path_has_no_slash_at_its_end(path: str, place: str) -> None:
    assert normal_path(path) == place


@pytest.mark.parametrize(
    ("version", "number", "successor"),
    [
        ("1.0.7-a", 2, "1.0.7-a.2"),
        ("1.0.7", 2, "1.0.7+2"),
        ("1.0.7+b", 3, "1.0.7+b.3"),
        ("1.0.7-a+b", 3, "1.0.7-a+b.3"),
        ("v1", 2, "v1.2"),
        ("版本 1", 2, "版本 1.2"),
    ],
)
def test_a_successor_is_the_version_with_a_number(version: str, number: int, successor: str) -> None:
    assert successor_of(version, number) == successor


NUMBER = str(2**63 - 1)
NUMBERS = f"{NUMBER}.{NUMBER}.{NUMBER}"
ROOMY = f"{'1' * 18}.{'2' * 18}.{'3' * 12}"


@pytest.mark.parametrize(
    ("version", "form"),
    [
        ("1.0.0-" + "a" * 56, "1.0.0-" + "a" * 56 + ".2"),
        ("1.0.0-" + "a" * 57, "1.0.0-" + "a" * 45 + "-##########.2"),
        (ROOMY + "-" + "a" * 12, ROOMY + "--##########.2"),
        (ROOMY + "3-" + "a" * 11, ROOMY + "3-h###########"),
        (NUMBERS + "+a.b", NUMBERS + "+h###"),
        ("1" * 60 + "-aaa", "1" * 51 + "-##########.2"),
        ("a\udcff" * 32, "a\udcff" * 25 + "a-##########.2"),
    ],
)
def test_of_a_version_that_is_too_long_its_numbers_are_kept_and_what_there_is_room_for_beside_a_hash(
    version: str, form: str
) -> None:
    assert re.fullmatch(re.escape(form).replace(r"\#", "[0-9a-f]"), successor_of(version, 2))


def test_the_first_successor_that_nobody_has_is_taken() -> None:
    assert free_successor("1.0.7", taken=()) == "1.0.7+2"
    assert free_successor("1.0.7", taken={"1.0.7", "1.0.7+2", "1.0.7+3", "1.0.7+5"}) == "1.0.7+4"


VERSIONS = st.one_of(
    st.builds("1.0.{}-{}".format, st.integers(0, 10**9), BRANCHES.map(slug_of)),
    st.from_regex(r"[0-9]{1,3}\.0\.7(-[0-9a-zA-Z.-]{1,54})?(\+[0-9a-zA-Z.-]{1,54})?", fullmatch=True),
    st.text("ab1.+-", min_size=1, max_size=64),
    st.text(min_size=64, max_size=64),
    st.builds(
        "{0}.{0}.{0}{1}{2}".format, st.just(2**63 - 1), st.sampled_from("+-"), st.text("a0", max_size=4)
    ),
).filter(lambda version: check_version_name(version) is None)


@given(VERSIONS, st.integers(2, 99))
def test_every_successor_is_a_version_and_semver_where_its_version_is(version: str, number: int) -> None:
    successor = successor_of(version, number)
    assert check_version_name(successor) is None
    assert is_semver(successor) or not is_semver(version)
    assert successor != version


@given(st.sets(st.tuples(VERSIONS, st.integers(2, 99)), max_size=20))
def test_two_versions_or_numbers_never_share_a_successor(asked: set[tuple[str, int]]) -> None:
    # Numbers of 19 digits leave too little room for a hash to be told apart by.
    asked = {(version, number) for version, number in asked if not version.startswith(str(2**63 - 1))}
    assert len({successor_of(version, number) for version, number in asked}) == len(asked)


@pytest.mark.parametrize(
    "name", ["1.0.0", "1.2.3-rc.1", "0.0.0-0", "1.0.0-a-b", "1.0.0+b.01", "1.0.0-x+y", NUMBERS]
)
def test_semver_is_taken(name: str) -> None:
    assert is_semver(name)


@pytest.mark.parametrize(
    "name",
    [
        "1.0",
        "v1.0.0",
        "1.0.0-",
        "1.0.0-01",
        "01.0.0",
        "1.0.0-a..b",
        "1.0.0-ä",
        "1.0.0\n",
        "9" * 30 + ".0.0",
        "",
        "1.0.0.0",
        "9223372036854775808.0.0",
        "0.9223372036854775808.0",
        "0.0.9223372036854775808",
    ],
)
def test_what_is_no_semver_is_refused(name: str) -> None:
    assert not is_semver(name)


@pytest.mark.parametrize(
    ("name", "says"), [("", "empty"), ("x" * 65, "65"), (" a", "space"), ("a\nb", "printed")]
)
def test_a_version_name_that_bcs_refuses_is_refused_first(name: str, says: str) -> None:
    assert says in str(check_version_name(name))


@pytest.mark.parametrize("name", ["1.0.0", "v1", "版本 1", "x" * 64])
def test_any_other_version_name_is_taken(name: str) -> None:
    assert check_version_name(name) is None


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("x" * 62, "65 characters"),
        ("a:b", "one of the characters"),
        ("a|b", "one of the characters"),
        ("a\tb", "printed"),
        ("a//b", "two in a row"),
        ("/a", "begins or ends with a /"),
        ("a/", "begins or ends with a /"),
        ("a. /b", "cuts off"),
        ("b.", "cuts off"),
    ],
)
def test_a_file_name_that_bcs_refuses_or_cuts_is_refused(name: str, says: str) -> None:
    assert says in str(check_file_name("sp", name))


@pytest.mark.parametrize("name", ["a.yaml", "sub/dir/a.yaml", "x" * 61, "名字.yaml"])
def test_other_file_names_are_taken(name: str) -> None:
    assert check_file_name("sp", name) is None


def test_without_a_space_a_file_may_use_its_room_too() -> None:
    assert check_file_name("", "x" * 64) is None
    assert "65 characters" in str(check_file_name("", "x" * 65))


def test_the_characters_that_no_file_name_may_have_are_named() -> None:
    assert '\\ : * ? " < > |' in str(check_file_name("sp", "a:b"))


@pytest.mark.parametrize("part", ["deployment", "service", "routes"])
def test_a_file_of_a_domain_is_known_by_its_name(part: str) -> None:
    assert web_file("a.x", part) == f"a.x.{part}.yaml"
    assert web_part(f"a.x.{part}.yaml") == ("a.x", part)
    assert (deployment_file("a.x"), routes_file("a.x")) == ("a.x.deployment.yaml", "a.x.routes.yaml")


@pytest.mark.parametrize(
    "name", ["a.x.yaml", "a.x.ingress.yaml", "routes.yaml", "a.x.routes.yml", "a.x.routes"]
)
def test_any_other_file_is_none_of_a_domain(name: str) -> None:
    assert web_part(name) == ("", "")


def test_the_names_of_a_domain_are_those_of_the_table() -> None:
    names = DomainNames(app="nginx", host="test.icabe.game")
    assert names.deployment == "deployment.nginx.test.icabe.game"
    assert names.service == "service-nginx-test-icabe-game"
    assert names.ingress(0) == "ingress-test.icabe.game-0"
    assert names.tls_secret == "test.icabe.game.cert"


def test_limits_are_those_of_kubernetes() -> None:
    assert check_label_value("x" * 63) is None
    assert "64" in str(check_label_value("x" * 64))
    assert check_label_value("") is None
    assert check_label_value("a_B.c-1") is None
    assert check_label_value("a b") is not None
    assert check_label_key("example.com/name") is None
    assert check_label_key("Example.com/name") is not None
    assert check_label_key("/name") is not None
    assert check_label_key("example.com/a b") is not None
    assert check_subdomain("a." + "b" * 251) is None
    assert check_subdomain("a.b" + "c" * 251) is not None
    assert check_service_name("1a") is not None
    assert check_service_name("a1") is None
    assert check_label("a.b") is not None


@pytest.mark.parametrize(
    ("key", "fits"), [("_a-B.1", True), ("x" * 253, True), ("x" * 254, False), ("a/b", False)]
)
def test_a_key_of_a_config_map_has_kubernetes_form(key: str, *, fits: bool) -> None:
    assert (re.fullmatch(CONFIG_KEY, key) is not None) is fits
