"""What `doctor` asks: each question once, in few waves, within one deadline. Holds a reader, and no writer.

The way to the gateway is asked about without a user, so that it is known whoever acts, and no secret goes
to an address that is not yet known to be a gateway.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from email.utils import parsedate_to_datetime
from functools import cached_property
from typing import Callable, Generic, Optional, TypeVar

from bcs_template_set.bcs import protocol
from bcs_template_set.bcs.calls import Reader, together
from bcs_template_set.bcs.decision import Asked, Reply, Success, decide
from bcs_template_set.bcs.deploy_calls import NamespaceRef, list_live, list_namespaces, may_deploy
from bcs_template_set.bcs.gateway import root_of
from bcs_template_set.bcs.retrying import RetryPolicy
from bcs_template_set.bcs.space.cluster_reads import ask_cluster
from bcs_template_set.bcs.space.template_spaces import ask_dialect, find_space, list_files
from bcs_template_set.config.inputs import Settings
from bcs_template_set.config.principal import Principal
from bcs_template_set.config.regions import Endpoint, Region
from bcs_template_set.manifests.kinds import DEPLOYMENT
from bcs_template_set.messages import Text
from bcs_template_set.messages.errors import (
    AccessRefused,
    AppNotGranted,
    AuthenticationRefused,
    ClusterNotVisible,
    CredentialUnusable,
    NobodyArrived,
    NoCredentials,
    NoPermission,
    OwnerMismatch,
    ProjectNotVisible,
    TokenRefused,
)
from bcs_template_set.messages.server_errors import (
    BcsTooOld,
    NoSuchPath,
)
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.report.examination import State
from bcs_template_set.run.context import RunContext, Services
from bcs_template_set.run.settings_phase import (
    find_principal,
    machine_of,
    open_gateway,
    read_asked,
    read_build,
    transport_of,
)
from bcs_template_set.system.clock import Deadline
from bcs_template_set.system.http_values import HttpAnswer, HttpRequest, NoAnswer, NotSent
from bcs_template_set.system.parallel import Done, Raised, TaskEnd, overlap, values_of

T = TypeVar("T")
T_co = TypeVar("T_co", covariant=True)

SECONDS = 10.0
"""What all questions together may take."""

ONCE = RetryPolicy(attempts=1, longest_limit=SECONDS)
NO_VERSION = "0.0.0"
"""A version of a template set that need not be there: whether the repository answers is what is asked."""


class NotOk(Exception):
    """The check could not be made, or does not tell; `what` says why."""

    def __init__(self, state: State, what: Text) -> None:
        self.state: State = state
        self.what = what


class Waits(Exception):
    """The check waits for another `check`."""

    def __init__(self, check: str) -> None:
        self.check = check


HOMES: Mapping[type[StepError], str] = {
    OwnerMismatch: "app",
    NoCredentials: "app",
    CredentialUnusable: "app",
    AuthenticationRefused: "secret",
    TokenRefused: "secret",
    AppNotGranted: "grants",
    AccessRefused: "grants",
    NoSuchPath: "grants",
    NobodyArrived: "passed",
    NoPermission: "project",
    ProjectNotVisible: "project",
    BcsTooOld: "bcs",
    ClusterNotVisible: "cluster",
}
"""Which check an error belongs to, wherever it was met; any other belongs to the check that met it."""


def home_of(error: StepError) -> Optional[str]:
    """Return which check an error belongs to wherever it was met, None where that is who met it."""
    return HOMES.get(type(error))


def errors_of(questions: Iterable[Question[object]]) -> Iterator[StepError]:
    """Yield why questions were not answered."""
    return (question.error for question in questions if question.error is not None)


@dataclass(frozen=True)
class Probe:
    """What came back without a user: `error` is why nothing of BCS's did, None where something did.

    `at` is when it came, in seconds since the epoch.
    """

    endpoint: Endpoint
    reply: Reply
    error: Optional[StepError]
    at: float

    @property
    def answer(self) -> Optional[HttpAnswer]:
        """Return the answer, None where there was none."""
        return self.reply if isinstance(self.reply, HttpAnswer) else None

    @property
    def date(self) -> Optional[float]:
        """Return the moment that the answer says it is, None where it says none."""
        headers = self.answer.headers if self.answer is not None else {}
        try:
            return parsedate_to_datetime(headers["date"]).timestamp()
        except (KeyError, TypeError, ValueError):  # of a text that is none, one by Python 3.9, one since
            return None


class Question(Generic[T_co]):
    """A question to BCS and, once it was asked, how that ended."""

    def __init__(self, ask: Callable[[], T_co]) -> None:
        self._ask = ask
        self.end: Optional[TaskEnd[T_co]] = None

    def ask(self) -> None:
        """Ask it."""
        self.end = ended(self._ask)

    @property
    def error(self) -> Optional[StepError]:
        """Return why it was not answered, None where it was, or was not asked."""
        error = self.end.error if isinstance(self.end, Raised) else None
        if error is not None and not isinstance(error, StepError):
            raise error
        return error

    @property
    def is_answered(self) -> bool:
        """Tell whether it was."""
        return isinstance(self.end, Done)

    @property
    def answer(self) -> T_co:
        """Return the answer to one that was answered."""
        return value_of(self.end or ended(self._ask))


class Answers:
    """What BCS answers to the user: project and folder first, then what can be asked once these are known."""

    def __init__(self, reader: Reader, settings: Settings) -> None:
        code, folder = settings.project_code, settings.template_space
        self._reader = reader
        self.project = Question(lambda: reader.read(protocol.get_project(code)))
        self.space = Question(lambda: find_space(reader, project=code, space=folder))
        self._ask([self.project.ask, self.space.ask])
        project_id = self.project.answer.project_id if self.project.is_answered else ""
        space = self.space.answer if self.space.is_answered else None
        place = NamespaceRef(code, project_id, settings.cluster_id, settings.namespace)
        space_id = space.id if space is not None else ""
        name = settings.template_set
        self.files = Question(lambda: list_files(reader, code, space_id))
        self.dialect = Question(lambda: ask_dialect(reader, code))
        self.clusters = Question(lambda: reader.read(protocol.list_clusters(code, project_id)))
        self.release = Question(lambda: reader.read(protocol.get_release(code)))
        self.namespaces = Question(lambda: ask_cluster(reader, place, list_namespaces(place)))
        self.workloads = Question(lambda: ask_cluster(reader, place, list_live(place, kind=DEPLOYMENT)))
        self.right = Question(lambda: ask_cluster(reader, place, may_deploy(place)))
        self.chart = Question(
            lambda: reader.read(protocol.get_chart_version(code, name=name, version=NO_VERSION))
        )
        asked: tuple[tuple[Callable[[], None], object], ...] = (
            (self.files.ask, space_id),
            (self.dialect.ask, self.space.is_answered and not space_id),
            (self.clusters.ask, project_id),
            (self.release.ask, self.space.is_answered),
            (self.namespaces.ask, project_id and settings.cluster_id),
            (self.workloads.ask, project_id and settings.namespace),
            (self.right.ask, settings.namespace),
            (self.chart.ask, name),
        )
        self._ask([ask for ask, is_wanted in asked if is_wanted])

    @property
    def by_service(self) -> Mapping[str, tuple[Question[object], ...]]:
        """Return the questions by what a gateway grants."""
        return {
            "projects": (self.project,),
            "templates": (self.space, self.files, self.dialect, self.right),
            "workloads": (self.namespaces, self.workloads),
            "charts": (self.chart,),
        }

    @property
    def all(self) -> tuple[Question[object], ...]:
        """Return every question that a run asks too: not those whose answers are only shown."""
        return tuple(question for those in self.by_service.values() for question in those)

    def _ask(self, questions: Sequence[Callable[[], None]]) -> None:
        together(self._reader, questions)


class Exam:
    """The questions of one examination, each asked when the first check wants its answer, and no more.

    `states` is what has come of the checks so far, `waiting` what the checks wait for that were not made.
    """

    def __init__(self, services: Services) -> None:
        self.services = services
        self.states: dict[str, State] = {}
        self.waiting: dict[str, str] = {}

    def wait_if_failed(self, check: str) -> None:
        """Wait for another check where that has failed."""
        if self.states[check] == "failed":
            raise Waits(check)

    # --- what is asked for, and who asks ---

    @cached_property
    def asked(self) -> TaskEnd[tuple[Settings, Region]]:
        """Return inputs and region."""
        return ended(lambda: read_asked(self.services))

    @cached_property
    def context(self) -> TaskEnd[RunContext]:
        """Return inputs, region and build."""
        return ended(lambda: read_build(self.services, *value_of(self.asked)))

    @cached_property
    def principal(self) -> TaskEnd[Principal]:
        """Return the one user."""
        return ended(lambda: find_principal(value_of(self.context)))

    @property
    def settings(self) -> Settings:
        """Return the inputs."""
        return value_of(self.asked)[0]

    @property
    def region(self) -> Region:
        """Return the region."""
        return value_of(self.asked)[1]

    @property
    def template_set(self) -> str:
        """Return the template set that is to be published, "" for none, or where that is not known."""
        return self.settings.template_set if isinstance(self.asked, Done) else ""

    # --- the way to the gateway ---

    @cached_property
    def deadline(self) -> Deadline:
        """Return when the last question must have its answer."""
        left = self.services.deadline.remaining()
        return Deadline(self.services.clock, seconds=min(SECONDS, left))

    @cached_property
    def probe(self) -> Probe:
        """Return what the region's address answers to nobody."""
        return self.probe_at(self.region.endpoint)

    def probe_at(self, endpoint: Endpoint) -> Probe:
        """Return what another address answers to nobody."""
        services = self.services
        call = protocol.list_spaces(self.settings.project_code, name=self.settings.template_space)
        url = root_of(endpoint) + call.path
        asked = Asked(
            method=call.method,
            path=call.path,
            url=url,
            writes=False,
            project=call.project,
            user="",
            mask=services.log.masker.mask,
        )
        request = HttpRequest(call.method, url, {"Accept": "application/json"})
        sender = services.sender or transport_of(endpoint, machine_of(services))
        reply: Reply
        try:
            reply = sender.send(request, seconds=self.deadline.remaining())
        except (NotSent, NoAnswer) as exc:
            reply = exc
        verdict = decide(asked, reply)
        error = None if isinstance(verdict, Success) else verdict.error
        return Probe(endpoint, reply, error, services.clock.now())

    # --- what BCS says to the user ---

    @cached_property
    def reader(self) -> Reader:
        """Return the gateway, which sends nothing twice."""
        context = value_of(self.context)
        return open_gateway(context, value_of(self.principal), deadline=self.deadline, policy=ONCE)

    @cached_property
    def answers(self) -> Answers:
        """Return what BCS answers."""
        return Answers(self.reader, self.settings)


def ended(task: Callable[[], T]) -> TaskEnd[T]:
    """Return what a task came to."""
    return overlap([task], concurrency=1)[0]


def value_of(end: TaskEnd[T]) -> T:
    """Return what a task returned; raise what it raised."""
    return values_of([end])[0]
