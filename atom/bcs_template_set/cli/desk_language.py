"""The language of a desk. Imports next to nothing: a mistyped verb must not wait."""

from __future__ import annotations

import locale
import os

from bcs_template_set.messages import Language


def local_language() -> Language:
    """Return the language of the desk: BK-CI's variable first, then the locale's, as POSIX orders them.

    Read from the variables: `locale` knows only the locales that are installed. English if in doubt.
    """
    names = ("BK_CI_LOCALE_LANGUAGE", "LC_ALL", "LC_MESSAGES", "LANG")
    known = [os.environ[name] for name in names if os.environ.get(name)] or [locale.getlocale()[0] or ""]
    return "zh_CN" if known[0].lower().startswith(("zh", "chinese")) else "en_US"
