"""Packs what BK-CI's store takes into one zip, the same bytes for the same files.

`python -m release.bundle FOLDER` packs the one wheel of that folder with the store's own files.
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path
from zipfile import ZipFile

from release.parts import pack
from release.wheel import PROJECT

NAME = "bcsTemplateSet.zip"
STORE_FILES = ("task.json", "error.json", "errorCodes.json", "i18n", "file")


def main(arguments: Sequence[str]) -> int:
    """Pack the zip into the folder that is named.

    Raises:
        FileNotFoundError: a file that the store takes is not there.
    """
    (folder,) = map(Path, arguments)
    (wheel,) = folder.glob("*.whl")
    with ZipFile(folder / NAME, "w") as packed:
        for name, path in [(wheel.name, wheel), *_store_files()]:
            pack(packed, name, path.read_bytes())
    return 0


def _store_files() -> list[tuple[str, Path]]:
    """Return the files beside the wheel, by their names in the zip."""
    roots = [PROJECT / name for name in STORE_FILES]
    files = (path for root in roots for path in (sorted(root.rglob("*")) if root.is_dir() else [root]))
    return [(path.relative_to(PROJECT).as_posix(), path) for path in files if not path.is_dir()]


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
