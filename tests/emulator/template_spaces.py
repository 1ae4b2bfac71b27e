"""Template spaces, as pkg/action/templatespace answers. Performs no I/O."""

from __future__ import annotations

import re

from tests.emulator.cluster_resources import DUPLICATE, VALIDATION, Call, Operation, Refusal
from tests.emulator.dialect import EVERY, Dialect
from tests.emulator.entities import Space
from tests.emulator.template_rules import filter_html, find_entity, refuse_foreign

SINCE_V1_29 = EVERY - {Dialect.NONE}


def list_spaces(call: Call) -> object:
    """List the project's spaces; `name` is an unanchored regular expression (facts/bcs.md trap 3)."""
    try:
        pattern = re.compile(call.message.text("name"))
    except re.error as exc:
        raise Refusal(f"(Location51091) Regular expression is invalid: {exc}") from exc
    tags = set(call.message.texts("tags"))
    with call.state.lock:
        spaces = [space for space in call.state.spaces if space.project == call.project.code]
    dialect = call.state.dialect
    if not dialect.has_template_files:
        return [space.to_map(dialect) for space in spaces]  # v1.29 knows no filter
    return [
        space.to_map(dialect) for space in spaces if pattern.search(space.name) and tags <= set(space.tags)
    ]


def get_space(call: Call) -> object:
    """Return one space."""
    space = find_entity(call.state.spaces, call.message.text("id"))
    refuse_foreign(call, space.project)
    return space.to_map(call.state.dialect)


def create_space(call: Call) -> object:
    """Create a space: check for the name, then insert (facts/bcs.md trap 5)."""
    name = call.message.text("name")
    if call.state.dialect.trims_spaces:
        name = name.rstrip(" .")
    if not name:
        raise Refusal("文件夹名称不能为空", code=VALIDATION)
    if call.state.find_spaces(name, project=call.project.code):
        raise Refusal("文件夹名称重复", code=DUPLICATE)
    call.state.between_check_and_insert("space")
    space = Space(
        id=call.state.new_id(),
        project=call.project.code,
        name=name,
        description=filter_html(call.message.text("description")),
        tags=call.message.texts("tags"),
    )
    return {"id": call.state.insert_space(space).id}


def delete_space(call: Call) -> object:
    """Delete a space with all its files and versions, without a question."""
    space = find_entity(call.state.spaces, call.message.text("id"))
    refuse_foreign(call, space.project)
    for file in call.state.find_files(space.name, project=space.project):
        call.state.delete_file(space.name, file.name, project=space.project)
    with call.state.lock:
        call.state.spaces.remove(space)
    return None


OPERATIONS = (
    Operation(
        name="TemplateSet.DeleteTemplateSpace",
        method="DELETE",
        path="template/spaces/{id}",
        message="DeleteTemplateSpaceReq",
        handler=delete_space,
    ),
    Operation(
        name="TemplateSet.ListTemplateSpace",
        method="GET",
        path="template/spaces",
        message="ListTemplateSpaceReq",
        handler=list_spaces,
        is_list=True,
        dialects=SINCE_V1_29,
    ),
    Operation(
        name="TemplateSet.GetTemplateSpace",
        method="GET",
        path="template/spaces/{id}",
        message="GetTemplateSpaceReq",
        handler=get_space,
        dialects=SINCE_V1_29,
    ),
    Operation(
        name="TemplateSet.CreateTemplateSpace",
        method="POST",
        path="template/spaces",
        message="CreateTemplateSpaceReq",
        handler=create_space,
        dialects=SINCE_V1_29,
    ),
)
