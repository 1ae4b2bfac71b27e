"""Projects, people, apps, tokens, build machines: who there is, and who may what. Performs no I/O."""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterable, Mapping
from typing import Optional

from tests.emulator.entities import AccessToken, Agent, App, BcsToken, Build, Project

EVERYONE: Optional[Iterable[str]] = None
"""For `vouches_for`: the gateway takes the app's word for any name."""

SHORTEST_SECRET = 6


class Accounts:
    """What decides who a caller is and may do. `lock` guards all lists; hold it only for a moment."""

    def __init__(self) -> None:
        self.lock = threading.RLock()
        self.projects: list[Project] = []
        self.apps: dict[str, App] = {}
        self.access_tokens: dict[str, AccessToken] = {}
        self.bcs_tokens: dict[str, BcsToken] = {}
        self.agents: list[Agent] = []
        self.builds: dict[str, Build] = {}
        self.credentials: dict[str, dict[str, str]] = {}
        self.private_settings: dict[str, dict[str, str]] = {}

    def add_project(
        self,
        code: str,
        *,
        viewers: Iterable[str] = (),
        name: str = "",
        business_id: str = "100148",
        project_id: str = "",
    ) -> Project:
        """Add a project that these users may view."""
        project = Project(
            code=code,
            id=project_id or uuid.uuid5(uuid.NAMESPACE_DNS, code).hex,
            name=name or code,
            business_id=business_id,
            viewers=set(viewers),
        )
        with self.lock:
            self.projects.append(project)
        return project

    def add_app(
        self,
        code: str,
        secret: str,
        *,
        vouches_for: Optional[Iterable[str]] = (),
        grants: Optional[Iterable[str]] = None,
        exempt: bool = False,
    ) -> App:
        """Add an app; see `App` for what the gateway believes from it and lets it call."""
        app = App(
            code=code,
            secret=secret,
            vouches_for=None if vouches_for is None else frozenset(vouches_for),
            grants=None if grants is None else tuple(grants),
            exempt=exempt,
        )
        self.apps[code] = app
        return app

    def add_user_token(
        self, value: str, *, user: str, app: str = "token_app", expired: bool = False
    ) -> AccessToken:
        """Add an access token of the BlueKing gateway."""
        token = AccessToken(value=value, app=app, user=user, expired=expired)
        self.access_tokens[value] = token
        return token

    def add_bcs_token(
        self, value: str, *, user: str, client: bool = False, expired: bool = False
    ) -> BcsToken:
        """Add a bearer token of BCS's own gateway."""
        token = BcsToken(value=value, user=user, client=client, expired=expired)
        self.bcs_tokens[value] = token
        return token

    def add_agent(
        self,
        *,
        project_id: str,
        agent_id: str = "agent-1",
        secret_key: str = "agent-secret",  # noqa: S107 - a canary
        build_id: str = "b-1",
        vm_seq_id: str = "1",
        build_type: str = "AGENT",
    ) -> Agent:
        """Add a build machine that the build API knows."""
        agent = Agent(
            project_id=project_id,
            agent_id=agent_id,
            secret_key=secret_key,
            build_id=build_id,
            vm_seq_id=vm_seq_id,
            build_type=build_type,
        )
        self.agents.append(agent)
        return agent

    def start_build(
        self,
        build_id: str,
        *,
        project_id: str,
        pipeline_id: str,
        variables: Mapping[str, str],
        user_id: str,
        modifier: Optional[str] = None,
    ) -> Build:
        """Start a build, or go on with it: its variables are these, and this user was authenticated then.

        `modifier` has changed the pipeline last, by now: whom the variable names, unless told otherwise.
        """
        by = variables.get("BK_CI_PIPELINE_UPDATE_USER", "") if modifier is None else modifier
        build = Build(build_id, project_id, pipeline_id, dict(variables), user_id, by)
        self.builds[build_id] = build
        return build

    def add_credential(self, credential_id: str, fields: Mapping[str, str]) -> None:
        """Add a BK-CI credential, with the keys of facts/agent.md for its type."""
        self.credentials[credential_id] = dict(fields)

    def set_private_setting(self, atom_code: str, key: str, value: str) -> None:
        """Set one of the atom's private settings as the store's build API gives them out."""
        self.private_settings.setdefault(atom_code, {})[key] = value

    def secrets(self) -> set[str]:
        """Return every secret long enough to be told from other text: none may be in a URL or body."""
        found = {app.secret for app in self.apps.values()} | set(self.access_tokens) | set(self.bcs_tokens)
        found |= {agent.secret_key for agent in self.agents}
        return {secret for secret in found if len(secret) >= SHORTEST_SECRET}

    def find_project(self, id_or_code: str) -> Optional[Project]:
        """Return the project of that code or 32-hex id."""
        with self.lock:
            return next((item for item in self.projects if id_or_code in (item.code, item.id)), None)

    def project_code(self, code: str) -> str:
        """Return the code, or that of the only project where none is given. Raises LookupError."""
        if code:
            return code
        if len(self.projects) != 1:
            raise LookupError("name the project: the emulator holds several, or none")
        return self.projects[0].code
