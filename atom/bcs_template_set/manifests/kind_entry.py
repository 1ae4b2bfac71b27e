"""What the step knows of a kind of objects, as one value. Pure: performs no I/O."""

from __future__ import annotations

from typing import NamedTuple, Optional

from bcs_template_set.manifests.fields import Fields, mapping_at
from bcs_template_set.manifests.kind_rules import Revision, RolloutRule
from bcs_template_set.manifests.live_fields import number_in
from bcs_template_set.manifests.yaml_reading import YamlValue

SELECTOR = "spec.selector.matchLabels"


class Kind(NamedTuple):
    """A kind of objects, found by its API group ("" for core) and name.

    `former_groups` are those that older clusters serve it in as well. `route` is where cluster-resources
    serves its objects, such as `workloads/deployments`, or `crds/` and the name of their definition.
    `pod_template` is the path to the pods it makes: "" = the object is the pod, None = it makes none.
    `required` are the fields that the checks ask for, `fixed` those that Kubernetes refuses to change.

    `kept` is the field of `spec` that the cluster fills in and then keeps: from then on a document without it
    is refused, so that an object of the kind can't be replaced (facts/bcs.md, trap 11).

    With `template_of`, an object that has this field takes its pods' template and selector from another one.

    With a `rule`, a deployment waits for its objects. `done_in_list` are the fields of `status` by which an
    entry of a pruned list (facts/bcs.md, trap 12) may be done: counts that reach the wanted number, or lists
    that are not empty. Without any, every object is read whole; custom objects are listed whole, so the rule
    itself tells. `has_generation`: a whole object has one, and the controller says which one it has seen.
    `in_turn`: its pods have numbers, and it goes past none that is not ready.

    `is_guessed`: a comment tells of it, and its definition may have another name.

    `runs` is the kind of the objects that its controller makes to try something out, whose `status` says why
    that failed. `on_shared_cluster`: every shared cluster takes it. `scales`: an autoscaler may set its
    `spec.replicas`, which a replacement without that field makes 1.
    """

    group: str
    name: str
    route: str = ""
    former_groups: tuple[str, ...] = ()
    pod_template: Optional[str] = None
    template_of: str = ""
    required: tuple[str, ...] = ()
    fixed: tuple[str, ...] = ()
    kept: str = ""
    rule: Optional[RolloutRule] = None
    done_in_list: tuple[str, ...] = ()
    revision: Optional[Revision] = None
    has_generation: bool = True
    in_turn: bool = False
    is_guessed: bool = False
    runs: Optional[Kind] = None
    on_shared_cluster: bool = False
    scales: bool = False

    @property
    def is_custom(self) -> bool:
        """Tell whether a CustomResourceDefinition brings it."""
        return self.route.startswith("crds/")

    @property
    def ends(self) -> bool:
        """Tell whether its objects come to an end by themselves."""
        return self.rule is not None and self.rule.ends

    @property
    def is_told_by_lists(self) -> bool:
        """Tell whether a list says which of its objects may be done."""
        return self.is_custom or bool(self.done_in_list)

    def has_own_template(self, body: Fields) -> bool:
        """Tell whether an object brings the template of its pods itself."""
        *path, name = self.template_of.split(".")
        return not (name and mapping_at(body, *path).get(name))

    @property
    def has_selector(self) -> bool:
        """Tell whether it must select its own pods."""
        return SELECTOR in self.required

    def may_be_done(self, item: Fields) -> bool:
        """Tell whether what a list says may be that of an object that is done: only a whole look is sure."""
        if self.rule is not None and self.is_custom:
            return self.rule.look(item, self.rule.counts(item))[0] != "progressing"
        if self.rule is None or not self.done_in_list:
            return False
        status, wanted = mapping_at(item, "status"), self.rule.counts(item).wanted
        return all(_has_reached(status.get(name), wanted) for name in self.done_in_list)


def _has_reached(value: YamlValue, wanted: int) -> bool:
    return bool(value) if isinstance(value, list) else (number_in(value) or 0) >= wanted
