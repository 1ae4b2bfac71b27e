"""`python -m tests.fuzz.guided TARGET SECONDS SEED`: one target under atheris, which is none of ours.

It ends by itself; with a status other than 0 where the target broke, its input in the target's corpus then.
"""

from __future__ import annotations

import importlib
import sys
import tempfile
from pathlib import Path

OURS = "bcs_template_set"


def main(name: str, seconds: int, seed: int) -> None:
    try:
        atheris = importlib.import_module("atheris")
    except ImportError:
        sys.exit("atheris is not installed; it is on the package index, with wheels for Python 3.11 to 3.13")
    with atheris.instrument_imports(include=[OURS]):
        targets = importlib.import_module("tests.fuzz.targets")
    target = next(target for target in targets.TARGETS if target.name == name)
    corpus = targets.CORPUS / name
    corpus.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="fuzz-") as grown:
        for number, content in enumerate((*target.seeds, *target.kept())):
            (Path(grown) / str(number)).write_bytes(content)
        bounds = [f"-max_total_time={seconds}", f"-seed={seed % 2**32}", "-timeout=10", "-max_len=8192"]
        atheris.Setup([sys.argv[0], *bounds, f"-artifact_prefix={corpus}/", grown], target.eat)
        atheris.Fuzz()


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
