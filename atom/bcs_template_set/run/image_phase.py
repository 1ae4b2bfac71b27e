"""Say before versions are written whether the run's new images are in their registries. Only asks.

Looked for is what the files to be written bring along, and where a namespace is named what its variables are
filled in with. What no pod pulls, and what a live pod runs all the same, is only noted.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from itertools import chain
from typing import Callable, Optional

from bcs_template_set.bcs.calls import Reader
from bcs_template_set.bcs.deploy_calls import NamespaceRef, list_live
from bcs_template_set.images.look_for_images import MOST_AT_ONCE, PATIENCE, RegistryClient, look_for_images
from bcs_template_set.images.registry_answers import Found, Login, Missing, Platform, Unseen, Verdict
from bcs_template_set.manifests.fields import is_left_for_bcs, mapping_at, text_at
from bcs_template_set.manifests.image_form import ImageName, read_image, registry_named
from bcs_template_set.manifests.kinds import POD
from bcs_template_set.manifests.manifest_file import ManifestFile
from bcs_template_set.manifests.parse import bcs_variables_in, with_variables
from bcs_template_set.manifests.pod_templates import PodTemplate, objects_of, pod_of
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import CredentialUnusable, ImagesMissing, ImagesUnseen
from bcs_template_set.messages.spelling import nearest_few
from bcs_template_set.messages.step_error import MOST_NAMES, StepError
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.rollout.newest_pods import read_summaries
from bcs_template_set.run.context import Planned, RenderedRun, RunContext
from bcs_template_set.system.address_kinds import is_link_local
from bcs_template_set.system.http_client import Transport

MOST_NEAR = 3
_ARCHITECTURE, _OS = "kubernetes.io/arch", "kubernetes.io/os"


@dataclass(frozen=True)
class UsedImage:
    """One container's image with its variables filled in; `nodes` is what its pod says of its nodes."""

    image: str
    name: ImageName
    file: str
    nodes: Optional[Platform]
    is_pulled: bool
    is_new: bool


def ask_registries(
    context: RunContext, asked: Sequence[UsedImage], login: Optional[Login]
) -> Mapping[ImageName, Verdict]:
    """Return what the registries say of these images."""
    services, environ = context.services, context.machine.environ
    transport = Transport(
        connect_timeout=PATIENCE.request,
        read_timeout=PATIENCE.request,
        connections=MOST_AT_ONCE,
        clock=services.clock,
        environ=environ,
        refuses=is_link_local,
    )
    try:
        client = RegistryClient(
            transport, services.clock, services.deadline, environ, login, services.log.mask
        )
        return look_for_images(client, (each.name for each in asked), nodes=_nodes_by_name(asked))
    finally:
        transport.close()


Ask = Callable[[RunContext, Sequence[UsedImage], Optional[Login]], Mapping[ImageName, Verdict]]
"""Asks the registries of images, with a login where there is one."""


def check_images(run: RenderedRun, reader: Reader, planned: Planned, *, ask: Optional[Ask] = None) -> None:
    """Look for the new images of a run, and of a rollback for those that it brings back.

    That nobody could look never stops a rollback: it may be what is left in an outage.

    Raises:
        ImagesMissing: one of them is proved not to be there, or made for no node that its pods ask for.
        ImagesUnseen: one could not be looked at, and `image_check` is `require`.
    """
    context, settings, log = run.context, run.settings, run.services.log
    if settings.image_check == "off":
        return
    values = {**(planned.variables or {}), **run.context.variables}
    brought = {
        change.name: frozenset(new for _, new in change.images)
        for change in planned.plan.changes
        if change.writes_version or change.action == "rollback"
    }
    used = list(used_images(planned.desired.files, values, brought, filled_are_new=bool(settings.namespace)))
    kept = sorted({each.image for each in used if each.is_new and not each.is_pulled})
    if kept:
        log.info(say("images.never_pulled", images=kept[:MOST_NAMES]))
    asked = [each for each in used if each.is_new and each.is_pulled]
    if not asked:
        return
    demands = settings.image_check == "require" and not settings.goes_back
    verdicts = (ask or ask_registries)(context, asked, _login(context, used, demands=demands))
    told = _Told(asked, verdicts)
    for warning in told.warnings():
        _warn(context, warning)
    project_id, runs = planned.existing.project_id, frozenset[ImageName]()
    if told.missing and settings.namespace and project_id:
        runs = running_images(reader, context.namespace(project_id))
    if _is_all_there(context, told, runs, demands=demands):
        log.info(say("images.found", count=len(verdicts)))


def _is_all_there(context: RunContext, told: _Told, running: frozenset[ImageName], *, demands: bool) -> bool:
    """Say what was found of images, and tell whether all are there; raise where that stops the run."""
    log, unseen, refused = context.services.log, told.unseen(), told.refused(running)
    for note in told.still_running(running):
        log.info(note)
    wrong = [*refused, *(unseen if demands else ())]
    if refused:
        raise ImagesMissing(details=wrong)
    if wrong:
        raise ImagesUnseen(details=wrong)
    for note in unseen:
        log.info(note)
    return not unseen and not told.missing


def lack_images(
    context: RunContext, states: Sequence[Sequence[ManifestFile]], *, ask: Optional[Ask] = None
) -> Sequence[bool]:
    """Tell of each of several states' files whether an image of them is proved missing; nothing is said.

    All are looked for at once: a registry that never answers costs that time once.
    """
    used = [
        [each for each in used_images(files, context.variables, None) if each.is_pulled] for files in states
    ]
    asked = [*chain(*used)]
    if context.settings.image_check == "off" or not asked:
        return [False] * len(used)
    verdicts = (ask or ask_registries)(context, asked, _login(context, asked, demands=False))
    return [bool(_Told(own, verdicts).refused(frozenset())) for own in used]


def used_images(
    files: Iterable[ManifestFile],
    values: Mapping[str, str],
    brought: Optional[Mapping[str, frozenset[str]]],
    *,
    filled_are_new: bool = False,
) -> Iterator[UsedImage]:
    """Yield every image of the files whose variables all have a value.

    `brought` are those that are new to a file; None says that all are.
    """
    for file in files:
        for document in objects_of(file.documents):
            pod = pod_of(document)
            for container in () if pod is None else pod.containers:
                image = _filled(container.image, values)
                name = read_image(image)
                if pod is not None and name is not None:
                    is_new = brought is None or container.image in brought.get(file.name, ())
                    is_new = is_new or (filled_are_new and is_left_for_bcs(container.image))
                    is_pulled = text_at(container.body, "imagePullPolicy") != "Never"
                    yield UsedImage(image, name, file.name, _nodes_of(pod), is_pulled, is_new)


def _filled(image: str, values: Mapping[str, str]) -> str:
    """Return an image with the values of BCS's variables, "" where one is open."""
    is_open = not all(values.get(variable.name) for variable in bcs_variables_in(image))
    return "" if is_open else with_variables(image, values)


def _nodes_of(pod: PodTemplate) -> Optional[Platform]:
    """Return the platform that a pod asks its nodes for; BCS's reads tell of no node which it has."""
    wanted = mapping_at(pod.spec, "nodeSelector")
    words = [text_at({"": wanted.get(key)}, "") for key in (_OS, _ARCHITECTURE)]
    known = ["" if is_left_for_bcs(word) else word for word in words]
    return Platform(*known) if any(known) else None


def running_images(reader: Reader, place: NamespaceRef) -> frozenset[ImageName]:
    """Return the images that ready pods of a namespace run; none where they can't be listed."""
    try:
        listed = reader.read(list_live(place, kind=POD))
    except StepError:
        return frozenset()
    pods = read_summaries(listed.manifest, listed.manifest_ext)
    names = (read_image(image) for pod in pods if pod.is_ready for image in pod.images)
    return frozenset(name for name in names if name is not None)


# --- looking, and what comes of it ----------------------------------------------------------------------


def _nodes_by_name(asked: Iterable[UsedImage]) -> Mapping[ImageName, Sequence[Platform]]:
    """Return the platforms of each image's nodes, as far as they are known, each once."""
    nodes: dict[ImageName, list[Platform]] = {}
    for each in asked:
        known = nodes.setdefault(each.name, [])
        if each.nodes is not None and each.nodes not in known:
            known.append(each.nodes)
    return nodes


def _login(context: RunContext, used: Sequence[UsedImage], *, demands: bool) -> Optional[Login]:
    """Return the registry's user name and password, None where there is none, or it is of use to nobody.

    Without a registry's name they are for the only one of the run: whoever writes an image's name would else
    decide where a password goes.

    Raises:
        StepError: they can't be had, and somebody `demands` to know of the images.
    """
    services = context.services
    credential_id, _, named = context.settings.registry_credential.partition(" ")
    registries = sorted({each.name.registry for each in used})
    if not credential_id or (named and registry_named(named) not in registries):
        return None
    if not named and len(registries) > 1:
        _warn(context, say("images.login_unnamed", registries=registries[:MOST_NAMES]))
        return None
    try:
        credential = services.agent.credential(credential_id)
        if credential.type != "user name and password":
            problem = say("images.login_type", type=credential.type)
            raise CredentialUnusable(credential=credential_id, problem=problem)
    except StepError as exc:
        if demands:
            raise
        _warn(context, say("images.login_unread", problem=exc.title()))
        return None
    services.log.info(say("step.credential_read", credential=credential_id))
    secret = credential.secrets["password"]
    return Login(registry_named(named or registries[0]), credential.plain["username"], secret)


def _warn(context: RunContext, warning: Text) -> None:
    if warning not in context.services.record.warnings:
        context.services.warn(warning)


class _Told:
    """What is said of the images of one look. Sentences by image, each once."""

    def __init__(self, asked: Sequence[UsedImage], verdicts: Mapping[ImageName, Verdict]) -> None:
        self._files: dict[str, list[str]] = {}
        self._nodes = _nodes_by_name(asked)
        self._verdicts: dict[str, tuple[ImageName, Verdict]] = {}
        for each in sorted(asked, key=lambda used: (used.image, used.file)):
            self._verdicts[each.image] = (each.name, verdicts[each.name])
            self._files.setdefault(each.image, []).append(each.file)

    @property
    def missing(self) -> Mapping[str, tuple[ImageName, Missing]]:
        """Return the images that are proved missing."""
        found = self._verdicts.items()
        return {image: (name, is_it) for image, (name, is_it) in found if isinstance(is_it, Missing)}

    def still_running(self, running: frozenset[ImageName]) -> list[Text]:
        """Return what is said of images that are missing and run all the same."""
        gone = [(image, name) for image, (name, _) in self.missing.items() if name in running]
        return [say("images.live", image=image, host=name.host) for image, name in gone]

    def refused(self, running: frozenset[ImageName]) -> list[Text]:
        """Return why the run must not go on: what is missing, and what is for no node that is asked for."""
        told = []
        for image, (name, verdict) in self._verdicts.items():
            if isinstance(verdict, Missing) and name not in running:
                told.append(self._missing(image, name, verdict))
        return [*told, *(self._unfit("images.no_platform", *unfit) for unfit in self._unfits(by_all=True))]

    def warnings(self) -> Iterator[Text]:
        """Yield what a person should know of images that are there."""
        for unfit in self._unfits(by_all=False):
            yield self._unfit("images.some_platforms", *unfit)
        for image, (_, verdict) in self._verdicts.items():
            if isinstance(verdict, Found) and verdict.is_schema_1:
                yield say("images.schema_1", image=image, files=self._where(image))

    def unseen(self) -> list[Text]:
        """Return what could not be looked at, once for each reason: a registry that is away is told once."""
        images: dict[str, tuple[Text, list[str]]] = {}
        for image, (_, verdict) in self._verdicts.items():
            if isinstance(verdict, Unseen):
                images.setdefault(str(verdict.reason), (verdict.reason, []))[1].append(image)
        return [
            say("images.unseen", count=len(named), reason=reason, images=named[:MOST_NAMES])
            for reason, named in images.values()
        ]

    def _unfits(self, *, by_all: bool) -> Iterator[tuple[str, Sequence[Platform], Sequence[Platform]]]:
        """Yield the images that are for none of the nodes that are asked for, or not for all, and for which.

        The last is the nodes for which an index has no entry; of a lone manifest nobody knows.
        """
        for image, (name, verdict) in self._verdicts.items():
            if not isinstance(verdict, Found) or verdict.platforms is None:
                continue
            nodes = self._nodes[name]
            lacking = [node for node in nodes if not any(map(node.takes, verdict.platforms))]
            if lacking and (len(lacking) == len(nodes)) == by_all:
                yield image, verdict.platforms, lacking

    def _unfit(self, key: str, image: str, entries: Sequence[Platform], lacking: Sequence[Platform]) -> Text:
        shown = [str(entry) for entry in entries[:MOST_NAMES]] or ["-"]
        return say(
            key, image=image, files=self._where(image), entries=shown, nodes=[str(node) for node in lacking]
        )

    def _missing(self, image: str, name: ImageName, verdict: Missing) -> Text:
        where = {"files": self._where(image), "host": name.host, "repository": name.repository}
        told = say("images.missing", image=image, reference=verdict.reference, **where)
        is_tag = verdict.reference == name.reference and not name.digest
        near = nearest_few(name.reference, verdict.tags, most=MOST_NEAR) if is_tag else []
        return say("images.missing_near", missing=told, near=near) if near else told

    def _where(self, image: str) -> list[str]:
        return list(dict.fromkeys(self._files[image]))[:MOST_NAMES]
