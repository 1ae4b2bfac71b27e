"""What is known of an object, and of a file, by itself."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bcs_template_set.manifests.parse import parse_documents
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.rollout.live_state import FileVersion, LiveState, objects_in


def test_of_a_file_nothing_is_known_that_is_not_told() -> None:
    file = FileVersion("web.yaml", "id", "1.0.7")
    assert (file.told, file.before, file.live_as, file.objects) == ("1.0.7", "", None, ("",))
    assert (file.rewritten, file.sets_pods, file.reused) == (False, False, False)


@pytest.mark.parametrize(
    ("group", "kind", "spec", "known", "watched", "pods"),
    [
        ("apps/v1", "Deployment", {}, True, True, True),
        ("v1", "ConfigMap", {}, True, False, False),
        ("example.com/v1", "Deployment", {}, False, False, False),
        (
            "example.com/v1",
            "Ox",
            {"template": {"spec": {"containers": [{"name": "ox"}]}}},
            False,
            False,
            True,
        ),
    ],
)
def test_what_is_known_of_an_object_is_known_by_its_kind(
    group: str, kind: str, spec: dict[str, YamlValue], *, known: bool, watched: bool, pods: bool
) -> None:
    found = LiveState("web.yaml", kind, "web", {"apiVersion": group, "kind": kind, "spec": spec}, None)
    assert (found.known_kind is not None, found.watched_kind is not None, found.makes_pods) == (
        known,
        watched,
        pods,
    )


def test_what_was_read_beside_the_preview_makes_no_other_state() -> None:
    state = LiveState("web.yaml", "ConfigMap", "c", {}, None)
    assert (state.title, state) == ("ConfigMap/c", replace(state, whole={"a": 1}))


def test_the_objects_of_a_text_are_its_documents_that_have_a_kind() -> None:
    text = "kind: ConfigMap\nmetadata: {name: c}\n---\na: 1\n"
    assert objects_in(parse_documents(text, source="x")) == ("ConfigMap/c",)
    assert objects_in(None) == ()
