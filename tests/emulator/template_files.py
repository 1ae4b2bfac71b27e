"""Template files, as pkg/action/template answers. Performs no I/O.

Every answer reads the files first and the versions after, as BCS does: a version that a file points at was
inserted before, so it is always found.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Optional

from tests.emulator.cluster_resources import DUPLICATE, VALIDATION, Call, Operation, Refusal
from tests.emulator.dialect import Dialect
from tests.emulator.entities import Space, TemplateFile, TemplateVersion, kinds_of
from tests.emulator.semver import sort_as_bcs
from tests.emulator.template_rules import (
    filter_html,
    find_entity,
    parse_template_name,
    refuse_foreign,
    render_mode_of,
)

PINNED = 1
WITH_SPACE_IN_NAMES = frozenset(dialect for dialect in Dialect if dialect.names_hold_space)


def get_file(call: Call) -> object:
    """Return one file's metadata, with the ids of its space and of its current version."""
    file = replace(find_entity(call.state.files, call.message.text("id")))
    refuse_foreign(call, file.project)
    spaces = call.state.find_spaces(file.space, project=file.project)
    return file.to_map(
        call.state.dialect, space_id=spaces[-1].id if spaces else "", version_id=_current_id(call, file)
    )


def list_files(call: Call) -> object:
    """List a space's files; templateSpaceID stays empty here, and so does versionID where it is gone."""
    space = find_entity(call.state.spaces, call.message.text("templateSpaceID"))
    files = _as_read(call, space)
    return [file.to_map(call.state.dialect, version_id=_current_id(call, file)) for file in files]


def _current_id(call: Call, file: TemplateFile) -> str:
    versions = call.state.find_versions(file.space, file.name, project=file.project)
    return next((version.id for version in reversed(versions) if version.version == file.version), "")


def _as_read(call: Call, space: Space) -> list[TemplateFile]:
    """Return the space's files as they are now; what happens to them afterwards is not seen."""
    return [replace(file) for file in call.state.find_files(space.name, project=call.project.code)]


def list_files_with_versions(call: Call) -> object:
    """List a space's files, each with the names and ids of its versions in BCS's order."""
    space = find_entity(call.state.spaces, call.message.text("templateSpaceID"))
    refuse_foreign(call, space.project)
    files = _as_read(call, space)
    return [_show_with_versions(call, file) for file in files]


def _show_with_versions(call: Call, file: TemplateFile) -> dict[str, object]:
    versions = sort_as_bcs(
        call.state.shuffle(call.state.find_versions(file.space, file.name, project=file.project)),
        name=lambda version: version.version,
        created=lambda version: version.create_at,
    )
    return {
        "templateName": f"{file.space}/{file.name}",
        "latestVersion": file.version,
        "versionList": [
            {"version": version.version, "versionID": version.id, "createAt": version.create_at}
            for version in versions
        ],
    }


def create_file(call: Call) -> object:
    """Create a file: its first version is inserted before the file itself."""
    message = call.message
    if not message.flag("isDraft") and not message.text("version"):
        raise Refusal("版本字段不能为空", code=VALIDATION)
    space_name, name = parse_template_name(message.text("name"), dialect=call.state.dialect)
    space = _get_or_create_space(call, space_name)
    if call.state.find_files(space.name, name, project=call.project.code):
        raise Refusal("元数据名称重复", code=DUPLICATE)
    call.state.between_check_and_insert("file")
    version = None if message.flag("isDraft") else _first_version(call, space=space.name, name=name)
    if version is not None:
        call.state.between_stamp_and_insert("file")
        call.state.insert_version(version)
        call.state.between_insert_and_move("file")
    file = call.state.insert_file(_new_file(call, space=space.name, name=name))
    return {"id": file.id, "versionID": version.id if version else ""}


def _get_or_create_space(call: Call, name: str) -> Space:
    wanted = call.message.text("templateSpaceID")
    if wanted:
        # The id decides: the space in the file's name is then ignored, as in BCS.
        return find_entity(call.state.spaces, wanted)
    spaces = call.state.find_spaces(name, project=call.project.code)
    if spaces:
        return spaces[0]
    return call.state.insert_space(Space(id=call.state.new_id(), project=call.project.code, name=name))


def _first_version(call: Call, *, space: str, name: str) -> TemplateVersion:
    message = call.message
    return TemplateVersion(
        id=call.state.new_id(),
        project=call.project.code,
        space=space,
        file=name,
        version=message.text("version"),
        content=message.text("content"),
        description=message.text("versionDescription"),  # the one description BCS does not filter
        edit_format=message.text("editFormat"),
        creator=call.user,
        create_at=int(call.state.now()),
        render_mode=render_mode_of(message.text("renderMode")),
    )


def _new_file(call: Call, *, space: str, name: str) -> TemplateFile:
    message = call.message
    file = TemplateFile(
        id=call.state.new_id(),
        project=call.project.code,
        space=space,
        name=name,
        version=message.text("version"),
        description=filter_html(message.text("description")),
        tags=message.texts("tags"),
        resource_types=kinds_of(message.text("content")),
        creator=call.user,
        updator=call.user,
        is_draft=message.flag("isDraft"),
        render_mode=render_mode_of(message.text("renderMode")),
    )
    if file.is_draft:
        _set_draft(call, file)
    return file


def update_file(call: Call) -> object:
    """Rewrite a file's metadata: what the request leaves out is emptied, except the version.

    `version` is taken only where versionMode pins it, and only where it is not empty.
    """
    message = call.message
    file = find_entity(call.state.files, message.text("id"))
    refuse_foreign(call, file.project)
    _, name = parse_template_name(message.text("name"), dialect=call.state.dialect)
    taken = call.state.find_files(file.space, name, project=file.project)
    if taken and taken[0].id != file.id:
        raise Refusal("元数据名称重复", code=DUPLICATE)
    with call.state.lock:
        _rename_versions(call, file, name=name)
        _overwrite(call, file, name=name)
    return None


def _rename_versions(call: Call, file: TemplateFile, *, name: str) -> None:
    for version in call.state.find_versions(file.space, file.name, project=file.project):
        call.state.versions.move(version, file=name)


def _overwrite(call: Call, file: TemplateFile, *, name: str) -> None:
    message = call.message
    file.name = name
    file.description = filter_html(message.text("description"))
    file.updator = call.user
    file.update_at = int(call.state.now())
    file.tags = message.texts("tags")
    file.version_mode = message.number("versionMode")
    file.is_draft = message.flag("isDraft")
    file.render_mode = render_mode_of(message.text("renderMode"))
    _set_draft(call, file)
    wanted: Optional[str] = message.text("version") if file.version_mode == PINNED else None
    file.version = wanted or file.version


def _set_draft(call: Call, file: TemplateFile) -> None:
    file.draft_version = call.message.text("draftVersion")
    file.draft_content = call.message.text("draftContent")
    file.draft_edit_format = call.message.text("draftEditFormat")


def delete_file(call: Call) -> object:
    """Delete a file with its versions."""
    file = find_entity(call.state.files, call.message.text("id"))
    refuse_foreign(call, file.project)
    call.state.delete_file(file.space, file.name, project=file.project)
    return None


OPERATIONS = (
    Operation(
        name="TemplateSet.DeleteTemplateMetadata",
        method="DELETE",
        path="template/metadatas/{id}",
        message="DeleteTemplateMetadataReq",
        handler=delete_file,
    ),
    Operation(
        name="TemplateSet.ListTemplateMetadata",
        method="GET",
        path="template/{templateSpaceID}/metadatas",
        message="ListTemplateMetadataReq",
        handler=list_files,
        is_list=True,
    ),
    Operation(
        name="TemplateSet.ListTemplateMetadataVersions",
        method="GET",
        path="template/{templateSpaceID}/metadata/versions",
        message="ListTemplateMetadataVersionsReq",
        handler=list_files_with_versions,
        is_list=True,
        dialects=frozenset(dialect for dialect in Dialect if dialect.lists_versions_of_space),
    ),
    Operation(
        name="TemplateSet.GetTemplateMetadata",
        method="GET",
        path="template/metadatas/{id}",
        message="GetTemplateMetadataReq",
        handler=get_file,
    ),
    Operation(
        name="TemplateSet.CreateTemplateMetadata",
        method="POST",
        path="template/metadatas",
        message="CreateTemplateMetadataReq",
        handler=create_file,
        dialects=WITH_SPACE_IN_NAMES,
    ),
    Operation(
        name="TemplateSet.CreateTemplateMetadata",
        method="POST",
        path="template/{templateSpaceID}/metadatas",
        message="CreateTemplateMetadataReq",
        handler=create_file,
        dialects=frozenset(dialect for dialect in Dialect if dialect.creates_below_space),
    ),
    Operation(
        name="TemplateSet.ListTemplateMetadata",
        method="GET",
        path="template/metadatas",
        message="v1.29 ListTemplateMetadataReq",
        is_list=True,
        dialects=frozenset({Dialect.V1_29}),
    ),
    Operation(
        name="TemplateSet.CreateTemplateMetadata",
        method="POST",
        path="template/metadatas",
        message="v1.29 CreateTemplateMetadataReq",
        dialects=frozenset({Dialect.V1_29}),
    ),
    Operation(
        name="TemplateSet.UpdateTemplateMetadata",
        method="PUT",
        path="template/metadatas/{id}",
        message="UpdateTemplateMetadataReq",
        handler=update_file,
    ),
)
