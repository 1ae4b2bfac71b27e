"""The language of a desk, and how its help is broken into lines.

Imports next to nothing: a mistyped verb must not wait.
"""

from __future__ import annotations

import argparse
import locale
import os
import re

from bcs_template_set.messages import Language


def local_language() -> Language:
    """Return the language of the desk: BK-CI's variable first, then the locale's, as POSIX orders them.

    Read from the variables: `locale` knows only the locales that are installed. English if in doubt.
    """
    names = ("BK_CI_LOCALE_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
    known = [os.environ[name] for name in names if os.environ.get(name)] or [locale.getlocale()[0] or ""]
    return "zh_CN" if known[0].lower().startswith(("zh", "chinese")) else "en_US"


class HelpLines(argparse.HelpFormatter):
    """Breaks lines between the characters of Chinese, which are two columns wide, and never within a word."""

    def _split_lines(self, text: str, width: int) -> list[str]:
        lines = [""]
        for word in re.findall(r"(?:[!-~]+ ?|.)[，。；：、）”]*", text):
            if sum(1 if mark.isascii() else 2 for mark in lines[-1] + word.rstrip()) > width:
                lines.append("")
            lines[-1] += word
        return [line.rstrip() for line in lines]

    def _fill_text(self, text: str, width: int, indent: str) -> str:
        return "\n".join(indent + line for line in self._split_lines(text, width))
