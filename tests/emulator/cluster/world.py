"""What controllers share: the objects, the pods, the nodes, and the moment. Performs no I/O."""

from __future__ import annotations

import hashlib
import json
import uuid
from dataclasses import dataclass, field
from typing import Optional

from tests.emulator.cluster.admission import Admission
from tests.emulator.cluster.api_server import ApiServer, Key
from tests.emulator.cluster.behaviour import FOREVER, Behaviour, Rules, default_behaviour
from tests.emulator.cluster.pods import Owner, Pod
from tests.emulator.cluster.tree import Manifest, branch, copied, items, number, text
from tests.emulator.running_numbers import RunningNumbers

_LETTERS = "bcdfghjklmnpqrstvwxz2456789"


class World:
    """The running part of a cluster. `now` is the simulated moment, moved by the cluster only."""

    def __init__(self, *, now: float, minor: int) -> None:
        self.now = now
        self.api = ApiServer(now=self._moment, minor=minor)
        self.pods: dict[str, Pod] = {}
        self.images: dict[str, Behaviour] = {}
        self.hooks: dict[str, tuple[str, str]] = {}
        self.operators: set[str] = set()
        self.load: dict[tuple[str, str], int] = {}
        self.nodes = ["node-1", "node-2"]
        self.lag = 0.2
        self.terse = False
        self.admission = Admission()
        self._numbers = RunningNumbers(1)

    def _moment(self) -> float:
        return self.now

    def behaviour_of(self, image: str) -> Behaviour:
        """Return how an image behaves: as a test set it, else as it usually does."""
        return self.images.get(image) or default_behaviour(image)

    def pods_of(self, root: str) -> list[Pod]:
        """Return the pods of a workload by its uid, those being deleted included."""
        return [pod for pod in self.pods.values() if pod.root == root]

    def refusal_of(self, pod: Pod) -> str:
        """Return why the API server does not take a pod that a controller makes, "" where it does."""
        used = sum(other.namespace == pod.namespace for other in self.pods.values())
        return self.admission.refusal(pod, self.api, used=used)

    def start_pod(self, pod: Pod) -> Pod:
        """Start a pod on the next node."""
        number_of_pod = next(self._numbers)
        pod.node = pod.node or self.nodes[number_of_pod % len(self.nodes)]
        pod.address = f"172.16.{number_of_pod // 250}.{number_of_pod % 250 + 1}"
        pod.resource_version = self.api.new_version()
        pod.look(self.now)
        self.pods[pod.uid] = pod
        return pod

    def new_pod(
        self,
        workload: Manifest,
        *,
        name: str,
        template: Manifest,
        owner: Optional[Owner],
        revision: str = "",
        ends: bool = False,
    ) -> Pod:
        """Return a pod of a workload, made by that template; it is not started yet."""
        containers = items(template, "spec", "containers")
        restarts = text(template, "spec", "restartPolicy") != "Never"
        return Pod(
            name=name,
            namespace=text(workload, "metadata", "namespace"),
            uid=str(uuid.uuid4()),
            root=text(workload, "metadata", "uid"),
            template=copied(template),
            created=self.now,
            behaviours=[self.behaviour_of(text(container, "image")) for container in containers],
            revision=revision,
            owner=owner,
            rules=Rules(ends=ends, restarts=restarts, terse=self.terse),
        )

    def stop_pod(self, pod: Pod) -> None:
        """Begin to delete a pod."""
        if pod.deleted is None:
            pod.deleted = self.now
            pod.resource_version = self.api.new_version()

    def suffix(self) -> str:
        """Return five letters that no pod has yet."""
        return encode(next(self._numbers) * 104729, length=5)

    def sweep(self) -> None:
        """Look at every pod; drop those whose deletion is over."""
        for uid, pod in list(self.pods.items()):
            if self.now >= pod.gone_at:
                del self.pods[uid]
            else:
                pod.look(self.now)


def encode(value: int, *, length: int) -> str:
    """Return the number in the letters that Kubernetes uses for names."""
    found = ""
    for _ in range(length):
        value, rest = divmod(value, len(_LETTERS))
        found += _LETTERS[rest]
    return found


def revision_of(template: Manifest) -> str:
    """Return the hash of a pod template."""
    digest = hashlib.sha256(json.dumps(template, sort_keys=True).encode()).hexdigest()
    return encode(int(digest, 16), length=10)


@dataclass
class Track:
    """What a controller knows of one workload: the generation it has seen, and the object as it was then."""

    key: Key
    uid: str
    latest: int = 0
    due: float = FOREVER
    observed: int = 0
    workload: Manifest = field(default_factory=dict)

    @property
    def spec(self) -> Manifest:
        """Return the workload's spec as the controller saw it."""
        return branch(self.workload, "spec")

    @property
    def template(self) -> Manifest:
        """Return the pod template as the controller saw it."""
        return branch(self.workload, "spec", "template")

    @property
    def name(self) -> str:
        """Return the workload's name."""
        return self.key[2]

    def notice(self, stored: Manifest, *, now: float, lag: float) -> bool:
        """Take a new generation in once `lag` has passed; tell whether this just happened."""
        generation = number(stored, "metadata", "generation", default=1)  # a Job has none
        if generation != self.latest:
            self.latest, self.due = generation, now + lag
        if now < self.due or self.observed == generation:
            return False
        self.observed, self.due, self.workload = generation, FOREVER, copied(stored)
        return True


def scaled(value: object, *, of: int, up: bool) -> int:
    """Return an absolute number or a percentage of `of`, rounded up or down."""
    if isinstance(value, str) and value.endswith("%"):
        share = int(value[:-1]) * of
        return -(-share // 100) if up else share // 100
    return value if isinstance(value, int) else 0
