"""How the help of the command is broken into lines. Pure: performs no I/O."""

from __future__ import annotations

import argparse
import re


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
