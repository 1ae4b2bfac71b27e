"""Lists the parts of a release as CycloneDX 1.6 (ECMA-424) in JSON: the same wheel gives the same text.

`python -m release.sbom FOLDER` writes it beside the wheel in that folder. What the wheel carries is listed as
it was locked; the hash of each wheel that it was taken from is in `externalReferences`.
"""

from __future__ import annotations

import argparse
import hashlib
import sys
import uuid
from collections.abc import Sequence
from datetime import datetime, timezone
from pathlib import Path
from typing import Optional
from urllib.parse import quote

import msgspec

from release.dependencies import own_version, read_dependencies
from release.locked import Locked, parse_locked
from release.wheel import EPOCH

HERE = Path(__file__).parent
NAME = "bcs-template-set"
_KNOWN_IDS = ("MIT", "MPL-2.0", "BSD-3-Clause", "Apache-2.0")
"""The SPDX ids that occur; a licence in other words is listed in those words."""

_Json = dict[str, object]


def main(arguments: Optional[list[str]] = None) -> int:
    """Write the list of parts beside the wheel."""
    parser = argparse.ArgumentParser(prog="python -m release.sbom", description=__doc__)
    parser.add_argument("folder", type=Path)
    folder: Path = parser.parse_args(arguments).folder
    (wheel,) = folder.glob("*.whl")
    locked = parse_locked((HERE / "locked.json").read_bytes())
    text = sbom_text(wheel.name, wheel.read_bytes(), locked.parts)
    wheel.with_suffix(".cdx.json").write_text(text, encoding="utf-8")
    return 0


def sbom_text(file: str, content: bytes, parts: Sequence[Locked]) -> str:
    """Return the list of parts of a wheel."""
    digest = hashlib.sha256(content).hexdigest()
    ours = f"pkg:pypi/{NAME}@{own_version()}"
    document: _Json = {
        "$schema": "http://cyclonedx.org/schema/bom-1.6.schema.json",
        "bomFormat": "CycloneDX",
        "specVersion": "1.6",
        "serialNumber": f"urn:uuid:{uuid.uuid5(uuid.NAMESPACE_URL, f'{ours}#{digest}')}",
        "version": 1,
        "metadata": {
            "timestamp": datetime.fromtimestamp(EPOCH, timezone.utc).isoformat().replace("+00:00", "Z"),
            "component": {
                "type": "application",
                "bom-ref": ours,
                "name": NAME,
                "version": own_version(),
                "purl": f"{ours}?file_name={quote(file)}",
                "licenses": [{"license": {"id": "MIT"}}],
                "hashes": [{"alg": "SHA-256", "content": digest}],
            },
        },
        "components": [_component(entry) for entry in parts],
        "dependencies": _dependencies(ours, parts),
    }
    return msgspec.json.format(msgspec.json.encode(document), indent=1).decode() + "\n"


def _component(entry: Locked) -> _Json:
    purl = _purl(entry)
    return {
        "type": "library",
        "bom-ref": purl,
        "name": entry.name,
        "version": entry.version,
        "purl": purl,
        "licenses": [{"license": _licence(entry.licence)}],
        "externalReferences": [
            {
                "type": "distribution",
                "url": f"{purl}?file_name={quote(file)}",
                "hashes": [{"alg": "SHA-256", "content": digest}],
            }
            for file, digest in sorted(entry.wheels.items())
        ],
    }


def _licence(words: str) -> _Json:
    return {"id": words} if words in _KNOWN_IDS else {"name": words}


def _purl(entry: Locked) -> str:
    return f"pkg:pypi/{entry.canonical}@{quote(entry.version)}"


def _dependencies(ours: str, parts: Sequence[Locked]) -> list[_Json]:
    """Return who needs whom: the step, and each part."""
    direct = [dependency.name.lower() for dependency in read_dependencies()]
    return [_row(ours, direct, parts), *(_row(_purl(entry), entry.needs, parts) for entry in parts)]


def _row(ref: str, needs: Sequence[str], parts: Sequence[Locked]) -> _Json:
    return {"ref": ref, "dependsOn": [_purl(entry) for entry in parts if entry.canonical in needs]}


if __name__ == "__main__":
    sys.exit(main())
