"""A threaded HTTP/1.1 server on 127.0.0.1 that keeps connections. The only module that opens a socket."""

from __future__ import annotations

import http
import socket
import socketserver
import ssl
import struct
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Callable, Optional, cast

from tests.emulator.http_message import Answer, Request

SEND, DROP, RESET, HALF = "send", "drop", "reset", "half"
_RESET_ON_CLOSE = struct.pack("ii", 1, 0)

Respond = Callable[[Request], tuple[Answer, str]]
"""What answers: it returns the answer, and how to send it."""


class Server:
    """The server's life: it listens from construction, and `stop` ends every connection and thread."""

    def __init__(self, respond: Respond, *, tls: Optional[ssl.SSLContext] = None) -> None:
        self._server = _Server(respond, tls=tls)
        self._thread = threading.Thread(target=self._run, name="emulator", daemon=True)
        self._thread.start()

    @property
    def port(self) -> int:
        """Return the port the server listens on."""
        return int(self._server.server_address[1])

    @property
    def connections(self) -> int:
        """Return how many connections were opened so far."""
        return self._server.opened

    def stop(self) -> None:
        """Stop listening, end all connections, and wait for their threads."""
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        self._server.end_connections()

    def _run(self) -> None:
        self._server.serve_forever(poll_interval=0.02)


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, respond: Respond, *, tls: Optional[ssl.SSLContext]) -> None:
        super().__init__(("127.0.0.1", 0), _Connection)
        self.respond = respond
        self.opened = 0
        self._open: set[socket.socket] = set()
        self._changed = threading.Condition()
        if tls is not None:
            # The handshake happens at the first read, in the connection's own thread.
            self.socket = tls.wrap_socket(self.socket, server_side=True, do_handshake_on_connect=False)

    def server_bind(self) -> None:
        """Bind without looking up the host's name, which can take seconds."""
        socketserver.TCPServer.server_bind(self)
        self.server_name, self.server_port = "127.0.0.1", int(self.server_address[1])

    def add_connection(self, connection: socket.socket) -> None:
        with self._changed:
            self.opened += 1
            self._open.add(connection)

    def remove_connection(self, connection: socket.socket) -> None:
        with self._changed:
            self._open.discard(connection)
            self._changed.notify_all()

    def end_connections(self, *, patience: float = 5.0) -> None:
        with self._changed:
            for connection in self._open:
                _shut(connection)
            self._changed.wait_for(lambda: not self._open, patience)

    def handle_error(self, request: object, client_address: object) -> None:
        """Say nothing: a client that left, or failed the TLS handshake, is part of many tests."""


class _Connection(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True

    def setup(self) -> None:
        super().setup()
        self._server().add_connection(self.connection)

    def finish(self) -> None:
        try:
            super().finish()
        finally:
            self.connection.close()
            self._server().remove_connection(self.connection)

    def serve(self) -> None:
        """Read one request, have it answered, and send the answer as ordered."""
        answer, how = self._server().respond(self._read_request())
        if how == SEND:
            self._send(_encode(answer, close=self.close_connection))
            return
        self.close_connection = True
        if how == RESET:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        elif how == HALF:
            whole = _encode(answer, close=False)
            self._send(whole[: len(whole) - (len(answer.body) + 1) // 2])
        if how != RESET:
            _shut(self.connection)

    do_GET = serve  # noqa: N815 - the names that http.server calls
    do_POST = serve  # noqa: N815 - see above
    do_PUT = serve  # noqa: N815 - see above
    do_DELETE = serve  # noqa: N815 - see above
    do_PATCH = serve  # noqa: N815 - see above
    do_HEAD = serve  # noqa: N815 - see above

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name of the overridden
        """Say nothing: the exchanges are recorded."""

    def _server(self) -> _Server:
        return cast("_Server", self.server)

    def _read_request(self) -> Request:
        length = int(self.headers.get("Content-Length") or 0)
        path, _, query = self.path.partition("?")
        return Request(
            method=self.command,
            path=path,
            query_string=query,
            headers={name.lower(): value for name, value in self.headers.items()},
            body=self.rfile.read(length) if length else b"",
        )

    def _send(self, data: bytes) -> None:
        try:
            self.wfile.write(data)
        except OSError:
            self.close_connection = True


def _encode(answer: Answer, *, close: bool) -> bytes:
    try:
        reason = http.HTTPStatus(answer.status).phrase
    except ValueError:
        reason = "Unknown"
    lines = [f"HTTP/1.1 {answer.status} {reason}"]
    lines += [f"{name}: {_header_safe(value)}" for name, value in answer.headers.items()]
    lines += [f"Content-Length: {len(answer.body)}", f"Connection: {'close' if close else 'keep-alive'}"]
    return ("\r\n".join(lines) + "\r\n\r\n").encode("latin-1") + answer.body


def _header_safe(value: str) -> str:
    return value.encode("ascii", "replace").decode().replace("\n", " ").replace("\r", " ")


def _shut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return
