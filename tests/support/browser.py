"""Chromium, started once for a process: it takes most of its time to start, and little to show a page.

It is spoken to in the DevTools protocol (https://chromedevtools.github.io/devtools-protocol), over two pipes
that it expects as descriptors 3 and 4: each message is JSON, with a zero byte behind it.
"""

from __future__ import annotations

import atexit
import functools
import json
import os
import select
import shutil
import subprocess
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

CHROMIUM = Path("/usr/bin/chromium")
_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"),
    *("--disable-background-networking", "--disable-component-update", "--disable-sync"),
    "--remote-debugging-pipe",
)
_HEIGHT = 900
_PATIENCE = 120.0
_ITS_DESCRIPTORS = 'exec "$@" 3<&{} 4>&{}'  # which other shells understand for one digit alone


def dom(html: str, *, directory: Path, width: int) -> str:
    """Return the document as a browser of that width holds it after its scripts ran."""
    page = directory / "page.html"
    page.write_text(html, encoding="utf-8")
    return _browser().document(page.as_uri(), width=width)


@functools.cache
def _browser() -> _Browser:
    browser = _Browser()
    atexit.register(browser.close)
    return browser


class _Browser:
    def __init__(self) -> None:
        self._profile = tempfile.mkdtemp(prefix="chromium-")
        reads, writes = os.pipe(), os.pipe()
        command = [str(CHROMIUM), *_FLAGS, f"--user-data-dir={self._profile}"]
        self._process = subprocess.Popen(
            ["bash", "-c", _ITS_DESCRIPTORS.format(reads[0], writes[1]), "chromium", *command],
            pass_fds=(reads[0], writes[1]),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
        )
        os.close(reads[0])
        os.close(writes[1])
        self._asks, self._answers = os.fdopen(reads[1], "wb", buffering=0), os.fdopen(writes[0], "rb")
        self._heard = b""
        self._sent = 0

    def close(self) -> None:
        """End it, and take its profile away."""
        self._asks.close()
        self._process.kill()
        self._process.wait()
        self._answers.close()
        shutil.rmtree(self._profile, ignore_errors=True)  # its own children may still be writing

    def document(self, address: str, *, width: int) -> str:
        """Return the page's document once it is loaded, shown by a browser that has shown nothing before."""
        context = self._ask("Target.createBrowserContext")["browserContextId"]
        made = self._ask(
            "Target.createTarget",
            url="about:blank",
            browserContextId=context,
            width=width,
            height=_HEIGHT,
        )
        session = self._ask("Target.attachToTarget", targetId=made["targetId"], flatten=True)["sessionId"]
        self._ask("Page.enable", session)
        self._ask("Page.navigate", session, url=address)
        self._hear(
            lambda heard: heard.get("method") == "Page.loadEventFired" and heard["sessionId"] == session
        )
        shown = self._ask("Runtime.evaluate", session, expression="document.documentElement.outerHTML")
        self._ask("Target.disposeBrowserContext", browserContextId=context)
        return str(shown["result"]["value"])

    def _ask(self, method: str, session: str = "", **parameters: object) -> Any:  # noqa: ANN401 - JSON
        self._sent += 1
        number = self._sent
        of_session = {"sessionId": session} if session else {}
        asked = {"id": number, "method": method, "params": parameters, **of_session}
        self._asks.write(json.dumps(asked).encode() + b"\0")
        answer = self._hear(lambda heard: heard.get("id") == number)
        assert "error" not in answer, answer
        return answer["result"]

    def _hear(self, is_it: Callable[[Any], bool]) -> Any:  # noqa: ANN401 - JSON
        """Return the next message that is the one waited for; it says much that nobody asked for."""
        while True:
            message, ended, rest = self._heard.partition(b"\0")
            if not ended:
                self._heard += self._next_bytes()
                continue
            self._heard = rest
            heard = json.loads(message)
            if is_it(heard):
                return heard

    def _next_bytes(self) -> bytes:
        ready, _, _ = select.select([self._answers], [], [], _PATIENCE)
        assert ready, f"the browser has said nothing for {_PATIENCE} seconds"
        read = os.read(self._answers.fileno(), 1 << 16)
        assert read, "the browser has ended"
        return read
