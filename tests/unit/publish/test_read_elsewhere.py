"""What other namespaces run of files that may go: who runs one is named, and who is unseen stops all."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Optional, Union, cast

import pytest
from tests.support.planned import SPACE, A, ingress, version_of
from tests.unit.bcs.space.test_read_space import row

from bcs_template_set.bcs.answers import ClusterNamespaces, Environment
from bcs_template_set.bcs.calls import Read, T
from bcs_template_set.bcs.deploy_calls import NamespaceRef
from bcs_template_set.bcs.dialect import Site
from bcs_template_set.bcs.marks import Mark
from bcs_template_set.bcs.space.live_objects import LiveRow
from bcs_template_set.manifests.kinds import CONFIG_MAP, DEPLOYMENT
from bcs_template_set.messages.server_errors import AnswerUnreadable, BcsFailed
from bcs_template_set.messages.step_error import StepError
from bcs_template_set.publish.orphans import FolderFile
from bcs_template_set.publish.read_elsewhere import kinds_in, read_everywhere, read_runners
from bcs_template_set.publish.read_orphans import Looking

HERE = NamespaceRef("web", "a" * 32, "K-1", "web")
REFUSED = BcsFailed(bcs_code=1, message="mongo is away")
NEITHER = "apiVersion: v1\nkind: Nothing\nmetadata: {name: x}\n"


class Clusters:
    """Answers what its namespaces hold, by cluster and namespace; keeps which lists it was asked for."""

    most_at_once = 1

    def __init__(
        self,
        *names: str,
        environments: Sequence[tuple[str, Sequence[str]]] = (),
        live: Optional[Mapping[tuple[str, str], Union[StepError, Sequence[LiveRow]]]] = None,
    ) -> None:
        self.site = Site()
        self.lists: set[tuple[str, str, str]] = set()
        self._names, self._live = names, live or {}
        groups = [ClusterNamespaces(cluster, tuple(of_cluster)) for cluster, of_cluster in environments]
        self._environments = [Environment(tuple(groups))]

    def read(self, call: Read[T]) -> T:
        named: dict[str, object] = {"list namespaces": self._names, "list environments": self._environments}
        if call.name not in named:
            at = call.segments.index("clusters")
            cluster, namespace = call.segments[at + 1], call.segments[at + 3]
            self.lists.add((cluster, namespace, call.name))
            found = self._live.get((cluster, namespace), ())
            if isinstance(found, StepError):
                raise found
            named[call.name] = tuple(one for one in found if f"list {one.kind.name}" == call.name)
        return cast("T", named[call.name])


def live(file: str, *, name: str = "web") -> LiveRow:
    return LiveRow(DEPLOYMENT, name, "web", name, Mark(file, "1.0.6-main"), {})


def file(name: str, *, deployed: bool = True) -> FolderFile:
    listed = row(1, name=name).replaced(latest_deploy_version="1.0.6-main" if deployed else "")
    return FolderFile(listed, (version_of(f"{A}---\n{NEITHER}"),))


def runners(clusters: Clusters, *files: FolderFile) -> dict[str, str]:
    found = read_runners(Looking(clusters, HERE, SPACE), files)
    return {name: str(text) for name, text in found.items()}


def test_of_a_version_the_kinds_with_a_list_tell_whether_it_is_live_and_all_others_do_not() -> None:
    assert kinds_in(version_of(A)) == {DEPLOYMENT}
    assert kinds_in(version_of(f"{A}---\n{NEITHER}")) == {DEPLOYMENT, None}
    assert kinds_in(version_of(ingress("h", "/"))) != {None}
    assert kinds_in(version_of(NEITHER.replace("Nothing", "PodTemplate"))) == {None}, "BCS lists none"
    assert kinds_in(version_of("a: [")) == frozenset()


def test_the_namespaces_of_the_cluster_and_of_the_environments_are_read_each_once() -> None:
    clusters = Clusters("shop", "web", environments=[("K-1", ["web"]), ("K-2", ["web", "test"])])
    found = read_everywhere(clusters, HERE, kinds={DEPLOYMENT})
    places = {("K-1", "shop"), ("K-1", "web"), ("K-2", "web"), ("K-2", "test")}
    assert {(place.cluster_id, place.namespace) for place in found} == places
    assert {(place.project, place.project_id) for place in found} == {(HERE.project, HERE.project_id)}
    kinds = (DEPLOYMENT, CONFIG_MAP)
    assert clusters.lists == {(*place, f"list {kind.name}") for place in places for kind in kinds}


def test_a_list_that_lacks_the_namespace_of_the_run_is_not_the_truth() -> None:
    with pytest.raises(AnswerUnreadable) as caught:
        read_everywhere(Clusters("shop"), HERE, kinds=())
    assert (caught.value.url, str(caught.value.problem)) == ("web", "The lists lack web, which is there.")


def test_a_file_that_another_namespace_runs_stays_and_names_it() -> None:
    held = {
        ("K-1", "web"): [live("front-ends/here.yaml")],
        ("K-2", "test"): [
            *(live("front-ends/there.yaml"), live("other/elsewhere.yaml"), live("front-ends/kept.yaml")),
            live("front-ends/new.yaml"),
        ],
    }
    clusters = Clusters("web", environments=[("K-2", ["test"])], live=held)
    files = [file(name) for name in ("here.yaml", "there.yaml", "elsewhere.yaml")]
    assert runners(clusters, *files, file("new.yaml", deployed=False)) == {
        "there.yaml": "Namespace test of cluster K-2 runs it."
    }


def test_where_not_all_can_be_seen_every_file_that_was_deployed_stays() -> None:
    clusters = Clusters("web", environments=[("K-2", ["test"])], live={("K-2", "test"): REFUSED})
    found = runners(clusters, file("a.yaml"), file("b.yaml"), file("new.yaml", deployed=False))
    assert [*found] == ["a.yaml", "b.yaml"]
    assert found["a.yaml"].startswith("Not everything could be seen: ")


def test_for_files_that_were_never_deployed_nobody_is_asked() -> None:
    clusters = Clusters("web")
    assert runners(clusters, file("a.yaml", deployed=False)) == {}
    assert clusters.lists == set()
