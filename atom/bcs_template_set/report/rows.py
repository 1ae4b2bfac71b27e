"""What a person looks at: one row a domain of `builtin:web`, one a file otherwise. Pure: performs no I/O.

Log, HTML page and the output `versions` tell the same rows, so they can't disagree.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Collection, Iterable, Sequence
from collections.abc import Set as AbstractSet
from itertools import takewhile
from typing import Optional, TypeVar

from bcs_template_set.manifests.route_changes import told_change
from bcs_template_set.manifests.routes import RouteKey
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.step_error import Detail, first_names
from bcs_template_set.messages.text import shorten, width
from bcs_template_set.publish.file_outcome import FileOutcome, Word
from bcs_template_set.publish.plan import Change, Plan
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.report.file_states import QUIET, STATES, Ending, ending_of_row, endings_of
from bcs_template_set.report.outcome import Outcome

_T = TypeVar("_T")

WORDS: tuple[Word, ...] = ("failed", "conflict", "update", "create", "rollback", "skip", "unchanged")
"""Every word, in the order a person needs to see them."""

_PLANNED = Ending("planned")
_NAME_COLUMNS = 24
_VERSION_COLUMNS = 40
_DIGEST_COLUMNS = len("@sha256:") + 12
_USUAL_TYPE = "Prefix"
_TO_DO: tuple[Word, ...] = ("create", "update", "rollback")
_LOUD: tuple[Word, ...] = ("failed", "conflict", "skip")


@dataclass(frozen=True)
class FileRow:
    """One template file: its planned change, and how that ended where it was tried.

    `live` are the versions that its objects carry after the run, as far as they were read.
    """

    change: Change
    outcome: Optional[FileOutcome] = None
    ending: Ending = _PLANNED
    live: tuple[str, ...] = ()

    @property
    def name(self) -> str:
        """Return the file's name in its space."""
        return self.change.name

    @property
    def word(self) -> Word:
        """Return the fixed word: what came of it, or what is planned."""
        return self.outcome.word if self.outcome is not None else self.change.action


@dataclass(frozen=True)
class Row:
    """One row: a domain with its files, or a file. `routes_*` are (host, path), `images` (old, new).

    `served_otherwise` says of each route that stays what becomes of its type, class or host.
    `word` is what was planned or came of publishing, `ending` how the row ended, also in the cluster.
    """

    name: str
    word: Word
    ending: Ending
    files: tuple[FileRow, ...]
    old_versions: tuple[str, ...]
    new_versions: tuple[str, ...]
    images: tuple[tuple[str, str], ...]
    routes_added: tuple[RouteKey, ...]
    routes_removed: tuple[RouteKey, ...]
    served_otherwise: tuple[str, ...] = ()

    def shown_route(self, key: RouteKey) -> str:
        """Return a route without a host that is the row's, and with its type unless that is Prefix."""
        host, path = key
        types = sorted({kind for file in self.files for kind in file.change.types_of(key)} - {_USUAL_TYPE})
        return (path if host == self.name else host + path) + (f" ({', '.join(types)})" if types else "")

    @property
    def differing(self) -> list[Change]:
        """Return the changes of its files that have a difference to show."""
        return [file.change for file in self.files if file.change.diff and file.word != "unchanged"]

    @property
    def only(self) -> tuple[Text, ...]:
        """Return in what alone the row's files differ; nothing where there is more."""
        changed = [file.change.only for file in self.files if file.word != "unchanged"]
        texts = {only.key: only for only in changed if only is not None}
        return () if None in changed else tuple(texts.values())

    @property
    def live_otherwise(self) -> tuple[str, ...]:
        """Return the versions that its objects carry after the run, where they are not those of the row.

        The row has the versions of what changes, so what stays as it is does not count beside it.
        """
        changed = [file for file in self.files if file.word != "unchanged"]
        live = _distinct(version for file in changed or self.files for version in file.live)
        return () if set(live) <= {*(self.new_versions or self.old_versions)} else live

    @property
    def is_rewritten(self) -> bool:
        """Tell whether the content of a version that existed is, or was to be, replaced in place."""
        return any(file.change.overwrites for file in self.files)

    @property
    def is_domain(self) -> bool:
        """Tell whether the row stands for a domain of `builtin:web`."""
        return bool(self.files[0].change.domain)

    @property
    def is_quiet(self) -> bool:
        """Tell whether nothing was to be done to the row, nor was it done."""
        return self.word == "unchanged" and self.ending.state in (*QUIET, "planned")


def rows_of_plan(plan: Plan) -> tuple[Row, ...]:
    """Return the plan's rows, those that need eyes first: of one word, those that lose a route."""
    rows = _rows([FileRow(change) for change in plan.changes], version=plan.version)
    return tuple(sorted(rows, key=lambda row: (*_planned_rank(row), row.name)))


def rows_of_outcome(outcome: Outcome) -> tuple[Row, ...]:
    """Return the run's rows as they ended, those that need eyes first."""
    rows = _rows(file_rows(outcome), version=outcome.heading.version)
    return tuple(sorted(rows, key=lambda row: (*_ended_rank(row), *_planned_rank(row), row.name)))


def _planned_rank(row: Row) -> tuple[int, bool]:
    loses = row.routes_removed or any(file.change.routes_lost for file in row.files)
    return WORDS.index(row.word), not loses


def _ended_rank(row: Row) -> tuple[int, bool]:
    return STATES.index(row.ending.state), not row.ending.reason


def was_attempted(outcome: Outcome) -> bool:
    """Tell whether publishing began: before that, no file was attempted and all stand as planned."""
    return any(file.state in ("applied", "failed") for file in outcome.files)


def has_acted(outcome: Outcome) -> bool:
    """Tell whether a run wrote or deployed, or tried to."""
    return was_attempted(outcome) or outcome.rollout is not None


def file_rows(outcome: Outcome) -> list[FileRow]:
    """Return every file of the run, planned or ended, by name."""
    ended = {file.change.name: file for file in outcome.files} if was_attempted(outcome) else {}
    changes = {**outcome.planned, **{name: file.change for name, file in ended.items()}}
    endings = endings_of(outcome)
    live = outcome.rollout.live if outcome.rollout is not None else {}
    return [
        FileRow(change, ended.get(name), endings[name], live.get(name, ()))
        for name, change in sorted(changes.items())
    ]


def count_words(words: Iterable[Word]) -> dict[Word, int]:
    """Return how often each word occurs, in the order of `WORDS`; words that don't are left out."""
    counted = Counter(words)
    return {word: counted[word] for word in WORDS if counted[word]}


def counted(rows: Sequence[Row], *, is_planned: bool = False) -> Text:
    """Return "2 domains updated, 57 domains unchanged (177 files)"; files alone where not all are domains'.

    Of a plan, what is to be done.
    """
    of_domains = bool(rows) and all(row.is_domain for row in rows)
    files = [file for row in rows for file in row.files]
    words = count_words(item.word for item in (rows if of_domains else files))
    unit = "domains" if of_domains else "files"
    parts = [
        say(
            f"report.{'to' if is_planned and word in _TO_DO else 'count'}_{word}",
            what=say(f"report.of_{unit}_alone", count=count),
        )
        for word, count in words.items()
    ]
    if not parts:
        return say("report.no_files")
    text = say("report.join", parts=parts)
    return say("report.domains_and_files", domains=text, files=_files(len(files))) if of_domains else text


def told_files(names: AbstractSet[str], rows: Sequence[Row]) -> Text:
    """Return "6 domains (12 files)"; "12 files" where not all of them are domains'."""
    domains = {file.name: row.name for row in rows if row.is_domain for file in row.files}
    if not names or not names <= domains.keys():
        return _files(len(names))
    count = len({domains[name] for name in names})
    return say(
        "report.domains_and_files",
        domains=say("report.of_domains_alone", count=count),
        files=_files(len(names)),
    )


def told_rows(
    names: Sequence[Detail], files: Iterable[FileOutcome], *, among: Collection[str]
) -> list[Detail]:
    """Return the domains of files; the files of one of which not all are `names`, of those `among` them."""
    row_of = {file.change.name: file.change.row for file in files}
    split = {row_of.get(name, name) for name in {*among}.difference(map(str, names))}
    rows: dict[str, Detail] = {}
    for name in names:
        row = row_of.get(str(name), name)
        shown = name if str(row) in split else row
        rows.setdefault(str(shown), shown)
    return first_names(list(rows.values()))


def _files(count: int) -> Text:
    return say("report.of_files_alone", count=count)


def image_change(old: str, new: str) -> str:
    """Return how an image changed with what both share folded, so that the tags can be seen.

    `name:old -> new` for another tag, `+name:tag` for one that comes, `-name:tag` for one that goes.
    """
    if not old or not new:
        return ("+" if new else "-") + _base_name(new or old)
    (old_name, old_tag), (new_name, new_tag) = _split_image(old), _split_image(new)
    if old_name == new_name:
        of_one_kind = old_tag[:1] == new_tag[:1]
        return f"{_base_name(old)} -> {_short_tag(new_tag)[1:] if of_one_kind else _base_name(new)}"
    alike = takewhile(lambda both: both[0] == both[1], zip(old_name, new_name))
    shared = "".join(left for left, _ in alike).rfind("/") + 1
    return f"{old[shared:]} -> {new[shared:]}"


def version_change(old: Sequence[str], new: Sequence[str]) -> str:
    """Return how a version's name changed, such as `1.0.7 -> 1.0.8`; "" for a row that stays as it is.

    Where that is long, the ends that all the names share are folded in the old ones: `1.0.427… ->
    1.0.428-feature-login`.
    """
    if not new or old == new:
        return ", ".join(new)
    whole = " -> ".join(", ".join(names) for names in (old, new) if names)
    shared = _shared_suffix([*old, *new])
    if not old or not shared or width(whole) <= _VERSION_COLUMNS:
        return whole
    return ", ".join(f"{name[:-shared]}…" for name in old) + " -> " + ", ".join(new)


def _shared_suffix(names: Sequence[str]) -> int:
    """Return how long the end is that all the names share from a `-` on, as their branch's slug is."""
    first, *_ = names
    ends = [first[at:] for at, character in enumerate(first) if character == "-"]
    return next((len(end) for end in ends if all(name.endswith(end) for name in names)), 0)


def _rows(files: Sequence[FileRow], *, version: str) -> list[Row]:
    groups: dict[str, list[FileRow]] = {}
    for file in files:
        groups.setdefault(file.change.row, []).append(file)
    return [_row(name, tuple(members), version=version) for name, members in groups.items()]


def _row(name: str, files: tuple[FileRow, ...], *, version: str) -> Row:
    word = _word_of_row([file.word for file in files])
    shown = files if word == "unchanged" else [file for file in files if file.word != "unchanged"]
    changes = [file.change for file in shown]
    return Row(
        name=name,
        word=word,
        ending=ending_of_row([file.ending for file in files]),
        files=files,
        old_versions=_distinct(change.previous.name for change in changes if change.previous is not None),
        new_versions=() if word == "unchanged" else _distinct(_version(file) or version for file in shown),
        images=_distinct(pair for change in changes for pair in change.images),
        routes_added=_distinct(key for change in changes for key in change.routes_added),
        routes_removed=_distinct(key for change in changes for key in change.routes_removed),
        served_otherwise=_distinct(
            told_change(old, new, row=name) for change in changes for old, new in change.routes_changed
        ),
    )


def _version(file: FileRow) -> str:
    """Return the version a file has afterwards: where another build was faster, not the run's own name."""
    written = file.outcome.version if file.outcome is not None else ""
    return written or file.change.version


def _word_of_row(words: Sequence[Word]) -> Word:
    """Return the word of a row with several files: a domain of which one file is new is an update."""
    for word in _LOUD:
        if word in words:
            return word
    if len(set(words)) == 1:
        return words[0]
    return "rollback" if "rollback" in words else "update"


def _distinct(items: Iterable[_T]) -> tuple[_T, ...]:
    return tuple(dict.fromkeys(items))


def _split_image(image: str) -> tuple[str, str]:
    """Return name and tag or digest; the port of a registry (`host:5000/x`) is no tag."""
    name, at, digest = image.partition("@")
    if at:
        return name, at + digest
    slash = image.rfind("/")
    colon = image.rfind(":")
    return (image[:colon], image[colon:]) if colon > slash else (image, "")


def _base_name(image: str) -> str:
    name, tag = _split_image(image)
    return shorten(name.rpartition("/")[2], _NAME_COLUMNS) + _short_tag(tag)


def _short_tag(tag: str) -> str:
    return tag[:_DIGEST_COLUMNS] + "…" if tag.startswith("@") and len(tag) > _DIGEST_COLUMNS else tag
