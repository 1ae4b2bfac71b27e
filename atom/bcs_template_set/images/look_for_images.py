"""Look for images in their registries, all at once and within ten seconds. Only asks; says nothing.

What is said to be missing is asked for again five seconds later: copies come late (facts/registries.md).
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from functools import partial
from typing import Callable, Optional

from bcs_template_set.images.registry_answers import (
    Found,
    Missing,
    Platform,
    Question,
    Reply,
    Unseen,
    Verdict,
    judge,
)
from bcs_template_set.images.registry_client import Late, Patience, RegistryClient, Sender, end_at
from bcs_template_set.images.registry_login import Login
from bcs_template_set.manifests.image_form import ImageName
from bcs_template_set.messages import say
from bcs_template_set.messages.secret import Secret
from bcs_template_set.system.allowed_addresses import addresses_of
from bcs_template_set.system.clock import Clock, Deadline
from bcs_template_set.system.parallel import overlap, values_of

MOST_AT_ONCE = 16
PATIENCE = Patience()


def look_for_images(
    names: Iterable[ImageName],
    *,
    nodes: Mapping[ImageName, Sequence[Platform]],
    sender: Sender,
    clock: Clock,
    deadline: Deadline,
    environ: Mapping[str, str],
    login: Optional[Login] = None,
    on_secret: Callable[[Secret], None],
    patience: Patience = PATIENCE,
    resolve: Callable[[str], Sequence[str]] = addresses_of,
) -> Mapping[ImageName, Verdict]:
    """Return what became of each image, each asked for once; `nodes` is where it is to run, as far as known.

    A registry that does not answer costs the whole look's time at most: what nobody saw by then is unseen.
    """
    window = Deadline(clock, seconds=min(patience.whole, deadline.remaining()))
    client = RegistryClient(
        sender,
        clock=clock,
        deadline=window,
        environ=environ,
        login=login,
        on_secret=on_secret,
        patience=patience,
        resolve=resolve,
    )
    wanted = tuple(dict.fromkeys(names))
    found = _look(client, wanted, nodes=nodes, window=window)
    doubted = [name for name in wanted if isinstance(found[name], Missing)]
    if doubted and window.remaining() > patience.again:
        clock.wait(patience.again)
        return {**found, **_look(client, doubted, nodes=nodes, window=window)}
    return {**found, **dict.fromkeys(doubted, Unseen(say("images.no_time")))}


def _look(
    client: RegistryClient,
    names: Sequence[ImageName],
    *,
    nodes: Mapping[ImageName, Sequence[Platform]],
    window: Deadline,
) -> dict[ImageName, Verdict]:
    found: dict[ImageName, Verdict] = dict.fromkeys(names, Unseen(say("images.no_time")))

    def look(name: ImageName) -> None:
        verdict = _ask(client, name, reads_index=bool(nodes.get(name)))
        for child in _children_for(verdict, nodes.get(name, ())):
            below = _ask(client, name._replace(tag="", digest=child), reads_index=False)
            verdict = verdict if isinstance(below, Found) else below
        found[name] = verdict

    tasks = [partial(look, name) for name in names]
    try:
        values_of(overlap(tasks, concurrency=MOST_AT_ONCE, meanwhile=partial(end_at, window)))
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
