"""Where every verb at a desk ends: what it raises is told as an error with its cure, never as a traceback."""

from __future__ import annotations

from typing import TYPE_CHECKING, Callable

from bcs_template_set.cli.desk_cures import in_settings
from bcs_template_set.messages.errors import Interrupted
from bcs_template_set.messages.step_error import StepError, defect_of
from bcs_template_set.system.signals import Stopped

if TYPE_CHECKING:
    from bcs_template_set.agent.log import Log


def at_desk(verb: Callable[[], int], *, errors: Callable[[], Log], settings_file: str) -> int:
    """Do what a verb does and return its exit status; tell an error, a stop and a defect, with 1."""
    try:
        return verb()
    except StepError as exc:
        error = exc
    except Stopped as exc:
        error = exc.error
    except KeyboardInterrupt:
        error = Interrupted(signal="SIGINT")
    except Exception as exc:  # noqa: BLE001 - the one boundary of a desk: a defect is told as one
        error = defect_of(exc)
    log = errors()
    for line in in_settings(error, settings_file).explain(log.language):
        log.error(line)
    return 1
