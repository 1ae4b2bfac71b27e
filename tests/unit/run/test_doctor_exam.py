"""A question of `doctor`, and what a defect in asking it is: no answer, and no refusal."""

from __future__ import annotations

import pytest

from bcs_template_set.messages.errors import NoPermission
from bcs_template_set.run.doctor_exam import Question, errors_of, home_of


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
