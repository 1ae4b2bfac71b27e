"""Replays a recording against the emulator in its dialect, and tells what differs.

The world is that of the recording: project `demo` with ann and bob, a cluster of its own with the namespaces
`apps` and `default` on one node, and a shared cluster of somebody else's. Time is the replay's own.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import quote

from tests.contract.shapes import Names, differences
from tests.emulator import Behaviour, Dialect, Emulator
from tests.emulator.permission_centre import ACTIONS
from tests.support.plain_client import PlainClient, Reply, authorization
from tests.support.recordings import Asked, Done, Json, read

PROJECT_ID = "0123456789abcdef0123456789abcdef"
OWN, SHARED = "BCS-K8S-40000", "BCS-K8S-15000"
STEP = 0.3
"""How much time passes with every exchange: a controller of the recording's cluster acts within less."""
_NAME = re.compile(r"\$([A-Z0-9]+)\b")
_APP = {"bk_app_code": "an_app", "bk_app_secret": "a-canary-secret"}

_AUTOSCALED = "an autoscaler of the recorded cluster, 3 of 2 wanted, may have acted by now, or may not"
NOT_REPLAYED: Mapping[str, str] = {
    r"GET /clusterresources/v1/ping$": "a probe of the platform's own, which no caller sends",
    r"/invalidate_discovery_cache$": "a call of the platform's administrators, which needs their token",
    r"GET .*/configs/secrets$": "what is recorded of `manifestExt` is of a Secret that was left out",
    r"#494 GET .*/workloads/pods": _AUTOSCALED,
    r"v1.30.4 #(488|489|490) GET .*/workloads/": _AUTOSCALED,
    r"multitenant #261 GET .*/namespaces$": "the cluster had a namespace nsx before, which was left out here",
}
"""What can't be replayed, by a pattern over recording, number, method and path, and why."""


@dataclass(frozen=True)
class Found:
    """What differs in one exchange."""

    asked: Asked
    what: list[str]

    def __str__(self) -> str:
        return "\n    ".join([str(self.asked), *self.what])


class Clock:
    """The replay's time."""

    def __init__(self) -> None:
        self.now = 1_790_000_000.0

    def __call__(self) -> float:
        """Return the present."""
        return self.now


class Replay:
    """One recording under way in a running emulator."""

    def __init__(self, emulator: Emulator, clock: Clock) -> None:
        self._emulator, self._clock = emulator, clock
        self._kept: dict[str, str] = {}
        self._names = Names()
        build_world(emulator)
        self._straight = PlainClient(f"{emulator.root}/bcsapi/v4")
        self._nobody = PlainClient(emulator.url + emulator.rules.path_prefix)

    def close(self) -> None:
        """Close the connections."""
        self._straight.close()
        self._nobody.close()

    def do(self, done: Done) -> None:
        """Do to the world what was done to the recorded one."""
        for word, what in done.what.items():
            _DOERS[word](self, what)

    def ask(self, asked: Asked) -> list[str]:
        """Send one request and return what differs in its answer."""
        self._clock.now += STEP
        reply = self._send(asked)
        ours = body_of(reply)
        self._keep(asked, ours)
        if reply.status != asked.status:
            return [f"HTTP {reply.status} {ours!r}, recorded {asked.status} {asked.answer!r}"]
        return list(differences(asked.answer, ours, names=self._names))

    def _send(self, asked: Asked) -> Reply:
        path = quote(self._filled(asked.path), safe="/") + (f"?{asked.query}" if asked.query else "")
        body = self._filled_in(asked.body)
        raw = body.encode() if isinstance(body, str) else None
        client, headers = self._as(asked.user)
        headers["X-Request-Id"] = "rid-1"
        return client.send(asked.method, path, None if raw else body, headers=headers, raw=raw)

    def _as(self, user: Json) -> tuple[PlainClient, dict[str, str]]:
        if user == "":
            return self._nobody, authorization(**_APP)
        if isinstance(user, dict):
            named = user["named"]
            headers = {"Authorization": "Bearer a-client-canary"}
            return self._straight, headers if named is None else {**headers, "X-Bcs-Username": str(named)}
        return self._straight, {"Authorization": f"Bearer {user}-canary-token"}

    def _filled(self, text: str) -> str:
        return _NAME.sub(lambda match: self._kept.get(match.group(1), match.group()), text)

    def _filled_in(self, body: Json) -> Json:
        if isinstance(body, dict):
            return {key: self._filled_in(value) for key, value in body.items()}
        if isinstance(body, list):
            return [self._filled_in(item) for item in body]
        return self._filled(body) if isinstance(body, str) else body

    def _keep(self, asked: Asked, ours: Json) -> None:
        for name, path in asked.keep.items():
            found = ours
            for part in path.split("."):
                found = found.get(part) if isinstance(found, dict) else None
            self._kept[name] = str(found)

    # --- what is done to the world ----------------------------------------------------------------------

    def _deny(self, what: Json) -> None:
        assert isinstance(what, dict)
        for project in self._emulator.state.projects:
            project.denied = {
                (user, str(action))
                for user, actions in what.items()
                for action in (actions if isinstance(actions, list) else ACTIONS)
            }

    def _refuse(self, what: Json) -> None:
        assert isinstance(what, dict)
        for cluster in self._emulator.state.clusters.values():
            cluster.refuses = {pattern: status for pattern, status in what.items() if isinstance(status, int)}

    def _behave(self, what: Json) -> None:
        assert isinstance(what, list)
        cluster = self._emulator.cluster(OWN)
        for image in list(cluster.images):
            cluster.heal(image)
        for row in what:
            assert isinstance(row, list)
            image, how, _, _, message = map(str, row)
            assert how == "ImagePullBackOff", row
            cluster.images[image] = Behaviour(kind="not-found", after=0.0, message=message)

    def _change(self, what: Json) -> None:
        assert isinstance(what, dict)
        manifest = what["object"]
        assert isinstance(manifest, dict)
        for cluster in self._emulator.state.clusters.values():
            cluster.put({**_KINDS[str(what["path"])], **manifest})

    def _pass(self, what: Json) -> None:
        assert isinstance(what, int)
        self._clock.now += what


_DOERS = {
    "deny": Replay._deny,
    "api_server_refuses": Replay._refuse,
    "pods": Replay._behave,
    "cluster": Replay._change,
    "seconds_pass": Replay._pass,
}
_KINDS: Mapping[str, dict[str, object]] = {
    "/api/v1/namespaces": {"apiVersion": "v1", "kind": "Namespace"},
    "/apis/apiextensions.k8s.io/v1/customresourcedefinitions": {
        "apiVersion": "apiextensions.k8s.io/v1",
        "kind": "CustomResourceDefinition",
    },
}


def replay(dialect: Dialect) -> Iterator[Found]:
    """Replay a dialect's recording; yield every exchange that differs."""
    clock = Clock()
    with Emulator(dialect=dialect, now=clock) as emulator:
        emulator.state.stamped_version = ""
        under_way = Replay(emulator, clock)
        if dialect is Dialect.MULTI_TENANT:
            emulator.cluster(OWN).add_namespace("nsx")  # the recorded cluster had it before
        for line in read(dialect):
            if isinstance(line, Done):
                under_way.do(line)
                continue
            what = under_way.ask(line)
            if what and not is_excepted(line, dialect):
                yield Found(line, what)
        under_way.close()
        assert not emulator.defects, emulator.defects[0]


def summarise(found: Iterable[Found]) -> str:
    """Return all differences by family, the largest first: a family is a call, whatever it was asked of."""
    families: dict[str, list[Found]] = {}
    for difference in found:
        families.setdefault(_family(difference.asked), []).append(difference)
    lines = []
    for name, members in sorted(families.items(), key=lambda pair: -len(pair[1])):
        lines += [f"{len(members)} of {name}", *map(str, members)]
    return "\n".join(lines)


def _family(asked: Asked) -> str:
    return f"{asked.method} {_NAME.sub('…', asked.path)}"


def is_excepted(asked: Asked, dialect: Dialect) -> bool:
    """Tell whether the exchange is one of those that can't be replayed."""
    shown = f"{dialect.value} #{asked.number} {asked.method} {asked.path}"
    return any(re.search(pattern, shown) for pattern in NOT_REPLAYED)


def build_world(emulator: Emulator) -> None:
    """Build the recorded world: people, project, clusters."""
    state = emulator.state
    state.add_project("demo", project_id=PROJECT_ID, viewers={"ann", "bob"})
    state.add_project("owner-of-shared", viewers=set())
    state.add_app(_APP["bk_app_code"], _APP["bk_app_secret"])
    state.add_bcs_token("a-client-canary", user="", client=True)
    for user in ("ann", "bob"):
        state.add_bcs_token(f"{user}-canary-token", user=user)
    own = state.add_cluster(OWN, project="demo", namespaces=("apps", "default"), kubernetes="1.20")
    own.nodes[:] = ["node-1"]
    state.add_cluster(SHARED, project="owner-of-shared", shared=True, kubernetes="1.20")
    state.set_namespace_variable("NAME", "from-bcs", project="demo")


def body_of(reply: Reply) -> Json:
    """Return what was answered: decoded, or text where it is called that. Raises ValueError."""
    text = reply.body.decode()
    if reply.headers.get("Content-Type", "").startswith("text/plain"):
        return text
    found: Json = json.loads(text)
    return found
