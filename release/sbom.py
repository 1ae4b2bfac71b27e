"""Lists the parts of a release as CycloneDX 1.6 (ECMA-424) in JSON: the same wheel gives the same text.

`python -m release.sbom FOLDER` writes it beside the wheel in that folder. What is fetched from an index with
the wheel is listed as it was locked; each wheel's hash is in `externalReferences`, as one version of a
distribution can be several files.
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

from release.dependencies import PYTHONS, own_version, read_dependencies
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
    text = sbom_text(wheel.name, wheel.read_bytes(), locked.runtime)
    wheel.with_suffix(".cdx.json").write_text(text, encoding="utf-8")
    return 0


def sbom_text(file: str, content: bytes, runtime: Sequence[Locked]) -> str:
    """Return the list of parts of a wheel and what it runs on."""
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
        "components": [_component(entry) for entry in runtime],
        "dependencies": _dependencies(ours, runtime),
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
        "properties": [{"name": f"{NAME}:python", "value": python} for python in entry.pythons],
    }


def _licence(words: str) -> _Json:
    return {"id": words} if words in _KNOWN_IDS else {"name": words}


def _purl(entry: Locked) -> str:
    return f"pkg:pypi/{entry.canonical}@{quote(entry.version)}"


def _dependencies(ours: str, runtime: Sequence[Locked]) -> list[_Json]:
    """Return who needs whom: the step, and each part on the Pythons it is for."""
    direct = [dependency.name.lower() for dependency in read_dependencies()]
    rows = [_row(ours, direct, PYTHONS, runtime)]
    return rows + [_row(_purl(entry), entry.needs, entry.pythons, runtime) for entry in runtime]


def _row(ref: str, needs: Sequence[str], pythons: Sequence[str], runtime: Sequence[Locked]) -> _Json:
    met = [entry for entry in runtime if entry.canonical in needs and set(entry.pythons) & set(pythons)]
    return {"ref": ref, "dependsOn": [_purl(entry) for entry in met]}


if __name__ == "__main__":
    sys.exit(main())
