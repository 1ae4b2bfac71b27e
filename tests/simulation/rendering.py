"""Renders as the step does, each text once: builds of many worlds publish the same few.

What a build prepares (its inputs, its branch's claim, the files it names) is its own; what is kept is what
the templates came to, by all that they depend on.
"""

from __future__ import annotations

from dataclasses import replace

from bcs_template_set.config.inputs import approved_inputs
from bcs_template_set.config.principal import Principal
from bcs_template_set.manifests.naming import slug_of
from bcs_template_set.manifests.templating.prepare import Prepared
from bcs_template_set.messages import Text
from bcs_template_set.publish.plan import Desired
from bcs_template_set.run.context import RunContext
from bcs_template_set.run.render_phase import prepare_rendering, provenance_of, render_desired

_Key = tuple[object, ...]


class Rendering:
    """What was rendered in this process so far."""

    def __init__(self) -> None:
        self._known: dict[_Key, tuple[Desired, tuple[Text, ...]]] = {}

    def __call__(self, context: RunContext, principal: Principal) -> tuple[Prepared, Desired]:
        """Return what the run renders, as `Services.render` has it."""
        prepared = prepare_rendering(context)
        key = self._key(context, prepared)
        if key not in self._known:
            warned = len(context.services.record.warnings)
            desired = render_desired(context, principal, prepared=prepared)
            self._known[key] = desired, tuple(context.services.record.warnings[warned:])
            return prepared, desired
        return prepared, self._again(context, principal, key)

    def _key(self, context: RunContext, prepared: Prepared) -> _Key:
        given = context.services.agent.inputs()
        texts = [(source.name, prepared.workspace.read_text(source.path)) for source in prepared.sources]
        named = [given.get(name, "") for name in ("values", "namespace", "only", "variables", "strict")]
        claim = prepared.claim if prepared.branch_domains else None
        return (*named, claim, *texts)

    def _again(self, context: RunContext, principal: Principal, key: _Key) -> Desired:
        desired, warnings = self._known[key]
        record, build, settings = context.services.record, context.build, context.settings
        version = f"1.0.{build.build_number}-{slug_of(build.branch)}"
        record.heading = replace(record.heading, version=version)
        record.rendered = desired.files
        record.warnings += warnings
        return replace(
            desired,
            version=version,
            provenance=provenance_of(context, acting_as=principal.label),
            inputs=approved_inputs(settings),
        )
