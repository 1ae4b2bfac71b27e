"""Which images a run looks for, as whom, and what it makes of what the registries say."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Any, Optional

import pytest
import yaml
from tests.support.phases import PLACE, Answer, Answers, Phases, run_of
from tests.support.planned import existing
from tests.support.scenes import change, plan_of

from bcs_template_set.agent.build_api import Credential
from bcs_template_set.bcs.calls import JsonValue
from bcs_template_set.images.registry_answers import Found, Login, Missing, Platform, Unseen, Verdict
from bcs_template_set.manifests.image_form import ImageName, read_image
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import CredentialUnusable, ImagesMissing, ImagesUnseen, NoPermission
from bcs_template_set.messages.secret import Secret
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.publish.plan import Change
from bcs_template_set.run.context import Planned, RunContext
from bcs_template_set.run.image_phase import (
    UsedImage,
    ask_registries,
    check_images,
    lack_images,
    running_images,
    used_images,
)

WEB = "reg.example.com/web:2"


def pod(*images: str, **spec: object) -> str:
    """Return a Deployment with a container for each image."""
    containers = [{"name": f"c{number}", "image": image} for number, image in enumerate(images)]
    body = {"template": {"spec": {"containers": containers, **spec}}}
    return yaml.safe_dump(
        {"apiVersion": "apps/v1", "kind": "Deployment", "metadata": {"name": "web"}, "spec": body}
    )


def name_of(image: str) -> ImageName:
    found = read_image(image)
    assert found is not None
    return found


NO_MORE: Mapping[str, str] = {}
NOWHERE: Mapping[str, str] = {"cluster_id": "", "namespace": "", "action": "publish"}


@dataclass
class Registries:
    """Stand in for all registries: what each says of an image, and what they were asked with."""

    says: Mapping[str, Verdict] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    login: Optional[Login] = None

    def __call__(
        self, _: RunContext, asked: Sequence[UsedImage], login: Optional[Login]
    ) -> Mapping[ImageName, Verdict]:
        self.asked, self.login = [each.image for each in asked], login
        return {each.name: self.says.get(each.image, Found()) for each in asked}


@dataclass
class Looked:
    """What a run has said, and what it was stopped by."""

    phases: Phases
    error: Optional[StepError]

    @property
    def lines(self) -> list[str]:
        """Return the lines of its log."""
        return self.phases.log.splitlines()


def brings(name: str, *images: str, **more: Any) -> Change:  # noqa: ANN401 - the fields of Change
    """Return a change that brings these images along."""
    new = tuple(("", image) for image in images)
    return change(name, images=new, **{"writes_version": True, **more})


def looked(
    registries: Registries,
    *files: tuple[str, str],
    changes: Optional[Sequence[Change]] = None,
    answers: Optional[Mapping[str, Answer]] = None,
    variables: Optional[Mapping[str, str]] = None,
    credentials: Optional[Mapping[str, Credential | StepError]] = None,
    project_id: str = "a" * 32,
    inputs: Mapping[str, str] = MappingProxyType({}),
) -> Looked:
    """Look for the images of a run; all of them are new, unless changes say otherwise."""
    phases = run_of(*files, inputs=inputs, credentials=credentials or {})
    made = [brings(file.name, *_images(file.text)) for file in phases.run.desired.files]
    holds = existing()
    planned = Planned(
        plan_of(*(made if changes is None else changes)),
        type(holds)(project_id=project_id),
        phases.run.desired,
        variables=variables,
    )
    try:
        check_images(phases.run, Answers(answers or {"list Pod": {}}), planned, ask=registries)
    except StepError as exc:
        return Looked(phases, exc)
    return Looked(phases, None)


def _images(text: str) -> list[str]:
    return [line.partition("image: ")[2].strip("'") for line in text.splitlines() if "image: " in line]


# --- which images ---------------------------------------------------------------------------------------


def used(*files: tuple[str, str], **more: Any) -> list[tuple[str, bool, bool]]:  # noqa: ANN401 - passed on
    """Return the images of files, and whether each is new and pulled."""
    wanted = run_of(*files).run.desired.files
    given = {"values": {}, "brought": None, **more}
    values, brought = given.pop("values"), given.pop("brought")
    return [
        (each.image, each.is_new, each.is_pulled) for each in used_images(wanted, values, brought, **given)
    ]


def test_every_container_of_every_object_counts_with_its_file() -> None:
    listed = yaml.safe_dump({"apiVersion": "v1", "kind": "List", "items": [yaml.safe_load(pod(WEB, "b:1"))]})
    service = "apiVersion: v1\nkind: Service\nmetadata: {name: web}\n"
    assert used(("a.yaml", listed), ("b.yaml", service), ("c.yaml", pod("c:1"))) == [
        (WEB, True, True),
        ("b:1", True, True),
        ("c:1", True, True),
    ]
    (found,) = used_images(run_of(("c.yaml", pod("c:1"))).run.desired.files, {}, None)
    assert (found.file, found.name, found.nodes) == ("c.yaml", name_of("c:1"), None)


def test_what_is_no_image_or_has_an_open_variable_is_left_out() -> None:
    files = ("a.yaml", pod("{{ IMAGE }}", "UPPER:1", "", "w:{{ TAG }}"))
    assert used(files) == []
    assert used(files, values={"IMAGE": "x:1", "TAG": ""}) == [("x:1", True, True)]
    assert used(("a.yaml", pod("web{{ TAG }}:1")), values={"TAG": ""}) == []


def test_new_is_what_a_file_brings_along_or_a_variable_fills_in() -> None:
    files = ("a.yaml", pod("a:1", "b:1", "c:{{ TAG }}"))
    brought = {"a.yaml": frozenset({"a:1"}), "b.yaml": frozenset({"b:1"})}
    told = {"values": {"TAG": "1"}, "brought": brought}
    assert [new for _, new, _ in used(files, **told)] == [True, False, False]
    assert [new for _, new, _ in used(files, **told, filled_are_new=True)] == [True, False, True]
    assert [new for _, new, _ in used(files, values={"TAG": "1"}, brought={})] == [False, False, False]


def test_a_registry_that_is_not_there_leaves_its_images_unseen() -> None:
    run = run_of(("a.yaml", pod("127.0.0.1:1/web:2")), inputs=NOWHERE).run
    asked = [*used_images(run.desired.files, {}, None)]
    (name,) = (each.name for each in asked)
    assert isinstance(ask_registries(run.context, asked, None)[name], Unseen)


def test_what_no_node_pulls_is_known_as_that() -> None:
    never = yaml.safe_load(pod("a:1"))
    never["spec"]["template"]["spec"]["containers"][0]["imagePullPolicy"] = "Never"
    assert used(("a.yaml", yaml.safe_dump(never))) == [("a:1", True, False)]


@pytest.mark.parametrize(
    ("selector", "nodes"),
    [
        ({"kubernetes.io/os": "linux", "kubernetes.io/arch": "arm64"}, Platform("linux", "arm64")),
        ({"kubernetes.io/arch": "arm64", "kubernetes.io/os": "{{ OS }}"}, Platform("", "arm64")),
        ({"kubernetes.io/os": "linux"}, Platform("linux", "")),
        ({"kubernetes.io/arch": "{{ ARCH }}"}, None),
        ({"disk": "ssd"}, None),
    ],
)
def test_a_pod_says_what_its_nodes_are(selector: Mapping[str, str], nodes: Optional[Platform]) -> None:
    file = ("a.yaml", pod("a:1", nodeSelector=dict(selector)))
    (found,) = used_images(run_of(file).run.desired.files, {}, None)
    assert found.nodes == nodes


# --- what comes of it -----------------------------------------------------------------------------------


def test_images_that_are_there_are_counted() -> None:
    registries = Registries()
    ran = looked(registries, ("a.yaml", pod(WEB, "b:1", WEB)))
    assert (ran.error, registries.asked) == (None, [WEB, "b:1", WEB])
    assert ran.lines == ["##[info]" + str(say("images.found", count=2))]


@pytest.mark.parametrize(
    ("changes", "inputs"),
    [
        (None, {"image_check": "off"}),
        ([brings("a.yaml", WEB, writes_version=False)], {}),
        ([brings("a.yaml", "other:1")], {}),
        ([], {}),
    ],
)
def test_nobody_is_asked_about_nothing_new(
    changes: Optional[Sequence[Change]], inputs: Mapping[str, str]
) -> None:
    registries = Registries()
    ran = looked(registries, ("a.yaml", pod(WEB)), changes=changes, inputs=inputs)
    assert (ran.error, ran.lines, registries.asked) == (None, [], [])


def test_a_rollback_looks_for_what_it_brings_back() -> None:
    registries = Registries()
    back = brings("a.yaml", WEB, writes_version=False, action="rollback")
    looked(registries, ("a.yaml", pod(WEB)), changes=[back])
    assert registries.asked == [WEB]


def test_what_a_variable_fills_in_is_new_where_it_is_known_for_whom() -> None:
    file = ("a.yaml", pod("reg.example.com/web:{{ TAG }}"))
    for inputs, asked in ((NO_MORE, [WEB]), (NOWHERE, [])):
        registries = Registries()
        looked(registries, file, changes=[], variables={"TAG": "2"}, inputs=inputs)
        assert registries.asked == asked
    registries = Registries()
    looked(registries, file, changes=[], variables={"TAG": "1"}, inputs={"variables": "TAG: '2'"})
    assert registries.asked == [WEB], "the author's value is the one that is sent"


def test_what_is_never_pulled_is_noted_and_not_asked_for() -> None:
    text = yaml.safe_load(pod("b:1", "a:1", WEB))
    for container in text["spec"]["template"]["spec"]["containers"][:2]:
        container["imagePullPolicy"] = "Never"
    registries = Registries()
    ran = looked(registries, ("a.yaml", yaml.safe_dump(text)))
    assert registries.asked == [WEB]
    assert ran.lines[0] == "##[info]" + str(say("images.never_pulled", images=["a:1", "b:1"]))
    registries = Registries()
    known = [brings("a.yaml", WEB)]
    assert len(looked(registries, ("a.yaml", yaml.safe_dump(text)), changes=known).lines) == 1


def missing(*tags: str, reference: str = "2") -> Missing:
    return Missing(tags, reference)


def test_an_image_that_is_not_there_stops_the_run_with_the_nearest_tags() -> None:
    registries = Registries(
        {WEB: missing("3", "22", "20", "12", "21"), "b:1": Unseen(say("rollout.deleting"))}
    )
    ran = looked(registries, ("b.yaml", pod(WEB)), ("a.yaml", pod(WEB, "b:1")))
    assert isinstance(ran.error, ImagesMissing)
    (detail,) = ran.error.details
    assert isinstance(detail, Text)
    assert detail.key == "images.missing_near"
    near = detail.fields["near"]
    assert isinstance(near, list)
    assert len(near) == 3
    told = detail.fields["missing"]
    assert isinstance(told, Text)
    assert (told.key, told.fields) == (
        "images.missing",
        {
            "image": WEB,
            "reference": "2",
            "files": ["a.yaml", "b.yaml"],
            "host": "reg.example.com",
            "repository": "web",
        },
    )


@pytest.mark.parametrize(
    ("image", "reference"),
    [(f"reg.example.com/web@sha256:{'0' * 64}", f"sha256:{'0' * 64}"), (WEB, "sha256:1")],
)
def test_no_tag_is_near_to_a_digest(image: str, reference: str) -> None:
    ran = looked(Registries({image: missing("2", "20", reference=reference)}), ("a.yaml", pod(image)))
    assert ran.error is not None
    assert [detail.key for detail in ran.error.details if isinstance(detail, Text)] == ["images.missing"]


PODS: Mapping[str, Answer] = {
    "list Pod": {
        "manifest": {"items": [{"metadata": {"uid": "u"}}]},
        "manifestExt": {"u": {"status": "Running", "readyCnt": 1, "totalCnt": 1, "images": [WEB, "?"]}},
    }
}


def test_an_image_that_live_pods_run_all_the_same_is_a_note() -> None:
    gone = Registries({WEB: missing()})
    ran = looked(gone, ("a.yaml", pod(WEB)), answers=PODS)
    assert (ran.error, ran.lines) == (
        None,
        ["##[info]" + str(say("images.live", image=WEB, host="reg.example.com"))],
    )
    both = looked(Registries({WEB: missing(), "b:1": missing()}), ("a.yaml", pod(WEB, "b:1")), answers=PODS)
    assert isinstance(both.error, ImagesMissing)
    assert (both.lines, len(both.error.details)) == (ran.lines, 1)
    for stops in (
        looked(gone, ("a.yaml", pod(WEB)), project_id=""),
        looked(gone, ("a.yaml", pod(WEB)), inputs=NOWHERE),
        looked(gone, ("a.yaml", pod(WEB)), answers={"list Pod": NoPermission(user="lisi", message="no")}),
    ):
        assert isinstance(stops.error, ImagesMissing)


def test_only_ready_pods_show_that_an_image_can_be_had() -> None:
    assert running_images(Answers(PODS), PLACE) == {name_of(WEB)}
    starting: JsonValue = {"status": "Pending", "readyCnt": 0, "totalCnt": 1, "images": [WEB]}
    listed: Answer = {"manifest": {"items": [{"metadata": {"uid": "u"}}]}, "manifestExt": {"u": starting}}
    assert running_images(Answers({"list Pod": listed}), PLACE) == frozenset()


AWAY = Unseen(say("images.no_manifest", host="reg.example.com"))


def test_what_nobody_could_look_at_is_a_note_once_for_each_reason_and_stops_who_requires_it() -> None:
    other = Unseen(say("rollout.deleting"))
    files = ("a.yaml", pod("b:1", "a:1", "c:1", WEB))
    registries = Registries({"a:1": AWAY, "b:1": AWAY, "c:1": other})
    notes = [
        say("images.unseen", count=2, reason=AWAY.reason, images=["a:1", "b:1"]),
        say("images.unseen", count=1, reason=other.reason, images=["c:1"]),
    ]
    ran = looked(registries, files)
    assert (ran.error, ran.lines) == (None, [f"##[info]{note}" for note in notes])
    required = looked(registries, files, inputs={"image_check": "require"})
    assert isinstance(required.error, ImagesUnseen)
    assert [*required.error.details] == notes
    back = [brings("a.yaml", "a:1", action="rollback")]
    rollback = looked(
        registries,
        ("a.yaml", pod("a:1")),
        changes=back,
        inputs={"image_check": "require", "action": "rollback"},
    )
    assert rollback.error is None
    both = looked(Registries({"a:1": AWAY, WEB: missing()}), files, inputs={"image_check": "require"})
    assert isinstance(both.error, ImagesMissing)
    assert len(both.error.details) == 2


ARM, INTEL = Platform("linux", "arm64"), Platform("linux", "amd64")


def on(platform: Platform, image: str = WEB) -> str:
    nodes = {"kubernetes.io/os": platform.os, "kubernetes.io/arch": platform.architecture}
    return pod(image, nodeSelector=nodes)


def test_an_image_that_is_made_for_no_node_that_is_asked_for_stops_the_run() -> None:
    index = Registries({WEB: Found(platforms=(INTEL,))})
    ran = looked(index, ("a.yaml", on(ARM)), ("b.yaml", on(ARM)))
    assert isinstance(ran.error, ImagesMissing)
    assert ran.phases.warnings == []
    assert [*ran.error.details] == [
        say(
            "images.no_platform",
            image=WEB,
            files=["a.yaml", "b.yaml"],
            entries=["linux/amd64"],
            nodes=["linux/arm64"],
        )
    ]
    empty = looked(Registries({WEB: Found(platforms=())}), ("a.yaml", on(ARM)))
    assert empty.error is not None
    (detail,) = empty.error.details
    assert isinstance(detail, Text)
    assert detail.fields["entries"] == ["-"]


def test_one_that_is_made_for_some_of_the_nodes_is_a_warning() -> None:
    index = Registries({WEB: Found(platforms=(INTEL,))})
    ran = looked(index, ("a.yaml", on(ARM)), ("b.yaml", on(INTEL)), ("c.yaml", on(ARM)))
    assert ran.error is None
    (warning,) = ran.phases.record.warnings
    assert (warning.key, warning.fields["nodes"]) == ("images.some_platforms", ["linux/arm64"])


@pytest.mark.parametrize("verdict", [Found(platforms=(ARM,)), Found(platforms=None), AWAY])
def test_of_an_image_that_fits_or_says_nothing_of_platforms_nothing_is_said(verdict: Verdict) -> None:
    ran = looked(Registries({WEB: verdict}), ("a.yaml", on(ARM)))
    assert (ran.error, ran.phases.warnings) == (None, [])


def test_a_manifest_of_the_old_schema_is_a_warning_and_each_warning_is_told_once() -> None:
    registries = Registries({WEB: Found(is_schema_1=True)})
    ran = looked(registries, ("a.yaml", pod(WEB, WEB)))
    (warning,) = ran.phases.record.warnings
    assert (warning.key, warning.fields) == ("images.schema_1", {"image": WEB, "files": ["a.yaml"]})
    planned = Planned(plan_of(brings("a.yaml", WEB)), existing(), ran.phases.run.desired)
    check_images(ran.phases.run, Answers({}), planned, ask=registries)
    assert ran.phases.warnings == ["images.schema_1"]


def test_of_several_states_each_is_told_whether_it_lacks_an_image() -> None:
    context = run_of(("a.yaml", pod(WEB))).run.context
    files = [run_of(("a.yaml", pod(image))).run.desired.files for image in (WEB, "b:1", "c:{{ OPEN }}")]
    registries = Registries({WEB: missing(), "b:1": AWAY})
    assert [*lack_images(context, files, ask=registries)] == [True, False, False]
    assert registries.asked == [WEB, "b:1"], "all at once"
    unread: Mapping[str, StepError] = {"reg": NoPermission(user="lisi", message="no")}
    inputs = {"registry_credential": "reg", "image_check": "require"}
    other = run_of(("a.yaml", pod(WEB)), inputs=inputs, credentials=unread).run.context
    assert [*lack_images(other, files[1:2], ask=registries)] == [False], "nobody demands to know"
    off = run_of(("a.yaml", pod(WEB)), inputs={"image_check": "off"}).run.context
    registries = Registries({WEB: missing()})
    assert [*lack_images(off, files, ask=registries)] == [False, False, False]
    assert [*lack_images(context, files[2:], ask=registries)] == [False]
    assert registries.asked == []
    never = pod(WEB).replace("name: c0", "name: c0\n        imagePullPolicy: Never")
    assert [*lack_images(context, [run_of(("a.yaml", never)).run.desired.files], ask=registries)] == [False]


# --- as whom --------------------------------------------------------------------------------------------

PASSWORD = Credential(
    "reg", "user name and password", {"username": "robot"}, {"password": Secret("canary-pass")}
)


def logged_in(
    credential: str, *images: str, known: Credential | StepError = PASSWORD, **more: str
) -> tuple[Optional[Login], Looked]:
    registries = Registries()
    given = {"registry_credential": credential, **more}
    ran = looked(registries, ("a.yaml", pod(*images)), credentials={"reg": known}, inputs=given)
    return registries.login, ran


def test_a_login_is_for_the_registry_that_is_named_or_the_only_one() -> None:
    own = Login("reg.example.com", "robot", Secret("canary-pass"))
    for credential, images in (("reg", [WEB]), ("reg REG.example.com", [WEB, "b:1"])):
        login, ran = logged_in(credential, *images)
        assert login == own
        assert ran.lines[0] == "##[info]" + str(say("step.credential_read", credential="reg"))
        assert ran.phases.warnings == []
    hub, _ = logged_in("reg index.docker.io", "b:1")
    assert hub is not None
    assert hub.registry == "docker.io"


def test_a_login_for_another_registry_or_for_one_of_several_is_given_to_none() -> None:
    login, ran = logged_in("reg other.example.com", WEB)
    assert (login, ran.phases.warnings) == (None, [])
    login, ran = logged_in("reg", WEB, "b:1")
    assert login is None
    (warning,) = ran.phases.record.warnings
    assert (warning.key, warning.fields) == (
        "images.login_unnamed",
        {"registries": ["docker.io", "reg.example.com"]},
    )
    assert logged_in("", WEB)[0] is None


def test_a_login_that_can_not_be_had_is_a_warning_and_stops_who_requires_to_know() -> None:
    other = Credential("reg", "access token", {}, {"access_token": Secret("x")})
    for known, key in (
        (other, "images.login_unread"),
        (NoPermission(user="lisi", message="no"), "images.login_unread"),
    ):
        login, ran = logged_in("reg", WEB, known=known)
        assert (login, ran.error, ran.phases.warnings) == (None, None, [key])
        assert logged_in("reg", WEB, known=known, image_check="require")[1].error is not None
    wrong = logged_in("reg", WEB, known=other, image_check="require")[1].error
    assert isinstance(wrong, CredentialUnusable)
    assert wrong.fields["problem"] == say("images.login_type", type="access token")
