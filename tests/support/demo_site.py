"""The site of `make demo`, which the documents show too: lisi, her app, and wangwu, who starts the build."""

from __future__ import annotations

from pathlib import Path

from tests.emulator import Emulator
from tests.support.worker import Finished, Worker

VALUES = """\
app: nginx
domains:
  - host: www.example.com
    image: example.tencentcloudcr.com/web/www:1704448623620-427
    load_balancers: [lb-g9buwd3i]
  - host: news.example.com
    image: example.tencentcloudcr.com/web/news:1704448623620-427
    load_balancers: [lb-g9buwd3i]
"""
GOOD = "example.tencentcloudcr.com/web/www:1704448623620-427"
MISSING = "example.tencentcloudcr.com/web/www:1704448999620-428"
MISSING_TOO = "example.tencentcloudcr.com/web/www:1704449333620-429"
CLUSTER, NAMESPACE = "BCS-K8S-40000", "prod"


def people_of(emulator: Emulator) -> None:
    """Set the scene of the documented failure (facts/manifests.md, "The permission mismatch")."""
    emulator.state.add_project("web", viewers={"lisi"})
    emulator.state.add_app("lisi_app", "lisi-app-secret", vouches_for={"lisi", "wangwu"})


def regions_of(emulator: Emulator) -> dict[str, dict[str, object]]:
    """Return the private settings: one region, whose app is lisi's."""
    app = {"app_code": "lisi_app", "app_secret": "lisi-app-secret", "owner": "lisi"}
    return {"gz": {"gateway": emulator.url, **app}}


def inputs() -> dict[str, str]:
    """Return the form as the pipeline author filled it in; everything else takes its default."""
    return {"region": "gz", "template_space": "front-ends", "values": VALUES}


def report_of(finished: Finished, worker: Worker) -> Path:
    """Return the path of the HTML report."""
    entry = finished.told["data"]["report"]
    return Path(worker.workspace / entry["path"] / entry["target"])
