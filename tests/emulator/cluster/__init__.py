"""A small Kubernetes cluster behind the emulated BCS: an API server, controllers, and pods in time."""

from tests.emulator.cluster.behaviour import Behaviour
from tests.emulator.cluster.cluster import REFUSING, Cluster

__all__ = ["REFUSING", "Behaviour", "Cluster"]
