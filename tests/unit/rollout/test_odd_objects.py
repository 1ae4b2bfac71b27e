"""What is said of objects that are missing, or somebody else's, before they are deployed."""

from __future__ import annotations

from typing import Optional

import pytest

from bcs_template_set.bcs.marks import TEMPLATE_NAME, TEMPLATE_VERSION
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.rollout.deploy_notes import marked_elsewhere, moved_objects, odd_notes
from bcs_template_set.rollout.live_state import FileVersion, LiveState

Body = dict[str, YamlValue]
MARKS: Body = {TEMPLATE_NAME: "front-ends/web.yaml", TEMPLATE_VERSION: "1.0.7"}
OTHER_MARKS: Body = {TEMPLATE_NAME: "front-ends/api.yaml", TEMPLATE_VERSION: "1.0.7"}


def live(marks: Optional[Body] = None, *owners: YamlValue) -> Body:
    return {"metadata": {"annotations": marks or {}, "ownerReferences": list(owners)}}


def state(kind: str, there: Optional[Body], **spec: YamlValue) -> LiveState:
    return LiveState("web.yaml", kind, "web", {"kind": kind, "spec": spec}, there)


def told(*states: LiveState, before: str = "", new: str = "") -> list[str]:
    file = FileVersion("web.yaml", "id", "1.0.8", before=before)
    held = {("web.yaml", "1.0.7"): {f"{kind}/web" for kind in ("Deployment", "Job", "Service")} - {new}}
    files = [file, FileVersion("b.yaml", "id", "1")]
    notes = odd_notes(files, states, space="front-ends", held=lambda *of: held[of])
    return [note.render("en_US") for note in notes]


def test_what_is_missing_beside_objects_of_its_file_was_deleted_here() -> None:
    (note,) = told(state("Service", live(MARKS)), state("Deployment", None), before="1.0.7")
    assert note.startswith(
        "Not in the cluster, although their file was deployed here (version 1.0.7): Deploy"
    )
    assert "Somebody has deleted them" in note


def test_what_bcs_has_deployed_somewhere_is_not_said_to_have_been_here() -> None:
    (note,) = told(state("Deployment", None), before="1.0.7")
    assert "(version 1.0.7, here or elsewhere): Deployment/web" in note


@pytest.mark.parametrize("kind", ["Deployment", "Job"])
def test_what_the_version_before_did_not_hold_is_new_and_nobody_has_deleted_it(kind: str) -> None:
    states = [state("Service", live(MARKS)), state(kind, None)]
    assert told(*states, before="1.0.7") != []
    assert told(*states, before="1.0.7", new=f"{kind}/web") == []


def test_what_was_never_deployed_is_no_news() -> None:
    assert told(state("Deployment", None), state("Job", None)) == []
    assert told(state("Deployment", live(MARKS)), before="1.0.7") == []
    assert told(state("Deployment", live(OTHER_MARKS)), state("Service", None)) == []


@pytest.mark.parametrize(
    ("spec", "words"),
    [
        ({}, "look alike once they are deleted, so it runs again"),
        ({"ttlSecondsAfterFinished": 30}, "its ttlSecondsAfterFinished is 30, so the cluster removes it"),
    ],
)
def test_a_job_that_is_missing_runs_again_and_that_is_said(spec: Body, words: str) -> None:
    (note,) = told(state("Job", None, **spec), before="1.0.7")
    assert note.startswith("Job/web is not in the cluster")
    assert words in note


def test_an_object_that_another_controls_is_said_to_be_its() -> None:
    controls: Body = {"kind": "App", "name": "shop", "controller": True}
    (note,) = told(state("Deployment", live(MARKS, controls)))
    assert (
        note == "Deployment/web belongs to App/shop (ownerReferences), whose controller may change it back."
    )
    assert told(state("Deployment", live(MARKS, {"kind": "App", "name": "shop"}))) == []


@pytest.mark.parametrize(("kind", "moved"), [("Service", True), ("Job", True), ("Deployment", False)])
def test_what_another_file_of_the_run_has_made_is_told_where_it_may_not_be_replaced(
    *, kind: str, moved: bool
) -> None:
    others = LiveState("api.yaml", "Ingress", "api", {"kind": "Ingress"}, live(OTHER_MARKS))
    found = moved_objects([state(kind, live(OTHER_MARKS)), others], space="front-ends")
    assert found == ((("api.yaml", f"{kind}/web"),) if moved else ())
    assert moved_objects([state(kind, live(OTHER_MARKS))], space="front-ends") == ()


def test_what_is_live_as_another_folders_is_named_with_it() -> None:
    theirs: Body = {TEMPLATE_NAME: "theirs/x.yaml", TEMPLATE_VERSION: "1"}
    states = [
        state("Deployment", live(theirs)),
        state("Service", live(MARKS)),
        state("ConfigMap", live()),
        state("Job", None),
        LiveState("other.yaml", "Secret", "web", {"kind": "Secret"}, live(theirs)),
    ]
    files = [FileVersion("web.yaml", "id", "1.0.8")]
    (note,) = marked_elsewhere(files, states, space="front-ends")
    assert str(note) == (
        "Live as this run wants it, and marked as of theirs/x.yaml, whose pipeline may delete it: "
        "Deployment/web. redeploy takes it over."
    )
    assert [*marked_elsewhere(files, states[1:], space="front-ends")] == []


def test_the_marks_of_this_namespace_tell_more_than_what_was_deployed_last_anywhere() -> None:
    (note,) = told(state("Service", live(MARKS)), state("Deployment", None), before="0.9")
    assert "(version 1.0.7)" in note
