"""The form of an image, character by character as a runtime reads it (distribution/reference)."""

from __future__ import annotations

import json

import pytest
from tests.support.building import findings_of, manifest

from bcs_template_set.manifests.checks.finding import Finding
from bcs_template_set.manifests.image_form import ImageName, read_image

DIGEST = "sha256:" + "0123456789abcdef" * 4
POD = "apiVersion: v1\nkind: Pod\nmetadata: {name: a}\nspec: {containers: [{name: a, image: IMAGE}]}\n"


def found(image: str) -> list[Finding]:
    text = POD.replace("IMAGE", json.dumps(image, ensure_ascii=False))
    return list(findings_of(manifest(text, variables="TAG")))


@pytest.mark.parametrize(
    "image",
    [
        *(
            "web:1",
            "team/web:1.10",
            "example.com/team/web:V1_a-b.c",
            "registry:5000/web:1",
            "localhost/web:1",
        ),
        *(
            f"web@{DIGEST}",
            f"example.com:443/a__b/c.d-e--f:1@{DIGEST}",
            "Registry/web:1",
            "EXAMPLE.com/web:1",
        ),
        *(
            "[2001:db8::1]:5000/web:1",
            "web:" + "x" * 128,
            "a" * 255 + ":1",
            "{{ TAG }}",
            "example.com/web:{{ TAG }}",
        ),
    ],
)
def test_an_image_that_a_runtime_reads_is_no_finding(image: str) -> None:
    assert found(image) == []


@pytest.mark.parametrize(
    ("image", "words"),
    [
        ("example.com/web:v1+build.5", "the tag after the colon takes"),
        ("Example.com/Web:1", "the repository has capital letters"),
        ("https://example.com/web:1", "it begins with a scheme"),
        ("web:1 ", "it holds U+0020 in column 6"),
        ("web\u00a0:1", "it holds U+00A0 in column 4"),
        ("web\uff1a1", "it holds U+FF1A in column 4"),
        ("web:${TAG}", "it holds ${…}, a variable that nobody has set"),
        ("web@sha256:abc", "the digest after @"),
        (f"web@{DIGEST[:-1]}", "the digest after @"),
        (":1.2", "each part of the repository"),
        ("a//b:1", "each part of the repository"),
        ("web:", "its tag is empty, as if a variable were not set"),
        ("web:.1", "the tag after the colon takes"),
        ("web:" + "x" * 129, "the tag after the colon takes"),
        ("example.com/web:feature/login", "the tag after the colon holds a /"),
        ("-example.com/web:1", "the registry before the first / is not a host"),
        ("a" * 256 + ":1", "it has 256 characters"),
    ],
)
def test_an_image_that_no_runtime_reads_is_one_finding_that_says_what_is_wrong(
    image: str, words: str
) -> None:
    (finding,) = found(image)
    assert finding.id == "image-name"
    assert words in finding.message.render("en_US")


@pytest.mark.parametrize(
    ("image", "registry", "repository", "reference"),
    [
        ("nginx", "docker.io", "library/nginx", "latest"),
        ("nginx:1", "docker.io", "library/nginx", "1"),
        ("docker.io/nginx:1", "docker.io", "library/nginx", "1"),
        ("index.docker.io/library/nginx:1", "docker.io", "library/nginx", "1"),
        ("team/web:1", "docker.io", "team/web", "1"),
        ("host:5000/nginx", "host:5000", "nginx", "latest"),
        ("host:5000/nginx:1", "host:5000", "nginx", "1"),
        ("localhost/web:1", "localhost", "web", "1"),
        ("Registry/web:1", "registry", "web", "1"),
        ("example.com/a/b/c:1", "example.com", "a/b/c", "1"),
        ("[2001:db8::1]:5000/web:1", "[2001:db8::1]:5000", "web", "1"),
        (f"nginx@{DIGEST}", "docker.io", "library/nginx", DIGEST),
        (f"example.com:443/web:1@{DIGEST}", "example.com:443", "web", DIGEST),
    ],
)
def test_the_parts_of_an_image_are_those_that_docker_reads(
    image: str, registry: str, repository: str, reference: str
) -> None:
    name = read_image(image)
    assert name is not None
    assert (name.registry, name.repository, name.reference) == (registry, repository, reference)
    assert name.host == ("registry-1.docker.io" if registry == "docker.io" else registry)


@pytest.mark.parametrize("image", ["web:", "a//b:1", "{{ TAG }}", "https://example.com/web:1"])
def test_what_no_runtime_reads_has_no_parts(image: str) -> None:
    assert read_image(image) is None


def test_without_a_tag_and_a_digest_the_latest_is_asked_for() -> None:
    assert ImageName("example.com", "web").reference == "latest"
