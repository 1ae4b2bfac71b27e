"""The tokens that service accounts had before Kubernetes 1.24: a Secret each. Performs no I/O.

pkg/controller/serviceaccount/tokens_controller.go: an account that names no token gets one; so one that is
replaced whole, by a document without `secrets`, gets another each time (seen live, facts/bcs.md trap 11).
"""

from __future__ import annotations

import base64

from tests.emulator.cluster.tree import Manifest, text
from tests.emulator.cluster.world import World

KIND = "ServiceAccount"
TOKENLESS_SINCE = 24
_OWNER = "kubernetes.io/service-account.uid"
_TYPE = "kubernetes.io/service-account-token"


def give_tokens(world: World) -> None:
    """Give every account without a token one; take those away whose account is gone."""
    if world.api.minor >= TOKENLESS_SINCE:
        return
    living = {text(stored, "metadata", "uid") for stored in world.api.objects.values()}
    for key, stored in list(world.api.objects.items()):
        if text(stored, "type") == _TYPE and text(stored, "metadata", "annotations", _OWNER) not in living:
            del world.api.objects[key]
    for key, stored in list(world.api.objects.items()):
        if key[0] == KIND and not stored.get("secrets"):
            name = f"{key[2]}-token-{world.suffix()}"
            world.api.write(("Secret", key[1], name), _token(stored, name))
            stored["secrets"] = [{"name": name}]


def _token(account: Manifest, name: str) -> Manifest:
    namespace = text(account, "metadata", "namespace")
    owner = {
        "kubernetes.io/service-account.name": text(account, "metadata", "name"),
        _OWNER: text(account, "metadata", "uid"),
    }
    values = {"namespace": namespace, "token": f"token-of-{name}"}
    return {
        "apiVersion": "v1",
        "kind": "Secret",
        "metadata": {"name": name, "namespace": namespace, "annotations": owner},
        "data": {key: base64.b64encode(value.encode()).decode() for key, value in values.items()},
        "type": _TYPE,
    }
