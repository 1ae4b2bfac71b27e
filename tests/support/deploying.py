"""One site with a cluster, deployed to run after run: what the tests of `action: deploy` share."""

from __future__ import annotations

import json
import threading
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import yaml
from tests.emulator import Cluster, Match
from tests.emulator.cluster.tree import Manifest, branch, grow, items, number, text
from tests.emulator.exchanges import Exchange, asks_for_rights
from tests.support.publishing import SPACE, Ran, Site, open_site, site_after

CLUSTER, NAMESPACE = "BCS-K8S-40000", "prod"
DEPLOY = Match("POST", r"/template/deploy$")
ASK_RIGHT = Match("POST", r"/template/deploy\?of=nothing$")
"""A deployment of no version, which only asks for the right to deploy."""

PREVIEW = Match("POST", r"/template/preview$")
MARK = "io.tencent.paas.template_version"
FILE_MARK = "io.tencent.paas.template_name"


def image_of(name: str, tag: str = "1") -> str:
    return f"example.com/{name}:{tag}"


def workload(kind: str = "Deployment", name: str = "web", *, tag: str = "1", **spec: object) -> str:
    """Return a workload of one container; a Job's image ends well after a second."""
    labels = {"app": name}
    pod: Manifest = {"containers": [{"name": "main", "image": image_of(name, tag)}]}
    if kind == "Job":
        body: Manifest = {"template": {"spec": {**pod, "restartPolicy": "Never"}}}
    else:
        body = {
            "selector": {"matchLabels": labels},
            "template": {"metadata": {"labels": labels}, "spec": pod},
        }
    if kind == "StatefulSet":
        body["serviceName"] = name
    version = "batch/v1" if kind == "Job" else "apps/v1"
    manifest = {"apiVersion": version, "kind": kind, "metadata": {"name": name}, "spec": {**body, **spec}}
    return yaml.safe_dump(manifest, sort_keys=False)


def cron_job(name: str = "night", *, tag: str = "1", suspend: bool = False) -> str:
    """Return a CronJob as clusters up to Kubernetes 1.20 serve them."""
    pod = {"containers": [{"name": "main", "image": image_of(name, tag)}], "restartPolicy": "Never"}
    job = {"spec": {"template": {"spec": pod}}}
    body = {"schedule": "0 3 * * *", "jobTemplate": job, "suspend": suspend}
    version = "batch/v1beta1"
    manifest = {"apiVersion": version, "kind": "CronJob", "metadata": {"name": name}, "spec": body}
    return yaml.safe_dump(manifest, sort_keys=False)


def service(name: str = "web", *, node_port: int = 0, note: str = "1", port_name: str = "http") -> str:
    """Return a NodePort Service; another `note` makes it another document."""
    port = {"name": port_name, "port": 80, "protocol": "TCP", "targetPort": 80, "nodePort": node_port}
    metadata = {"name": name, "labels": {"note": note}}
    spec = {"type": "NodePort", "selector": {"app": name}, "ports": [port]}
    manifest = {"apiVersion": "v1", "kind": "Service", "metadata": metadata, "spec": spec}
    return yaml.safe_dump(manifest, sort_keys=False)


def autoscaler(kind: str = "Deployment", *, least: int = 2) -> str:
    """Return an HPA of the workload `web`."""
    target: Manifest = {"apiVersion": "apps/v1", "kind": kind, "name": "web"}
    spec: Manifest = {"minReplicas": least, "maxReplicas": 20, "scaleTargetRef": target}
    metadata: Manifest = {"name": "web", "namespace": NAMESPACE}
    return yaml.safe_dump(
        {
            "apiVersion": "autoscaling/v1",
            "kind": "HorizontalPodAutoscaler",
            "metadata": metadata,
            "spec": {**spec, "targetCPUUtilizationPercentage": 60},
        }
    )


def documents(*texts: str) -> str:
    return "---\n".join(texts)


@contextmanager
def cluster_site(**files: str) -> Iterator[Site]:
    """Yield a site whose project has a cluster with the namespace `prod`; its time is the made-up clock's.

    The cluster is of the release that refuses most (facts/bcs.md, trap 11); see `take_release`.
    """
    with open_site(**files) as site:
        site.emulator.state.add_cluster(CLUSTER, namespaces=(NAMESPACE,))
        yield site


@contextmanager
def deployed_site(**files: str) -> Iterator[Site]:
    """Yield such a site where build 7 has deployed the files, which went well."""
    with site_after(deploy_first, **files) as site:
        yield site


def deploy_first(site: Site) -> None:
    """Give a site its cluster, and deploy its files."""
    site.emulator.state.add_cluster(CLUSTER, namespaces=(NAMESPACE,))
    ran = deploy(site)
    assert ran.code == 0, ran.log


def take_release(site: Site, kubernetes: str) -> None:
    """Give the site's cluster an API server of that release, before anything is in it."""
    site.emulator.state.add_cluster(CLUSTER, namespaces=(NAMESPACE,), kubernetes=kubernetes)


def cluster_of(site: Site) -> Cluster:
    return site.emulator.cluster(CLUSTER)


def age(site: Site, *, builds: int = 5) -> None:
    """Give every file versions of earlier builds, days older, as if build 1 and so on had published them."""
    state, day = site.emulator.state, 24 * 3600
    for newest in list(state.versions):
        for build in range(1, builds + 1):
            old = replace(
                newest,
                id=state.new_id(),
                version=f"1.0.{build}-main",
                description=newest.description.replace("build=7", f"build={build}"),
                create_at=newest.create_at - (2 * builds - build) * day,
            )
            state.versions.append(old)


def deploy(site: Site, **inputs: str) -> Ran:
    return site.run(**{"action": "deploy", "cluster_id": CLUSTER, "namespace": NAMESPACE, **inputs})


def calls_of(ran: Ran, end: str = "/template/deploy") -> list[Exchange]:
    """Return the requests to a call; of `deploy` those that deploy something."""
    return calls_in(ran.exchanges, end)


def calls_in(exchanges: Iterable[Exchange], end: str = "/template/deploy") -> list[Exchange]:
    """Return those of the exchanges that are requests to a call, as `calls_of` does."""
    return [e for e in exchanges if e.path.endswith(end) and not asks_for_rights(e.request)]


def sent_files(site: Site, exchange: Exchange) -> list[str]:
    """Return the names of the files whose versions a deploy call names."""
    ids = json.loads(exchange.request.body)["templateVersions"]
    names = {version.id: version.file for version in site.emulator.state.find_versions(SPACE)}
    return sorted(names[version_id] for version_id in ids)


def live(site: Site, kind: str, name: str) -> Manifest:
    return cluster_of(site).get(kind, NAMESPACE, name)


def mark_of(site: Site, kind: str, name: str) -> str:
    """Return the template version an object is marked with, "" where there is none."""
    found = [o for o in cluster_of(site).find_all(kind, NAMESPACE) if text(o, "metadata", "name") == name]
    return text(branch(found[0], "metadata", "annotations"), MARK) if found else ""


def node_port(site: Site, name: str = "web") -> int:
    return number(items(live(site, "Service", name), "spec", "ports")[0], "nodePort")


def image_live(site: Site, kind: str, name: str) -> str:
    return text(items(live(site, kind, name), "spec", "template", "spec", "containers")[0], "image")


def rollout_files(ran: Ran) -> list[str]:
    """Return the files that the run says are deployed."""
    return [file.name for file in ran.outcome.rollout.deployed] if ran.outcome.rollout is not None else []


@contextmanager
def page(*texts: str) -> Iterator[str]:
    """Serve the texts one after the other, the last one for ever; yield the address."""
    left = list(texts)

    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            body = (left.pop(0) if len(left) > 1 else left[0]).encode()
            self.send_response(200)
            self.send_header("Content-Length", str(len(body)))
            self.end_headers()
            self.wfile.write(body)

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    try:
        yield f"http://127.0.0.1:{server.server_address[1]}/"
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


def let_a_rival_write(site: Site, name: str, *, kind: str = "", before: Match) -> None:
    """Have somebody write an object between BCS's read and its write, in the deployment that is named."""
    armed: list[bool] = []

    def write_in_between(of: str, written: str) -> None:
        if armed and written == name and of == (kind or of):
            armed.clear()
            found = cluster_of(site).get(of, NAMESPACE, written)
            grow(found, "metadata", "labels")["rival"] = "yes"
            cluster_of(site).put(found)

    cluster_of(site).before_write = write_in_between
    site.rival(lambda _: armed.append(True), before=before)
