"""Inputs that name files -> files inside the workspace, and their text. The only reader of files here.

A line is a workspace-relative path or a glob (`*`, `?`, `[…]`, `**`). Globs enter neither hidden nor
linked directories, and no other way reads what is hidden: the checkout's token lies in `.git`. A link is
followed as long as what it leads to is inside the workspace, and not hidden.
"""

from __future__ import annotations

import errno
import os
import re
import stat
from collections.abc import Iterator, Sequence
from itertools import count, islice
from pathlib import Path, PurePosixPath
from typing import NamedTuple

from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import LimitExceeded
from bcs_template_set.messages.spelling import MOST_KNOWN, with_nearest

LARGEST_FILE = 2 * 2**20
MOST_FILES = 5000
MOST_VISITED = 200_000
FULL_GLOBS = 10
"""All globs of a run together may look at as many files as so many of them could."""

LONGEST_GLOB = 4096
"""Characters; no path is longer on Linux."""
BUILTIN = "builtin:"
_WILDCARDS = re.compile(r"[*?\[]")
_TEMPLATE_SUFFIX = ".j2"
_PIECES = re.compile(r"\*+|\?|\[(?:[!^][^\]]+|[^\]!^][^\]]*)\]|.", re.DOTALL)


class TemplateSource(NamedTuple):
    """A template file: the name of its manifest, and its path relative to the workspace, with slashes."""

    name: str
    path: str


class FileUnusable(Exception):
    """A file can't be used; `problem` is the sentence, naming it."""

    def __init__(self, problem: Text) -> None:
        self.problem = problem


def no_files(path: str) -> str:
    """Read no file at all: what is handed to templates that may include none.

    Raises:
        FileUnusable: always.
    """
    raise FileUnusable(say("render.file_missing", path=path))


class Workspace:
    """The directory that every named file has to be in."""

    def __init__(self, root: Path, *, most_visited: int = MOST_VISITED) -> None:
        self.root = root
        self._most_visited = most_visited
        self._compared, self._most_compared = 0, FULL_GLOBS * most_visited
        self._real = Path(os.path.realpath(root))

    def read_text(self, path: str) -> str:
        """Return the text of a workspace-relative file.

        Raises:
            FileUnusable: missing, outside, hidden, no plain file, too large, binary, or not UTF-8.
        """
        real = self.locate(path)
        try:
            with real.open("rb") as file:
                data = file.read(LARGEST_FILE + 1)
        except OSError as exc:
            raise FileUnusable(say("render.file_os_error", path=path, problem=exc.strerror)) from exc
        if len(data) > LARGEST_FILE:
            limit = say("render.mebibytes", number=LARGEST_FILE // 2**20)
            raise FileUnusable(say("render.file_large", path=path, limit=limit))
        return decode(data, path=path)

    def locate(self, path: str) -> Path:
        """Return where a workspace-relative plain file really is.

        Raises:
            FileUnusable: it is missing, outside the workspace, hidden, a directory or no plain file.
        """
        if not _is_relative(path):
            raise FileUnusable(say("render.file_not_relative", path=path))
        try:
            return self._locate(path)
        except (OSError, RuntimeError, ValueError) as exc:
            problem = getattr(exc, "strerror", None) or str(exc)
            raise FileUnusable(say("render.file_os_error", path=path, problem=problem)) from exc

    def _beside(self, path: str) -> list[str]:
        """Return the files of the directory that a path leads to, as paths of the workspace."""
        folder = path.rpartition("/")[0]
        try:
            with os.scandir(self.root / folder) as entries:
                names = [entry.name for entry in islice(entries, MOST_KNOWN)]
        except OSError:
            return []
        return [f"{folder}/{name}" if folder else name for name in sorted(names) if not name.startswith(".")]

    def _locate(self, path: str) -> Path:
        given = self.root / path
        real = Path(os.path.realpath(given))
        if not real.is_relative_to(self._real):
            raise FileUnusable(say("render.file_outside", path=path))
        self._refuse_hidden(path, real)
        if not real.exists():
            if given.is_symlink():
                raise FileUnusable(say("render.file_dangling", path=path))
            missing = say("render.file_not_here", path=path, root=self.root)
            raise FileUnusable(with_nearest(missing, path, self._beside(path)))
        mode = real.stat().st_mode
        if stat.S_ISDIR(mode):
            raise FileUnusable(say("render.file_directory", path=path))
        if not stat.S_ISREG(mode):
            raise FileUnusable(say("render.file_special", path=path))
        return real

    def _refuse_hidden(self, path: str, real: Path) -> None:
        """Refuse a path with a part that begins with a dot, as it is given or where its links lead."""
        parts = (*path.split("/"), *real.relative_to(self._real).parts)
        if any(part.startswith(".") and part != "." for part in parts):
            raise FileUnusable(say("render.file_hidden", path=path))

    def match(self, pattern: str) -> tuple[str, list[str]]:
        """Return a glob's base, the part before its first wildcard, and the files it matches, sorted.

        Raises:
            FileUnusable: the base is outside the workspace, something is hidden, or nothing matches.
        """
        if len(pattern) > LONGEST_GLOB:
            problem = os.strerror(errno.ENAMETOOLONG)
            raise FileUnusable(say("render.file_os_error", path=f"{pattern[:80]}…", problem=problem))
        base, rest = split_pattern(pattern)
        if not _is_relative(pattern) or ".." in PurePosixPath(rest).parts:
            raise FileUnusable(say("render.file_not_relative", path=pattern))
        top = Path(os.path.realpath(self.root / base))
        if not top.is_relative_to(self._real):
            raise FileUnusable(say("render.file_outside", path=pattern))
        self._refuse_hidden(pattern, top)
        try:
            wanted = pattern_regex(rest)
        except re.error as exc:
            raise FileUnusable(say("render.glob_wrong", path=pattern, problem=exc.msg)) from exc
        found = sorted(path for path in self._files_below(top) if self._fits(wanted, path))
        if not found:
            raise FileUnusable(say("render.glob_empty", path=pattern))
        return base, [f"{base}/{path}" if base else path for path in found]

    def _fits(self, wanted: re.Pattern[str], path: str) -> bool:
        self._compared += 1
        if self._compared > self._most_compared:
            raise LimitExceeded(what=say("render.limit_visited"), limit=self._most_compared)
        return wanted.fullmatch(path) is not None

    def _files_below(self, top: Path) -> Iterator[str]:
        visited = 0
        for folder, folders, files in os.walk(top):
            folders[:] = sorted(name for name in folders if not name.startswith("."))
            prefix = Path(folder).relative_to(top).as_posix()
            visited += len(files)
            if visited > self._most_visited:
                raise LimitExceeded(what=say("render.limit_visited"), limit=self._most_visited)
            for name in files:
                if not name.startswith("."):
                    yield name if prefix == "." else f"{prefix}/{name}"


def resolve_templates(
    workspace: Workspace, lines: Sequence[str], *, builtins: Sequence[str], problems: list[Text]
) -> tuple[list[str], list[TemplateSource]]:
    """Return the names of the built-in templates and the template files that lines ask for.

    A line's file gives its base name, a glob's file the path below the glob's base, without `.j2`. What is
    wrong is added to `problems`: one sentence a line, and one for each name that two files have.
    """
    chosen: list[str] = []
    sources: dict[str, TemplateSource] = {}
    for line in lines:
        if line.startswith(BUILTIN):
            name = line[len(BUILTIN) :]
            if name in builtins:
                chosen.append(name)
            else:
                known = [BUILTIN + known for known in builtins]
                problems.append(say("render.builtin_unknown", name=line, known=known))
            continue
        for source in _resolve_line(workspace, line, problems=problems):
            taken = sources.setdefault(source.name, source)
            if taken.path != source.path:
                problems.append(
                    say("render.name_twice", name=source.name, first=taken.path, second=source.path)
                )
    if len(sources) > MOST_FILES:
        raise LimitExceeded(what=say("render.limit_files", number=len(sources)), limit=MOST_FILES)
    return list(dict.fromkeys(chosen)), sorted(sources.values(), key=lambda source: source.name)


def _resolve_line(workspace: Workspace, line: str, *, problems: list[Text]) -> list[TemplateSource]:
    try:
        if not _WILDCARDS.search(line):
            workspace.locate(line)
            path = os.path.normpath(line).replace(os.sep, "/")
            return [TemplateSource(name=manifest_name(path.rpartition("/")[2]), path=path)]
        base, paths = workspace.match(line)
    except FileUnusable as exc:
        problems.append(exc.problem)
        return []
    return [TemplateSource(name=manifest_name(path[len(base) :].lstrip("/")), path=path) for path in paths]


def manifest_name(path: str) -> str:
    """Return a template's path as a manifest's name: `.j2` is dropped."""
    return path.removesuffix(_TEMPLATE_SUFFIX)


def _is_relative(path: str) -> bool:
    return path.isprintable() and not path.startswith("/") and "\\" not in path


def split_pattern(pattern: str) -> tuple[str, str]:
    """Return the directories before a glob's first wildcard, and the rest."""
    parts = [part for part in pattern.split("/") if part not in ("", ".")]
    first = next(index for index, part in enumerate(parts) if _WILDCARDS.search(part))
    return "/".join(parts[:first]), "/".join(parts[first:])


def pattern_regex(pattern: str) -> re.Pattern[str]:
    """Return the regular expression of a glob: `**` is any directories, `*` stays within a name.

    Of every star but the last the shortest match is taken for good, so that no glob takes long.
    """
    parts = pattern.split("/")
    if parts[-1] == "**":
        parts.append("*")
    groups = count()
    segments = ["**" if part == "**" else _part_regex(part, groups=groups) for part in parts]
    written = _spread(_runs(segments, star="**"), gap="(?:[^/]+/)*", groups=groups)
    return re.compile(written[: -len("/")], re.DOTALL)


def _part_regex(part: str, *, groups: Iterator[int]) -> str:
    """Return the expression of one path segment, with the slash after it."""
    pieces = ["*" if piece.startswith("*") else _piece_regex(piece) for piece in _PIECES.findall(part)]
    return _spread(_runs([*pieces, "/"], star="*"), gap="[^/]*", groups=groups)


def _runs(expressions: Sequence[str], *, star: str) -> list[str]:
    """Return what stands before, between and behind the stars."""
    runs = [""]
    for expression in expressions:
        if expression == star:
            runs.append("")
        else:
            runs[-1] += expression
    return runs


def _spread(runs: Sequence[str], *, gap: str, groups: Iterator[int]) -> str:
    """Return the runs with gaps between them.

    A group in a lookahead is never gone back into (as in Python's own fnmatch).
    """
    if len(runs) == 1:
        return runs[0]
    inner = "".join(f"(?=(?P<g{n}>{gap}?{run}))(?P=g{n})" for n, run in zip(groups, runs[1:-1]))
    return runs[0] + inner + gap + runs[-1]


def _piece_regex(piece: str) -> str:
    if piece == "?":
        return "[^/]"
    if len(piece) > 1:
        negated = piece[1] in "!^"
        inside = piece[2:-1] if negated else piece[1:-1]
        # A range keeps its "-"; everything else in the brackets is itself.
        safe = re.sub(r"([\\\]\[^&~|]|(?<=-)-)", r"\\\1", inside)
        return f"[^/{safe}]" if negated else f"(?!/)[{safe}]"
    return re.escape(piece)


def decode(data: bytes, *, path: str) -> str:
    """Return the text of a file: UTF-8, with or without a byte order mark, without NULs.

    Raises:
        FileUnusable: another encoding, or a binary file.
    """
    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        raise FileUnusable(say("render.file_utf16", path=path))
    if b"\0" in data:
        raise FileUnusable(say("render.file_binary", path=path))
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as exc:
        line = data.count(b"\n", 0, exc.start) + 1
        byte = f"0x{data[exc.start]:02X}"
        raise FileUnusable(say("render.file_not_utf8", path=path, line=line, byte=byte)) from exc
