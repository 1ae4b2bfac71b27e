"""The two documents that people read first, and how to find their way in them. Performs no I/O but reading.

A heading is known by its part, whatever the language; what stands in a fence is no heading.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from tests.packaging.store_files import PROJECT
from tests.packaging.tables import table_rows

from bcs_template_set.messages import Language

_FENCE = re.compile(r"^```(?P<kind>\w*)\n(?P<text>.*?)^```$", re.MULTILINE | re.DOTALL)


@dataclass(frozen=True)
class Document:
    """One document: where it is, its language, its headings, and how its tables say "nothing"."""

    path: Path
    language: Language
    headings: Mapping[str, str]
    required: str
    none: str
    pipelines_project: str
    waiting: Mapping[str, str]

    @property
    def text(self) -> str:
        """Return the whole document."""
        return self.path.read_text(encoding="utf-8")

    def rows(self, part: str) -> list[list[str]]:
        """Return the rows of the first table of a part, without head and backquotes."""
        return table_rows(self.text, under=self.headings[part])

    def names(self, part: str) -> list[str]:
        """Return the first column of the first table of a part."""
        return [row[0] for row in self.rows(part)]

    def defaults(self, part: str) -> list[tuple[str, str]]:
        """Return the first two columns: a name and its default."""
        return [(row[0], row[1]) for row in self.rows(part)]

    def fences(self, part: str, *, kind: str) -> list[str]:
        """Return what the fences of a kind hold, in a part up to the next heading."""
        _, *rest = re.split(
            rf"^#+ {re.escape(self.headings[part])}$", self.text, maxsplit=1, flags=re.MULTILINE
        )
        assert rest, f"{self.path.name} has no heading {self.headings[part]!r}"
        section = re.split(r"^#{2,} ", rest[0], maxsplit=1, flags=re.MULTILINE)[0]
        return fences_of(section, kind=kind)

    def waits(self, patience: str) -> str:
        """Return a patience in words: `never`, `crashes`, `timeout`, or a number of seconds."""
        return self.waiting.get(patience) or self.waiting["seconds"].format(patience)

    def without_fences(self) -> str:
        """Return the document without what stands in fences."""
        return without_fences(self.text)


def without_fences(text: str) -> str:
    """Return a document without what stands in fences."""
    return _FENCE.sub("", text)


def fences_of(text: str, *, kind: str) -> list[str]:
    """Return what the fences of a kind hold, in order."""
    return [match["text"] for match in _FENCE.finditer(text) if match["kind"] == kind]


def headings_of(path: Path) -> list[str]:
    """Return the headings of a document with their `#`, in order."""
    return re.findall(r"^#+ .+$", without_fences(path.read_text(encoding="utf-8")), re.MULTILINE)


def broken_links(path: Path) -> list[str]:
    """Return the links of a document that lead to no file of the project, or to no heading of one."""
    links = re.findall(r"\]\(([^)\s]+)\)", without_fences(path.read_text(encoding="utf-8")))
    assert links, f"{path.name} has no links"
    return [link for link in links if not _leads_somewhere(link, path)]


def _leads_somewhere(link: str, document: Path) -> bool:
    file, _, anchor = link.partition("#")
    target = (document.parent / file).resolve() if file else document
    if not target.is_file():
        return False
    return not anchor or anchor in {_anchor(heading) for heading in headings_of(target)}


def _anchor(heading: str) -> str:
    """Return the anchor that GitHub gives a heading: lower case, spaces to dashes, no punctuation."""
    words = heading.lstrip("#").strip().lower()
    return re.sub(r"[^\w\- ]", "", words).replace(" ", "-")


ENGLISH_README = Document(
    path=PROJECT / "README.md",
    language="en_US",
    headings={
        "form": "1. The form",
        "values file": "2. The values file",
        "log": "3. The log",
        "desk": "5. At your own desk",
        "inputs": "Inputs",
        "names": "Names in every template",
        "web": "The run",
        "domain": "A domain",
        "volume": "A volume",
        "probe": "A probe",
        "checks": "Checks",
        "outputs": "Outputs",
        "private settings": "Private settings",
        "permissions": "Permissions",
        "modules": "Carrying the code on",
        "causes": "Causes",
        "deploying": "Deploying",
    },
    required="(required)",
    none="none",
    pipelines_project="the pipeline's project",
    waiting={"never": "no", "crashes": "3 restarts", "timeout": "timeout", "seconds": "{} s"},
)

CHINESE_README = Document(
    path=PROJECT / "docs" / "README.zh-CN.md",
    language="zh_CN",
    headings={
        "form": "1. 表单",
        "values file": "2. 变量值文件",
        "log": "3. 日志",
        "desk": "5. 在自己的电脑上",
        "inputs": "输入",
        "names": "模板中可用的名字",
        "web": "整次运行",
        "domain": "域名",
        "volume": "卷",
        "probe": "探针",
        "checks": "检查",
        "outputs": "输出",
        "private settings": "私有配置",
        "permissions": "权限",
        "causes": "部署失败的原因",
        "deploying": "部署",
    },
    required="（必填）",
    none="无",
    pipelines_project="流水线所在的项目",
    waiting={"never": "不等待", "crashes": "重启 3 次", "timeout": "到 timeout", "seconds": "{} 秒"},
)

DOCUMENTS = (ENGLISH_README, CHINESE_README)
