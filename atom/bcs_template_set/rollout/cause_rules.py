"""The table of what goes wrong in a cluster, and what its messages say without names. Pure: performs no I/O.

Read from the top: the first row whose reason, words and exit code fit names the cause. The sentences of a
row are `rollout.<name>.cause` and `rollout.<name>.cure` of the catalogue. The wordings were read in messages
of kubelet, containerd, Docker, kube-scheduler and API server (Kubernetes 1.20 to 1.34).

Names are data: a repository may be called `certificate-ui`, a tag end in `-429`, a taint be `volume`. So a
URL, a quotation without blanks, what is in braces, and every word that is made like a name (`a/b`, `a:1`,
`a-b`) is dropped before any word is looked for, whoever gave the name; a name of one plain word stands in
quotation marks, or where the grammar of the message shows it. A registry's answer is known by its
HTTP status; where none is told, by the last clause that says something: an error names its cause last.
The forms are containerd's (core/remotes/docker), Docker's (distribution) and CRI-O's (containers/image).
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from typing import Literal, Optional

from bcs_template_set.manifests.kind_rules import DEADLINE_EXCEEDED
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.rollout.pods import (
    COMPLETED,
    CREATING,
    ENDING,
    GATES_NOT_READY,
    INIT_RUNNING,
    NOT_READY,
    PULL_REASONS,
    RESTARTED,
    UNSCHEDULABLE,
)

_URL = re.compile(r"(?<![a-z0-9+.-])[a-z][a-z0-9+.-]*://[^\s\"'\\]*[^\s\"'\\:;,.)]", re.IGNORECASE)
_QUOTED = re.compile(r"""\\?"[^"\s]*"|(?<!\w)'[^'\s]*'""")
_DENIED = re.compile(r"(?<=access denied for )[^\s,]+")
_BRACED = re.compile(r"\{[^{}]*\}")
_WORD = re.compile(r"[^\s\"'()\[\],;]+")
_MADE_LIKE_A_NAME = re.compile(r"[-_./:@=%+~]")
_NO_NAMES = frozenset(
    {
        *("i/o", "net/http", "client.timeout"),
        *("insufficient_scope", "manifest_unknown", "name_unknown"),
        *("non-root", "non-existent", "anti-affinity", "affinity/selector"),
    }
)
"""Words that are made like a name, and are the cluster's own."""

_STATUS = re.compile(
    r"\bstatus(?: code)?\b(?:[^:\n]{0,80}:)? (?P<told>\d{3})(?!\S)"
    r"|\bhttp (?P<bare>\d{3})(?!\S)"
    r"|(?<!\S)(?P<phrased>\d{3}) (?:unauthorized|forbidden|not found|request timeout|too many requests|"
    r"internal server error|bad gateway|service unavailable|gateway time-?out)\b",
    re.IGNORECASE,
)
_OF_STATUS = {
    401: "unauthorized",
    403: "forbidden",
    404: "not found",
    408: "i/o timeout",
    429: "too many requests",
}
_SERVER_ERROR = 500

# containerd's "no match for platform in manifest …: not found" is one clause.
_CLAUSE = re.compile(r"(?<!in manifest)(?<!in manifest _):\s|;\s|\n")


def without_names(message: str) -> str:
    """Return the message with `_` for every name in it."""
    for pattern in (_URL, _BRACED, _QUOTED, _DENIED):
        message = pattern.sub("_", message)
    return _WORD.sub(_unless_a_name, message)


def _unless_a_name(found: re.Match[str]) -> str:
    word = found[0].rstrip(".:!?")
    is_name = word.lower() not in _NO_NAMES and _MADE_LIKE_A_NAME.search(word) is not None
    return "_" + found[0][len(word) :] if is_name else found[0]


def registry_words(message: str) -> Iterator[str]:
    """Yield what a failed pull says without names, what tells most first: its status, else each clause."""
    bare = without_names(message)
    statuses = [int(next(filter(None, found.groups()))) for found in _STATUS.finditer(bare)]
    told = [words for words in map(_words_of, statuses) if words]
    yield from told[-1:] or reversed(_CLAUSE.split(bare))


def _words_of(status: int) -> str:
    return _OF_STATUS.get(status, "registry is unavailable" if status >= _SERVER_ERROR else "")


# --- the table ----------------------------------------------------------------------------------------


Fault = Literal[1, 2]
"""The errorType of the agent: 1 is the image's or the manifest's fault, 2 the cluster's."""

NEVER = 0.0
REPLACED_SECONDS = 10.0
"""In which a server may have answered out of an old cache."""

CONFIG_SECONDS = 60.0
"""A Secret or ConfigMap that an operator makes is there within a minute, and the kubelet tries every 15 s."""

START_SECONDS = 20.0
"""The node tries again after some 10 seconds, and is done by then with what it was late with itself."""


@dataclass(frozen=True)
class Rule:
    """A row of the table. Empty `reasons` or `exits` and absent `words` fit everything."""

    name: str
    fault: Fault
    patience: Optional[float] = None
    reasons: frozenset[str] = frozenset()
    words: Optional[re.Pattern[str]] = None
    exits: frozenset[int] = frozenset()

    def fits(self, *, reasons: frozenset[str], message: str, exit_code: Optional[int]) -> bool:
        """Tell whether this row is about it."""
        return (
            (not self.reasons or bool(self.reasons & reasons))
            and (self.words is None or self.words.search(message) is not None)
            and (not self.exits or exit_code in self.exits)
        )


_Row = tuple[str, Fault, Optional[float], str]


def _rows(reasons: Iterable[str], *rows: _Row) -> tuple[Rule, ...]:
    """Return the rows for some reasons: name, fault, patience and what the message says ("" = anything)."""
    flags = re.IGNORECASE | re.MULTILINE
    return tuple(
        Rule(name, fault, patience, frozenset(reasons), re.compile(words, flags) if words else None)
        for name, fault, patience, words in rows
    )


_NETWORK = (
    r"i/o timeout|no such host|connection (refused|reset)|no route to host|network is unreachable|"
    r"tls handshake timeout|deadline ?exceeded|temporary failure|server misbehaving|"
    r"registry is unavailable|client\.timeout|^(unexpected )?eof\b"
)
_REFUSED = (
    r"unauthori[sz]ed|denied|authentication|authorization failed|insufficient_scope|no basic auth|forbidden"
)
_NOT_FOUND = r"not ?found|(manifest|name)[ _]unknown|does not exist|no such image"
_BAD_COMMAND = r"executable file not found|no such file or directory|permission denied|not a directory"
_NOT_ADMITTED = r"admission webhook .*denied|violates podsecurity|validatingadmissionpolicy"

STARTS = frozenset({"CreateContainerError", "RunContainerError", "StartError", "ContainerCannotRun"})
CRASHES = frozenset({"CrashLoopBackOff", "Error", COMPLETED, RESTARTED, "ContainerStatusUnknown"})
_EXITS = (0, 1, 2, 126, 127, 137, 139, 143)
_NODE_LOST = ("NodeLost", "NodeShutdown", "Terminated", "Shutdown", "NodeAffinity")
_NODE_REFUSED = ("OutOfcpu", "OutOfmemory", "OutOfpods", "UnexpectedAdmissionError")

RULES: tuple[Rule, ...] = (
    *_rows(["InvalidImageName"], ("image_name", 1, NEVER, "")),
    *_rows(["ErrImageNeverPull"], ("image_never_pull", 1, NEVER, "")),
    *_rows(
        PULL_REASONS,  # a missing platform and a host without address are "not found" too: they come first
        ("image_platform", 1, NEVER, r"no match for platform|no matching manifest"),
        ("image_busy", 2, None, r"toomanyrequests|too many requests|rate limit"),
        ("image_certificate", 2, None, r"x509|certificate|http response to https"),
        ("image_network", 2, None, _NETWORK),
        ("image_refused", 1, NEVER, _REFUSED),
        ("image_not_found", 1, NEVER, _NOT_FOUND),
        ("image_pull", 2, None, ""),
    ),
    *_rows(
        ["CreateContainerConfigError"],
        ("config_key", 1, CONFIG_SECONDS, r"couldn't find key|non-existent .*key"),
        ("config_missing", 1, CONFIG_SECONDS, r"(secret|configmap)s?\b.*not found"),
        ("config_root", 1, START_SECONDS, r"runasnonroot|non-root"),
        ("config", 1, CONFIG_SECONDS, ""),
    ),
    *_rows(STARTS | CRASHES, ("start_platform", 1, START_SECONDS, r"exec format error\W*$")),
    *_rows(STARTS, ("start_command", 1, START_SECONDS, _BAD_COMMAND), ("start", 1, START_SECONDS, "")),
    *_rows(
        [UNSCHEDULABLE],  # masters are nearly always named for their taint: it comes last
        ("claim_missing", 1, None, r"persistentvolumeclaim .*not found"),
        ("claim_unbound", 2, None, r"volume"),
        ("resources", 2, None, r"insufficient |too many pods"),
        ("host_port", 1, None, r"free ports"),
        ("node_choice", 1, None, r"selector|affinity|topology spread"),
        ("taint", 2, None, r"taint|unschedulable|not ready"),
        ("unschedulable", 2, None, ""),
    ),
    *_rows(["SchedulingGated"], ("gated", 2, None, "")),
    *_rows(["Evicted", "Preempting", "Preempted"], ("evicted", 2, None, "")),
    *_rows(_NODE_LOST, ("node_lost", 2, None, "")),
    *_rows(_NODE_REFUSED, ("node_refused", 2, None, "")),
    *_rows(["OOMKilled"], ("out_of_memory", 1, None, "")),
    *(Rule(f"exit_{code}", 1, None, CRASHES, exits=frozenset({code})) for code in _EXITS),
    *_rows(CRASHES, ("crash", 1, None, "")),
    *_rows([NOT_READY], ("not_ready", 1, None, "")),
    *_rows([GATES_NOT_READY], ("gates_not_ready", 2, None, "")),
    *_rows([INIT_RUNNING], ("init_running", 1, None, "")),
    *_rows([CREATING], ("creating", 2, None, "")),
    *_rows([ENDING], ("ending", 2, None, "")),
    *_rows(
        ["FailedCreate"],
        ("quota", 2, None, r"exceeded quota"),
        ("quota_limits", 1, None, r"must specify "),
        ("admission", 1, None, _NOT_ADMITTED),
        ("service_account", 1, None, r"serviceaccount .*not found"),
        ("create", 2, None, ""),
    ),
    *_rows(["DeadlineExceeded"], ("job_deadline", 1, NEVER, "")),
    *_rows(["BackoffLimitExceeded"], ("job_backoff", 1, NEVER, "")),
    *_rows([DEADLINE_EXCEEDED], ("progress_deadline", 2, NEVER, "")),
    Rule("other", 2),
)


MOST_READ = 8192
"""Characters of a message that are searched: looking for words with others between takes the square of it."""

REPLACED = Rule("replaced", 1, REPLACED_SECONDS)
"""A workload had our version, as was read back, and now has another."""

CHANGED = Rule("changed", 1, REPLACED_SECONDS)
"""A workload has our version's mark, and its pods another template than was read back."""

PAUSED = Rule("paused_by_spec", 1, NEVER)
"""The `spec` says it: nothing moves until somebody resumes it."""

NO_PODS = Rule("no_pods", 2)
"""A workload's silence: pods are wanted, none is on its way, and nothing says why."""

BLOCKED_SECONDS = 5.0
"""In which a Kubernetes that does replace a broken pod of an earlier revision has begun to."""

EARLIER = Rule("earlier", 2, BLOCKED_SECONDS)
BELOW = Rule("below", 2, BLOCKED_SECONDS)
"""A pod of an earlier revision is in the way; below the partition it is kept on purpose."""


def rule_for(reasons: frozenset[str], *, message: str, exit_code: Optional[int]) -> Rule:
    """Return the first row that fits; the last one fits everything.

    Names never decide. Of a failed pull each thing that is said is looked up by itself.
    """
    read = message[:MOST_READ]
    pulls = reasons & PULL_REASONS
    for said in registry_words(read) if pulls else ():
        for rule in RULES:
            if rule.words is not None and rule.fits(reasons=pulls, message=said, exit_code=exit_code):
                return rule
    bare = without_names(read)
    return next(rule for rule in RULES if rule.fits(reasons=reasons, message=bare, exit_code=exit_code))
