"""Three words, and no other, for whatever a registry answers by HEAD, GET and its list of tags."""

from __future__ import annotations

import json
from collections.abc import Mapping
from typing import Optional, Union

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bcs_template_set.images.registry_answers import (
    ACCEPTED,
    Found,
    Missing,
    Platform,
    Question,
    Reply,
    Unseen,
    judge,
    manifest_in,
    tags_in,
    token_in,
)
from bcs_template_set.manifests.image_form import ImageName
from bcs_template_set.messages import say
from bcs_template_set.system.http_values import HttpAnswer

NAME = ImageName("registry.example.com", "team/web", "2")
BY_DIGEST = ImageName("registry.example.com", "team/web", "2", "sha256:" + "0" * 64)
OCI, INDEX, SCHEMA_1 = (
    "application/vnd.oci.image.manifest.v1+json",
    "application/vnd.oci.image.index.v1+json",
    "application/vnd.docker.distribution.manifest.v1+prettyjws",
)
AWAY = Unseen(say("images.no_time"))


def answer(status: int, body: object = None, *, kind: str = "", digest: bool = False) -> HttpAnswer:
    headers = {"content-type": kind, **({"docker-content-digest": "sha256:0"} if digest else {})}
    content = body if isinstance(body, bytes) else b"" if body is None else json.dumps(body).encode()
    return HttpAnswer(status, headers, content)


def replies(**given: Reply) -> Mapping[Question, Reply]:
    names: Mapping[str, Question] = {"head": "HEAD", "get": "GET", "tags": "tags"}
    return {names[name]: reply for name, reply in given.items()}


GONE = answer(404, {"errors": [{"code": "MANIFEST_UNKNOWN"}]})
NO_NAME = answer(404, {"errors": [{"code": "NAME_UNKNOWN"}]})
THERE = answer(200, kind=OCI, digest=True)
BODY = answer(200, {"schemaVersion": 2, "mediaType": OCI}, kind=OCI)
LISTED = answer(200, {"tags": ["1", "3"]})
TABLE: dict[str, tuple[Mapping[Question, Reply], Union[str, type]]] = {
    "nothing yet": ({}, "HEAD"),
    "HEAD has it": (replies(head=THERE), Found),
    "HEAD without a digest": (replies(head=answer(200, kind=OCI)), "GET"),
    "HEAD of a page": (replies(head=answer(200, kind="text/html", digest=True)), "GET"),
    "HEAD 404": (replies(head=GONE), "GET"),
    **{f"HEAD {status}": (replies(head=answer(status)), "GET") for status in (400, 405, 406, 501)},
    "HEAD 401": (replies(head=answer(401)), Unseen),
    "HEAD 403": (replies(head=answer(403)), Unseen),
    "HEAD 307": (replies(head=answer(307)), Unseen),
    "HEAD 503": (replies(head=answer(503)), Unseen),
    "HEAD unanswered": (replies(head=AWAY), Unseen),
    "GET has it": (replies(head=GONE, get=BODY), Found),
    "GET is a page": (replies(head=GONE, get=answer(200, b"<html>", kind="text/html")), Unseen),
    "GET 403": (replies(head=GONE, get=answer(403)), Unseen),
    "GET unanswered": (replies(head=GONE, get=AWAY), Unseen),
    "404 by GET alone": (replies(head=answer(405), get=GONE, tags=LISTED), Unseen),
    "no such name": (replies(head=GONE, get=NO_NAME, tags=LISTED), Unseen),
    "404 twice": (replies(head=GONE, get=GONE), "tags"),
    "proved": (replies(head=GONE, get=GONE, tags=LISTED), Missing),
    "tags 401": (replies(head=GONE, get=GONE, tags=answer(401)), Unseen),
    "tags 404": (replies(head=GONE, get=GONE, tags=NO_NAME), Unseen),
    "tags unanswered": (replies(head=GONE, get=GONE, tags=AWAY), Unseen),
    "no tags": (replies(head=GONE, get=GONE, tags=answer(200, {"tags": None})), Unseen),
    "tags of a page": (replies(head=GONE, get=GONE, tags=answer(200, b"<html>")), Unseen),
    "the tag is listed": (replies(head=GONE, get=GONE, tags=answer(200, {"tags": ["2"]})), Unseen),
}


@pytest.mark.parametrize("row", TABLE)
def test_replies_come_to_one_of_three_words_or_to_the_next_question(row: str) -> None:
    given_replies, expected = TABLE[row]
    judged = judge(NAME, given_replies, reads_index=False)
    assert judged == expected if isinstance(expected, str) else isinstance(judged, expected)


@pytest.mark.parametrize(
    ("row", "reason"),
    [
        ("HEAD 503", "images.status"),
        ("GET is a page", "images.no_manifest"),
        ("tags 401", "images.no_tags"),
        ("the tag is listed", "images.tag_listed"),
    ],
)
def test_what_is_not_seen_has_its_reason_and_is_said_of_that_image_alone(row: str, reason: str) -> None:
    judged = judge(NAME, TABLE[row][0], reads_index=False)
    assert isinstance(judged, Unseen)
    assert (judged.reason.key, judged.of_all) == (reason, False)


def test_no_more_tags_are_kept_than_one_page_has() -> None:
    listed = answer(200, {"tags": [f"v{number}" for number in range(150)]})
    judged = judge(NAME, replies(head=GONE, get=GONE, tags=listed), reads_index=False)
    assert isinstance(judged, Missing)
    assert len(judged.tags) == 100


def test_by_digest_a_tag_that_is_listed_says_nothing() -> None:
    listed = answer(200, {"tags": ["2"]})
    judged = judge(BY_DIGEST, replies(head=GONE, get=GONE, tags=listed), reads_index=False)
    assert judged == Missing(("2",), BY_DIGEST.digest)


@pytest.mark.parametrize(("reads_index", "expected"), [(False, Found()), (True, "GET")])
def test_of_an_index_the_body_is_read_where_platforms_matter(
    *, reads_index: bool, expected: Union[Found, str]
) -> None:
    head = answer(200, kind=INDEX, digest=True)
    assert judge(NAME, replies(head=head), reads_index=reads_index) == expected


STATUSES = st.sampled_from([200, 301, 307, 400, 401, 403, 404, 405, 429, 500, 501, 503])
BODIES = st.sampled_from(
    [None, b"", b"<html>", b"[" * 9999, {}, {"tags": ["1"]}, {"errors": ["x"]}, [1], {"schemaVersion": 1}]
)
ANSWERS = st.builds(
    answer, STATUSES, BODIES, kind=st.sampled_from(["", OCI, INDEX, "text/html"]), digest=st.booleans()
)


@given(ANSWERS, ANSWERS, ANSWERS)
def test_missing_is_said_of_nothing_but_404_twice_and_a_list(
    head: HttpAnswer, got: HttpAnswer, tags: HttpAnswer
) -> None:
    judged = judge(NAME, replies(head=head, get=got, tags=tags), reads_index=True)
    assert isinstance(judged, (Found, Missing, Unseen))
    if isinstance(judged, Missing):
        assert (head.status, got.status, tags.status) == (404, 404, 200)


# --- what an answer holds -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("got", "expected"),
    [
        (answer(200, {"mediaType": OCI}), Found()),
        (answer(200, b"", kind=OCI), None),
        (answer(200, b"\xff", kind=OCI), None),
        (answer(200, {}, kind=f"{OCI}; charset=utf-8"), None),
        (answer(200, {"a": 1}, kind=f"{OCI.upper()}; charset=utf-8"), Found()),
        (answer(200, {}, kind=SCHEMA_1), Found(is_schema_1=True)),
        (answer(200, {"schemaVersion": 1, "fsLayers": []}), Found(is_schema_1=True)),
        (answer(200, {"schemaVersion": 1}), None),
        (answer(200, {"manifests": [7, {}, {"platform": "x"}]}, kind=INDEX), Found(())),
    ],
)
def test_a_manifest_is_known_by_its_media_type(got: HttpAnswer, expected: Optional[Found]) -> None:
    assert manifest_in(got) == expected


def test_words_that_no_platform_has_are_not_shown() -> None:
    entries = [
        {"platform": {"os": "linux", "architecture": "arm", "variant": "v7\n"}},
        {"platform": {"os": "li nux", "architecture": "arm"}},
        {
            "platform": {"os": "linux", "architecture": "amd64"},
            "annotations": {"vnd.docker.reference.type": 1},
        },
    ]
    assert manifest_in(answer(200, {"manifests": entries}, kind=INDEX)) == Found(
        (Platform("linux", "arm"),), ("",)
    )


def test_of_an_index_each_platform_has_its_manifest() -> None:
    arm = {"os": "linux", "architecture": "arm", "variant": "v7"}
    entries = [
        {"platform": arm, "digest": BY_DIGEST.digest},
        {"platform": {"os": "linux", "architecture": "s390x"}, "digest": "sha256:short"},
        {"platform": {"os": "unknown", "architecture": "arm"}, "digest": BY_DIGEST.digest},
    ]
    found = manifest_in(answer(200, {"manifests": entries}, kind=INDEX))
    assert found == Found(
        (Platform("linux", "arm", "v7"), Platform("linux", "s390x")), (BY_DIGEST.digest, "")
    )
    assert found is not None
    assert not found.is_schema_1


def test_tags_that_no_registry_has_are_not_shown() -> None:
    assert tags_in(answer(200, {"tags": ["1", "a b", 7, "x" * 129, "\u202e"]})) == ("1",)
    assert tags_in(answer(401, {"tags": ["1"]})) == ()


@pytest.mark.parametrize(
    ("got", "token"),
    [
        (answer(200, {"token": "abc"}), "abc"),
        (answer(200, {"access_token": "abc"}), "abc"),
        (answer(200, {"token": "a\r\nb"}), ""),
        (answer(200, {"token": 7}), ""),
        (answer(401, {"token": "abc"}), ""),
    ],
)
def test_a_token_fits_into_a_header(got: HttpAnswer, token: str) -> None:
    assert token_in(got) == token


def test_all_four_media_types_are_accepted() -> None:
    assert len(ACCEPTED.split(", ")) == 4
    assert not any("manifest.v1" in kind and "docker" in kind for kind in ACCEPTED.split(", "))


# --- platforms ------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("node", "entry", "takes"),
    [
        ("linux/amd64", "linux/amd64", True),
        ("linux/arm64", "linux/arm64/v8", True),
        ("linux/arm64", "linux/arm/v7", False),
        ("linux/arm/v7", "linux/arm/v6", True),
        ("linux/arm/v7", "linux/arm/v7", True),
        ("linux/arm/v7", "linux/arm/v8", False),
        ("linux/arm/v7", "linux/arm", True),
        ("windows/amd64", "linux/amd64", False),
        ("/amd64", "windows/amd64", True),
        ("linux/", "linux/s390x", True),
    ],
)
def test_a_node_takes_what_is_for_its_platform_as_far_as_that_is_known(
    *, node: str, entry: str, takes: bool
) -> None:
    assert Platform(*node.split("/")).takes(Platform(*entry.split("/"))) == takes


def test_what_is_not_known_of_a_platform_is_a_star() -> None:
    assert [str(Platform("", "arm64")), str(Platform("linux", "")), str(Platform("linux", "arm", "v7"))] == [
        "*/arm64",
        "linux/*",
        "linux/arm/v7",
    ]
