"""What a desk prints of itself: the schema of values, and a script that completes words in bash and zsh."""

from __future__ import annotations

import json
import sys
from collections.abc import Iterable, Mapping
from pkgutil import get_data
from typing import Union, cast

from bcs_template_set.messages import Language
from bcs_template_set.system.stdout import put

Node = Union[str, "dict[str, Node]"]
"""What of a schema is looked at; lists and numbers are passed over."""


def show_schema(name: str, *, language: Language) -> int:
    """Print the schema; return 0."""
    put(sys.stdout, json.dumps(schema_of(name, language), indent=2, ensure_ascii=False) + "\n")
    return 0


def schema_of(name: str, language: Language) -> dict[str, Node]:
    """Return the schema; its texts are written in English, and those of other languages lie beside it."""
    folder = name.partition(":")[2]
    schema: dict[str, Node] = json.loads(_file(f"{folder}/values.schema.json"))
    if language == "zh_CN":
        texts: Mapping[str, Mapping[str, str]] = json.loads(_file(f"{folder}/values.zh-CN.json"))
        for pointer, words in texts.items():
            _node_at(schema, pointer).update(words)
    return schema


def _file(name: str) -> bytes:
    return get_data("bcs_template_set.templates", name) or b""


def _node_at(schema: dict[str, Node], pointer: str) -> dict[str, Node]:
    node = schema
    for name in [part for part in pointer.split("/") if part]:
        node = cast("dict[str, Node]", node[name])
    return node


_SCRIPT = """\
[ -n "$ZSH_VERSION" ] && autoload -U +X bashcompinit && bashcompinit
_{name}() {{
  local words="{verbs}"
  if [ "$COMP_CWORD" -gt 1 ]; then
    case "${{COMP_WORDS[1]}}" in
{cases}
    esac
    COMPREPLY=($(compgen -f -W "$words" -- "${{COMP_WORDS[COMP_CWORD]}}"))
  else
    COMPREPLY=($(compgen -W "$words" -- "${{COMP_WORDS[COMP_CWORD]}}"))
  fi
}}
complete -o filenames -F _{name} {program}
"""


def completion_script(program: str, options: Mapping[str, Iterable[str]]) -> str:
    """Return the script for a program whose verbs take these options."""
    cases = "\n".join(f'      {verb}) words="{" ".join(sorted(set(of)))}" ;;' for verb, of in options.items())
    return _SCRIPT.format(
        name=program.replace("-", "_"), program=program, verbs=" ".join(options), cases=cases
    )
