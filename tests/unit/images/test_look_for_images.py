"""What one look asks of a registry, how often and for how long, by scripted replies."""

from __future__ import annotations

import json
from collections.abc import Sequence
from typing import Optional, Union

import pytest
from tests.support.pieces import FakeClock, FakeSender

from bcs_template_set.images.look_for_images import RegistryClient, look_for_images
from bcs_template_set.images.registry_answers import Missing, Reply, Unseen, Verdict
from bcs_template_set.manifests.image_form import ImageName
from bcs_template_set.messages import Text, say
from bcs_template_set.system.clock import Deadline
from bcs_template_set.system.http_values import HttpAnswer, NoAnswer, NotSent, Obstacle

HOST = "registry.example.com"
NAME = ImageName(HOST, "team/web", "2")
HERE = ImageName("localhost:5000", "team/web", "2")
KIND = {"content-type": "application/vnd.oci.image.manifest.v1+json", "docker-content-digest": "sha256:0"}
THERE = HttpAnswer(200, KIND, b"")
GONE = HttpAnswer(404, {}, b"{}")
LISTED = HttpAnswer(200, {}, json.dumps({"tags": ["1"]}).encode())
SILENT = NoAnswer(say("transport.read_timeout", seconds="3"))


def refused(header: str) -> HttpAnswer:
    return HttpAnswer(401, {"www-authenticate": header}, b"")


def unsent(kind: Obstacle) -> NotSent:
    return NotSent(say("images.no_time"), kind)


class Asking:
    """A client over a scripted sender, and what it has resolved."""

    def __init__(
        self,
        *replies: Union[HttpAnswer, NotSent, NoAnswer],
        seconds: Optional[float] = None,
        resolves: bool = True,
    ) -> None:
        self.sender, self.clock, self.resolved = FakeSender(*replies), FakeClock(), list[str]()
        self._resolves = resolves
        self.client = RegistryClient(
            self.sender,
            clock=self.clock,
            deadline=Deadline(self.clock, seconds=seconds),
            environ={},
            login=None,
            on_secret=lambda _: None,
            resolve=self._resolve,
        )

    def _resolve(self, host: str) -> Sequence[str]:
        self.resolved.append(host)
        return ("192.0.2.1",) if self._resolves else ()

    def ask(self, name: ImageName = NAME) -> Reply:
        return self.client.ask(name, "HEAD")

    def look(self) -> Verdict:
        return look_for_images(self.client, [NAME], nodes={})[NAME]


def reason(reply: Union[Reply, Verdict]) -> Text:
    assert isinstance(reply, Unseen)
    return reply.reason


@pytest.mark.parametrize(
    ("kind", "schemes"),
    [
        *((kind, ["https", "http"]) for kind in ("tls", "old_tls", "certificate", "expired", "wrong_host")),
        *((kind, ["https", "http"]) for kind in ("timeout", "other")),
        ("dns", ["https"]),
    ],
)
def test_a_registry_on_this_machine_is_asked_by_plain_http_where_tls_is_in_the_way(
    kind: Obstacle, schemes: list[str]
) -> None:
    asking = Asking(unsent(kind))
    assert reason(asking.ask(HERE)).key == "images.no_answer"
    assert [each.url.partition(":")[0] for each in asking.sender.requests] == schemes
    asking = Asking(unsent(kind))
    asking.ask()
    assert len(asking.sender.requests) == 1, "and no other"


@pytest.mark.parametrize(
    ("replies", "key", "again"),
    [
        ([unsent("refused")], "images.no_answer", False),
        ([SILENT], "images.no_answer", False),
        ([HttpAnswer(429, {}, b"")], "images.status", False),
        ([refused('Bearer realm="https://elsewhere.example.net/"'), SILENT], "images.realm_silent", False),
        ([refused(f'Bearer realm="https://{HOST}/"'), SILENT], "images.no_answer", False),
        ([refused('Basic realm="x"')], "images.status", True),
        ([refused("")], "images.status", True),
        ([refused(f'Bearer realm="http://{HOST}/"')], "images.realm_plain", True),
    ],
)
def test_a_registry_that_fails_whatever_it_is_asked_is_asked_no_more(
    replies: list[Union[HttpAnswer, NotSent, NoAnswer]], key: str, *, again: bool
) -> None:
    asking = Asking(*replies)
    assert reason(asking.ask()).key == key
    assert len(asking.sender.requests) == len(replies)
    reply = asking.ask()
    assert (len(asking.sender.requests) > len(replies)) == again
    assert isinstance(reply, Unseen)


def test_a_name_is_resolved_once_and_one_that_does_not_is_asked_no_more() -> None:
    asking = Asking(THERE)
    assert [asking.ask(), asking.ask()] == [THERE, THERE]
    assert asking.resolved == [HOST]
    asking = Asking(THERE, resolves=False)
    assert [reason(asking.ask()), reason(asking.ask())] == [say("images.no_name", host=HOST, seconds="1")] * 2
    assert (asking.resolved, asking.sender.requests) == ([HOST], [])


@pytest.mark.parametrize(("seconds", "asked"), [(None, [3.0]), (1.0, [1.0]), (0.0, [])])
def test_a_request_may_take_three_seconds_and_no_more_than_are_left(
    seconds: Optional[float], asked: list[float]
) -> None:
    asking = Asking(THERE, seconds=seconds)
    reply = asking.ask()
    assert asking.sender.seconds == asked
    assert reply == THERE if asked else reason(reply).key == "images.no_time"


@pytest.mark.parametrize(("took", "word", "waits"), [(4.9, Missing, [5.0]), (5.0, Unseen, [])])
def test_what_is_missing_is_asked_for_again_where_ten_seconds_leave_five(
    took: float, word: type, waits: list[float]
) -> None:
    asking = Asking(GONE, GONE, LISTED, GONE, GONE, LISTED)

    def pass_time() -> None:
        if len(asking.sender.requests) == 1:
            asking.clock.time += took

    asking.sender.on_send = pass_time
    assert isinstance(asking.look(), word)
    assert asking.clock.waits == waits


def test_why_there_is_no_answer_is_said_but_for_the_words_of_a_header() -> None:
    problems = (say("transport.read_timeout", seconds="3"), say("transport.encoding", encoding="canary"))
    told = [reason(Asking(NoAnswer(problem)).ask()).fields["problem"] for problem in problems]
    assert told == [problems[0], say("images.unreadable")]
    said = reason(Asking(THERE).ask(ImageName(f"{HOST}:99999", "web", "1")))
    assert said.fields["problem"] == say("transport.request_invalid")
