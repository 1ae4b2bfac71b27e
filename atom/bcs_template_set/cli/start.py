"""The console script: says what keeps the step from starting at all, and hands over to the command line.

Python 3.6 can read it, and up to the hand-over it is standard library alone: an interpreter that is too old
and a package that is damaged get a sentence and an output.json, too.
"""

import json
import os
import sys
from contextlib import suppress
from pathlib import Path

from bcs_template_set.system import carried

OLDEST = (3, 9)
TOO_OLD, DAMAGED = 800109, 800110
"""The codes of `InterpreterTooOld` and `InstallationDamaged`, whose errorType is 1."""


def entry_point(version: "tuple[int, ...]" = sys.version_info[:2]) -> None:
    """Start the step, or say why it can't be started."""
    if version < OLDEST:
        found = ".".join(str(part) for part in version)
        sys.exit(give_up(TOO_OLD, {"found": found, "python": sys.executable}))
    try:
        carried.take()
        from bcs_template_set.cli.main import entry_point as begin  # noqa: PLC0415 - see the module's docstring

        begin()
    except Exception as exc:  # noqa: BLE001 - whatever damage does to a module: all else ends in a verdict
        sys.exit(give_up(DAMAGED, {"file": getattr(exc, "file", "") or f"{type(exc).__name__}: {exc}"}))


def give_up(code: int, fields: "dict[str, str]") -> int:
    """Say why the step can't be started, in the log and in output.json; return the exit status."""
    locale = os.environ.get("BK_CI_LOCALE_LANGUAGE", "")
    language = "en_US" if locale.lower().startswith("en") else "zh_CN"  # as language_of has it
    message = " ".join(told(f"{code}.{part}", language, fields) for part in ("title", "cure")).strip()
    message = message or f"The step can't start: {', '.join(fields.values())}. Install its package again."
    directory = os.environ.get("bk_data_dir")  # noqa: SIM112 - as the worker writes it
    if directory:
        said = {"status": "failure", "type": "default", "message": message, "data": {}}
        text = json.dumps(dict(said, errorType=1, errorCode=code))
        write(Path(directory, os.environ.get("bk_data_output") or "output.json"), text)  # noqa: SIM112 - as above
    say(message)
    return 1


def told(key: str, language: str, fields: "dict[str, str]") -> str:
    """Return a sentence of the catalogue; "" where that is damaged too."""
    try:
        catalogue = json.loads(Path(carried.HOME, "messages", "errors.json").read_text(encoding="utf-8"))
        return str(catalogue[key][language].format(**fields))
    except (OSError, ValueError, KeyError, TypeError):
        return ""


def write(path: Path, text: str) -> None:
    """Write a file whole, or say that it can't be written."""
    beside = path.with_name(f".{path.name}.{os.getpid()}")
    try:
        beside.write_text(text, encoding="ascii")
        beside.replace(path)
    except OSError as exc:
        with suppress(OSError):
            beside.unlink()
        say(f"{path}: {exc.strerror}")


def say(text: str) -> None:
    """Print a line as an error of the log, whatever the locale is."""
    with suppress(OSError):  # nobody listens: output.json has it
        os.write(1, f"##[error]{text}\n".encode("utf-8", "backslashreplace"))
