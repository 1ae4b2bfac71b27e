"""What a run deletes, keeps and leaves of what earlier builds left, in sentences. Pure: performs no I/O."""

from __future__ import annotations

from typing import Literal

from bcs_template_set.messages import Text, say
from bcs_template_set.messages.step_error import first_names
from bcs_template_set.publish.pruning import Pruning, ways_back
from bcs_template_set.publish.take_away import Taken

MOST_REASONS = 20
"""So many objects are told of one by one, with why they stay."""


Told = Literal["planned", "done", "kept"]
"""What is said of what was to go: that it will, nothing (it is told elsewhere), or that it stayed."""


def pruning_texts(pruning: Pruning, *, told: Told = "planned") -> list[Text]:
    """Return what is deleted, what stays and why, and what is about the limit."""
    names = [f"{one.title} ({one.file})" for one in pruning.objects]
    names += [file.name for file in pruning.files]
    key = {"planned": "prune.deletes", "kept": "prune.not_deleted"}.get(told, "")
    key = key if pruning.mode == "delete" else "prune.would_delete"
    first = [say(key, names=first_names(names))] if names and key else []
    absent = [say("prune.absent", names=first_names(pruning.absent))] if pruning.absent else []
    return [*first, *_few(pruning.stays), *absent, *pruning.notes]


def taken_texts(taken: Taken) -> list[Text]:
    """Return what was deleted, what is left and why, and what nobody tried."""
    done = [one.title for one in taken.done] + [*taken.files]
    texts = [say("prune.done", names=first_names(done))] if done else []
    texts += _few(tuple(say("prune.left", name=name, why=why) for name, why in taken.left))
    if taken.not_tried:
        texts.append(say("prune.not_tried", names=first_names(taken.not_tried)))
    return texts


def back_texts(taken: Taken) -> list[Text]:
    """Return what brings back all that was deleted, as far as its files are there."""
    gone = [one for one in taken.done if one.file not in taken.files]
    return [say("prune.back", build=way.build, files=way.files) for way in ways_back(gone)]


def _few(texts: tuple[Text, ...]) -> list[Text]:
    more = len(texts) - MOST_REASONS
    return [*texts[:MOST_REASONS], *([say("report.more_details", count=more)] if more > 0 else [])]
