"""A run that is refused for many findings, two in each file."""

from __future__ import annotations

from bcs_template_set.manifests.checks.finding import Finding, Origin
from bcs_template_set.manifests.checks.telling import refusal_of
from bcs_template_set.messages import say
from bcs_template_set.messages.step_error import StepError


def many_findings(number: int) -> StepError:
    """Return the error."""
    findings = [
        Finding(
            "image-tag",
            f"a{n // 2}.yaml",
            f"Pod/a{n}",
            "spec",
            say("checks.image_untagged", image=f"i{n}"),
            say("checks.image-tag.hint"),
            origin=Origin(f"a{n // 2}.yaml", n % 2 + 1),
        )
        for n in range(number)
    ]
    refusal = refusal_of(findings)
    assert refusal is not None
    return refusal
