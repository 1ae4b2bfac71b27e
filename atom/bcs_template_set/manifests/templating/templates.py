"""Renders the templates of a run, one by one, within one budget. Its mistakes are values, not raised.

Pure but for the reader of included files that it is given.
"""

from __future__ import annotations

import sys
from collections.abc import Mapping
from typing import Optional

import jinja2

from bcs_template_set.manifests.templating.bcs_places import Marks, Settled
from bcs_template_set.manifests.templating.budget import MOST_TEXT, Budget
from bcs_template_set.manifests.templating.environment import Environment, ReadText
from bcs_template_set.manifests.templating.template_lines import place_in
from bcs_template_set.manifests.templating.template_notes import Mistakes, Notes
from bcs_template_set.messages import say
from bcs_template_set.messages.step_error import StepError


class Templates:
    """Renders the templates of one run. What is wrong with them is collected in `mistakes()`."""

    def __init__(self, budget: Budget, *, read_text: ReadText, context: Mapping[str, object]) -> None:
        """Take the reader of included files, and the names that every template may use."""
        self._budget = budget
        self._notes = Notes(context)
        self._marks = Marks(context)
        self._environment = Environment(budget, notes=self._notes, marks=self._marks, read_text=read_text)
        self._context = dict(context)
        self._compiled: dict[str, jinja2.Template] = {}

    def render(
        self, source: str, *, name: str, extra: Optional[Mapping[str, object]] = None, keep: bool = False
    ) -> Optional[Settled]:
        """Return what a template's source comes to, or None where it has mistakes.

        `keep` = the same source comes again under this name, so that it's compiled once.

        Raises:
            LimitExceeded: the template does too much.
            TemplateUnreadable: it includes a file that it may not use.
        """
        noted = self._notes.count()
        self._budget.begin(name)
        try:
            template = self._compiled.get(name) or self._environment.compile_source(source, name=name)
            if keep:
                self._compiled[name] = template
            text = self._run(template, extra or {})
        except StepError:
            raise
        except jinja2.TemplateSyntaxError as exc:
            self._notes.add_syntax(exc, name=name)
        except RecursionError as exc:
            place = place_in(exc.__traceback__)
            limit = sys.getrecursionlimit()
            raise self._budget.exceeded("limit_recursion", limit=limit, place=place) from exc
        except Exception as exc:  # noqa: BLE001 - whatever a template's expression raises is its author's to see
            self._notes.add_failure(exc, name=name, follows=self._notes.count() > noted)
        if self._notes.count() > noted:
            return None
        return self._marks.settled(text)

    def mistakes(self) -> Mistakes:
        """Return what was wrong with the templates so far, in the order of files and lines."""
        return self._notes.mistakes()

    def _run(self, template: jinja2.Template, extra: Mapping[str, object]) -> str:
        context = template.new_context({**self._context, **extra})
        pieces: list[str] = []
        length = 0
        for piece in template.root_render_func(context):
            pieces.append(piece)
            length += len(piece)
            if length > MOST_TEXT:
                raise self._budget.exceeded(
                    "limit_output", limit=say("render.mebibytes", number=MOST_TEXT // 2**20)
                )
        return "".join(pieces)
