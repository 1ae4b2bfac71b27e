"""The task of a build against an emulated site that is another process, as BK-CI's worker is given it."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from pathlib import Path
from urllib.parse import urlsplit

from tests.emulator.build_worker import Task
from tests.support.stand_ins import SDK_JSON


def task(
    url: str,
    directory: Path,
    *,
    build: int,
    ref: str,
    inputs: Mapping[str, str],
    region: Mapping[str, object] | None = None,
) -> Task:
    """Return a build's task whose workspace lies in `directory`; `region` is what its region has beside."""
    settings = {
        "gateway": url,
        "app_code": "lisi_app",
        "app_secret": "lisi-canary",
        "people": "environment",  # the site is another process, where no build is on record
        **(region or {}),
    }
    parts = urlsplit(url)
    return Task(
        identity={**SDK_JSON, "projectId": "web", "gateway": f"{parts.scheme}://{parts.netloc}"},
        variables={
            "BK_CI_START_USER_NAME": "wangwu",
            "BK_CI_PIPELINE_UPDATE_USER": "lisi",
            "BK_CI_PROJECT_NAME": "web",
            "BK_CI_PIPELINE_ID": "p-1",
            "BK_CI_BUILD_NUM": str(build),
            "BK_CI_BUILD_START_TIME": str(int(time.time() * 1000)),
            "BK_CI_GIT_REF": ref,
        },
        facts={"BK_CI_LOCALE_LANGUAGE": "en_US", "bkWorkspace": str(directory / "workspace")},
        inputs={"region": "gz", **inputs},
        private_settings={"regions": json.dumps({"gz": settings})},
    )
