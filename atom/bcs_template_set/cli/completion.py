"""`bcs-template-set completion`: a script that completes verbs, options and files in bash and zsh. Pure."""

from __future__ import annotations

from collections.abc import Iterable, Mapping

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
