"""What a call to BCS is: a value that says everything of a request but who makes it. Performs no I/O.

`Read` and `Write` are two types, so that whoever holds only a reader cannot write, and mypy says so. Neither
has a place for headers or credentials: those are the gateway's, from its one principal.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from functools import cached_property, partial
from math import inf
from typing import Callable, Generic, Literal, Optional, Protocol, TypeVar, Union, cast
from urllib.parse import quote, urlencode

from bcs_template_set.bcs.dialect import Site
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import InputsInvalid
from bcs_template_set.messages.server_errors import AnswerUnreadable
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.records.declared import Record
from bcs_template_set.records.decoding import Mismatch, convert, encode
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.system.parallel import overlap, values_of

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)
S = TypeVar("S", bound=Record)

Method = Literal["GET", "POST", "PUT", "DELETE"]
JsonValue = Union[None, bool, int, float, str, "list[JsonValue]", "dict[str, JsonValue]"]
Parse = Callable[[JsonValue], T]
Query = tuple[tuple[str, str], ...]
Body = Mapping[str, JsonValue]


class Unreadable(Exception):
    """An answer's `data` is not what its call promises; `problem` names the field by its path."""

    def __init__(self, problem: str) -> None:
        self.problem = problem


@dataclass(frozen=True)
class Call(Generic[T_co]):
    """One call: `segments` are the path behind the region's prefix, not quoted yet; `name` is for logs.

    `project` is the project code it is about, for errors. `parse` makes the answer of the envelope's `data`.
    With `reads_error`, `data.error` beside code 0 is for `parse` to tell (a dry run says more than that it
    failed); else it is the call's failure (facts/bcs.md, trap 1). Such a call, a dry run or a deployment,
    takes as long as what it carries. With `may_be_missing`, that BCS has no such path is an answer, and no
    refusal. What `is_bare` is answered without an envelope. An attempt that failed after more than
    `longest_again` seconds is not made again: a smaller call may do instead. What `grows` with the past may
    have a larger answer than others.
    """

    name: str
    method: Method
    segments: tuple[str, ...]
    project: str
    parse: Parse[T_co]
    query: Query = ()
    body: Optional[Body] = None
    reads_error: bool = False
    may_be_missing: bool = False
    is_bare: bool = False
    longest_again: float = inf
    grows: bool = False

    @cached_property
    def path(self) -> str:
        """Return the quoted path, without the query."""
        return "/" + "/".join(quote(segment, safe="") for segment in self.segments)

    @property
    def target(self) -> str:
        """Return the quoted path with its query."""
        return f"{self.path}?{urlencode(self.query)}" if self.query else self.path

    def body_bytes(self) -> Optional[bytes]:
        """Return the body as JSON, None where there is none."""
        return None if self.body is None else encode(self.body)


@dataclass(frozen=True)
class Read(Call[T_co]):
    """A call that changes nothing, whatever its method: it may be sent again."""

    def parsed_by(self, parse: Parse[T]) -> Read[T]:
        """Return the same call, of whose `data` something else is made."""
        return replace(cast("Read[T]", self), parse=parse)  # no other field depends on the type


@dataclass(frozen=True)
class Write(Call[T_co]):
    """A call that changes something: it is sent again only where it certainly did not happen."""


class Reader(Protocol):
    """A gateway as far as a plan may know it: it can't write. `site` is what its answers told of BCS."""

    @property
    def most_at_once(self) -> int:
        """Return how many requests may be under way at once."""
        ...

    @property
    def site(self) -> Site:
        """Return what is known of BCS's dialect."""
        ...

    def read(self, call: Read[T]) -> T:
        """Send a read and return its answer."""
        ...


class Writer(Reader, Protocol):
    """A gateway that may write. It exists only after the plan."""

    def write(self, call: Write[T]) -> T:
        """Send a write and return its answer."""
        ...


def together(reader: Reader, tasks: Iterable[Callable[[], T]]) -> list[T]:
    """Return what these tasks return, in their order; as many are at work as the reader lets be under way.

    Raises:
        Exception: what the first of them raised that did not return.
    """
    return values_of(overlap(list(tasks), concurrency=reader.most_at_once))


def each(reader: Reader, calls: Iterable[Read[T]]) -> list[Union[T, StepError]]:
    """Return the answer to each of these calls, or why there is none; they are asked together."""

    def answer(call: Read[T]) -> Union[T, StepError]:
        try:
            return reader.read(call)
        except StepError as exc:
            return exc

    return together(reader, [partial(answer, call) for call in calls])


# --- path segments --------------------------------------------------------------------------------------


def given_segment(value: str, *, what: str) -> str:
    """Return a path segment that comes from the inputs.

    Raises:
        InputsInvalid: it would change the path: empty, `.`, `..`, or not encodable.
    """
    if _changes_path(value):
        raise InputsInvalid(details=[say("gateway.segment", what=what, value=repr(value))])
    return value


def id_segment(value: str, *, what: str) -> str:
    """Return a path segment that is an id BCS gave.

    Raises:
        AnswerUnreadable: it would change the path, so it is no id.
    """
    if _changes_path(value):
        raise AnswerUnreadable(url=what, problem=say("gateway.segment", what=what, value=repr(value)))
    return value


def _changes_path(value: str) -> bool:
    try:
        value.encode("utf-8")
    except UnicodeEncodeError:
        return True
    return value.strip() in ("", ".", "..")


# --- answers --------------------------------------------------------------------------------------------


def one(answer: type[S]) -> Parse[S]:
    """Return the parser of a `data` that is one object."""

    def parse(data: JsonValue) -> S:
        return _convert(data, answer, place="data")

    return parse


def several(answer: type[S]) -> Parse[list[S]]:
    """Return the parser of a `data` that is a list of objects; Go's null list is an empty one."""

    def parse(data: JsonValue) -> list[S]:
        rows = [] if data is None else data
        if not isinstance(rows, list):
            raise Unreadable("`data` is no list")
        return [_convert(row, answer, place=f"data[{number}]") for number, row in enumerate(rows)]

    return parse


def optional(answer: type[S]) -> Parse[Optional[S]]:
    """Return the parser of a `data` that is one object, or empty where there is none."""

    def parse(data: JsonValue) -> Optional[S]:
        return None if data is None or data == {} else _convert(data, answer, place="data")

    return parse


def nothing(_: JsonValue) -> None:
    """Take whatever `data` there is: the call promises none."""


def _convert(data: JsonValue, answer: type[S], *, place: str) -> S:
    try:
        return convert(without_nulls(data), answer, reads_text=True)
    except Mismatch as exc:
        raise Unreadable(f"{exc.problem} - at `{place}{exc.path}`") from exc
    except RecursionError as exc:
        raise Unreadable(f"{exc} - at `{place}`") from exc


def without_nulls(data: JsonValue) -> JsonValue:
    """Return the data without its null fields: Go's null for an empty list is like leaving it out."""
    if isinstance(data, dict):
        return {name: without_nulls(value) for name, value in data.items() if value is not None}
    if isinstance(data, list):
        return [without_nulls(value) for value in data]
    return data
