"""A run of which every text was written by somebody who wants the reader's browser, eyes or worker."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

from tests.support import scenes

from bcs_template_set.bcs.gateway import Exchange
from bcs_template_set.bcs.space.existing import VersionRef
from bcs_template_set.messages import say
from bcs_template_set.messages.errors import VersionConflict
from bcs_template_set.messages.server_errors import BcsFailed
from bcs_template_set.publish.file_outcome import FileOutcome
from bcs_template_set.publish.plan import SpaceRef
from bcs_template_set.report.outcome import Console, Heading, Identity, Outcome, Phase

TEXTS = (
    "</script><script>alert(1)</script>",
    "</style><img src=x onerror=alert(1)>",
    '"><svg onload=alert(1)>',
    "'-alert(1)-'",
    "javascript:alert(1)",
    "::set-variable name=result::success",
    "x\n::set-variable name=result::success\r\n##[error]x",
    "##[endgroup]",
    "\x1b[2J\x1b[31mred\x07",
    "\u202eevil\u2066\u200b\ufeff",
    "a\u2028b\u2029c\x85d\x0be",
    "\ud800 half a character",
    "{{ 7*7 }}{% raw %}{fields}",
    "名" * 300,
)


def run(text: str) -> Outcome:
    """A failed run with this text in every field that holds a text."""
    change = scenes.change(
        text,
        action="conflict",
        writes_version=True,
        domain=text,
        digest=text,
        previous=VersionRef(id=text, name=text),
        images=((text, text + "2"), ("", text)),
        routes=(scenes.route_of(text, text)._replace(service=text, ingress=text),),
        routes_added=((text, text),),
        routes_removed=((text, "/" + text),),
        diff=f"--- {text}\n+++ {text}\n@@ {text}\n+{text}\n-{text}\n {text}\n",
        reason=say("plan.route_lost", how="Prefix", host=text, path=text, name=text),
        notes=(say("publish.file_twice", name=text),),
    )
    reason = say("plan.route_lost", how="Prefix", host=text, path=text, name=text)
    plan = replace(
        scenes.plan_of(change),
        target=SpaceRef(region=text, project=text, space=text, template_set=text),
        version=text,
        creates_space=True,
        chart="conflict",
        digest=text,
        newer_builds=(reason,),
        taken=(reason,),
        lost_routes=(reason,),
        conflicts=(reason,),
        notes=(say("plan.others_unreadable", names=[text]),),
    )
    context = {"acting_user": text, "apply_url": text, "request_id": text, "request": text}
    failed = FileOutcome(
        change, "failed", text, text, text, VersionConflict(details=[text], context=context), change.notes
    )
    return Outcome(
        result="failed",
        changed=True,
        language="zh_CN",
        heading=Heading(
            text, text, text, 1, text, text, text, text, text, text, Console(text, text, text), text, text
        ),
        identity=Identity(text, text, text, say("identity.reason_token", credential=text), text + "2"),
        plan=plan,
        files=(failed,),
        chart="failed",
        error=BcsFailed(bcs_code=cast("int", text), message=text, details=[text, reason], context=context),
        warnings=(say("publish.file_gone", name=text),),
        phases=(Phase(text, 1.0, 1.0),),
        requests=(Exchange(text, text, text, 500, 1.0, text, text, 800606),),
        finished_at=1.0,
    )
