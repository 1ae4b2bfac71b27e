"""A region: where a BCS is, how to reach it, and the apps it may be called with. Performs no I/O."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from typing import Literal, Optional
from urllib.parse import urlsplit

from bcs_template_set.messages.secret import Secret

RunAs = Literal["authorizer", "modifier", "starter", "owner"]
ALL_RUN_AS: tuple[RunAs, ...] = ("authorizer", "modifier", "starter", "owner")

STRAIGHT_AT_BCS = "/bcsapi/v4"
"""The path prefix behind BCS's own gateway (facts/gateway.md, "URLs")."""


@dataclass(frozen=True)
class App:
    """A BlueKing app: its code, and the secret that proves it."""

    app_code: str
    app_secret: Secret


@dataclass(frozen=True)
class Endpoint:
    """Where and how requests are sent. Holds nothing of who sends them. Timeouts are in seconds.

    `proxy` is not in its `repr`: it may hold a password.
    """

    gateway: str
    path_prefix: str = "/v4"
    tenant_id: str = ""
    ca_bundle: str = ""
    connect_timeout: float = 5.0
    read_timeout: float = 65.0
    concurrency: int = 8
    proxy: str = field(default="", repr=False)

    @property
    def straight_at_bcs(self) -> bool:
        """Tell whether requests go to BCS's own gateway, which takes bearer tokens and no apps."""
        return self.path_prefix == STRAIGHT_AT_BCS


@dataclass(frozen=True)
class Region:
    """One entry of the private settings' `regions` (design section 3).

    `names_authorizer`: this BK-CI names an authorizer for every pipeline, so a stored one is believed.
    `run_as`: whom the region serves. `recorded_people`: BK-CI's build API says who a build's people are.
    """

    name: str
    endpoint: Endpoint
    console_url: str = ""
    app: Optional[App] = None
    owner: str = ""
    users: Mapping[str, App] = field(default_factory=dict)
    names_authorizer: bool = False
    run_as: tuple[RunAs, ...] = ALL_RUN_AS
    recorded_people: bool = True
    progress_detail: bool = False


def secrets_of(regions: Iterable[Region]) -> Iterator[Secret]:
    """Yield every secret of the regions: no log shows one, whether the run uses it or not."""
    for region in regions:
        for app in (region.app, *region.users.values()):
            if app is not None:
                yield app.app_secret
        password = urlsplit(region.endpoint.proxy).password
        if password:
            yield Secret(password)
