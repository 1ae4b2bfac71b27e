from __future__ import annotations

from collections.abc import Callable
from typing import Union, cast

import pytest

from bcs_template_set.bcs.answers import CreatedFile, TemplateFile, TemplateVersion
from bcs_template_set.bcs.calls import Read, T, Write
from bcs_template_set.bcs.dialect import Dialect, Site
from bcs_template_set.bcs.protocol import create_file
from bcs_template_set.messages.errors import InputsInvalid
from bcs_template_set.messages.server_errors import AnswerUnreadable, BcsFailed, BcsTooOld
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.publish.write_once import (
    MOST_TURNS,
    Renamed,
    create_in_its_dialect,
    name_again,
    put_back,
    space_refused,
)

ID = "a" * 24
MADE = CreatedFile(id=ID, version_id=ID)
PINNED = TemplateFile(ID, "web/a.yaml", "v1", ID, 1, template_space="web")
REFUSED = BcsFailed(bcs_code=2, message="no such form of a name")
NOT_THERE = BcsTooOld(problem="p", status=404, oldest="o")
Answers = Callable[[str, object], Union[object, StepError]]


class Server:
    """Answers writes and reads by the call's name and what it names the file."""

    most_at_once = 1

    def __init__(self, answers: Answers) -> None:
        self.site = Site()
        self.sent: list[object] = []
        self._answers = answers

    def write(self, call: Write[T]) -> T:
        name = (call.body or {}).get("name")
        self.sent.append(name)
        return cast("T", self._given(call.name, name))

    def read(self, call: Read[T]) -> T:
        return cast("T", self._given(call.name, None))

    def _given(self, call: str, name: object) -> object:
        answer = self._answers(call, name)
        if isinstance(answer, StepError):
            raise answer
        return answer


def creation(below: bool) -> Write[CreatedFile]:  # noqa: FBT001 - as the writer calls it
    return create_file(
        "web",
        space_id=ID,
        space="web",
        name="a.yaml",
        version="1",
        content="",
        version_description="",
        below_space=below,
    )


def test_a_file_goes_where_this_bcs_makes_files_and_the_next_one_there_at_once() -> None:
    server = Server(lambda _, name: MADE if name == "a.yaml" else NOT_THERE)
    assert create_in_its_dialect(server, creation) == MADE
    assert create_in_its_dialect(server, creation) == MADE
    assert server.sent == ["web/a.yaml", "a.yaml", "a.yaml"]
    assert server.site.possible == {Dialect.A}


def test_a_bcs_that_takes_files_beside_their_space_is_known_by_it() -> None:
    server = Server(lambda *_: MADE)
    assert create_in_its_dialect(server, creation) == MADE
    assert create_in_its_dialect(server, creation) == MADE
    assert (server.sent, server.site.creates_below_space) == (["web/a.yaml", "web/a.yaml"], False)


def test_two_that_refuse_each_others_path_are_named() -> None:
    server = Server(lambda *_: NOT_THERE)
    with pytest.raises(BcsTooOld) as refused:
        create_in_its_dialect(server, creation)
    assert len(server.sent) == MOST_TURNS
    assert "now like v1.30.0 to v1.31.0-alpha.117, now like v1.31.0-alpha.118" in str(refused.value.title())


def test_a_name_that_is_refused_goes_back_as_it_is_listed_now() -> None:
    def answers(call: str, name: object) -> object:
        if call == "get file":
            return TemplateFile(ID, "a.yaml", "v1", ID, 1)
        return REFUSED if name == "web/a.yaml" else None

    server = Server(answers)
    put_back(server, "web", PINNED, version="v2")
    assert server.sent == ["web/a.yaml", "a.yaml"]


@pytest.mark.parametrize("error", [REFUSED, BcsFailed(bcs_code=1, message="record not found")])
def test_a_refusal_that_is_not_of_the_name_stands(error: BcsFailed) -> None:
    server = Server(lambda call, _: PINNED if call == "get file" else error)
    with pytest.raises(BcsFailed) as raised:
        put_back(server, "web", PINNED, version="v2")
    assert raised.value is error
    assert server.sent == ["web/a.yaml"]


def test_a_name_that_is_refused_in_turns_is_not_sent_for_ever() -> None:
    names = iter(["a.yaml", "web/a.yaml"] * 9)
    server = Server(
        lambda call, _: TemplateFile(ID, next(names), "v1", ID, 1) if call == "get file" else REFUSED
    )
    with pytest.raises(BcsFailed):
        put_back(server, "web", PINNED, version="v2")
    assert len(server.sent) == MOST_TURNS


def of_version(name: str) -> TemplateVersion:
    return TemplateVersion(ID, "v2", "", template_name=name)


@pytest.mark.parametrize(
    ("wanted", "taken", "sent"),
    [
        ("a.yaml", "a.yaml", ["a.yaml"]),
        ("a.yaml", "web/a.yaml", ["a.yaml", "web/a.yaml"]),
        ("b/a.yaml", "web/b/a.yaml", ["web/b/a.yaml"]),
    ],
)
def test_a_renamed_file_gets_its_name_back_by_the_form_that_is_taken(
    wanted: str, taken: str, sent: list[str]
) -> None:
    called = ["web/" + wanted]

    def answers(call: str, name: object) -> object:
        if call == "get version":
            return of_version(called[-1])
        if name != taken:
            return REFUSED
        called.append(wanted)
        return None

    server = Server(answers)
    assert name_again(server, "web", Renamed(PINNED, ID, "v2", "web", wanted)) is None
    assert server.sent == sent


def test_a_file_that_keeps_its_wrong_name_is_told_by_it() -> None:
    server = Server(lambda call, _: of_version("web/a.yaml") if call == "get version" else None)
    problem = name_again(server, "web", Renamed(PINNED, ID, "v2", "web", "a.yaml"))
    assert isinstance(problem, AnswerUnreadable)
    assert "the file is called web/a.yaml now" in str(problem.title())
    assert len(server.sent) == MOST_TURNS


def test_what_stands_in_the_way_of_naming_is_returned() -> None:
    error = BcsFailed(bcs_code=1, message="record not found")
    for answers in (
        lambda *_: error,
        lambda call, _: of_version("web/a.yaml") if call == "get version" else error,
    ):
        server = Server(answers)
        assert name_again(server, "web", Renamed(PINNED, ID, "v2", "web", "a.yaml")) is error
        assert server.sent == ["a.yaml"]


@pytest.mark.parametrize(
    ("code", "message", "is_name"),
    [
        (2, "文件夹名称仅支持字母", True),
        (1, "invalid CreateTemplateSpaceReq.Name: value does not match regex", True),
        (1, "record not found", False),
    ],
)
def test_a_refused_name_of_a_folder_is_a_mistake_in_the_inputs(
    code: int, message: str, *, is_name: bool
) -> None:
    error = BcsFailed(bcs_code=code, message=message)
    told = space_refused("web", error)
    assert isinstance(told, InputsInvalid) is is_name
    assert [str(detail).partition(" ")[0] for detail in told.details] == (
        ["template_space:"] if is_name else []
    )
    assert (told is error) is not is_name
