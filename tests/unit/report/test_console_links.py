"""The console's addresses, as docs/dev/facts/console.md has them."""

from __future__ import annotations

from dataclasses import replace
from urllib.parse import parse_qs, urlsplit

import pytest

from bcs_template_set.report.outcome import NO_CONSOLE, Console

CONSOLE = Console("https://bcs.example.com", "demo", "s1")
BELOW = "https://bcs.example.com/bcs/projects/demo"


def test_a_folder_a_file_and_a_version_have_their_pages() -> None:
    assert CONSOLE.space_url == f"{BELOW}/template/file/s1"
    assert CONSOLE.file_url("t1") == f"{BELOW}/template/file/s1/t1"
    assert CONSOLE.file_url("t1", "v1") == f"{BELOW}/template/file/s1/t1?versionID=v1"


COMMON = "&version=v1alpha1&isCommonCrd=true"


@pytest.mark.parametrize(
    ("kind", "end"),
    [
        ("Deployment", "deployments/namespaces/prod/web?kind=Deployment"),
        ("StatefulSet", "statefulsets/namespaces/prod/web?kind=StatefulSet"),
        ("DaemonSet", "daemonsets/namespaces/prod/web?kind=DaemonSet"),
        ("Job", "jobs/namespaces/prod/web?kind=Job"),
        ("CronJob", "cronjobs/namespaces/prod/web?kind=CronJob"),
        ("Pod", "pods/namespaces/prod/web?kind=Pod"),
        (
            "GameDeployment",
            "custom_objects/namespaces/prod/web?kind=GameDeployment&crd=gamedeployments.tkex.tencent.com",
        ),
        (
            "GameStatefulSet",
            "custom_objects/namespaces/prod/web?kind=GameStatefulSet&crd=gamestatefulsets.tkex.tencent.com",
        ),
        (
            "Rollout",
            f"custom_objects/namespaces/prod/web?kind=Rollout&crd=rollouts.argoproj.io{COMMON}",
        ),
    ],
)
def test_a_workload_and_a_pod_have_their_pages(kind: str, end: str) -> None:
    assert (
        CONSOLE.object_url("BCS-K8S-1", "prod", kind, "web") == f"{BELOW}/clusters/BCS-K8S-1/workloads/{end}"
    )


def test_a_path_of_the_console_of_its_own_is_taken_as_it_is() -> None:
    own = replace(CONSOLE, url="https://portal.example.com/kubernetes")
    assert own.space_url == "https://portal.example.com/kubernetes/projects/demo/template/file/s1"


@pytest.mark.parametrize("url", ["http://[warning]", "http://a:b@[", "x"])
def test_an_address_that_is_none_breaks_no_report(url: str) -> None:
    assert Console(url, "proj", "space").space_url == f"{url}/bcs/projects/proj/template/file/space"


def test_what_is_not_known_is_linked_nowhere() -> None:
    assert (NO_CONSOLE.url, NO_CONSOLE.project, NO_CONSOLE.space_id, NO_CONSOLE.space_url) == ("",) * 4
    assert Console(CONSOLE.url, CONSOLE.project).space_url == ""
    assert replace(CONSOLE, url="").file_url("t1") == ""
    assert replace(CONSOLE, space_id="").file_url("t1") == ""
    assert replace(CONSOLE, project="").space_url == ""
    assert CONSOLE.file_url("") == ""
    assert CONSOLE.object_url("BCS-K8S-1", "prod", "Gateway", "web") == ""


@pytest.mark.parametrize("text", ["a/../../b", "x?y=z&kind=Pod#f", "名", "\ud800", '"><script>'])
def test_no_name_leads_to_another_page(text: str) -> None:
    parts = urlsplit(CONSOLE.object_url(text, text, "Job", text))
    assert (parts.netloc, parts.fragment) == ("bcs.example.com", "")
    assert (
        parts.path.count("/")
        == len(["", "bcs", "projects", "p", "clusters", "c", "workloads", "jobs", "namespaces", "n", "n"]) - 1
    )
    assert parse_qs(parts.query) == {"kind": ["Job"]}
    assert parse_qs(urlsplit(CONSOLE.file_url("t1", text)).query).keys() == {"versionID"}
