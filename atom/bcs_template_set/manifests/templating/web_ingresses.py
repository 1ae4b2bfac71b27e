"""What the Ingresses of a domain of `builtin:web` serve, as its template writes it. Pure: no I/O."""

from __future__ import annotations

from typing import NamedTuple

from bcs_template_set.manifests.branch_paths import Claim, Served, ServedPath, claims_json
from bcs_template_set.manifests.naming import DomainNames
from bcs_template_set.manifests.templating.web_values import Domain, Web


class WebIngress(NamedTuple):
    """The Ingress of a load balancer; `claims` is the annotation that says which branch has which path."""

    name: str
    load_balancer: str
    paths: tuple[ServedPath, ...]
    claims: str


def ingresses_of(web: Web, domain: Domain, *, served: Served) -> tuple[WebIngress, ...]:
    """Return an Ingress for each load balancer, with the paths that are to be served there."""
    names = DomainNames(app=web.app, host=domain.host)
    return tuple(
        _ingress(names.ingress(index), load_balancer, served)
        for index, load_balancer in enumerate(domain.load_balancers)
    )


def own_paths(web: Web, domain: Domain, *, claim: Claim) -> Served:
    """Return what every Ingress of a domain serves where no other branch has a path yet."""
    names = DomainNames(app=web.app, host=domain.host)
    paths = {claim.path: claim} if domain.branch_paths else dict.fromkeys(domain.paths)
    served = tuple(
        ServedPath(path, "Prefix", names.service, domain.port, claimed) for path, claimed in paths.items()
    )
    return {names.ingress(index): served for index in range(len(domain.load_balancers))}


def _ingress(name: str, load_balancer: str, served: Served) -> WebIngress:
    paths = served[name]
    claims = claims_json(path.claim for path in paths if path.claim is not None)
    return WebIngress(name, load_balancer, paths, claims)
