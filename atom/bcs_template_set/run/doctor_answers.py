"""The checks of `doctor` about what the gateway and BCS say to the user."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import NoReturn

from bcs_template_set.bcs.answers import Cluster
from bcs_template_set.bcs.deploy_calls import NamespaceRef
from bcs_template_set.bcs.dialect import EVERY, releases, space_name_problem
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import (
    ClusterNotVisible,
    InputsInvalid,
    NobodyArrived,
    NoPermission,
    ProjectNotVisible,
)
from bcs_template_set.messages.server_errors import (
    ApiMissing,
    BcsFailed,
    BcsTooOld,
)
from bcs_template_set.messages.step_error import StepError, first_names
from bcs_template_set.rollout.before_deploying import missing_namespace
from bcs_template_set.run.doctor_exam import Answers, Exam, NotOk, Question, Waits, home_of, value_of


def check_secret(exam: Exam) -> Text:
    """Return that app or token are accepted."""
    _raise_those_of("secret", exam)
    if any(_came_to_bcs(question) or home_of(question.error) == "grants" for question in exam.answers.all):
        return say("doctor.secret")
    raise Waits("bcs")


def check_grants(exam: Exam) -> Text:
    """Tell which services the app may call; one that nobody asked for tells nothing."""
    by_service = exam.answers.by_service.items()
    refused = [(name, q.error) for name, those in by_service for q in those if home_of(q.error) == "grants"]
    if refused:
        names = dict.fromkeys(name for name, _ in refused)
        error = next(error for _, error in refused if error is not None)
        error.details = (*error.details, say("doctor.not_granted", services=_services(names)))
        raise error
    granted = [name for name, those in by_service if any(map(_came_to_bcs, those))]
    return say("doctor.granted", services=_services(granted))


def _services(names: Iterable[str]) -> list[Text]:
    return [say(f"doctor.service_{name}") for name in names]


def check_passed(exam: Exam) -> Text:
    """Return that a user arrives at BCS."""
    _raise_those_of("passed", exam)
    space = exam.answers.space
    if _came_to_bcs(space):
        principal = value_of(exam.principal)
        return say("doctor.passed" if principal.user else "doctor.passed_token", user=principal.user)
    return _not_answered((space,))


def check_project(exam: Exam) -> Text:
    """Return the project and its id."""
    exam.wait_if_failed("passed")
    project = exam.answers.project.answer
    return say("doctor.project", code=project.project_code, id=project.project_id)


def check_folder(exam: Exam) -> Text:
    """Return how many files the folder has, or that it will be made."""
    exam.wait_if_failed("passed")
    answers, name = exam.answers, exam.settings.template_space
    if answers.space.answer is not None:
        return say("doctor.folder", name=name, files=len(answers.files.answer))
    problem = space_name_problem(name, exam.reader.site.possible)
    if problem is not None:
        raise InputsInvalid(details=[problem])
    return say("log.creates_space", space=name)


def check_bcs(exam: Exam) -> Text:
    """Return which releases answer so."""
    answers, site = exam.answers, exam.reader.site
    exam.wait_if_failed("secret")
    if "secret" in exam.waiting:  # neither BCS nor the gateway has said anything about it
        _not_answered(answers.all)
    if answers.space.error is not None and home_of(answers.space.error) != "bcs":
        raise Waits("folder")
    for question in (answers.space, answers.files, answers.dialect):
        if question.error is not None and home_of(question.error) == "bcs":
            raise question.error
    if site.possible == EVERY:
        raise NotOk("unknown", say("doctor.no_release"))
    release = answers.release.answer.version if answers.release.is_answered else ""
    known = releases(site.possible)
    return say("doctor.release", known=known, release=release) if release else known


def check_cluster(exam: Exam) -> Text:
    """Return that the cluster is one of the project."""
    cluster, answers = exam.settings.cluster_id, exam.answers
    if not cluster:
        raise NotOk("skipped", say("doctor.no_target", known=_clusters(answers)))
    asked = (answers.namespaces, answers.workloads, answers.right)
    if "ok" not in (exam.states["project"], exam.states["folder"]):
        raise Waits("project")
    try:
        _raise_those_of("cluster", exam)
    except StepError as exc:
        exc.details = (*exc.details, *_clusters(answers))
        raise
    if any(question.is_answered or isinstance(question.error, NoPermission) for question in asked):
        shared = next((known.is_shared for known in _known(answers) if known.cluster_id == cluster), None)
        return say(_TOLD[shared], cluster=cluster, project=exam.settings.project_code)
    return _not_answered(asked)


_TOLD = {None: "doctor.cluster", False: "doctor.cluster_own", True: "doctor.cluster_shared"}


def _clusters(answers: Answers) -> list[Text]:
    """Return one sentence: which clusters the project has; none where that can't be read."""
    names = [
        say("doctor.shared", cluster=known.cluster_id) if known.is_shared else known.cluster_id
        for known in _known(answers)
    ]
    return [say("doctor.clusters", names=first_names(names))] if names else []


def _known(answers: Answers) -> Sequence[Cluster]:
    return answers.clusters.answer if answers.clusters.is_answered else ()


def check_namespace(exam: Exam) -> Text:
    """Return that the namespace is there."""
    settings, question = exam.settings, exam.answers.namespaces
    _wait_without_id(exam)
    error = question.error
    if isinstance(error, (NoPermission, ApiMissing)) and home_of(error) != "grants":
        raise NotOk("unknown", say("doctor.unread", why=error.title()))
    known = question.answer
    if known and settings.namespace not in known:
        place = NamespaceRef(settings.project_code, "", settings.cluster_id, settings.namespace)
        raise missing_namespace(place, known)
    if not known:
        raise NotOk("unknown", say("doctor.no_namespaces"))
    return say("doctor.namespace", namespace=settings.namespace)


def check_view(exam: Exam) -> Text:
    """Return that the user may look at workloads there."""
    exam.wait_if_failed("namespace")
    _wait_without_id(exam)
    _ = exam.answers.workloads.answer
    return say("doctor.view", user=value_of(exam.principal).label)


def check_deploy(exam: Exam) -> Text:
    """Return that the user may deploy there: asked by the deployment of nothing."""
    exam.wait_if_failed("namespace")
    exam.answers.right.answer  # noqa: B018 - its error is what is told
    settings = exam.settings
    return say("deploy.may_deploy", namespace=settings.namespace, cluster=settings.cluster_id)


def check_template_set(exam: Exam) -> Text:
    """Return that the chart repository answers."""
    chart = exam.answers.chart
    if isinstance(chart.error, BcsFailed):
        raise NotOk("unknown", say("doctor.no_chart", why=chart.error.title()))
    return say("doctor.chart", name=chart.answer.name)


def _came_to_bcs(question: Question[object]) -> bool:
    """Tell whether BCS itself has answered: app and user are accepted, and the call is granted."""
    return question.is_answered or isinstance(question.error, _OF_BCS)


_OF_BCS = (
    *(NobodyArrived, NoPermission, ProjectNotVisible, ClusterNotVisible),
    *(BcsFailed, BcsTooOld),
)


def _raise_those_of(home: str, exam: Exam) -> None:
    for question in exam.answers.all:
        if question.error is not None and home_of(question.error) == home:
            raise question.error


def _not_answered(questions: Sequence[Question[object]]) -> NoReturn:
    raise next(question.error for question in questions if question.error is not None)


def _wait_without_id(exam: Exam) -> None:
    """Wait for the project where nobody knows its id, by which live objects are asked for."""
    if not exam.answers.project.is_answered:
        raise Waits("project")
