"""Renders templates of one run, one by one. Their mistakes are noted, not raised.

Pure but for the reader of included files that it is given.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Optional

import jinja2

from bcs_template_set.manifests.templating.bcs_places import Marks
from bcs_template_set.manifests.templating.comment_marks import UnclearComment
from bcs_template_set.manifests.templating.environment import (
    Environment,
    OwnEnvironment,
    ReadText,
    callable_namespace,
)
from bcs_template_set.manifests.templating.template_lines import place_in
from bcs_template_set.manifests.templating.template_notes import Notes, exceeded
from bcs_template_set.messages import say
from bcs_template_set.messages.step_error import StepError

MOST_TEXT = 2 * 2**20


class Templates:
    """Renders the templates of one run. What is wrong with them is in the notes."""

    def __init__(
        self,
        context: Mapping[str, object],
        *,
        notes: Notes,
        marks: Marks,
        read_text: ReadText,
        kind: type[Environment] = Environment,
    ) -> None:
        """Take the names that every template may use, and the reader of included files."""
        namespace = callable_namespace(context.get("namespace"), notes=notes)
        self._notes = notes
        self._environment = kind(notes=notes, marks=marks, read_text=read_text, namespace=namespace)
        self._context = {**context, "namespace": namespace}
        self._compiled: dict[str, jinja2.Template] = {}

    def render(
        self, source: str, *, name: str, extra: Optional[Mapping[str, object]] = None, keep: bool = False
    ) -> Optional[str]:
        """Return what a template's source comes to, with marks, or None where it has mistakes.

        `keep` = the same source comes again under this name, so that it's compiled once.

        Raises:
            LimitExceeded: the template does too much.
            MemoryError: there is none left.
        """
        noted = self._notes.count()
        text = None
        try:
            template = self._compiled.get(name) or self._environment.compile_source(source, name=name)
            if keep:
                self._compiled[name] = template
            text = self._run(template, extra or {}, name=name)
        except (StepError, MemoryError):
            raise
        except (jinja2.TemplateSyntaxError, UnclearComment) as exc:
            self._notes.add_syntax(exc, name=name)
        except RecursionError as exc:
            place, limit = place_in(exc.__traceback__), sys.getrecursionlimit()
            raise exceeded("limit_recursion", limit=limit, place=place, template=name) from exc
        except Exception as exc:  # noqa: BLE001 - whatever a template's expression raises is its author's to see
            self._notes.add_failure(exc, name=name, follows=self._notes.count() > noted)
        return text if self._notes.count() == noted else None

    def _run(self, template: jinja2.Template, extra: Mapping[str, object], *, name: str) -> str:
        context = template.new_context({**self._context, **extra})
        if isinstance(self._environment, OwnEnvironment):
            return "".join(template.root_render_func(context))
        pieces: list[str] = []
        length = 0
        for piece in template.root_render_func(context):
            pieces.append(piece)
            length += len(piece)
            if length > MOST_TEXT:
                limit = say("render.mebibytes", number=MOST_TEXT // 2**20)
                raise exceeded("limit_output", limit=limit, template=name)
        return "".join(pieces)
