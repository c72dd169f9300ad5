"""A network between a client and a server on this machine: slow, or gone, as a test wants it."""

from __future__ import annotations

import contextlib
import socket
import struct
import threading
import time
from collections.abc import Callable

_PIECE = 2**16  # bytes


class TcpRelay:
    """Passes connections on to a port of 127.0.0.1.

    Attributes:
        port: where it listens.
        latency: asked for each piece of a request; the seconds that it is held back.
    """

    def __init__(self, behind: int, port: int = 0) -> None:
        self.port = port
        self.latency: Callable[[], float] = lambda: 0.0
        self._behind = behind
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        self._listener: socket.socket | None = None
        self.come_back()

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    def come_back(self) -> None:
        """Listens, on the same port as before."""
        listener = socket.create_server(("127.0.0.1", self.port), backlog=128)
        self.port = listener.getsockname()[1]
        self._listener = listener
        threading.Thread(target=self._accept, args=(listener,), daemon=True).start()

    def leave(self) -> None:
        """Refuses connections from now on, and resets those that are open."""
        if self._listener is not None:
            with contextlib.suppress(OSError):
                self._listener.shutdown(socket.SHUT_RDWR)
            self._listener.close()
            self._listener = None
        with self._lock:
            for end in self._open:
                _reset(end)

    close = leave

    def __enter__(self) -> TcpRelay:
        return self

    def __exit__(self, *_: object) -> None:
        self.close()

    def _latency(self) -> float:
        return self.latency()

    def _accept(self, listener: socket.socket) -> None:
        while True:
            try:
                client, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=self._connect, args=(client,), daemon=True).start()

    def _connect(self, client: socket.socket) -> None:
        try:
            server = socket.create_connection(("127.0.0.1", self._behind))
        except OSError:
            _reset(client)
            client.close()
            return
        for end in (client, server):
            end.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        with self._lock:
            self._open |= {client, server}
        if self._listener is None:  # it left meanwhile
            self.leave()
        answers = threading.Thread(target=_pump, args=(server, client, lambda: 0.0), daemon=True)
        answers.start()
        _pump(client, server, self._latency)
        answers.join()
        with self._lock:
            self._open -= {client, server}
        client.close()
        server.close()


def _pump(source: socket.socket, target: socket.socket, latency: Callable[[], float]) -> None:
    """Passes on what comes until one side is done."""
    with contextlib.suppress(OSError):
        while data := source.recv(_PIECE):
            time.sleep(latency())
            target.sendall(data)
    for end in (source, target):
        with contextlib.suppress(OSError):
            end.shutdown(socket.SHUT_RDWR)


def _reset(end: socket.socket) -> None:
    """With a linger of 0 the close of a connection is a reset; the shutdown wakes who reads from it."""
    with contextlib.suppress(OSError):
        end.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        end.shutdown(socket.SHUT_RDWR)
