"""Versions of template files, as pkg/action/templateversion answers. Performs no I/O.

Creating one is four steps with nothing to hold them together: the file is read, the name is looked up, the
version is inserted, the file is pointed at it by name. `State` has a hook between each two.
"""

from __future__ import annotations

from dataclasses import replace

from tests.emulator.cluster_resources import DUPLICATE, Call, Operation, Refusal
from tests.emulator.entities import NO_ID, TemplateFile, TemplateVersion, kinds_of
from tests.emulator.semver import sort_as_bcs
from tests.emulator.template_rules import filter_html, find_entity, refuse_foreign, render_mode_of

NEWEST_IS_CURRENT = 0


def get_version(call: Call) -> object:
    """Return one version."""
    version = find_entity(call.state.versions, call.message.text("id"))
    refuse_foreign(call, version.project)
    return version.to_map()


def get_detail(call: Call) -> object:
    """Return the version of those three names; an empty object, and code 0, where there is none."""
    message = call.message
    versions = call.state.find_versions(
        message.text("templateSpace"), message.text("templateName"), project=call.project.code
    )
    for version in versions:
        if version.version == message.text("version"):
            return version.to_map()
    return {}


def list_versions(call: Call) -> object:
    """List a file's versions: a draft, then SemVer names highest first, then the others newest first."""
    file = find_entity(call.state.files, call.message.text("templateID"))
    refuse_foreign(call, file.project)
    versions = sort_as_bcs(
        call.state.shuffle(call.state.find_versions(file.space, file.name, project=file.project)),
        name=lambda version: version.version,
        created=lambda version: version.create_at,
    )
    draft = [_draft_of(file).to_map(draft=True)] if file.is_draft else []
    return draft + [
        version.to_map(latest=version.version == file.version, deployed=file) for version in versions
    ]


def _draft_of(file: TemplateFile) -> TemplateVersion:
    return TemplateVersion(
        id=NO_ID,
        project=file.project,
        space=file.space,
        file=file.name,
        version=file.draft_version,
        content=file.draft_content,
        edit_format=file.draft_edit_format,
        creator=file.updator,
        create_at=file.update_at,
        render_mode=file.render_mode,
    )


def create_version(call: Call) -> object:
    """Create a version: check for the name, then insert; `force` rewrites an existing one in place.

    Whether there is a draft to end and a pointer to move was decided by the file as it was read first.
    """
    file = find_entity(call.state.files, call.message.text("templateID"))
    as_read = replace(file)
    name = call.message.text("version")
    versions = call.state.find_versions(file.space, file.name, project=call.project.code)
    existing = [version for version in versions if version.version == name]
    if existing:
        return {"id": _rewrite(call, existing[0]).id}
    call.state.between_check_and_insert("version")
    stamped = _new_version(call, file)
    call.state.between_stamp_and_insert("version")
    written = call.state.insert_version(stamped)
    call.state.between_insert_and_move("version")
    _move_pointer(call, file, as_read=as_read)
    return {"id": written.id}


def _rewrite(call: Call, version: TemplateVersion) -> TemplateVersion:
    """Overwrite content, creator and time: the history lies afterwards (facts/bcs.md trap 6)."""
    message = call.message
    if not message.flag("force"):
        raise Refusal("版本已存在", code=DUPLICATE)
    with call.state.lock:
        version.description = filter_html(message.text("description"))
        version.content = message.text("content")
        version.creator = call.user
        version.render_mode = render_mode_of(message.text("renderMode"))
        version.create_at = int(call.state.now())
    return version


def _new_version(call: Call, file: TemplateFile) -> TemplateVersion:
    message = call.message
    return TemplateVersion(
        id=call.state.new_id(),
        project=call.project.code,
        space=file.space,
        file=file.name,
        version=message.text("version"),
        content=message.text("content"),
        description=filter_html(message.text("description")),
        edit_format=message.text("editFormat"),
        creator=call.user,
        create_at=int(call.state.now()),
        render_mode=render_mode_of(message.text("renderMode")),
    )


def _move_pointer(call: Call, file: TemplateFile, *, as_read: TemplateFile) -> None:
    """End a draft; make the version current unless the file is pinned (facts/bcs.md trap 4)."""
    with call.state.lock:
        was_draft, moves = as_read.is_draft, as_read.version_mode == NEWEST_IS_CURRENT
        if was_draft:
            file.is_draft, file.draft_version, file.draft_content = False, "", ""
        if moves:
            file.version = call.message.text("version")
            file.resource_types = kinds_of(call.message.text("content"))
            file.updator = call.user
        if was_draft or moves:
            file.update_at = int(call.state.now())


def delete_version(call: Call) -> object:
    """Delete a version, the current or last one too; the file keeps pointing at it (facts/bcs.md trap 5)."""
    version = find_entity(call.state.versions, call.message.text("id"))
    refuse_foreign(call, version.project)
    with call.state.lock:
        call.state.versions.remove(version)
    return None


OPERATIONS = (
    Operation(
        name="TemplateSet.DeleteTemplateVersion",
        method="DELETE",
        path="template/versions/{id}",
        message="DeleteTemplateVersionReq",
        handler=delete_version,
    ),
    Operation(
        name="TemplateSet.ListTemplateVersion",
        method="GET",
        path="template/{templateID}/versions",
        message="ListTemplateVersionReq",
        handler=list_versions,
        is_list=True,
    ),
    Operation(
        name="TemplateSet.GetTemplateVersion",
        method="GET",
        path="template/versions/{id}",
        message="GetTemplateVersionReq",
        handler=get_version,
    ),
    Operation(
        name="TemplateSet.GetTemplateContent",
        method="POST",
        path="template/detail",
        message="GetTemplateContentReq",
        handler=get_detail,
    ),
    Operation(
        name="TemplateSet.CreateTemplateVersion",
        method="POST",
        path="template/{templateID}/versions",
        message="CreateTemplateVersionReq",
        handler=create_version,
    ),
)
