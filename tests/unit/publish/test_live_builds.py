"""Which builds the revisions of Deployments show as never having been live."""

from __future__ import annotations

from dataclasses import replace

from tests.support.deploying import workload
from tests.support.planned import OURS, existing_file
from tests.support.publishing import config

from bcs_template_set.bcs.answers import TemplateVersion
from bcs_template_set.bcs.marks import Mark
from bcs_template_set.bcs.space.existing import PastFile, ref_of
from bcs_template_set.publish.past_states import Pods, alike_in, history_of_line, never_live


def past_file(name: str, *texts: str) -> PastFile:
    """Return a file of which each build from 57 on has published one of these texts."""
    versions = tuple(
        TemplateVersion(
            id=f"{build:024x}",
            version=f"1.0.{build}",
            content=text,
            description=replace(OURS, build=build).line(text),
            create_at=build,
        )
        for build, text in enumerate(texts, 57)
    )
    return PastFile(existing_file(name, versions[-1]).metadata, versions)


def asked_of(build: int, **files: PastFile) -> list[Pods]:
    """Return the pods that it takes to say of a build whether it ever was live."""
    by_name = {file.row.real_name: file for file in files.values()}
    known = history_of_line({name: map(ref_of, file.versions) for name, file in by_name.items()}, OURS)
    asked: list[Pods] = []

    def never_was(pods: Pods) -> bool:
        asked.append(pods)
        return True

    is_never = never_live(known, by_name, space="front-ends", never_was=never_was)(build)
    assert is_never == bool(asked)
    return asked


def test_versions_of_one_pod_template_stand_for_each_other() -> None:
    web = past_file("web.yaml", workload(tag="1"), workload(tag="2"), workload(tag="2", replicas=3))
    (pods,) = asked_of(59, web=web)
    assert pods == Pods(
        "web", frozenset({Mark("front-ends/web.yaml", "1.0.58"), Mark("front-ends/web.yaml", "1.0.59")}), 10
    )
    (pods,) = asked_of(57, web=web)
    assert pods.marks == {Mark("front-ends/web.yaml", "1.0.57")}


def test_a_build_that_published_no_deployment_is_never_passed_over() -> None:
    conf = past_file("conf.yaml", config("conf", "1"), config("conf", "2"))
    assert asked_of(58, conf=conf) == []


def test_how_far_a_history_goes_back_is_the_manifests_word() -> None:
    web = past_file("web.yaml", workload(revisionHistoryLimit=2), workload(revisionHistoryLimit="x"))
    assert [pods.limit for build in (57, 58) for pods in asked_of(build, web=web)] == [2, 10]


def test_two_versions_are_alike_whose_objects_are_the_same_however_they_are_written() -> None:
    texts = (config("conf", "1"), "# why\n" + config("conf", "1"), config("conf", "2"), "{", "{")
    file = past_file("conf.yaml", *texts)
    refs = [ref_of(version) for version in file.versions]
    is_alike = alike_in({"conf.yaml": file})
    pairs = [is_alike("conf.yaml", new, old) for old, new in zip(refs, refs[1:])]
    assert pairs == [True, False, False, True]
