"""Which files a run is about, and what `only` may name."""

from __future__ import annotations

import pytest

from bcs_template_set.manifests.scope import Scope, host_of, web_host
from bcs_template_set.messages.spelling import MOST_KNOWN

PARTS = ("deployment", "routes")
HOSTS = ("www.example.com", "api.example.com")
WEB = [f"{host}.{part}.yaml" for host in HOSTS for part in PARTS]
MIXED = [*WEB, "extra.yaml"]
FILES = ["a.yaml", "b.yaml", "c.yaml"]


@pytest.mark.parametrize(
    ("files", "only", "text"),
    [
        (WEB, (), "all 2 domains"),
        (["www.example.com.web.yaml", "www.example.com.tls.yaml"], (), "all 2 files"),
        (FILES, (), "all 3 files"),
        (MIXED, (), "all 3 domains and files"),
        (WEB, ("www.example.com",), "1 of 2 domains"),
        (WEB, ("www.example.com.routes.yaml", "www.example.com"), "1 of 2 domains"),
        (FILES, ("a.yaml", "c.yaml"), "2 of 3 files"),
        (MIXED, ("api.example.com", "extra.yaml"), "2 of 3 domains and files"),
    ],
)
def test_the_scope_says_how_much_of_the_whole_it_is(
    files: list[str], only: tuple[str, ...], text: str
) -> None:
    assert Scope(only, files).text().render("en_US") == text


def test_a_host_stands_for_all_its_files_and_a_file_for_itself() -> None:
    scope = Scope(("www.example.com", "api.example.com.routes.yaml"), WEB)
    assert {name for name in WEB if scope.has(name)} == {
        "www.example.com.deployment.yaml",
        "www.example.com.routes.yaml",
        "api.example.com.routes.yaml",
    }
    assert scope.outside == {"api.example.com.deployment.yaml"}
    assert Scope((), WEB).outside == frozenset()


def test_a_host_stands_also_for_its_files_of_ones_own_templates() -> None:
    own = ("www.example.com.web.yaml", "www.example.com.tls.yaml")
    scope = Scope(("www.example.com",), (*own, "api.example.com.web.yaml"))
    assert scope.mistakes() == []
    assert scope.outside == {"api.example.com.web.yaml"}


def test_an_empty_name_stands_for_no_file() -> None:
    scope = Scope(("",), FILES)
    assert scope.outside == {*FILES}
    assert not scope.has("old.yaml"), "of which the name tells no host"
    assert len(scope.mistakes(others=["old.yaml"])) == 1


def test_a_name_that_matches_nothing_is_a_mistake_with_the_nearest_name() -> None:
    scope = Scope(("ww.example.com", "zzz"), WEB)
    assert [text.render("en_US") for text in scope.mistakes()] == [
        (
            'only names "ww.example.com", which is neither a host nor a file of this run. '
            'Did you mean "www.example.com"?'
        ),
        'only names "zzz", which is neither a host nor a file of this run.',
    ]
    assert scope.mistakes(others=["ww.example.com.routes.yaml", "zzz"]) == []


def test_the_nearest_name_is_found_among_thousands() -> None:
    many = [f"shop-{number}.example.com.routes.yaml" for number in range(600)]
    (mistake,) = Scope(("sho-7.example.com",), many).mistakes()
    assert "Did you mean" in mistake.render("en_US")


@pytest.mark.parametrize(
    ("only", "others", "near"),
    [
        ("stoefrnt.example.com", MOST_KNOWN - 2, "storefront.example.com"),
        ("stoefrnt.example.com", MOST_KNOWN - 1, None),
        ("storefrnt.example.com", MOST_KNOWN - 1, "storefront.example.com"),
        ("storefront.example", MOST_KNOWN - 1, "storefront.example.com"),
    ],
)
def test_among_many_names_a_letter_or_a_word_may_be_wrong(only: str, others: int, near: str | None) -> None:
    files = ["storefront.example.com.routes.yaml", *(f"{'x' * n}.yaml" for n in range(others))]
    (mistake,) = Scope((only,), files).mistakes()
    assert mistake.fields.get("near") == near


def test_only_a_name_of_a_domains_form_has_a_host() -> None:
    assert host_of("www.example.com.routes.yaml") == "www.example.com"
    assert host_of("web.yaml") == host_of("web.other.yaml") == ""


def test_a_domain_of_ones_own_templates_has_a_name_of_two_parts_at_least() -> None:
    assert host_of("example.com.web.yaml") == "example.com"
    assert host_of("localhost.web.yaml") == ""


@pytest.mark.parametrize(
    ("name", "host"),
    [
        ("www.example.com.service.yaml", "www.example.com"),
        ("localhost.deployment.yaml", "localhost"),
        ("www.example.com.other.yaml", ""),
        ("routes.yaml", ""),
    ],
)
def test_a_file_of_builtin_web_has_a_host_also_where_that_has_no_dot(name: str, host: str) -> None:
    assert web_host(name) == host
