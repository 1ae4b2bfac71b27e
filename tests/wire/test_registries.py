"""Images looked for in a real server on loopback, by the habits that registries have; no real waiting."""

from __future__ import annotations

import atexit
import base64
import shutil
import ssl
import tempfile
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import cache
from pathlib import Path
from typing import Optional, Union

import pytest
import trustme
from tests.emulator.registry import (
    DOCKER,
    DOCKER_LIST,
    LOGIN_PAGE,
    OCI,
    OCI_INDEX,
    SCHEMA_1,
    Habits,
    Registry,
)
from tests.support.certificates import server_side
from tests.support.pieces import FakeClock

from bcs_template_set.images.look_for_images import Patience, RegistryClient, look_for_images
from bcs_template_set.images.registry_answers import Found, Login, Missing, Platform, Unseen, Verdict
from bcs_template_set.manifests.image_form import read_image
from bcs_template_set.messages.secret import Secret
from bcs_template_set.system.address_kinds import is_link_local
from bcs_template_set.system.allowed_addresses import addresses_of
from bcs_template_set.system.clock import Deadline, SystemClock
from bcs_template_set.system.http_client import Transport

PASSWORD = "p4ss-word-canary"
USERS = {"robot": PASSWORD}
LOGIN_OF = "robot"


@dataclass(frozen=True)
class Authority:
    """Whom servers' certificates are of: the TLS of a server, and the file that vouches for it."""

    tls: ssl.SSLContext
    bundle: str


@cache
def authority() -> Authority:
    made = trustme.CA()
    path = Path(tempfile.mkdtemp(prefix="ca-")) / "ca.pem"
    made.cert_pem.write_to_path(str(path))
    atexit.register(shutil.rmtree, path.parent)
    return Authority(server_side(made.issue_cert("127.0.0.1", "localhost")), str(path))


@dataclass
class Look:
    """One look: its clock, its secrets, and what came of each image."""

    verdicts: dict[str, Verdict] = field(default_factory=dict)
    clock: Union[FakeClock, SystemClock] = field(default_factory=FakeClock)
    secrets: list[str] = field(default_factory=list)

    def word(self, image: str) -> str:
        return type(self.verdicts[image]).__name__

    def reason(self, image: str) -> str:
        verdict = self.verdicts[image]
        assert isinstance(verdict, Unseen)
        return str(verdict.reason)


def look(
    *images: str,
    login: Optional[Login] = None,
    nodes: tuple[Platform, ...] = (),
    clock: Optional[Union[FakeClock, SystemClock]] = None,
    patience: Optional[Patience] = None,
    resolve: Callable[[str], Sequence[str]] = addresses_of,
) -> Look:
    names = {image: read_image(image) for image in images}
    known = {image: name for image, name in names.items() if name is not None}
    done = Look(clock=FakeClock() if clock is None else clock)
    transport = Transport(environ={}, ca_bundle=authority().bundle, refuses=is_link_local, connections=16)
    client = RegistryClient(
        transport,
        clock=done.clock,
        deadline=Deadline(done.clock, seconds=None),
        environ={},
        login=login,
        on_secret=lambda secret: done.secrets.append(secret.reveal()),
        patience=patience or Patience(request=30.0),  # however busy the machine is
        resolve=resolve,
    )
    found = look_for_images(client, known.values(), nodes=dict.fromkeys(known.values(), nodes))
    transport.close()
    done.verdicts = {image: found[name] for image, name in known.items()}
    return done


@contextmanager
def registry(
    habits: Optional[Habits] = None, *, tls: Optional[ssl.SSLContext] = None, host: str = "127.0.0.1"
) -> Iterator[Registry]:
    made = Registry(habits, users=USERS, tls=tls, host=host)
    made.push("team/web", "1")
    made.push("team/web", "1.0.1")
    try:
        yield made
    finally:
        made.stop()


def login_at(place: Registry) -> Login:
    return Login(place.name, LOGIN_OF, Secret(PASSWORD))


# --- the three words ------------------------------------------------------------------------------------

HUB = Habits(login=True)
HABITS: dict[str, tuple[Habits, bool, str, str]] = {
    "specification": (Habits(), False, "Found", "Missing"),
    "anonymous token": (HUB, False, "Found", "Missing"),
    "password for a token": (HUB, True, "Found", "Missing"),
    "password itself": (Habits(basic=True), True, "Found", "Missing"),
    "no password": (Habits(basic=True), False, "Unseen", "Unseen"),
    "no token without a password": (Habits(login=True, hides=True), False, "Unseen", "Unseen"),
    "token with it": (Habits(login=True, hides=True), True, "Found", "Missing"),
    "404 of all that one may not see": (Habits(manifests=404, tags=404), False, "Unseen", "Unseen"),
    "404 of it, and lists": (Habits(manifests=404), False, "Unseen", "Missing"),
    "403 of what is not there": (Habits(manifests=403), False, "Unseen", "Unseen"),
    "401 without a word": (Habits(manifests=401), False, "Unseen", "Unseen"),
    "lists no tags to strangers": (Habits(tags=401), False, "Found", "Unseen"),
    "lists of nothing": (Habits(empty=True), False, "Found", "Unseen"),
    "knows GET alone, 405": (Habits(head=405), False, "Found", "Unseen"),
    "knows GET alone, 404": (Habits(head=404), False, "Found", "Missing"),
    "HEAD breaks": (Habits(head=500), False, "Unseen", "Unseen"),
    "honours Accept strictly": (Habits(strict=True), False, "Found", "Missing"),
    "no digest in the headers": (Habits(undigested=True), False, "Found", "Missing"),
    "a page": (Habits(page=True), False, "Unseen", "Unseen"),
    "a redirect to a page": (Habits(redirect="https://login.example.com/"), False, "Unseen", "Unseen"),
    "too many requests": (Habits(manifests=429), False, "Unseen", "Unseen"),
    "away": (Habits(manifests=503), False, "Unseen", "Unseen"),
}


@pytest.mark.parametrize("row", HABITS)
def test_an_image_is_found_proved_missing_or_not_seen(row: str) -> None:
    habits, has_login, there, gone = HABITS[row]
    with registry(habits) as made:
        images = [f"{made.name}/team/web:{tag}" for tag in ("1", "2")]
        done = look(*images, login=login_at(made) if has_login else None)
    assert [done.word(image) for image in images] == [there, gone]
    said = [str(v.reason) for v in done.verdicts.values() if isinstance(v, Unseen)]
    assert not any("canary" in text or "token=" in text for text in said)


def test_a_repository_that_nobody_has_is_not_seen() -> None:
    with registry() as made:
        assert look(f"{made.name}/team/other:1").word(f"{made.name}/team/other:1") == "Unseen"


def test_what_is_missing_is_asked_for_again_after_five_seconds() -> None:
    with registry() as made:
        image, late = f"{made.name}/team/web:2", f"{made.name}/team/web:3"
        clock = FakeClock()
        made.before = lambda _: made.push("team/web", "3") if clock.waits else None
        done = look(image, late, clock=clock)
        assert (done.word(image), done.word(late)) == ("Missing", "Found")
        assert clock.waits == [5.0]
        assert len(made.asked("HEAD", "/2")) == len(made.asked("GET", "/manifests/2")) == 2
        missing = done.verdicts[image]
    assert isinstance(missing, Missing)
    assert missing.tags == ("1", "1.0.1", "3")


def test_nothing_is_proved_where_there_is_no_time_to_ask_again() -> None:
    with registry() as made:
        image = f"{made.name}/team/web:2"
        done = look(image, patience=Patience(request=30.0, whole=4.0))
    assert done.reason(image) == "the time for looking at images is over"


def test_with_a_digest_that_alone_is_asked_for() -> None:
    with registry() as made:
        digest = made.push("team/web", "5")
        there, gone = (f"{made.name}/team/web:9@{each}" for each in (digest, f"sha256:{'0' * 64}"))
        done = look(there, gone)
        assert (done.word(there), done.word(gone)) == ("Found", "Missing")
        assert not any(each.path.endswith("/9") for each in made.requests)


# --- what it asks, and how often ------------------------------------------------------------------------


@pytest.mark.parametrize("kind", [OCI, OCI_INDEX, DOCKER, DOCKER_LIST])
def test_every_kind_of_manifest_is_accepted_in_every_request(kind: str) -> None:
    with registry(Habits(strict=True)) as made:
        made.push("team/web", "2", kind=kind)
        image = f"{made.name}/team/web:2"
        assert look(image).word(image) == "Found"
        assert [each.method for each in made.requests] == ["HEAD"], "HEAD decides"


def test_of_an_index_the_platforms_are_told_and_attestations_are_none() -> None:
    entries = ("linux/amd64", "linux/arm/v7", "linux/amd64", "unknown/unknown")
    with registry() as made:
        made.push("team/web", "2", kind=OCI_INDEX, platforms=entries)
        image = f"{made.name}/team/web:2"
        found = look(image, nodes=(Platform("linux", "s390x"),)).verdicts[image]
    assert isinstance(found, Found)
    assert found.platforms == (Platform("linux", "amd64"), Platform("linux", "arm", "v7"))


@pytest.mark.parametrize("tags", [0, 401])
def test_of_an_index_the_manifests_for_the_nodes_are_asked_for_too(tags: int) -> None:
    with registry(Habits(tags=tags)) as made:
        made.push("team/web", "2", kind=OCI_INDEX, platforms=("linux/amd64", "linux/arm64", "linux/s390x"))
        image = f"{made.name}/team/web:2"
        here, there = Platform("linux", "amd64"), Platform("", "arm64")
        found = look(image, nodes=(here, there)).verdicts[image]
        assert isinstance(found, Found)
        assert sum("sha256:" in each.path for each in made.requests) == 2
        held = made.repositories["team/web"]
        del held.manifests[found.children[1]]
        gone = look(image, nodes=(here, there)).verdicts[image]
        assert (
            gone == Missing(("1", "1.0.1", "2"), found.children[1]) if tags == 0 else isinstance(gone, Unseen)
        )
        assert isinstance(look(image, nodes=(here,)).verdicts[image], Found)


def test_schema_1_is_told() -> None:
    with registry() as made:
        made.push("team/web", "2", kind=SCHEMA_1)
        image = f"{made.name}/team/web:2"
        assert look(image).verdicts[image] == Found(is_schema_1=True)


def test_a_list_of_fifty_thousand_tags_is_one_request() -> None:
    with registry(Habits(whole_list=True)) as made:
        held = made.repositories["team/web"]
        held.tags.update({f"9.{number}": "" for number in range(50_000)})
        image = f"{made.name}/team/web:2"
        done = look(image)
        missing = done.verdicts[image]
        assert isinstance(missing, Missing)
        assert len(missing.tags) == 100
        assert len(made.asked("GET", "/tags/list")) == 2, "one each time"


def test_a_registry_that_says_too_many_requests_is_asked_no_more() -> None:
    with registry(Habits(manifests=429, after=4)) as made:
        for number in range(200):
            made.push("team/web", f"2.{number}")
        images = [f"{made.name}/team/web:2.{number}" for number in range(200)]
        done = look(*images)
        reasons = {done.reason(image) for image in images if done.word(image) == "Unseen"}
        assert reasons == {f"{made.name} answers with HTTP 429"}
        found = sum(done.word(image) == "Found" for image in images)
        assert 1 <= found <= 4  # it counts those that come at once before it answers one
        assert len(made.requests) <= 4 + 16


def test_a_registry_that_never_answers_costs_the_whole_looks_time_at_most() -> None:
    clock = SystemClock()
    with registry(Habits(never=True)) as made:
        images = [f"{made.name}/team/web:{number}" for number in range(40)]
        began = clock.monotonic()
        done = look(*images, clock=clock, patience=Patience(request=5.0, whole=0.3))
        took = clock.monotonic() - began
    assert {done.word(image) for image in images} == {"Unseen"}
    assert took < 2


def test_an_answer_that_is_late_ends_its_request_and_not_the_others() -> None:
    with registry(Habits(never=True)) as slow, registry() as quick:
        late, there = f"{slow.name}/team/web:1", f"{quick.name}/team/web:1"
        done = look(late, there, patience=Patience(request=1.0))
    assert (done.word(late), done.word(there)) == ("Unseen", "Found")
    assert done.reason(late).startswith(f"{slow.name} gives no answer")


def test_a_name_that_does_not_resolve_is_asked_no_more() -> None:
    images = [f"registry.invalid/web:{number}" for number in range(3)]
    done = look(*images)
    assert {done.reason(image) for image in images} == {"registry.invalid does not resolve within 1 s"}


@pytest.mark.parametrize(
    ("patience", "reason"),
    [
        (Patience(name=0.1), "a.example.com does not resolve within 0.1 s"),
        (Patience(name=9.0, whole=0.1), "the time for looking at images is over"),
        (Patience(whole=0.0), "the time for looking at images is over"),
    ],
)
def test_a_name_that_takes_its_time_is_waited_for_no_longer(patience: Patience, reason: str) -> None:
    ended = threading.Event()
    images = [f"a.example.com/web:{number}" for number in range(3)]

    def resolve(_: str) -> Sequence[str]:
        ended.wait(10)
        return ("192.0.2.1",)

    done = look(*images, clock=SystemClock(), patience=patience, resolve=resolve)
    ended.set()
    assert {done.reason(image) for image in images} == {reason}


@pytest.mark.parametrize(
    "host",
    [
        f"{'a' * 64}.example.com",
        "a..example.com",
        "a.example.com:99999",
        "[:::]",
        "[1:2]:5",
        "127.0.0.1:70000",
    ],
)
def test_a_name_that_is_none_is_not_seen(host: str) -> None:
    image = f"{host}/web:1"
    assert look(image).word(image) == "Unseen"


# --- where secrets and requests go ----------------------------------------------------------------------


def shown_to(place: Registry) -> list[str]:
    return [each.header("authorization") for each in place.requests if each.header("authorization")]


def basic() -> str:
    return "Basic " + base64.b64encode(f"robot:{PASSWORD}".encode()).decode()


def test_the_password_is_in_no_request_but_the_one_for_a_token() -> None:
    with registry(HUB, tls=authority().tls) as made, registry(HUB, host="localhost") as other:
        images = [f"{place.name}/team/web:1" for place in (made, other)]
        done = look(*images, login=login_at(made))
        assert [done.word(image) for image in images] == ["Found", "Found"]
        assert [each.path for each in made.requests if each.header("authorization") == basic()] == ["/token"]
        assert not any(basic() == shown for shown in shown_to(other))
        tokens = [shown.partition(" ")[2] for shown in (*shown_to(made), *shown_to(other))]
        assert set(tokens) == set(done.secrets), "the masker has heard of all of them"


def test_a_token_address_elsewhere_gets_no_password() -> None:
    with registry(host="localhost") as impostor, registry(Habits(login=True)) as made:
        made.habits = Habits(login=True, realm=f"{impostor.url}/token")
        image = f"{made.name}/team/web:1"
        done = look(image, login=login_at(made))
        assert "neither its own host nor its parent domain" in done.reason(image)
        assert impostor.requests == []


def test_a_redirect_carries_nothing_anywhere() -> None:
    with registry(host="localhost") as impostor:
        habits = Habits(login=True, redirect=f"{impostor.url}/v2/")
        with registry(habits, tls=authority().tls) as made:
            image = f"{made.name}/team/web:1"
            assert look(image, login=login_at(made)).word(image) == "Unseen"
        assert impostor.requests == []


@pytest.mark.parametrize("realm", ["http://tokens.example.com/token", "http://192.0.2.1/token"])
def test_a_token_address_without_https_is_not_asked(realm: str) -> None:
    with registry(Habits(login=True, realm=realm)) as made:
        image = f"{made.name}/team/web:1"
        assert "without HTTPS" in look(image).reason(image)


@pytest.mark.parametrize("realm", ["https://169.254.169.254/token", "https://[fe80::1]/token"])
def test_a_link_local_token_address_is_refused(realm: str) -> None:
    with registry(Habits(login=True, realm=realm)) as made:
        image = f"{made.name}/team/web:1"
        done = look(image)
        assert done.word(image) == "Unseen"
        assert "169.254" not in done.reason(image).partition(made.name)[0]


@pytest.mark.parametrize("realm", ["https://canary.invalid/token", "https://[1:2]/token"])
def test_of_a_token_address_elsewhere_nothing_is_shown(realm: str) -> None:
    with registry(Habits(login=True, realm=realm)) as made:
        image = f"{made.name}/team/web:1"
        said = look(image).reason(image)
    assert said in (
        f"the token address that {made.name} names gives no answer",
        f"{made.name} answers with HTTP 401",
    )


def test_a_header_that_is_none_of_ours_is_not_shown() -> None:
    with registry(Habits(encoding="canary")) as made:
        image = f"{made.name}/team/web:1"
        assert "canary" not in look(image).reason(image)


def test_a_link_local_registry_is_refused() -> None:
    image = "169.254.169.254/x:1"
    assert "169.254.169.254" in look(image).reason(image)


@pytest.mark.parametrize("answer", [b"{}", b"[]", b'{"token": "a\\nb"}', b"<html>"])
def test_what_is_no_token_is_not_shown(answer: bytes) -> None:
    with registry(Habits(login=True)) as made:
        made.token_body = answer
        image = f"{made.name}/team/web:1"
        assert "gives no token (HTTP 200)" in look(image).reason(image)


def test_a_registry_on_this_machine_that_nobody_is_at_gives_no_answer() -> None:
    with registry() as made:
        image = f"{made.name}/team/web:1"
    assert "gives no answer" in look(image).reason(image)


def test_a_token_address_that_gives_no_answer_is_told() -> None:
    with registry(Habits(never=True), tls=authority().tls) as silent:
        habits = Habits(login=True, realm=f"{silent.url}/token")
        with registry(habits) as made:
            image = f"{made.name}/team/web:1"
            assert "gives no answer" in look(image, patience=Patience(request=0.2)).reason(image)


def test_no_page_is_ever_shown() -> None:
    with registry(Habits(page=True)) as made:
        image = f"{made.name}/team/web:1"
        assert LOGIN_PAGE.decode() not in look(image).reason(image)
