"""A server that says exactly the bytes a test gives it: for answers no proper server would send."""

from __future__ import annotations

import contextlib
import socket
import ssl
import threading
from collections.abc import Iterator
from typing import Callable, Optional

Script = Callable[[socket.socket, bytes], bool]
"""Answers one request, given its bytes; returns whether the connection is kept."""


class RawServer:
    """Listens on 127.0.0.1 and runs one script for every request; `requests` are their bytes."""

    def __init__(self, script: Script, *, tls: Optional[ssl.SSLContext] = None) -> None:
        self.requests: list[bytes] = []
        self.connections = 0
        self._script = script
        self._tls = tls
        self._open: list[socket.socket] = []
        self._listener = socket.create_server(("127.0.0.1", 0))
        self._thread = threading.Thread(target=self._listen, daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        return int(self._listener.getsockname()[1])

    @property
    def url(self) -> str:
        return f"{'https' if self._tls else 'http'}://127.0.0.1:{self.port}"

    def stop(self) -> None:
        with contextlib.suppress(OSError):
            self._listener.shutdown(socket.SHUT_RDWR)
        self._listener.close()
        for connection in self._open:
            with contextlib.suppress(OSError):
                connection.shutdown(socket.SHUT_RDWR)
        self._thread.join(5)

    def _listen(self) -> None:
        threads = []
        while True:
            try:
                connection, _ = self._listener.accept()
            except OSError:
                break
            self.connections += 1
            self._open.append(connection)
            threads.append(threading.Thread(target=self._serve, args=(connection,), daemon=True))
            threads[-1].start()
        for thread in threads:
            thread.join(5)

    def _serve(self, plain: socket.socket) -> None:
        connection = plain
        with contextlib.suppress(OSError):
            if self._tls is not None:
                connection = self._tls.wrap_socket(plain, server_side=True)
                self._open.append(connection)
            kept = True
            while kept:
                request = read_request(connection)
                if not request:
                    break
                self.requests.append(request)
                kept = self._script(connection, request)
        connection.close()
        plain.close()


def read_request(connection: socket.socket) -> bytes:
    """Return the bytes of one request, empty where the client has left."""
    request = b""
    while b"\r\n\r\n" not in request:
        piece = connection.recv(65536)
        if not piece:
            return b""
        request += piece
    head, _, body = request.partition(b"\r\n\r\n")
    length = 0
    for line in head.split(b"\r\n"):
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            length = int(value)
    while len(body) < length:
        body += connection.recv(65536)
    return head + b"\r\n\r\n" + body


def saying(answer: bytes, *, keep: bool = True) -> Script:
    """Return a script that sends these bytes."""

    def script(connection: socket.socket, _: bytes) -> bool:
        connection.sendall(answer)
        return keep

    return script


def http(
    body: bytes = b"{}", *, status: str = "200 OK", headers: tuple[str, ...] = (), length: bool = True
) -> bytes:
    """Return an answer's bytes."""
    lines = [f"HTTP/1.1 {status}", *headers]
    if length:
        lines.append(f"Content-Length: {len(body)}")
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + body


@contextlib.contextmanager
def serving(script: Script, *, tls: Optional[ssl.SSLContext] = None) -> Iterator[RawServer]:
    """Run a server while a test needs it."""
    server = RawServer(script, tls=tls)
    try:
        yield server
    finally:
        server.stop()


@contextlib.contextmanager
def refusing_port() -> Iterator[int]:
    """Yield a port that refuses: nobody listens, and it is taken, so that no other test's server gets it."""
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        yield int(taken.getsockname()[1])
