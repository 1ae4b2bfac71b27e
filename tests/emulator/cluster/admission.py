"""What the API server says to a controller that makes a pod. Performs no I/O.

Kubernetes plugin/pkg/admission/{resourcequota,serviceaccount}, apiserver pkg/admission/plugin/webhook/errors:
sentences read in 1.20 to 1.34. The ServiceAccount is looked up before a name is made, the quota after.
"""

from __future__ import annotations

from dataclasses import dataclass, field

from tests.emulator.cluster.api_server import ApiServer
from tests.emulator.cluster.pods import Pod
from tests.emulator.cluster.tree import text


@dataclass
class Admission:
    """Refuses pods: `quotas` are the most pods of a namespace, `rule` is what a webhook says to every pod."""

    quotas: dict[str, int] = field(default_factory=dict)
    rule: str = ""

    def refusal(self, pod: Pod, api: ApiServer, *, used: int) -> str:
        """Return why the pod is refused, "" where it is not; `used` are the pods of its namespace."""
        prefix = pod.name[: pod.name.rindex("-") + 1]
        account = text(pod.template, "spec", "serviceAccountName") or "default"
        if account != "default" and ("ServiceAccount", pod.namespace, account) not in api.objects:
            return (
                f'pods "{prefix}" is forbidden: error looking up service account '
                f'{pod.namespace}/{account}: serviceaccount "{account}" not found'
            )
        if self.rule:
            return f'admission webhook "validation.example.com" denied the request: {self.rule}'
        most = self.quotas.get(pod.namespace)
        if most is not None and used >= most:
            counts = f"requested: pods=1, used: pods={used}, limited: pods={most}"
            return f'pods "{pod.name}" is forbidden: exceeded quota: team, {counts}'
        return ""
