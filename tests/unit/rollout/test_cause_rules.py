"""No name changes a cause, wherever in a message it stands: the messages of three runtimes, hostile names."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from bcs_template_set.rollout.cause_rules import (
    BELOW,
    CHANGED,
    EARLIER,
    NO_PODS,
    PAUSED,
    REPLACED,
    RULES,
    rule_for,
    without_names,
)
from bcs_template_set.rollout.causes import cause_of
from bcs_template_set.rollout.pods import PodProblem

UNPACK = (
    'rpc error: code = {code} desc = failed to pull and unpack image "{image}": '
    'failed to resolve reference "{image}": '
)
HEAD = UNPACK + "unexpected status from HEAD request to https://{host}/v2/{path}/manifests/{tag}: "
TOKEN = (
    UNPACK
    + "failed to authorize: failed to fetch anonymous token: unexpected status from GET request to "
    + "https://auth.{host}/token?scope=repository%3A{path}%3Apull&service={host}: "
)
BLOB = (
    'failed to pull and unpack image "{image}": failed to copy: httpReadSeeker: failed open: '
    "unexpected status code https://{host}/v2/{path}/blobs/sha256:" + "4" * 64 + ": "
)
REQUEST = UNPACK + 'failed to do request: Head "https://{host}/v2/{path}/manifests/{tag}": '
DOCKER = "Error response from daemon: "
GET = DOCKER + 'Get "https://{host}/v2/{path}/manifests/{tag}": '
CRIO = "rpc error: code = {code} desc = reading manifest {tag} in {host}/{path}: "
MESSAGES = [
    # containerd
    (UNPACK + "{image}: not found", "image_not_found"),
    (UNPACK + "no match for platform in manifest: not found", "image_platform"),
    (UNPACK + "no match for platform in manifest sha256:" + "5" * 64 + ": not found", "image_platform"),
    (HEAD + "401 Unauthorized", "image_refused"),
    (HEAD + "403 Forbidden", "image_refused"),
    (HEAD + "404 Not Found", "image_not_found"),
    (HEAD + "429 Too Many Requests", "image_busy"),
    (HEAD + "502 Bad Gateway", "image_network"),
    (HEAD + "500 Internal Server Error", "image_network"),
    (TOKEN + "401 Unauthorized", "image_refused"),
    (TOKEN + "503 Service Unavailable", "image_network"),
    (
        BLOB + "429 Too Many Requests - Server message: toomanyrequests: You have reached your "
        "unauthenticated pull rate limit. https://www.docker.com/increase-rate-limit",
        "image_busy",
    ),
    (BLOB + "504 Gateway Timeout", "image_network"),
    (
        UNPACK + "pull access denied, repository does not exist or may require authorization: "
        "server message: insufficient_scope: authorization failed",
        "image_refused",
    ),
    (REQUEST + "dial tcp: lookup {host} on 10.0.0.2:53: no such host", "image_network"),
    (REQUEST + "dial tcp 10.42.9.1:502: i/o timeout", "image_network"),
    (REQUEST + "EOF", "image_network"),
    (REQUEST + "x509: certificate signed by unknown authority", "image_certificate"),
    (
        REQUEST + "tls: failed to verify certificate: x509: certificate is valid for a.net, not {host}",
        "image_certificate",
    ),
    (REQUEST + "http: server gave HTTP response to HTTPS client", "image_certificate"),
    # Docker
    (DOCKER + "manifest for {image} not found: manifest unknown: manifest unknown", "image_not_found"),
    (
        DOCKER + "pull access denied for {host}/{path}, repository does not exist or may require "
        "'docker login': denied: requested access to the resource is denied",
        "image_refused",
    ),
    (DOCKER + "repository {host}/{path} not found: does not exist or no pull access", "image_not_found"),
    (DOCKER + "toomanyrequests: You have reached your pull rate limit.", "image_busy"),
    (DOCKER + "no matching manifest for linux/arm64/v8 in the manifest list entries", "image_platform"),
    (
        DOCKER + "error parsing HTTP 403 response body: invalid character '<' looking for beginning",
        "image_refused",
    ),
    (DOCKER + "received unexpected HTTP status: 503 Service Unavailable", "image_network"),
    (
        DOCKER + "Get https://{host}/v2/: net/http: request canceled while waiting for connection "
        "(Client.Timeout exceeded while awaiting headers)",
        "image_network",
    ),
    (DOCKER + "Get https://{host}/v2/: dial tcp: lookup {host}: no such host", "image_network"),
    (DOCKER + "manifest for {path}:{tag} not found", "image_not_found"),
    (
        DOCKER + "pull access denied for {path}, repository does not exist or may require 'docker login'",
        "image_refused",
    ),
    (GET + "unauthorized: authentication required", "image_refused"),
    (GET + "no basic auth credentials", "image_refused"),
    (GET + "connection reset by peer", "image_network"),
    # CRI-O
    (CRIO + "manifest unknown", "image_not_found"),
    (CRIO + "name unknown: repository does not exist", "image_not_found"),
    (CRIO + "unauthorized: access to the requested resource is not authorized", "image_refused"),
    ("pinging container registry {host}: received unexpected HTTP status: 502 Bad Gateway", "image_network"),
    # what nobody foresaw
    (UNPACK + "the registry is in a bad mood about {image} of {host}/{path} ({tag})", "image_pull"),
    ('Back-off pulling image "{image}"', "image_pull"),
    ('Back-off pulling image "{image}": ErrImagePull: ' + HEAD + "401 Unauthorized", "image_refused"),
]

WORDS = [
    *("certificate", "certificate-ui", "x509", "not-found", "unknown", "manifest-unknown", "eof", "timeout"),
    *(
        "denied",
        "unauthorized",
        "forbidden",
        "authentication",
        "toomanyrequests",
        "rate-limit",
        "no-such-host",
    ),
    *("401", "404", "429", "502", "connection-refused", "does-not-exist", "volume", "registry", "status"),
]
NAME = st.sampled_from(WORDS) | st.from_regex(r"[a-z0-9]([a-z0-9]|-[a-z0-9]){0,6}", fullmatch=True)
TAG = NAME.map("1704448999620-{}".format) | NAME | NAME.map("v1.2_{}".format)


@settings(max_examples=20)
@given(
    host=NAME.map("{}.example.com".format) | NAME.map("{}.example.com:5000".format),
    path=st.lists(NAME, min_size=1, max_size=3).map("/".join),
    tag=TAG,
    code=st.sampled_from(["Unknown", "NotFound", "Unavailable"]),
)
@example(host="a.example.com", path="web", tag="1704448999620-429", code="Unknown")
@example(host="a.example.com", path="web", tag="1704448999620-502", code="Unknown")
@example(host="a.example.com", path="certificate-ui", tag="1", code="Unknown")
@example(host="a.example.com", path="toomanyrequests", tag="1", code="Unknown")
def test_no_name_changes_why_an_image_can_not_be_pulled(host: str, path: str, tag: str, code: str) -> None:
    image = f"{host}/{path}:{tag}"
    for message, name in MESSAGES:
        said = message.format(image=image, host=host, path=path, tag=tag, code=code)
        problem = PodProblem(pod=f"{tag}-x", container=path, image=image, reason="ErrImagePull", message=said)
        # The runtime's own word tells where nothing else does.
        by_code = name == "image_pull" and "code = NotFound" in said
        assert cause_of(problem).name == ("image_not_found" if by_code else name), said


OTHERS = [
    ("CreateContainerConfigError", 'secret "{name}" not found', "config_missing"),
    ("CreateContainerConfigError", "couldn't find key a-{name} in Secret ns/{name}", "config_key"),
    ("RunContainerError", 'exec: "{name}": executable file not found in $PATH', "start_command"),
    ("Unschedulable", '0/2 nodes are available: persistentvolumeclaim "{name}" not found.', "claim_missing"),
    (
        "Unschedulable",
        "0/2 nodes are available: 2 node(s) had untolerated taint {{{name}: {name}}}. preemption: no victims",
        "taint",
    ),
    ("Unschedulable", "0/2 nodes are available: 2 Insufficient a.{name}/gpu.", "resources"),
    ("FailedCreate", 'pods "{name}-0" is forbidden: exceeded quota: a-{name}, requested: cpu=1', "quota"),
    ("FailedCreate", 'admission webhook "{name}.example.com" denied the request: no', "admission"),
    (
        "FailedCreate",
        'pods "{name}-0" is forbidden: no service account ns/{name}: serviceaccount "{name}" not found',
        "service_account",
    ),
]


@given(name=st.sampled_from(["volume", "selector", "insufficient", "quota", "secret", *WORDS]) | NAME)
def test_no_name_changes_another_cause_either(name: str) -> None:
    for reason, message, cause in OTHERS:
        said = message.format(name=name)
        assert rule_for(frozenset({reason}), message=said, exit_code=None).name == cause, said


def test_of_several_answers_the_last_one_decides() -> None:
    """A mirror has answered before the registry itself."""
    said = (
        "unexpected status from HEAD request to https://mirror.example.com/v2/a/manifests/1: 404 Not Found, "
        "unexpected status from HEAD request to https://example.com/v2/a/manifests/1: 403 Forbidden"
    )
    assert rule_for(frozenset({"ErrImagePull"}), message=said, exit_code=None).name == "image_refused"


@pytest.mark.parametrize(
    ("status", "name"),
    [
        (401, "image_refused"),
        (403, "image_refused"),
        (404, "image_not_found"),
        (408, "image_network"),
        (429, "image_busy"),
        (500, "image_network"),
        (499, "image_pull"),
    ],
)
def test_a_status_alone_says_why(status: int, name: str) -> None:
    said = f"unexpected status: {status}"
    assert rule_for(frozenset({"ErrImagePull"}), message=said, exit_code=None).name == name


@pytest.mark.parametrize(
    "said",
    [
        "net/http: request canceled (Client.Timeout exceeded)",
        "dial tcp: i/o timeout",
        "insufficient_scope, manifest_unknown, name_unknown",
        "container has runAsNonRoot and image has a non-existent key, or has to be non-root",
        "2 node(s) didn't match pod anti-affinity rules or affinity/selector",
    ],
)
def test_the_clusters_own_words_are_no_names(said: str) -> None:
    assert without_names(said) == said


def test_a_word_stands_for_each_name() -> None:
    said = 'image "web" of example.com/web:1, {a b} and certificate-ui'
    assert without_names(said) == "image _ of _, _ and _"


def test_a_reason_alone_has_a_cause_of_its_own() -> None:
    reasons = {reason for rule in RULES for reason in rule.reasons}
    found = {r: rule_for(frozenset({r}), message="it is so", exit_code=None).name for r in reasons}
    assert len(reasons) > 30
    assert [reason for reason, name in found.items() if name == "other"] == []


def test_an_author_is_told_of_what_he_can_mend_and_the_cluster_has_the_rest() -> None:
    of_the_cluster = {
        *("image_busy", "image_certificate", "image_network", "image_pull"),
        *("claim_unbound", "resources", "taint", "unschedulable", "gated", "evicted", "node_lost"),
        *("node_refused", "gates_not_ready", "creating", "ending", "quota", "create"),
        *("progress_deadline", "other", "no_pods", "earlier", "below"),
    }
    rows = (*RULES, REPLACED, CHANGED, PAUSED, NO_PODS, EARLIER, BELOW)
    assert {rule.name for rule in rows if rule.fault == 2} == of_the_cluster
    assert {rule.name for rule in rows if rule.fault == 1}.isdisjoint(of_the_cluster)


def test_others_doings_are_given_the_ten_seconds_of_an_old_cache() -> None:
    assert (REPLACED.patience, CHANGED.patience) == (10, 10)


def test_a_status_that_says_nothing_leaves_it_to_the_words() -> None:
    for words in ("manifest unknown", "pull access denied: manifest unknown"):
        said = f"unexpected status: 400 Bad Request: {words}"
        found = rule_for(frozenset({"ErrImagePull"}), message=said, exit_code=None)
        assert found.name == "image_not_found", "an error names its cause last"


@given(st.text(max_size=40) | st.text(alphabet="a:/.-_\"'{}() \\", max_size=40))
def test_names_can_be_taken_out_of_any_message(message: str) -> None:
    without_names(message)
