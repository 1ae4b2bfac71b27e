"""A canary in every place that a secret can come from, and the search for it in all that a run leaves.

Looked for is every piece of eight characters, of the canary and of each form that software in between gives
it; so whatever shows half of one is found too.
"""

from __future__ import annotations

import base64
import json
import random
import re
import string
import traceback
import zlib
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import product
from typing import Optional
from urllib.parse import quote

from tests.emulator.faults import Fault, Match
from tests.support.deploying import cluster_site, workload
from tests.support.dialects import NEWEST, STABLE, speaking
from tests.support.living import Lived, Others, come_to_rest, live
from tests.support.publishing import Site, config
from tests.support.scenarios import DEPLOY
from tests.support.spellings import SPELLINGS
from tests.torture.fault_table import FOR_GOOD, KINDS, Kind, patience

PIECE = 8
"""Characters of a secret that may not be shown together."""

IDS = re.compile(r"\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b")
"""Ids of requests, drawn by chance: of thousands one has eight digits of some canary in hexadecimal."""

PLACES = (
    *("app secret", "app secret of a user", "app secret of another region", "access token", "bcs token"),
    *("agent secret key", "field of a credential", "another private setting"),
    *("stringData", "data", "stringData before", "userinfo in values", "userinfo of a proxy"),
)

LETTERS = string.ascii_letters + string.digits + "+/=&<-_"


def hatch(seed: int) -> dict[str, str]:
    """Return a canary for every place: text that occurs nowhere else."""
    chance = random.Random(seed)  # noqa: S311 - no secret
    plain = string.ascii_letters + string.digits
    return {
        place: "".join(chance.choice(plain if place.startswith("userinfo") else LETTERS) for _ in range(36))
        for place in PLACES
    }


# --- the search -----------------------------------------------------------------------------------------


def forms(canary: str) -> Iterator[str]:
    """Yield what a canary looks like after the software in between."""
    for spelling in SPELLINGS.values():
        yield spelling(canary)
    for offset in range(3):
        encoded = base64.b64encode(bytes(offset) + canary.encode()).decode()
        core = encoded[-(-offset * 8 // 6) : (offset + len(canary)) * 8 // 6]
        yield core
        yield core.replace("+", "-").replace("/", "_")


def hidden_forms(canary: str) -> Iterator[str]:
    """Yield what no software makes of a canary, and a person could all the same: nothing of ours may."""
    yield canary[::-1]
    middle = len(canary) // 2
    yield canary[middle:] + canary[:middle]


def pieces(text: str) -> set[str]:
    """Return every piece of a text."""
    return {text[at : at + PIECE] for at in range(len(text) - PIECE + 1)}


@dataclass(frozen=True)
class Nest:
    """Canaries, and every piece of every form of each."""

    canaries: Mapping[str, str]
    known: Mapping[str, frozenset[str]]

    def find(self, texts: Mapping[str, str]) -> list[str]:
        """Return which canary shows in which text, and around what."""
        found = []
        for where, written in texts.items():
            text = IDS.sub(" ", written)
            there = pieces(text)
            for place, known in self.known.items():
                for piece in sorted(there & known)[:1]:
                    at = text.index(piece)
                    found.append(f"{place} in {where}: …{text[max(0, at - 60) : at + 60]!r}…")
        return found


def nest_of(seed: int) -> Nest:
    """Return the canaries of a seed."""
    canaries = hatch(seed)
    known = {
        place: frozenset(piece for form in (*forms(canary), *hidden_forms(canary)) for piece in pieces(form))
        for place, canary in canaries.items()
    }
    return Nest(canaries, known)


def left_by(lived: Lived) -> dict[str, str]:
    """Return everything that a run said, wrote or keeps, by where it is."""
    texts = {"log": lived.log, "output.json": json.dumps(lived.output, ensure_ascii=False)}
    for path in lived.workspace.rglob("*"):
        if path.is_file() and "manifests" not in path.relative_to(lived.workspace).parts[:1]:
            texts[str(path.relative_to(lived.workspace))] = path.read_text(encoding="utf-8")
    story = lived.services.record
    values = {
        "story": story,
        "outcome": lived.outcome,
        "world": lived.services,
        "agent": lived.services.agent,
    }
    texts.update({f"repr of the {name}": repr(value) for name, value in values.items()})
    errors = [lived.outcome.error, *(file.error for file in lived.outcome.files)]
    for error in errors:
        if error is not None:
            told = "".join(traceback.format_exception(type(error), error, error.__traceback__))
            texts["traceback, as the log would have it"] = lived.services.log.masker.mask(told)
    return texts


# --- the places -----------------------------------------------------------------------------------------


def secret_manifest(nest: Nest, *, plain: str) -> str:
    encoded = base64.b64encode(nest.canaries["data"].encode()).decode()
    return (
        "apiVersion: v1\nkind: Secret\nmetadata: {name: passwords}\n"
        f"stringData: {{plain: {json.dumps(nest.canaries[plain])}}}\ndata: {{encoded: {encoded}}}\n"
    )


VALUES = "database: 'https://robot:{userinfo}@db.example.com/x'\n"
CONFIG = config("settings", "@").replace('"@"', '"{{ database }}"')


@contextmanager
def nesting(nest: Nest) -> Iterator[Site]:
    """Yield a site with a canary in every place, whose pipeline has deployed once; the nest draws its BCS."""
    drawn = zlib.crc32("".join(nest.canaries.values()).encode()) % 2
    with speaking((NEWEST, STABLE)[drawn]), cluster_site(web_yaml=workload()) as site:
        populate(site, nest)
        lived = live_among(site, nest)
        assert lived.code == 0, lived.log
        site.next_build(web_yaml=workload(tag="2"))
        site.files["secret.yaml"] = secret_manifest(nest, plain="stringData")
        yield site


def populate(site: Site, nest: Nest) -> None:
    """Let the emulated site know the canaries, and the workspace hold them."""
    canaries, state = nest.canaries, site.emulator.state
    hide(site, nest)
    state.add_user_token(canaries["access token"], user="lisi")
    state.add_bcs_token(canaries["bcs token"], user="lisi")
    state.add_credential("token", {"access_token": canaries["access token"]})
    state.add_credential("bcs", {"access_token": canaries["bcs token"]})
    field = {
        "appId": "web_app",
        "secretKey": canaries["app secret"],
        "remark": canaries["field of a credential"],
    }
    state.add_credential("app", field)
    site.files["secret.yaml"] = secret_manifest(nest, plain="stringData before")
    site.files["config.yaml.j2"] = CONFIG


def hide(site: Site, nest: Nest) -> Others:
    """Give a site's app and its agent the secrets of a nest, and return what the agent's files then hold."""
    site.emulator.state.add_app("web_app", nest.canaries["app secret"], vouches_for={"lisi"})
    site.emulator.state.agents.clear()
    site.emulator.state.add_agent(
        project_id="web", agent_id="a-1", secret_key=nest.canaries["agent secret key"]
    )
    return Others(agent_key=nest.canaries["agent secret key"])


def live_among(
    site: Site, nest: Nest, *, region: Optional[Mapping[str, object]] = None, **inputs: str
) -> Lived:
    """Live a deployment whose region, credential and values hold canaries."""
    canaries = nest.canaries
    straight = inputs.get("credential") == "bcs"
    given = {**DEPLOY, "values": VALUES.replace("{userinfo}", canaries["userinfo in values"]), **inputs}
    gz: dict[str, object] = {
        "concurrency": 1,
        "app_secret": canaries["app secret"],
        "gateway": site.emulator.root if straight else site.emulator.url,
        "path_prefix": "/bcsapi/v4" if straight else "/v4",
        "users": {"zhaoliu": {"app_code": "z", "app_secret": canaries["app secret of a user"]}},
        **(region or {}),
    }
    sh = {"gateway": "https://sh.example.com", "app_code": "sh_app"}
    others = Others(
        regions={"sh": {**sh, "app_secret": canaries["app secret of another region"]}},
        settings={"another": canaries["another private setting"]},
        agent_key=canaries["agent secret key"],
    )
    return live(site, inputs=given, region=gz, others=others)


# --- among faults ---------------------------------------------------------------------------------------

CREDENTIALS = ("", "token", "bcs", "app")


@dataclass(frozen=True)
class Poke:
    """A run among canaries, struck by one kind of fault at its n-th request, once or for good."""

    kind: Kind
    nth: int
    credential: str
    for_good: bool

    def __str__(self) -> str:
        times = "for-good" if self.for_good else "once"
        return f"{self.kind.name}/{self.nth}/{self.credential or 'region'}/{times}"


def all_pokes(requests: Mapping[str, int]) -> Iterator[Poke]:
    """Yield every fault at every request, given how many a run of each credential sends."""
    for credential in CREDENTIALS:
        for nth, kind, for_good in product(range(1, requests[credential] + 1), KINDS, (False, True)):
            yield Poke(kind, nth, credential, for_good)


def count_requests(site: Site, nest: Nest) -> dict[str, int]:
    """Return how many requests a run of each credential sends when nothing happens."""
    return {
        credential: len(live_among(site, nest, credential=credential, redeploy="true").exchanges)
        for credential in CREDENTIALS
    }


def poke(site: Site, nest: Nest, wanted: Poke) -> list[str]:
    """Return which canaries show in what the struck run leaves."""
    for fault in wanted.kind.order(Match(nth=wanted.nth), FOR_GOOD if wanted.for_good else 1):
        site.emulator.faults.add(fault)
    lived = live_among(
        site, nest, credential=wanted.credential, redeploy="true", region=patience(slow=wanted.kind.slow)
    )
    come_to_rest(site)
    site.emulator.faults.clear()
    return leaks(lived, nest)


def leaks(lived: Lived, nest: Nest) -> list[str]:
    """Return which canary shows where, and what a run left that was not to be searched."""
    texts = left_by(lived)
    unsearched = {"log", "output.json", ".bcs-template-set/run/report/index.html"} - set(texts)
    written = {path.relative_to(lived.workspace).parts[0] for path in lived.workspace.iterdir()}
    return [
        *(f"there is no {name}" for name in sorted(unsearched)),
        *(f"{name} is in the workspace" for name in sorted(written - {"manifests", ".bcs-template-set"})),
        *nest.find(texts),
    ]


# --- servers that say it back ---------------------------------------------------------------------------


def known_to(credential: str) -> tuple[str, ...]:
    """Return which canaries a run reads: others reach no server, so that none can say them back."""
    more = {"token": ("access token",), "bcs": ("bcs token",), "app": ("field of a credential",)}
    settings = ("app secret", "agent secret key", "app secret of another region")
    return (*settings, "stringData", "data", *more.get(credential, ()))


_WORDS = 60
"""Words that one server says back, of some hundreds; each is said by some."""


def echoes(nest: Nest, *, nth: int, padding: int, credential: str) -> list[Fault]:
    """Return servers' answers that hold what the run knows, in every form, behind so much else."""
    words = [form for name in known_to(credential) for form in forms(nest.canaries[name])]
    words = random.Random(f"{words[0]} {nth} {padding}").sample(words, _WORDS)  # noqa: S311 - no secret
    pad, match = "x" * padding, Match(path="^/(api|bcsapi|ticket)/", nth=nth)
    said = [f"{pad} {' '.join(words[at:] + words[:at])}" for at in range(0, len(words), 5)]
    messages = [json.dumps({"code": 1, "message": text}) for text in said]
    refused = {"X-Bkapi-Error-Code": "1640001"}
    page = {"Content-Type": f"text/{pad}{words[0]}"}
    return [
        *(Fault("answer", match, status=200, body=message) for message in messages),
        Fault("answer", match, status=302, headers={"Location": f"http://x/{pad}{quote(words[0])}"}),
        Fault("answer", match, status=200, headers=page, body="<html>"),
        Fault("answer", match, status=400, headers=refused, body=messages[0]),
        Fault("answer", match, status=404, headers={"Content-Type": "text/plain"}, body=said[0]),
    ]
