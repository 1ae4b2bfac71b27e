"""Which files a run is about: all of its own, or those that `only` names by host or by file. Pure.

The scope is cut once, before the plan. What is outside is a file of the folder like anybody else's.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable

from bcs_template_set.manifests.naming import web_part
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.spelling import MOST_KNOWN, NearNames, nearest
from bcs_template_set.records.late_dataclass import dataclass

_PARTS = 3
"""A file of a domain that `builtin:web` did not make has so many dots at least: `<host>.<part>.yaml`."""


@dataclass(frozen=True)
class Scope:
    """What `only` names, and the names of the files that the run would have without it.

    The name of a file tells its host, whoever made it, and also where it is gone: `host_of`.
    """

    only: tuple[str, ...] = ()
    files: Collection[str] = ()

    def has(self, name: str) -> bool:
        """Tell whether the run is about a file."""
        return not self.only or name in self.only or (host_of(name) or name) in self.only

    @property
    def outside(self) -> frozenset[str]:
        """Return the files that the run would have without `only`, and does not have."""
        return frozenset(name for name in self.files if not self.has(name))

    def mistakes(self, *, others: Iterable[str] = (), key: str = "settings.only_unknown") -> list[Text]:
        """Return what is wrong with `only`: it names neither a host nor a file; `others` may be named too.

        `key` is the sentence that says it.
        """
        names = {*self.files, *others}
        known = {*names, *map(host_of, names)} - {""}
        return [_unknown_name(name, known, key=key) for name in dict.fromkeys(self.only) if name not in known]

    def text(self) -> Text:
        """Return how much of the whole the run is about, in domains where it has any, else in files."""
        hosts = {name: web_host(name) for name in self.files}
        rows = {name: host or name for name, host in hosts.items()}
        kind = "domains" if all(hosts.values()) else "rows" if any(hosts.values()) else "files"
        count = len({rows[name] for name in rows if self.has(name)})
        facts = {"count": count, "all": len(set(rows.values()))}
        return say(f"render.only_{kind}" if self.only else f"render.all_{kind}", **facts)


def _unknown_name(name: str, known: Iterable[str], *, key: str) -> Text:
    """Return that `only` names what is neither a host nor a file, and what was meant, if one is near."""
    names = sorted(known)
    near = nearest(name, names) if len(names) <= MOST_KNOWN else NearNames(names).meant_by(name, is_own=True)
    sentence = say(key, name=name)
    return say("settings.did_you_mean", mistake=sentence, near=near) if near else sentence


def web_host(name: str) -> str:
    """Return the host of a file that `builtin:web` makes, "" for any other."""
    return web_part(name)[0]


def host_of(name: str) -> str:
    """Return the host that a file's name begins with, "" where it is of no such form."""
    return web_host(name) or (name.rsplit(".", 2)[0] if name.count(".") >= _PARTS else "")
