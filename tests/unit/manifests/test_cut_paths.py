"""Taking branches' paths out of a routes file as text: exactly those go, or nothing does."""

from __future__ import annotations

import functools
from pathlib import Path
from typing import Union

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tests.support.building import prepared
from tests.support.draws import examples

from bcs_template_set.manifests.branch_paths import (
    Claim,
    Served,
    ServedPath,
    claims_json,
    claims_of,
    read_served,
)
from bcs_template_set.manifests.cut_paths import CannotRemove, without_paths
from bcs_template_set.manifests.parse import parse_documents
from bcs_template_set.manifests.templating.prepare import Prepared
from bcs_template_set.manifests.templating.render import render_routes

HOST = "www.example.com"
INGRESSES = tuple(f"ingress-{HOST}-{number}" for number in range(2))
VALUES = (
    "{app: nginx, domains: [{host: www.example.com, image: 'a:1', load_balancers: [lb-1, lb-2], "
    "branch_paths: true}]}"
)
HOSTILE = ["{{x}}", "it's", 'a"b', "two\nlines", "特性/中文", "x" * 300, "#no", "- path: /", "&a *a", "\x7f"]

places = st.from_regex(r"/[a-z0-9]{1,8}/?", fullmatch=True)
branch_names = st.sampled_from(HOSTILE) | st.text(
    st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40
)


@st.composite
def served_paths(draw: st.DrawFn) -> tuple[ServedPath, ...]:
    """Return `/` and some paths, most of them claimed, by some branches twice."""
    found = {(False, ""): ServedPath("/", "Prefix", "s", 80, Claim("/", "main", "p-1", 1, "lisi"))}
    for path in draw(st.lists(places, max_size=6)):
        claim = draw(st.none() | st.builds(Claim, st.just(path), branch_names, st.just("p-1"), st.just(7)))
        port: Union[int, str] = draw(st.just(80) | st.just("http"))
        served = ServedPath(
            path, draw(st.sampled_from(["Prefix", "ImplementationSpecific"])), "s", port, claim
        )
        found.setdefault(served.place, served)
    return tuple(sorted(found.values(), key=lambda served: served.path))


@functools.cache
def run() -> Prepared:
    return prepared(Path(), "builtin:web", values=VALUES)


def rendered(served: Served) -> str:
    (file,) = render_routes(run(), {HOST: served})
    return file.text


def without(served: Served, branches: frozenset[str]) -> Served:
    return {
        name: tuple(p for p in paths if p.claim is None or p.claim.branch not in branches)
        for name, paths in served.items()
    }


few = settings(
    max_examples=examples(40, sample=15), deadline=None
)  # each renders and reads a file twice or more


@few
@given(st.lists(served_paths(), min_size=2, max_size=2), st.data())
def test_what_is_left_is_to_the_letter_what_rendering_without_them_writes(
    each: list[tuple[ServedPath, ...]], data: st.DataObject
) -> None:
    served = dict(zip(INGRESSES, each))
    known = sorted({p.claim.branch for paths in each for p in paths if p.claim is not None} - {"main"})
    branches = frozenset(data.draw(st.sets(st.sampled_from([*known, "nobody"]))))
    assert without_paths(rendered(served), host=HOST, branches=branches) == rendered(
        without(served, branches)
    )


@few
@given(served_paths(), st.lists(st.tuples(st.integers(0, 200), st.integers(0, 14)), max_size=12))
def test_comments_anywhere_change_nothing_of_what_is_left(
    paths: tuple[ServedPath, ...], comments: list[tuple[int, int]]
) -> None:
    served = dict.fromkeys(INGRESSES, paths)
    branches = frozenset(p.claim.branch for p in paths if p.claim is not None) - {"main"}
    lines = rendered(served).splitlines(keepends=True)
    for line, indent in comments:
        lines.insert(line % (len(lines) + 1), " " * indent + "# by hand\n")
    text = "".join(lines)
    left = without_paths(text, host=HOST, branches=branches)
    documents = parse_documents(left, source="x")
    assert [d.body for d in documents] == [
        d.body for d in parse_documents(rendered(without(served, branches)), source="x")
    ]
    before = iter(text.splitlines())
    assert [line for line in left.splitlines() if "set/branches: " not in line and line not in before] == []


@few
@given(served_paths())
def test_taking_out_twice_is_taking_out_once(paths: tuple[ServedPath, ...]) -> None:
    branches = frozenset(p.claim.branch for p in paths if p.claim is not None) - {"main"}
    once = without_paths(rendered(dict.fromkeys(INGRESSES, paths)), host=HOST, branches=branches)
    assert without_paths(once, host=HOST, branches=branches) == once


# --- by hand --------------------------------------------------------------------------------------------

OLD = Claim("/old/", "old", "p-1", 3, "wangwu")
MAIN = Claim("/", "main", "p-1", 1, "lisi")
BACKEND = "backend: {service: {name: s, port: {number: 80}}}"
ALIASED = "          - path: /\n            pathType: Prefix\n            backend: *b\n"
CUT = "lines can't be cut"


def ingress(paths: str, *, claims: str = claims_json([MAIN, OLD]), more: str = "") -> str:
    return (
        "apiVersion: networking.k8s.io/v1\nkind: Ingress\nmetadata:\n  name: i\n  annotations:\n"
        f"    bcs-template-set/branches: '{claims}' # who\n"
        f"spec:\n  rules:\n    - host: {HOST}\n      http:\n        paths:\n{paths}{more}"
    )


def block(path: str, *, indent: int = 10) -> str:
    blanks = " " * indent
    return f"{blanks}- path: {path}\n{blanks}  pathType: Prefix\n{blanks}  {BACKEND}\n"


def old_out(text: str) -> str:
    left = without_paths(text, host=HOST, branches=frozenset({"old"}))
    assert claims_of(parse_documents(left, source="x")) == ((HOST, MAIN),)
    (paths,) = read_served(parse_documents(left, source="x"), host=HOST).values()
    assert [path.path for path in paths] == ["/"]
    return left


@pytest.mark.parametrize(
    "paths",
    [
        block("/") + block("/old/"),
        block("/old") + block("/"),
        block("/", indent=8) + block("/old/", indent=8),
        block("/") + f"          - {{path: /old/, pathType: Prefix, {BACKEND}}} # all in a line\n",
        block("/")
        + f"          -   path: /old/\n\n              {BACKEND}\n              pathType: Prefix\n",
        block("/") + block("/old/").rstrip("\n"),
        block("/")
        + f"          - pathType: Prefix\n            {BACKEND}\n            path: >-\n              /old/\n",
        (block("/") + block("/old/")).replace("\n", "\r\n"),
        block("/") + f"          -\n            path: /old/\n            {BACKEND}\n",
        block("/").replace("- path", "- &p path") + block("/old/"),
    ],
)
def test_a_path_goes_however_its_lines_are_written(paths: str) -> None:
    assert "old" not in old_out(ingress(paths))


def test_lines_of_others_stay_as_they_were_written() -> None:
    text = ingress("          # the front page\n" + block("/") + "\n          # old:\n" + block("/old/"))
    gone = block("/old/")
    assert old_out(text) == text.replace(gone, "").replace(claims_json([MAIN, OLD]), claims_json([MAIN]))


def test_what_bcs_puts_in_later_is_left_alone() -> None:
    more = '---\nkind: ConfigMap\ndata:\n  a: {{ NAME }}\n  b: "x {{ OTHER }}"\n'
    assert old_out(ingress(block("/") + block("/old/"), more=more)).endswith(more)


def test_fields_behind_the_paths_are_left_alone() -> None:
    more = "  ingressClassName: nginx\n"
    assert old_out(ingress(block("/") + block("/old/"), more=more)).endswith(more)


def test_objects_without_claims_or_paths_are_left_alone() -> None:
    other = "kind: Ingress\nmetadata: {name: o}\nspec: {rules: [{host: o.example.com}]}\n---\n"
    assert old_out(other + ingress(block("/") + block("/old/"))).startswith(other)


def test_an_annotation_in_double_quotes_keeps_them() -> None:
    text = ingress(block("/") + block("/old/"), claims="XX")
    quoted = claims_json([MAIN, OLD]).replace('"', '\\"')
    left = old_out(text.replace("'XX'", f'"{quoted}"'))
    assert 'branches: "[{\\"path' in left


def test_nothing_is_changed_where_the_branch_claims_nothing() -> None:
    text = ingress(block("/") + block("/old/"))
    assert without_paths(text, host=HOST, branches=frozenset({"new"})) == text
    assert without_paths(text, host="other.example.com", branches=frozenset({"old"})) == text


def test_an_exact_path_of_the_same_name_is_another_path() -> None:
    text = ingress(block("/") + block("/old/") + block("/old").replace("Prefix", "Exact"))
    left = without_paths(text, host=HOST, branches=frozenset({"old"}))
    assert "path: /old\n" in left
    assert "/old/" not in left


@pytest.mark.parametrize(
    ("text", "word"),
    [
        (ingress(block("/old/"), claims=claims_json([OLD])), "without any path"),
        (ingress(f"          [{{path: /, {BACKEND}}}, {{path: /old/, {BACKEND}}}]\n"), CUT),
        (ingress(block("/old/").replace("backend:", "backend: &b") + ALIASED), CUT),
        (ingress(block("/") + block("/old/"), more="    - host: b.example.com\n"), "other hosts"),
        (
            ingress(block("/") + block("/old/"))
            .replace("branches: '", "branches: |-\n      ")
            .replace("' # who", ""),
            CUT,
        ),
        (
            ingress(block("/") + block("/old/"), claims=claims_json([MAIN, OLD]).replace(",", ",\n      ")),
            CUT,
        ),
        (
            "kind: List\napiVersion: v1\nitems:\n"
            + "".join(
                f"  {'- ' if number == 0 else '  '}{line}\n"
                for number, line in enumerate(ingress(block("/") + block("/old/")).splitlines())
            ),
            CUT,
        ),
    ],
)
def test_what_cannot_be_cut_is_refused_with_the_reason(text: str, word: str) -> None:
    with pytest.raises(CannotRemove) as caught:
        without_paths(text, host=HOST, branches=frozenset({"old"}))
    assert word in str(caught.value.reason)


@pytest.mark.parametrize("text", ["a: [", "\x00", "{{- if x }}\na: [\n{{- end }}\n"])
def test_what_cannot_be_read_is_refused(text: str) -> None:
    with pytest.raises(CannotRemove, match="not YAML"):
        without_paths(text, host=HOST, branches=frozenset({"old"}))


@given(st.text() | st.text("-:{}[]'\"#&*!|>? \nab/"))
def test_no_text_is_changed_by_accident(text: str) -> None:
    try:
        assert without_paths(text, host=HOST, branches=frozenset({"old"})) == text
    except CannotRemove as exc:
        assert str(exc.reason)  # noqa: PT017 - either is right: unchanged, or refused with a reason
