"""Look for images in their registries, all at once and within ten seconds. Only asks; says nothing.

Here are the token dance, and secrets only where they may go. A reply is a value, also where there is none. No
redirect is followed, and the transport refuses link-local addresses once a name is resolved, whatever named
it. What is said to be missing is asked for again five seconds later: copies come late (facts/registries.md).
"""

from __future__ import annotations

import threading
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import field, replace
from functools import partial
from typing import Callable, Optional, Protocol, Union
from urllib.parse import quote, urlsplit

from bcs_template_set.images.registry_answers import (
    ACCEPTED,
    MOST_TAGS,
    Challenge,
    Found,
    Login,
    Missing,
    Platform,
    Question,
    Reply,
    Unseen,
    Verdict,
    answered,
    challenge_in,
    is_here,
    judge,
    login_for,
    may_give_tokens,
    may_see_password,
    token_in,
    token_url,
)
from bcs_template_set.manifests.image_form import ImageName
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.secret import Secret
from bcs_template_set.records.late_dataclass import dataclass
from bcs_template_set.system.allowed_addresses import addresses_of
from bcs_template_set.system.clock import Clock, Deadline
from bcs_template_set.system.http_values import HttpAnswer, HttpRequest, NoAnswer, NotSent, Obstacle
from bcs_template_set.system.parallel import Done, overlap, values_of
from bcs_template_set.system.proxies import proxy_of

_UNAUTHORIZED, _TOO_MANY = 401, 429
_NO_TLS: frozenset[Obstacle] = frozenset(
    ("tls", "old_tls", "certificate", "expired", "wrong_host", "timeout", "other")
)
"""What is in the way of TLS where a registry on this machine speaks plain HTTP."""


class Sender(Protocol):
    """A `Transport`, as far as it is used here."""

    def send(self, request: HttpRequest, *, seconds: float = ...) -> HttpAnswer:
        """Send a request and return its whole answer."""
        ...


@dataclass(frozen=True)
class Patience:
    """How many seconds a look may take: a request, a name, all of it; and how long a 404 is waited out."""

    request: float = 3.0
    name: float = 1.0
    whole: float = 10.0
    again: float = 5.0


PATIENCE = Patience()
MOST_AT_ONCE = 16


class Late(BaseException):
    """What was waited for is late: no `Exception`, so that `overlap` ends at once."""


@dataclass(frozen=True)
class RegistryClient:
    """Asks every registry of one look. Threads may share it.

    `on_secret` hears each secret before it is sent, and each token before it is used. `environ` says which
    proxy there is: what it reaches need not be resolved here.
    """

    sender: Sender
    clock: Clock
    deadline: Deadline
    environ: Mapping[str, str]
    login: Optional[Login]
    on_secret: Callable[[Secret], None]
    patience: Patience = PATIENCE
    resolve: Callable[[str], Sequence[str]] = addresses_of
    _plain: set[str] = field(default_factory=set)
    _shown: dict[tuple[str, str], Secret] = field(default_factory=dict)
    _lost: dict[str, Unseen] = field(default_factory=dict)
    _resolved: dict[str, bool] = field(default_factory=dict)
    _resolving: defaultdict[str, threading.Lock] = field(default_factory=partial(defaultdict, threading.Lock))

    def ask(self, name: ImageName, question: Question) -> Reply:
        """Return the reply to a question about an image, after the token dance where one is asked for."""
        lost = self._lost.get(name.host)
        reply = self._ask(name, question) if lost is None else lost
        if isinstance(reply, HttpAnswer) and reply.status == _TOO_MANY:
            reply = answered(name, reply, of_all=True)
        if isinstance(reply, Unseen) and reply.of_all:
            self._lost[name.host] = reply
        return reply

    def _ask(self, name: ImageName, question: Question) -> Reply:
        reference = quote(name.reference, safe=":")
        path = f"tags/list?n={MOST_TAGS}" if question == "tags" else f"manifests/{reference}"
        method = "HEAD" if question == "HEAD" else "GET"
        shown = self._shown.get((name.registry, name.repository))
        reply = self._send_to(name, method, path, shown)
        if not isinstance(reply, HttpAnswer) or reply.status != _UNAUTHORIZED or shown is not None:
            return reply
        got = self._log_in(name, reply)
        if isinstance(got, Unseen):
            return got
        self._shown[name.registry, name.repository] = got
        return self._send_to(name, method, path, got)

    def _send_to(self, name: ImageName, method: str, path: str, shown: Optional[Secret]) -> Reply:
        """Return a registry's reply; by plain HTTP where it is on this machine and speaks no TLS."""
        headers = {"Accept": ACCEPTED, **({} if shown is None else {"Authorization": shown.reveal()})}
        place = f"{name.host}/v2/{name.repository}/{path}"
        scheme = "http" if name.host in self._plain else "https"
        try:
            return self._send(HttpRequest(method, f"{scheme}://{place}", headers))
        except NotSent as exc:
            if scheme == "http" or not is_here(name.host) or exc.kind not in _NO_TLS:
                return _unsent(name, exc)
        self._plain.add(name.host)
        return self._send_to(name, method, path, shown)

    def _log_in(self, name: ImageName, refusal: HttpAnswer) -> Union[Secret, Unseen]:
        """Return what to show a registry that asks for it, or why there is nothing.

        The password goes to the credential's own registry, and to no token address that is not its own.
        """
        challenge = challenge_in(refusal.headers.get("www-authenticate", ""))
        login = login_for(self.login, name)
        if challenge is None or (challenge.scheme == "basic" and login is None):
            return answered(name, refusal)
        header = None if login is None else login.header()
        if header is not None:
            self.on_secret(Secret(header.reveal().partition(" ")[2]))
        if challenge.scheme == "basic" and header is not None:
            return header
        return self._token(challenge, name, header)

    def _token(
        self, challenge: Challenge, name: ImageName, header: Optional[Secret]
    ) -> Union[Secret, Unseen]:
        if not may_give_tokens(name.host, challenge.realm):
            return Unseen(say("images.realm_plain", host=name.host))
        if header is not None and not may_see_password(name.host, challenge.realm):
            return Unseen(say("images.realm_elsewhere", host=name.host))
        headers = {} if header is None else {"Authorization": header.reveal()}
        try:
            answer = self._send(HttpRequest("GET", token_url(challenge, name), headers))
        except NotSent as exc:
            answer = _unsent(name, exc)
        if isinstance(answer, Unseen):
            is_its_own = may_see_password(name.host, challenge.realm)
            return answer if is_its_own else Unseen(say("images.realm_silent", host=name.host), of_all=True)
        token = token_in(answer)
        if not token:
            return Unseen(say("images.no_token", host=name.host, status=answer.status))
        self.on_secret(Secret(token))
        return Secret(f"Bearer {token}")

    def _send(self, request: HttpRequest) -> Reply:
        """Return the reply to one request.

        Raises:
            NotSent: no connection.
        """
        try:
            host, proxy = urlsplit(request.url).hostname or "", proxy_of(request.url, self.environ)
        except ValueError:  # an image's name may hold any port, and what is no IPv6 address
            raise NotSent(say("transport.request_invalid"), "invalid") from None
        seconds = min(self.patience.request, self.deadline.remaining())
        if seconds <= 0:
            return Unseen(say("images.no_time"))
        if not proxy and not self._resolves(host):
            return Unseen(say("images.no_name", host=host, seconds=f"{self.patience.name:g}"), of_all=True)
        try:
            return self.sender.send(request, seconds=seconds)
        except NoAnswer as exc:
            is_said = isinstance(exc.problem, Text) and exc.problem.key == "transport.encoding"
            problem = say("images.unreadable") if is_said else exc.problem  # that would show a header
            return Unseen(
                say("images.no_answer", host=urlsplit(request.url).netloc, problem=problem), of_all=True
            )

    def _resolves(self, host: str) -> bool:
        """Tell whether a name resolves in time; each is asked for once."""
        with self._resolving[host]:
            if host not in self._resolved:
                late = Deadline(self.clock, seconds=self.patience.name)
                try:
                    (found,) = overlap(
                        [partial(self.resolve, host)], concurrency=1, meanwhile=partial(end_at, late)
                    )
                except Late:
                    self._resolved[host] = False
                else:
                    self._resolved[host] = isinstance(found, Done) and bool(found.value)
            return self._resolved[host]


def end_at(deadline: Deadline) -> None:
    """End the waiting for tasks that are late."""
    if deadline.passed():
        raise Late


def _unsent(name: ImageName, failure: NotSent) -> Unseen:
    return Unseen(say("images.no_answer", host=name.host, problem=failure.problem), of_all=True)


def look_for_images(
    client: RegistryClient, names: Iterable[ImageName], *, nodes: Mapping[ImageName, Sequence[Platform]]
) -> Mapping[ImageName, Verdict]:
    """Return what became of each image, each asked for once; `nodes` is where it is to run, as far as known.

    A registry that does not answer costs the whole look's time at most: what nobody saw by then is unseen.
    """
    clock, patience = client.clock, client.patience
    window = Deadline(clock, seconds=min(patience.whole, client.deadline.remaining()))
    client, wanted = replace(client, deadline=window), tuple(dict.fromkeys(names))
    found = _look(client, wanted, nodes=nodes)
    doubted = [name for name in wanted if isinstance(found[name], Missing)]
    if doubted and window.remaining() > patience.again:
        clock.wait(patience.again)
        return {**found, **_look(client, doubted, nodes=nodes)}
    return {**found, **dict.fromkeys(doubted, Unseen(say("images.no_time")))}


def _look(
    client: RegistryClient, names: Sequence[ImageName], *, nodes: Mapping[ImageName, Sequence[Platform]]
) -> dict[ImageName, Verdict]:
    found: dict[ImageName, Verdict] = dict.fromkeys(names, Unseen(say("images.no_time")))

    def look(name: ImageName) -> None:
        verdict = _ask(client, name, reads_index=bool(nodes.get(name)))
        for child in _children_for(verdict, nodes.get(name, ())):
            below = _ask(client, name._replace(digest=child), reads_index=False)
            verdict = verdict if isinstance(below, Found) else below
        found[name] = verdict

    tasks = [partial(look, name) for name in names]
    try:
        values_of(overlap(tasks, concurrency=MOST_AT_ONCE, meanwhile=partial(end_at, client.deadline)))
    except Late:
        return dict(found)
    return found


def _ask(client: RegistryClient, name: ImageName, *, reads_index: bool) -> Verdict:
    replies: dict[Question, Reply] = {}
    while isinstance(step := judge(name, replies, reads_index=reads_index), str):
        replies[step] = client.ask(name, step)
    return step


def _children_for(verdict: Verdict, nodes: Sequence[Platform]) -> Iterable[str]:
    """Return the digests of the manifests in an index that these nodes run."""
    if not isinstance(verdict, Found):
        return ()
    entries = list(zip(verdict.platforms or (), verdict.children))
    fitting = (next((child for each, child in entries if node.takes(each)), "") for node in nodes)
    return dict.fromkeys(filter(None, fitting))
