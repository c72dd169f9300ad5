"""An HTTP server that plays a receiver of alerts, with faults on demand: the base of `http_receivers`.

A fault is used up by the next request that carries alerts.
"""

from __future__ import annotations

import gzip
import http.client
import json
import socket
import ssl
import struct
import threading
from collections import deque
from collections.abc import Mapping
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qs, urlsplit

from tests.servers.ports import free_ports


@dataclass(frozen=True)
class Request:
    """What came, its body decompressed."""

    method: str
    path: str
    query: Mapping[str, list[str]]
    headers: Mapping[str, str]
    body: bytes
    target: str = ""
    sent: bytes = b""  # the body as it came


@dataclass(frozen=True)
class Reply:
    """What is answered."""

    status: int
    body: Any = b""
    headers: Mapping[str, str] = field(default_factory=dict)

    def content(self) -> bytes:
        return self.body if isinstance(self.body, bytes) else json.dumps(self.body).encode()


@dataclass(frozen=True)
class Status:
    """A fault: nothing is taken, this is answered."""

    status: int
    headers: Mapping[str, str] = field(default_factory=dict)
    body: Any = b""


class Reset:
    """A fault: the connection is reset while the body is on its way; nothing is taken."""


class Lost:
    """A fault: all is taken, but the answer never comes."""


@dataclass(frozen=True)
class Drip:
    """A fault: nothing is taken, and the response comes a byte at a time, `pause` seconds apart.

    Attributes:
        head: whether the headers come slowly too, or the body alone.
        count: of the bytes.
    """

    head: bool = False
    pause: float = 0.05
    count: int = 200


Fault = Status | Reset | Lost | Drip


class Receiver:
    """Listens on a free port of 127.0.0.1 until it is closed.

    Attributes:
        accepted: ids of the alerts that were taken, in order, repeats too.
        stored: what the receiver now holds, by id or by number: what a person would find there.
        faults: what happens to the next requests that carry alerts; None is no fault.
        requests: all that came.
        refuse: ids of alerts that are never taken.
        max_bytes: of a decompressed body.
    """

    max_bytes = 1_000_000

    def __init__(self, tls: ssl.SSLContext | None = None) -> None:
        self.accepted: list[str] = []
        self.stored: list[dict[str, Any]] = []
        self.faults: deque[Fault | None] = deque()
        self.requests: list[Request] = []
        self.refuse: set[str] = set()
        self.closing = threading.Event()
        self._tls = tls
        (self.port,) = free_ports(1)  # nobody takes it while the receiver is down
        self.start()
        self.url = f"{'https' if tls else 'http'}://127.0.0.1:{self.port}"

    def start(self) -> None:
        """Listens, on the same port as before."""
        self.closing.clear()
        self._server = ThreadingHTTPServer(("127.0.0.1", self.port), _handler(self))
        self._server.daemon_threads = True
        if self._tls:
            # The handshake is done by the thread of the connection, as soon as it reads.
            wrap = self._tls.wrap_socket
            self._server.socket = wrap(self._server.socket, server_side=True, do_handshake_on_connect=False)
        self.port = self._server.server_address[1]
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,), daemon=True)
        self._thread.start()

    def __enter__(self) -> Receiver:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def close(self) -> None:
        self.closing.set()
        self._server.shutdown()
        self._server.server_close()
        self._thread.join()

    def carries_alerts(self, request: Request) -> bool:
        """Whether faults apply to a request."""
        return request.method == "POST"

    def answer(self, request: Request) -> Reply:
        """What the vendor would answer."""
        raise NotImplementedError

    def forge(self, request: Request) -> Reply:
        """Answers by `answer`, after limits that all receivers have."""
        if len(request.body) > self.max_bytes:
            return Reply(413, b"Request Entity Too Large")
        return self.answer(request)


def _handler(receiver: Receiver) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"
        disable_nagle_algorithm = True

        def _serve(self) -> None:
            length = int(self.headers.get("content-length") or 0)
            parts = urlsplit(self.path)
            headers = {name.lower(): text for name, text in self.headers.items()}
            probe = Request(self.command, parts.path, parse_qs(parts.query), headers, b"", self.path)
            fault = receiver.faults.popleft() if receiver.faults and receiver.carries_alerts(probe) else None
            if isinstance(fault, Reset):
                self.rfile.read(min(length, 100))
                self._reset()
                return
            sent = body = self.rfile.read(length)
            if headers.get("content-encoding") == "gzip":
                body = gzip.decompress(body)
            request = Request(self.command, parts.path, parse_qs(parts.query), headers, body, self.path, sent)
            receiver.requests.append(request)
            if isinstance(fault, Drip):
                self._drip(fault)
                return
            reply = (
                Reply(fault.status, fault.body, fault.headers)
                if isinstance(fault, Status)
                else receiver.forge(request)
            )
            if isinstance(fault, Lost):
                self._reset()
                return
            content = reply.content()
            self.send_response(reply.status)
            for name, text in reply.headers.items():
                self.send_header(name, text)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command != "HEAD":
                self.wfile.write(content)

        def _drip(self, fault: Drip) -> None:
            self.close_connection = True
            self.wfile.write(b"HTTP/1.1 200 OK\r\n")
            rest = b"X-Slow: %s\r\nContent-Length: 0\r\n\r\n" % (b"a" * fault.count)
            if not fault.head:
                self.wfile.write(b"Content-Length: %d\r\n\r\n" % fault.count)
                rest = b" " * fault.count
            for byte in rest:
                self.wfile.write(bytes([byte]))
                receiver.closing.wait(fault.pause)

        def _reset(self) -> None:
            self.close_connection = True
            # With a linger of 0 the close is a reset, not an orderly end.
            self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            self.connection.close()

        do_GET = do_POST = do_PUT = do_HEAD = _serve  # noqa: N815

        def log_message(self, *_: Any) -> None:
            pass

        def handle(self) -> None:
            try:
                super().handle()
            except (ConnectionError, ValueError, ssl.SSLError):
                self.close_connection = True

        def finish(self) -> None:
            try:
                super().finish()
            except (OSError, ValueError):
                return

    return Handler


class Relay(Receiver):
    """Passes everything to a real server behind it, so that faults can stand between."""

    max_bytes = 2**31

    def __init__(self, host: str, port: int) -> None:
        super().__init__()
        self._behind = (host, port)

    def answer(self, request: Request) -> Reply:
        connection = http.client.HTTPConnection(*self._behind, timeout=60)
        dropped = ("host", "content-length", "connection")
        headers = {name: text for name, text in request.headers.items() if name not in dropped}
        try:
            connection.request(request.method, request.target, request.sent or None, headers)
            answer = connection.getresponse()
            kind = {"Content-Type": answer.getheader("content-type") or ""}
            return Reply(answer.status, answer.read(), kind)
        finally:
            connection.close()
