"""argv -> the step, or a local verb. Without arguments it is the step, as BK-CI starts it; elsewhere, help.

Imports stay inside the branches: `--help` and a mistyped verb must not wait for HTTP or templates.
"""

from __future__ import annotations

import argparse
import gc
import os
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from functools import cache
from typing import TYPE_CHECKING, Callable, NoReturn, Optional

from bcs_template_set.cli.desk_language import HelpLines, local_language
from bcs_template_set.messages import say
from bcs_template_set.system.stdout import put

if TYPE_CHECKING:
    from _typeshed import SupportsWrite

    from bcs_template_set.agent.log import Log

PROGRAM = "bcs-template-set"


POST_ACTIONS = ("restore",)
"""What task.json's `execution.post` may name."""

HIDDEN = ("--", "--post_action")
"""What no help names: the end of the options, and what BK-CI adds."""

CHECK_FORMATS = ("text", "json", "sarif", "junit")

MISTAKEN_ARGUMENTS = 1
"""The exit status; argparse's own is 2, and BK-CI knows 0 and 1 (facts/agent.md, "output.json")."""

MANY_VALUES = 500_000
"""After so many new ones Python looks for values that only each other keep. There are hardly any, and looking
through thousands of documents again and again takes a tenth of a run."""


MISTAKES = {
    r"the following arguments are required: (?P<name>.+)": "help.missing",
    r"argument (?P<name>.+): expected one argument": "help.takes_value",
    r"argument (?P<name>.+): ignored explicit argument .*": "help.takes_no_value",
    r"argument (?P<name>.+): invalid choice: (?P<given>.+) \(choose from (?P<choices>.+)\)": "help.one_of",
    r"unrecognized arguments: (?P<name>.+)": "local.unknown_argument",
}
"""What argparse says is wrong, without its quotes, and the sentence that we say in its place."""


class Parser(argparse.ArgumentParser):
    """A parser, also of verbs, that ends with our exit status and prints to whatever stdout there is."""

    verbs: Mapping[str, Parser] = {}
    document = ""
    """What `check --format` asks for, which has to hold mistaken arguments, too."""

    def in_desk_words(self) -> Parser:
        """Return the parser with its own words in the desk's language."""
        self._positionals.title, self._optionals.title = told("help.arguments"), told("help.options")
        self.add_argument("-h", "--help", action="help", help=told("help.help"))
        return self

    def long_options(self) -> list[str]:
        """Return the options that begin with two hyphens."""
        return [option for option in self._option_string_actions if option.startswith("--")]

    def format_usage(self) -> str:
        """Return the usage alone."""
        return super().format_usage().replace("usage: ", told("help.usage"), 1)

    def format_help(self) -> str:
        """Return the whole help."""
        return super().format_help().replace("usage: ", told("help.usage"), 1)

    def print_help(self, file: Optional[SupportsWrite[str]] = None) -> None:
        """Print the help to stdout."""
        if file is not None:
            super().print_help(file)
        else:
            put(sys.stdout, self.format_help())

    def error(self, message: str) -> NoReturn:
        """Say what is wrong with the arguments and end."""
        for pattern, key in MISTAKES.items():
            found = re.fullmatch(pattern, message.replace("'", ""), re.DOTALL)
            if found:
                message = told(key, **{name: text.split(", ") for name, text in found.groupdict().items()})
        if self.document:
            from bcs_template_set.cli.verb_render import show_mistakes  # noqa: PLC0415 - see the module's docstring

            show_mistakes(self.document, [message])
        self.print_usage(sys.stderr)
        self.exit(MISTAKEN_ARGUMENTS, f"{self.prog}: {message}\n")


def main(argv: Sequence[str]) -> int:
    """Run what the arguments ask for; return the exit status, 0 or 1."""
    if not argv and os.environ.get("bk_data_dir"):  # noqa: SIM112 - as the worker writes it
        return run_step()
    parser = build_parser()
    options = parse(parser, argv)
    if options.show_version:
        from bcs_template_set.system.version import step_version  # noqa: PLC0415 - see the module's docstring

        put(sys.stdout, f"{PROGRAM} {step_version()}\n")
        return 0
    if not argv:
        parser.print_help()  # nobody waits for an output.json
        return 0
    if options.verb == "completion":
        from bcs_template_set.cli.completion import completion_script  # noqa: PLC0415 - see the module's docstring

        put(
            sys.stdout,
            completion_script(PROGRAM, {verb: one.long_options() for verb, one in parser.verbs.items()}),
        )
        return 0
    return run_step(options.post_action) if options.verb is None else run_verb(options)


def run_step(post_action: str = "") -> int:
    """Run the step, or its post action."""
    from bcs_template_set.system.signals import hold_signals  # noqa: PLC0415 - see the module's docstring

    hold_signals()
    from bcs_template_set.run.entry import run_for_agent  # noqa: PLC0415 - see the module's docstring

    return run_for_agent(os.environ, post_action=post_action)


def run_verb(options: argparse.Namespace) -> int:
    """Do at a desk what the verb says."""
    from bcs_template_set.cli.desk_boundary import at_desk  # noqa: PLC0415 - see the module's docstring

    @cache
    def errors() -> Log:
        from bcs_template_set.agent.masker import Masker  # noqa: PLC0415 - as above; `check` needs it on a mistake
        from bcs_template_set.cli.desk_log import DeskLog  # noqa: PLC0415 - as above

        full = options.verb in ("plan", "rollback")  # whose errors have evidence, folded by a worker
        return DeskLog(sys.stderr, local_language(), masker=Masker(), environ=os.environ, full=full)

    settings_file: str = getattr(options, "settings", "")
    return at_desk(lambda: do_verb(options, errors), errors=errors, settings_file=settings_file)


def do_verb(options: argparse.Namespace, errors: Callable[[], Log]) -> int:
    """Do what the verb says, importing that one alone; return the exit status.

    Raises StepError where it can't be done.
    """
    if options.verb in ("render", "check"):
        from bcs_template_set.cli import verb_render  # noqa: PLC0415 - see the module's docstring

        return verb_render.render(options) if options.verb == "render" else verb_render.check(options)
    if options.verb == "schema":
        from bcs_template_set.cli.verb_schema import show_schema  # noqa: PLC0415 - as above

        return show_schema(options.template, language=local_language())
    if options.verb == "doctor":
        from bcs_template_set.cli.verb_doctor import show_doctor as do  # noqa: PLC0415 - as above: it needs HTTP
    elif options.verb in ("plan", "rollback"):
        from bcs_template_set.cli.verb_plan import show_plan as do  # noqa: PLC0415 - as above
    elif options.verb == "branches":
        from bcs_template_set.cli.verb_branches import show_branches as do  # noqa: PLC0415 - as above
    elif options.verb == "undeploy":
        from bcs_template_set.cli.verb_undeploy import show_undeploy as do  # noqa: PLC0415 - as above
    elif options.verb == "init":
        from bcs_template_set.cli.verb_init import show_init as do  # noqa: PLC0415 - as above
    else:
        from bcs_template_set.cli.looks import look as do  # noqa: PLC0415 - as above
    return do(options, errors=errors())


def parse(parser: Parser, argv: Sequence[str]) -> argparse.Namespace:
    """Return the options; a word that is none ends here, with the one that is nearest to it."""
    first = argv[0] if argv else "-"
    if not first.startswith("-") and first not in parser.verbs:
        parser.error(unknown(first, parser.verbs))
    if argv:
        at_work = parser.verbs.get(first, parser)
        if first == "check":
            parser.document = at_work.document = document_of(argv)
        known = [*HIDDEN, *at_work.long_options()]
        given = [word.partition("=")[0] for word in argv if word.startswith("--")]
        for word in [word for word in given if word not in known]:
            at_work.error(unknown(word, known))
    return parser.parse_args(argv)


def document_of(argv: Sequence[str]) -> str:
    """Return the word behind `--format`, "" where there is none."""
    for word, after in zip(argv, (*argv[1:], "")):
        name, _, given = word.partition("=")
        if name == "--format":
            return given or after
    return ""


def unknown(word: str, known: Iterable[str]) -> str:
    """Return that a word is not known, and which one may be meant, in the desk's language."""
    from bcs_template_set.messages.spelling import with_nearest  # noqa: PLC0415 - only a mistake needs it

    mistake = say("local.unknown_argument", name=word)
    return with_nearest(mistake, word, known).render(local_language())


def told(key: str, **fields: object) -> str:
    """Return a sentence in the desk's language."""
    return say(key, **fields).render(local_language())


def build_parser() -> Parser:
    """Return the parser of all arguments. No option is abbreviated: what a script means must not change."""
    parser = Parser(
        prog=PROGRAM,
        description=told("help.program"),
        formatter_class=HelpLines,
        allow_abbrev=False,
        add_help=False,
    ).in_desk_words()
    # Hidden: BK-CI adds it after a failed job (bk-ci, PythonAtomRunConditionHandleServiceImpl.kt, 2026-08).
    parser.add_argument("--post_action", choices=POST_ACTIONS, default="", help=argparse.SUPPRESS)
    parser.add_argument("--version", action="store_true", dest="show_version", help=told("help.version"))
    verbs = parser.add_subparsers(title=told("help.verbs"), dest="verb", metavar="VERB")
    parser.verbs = verbs.choices

    def add(name: str) -> Parser:
        text = told(f"help.{name}")
        verb = verbs.add_parser(
            name, help=text, description=text, formatter_class=HelpLines, allow_abbrev=False, add_help=False
        )
        return verb.in_desk_words()

    add_rendering_arguments(add("render"))
    checking = add("check")
    add_rendering_arguments(checking)
    checking.add_argument("--version", default="", metavar="NAME", help=told("help.version_name"))
    checking.add_argument("--template-space", default="", metavar="NAME", help=told("help.template_space"))
    checking.add_argument("--kube-version", default="", metavar="VERSION", help=told("help.kube_version"))
    checking.add_argument("--strict", action="store_true", help=told("help.strict"))
    checking.add_argument("--format", choices=CHECK_FORMATS, default="text", help=told("help.format"))
    planning = add("plan")
    add_settings_argument(planning)
    add_values_arguments(planning)
    planning.add_argument("--only", action="append", default=[], metavar="NAME", help=told("help.only"))
    planning.add_argument("--full", action="store_true", help=told("help.full"))
    add_settings_argument(add("doctor"), as_json=True)
    branches = add("branches")
    add_settings_argument(branches)
    branches.add_argument("--older-than", metavar="AGE", help=told("help.older_than"))
    branches.add_argument("--keep", action="append", default=[], metavar="PATTERN,…", help=told("help.keep"))
    branches.add_argument("--dry-run", action="store_true", help=told("help.dry_run"))
    branches.add_argument("--json", action="store_true", help=told("help.json"))
    add_looking_arguments(add("status"), hosts="*")
    add_looking_arguments(add("history"), hosts="+")
    add_looking_arguments(add("diff"), "A", "B", hosts="*")
    rolling = add("rollback")
    rolling.add_argument("hosts", nargs="+", metavar="HOST", help=told("help.some_hosts"))
    rolling.add_argument("--to", default="previous", metavar="TARGET", help=told("help.rollback_to"))
    rolling.add_argument("--yes", action="store_true", help=told("help.rollback_yes"))
    add_settings_argument(rolling)
    add_set_argument(rolling)
    rolling.add_argument("--full", action="store_true", help=told("help.full"))
    undeploying = add("undeploy")
    undeploying.add_argument("host", metavar="HOST", help=told("help.undeploy_host"))
    add_settings_argument(undeploying)
    undeploying.add_argument("--yes", action="store_true", help=told("help.yes"))
    undeploying.add_argument("--files", action="store_true", help=told("help.files"))
    beginning = add("init")
    add_settings_argument(beginning)
    beginning.add_argument("--output", default="", metavar="FILE", help=told("help.init_output"))
    beginning.add_argument("--published", action="store_true", help=told("help.init_published"))
    add("schema").add_argument(
        "template", nargs="?", default="builtin:web", choices=("builtin:web",), help="builtin:web"
    )
    add("completion")
    return parser


def add_settings_argument(parser: argparse.ArgumentParser, *, as_json: bool = False) -> None:
    """Add what the verbs share that speak with a region."""
    parser.add_argument("--settings", required=True, metavar="FILE", help=told("help.settings"))
    if as_json:
        parser.add_argument("--json", action="store_true", help=told("help.json"))


def add_looking_arguments(parser: argparse.ArgumentParser, *versions: str, hosts: str) -> None:
    """Add what the verbs take that only look at a folder."""
    for name in versions:
        parser.add_argument(name, help=told("help.version_or_live"))
    # Without a default, argparse counts "*" among the words that are missing.
    key = "help.hosts" if hosts == "*" else "help.some_hosts"
    parser.add_argument("hosts", nargs=hosts, default=[], metavar="HOST", help=told(key))
    add_settings_argument(parser, as_json=True)


def add_rendering_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what `render` and `check` share."""
    add_values_arguments(parser)
    parser.add_argument(
        "--templates", action="append", default=[], metavar="PATTERN", help=told("help.templates")
    )


def add_values_arguments(parser: argparse.ArgumentParser) -> None:
    """Add what says what is rendered, and for which build."""
    parser.add_argument("files", nargs="*", metavar="FILE", help=told("help.file"))
    parser.add_argument("--values", action="append", default=[], metavar="FILE", help=told("help.values"))
    add_set_argument(parser)


def add_set_argument(parser: argparse.ArgumentParser) -> None:
    """Add what says which build it is."""
    parser.add_argument("--set", action="append", default=[], metavar="NAME=VALUE", help=told("help.set"))


def entry_point() -> None:
    """Run what the arguments of the process ask for, and exit."""
    gc.set_threshold(MANY_VALUES)
    try:
        status = main(sys.argv[1:])
    finally:
        for stream in (sys.stdout, sys.stderr):
            put(stream, "")
        gc.freeze()  # else Python looks through all that is left three times more before it ends
    sys.exit(status)
