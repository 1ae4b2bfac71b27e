"""The calls the step makes, built from values. Performs no I/O.

Paths and fields are those of facts/bcs.md, "Calls", and of cluster-resources' proto and OpenAPI file
(bk-bcs 2026-07); where a call needs another source, its docstring names it.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from typing import Optional

from bcs_template_set.bcs.answers import (
    ChartVersion,
    Cluster,
    Created,
    CreatedFile,
    Environment,
    FileVersions,
    Project,
    Release,
    TemplateFile,
    TemplateSpace,
    TemplateVersion,
)
from bcs_template_set.bcs.calls import (
    Body,
    JsonValue,
    Parse,
    Query,
    Read,
    T,
    Write,
    given_segment,
    id_segment,
    nothing,
    one,
    optional,
    several,
)

EDIT_FORMAT = "yaml"

RENDER_MODE = "Simple"
"""`{{ NAME }}` is replaced at deploy time (facts/bcs.md, trap 2)."""

CATEGORY = "bk-ci"
"""A template set's category: any text of 1 to 64 characters, and not none (CreateTemplateSetReq)."""

PINNED = 1
_VERSION_MODES = {0: "LatestUpdateTime", PINNED: "SpecifyVersion"}
"""Answers give `versionMode` as a number, requests take the enum's name (its OpenAPI file)."""

_SPECIAL_IN_REGEXP = re.compile(r"([\\.+*?()|\[\]{}^$])")


def _resources(project: str, *rest: str) -> tuple[str, ...]:
    return ("clusterresources", "v1", "projects", given_segment(project, what="project_code"), *rest)


def _get(
    name: str,
    project: str,
    path: tuple[str, ...],
    parse: Parse[T],
    *,
    query: Query = (),
    may_be_missing: bool = False,
    grows: bool = False,
) -> Read[T]:
    segments = _resources(project, "template", *path)
    return Read(name, "GET", segments, project, parse, query, may_be_missing=may_be_missing, grows=grows)


def _post(name: str, project: str, path: tuple[str, ...], parse: Parse[T], *, body: Body) -> Write[T]:
    return Write(name, "POST", _resources(project, "template", *path), project, parse, body=body)


def _space(space_id: str) -> str:
    return id_segment(space_id, what="templateSpaceID")


def _file(template_id: str) -> str:
    return id_segment(template_id, what="templateID")


def _version(version_id: str) -> str:
    return id_segment(version_id, what="versionID")


# --- project and space ----------------------------------------------------------------------------------


def get_project(project: str) -> Read[Project]:
    """Look a project up by its code. The project manager answers, with codes of its own (40403, 40404)."""
    return Read(
        name="get project",
        method="GET",
        segments=("bcsproject", "v1", "projects", given_segment(project, what="project_code")),
        project=project,
        parse=one(Project),
    )


def list_clusters(project: str, project_id: str) -> Read[list[Cluster]]:
    """List the clusters that a project may use. The cluster manager answers (facts/bcs.md, "Around them")."""
    own_id = id_segment(project_id, what="projectID")
    segments = ("clustermanager", "v1", "projects", own_id, "clusters")
    return Read("list clusters", "GET", segments, project, several(Cluster))


def get_release(project: str) -> Read[Release]:
    """Ask which release of BCS answers (facts/bcs.md, "Telling them apart": to be shown, nothing more)."""
    segments = ("clusterresources", "v1", "version")
    return Read("get release", "GET", segments, project, one(Release), is_bare=True)


def list_spaces(project: str, *, name: str) -> Read[list[TemplateSpace]]:
    """List the spaces whose name matches; more may come back, so compare the name exactly (trap 3)."""
    return _get("list spaces", project, ("spaces",), _spaces, query=(("name", escape_regexp(name)),))


def list_all_spaces(project: str) -> Read[list[TemplateSpace]]:
    """List all spaces of the project."""
    return _get("list spaces", project, ("spaces",), _spaces)


def _spaces(data: JsonValue) -> list[TemplateSpace]:
    spaces = several(TemplateSpace)(data)
    rows = data if isinstance(data, list) else []
    bare = [isinstance(row, dict) and not row.keys() & {"fav", "tags"} for row in rows]
    return [space.replaced(bare=is_bare) for space, is_bare in zip(spaces, bare)]


def escape_regexp(text: str) -> str:
    """Return an expression that matches exactly this text inside a name.

    BCS hands it to MongoDB's `$regex` (cluster-resources `pkg/action/templatespace`, 2026-07), that is PCRE.
    Only what both PCRE and Go's regexp take as special is escaped.
    """
    return _SPECIAL_IN_REGEXP.sub(r"\\\1", text)


def create_space(project: str, *, name: str) -> Write[Created]:
    """Make a space. BCS checks the name, then inserts: two at once can both succeed (trap 5)."""
    body: Body = {"name": name, "description": "", "tags": []}
    return _post("create space", project, ("spaces",), one(Created), body=body)


# --- template files -------------------------------------------------------------------------------------


def list_files(project: str, space_id: str) -> Read[list[TemplateFile]]:
    """List the metadata of a space's files, without contents."""
    return _get("list files", project, (_space(space_id), "metadatas"), several(TemplateFile))


def ask_old_path(project: str) -> Read[None]:
    """Ask for a list that only v1.29 has: how it is not there tells the dialects apart (facts/bcs.md).

    HTTP 404 is that of a BCS that has nothing at this path, 405 of one that creates files there.
    """
    return _get("ask dialect", project, ("metadatas",), nothing, may_be_missing=True)


def get_file(project: str, template_id: str) -> Read[TemplateFile]:
    """Read one file's metadata."""
    return _get("get file", project, ("metadatas", _file(template_id)), one(TemplateFile))


def create_file(
    project: str,
    *,
    space_id: str,
    space: str,
    name: str,
    version: str,
    content: str,
    version_description: str,
    below_space: bool,
) -> Write[CreatedFile]:
    """Make a file with its first version, which is its current one.

    Path and name go together, and the path that a BCS does not speak does nothing (facts/bcs.md, "Safe
    fallback for create"): `below_space` names the file alone.
    """
    path = (_space(space_id), "metadatas") if below_space else ("metadatas",)
    return _post(
        "create file",
        project,
        path,
        one(CreatedFile),
        body={
            "name": name if below_space else f"{space}/{name}",
            "templateSpaceID": space_id,
            "description": "",
            "tags": [],
            "version": version,
            "versionDescription": version_description,
            "content": content,
            "editFormat": EDIT_FORMAT,
            "isDraft": False,
            "renderMode": RENDER_MODE,
        },
    )


def update_file(project: str, file: TemplateFile, *, version: str) -> Write[None]:
    """Put a file's metadata back whole, with another current version.

    What a PUT leaves out is emptied, so every field is carried over (trap 4), and the name goes back as it
    was listed: another one would rename the file. BCS takes `version` only where
    the file is pinned (`Update` of cluster-resources `pkg/action/template`, 2026-07).
    """
    body: dict[str, JsonValue] = {
        "name": file.name,
        "description": file.description,
        "tags": list(file.tags),
        "version": version,
        "versionMode": _VERSION_MODES.get(file.version_mode, file.version_mode),
        "isDraft": file.is_draft,
        "draftVersion": file.draft_version,
        "draftContent": file.draft_content,
        "draftEditFormat": file.draft_edit_format,
        "renderMode": file.render_mode or RENDER_MODE,
    }
    return Write(
        name="update file",
        method="PUT",
        segments=_resources(project, "template", "metadatas", _file(file.id)),
        project=project,
        parse=nothing,
        body=body,
    )


def delete_file(project: str, template_id: str) -> Write[None]:
    """Delete a file with all its versions: the only copy of what was deployed from it."""
    segments = _resources(project, "template", "metadatas", _file(template_id))
    return Write("delete file", "DELETE", segments, project, nothing)


# --- versions -------------------------------------------------------------------------------------------


def list_space_versions(project: str, space_id: str) -> Read[list[FileVersions]]:
    """List the version names of all files of a space at once. Not every dialect has this path."""
    path = (_space(space_id), "metadata", "versions")
    return _get("list version names", project, path, several(FileVersions), may_be_missing=True, grows=True)


def list_versions(project: str, template_id: str) -> Read[list[TemplateVersion]]:
    """List a file's versions with their contents; a draft comes first, with an id of zeros."""
    path = (_file(template_id), "versions")
    return _get("list versions", project, path, several(TemplateVersion), grows=True)


def get_version(project: str, version_id: str) -> Read[TemplateVersion]:
    """Read one version with its content."""
    return _get("get version", project, ("versions", _version(version_id)), one(TemplateVersion))


def find_version(project: str, *, space: str, name: str, version: str) -> Read[Optional[TemplateVersion]]:
    """Find a version by the names of its space, file and itself; a read, although a POST."""
    return Read(
        name="find version",
        method="POST",
        segments=_resources(project, "template", "detail"),
        project=project,
        parse=optional(TemplateVersion),
        body={"templateSpace": space, "templateName": name, "version": version},
    )


def create_version(
    project: str, *, template_id: str, version: str, content: str, description: str, force: bool
) -> Write[Created]:
    """Make a version of a file; with `force`, rewrite one of that name in place (trap 6)."""
    return _post(
        "create version",
        project,
        (_file(template_id), "versions"),
        one(Created),
        body={
            "version": version,
            "content": content,
            "description": description,
            "editFormat": EDIT_FORMAT,
            "renderMode": RENDER_MODE,
            "force": force,
        },
    )


def delete_version(project: str, version_id: str) -> Write[None]:
    """Delete a version; BCS asks nothing, also of the current one (facts/bcs.md, "Around them")."""
    segments = _resources(project, "template", "versions", _version(version_id))
    return Write("delete version", "DELETE", segments, project, nothing)


def list_environments(project: str) -> Read[list[Environment]]:
    """List the project's environments, each of namespaces of several clusters."""
    return Read("list environments", "GET", _resources(project, "envs"), project, several(Environment))


# --- template sets --------------------------------------------------------------------------------------


def create_template_set(
    project: str,
    *,
    name: str,
    version: str,
    description: str,
    templates: Sequence[tuple[str, str, str]],
    force: bool = False,
) -> Write[None]:
    """Make a template set of versions, each a (space, file name, version name); `force` replaces one.

    Those that BCS does not find it leaves out silently (trap 14).
    """
    chosen: list[JsonValue] = [
        {"templateSpace": space, "templateName": file, "version": file_version}
        for space, file, file_version in templates
    ]
    return Write(
        name="create template set",
        method="POST",
        segments=_resources(project, "templatesets"),
        project=project,
        parse=nothing,
        body={
            "name": name,
            "version": version,
            "category": CATEGORY,
            "description": description,
            "keywords": [],
            "readme": "",
            "templates": chosen,
            "values": "",
            "force": force,
        },
    )


def get_chart_version(project: str, *, name: str, version: str) -> Read[ChartVersion]:
    """Read the chart that a template set became, from the project's own repository, named like the project.

    Source: GetVersionDetailV1 of bcs-helm-manager's proto (2026-07).
    """
    return Read(
        name="get chart version",
        method="GET",
        segments=(
            *("helmmanager", "v1", "projects", given_segment(project, what="project_code")),
            *("repos", project, "charts", given_segment(name, what="template_set")),
            *("versions", given_segment(version, what="version")),
        ),
        project=project,
        parse=one(ChartVersion),
    )
