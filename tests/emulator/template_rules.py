"""Rules that all handlers of templates share. Performs no I/O."""

from __future__ import annotations

import re

from tests.emulator.cluster_resources import (
    INVALID_ID,
    NO_PERMISSION,
    RECORD_NOT_FOUND,
    VALIDATION,
    Call,
    Refusal,
)
from tests.emulator.dialect import PART, PART_UNTIL_121, Dialect
from tests.emulator.state import Entity, find_by_id

_HEX_ID = re.compile(r"[0-9a-fA-F]{24}")


def find_entity(entities: list[Entity], wanted: str) -> Entity:
    """Return the entity of that id; an id that is none and one that is not there are both code 1."""
    if _HEX_ID.fullmatch(wanted) is None:
        raise Refusal(INVALID_ID)
    found = find_by_id(entities, wanted.lower())
    if found is None:
        raise Refusal(RECORD_NOT_FOUND)
    return found


def refuse_foreign(call: Call, project: str) -> None:
    """Refuse what belongs to another project (code 4)."""
    if project != call.project.code:
        raise Refusal("无权限访问", code=NO_PERMISSION)


_COMMENT = re.compile(r"<!--.*?(?:-->|$)", re.DOTALL)
_TAG = re.compile(r"<(/?)([^<>\s]+)([^<>]*)>")
_LISTED = {
    "a", "abbr", "address", "area", "article", "aside", "audio", "b", "bdi", "bdo", "big", "blockquote", "br",
    "caption", "center", "cite", "code", "col", "colgroup", "dd", "del", "details", "div", "dl", "dt", "em",
    "font", "footer", "h1", "h2", "h3", "h4", "h5", "h6", "header", "hr", "i", "img", "ins", "li", "mark",
    "nav", "ol", "p", "pre", "s", "section", "small", "span", "sub", "sup", "strong", "table", "tbody", "td",
    "tfoot", "th", "thead", "tr", "tt", "u", "ul", "video",
}  # fmt: skip
"""The tags that go-xss leaves (its default white list)."""


def filter_html(text: str) -> str:
    """Return the text as BCS stores a description: comments go, tags that go-xss does not list are escaped.

    A `<` or `>` that makes no tag stays. What may stand inside a listed tag is not emulated.
    """
    return _TAG.sub(_escape_unlisted, _COMMENT.sub("", text))


def _escape_unlisted(tag: re.Match[str]) -> str:
    if tag.group(2).rstrip("/").lower() in _LISTED:
        return tag.group()
    return f"&lt;{tag.group()[1:-1]}&gt;"


def render_mode_of(wanted: str) -> str:
    """Return the render mode; whatever is not Helm is Simple (pkg/resource/constants/common.go)."""
    return "Helm" if wanted == "Helm" else "Simple"


def parse_template_name(name: str, *, dialect: Dialect) -> tuple[str, str]:
    """Return space and file name as the dialect reads them; the space is empty where it names none."""
    if not dialect.names_hold_space:
        return "", name
    return _parse_tidied(name) if dialect.tidies_names else _parse_parts(name)


def _parse_tidied(name: str) -> tuple[str, str]:
    """Return both; only folders are looked at (alpha.119 pkg/action/template/template.go)."""
    parts = re.sub(r"/+", "/", name.strip("/")).split("/")
    if len(parts) == 1:
        raise Refusal("无效的模板文件路径名称", code=VALIDATION)
    if any(re.search(PART_UNTIL_121, folder) is None for folder in parts[:-1]):
        raise Refusal("文件夹名称仅支持字母、数字、_ 和 -", code=VALIDATION)
    return parts[0], "/".join(parts[1:])


def _parse_parts(name: str) -> tuple[str, str]:
    """Return both; each part loses trailing blanks and dots (pkg/util/stringx/string.go)."""
    if name.startswith("/") or name.endswith("/") or "//" in name:
        raise Refusal("文件路径不能以 / 开头或结尾，也不能包含连续的 //", code=VALIDATION)
    parts = [part.rstrip(" .") for part in name.split("/")]
    if len(parts) == 1:
        raise Refusal("无效的模板文件路径名称", code=VALIDATION)
    for part in parts:
        if not part:
            raise Refusal("文件夹或者文件名称不能为空", code=VALIDATION)
        if re.search(PART, part) is None:
            raise Refusal('文件夹或者文件名称不能包含字符：\\/:*?"<>|', code=VALIDATION)
    return parts[0], "/".join(parts[1:])
