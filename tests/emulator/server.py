"""A threaded HTTP/1.1 server on 127.0.0.1 that keeps connections. The only module that opens a socket."""

from __future__ import annotations

import http
import io
import socket
import socketserver
import ssl
import struct
import threading
from typing import Callable, Optional, cast

from tests.emulator.http_message import Answer, Request

SEND, DROP, RESET, HALF = "send", "drop", "reset", "half"
_HANDSHAKE = b"\x16"
"""What TLS begins with. It may have no line's end, and then both sides would wait for the other."""
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


class _Server(socketserver.ThreadingTCPServer):
    allow_reuse_address = True
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


class _Connection(socketserver.StreamRequestHandler):
    """One connection: `http.server` takes twice the time, which thousands of requests feel."""

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

    def handle(self) -> None:
        """Answer requests until one ends the connection."""
        while self._serve():
            pass

    def _serve(self) -> bool:
        """Read a request, send its answer as ordered, and tell whether another request may come."""
        request = self._read_request()
        if request is None:
            return False
        answer, how = self._server().respond(request)
        if how == SEND:
            keeps = request.header("connection").lower() != "close"
            whole = _encode(answer, close=not keeps)
            is_head = (
                request.method == "HEAD"
            )  # says how long a body would be, and sends none (RFC 9110, 9.3.2)
            return self._send(whole[: len(whole) - len(answer.body)] if is_head else whole) and keeps
        if how == RESET:
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, _RESET_ON_CLOSE)
        elif how == HALF:
            whole = _encode(answer, close=False)
            self._send(whole[: len(whole) - (len(answer.body) + 1) // 2])
        if how != RESET:
            _shut(self.connection)
        return False

    def _server(self) -> _Server:
        return cast("_Server", self.server)

    def _read_request(self) -> Optional[Request]:
        """Return the next request, None where the client has closed or does not speak HTTP/1.1."""
        try:
            if cast("io.BufferedReader", self.rfile).peek(1)[:1] == _HANDSHAKE:
                return None
            first = self.rfile.readline().decode("latin-1").split()
            if len(first) != 3 or first[2] != "HTTP/1.1":
                return None
            lines = list(iter(lambda: self.rfile.readline().decode("latin-1").rstrip("\r\n"), ""))
        except OSError:
            return None
        headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
        length = int(headers.get("content-length") or 0)
        path, _, query = first[1].partition("?")
        return Request(
            method=first[0],
            path=path,
            query_string=query,
            headers=headers,
            body=self.rfile.read(length) if length else b"",
        )

    def _send(self, data: bytes) -> bool:
        try:
            self.wfile.write(data)
        except OSError:
            return False
        return True


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
