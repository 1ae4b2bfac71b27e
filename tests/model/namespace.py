"""A folder of BCS, and a namespace of a cluster that runs what it holds, with steps of their own. Pure.

As cluster-resources does it (docs/dev/facts/bcs.md, traps 4, 7, 8): a deployment applies one document after
the other, replaces each object whole and marks it, stops at the first that fails or where the caller hangs
up, and moves the files' record of the last deployment after the last document. A deletion is accepted, and
the object goes later, also where somebody has applied it meanwhile. Nothing knows a precondition.
"""

from __future__ import annotations

import json
from functools import cache
from typing import NamedTuple

import yaml

SPACE = "s"
BEGAN = 1_767_225_600
"""Seconds since the epoch: when the scenes begin."""

LONG_AGO = BEGAN - 30 * 24 * 3600

BAD = "bad"
"""What a Deployment holds that never becomes ready."""


class Version(NamedTuple):
    """A version of a file; `described` is its description, which says who published it: the run `by`."""

    id: str
    name: str
    text: str
    described: str
    second: int
    by: int = -1


class File(NamedTuple):
    """A file's row and versions, in the order of their creation; `deployed` names the one deployed last."""

    id: str
    name: str
    versions: tuple[Version, ...]
    deployed: str = ""
    current: str = ""

    def find(self, version_id: str) -> Version | None:
        """Return a version by its id."""
        return next((version for version in self.versions if version.id == version_id), None)

    def named(self, name: str) -> Version | None:
        """Return a version by its name."""
        return next((version for version in self.versions if version.name == name), None)


class Thing(NamedTuple):
    """A live object: the file and version that it is marked with, and what it holds.

    `by` is who applied it last, `going` whether its deletion is accepted.
    """

    kind: str
    name: str
    uid: str
    file: str
    version: str
    text: str
    by: int
    going: bool = False

    @property
    def title(self) -> str:
        """Return `Kind/name`."""
        return f"{self.kind}/{self.name}"


class Document(NamedTuple):
    """One document of a version, on its way into the namespace."""

    file: str
    version: str
    kind: str
    name: str
    text: str


class Revision(NamedTuple):
    """One pod template of a Deployment, and the version that brought it last."""

    deployment: str
    number: int
    file: str
    version: str
    text: str


Things = frozenset[Thing]


class Applying(NamedTuple):
    """A deployment under way: what is left of it, and the versions that it is of, by file.

    `seen` is what others had put there when its caller looked last. `is_awaited` tells whether the caller
    still waits for the answer.
    """

    by: int
    left: tuple[Document, ...]
    of: tuple[tuple[str, str], ...]
    seen: Things = frozenset()
    is_awaited: bool = True


class Event(NamedTuple):
    """Something that was replaced or deleted: `by` whom, what it was before, and the version it is at now.

    `was_seen`: who did it had read that another one had put it there, or published its file anew; of a
    version, that it is live or current. `beside`: who deleted it had read that another one had deployed over
    it.
    """

    what: str
    by: int
    before: Thing | Version | File
    version: str = ""
    was_seen: bool = False
    beside: bool = False


class Namespace(NamedTuple):
    """All that BCS and the cluster hold. `made` counts what was made; `done` is what took something away."""

    files: tuple[File, ...] = ()
    things: tuple[Thing, ...] = ()
    revisions: tuple[Revision, ...] = ()
    calls: tuple[Applying, ...] = ()
    made: int = 0
    done: frozenset[Event] = frozenset()

    def file(self, name: str) -> File | None:
        """Return a file by its name."""
        return next((file for file in self.files if file.name == name), None)

    def thing(self, kind: str, name: str) -> Thing | None:
        """Return a live object."""
        return next((one for one in self.things if (one.kind, one.name) == (kind, name)), None)

    def version(self, version_id: str) -> tuple[File, Version] | None:
        """Return a version by its id, with its file."""
        found = ((file, version) for file in self.files for version in file.versions)
        return next((pair for pair in found if pair[1].id == version_id), None)

    # --- the folder -------------------------------------------------------------------------------------

    def publish(
        self, name: str, version: str, text: str, described: str, *, second: int, by: int = -1
    ) -> Namespace:
        """Return this with a new version, which is the file's current one."""
        number = self.made + 1
        file = self.file(name) or File(f"{len(self.files) + 1:024x}", name, ())
        made = Version(f"{second:08x}{number:016x}", version, text, described, second, by)
        now = self._with(file._replace(versions=(*file.versions, made), current=made.id))
        return now._replace(made=number)

    def delete_version(self, by: int, file: File, version: Version, *, was_seen: bool) -> Namespace:
        """Return this without a version; BCS asks nothing."""
        left = self._with(file._replace(versions=tuple(v for v in file.versions if v != version)))
        event = Event("deleted", by, version, was_seen=was_seen)
        return left._replace(done=self.done | {event})

    def delete_file(self, by: int, file: File, *, was_seen: bool) -> Namespace:
        """Return this without a file and all its versions."""
        event = Event("deleted", by, file, was_seen=was_seen)
        files = tuple(other for other in self.files if other is not file)
        return self._replace(files=files, done=self.done | {event})

    def _with(self, file: File) -> Namespace:
        others = tuple(other for other in self.files if other.name != file.name)
        return self._replace(files=tuple(sorted((*others, file))))

    # --- the cluster ------------------------------------------------------------------------------------

    def documents(self, version_ids: tuple[str, ...]) -> tuple[Document, ...] | None:
        """Return the documents of versions in their order, None where one is not there."""
        found = [self.version(version_id) for version_id in version_ids]
        if None in found:
            return None
        return tuple(
            Document(file.name, version.name, kind, name, text)
            for file, version in (pair for pair in found if pair is not None)
            for kind, name, text in objects_of(version.text)
        )

    def others(self, by: int) -> Things:
        """Return what other runs have put there."""
        return frozenset(thing for thing in self.things if thing.by not in (by, -1))

    def begin(self, by: int, version_ids: tuple[str, ...], *, seen: Things = frozenset()) -> Namespace:
        """Return this with a deployment that has begun."""
        pairs = [pair for pair in map(self.version, version_ids) if pair is not None]
        of = tuple((file.name, version.name) for file, version in pairs)
        call = Applying(by, self.documents(version_ids) or (), of, seen)
        return self._replace(calls=(*self.calls, call))

    def go_on(self, call: Applying) -> tuple[Namespace, bool]:
        """Return this after one more step of a deployment, and whether it has ended with it."""
        others = tuple(other for other in self.calls if other is not call)
        if call.left:
            applied = self._apply(call, call.left[0])
            return applied._replace(calls=(*others, call._replace(left=call.left[1:]))), False
        deployed = dict(call.of)
        files = tuple(file._replace(deployed=deployed.get(file.name, file.deployed)) for file in self.files)
        return self._replace(files=files, calls=others), True

    def drop(self, call: Applying) -> Namespace:
        """Return this without a deployment whose caller has hung up."""
        return self._replace(calls=tuple(other for other in self.calls if other is not call))

    def hang_up(self, by: int) -> Namespace:
        """Return this where nobody waits for a caller's deployment any more."""
        calls = tuple(c._replace(is_awaited=False) if c.by == by else c for c in self.calls)
        return self._replace(calls=calls)

    def apply(self, by: int, version_ids: tuple[str, ...]) -> Namespace:
        """Return this after a whole deployment that nobody disturbs."""
        now, has_ended = self.begin(by, version_ids), False
        while not has_ended:
            now, has_ended = now.go_on(now.calls[-1])
        return now

    def _apply(self, call: Applying, document: Document) -> Namespace:
        before = self.thing(document.kind, document.name)
        uid = before.uid if before is not None else f"uid-{self.made + 1}"
        is_going = before is not None and before.going
        thing = Thing(document.kind, document.name, uid, *document[:2], document.text, call.by, is_going)
        done = frozenset[Event]()
        if before is not None and before.by not in (call.by, -1):
            was_seen = before in call.seen
            done = frozenset({Event("replaced", call.by, before, document.version, was_seen=was_seen)})
        now = self._replace(
            things=tuple(sorted((*(one for one in self.things if one is not before), thing))),
            made=self.made + (before is None),
            done=self.done | done,
        )
        return now._revised(document) if document.kind == "Deployment" else now

    def _revised(self, document: Document) -> Namespace:
        own = [one for one in self.revisions if one.deployment == document.name]
        newest = max((one.number for one in own), default=0)
        same = next((one for one in own if one.text == document.text), None)
        number = newest if same is not None and same.number == newest else newest + 1
        made = Revision(document.name, number, document.file, document.version, document.text)
        others = tuple(one for one in self.revisions if one is not same)
        return self._replace(revisions=tuple(sorted((*others, made))))

    def accept_deletion(self, by: int, thing: Thing, *, was_seen: bool, beside: bool) -> Namespace:
        """Return this where an object is to go."""
        others = tuple(one for one in self.things if one is not thing)
        things = tuple(sorted((*others, thing._replace(going=True))))
        event = Event("deleted", by, thing, was_seen=was_seen, beside=beside)
        return self._replace(things=things, done=self.done | {event})

    def let_go(self, thing: Thing) -> Namespace:
        """Return this where an object is gone, and what it owned with it."""
        revisions = tuple(
            r for r in self.revisions if (thing.kind, thing.name) != ("Deployment", r.deployment)
        )
        return self._replace(
            things=tuple(one for one in self.things if one is not thing), revisions=revisions
        )


def deployment(name: str, image: str) -> str:
    """Return a Deployment as a document; one with the image `bad` is never ready."""
    pod = {"containers": [{"name": "main", "image": f"example.com/{image}:1"}]}
    spec = {
        "replicas": 1,
        "selector": {"matchLabels": {"app": name}},
        "template": {"metadata": {"labels": {"app": name}}, "spec": pod},
    }
    return _document("apps/v1", "Deployment", name, spec=spec)


def config(name: str, value: str) -> str:
    """Return a ConfigMap as a document."""
    return _document("v1", "ConfigMap", name, data={"key": value})


def file_of(*documents: str) -> str:
    """Return the text of a file of these documents."""
    return "---\n".join(documents)


def _document(api_version: str, kind: str, name: str, **rest: object) -> str:
    body = {"apiVersion": api_version, "kind": kind, "metadata": {"name": name}, **rest}
    return json.dumps(body) + "\n"


@cache
def objects_of(text: str) -> tuple[tuple[str, str, str], ...]:
    """Return the objects of a file: kind, name and text."""
    bodies = list(yaml.safe_load_all(text))
    return tuple((body["kind"], body["metadata"]["name"], json.dumps(body)) for body in bodies)
