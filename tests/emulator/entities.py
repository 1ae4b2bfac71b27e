"""What BCS keeps, and the shapes in which it shows it. Performs no I/O.

The shapes are the ToMap functions of cluster-resources (pkg/store/entity/template*.go, 2026-07).
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from typing import Optional

from tests.emulator.dialect import Dialect

DEFAULT_TENANT = "default"
NO_ID = "0" * 24
_SEPARATOR = re.compile(r"(?:^|\s*\n)---\s*")
_KIND = re.compile(r"^kind:[ \t]*[\"']?([A-Za-z]+)", re.MULTILINE)


@dataclass
class Project:
    """A BCS project; its `viewers` hold every permission but those (user, action) that are `denied`."""

    code: str
    id: str
    name: str
    business_id: str
    viewers: set[str] = field(default_factory=set)
    denied: set[tuple[str, str]] = field(default_factory=set)
    tenant: str = DEFAULT_TENANT


@dataclass
class Space:
    """A template space (folder)."""

    id: str
    project: str
    name: str
    description: str = ""
    tags: list[str] = field(default_factory=list)

    def to_map(self, dialect: Dialect) -> dict[str, object]:
        """Return the space as BCS shows it."""
        return {
            "id": self.id,
            "name": self.name,
            "projectCode": self.project,
            "description": self.description,
            **({"fav": False, "tags": self.tags} if dialect.has_template_files else {}),
        }


@dataclass
class TemplateFile:
    """A template file's metadata. It finds its versions by names, as in BCS: there is no foreign key."""

    id: str
    project: str
    space: str
    name: str
    version: str = ""
    description: str = ""
    tags: list[str] = field(default_factory=list)
    resource_types: list[str] = field(default_factory=list)
    creator: str = ""
    updator: str = ""
    create_at: int = 0
    update_at: int = 0
    version_mode: int = 0
    is_draft: bool = False
    draft_version: str = ""
    draft_content: str = ""
    draft_edit_format: str = ""
    latest_deploy_version: str = ""
    latest_deployer: str = ""
    render_mode: str = "Simple"

    def to_map(self, dialect: Dialect, *, space_id: str = "", version_id: str = "") -> dict[str, object]:
        """Return the metadata as BCS shows it; both ids are empty where BCS does not look them up."""
        return {
            "id": self.id,
            "name": f"{self.space}/{self.name}" if dialect.names_hold_space else self.name,
            **({"realName": self.name} if dialect.shows_real_name else {}),
            "projectCode": self.project,
            "description": self.description,
            "templateSpace": self.space,
            "templateSpaceID": space_id,
            "resourceType": self.resource_types,
            "creator": self.creator,
            "updator": self.updator,
            "createAt": self.create_at,
            "updateAt": self.update_at,
            "tags": self.tags,
            "versionMode": self.version_mode,
            "version": self.version,
            "versionID": version_id,
            "isDraft": self.is_draft,
            "draftVersion": self.draft_version,
            "draftContent": self.draft_content,
            "draftEditFormat": self.draft_edit_format,
            "latestDeployVersion": self.latest_deploy_version,
            "latestDeployer": self.latest_deployer,
            "renderMode": self.render_mode,
        }


@dataclass
class TemplateVersion:
    """A version of a template file."""

    id: str
    project: str
    space: str
    file: str
    version: str
    content: str
    description: str = ""
    edit_format: str = "yaml"
    creator: str = ""
    create_at: int = 0
    render_mode: str = "Simple"

    def to_map(
        self, *, latest: bool = False, draft: bool = False, deployed: Optional[TemplateFile] = None
    ) -> dict[str, object]:
        """Return the version as BCS shows it; only the list of versions knows what is latest or deployed."""
        return {
            "id": self.id,
            "projectCode": self.project,
            "description": self.description,
            "templateName": self.file,
            "templateSpace": self.space,
            "version": self.version,
            "editFormat": self.edit_format or "yaml",
            "content": self.content,
            "creator": self.creator,
            "createAt": self.create_at,
            "renderMode": self.render_mode,
            "latest": latest,
            "draft": draft,
            "latestDeployVersion": deployed.latest_deploy_version if deployed else "",
            "latestDeployer": deployed.latest_deployer if deployed else "",
        }


@dataclass
class Chart:
    """A chart in the project's repository: path in the chart -> text."""

    project: str
    name: str
    version: str
    contents: dict[str, str]


@dataclass
class App:
    """A BlueKing app. `vouches_for` are the users whose names the gateway believes from it; None is everyone.

    `grants` are regular expressions over the path behind the prefix; None grants all.
    `exempt` apps pass the project manager and the chart repository's permission check without a user.
    """

    code: str
    secret: str
    vouches_for: Optional[frozenset[str]] = frozenset()
    grants: Optional[tuple[str, ...]] = None
    exempt: bool = False

    def vouches(self, user: str) -> bool:
        """Tell whether the gateway takes this app's word for that user."""
        return self.vouches_for is None or user in self.vouches_for

    def may_call(self, path: str) -> bool:
        """Tell whether the app was granted the resource at that path."""
        return self.grants is None or any(re.search(pattern, path) for pattern in self.grants)


@dataclass
class AccessToken:
    """An access token of the BlueKing gateway: one app and one user. An empty user makes it app-only."""

    value: str
    app: str
    user: str
    expired: bool = False


@dataclass
class BcsToken:
    """A bearer token of BCS's own gateway; a `client` token lets its bearer name the user."""

    value: str
    user: str
    client: bool = False
    expired: bool = False


@dataclass
class Agent:
    """A BK-CI build machine's identity: what `.sdk.json` holds, and the headers must repeat."""

    project_id: str
    agent_id: str
    secret_key: str
    build_id: str
    vm_seq_id: str = "1"
    build_type: str = "AGENT"


@dataclass
class Build:
    """A running build as BK-CI keeps it: its row, and its stored variables.

    Nobody may read it where whose permissions the pipeline borrows may not execute it (`readable`).
    """

    id: str
    project_id: str
    pipeline_id: str
    variables: dict[str, str]
    user_id: str
    modifier: str
    readable: bool = True


def kinds_of(content: str) -> list[str]:
    """Return the kinds of the content's documents, each once, in order (GetResourceTypesFromManifest)."""
    found = [match.group(1) for document in _SEPARATOR.split(content) for match in _KIND.finditer(document)]
    return list(dict.fromkeys(found))
