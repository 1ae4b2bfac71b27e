"""What the API server gives a Service: its clusterIP and nodePorts, on create and on replace. No I/O.

facts/bcs.md trap 11. A server up to 1.22 (observed: 1.20.2) refuses a PUT without clusterIP and takes
`nodePort: 0` for "give me another one"; a newer one carries both over, by the ports' names
(pkg/registry/core/service/storage, patchAllocatedValues).
"""

from __future__ import annotations

from tests.emulator.cluster.tree import Manifest, branch, items, number, text
from tests.emulator.running_numbers import RunningNumbers

LOWEST, HIGHEST = 30000, 32767
CARRIED_SINCE = 23
_WITH_NODE_PORTS = ("NodePort", "LoadBalancer")
Owner = tuple[str, str]


class ServiceAllocator:
    """Who holds which nodePort; `assign` fills a document in."""

    def __init__(self, *, first: int = 31000) -> None:
        self._next_port = RunningNumbers(first)
        self._next_ip = RunningNumbers(10)
        self._held: dict[int, Owner] = {}

    def refuse(self, manifest: Manifest, *, old: Manifest, minor: int) -> list[str]:
        """Return what may not be stored; `old` is empty on create."""
        causes = []
        old_ip, new_ip = text(old, "spec", "clusterIP"), text(manifest, "spec", "clusterIP")
        if (
            old_ip
            and not new_ip
            and minor < CARRIED_SINCE
            and text(manifest, "spec", "type") != "ExternalName"
        ):
            causes.append(
                "spec.clusterIPs[0]: Invalid value: []string(nil): primary clusterIP can not be unset"
            )
        elif old_ip and new_ip and old_ip != new_ip:
            causes.append(f'spec.clusterIP: Invalid value: "{new_ip}": field is immutable')
        if not items(manifest, "spec", "ports") and new_ip != "None":
            causes.append("spec.ports: Required value")
        return causes + self._refuse_ports(manifest)

    def _refuse_ports(self, manifest: Manifest) -> list[str]:
        causes = []
        for index, port in enumerate(items(manifest, "spec", "ports")):
            wanted = number(port, "nodePort")
            where = f"spec.ports[{index}].nodePort: Invalid value: {wanted}"
            if wanted and not LOWEST <= wanted <= HIGHEST:
                causes.append(
                    f"{where}: provided port is not in the valid range. The range of valid ports is "
                    f"{LOWEST}-{HIGHEST}"
                )
            elif wanted and self._held.get(wanted, owner_of(manifest)) != owner_of(manifest):
                causes.append(f"{where}: provided port is already allocated")
        return causes

    def assign(self, manifest: Manifest, *, old: Manifest, minor: int, dry_run: bool) -> None:
        """Fill clusterIP and nodePorts into an accepted document; a dry run holds nothing."""
        spec = branch(manifest, "spec")
        if minor >= CARRIED_SINCE:
            _carry_over(spec, branch(old, "spec"))
        if spec.get("type") != "ExternalName" and not spec.get("clusterIP"):
            spec["clusterIP"] = f"10.96.0.{next(self._next_ip)}"
        if spec.get("clusterIP"):
            spec["clusterIPs"] = [spec["clusterIP"]]
        if spec.get("type") in _WITH_NODE_PORTS:
            for port in items(spec, "ports"):
                port["nodePort"] = number(port, "nodePort") or self._free_port()
        if not dry_run:
            self._hold(manifest)

    def release(self, manifest: Manifest) -> None:
        """Give back what a deleted Service held."""
        owner = owner_of(manifest)
        self._held = {port: holder for port, holder in self._held.items() if holder != owner}

    def _hold(self, manifest: Manifest) -> None:
        self.release(manifest)
        for port in items(manifest, "spec", "ports"):
            if number(port, "nodePort"):
                self._held[number(port, "nodePort")] = owner_of(manifest)

    def _free_port(self) -> int:
        return next(port for port in self._next_port if port not in self._held)


def owner_of(manifest: Manifest) -> Owner:
    """Return the Service's namespace and name."""
    return text(manifest, "metadata", "namespace"), text(manifest, "metadata", "name")


def _carry_over(new: Manifest, old: Manifest) -> None:
    if old.get("clusterIP") and not new.get("clusterIP") and new.get("type") != "ExternalName":
        new["clusterIP"] = old["clusterIP"]
    if old.get("type") in _WITH_NODE_PORTS and new.get("type") in _WITH_NODE_PORTS:
        known = {text(port, "name"): number(port, "nodePort") for port in items(old, "ports")}
        for port in items(new, "ports"):
            if not number(port, "nodePort") and known.get(text(port, "name")):
                port["nodePort"] = known[text(port, "name")]
