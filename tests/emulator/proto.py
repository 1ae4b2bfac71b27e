"""The request messages of cluster-resources: their fields, and what BCS's validators refuse. Performs no I/O.

Read from proto/cluster-resources/cluster-resources.proto (2026-07). grpc-gateway ignores unknown fields; a
field of the wrong type is HTTP 400 with code 3; a refused one is HTTP 200 with code 1 and the sentence of
protoc-gen-validate, which stops at the first field in the order of the message.
"""

from __future__ import annotations

import json
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from typing import Optional, Union

from tests.emulator.dialect import Dialect

TemplateIDs = list[dict[str, str]]
Value = Union[str, bool, int, list[str], dict[str, str], TemplateIDs]

VERSION_MODES = ("LatestUpdateTime", "SpecifyVersion")


class Malformed(Exception):
    """The body is not JSON, or a field has the wrong type."""


@dataclass(frozen=True)
class Field:
    """One field: its kind, and the rule of its validator (lengths are in characters).

    `between` is a rule that names its lower bound though that is nought.
    """

    kind: str = "string"
    low: int = 0
    high: Optional[int] = None
    exact: Optional[int] = None
    between: bool = False
    pattern: str = ""
    choices: tuple[str, ...] = ()


_CODE = Field(low=1, high=32)
_NAME = Field(low=1, high=64)
_ID = Field(exact=24)
_TEXT = Field()
_TEXTS = Field(kind="strings")
_FLAG = Field(kind="bool")
_CLUSTER = Field(low=13, high=14)
_PROJECT_ID = Field(pattern=r"^[0-9a-f]{32}$")
_NAMESPACE = Field(high=63, pattern=r"^[0-9a-zA-Z-]*$")
_OBJECT_NAME = r"[a-z0-9]([-a-z0-9]*[a-z0-9])?(.[a-z0-9]([-a-z0-9]*[a-z0-9])?)*"

_NAME_OF_DEFINITION = Field(high=253)
_CUSTOM_OBJECT = {
    "projectID": _PROJECT_ID,
    "clusterID": _CLUSTER,
    "CRDName": _NAME_OF_DEFINITION,
    "cobjName": Field(high=253),
    "namespace": _NAMESPACE,
    "format": _TEXT,
}
_TEMPLATE_ID = {"templateSpace": _NAME, "templateName": _NAME, "version": _NAME}
_DRAFT = {"draftVersion": _TEXT, "draftContent": _TEXT, "draftEditFormat": _TEXT, "renderMode": _TEXT}

MESSAGES: Mapping[str, Mapping[str, Field]] = {
    "GetTemplateSpaceReq": {"id": _ID, "projectCode": _CODE},
    "DeleteTemplateSpaceReq": {"id": _ID, "projectCode": _CODE},
    "ListTemplateSpaceReq": {"projectCode": _CODE, "name": _TEXT, "tags": _TEXTS},
    "CreateTemplateSpaceReq": {
        "projectCode": _CODE,
        "name": _NAME,
        "description": _TEXT,
        "tags": _TEXTS,
    },
    "GetTemplateMetadataReq": {"id": _ID, "projectCode": _CODE},
    "DeleteTemplateMetadataReq": {"id": _ID, "projectCode": _CODE},
    "ListTemplateMetadataReq": {"projectCode": _CODE, "templateSpaceID": _NAME},
    "v1.29 ListTemplateMetadataReq": {"projectCode": _CODE, "templateSpace": _NAME},
    "v1.29 CreateTemplateMetadataReq": {"projectCode": _CODE, "name": _NAME, "templateSpace": _NAME},
    "ListTemplateMetadataVersionsReq": {"projectCode": _CODE, "templateSpaceID": _ID},
    "CreateTemplateMetadataReq": {
        "projectCode": _CODE,
        "name": _NAME,
        "description": _TEXT,
        "templateSpaceID": Field(high=64, between=True),
        "tags": _TEXTS,
        "versionDescription": _TEXT,
        "version": _TEXT,
        "content": _TEXT,
        "editFormat": _TEXT,
        "isDraft": _FLAG,
        **_DRAFT,
    },
    "UpdateTemplateMetadataReq": {
        "id": _ID,
        "projectCode": _CODE,
        "name": _NAME,
        "description": _TEXT,
        "tags": _TEXTS,
        "version": _TEXT,
        "versionMode": Field(kind="version-mode"),
        "isDraft": _FLAG,
        **_DRAFT,
    },
    "GetTemplateVersionReq": {"id": _ID, "projectCode": _CODE},
    "DeleteTemplateVersionReq": {"id": _ID, "projectCode": _CODE},
    "GetTemplateContentReq": {"projectCode": _NAME, **_TEMPLATE_ID},
    "ListTemplateVersionReq": {"projectCode": _CODE, "templateID": _NAME},
    "CreateTemplateVersionReq": {
        "projectCode": _CODE,
        "description": _TEXT,
        "version": _NAME,
        "editFormat": _TEXT,
        "content": _TEXT,
        "templateID": _NAME,
        "force": _FLAG,
        "renderMode": _TEXT,
    },
    "CreateTemplateSetReq": {
        "name": _NAME,
        "description": _TEXT,
        "projectCode": _CODE,
        "version": _NAME,
        "category": _NAME,
        "keywords": _TEXTS,
        "readme": _TEXT,
        "templates": Field(kind="templates"),
        "values": _TEXT,
        "force": _FLAG,
    },
    "ListTemplateFileVariablesReq": {
        "projectCode": _CODE,
        "templateVersions": _TEXTS,
        "clusterID": _CLUSTER,
        "namespace": _NAME,
    },
    "DeployTemplateFileReq": {
        "projectCode": _CODE,
        "templateVersions": _TEXTS,
        "variables": Field(kind="map"),
        "clusterID": _CLUSTER,
        "namespace": _NAME,
        "values": _TEXT,
    },
    "ListEnvManagesReq": {"projectCode": _CODE},
    "ResListReq": {
        "projectID": _PROJECT_ID,
        "clusterID": _CLUSTER,
        "namespace": _NAMESPACE,
        "labelSelector": Field(high=2048),
        "apiVersion": Field(high=63),
        "ownerName": Field(high=256),
        "ownerKind": Field(high=64),
        "format": Field(choices=("", "manifest", "selectItems")),
        "scene": Field(high=32),
    },
    "ResDeleteReq": {
        "projectID": _PROJECT_ID,
        "clusterID": _CLUSTER,
        "namespace": _NAMESPACE,
        "name": Field(high=253, pattern=_OBJECT_NAME),
    },
    "GetResHistoryReq": {
        "projectID": _PROJECT_ID,
        "clusterID": _CLUSTER,
        "namespace": _NAMESPACE,
        "name": Field(high=253, pattern=_OBJECT_NAME),
    },
    "NSListReq": {"projectID": _PROJECT_ID, "clusterID": _CLUSTER},
    "CRDGetReq": {"projectID": _PROJECT_ID, "clusterID": _CLUSTER, "CRDName": _NAME_OF_DEFINITION},
    "CObjListReq": {
        "projectID": _PROJECT_ID,
        "clusterID": _CLUSTER,
        "CRDName": _NAME_OF_DEFINITION,
        "namespace": _NAMESPACE,
        "format": _TEXT,
    },
    "CObjGetReq": _CUSTOM_OBJECT,
    "CObjDeleteReq": _CUSTOM_OBJECT,
    "ResGetReq": {
        "projectID": _PROJECT_ID,
        "clusterID": _CLUSTER,
        "namespace": _NAMESPACE,
        "name": Field(high=253, pattern=_OBJECT_NAME),
        "apiVersion": Field(high=63),
        "format": Field(choices=("", "manifest", "formData")),
    },
}


@dataclass(frozen=True)
class Message:
    """A parsed request message; what was left out has its zero value, as in protobuf."""

    name: str
    values: Mapping[str, Value]

    def text(self, field: str) -> str:
        """Return a string field."""
        value = self.values.get(field, "")
        return value if isinstance(value, str) else ""

    def flag(self, field: str) -> bool:
        """Return a boolean field."""
        return self.values.get(field) is True

    def number(self, field: str) -> int:
        """Return an enum field as its number."""
        value = self.values.get(field, 0)
        return value if isinstance(value, int) else 0

    def texts(self, field: str) -> list[str]:
        """Return a repeated string field."""
        value = self.values.get(field, [])
        return [item for item in value if isinstance(item, str)] if isinstance(value, list) else []

    def mapping(self, field: str) -> dict[str, str]:
        """Return a field that maps strings to strings."""
        value = self.values.get(field, {})
        return dict(value) if isinstance(value, dict) else {}

    def templates(self) -> TemplateIDs:
        """Return the `templates` of a template set."""
        value = self.values.get("templates", [])
        return [item for item in value if isinstance(item, dict)] if isinstance(value, list) else []


def fields_of(name: str, dialect: Dialect) -> Mapping[str, Field]:
    """Return a message's fields as that dialect defines them."""
    fields = dict(MESSAGES[name])
    if "projectCode" in fields and fields["projectCode"] == _CODE:
        fields["projectCode"] = replace(_CODE, high=dialect.longest_project)
    if "projectID" in fields and not dialect.hex_projects:
        fields["projectID"] = _NAME
    if name == "CreateTemplateSpaceReq":
        fields["name"] = replace(_NAME, pattern=dialect.space_pattern)
    return fields


def parse_message(
    name: str, *, body: object, query: tuple[tuple[str, str], ...], path: Mapping[str, str]
) -> Message:
    """Return the message out of body or query; the path's fields win. Raises Malformed."""
    fields = MESSAGES[name]
    values: dict[str, Value] = {}
    if body is not None and not isinstance(body, dict):
        raise Malformed("json: cannot unmarshal into Go value of type map[string]json.RawMessage")
    for key, value in (body or {}).items():
        if key in fields and value is not None:
            values[key] = _decode(value, kind=fields[key].kind)
    for key, text in query:
        _add_query(values, fields, key, text)
    values.update(path)
    return Message(name=name, values=values)


def refuse(message: Message, *, dialect: Dialect) -> str | None:
    """Return the validator's sentence about the first refused field, None where all are taken."""
    for name, field in fields_of(message.name, dialect).items():
        reason = _refuse_templates(message) if field.kind == "templates" else None
        if field.kind == "string":
            reason = _refuse_text(message.text(name), field)
        if reason is not None:
            return f"invalid {message.name.rpartition(' ')[2]}.{_go_name(name)}{_separator(reason)}{reason}"
    return None


def _separator(reason: str) -> str:
    return "" if reason.startswith("[") else ": "


def _refuse_text(text: str, field: Field) -> str | None:
    if field.exact is not None and len(text) != field.exact:
        return f"value length must be {field.exact} runes"
    if field.high is not None and not (field.low or field.between) and len(text) > field.high:
        return f"value length must be at most {field.high} runes"
    if field.high is not None and not field.low <= len(text) <= field.high:
        return f"value length must be between {field.low} and {field.high} runes, inclusive"
    if field.pattern and re.search(field.pattern, text) is None:
        return f"value does not match regex pattern {json.dumps(field.pattern)}"
    if field.choices and text not in field.choices:
        return f"value must be in list [{' '.join(field.choices)}]"
    return None


def _refuse_templates(message: Message) -> str | None:
    for index, template in enumerate(message.templates()):
        for name, field in _TEMPLATE_ID.items():
            reason = _refuse_text(template.get(name, ""), field)
            if reason is not None:
                inner = f"invalid TemplateID.{_go_name(name)}: {reason}"
                return f"[{index}]: embedded message failed validation | caused by: {inner}"
    return None


def _go_name(name: str) -> str:
    return name[:1].upper() + name[1:]


def _add_query(values: dict[str, Value], fields: Mapping[str, Field], key: str, text: str) -> None:
    field = fields.get(key)
    if field is None:
        return
    if field.kind == "strings":
        earlier = values.get(key, [])
        values[key] = (
            [*(i for i in earlier if isinstance(i, str)), text] if isinstance(earlier, list) else [text]
        )
    elif field.kind == "string":
        values[key] = text


def _decode(value: object, *, kind: str) -> Value:
    if kind == "string" and isinstance(value, str):
        return value
    if kind == "bool" and isinstance(value, bool):
        return value
    if kind == "strings" and isinstance(value, list) and all(isinstance(item, str) for item in value):
        return list(value)
    if kind == "map" and isinstance(value, dict) and all(isinstance(item, str) for item in value.values()):
        return dict(value)
    if kind == "templates" and isinstance(value, list):
        return [_decode_template(item) for item in value]
    if kind == "version-mode":
        return _decode_version_mode(value)
    wanted = {"strings": "string", "map": "string", "templates": "TemplateID"}.get(kind, kind)
    raise Malformed(
        f"json: cannot unmarshal {_json_type(_first_wrong(value))} into Go value of type {wanted}"
    )


def _first_wrong(value: object) -> object:
    """Return what is of the wrong type: inside a list or mapping of texts the first that is no text."""
    inside = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return next((item for item in inside if not isinstance(item, str)), value)


def _json_type(value: object) -> str:
    names = {bool: "bool", int: "number", float: "number", str: "string", list: "array", dict: "object"}
    return names.get(type(value), "null")


def _decode_template(value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise Malformed("json: cannot unmarshal into Go value of type TemplateID")
    known = {key: item for key, item in value.items() if key in _TEMPLATE_ID and item is not None}
    if not all(isinstance(item, str) for item in known.values()):
        raise Malformed("json: cannot unmarshal into Go value of type string")
    return known


def _decode_version_mode(value: object) -> int:
    if isinstance(value, int) and not isinstance(value, bool):
        return value
    if isinstance(value, str) and value in VERSION_MODES:
        return VERSION_MODES.index(value)
    shown = json.dumps(json.dumps(value))
    raise Malformed(f"unknown value {shown} for enum clusterresources.VersionMode")
