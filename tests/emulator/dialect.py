"""The dialects of BCS's template API: what differs between its releases. Performs no I/O.

Source: facts/bcs.md, "Versions of BCS"; every row was seen live (contract/recorded). What is the same in all
of them stands with the handlers.
"""

from __future__ import annotations

import enum

PART = r'^[^\\/:*?"<>|]+$'
"""What a space's name, and each part of a file's, must match from alpha.121 on."""
PART_UNTIL_121 = r"^[a-zA-Z0-9_-]+$"


class Dialect(enum.Enum):
    """Which BCS a site runs; the value is a release that speaks it."""

    NONE = "v1.28"
    """No template API at all: older than v1.29, or the legacy `bcs-app`."""
    V1_29 = "v1.29"
    """Spaces, files and versions by names; of its calls only what tells it apart is emulated."""
    A = "v1.30.4"
    """The stable release: a file is created below its space, by its name alone."""
    B = "v1.31.0-alpha.119"
    B2 = "v1.31.0-alpha.123"
    C = "v1.31.0-alpha.126"
    """The newest, and the development branch."""
    MULTI_TENANT = "bk-bcs-multitenant"

    @property
    def has_template_files(self) -> bool:
        """Tell whether there are calls by ids, deployments, drafts and template sets: v1.30 and later."""
        return self not in (Dialect.NONE, Dialect.V1_29)

    @property
    def creates_below_space(self) -> bool:
        """Tell whether a file is created at `/template/{templateSpaceID}/metadatas`."""
        return self is Dialect.A

    @property
    def names_hold_space(self) -> bool:
        """Tell whether a file's name is `space/name` in requests and rows, else the file's name alone."""
        return self.has_template_files and self is not Dialect.A

    @property
    def shows_real_name(self) -> bool:
        """Tell whether a file's row has `realName`."""
        return self in (Dialect.C, Dialect.MULTI_TENANT)

    @property
    def lists_versions_of_space(self) -> bool:
        """Tell whether GET `/template/{templateSpaceID}/metadata/versions` is there."""
        return self in (Dialect.B2, Dialect.C, Dialect.MULTI_TENANT)

    @property
    def tidies_names(self) -> bool:
        """Tell whether superfluous slashes are dropped, else refused."""
        return self is Dialect.B

    @property
    def space_pattern(self) -> str:
        """Return what a space's name must match; empty where it need not match anything."""
        if not self.names_hold_space:
            return ""
        return PART_UNTIL_121 if self is Dialect.B else PART

    @property
    def trims_spaces(self) -> bool:
        """Tell whether blanks and dots at the end of a space's name are cut off."""
        return self.lists_versions_of_space

    @property
    def survives_unread(self) -> bool:
        """Tell whether a live object that can't be read is said, where the others panic (trap 16)."""
        return self is Dialect.MULTI_TENANT

    @property
    def panics_on_types(self) -> bool:
        """Tell whether a name or kind that YAML reads as no text ends in a panic (trap 16)."""
        return self is Dialect.A

    @property
    def summarises_as_v1_30(self) -> bool:
        """Tell whether summaries of live objects are v1.30's.

        They have no `podLabelSelector`, a history no images, and a Service's port stands for its nodePort.
        """
        return self is Dialect.A

    @property
    def has_apply_links(self) -> bool:
        """Tell whether a 40300 carries the link to apply with."""
        return self is not Dialect.MULTI_TENANT

    @property
    def compares_tenants(self) -> bool:
        """Tell whether a caller must be of the project's tenant (pkg/wrapper/tenant.go)."""
        return self is Dialect.MULTI_TENANT

    @property
    def longest_project(self) -> int:
        """Return how long a project's code may be."""
        return 64 if self is Dialect.MULTI_TENANT else 32

    @property
    def hex_projects(self) -> bool:
        """Tell whether live objects take a project only by an id of 32 hex digits."""
        return self is not Dialect.MULTI_TENANT


V1_30 = frozenset(dialect for dialect in Dialect if dialect.has_template_files)
"""The dialects that have the calls of v1.30."""
EVERY = frozenset(Dialect)
