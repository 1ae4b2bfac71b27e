"""What `doctor` asks: without a user at first, each question once, and what a defect in asking is."""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from typing import Union

import pytest
from tests.support.phases import run_of
from tests.support.pieces import URL, business, ok

from bcs_template_set.config.regions import Endpoint
from bcs_template_set.messages.errors import NoPermission
from bcs_template_set.messages.server_errors import GatewayFailed, Unreachable
from bcs_template_set.run.doctor_exam import SECONDS, Exam, Probe, Question, errors_of, home_of
from bcs_template_set.system.http_values import HttpAnswer, HttpRequest, NoAnswer
from bcs_template_set.system.parallel import Done


def test_a_question_that_was_not_asked_has_neither_answer_nor_error() -> None:
    question = Question(lambda: 7)
    assert (question.is_answered, question.error) == (False, None)
    question.ask()
    assert (question.is_answered, question.error, question.answer) == (True, None, 7)


def test_a_question_is_asked_once_however_often_its_answer_is_wanted() -> None:
    asked: list[int] = []
    question = Question(lambda: asked.append(1))
    question.ask()
    assert (question.answer, question.answer, asked) == (None, None, [1])


def test_a_refusal_is_remembered_and_a_defect_goes_on() -> None:
    def refuse() -> int:
        raise NoPermission(user="lisi", message="no")

    question = Question(refuse)
    question.ask()
    assert [home_of(error) for error in errors_of([question])] == ["project"]
    broken = Question(lambda: 1 // 0)
    broken.ask()
    with pytest.raises(ZeroDivisionError):
        _ = broken.error


# --- without a user -------------------------------------------------------------------------------------


@dataclass
class Line:
    """A sender without a line: what it answers, and what it was asked."""

    reply: Union[HttpAnswer, NoAnswer]
    asked: list[tuple[HttpRequest, float]] = field(default_factory=list)

    def send(self, request: HttpRequest, *, seconds: float = float("inf")) -> HttpAnswer:
        self.asked.append((request, seconds))
        if isinstance(self.reply, NoAnswer):
            raise self.reply
        return self.reply

    def connect_ahead(self, url: str, *, count: int) -> None:
        raise NotImplementedError

    def close(self) -> None:
        raise NotImplementedError


def probed(reply: Union[HttpAnswer, NoAnswer]) -> tuple[Probe, HttpRequest]:
    """Return what an address answers to nobody, and the request."""
    line, context = Line(reply), run_of().run.context
    exam = Exam(replace(context.services, sender=line))
    vars(exam)["asked"] = Done((context.settings, context.region))
    probe = exam.probe_at(Endpoint(gateway=URL))
    ((request, seconds),) = line.asked
    assert seconds == SECONDS
    return probe, request


def test_an_address_is_asked_for_the_folder_by_a_request_without_any_secret() -> None:
    probe, request = probed(ok([]))
    assert (request.method, request.url) == (
        "GET",
        f"{URL}/v4/clusterresources/v1/projects/web/template/spaces",
    )
    assert request.headers == {"Accept": "application/json"}
    assert (probe.answer, probe.error) == (ok([]), None)


def test_what_an_address_answers_to_nobody_is_judged_as_that_of_a_read() -> None:
    assert isinstance(probed(HttpAnswer(502, {}, b""))[0].error, GatewayFailed)
    assert isinstance(probed(NoAnswer("x"))[0].error, Unreachable)
    refused = probed(business(4, "no"))[0].error
    assert isinstance(refused, NoPermission)
    assert refused.fields["user"] == ""
