"""What BCS's own words mean where its code does not say it. Pure: performs no I/O.

Each expression is of words seen live, or read in the sources that facts/bcs.md names.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Optional

from bcs_template_set.bcs.calls import JsonValue
from bcs_template_set.manifests.fields import list_at, mapping_at, text_at
from bcs_template_set.messages import Text, say
from bcs_template_set.messages.errors import NoPermission
from bcs_template_set.messages.step_error import StepError

NOT_FOUND = 1
"""BCS's general code, which is also that of an object that is not there (facts/bcs.md, "Answers")."""

_PANIC = "panic recovered"
_UNREAD = "nil pointer"
_WRONG_TYPE = "interface conversion"
_CONFLICT = "the object has been modified"
_TENANTS = re.compile(r"tenant\[([^\]]*)\] not match resource tenant\[([^\]]*)\]")
_LACKING = re.compile(r"no (\w+) permission")
_LOOKS_INTO_NAMESPACES = "namespace_view"
_NAMED = frozenset(
    {
        *("project_view", "cluster_view", "cluster_scoped_view"),
        *("namespace_view", "namespace_scoped_view", "namespace_scoped_create"),
    }
)
"""What the permission centre has a name for that is told (facts/bcs.md, "Answers")."""

_HELM_MANAGER = "/helmmanager/"
HELM_NOT_ESTABLISHED = 11
"""helm-manager's code for an unknown project, for nobody, and for an expired token."""


def failed_sentences(path: str, code: Optional[int], message: str) -> list[Text]:
    """Return what a failure means, beside BCS's own words."""
    meaning = panic_sentence(message) if code == 1 else None
    if meaning is None and code == HELM_NOT_ESTABLISHED and _HELM_MANAGER in path:
        meaning = say("bcs.helm_manager", message=message)
    return [] if meaning is None else [meaning]


def panic_sentence(message: str) -> Optional[Text]:
    """Return what a panic of BCS means, None where it is none (facts/bcs.md, trap 16)."""
    if _PANIC not in message:
        return None
    if _UNREAD in message:
        return say("bcs.unread")
    return say("bcs.wrong_type" if _WRONG_TYPE in message else "bcs.panicked")


def is_conflict(message: str) -> bool:
    """Tell whether Kubernetes refused a write because the object was changed since BCS had read it."""
    return _CONFLICT in message


def tenants_differ(message: str) -> Optional[Text]:
    """Return that the user is of another tenant than the project, None where BCS does not say so."""
    found = _TENANTS.search(message)
    if found is None:
        return None
    return say("bcs.tenant", user_tenant=found[1], project_tenant=found[2], message=message)


def no_permission(payload: Mapping[str, JsonValue], *, user: str, message: str) -> StepError:
    """Return a refusal with the permissions that are lacking and where to apply for them.

    Where it carries no list of them, as on the multi-tenant branch, its words name them.
    """
    # Each service puts it in a place of its own.
    places = (mapping_at(payload, place, "perms") for place in ("data", "webAnnotations", "web_annotations"))
    perms = next(filter(None, places), {})
    listed = [text_at(action, "action_id") for action in list_at(perms, "action_list")]
    names = [name for name in listed if name] or _LACKING.findall(message)
    shared = [say("bcs.shared_cluster")] if _LOOKS_INTO_NAMESPACES in names else []
    named = [
        say("bcs.permission", name=say(f"bcs.iam_{name}"), id=name) if name in _NAMED else name
        for name in names
    ]
    return NoPermission(user=user, message=message, details=shared).with_context(
        permission=named or "",
        apply_url=text_at(perms, "apply_url"),
    )
