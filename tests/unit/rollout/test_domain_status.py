"""What is live of a file, where lists and dry run do not agree, or where only a list tells."""

from __future__ import annotations

from bcs_template_set.bcs.answers import TemplateFile, TemplateVersion
from bcs_template_set.bcs.marks import TEMPLATE_NAME, TEMPLATE_VERSION, UPDATOR, Mark
from bcs_template_set.bcs.space.existing import PastFile
from bcs_template_set.bcs.space.live_objects import LiveObjects, LiveRow
from bcs_template_set.manifests.fields import Fields
from bcs_template_set.manifests.kinds import CONFIG_MAP
from bcs_template_set.manifests.yaml_reading import YamlValue
from bcs_template_set.rollout.domain_status import Seen, domains_here
from bcs_template_set.rollout.live_state import LiveState
from bcs_template_set.rollout.revisions import Deployed, history_rows

FILE = TemplateFile(
    id="1", name="a.yaml", real_name="a.yaml", version="1.0.7", version_id="7", version_mode=0
)
MARKS: dict[str, YamlValue] = {TEMPLATE_NAME: "web/a.yaml", TEMPLATE_VERSION: "1.0.7", UPDATOR: "lisi"}
BODY: Fields = {"apiVersion": "v1", "kind": "ConfigMap", "metadata": {"name": "a", "annotations": MARKS}}
ROW = LiveRow(CONFIG_MAP, "a", "prod", "u-1", Mark("web/a.yaml", "1.0.7"), item=BODY)
HIDDEN = LiveState("a.yaml", "ConfigMap", "a", desired=BODY, live=None)


def test_an_object_that_a_list_has_and_a_dry_run_does_not_show_is_live_and_its_drift_not_known() -> None:
    seen = Seen("web", LiveObjects((ROW,)), looks={"a.yaml": {"1.0.7": (HIDDEN,)}})
    (domain,) = domains_here([FILE], seen, ready={})
    (file,) = domain.files
    assert (domain.standing, domain.drift, file.missing) == ("live", "not-known", ())
    assert [str(why) for why in file.why] == ["BCS lists ConfigMap/a and does not show it"]


def test_who_deployed_what_no_revision_tells_of_is_known_by_its_objects() -> None:
    version = TemplateVersion(id="7", version="1.0.7", content="", creator="wangwu")
    (row,) = history_rows([PastFile(FILE, (version,))], space="web", live=[ROW], revisions=[])
    assert (row.deployed, row.live, row.current) == (
        Deployed("lisi", "objects"),
        ("ConfigMap/a",),
        ("a.yaml",),
    )
